"""Check: a trace held against the models, and what is said of it.

Owns: which projections there are, and the report on a trace.
Keeps: a trace is legal only if its events have an order and every life was walked to its end.
    What could not be followed, because it began before the trace, is counted and told.
Above: the cli, the demo, the tests. Below: judge, life, monitor, order, projections, shrink,
    story, tla, trace.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from awa.lab.judge import Verdict
from awa.lab.life import Life, Step
from awa.lab.monitor import Monitor
from awa.lab.order import Disorder, ordered
from awa.lab.projections import finish, leader, log, queue, rescue, segments
from awa.lab.shrink import shrink
from awa.lab.story import Story
from awa.lab.tla import render
from awa.lab.trace import Event, Trace, uncollected

__all__ = ["PROJECTIONS", "Finding", "Judge", "Report", "check"]

Projection = Callable[[Sequence[Event]], tuple[list[Story], int]]

PROJECTIONS: dict[str, Projection] = {
    "Queue": queue.project,
    "Finish": finish.project,
    "Log": log.project,
    "Segments": segments.project,
    "Leader": leader.project,
    "Rescue": rescue.project,
}

FINDINGS_MAX = 10
"""How many illegal lives are told in full; the rest is counted."""


class Judge(Protocol):
    """Who judges lives: the monitor, or TLC."""

    def __call__(self, lives: Sequence[Life], /) -> list[Verdict]:
        """Return a verdict each."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What is illegal: the first step that cannot be, and the least that leads to it."""

    model: str
    of: str
    event: Event | None
    reason: str
    state: str = ""
    steps: tuple[Step, ...] = ()
    events: tuple[Event, ...] = ()

    def __str__(self) -> str:
        rows = [f"{self.of}: {self.event} is illegal by {self.model}.tla: {self.reason}"]
        if self.state:
            rows += ["the state before it:", *(f"  {row}" for row in self.state.splitlines())]
        if self.steps:
            rows.append("the least that leads to it:")
            pairs = zip(self.steps, self.events, strict=True)
            rows += [f"  {_told(step)}    {event}" for step, event in pairs]
        return "\n".join(rows)


@dataclass(slots=True)
class Report:
    """What was said of a trace."""

    events: int
    lives: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    illegal: int = 0
    findings: list[Finding] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)

    @property
    def is_legal(self) -> bool:
        """Whether every life was walked to its end."""
        return not self.illegal

    def as_data(self) -> dict[str, object]:
        """Return it as data for a program."""
        return {
            "events": self.events,
            "legal": self.is_legal,
            "lives": dict(self.lives),
            "shapes": dict(self.shapes),
            "left_out": dict(self.outside),
            "illegal": self.illegal,
            "findings": [str(one) for one in self.findings],
        }

    @property
    def verdict(self) -> str:
        """All that is said of it, in one line."""
        if self.is_legal:
            return f"{self.events} events, all legal"
        return f"{self.events} events, {f'{self.illegal} of them ' if self.events else ''}illegal"

    def __str__(self) -> str:
        rows = [self.verdict]
        rows += [
            f"  {model}: {self.lives[model]} lives of {self.shapes[model]} shapes"
            + (f", {self.outside[model]} steps left out" if self.outside[model] else "")
            for model in self.lives
            if self.lives[model] or self.outside[model]
        ]
        return "\n".join([*rows, *(str(one) for one in self.findings)])


def check(trace: Trace, monitor: Monitor, judge: Judge | None = None) -> Report:
    """Hold a trace against all models: by the monitor, and if it is legal by this judge too."""
    report = Report(len(trace.events))
    with uncollected():
        _tell(trace, report)
        for by in (monitor.judge, judge):
            if by is not None and report.is_legal:
                _hold(report, by, monitor)
    return report


def _tell(trace: Trace, report: Report) -> None:
    """Put the events in order and tell them as lives of the models, or that there is no order."""
    try:
        events = ordered(trace.events)
    except Disorder as error:
        report.illegal += 1
        report.findings.append(Finding("order", "the trace", None, str(error)))
        return
    for model, project in PROJECTIONS.items():
        stories, report.outside[model] = project(events)
        report.lives[model] = len(stories)
        report.shapes[model] = len({story.life for story in stories})
        report.stories += stories


def _hold(report: Report, judge: Judge, monitor: Monitor) -> None:
    """Have all lives judged, each shape once, and note what is illegal."""
    shapes = list(dict.fromkeys(story.life for story in report.stories))
    verdicts = dict(zip(shapes, judge(shapes), strict=True))
    for story in report.stories:
        if not (verdict := verdicts[story.life]).accepted:
            report.illegal += 1
            if len(report.findings) < FINDINGS_MAX:
                report.findings.append(_finding(story, verdict, monitor))


def _finding(story: Story, verdict: Verdict, monitor: Monitor) -> Finding:
    """Tell what is illegal about a life."""
    if verdict.step is None or verdict.step >= len(story.events):
        return Finding(story.life.model, story.of, None, verdict.reason, verdict.state)
    kept = shrink(story.life, verdict, monitor)
    return Finding(
        story.life.model,
        story.of,
        story.events[verdict.step],
        verdict.reason,
        verdict.state,
        tuple(story.life.steps[place] for place in kept),
        tuple(story.events[place] for place in kept),
    )


def _told(step: Step) -> str:
    """Return a step as the model would write it."""
    args = ", ".join(render(arg) for arg in step.args)
    return f"{step.action}({args})" if args else step.action
