"""Credits of thousands of people at once: the figures from `bulk`, the sentences from `credit_rules`.

Equal to `credit_rules.credit` of each, which a test holds it to.
"""

from collections.abc import Sequence

import numpy as np

from webinar.attendance import bulk
from webinar.attendance.credit_rules import Credit, State, credit_knowing
from webinar.attendance.log_rules import Person
from webinar.lectures.rules import Window
from webinar.policies.rules import MINUTE_S, Policy, role_jp


def at_once(policy: Policy, jp: int, window: Window, people: Sequence[Person]) -> list[Credit]:
    """What each of them earns in a lecture worth `jp` hundredths; their presence with its stays."""
    found = bulk.credits(
        policy,
        jp,
        window,
        [one.role for one in people],
        _stays(people),
        _watched(people),
        _answered(people),
    )
    columns = (
        found.seconds,
        found.uncertainty_s,
        found.jp,
        found.state,
        found.replay_seconds,
        found.checks_asked,
        found.checks_answered,
    )
    known: dict[tuple[object, ...], Credit] = {}
    credits = []
    for one, *figures in zip(people, *(column.tolist() for column in columns), strict=True):
        seconds, uncertainty_s, earned, number, replay_s, asked, answered = figures
        state = bulk.STATES[number]
        # Of who has all there is to earn, the sentence tells minutes and checks and nothing else.
        like = (one.role, seconds // MINUTE_S, replay_s // MINUTE_S, asked, answered)
        whole = state is State.CREDITED and earned == role_jp(policy, jp, one.role)
        other = known.get(like) if whole else None
        if other is not None:
            why = other.why
            credits.append(Credit(seconds, uncertainty_s, earned, state, why, replay_s, asked, answered))
            continue
        own = credit_knowing(
            policy,
            jp,
            window,
            one.presence,
            one.role,
            one.checks,
            uncertainty_s=uncertainty_s,
            doubtful=state is State.DOUBTFUL,
        )
        if whole:
            known[like] = own
        credits.append(own)
    return credits


def _table(rows: Sequence[tuple[int, ...]], width: int) -> bulk.Ints:
    """The columns of some rows, also of none."""
    return np.array(rows, np.int64).reshape(-1, width).T


def _stays(people: Sequence[Person]) -> bulk.Stays:
    rows = [(number, *stay) for number, one in enumerate(people) for stay in one.presence.stays]
    return bulk.Stays(*_table(rows, 4))


def _watched(people: Sequence[Person]) -> bulk.Watched:
    rows = [(number, *span) for number, one in enumerate(people) for span in one.presence.watched]
    return bulk.Watched(*_table(rows, 3))


def _answered(people: Sequence[Person]) -> bulk.Answered | None:
    """The checks are the lecture's, the same for everybody."""
    asked = people[0].checks.asked if people else ()
    if not asked:
        return None
    return bulk.Answered(
        asked, np.array([[check.id in one.checks.answered for check in asked] for one in people], np.bool_)
    )
