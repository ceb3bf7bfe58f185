"""What people do in a room: come in, speak, raise a hand, and put somebody out."""

import asyncio
import hmac
import json
from collections.abc import Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import rules, store
from webinar.classroom.rules import Admission, LinkExpired, NoSession, NotRegistered
from webinar.core import effects
from webinar.core.audit import Actor
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Handler, Outcome, Retry
from webinar.core.errors import Forbidden, Invalid, NotFound
from webinar.lectures import booking
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import (
    IN_SESSION,
    JOIN_LINK,
    Lecture,
    Registration,
    Room,
    RoomKind,
    RoomState,
    Seat,
    link_token,
    main_room_name,
)
from webinar.media.port import MediaUnavailable, ParticipantState, RoomMedia
from webinar.media.rules import parse_identity
from webinar.people.access import Role, Scope

log = structlog.get_logger()
# A token that was out when its holder was removed opens the door until it expires.
WATCH_MS = (rules.TOKEN_TTL_S + 30) * 1000
LOOK_AGAIN_MS = 3_000


async def seat_of_link(session: AsyncSession, link: str, link_key: bytes) -> Registration:
    """The seat that a join link gives.

    Raises:
        NotFound: it is no link of ours. LinkExpired: it was revoked, or the registration is cancelled.
    """
    match = JOIN_LINK.fullmatch(link)
    seat = await lecture_store.registration(session, match[1]) if match else None
    if match is None or seat is None:
        raise NotFound
    for generation in range(seat.link_generation, 0, -1):
        if hmac.compare_digest(match[2], link_token(link_key, seat.id, generation)):
            if generation == seat.link_generation and seat.active:
                return seat
            raise LinkExpired
    raise NotFound


async def seat_of_cookie(
    session: AsyncSession, lecture_id: str, cookie: str, link_key: bytes
) -> Registration | None:
    """The seat that the browser's cookie stands for, if it is still valid and of this lecture."""
    opened = rules.opened_seat_cookie(link_key, cookie)
    if opened is None:
        return None
    seat = await lecture_store.registration(session, opened[0])
    if seat is None or seat.lecture_id != lecture_id or seat.link_generation != opened[1]:
        return None
    return seat


async def seat_of_scope(session: AsyncSession, lecture_id: str, scope: Scope) -> Registration | None:
    """The seat of somebody who is signed in."""
    if scope.person_id is None:
        return None
    return await lecture_store.registration_of(session, lecture_id, scope.person_id)


async def organiser_seat(
    session: AsyncSession, lecture: Lecture, scope: Scope, *, now: int, link_key: bytes
) -> Registration:
    """A seat for an organiser who has none, so that the room knows who they are.

    Raises:
        NotRegistered: the scope does not manage the lecture.
    """
    if scope.person_id is None or not scope.reaches(Role.ORGANISER, lecture.unit_path):
        raise NotRegistered
    actor = Actor("person", scope.person_id)
    await booking.register(
        session, lecture, [scope.person_id], role=Seat.ORGANISER, now=now, actor=actor, link_key=link_key
    )
    seat = await lecture_store.registration_of(session, lecture.id, scope.person_id)
    if seat is None:
        raise NoSession
    return seat


async def admission(
    session: AsyncSession, lecture: Lecture, seat: Registration, now: int, *, wanted: str = ""
) -> Admission:
    """Let a seat into the room asked for, or say why not; see `rules.chosen_room` and `rules.admit`."""
    rooms, places = await rooms_and_places(session, seat)
    return rules.admit(lecture, seat, rules.chosen_room(seat, rooms, places, wanted), now)


async def rooms_and_places(session: AsyncSession, seat: Registration) -> tuple[list[Room], set[str]]:
    """The rooms of a seat's lecture, and the ids of those that it was given."""
    rooms = await lecture_store.rooms_of(session, seat.lecture_id)
    return rooms, await lecture_store.places_of(session, seat.id) if len(rooms) > 1 else set()


def by(seat: Registration) -> Actor:
    """Whoever has a seat, as the audit trail names who did something."""
    return Actor("person", seat.person_id)


def require_host(seat: Registration) -> None:
    """Raise Forbidden unless the seat is a host's."""
    if not rules.is_host(seat) or not seat.active or seat.removed_at is not None:
        raise Forbidden


async def say(
    session: AsyncSession, seat: Registration, *, text: object, client_id: object, now: int, room: Room | None
) -> store.ChatMessage:
    """Store a chat message of a breakout room or, without one, of the lecture; twice stores it once."""
    rules.require_seat(seat)
    if not isinstance(client_id, str) or not 1 <= len(client_id) <= 40:
        raise Invalid.at("client_id", "This page is out of date. Load it again.")
    return await store.add_message(
        session,
        lecture_id=seat.lecture_id,
        registration_id=seat.id,
        client_id=client_id,
        text=rules.checked_message(text),
        room_id=room.id if room else None,
        at=now,
    )


async def breakout_of(session: AsyncSession, seat: Registration, room_id: object) -> Room | None:
    """The breakout room whose chat a page asks for; None for the chat of the whole lecture.

    Raises:
        NotFound: the lecture has no such room. OtherRoom: the seat has its place in another one.
    """
    if not room_id:
        return None
    rooms, places = await rooms_and_places(session, seat)
    room = next((room for room in rooms if room.id == room_id), None)
    if room is None:
        raise NotFound
    if room.kind is not RoomKind.BREAKOUT:
        return None
    rules.chosen_room(seat, rooms, places, room.id)
    return room


