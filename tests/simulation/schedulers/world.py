"""A seed's schedulers on one database, with everything around them; `judge` looks at what came of it."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import partial
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
from tests.simulation.schedulers.faults import KILL_WITH, MEDIA
from tests.simulation.schedulers.lookout import Lookout
from tests.simulation.schedulers.parts import Clerk, Post, Site, settings
from tests.simulation.schedulers.plan import AIMS_MS, FIRST_MS, Plan
from tests.simulation.schedulers.recorders import Chairs, Recorder, Shelf
from tests.simulation.schedulers.servers import Servers
from tests.simulation.schedulers.visitors import Visitor
from tests.simulation.schedulers.watcher import Watcher
from tests.simulation.schedulers.weather import CUT, Weather
from webinar.core.database import Database
from webinar.core.errors import Refused, Stale
from webinar.core.ids import new_id

HANDLES = {"own": 1, "site": 4, "clerk": 32, "recorder": 8}
PEOPLE = 8
LEAD_MS = 5 * SECOND
PATIENCE_MS = 12 * MINUTE
AGAIN_S = 1.0
# These go on for days, or are looked at once more long after.
STANDING = frozenset({"retention", "report", "tally"})
AT_WORK = "SELECT id FROM recordings WHERE state IN ('wanted', 'recording', 'paused', 'finishing')"
BUSY = frozenset({"claimed", "held"})


class World:
    """`deaths` are how often a process died at each sort of point, and with which kind of effect in hand."""

    database: Database
    office: Office

    def __init__(self, plan: Plan, folder: Path, trace: Trace) -> None:
        self.plan = plan
        self.trace = trace
        self.trouble: list[str] = []
        self.refused = 0
        self.deaths: Counter[str] = Counter()
        self._loop = asyncio.get_running_loop()
        self._loop.set_task_factory(owned_task)  # type: ignore[arg-type]
        self._zero = self._loop.time()
        self.disk = Disk(folder / "simulated.db", self.now)
        self.watcher = Watcher(self.disk.path)
        self.disk.on_commit = self._committed
        self.visitors: list[Visitor] = []
        self.chairs = Chairs()
        self.servers = Servers(plan.servers, WorldClock(self.now), self._put_out)
        self.weather = Weather(self.now, self.servers)
        self.shelf = Shelf()
        self.post = Post(self.now, self._random("mail"), plan.mail_takes_s)
        self.site = Site(*self._parts("site"))
        self.site.clock.ahead = plan.site_skew
        self.clerks = [self._clerk(number, skew, folder) for number, skew in enumerate(plan.skews)]
        self.recorders = [self._recorder(number, skew) for number, skew in enumerate(plan.recorder_skews)]
        self.processes: dict[str, Process] = {p.name: p for p in (self.site, *self.clerks, *self.recorders)}

    def now(self) -> int:
        return NINE + FIRST_MS - LEAD_MS + int((self._loop.time() - self._zero) * 1000 + 0.001)

    def note(self, what: str, *details: object) -> None:
        if what in {"died", "hangs", "goes on", "started"}:
            self.weather.disturb(str(details[0]), what)
        if what == "died":
            self._died(*map(str, details))
        self.trace.note(self.now(), what, *details)

    def _died(self, name: str, at: str) -> None:
        life = self.processes[name].life
        if at and life is not None:
            self.deaths.update(f"{kind} at {at}" for kind in self.watcher.held_by(life.name) or ["nothing"])

    def _random(self, part: str) -> Random:
        return Random(f"{self.plan.seed}:{part}")

    def _parts(self, name: str) -> tuple[str, Disk, WorldClock, Random, Any]:
        return name, self.disk, WorldClock(self.now), self._random(name), self.note

    def _clerk(self, number: int, skew: int, folder: Path) -> Clerk:
        clerk = Clerk(*self._parts(f"scheduler{number}"))
        clerk.clock.ahead = skew
        clerk.servers, clerk.post, clerk.deaf = self.servers, self.post, self.plan.deaf
        clerk.settings = settings(str(folder))
        return clerk

    def _recorder(self, number: int, skew: int) -> Recorder:
        recorder = Recorder(*self._parts(f"recorder{number}"))
        recorder.clock.ahead = skew
        recorder.servers, recorder.shelf, recorder.chairs = self.servers, self.shelf, self.chairs
        return recorder

    def _put_out(self, sid: str, reason: str) -> None:
        self.chairs.put_out(sid, reason)
        for visitor in self.visitors:
            visitor.was_put_out(sid, reason)

    def _committed(self, owner: Any) -> None:
        self.watcher.committed(getattr(owner, "name", "the world"), self.now())

    # The whole life.

    async def run(self) -> None:
        with quiet(self.trouble):
            await lay_out(self.disk, ALWAYS, HANDLES)
            self.database = handle("own", self.disk, ALWAYS)
            await self._open_office()
            for number, visit in enumerate(self.plan.visits):
                self.visitors.append(Visitor(self, visit, number, self._random(f"visitor{number}")))
            for process in self.processes.values():
                process.start()
            looks = asyncio.create_task(Lookout(self).run())
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

    @property
    def lectures(self) -> list[str]:
        return self.office.lectures

    @property
    def people(self) -> list[str]:
        return self.office.people

    def _lives(self) -> list[Any]:
        books = (self._books(number) for number in range(len(self.plan.lectures)))
        return [*books, *map(self._does, self.plan.deeds), *(visitor.live() for visitor in self.visitors)]

    async def _books(self, number: int) -> None:
        lecture = self.plan.lectures[number]
        await self.until(lecture.booked_at)

        async def deed(session: AsyncSession, now: int) -> None:
            await book(session, self.office, number, lecture, now)

        await self._pressed(f"book {number}", deed)

    async def _does(self, asked: Any) -> None:
        await self.until(asked.at)

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

    async def until(self, at: int) -> None:
        await asyncio.sleep(max(0.0, (NINE + at - self.now()) / 1000))

    async def _until_settled(self) -> None:
        await self.until(self.plan.calm_at)
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
            reels = eyes.execute(AT_WORK).fetchall()
        eyes.close()
        return len(reels) + sum(
            state in BUSY or (state == "owed" and kind not in STANDING) for kind, state in rows
        )

    # What breaks.

    def _at(self, at: int, deed: Any, *arguments: Any, **named: Any) -> None:
        wait_s = (NINE + at - self.now()) / 1000
        self._loop.call_later(max(0.0, wait_s), partial(deed, *arguments, **named), context=Context())

    def _breaks(self, fault: Fault) -> None:
        self.note("fault", fault.what, fault.whom, fault.lasts, fault.size)
        match fault.whom, fault.what:
            case whom, "kill":
                self.processes[whom].kill_in(fault.size, fault.lasts / 1000)
            case whom, what if what.startswith(KILL_WITH):
                until = self.now() + AIMS_MS
                holds = partial(self._holds, whom, what.removeprefix(KILL_WITH), until)
                self.processes[whom].kill_in(fault.size, fault.lasts / 1000, holds)
            case whom, "hang":
                self.processes[whom].hang_in(fault.size, fault.lasts / 1000)
            case whom, "clock":
                self.processes[whom].clock.ahead += fault.size
            case _, "drain":
                self._drains(fault, off=True)
                self._at(fault.at + fault.lasts, self._drains, fault, off=False)
            case _:
                self._turn(fault, off=True)
                self._at(fault.at + fault.lasts, self._turn, fault, off=False)

    def _holds(self, name: str, kind: str, until: int) -> bool:
        life = self.processes[name].life
        return life is not None and self.now() < until and kind in self.watcher.held_by(life.name)

    def _drains(self, fault: Fault, *, off: bool) -> None:
        """Other settings are handed out, and schedulers are started again one after the other."""
        name = fault.whom.removeprefix(MEDIA)
        (self.servers.drains.add if off else self.servers.drains.discard)(name)
        for number, clerk in enumerate(self.clerks):
            self._loop.call_later(2 * number, clerk.die, 0.5, context=Context())

    def _turn(self, fault: Fault, *, off: bool) -> None:
        whom, what = fault.whom, fault.what
        self.note("turns", whom, what, off)
        if whom.startswith(MEDIA):
            self._server_turns(whom.removeprefix(MEDIA), what, off=off)
            return
        away = self.weather.turn(CUT if what == CUT else whom, what, off=off)
        match whom, what:
            case "database", _:
                if off and what == "crash":
                    self.disk.crash()
                self.disk.away = away
            case "shelf", _:
                setattr(self.shelf, what, off)
            case "mail", "slow":
                self.post.takes_s = 25.0 if off else self.plan.mail_takes_s
            case "mail", _:
                self.post.go_away() if off else self.post.come_back()
            case _, "cut":
                way = whom, self.plan.servers[fault.size]
                (self.servers.cut.add if off else self.servers.cut.discard)(way)

    def _server_turns(self, name: str, what: str, *, off: bool) -> None:
        server, down = self.servers[name], self.weather.server_turns(name, what, off=off)
        match what:
            case "crash" if off:
                server.crash()
            case "away" if off:
                server.go_away()
            case "refuse":
                server.refuses = off
        if not down:
            server.come_back()
