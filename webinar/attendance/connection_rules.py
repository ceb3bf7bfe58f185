"""What the evidence becomes first: one device in one room, from when to when."""

from dataclasses import dataclass

WEBHOOK, SWEEP, HEARTBEAT, SEGMENTS = "webhook", "sweep", "heartbeat", "segments"
# The media server tells the time of a "left" in whole seconds, rounded down.
WHOLE_SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Connection:
    """One device in one room. `uncertainty_ms` is how far the end may be off; open ones last until now."""

    room_name: str
    room_sid: str
    participant_sid: str
    identity: str
    start: int
    end: int
    sources: tuple[str, ...]
    uncertainty_ms: int
    open: bool = False
    reason: str | None = None

    @property
    def seat(self) -> str:
        return self.identity.partition(".")[0]
