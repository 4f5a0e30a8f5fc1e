r"""What the interpreter does not understand, it refuses, and says where it stands.

Owns: the list of what is outside the subset, in modules and in cfgs.
Keeps: an entry is refused though nothing asks for it: TLC never reaches it either.
Above: nobody. Below: awa.lab.tla.
"""

from pathlib import Path

import pytest

from awa.lab import tla

HEAD = """---- MODULE Odd ----
EXTENDS Integers, Sequences
CONSTANT Size
VARIABLES x, y
"""
TAIL = """
Init == x = 0 /\\ y = 0
Next == x' = 1 - x /\\ UNCHANGED y
Spec == Init /\\ [][Next]_<<x, y>>
====
"""

# What stands on line 5 of a module, and what is said of it.
CONSTRUCTS = [
    (r"Bad == \E a : a = 1", "a variable without a bound: a"),
    (r"Bad == \A a \in {1}, b : a = b", "a variable without a bound: b"),
    (r"Bad == CHOOSE a : a = 1", "a variable without a bound: a"),
    (r"Bad == ENABLED (x' = 1)", "ENABLED is not understood, or not declared"),
    (r"Bad == LAMBDA a : a", "Lambda is not understood"),
    (r"Bad == 1.5", "FloatNumeral is not understood"),
    (r"Bad == <<x' = 1>>_x", "an action that must not stutter is not understood"),
    (r"Bad == \EE a : a = 1", "TemporalQuantification is not understood"),
    (r"Bad == x \cdot y", r"\\cdot is not understood, or not declared"),
    (r"Bad == 2 ^ 3", r"\^ is not understood, or not declared"),
    (r"Bad == Cardinality({1})", "Cardinality is not understood, or not declared"),
    (r"Bad == Nowhere", "Nowhere is not understood, or not declared"),
    (r"Bad == Other!Thing!Else", "Other is not understood|this reference is not understood"),
    (r"Bad(F(_)) == F(1)", "a parameter that is an operator"),
    (r"Bad(a) == IF a = 0 THEN 0 ELSE Bad(a - 1)", "recursion is not understood"),
    (r"Bad[a \in 0..3] == IF a = 0 THEN 0 ELSE Bad[a - 1]", "recursion is not understood"),
    (r"Bad == LET f(a) == f(a) IN f(1)", "recursion is not understood"),
    (r"Bad == LET a == b b == 1 IN a", "recursion is not understood"),
    (r"Bad == TRUE \/ FALSE /\ TRUE", r"/\\ and \\/ need parentheses"),
    (r"Bad == TRUE => FALSE => TRUE", "=> and => need parentheses"),
    (r"Bad == 1 = 2 = TRUE", "= and = need parentheses"),
    (r"Bad == {1} \cup {2} \ {1}", r"\\ and \\cup need parentheses"),
    (r"Bad == 1 - (2 - 3) - 4 \div 2 \div 1", r"\\div and \\div need parentheses"),
    (r"RECURSIVE Bad(_)", "RecursiveOperators is not understood"),
    (r"LOCAL Bad == 1", "OperatorDefinition is not understood"),
    (r"INSTANCE Queue", "Instance is not understood"),
    (r"THEOREM TRUE", "Theorem is not understood"),
    (r"CONSTANT Bad(_)", "a constant with parameters"),
    (r"Init == TRUE", "Init is defined twice"),
    (r"Len(a) == 1", "Len is defined twice"),
    (r"ASSUME Size > 2", "an assumption does not hold"),
]

# What an action or a first state may not be.
ACTIONS = [
    ("x' = 1 - x", "no value for y"),
    ("y' = x' /\\ x' = 1", "x is read before it has a value"),
    ("x' > 1 /\\ UNCHANGED <<x, y>>", "x is read before it has a value"),
    ("x' = 1 /\\ UNCHANGED (x + y)", "UNCHANGED of what is no variable"),
    ("x' = 1 /\\ y' \\in Nat", "an infinite set cannot be gone through"),
    ("x'' = 1 /\\ UNCHANGED <<x, y>>", "there is no next state here"),
]

