"""One lecture of a seed, with everything around it: people, processes, media server, database, faults."""

import asyncio
import contextlib
from contextvars import Context
from pathlib import Path
from random import Random
from typing import Any

from tests.build import MINUTE, NINE, a_lecture, a_person, a_policy, a_registration, an_institution
from tests.simulation.disk import Disk
from tests.simulation.ground import ALWAYS, Trace, quiet
from tests.simulation.people import KEY, SECRET, Device, Seat
from tests.simulation.processes import (
    Hooks,
    Process,
    Scheduler,
    Web,
    WorldClock,
    handle,
    lay_out,
    owned_task,
    put_away,
    wind_up,
)
from tests.simulation.scenario import Fault, Scenario
from tests.simulation.truth import Truth
from webinar.core.audit import SYSTEM
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.lectures import service, store
from webinar.lectures.rules import LectureState, main_room_name
from webinar.media.notifier import MAX_AGE_S, MAX_DEPTH, Notifier
from webinar.media.signing import signed
from webinar.media.simulator import MediaSimulator, Timing
from webinar.media.webhook import WebhookEvent

LEAD_MS = 5_000
PATIENCE_MS = 5 * MINUTE
LOOK_MS = 5_000
AFTERWARDS_S = 16


class World:
    """Runs a scenario; afterwards `database` shows what the service made of it, and `truth` what happened."""

    database: Database

    def __init__(self, scenario: Scenario, folder: Path, trace: Trace) -> None:
        self.scenario = scenario
        self.trace = trace
        self.truth = Truth()
        self.starts_at = NINE
        self.ends_at = NINE + scenario.window_ms
        self.trouble: list[str] = []
        self.seats: dict[int, str] = {}
        self.registrations: dict[int, str] = {}
        self.persons: dict[int, str] = {}
        self.lecture_id = new_id()
        self.room = main_room_name(self.lecture_id)
        self._loop = asyncio.get_running_loop()
        self._loop.set_task_factory(owned_task)  # type: ignore[arg-type]
        self._begin = NINE - scenario.opens_before_ms - LEAD_MS
        self._zero = self._loop.time()
        self.clock = WorldClock(self._now)
        self.disk = Disk(folder / "simulated.db", self._now)
        self._network = self._random("network")
        timing = self._random("media")
        self._media_clock = WorldClock(self._now)
        self.media = MediaSimulator(
            self._media_clock,
            KEY,
            SECRET,
            self._notifier(),
            timing=lambda: Timing(
                timing.uniform(0.04, 0.4), timing.uniform(19, 22), empty_s=300, departure_s=120
            ),
            on_out=self._put_out,
        )
        self.media.list_age_s = scenario.list_age_ms / 1000
        self.web, self.hooks, self.scheduler = (
            Web(*self._parts("web")),
            Hooks(*self._parts("hooks")),
            Scheduler(*self._parts("scheduler")),
        )
        self.hooks.keys = {KEY: SECRET}
        self.scheduler.media = self.media
        self.processes: dict[str, Process] = {p.name: p for p in (self.web, self.hooks, self.scheduler)}
        self.devices: list[Device] = []
        self._late_ones: list[asyncio.Task[None]] = []

    def _now(self) -> int:
        return self._begin + int((self._loop.time() - self._zero) * 1000 + 0.001)

    def _random(self, part: str) -> Random:
        return Random(f"{self.scenario.seed}:{part}")

    def _parts(self, name: str) -> tuple[str, Disk, WorldClock, Random, Any]:
        return name, self.disk, WorldClock(self._now), self._random(name), self.note

    def _notifier(self) -> Notifier:
        if self.scenario.patient_notifier:
            return Notifier(self._deliver, max_depth=50_000, max_age_s=600)
        return Notifier(self._deliver, max_depth=MAX_DEPTH, max_age_s=MAX_AGE_S)

    def note(self, what: str, *details: object) -> None:
        self.trace.note(self._now(), what, *details)

    # The whole life.

    async def run(self) -> None:
        with quiet(self.trouble):
            await lay_out(self.disk, ALWAYS)
            self.database = handle("own", self.disk, ALWAYS)
            await self._book()
            for process in self.processes.values():
                process.start()
            lives = [asyncio.create_task(device.live()) for device in self.devices]
            for fault in self.scenario.faults:
                self._at(fault.at, self._breaks, fault)
            if self.scenario.ends_early_at is not None:
                lives.append(asyncio.create_task(self._end_early(self.scenario.ends_early_at)))
            await self._until_final()
            self.trouble += wind_up(lives, self.processes.values(), self.disk)

    def close(self) -> None:
        """Nothing of this world is used after it."""
        put_away(self.disk, self.database, self.processes.values())

    async def _book(self) -> None:
        plan = self.scenario
        async with self.database.writing() as session:
            unit = await an_institution(session, id=new_id())
            policy = await a_policy(
                session, unit, kind=plan.kind, threshold_percent=plan.percent,
                minutes_per_jp=plan.minutes_per_jp, tolerance_s=plan.tolerance_s, grace_s=plan.grace_s,
                quiet_period_s=plan.quiet_ms // 1000,
            )  # fmt: skip
            lecture = await a_lecture(
                session, unit, id=self.lecture_id, policy=policy, ends_at=self.ends_at, jp=plan.jp,
                open_before_s=plan.opens_before_ms // 1000, overrun_s=plan.overrun_ms // 1000,
            )  # fmt: skip
            for number, somebody in enumerate(plan.people):
                seat, registration_id = f"seat{number:04d}", None
                if somebody.kind != "stranger":
                    person = await a_person(session, unit)
                    row = await a_registration(session, lecture, person, seat=seat)
                    registration_id = self.registrations[number] = row.id
                    self.persons[number] = person.id
                self.seats[number] = seat
                whose = Seat(
                    number, seat, registration_id, self.lecture_id, somebody.goodbye, somebody.rejoins
                )
                for tab, script in enumerate(somebody.devices):
                    chance = self._random(f"device:{number}:{tab}")
                    self.devices.append(Device(self, whose, f"tab{tab:05d}", script, chance))
            await service.owe_reconciling(session, self.lecture_id, self._now())

    async def _until_final(self) -> None:
        plan = self.scenario
        # A media server that is away at the end has its room closed when it is back.
        calm_at = self.starts_at + max((fault.at + fault.lasts for fault in plan.faults), default=0)
        done_at = max(self.ends_at + plan.overrun_ms + plan.quiet_ms, calm_at)
        latest = done_at + PATIENCE_MS
        await asyncio.sleep((min(done_at, latest) - self._now()) / 1000)
        while self._now() < latest:
            async with self.database.reading() as session:
                lecture = await store.find(session, self.lecture_id)
            if lecture is not None and lecture.state is LectureState.FINAL:
                # What the scheduler did last is written back, by whoever comes after it if it died.
                await asyncio.sleep(AFTERWARDS_S)
                return
            await asyncio.sleep(LOOK_MS / 1000)

    async def _end_early(self, at: int) -> None:
        """A host ends the lecture before its time; the official window stays."""
        await asyncio.sleep((self.starts_at + at - self._now()) / 1000)
        while True:
            with contextlib.suppress(Exception):
                async with self.database.writing() as session:
                    lecture = await store.find(session, self.lecture_id)
                    if lecture is not None and lecture.state is LectureState.LIVE:
                        await service.end_now(session, lecture, self._now(), SYSTEM)
                        self.note("ended by hand")
                    return
            await asyncio.sleep(2)

    # What goes over the network.

    async def _deliver(self, event: WebhookEvent) -> int:
        plan, chance = self.scenario, self._network
        await asyncio.sleep(chance.uniform(0.001, 0.01))
        if chance.random() < plan.loses:
            self.note("lost", event.event, event.event_id)
            return 200
        if chance.random() < plan.delays:
            self._loop.call_later(chance.uniform(1, 45), self._late, event, context=Context())
            return 200
        if chance.random() < plan.doubles:
            self._loop.call_later(chance.uniform(0.001, 30), self._late, event, context=Context())
        return await self._post(event)

    def _late(self, event: WebhookEvent) -> None:
        task = self._loop.create_task(self._post_later(event), context=Context())
        self._late_ones.append(task)

    async def _post_later(self, event: WebhookEvent) -> None:
        with contextlib.suppress(OSError):
            await self._post(event)

    async def _post(self, event: WebhookEvent) -> int:
        status = await self.hooks.post(*signed(event, KEY, SECRET, self._media_clock.now()))
        self.note("hook", event.event, event.event_id, status)
        return status

    def _put_out(self, sid: str, reason: str) -> None:
        for device in self.devices:
            device.was_put_out(sid, reason)

    # What breaks.

    def _at(self, at: int, deed: Any, *arguments: Any) -> None:
        wait_s = (self.starts_at + at - self._now()) / 1000
        self._loop.call_later(max(0.0, wait_s), deed, *arguments, context=Context())

    def _breaks(self, fault: Fault) -> None:
        self.note("fault", fault.what, fault.whom, fault.lasts, fault.size)
        lasts_s = fault.lasts / 1000
        match fault.whom, fault.what:
            case "media", "crash" | "terminate":
                getattr(self.media, fault.what)()
                self._loop.call_later(lasts_s, self.media.come_back, context=Context())
            case "database", "away" | "crash":
                if fault.what == "crash":
                    self.disk.crash()
                self.disk.away = True
                self._loop.call_later(lasts_s, setattr, self.disk, "away", False, context=Context())
            case "media", "clock":
                self._media_clock.ahead += fault.size
            case whom, "clock":
                self.processes[whom].clock.ahead += fault.size
            case whom, "kill":
                self.processes[whom].kill_in(fault.size, lasts_s)
