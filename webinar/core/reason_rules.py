"""Reasons that people give for what they do, and that stay on record. Pure."""

from webinar.core.errors import FieldError

LONGEST_REASON = 500


def tidied(reason: str) -> str:
    """The reason without idle space."""
    return " ".join(reason.split())


def problems(said: str, field: str = "reason") -> list[FieldError]:
    """What speaks against a tidied reason: there is none, or it is a very long one."""
    if not said:
        return [FieldError(field, "Say why, for whoever reads it later.", {})]
    return too_long(said, field)


def too_long(said: str, field: str = "reason") -> list[FieldError]:
    if len(said) <= LONGEST_REASON:
        return []
    return [FieldError(field, "At most %(most)s characters.", {"most": LONGEST_REASON})]
