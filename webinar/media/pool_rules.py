"""Which media server answers, and on which one a room is placed. Every time of the pool is stated here.

| after | since | what |
|---|---|---|
| 2.5 s | the last look | each scheduler asks each server again, while there are rooms |
| 1 s | somebody's last answer | whoever gets the same one says so again |
| 4 s | somebody's last answer | an unanswered question counts: the server is silent and gets no new rooms |
| 15 s | it fell silent | it is given up: its rooms are opened on another server, if one answers |
| 20 s | the page lost it | a page stops seeking the old server and asks to be let in anew |
| 47 s | the browser lost it | a browser left to itself would give up |

So a server that is back within 15 s has its own rooms again before any page looks elsewhere, and one that
stays away has lost them to another about when the pages ask. A pool of one has nowhere to move to: it waits.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

ASK_EVERY_MS = 2_500
# So that two answers are never further apart in the database than what counts as lately: a look, and this.
SAY_AGAIN_MS = 1_000
ANSWERED_LATELY_MS = 4_000
MOVE_AFTER_MS = 15_000
# Questions further apart than this say nothing of the time between them: no scheduler ran.
RUN_BREAKS_MS = 60_000


class Health(StrEnum):
    """What schedulers together know of a server."""

    ANSWERS = "answers"
    SILENT = "silent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was last heard of a server; instants in Unix ms of the database's clock.

    `error` is None while it answers; `since` is when it began to answer, or fell silent. Numbers are those
    of its last answer.
    """

    name: str
    since: int
    asked_at: int
    answered_at: int | None
    error: str | None
    rooms: int
    participants: int


def health(heard: Heard | None, now: int) -> Health:
    """One that nobody has asked yet is silent: it gets rooms once it has answered."""
    if heard is None:
        return Health.SILENT
    if heard.error is None:
        return Health.ANSWERS
    asked_on = now - heard.asked_at <= RUN_BREAKS_MS
    return Health.GIVEN_UP if asked_on and now - heard.since >= MOVE_AFTER_MS else Health.SILENT


@dataclass(frozen=True, slots=True)
class Load:
    """A server as placing sees it. `people` are those it has to bear: expected in its rooms, or there."""

    name: str
    health: Health
    drains: bool
    capacity: int
    people: int

    @property
    def headroom(self) -> int:
        """How many more people it is meant for; below 0 when it bears more than that."""
        return self.capacity - self.people

    @property
    def rank(self) -> int:
        """The lower the better; a lecture that is due opens on a draining server rather than not at all."""
        if self.health is Health.ANSWERS:
            return 1 if self.drains else 0
        return 2 if self.health is Health.SILENT else 3


def place(rooms: Sequence[int], loads: Sequence[Load]) -> list[str]:
    """The server of each room, which expects so many people; those before it are taken into account.

    Most headroom takes it, the first by name of equals. Where none has any, the least full one does.
    """
    best = min(load.rank for load in loads)
    takers = {load.name: load for load in loads if load.rank == best}
    people = {name: load.people for name, load in takers.items()}
    chosen = []
    for expected in rooms:
        name = min(takers, key=lambda name: (*_fullness(takers[name].capacity, people[name]), name))
        # An empty room costs something, too: rooms for nobody spread as well.
        people[name] += max(1, expected)
        chosen.append(name)
    return chosen


def _fullness(capacity: int, people: int) -> tuple[int, float]:
    """Ordered so that the least is to take the next room."""
    headroom = capacity - people
    return (-headroom, 0.0) if headroom > 0 else (0, people / max(1, capacity))


def deserted(having: Iterable[str], loads: Sequence[Load], asked: Collection[str]) -> set[str]:
    """Of the servers that have rooms, those whose rooms are to be opened on another one, if one answers.

    That is one that is given up, or one that is not in the settings and that nobody asks any more: while the
    settings are being changed, other schedulers may know it already, or still.

    Args:
        loads: the servers of our settings.
        asked: servers that some scheduler asked lately.
    """
    ours = {load.name: load.health for load in loads}
    if Health.ANSWERS not in ours.values():
        return set()
    return {
        name
        for name in having
        if ours.get(name) is Health.GIVEN_UP or (name not in ours and name not in asked)
    }
