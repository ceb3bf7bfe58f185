"""One digest over all evidence of a lecture, in two parts, since heartbeats are retired before the rest.

It does not depend on the order of rows. What stays of retired evidence is its digest, and the digest of
the whole can still be computed from the digests of its parts.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from webinar.evidence.rules import Evidence

HEARTBEATS = "heartbeats"
RECORD = "evidence"
_NOT_FACTS = frozenset({"high_water"})


def digest_of(evidence: Evidence) -> str:
    """SHA-256 of everything, hexadecimal."""
    return joined(beats_digest(evidence), record_digest(evidence))


def joined(beats: str, record: str) -> str:
    """The digest of the whole from those of its parts."""
    return hashlib.sha256(f"{HEARTBEATS}:{beats}\n{RECORD}:{record}\n".encode()).hexdigest()


def beats_digest(evidence: Evidence) -> str:
    """Of the pages' signs of life."""
    return _digest("beats", evidence.beats)


def record_digest(evidence: Evidence) -> str:
    """Of everything else."""
    named = sorted(field.name for field in fields(evidence) if field.name not in {"beats", *_NOT_FACTS})
    parts = (f"{name}:{_digest(name, getattr(evidence, name))}\n" for name in named)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _digest(name: str, facts: Iterable[object]) -> str:
    lines = sorted(json.dumps(_plain(fact), default=_plain, separators=(",", ":")) for fact in facts)
    digest = hashlib.sha256(f"{name}\n".encode())
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _plain(fact: Any) -> list[object]:
    """The values of a dataclass in the order of its fields; faster than `astuple`, which copies deeply."""
    return [getattr(fact, name) for name in fact.__slots__]
