"""What a handler answers about an effect that it was given."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.effects_rules import Effect

Then = Callable[[AsyncSession], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Together:
    """A `then` that is written for many effects at once: `write` gets the items of all of them.

    It must not matter to an item which others are written with it; when the writing of many fails, it
    is done again for each by itself, so that only the one that cannot be written suffers.
    """

    write: Callable[[AsyncSession, Sequence[Any]], Awaitable[object]]
    item: Any

    async def __call__(self, session: AsyncSession) -> None:
        await self.write(session, [self.item])


@dataclass(frozen=True, slots=True)
class Done:
    """It happened; `then` is written in the transaction that says so."""

    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """It went well, and is owed again at `due_at` (Unix ms)."""

    due_at: int
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed; tried again at `at`, or when the kind's back-off says so; parked after the last try."""

    error: str
    at: int | None = None
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """It is pointless by now, for this reason."""

    reason: str
    then: Then | None = None


Outcome = Done | Again | Retry | Skip
Handler = Callable[[Effect], Awaitable[Outcome]]
