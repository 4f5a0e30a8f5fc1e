"""What TLC says of lives, and what is made of what it says.

Owns: the tests of the judge: each verdict, and each way to have none.
Keeps: no life is accepted because something went wrong.
Above: nobody. Below: awa.lab, lives.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from awa.lab import tlc
from awa.lab.facts import ModelError, read_model
from awa.lab.judge import NO_END, NO_STEP, JudgeError, Verdict, judge, read_verdicts
from awa.lab.life import Life, Step
from awa.lab.monitor import Monitor
from awa.lab.tla.values import Value
from awa.lab.walks import Script, Scripts
from tests.spec import lives
from tests.spec.lives import (
    AFTER_CLAIM,
    AGAIN,
    CLAIM,
    COMPLETE,
    DOWN,
    ENQUEUE,
    FLICKER,
    JOB,
    NEVER,
    OFF,
    ONE_ATTEMPT,
    PROMOTE,
    RETRY,
    SHORT,
    WHOLE,
    lamp,
    up,
    with_steps,
    with_value,
)

Named = dict[str, tuple[Life, bool, int | None, str]]


def case(
    life: Life, step: int | None = None, reason: str = ""
) -> tuple[Life, bool, int | None, str]:
    """Say what must come of a life; without a reason it must be accepted."""
    return life, not reason, step, reason


def stuck_at(place: int) -> tuple[Life, bool, int | None, str]:
    steps = [*WHOLE.steps]
    steps.insert(place, NEVER)
    return case(with_steps(*steps), place, NO_STEP)


def said(variable: str, path: tuple[Value, ...], value: Value) -> Life:
    """Say of a claim what is, or is not, so."""
    claim = replace(CLAIM, after=((variable, path, value),))
    return with_steps(ENQUEUE, claim, RETRY)


CUT = with_steps(RETRY, PROMOTE, AGAIN, COMPLETE)

QUEUE: Named = {
    "a whole life": case(WHOLE),
    "no steps at all": case(with_steps()),
    **{f"stuck at {place}": stuck_at(place) for place in range(len(WHOLE.steps) + 1)},
    "a value that is so": case(said("believes", ("w1",), frozenset({1}))),
    "a value that is not": case(said("attempt", ("j1",), 2), 1, NO_STEP),
    "a whole variable that is not so": case(said("deferred", (), frozenset({"j1"})), 1, NO_STEP),
    "a value in an entry that is not": case(said("entries", (1, "lane"), "aside"), 1, NO_STEP),
    "a path that leads nowhere": case(said("entries", (2, "worker"), "w1"), 1, NO_STEP),
    "what holds after is not what held before": case(said("lease", ("j1",), 0), 1, NO_STEP),
    "a step that Next does not have": case(
        with_steps(Step("Enqueue", ("j1", "aside"))), 0, NO_STEP
    ),
    "one attempt, and no retry": case(replace(WHOLE, constants=ONE_ATTEMPT), 2, NO_STEP),
    "one attempt, and failed": case(
        replace(WHOLE, constants=ONE_ATTEMPT, steps=(ENQUEUE, CLAIM, Step("Retry", ("w1", 1))))
    ),
    "constants in another order": case(replace(SHORT, constants=JOB[::-1])),
    "its first half": case(replace(SHORT, end=AFTER_CLAIM)),
    "its second half": case(replace(CUT, start=AFTER_CLAIM)),
    "the second half without the first": case(CUT, 0, NO_STEP),
    "a first half that ends elsewhere": case(
        replace(SHORT, end=with_value(AFTER_CLAIM, "lost", frozenset({"w2"}))), 2, NO_END
    ),
    "an end of one variable": case(replace(WHOLE, end=(("deferred", frozenset()),))),
    "an end too early": case(
        with_steps(ENQUEUE, CLAIM, RETRY, life=replace(WHOLE, end=AFTER_CLAIM)), 3, NO_END
    ),
    "a start in which a fact fails": case(
        replace(CUT, start=with_value(AFTER_CLAIM, "claimCount", (2, 0, 0))), None, "ClaimedOnce"
    ),
}

LAMP: Named = {
    "a fact about states": case(lamp(up(3), up(1), up(1)), 1, "Dim"),
    "and by the last step": case(lamp(up(4)), 0, "Dim"),
    "a fact about steps": case(lamp(up(1), OFF, up(1)), 1, "OnStays"),
    "a fact of two lines": case(lamp(up(9)), 0, "OnStays"),
    "one by the last step": case(lamp(up(1), DOWN), 1, "Grows"),
    "a step that changes nothing": case(lamp(up(1), FLICKER), None, ""),
    "any of three ends": case(lamp(FLICKER, FLICKER, end=1)),
    "the farthest of three": case(lamp(FLICKER, FLICKER, FLICKER, end=3)),
    "an end that no path has": case(lamp(FLICKER, FLICKER, end=7), 2, NO_END),
    "no path leads on": case(lamp(FLICKER, Step("Down", (), (("l", (), 5),))), 1, NO_STEP),
    "every path fails, one later": case(lamp(FLICKER, up(1), DOWN), 2, "Grows"),
}


def judged(named: Named, folder: Path | None = None) -> dict[str, Verdict]:
    """Judge all at once: a call of TLC is a second."""
    return dict(zip(named, judge([life for life, *_ in named.values()], folder), strict=True))


@pytest.fixture(scope="module")
def queue_verdicts() -> dict[str, Verdict]:
    return judged(QUEUE)


@pytest.fixture(scope="module")
def lamp_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lives.make_lamp(tmp_path_factory.mktemp("lamp"))


@pytest.fixture(scope="module")
def lamp_verdicts(lamp_folder: Path) -> dict[str, Verdict]:
    return judged(LAMP, lamp_folder)


@pytest.mark.tlc
@pytest.mark.parametrize("name", QUEUE)
def test_a_life_of_a_job(queue_verdicts: dict[str, Verdict], name: str) -> None:
    verdict = queue_verdicts[name]
    assert (verdict.accepted, verdict.step, verdict.reason) == QUEUE[name][1:], verdict


@pytest.mark.tlc
@pytest.mark.parametrize("name", LAMP)
def test_a_life_of_a_lamp(lamp_verdicts: dict[str, Verdict], name: str) -> None:
    verdict = lamp_verdicts[name]
    assert (verdict.accepted, verdict.step, verdict.reason) == LAMP[name][1:], verdict


@pytest.mark.parametrize("name", [*QUEUE, *LAMP])
def test_the_monitor_says_the_same(lamp_folder: Path, name: str) -> None:
    """It adds which guard was false, and of two facts that fail at once it may name the other."""
    monitor = Monitor(lamp_folder) if name in LAMP else Monitor()
    life, accepted, step, reason = (QUEUE | LAMP)[name]
    (verdict,) = monitor.judge([life])
    assert (verdict.accepted, verdict.step) == (accepted, step), verdict
    said = verdict.reason.partition(";")[0].partition(" that leaves")[0]
    assert said == reason or {said, reason} == {"Dim", "OnStays"}


@pytest.mark.tlc
def test_the_state_is_told(queue_verdicts: dict[str, Verdict]) -> None:
    state = queue_verdicts["stuck at 1"].state
    assert state.startswith('[enqueued |-> {"j1"}, entries |-> <<[')
    assert 'held |-> [j1 |-> "none"]' in state


@pytest.mark.tlc
def test_a_fact_of_the_heart_is_asked_of_each_step(tmp_path: Path) -> None:
    text = (tlc.spec_folder() / "Queue.tla").read_text()
    assert text.count("  /\\ w \\notin lost\n") == 1
    (tmp_path / "Queue.tla").write_text(text.replace("  /\\ w \\notin lost\n", ""))
    (tmp_path / "MCQueue.cfg").write_text((tlc.spec_folder() / "MCQueue.cfg").read_text())
    lost = with_steps(ENQUEUE, Step("Lose", ("w1",)), CLAIM)
    (verdict,) = judge([lost], tmp_path)
    assert (verdict.accepted, verdict.step, verdict.reason) == (False, 2, "LostClaimsNothing")


@pytest.mark.tlc
def test_who_cannot_be_judged_is_named() -> None:
    stranger = with_steps(ENQUEUE, Step("Complete", ("nobody", 1)))
    with pytest.raises(JudgeError, match="Attempted to apply function") as raised:
        judge([SHORT, SHORT, stranger])
    assert raised.value.life == 2


@pytest.mark.tlc
def test_a_model_that_is_none_is_nobodys_fault(tmp_path: Path) -> None:
    lives.make_lamp(tmp_path)
    (tmp_path / "Lamp.tla").write_text(lives.LAMP.replace("Dim    ==", "Dim    == Undefined /\\"))
    with pytest.raises(JudgeError, match="Undefined") as raised:
        judge([lamp(), lamp(up(1))], tmp_path)
    assert raised.value.life is None


@pytest.mark.tlc
def test_a_model_with_a_name_of_the_judges_is_refused(tmp_path: Path) -> None:
    lives.make_lamp(tmp_path)
    (tmp_path / "Lamp.tla").write_text(lives.LAMP.replace("Dim    ==", "awa_life == 1\nDim =="))
    with pytest.raises(JudgeError, match="awa_life"):
        judge([lamp()], tmp_path)


# Without TLC: what is refused before it is called, and how its output is read.


@pytest.mark.parametrize(
    ("life", "why"),
    [
        (with_steps(Step("Vanish", ("j1",))), "Queue has no action Vanish"),
        (with_steps(Step("Claim", ("w1",))), "Claim takes 2 arguments, and has 1"),
        (said("colour", (), "red"), "Queue has no variable colour"),
        (replace(WHOLE, start=AFTER_CLAIM[1:]), "a state of Queue has enqueued, "),
        (replace(WHOLE, start=(*AFTER_CLAIM, AFTER_CLAIM[0])), "a state of Queue has enqueued, "),
        (replace(WHOLE, end=(("colour", "red"),)), "Queue has no variable colour"),
        (replace(WHOLE, constants=JOB[1:]), "the constants of Queue are Jobs, "),
        (replace(WHOLE, constants=(*JOB, ("Colours", 2))), "the constants of Queue are Jobs, "),
    ],
)
def test_what_the_model_does_not_have_is_refused(walked: list[str], life: Life, why: str) -> None:
    with pytest.raises(JudgeError, match=why) as raised:
        judge([WHOLE, life])
    assert raised.value.life == 1
    assert walked == []


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ModelError, match=r"Stack\.tla cannot be read"):
        judge([replace(WHOLE, model="Stack")])


def test_what_is_not_ascii_is_refused() -> None:
    with pytest.raises(JudgeError, match="not ASCII"):
        judge([with_steps(Step("Claim", ("wörker", 1)))])


def script(steps: int) -> Script:
    return Script("", ("<<>>",) * steps, "<<>>")


STATES = "9 states generated, 9 distinct states found, 0 states left on queue."
END_OF_RUN = f"{tlc.COMPLETED}\n{STATES}\n"
TWO = '"awa ACCEPT 1 3  "\n"awa STUCK 2 2  [x |-> \\"a\\"]"\n'


def output(text: str, code: int | None = 0) -> tlc.Output:
    return tlc.Output(text, code)


def test_verdicts_are_read() -> None:
    read = read_verdicts(output(TWO + END_OF_RUN), [script(2), script(2)])
    assert read == [Verdict(True), Verdict(False, 1, NO_STEP, '[x |-> "a"]')]


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ('"awa ACCEPT 1 3  "\n' + END_OF_RUN, 0, "given 2 lives, and told of 1"),
        (TWO + '"awa ACCEPT 3 3  "\n' + END_OF_RUN, 0, "given 2 lives, and told of 3"),
        (TWO.replace(" 2 2 ", " 3 2 ") + END_OF_RUN, 0, "given 2 lives, and told of 2"),
        (TWO.replace("  [x", "[x") + END_OF_RUN, 0, "given 2 lives, and told of 1"),
        (TWO + END_OF_RUN, 1, "exited with 1"),
        (TWO + END_OF_RUN, None, "exited with None"),
        (TWO, 0, "exited with 0, and said: nothing"),
        (TWO + END_OF_RUN.replace(" 0 states left", " 1 states left"), 0, "1 states left"),
        (TWO + "Error: a word\n" + END_OF_RUN, 0, "said: Error: a word"),
        (TWO + "a java.lang.NullPointerException\n" + END_OF_RUN, 0, "NullPointerException"),
        ("", 0, "said: nothing"),
    ],
)
def test_what_is_unclear_is_no_verdict(text: str, code: int | None, why: str) -> None:
    with pytest.raises(JudgeError, match=why):
        read_verdicts(output(text, code), [script(2), script(2)])


def test_a_fact_goes_before_no_step_and_what_came_farther_before_both() -> None:
    text = '"awa STUCK 1 2  s"\n"awa BROKEN 1 2 Law t"\n"awa UNSAFE 1 2 Fact u"\n'
    assert read_verdicts(output(text + END_OF_RUN), [script(9)]) == [Verdict(False, 1, "Law", "t")]
    text += '"awa STUCK 1 3  v"\n'
    assert read_verdicts(output(text + END_OF_RUN), [script(9)]) == [
        Verdict(False, 2, NO_STEP, "v")
    ]


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accept every life that TLC would be given, and return the modules it would read."""
    modules: list[str] = []

    def run(_tools: tlc.Tools, call: tlc.Call) -> tlc.Output:
        text = call.module.with_suffix(".tla").read_text()
        modules.append(text)
        count = len(text.partition("awa_Lives == <<\n")[2].partition(" >>\n\n")[0].splitlines())
        accepted = "".join(f'"awa ACCEPT {n} 1  "\n' for n in range(1, count + 1))
        return tlc.Output(accepted + END_OF_RUN, 0)

    monkeypatch.setattr(tlc, "run", run)
    return modules


