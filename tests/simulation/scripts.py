"""Small scenes that are played on the real media server, where they are recorded, and on the simulated one.

What is compared is told by step: which webhooks came, in which order, about whom, and when, roughly.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from webinar.media.webhook import WebhookEvent

ROOM = "hall"
SETTLE_S = 1.5
LATE_S = 10.0

Step = tuple[Any, ...]
OPEN, DELETE, ANI, BUDI = ("open",), ("delete",), ("join", "ani"), ("join", "budi")
LEAVE, VANISH = ("leave", "ani"), ("vanish", "ani")
SCRIPTS: dict[str, tuple[Step, ...]] = {
    "come_and_go": (OPEN, ANI, BUDI, LEAVE, DELETE),
    "same_identity_twice": (OPEN, ANI, ANI, LEAVE),
    "vanished": (OPEN, ANI, VANISH, ("wait", 35)),
    "vanished_and_back": (OPEN, ANI, VANISH, ("wait", 4), ANI, LEAVE),
    "vanished_and_room_deleted": (OPEN, ANI, VANISH, ("wait", 4), DELETE),
    "room_deleted": (OPEN, ANI, BUDI, DELETE, OPEN, ANI),
    "removed": (OPEN, ANI, ("remove", "ani"), ("remove", "ani")),
    "server_killed": (OPEN, ANI, BUDI, ("crash",), ANI, LEAVE),
    "server_stopped": (OPEN, ANI, ("stop",), ANI, LEAVE),
    "room_ends_by_itself": (("open", 2), ANI, LEAVE, ("wait", 5)),
    "room_made_by_a_guest": (ANI, LEAVE),
    "receiver_refuses": (("refuse", 503, 3), OPEN, ("wait", 10)),
    "receiver_says_no": (("refuse", 404, 1), OPEN, ("wait", 4)),
    "receiver_refuses_for_long": (("refuse", 503, 5), OPEN, ANI, ("wait", 20)),
}


class Stage(Protocol):
    """Where a scene is played. `heard` are the webhooks that arrived, with the seconds at which they did."""

    heard: list[tuple[float, WebhookEvent]]

    def time(self) -> float: ...

    async def do(self, step: Step) -> None: ...

    async def inside(self) -> list[str]:
        """Identities in the room's list, sorted."""

    async def sleep(self, seconds: float) -> None: ...


async def play(stage: Stage, script: Sequence[Step]) -> list[dict[str, Any]]:
    """Do each step, wait until it has settled, and tell what came of it."""
    names: dict[str, str] = {}
    told = []
    for step in script:
        began, first = stage.time(), len(stage.heard)
        if step[0] == "wait":
            await stage.sleep(step[1])
        else:
            await stage.do(step)
        await stage.sleep(SETTLE_S)
        came = [_told(event, at - began, names) for at, event in stage.heard[first:]]
        told.append({"step": list(step), "events": came, "inside": await stage.inside()})
    return told


def _told(event: WebhookEvent, after_s: float, names: dict[str, str]) -> dict[str, Any]:
    """An event with the SIDs as the first, second … room, or connection of an identity."""
    return {
        "event": event.event,
        "room": _name(event.room_sid, "room", names),
        "who": _name(event.participant_sid, event.identity, names),
        "reason": event.disconnect_reason,
        "after_s": round(after_s, 2),
    }


def _name(sid: str, kind: str, names: dict[str, str]) -> str:
    if not sid:
        return ""
    if sid not in names:
        names[sid] = f"{kind} {1 + sum(name.startswith(f'{kind} ') for name in names.values())}"
    return names[sid]


def comparable(told: Sequence[dict[str, Any]]) -> list[Any]:
    """What has to be equal: order within a step, but for lefts that come in one go; times as classes."""
    return [
        {
            "step": list(one["step"]),
            "inside": one["inside"],
            "events": _in_order([_class(event) for event in one["events"]]),
        }
        for one in told
    ]


def _class(event: dict[str, Any]) -> tuple[str, str, str, str, str]:
    when = "late" if event["after_s"] > LATE_S else "soon"
    return event["event"], event["room"], event["who"], event["reason"], when


def _in_order(events: list[tuple[str, str, str, str, str]]) -> list[tuple[str, str, str, str, str]]:
    ordered: list[tuple[str, str, str, str, str]] = []
    for event in events:
        at = len(ordered)
        while at and event[0] == ordered[at - 1][0] == "participant_left" and event < ordered[at - 1]:
            at -= 1
        ordered.insert(at, event)
    return ordered
