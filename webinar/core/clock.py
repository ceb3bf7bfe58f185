"""The one place where the clock is read.

Instants are Unix milliseconds, UTC, everywhere in Pendopo.
"""

import time
from datetime import UTC, datetime, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Something that tells the time."""

    def now(self) -> int:
        """Unix milliseconds, UTC."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved; for tests and simulations."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def advance(self, ms: int) -> None:
        self.at += ms


def monotonic() -> float:
    """Seconds from an arbitrary start; for measuring durations only."""
    return time.monotonic()


def to_datetime(at: int, zone: tzinfo | str = UTC) -> datetime:
    """An aware datetime of an instant, in the zone."""
    tz = ZoneInfo(zone) if isinstance(zone, str) else zone
    return datetime.fromtimestamp(at / 1000, tz)


def to_ms(moment: datetime) -> int:
    """The instant of an aware datetime.

    Raises:
        ValueError: the datetime has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone is no instant")
    return round(moment.timestamp() * 1000)
