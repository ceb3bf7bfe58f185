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


class DatabaseClock:
    """The database's time, as far as this process knows it: the own clock, put right at each look.

    Clocks of machines differ, and who opens a room or lets one lapse must not depend on which of them looks.
    """

    def __init__(self, own: Clock) -> None:
        self.own = own
        self.ahead_ms = 0

    def now(self) -> int:
        return self.own.now() - self.ahead_ms


def own_time(clock: Clock) -> int:
    """What the machine's clock says, whatever the database's does."""
    return clock.own.now() if isinstance(clock, DatabaseClock) else clock.now()


def put_right(clock: Clock, db_now: int, asked_at: int) -> None:
    """Tell a clock that follows the database's what time it is there; it was asked at `asked_at`."""
    if isinstance(clock, DatabaseClock):
        # The answer is as old as half of the way there and back.
        took = max(0, clock.now() - asked_at)
        clock.ahead_ms = clock.own.now() - db_now - took // 2


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
