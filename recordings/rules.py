"""The life of a recording and what it is made of. Pure.

The state diagram is drawn from `RECORDING_MOVES` in docs/architecture.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webinar.core.errors import IllegalMove


class RecordingState(StrEnum):
    WANTED = "wanted"
    RECORDING = "recording"
    PAUSED = "paused"
    FINISHING = "finishing"
    READY = "ready"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


_S = RecordingState
RECORDING_MOVES: Mapping[tuple[RecordingState, str], RecordingState] = {
    (_S.WANTED, "start"): _S.RECORDING,
    (_S.WANTED, "pause"): _S.PAUSED,
    (_S.RECORDING, "pause"): _S.PAUSED,
    (_S.PAUSED, "start"): _S.RECORDING,
    (_S.WANTED, "stop"): _S.FINISHING,
    (_S.RECORDING, "stop"): _S.FINISHING,
    (_S.PAUSED, "stop"): _S.FINISHING,
    (_S.FINISHING, "complete"): _S.READY,
    (_S.FINISHING, "fail"): _S.FAILED,
    # The lecture was extended after its end, or its room came back.
    (_S.FINISHING, "want"): _S.WANTED,
    (_S.READY, "want"): _S.WANTED,
    (_S.FAILED, "want"): _S.WANTED,
    (_S.READY, "withdraw"): _S.WITHDRAWN,
}

AT_WORK = (_S.WANTED, _S.RECORDING, _S.PAUSED, _S.FINISHING)
"""States in which a recorder has something to do."""


STREAMING = (_S.RECORDING, _S.PAUSED, _S.FINISHING, _S.READY)
"""States in which those who watch a lecture that runs are shown what was recorded so far."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The right to join a room once: on which media server it is, its address for us, and a token."""

    server: str
    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """Instants in Unix ms. `fence` grows with each recorder that takes it; an older one writes no more."""

    id: str
    institution_id: str
    lecture_id: str
    state: RecordingState
    fence: int
    started_at: int | None
    ended_at: int | None
    duration_ms: int
    bytes: int
    last_error: str | None
    published_at: int | None
    expires_at: int | None = None

    def playable(self, now: int) -> bool:
        """Whether it may be shown at this instant: ready, and still kept."""
        return self.ready and (self.expires_at is None or now < self.expires_at)

    @property
    def ready(self) -> bool:
        """Whether it can be replayed."""
        return self.state is _S.READY

    def may(self, move: str) -> bool:
        return (self.state, move) in RECORDING_MOVES

    def after(self, move: str) -> "Recording":
        """This recording in the state that the move leads to.

        Raises:
            IllegalMove: the state does not allow it.
        """
        state = RECORDING_MOVES.get((self.state, move))
        if state is None:
            raise IllegalMove(state=self.state.value, move=move)
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a recording that has arrived in storage.

    `name` is unique within the recording. A part's init file has `duration_ms` 0. `started_at` is the instant
    of its first picture, Unix ms. `sha256` is hexadecimal.
    """

    recording_id: str
    name: str
    key: str
    started_at: int
    duration_ms: int
    size: int
    sha256: str


class RecorderState(StrEnum):
    """What a recorder is doing, for those who watch it."""

    CONNECTING = "connecting"
    RECORDING = "recording"
    MEDIA_AWAY = "media_away"
    STORAGE_FULL = "storage_full"
    STORAGE_AWAY = "storage_away"
    FINISHED = "finished"


PAUSING = frozenset({RecorderState.STORAGE_FULL, RecorderState.STORAGE_AWAY})


def wait_before(attempt: int) -> float:
    """Seconds before the next try after so many failures in a row (0 for the first): 0.5 doubling up to 8."""
    return float(min(8.0, 0.5 * 2 ** min(attempt, 10)))
