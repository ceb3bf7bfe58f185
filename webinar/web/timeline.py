"""The timeline of a lecture in words: what has happened, and what will happen by itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from webinar.core.audit import Entry
from webinar.core.clock import to_datetime
from webinar.core.language import Language
from webinar.core.language import day_times as _day_times
from webinar.lectures.rules import WALL_FORMAT
from webinar.lectures.upcoming_rules import Step, Upcoming
from webinar.people.rules import Person

Event = dict[str, object]


def day_times(language: Language, start: int, end: int, zone: str) -> str:
    """As the pages write it."""
    return _day_times(language, start, end, zone)


def next_full_hour(now: int, zone: str) -> str:
    """A wall time for a form's first suggestion: the next full hour but one, in working time."""
    start = to_datetime(now, zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    if start.hour >= 16 or start.hour < 8:
        start = (start + timedelta(days=1 if start.hour >= 16 else 0)).replace(hour=9)
    return start.strftime(WALL_FORMAT)


def later(wall: str, minutes: int) -> str:
    """A wall time some minutes after another."""
    start = datetime.strptime(wall, WALL_FORMAT)  # noqa: DTZ007 - wall times have no zone
    return (start + timedelta(minutes=minutes)).strftime(WALL_FORMAT)


def events(
    _: Callable[..., str],
    past: Sequence[Entry],
    ahead: Sequence[Upcoming],
    names: Mapping[str, Person],
) -> list[Event]:
    """What the timeline shows, oldest first; see `components/time.html`."""
    done = [_past(_, entry, names) for entry in past]
    return done + [_ahead(_, step) for step in ahead]


def _past(_: Callable[..., str], entry: Entry, names: Mapping[str, Person]) -> Event:
    texts = {
        "booked": _("Booked"),
        "registered": _("%(count)s people registered", count=entry.fields.get("count", 0)),
        "changed": _("Details changed"),
        "rescheduled": _("Moved to another time"),
        "room_opened": _("Room opened"),
        "room_lost": _("The video server lost the room; it is being opened again"),
        "room_failed": _("The room could not be opened; it is tried again"),
        "room_closed": _("Room closed"),
        "went_live": _("The lecture began"),
        "extended": _("Extended by %(minutes)s minutes", minutes=entry.fields.get("minutes", 0)),
        "ended": _("The lecture ended"),
        "missed": _("Nobody could be let in at that time: the service was not running"),
        "final": _("Hours settled"),
        "cancelled": _("Cancelled"),
        "window_fixed": _("The official time was fixed"),
        "adjusted": _("JP of %(people)s people adjusted", people=entry.fields.get("people", 0)),
        "adjustment_undone": _(
            "Adjustment of %(people)s people taken back", people=entry.fields.get("people", 0)
        ),
        "recording_started": _("Recording began"),
        "recording_ready": _("The replay is ready"),
        "recording_paused": _("Recording paused: no space is left"),
        "recording_failed": _("Recording failed"),
        "invites_resent": _("%(count)s invites sent again", count=entry.fields.get("count", 0)),
        "registration_cancelled": _("A registration was cancelled"),
        "link_revoked": _("A join link was revoked"),
        "participant_removed": _("A participant was removed"),
        "participant_readmitted": _("A participant was let in again"),
    }
    texts |= {
        "contest_opened": _("A participant contested the attendance"),
        "contest_accepted": _("A contest was accepted"),
        "contest_refused": _("A contest was refused"),
        "contest_withdrawn": _("A contest was withdrawn"),
    }
    person = names.get(entry.actor.id or "")
    by = _("by itself") if entry.actor.kind == "system" else (person.name if person else "")
    reason = str(entry.fields.get("reason") or "")
    return {
        "at": entry.at,
        "text": texts.get(entry.action, entry.action.replace("_", " ").capitalize()),
        "detail": " · ".join(part for part in (by, reason) if part),
        "tone": _TONES.get(entry.action, ""),
        "icon": _ICONS.get(entry.action, "circle-check"),
        "state": "past",
    }


def _ahead(_: Callable[..., str], step: Upcoming) -> Event:
    texts = {
        Step.ROOM_OPENED: _("The room opens"),
        Step.RECORDING_STARTED: _("Recording begins"),
        Step.WENT_LIVE: _("The lecture begins"),
        Step.ENDED: _("The lecture ends at the latest"),
        Step.ROOM_CLOSED: _("The room closes"),
        Step.FINAL: _("Hours are settled"),
    }
    return {
        "at": step.at,
        "text": texts[step.step],
        "detail": "",
        "tone": "",
        "icon": _ICONS.get(step.step.value, "clock"),
        "state": "future",
    }


_TONES = {
    "room_lost": "warning",
    "room_failed": "error",
    "missed": "error",
    "cancelled": "error",
    "recording_paused": "warning",
    "recording_failed": "error",
    "final": "success",
}
_ICONS = {
    "booked": "calendar-plus",
    "registered": "user-plus",
    "changed": "pencil",
    "rescheduled": "calendar-clock",
    "room_opened": "door-open",
    "room_lost": "triangle-alert",
    "room_failed": "triangle-alert",
    "room_closed": "door-closed",
    "went_live": "circle-play",
    "extended": "timer",
    "ended": "circle-stop",
    "missed": "triangle-alert",
    "final": "badge-check",
    "cancelled": "calendar-x",
    "window_fixed": "ruler",
    "adjusted": "pencil",
    "adjustment_undone": "undo-2",
    "contest_opened": "message-circle-question-mark",
    "contest_accepted": "circle-check",
    "contest_refused": "circle-x",
    "contest_withdrawn": "undo-2",
    "recording_started": "disc",
    "recording_ready": "circle-play",
    "recording_paused": "circle-pause",
    "recording_failed": "triangle-alert",
    "invites_resent": "send",
    "registration_cancelled": "user-minus",
    "link_revoked": "unlink",
    "participant_removed": "user-x",
    "participant_readmitted": "user-check",
}
