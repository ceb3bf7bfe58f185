"""A lecture that is over, with people whose attendance differs in every way that the review tells apart."""

from dataclasses import dataclass

from sqlalchemy import insert

from tests.build import (
    DAY,
    MINUTE,
    NINE,
    a_lecture,
    a_person,
    a_policy,
    a_registration,
    a_room,
    a_unit,
    an_institution,
)
from tests.integration.pages_world import stayed
from tests.site import RunningSite, Visitor
from webinar.core.ids import new_id
from webinar.evidence.tables import WebhookRow
from webinar.hours.tables import AdjustmentRow, ContestRow
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.tables import PersonRow, UnitRow

LATER = NINE + DAY // 2


@dataclass
class Reviewed:
    """Budi stayed, Siti left after 51 minutes, Agus was absent, Ani lectured, Dewi is doubtful."""

    site: RunningSite
    institution: UnitRow
    health: UnitRow
    organiser: PersonRow
    lecture: LectureRow
    seats: dict[str, RegistrationRow]
    people: dict[str, PersonRow]

    @property
    def path(self) -> str:
        return f"/lectures/{self.lecture.id}/attendance"

    async def ratna(self) -> Visitor:
        return await self.site.signed_in(self.organiser.id)

    async def adjusted(
        self, who: str, after_jp: int, *, reason: str = "Listrik padam", before_jp: int = 0
    ) -> None:
        """Somebody's value as an organiser changed it."""
        async with self.site.database.writing() as session:
            await session.execute(
                insert(AdjustmentRow).values(
                    id=new_id(),
                    institution_id=self.institution.id,
                    lecture_id=self.lecture.id,
                    registration_id=self.seats[who].id,
                    person_id=self.people[who].id,
                    before_jp=before_jp,
                    after_jp=after_jp,
                    reason=reason,
                    author_id=self.organiser.id,
                    at=LATER,
                    batch_id=new_id(),
                )
            )

    async def contested(self, who: str, text: str = "Saya hadir sampai selesai.") -> None:
        """Somebody does not agree."""
        async with self.site.database.writing() as session:
            await session.execute(
                insert(ContestRow).values(
                    id=new_id(),
                    institution_id=self.institution.id,
                    lecture_id=self.lecture.id,
                    registration_id=self.seats[who].id,
                    person_id=self.people[who].id,
                    text=text,
                    state="open",
                    jp=0,
                    opened_at=LATER,
                )
            )


async def a_review(site: RunningSite, *, state: str = "ended") -> Reviewed:
    """The people above, at half past nine in the evening of the day."""
    site.clock.at = LATER
    async with site.database.writing() as session:
        root = await an_institution(session)
        health = await a_unit(session, root, name="Dinas Kesehatan")
        school = await a_unit(session, root, name="Dinas Pendidikan")
        policy = await a_policy(session, root)
        organiser = await a_person(session, root, name="Ratna Dewi", role="organiser")
        over = {"ended_at": NINE + 90 * MINUTE} if state == "ended" else {}
        lecture = await a_lecture(session, root, policy=policy, state=state, **over)
        await a_room(session, lecture, state="closed", sid="RM_1")
        people = {
            "budi": await a_person(session, health, name="Budi Santoso", nip="198501122010011001"),
            "siti": await a_person(session, school, name="Siti Rahma", nip="198502122010012002"),
            "agus": await a_person(session, health, name="Agus Salim"),
            "ani": await a_person(session, school, name="Ani Yudhoyono"),
            "dewi": await a_person(session, health, name="Dewi Lestari"),
        }
        seats = {
            who: await a_registration(
                session, lecture, person, seat=who, role="lecturer" if who == "ani" else "participant"
            )
            for who, person in people.items()
        }
        await stayed(session, lecture, seats["budi"], NINE - 5 * MINUTE, NINE + 90 * MINUTE)
        await stayed(session, lecture, seats["ani"], NINE - 9 * MINUTE, NINE + 90 * MINUTE)
        await stayed(session, lecture, seats["siti"], NINE + MINUTE, NINE + 52 * MINUTE)
        await _vanished(session, lecture, seats["dewi"])
    return Reviewed(site, root, health, organiser, lecture, seats, people)


async def _vanished(session: object, lecture: LectureRow, seat: RegistrationRow) -> None:
    """In from nine on; the server noticed at 10.07.10 that nobody was there, which may be off by 20 s."""
    common = {
        "room_name": f"{lecture.id}.main",
        "room_sid": "RM_1",
        "participant_sid": "PA_gone",
        "identity": f"{seat.seat}.abcdefgh",
        "kind": "standard",
        "joined_at_ms": NINE,
        "body_sha256": "0" * 64,
    }
    left = NINE + 67 * MINUTE + 10_000
    for name, at, reason in (("joined", NINE, None), ("left", left, "CONNECTION_TIMEOUT")):
        await session.execute(  # type: ignore[attr-defined]
            insert(WebhookRow).values(
                event_id=f"{name}.{seat.id}",
                event=f"participant_{name}",
                created_at_s=at // 1000,
                received_at=at,
                reason=reason,
                **common,
            )
        )
