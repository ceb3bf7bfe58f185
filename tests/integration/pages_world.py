"""An institution with lectures in every state and people in each role, for the tests of pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import (
    DAY,
    MINUTE,
    NINE,
    a_lecture,
    a_person,
    a_policy,
    a_registration,
    a_role,
    a_room,
    a_unit,
    an_institution,
)
from tests.site import RunningSite, Visitor
from webinar.evidence.tables import WebhookRow
from webinar.hours import service as hours
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.tables import PersonRow, UnitRow
from webinar.policies.tables import PolicyRow


@dataclass
class World:
    site: RunningSite
    institution: UnitRow
    policy: PolicyRow
    organiser: PersonRow
    lecturer: PersonRow
    participant: PersonRow
    manager: PersonRow
    lectures: dict[str, LectureRow]

    async def as_(self, who: str) -> Visitor:
        """organiser, lecturer, participant or manager, signed in."""
        return await self.site.signed_in(getattr(self, who).id)

    def path(self, state: str, *more: str) -> str:
        return "/".join(["/lectures", self.lectures[state].id, *more])


async def a_world(site: RunningSite, *, name: str = "Siti Rahma", title: str = "Arsip digital") -> World:
    """A lecture in each state; the participant and the lecturer have a seat in all of them."""
    async with site.database.writing() as session:
        root = await an_institution(session, name=name)
        unit = await a_unit(session, root, name=name)
        policy = await a_policy(session, root, name=name)
        organiser = await a_person(session, root, name=name, email="ratna@example.test", role="organiser")
        lecturer = await a_person(session, root, name=name, email="maya@example.test")
        participant = await a_person(session, unit, name=name, email="siti@example.test")
        manager = await a_person(session, unit, name=name, email="budi@example.test")
        await a_role(session, manager, unit, role="unit_manager")
        made = {}
        for days, state in enumerate(("scheduled", "open", "live", "ended", "cancelled", "final")):
            over = state in {"ended", "cancelled", "final"}
            starts_at = NINE + 7 * MINUTE + (-1 if over else 1) * days * DAY
            made[state] = await a_booked(
                session, root, policy, lecturer, participant, state=state, starts_at=starts_at, title=title
            )
    return World(site, root, policy, organiser, lecturer, participant, manager, made)


async def a_booked(
    session: AsyncSession,
    unit: UnitRow,
    policy: PolicyRow,
    lecturer: PersonRow,
    *participants: PersonRow,
    state: str = "scheduled",
    **more: Any,
) -> LectureRow:
    """A lecture with seats; one that has begun has evidence, one that is final has hours."""
    fields = {"description": more.get("title", "")} | more
    over = {"ended_at": fields["starts_at"] + 90 * MINUTE} if state in {"ended", "final"} else {}
    stored = "ended" if state == "final" else state
    lecture = await a_lecture(session, unit, policy=policy, state=stored, recorded=True, **over, **fields)
    await a_room(session, lecture, state="closed" if over else "open", sid="RM_1")
    seats = [await a_registration(session, lecture, lecturer, role="lecturer")]
    seats += [await a_registration(session, lecture, person) for person in participants]
    if state in {"live", "ended", "final"}:
        for seat in seats:
            await stayed(session, lecture, seat, lecture.starts_at, lecture.ends_at)
    if state == "final":
        full = await lectures.find(session, lecture.id)
        assert full is not None
        await hours.settle(session, full, NINE)
        await lecture_service.finalised(session, full, NINE)
    return lecture


async def stayed(
    session: AsyncSession, lecture: LectureRow, seat: RegistrationRow, start: int, end: int
) -> None:
    """What the media server says of somebody who came and left."""
    for name, at in (("participant_joined", start), ("participant_left", end)):
        await session.execute(
            insert(WebhookRow).values(
                event_id=f"{name}.{seat.id}.{start}",
                event=name,
                room_name=f"{lecture.id}.main",
                room_sid="RM_1",
                participant_sid=f"PA_{seat.id[:8]}_{start}",
                identity=f"{seat.seat}.abcdefgh",
                kind="standard",
                joined_at_ms=start,
                created_at_s=at // 1000,
                reason="CLIENT_INITIATED" if name == "participant_left" else None,
                received_at=at,
                body_sha256="0" * 64,
            )
        )


@contextmanager
def statements(site: RunningSite) -> Iterator[list[str]]:
    """The SQL of the block."""
    seen: list[str] = []

    def noted(_c: Any, _u: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(site.database.engine.sync_engine, "before_cursor_execute", noted)
    try:
        yield seen
    finally:
        event.remove(site.database.engine.sync_engine, "before_cursor_execute", noted)
