"""What people have to learn in a year, by their kind of employment."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.hours.tables import YearTargetRow
from webinar.people.rules import DEFAULT_YEAR_TARGET, Unit


class Target(NamedTuple):
    """Hundredths of a JP; hours beyond `most` are on record and shown as beyond it. A target of 0 is none."""

    target: int
    most: int | None = None


# Where the institution has named none (PP 11/2017; PP 49/2018, art. 40).
DEFAULTS: Mapping[str, Target] = {
    "pns": Target(DEFAULT_YEAR_TARGET),
    "pppk": Target(DEFAULT_YEAR_TARGET, 2_400),
    "other": Target(0),
}


async def targets_of(session: AsyncSession, home: Unit) -> Mapping[str, Target]:
    """The targets of an institution, by employment."""
    rows = await session.execute(
        select(YearTargetRow.employment, YearTargetRow.target, YearTargetRow.most).where(
            YearTargetRow.institution_id == home.id
        )
    )
    named = {employment: Target(target, most) for employment, target, most in rows}
    pns = home.year_target if home.year_target is not None else DEFAULT_YEAR_TARGET
    return {**DEFAULTS, "pns": Target(pns), **named}
