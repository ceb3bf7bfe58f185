"""What a recording is made of. Pure."""

from dataclasses import dataclass
from enum import StrEnum


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


def wait_before(attempt: int) -> float:
    """Seconds before the next try after so many failures in a row (0 for the first): 0.5 doubling up to 8."""
    return float(min(8.0, 0.5 * 2 ** min(attempt, 10)))
