r"""One-line expressions with the values that TLC gives them.

Owns: the list, and the question put to TLC about all of it.
Keeps: a value here was computed by TLC 2.15, except where TLC is wrong: there it is the right one,
    and what TLC says instead stands beside it. An expression has its value whether or not the
    kinds of its parts are known when it is compiled.
Above: nobody. Below: awa.lab.

TLC is wrong of EXCEPT where a function is used as a sequence (tlaplus#1145), and of sets of
functions from or to nothing (tlaplus#1407). A third fault, of functions whose arguments are
functions (tlaplus#1302), takes a state to show: see test_what_tlc_takes_for_true.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from awa.lab import tla, tlc
from awa.lab.tla.compiler import Code, Compiler
from awa.lab.tla.kinds import ANY

MODULE = """---- MODULE Lines ----
EXTENDS Integers, Sequences, FiniteSets, TLC
VARIABLE x
Spec == x = 0 /\\ [][UNCHANGED x]_x
====
"""

VALUES = r"""
1 + 2 * 3                                            --> 7
-7 \div 2                                            --> -3
-7 % 3                                               --> 2
5 - 8                                                --> -3
{1, 2, 2} = {2, 1}                                   --> TRUE
{{1, 2}, {}} \ {{}}                                  --> {{1, 2}}
{1} \cap {2} = {}                                    --> TRUE
(1..3 \cup {7}) \ {2}                                --> {1, 3, 7}
1..0                                                 --> {}
Cardinality({1, 2, 1} \cup 5..7)                     --> 5
SUBSET {1, 2}                                        --> {{}, {1}, {2}, {1, 2}}
{2} \in SUBSET {1, 2}                                --> TRUE
{1, 2} \in SUBSET Nat                                --> TRUE
{"a", "b"} \subseteq {"a", "b", "c"}                 --> TRUE
UNION {{1}, {2, 3}, {}}                              --> {1, 2, 3}
{x_ \in 1..5 : x_ % 2 = 0}                           --> {2, 4}
{x_ * x_ : x_ \in -2..2}                             --> {0, 1, 4}
{<<a, b>> \in {1, 2} \X {1, 2} : a < b}              --> {<<1, 2>>}
{a + b : a \in 1..2, b \in {10, 20}}                 --> {11, 12, 21, 22}
{1, 2} \X {3} \X {4}                                 --> {<<1, 3, 4>>, <<2, 3, 4>>}
<<1, 2, 3>> \in {1} \X {2} \X {3}                    --> TRUE
<<1, <<2, 3>>>> \in {1} \X ({2} \X {3})              --> TRUE
[a : {1, 2}, b : {3}]                                --> {[a |-> 1, b |-> 3], [a |-> 2, b |-> 3]}
{f \in [{1, 2} -> {0, 1}] : f[1] # f[2]}             --> {<<0, 1>>, <<1, 0>>}
3 \in Nat /\ -3 \notin Nat /\ -3 \in Int             --> TRUE
"s" \in STRING                                       --> TRUE
TRUE \in BOOLEAN                                     --> TRUE
<<1, 2>> = [i \in 1..2 |-> i]                        --> TRUE
<<>> = [i \in {} |-> i]                              --> TRUE
<<1, 2>> # <<1, 2, 3>>                               --> TRUE
<<1, "a">> = <<2, 2>>                                --> FALSE
[x_ \in {"p", "q"} |-> x_ = "p"]                     --> [p |-> TRUE, q |-> FALSE]
[i \in 0..2 |-> i * i]                               --> (0 :> 0 @@ 1 :> 1 @@ 2 :> 4)
[i \in {3, 5} |-> i][5]                              --> 5
[p \in {1, 2} \X {"s"} |-> p[1]][<<2, "s">>]         --> 2
[i \in 1..2, j \in 1..2 |-> i + j][2, 1]             --> 3
[i \in 1..2 |-> i] \in [1..2 -> 1..5]                --> TRUE
[a |-> 1, b |-> 2] \in [a : Nat, b : 1..2]           --> TRUE
[a |-> 1] \in [a : Nat, b : 1..2]                    --> FALSE
[a |-> 1].a                                          --> 1
DOMAIN <<"a", "b">>                                  --> {1, 2}
DOMAIN [a |-> 1, b |-> 2]                            --> {"a", "b"}
[<<1, 2, 3>> EXCEPT ![2] = @ + 40]                   --> <<1, 42, 3>>
[<<1, 2, 3>> EXCEPT ![2] = 0, ![2] = @ + 1]          --> <<1, 1, 3>>
[[a |-> <<1, 2>>] EXCEPT !.a[2] = @ * 10]            --> [a |-> <<1, 20>>]
[[a |-> 1] EXCEPT !["a"] = 2]                        --> [a |-> 2]
[<<1, 2>> EXCEPT ![5] = 0]                           --> <<1, 2>>
[[a |-> 1] EXCEPT !.b = 2]                           --> [a |-> 1]
("a" :> 1) @@ ("b" :> 2) @@ ("a" :> 3)               --> [a |-> 1, b |-> 2]
(1 :> "x") @@ (2 :> "y")                             --> <<"x", "y">>
Append(<<1>>, "b")                                   --> <<1, "b">>
Head(<<4, 5>>) + Len(Tail(<<4, 5, 6>>))              --> 6
SubSeq(<<1, 2, 3, 4>>, 2, 3)                         --> <<2, 3>>
SubSeq(<<1, 2>>, 2, 1)                               --> <<>>
<<1>> \o <<2, 3>>                                    --> <<1, 2, 3>>
<<1, 2>> \in Seq(1..2)                               --> TRUE
"a\"b\\c"                                            --> "a\"b\\c"
<<TRUE, {FALSE}>>                                    --> <<TRUE, {FALSE}>>
CHOOSE c \in {3, 1, 2} : c > 1                       --> 2
CHOOSE c \in {"only"} : TRUE                         --> "only"
IF 1 > 2 THEN "yes" ELSE "no"                        --> "no"
CASE 1 > 2 -> "a" [] 2 > 1 -> "b" [] OTHER -> "c"    --> "b"
LET f(a) == a + 1 b == 10 IN f(b) + f(0)             --> 12
LET unused == Head(<<>>) IN 1                        --> 1
\A a \in {} : a = 1                                  --> TRUE
\E a, b \in 1..3 : a + b = 6                         --> TRUE
\A <<a, b>> \in {<<1, 2>>} : a < b                   --> TRUE
FALSE /\ Head(<<>>) = 1                              --> FALSE
TRUE \/ Head(<<>>) = 1                               --> TRUE
FALSE => Head(<<>>) = 1                              --> TRUE
(TRUE <=> FALSE) \equiv FALSE                        --> TRUE
"""

TLC_IS_WRONG = r"""
SubSeq([[i \in 1..4 |-> 0] EXCEPT ![2] = 1], 2, 2)[1] --> 1 --> 0
Tail([[i \in 1..4 |-> 0] EXCEPT ![2] = 1])[1] --> 1 --> 0
Append([[i \in 1..4 |-> 0] EXCEPT ![2] = 1], 1)[2] --> 1 --> 0
([[i \in 1..4 |-> 0] EXCEPT ![2] = 1] \o <<>>)[2] --> 1 --> 0
[{} -> {1}] = [{} -> {2}] --> TRUE --> FALSE
[{1} -> {}] = [{2} -> {}] --> TRUE --> FALSE
"""

UNDEFINED = r"""
1 = "a"
TRUE = 1
{1} = {"a"}
{1, "a"}
[a |-> 1] = [a |-> TRUE]
<<1>> = [a |-> 1]
{} = 1
"a" \in {1}
1 \in 2
<<1, 2>>[3]
[a |-> 1].b
Head(<<>>)
SubSeq(<<1, 2>>, 0, 1)
CHOOSE c \in {} : TRUE
CASE FALSE -> 1
IF 1 THEN 2 ELSE 3
TRUE /\ 1
1 + "a"
1 < TRUE
1 \div 0
DOMAIN {1}
UNION {1}
Cardinality(<<1>>)
[i \in 1..2 |-> i] \cup {1}
<<1>> \o {2}
Append("a", 1)
"""


def table(text: str) -> list[tuple[str, ...]]:
    return [tuple(map(str.strip, row.split(" --> "))) for row in text.strip().split("\n")]


def expressions() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in (*table(VALUES), *table(TLC_IS_WRONG))]


@pytest.fixture(params=["known", "unknown"])
def model(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tla.Model:
    """A model to ask: with constants that are known ahead, or that could be anything."""
    known = Compiler.constant

    def unknown(compiler: Compiler, value: tla.Value) -> Code:
        return replace(known(compiler, value), kind=ANY, state=True, total=False)

    if request.param == "unknown":
        monkeypatch.setattr(Compiler, "constant", unknown)
    (tmp_path / "Lines.tla").write_text(MODULE)
    return tla.load(tmp_path / "Lines.tla", {})


def test_an_expression_has_its_value(model: tla.Model) -> None:
    assert len(expressions()) >= 40
    found = {text: tla.render(model.value(text)) for text, _ in expressions()}
    assert found == dict(expressions())


@pytest.mark.parametrize("text", UNDEFINED.strip().split("\n"))
def test_an_expression_without_a_value_is_not_given_one(model: tla.Model, text: str) -> None:
    with pytest.raises(tla.EvaluationError):
        model.value(text)


def test_a_choice_that_is_up_to_tlc_is_refused(model: tla.Model) -> None:
    with pytest.raises(tla.EvaluationError, match="2 values to choose from"):
        model.value('CHOOSE c \\in {"b", "a"} : TRUE')


def ask(folder: Path, texts: list[str]) -> Iterator[str | None]:
    """Let TLC print the values of expressions, in one run."""
    rows = [f'ASSUME PrintT(<<"value", {n}, {text}>>)' for n, text in enumerate(texts)]
    head = "---- MODULE Lines ----\nEXTENDS Integers, Sequences, FiniteSets, TLC\n"
    (folder / "Lines.tla").write_text(head + "\n".join(rows) + "\n====\n")
    (folder / "Lines.cfg").write_text("")
    call = tlc.Call(folder / "Lines.tla", folder / "Lines.cfg", folder)
    output = tlc.run(tlc.find_tools(), call).text
    for number in range(len(texts)):
        said = re.search(rf'^<<\s*"value",\s*{number},\s*(.*?)\s*>>$', output, re.M | re.S)
        yield said and said[1]


@pytest.mark.tlc
def test_the_values_are_those_of_tlc(tmp_path: Path) -> None:
    wrong = {row[0]: row[2] for row in table(TLC_IS_WRONG)}
    rows = expressions()
    for (text, value), said in zip(rows, ask(tmp_path, [row[0] for row in rows]), strict=True):
        assert said is not None, f"TLC says nothing of {text}"
        if said != "1..2":  # TLC prints this set as it is written.
            assert tla.render(tla.read(said)) == wrong.get(text, value), text


@pytest.mark.tlc
@pytest.mark.slow
@pytest.mark.parametrize("text", UNDEFINED.strip().split("\n"))
def test_what_has_no_value_has_none_for_tlc(tmp_path: Path, text: str) -> None:
    assert list(ask(tmp_path, ["1", text])) == ["1", None]


LAZY = r"""---- MODULE Lazy ----
EXTENDS Integers, TLC
VARIABLES one, both
Keys == [{1} -> {1, 2}]
Init ==
  /\ one = [[k \in Keys |-> 0] EXCEPT ![<<1>>] = <<1>> :> 10]
  /\ both = [one EXCEPT ![<<2>>] = 99]
Spec == Init /\ [][UNCHANGED <<one, both>>]_<<one, both>>
Lacks == DOMAIN one # Keys
====
"""


@pytest.mark.tlc
def test_what_tlc_takes_for_true(tmp_path: Path) -> None:
    (tmp_path / "Lazy.tla").write_text(LAZY)
    (tmp_path / "Lazy.cfg").write_text("SPECIFICATION Spec\nINVARIANT Lacks\n")
    model = tla.load_cfg(tmp_path / "Lazy.tla", tmp_path / "Lazy.cfg")
    assert tla.explore(model, ["Lacks"]).violated == "Lacks"
    call = tlc.Call(tmp_path / "Lazy.tla", tmp_path / "Lazy.cfg", tmp_path)
    assert tlc.completed(tlc.run(tlc.find_tools(), call).text)
