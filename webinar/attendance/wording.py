"""Why a person got what they got, in a sentence."""

from webinar.attendance.credit_rules import Credit
from webinar.core.language import Language
from webinar.policies.wording import joined


def why(language: Language, credit: Credit, zone: str) -> str:
    """The reason in the reader's language, its times of day in the zone."""
    return joined(language, credit.why, zone)
