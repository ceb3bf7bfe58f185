"""Lists handed in: who sat together at one screen is credited by adjustments that name the list."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store as attendances
from webinar.attendance.credit_rules import Presence
from webinar.core.errors import Invalid, NotFound
from webinar.core.ids import new_id
from webinar.hours import adjustments, store
from webinar.hours.adjust_rules import NothingToDo, checked_reason, require_adjustable
from webinar.hours.adjustments import Batch, Because
from webinar.hours.list_rules import MOST_PEOPLE, Attachment, checked_span, value_with
from webinar.hours.posting import window_of
from webinar.hours.store import SeatValue
from webinar.hours.tables import AttendanceListRow
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.lectures.tables import RegistrationRow
from webinar.people.access import Scope
from webinar.people.rules import normal_email, normal_nip, sort_name
from webinar.people.tables import PersonRow
from webinar.policies import store as policies


@dataclass(frozen=True, slots=True)
class Change:
    """What the list would do to one person; hundredths of a JP."""

    registration_id: str
    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom the lines name, and the lines that name nobody who is registered, or more than one."""

    changes: tuple[Change, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A list as the page shows it; `kept` is False once its attachment was removed."""

    id: str
    reason: str
    file_name: str
    people: int
    author: str
    created_at: int
    kept: bool


async def preview(
    session: AsyncSession,
    scope: Scope,
    lecture_id: str,
    lines: Sequence[str],
    span: tuple[int, int],
    picked: Sequence[str] = (),
) -> Preview:
    """What handing in the list would change; nothing is written.

    Args:
        picked: registrations beside those that the lines name; one that is not of the lecture, or no
            longer there, is passed over.

    Raises:
        NotFound: no such lecture, or the scope does not manage it.
        IllegalMove: it is not over.
        Invalid: too many people, or a span outside the official time.
    """
    lecture = await lectures.get(session, scope, lecture_id, to_change=True)
    require_adjustable(lecture)
    tally = await attendances.tally_of(session, lecture.id)
    found, unknown = await _named(session, lecture, lines, picked)
    seats = await store.seats(session, lecture.id, found, final=bool(tally and tally.final))
    changed = await store.effective_of(session, list(seats))
    after = await _values(session, lecture, bool(tally and tally.final), span)
    changes = []
    for id, seat in seats.items():
        before = changed[id].jp if id in changed else seat.computed or 0
        changes.append(Change(id, seat.name, before, max(before, after(seat))))
    return Preview(tuple(sorted(changes, key=lambda one: one.name.casefold())), tuple(unknown))


async def hand_in(
    session: AsyncSession,
    scope: Scope,
    lecture_id: str,
    *,
    seen: dict[str, int],
    span: tuple[int, int],
    reason: str,
    attachment: Attachment,
    now: int,
) -> Batch:
    """Keep the list and adjust those on it; nobody has less for it than before.

    Args:
        seen: by registration, the value that the preview has shown.

    Raises:
        NotFound, IllegalMove, Invalid, ValuesChanged, NothingToDo: as for an adjustment.
    """
    said = checked_reason(reason)
    if not seen:
        raise NothingToDo
    lecture, final = await adjustments.held(session, scope, lecture_id)
    after = await _values(session, lecture, final, span)
    list_id = new_id()
    await session.execute(
        insert(AttendanceListRow).values(
            id=list_id,
            institution_id=lecture.institution_id,
            lecture_id=lecture.id,
            author_id=scope.person_id or scope.key_id,
            reason=said,
            file_name=attachment.file_name,
            content_type=attachment.content_type,
            content=attachment.content,
            sha256=hashlib.sha256(attachment.content).hexdigest(),
            people=[[id, *span] for id in sorted(seen)],
            created_at=now,
        )
    )
    return await adjustments.apply(
        session,
        scope,
        lecture,
        seen=seen,
        wanted=lambda seat: max(seen[seat.registration_id], after(seat)),
        because=Because(said, scope.person_id or scope.key_id, list_id=list_id),
        final=final,
        now=now,
    )


async def handed_in(session: AsyncSession, lecture_id: str) -> list[HandedIn]:
    """The lists of a lecture that the caller may change, the newest first; without their attachments."""
    row = AttendanceListRow
    rows = await session.execute(
        select(
            row.id,
            row.reason,
            row.file_name,
            row.people,
            row.author_id,
            row.created_at,
            row.content.is_not(None),
        )
        .where(row.lecture_id == lecture_id)
        .order_by(row.created_at.desc(), row.id)
    )
    found = rows.all()
    names = await store.authors(session, [one.author_id for one in found if one.author_id])
    return [
        HandedIn(id, reason, name, len(people), names.get(author or "", ""), at, kept)
        for id, reason, name, people, author, at, kept in found
    ]


async def attachment(session: AsyncSession, scope: Scope, lecture_id: str, list_id: str) -> Attachment:
    """The file of a list.

    Raises:
        NotFound: no such list, its file was removed, or the scope does not manage the lecture.
    """
    await lectures.get(session, scope, lecture_id, to_change=True)
    row = await session.scalar(
        select(AttendanceListRow).where(
            AttendanceListRow.id == list_id, AttendanceListRow.lecture_id == lecture_id
        )
    )
    if row is None or row.content is None:
        raise NotFound
    return Attachment(row.file_name, row.content_type, row.content)


async def _values(
    session: AsyncSession, lecture: Lecture, final: bool, span: tuple[int, int]
) -> Callable[[SeatValue], int]:
    """What each seat is worth with the span of the list."""
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window = await window_of(session, lecture, final)
    checked_span(*span, window)
    stored = await attendances.of_lecture(session, lecture.id)

    def after(seat: SeatValue) -> int:
        one = stored.get(seat.registration_id)
        there = one.presence if one else Presence()
        return value_with(policy, lecture.jp, window, there, span, seat.role)

    return after


async def _named(
    session: AsyncSession, lecture: Lecture, lines: Sequence[str], picked: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Those picked and those named by NIP, e-mail address or full name; and lines of nobody, or several."""
    wanted = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(wanted) + len(set(picked)) > MOST_PEOPLE:
        raise Invalid.at("list", "At most %(most)s people on one list.", most=MOST_PEOPLE)
    rows = await session.execute(
        select(RegistrationRow.id, PersonRow.email, PersonRow.nip, PersonRow.sort_name)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .where(RegistrationRow.lecture_id == lecture.id, RegistrationRow.state == "registered")
    )
    known: dict[str, set[str]] = {}
    registered = set()
    for id, *names in rows:
        registered.add(id)
        for name in names:
            if name:
                known.setdefault(name, set()).add(id)
    found = dict.fromkeys(id for id in picked if id in registered)
    unknown = []
    for line in wanted:
        ids = known.get(normal_email(line) or "") or known.get(normal_nip(line) or "")
        ids = ids or known.get(sort_name(line)) or set()
        if len(ids) == 1:
            found[next(iter(ids))] = None
        else:
            unknown.append(line)
    return list(found), unknown