CFGS = [
    ("SPECIFICATION Spec\nSYMMETRY Perms", "SYMMETRY is not understood"),
    ("CONSTRAINT Small", "CONSTRAINT is not understood"),
    ("CONSTANT Size = s1\nSPECIFICATION Spec", "s1 is no value"),
    ("CONSTANT Size = {1\nSPECIFICATION Spec", "} is missing"),
    ("SPECIFICATION Spec", "Size must be given"),
    ("CONSTANTS\n  Size = 2\n  More = 3\nSPECIFICATION Spec", "More must be given"),
    ("CONSTANTS\n  Size = 2\n  Init <- Nothing\nSPECIFICATION Spec", "there is no such operator"),
    ("CONSTANTS\n  Size = 2\n  Init <- Again\nSPECIFICATION Spec", "recursion is not understood"),
    ("CONSTANT Size = 2\nSPECIFICATION Next", "there is no next state here"),
    ("CONSTANT Size = 2\nSPECIFICATION Nothing", "Nothing is not defined"),
]


def load(text: str) -> tla.Model:
    return tla.load(Path("Odd.tla"), {"Size": 2}, sources={"Odd": text})


def test_what_is_around_the_odd_ones_is_understood() -> None:
    assert len(tla.explore(load(HEAD + "Good == 1" + TAIL)).states) == 2


@pytest.mark.parametrize(("text", "said"), CONSTRUCTS, ids=[text for text, _ in CONSTRUCTS])
def test_a_construct_outside_the_subset_is_refused_where_it_stands(text: str, said: str) -> None:
    with pytest.raises(tla.Refused, match=rf"^Odd\.tla:\d+: ({said})"):
        load(HEAD + text + TAIL)


@pytest.mark.parametrize(("text", "said"), ACTIONS, ids=[text for text, _ in ACTIONS])
def test_an_action_that_cannot_be_carried_out_is_refused(text: str, said: str) -> None:
    with pytest.raises(tla.Refused, match=rf"^Odd\.tla:\d+: {said}"):
        load(HEAD + TAIL.replace("x' = 1 - x /\\ UNCHANGED y", text))


@pytest.mark.parametrize(("text", "said"), CFGS, ids=[text for text, _ in CFGS])
def test_a_cfg_with_another_word_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "Odd.cfg").write_text(text)
    with pytest.raises(tla.Refused, match=said):
        source = HEAD + TAIL.replace("====", "Again == Init\n====")
        tla.load_cfg(Path("Odd.tla"), tmp_path / "Odd.cfg", sources={"Odd": source})


def test_a_module_that_is_nowhere_is_refused() -> None:
    with pytest.raises(tla.Refused, match="module Reals"):
        load("---- MODULE Odd ----\nEXTENDS Reals\n====\n")


def test_a_text_that_is_no_module_is_refused() -> None:
    with pytest.raises(tla.Refused, match=r"^Odd\.tla"):
        load("---- MODULE Odd ----\nBad == (1\n====\n")


def test_a_subscript_must_name_all_variables() -> None:
    with pytest.raises(tla.Refused, match="some variables may change at any time"):
        load(HEAD + TAIL.replace("_<<x, y>>", "_x"))


def test_an_invariant_may_not_speak_of_the_next_state() -> None:
    with pytest.raises(tla.Refused, match=r"^Odd\.tla:5: there is no next state here: x'"):
        load(HEAD + "Bad == x' = 1" + TAIL).holds("Bad", (0, 0))


@pytest.mark.parametrize("text", ["Nowhere", "x = 1 /\\ y = 1 \\/ x = 2", "Cardinality({1})", "(1"])
def test_an_expression_is_refused_as_a_module_is(text: str) -> None:
    with pytest.raises(tla.Refused):
        load(HEAD + TAIL).value(text, (0, 0))


def test_a_whole_behaviour_is_never_said_to_be_right() -> None:
    model = load(HEAD + "Comes == (x = 0) ~> (x = 1)" + TAIL)
    assert tla.explore(model, properties=["Comes"]).unchecked == ["(x = 0) ~> (x = 1)"]
