"""Who is in which room right now, as the media server says it: asked once for all who look together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webinar.core.batches import Batches
from webinar.lectures.rules import Room, RoomState
from webinar.media.port import MediaUnavailable, ParticipantState, RoomMedia
from webinar.media.rules import counts, parse_identity

# From one look to the next, however many pages ask.
EVERY_S = 1.0
# A page reads so many names of a room; the number beside them is of all.
MOST_NAMES = 100


@dataclass(frozen=True, slots=True)
class Inside:
    """Somebody in a room, on however many devices."""

    seat: str
    name: str


class Whereabouts:
    """`await whereabouts(rooms)` is who is in each room, by its name; None where that is not known."""

    def __init__(self, media: RoomMedia, *, every_s: float = EVERY_S) -> None:
        self._media = media
        self._lists: Batches[str, Sequence[Inside]] = Batches(self._look, every_s=every_s)

    async def __call__(self, rooms: Sequence[Room]) -> Mapping[str, Sequence[Inside] | None]:
        standing = [room.name for room in rooms if room.state is RoomState.OPEN]
        try:
            found = await asyncio.gather(*map(self._lists, standing))
        except MediaUnavailable:
            return dict.fromkeys(standing)
        return dict(zip(standing, found, strict=True))

    async def _look(self, names: Sequence[str]) -> Sequence[Sequence[Inside]]:
        once = sorted(set(names))
        lists = await asyncio.gather(*map(self._media.list_participants, once))
        found = {name: people_of(listed) for name, listed in zip(once, lists, strict=True)}
        return [found[name] for name in names]


def people_of(listed: Sequence[ParticipantState]) -> list[Inside]:
    """People among the participants, each once, by name; no recorders."""
    found = {}
    for one in listed:
        identity = parse_identity(one.identity)
        if identity is not None and counts(one.kind.upper()):
            found[identity.seat] = Inside(identity.seat, one.name)
    return sorted(found.values(), key=lambda person: (person.name.casefold(), person.seat))
