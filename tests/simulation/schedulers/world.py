"""A seed's schedulers on one database, with everything around them; `judge` looks at what came of it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import MINUTE, NINE, SECOND, a_person, an_institution
from tests.simulation.disk import Disk
from tests.simulation.ground import ALWAYS, Trace, quiet
from tests.simulation.processes import Process, WorldClock, handle, lay_out, owned_task, put_away, wind_up
from tests.simulation.scenario import Fault
from tests.simulation.schedulers.deeds import Office, book, decide_contests, do, policies_of
from tests.simulation.schedulers.parts import Clerk, Post, Rooms, Site, settings
from tests.simulation.schedulers.plan import FIRST_MS, Plan
from tests.simulation.schedulers.watcher import Watcher
from webinar.core.database import Database
from webinar.core.errors import Refused, Stale
from webinar.core.ids import new_id
from webinar.media.port import MediaUnavailable

HANDLES = {"own": 1, "site": 4, "clerk": 24}
PEOPLE = 8
LEAD_MS = 5 * SECOND
PATIENCE_MS = 12 * MINUTE
AGAIN_S = 1.0
# These go on for days, or are looked at once more long after.
STANDING = frozenset({"retention", "report", "tally"})
BUSY = frozenset({"claimed", "held"})


class World:
    """`disturbed` are the instants (ms) at which something broke or was mended, by what it was."""

    database: Database
    office: Office

    def __init__(self, plan: Plan, folder: Path, trace: Trace) -> None:
        self.plan = plan
        self.trace = trace
        self.trouble: list[str] = []
        self.disturbed: list[tuple[int, str]] = []
        self.refused = 0
        self._loop = asyncio.get_running_loop()
        self._loop.set_task_factory(owned_task)  # type: ignore[arg-type]
        self._zero = self._loop.time()
        self.disk = Disk(folder / "simulated.db", self.now)
        self.watcher = Watcher(self.disk.path)
        self.disk.on_commit = self._committed
        self.media = Rooms(WorldClock(self.now))
        self.post = Post(self.now, self._random("mail"), plan.mail_takes_s)
        self.site = Site(*self._parts("site"))
        self.site.clock.ahead = plan.site_skew
        self.clerks = [self._clerk(number, skew, folder) for number, skew in enumerate(plan.skews)]
        self.processes: dict[str, Process] = {p.name: p for p in (self.site, *self.clerks)}
        self._away: dict[str, int] = {}

    def now(self) -> int:
        return NINE + FIRST_MS - LEAD_MS + int((self._loop.time() - self._zero) * 1000 + 0.001)

    def note(self, what: str, *details: object) -> None:
        if what in {"died", "hangs", "goes on", "started"}:
            self.disturb(" ".join(map(str, details)), what)
        self.trace.note(self.now(), what, *details)

    def disturb(self, whom: str, what: str) -> None:
        self.disturbed.append((self.now(), f"{whom} {what}"))

    def _random(self, part: str) -> Random:
        return Random(f"{self.plan.seed}:{part}")

    def _parts(self, name: str) -> tuple[str, Disk, WorldClock, Random, Any]:
        return name, self.disk, WorldClock(self.now), self._random(name), self.note

    def _clerk(self, number: int, skew: int, folder: Path) -> Clerk:
        clerk = Clerk(*self._parts(f"scheduler{number}"))
        clerk.clock.ahead = skew
        clerk.media, clerk.post, clerk.deaf = self.media, self.post, self.plan.deaf
        clerk.settings = settings(str(folder))
        return clerk

    def _committed(self, owner: Any) -> None:
        self.watcher.committed(getattr(owner, "name", "the world"), self.now())

    # The whole life.

    async def run(self) -> None:
        with quiet(self.trouble):
            await lay_out(self.disk, ALWAYS, HANDLES)
            self.database = handle("own", self.disk, ALWAYS)
            await self._open_office()
            for process in self.processes.values():
                process.start()
            looks = asyncio.create_task(self._looks())
            lives = [asyncio.create_task(life) for life in self._lives()]
            for fault in self.plan.faults:
                self._at(fault.at, self._breaks, fault)
            await self._until_settled()
            self.trouble += wind_up((looks, *lives), self.processes.values(), self.disk)

    def close(self) -> None:
        """Nothing of this world is used after it."""
        self.watcher.close()
        put_away(self.disk, self.database, self.processes.values())

    async def _open_office(self) -> None:
        async with self.database.writing() as session:
            root = await an_institution(session, id=new_id())
            boss = await a_person(session, root, id=new_id(), name="Administrator", role="administrator")
            people = [await a_person(session, root, id=new_id(), name=f"Orang {n}") for n in range(PEOPLE)]
            for number in self.plan.refused:
                self.post.refuse(people[number].email or "")
            lectures, policies = ([new_id() for _ in self.plan.lectures] for _ in range(2))
            self.office = Office(root.id, boss.id, [p.id for p in people], lectures, policies)
            await policies_of(session, self.office, self.plan.lectures)

    def _lives(self) -> list[Any]:
        return [*(self._books(n) for n in range(len(self.plan.lectures))), *map(self._does, self.plan.deeds)]

    async def _books(self, number: int) -> None:
        lecture = self.plan.lectures[number]
        await self._until(lecture.booked_at)

        async def deed(session: AsyncSession, now: int) -> None:
            await book(session, self.office, number, lecture, now)

        await self._pressed(f"book {number}", deed)

    async def _does(self, asked: Any) -> None:
        await self._until(asked.at)

        async def deed(session: AsyncSession, now: int) -> None:
            await do(session, self.office, asked, now)

        await self._pressed(f"{asked.does} {asked.lecture}", deed)

    async def _pressed(self, what: str, deed: Callable[[AsyncSession, int], Awaitable[None]]) -> None:
        """Again and again, as people do, until it went through or was refused."""
        while True:
            try:
                await self.site.press(deed)
            except (ConnectionError, Stale):
                await asyncio.sleep(AGAIN_S)
                continue
            except Refused as refused:
                if refused.status == 503:
                    await asyncio.sleep(AGAIN_S)
                    continue
                self.refused += 1
                self.note("refused", what, refused.code)
            else:
                self.note("pressed", what)
            return

    async def _until(self, at: int) -> None:
        await asyncio.sleep(max(0.0, (NINE + at - self.now()) / 1000))

    async def _until_settled(self) -> None:
        await self._until(self.plan.calm_at)
        latest = self.now() + PATIENCE_MS
        while self.now() < latest:
            await self._pressed("decide", lambda session, now: decide_contests(session, self.office, now))
            await asyncio.sleep(5)
            if not self._owed():
                # Whatever is wrong by now has time to show.
                await asyncio.sleep(40)
                return

    def _owed(self) -> int:
        with sqlite3.connect(self.disk.path) as eyes:
            rows = eyes.execute("SELECT kind, state FROM effects").fetchall()
        eyes.close()
        return sum(state in BUSY or (state == "owed" and kind not in STANDING) for kind, state in rows)

    # Looking on.

    async def _looks(self) -> None:
        while True:
            await asyncio.sleep(1)
            names = None
            with suppress(MediaUnavailable):
                names = {room.name for room in await self.media.list_rooms()}
            now = self.now()
            self.watcher.look(now, names, self._calm_ms(now), self._mail_calm_ms(now))

    def _calm_ms(self, now: int) -> int:
        """For how long nothing has broken: 0 while something still is."""
        if self._away.keys() - {"mail"} or not any(map(self._works, self.clerks)):
            return 0
        return now - max((at for at, what in self.disturbed if not what.startswith("mail")), default=0)

    def _mail_calm_ms(self, now: int) -> int:
        if "mail" in self._away:
            return 0
        return now - max((at for at, _ in self.disturbed), default=0)

    def _works(self, clerk: Clerk) -> bool:
        return clerk.life is not None and clerk.life.alive and not clerk.hangs_for()

    # What breaks.

    def _at(self, at: int, deed: Any, *arguments: Any) -> None:
        wait_s = (NINE + at - self.now()) / 1000
        self._loop.call_later(max(0.0, wait_s), deed, *arguments, context=Context())

    def _breaks(self, fault: Fault) -> None:
        self.note("fault", fault.what, fault.whom, fault.lasts, fault.size)
        match fault.whom, fault.what:
            case whom, "kill":
                self.processes[whom].kill_in(fault.size, fault.lasts / 1000)
            case whom, "hang":
                self.processes[whom].hang_in(fault.size, fault.lasts / 1000)
            case whom, "clock":
                self.processes[whom].clock.ahead += fault.size
            case whom, _:
                self._turn(whom, fault.what, off=True)
                self._at(fault.at + fault.lasts, self._mended, fault)

    def _mended(self, fault: Fault) -> None:
        self._turn(fault.whom, fault.what, off=False)

    def _turn(self, whom: str, what: str, *, off: bool) -> None:
        self._away[whom] = self._away.get(whom, 0) + (1 if off else -1)
        if not self._away[whom]:
            del self._away[whom]
        self.disturb(whom, f"{what} {'off' if off else 'on'}")
        away = whom in self._away
        match whom, what:
            case "database", _:
                if off and what == "crash":
                    self.disk.crash()
                self.disk.away = away
            case "media", "crash":
                self.media.crash() if off else self.media.come_back()
            case "media", "away":
                self.media.go_away() if off else self.media.come_back()
            case "media", "refuse":
                self.media.refuses = off
            case "mail", "slow":
                self.post.takes_s = 25.0 if off else self.plan.mail_takes_s
            case "mail", _:
                self.post.go_away() if off else self.post.come_back()
