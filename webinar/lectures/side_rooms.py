"""The rooms beside a lecture's main one: added, renamed, opened and closed by who organises or hosts.

What is written here is what people want (`needed`, titles, who sits where); the scheduler brings it about.
"""

import random
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.audit import Actor
from webinar.core.errors import IllegalMove, Invalid, NotFound
from webinar.lectures import service, store
from webinar.lectures.rules import UPCOMING, Lecture, Room, RoomKind, RoomState, dealt, room_name
from webinar.people.rules import has_controls

MOST_ROOMS = 50
LONGEST_TITLE = 80
MAIN = ""

Shuffle = Callable[[list[str]], None]


def checked_titles(titles: Sequence[object]) -> list[str]:
    """Titles of rooms as people read them.

    Raises:
        Invalid: there is none, one is empty, too long or holds what cannot be shown, or two are the same.
    """
    if not titles:
        raise Invalid.at("titles", "Give at least one room a title.")
    found = [checked_title(title) for title in titles]
    if len({title.casefold() for title in found}) != len(found):
        raise Invalid.at("titles", "Two rooms have the same title.")
    return found


def checked_title(title: object) -> str:
    plain = title.strip() if isinstance(title, str) else ""
    if not plain:
        raise Invalid.at("titles", "A room needs a title.")
    if len(plain) > LONGEST_TITLE:
        raise Invalid.at("titles", "At most %(most)s characters.", most=LONGEST_TITLE)
    if has_controls(plain):
        raise Invalid.at("titles", "There are characters in it that cannot be shown.")
    return plain


async def add(
    session: AsyncSession,
    lecture: Lecture,
    kind: RoomKind,
    titles: Sequence[object],
    *,
    now: int,
    actor: Actor,
) -> list[Room]:
    """Rooms of these titles; they open with the lecture, or at once while it is in session.

    Raises:
        Invalid: see `checked_titles`; or there would be too many. IllegalMove: the lecture is over.
    """
    _still_ahead(lecture)
    wanted = checked_titles(titles)
    # Whoever adds rooms at this moment is waited for, so that numbers and titles are each given once.
    await store.lock(session, lecture.id)
    there = await store.rooms_of(session, lecture.id)
    _fits(there, wanted)
    same_kind = [room for room in there if room.kind is kind]
    position = max((room.position for room in there), default=0)
    rooms = [
        service.a_room(
            lecture,
            kind,
            room_name(lecture.id, kind, len(same_kind) + number),
            position=position + number,
            title=title,
            state=RoomState.CLOSED,
        )
        for number, title in enumerate(wanted, 1)
    ]
    await store.add_rooms(session, rooms)
    await service.note(
        session,
        lecture,
        "rooms_added",
        now=now,
        actor=actor,
        kind=kind.value,
        count=len(rooms),
        title=", ".join(wanted),
    )
    await service.owe_reconciling(session, lecture.id, now)
    return rooms


def _fits(there: Sequence[Room], wanted: Sequence[str]) -> None:
    if sum(room.kind is not RoomKind.MAIN for room in there) + len(wanted) > MOST_ROOMS:
        raise Invalid.at("titles", "A lecture has at most %(most)s rooms.", most=MOST_ROOMS)
    taken = {room.title.casefold() for room in there if room.needed}
    if twice := next((title for title in wanted if title.casefold() in taken), None):
        raise Invalid.at("titles", "There is a room called %(title)s already.", title=twice)


async def get(session: AsyncSession, lecture: Lecture, room_id: str) -> Room:
    """A room beside the main one.

    Raises:
        NotFound: the lecture has no such room, or it is the main one.
    """
    for room in await store.rooms_of(session, lecture.id):
        if room.id == room_id and room.kind is not RoomKind.MAIN:
            return room
    raise NotFound


async def rename(
    session: AsyncSession, lecture: Lecture, room: Room, title: object, *, now: int, actor: Actor
) -> Room:
    """Give it another title.

    Raises:
        Invalid: see `checked_titles`; or another room has it. IllegalMove: the lecture is over.
    """
    _still_ahead(lecture)
    wanted = checked_title(title)
    if wanted == room.title:
        return room
    await store.lock(session, lecture.id)
    _fits([other for other in await store.rooms_of(session, lecture.id) if other.id != room.id], [wanted])
    await store.want_rooms(session, [room.id], title=wanted)
    await service.note(
        session, lecture, "room_renamed", now=now, actor=actor, before=room.title, title=wanted
    )
    return await get(session, lecture, room.id)


async def reopen(
    session: AsyncSession, lecture: Lecture, rooms: Sequence[Room], *, now: int, actor: Actor
) -> None:
    """Open rooms that were closed; those that are open stay so.

    Raises:
        IllegalMove: the lecture is over. Invalid: another room has taken the title.
    """
    _still_ahead(lecture)
    closed = [room for room in rooms if not room.needed]
    if not closed:
        return
    await store.lock(session, lecture.id)
    there = await store.rooms_of(session, lecture.id)
    _fits([room for room in there if room.needed], [room.title for room in closed])
    await _want(session, lecture, closed, True, "room_reopened", now=now, actor=actor)


async def close(
    session: AsyncSession, lecture: Lecture, rooms: Sequence[Room], *, now: int, actor: Actor
) -> list[Room]:
    """Close rooms while the lecture goes on; who is inside goes back to the main one. Answers which."""
    opened = [room for room in rooms if room.needed]
    if opened:
        await _want(session, lecture, opened, False, "rooms_ended", now=now, actor=actor)
    return opened


async def close_breakouts(session: AsyncSession, lecture: Lecture, *, now: int, actor: Actor) -> list[Room]:
    """Everybody back: close every breakout room. Answers those that were closed, to open them again."""
    there = await store.rooms_of(session, lecture.id)
    breakouts = [room for room in there if room.kind is RoomKind.BREAKOUT]
    return await close(session, lecture, breakouts, now=now, actor=actor)


async def _want(
    session: AsyncSession,
    lecture: Lecture,
    rooms: Sequence[Room],
    needed: bool,
    action: str,
    *,
    now: int,
    actor: Actor,
) -> None:
    await store.want_rooms(session, [room.id for room in rooms], needed=needed)
    titles = ", ".join(room.title for room in rooms)
    await service.note(session, lecture, action, now=now, actor=actor, count=len(rooms), title=titles)
    await service.owe_reconciling(session, lecture.id, now)


async def spread(
    session: AsyncSession,
    lecture: Lecture,
    rooms: Sequence[Room],
    seats: Sequence[str] | None = None,
    *,
    shuffle: Shuffle = random.shuffle,
) -> None:
    """Give participants their places in these rooms of one kind at random, as evenly as it goes.

    Second rooms share the audience with the main one, in which nobody needs a place.

    Args:
        seats: of these seats only (those who are inside); of everybody registered when None.
    """
    registered = await store.participants_of(session, lecture.id)
    chosen = [ident for ident, seat in registered if seats is None or seat in set(seats)]
    shuffle(chosen)
    kind = rooms[0].kind
    among = [room.id for room in rooms]
    given = dealt(chosen, [MAIN, *among] if kind is RoomKind.SECOND else among)
    places = {seat: room for seat, room in given.items() if room != MAIN}
    await store.place(session, lecture.id, kind, places)


def _still_ahead(lecture: Lecture) -> None:
    if lecture.state not in UPCOMING:
        raise IllegalMove(state=lecture.state.value, move="rooms")
