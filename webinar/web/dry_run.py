"""Doing something as if, to show beforehand what would follow: the same code, and nothing is kept."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.web.context import Context

T = TypeVar("T")


class _Undone(Exception):  # noqa: N818 - nothing went wrong
    """Ends the transaction without keeping anything."""


async def as_if(asked: Context, deed: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What the deed gives, in a transaction that is rolled back; its refusals are those of the real one.

    It holds what the deed holds, on SQLite the one place of a writer: for deeds of milliseconds.
    """
    found: list[T] = []
    with suppress(_Undone):
        async with asked.writing() as session:
            found.append(await deed(session))
            raise _Undone
    return found[0]
