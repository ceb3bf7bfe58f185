"""A process that dies at any point of an effect, enumerated: another goes on, as if nobody had died.

A point is a commit (dying just before it, or just after) or a call of the media server, the mail server or
the storage (the same). Each number is died at in turn, in a copy of the same database, until a run is over
before it; a fresh process takes over when the lease has run out.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol, cast

from sqlalchemy import JSON, Integer, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.storage import open_storage, sha256
from tests import by_hand
from tests.build import NINE
from tests.pools import alone
from tests.servers.postgres import Postgres
from webinar import wiring
from webinar.config import Settings
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_runner import Runner
from webinar.mail.fake import FakeMailer
from webinar.media.fake import FakeMedia
from webinar.migrations import metadata
from webinar.privacy.job import RetentionJob

KEY, SECRET = "key", "s" * 32
LINK_KEY = b"k" * 32
MOST_STEPS = 200
# Whose try it is, until when it holds, and up to which number of the database's evidence was read.
OF_THE_TRY = {
    "effects": {"fence", "worker", "lease_until"},
    "tallies": {"high_water"},
    "attendance": {"high_water"},
}
# Ids, seats, digests and the secrets of links.
_MADE_HERE = re.compile(r"\b(?:[a-z2-7]{26}|[a-z2-7]{16}|[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64})\b")


class Death(BaseException):
    """The process is gone; nothing after this line of it happens."""


class Fate:
    """Kills at the point of a number; 0 is nobody's."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.points: list[str] = []
        self.dead = False

    def point(self, what: str) -> None:
        self.points.append(what)
        if self.dead or len(self.points) == self.at:
            self.dead = True
            raise Death


class MortalDatabase(Database):
    """Dies before or after a commit; whoever is dead begins nothing more."""

    fate: Fate

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        if self.fate.dead:
            raise Death
        async with super().writing() as session:
            yield session
            self.fate.point("before a commit")
        self.fate.point("after a commit")


class Mortal:
    """Dies before or after a call of something outside."""

    def __init__(self, port: Any, fate: Fate) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            self._fate.point(f"before {name}")
            answer = await getattr(self._port, name)(*arguments, **named)
            self._fate.point(f"after {name}")
            return answer

        return call


@dataclass
class Stage:
    """One database with a world around it; `notes` is what the booking leaves for later."""

    db: MortalDatabase
    folder: Path
    clock: ManualClock
    notes: dict[str, Any] = field(default_factory=dict)
    mailer: FakeMailer = field(default_factory=FakeMailer)

    def __post_init__(self) -> None:
        self.media = FakeMedia(self.clock, KEY, SECRET)
        self.db.fate = Fate()

    @property
    def storage(self) -> Any:
        return open_storage(self.settings.storage)

    @property
    def settings(self) -> Settings:
        return Settings(
            data=self.folder, media_api_secret=cast(Any, SECRET),
            link_key=cast(Any, LINK_KEY.decode()), public_url="https://pendopo.example",
        )  # fmt: skip

    async def live(self, fate: Fate) -> bool:
        """One process: does what is due until it rests (False), or dies (True)."""
        self.db.fate = fate
        media, mailer, storage = (Mortal(port, fate) for port in (self.media, self.mailer, self.storage))
        pool = alone(cast(Any, media))
        handlers = wiring.handlers(self.settings, self.db, pool, cast(Any, mailer), self.clock)
        # The storage is the one part that the handlers are not given.
        handlers["retention"] = RetentionJob(self.db, cast(Any, storage), self.clock)
        runner = Runner(self.db, handlers, self.clock, concurrency=1)
        try:
            for _ in range(MOST_STEPS):
                due = await by_hand.next_due(self.db)
                if due is None or due > self.clock.now():
                    return False
                await runner.step()
                await runner.drain()
                if fate.dead:
                    return True
            raise AssertionError("it does not come to rest")
        except Death:
            return True
        finally:
            await runner.close()

    async def settle(self) -> None:
        """Do what is due, without a death."""
        assert not await self.live(Fate())

    async def leases_end(self) -> None:
        self.db.fate = Fate()
        async with self.db.writing() as session:
            await session.execute(text("UPDATE effects SET lease_until = 1 WHERE state = 'claimed'"))


async def _nothing(_: Stage) -> None:
    """Nobody is on the media server."""


@dataclass(frozen=True)
class Scene:
    """What an effect of a kind is to be died in.

    Args:
        book: writes the rows, once. furnish: sets up what is in memory, for each run.
        moments: Unix ms at which what is due is done; `at` is called at each of them, by its number.
        did: whether the undisturbed run did what it is about.
        twice: tables of which a row may be there twice after a death. tries: columns that count tries.
    """

    kind: str
    book: Callable[[Stage], Awaitable[None]]
    did: Callable[["Picture"], bool]
    moments: tuple[int, ...] = (NINE,)
    furnish: Callable[[Stage], Awaitable[None]] = _nothing
    at: Callable[[Stage, int], None] = lambda stage, number: None
    twice: frozenset[str] = frozenset()
    tries: Mapping[str, set[str]] = field(default_factory=dict)


