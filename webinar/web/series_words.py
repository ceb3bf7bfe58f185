"""What becomes of an edition, in words."""

from dataclasses import dataclass
from datetime import date, timedelta

from webinar.core.language import date_pattern, day_times
from webinar.lectures.rules import LectureState
from webinar.series import wording
from webinar.series.ahead import Fate
from webinar.series.rules import Slot, reasons
from webinar.web import change_words
from webinar.web.context import Context


@dataclass(frozen=True, slots=True)
class FateInWords:
    """One line of a preview: when the edition is now, what it gets, why it does not, and who is told."""

    number: int
    when: str
    gets: str
    notes: tuple[str, ...]
    told: tuple[str, ...]
    # How many mails go out; None where its people were not counted.
    mails: int | None


def fate(asked: Context, one: Fate) -> FateInWords:
    forecast = one.forecast
    return FateInWords(
        number=one.number,
        when=day_times(asked.language, one.before.starts_at, one.before.ends_at, one.before.zone),
        gets=_gets(asked, one),
        notes=_notes(asked, one),
        told=tuple(change_words.told(asked._, forecast)) if forecast else (),
        mails=forecast.mails if forecast else 0 if one.begun or one.refused else None,
    )


def _gets(asked: Context, one: Fate) -> str:
    _ = asked._
    when = day_times(asked.language, one.after.starts_at, one.after.ends_at, one.after.zone)
    return {
        "nothing": _("stays as it is"),
        "cancelled": _("called off"),
        "new_time": _("new time: %(when)s", when=when),
        "changed": _("changed"),
    }[one.gets]


def _notes(asked: Context, one: Fate) -> tuple[str, ...]:
    if one.keeps:
        return (asked._("keeps of its own: %(fields)s", fields=wording.fields(asked.language, one.keeps)),)
    return stays(asked, one)


def stays(asked: Context, one: Fate) -> tuple[str, ...]:
    """Why an edition stays as it is; empty of one that does not."""
    _ = asked._
    if one.before.state is LectureState.CANCELLED:
        return (_("it is called off already"),)
    if one.begun:
        return (_("it has begun already"),)
    if one.refused is not None:
        return tuple(_(text, **fields) for text, fields in reasons(one.refused))
    return ()


def not_made(asked: Context, slot: Slot, shift_days: int) -> str:
    """Which edition could not be booked, and why."""
    day = date.fromisoformat(slot.slot[:10]) + timedelta(days=shift_days)
    return asked._(
        "Edition %(number)s, %(day)s: %(why)s",
        number=slot.number,
        day=date_pattern(asked.language, day, "EEEE, d MMMM y"),
        why=refusal(asked, slot),
    )


def refusal(asked: Context, slot: Slot) -> str:
    """Why an edition could not be booked."""
    return " ".join(asked._(text, **fields) for text, fields in slot.refused or ())
