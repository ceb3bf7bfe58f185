"""When somebody is exempt: out of denominators and reminders, never out of the records."""

from dataclasses import dataclass
from datetime import date

from webinar.core import reason_rules
from webinar.core.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class Exemption:
    """ISO dates in the institution's zone, both included. One that was taken back has never held."""

    id: str
    person_id: str
    reason: str
    starts_on: str
    ends_on: str
    created_by: str | None
    created_at: int
    ended_by: str | None = None
    ended_at: int | None = None

    def holds_on(self, day: str) -> bool:
        return self.ended_at is None and self.starts_on <= day <= self.ends_on


def checked(reason: str, starts_on: str, ends_on: str) -> tuple[str, str, str]:
    """The same without idle space.

    Raises:
        Invalid: no reason, a day that does not exist, or an end before the start.
    """
    said = reason_rules.tidied(reason)
    errors = reason_rules.problems(said)
    days = {name: _day(text) for name, text in (("starts_on", starts_on), ("ends_on", ends_on))}
    errors += [FieldError(name, "Give a day that exists.", {}) for name, day in days.items() if day is None]
    first, last = days["starts_on"], days["ends_on"]
    if first and last and last < first:
        errors.append(FieldError("ends_on", "The end has to come after the start.", {}))
    if errors:
        raise Invalid(errors)
    return said, str(first), str(last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
