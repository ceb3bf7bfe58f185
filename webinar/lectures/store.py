"""Named queries on lectures, rooms and registrations; rows stay here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    TextClause,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import rows_sql
from webinar.core.errors import NotFound, Stale
from webinar.lectures.rules import (
    LECTURE_MOVES,
    Lecture,
    LectureState,
    Registration,
    Room,
    RoomKind,
    RoomState,
    Seat,
    Standing,
    Window,
    scheduled_window,
)
from webinar.lectures.tables import STANDING, LectureRow, RegistrationRow, RoomPlaceRow, RoomRow, WindowRow
from webinar.people.access import Role, Scope, in_institution, in_subtrees
from webinar.people.tables import PersonRow, UnitRow


def manageable(scope: Scope) -> ColumnElement[bool]:
    """Lectures that the scope may change: those of the units it organises."""
    return and_(
        in_institution(scope, LectureRow.institution_id),
        in_subtrees(UnitRow.path, scope.paths(Role.ORGANISER)),
    )


def visible(scope: Scope) -> ColumnElement[bool]:
    """Lectures that the scope may see: those it manages, and those it has a seat in."""
    if scope.person_id is None:
        return manageable(scope)
    seat = LectureRow.id.in_(
        select(RegistrationRow.lecture_id).where(
            RegistrationRow.person_id == scope.person_id, RegistrationRow.state == "registered"
        )
    )
    return or_(manageable(scope), seat)


def _lectures() -> Any:
    return select(LectureRow, UnitRow.path).join(UnitRow, UnitRow.id == LectureRow.unit_id)


# What every process asks again and again is put together once: that takes as long as asking it.
_BY_ID = _lectures().where(LectureRow.id == bindparam("lecture_id"))


def _lecture(row: LectureRow, path: str) -> Lecture:
    fields = {name: getattr(row, name) for name in Lecture.__slots__ if name != "unit_path"}
    fields["state"] = LectureState(row.state)
    return Lecture(unit_path=path, **fields)


async def get(session: AsyncSession, scope: Scope, lecture_id: str, *, to_change: bool = False) -> Lecture:
    """One lecture; `to_change` asks for one that the scope manages.

    Raises:
        NotFound: no such lecture, or not the scope's.
    """
    allowed = manageable(scope) if to_change else visible(scope)
    row = (await session.execute(_lectures().where(LectureRow.id == lecture_id, allowed))).one_or_none()
    if row is None:
        raise NotFound
    return _lecture(*row)


async def find(session: AsyncSession, lecture_id: str) -> Lecture | None:
    """One lecture by id for the service's own processes, or None."""
    row = (await session.execute(_BY_ID, {"lecture_id": lecture_id})).one_or_none()
    return _lecture(*row) if row else None


async def by_ids(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, Lecture]:
    """Several lectures by id for services that have decided who may see them, in one statement."""
    rows = await session.execute(_lectures().where(LectureRow.id.in_(list(lecture_ids))))
    return {row.id: _lecture(row, path) for row, path in rows}


_HELD = (
    select(LectureRow.id, LectureRow.state, LectureRow.starts_at - LectureRow.open_before_s * 1000)
    .where(LectureRow.id.in_(bindparam("ids", expanding=True)))
    .order_by(LectureRow.id)
    .with_for_update(read=True)
)


