"""What belongs to later versions: refused where it is asked for, and silent where it is not."""

from typing import Any

import pytest

from awa.config import UNBUILT
from awa.start import parse_start, refuse_unbuilt

QUEUE = {"name": "q", "max_workers": 1}


def test_what_is_given_as_its_default_asks_for_nothing() -> None:
    keys: dict[str, Any] = {"claimers": 1, "rate_limit": None, "dlq_enabled": False, "weight": 3}
    options: dict[str, Any] = {
        "dlq_retention_days": 30,
        "descriptor_retention_days": 30.0,
        "callback_rescue_interval_ms": 30_000,
    }
    refuse_unbuilt(parse_start([QUEUE | keys], ("q",), **options))


def test_variables_of_a_later_version_are_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in UNBUILT:
        monkeypatch.delenv(name, raising=False)
    refuse_unbuilt(parse_start([QUEUE], ("q",)))
    assert caplog.messages == []
    monkeypatch.setenv("AWA_HEALTH_ADDR", "0.0.0.0:8321")
    monkeypatch.setenv("AWA_MAX_CLAIMERS_PER_QUEUE", "2")
    refuse_unbuilt(parse_start([QUEUE], ("q",)))
    assert caplog.messages == [
        "not part of this version, and ignored: AWA_HEALTH_ADDR, AWA_MAX_CLAIMERS_PER_QUEUE"
    ]
