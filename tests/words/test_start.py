"""What `start()` accepts, and what it refuses in which words."""

import logging
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from awa.config import QueueConfig, RuntimeConfig
from awa.errors import AwaError, ValidationError
from awa.start import parse_start


def start(queues: object = None, *, serves: Any = ("q",), **options: Any) -> Any:
    return parse_start(queues, serves, **options)


def queue(**keys: object) -> QueueConfig:
    parsed: QueueConfig = start([{"name": "q", "max_workers": 1, **keys}]).queues[0]
    return parsed


# --- Defaults ----------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_reference() -> None:
    default = start()
    given = {f.name: getattr(default, f.name) for f in fields(default) if f.name != "queues"}
    assert given == {
        "poll_interval_ms": 200,
        "global_max_workers": None,
        "completed_retention_hours": 24.0,
        "failed_retention_hours": 72.0,
        "dlq_enabled_by_default": False,
        "dlq_retention_days": 30.0,
        "descriptor_retention_days": 30.0,
        "cleanup_batch_size": 1000,
        "leader_election_interval_ms": 10_000,
        "heartbeat_interval_ms": 10_000,
        "promote_interval_ms": 250,
        "heartbeat_rescue_interval_ms": 5_000,
        "heartbeat_staleness_ms": 30_000,
        "deadline_rescue_interval_ms": 30_000,
        "callback_rescue_interval_ms": 30_000,
    }


def test_a_queue_has_the_defaults_of_the_reference() -> None:
    parsed = queue()
    assert {f.name: getattr(parsed, f.name) for f in fields(parsed)} == {
        "name": "q",
        "max_workers": 1,
        "min_workers": 0,
        "weight": 1,
        "rate_limit": None,
        "priority_aging_interval_ms": 60_000,
        "deadline_duration_ms": 300_000,
        "claimers": 1,
        "claim_batch_size": 512,
        "dlq_enabled": False,
        "completed_retention_hours": None,
        "failed_retention_hours": None,
    }


def test_none_is_the_default_of_every_option_and_key() -> None:
    options: dict[str, None] = {f.name: None for f in fields(RuntimeConfig) if f.name != "queues"}
    assert start(**options) == start()
    assert queue(weight=None, rate_limit=None, dlq_enabled=None, retention=None) == queue()


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        start().poll_interval_ms = 1
    with pytest.raises(FrozenInstanceError):
        queue().weight = 2  # type: ignore[misc]


# --- Queues ------------------------------------------------------------------------------------


def test_without_queues_those_of_the_handlers_are_served_with_ten_slots() -> None:
    parsed = start(serves=("a", "b", "a"))
    assert [(q.name, q.max_workers) for q in parsed.queues] == [("a", 10), ("b", 10)]
    assert parsed.global_max_workers is None


def test_queues_are_pairs_or_dicts_and_may_be_more_than_the_handlers_need() -> None:
    parsed = start([("q", 0), {"name": "r", "max_workers": 7}, ("", 2)])
    assert [(q.name, q.max_workers) for q in parsed.queues] == [("q", 0), ("r", 7), ("", 2)]


def test_a_queue_takes_every_key_of_the_reference() -> None:
    parsed = queue(
        rate_limit=(2.5, 10),
        priority_aging_interval_ms=0,
        deadline_duration_ms=0,
        claimers=2,
        claim_batch_size=8,
        dlq_enabled=True,
        weight=3,
        retention={"completed_hours": 1, "failed_hours": 168.0},
    )
    assert parsed.rate_limit == (2.5, 10)
    assert (parsed.priority_aging_interval_ms, parsed.deadline_duration_ms) == (0, 0)
    assert (parsed.claimers, parsed.claim_batch_size, parsed.weight) == (2, 8, 3)
    assert parsed.dlq_enabled
    assert (parsed.completed_retention_hours, parsed.failed_retention_hours) == (1.0, 168.0)


def test_a_retention_falls_back_to_the_library_and_not_to_start() -> None:
    parsed = start(
        [
            {
                "name": "q",
                "max_workers": 1,
                "retention": {"failed_hours": 1, "completed_hours": None},
            }
        ],
        completed_retention_hours=5,
    )
    assert parsed.completed_retention_hours == 5.0
    assert parsed.queues[0].completed_retention_hours == 24.0
    assert parsed.queues[0].failed_retention_hours == 1.0


def test_a_queue_without_a_word_on_dead_letters_follows_start() -> None:
    queues = [("q", 1), {"name": "r", "max_workers": 1}]
    quiet = {"name": "s", "max_workers": 1, "dlq_enabled": False}
    parsed = start([*queues, quiet], dlq_enabled_by_default=True)
    assert [q.dlq_enabled for q in parsed.queues] == [True, True, False]


