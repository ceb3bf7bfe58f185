"""Whose an effect is: its subject leads to the institution. Kept out of the effects, which know no nouns."""

# The institution of `subject`, NULL for what belongs to the installation or to something that is gone.
OWNER_SQL = """CASE
    WHEN subject LIKE 'lecture:%' OR subject LIKE 'invites:%'
        THEN (SELECT o.institution_id FROM lectures o WHERE o.id = substr(subject, 9))
    WHEN subject LIKE 'person:%' THEN (SELECT o.institution_id FROM persons o WHERE o.id = substr(subject, 8))
    WHEN subject LIKE 'report:%' THEN (SELECT o.institution_id FROM reports o WHERE o.id = substr(subject, 8))
    WHEN subject LIKE 'import:%' THEN (SELECT o.institution_id FROM imports o WHERE o.id = substr(subject, 8))
    WHEN subject LIKE 'series:%' THEN (SELECT o.institution_id FROM series o WHERE o.id = substr(subject, 8))
    WHEN subject LIKE 'institution:%' THEN substr(subject, 13)
END"""

# What is before the colon; a test finds an effect whose subject is none of these.
SUBJECTS = frozenset(
    {"lecture", "invites", "person", "report", "import", "institution", "retention", "series"}
)


def of_institution(institution_id: str | None) -> str:
    """SQL: the effect is this institution's or nobody's, with `:institution` bound; all for None."""
    return "true" if institution_id is None else f"coalesce({OWNER_SQL}, :institution) = :institution"