async def opening_of(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
    """State and opening (Unix ms), as they are until this transaction ends: who changes one waits for that.

    Nothing else is read, since all rooms that fall due at once ask for it.
    """
    rows = await session.execute(_HELD, {"ids": list(lecture_ids)})
    return {ident: (state, opens_at) for ident, state, opens_at in rows}


async def open_scheduled(session: AsyncSession, lecture_ids: Sequence[str], now: int) -> None:
    """Those that are scheduled are open from now on; the others stay as they are."""
    opened = LectureState.SCHEDULED, LECTURE_MOVES[LectureState.SCHEDULED, "open"]
    statement = (
        update(LectureRow)
        .where(LectureRow.id.in_(lecture_ids), LectureRow.state == opened[0].value)
        .values(
            state=opened[1].value,
            opened_at=func.coalesce(LectureRow.opened_at, now),
            version=LectureRow.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def page(
    session: AsyncSession,
    scope: Scope,
    *,
    states: Sequence[LectureState] = (),
    since: int | None = None,
    until: int | None = None,
    text: str = "",
    after: tuple[int, str] | None = None,
    newest_first: bool = False,
    limit: int = 50,
    trials: bool = False,
    manageable_only: bool = False,
) -> list[Lecture]:
    """Lectures of the scope in the order of their start; `after` is (starts_at, id) of the last one seen."""
    query = _lectures().where(manageable(scope) if manageable_only else visible(scope))
    if not trials:
        query = query.where(LectureRow.trial.is_(False))
    if states:
        query = query.where(LectureRow.state.in_([s.value for s in states]))
    if since is not None:
        query = query.where(LectureRow.ends_at >= since)
    if until is not None:
        query = query.where(LectureRow.starts_at < until)
    if text:
        query = query.where(func.lower(LectureRow.title).contains(text.lower(), autoescape=True))
    at, ident = LectureRow.starts_at, LectureRow.id
    if after:
        beyond = at < after[0] if newest_first else at > after[0]
        further = ident < after[1] if newest_first else ident > after[1]
        query = query.where(or_(beyond, and_(at == after[0], further)))
    order = (at.desc(), ident.desc()) if newest_first else (at, ident)
    rows = await session.execute(query.order_by(*order).limit(limit))
    return [_lecture(*row) for row in rows]


async def of_person(
    session: AsyncSession,
    person_id: str,
    *,
    since: int = 0,
    until: int | None = None,
    states: Sequence[LectureState] = (),
    newest_first: bool = False,
    limit: int = 50,
) -> list[tuple[Lecture, Registration]]:
    """A person's lectures with the own seat in each, in the order of their start."""
    query = (
        _lectures()
        .join(RegistrationRow, RegistrationRow.lecture_id == LectureRow.id)
        .where(RegistrationRow.person_id == person_id, RegistrationRow.state == "registered")
        .where(LectureRow.closes_at >= since)
        .order_by(LectureRow.starts_at.desc() if newest_first else LectureRow.starts_at, LectureRow.id)
        .limit(limit)
    )
    if until is not None:
        query = query.where(LectureRow.starts_at < until)
    if states:
        query = query.where(LectureRow.state.in_([s.value for s in states]))
    lectures = [_lecture(*row) for row in await session.execute(query)]
    seats = await session.execute(
        _registrations().where(
            RegistrationRow.person_id == person_id,
            RegistrationRow.lecture_id.in_([lecture.id for lecture in lectures]),
        )
    )
    mine = {seat.lecture_id: seat for seat in map(_registration, seats)}
    return [(lecture, mine[lecture.id]) for lecture in lectures]


async def lecturers_of(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, list[Registration]]:
    """The lecturers of several lectures, in one statement."""
    rows = await session.execute(
        _registrations()
        .where(
            RegistrationRow.lecture_id.in_(lecture_ids),
            RegistrationRow.role == Seat.LECTURER.value,
            RegistrationRow.state == "registered",
        )
        .order_by(RegistrationRow.created_at, RegistrationRow.id)
    )
    found: dict[str, list[Registration]] = {ident: [] for ident in lecture_ids}
    for seat in map(_registration, rows):
        found[seat.lecture_id].append(seat)
    return found


async def lock(session: AsyncSession, lecture_id: str) -> None:
    """Keep everybody else who locks this lecture waiting until the transaction ends."""
    await session.execute(select(LectureRow.id).where(LectureRow.id == lecture_id).with_for_update())


async def save(session: AsyncSession, before: Lecture, after: Lecture, now: int) -> Lecture:
    """Write what differs, if nobody was faster; the version rises by one.

    Raises:
        Stale: the lecture is no longer the version that `before` was.
    """
    changed = {
        name: getattr(after, name)
        for name in Lecture.__slots__
        if name not in {"unit_path", "version"} and getattr(after, name) != getattr(before, name)
    }
    if "state" in changed:
        changed["state"] = after.state.value
    statement = (
        update(LectureRow)
        .where(LectureRow.id == before.id, LectureRow.version == before.version)
        .values(**changed, version=before.version + 1, updated_at=now)
    )
    if (await session.execute(statement)).rowcount != 1:  # type: ignore[attr-defined]  # a DML result has it
        raise Stale
    found = await find(session, before.id)
    if found is None:
        raise NotFound
    return found


# --- rooms -------------------------------------------------------------------------------------


# Columns and not objects: the watch reads all rooms every few seconds.
_ROOMS = select(*(getattr(RoomRow, name) for name in Room.__slots__))
_ROOMS_OF = _ROOMS.where(RoomRow.lecture_id.in_(bindparam("lecture_ids", expanding=True))).order_by(
    RoomRow.position, RoomRow.id
)
_ROOMS_NAMED = _ROOMS.where(RoomRow.name.in_(bindparam("names", expanding=True)))
_ROOMS_ON = _ROOMS.where(STANDING, RoomRow.media_server == bindparam("media_server")).order_by(RoomRow.id)


def _room(row: Any) -> Room:
    return Room(**{**row._mapping, "kind": RoomKind(row.kind), "state": RoomState(row.state)})


async def rooms_of(session: AsyncSession, lecture_id: str) -> list[Room]:
    """The rooms of a lecture in their order, the main one first."""
    return (await rooms_of_several(session, [lecture_id]))[lecture_id]


async def rooms_of_several(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, list[Room]]:
    """The rooms of each of several lectures in their order, in one statement."""
    rows = await session.execute(_ROOMS_OF, {"lecture_ids": list(lecture_ids)})
    found: dict[str, list[Room]] = {ident: [] for ident in lecture_ids}
    for room in map(_room, rows):
        found[room.lecture_id].append(room)
    return found


async def rooms_named(session: AsyncSession, names: Sequence[str]) -> Mapping[str, Room]:
    rows = await session.execute(_ROOMS_NAMED, {"names": list(names)})
    return {row.name: _room(row) for row in rows}


async def rooms_on(session: AsyncSession, media_server: str) -> list[Room]:
    """The rooms on a media server that are not closed."""
    rows = await session.execute(_ROOMS_ON, {"media_server": media_server})
    return [_room(row) for row in rows]


def _fields(room: Room) -> dict[str, Any]:
    values = {name: getattr(room, name) for name in Room.__slots__}
    return {**values, "kind": room.kind.value, "state": room.state.value}


async def add_rooms(session: AsyncSession, new: Sequence[Room]) -> None:
    if new:
        await session.execute(insert(RoomRow), [_fields(room) for room in new])


async def change_room(session: AsyncSession, before: Room, after: Room) -> bool:
    """Write how the room stands if it still stands as it was read; False when somebody was faster."""
    return before.id in await change_rooms(session, [(before, after)])


async def looked_into(session: AsyncSession, room_id: str, *, occupied: bool, at: int) -> None:
    """Write that a look found somebody in a room, or nobody any more."""
    left_at = None if occupied else at
    await session.execute(
        update(RoomRow)
        .where(RoomRow.id == room_id)
        .values(occupied=occupied, left_at=left_at)
        .execution_options(synchronize_session=False)
    )


async def want_rooms(session: AsyncSession, room_ids: Sequence[str], **values: object) -> None:
    """Write what people want of rooms: `title`, `needed`. How they stand is left alone."""
    await session.execute(
        update(RoomRow)
        .where(RoomRow.id.in_(list(room_ids)))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def places_of(session: AsyncSession, registration_id: str) -> set[str]:
    """The ids of the rooms that a seat was given."""
    query = select(RoomPlaceRow.room_id).where(RoomPlaceRow.registration_id == registration_id)
    return set(await session.scalars(query))


async def placed(session: AsyncSession, lecture_id: str) -> Mapping[str, int]:
    """How many seats each room of a lecture was given, by room."""
    rows = await session.execute(
        select(RoomPlaceRow.room_id, func.count())
        .where(RoomPlaceRow.lecture_id == lecture_id)
        .group_by(RoomPlaceRow.room_id)
    )
    return {row[0]: row[1] for row in rows}


async def place(session: AsyncSession, lecture_id: str, kind: RoomKind, places: Mapping[str, str]) -> None:
    """Give seats (registration ids) their rooms of one kind; those given before are forgotten."""
    await session.execute(
        delete(RoomPlaceRow).where(RoomPlaceRow.lecture_id == lecture_id, RoomPlaceRow.kind == kind.value)
    )
    rows = [
        {"registration_id": seat, "kind": kind.value, "lecture_id": lecture_id, "room_id": room}
        for seat, room in sorted(places.items())
    ]
    if rows:
        await session.execute(insert(RoomPlaceRow), rows)


async def participants_of(session: AsyncSession, lecture_id: str) -> list[tuple[str, str]]:
    """(registration id, seat) of everybody registered as a participant and not removed."""
    rows = await session.execute(
        select(RegistrationRow.id, RegistrationRow.seat)
        .where(
            RegistrationRow.lecture_id == lecture_id,
            RegistrationRow.role == Seat.PARTICIPANT.value,
            RegistrationRow.state == "registered",
            RegistrationRow.removed_at.is_(None),
        )
        .order_by(RegistrationRow.id)
    )
    return [(row.id, row.seat) for row in rows]


_CHANGE_ROOMS = """
UPDATE rooms SET state = v.state, media_server = v.media_server, sid = v.sid,
    attempts = v.attempts, last_error = v.last_error, opened_at = v.opened_at, closed_at = v.closed_at,
    occupied = rooms.occupied AND NOT (v.state = 'open' AND v.state_before <> 'open'),
    left_at = CASE WHEN v.state = 'open' AND v.state_before <> 'open' THEN NULL ELSE rooms.left_at END
FROM {rows}
WHERE rooms.id = v.id AND rooms.state = v.state_before AND rooms.media_server = v.media_server_before
    AND coalesce(rooms.sid, '') = coalesce(v.sid_before, '')
RETURNING rooms.id
"""
_ROOM_COLUMNS = {
    "id": "text", "state": "text", "media_server": "text", "sid": "text",
    "attempts": "int", "last_error": "text", "opened_at": "bigint", "closed_at": "bigint",
    "state_before": "text", "media_server_before": "text", "sid_before": "text",
}  # fmt: skip


async def change_rooms(session: AsyncSession, changes: Sequence[tuple[Room, Room]]) -> set[str]:
    """Write how each room (before, after) stands that still stands as it was read; the ids of those.

    Its title and whether it is needed are other people's to change, and stay as they are; who was last seen
    in it is the looks' (`looked_into`), and is forgotten when it opens.
    """
    rows = [
        {
            **_fields(after),
            "state_before": before.state.value,
            "media_server_before": before.media_server,
            "sid_before": before.sid,
        }
        for before, after in sorted(changes, key=lambda change: change[0].id)
    ]
    statement = _changing_rooms(session.get_bind().dialect.name)
    found = await session.execute(statement, {"rows": json.dumps(rows)})
    return set(found.scalars())


@cache
def _changing_rooms(dialect: str) -> TextClause:
    return text(_CHANGE_ROOMS.format(rows=rows_sql(dialect, **_ROOM_COLUMNS)).strip())


# --- the official window -----------------------------------------------------------------------


async def window_of(session: AsyncSession, lecture: Lecture) -> Window:
    """The window that counts: the newest one fixed by an organiser, else the schedule."""
    return await fixed_window(session, lecture.id) or scheduled_window(lecture)


async def fixed_window(session: AsyncSession, lecture_id: str) -> Window | None:
    """The newest window that an organiser fixed, if there is one."""
    newest = select(WindowRow.spans).where(WindowRow.lecture_id == lecture_id).order_by(WindowRow.id.desc())
    spans = (await session.execute(newest.limit(1))).scalar_one_or_none()
    return Window(tuple((int(s), int(e)) for s, e in spans)) if spans else None


async def add_window(
    session: AsyncSession, lecture_id: str, window: Window, *, reason: str, set_by: str | None, now: int
) -> None:
    spans = [[start, end] for start, end in window.spans]
    session.add(WindowRow(lecture_id=lecture_id, spans=spans, reason=reason, set_by=set_by, set_at=now))
    await session.flush()


# --- registrations -----------------------------------------------------------------------------

PERSON_FIELDS = (PersonRow.name, PersonRow.email, UnitRow.name, PersonRow.language, PersonRow.zone)


def _registrations() -> Any:
    return (
        select(RegistrationRow, *PERSON_FIELDS)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
    )


def _registration(found: Any) -> Registration:
    row, name, email, unit_name, language, zone = found
    return Registration(
        id=row.id,
        institution_id=row.institution_id,
        lecture_id=row.lecture_id,
        person_id=row.person_id,
        role=Seat(row.role),
        seat=row.seat,
        state=row.state,
        link_generation=row.link_generation,
        removed_at=row.removed_at,
        removed_reason=row.removed_reason,
        name=name,
        email=email,
        unit_name=unit_name,
        language=language,
        zone=zone,
    )


async def registrations(
    session: AsyncSession,
    lecture_id: str,
    *,
    active: bool = True,
    after: str | None = None,
    limit: int | None = None,
) -> list[Registration]:
    """The seats of a lecture, lecturers first, then by name; with `after` and `limit` in the order of ids."""
    query = _registrations().where(RegistrationRow.lecture_id == lecture_id)
    if active:
        query = query.where(RegistrationRow.state == "registered")
    if after is not None or limit is not None:
        query = query.where(RegistrationRow.id > (after or "")).order_by(RegistrationRow.id).limit(limit)
    else:
        query = query.order_by(RegistrationRow.role, PersonRow.sort_name, RegistrationRow.id)
    return [_registration(row) for row in await session.execute(query)]


async def seats_of_persons(
    session: AsyncSession, lecture_id: str, person_ids: Sequence[str]
) -> list[Registration]:
    """The seats that these people have in a lecture, also those that were given back."""
    rows = await session.execute(
        _registrations().where(
            RegistrationRow.lecture_id == lecture_id, RegistrationRow.person_id.in_(person_ids)
        )
    )
    return [_registration(row) for row in rows]


async def registrations_of(
    session: AsyncSession, lecture_ids: Sequence[str]
) -> Mapping[str, list[Registration]]:
    """All seats of several lectures, also those that were given back, in one statement."""
    rows = await session.execute(
        _registrations()
        .where(RegistrationRow.lecture_id.in_(lecture_ids))
        .order_by(RegistrationRow.role, PersonRow.sort_name, RegistrationRow.id)
    )
    found: dict[str, list[Registration]] = {ident: [] for ident in lecture_ids}
    for seat in map(_registration, rows):
        found[seat.lecture_id].append(seat)
    return found


async def registration(session: AsyncSession, registration_id: str) -> Registration | None:
    row = (await session.execute(_registrations().where(RegistrationRow.id == registration_id))).one_or_none()
    return _registration(row) if row else None


async def lock_registration(session: AsyncSession, registration_id: str) -> None:
    """Keep everybody else who locks this seat waiting until the transaction ends."""
    await session.execute(
        select(RegistrationRow.id).where(RegistrationRow.id == registration_id).with_for_update()
    )


async def standings(session: AsyncSession, registration_ids: Iterable[str]) -> Mapping[str, Standing]:
    """How many seats stand, in one statement, by registration; those that do not exist are left out."""
    rows = await session.execute(_STANDING.where(RegistrationRow.id.in_(list(registration_ids))))
    return {row.id: _standing(row) for row in rows}


def _standing(row: Any) -> Standing:
    return Standing(
        lecture_id=row.lecture_id,
        seat=row.seat,
        generation=row.link_generation,
        active=row.state == "registered",
        removed=row.removed_at is not None,
        lecture_state=LectureState(row.lecture_state),
        opens_at=row.starts_at - row.open_before_s * 1000,
        ended_at=row.ended_at,
    )


_STANDING = select(
    RegistrationRow.id,
    RegistrationRow.lecture_id,
    RegistrationRow.seat,
    RegistrationRow.link_generation,
    RegistrationRow.state,
    RegistrationRow.removed_at,
    LectureRow.state.label("lecture_state"),
    LectureRow.starts_at,
    LectureRow.open_before_s,
    LectureRow.ended_at,
).join(LectureRow, LectureRow.id == RegistrationRow.lecture_id)


async def registration_of(session: AsyncSession, lecture_id: str, person_id: str) -> Registration | None:
    row = (
        await session.execute(
            _registrations().where(
                RegistrationRow.lecture_id == lecture_id, RegistrationRow.person_id == person_id
            )
        )
    ).one_or_none()
    return _registration(row) if row else None


async def seat_of(session: AsyncSession, lecture_id: str, seat: str) -> Registration | None:
    row = (
        await session.execute(
            _registrations().where(RegistrationRow.lecture_id == lecture_id, RegistrationRow.seat == seat)
        )
    ).one_or_none()
    return _registration(row) if row else None


_HOSTS_OF = select(RegistrationRow.seat).where(
    RegistrationRow.lecture_id == bindparam("lecture_id"),
    RegistrationRow.role.in_([Seat.LECTURER.value, Seat.ORGANISER.value]),
    RegistrationRow.state == "registered",
)


async def hosts_of(session: AsyncSession, lecture_id: str) -> list[str]:
    """The seats of those who host: lecturers and organisers."""
    return list(await session.scalars(_HOSTS_OF, {"lecture_id": lecture_id}))


async def change_registration(session: AsyncSession, registration_id: str, **values: object) -> None:
    await session.execute(
        update(RegistrationRow).where(RegistrationRow.id == registration_id).values(**values)
    )


async def count_registrations(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, int]:
    """Participants registered in each of several lectures, in one statement."""
    rows = await session.execute(
        select(RegistrationRow.lecture_id, func.count())
        .where(
            RegistrationRow.lecture_id.in_(lecture_ids),
            RegistrationRow.state == "registered",
            RegistrationRow.role == Seat.PARTICIPANT.value,
        )
        .group_by(RegistrationRow.lecture_id)
    )
    counted: dict[str, int] = {row[0]: row[1] for row in rows}
    return {ident: counted.get(ident, 0) for ident in lecture_ids}
