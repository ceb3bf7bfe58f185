"""Keeps child processes running: started again when they end, ended with us however we end."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from webinar.core.clock import monotonic

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
# Whoever ran so long is taken as healthy: the next end starts with a short wait again.
HEALTHY_S = 30.0
GRACE_S = 10.0
LARGEST_LOG = 20 * 1024 * 1024

Say = Callable[[str], None]


class Kept(Protocol):
    """Something that runs and may end."""

    @property
    def name(self) -> str: ...
    @property
    def hint(self) -> str:
        """Where to look when it ended."""

    async def start(self) -> None: ...
    async def wait(self) -> int:
        """Its exit code, once it has ended."""

    async def stop(self) -> None: ...


def back_off(failures: int) -> float:
    """Seconds to wait before start number `failures` + 1."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** max(0, failures - 1))


async def keep(kept: Kept, say: Say) -> None:
    """Wait for its end and start it again, for ever; it has been started once already."""
    failures, since = 0, monotonic()
    while True:
        code = await kept.wait()
        failures = 1 if monotonic() - since >= HEALTHY_S else failures + 1
        say(f"{kept.name} {_how(code)}; starts again in {back_off(failures):g} s ({kept.hint})")
        await asyncio.sleep(back_off(failures))
        since = monotonic()
        try:
            await kept.start()
        except Exception as error:
            # Whatever keeps it from starting now may be gone with the next try.
            say(f"{kept.name} does not start: {error}")


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; its output goes to `log`, which is begun anew when it has grown large."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path


class Child:
    """One command as a child process.

    It has a session of its own, so that Ctrl-C reaches only the supervisor, which ends everything in
    order; and the kernel kills it when the supervisor dies. Start it from the main thread: the kernel
    means the thread, not the process.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return self._command.name

    @property
    def hint(self) -> str:
        return f"see {self._command.log}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        with _log(self._command.log) as out:
            self._process = await asyncio.create_subprocess_exec(
                *_tied(self._command.arguments),
                env=dict(self._command.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    async def wait(self) -> int:
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """In good order; by force after the grace."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _tied(arguments: Sequence[str]) -> list[str]:
    """The command, to be killed by the kernel when this process dies."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *arguments] if setpriv else list(arguments)


def _log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    large = path.exists() and path.stat().st_size > LARGEST_LOG
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if large else os.O_APPEND), 0o600)
    return os.fdopen(descriptor, "ab")
