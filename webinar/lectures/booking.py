"""Booking, rescheduling, and who is registered."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.audit import Actor
from webinar.core.database import insert_into
from webinar.core.errors import FieldError, Forbidden, IllegalMove, Invalid, NotFound, Refused
from webinar.core.ids import is_id, new_id
from webinar.lectures import service, store
from webinar.lectures.rules import (
    MOST_JP,
    Lecture,
    LectureState,
    Registration,
    Seat,
    Times,
    agreed_times,
    link_digest,
    link_token,
    wall_of,
)
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people import store as people
from webinar.people.access import Role, Scope
from webinar.people.rules import has_controls
from webinar.people.tables import PersonRow, UnitRow
from webinar.policies import store as policies
from webinar.policies.rules import Policy

BATCH = 500
TRIAL_MS = 60 * 60_000
_LINE_ENDS = re.compile(r"[\r\n\t]")
# What is called off or settled takes no more people.
CLOSED = frozenset({LectureState.CANCELLED, LectureState.FINAL, LectureState.ARCHIVED})


class LectureFull(Refused):
    code = "full"
    status = 409
    message = "All seats of this lecture are taken."


@dataclass(frozen=True, slots=True)
class Booking:
    """What an organiser says of a lecture. `jp` in hundredths; wall times in `zone`.

    `id` is chosen by the form, so that a double click books once.
    """

    id: str
    unit_id: str
    title: str
    description: str
    starts_wall: str
    ends_wall: str
    zone: str
    jp: int
    policy_id: str
    recorded: bool
    lecturer_ids: tuple[str, ...]
    capacity: int | None = None
    open_before_s: int = 900
    overrun_s: int = 600
    live_by: str = "schedule"
    empty_after_s: int | None = None
    empty_early: bool = False


def checked(booking: Booking, now: int) -> Times:
    """Every error at once, each at its field.

    Raises:
        Invalid: see above.
    """
    errors: list[FieldError] = []

    def wrong(field: str, message: str, **fields: object) -> None:
        errors.append(FieldError(field, message, fields))

    if not booking.title.strip():
        wrong("title", "A lecture needs a title.")
    if has_controls(booking.title):
        wrong("title", "There are characters in it that cannot be shown.")
    if len(booking.title) > 200:
        wrong("title", "At most %(most)s characters.", most=200)
    if has_controls(_LINE_ENDS.sub(" ", booking.description)):
        wrong("description", "There are characters in it that cannot be shown.")
    if len(booking.description) > 10_000:
        wrong("description", "At most %(most)s characters.", most=10_000)
    if not 0 <= booking.jp <= MOST_JP:
        wrong("jp", "JP is a number from 0 to %(most)s.", most=MOST_JP // 100)
    if booking.capacity is not None and not 1 <= booking.capacity <= 100_000:
        wrong("capacity", "The number of seats is from 1 to %(most)s.", most=100_000)
    if not 0 <= booking.open_before_s <= 7_200:
        wrong("open_before_s", "The room opens at most %(most)s minutes before the start.", most=120)
    if not 0 <= booking.overrun_s <= 7_200:
        wrong("overrun_s", "A lecture may overrun by at most %(most)s minutes.", most=120)
    if booking.empty_after_s is not None and not 120 <= booking.empty_after_s <= 7_200:
        wrong("empty_after_s", "An empty room stays for %(least)s to %(most)s minutes.", least=2, most=120)
    times = None
    try:
        times = agreed_times(booking.starts_wall, booking.ends_wall, booking.zone)
    except Invalid as invalid:
        errors.extend(invalid.errors)
    if times and times.ends_at <= now:
        wrong("starts_wall", "This time is already past. Choose one that lies ahead.")
    if errors or times is None:
        raise Invalid(errors)
    return times


async def book(
    session: AsyncSession, scope: Scope, booking: Booking, *, now: int, actor: Actor, link_key: bytes
) -> Lecture:
    """Book a lecture with its lecturers; what happens by itself is owed from here on.

    Raises:
        Invalid, NotFound (the unit or a lecturer is not the scope's), Forbidden.
    """
    times = checked(booking, now)
    unit = await unit_to_book_in(session, scope, booking.unit_id)
    again = await store.find(session, booking.id)
    if again is not None:
        return again
    lecturers = await persons(session, unit.institution_id, booking.lecturer_ids)
    if len(lecturers) != len(set(booking.lecturer_ids)):
        raise Invalid.at("lecturer", "This person does not exist.")
    policy = await pinned(session, unit.institution_id, booking.policy_id, now)
    lecture = await _insert(session, booking, times, unit.institution_id, policy, now=now, actor=actor)
    await register(
        session, lecture, booking.lecturer_ids, role=Seat.LECTURER, now=now, actor=actor, link_key=link_key
    )
    await service.note(session, lecture, "booked", now=now, actor=actor)
    await service.owe_reconciling(session, lecture.id, now)
    return lecture


async def try_room(
    session: AsyncSession, scope: Scope, *, now: int, actor: Actor, link_key: bytes, zone: str, title: str
) -> Lecture:
    """A room that opens at once, for whoever asks, to see how it works: no invites and no hours."""
    if scope.person_id is None:
        raise Forbidden
    person = (await session.execute(select(PersonRow).where(PersonRow.id == scope.person_id))).scalar_one()
    policy = await pinned(session, person.institution_id, "", now)
    booking = Booking(
        id=new_id(),
        unit_id=person.unit_id,
        title=title,
        description="",
        starts_wall=wall_of(now, zone),
        ends_wall=wall_of(now + TRIAL_MS, zone),
        zone=zone,
        jp=0,
        policy_id=policy.id,
        recorded=False,
        lecturer_ids=(person.id,),
        open_before_s=0,
        overrun_s=0,
    )
    times = Times(booking.starts_wall, booking.ends_wall, zone, now, now + TRIAL_MS)
    lecture = await _insert(
        session, booking, times, person.institution_id, policy, now=now, actor=actor, trial=True
    )
    await register(session, lecture, [person.id], role=Seat.LECTURER, now=now, actor=actor, link_key=link_key)
    await service.owe_reconciling(session, lecture.id, now)
    return lecture


async def pinned(session: AsyncSession, institution_id: str, policy_id: str, now: int) -> Policy:
    """The newest version of a policy; the institution's first one for an empty id."""
    if not policy_id:
        return await policies.default_for(session, institution_id) or await policies.create_default(
            session, institution_id, now=now
        )
    scope = Scope.system(institution_id)
    for policy in await policies.current(session, scope):
        if policy.id == policy_id:
            return policy
    raise Invalid.at("policy_id", "Choose an attendance policy.")


async def unit_to_book_in(session: AsyncSession, scope: Scope, unit_id: str) -> UnitRow:
    unit = (await session.execute(select(UnitRow).where(UnitRow.id == unit_id))).scalar_one_or_none()
    if unit is None or unit.institution_id != scope.institution_id:
        raise Invalid.at("unit_id", "Choose a unit.")
    if not (scope.reaches(Role.ORGANISER, unit.path) or scope.reaches(Role.ADMINISTRATOR, unit.path)):
        raise Forbidden
    return unit


async def persons(session: AsyncSession, institution_id: str, ids: Sequence[str]) -> list[PersonRow]:
    rows = await session.execute(
        select(PersonRow).where(PersonRow.id.in_(ids), PersonRow.institution_id == institution_id)
    )
    return list(rows.scalars())


async def _insert(
    session: AsyncSession,
    booking: Booking,
    times: Times,
    institution_id: str,
    policy: Policy,
    *,
    now: int,
    actor: Actor,
    trial: bool = False,
) -> Lecture:
    if not is_id(booking.id):
        raise Invalid.at("id", "This form is broken. Open it again.")
    session.add(new_row(booking, times, institution_id, policy, now=now, actor=actor, trial=trial))
    await session.flush()
    lecture = await store.find(session, booking.id)
    if lecture is None:
        raise NotFound
    return lecture


def new_row(
    booking: Booking,
    times: Times,
    institution_id: str,
    policy: Policy,
    *,
    now: int,
    actor: Actor,
    trial: bool = False,
) -> LectureRow:
    """A lecture as it is when it is booked."""
    return LectureRow(
        id=booking.id,
        institution_id=institution_id,
        unit_id=booking.unit_id,
        title=booking.title.strip(),
        description=booking.description.strip(),
        starts_wall=times.starts_wall,
        ends_wall=times.ends_wall,
        zone=times.zone,
        starts_at=times.starts_at,
        ends_at=times.ends_at,
        jp=booking.jp,
        policy_id=policy.id,
        policy_version=policy.version,
        recorded=booking.recorded,
        capacity=booking.capacity,
        state=LectureState.SCHEDULED.value,
        open_before_s=booking.open_before_s,
        overrun_s=booking.overrun_s,
        live_by=booking.live_by,
        empty_after_s=booking.empty_after_s,
        empty_early=booking.empty_early,
        closes_at=times.ends_at,
        trial=trial,
        sequence=0,
        version=1,
        created_by=actor.id,
        created_at=now,
        updated_at=now,
    )


# --- registration ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Registered:
    """How many were added, and how many had a seat already."""

    added: int
    already: int


async def register(
    session: AsyncSession,
    lecture: Lecture,
    person_ids: Sequence[str],
    *,
    role: Seat = Seat.PARTICIPANT,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> Registered:
    """Give people seats; those who have one keep it, a cancelled one comes back.

    Raises:
        LectureFull: more people than seats; nobody was added.
        Invalid: somebody is not of this institution.
        IllegalMove: it is called off or settled.
    """
    if lecture.state in CLOSED and role is not Seat.ORGANISER:
        raise IllegalMove(state=lecture.state.value, move="register")
    wanted = list(dict.fromkeys(person_ids))
    if not wanted:
        return Registered(0, 0)
    # Two organisers who fill the last seats at once queue here, so that the count below is true.
    await store.lock(session, lecture.id)
    have: dict[str, Registration] = {}
    for start in range(0, len(wanted), BATCH):
        seats = await store.seats_of_persons(session, lecture.id, wanted[start : start + BATCH])
        have |= {seat.person_id: seat for seat in seats}
    fresh = [p for p in wanted if p not in have]
    back = [have[p] for p in wanted if p in have and not have[p].active]
    if role is Seat.PARTICIPANT and lecture.capacity is not None:
        taken = (await store.count_registrations(session, [lecture.id]))[lecture.id]
        if taken + len(fresh) + len(back) > lecture.capacity:
            raise LectureFull
    known = 0
    for start in range(0, len(fresh), BATCH):
        known += len(await persons(session, lecture.institution_id, fresh[start : start + BATCH]))
    if known != len(fresh):
        raise Invalid.at("persons", "A person on the list does not exist.")
    added = await _insert_seats(session, lecture, fresh, role, now, link_key)
    for seat in back:
        await _seat_again(session, seat, role, link_key)
    if added or back:
        await service.note(
            session, lecture, "registered", now=now, actor=actor, count=added + len(back), role=role.value
        )
        await service.owe_announcing(session, lecture, now)
    return Registered(added + len(back), len(wanted) - added - len(back))


async def _insert_seats(
    session: AsyncSession, lecture: Lecture, persons: Sequence[str], role: Seat, now: int, link_key: bytes
) -> int:
    added = 0
    for start in range(0, len(persons), BATCH):
        rows = [
            new_seat(lecture.institution_id, lecture.id, person_id, role, now, link_key)
            for person_id in persons[start : start + BATCH]
        ]
        # Two organisers may register the same person at once: the unique constraint decides, quietly.
        statement = (
            insert_into(session, RegistrationRow)
            .values(rows)
            .on_conflict_do_nothing(index_elements=["lecture_id", "person_id"])
        )
        added += (await session.execute(statement)).rowcount  # type: ignore[attr-defined]  # a DML result has it
    return added


def new_seat(
    institution_id: str, lecture_id: str, person_id: str, role: Seat, now: int, link_key: bytes
) -> dict[str, object]:
    """The row of a registration that is new, with its first join link."""
    ident = new_id()
    return {
        "id": ident,
        "institution_id": institution_id,
        "lecture_id": lecture_id,
        "person_id": person_id,
        "role": role.value,
        "seat": secrets.token_hex(6),
        "state": "registered",
        "link_generation": 1,
        "link_digest": link_digest(link_token(link_key, ident, 1)),
        "created_at": now,
    }


async def _seat_again(session: AsyncSession, seat: Registration, role: Seat, link_key: bytes) -> None:
    generation = seat.link_generation + 1
    await store.change_registration(
        session,
        seat.id,
        state="registered",
        role=role.value,
        removed_at=None,
        removed_reason=None,
        link_generation=generation,
        link_digest=link_digest(link_token(link_key, seat.id, generation)),
    )


async def persons_of_unit(session: AsyncSession, scope: Scope, unit_id: str) -> list[str]:
    """Ids of the active people of a unit and of the units below it."""
    try:
        unit = await people.unit(session, scope, unit_id)
    except NotFound:
        raise Invalid.at("unit_id", "Choose a unit.") from None
    return await people.active_ids_below(session, scope, unit.path)


async def find_by_list(
    session: AsyncSession, scope: Scope, lines: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Person ids for pasted NIPs or e-mail addresses, and the lines that nobody matches."""
    wanted = [line.strip().lower() for line in lines if line.strip()]
    found: dict[str, str] = {}
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        rows = await session.execute(
            select(PersonRow.id, PersonRow.email, PersonRow.nip).where(
                PersonRow.institution_id == scope.institution_id,
                PersonRow.deactivated_at.is_(None),
                PersonRow.email.in_(part) | PersonRow.nip.in_([p.replace(" ", "") for p in part]),
            )
        )
        for ident, email, nip in rows:
            found.update({key: ident for key in (email, nip) if key})
    ids = [found.get(line) or found.get(line.replace(" ", "")) for line in wanted]
    missing = [line for line, ident in zip(wanted, ids, strict=True) if ident is None]
    return list(dict.fromkeys(ident for ident in ids if ident)), missing


async def unknown_persons(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> set[str]:
    """Those of the ids that are nobody's in the scope's institution, or of people who are deactivated."""
    unknown = set(ids)
    for start in range(0, len(ids), BATCH):
        rows = await session.execute(
            select(PersonRow.id).where(
                PersonRow.id.in_(ids[start : start + BATCH]),
                PersonRow.institution_id == scope.institution_id,
                PersonRow.deactivated_at.is_(None),
            )
        )
        unknown -= set(rows.scalars())
    return unknown


async def cancel_registration(
    session: AsyncSession, lecture: Lecture, seat: Registration, *, now: int, actor: Actor
) -> None:
    """Take a seat back; the person is told, and the link stops working."""
    if not seat.active:
        return
    await store.change_registration(session, seat.id, state="cancelled")
    await service.note(
        session, lecture, "registration_cancelled", now=now, actor=actor, person_id=seat.person_id
    )
    await service.owe_announcing(session, lecture, now)


async def revoke_link(
    session: AsyncSession, lecture: Lecture, seat: Registration, *, now: int, actor: Actor, link_key: bytes
) -> None:
    """Make another join link; the one that was sent stops working at once, the new one is sent."""
    generation = seat.link_generation + 1
    await store.change_registration(
        session,
        seat.id,
        link_generation=generation,
        link_digest=link_digest(link_token(link_key, seat.id, generation)),
    )
    await service.note(session, lecture, "link_revoked", now=now, actor=actor, person_id=seat.person_id)
    await service.owe_announcing(session, lecture, now)