@dataclass
class Picture:
    """All that is left: rows by table, mails by Message-ID, who is in which room, what they heard, files."""

    rows: dict[str, list[dict[str, Any]]]
    mails: Counter[str]
    words: list[str]
    rooms: dict[str, list[str]]
    heard: Counter[str]
    files: dict[str, str]

    def same_as(self, calm: "Picture", scene: Scene) -> list[str]:
        """What differs from an undisturbed run by more than may be; in words."""
        wrong = [what for name in self.rows for what in _differ(name, self, calm, name in scene.twice)]
        wrong += [f"{what} differ" for what in ("words", "rooms", "files")
                  if getattr(self, what) != getattr(calm, what)]  # fmt: skip
        for what in ("mails", "heard"):
            mine, theirs = getattr(self, what), getattr(calm, what)
            # What was handed over just before the death is handed over once more, to all who are there.
            if set(mine) != set(theirs) or theirs - mine or max((mine - theirs).values(), default=0) > 1:
                wrong.append(f"{what}: {mine} instead of {theirs}")
        return wrong


def _differ(table: str, mine: Picture, calm: Picture, twice: bool) -> list[str]:
    have, should = (Counter(json.dumps(row) for row in p.rows[table]) for p in (mine, calm))
    if twice:
        have, should = Counter(set(have)), Counter(set(should))
    return [f"{table} has {row}" for row in (have - should)] + [
        f"{table} lacks {row}" for row in should - have
    ]


class Copies(Protocol):
    """A copy of the database that a scene was booked in, made anew under the same address."""

    url: str

    async def renew(self, booked: str) -> None: ...


class SqliteCopies:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "copy.db"
        self.url = f"sqlite+aiosqlite:///{self._path}"

    async def renew(self, booked: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)
        shutil.copy(str(make_url(booked).database), self._path)


class PostgresCopies:
    def __init__(self, server: Postgres, booked: str) -> None:
        self._server = server
        self._name = f"{make_url(booked).database}_copy"
        self.url = server.url(self._name)

    async def renew(self, booked: str) -> None:
        await self._server.drop(self._name)
        await self._server.create(self._name, template=str(make_url(booked).database))


class Enumeration:
    """A scene that is booked, and every way to die in it."""

    def __init__(self, scene: Scene, booked: str, folder: Path, copies: Copies) -> None:
        self.scene = scene
        self._booked = booked
        self._folder = folder
        self._copies = copies
        self._notes: dict[str, Any] = {}
        self._known = ""
        # One handle for all: what it compiled once it does not compile again.
        self._db = MortalDatabase(copies.url)

    async def book(self) -> None:
        db = MortalDatabase(self._booked)
        stage = Stage(db, self._folder / "booked", ManualClock(self.scene.moments[0]))
        await self.scene.book(stage)
        self._notes = stage.notes
        self._known = json.dumps(await _rows(db, {}))
        await db.close()

    async def calm(self) -> Picture:
        """What is left when nobody dies."""
        return await self._run(Fate())

    async def deaths(self) -> AsyncIterator[tuple[str, Picture]]:
        """Each point, and what is left when one died there and another went on."""
        for at in count(1):
            fate = Fate(at)
            picture = await self._run(fate)
            if not fate.dead:
                return
            yield f"{at}, {fate.points[at - 1]}", picture

    async def _run(self, fate: Fate) -> Picture:
        folder = self._folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        if (self._folder / "booked").exists():
            shutil.copytree(self._folder / "booked", folder)
        await self._copies.renew(self._booked)
        stage = Stage(self._db, folder, ManualClock(self.scene.moments[0]), self._notes)
        try:
            await self.scene.furnish(stage)
            for number, stage.clock.at in enumerate(self.scene.moments):
                self.scene.at(stage, number)
                if await stage.live(Fate() if fate.dead else fate):
                    await stage.leases_end()
                    await stage.settle()
            return await self._picture(stage)
        finally:
            await self._db.close()

    async def _picture(self, stage: Stage) -> Picture:
        rows = await _rows(stage.db, self.scene.tries)
        rooms = {r.name: [p.identity for p in await stage.media.list_participants(r.name)]
                 for r in await stage.media.list_rooms()}  # fmt: skip
        heard = [f"{who} {said}" for who, inbox in stage.media.inbox.items() for said in inbox]
        files = {str(path.relative_to(stage.folder)): sha256(path.read_bytes())
                 for path in sorted(stage.folder.rglob("*")) if path.is_file()}  # fmt: skip
        sent = stage.mailer.sent
        mails = [mail.message_id for mail in sent]
        words = sorted({f"{mail.message_id} {mail.to} {mail.subject} {mail.text}" for mail in sent})
        rows, mails, words, rooms, heard, files = self._masked([rows, mails, words, rooms, heard, files])
        return Picture(rows, Counter(mails), sorted(words), rooms, Counter(heard), files)

    def _masked(self, left: Any) -> Any:
        return json.loads(_MADE_HERE.sub(self._unless_known, json.dumps(left)))

    def _unless_known(self, found: "re.Match[str]") -> str:
        """Ids and digests that came up in the run are others each time."""
        return found[0] if found[0] in self._known else "·"


async def _rows(db: Database, tries: Mapping[str, set[str]]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without numbers that the database gives and what tells of tries."""
    left: dict[str, list[dict[str, Any]]] = {}
    async with db.reading() as session:
        for table in metadata().sorted_tables:
            besides = OF_THE_TRY.get(table.name, set()) | tries.get(table.name, set())
            columns = [
                column for column in table.columns
                if column.name not in besides and column is not table.autoincrement_column
            ]  # fmt: skip
            if not columns:
                continue
            found = await session.execute(select(*columns))
            left[table.name] = [
                {c.name: _plain(c.type, value) for c, value in zip(columns, row, strict=True)}
                for row in found
            ]
    return left


def _plain(kind: object, value: Any) -> Any:
    if isinstance(value, bytes):
        return sha256(value)
    return value if isinstance(kind, JSON | Integer) or value is None else str(value)
