"""Which tracks of a room are recorded. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """One published track; `source` is camera, microphone, screen or screen_sound."""

    sid: str
    identity: str
    source: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tracks to record: at most one screen and one camera, every voice."""

    screen: str | None = None
    camera: str | None = None
    sounds: frozenset[str] = frozenset()
    speaker: str | None = None

    @property
    def pictures(self) -> frozenset[str]:
        return frozenset(sid for sid in (self.screen, self.camera) if sid)

    @property
    def all(self) -> frozenset[str]:
        return self.pictures | self.sounds


def select(offers: Iterable[Offer], speaking: Sequence[str], before: Wanted) -> Wanted:
    """The newest screen, the camera of who speaks (else of who spoke last, else the first), and all sound.

    `speaking` holds identities, the loudest first. Tracks that are muted show and say nothing.
    """
    heard = [offer for offer in offers if not offer.muted]
    screens = [offer.sid for offer in heard if offer.source == "screen"]
    cameras = {offer.identity: offer.sid for offer in reversed(heard) if offer.source == "camera"}
    speaker = next((who for who in (*speaking, before.speaker) if who in cameras), None)
    speaker = speaker or next((o.identity for o in heard if o.source == "camera"), None)
    return Wanted(
        screen=before.screen if before.screen in screens else (screens[-1] if screens else None),
        camera=cameras.get(speaker) if speaker else None,
        sounds=frozenset(o.sid for o in heard if o.source in ("microphone", "screen_sound")),
        speaker=speaker,
    )
