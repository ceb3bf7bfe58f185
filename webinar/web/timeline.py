"""The timeline of a lecture in words: what has happened, and what will happen by itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from webinar.core.audit import Entry
from webinar.core.clock import to_datetime
from webinar.core.language import Language
from webinar.core.language import day_times as _day_times
from webinar.lectures.rules import WALL_FORMAT
from webinar.lectures.upcoming_rules import Step
from webinar.operations.rules import Standing
from webinar.operations.timeline_rules import Foreseen, Sort
from webinar.operations.wording import error_words, kind_words
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
    ahead: Sequence[Foreseen],
    names: Mapping[str, Person],
) -> list[Event]:
    """What the timeline shows, oldest first; see `components/time.html`."""
    over = [_ahead(_, line) for line in ahead if line.standing in OVER]
    done = sorted([_past(_, entry, names) for entry in past] + over, key=lambda event: int(str(event["at"])))
    return done + [_ahead(_, line) for line in ahead if line.standing not in OVER]


def _past(_: Callable[..., str], entry: Entry, names: Mapping[str, Person]) -> Event:
    texts = {
        "booked": _("Booked"),
        "registered": _("%(count)s people registered", count=entry.fields.get("count", 0)),
        "changed": _("Details changed"),
        "rescheduled": _("Moved to another time"),
        "room_opened": _("Room opened"),
        "room_lost": _("The video server lost the room; it is being opened again"),
        "room_moved": _("The room was moved to another video server"),
        "room_failed": _("The room could not be opened; it is tried again"),
        "room_closed": _("Room closed"),
        "went_live": _("The lecture began"),
        "extended": _("Extended by %(minutes)s minutes", minutes=entry.fields.get("minutes", 0)),
        "rooms_added": _("%(count)s rooms added", count=entry.fields.get("count", 0)),
        "room_renamed": _("A room was renamed"),
        "room_reopened": _("Rooms opened again"),
        "rooms_ended": _("Rooms ended"),
        "left_empty": _("Nobody was in the rooms any more"),
        "ended": _("The lecture ended"),
        "missed": _missed_words(_, entry.fields),
        "final": _("Hours settled"),
        "cancelled": _("Cancelled"),
        "restored": _("Restored: it takes place after all"),
        "breaks_changed": _("Breaks changed"),
        "lecturers_changed": _("The lecturer was changed"),
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
        "series_change_refused": _("A change of the whole series could not be carried out"),
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
    trouble = error_words(_, entry.fields.get("error")) if entry.action == "missed" else ""
    title = str(entry.fields.get("title") or "")
    return {
        "at": entry.at,
        "text": texts.get(entry.action, entry.action.replace("_", " ").capitalize()),
        "detail": " · ".join(part for part in (title, by, trouble, reason) if part),
        "tone": _TONES.get(entry.action, ""),
        "icon": _ICONS.get(entry.action, "circle-check"),
        "state": "past",
        "standing": "",
    }


def _missed_words(_: Callable[..., str], fields: Mapping[str, object]) -> str:
    if "error" not in fields:
        # Written before it was known why.
        return _("Nobody could be let in at that time: there was no room")
    if fields["error"]:
        return _("Nobody could be let in at that time: the video server did not open the room")
    return _("Nobody could be let in at that time: the service was not running")


def _ahead(_: Callable[..., str], line: Foreseen) -> Event:
    over = line.standing in OVER
    return {
        "at": line.at,
        "text": _text(_, line),
        "detail": _detail(_, line),
        "tone": _STANDING_TONES.get(line.standing, ""),
        "icon": _STANDING_ICONS.get(line.standing) or _ICONS.get(line.what, _SORT_ICONS[line.sort]),
        "state": "past" if over else "future",
        "standing": "" if line.standing in {Standing.AHEAD, Standing.DONE} else line.standing.value,
    }


def _text(_: Callable[..., str], line: Foreseen) -> str:
    if line.sort is Sort.STEP:
        return _step_text(_, line)
    if line.sort is Sort.CHECKS:
        return _("%(count)s presence checks during the lecture", count=line.count)
    if line.sort is Sort.REMINDERS:
        return _("The next reminders go out")
    if line.sort is Sort.WORK:
        return kind_words(_).get(line.what, line.what)
    if line.what == "reminder" and line.standing is Standing.DONE:
        return _("%(count)s reminders sent", count=line.count)
    if line.what == "reminder" and line.standing is Standing.SKIPPED:
        return _("%(count)s reminders were not needed", count=line.count)
    if line.standing is Standing.DONE:
        return _("%(count)s mails sent", count=line.count)
    if line.standing is Standing.SKIPPED:
        return _("%(count)s mails were not sent", count=line.count)
    if line.standing is Standing.PARKED:
        return _("%(count)s mails could not be sent", count=line.count)
    return _("%(count)s mails to send", count=line.count)


def _step_text(_: Callable[..., str], line: Foreseen) -> str:
    return {
        Step.ROOM_OPENED: _("The room opens"),
        Step.RECORDING_STARTED: _("Recording begins"),
        Step.WENT_LIVE: _("The lecture begins"),
        Step.ENDS_EMPTY: _(
            "From here on it ends once nobody was in it for %(count)s minutes", count=line.count
        ),
        Step.ENDED: _("The lecture ends at the latest"),
        Step.ROOM_CLOSED: _("The room closes"),
        Step.FINAL: _("Hours are settled"),
    }[Step(line.what)]


def _detail(_: Callable[..., str], line: Foreseen) -> str:
    if line.standing is Standing.WAITING:
        return _("as soon as %(count)s contests are decided", count=line.count)
    if line.standing is Standing.SKIPPED:
        return error_words(_, line.error)
    if line.standing is Standing.PARKED:
        why = error_words(_, line.error)
        return " · ".join(filter(None, (why, _("an administrator has to look at it"))))
    return error_words(_, line.error)


OVER = frozenset({Standing.DONE, Standing.SKIPPED})
_SORT_ICONS = {
    Sort.STEP: "clock",
    Sort.MAILS: "send",
    Sort.CHECKS: "hand",
    Sort.REMINDERS: "bell",
    Sort.WORK: "cog",
}
_STANDING_ICONS = {
    Standing.LATE: "alarm-clock",
    Standing.RUNNING: "loader",
    Standing.FAILING: "triangle-alert",
    Standing.PARKED: "octagon-alert",
    Standing.HELD: "circle-pause",
    Standing.WAITING: "hourglass",
    Standing.SKIPPED: "ban",
}
_STANDING_TONES = {
    Standing.DUE: "primary",
    Standing.RUNNING: "primary",
    Standing.LATE: "warning",
    Standing.FAILING: "warning",
    Standing.HELD: "warning",
    Standing.PARKED: "error",
    Standing.WAITING: "info",
    Standing.DONE: "success",
}
_TONES = {
    "room_lost": "warning",
    "room_moved": "warning",
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
    "room_moved": "move-right",
    "room_failed": "triangle-alert",
    "room_closed": "door-closed",
    "went_live": "circle-play",
    "extended": "timer",
    "ended": "circle-stop",
    "ends_empty": "timer",
    "left_empty": "door-open",
    "rooms_added": "layout-grid",
    "room_renamed": "pencil",
    "room_reopened": "undo-2",
    "rooms_ended": "door-closed",
    "missed": "triangle-alert",
    "final": "badge-check",
    "cancelled": "calendar-x",
    "restored": "undo-2",
    "breaks_changed": "coffee",
    "lecturers_changed": "users",
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
