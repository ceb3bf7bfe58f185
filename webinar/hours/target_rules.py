"""What people of a kind of employment have to learn in a year, and the most that counts. JP in hundredths.

PP 11/2017: a PNS at least 20 JP a year; PP 49/2018, article 40: a PPPK at most 24 JP for each year of the
contract. Both are values that an institution may change.
"""

from collections.abc import Mapping
from typing import NamedTuple

from webinar.core.errors import Invalid
from webinar.people.rules import DEFAULT_YEAR_TARGET, Employment

# A year has no more working hours than this, in hundredths of a JP.
MOST = 200_000


class Target(NamedTuple):
    """Hours beyond `most` are on record and shown as beyond it; None: no limit. A target of 0 is none."""

    target: int
    most: int | None = None

    def beyond(self, total: int) -> int:
        """What of a year's hours lies beyond the limit."""
        return 0 if self.most is None else max(0, total - self.most)


DEFAULTS: Mapping[str, Target] = {
    Employment.PNS.value: Target(DEFAULT_YEAR_TARGET),
    Employment.PPPK.value: Target(DEFAULT_YEAR_TARGET, 2_400),
    Employment.OTHER.value: Target(0),
}


def chosen_or_usual(
    chosen: Mapping[str, tuple[int, int | None]], year_target: int | None
) -> Mapping[str, Target]:
    """Every kind of employment: what the institution chose, else what is usual.

    Args:
        chosen: (target, most) by employment.
        year_target: the institution's older target for everybody, which stays that of a PNS.
    """
    usual = dict(DEFAULTS)
    if year_target is not None:
        usual[Employment.PNS.value] = Target(year_target)
    return {kind: Target(*chosen.get(kind, usual[kind])) for kind in usual}


def checked(target: Target, fields: tuple[str, str] = ("target", "most")) -> Target:
    """The target, if it makes sense; `fields` are what its two numbers are called where they were typed.

    Raises:
        Invalid: less than nothing, more than a year has, or a limit below the target.
    """
    if not 0 <= target.target <= MOST:
        raise Invalid.at(fields[0], "Give a value from 0 to %(jp_most)s JP.", jp_most=str(MOST // 100))
    if target.most is not None and not target.target <= target.most <= MOST:
        raise Invalid.at(fields[1], "The limit cannot be below the target.")
    return target
