"""Why a person got what they got, in a sentence."""

from dataclasses import replace
from typing import NamedTuple

from webinar.attendance.credit_rules import Credit
from webinar.core.language import Language
from webinar.policies.rules import MINUTE_S, Kind, Policy, Sentence, earned, full_seconds, minutes_up
from webinar.policies.wording import joined, told


class SoFar(NamedTuple):
    """How far somebody has come; `checks` is "" before one was asked, `text` says all of it."""

    minutes: str = ""
    checks: str = ""
    text: str = ""


def so_far(language: Language, credit: Credit, policy: Policy, jp: int, window_s: int) -> SoFar:
    """How far somebody has come to the `jp` to earn while the lecture runs; empty where there is none."""
    if not jp:
        return SoFar()
    clauses = [_minutes(credit, policy, jp, window_s)]
    if credit.checks_asked:
        answered = {"answered": credit.checks_answered, "asked": credit.checks_asked}
        clauses.append(Sentence("%(answered)s of %(asked)s presence checks answered", answered))
    parts = [told(language, clause) for clause in clauses]
    return SoFar(parts[0], "".join(parts[1:]), joined(language, clauses, "UTC"))


def _minutes(credit: Credit, policy: Policy, jp: int, window_s: int) -> Sentence:
    """Without the tolerance: what is promised here is certain, also when the last seconds are taken off."""
    attended, full = credit.seconds // MINUTE_S, minutes_up(full_seconds(policy, jp, window_s))
    unanswered = credit.checks_answered < min(policy.checks_needed, credit.checks_asked)
    if attended >= full and not unanswered:
        return Sentence("%(attended)s minutes, enough for %(jp)s JP", {"attended": attended, "jp": jp})
    if policy.kind is Kind.PROPORTIONAL and not unanswered:
        reached = earned(replace(policy, tolerance_s=0), jp, window_s, credit.seconds)
        fields = {"attended": attended, "jp": reached, "jp_most": jp}
        return Sentence("%(attended)s minutes so far, enough for %(jp)s of %(jp_most)s JP", fields)
    return Sentence(
        "%(attended)s of %(needed)s minutes for %(jp)s JP",
        {"attended": min(attended, full), "needed": full, "jp": jp},
    )


def why(language: Language, credit: Credit, zone: str) -> str:
    """The reason in the reader's language, its times of day in the zone."""
    return joined(language, credit.why, zone)
