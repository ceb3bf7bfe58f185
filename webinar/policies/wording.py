"""Sentences of the rules, written out in the reader's language and zone."""

from collections.abc import Iterable

from webinar.core.language import Language, clock, jp, number, translator
from webinar.policies.rules import Policy, Sentence, sentences


def told(language: Language, said: Sentence, zone: str = "UTC") -> str:
    """One sentence: JP without idle zeros, instants as times of day."""
    return translator(language)(
        said.message, **{k: _written(language, k, v, zone) for k, v in said.fields.items()}
    )


def joined(language: Language, clauses: Iterable[Sentence], zone: str) -> str:
    """Several clauses as one sentence, with its full stop."""
    text = "; ".join(told(language, clause, zone) for clause in clauses)
    return text[:1].upper() + text[1:] + "." if text else ""


def promise(language: Language, policy: Policy, jp: int, window_s: int) -> str:
    """What a participant must do to earn the JP of a lecture; "" where there is none to earn."""
    return " ".join(told(language, said) for said in sentences(policy, jp, window_s)) if jp else ""


def _written(language: Language, name: str, value: int, zone: str) -> str:
    if name.startswith("jp"):
        return jp(language, value)
    if name.endswith("_at"):
        return clock(language, value, zone)
    return number(language, value)
