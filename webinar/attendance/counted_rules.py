"""What of a person's time counts: in the room during the official window, and seen in the replay of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webinar.attendance.interval_rules import Span, clipped, filled, length, missing, union
from webinar.evidence.rules import Replay
from webinar.lectures.rules import Window
from webinar.policies.rules import Policy

DAY_MS = 86_400_000
# Hundredths of a ms in a second.
PERCENT_S = 100 * 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """Instants that count, all inside the window; `watched` are those that were only seen in the replay.

    `percent_ms` adds them up in hundredths of a ms, a watched one for the policy's share of it.
    """

    live: tuple[Span, ...]
    watched: tuple[Span, ...]
    percent_ms: int

    @property
    def seconds(self) -> int:
        """Live and replay together, floored once."""
        return self.percent_ms // PERCENT_S

    @property
    def replay_seconds(self) -> int:
        """What of the seconds came from the replay."""
        return self.seconds - length(self.live) // 1000


def counted(there: Iterable[Span], watched: Sequence[Span], window: Window, policy: Policy) -> Counted:
    """Join live and replay. `there` and `watched` are intervals in any order, also outside the window."""
    live = clipped(filled(union(there), policy.grace_s * 1000), window.spans)
    seen: list[Span] = []
    if policy.replay_percent and watched:
        seen = missing(live, clipped(union(watched), window.spans))
    percent_ms = length(live) * 100 + length(seen) * policy.replay_percent
    return Counted(tuple(live), tuple(seen), percent_ms)


def replay_deadline(policy: Policy, window: Window) -> int:
    """The instant from which on watching the replay counts no more; Unix ms."""
    return window.ends_at + policy.replay_days * DAY_MS


def watched_before(replays: Iterable[Replay], deadline: int) -> tuple[Span, ...]:
    """What was shown in minutes that began before the deadline: a minute tells no more of its inside."""
    return tuple(union(span for row in replays if row.first_at < deadline for span in row.spans))
