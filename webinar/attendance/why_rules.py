"""Why somebody earned what they did, as clauses that `policies.wording.joined` makes one sentence of."""

from collections.abc import Sequence
from dataclasses import dataclass

from webinar.attendance.check_rules import Asked, answers, needed_answers
from webinar.attendance.counted_rules import Counted
from webinar.attendance.interval_rules import missing, union
from webinar.lectures.rules import Window
from webinar.policies.rules import (
    MINUTE_S,
    Kind,
    Policy,
    Sentence,
    minutes_up,
    needed_seconds,
    tolerance_seconds,
)

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Case:
    """What was decided about somebody: `most` is what could be earned and `by_time` what the time gave.

    `was_there` when something proves it, `claimed` when at least the page said so.
    """

    policy: Policy
    window: Window
    counted: Counted
    asked: Sequence[Asked]
    was_there: bool
    claimed: bool
    most: int
    by_time: int
    unsure_s: int | None

    @property
    def figures(self) -> dict[str, int]:
        return {
            "attended": self.counted.seconds // MINUTE_S,
            "window": self.window.seconds // MINUTE_S,
        }


def why(case: Case) -> tuple[Sentence, ...]:
    """Time first, then what the replay gave, the longest absence, the checks, and what is unsure."""
    if not case.counted.seconds:
        return (*_nothing(case), *_unsure(case))
    hole = _hole(case) if case.by_time < case.most else ()
    return (_time(case), *_replay(case), *hole, *_checks(case), *_unsure(case))


def why_unpaid(case: Case) -> tuple[Sentence, ...]:
    """For a role that earns nothing."""
    return (
        Sentence("%(attended)s of %(window)s minutes", case.figures),
        Sentence("this role earns no JP in this lecture", {}),
    )


def _nothing(case: Case) -> tuple[Sentence, ...]:
    if case.was_there:
        return (Sentence("in the room, but not during the official window", {}),)
    if case.claimed:
        return (Sentence("the page was open, but nothing proves that the session was followed", {}),)
    return (Sentence("not in the room", {}),)


def _time(case: Case) -> Sentence:
    if case.policy.kind is Kind.THRESHOLD:
        return _threshold(case)
    return Sentence("%(attended)s of %(window)s minutes give %(jp)s JP", {**case.figures, "jp": case.by_time})


def _threshold(case: Case) -> Sentence:
    needed = minutes_up(needed_seconds(case.policy, case.window.seconds))
    figures = {**case.figures, "needed": needed}
    if not case.by_time:
        short = max(1, needed - figures["attended"])
        return Sentence(
            "%(attended)s of %(window)s minutes, %(short)s short of the %(needed)s needed",
            {**figures, "short": short},
        )
    if figures["attended"] < needed:
        tolerance = minutes_up(tolerance_seconds(case.policy, case.window.seconds))
        return Sentence(
            "%(attended)s of %(window)s minutes, enough for %(needed)s with the tolerance of %(tolerance)s",
            {**figures, "tolerance": tolerance},
        )
    return Sentence("%(attended)s of %(window)s minutes, where %(needed)s were needed", figures)


def _replay(case: Case) -> tuple[Sentence, ...]:
    minutes = case.counted.replay_seconds // MINUTE_S
    return (Sentence("%(replay)s of them by the replay", {"replay": minutes}),) if minutes else ()


def _hole(case: Case) -> tuple[Sentence, ...]:
    """The longest absence within the window, when it lasted a minute."""
    window = case.window
    holes = missing(union((*case.counted.live, *case.counted.watched)), window.spans)
    start, end = max(holes, key=lambda hole: (hole[1] - hole[0], -hole[0]), default=(0, 0))
    minutes = (end - start) // MINUTE_MS
    if not minutes:
        return ()
    if start == window.starts_at:
        return (Sentence("came %(late)s minutes after the start", {"late": minutes}),)
    if end == window.ends_at:
        return (Sentence("left %(early)s minutes before the end", {"early": minutes}),)
    return (Sentence("a gap of %(gap)s minutes from %(gap_at)s", {"gap": minutes, "gap_at": start}),)


def _checks(case: Case) -> tuple[Sentence, ...]:
    """Said where the policy asks for answers, and this person was asked."""
    needed = needed_answers(case.policy, case.asked)
    if not needed:
        return ()
    figures = {"answered": answers(case.asked), "asked": len(case.asked), "needed": needed}
    if figures["answered"] >= needed:
        return (Sentence("answered %(answered)s of %(asked)s presence checks", figures),)
    return (
        Sentence(
            "answered %(answered)s of %(asked)s presence checks, too few for the %(needed)s needed",
            figures,
        ),
    )


def _unsure(case: Case) -> tuple[Sentence, ...]:
    if case.unsure_s is None:
        return ()
    return (Sentence("unsure by %(unsure)s seconds, so an organiser should look", {"unsure": case.unsure_s}),)
