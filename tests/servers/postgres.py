"""A throw-away PostgreSQL cluster in a temporary folder, on a free loopback port.

PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that user is
missing. It dies with the process that started it, however that one ends; a folder that a killed run
left behind is removed by the next.
"""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

FOLDER_PREFIX = "pendopo-postgres-"
START_TIMEOUT_S = 30


class PostgresMissingError(RuntimeError):
    """There is no PostgreSQL server on this machine."""


@dataclass
class Postgres:
    """A running cluster; the superuser is `pendopo`, no password on loopback."""

    port: int
    process: "subprocess.Popen[bytes]"
    folder: Path
    fsync: bool = True

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://pendopo@127.0.0.1:{self.port}/{name}"

    async def run(self, statement: str, *values: str) -> None:
        """Run a statement outside a transaction, as CREATE DATABASE asks for."""
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="pendopo", database="postgres"
        )
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    def restart_at_once(self) -> None:
        """End it in the middle of what it does (an "immediate" shutdown), and start it again: it recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(10)
        self.process = _start(self.folder, self.port, fsync=self.fsync)

    async def cut(self, name: str) -> None:
        """End every connection to a database at once, as its restart would."""
        await self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)

    async def create(self, name: str, *, template: str = "template0") -> str:
        """A new database as a copy of the template; answers its URL."""
        await self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    async def drop(self, name: str) -> None:
        await self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def postgres(*, fsync: bool = True) -> Iterator[Postgres]:
    """A cluster that is gone at the end of the block, also when the block fails."""
    _remove_orphans()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam(_unprivileged())
            os.chown(folder, user.pw_uid, user.pw_gid)
        _initialise(folder / "data")
        with _running(folder, fsync=fsync) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, *, fsync: bool) -> Iterator[Postgres]:
    port = free_port()
    server = Postgres(port, _start(folder, port, fsync=fsync), folder, fsync)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGINT)  # fast shutdown: sessions are rolled back
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


def _start(folder: Path, port: int, *, fsync: bool) -> "subprocess.Popen[bytes]":
    """Return once it answers."""
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "64MB",
        "fsync": "on" if fsync else "off",
        "log_min_messages": "warning",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            _as_unprivileged([binary("postgres"), "-D", str(folder / "data"), *options]),
            stdout=log,
            stderr=log,
            cwd="/",
        )
    try:
        _wait_until_it_answers(port, process, folder / "log")
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def binary(name: str) -> str:
    """The path of a PostgreSQL program: the newest of Debian's versions, else the one on PATH."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parent.parent.name)
    )
    found = str(versions[-1]) if versions else shutil.which(name)
    if found is None:
        raise PostgresMissingError(f"{name} is not installed: apt-get install postgresql")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _initialise(data: Path) -> None:
    command = [binary("initdb"), "-D", str(data), "-U", "pendopo", "-A", "trust", "-E", "UTF8"]
    done = subprocess.run(
        _as_unprivileged([*command, "--locale=C.UTF-8", "--no-sync"]),
        capture_output=True,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.decode()}")


def _as_unprivileged(command: list[str]) -> list[str]:
    """The command as a user that PostgreSQL accepts, ended when its parent is."""
    setpriv = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(_unprivileged())
        setpriv += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*setpriv, "--", *command]


def _unprivileged() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="pendopo", database="postgres", timeout=2
        )
        await connection.close()

    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            asyncio.run(ask())
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.05)
        else:
            return


def _remove_orphans() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
