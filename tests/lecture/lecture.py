"""A lecture with its audience, until everything is told; then how far the service is off for each person."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from sqlalchemy import select

from tests.build import a_lecture, a_person, a_policy, a_registration, an_institution
from tests.lecture.people import POLITE, Audience
from tests.lecture.servers import Servers
from tests.lecture.truth import Diary, Verdict
from tests.servers.postgres import Postgres
from webinar.attendance import service as attendance
from webinar.attendance.interval_rules import Span
from webinar.attendance.log_rules import AttendanceLog
from webinar.classroom.rules import seat_cookie
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.evidence.tables import WebhookRow
from webinar.lectures import service, store
from webinar.people.access import Scope

CLOCK = SystemClock()
# Processes of people need a moment before anybody can come.
LEAD_S = 5
# The notifier gives up an event after 15 s of tries, and then comes to the next.
TOLD_WITHIN_S = 90


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes, in seconds; the fault begins so long after the start."""

    window_s: float
    sweep_s: float
    beat_s: float
    fault_at_s: float
    outage_s: float
    away_s: float


SHORT = Pace(window_s=14, sweep_s=3, beat_s=2, fault_at_s=5, outage_s=4, away_s=5)
FULL = Pace(window_s=150, sweep_s=30, beat_s=15, fault_at_s=45, outage_s=60, away_s=80)


class Lesson:
    """One lecture. `await begin()`, `await until(second)`, break something, `await verdicts()`."""

    def __init__(
        self, servers: Servers, audience: Audience, pace: Pace, cluster: Postgres | None = None
    ) -> None:
        self.cluster = cluster
        self.servers = servers
        self.pace = pace
        self.audience = audience
        self.diary = Diary()
        self.fault: Span | None = None
        self._db = Database(servers.database_url)
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Book it, and send everybody their way."""
        self.starts_at = CLOCK.now() + round(LEAD_S * 1000)
        self.window = (self.starts_at, self.starts_at + round(self.pace.window_s * 1000))
        await self._book()
        for process in (POLITE, *self.audience.killed):
            self._tasks.append(asyncio.create_task(self._crowd(process)))

    async def _book(self) -> None:
        async with self._db.writing() as session:
            unit = await an_institution(session)
            more = {"ends_at": self.window[1], "open_before_s": LEAD_S, "overrun_s": 0}
            policy = await a_policy(session, unit, tolerance_s=0)
            lecture = await a_lecture(session, unit, starts_at=self.starts_at, policy=policy, **more)
            for seat in self.audience.seats:
                await a_registration(session, lecture, await a_person(session, unit, name=seat), seat=seat)
            await service.owe_reconciling(session, lecture.id, CLOCK.now())
        self.lecture_id = str(lecture.id)
        async with self._db.reading() as session:
            seats = await store.registrations(session, self.lecture_id)
        key = self.servers.link_key.encode()
        self._cookies = {seat.seat: seat_cookie(key, seat) for seat in seats}

    async def _crowd(self, name: str) -> None:
        numbers = [n for n, stay in enumerate(self.audience.stays) if stay.process == name]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.processes.crowd", stdin=PIPE, stdout=PIPE
        )
        assert process.stdin is not None
        process.stdin.write(self._order(numbers))
        killing = asyncio.create_task(self._kill(process, numbers, self.audience.killed.get(name)))
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.diary.note(json.loads(line))
        await killing
        await process.wait()
        if name == POLITE and process.returncode:
            raise RuntimeError("the process of the participants ended")

    def _order(self, numbers: list[int]) -> bytes:
        livekit = self.servers.livekit
        order = {
            "url": livekit.url,
            "key": livekit.key,
            "secret": livekit.secret,
            "room": f"{self.lecture_id}.main",
            "site": self.servers.site,
            "lecture": self.lecture_id,
            "cookies": self._cookies,
            "starts_at": self.starts_at,
            "until_s": self.pace.window_s + 3,
            "beat_s": self.pace.beat_s,
            "stays": [(n, asdict(self.audience.stays[n])) for n in numbers],
        }
        return json.dumps(order).encode() + b"\n"

    async def _kill(self, process: Process, numbers: list[int], second: float | None) -> None:
        if second is not None:
            await self.until(second)
            process.kill()
            at = CLOCK.now()
            # What it had written before is read first.
            await process.wait()
            await asyncio.sleep(0.1)
            self.diary.killed(numbers, at)

    async def until(self, second: float) -> None:
        """Wait for a moment of the lecture."""
        await asyncio.sleep(max(0.0, (self.starts_at - CLOCK.now()) / 1000 + second))

    async def broken(self, fault: Callable[[], Awaitable[None]]) -> None:
        """Do the fault at its time, and keep from when to when it lasted."""
        await self.until(self.pace.fault_at_s)
        began = CLOCK.now()
        await fault()
        self.fault = (began, CLOCK.now())

    async def verdicts(self) -> list[Verdict]:
        """When the lecture is over and the media server has told everything: each person."""
        await asyncio.gather(*self._tasks)
        await self._all_told()
        async with self._db.reading() as session:
            log = await attendance.log(session, Scope.everything(), self.lecture_id, CLOCK.now())
        await self._db.close()
        return self._judged(log)

    async def _all_told(self) -> None:
        """The room's end is the last that its queue tells."""
        async with asyncio.timeout(TOLD_WITHIN_S):
            while True:
                async with self._db.reading() as session:
                    if "room_finished" in await session.scalars(select(WebhookRow.event)):
                        return
                await asyncio.sleep(0.2)

    def _judged(self, log: AttendanceLog) -> list[Verdict]:
        vanished = {stay.seat for stay in self.audience.stays if stay.how == "vanishes"}
        return [
            Verdict(
                seat,
                true_s=self.diary.seconds(seat, self.window),
                credited_s=entry.credit.seconds,
                stated_s=entry.credit.uncertainty_s,
                slack_s=self.diary.slack_s(seat),
                vanished=seat in vanished,
                touched=self.diary.touched(seat, self.fault),
            )
            for entry in log.entries
            for seat in [entry.registration.seat]
        ]
