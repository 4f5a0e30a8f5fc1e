r"""What a model can be asked: its actions, their steps, what holds, and why a step is refused.

Owns: the interface of the interpreter, on a model that is small enough to know by heart.
Keeps: the source's line numbers are those of the text below, which begins with line 1.
Above: nobody. Below: awa.lab.tla.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from awa.lab import tla
from awa.lab.tla import Function, Guard

DESK = r"""---- MODULE Desk ----
(* A desk with drawers, which people may use. *)
EXTENDS Integers, Sequences, FiniteSets
CONSTANTS People, Drawers, Room
VARIABLES inside, holder, queue
vars == <<inside, <<holder, queue>>>>

None == "none"
Free(d) == holder[d] = None
Held(p, d) == d \in Drawers /\ holder[d] = p
CanPut(d) ==
  /\ Cardinality(inside[d]) < Room
  /\ Free(d) \/ d = 1
Init == inside = [d \in Drawers |-> {}] /\ holder = [d \in Drawers |-> None] /\ queue = <<>>

Take(p, d) ==
  /\ Free(d)
  /\ holder' = [holder EXCEPT ![d] = p]
  /\ UNCHANGED <<inside, queue>>
Leaves(p, d) ==
  /\ Held(p, d)
  /\ holder' = [holder EXCEPT ![d] = None]
Leave(p, d) == Leaves(p, d) /\ UNCHANGED <<inside, queue>>
Put(d, n) ==
  /\ CanPut(d)
  /\ inside' = [inside EXCEPT ![d] = @ \cup {n}]
  /\ UNCHANGED <<holder, queue>>
Call ==
  /\ \/ /\ Len(queue) > 0
        /\ queue' = Tail(queue)
     \/ \E d \in Drawers, p \in People :
        /\ inside[d] # {}
        /\ p \notin {queue[i] : i \in DOMAIN queue}
        /\ queue' = Append(queue, p)
  /\ UNCHANGED <<inside, holder>>
Tidy(d) ==
  LET size == Cardinality(inside[d])
  IN IF size > 1
     THEN inside' = [inside EXCEPT ![d] = {}] /\ UNCHANGED <<holder, queue>>
     ELSE /\ size = 1
          /\ holder[d] = "nobody"
          /\ UNCHANGED vars

Moves(p) == \E d \in Drawers : Take(p, d) \/ Leave(p, d)
Next == (\E p \in People : Moves(p)) \/ (\E d \in Drawers : Put(d, 7) \/ Tidy(d)) \/ Call
Spec == Init /\ [][Next]_vars /\ WF_vars(Call)