async def set_hand(session: AsyncSession, seat: Registration, raised: bool, now: int) -> None:
    rules.require_seat(seat)
    if raised:
        await store.raise_hand(session, seat.lecture_id, seat.id, now)
    else:
        await store.lower_hand(session, seat.id)


async def remove(
    session: AsyncSession, lecture: Lecture, host: Registration, seat_name: str, reason: str, now: int
) -> Registration:
    """Put somebody out of the room; they stay out until they are let in again.

    Raises:
        Forbidden: the host is none, or the other one is a host, too. NotFound: nobody has the seat.
    """
    require_host(host)
    seat = await lecture_store.seat_of(session, lecture.id, seat_name)
    if seat is None:
        raise NotFound
    if rules.is_host(seat):
        raise Forbidden
    if seat.removed_at is None:
        await lecture_store.change_registration(
            session, seat.id, removed_at=now, removed_reason=reason[:300] or None
        )
        await store.lower_hand(session, seat.id)
        await lectures.note(
            session,
            lecture,
            "participant_removed",
            now=now,
            actor=by(host),
            person_id=seat.person_id,
            reason=reason[:300],
        )
    await owe_removal(session, seat, now)
    return seat


async def unregister(
    session: AsyncSession, lecture: Lecture, seat: Registration, *, now: int, actor: Actor
) -> None:
    """Cancel a registration: the person is told, and put out if the room stands open."""
    await booking.cancel_registration(session, lecture, seat, now=now, actor=actor)
    if lecture.state in IN_SESSION:
        await owe_removal(session, seat, now)


async def readmit(
    session: AsyncSession, lecture: Lecture, seat: Registration, *, now: int, actor: Actor
) -> None:
    """Let somebody who was removed come in again."""
    await lecture_store.change_registration(session, seat.id, removed_at=None, removed_reason=None)
    await effects.withdraw(session, f"remove:{seat.id}", "let in again", now)
    await lectures.note(
        session, lecture, "participant_readmitted", now=now, actor=actor, person_id=seat.person_id
    )


async def owe_removal(session: AsyncSession, seat: Registration, now: int, *, once: bool = False) -> None:
    """Have the seat put out of the room, and kept out while tokens of it may still be about.

    Args:
        once: put out whoever is in, even though the seat may come in again: its link was replaced.
    """
    await effects.owe(
        session,
        kind="remove",
        key=f"remove:{seat.id}",
        subject=f"lecture:{seat.lecture_id}",
        due_at=now,
        now=now,
        payload={"until": now if once else now + WATCH_MS, "once": once},
    )


def remover(database: Database, media: RoomMedia, clock: Clock) -> Handler:
    """The handler of kind `remove`: put every device of a seat out, until its tokens have expired."""

    async def put_out(effect: Effect) -> Outcome:
        async with database.reading() as session:
            seat = await lecture_store.registration(session, effect.key.removeprefix("remove:"))
        welcome = seat is not None and seat.active and seat.removed_at is None
        if seat is None or (welcome and not effect.payload.get("once")):
            return Done()
        try:
            for room, participant in await devices_of(database, media, seat.lecture_id, seat.seat):
                await media.remove(room, participant.identity)
        except MediaUnavailable as away:
            return Retry(str(away), at=clock.now() + LOOK_AGAIN_MS)
        now = clock.now()
        until = effect.payload.get("until", 0)
        return Again(now + LOOK_AGAIN_MS) if isinstance(until, int) and now < until else Done()

    return put_out


async def mute(database: Database, media: RoomMedia, lecture_id: str, seat_name: str) -> None:
    """Mute every device of a seat; its holder may speak again by the own choice."""
    for room, participant in await devices_of(database, media, lecture_id, seat_name):
        await media.mute(room, participant.identity, ["microphone"])


async def devices_of(
    database: Database, media: RoomMedia, lecture_id: str, seat_name: str
) -> list[tuple[str, ParticipantState]]:
    """Every device of a seat, with the name of the room that it is in. May raise MediaUnavailable."""
    names = await standing(database, lecture_id)
    lists = await asyncio.gather(*(media.list_participants(name) for name in names))
    inside = [(name, one) for name, people in zip(names, lists, strict=True) for one in people]
    return [(name, one) for name, one in inside if _seat_name(one.identity) == seat_name]


def _seat_name(identity: str) -> str | None:
    parsed = parse_identity(identity)
    return parsed.seat if parsed else None


async def standing(database: Database, lecture_id: str) -> list[str]:
    """The names of the rooms of a lecture that may stand on the media server; the main one always."""
    async with database.reading() as session:
        rooms = await lecture_store.rooms_of(session, lecture_id)
    others = [room.name for room in rooms if room.kind is not RoomKind.MAIN and room.state in _MAY_STAND]
    return [main_room_name(lecture_id), *others]


_MAY_STAND = frozenset({RoomState.OPEN, RoomState.CLOSING})


async def broadcast(
    database: Database,
    media: RoomMedia,
    lecture_id: str,
    topic: str,
    payload: Mapping[str, object],
    *,
    only: Room | None = None,
) -> None:
    """Tell everybody in all rooms, or in one; who misses it finds it when the page asks again."""
    names = [only.name] if only else await standing(database, lecture_id)
    told = json.dumps(payload).encode()
    results = await asyncio.gather(*(media.send(name, topic, told) for name in names), return_exceptions=True)
    for name, result in zip(names, results, strict=True):
        if isinstance(result, MediaUnavailable):
            log.warning("broadcast_failed", lecture=lecture_id, room=name, topic=topic)
        elif isinstance(result, BaseException):
            raise result
