"""The program as a person types it: schema, health, contexts, help and mistakes.

Owns: `awa migrate`, `awa health`, `awa context`, every --help, wrong usage.
Keeps: what was asked for goes to stdout; an error is one line on stderr and never a traceback.
Above: nobody. Below: tests.story.stage, awa.cli.
"""

import argparse
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import awa as library
from awa.cli import _parser, main
from awa.cli.contexts import masked
from tests.story.stage import awa, program

VERSION = library.current_migration_version()
APPLIED = "Migrations applied successfully.\n"


def commands(parser: argparse.ArgumentParser, *words: str) -> Iterator[tuple[str, ...]]:
    """Go through every command there is, groups too."""
    yield words
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, *words, name)


# --- Help and usage ----------------------------------------------------------------------------


def test_the_commands_are_those_that_are_documented() -> None:
    leaves = {" ".join(words) for words in commands(_parser()) if words}
    assert leaves == {
        *("migrate", "worker", "demo", "health"),
        *("context", "context list", "context show", "storage", "storage status"),
        *("job", "job dump", "job dump-run", "job retry", "job cancel", "job list"),
        *("job retry-failed", "job discard"),
        *("queue", "queue pause", "queue resume", "queue drain", "queue stats"),
        *("trace", "trace record", "trace export", "trace check"),
    }


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(_parser()):
        with pytest.raises(SystemExit) as left:
            main([*words, "--help"])
        said = capsys.readouterr()
        assert left.value.code == 0
        assert said.out.startswith(f"usage: {' '.join(('awa', *words))} ["), words
        assert said.err == ""


async def test_help_and_version_need_no_database() -> None:
    usage, version = await asyncio.gather(program("-h"), program("--version"))
    assert (usage.code, version.code) == (0, 0)
    assert usage.out.startswith("usage: awa [-h] [-V] [--database-url URL]")
    assert version.out == f"awa {library.__version__}\n"
    assert usage.err == version.err == ""