@pytest.mark.parametrize(
    ("rate", "settled"), [((2.2, 0), (2.2, 3)), ((1e12, 0), (1e12, 2**32 - 1))]
)
def test_a_burst_of_zero_is_the_rate_rounded_up(rate: object, settled: object) -> None:
    assert queue(rate_limit=rate).rate_limit == settled


def test_weighted_mode_shares_slots_by_weight() -> None:
    queues = [{"name": "q", "min_workers": 2, "weight": 3}, {"name": "r"}]
    parsed = start(queues, global_max_workers=2)
    assert parsed.global_max_workers == 2
    assert [(q.min_workers, q.weight) for q in parsed.queues] == [(2, 3), (0, 1)]


def test_min_workers_alone_is_accepted_in_hard_reserved_mode() -> None:
    parsed = start([{"name": "q", "min_workers": 2}])
    assert (parsed.queues[0].min_workers, parsed.queues[0].max_workers) == (2, 50)


def test_many_partitions_are_checked_at_once() -> None:
    assert len(start([("q", 1), *((f"q__p{n}", 1) for n in range(1, 5_000))]).queues) == 5_000


# --- Refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queues", "options", "text"),
    [
        (
            None,
            {"global_max_workers": 5},
            "weighted mode requires explicit queue configs "
            "(global_max_workers set but queues=None)",
        ),
        (
            [("q", 5)],
            {"global_max_workers": 5},
            "tuple queue config is not supported with global_max_workers; "
            "use dict form with min_workers/weight",
        ),
        ([{"max_workers": 5}], {}, "queue config dict must have 'name' key"),
        ([{"name": None, "max_workers": 5}], {}, "queue config dict must have 'name' key"),
        (
            [{"name": "q", "max_workers": 5, "min_workers": 1}],
            {},
            "use max_workers for hard-reserved mode or min_workers for weighted mode, not both",
        ),
        (
            [{"name": "q", "weight": 2}],
            {},
            "max_workers required in hard-reserved mode (no global_max_workers set)",
        ),
        (
            [("other", 1)],
            {},
            "start() must configure the worker queues declared via "
            "@client.worker(..., queue=...): q",
        ),
    ],
)
def test_wrong_queues_are_a_value_error(queues: object, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        start(queues, **options)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("queues", "options", "text"),
    [
        ([], {}, "at least one queue must be configured"),
        ([("q", 1), {"name": "q", "max_workers": 2}], {}, "queue 'q' configured more than once"),
        (
            [("q", 1)],
            {"descriptor_queues": ["q", "x"]},
            "queue descriptor declared for unknown queue 'x'",
        ),
        (
            [{"name": "q", "min_workers": 3}, {"name": "r", "min_workers": 3}],
            {"global_max_workers": 5},
            "sum of min_workers (6) exceeds global_max_workers (5)",
        ),
    ],
)
def test_queues_that_do_not_fit_are_an_awa_error(
    queues: object, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(AwaError) as caught:
        start(queues, **options)
    assert (type(caught.value), str(caught.value)) == (AwaError, text)


def test_a_runtime_without_a_handler_is_an_awa_error() -> None:
    with pytest.raises(AwaError, match="register at least one worker before starting the runtime"):
        start([("q", 1)], serves=())


@pytest.mark.parametrize(
    "item", [["q", 5], ("q", -1), ("q", 5, 6), ("q",), ("q", "5"), (5, 5), ("q", 2**32), "q", None]
)
def test_a_queue_of_another_form_is_a_type_error(item: object) -> None:
    with pytest.raises(TypeError) as caught:
        start([item])
    assert str(caught.value) == "queue config must be a (name, max_workers) tuple or a dict"


def test_queues_may_be_any_iterable() -> None:
    parsed = start({"q": 3, "r": 0}.items())
    assert [(q.name, q.max_workers) for q in parsed.queues] == [("q", 3), ("r", 0)]
    with pytest.raises(AwaError, match="at least one queue must be configured"):
        start(iter(()))


@pytest.mark.parametrize("queues", ["q", {"name": "q", "max_workers": 1}, 5])
def test_queues_of_another_form_are_a_type_error(queues: object) -> None:
    with pytest.raises(TypeError, match="queues must be a list, not"):
        start(queues)


@pytest.mark.parametrize(
    ("keys", "cls", "text"),
    [
        ({"max_worker": 5}, ValidationError, "unknown queue key 'max_worker'"),
        ({5: 5}, ValidationError, "unknown queue key 5"),
        ({"name": 5}, TypeError, "name must be a str, not int"),
        ({"max_workers": "5"}, TypeError, "max_workers must be an int, not str"),
        ({"max_workers": -1}, OverflowError, "max_workers must be between 0 and 4294967295"),
        ({"weight": 0}, ValueError, "weight must be > 0"),
        ({"weight": -1}, OverflowError, "weight must be between 0 and 4294967295"),
        ({"claimers": 0}, ValueError, "claimers must be > 0"),
        ({"claimers": 2**16}, OverflowError, "claimers must be between 0 and 65535"),
        ({"claim_batch_size": 0}, ValueError, "claim_batch_size must be > 0"),
        ({"claim_batch_size": -1}, ValueError, "claim_batch_size must be > 0"),
        ({"claim_batch_size": 1.0}, TypeError, "claim_batch_size must be an int, not float"),
        ({"deadline_duration_ms": -1}, OverflowError, "deadline_duration_ms must be between 0"),
        ({"dlq_enabled": 1}, TypeError, "dlq_enabled must be a bool, not int"),
        ({"rate_limit": (0.0, 1)}, AwaError, "rate_limit max_rate must be > 0.0"),
        ({"rate_limit": (float("nan"), 1)}, AwaError, "rate_limit max_rate must be > 0.0"),
        ({"rate_limit": (float("inf"), 0)}, AwaError, "rate_limit max_rate must be > 0.0 and"),
        ({"retention": 5}, TypeError, "retention must be a dict with 'completed_hours' and/or"),
        ({"retention": {"hours": 5}}, ValidationError, "unknown retention key 'hours'"),
        (
            {"retention": {"completed_hours": -1}},
            ValueError,
            "retention completed_hours must be a non-negative finite number",
        ),
        (
            {"retention": {"failed_hours": float("inf")}},
            ValueError,
            "retention failed_hours must be a non-negative finite number",
        ),
        (
            {"retention": {"failed_hours": "1"}},
            TypeError,
            "retention failed_hours must be a number",
        ),
    ],
)
def test_a_wrong_key_of_a_queue_is_named(
    keys: dict[Any, object], cls: type[Exception], text: str
) -> None:
    with pytest.raises(cls) as caught:
        start([{"name": "q", "max_workers": 1, **keys}])
    assert type(caught.value) is cls
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    "rate", ["fast", [1.0, 1], (1.0,), (1.0, 1, 1), ("1", 1), (1.0, 1.5), (1, -1)]
)
def test_a_rate_limit_is_a_pair_and_nothing_else(rate: object) -> None:
    with pytest.raises(TypeError) as caught:
        queue(rate_limit=rate)
    assert str(caught.value) == ("rate_limit must be a (max_rate: float, burst: int) tuple or None")


