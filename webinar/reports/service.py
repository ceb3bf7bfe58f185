"""Reports that take long: asked for, made in the background, fetched within a week, then forgotten.

One effect does it all: it makes the file, comes back when its time is over, and removes it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Again, Done, Outcome
from webinar.core.effects_rules import Effect, EffectState
from webinar.core.errors import NotFound, Refused
from webinar.core.ids import new_id
from webinar.core.language import chosen
from webinar.lectures import store as lectures
from webinar.people.access import Scope, scope_of
from webinar.reports import collect, files, store, unit_file, unit_service
from webinar.reports.files import File
from webinar.reports.rules import BUSY, KEPT_MS, WAITING_MOST, Report, ReportState, Wish, after

PROGRESS_S = 1.0

log = structlog.get_logger()


class TooManyReports(Refused):
    code = "too_many_reports"
    status = 409
    message = "Several of your files are still being made. Wait until they are ready."


def effect_key(report_id: str) -> str:
    return f"report:{report_id}"


async def ask(session: AsyncSession, scope: Scope, wish: Wish, now: int) -> Report:
    """Owe a file about something that the scope manages.

    Raises:
        NotFound: it does not.
        TooManyReports: as long as others of this person are not made.
    """
    total = await _rows(session, scope, wish)
    if await store.unfinished(session, scope.person_id) >= WAITING_MOST:
        raise TooManyReports
    report = Report(
        new_id(), scope.institution_id, wish, scope.person_id, ReportState.WANTED, 0, total, "", now, None,
        now + KEPT_MS,
    )  # fmt: skip
    await store.add(session, report)
    await effects.owe(
        session,
        kind="report",
        key=effect_key(report.id),
        subject=f"report:{report.id}",
        due_at=now,
        now=now,
        payload={"report": report.id},
    )
    return report


async def get(session: AsyncSession, scope: Scope, report_id: str) -> Report:
    """One's own report, as long as one manages what it is about. One that nobody makes any more has failed.

    Raises:
        NotFound: somebody else's, or the right to it has ended.
    """
    report = await store.get(session, scope, report_id)
    await _rows(session, scope, report.wish)
    return await _as_it_stands(session, report)


async def fetch(session: AsyncSession, scope: Scope, report_id: str, now: int) -> File:
    """The file.

    Raises:
        NotFound: it is not there yet, its time is over, or it is not the scope's.
    """
    report = await get(session, scope, report_id)
    if report.state is not ReportState.READY or report.expires_at <= now:
        raise NotFound
    return File(report.file_name, report.wish.kind, await store.content(session, report_id))


async def _rows(session: AsyncSession, scope: Scope, wish: Wish) -> int:
    """How many rows it has, for those who may have it. Raises NotFound for others."""
    if wish.lecture_id is None:
        return await unit_service.count(session, scope, wish.unit_id)
    await lectures.get(session, scope, wish.lecture_id, to_change=True)
    return await collect.count(session, wish.lecture_id)


async def _as_it_stands(session: AsyncSession, report: Report) -> Report:
    if report.state not in BUSY:
        return report
    owed = await effects.about(session, f"report:{report.id}")
    if any(one.state is EffectState.PARKED for one in owed):
        return _moved(report, "fail")
    return report


def _moved(report: Report, move: str) -> Report:
    return replace(report, state=after(report.state, move))


class ReportMaker:
    """The handler of effects of kind `report`."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def make_report(self, effect: Effect) -> Outcome:
        report_id = str(effect.payload["report"])
        async with self._db.reading() as session:
            report = await store.find(session, report_id)
        if report is None:
            return Done()
        if report.expires_at <= self._clock.now():
            return Done(lambda session: store.remove(session, report_id))
        if report.state not in BUSY:
            return Again(report.expires_at)
        return await self._made(report)

    async def _made(self, report: Report) -> Outcome:
        begun = _moved(report, "begin")
        async with self._db.writing() as session:
            await store.change(session, report.id, state=begun.state.value, done=0)
        try:
            file = await self._file(begun)
        except DatabaseAway:
            raise
        except Exception as error:
            # The same list fails the same way again: it is shown as failed, and can be asked for anew.
            log.exception("report_failed", report=report.id, kind=report.wish.kind.value, error=repr(error))
            failed = {"state": _moved(begun, "fail").state.value, "finished_at": self._clock.now()}
            return Again(report.expires_at, lambda session: store.change(session, report.id, **failed))
        ready = {
            "state": _moved(begun, "complete").state.value,
            "content": file.content,
            "file_name": file.name,
            "done": report.total,
            "finished_at": self._clock.now(),
        }
        return Again(report.expires_at, lambda session: store.change(session, report.id, **ready))

    async def _file(self, report: Report) -> File:
        """Made with the rights that the asker has now."""
        if report.asked_by is None:
            raise NotFound
        make = await self._read(report.wish, report.asked_by)
        done = [0]
        async with self._telling(report.id, done):
            return await make(lambda rows: done.__setitem__(0, rows))

    async def _read(self, wish: Wish, asker: str) -> Callable[[files.Tell], Awaitable[File]]:
        """Read what the file says; the answer makes it, without the database."""
        now, language = self._clock.now(), chosen(wish.language)
        async with self._db.reading() as session:
            scope = await scope_of(session, asker)
            if wish.lecture_id is None:
                unit = await unit_service.unit_hours(session, scope, wish.unit_id, wish.year or None, now)
                people = await unit_service.everybody(session, scope, unit)
                return lambda tell: unit_file.unit_file(unit, people, wish.kind, language, tell)
            listed = await collect.attendance_list(session, scope, wish.lecture_id, now, unit_id=wish.unit_id)
            return lambda tell: files.attendance_file(listed, wish.kind, language, tell)

    @asynccontextmanager
    async def _telling(self, report_id: str, done: list[int]) -> AsyncIterator[None]:
        """Writes down every second how far it is."""

        async def tell() -> None:
            told = 0
            while True:
                await asyncio.sleep(PROGRESS_S)
                if done[0] != told:
                    told = done[0]
                    async with self._db.writing() as session:
                        await store.change(session, report_id, done=told)

        task = asyncio.create_task(tell(), name=f"report-progress-{report_id}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