def test_the_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).parent / "awa"
    ran = subprocess.run([script, "-V"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"awa {library.__version__}\n"


@pytest.mark.parametrize(
    "line",
    [
        *("", "nothing", "job", "job get 1", "job retry", "job retry x", "job list --limit x"),
        *("job retry-failed", "job retry-failed --kind a --queue b", "job discard"),
        *("queue", "queue pause", "queue stats extra", "worker", "migrate --from x"),
        *("health --connect-timeout x", "storage", "context", "--nothing health"),
        *("health --connect-timeout 0", "health --connect-timeout nan"),
        *("worker a:b --schema s", "--schema s worker a:b", "worker a:b --reload"),
    ],
)
def test_wrong_usage_is_exit_code_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(line.split())
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (2, "")
    assert said.err.startswith("usage: awa")


async def test_without_a_database_it_says_how_to_name_one() -> None:
    said = await program("job", "list")
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: no database: give --database-url, --context or DATABASE_URL\n"


async def test_a_variable_that_was_never_set_is_no_database(url: str) -> None:
    said = await program("--database-url", "", "job", "list", DATABASE_URL=url)
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: --database-url is empty\n"


# --- Migrate -----------------------------------------------------------------------------------


async def test_migrate_brings_an_empty_database_to_this_version_and_again(empty_url: str) -> None:
    pending = await awa("migrate", "--pending", url=empty_url)
    assert pending.out.startswith("-- Migration V1: three logs\n")
    unready = await awa("health", "--json", url=empty_url)
    assert (unready.code, unready.data) == (
        1,
        {
            "ready": False,
            "postgres_connected": True,
            "schema_version": 0,
            "expected_schema_version": VERSION,
            "schema_compatible": False,
            "live_workers": 0,
        },
    )
    for _ in range(2):
        said = await program("migrate", url=empty_url)
        assert (said.code, said.out) == (0, APPLIED)
        assert re.fullmatch(r"target: postgresql://postgres:\*\*\*@127.0.0.1:\d+/\w+\n", said.err)
    ready, pending = await asyncio.gather(
        program("health", url=empty_url), program("migrate", "--pending", url=empty_url)
    )
    assert ready.code == 0
    assert ready.out == (
        "ready: True\npostgres_connected: True\nschema_version: 1\nexpected_schema_version: 1\n"
        "schema_compatible: True\nlive_workers: 0\n"
    )
    assert (pending.code, pending.out) == (0, "")


async def test_migrate_prints_its_sql_without_a_database(tmp_path: Path) -> None:
    whole, last, none, other, files = await asyncio.gather(
        awa("migrate", "--sql"),
        awa("migrate", "--version", "1"),
        awa("migrate", "--from", "1"),
        awa("migrate", "--from", "0", "--to", "1", "--schema", "other"),
        awa("migrate", "--extract-to", str(tmp_path / "new" / "sql")),
    )
    ((number, description, sql),) = library.migrations()
    assert whole.out == last.out == f"-- Migration V{number}: {description}\n{sql}\n"
    assert "CREATE SCHEMA" in sql and "awa.jobs" in sql
    assert whole.err == "" and (none.code, none.out) == (0, "")
    assert not re.search(r"\bawa\.\w+", other.out)
    assert "create table other.entry" in other.out
    path = tmp_path / "new" / "sql" / "V1__three_logs.sql"
    assert (files.code, files.out) == (0, f"{path}\n")
    assert path.read_text() == whole.out


async def test_a_version_that_does_not_exist_is_refused() -> None:
    bad = {"--version": ("0", "2", "-1"), "--from": ("2", "-1"), "--to": ("2",)}
    lines = [(flag, value) for flag, values in bad.items() for value in values]
    for (_, value), said in zip(
        lines, await asyncio.gather(*(awa("migrate", *line) for line in lines)), strict=True
    ):
        assert (said.code, said.out) == (1, "")
        assert said.err == f"error: Version {value} is out of range. Valid versions: 1..1\n"


async def test_a_folder_that_cannot_be_written_is_one_line() -> None:
    said = await awa("migrate", "--extract-to", "/dev/null/sql")
    assert (said.code, said.out) == (1, "")
    assert said.error.startswith("error: ") and "/dev/null/sql" in said.error


async def test_roles_are_made_by_migrate_when_asked(empty_url: str) -> None:
    said = await awa("migrate", "--roles", url=empty_url)
    assert (said.code, said.out) == (0, APPLIED)
    conn = await asyncpg.connect(empty_url)
    await conn.execute("set role awa_producer")
    assert await conn.fetchval("select id from awa.enqueue('k', '{}')") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("select awa.cancel(1)")
    await conn.close()


# --- Health and contexts -----------------------------------------------------------------------


async def test_health_of_a_database_that_does_not_answer_is_data_too() -> None:
    said = await awa("health", "--json", url="postgres://127.0.0.1:1/app")
    assert said.code == 1
    report = said.data
    assert "cannot reach the database" in report.pop("error")
    assert report == {
        "ready": False,
        "postgres_connected": False,
        "schema_version": None,
        "expected_schema_version": VERSION,
        "schema_compatible": False,
        "live_workers": None,
    }
    assert said.err == "target: postgres://127.0.0.1:1/app\n"


async def test_health_of_no_database_is_a_mistake_and_no_report() -> None:
    said = await awa("health", "--json")
    assert (said.code, said.out) == (1, "")
    assert said.error == "error: no database: give --database-url, --context or DATABASE_URL"


async def test_health_counts_the_workers_that_live(url: str) -> None:
    async with library.AsyncClient(url) as client:
        client.task(dict, kind="k", queue="q")(lambda job: None)
        await client.start([("q", 1)])
        assert (await awa("health", "--json", url=url)).data["live_workers"] == 1
        await client.shutdown()
    assert (await awa("health", "--json", url=url)).data["live_workers"] == 0


CONFIG = """
default_context = "here"
[contexts.here]
url = "{url}"
[contexts.there]
url_env = "THERE_URL"
production = true
"""


async def test_a_context_names_the_database(url: str, tmp_path: Path) -> None:
    path = tmp_path / "awa" / "config.toml"
    path.parent.mkdir()
    path.write_text(CONFIG.format(url=url))
    where = {"AWA_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path)}
    lines = {
        "looks": (("job", "list"), {}),
        "changes": (("queue", "pause", "q"), {}),
        "named": (("--context", "here", "queue", "pause", "q"), {}),
        "unset": (("job", "list"), {"AWA_CONTEXT": "there"}),
        "asks": (("queue", "resume", "q", "--context", "there"), {"THERE_URL": url}),
        "says yes": (("queue", "resume", "q", "--context", "there", "--yes"), {"THERE_URL": url}),
        "unknown": (("job", "list", "--context", "nowhere"), {}),
    }
    ran = await asyncio.gather(*(awa(*line, **where, **more) for line, more in lines.values()))
    said = dict(zip(lines, ran, strict=True))
    assert (said["looks"].code, said["looks"].out) == (0, "No jobs found.\n")
    assert said["changes"].error.startswith("error: several contexts exist: say which")
    assert said["named"].out == "Paused queue 'q'\n"
    assert said["unset"].error == "error: context 'there': THERE_URL is not set"
    assert said["asks"].error == "error: context 'there' is production: say --yes to go on"
    assert said["says yes"].out == "Resumed queue 'q'\n"
    assert said["unknown"].error == (
        "error: unknown context 'nowhere'; the config file has: here, there"
    )
    assert [one.code for one in ran] == [0, 1, 0, 1, 1, 0, 1]


async def test_contexts_are_shown_without_a_database(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url="postgres://me:secret@db/app"))
    listed, as_json, shown = await asyncio.gather(
        awa("context", "list", AWA_CONFIG=str(path)),
        awa("context", "list", "--json", AWA_CONFIG=str(path)),
        awa("context", "show", "there", AWA_CONFIG=str(path)),
    )
    assert listed.out == (
        "   NAME   URL                       PRODUCTION\n"
        "*  here   postgres://me:***@db/app  no\n"
        "   there  $THERE_URL                yes\n"
    )
    assert [one["name"] for one in as_json.data] == ["here", "there"]
    assert shown.data == {"name": "there", "url": "$THERE_URL", "production": True}
    assert listed.err == as_json.err == shown.err == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("nonsense", "Expected"),
        ("url = 'a'", "unknown key 'url'"),
        ("[contexts.a]\nurl = 'x'\nurl_env = 'Y'", "needs exactly one of url and url_env"),
        ("[contexts.a]\nurl = 5", "url and url_env are text"),
        ("[contexts.a]\nurl = 'x'\nproduction = 1", "production is true or false"),
        ("default_context = 'b'\n[contexts.a]\nurl = 'x'", "is not one of its contexts"),
    ],
)
def test_a_config_file_that_makes_no_sense_is_refused(
    text: str,
    fault: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    monkeypatch.setenv("AWA_CONFIG", str(path))
    assert main(["context", "list"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}: ") and fault in line


def test_a_password_is_never_shown() -> None:
    for given, shown in {
        "postgres://me:secret@db/app": "postgres://me:***@db/app",
        "postgres://me:s@cr/e:t@db/app": "postgres://me:***@db/app",
        "postgres://:secret@db/app": "postgres://:***@db/app",
        "postgres://db/app?user=me&password=secret&a=b": "postgres://db/app?user=me&password=***&a=b",
        "postgres://db/app?sslpassword=secret": "postgres://db/app?sslpassword=***",
        "postgres://me@db:5432/app?a=b": "postgres://me@db:5432/app?a=b",
    }.items():
        assert masked(given) == shown
