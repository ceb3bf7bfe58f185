"""A lecture that is over, with people in it whose webhooks a test writes."""

from dataclasses import dataclass

import pytest
from sqlalchemy import insert, update

from tests.build import MINUTE, NINE, a_lecture, a_person, a_registration, a_room, an_institution
from webinar.attendance import service
from webinar.attendance.log_rules import AttendanceLog
from webinar.core.database import Database
from webinar.evidence.tables import WebhookRow
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.access import Scope
from webinar.people.tables import PersonRow

EVERYTHING = Scope.everything()


@dataclass
class Scene:
    """A lecture at nine with people in it; `told` writes a webhook of one of them."""

    db: Database
    lecture: LectureRow
    seats: dict[str, RegistrationRow]
    people: dict[str, PersonRow]
    events: int = 0

    @property
    def room(self) -> str:
        return f"{self.lecture.id}.main"

    async def told(
        self,
        what: str,
        seat: str,
        at: int,
        *,
        born: int = NINE,
        sid: str = "",
        reason: str = "CLIENT_INITIATED",
    ) -> None:
        self.events += 1
        async with self.db.writing() as session:
            await session.execute(
                insert(WebhookRow).values(
                    event_id=f"EV_{self.events}",
                    event=what,
                    room_name=self.room,
                    room_sid="RM_1",
                    participant_sid=sid or f"PA_{seat}",
                    identity=f"{seat}.tab",
                    kind="standard",
                    joined_at_ms=born,
                    created_at_s=at // 1000,
                    reason=reason if what == "participant_left" else None,
                    received_at=at,
                    body_sha256="0" * 64,
                )
            )

    async def stayed(self, seat: str, start: int, end: int, sid: str = "") -> None:
        await self.told("participant_joined", seat, start, born=start, sid=sid)
        await self.told("participant_left", seat, end, born=start, sid=sid)

    async def log(self, now: int) -> AttendanceLog:
        async with self.db.reading() as session:
            return await service.log(session, EVERYTHING, self.lecture.id, now)

    async def finalise(self, now: int) -> None:
        async with self.db.writing() as session:
            lecture = await lectures.get(session, EVERYTHING, self.lecture.id)
            await service.finalise(session, lecture, now)
            await session.execute(
                update(LectureRow).where(LectureRow.id == lecture.id).values(state="final", final_at=now)
            )


@pytest.fixture
async def scene(database: Database) -> Scene:
    async with database.writing() as session:
        unit = await an_institution(session)
        lecture = await a_lecture(session, unit, state="ended", ended_at=NINE + 90 * MINUTE)
        await a_room(session, lecture, state="closed")
        names = {"budi": "Budi Santoso", "siti": "Siti Rahma", "agus": "=Agus", "ani": "Ani"}
        roles = {"ani": "lecturer"}
        people = {seat: await a_person(session, unit, name=name) for seat, name in names.items()}
        seats = {
            seat: await a_registration(
                session, lecture, person, seat=seat, role=roles.get(seat, "participant")
            )
            for seat, person in people.items()
        }
    return Scene(database, lecture, seats, people)
