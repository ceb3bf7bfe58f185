"""Why a person got what they got, in a sentence."""

from dataclasses import replace

from webinar.attendance.credit_rules import Credit
from webinar.core.language import Language
from webinar.policies.rules import MINUTE_S, Kind, Policy, Sentence, earned, full_seconds, minutes_up
from webinar.policies.wording import joined


def so_far(language: Language, credit: Credit, policy: Policy, jp: int, window_s: int) -> str:
    """How far somebody has come to the `jp` to earn while the lecture still runs."""
    clauses = [_minutes(credit.seconds, policy, jp, window_s)]
    if credit.checks_asked:
        answered = {"answered": credit.checks_answered, "asked": credit.checks_asked}
        clauses.append(Sentence("%(answered)s of %(asked)s presence checks answered", answered))
    return joined(language, clauses, "UTC")


def _minutes(seconds: int, policy: Policy, jp: int, window_s: int) -> Sentence:
    """Without the tolerance: what is promised here is certain, also when the last seconds are taken off."""
    attended, full = seconds // MINUTE_S, minutes_up(full_seconds(policy, jp, window_s))
    if attended >= full:
        return Sentence("%(attended)s minutes, enough for %(jp)s JP", {"attended": attended, "jp": jp})
    if policy.kind is Kind.PROPORTIONAL:
        so_far = earned(replace(policy, tolerance_s=0), jp, window_s, seconds)
        fields = {"attended": attended, "jp": so_far, "jp_most": jp}
        return Sentence("%(attended)s minutes so far, enough for %(jp)s of %(jp_most)s JP", fields)
    return Sentence(
        "%(attended)s of %(needed)s minutes for %(jp)s JP", {"attended": attended, "needed": full, "jp": jp}
    )


def why(language: Language, credit: Credit, zone: str) -> str:
    """The reason in the reader's language, its times of day in the zone."""
    return joined(language, credit.why, zone)
