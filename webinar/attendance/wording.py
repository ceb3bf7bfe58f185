"""Why a person got what they got, in a sentence."""

from webinar.attendance.credit_rules import Credit
from webinar.core.language import Language
from webinar.policies.rules import MINUTE_S, Kind, Policy, Sentence, minutes_up, needed_seconds
from webinar.policies.wording import joined


def so_far(language: Language, credit: Credit, policy: Policy, window_s: int) -> str:
    """How far somebody has come while the lecture still runs."""
    minutes = {"attended": credit.seconds // MINUTE_S, "needed": minutes_up(needed_seconds(policy, window_s))}
    clauses = [Sentence("%(attended)s of %(needed)s minutes so far", minutes)]
    if policy.kind is Kind.PROPORTIONAL:
        clauses = [Sentence("%(attended)s minutes so far", {"attended": minutes["attended"]})]
    if credit.checks_asked:
        answered = {"answered": credit.checks_answered, "asked": credit.checks_asked}
        clauses.append(Sentence("%(answered)s of %(asked)s presence checks answered", answered))
    return joined(language, clauses, "UTC")


def why(language: Language, credit: Credit, zone: str) -> str:
    """The reason in the reader's language, its times of day in the zone."""
    return joined(language, credit.why, zone)
