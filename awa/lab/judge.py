"""Judge lives by TLC: each is walked by its model's own actions, and all facts are asked.

Owns: which lives are judged together, and what a verdict is.
Keeps: TLC must have come to its end without an error, and must have printed an end of each life
    that it was given, and of no other. Whatever else comes of a call is no verdict.
Above: `spec/tlc.py tv`, and whoever holds a run against the models. Below: errors,
    and the lab's facts, life, tlc, tla, walks.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awa.errors import AwaError
from awa.lab import tlc
from awa.lab.facts import read_model
from awa.lab.life import Life, LifeError
from awa.lab.tla.values import render
from awa.lab.walks import END, MODULE, Script, Scripts

LIVES_MAX = 20_000
"""Lives in one call of TLC, no two the same: 140,000 steps take half a minute and 700 MB."""

NO_STEP = "no step"
NO_END = "not the end"

# TLC prints this when it has understood a module, and before it looks at a life.
_BEGUN = "Computing initial states"
_FAULT_LINES = 8
_ESCAPED = re.compile(r"\\(.)")


class JudgeError(AwaError):
    """There is no verdict; the message says why, and `life` whose fault that is, if it is known."""

    def __init__(self, reason: str, life: int | None = None) -> None:
        super().__init__(reason if life is None else f"life {life}: {reason}")
        self.reason, self.life = reason, life


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a life: where it is refused, the first step at fault, why, and the state there.

    No step is at fault when a fact fails in the very state that the life starts in.
    """

    accepted: bool
    step: int | None = None
    reason: str = ""
    state: str = ""


def judge(lives: Sequence[Life], folder: Path | None = None) -> list[Verdict]:
    """Judge lives by the models of a folder: a verdict each, in their order."""
    tools, folder = tlc.find_tools(), folder or tlc.spec_folder()
    courts: dict[tuple[str, frozenset[str]], _Court] = {}
    for number, life in enumerate(lives):
        bounds = frozenset(f"{name} = {render(value)}" for name, value in life.constants)
        try:
            if (life.model, bounds) not in courts:
                scripts = Scripts(read_model(folder, life.model), life.constants)
                courts[life.model, bounds] = _Court(tools, folder, scripts)
            courts[life.model, bounds].admit(number, life)
        except LifeError as error:
            raise JudgeError(str(error), number) from None
    verdicts = {n: verdict for court in courts.values() for n, verdict in court.judge().items()}
    return [verdicts[number] for number in range(len(lives))]


@dataclass(frozen=True, slots=True)
class _Court:
    """What judges the lives of one model with the same constants; those that are the same, once."""

    tools: tlc.Tools
    folder: Path
    scripts: Scripts
    admitted: defaultdict[Script, list[int]] = field(default_factory=lambda: defaultdict(list))

    def admit(self, number: int, life: Life) -> None:
        """Take a life on, under its number."""
        self.admitted[self.scripts.write(life)].append(number)

    def judge(self) -> dict[int, Verdict]:
        """Judge all that was admitted."""
        verdicts: dict[int, Verdict] = {}
        distinct = list(self.admitted)
        for first in range(0, len(distinct), LIVES_MAX):
            part = distinct[first : first + LIVES_MAX]
            output = self._walk(part)
            if _fails(output) and _BEGUN in output.text:
                script = self._culprit(part)
                raise JudgeError(_fault(self._walk([script])), self.admitted[script][0])
            for script, verdict in zip(part, read_verdicts(output, part), strict=True):
                verdicts.update(dict.fromkeys(self.admitted[script], verdict))
        return verdicts

    def _culprit(self, part: Sequence[Script]) -> Script:
        """Find the life at which TLC breaks off, which it does not name, by halves."""
        while len(part) > 1:
            half = part[: len(part) // 2]
            part = half if _fails(self._walk(half)) else part[len(half) :]
        return part[0]

    def _walk(self, part: Sequence[Script]) -> tlc.Output:
        """Have TLC walk lives, and return what it printed."""
        with tempfile.TemporaryDirectory(prefix="awa-judge-") as name:
            module, cfg = Path(name, f"{MODULE}.tla"), Path(name, f"{MODULE}.cfg")
            try:
                module.write_text(self.scripts.module(part), encoding="ascii")
            except UnicodeEncodeError as error:
                raise JudgeError(f"TLC may misread what is not ASCII: {error}") from None
            cfg.write_text(self.scripts.cfg(), encoding="ascii")
            call = tlc.Call(module.with_suffix(""), cfg, library=self.folder)
            output = tlc.run(self.tools, call)
        if output.code is None:
            raise JudgeError(f"no verdict on {len(part)} lives in {call.limit_s} s")
        return output


def read_verdicts(output: tlc.Output, scripts: Sequence[Script]) -> list[Verdict]:
    """Read from what TLC printed a verdict for each script that it was given."""
    if _fails(output):
        raise JudgeError(_fault(output))
    ends: dict[int, list[tuple[str, int, str, str]]] = defaultdict(list)
    for how, life, place, fact, state in END.findall(output.text):
        ends[int(life)].append((how, int(place), fact, state))
    if set(ends) != set(range(1, len(scripts) + 1)):
        raise JudgeError(f"TLC was given {len(scripts)} lives, and told of {len(ends)}")
    return [_verdict(ends[n], len(script.steps)) for n, script in enumerate(scripts, 1)]


def _verdict(ends: Sequence[tuple[str, int, str, str]], steps: int) -> Verdict:
    """Choose the verdict of a life among the ends of its paths: it got as far as the best did."""
    if any(how == "ACCEPT" for how, *_ in ends):
        return Verdict(accepted=True)
    end = max(ends, key=lambda one: (_step(one), bool(one[2])))
    step, (_, _, fact, state) = _step(end), end
    reason = fact or (NO_STEP if step < steps else NO_END)
    return Verdict(False, None if step < 0 else step, reason, _ESCAPED.sub(r"\1", state))


def _step(end: tuple[str, int, str, str]) -> int:
    """Count from 0 the step that a path ended at; a state is at fault by the step before it."""
    how, place, *_ = end
    return place - 2 if how == "UNSAFE" else place - 1


def _fails(output: tlc.Output) -> bool:
    """Tell if TLC did not come to its end, or says that something was wrong."""
    said = END.sub("", output.text)
    return output.code != 0 or bool(tlc.errors(said)) or not tlc.completed(said)


def _fault(output: tlc.Output) -> str:
    """Quote what TLC said was wrong, from the first line that says so."""
    lines = END.sub("", output.text).strip().splitlines()
    wrong = [n for n, line in enumerate(lines) if tlc.errors(line)]
    said = "\n".join(lines[wrong[0] :][:_FAULT_LINES] if wrong else lines[-_FAULT_LINES:])
    return f"TLC exited with {output.code}, and said: {said or 'nothing'}"
