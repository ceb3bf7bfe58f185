"""Evidence in a few words: seconds from nine o'clock, one room, one seat unless said otherwise."""

from typing import Any

from webinar.evidence.rules import Beats, Event, Evidence, Seen, Segments, Sweep

NINE = 1_795_568_400_000
ROOM = "lecture.main"


def at(seconds: float) -> int:
    return NINE + round(seconds * 1000)


def event(name: str, told: float, sid: str | None = "PA_1", **more: Any) -> Event:
    """`born` is when the media server made the participant."""
    born = more.pop("born", None)
    defaults: dict[str, Any] = {
        "event_id": f"EV_{name}_{sid}_{told}_{more.get('room_sid', 'RM_1')}",
        "room_name": ROOM,
        "room_sid": "RM_1",
        "identity": "seat.tab" if sid else None,
        "kind": "standard" if sid else None,
        "reason": None,
        "received_at": at(told),
    }
    return Event(
        event=name,
        participant_sid=sid,
        joined_at_ms=None if born is None else at(born),
        created_at_s=at(told) // 1000,
        **(defaults | more),
    )


def joined(when: float, sid: str = "PA_1", **more: Any) -> Event:
    return event("participant_joined", when, sid, born=when, **more)


def left(when: float, sid: str = "PA_1", *, born: float | None = None, **more: Any) -> Event:
    return event("participant_left", when, sid, born=born, **({"reason": "CLIENT_INITIATED"} | more))


def seen(sid: str = "PA_1", born: float = 0, identity: str = "seat.tab", kind: str = "standard") -> Seen:
    return Seen(identity, sid, kind, at(born))


def sweep(when: float, *people: Seen, room_sid: str | None = "RM_1") -> Sweep:
    return Sweep(ROOM, room_sid, at(when), people)


def beats(
    *whens: float, sid: str = "PA_1", identity: str = "seat.tab", left_at: float | None = None
) -> list[Beats]:
    """The rows that these beats leave: one a minute."""
    minutes: dict[int, list[int]] = {}
    for when in (*whens, *(() if left_at is None else (left_at,))):
        minutes.setdefault(at(when) // 60_000, []).append(at(when))
    return [
        Beats(
            "registration",
            identity,
            sid,
            minute,
            min(times),
            max(times),
            len(times),
            len(times),
            at(left_at) if left_at is not None and at(left_at) in times else None,
        )
        for minute, times in minutes.items()
    ]


def every(step: float, start: float, end: float) -> list[float]:
    """Instants from start on, a step apart, before the end."""
    return [start + step * n for n in range(max(0, int((end - start) // step) + 1)) if start + step * n < end]


def segments(start: float, end: float, registration: str = "registration") -> list[Segments]:
    """Handed out every four seconds: one row a minute."""
    minutes: dict[int, list[int]] = {}
    for when in every(4, start, end):
        minutes.setdefault(at(when) // 60_000, []).append(at(when))
    return [
        Segments(registration, minute, min(times), max(times), len(times), min(times), max(times))
        for minute, times in minutes.items()
    ]


def evidence(*facts: Event | Sweep | Beats | Segments) -> Evidence:
    return Evidence(
        tuple(f for f in facts if isinstance(f, Event)),
        tuple(f for f in facts if isinstance(f, Sweep)),
        tuple(f for f in facts if isinstance(f, Beats)),
        segments=tuple(f for f in facts if isinstance(f, Segments)),
    )
