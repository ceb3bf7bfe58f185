"""What every simulated world stands on: the trace of a seed, its ids, its database, quiet logs."""

import asyncio
import atexit
import contextlib
import hashlib
import logging
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import structlog
from sqlalchemy.exc import SAWarning

from webinar.core import ids
from webinar.lectures import booking
from webinar.migrations import upgrade

TROUBLE = frozenset({"effect_failed", "effect_task_failed", "effect_then_failed", "recording_broke_off"})


@dataclass(slots=True)
class Trace:
    """Everything that happened, in order, as one digest; `lines` only when somebody wants to read it."""

    keep: bool = False
    events: int = 0
    lines: list[str] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)

    def note(self, at: int, what: str, *details: object) -> None:
        line = f"{at} {what} {' '.join(map(str, details))}"
        self.events += 1
        self._digest.update(line.encode() + b"\n")
        if self.keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return str(self._digest.hexdigest())


class _Always:
    """The owner of connections that never die: those of the simulation itself."""

    mortal = False

    def passes(self, what: str) -> float:
        return 0.0

    def hangs_for(self) -> float:
        return 0.0


ALWAYS = _Always()


@contextlib.contextmanager
def quiet(trouble: list[str]) -> Iterator[None]:
    """Log lines go nowhere, but those that tell of something unforeseen."""

    def heard(_logger: object, _name: str, event: dict[str, Any]) -> Any:
        if event["event"] in TROUBLE:
            error = event.get("error") or repr(sys.exception())
            trouble.append(f"{event['event']}: {event.get('key')} {error}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[heard])
    # A process that is killed returns no connection to its pool, of which the pool complains later.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=SAWarning)
            yield
    finally:
        structlog.configure(**before)


class _SeededSecrets:
    """Random ids that are the same each time a seed runs."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def token_bytes(self, count: int) -> bytes:
        return self._chance.randbytes(count)

    def token_hex(self, count: int) -> str:
        return self._chance.randbytes(count).hex()

    def token_urlsafe(self, count: int) -> str:
        return self._chance.randbytes(count).hex()


@contextlib.contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """Ids, seats, and the moments of presence checks follow from the seed alone."""
    before, state = ids.secrets, random.getstate()
    random.seed(seed)
    ids.secrets = booking.secrets = _SeededSecrets(Random(f"{seed}:ids"))  # type: ignore[assignment]
    try:
        yield
    finally:
        ids.secrets = booking.secrets = before
        random.setstate(state)


_TEMPLATES: list[Path] = []


def template() -> Path:
    """A migrated, empty database, made once a process; in memory where the machine offers that."""
    if not _TEMPLATES:
        memory = Path("/dev/shm")
        folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=memory if memory.is_dir() else None))
        asyncio.run(upgrade(f"sqlite+aiosqlite:///{folder}/template.db"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _TEMPLATES.append(folder)
    return _TEMPLATES[0]


def fresh_database() -> Path:
    """The folder of a new database; the one of the last seed is overwritten."""
    folder = template()
    for ending in ("", "-wal", "-shm"):
        (folder / f"simulated.db{ending}").unlink(missing_ok=True)
    shutil.copy(folder / "template.db", folder / "simulated.db")
    return folder
