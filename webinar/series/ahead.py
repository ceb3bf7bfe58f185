"""Who would be told what by a change of all that follow, before anything is written.

What each edition would be is computed purely, and what its people lack then by the code that announces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Refused
from webinar.invites import owing
from webinar.invites import store as invites
from webinar.invites.news_rules import Forecast
from webinar.lectures import editing
from webinar.lectures import store as lecture_store
from webinar.lectures.booking import checked
from webinar.lectures.rules import Lecture, LectureState, Registration, Seat
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.people.rules import Person
from webinar.series import store
from webinar.series.changes import Intent
from webinar.series.rules import CANCELLED, LECTURERS, Edition, Fields, Series, of_lecture

# Seats that are looked at for one answer; of what is beyond it says so.
MOST_SEATS = 20_000
# Editions whose seats are read in one statement.
BATCH = 20


@dataclass(frozen=True, slots=True)
class Fate:
    """What an edition gets: `keeps` are fields that stay its own, `refused` why it stays as it is.

    `forecast` is None where its people were not counted.
    """

    number: int
    before: Lecture
    after: Lecture
    keeps: tuple[str, ...] = ()
    refused: Refused | None = None
    begun: bool = False
    # Others lecture.
    lecturers: bool = False
    forecast: Forecast | None = None

    @property
    def gets(self) -> str:
        """In one word: nothing, cancelled, new_time or changed."""
        if self.before == self.after and not self.lecturers:
            return "nothing"
        if self.after.state is LectureState.CANCELLED:
            return "cancelled"
        was, will = ((one.starts_at, one.ends_at) for one in (self.before, self.after))
        return "changed" if was == will else "new_time"


@dataclass(frozen=True, slots=True)
class Prospect:
    """The later editions in order, and of how many that change the people were not counted."""

    fates: tuple[Fate, ...] = ()
    uncounted: int = 0

    @property
    def forecasts(self) -> list[Forecast]:
        return [fate.forecast for fate in self.fates if fate.forecast is not None]


async def of_change(session: AsyncSession, intent: Intent, now: int) -> Prospect:
    """What the later editions of an intent get; those that stay as they are with the reason."""
    later = {one.edition.number: one for one in intent.later}
    behind = [
        one for one in await store.editions(session, intent.series.id) if one.number > intent.edition.number
    ]
    seats = await lecture_store.count_registrations(session, [one.lecture.id for one in behind])
    fates: list[Fate] = []
    faces: list[_Face] = []
    for one in behind if intent.following else ():
        asked = later.get(one.number)
        if asked is None:
            fates.append(Fate(one.number, one.lecture, one.lecture, begun=True))
            continue
        try:
            after = _edited(one.lecture, asked.taken, seats[one.lecture.id], now)
        except Refused as refused:
            fates.append(Fate(one.number, one.lecture, one.lecture, refused=refused))
            continue
        face = _Face(one, after, seats[one.lecture.id], asked.taken)
        fates.append(Fate(one.number, one.lecture, after, asked.keeps, lecturers=face.others_lecture))
        faces.append(face)
    return await _prospect(session, intent.series, fates, faces)


def _edited(lecture: Lecture, taken: Fields, registered: int, now: int) -> Lecture:
    """The lecture with fields of a series. Pure.

    Raises:
        Refused: it cannot be so.
    """
    if CANCELLED in taken:
        return lecture.after("cancel")
    booking = editing.as_booking(lecture, of_lecture(taken))
    after = editing.edited(lecture, booking, checked(booking, now), lecture.policy_version, now)
    if after.capacity != lecture.capacity:
        editing.enough_seats(after, registered)
    return after


async def of_cancel(session: AsyncSession, series: Series, number: int) -> Prospect:
    """What the editions behind a number get when they are called off with it."""
    behind = [one for one in await store.editions(session, series.id) if one.number > number]
    seats = await lecture_store.count_registrations(session, [one.lecture.id for one in behind])
    fates, faces = [], []
    for one in behind:
        if not one.changeable:
            fates.append(Fate(one.number, one.lecture, one.lecture, begun=True))
            continue
        after = one.lecture.after("cancel")
        fates.append(Fate(one.number, one.lecture, after))
        faces.append(_Face(one, after, seats[one.lecture.id], {}))
    return await _prospect(session, series, fates, faces)


@dataclass(frozen=True, slots=True)
class _Face:
    """An edition that changes: what it would be, how many have a seat, and what it takes over."""

    edition: Edition
    after: Lecture
    seats: int
    taken: Fields

    @property
    def others_lecture(self) -> bool:
        return LECTURERS in self.taken and sorted(self.taken[LECTURERS]) != sorted(self.edition.lecturer_ids)


async def _prospect(
    session: AsyncSession, series: Series, fates: Sequence[Fate], faces: Sequence[_Face]
) -> Prospect:
    found: dict[int, Forecast] = {}
    looked_at = 0
    for start in range(0, len(faces), BATCH):
        part = faces[start : start + BATCH]
        looked_at += sum(face.seats for face in part)
        if start and looked_at > MOST_SEATS:
            break
        found |= await _foreseen(session, series, part)
    return Prospect(
        tuple(replace(fate, forecast=found.get(fate.number)) for fate in fates), len(faces) - len(found)
    )


async def _foreseen(session: AsyncSession, series: Series, faces: Sequence[_Face]) -> dict[int, Forecast]:
    ids = [face.after.id for face in faces]
    all_seats = await lecture_store.registrations_of(session, ids)
    # In the order in which an invite names them.
    all_lecturers = await lecture_store.lecturers_of(session, ids)
    have = await invites.told(session, [seat.id for seats in all_seats.values() for seat in seats])
    wanted = {person for face in faces if face.others_lecture for person in face.taken[LECTURERS]}
    persons = await people.persons_by_ids(session, Scope.system(series.institution_id), wanted)
    found = {}
    for face in faces:
        seats: Sequence[Registration] = all_seats[face.after.id]
        lecturers: Sequence[Registration] = all_lecturers[face.after.id]
        if face.others_lecture:
            lecturing = [persons[ident] for ident in face.taken[LECTURERS] if ident in persons]
            seats = _held_by(lecturing, seats, face.after)
            lecturers = [seat for seat in seats if seat.active and seat.role is Seat.LECTURER]
        lacking = owing.lacking(face.after, lecturers, seats, have, owing.NO_DOMAIN)
        found[face.edition.number] = owing.foreseen(lacking)
    return found


def _held_by(
    lecturing: Sequence[Person], seats: Sequence[Registration], lecture: Lecture
) -> list[Registration]:
    """The seats as they are when these people lecture, lecturers first, then by name. Pure."""
    wanted = {person.id for person in lecturing}
    found = [_taken_by(seat, wanted) for seat in seats]
    have = {seat.person_id for seat in seats}
    found += [_new_seat(person, lecture) for person in lecturing if person.id not in have]
    return sorted(found, key=lambda seat: (seat.role, seat.name.casefold()))


def _taken_by(seat: Registration, wanted: set[str]) -> Registration:
    if seat.person_id in wanted:
        generation = seat.link_generation if seat.active else seat.link_generation + 1
        return replace(seat, state="registered", role=Seat.LECTURER, link_generation=generation)
    return replace(seat, state="cancelled") if seat.role is Seat.LECTURER else seat


def _new_seat(person: Person, lecture: Lecture) -> Registration:
    return Registration(
        id=f"{lecture.id}.{person.id}",
        institution_id=person.institution_id,
        lecture_id=lecture.id,
        person_id=person.id,
        role=Seat.LECTURER,
        seat="",
        state="registered",
        link_generation=1,
        removed_at=None,
        removed_reason=None,
        name=person.name,
        email=person.email,
        unit_name=person.unit_name,
        language=person.language,
        zone=person.zone,
    )
