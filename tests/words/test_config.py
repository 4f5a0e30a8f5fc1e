"""The environment: what is read of it, and what is refused."""

from pathlib import Path

import pytest

from awa import config

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
    assert config.unbuilt_variables() == []


def test_what_is_set_is_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_URL", "postgres://localhost/awa")
    environment.setenv("AWA_CONTEXT", "staging")
    environment.setenv("AWA_PG_BIN", "/usr/lib/postgresql/17/bin")
    assert config.database_url() == "postgres://localhost/awa"
    assert config.context_name() == "staging"
    assert config.pg_bin() == Path("/usr/lib/postgresql/17/bin")


def test_the_configuration_file_is_named_or_stands_in_its_home(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("XDG_CONFIG_HOME", "/xdg")
    assert config.config_path() == Path("/xdg/awa/config.toml")
    environment.setenv("AWA_CONFIG", "/etc/awa.toml")
    assert config.config_path() == Path("/etc/awa.toml")


def test_a_variable_of_a_later_version_is_named_when_it_is_set(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AWA_HEALTH_ADDR", "0.0.0.0:8321")
    environment.setenv("AWA_TRACE_CAPTURE", "off")
    environment.setenv("AWA_OVERRIDE_REFRESH_MS", "")
    assert config.unbuilt_variables() == ["AWA_HEALTH_ADDR", "AWA_TRACE_CAPTURE"]