# --- Options -----------------------------------------------------------------------------------

INTERVALS = [
    "leader_election_interval_ms",
    "heartbeat_interval_ms",
    "promote_interval_ms",
    "heartbeat_rescue_interval_ms",
    "heartbeat_staleness_ms",
    "deadline_rescue_interval_ms",
    "callback_rescue_interval_ms",
]


@pytest.mark.parametrize("name", INTERVALS)
def test_an_interval_is_a_positive_whole_number(name: str) -> None:
    assert getattr(start(**{name: 40_000}), name) == 40_000
    for value, cls in ((0, ValueError), (-1, OverflowError), (1.0, TypeError), ("1", TypeError)):
        with pytest.raises(cls, match=name):
            start(**{name: value})


def test_a_poll_interval_may_be_zero() -> None:
    assert start(poll_interval_ms=0).poll_interval_ms == 0


def test_a_longer_wait_than_a_century_is_a_century() -> None:
    assert start(poll_interval_ms=2**64 - 1).poll_interval_ms == 3_155_760_000_000
    assert start(promote_interval_ms=2**64 - 1).promote_interval_ms == 3_155_760_000_000
    assert start(completed_retention_hours=1e300).completed_retention_hours == 876_600.0
    assert start(dlq_retention_days=1e300).dlq_retention_days == 36_525.0


@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("completed_retention_hours", ""),
        ("failed_retention_hours", ""),
        ("dlq_retention_days", ""),
        ("descriptor_retention_days", " (0 disables)"),
    ],
)
def test_a_retention_is_a_finite_number(name: str, note: str, value: float) -> None:
    assert getattr(start(**{name: 0}), name) == 0.0
    with pytest.raises(ValueError) as caught:
        start(**{name: value})
    assert str(caught.value) == f"{name} must be a non-negative finite number{note}"


def test_a_cleanup_batch_holds_at_least_one_row() -> None:
    assert start(cleanup_batch_size=1).cleanup_batch_size == 1
    for value in (0, -5):
        with pytest.raises(ValueError, match="cleanup_batch_size must be > 0"):
            start(cleanup_batch_size=value)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'poll_ms'"):
        start(poll_ms=5)


def test_a_short_staleness_is_only_worth_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        start(heartbeat_interval_ms=100, heartbeat_staleness_ms=300)
        assert caplog.messages == []
        start(heartbeat_interval_ms=100, heartbeat_staleness_ms=299)
    assert caplog.messages == [
        "heartbeat_staleness_ms (299) is less than three times heartbeat_interval_ms (100): "
        "a worker that misses two heartbeats is declared lost"
    ]
