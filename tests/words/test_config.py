"""The environment: what is read of it, and what is refused."""

from pathlib import Path

import pytest

from awa import config
from awa.errors import AwaError

VARIABLES = [
    "AWA_BATCH_OP_RETENTION_DAYS",
    "AWA_CONFIG",
    "AWA_CONTEXT",
    "AWA_HEALTH_ADDR",
    "AWA_MAX_CLAIMERS_PER_QUEUE",
    "AWA_OVERRIDE_REFRESH_MS",
    "AWA_PG_BIN",
    "AWA_TRACE_CAPTURE",
    "DATABASE_URL",
    "XDG_CONFIG_HOME",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    return monkeypatch


@pytest.mark.parametrize("given", [None, ""])
def test_what_is_not_set_or_empty_has_its_default(
    environment: pytest.MonkeyPatch, given: str | None
) -> None:
    for name in VARIABLES if given is not None else ():
        environment.setenv(name, "")
    assert config.database_url() is None
    assert config.context_name() is None
    assert config.config_path() == Path("/home/ann/.config/awa/config.toml")
    assert config.pg_bin() is None
    assert config.trace_capture()
    assert config.override_refresh_ms() == 10_000
    assert config.max_claimers_per_queue() == 4
    assert config.batch_op_retention_days() == 90
    assert config.health_addr() is None


def test_what_is_set_is_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "postgres://localhost/awa")
    environment.setenv("AWA_CONTEXT", "staging")
    environment.setenv("AWA_PG_BIN", "/usr/lib/postgresql/17/bin")
    environment.setenv("AWA_OVERRIDE_REFRESH_MS", "20")
    environment.setenv("AWA_MAX_CLAIMERS_PER_QUEUE", "0")
    environment.setenv("AWA_BATCH_OP_RETENTION_DAYS", "7")
    assert config.database_url() == "postgres://localhost/awa"
    assert config.context_name() == "staging"
    assert config.pg_bin() == Path("/usr/lib/postgresql/17/bin")
    assert config.override_refresh_ms() == 50
    assert config.max_claimers_per_queue() == 1
    assert config.batch_op_retention_days() == 7


def test_the_configuration_file_is_named_or_stands_in_its_home(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("XDG_CONFIG_HOME", "/xdg")
    assert config.config_path() == Path("/xdg/awa/config.toml")
    environment.setenv("AWA_CONFIG", "/etc/awa.toml")
    assert config.config_path() == Path("/etc/awa.toml")


@pytest.mark.parametrize("given", ["off", "false", "0", "OFF", "False"])
def test_trace_capture_can_be_switched_off(environment: pytest.MonkeyPatch, given: str) -> None:
    environment.setenv("AWA_TRACE_CAPTURE", given)
    assert not config.trace_capture()
    environment.setenv("AWA_TRACE_CAPTURE", "on")
    assert config.trace_capture()


@pytest.mark.parametrize("given", ["soon", "-1", "1.5", "٣", "1" * 30])
def test_a_number_that_cannot_be_read_is_an_awa_error(
    environment: pytest.MonkeyPatch, given: str
) -> None:
    environment.setenv("AWA_OVERRIDE_REFRESH_MS", given)
    with pytest.raises(AwaError, match="invalid AWA_OVERRIDE_REFRESH_MS"):
        config.override_refresh_ms()


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("0.0.0.0:8321", ("0.0.0.0", 8321)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("localhost:8321", ("localhost", 8321)),
        ("awa-worker.internal:8321", ("awa-worker.internal", 8321)),
    ],
)
def test_a_health_address_is_a_host_and_a_port(
    environment: pytest.MonkeyPatch, given: str, address: tuple[str, int]
) -> None:
    environment.setenv("AWA_HEALTH_ADDR", given)
    assert config.health_addr() == address


@pytest.mark.parametrize(
    "given",
    [
        "not-an-address",
        "8321",
        ":8321",
        "0.0.0.0",
        "0.0.0.0:",
        "0.0.0.0:65536",
        "0.0.0.0:http",
        "999.0.0.1:80",
        "::1:80",
        "[::zz]:80",
        "http://localhost:80",
    ],
)
def test_another_health_address_is_an_awa_error(
    environment: pytest.MonkeyPatch, given: str
) -> None:
    environment.setenv("AWA_HEALTH_ADDR", given)
    with pytest.raises(AwaError) as caught:
        config.health_addr()
    assert str(caught.value) == (
        f"invalid AWA_HEALTH_ADDR '{given}': expected a socket address like 0.0.0.0:8321"
    )
