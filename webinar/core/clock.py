"""The one place where the clock is read.

Instants are Unix milliseconds, UTC, everywhere in Pendopo.
"""

import time
from collections.abc import Callable
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
    """The database's time, as far as this process knows it: what it said last, and what has passed since.

    Clocks of machines differ, and who opens a room or lets one lapse must not depend on which of them looks.
    What has passed is measured, not read off the own clock, so that setting that one changes nothing here.

    Args:
        own: the machine's clock, for the time before the database was asked, and to tell how far it is off.
        passed: seconds from an arbitrary start.
    """

    def __init__(self, own: Clock, passed: Callable[[], float] = time.monotonic) -> None:
        self.own = own
        self._passed = passed
        self._knows = False
        self._set(own.now())

    def now(self) -> int:
        return self._at + int((self._passed() - self._since) * 1000)

    def put_right(self, db_now: int, asked_at: int) -> None:
        """Go as far as the answer proves: it was true some time between the question and now.

        An answer that took long, because the database or this process stood still, so moves nothing that is
        right already. The first one is taken as new: what is due may then be late, and never early.
        """
        known = self.now()
        latest = db_now + max(0, known - asked_at)
        self._set(min(max(known, db_now), latest) if self._knows else db_now)
        self._knows = True

    def _set(self, at: int) -> None:
        self._at, self._since = at, self._passed()


def own_time(clock: Clock) -> int:
    """What the machine's clock says, whatever the database's does."""
    return clock.own.now() if isinstance(clock, DatabaseClock) else clock.now()


def put_right(clock: Clock, db_now: int, asked_at: int) -> None:
    """Tell a clock that follows the database's what time it is there; it was asked at `asked_at`."""
    if isinstance(clock, DatabaseClock):
        clock.put_right(db_now, asked_at)


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
