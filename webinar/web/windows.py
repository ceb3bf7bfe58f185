"""The official time of a lecture as a form: begin, end, and breaks between."""

from collections.abc import Mapping

from webinar.core.errors import Invalid
from webinar.lectures.rules import Window, instant_of, wall_of

# Breaks that the form has room for; a row more than there are is always shown empty.
MOST_BREAKS = 8


def form_of(window: Window, zone: str) -> dict[str, str]:
    """The official time as the form shows it; `ends_day` only where it ends on another day."""
    starts, ends = wall_of(window.starts_at, zone), wall_of(window.ends_at, zone)
    shown = {"day": starts[:10], "starts_time": starts[11:], "ends_time": ends[11:], "reason": ""}
    shown["ends_day"] = ends[:10] if ends[:10] != starts[:10] else ""
    for number in range(1, len(window.spans)):
        shown[f"break_from_{number}"] = wall_of(window.spans[number - 1][1], zone)[11:]
        shown[f"break_to_{number}"] = wall_of(window.spans[number][0], zone)[11:]
    return shown


def breaks_shown(typed: Mapping[str, str] | None, window: Window) -> int:
    """How many rows for breaks the form has: those that are used, and one more."""
    used = [n for n in range(1, MOST_BREAKS + 1) if (typed or {}).get(f"break_from_{n}")]
    return min(max([len(window.spans) - 1, *used]) + 1, MOST_BREAKS)


def spans_of(form: Mapping[str, str], zone: str) -> list[tuple[int, int]]:
    """The official time as it was typed; breaks that are empty are none.

    Raises:
        Invalid: at the field of the form.
    """
    breaks = [
        name
        for number in range(1, MOST_BREAKS + 1)
        if form.get(f"break_from_{number}") or form.get(f"break_to_{number}")
        for name in (f"break_from_{number}", f"break_to_{number}")
    ]
    marks = ["starts_time", *breaks, "ends_time"]
    times = _in_order(form, marks, zone)
    return list(zip(times[::2], times[1::2], strict=True))


def _in_order(form: Mapping[str, str], marks: list[str], zone: str) -> list[int]:
    """The instants of the fields; one that lies before the last is meant of the last day."""
    days = [day for day in (form.get("day", ""), form.get("ends_day", "")) if day]
    times: list[int] = []
    for name in marks:
        day = days[-1] if name == "ends_time" and days else (days[0] if days else "")
        at = _instant(form, name, day, zone)
        if times and at <= times[-1] and len(days) > 1:
            at = _instant(form, name, days[-1], zone)
        if times and at <= times[-1]:
            raise Invalid.at(name, "This time has to come after the one before.")
        times.append(at)
    return times


def _instant(form: Mapping[str, str], name: str, day: str, zone: str) -> int:
    return instant_of(f"{day}T{form.get(name, '')[:5]}", zone, name)