def test_lives_that_are_the_same_are_judged_once(walked: list[str]) -> None:
    other_order = replace(WHOLE, constants=JOB[::-1])
    verdicts = judge([WHOLE, SHORT, WHOLE, other_order, SHORT])
    assert [verdict.accepted for verdict in verdicts] == [True] * 5
    (module,) = walked
    assert "awa_Lives == <<\n<<0, <<1, 2, 3, 4, 5, 6>>, 1>>,\n<<0, <<1, 2>>, 1>> >>" in module


def test_lives_with_other_constants_are_judged_apart(walked: list[str]) -> None:
    judge([WHOLE, replace(WHOLE, constants=ONE_ATTEMPT), SHORT])
    assert len(walked) == 2


def test_one_and_true_are_not_the_same(walked: list[str]) -> None:
    one, true = (replace(WHOLE, constants=with_value(JOB, "MaxLost", x)) for x in (1, True))
    assert one == true
    judge([one, true, said("lease", ("j1",), 1), said("lease", ("j1",), True)])
    assert [module.count("<<0, <<") for module in walked] == [3, 1]


def test_many_lives_are_judged_in_parts(walked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awa.lab.judge.LIVES_MAX", 2)
    verdicts = judge([with_steps(*WHOLE.steps[:n]) for n in range(5)])
    assert len(verdicts) == 5
    assert len(walked) == 3


def test_no_lives_are_no_work(walked: list[str]) -> None:
    assert judge([]) == []
    assert walked == []


def test_the_facts_are_those_of_the_model_checker(lamp_folder: Path) -> None:
    model = read_model(lamp_folder, "Lamp")
    assert model.invariants == ("TypeOK", "Dim")
    assert [law.name for law in model.laws] == ["OnStays", "Grows"]
    assert [law.subscript for law in model.laws] == ["vars", "l"]
    assert (model.constants, model.variables) == (("Most",), ("l", "tid"))


@pytest.mark.parametrize("name", ["Queue", "Log"])
def test_no_fact_of_a_model_is_left_out(name: str) -> None:
    words = (tlc.spec_folder() / f"MC{name}.cfg").read_text().partition("INVARIANTS")[2].split()
    model = read_model(tlc.spec_folder(), name)
    assert [*model.invariants, "PROPERTIES", *(law.name for law in model.laws)] == words
    Scripts(model, tuple((name, 0) for name in model.constants))
