"""Which mails somebody's calendar lacks: asked by what announces, by what sends, and before a change."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.invites import store
from webinar.invites.news_rules import Forecast, Told, forecast, news
from webinar.invites.rules import PENDING, Invite, InviteState, Slot, first, raises_sequence
from webinar.invites.store import Told as Said
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, LectureState, Registration, Seat

# It is part of a first invite's UID, which nobody sees before it is written.
NO_DOMAIN = ""
INVITING = frozenset({LectureState.SCHEDULED, LectureState.OPEN, LectureState.LIVE})


@dataclass(frozen=True, slots=True)
class Owed:
    """A mail that is owed to a seat, and what it will say; `before` is None for the first one."""

    seat: Registration
    before: Invite | None
    invite: Invite
    said: Said


def is_over(lecture: Lecture, now: int) -> bool:
    """Whether nobody can come any more, so that no invite goes out."""
    return lecture.state not in INVITING or now >= lecture.latest_end_at


def shown(lecture: Lecture, state: InviteState, method: str, now: int) -> str:
    """The state of an invite for people: one that waits when nobody can come any more is not sent. Pure.

    That a lecture or a registration is off is told all the same.
    """
    waits = method == "REQUEST" and state in PENDING
    if not waits or lecture.state is LectureState.DRAFT or not is_over(lecture, now):
        return state.value
    return "called_off" if lecture.state is LectureState.CANCELLED else "too_late"


def shown_of(lecture: Lecture, invite: Invite | None, now: int) -> str:
    """The same of a seat; without an invite its first one waits for the announcer. Pure."""
    if invite is None:
        return shown(lecture, InviteState.OWED, "REQUEST", now)
    return shown(lecture, invite.state, invite.method, now)


async def counts(session: AsyncSession, lecture: Lecture, now: int) -> Mapping[str, int]:
    """How many invites of a lecture are shown in each state."""
    found: Counter[str] = Counter()
    for (state, method), count in (await store.counts(session, lecture.id)).items():
        found[shown(lecture, state, method, now)] += count
    return found


def wanted(lecture: Lecture, lecturer: str, seat: Registration) -> Said:
    """What this person should know by now."""
    text = "\x1f".join([lecture.title, lecturer, str(seat.link_generation), str(lecture.jp)])
    return Said(lecture.starts_at, lecture.ends_at, hashlib.sha256(text.encode()).hexdigest())


def next_invite(
    seat: Registration, lecture: Lecture, now_told: Said, have: tuple[Invite, Said] | None, domain: str
) -> Invite | None:
    """The invite that has to be sent now, or None when the person knows everything. Pure."""
    on = seat.active and lecture.state in INVITING
    if have is None:
        return first(seat.id, lecture.id, domain) if on else None
    invite, said = have
    if not on:
        over = lecture.state is not LectureState.CANCELLED and seat.active
        if over or invite.method == "CANCEL":
            return None
        return invite.cancelled()
    if invite.method == "CANCEL" or raises_sequence(
        Slot(said.starts_at, said.ends_at), Slot(now_told.starts_at, now_told.ends_at)
    ):
        return invite.rescheduled()
    return invite.again() if said.text != now_told.text else None


async def missing(
    session: AsyncSession,
    lecture: Lecture,
    seats: Sequence[Registration],
    domain: str,
    *,
    lock: bool = False,
) -> list[Owed]:
    """What each of the seats lacks, in the order of the seats; who knows everything is left out."""
    lecturers = (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]
    have = await store.told(session, [seat.id for seat in seats], lock=lock)
    return lacking(lecture, lecturers, seats, have, domain)


def lacking(
    lecture: Lecture,
    lecturers: Sequence[Registration],
    seats: Sequence[Registration],
    have: Mapping[str, tuple[Invite, Said]],
    domain: str,
) -> list[Owed]:
    """The same from what was read, and of a lecture as it only would be. Pure."""
    names = ", ".join(person.name for person in lecturers)
    owed = []
    for seat in seats:
        if seat.role is Seat.ORGANISER:
            continue
        said = wanted(lecture, names, seat)
        invite = next_invite(seat, lecture, said, have.get(seat.id), domain)
        if invite is None:
            continue
        if not seat.email and invite.state is InviteState.OWED:
            invite = invite.without_address()
        before = have[seat.id][0] if seat.id in have else None
        owed.append(Owed(seat, before, invite, said))
    return owed


async def write(session: AsyncSession, owed: Sequence[Owed]) -> None:
    """Keep what is owed, so that nobody owes it again."""
    for one in owed:
        if one.before is not None:
            await store.save(session, one.invite, one.said)
    await store.add(session, [(one.invite, one.said) for one in owed if one.before is None])


async def ahead(session: AsyncSession, lecture: Lecture) -> Forecast:
    """Who will be told what of the lecture as the database has it."""
    lecturers = (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]
    return await ahead_of(session, lecture, lecturers)


async def ahead_of(
    session: AsyncSession,
    lecture: Lecture,
    lecturers: Sequence[Registration],
    changed: Sequence[Registration] = (),
) -> Forecast:
    """Who would be told what if the lecture was so, with these lecturers and these seats changed.

    It looks at every seat, which takes its time, and writes nothing: not for a session that writes.
    """
    if lecture.trial:
        return forecast(())
    would_be = {seat.id: seat for seat in changed}
    present = await lecture_store.registrations(session, lecture.id, active=False)
    seats = [would_be.pop(seat.id, seat) for seat in present] + list(would_be.values())
    have = await store.told(session, [seat.id for seat in seats])
    return foreseen(lacking(lecture, lecturers, seats, have, NO_DOMAIN))


def foreseen(owed: Iterable[Owed]) -> Forecast:
    """What those who lack something will be told. Pure."""
    return forecast(
        Told(one.seat.name, one.seat.role is Seat.LECTURER, news(one.before, one.invite)) for one in owed
    )
