"""What a participant must do to earn the JP of a lecture, as numbers and as a sentence.

Seconds are whole seconds of the official window; JP is in hundredths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from webinar.core.errors import FieldError, Invalid

MINUTE_S = 60
DAY_S = 86_400
WHOLE_JP = 100
# Five minutes are meant for a lecture of an hour or more; of a short one they would be most of it.
TOLERANCE_SHARE = 8


class Kind(StrEnum):
    THRESHOLD = "threshold"
    PROPORTIONAL = "proportional"


class Sentence(NamedTuple):
    """An English gettext source and its fields.

    A field whose name begins with `jp` is in hundredths, one that ends with `_at` is an instant;
    `policies.wording.told` writes them in the reader's language and zone.
    """

    message: str
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """One immutable version of an attendance policy."""

    id: str
    version: int
    institution_id: str
    name: str
    kind: Kind
    threshold_percent: int | None = None
    minutes_per_jp: int = 45
    tolerance_s: int = 300
    grace_s: int = 0
    lecturer_percent: int = 100
    organiser_percent: int = 0
    quiet_period_s: int = 86_400
    checks: int = 0
    checks_needed: int = 0
    check_s: int = 120
    replay_percent: int = 0
    replay_days: int = 7


def checked(policy: Policy) -> Policy:
    """The policy, if it makes sense.

    Raises:
        Invalid: names the field.
    """
    errors = [
        FieldError(name, "Give a number from %(least)s to %(most)s.", {"least": least, "most": most})
        for name, value, least, most in _limits(policy)
        if value is None or not least <= value <= most
    ]
    if not policy.name.strip():
        errors.append(FieldError("name", "Give the policy a name.", {}))
    if errors:
        raise Invalid(errors)
    return policy


def _limits(policy: Policy) -> list[tuple[str, int | None, int, int]]:
    limits: list[tuple[str, int | None, int, int]] = [
        ("minutes_per_jp", policy.minutes_per_jp, 1, 240),
        ("tolerance_s", policy.tolerance_s, 0, 3_600),
        ("grace_s", policy.grace_s, 0, 3_600),
        ("quiet_period_s", policy.quiet_period_s, 0, 30 * 86_400),
        ("lecturer_percent", policy.lecturer_percent, 0, 100),
        ("organiser_percent", policy.organiser_percent, 0, 100),
        ("checks", policy.checks, 0, 20),
        ("checks_needed", policy.checks_needed, 0, max(policy.checks, 0)),
        ("check_s", policy.check_s, 30, 600),
        ("replay_percent", policy.replay_percent, 0, 100),
        ("replay_days", policy.replay_days, 1, 365),
    ]
    if policy.kind is Kind.THRESHOLD:
        limits.append(("threshold_percent", policy.threshold_percent, 1, 100))
    return limits


def role_jp(policy: Policy, jp: int, role: str) -> int:
    """Hundredths of a JP that somebody in a role of the lecture can earn at most, of a lecture worth `jp`."""
    shares = {"lecturer": policy.lecturer_percent, "organiser": policy.organiser_percent}
    return jp * shares.get(role, 100) // 100


def tolerance_seconds(policy: Policy, window_s: int) -> int:
    """What is added once to the seconds present before the rule looks at them."""
    return min(policy.tolerance_s, window_s // TOLERANCE_SHARE)


def needed_seconds(policy: Policy, window_s: int) -> int:
    """Seconds of presence from which on any JP is earned; the tolerance is not taken off."""
    if policy.kind is Kind.THRESHOLD:
        return -(-window_s * (policy.threshold_percent or 100) // 100)
    return policy.minutes_per_jp * MINUTE_S


def full_seconds(policy: Policy, jp: int, window_s: int) -> int:
    """Seconds of presence from which on there is no more to earn of a lecture worth `jp`."""
    if policy.kind is Kind.THRESHOLD:
        return needed_seconds(policy, window_s)
    return min(-(-jp * policy.minutes_per_jp * MINUTE_S // WHOLE_JP), window_s)


def earned(policy: Policy, jp: int, window_s: int, seconds: int) -> int:
    """Hundredths of a JP for so many seconds inside the window, of a lecture worth `jp`.

    Proportional credit is whole JP, floored once; who was there for the time of all the lecture's JP
    gets all of it, also where that is no whole number.
    """
    if seconds <= 0:
        return 0
    counted = seconds + tolerance_seconds(policy, window_s)
    if policy.kind is Kind.THRESHOLD:
        return jp if counted >= needed_seconds(policy, window_s) else 0
    jp_s = policy.minutes_per_jp * MINUTE_S
    if counted * WHOLE_JP >= jp * jp_s:
        return jp
    return min(jp, counted // jp_s * WHOLE_JP)


def settling_seconds(policy: Policy) -> int:
    """How long after its end a lecture's hours are settled: not while watching the replay still counts."""
    replay_s = policy.replay_days * DAY_S if policy.replay_percent else 0
    return max(policy.quiet_period_s, replay_s)


def minutes_up(seconds: int) -> int:
    """Whole minutes, rounded up: who stays that long has certainly enough."""
    return -(-seconds // MINUTE_S)


def sentence(policy: Policy, jp: int, window_s: int) -> Sentence:
    """What a participant reads before joining; minutes of the official window."""
    window = window_s // MINUTE_S
    if policy.kind is Kind.THRESHOLD:
        needed = min(minutes_up(needed_seconds(policy, window_s)), max(window, 1))
        return Sentence(
            "Attend at least %(needed)s of %(window)s minutes to earn %(jp)s JP.",
            {"needed": needed, "window": window, "jp": jp},
        )
    return Sentence(
        "Every %(minutes)s minutes you attend earn 1 JP, at most %(jp)s JP in %(window)s minutes.",
        {"minutes": policy.minutes_per_jp, "jp": jp, "window": window},
    )


def sentences(policy: Policy, jp: int, window_s: int) -> tuple[Sentence, ...]:
    """Everything that a participant must do, and what else counts; the first is `sentence`."""
    said = [sentence(policy, jp, window_s)]
    if policy.checks and policy.checks_needed:
        said.append(_answers(policy))
    if policy.replay_percent:
        said.append(_replays(policy))
    return tuple(said)


def _replays(policy: Policy) -> Sentence:
    if policy.replay_days == 1:
        return Sentence(
            "Minutes of the replay that you missed count %(percent)s %% if you watch them within one day.",
            {"percent": policy.replay_percent},
        )
    return Sentence(
        "Minutes of the replay that you missed count %(percent)s %% if you watch them within %(days)s days.",
        {"percent": policy.replay_percent, "days": policy.replay_days},
    )


def _answers(policy: Policy) -> Sentence:
    if policy.checks_needed < policy.checks:
        return Sentence(
            "Answer at least %(needed)s of %(checks)s presence checks that are asked unannounced.",
            {"needed": policy.checks_needed, "checks": policy.checks},
        )
    if policy.checks == 1:
        return Sentence("Answer the presence check that is asked unannounced.", {})
    return Sentence(
        "Answer all %(checks)s presence checks that are asked unannounced.", {"checks": policy.checks}
    )


DRAFT = Policy("", 0, "", "", Kind.THRESHOLD, threshold_percent=80)
"""What the form of a new policy begins with."""


def default(policy_id: str, institution_id: str) -> Policy:
    """The policy an institution begins with."""
    return Policy(policy_id, 1, institution_id, "Hadir 80 %", Kind.THRESHOLD, threshold_percent=80)
