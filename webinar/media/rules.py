"""Names on the media server and what may be published there.

An identity is `<seat>.<tab>`: the seat is random for each registration (the others in the room see
it, so it is never a person's id), the tab tells two devices or browser tabs of one person apart.
"""

from dataclasses import dataclass

CAMERA = "camera"
MICROPHONE = "microphone"
SCREEN = "screen_share"
SCREEN_SOUND = "screen_share_audio"
SOURCES = (CAMERA, MICROPHONE, SCREEN, SCREEN_SOUND)

STANDARD = "STANDARD"
SIP = "SIP"
EGRESS = "EGRESS"
COUNTED_KINDS = frozenset({STANDARD, SIP})
"""Only people count as present; recorders, ingress and agents never do."""

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """A seat and the tab of the browser it is taken in."""

    seat: str
    tab: str

    def __str__(self) -> str:
        return f"{self.seat}.{self.tab}"


def is_part(text: str) -> bool:
    """Whether the text can be the seat or the tab of an identity."""
    return 0 < len(text) <= _LONGEST and _ALLOWED.issuperset(text)


def format_identity(seat: str, tab: str) -> str:
    """`<seat>.<tab>`.

    Raises:
        ValueError: one of them is empty, too long or has other characters than letters, digits, - and _.
    """
    if not is_part(seat) or not is_part(tab):
        raise ValueError("a seat and a tab are 1 to 64 letters, digits, - or _")
    return f"{seat}.{tab}"


def parse_identity(identity: str) -> Identity | None:
    """The seat and the tab, or None for an identity that is not one of ours."""
    seat, dot, tab = identity.partition(".")
    if not dot or not is_part(seat) or not is_part(tab):
        return None
    return Identity(seat, tab)


def counts(kind: str) -> bool:
    """Whether a participant of this kind can be a person who is present."""
    return kind in COUNTED_KINDS
