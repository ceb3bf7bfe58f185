"""What the commands share: their common options, and how one runs."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from webinar.config import Settings

T = TypeVar("T")

Data = Annotated[
    Path, typer.Option(envvar="PENDOPO_DATA", help="The folder of the database, the keys and the recordings.")
]
Institution = Annotated[
    str, typer.Option(help="Code, name or id of the institution; may be left out when there is only one.")
]


def settings_in(data: Path) -> Settings:
    """The settings of the installation in this folder."""
    from webinar.instance import settings_of

    return settings_of(data)


def run(work: Awaitable[T]) -> T:
    """The result of a command's work."""

    async def wait() -> T:
        return await work

    return asyncio.run(wait())