Small == \A d \in Drawers : Cardinality(inside[d]) <= 1
Unheld == \A d \in Drawers : Free(d)
Handed == [][\A d \in Drawers : ~Free(d) => holder'[d] \in {holder[d], None}]_vars
Passed == [][holder' # holder]_holder
Kept == [][\A d \in Drawers : inside[d] \subseteq inside'[d]]_<<inside>>
First == inside[1] = {} /\ [](Len(queue) < 2)
Called == <>(queue # <<>>)
====
"""

CONSTANTS: Mapping[str, tla.Value] = {
    "People": frozenset(("ann", "bob")),
    "Drawers": frozenset((1, 2)),
    "Room": 2,
}
EMPTY: frozenset[int] = frozenset()
START = ((EMPTY, EMPTY), ("none", "none"), ())


def desk(
    constants: Mapping[str, tla.Value] = CONSTANTS,
    overrides: Mapping[str, str] | None = None,
    text: str = DESK,
) -> tla.Model:
    return tla.load(Path("Desk.tla"), constants, overrides, sources={"Desk": text})


def texts(guards: list[Guard]) -> list[tuple[int, str]]:
    return [(guard.line, guard.text) for guard in guards]


def test_the_named_actions_are_found_below_those_that_group_them() -> None:
    assert desk().actions == {
        "Take": ("p", "d"),
        "Leave": ("p", "d"),
        "Put": ("d", "n"),
        "Tidy": ("d",),
        "Call": (),
    }


def test_a_state_has_the_variables_in_their_order() -> None:
    model = desk()
    assert model.variables == ("inside", "holder", "queue")
    assert list(model.initial()) == [START]
    assert model.state({"queue": (), "holder": START[1], "inside": START[0]}) == START
    with pytest.raises(tla.EvaluationError, match="queue = 3 is of another kind"):
        model.state({"queue": 3, "holder": START[1], "inside": START[0]})
    with pytest.raises(tla.EvaluationError, match="inside, holder, queue"):
        model.state({"queue": ()})


def test_a_step_is_by_an_action_with_its_arguments() -> None:
    model = desk()
    (taken,) = model.step("Take", ("ann", 2), START)
    assert taken == ((EMPTY, EMPTY), ("none", "ann"), ())
    assert model.step("Take", ("bob", 2), taken) == []
    assert model.step("Leave", ("ann", 2), taken) == [START]


def test_arguments_that_next_does_not_have_are_no_step() -> None:
    model = desk()
    assert model.step("Put", (1, 7), START) != []
    assert model.step("Put", (1, 8), START) == []
    assert model.step("Take", ("eve", 1), START) == []
    assert model.step("Take", ("ann", 3), START) == []


def test_the_successors_are_the_steps_with_all_arguments() -> None:
    model = desk()
    graph = tla.explore(model)
    for state in graph.states:
        found = list(model.successors(state))
        assert {action for action, _, _ in found} <= set(model.actions)
        for action, args, after in found:
            assert after in model.step(action, args, state)
    assert {edge.args for edge in graph.edges if edge.action == "Take"} == {
        ("ann", 1), ("ann", 2), ("bob", 1), ("bob", 2),
    }  # fmt: skip


def test_an_action_that_there_is_not_is_refused() -> None:
    with pytest.raises(tla.Refused, match="Steal is no action of Spec"):
        desk().step("Steal", (), START)


def test_invariants_and_step_properties_hold_or_do_not() -> None:
    model = desk()
    full = ((frozenset((1, 2)), EMPTY), ("ann", "none"), ())
    assert model.holds("Unheld", START) and model.holds("Small", START)
    assert not model.holds("Unheld", full) and not model.holds("Small", full)
    handed = (full[0], ("bob", "none"), ())
    assert not model.holds_step("Handed", full, handed)
    assert model.holds_step("Handed", full, START) and model.holds_step("Handed", full, full)
    assert not model.holds_step("Kept", full, START)
    assert model.holds_step("Kept", START, full)
    assert model.holds_step("Passed", full, full), "nothing is asked of a step that changes nothing"


def test_a_property_may_speak_of_the_first_state_and_of_all() -> None:
    model = desk()
    long = (START[0], START[1], ("ann", "bob"))
    assert model.holds_first("First", START)
    assert not model.holds_first("First", ((frozenset((7,)), EMPTY), START[1], ()))
    assert model.holds_step("First", long, START) and not model.holds_step("First", START, long)


def test_what_is_refuted_comes_with_the_shortest_way_there() -> None:
    graph = tla.explore(desk(), ["Unheld"], ["Called"])
    assert graph.violated == "Unheld" and graph.unchecked == ["<>(queue # <<>>)"]
    assert graph.trace[0] == START and len(graph.trace) == 2


def test_a_search_has_an_end() -> None:
    with pytest.raises(ValueError, match="more than 2 states"):
        tla.explore(desk(), states_max=2)


def test_an_expression_is_computed_in_a_state() -> None:
    model = desk()
    held = (START[0], ("ann", "none"), ("bob",))
    assert model.value('Held("ann", 1)', held) is True
    assert model.value("[d \\in Drawers |-> Free(d)]", held) == (False, True)
    assert model.value("None") == "none"
    assert model.value("[name |-> Head(queue)]", held) == Function({"name": "bob"})


def test_an_argument_that_next_never_gives_is_what_keeps_an_action_from_happening() -> None:
    assert [one.text for one in desk().why_not("Put", (1, 8), START)] == ["7"]


def test_a_condition_around_an_action_is_one_of_its_conditions() -> None:
    text = DESK.replace("\\/ Call\n", "\\/ (Len(queue) < 1 /\\ Call)\n")
    model = desk(text=text)
    full = ((frozenset((7,)), EMPTY), START[1], ("ann",))
    assert "Call" in model.actions and model.step("Call", (), full) == []
    assert [one.text for one in model.why_not("Call", (), full)] == ["Len(queue) < 1"]
    assert "Len(queue) < 1" in [one.text for one in model.guards("Call")]


def test_what_keeps_an_action_from_happening_is_named_innermost() -> None:
    model = desk()
    held = (START[0], ("ann", "none"), ())
    assert model.why_not("Leave", ("ann", 1), held) == []
    assert texts(model.why_not("Leave", ("bob", 1), held)) == [(10, "holder[d] = p")]
    assert texts(model.why_not("Take", ("bob", 1), held)) == [(17, "Free(d)")]
    full = ((EMPTY, frozenset((7, 8))), ("none", "ann"), ())
    assert texts(model.why_not("Put", (2, 7), full)) == [
        (12, "Cardinality(inside[d]) < Room"),
        (13, "Free(d) \\/ d = 1"),
    ]


def test_of_several_ways_all_must_be_closed() -> None:
    model = desk()
    assert model.why_not("Call", (), (START[0], START[1], ("ann",))) == []
    assert model.why_not("Call", (), ((EMPTY, frozenset((7,))), START[1], ())) == []
    assert texts(model.why_not("Call", (), START)) == [
        (29, "Len(queue) > 0"),
        (32, "inside[d] # {}"),
    ]
    assert texts(model.why_not("Tidy", (1,), START)) == [
        (40, "size = 1"),
        (41, 'holder[d] = "nobody"'),
    ]
    assert model.why_not("Tidy", (1,), ((frozenset((1, 2)), EMPTY), START[1], ())) == []


def test_the_arms_of_a_case_are_looked_into() -> None:
    text = DESK.replace("IF size > 1\n     THEN", "CASE size > 1 ->")
    model = desk(text=text.replace("     ELSE ", "     [] OTHER ->\n          "))
    assert model.guards("Tidy")[0].text == "size = 1"
    assert [one.text for one in model.why_not("Tidy", (1,), START)] == [
        "size = 1",
        'holder[d] = "nobody"',
    ]
    assert model.why_not("Tidy", (1,), ((frozenset((1, 2)), EMPTY), START[1], ())) == []


def test_a_bound_is_named_where_there_is_nothing_to_choose_from() -> None:
    model = desk({**CONSTANTS, "People": EMPTY})
    assert texts(model.why_not("Take", ("eve", 1), START)) == [(45, "p \\in People")]
    assert (31, "d \\in Drawers") in texts(model.why_not("Call", (), START))


def test_a_condition_without_a_value_is_not_named() -> None:
    model = desk()
    assert texts(model.why_not("Leave", ("ann", 9), START)) == [
        (44, "d \\in Drawers"),
        (10, "d \\in Drawers"),
    ]


def test_why_not_and_step_agree_on_all_states() -> None:
    model = desk()
    for state in tla.explore(model).states:
        for action, params in model.actions.items():
            choices: Mapping[str, list[tla.Value]] = {"p": ["ann", "bob"], "d": [1, 2], "n": [7]}
            ways: list[tuple[tla.Value, ...]] = [()]
            for name in params:
                ways = [(*way, value) for way in ways for value in choices[name]]
            for args in ways:
                refused = model.step(action, args, state) == []
                assert refused == bool(model.why_not(action, args, state)), (action, args, state)


def test_the_conditions_of_an_action_can_be_cut_out_of_the_source() -> None:
    model = desk()
    rows = DESK.split("\n")
    for action in model.actions:
        guards = model.guards(action)
        assert guards, action
        for guard in guards:
            assert guard.file == "Desk.tla" and guard.line == guard.end_line
            cut = rows[guard.line - 1][guard.column - 1 : guard.end_column - 1]
            assert cut == guard.text
            assert "'" not in guard.text


def test_a_changed_source_is_another_model() -> None:
    guard = desk().guards("Take")[0]
    rows = DESK.split("\n")
    row = rows[guard.line - 1]
    rows[guard.line - 1] = row[: guard.column - 1] + "TRUE" + row[guard.end_column - 1 :]
    changed = desk(text="\n".join(rows))
    assert tla.explore(desk(), properties=["Handed"]).violated is None
    assert tla.explore(changed, properties=["Handed"]).violated == "Handed"


def test_one_operator_stands_in_the_place_of_another() -> None:
    text = DESK.replace("Moves(p) ==", "Grab(p, d) == holder' = [holder EXCEPT ![d] = p]"
                        " /\\ UNCHANGED <<inside, queue>>\nMoves(p) ==")  # fmt: skip
    model = desk(overrides={"Take": "Grab"}, text=text)
    assert "Take" in model.actions and "Grab" not in model.actions
    assert tla.explore(model, properties=["Handed"]).violated == "Handed"


REFINES = r"""---- MODULE Shelf ----
EXTENDS Integers, Sequences
VARIABLES count, Room
Init == count = 0 /\ Room = "no constant here"
Add == count < 2 /\ count' = count + 1 /\ UNCHANGED Room
Spec == Init /\ [][Add]_<<count, Room>>
Seen == INSTANCE Desk WITH
  People <- {}, Drawers <- {1}, Room <- LIMIT, inside <- <<1..count>>,
  holder <- <<"none">>, queue <- <<>>
Is == Seen!Fills
====
"""


@pytest.mark.parametrize(("limit", "violated"), [("2", None), ("1", "Is")])
def test_a_model_may_be_seen_as_another(limit: str, violated: str | None) -> None:
    fills = "Fills == Init /\\ [][\\E n \\in 1..2 : Put(1, n)]_vars\nSmall =="
    sources = {"Desk": DESK.replace("Small ==", fills), "Shelf": REFINES.replace("LIMIT", limit)}
    model = tla.load(Path("Shelf.tla"), {}, sources=sources)
    assert tla.explore(model, properties=["Is"]).violated == violated


def test_a_value_is_read_as_it_is_written() -> None:
    text = '{[a |-> <<1, "x\\"y">>, b |-> {TRUE}], (0 :> -1 @@ 5 :> {})}'
    assert (
        tla.render(tla.read(text)) == '{(0 :> -1 @@ 5 :> {}), [a |-> <<1, "x\\"y">>, b |-> {TRUE}]}'
    )
    assert tla.read('(1 :> "a" @@ 2 :> "b")') == ("a", "b")
    for wrong in ("{1", "1 2", "[a 1]", "nothing", "{1,, }", ""):
        with pytest.raises(ValueError, match=r"."):
            tla.read(wrong)


def test_a_value_does_not_change() -> None:
    one = Function({"a": 1})
    with pytest.raises(TypeError):
        one["a"] = 2
    assert one == Function({"a": 1}) and hash(one) == hash(Function({"a": 1}))
