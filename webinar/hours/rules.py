"""What an entry of the ledger says, and what a year of learning adds up to. JP in hundredths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GENESIS = "0" * 64
DEFAULT_ZONE = "Asia/Jakarta"
CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in the chain; `facts` is what the value follows from."""

    institution_id: str
    key: str
    person_id: str
    lecture_id: str
    year: int
    kind: str
    jp: int
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry in its place; `body` is what its digest covers."""

    institution_id: str
    number: int
    key: str
    person_id: str
    lecture_id: str
    year: int
    kind: str
    jp: int
    body: Mapping[str, object]
    at: int
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an institution's chain; printed on exports."""

    number: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True)
class Because:
    """Who changed a value, and why; without an author it was the policy. `before_jp` counted before."""

    before_jp: int
    author: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class YearEntry:
    """One lecture in a person's year; `jp` is what is counted, provisional ones are not yet.

    `adjusted` where somebody changed what was computed.
    """

    lecture_id: str
    title: str
    starts_at: int
    ends_at: int
    zone: str
    role: str
    worth: int
    jp: int
    state: str
    seconds: int
    why: str
    provisional: bool
    registration_id: str = ""
    adjusted: Because | None = None
    # The state of the newest contest, "" without any; and whether it may be contested now.
    contest: str = ""
    contestable: bool = False


@dataclass(frozen=True, slots=True)
class YearOfHours:
    """A person's year in the institution's zone; totals add what the ledger has.

    A target of 0 is none; hours beyond `most` are on record and shown as beyond it.
    """

    person_id: str
    year: int
    zone: str
    target: int
    total: int
    provisional: int
    entries: tuple[YearEntry, ...]
    most: int | None = None

    @property
    def beyond(self) -> int:
        """What lies beyond the most that counts."""
        return max(0, self.total - self.most) if self.most is not None else 0

    @property
    def missing(self) -> int:
        return max(0, self.target - self.total)

    @property
    def share(self) -> float:
        """Of the target, 0 to 1."""
        return min(1.0, self.total / self.target) if self.target else 1.0


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look through the chain found; no problem means that it holds."""

    entries: int
    head: Head
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.problems


def credit_key(lecture_id: str, person_id: str) -> str:
    """A person is credited once for a lecture, whatever happens twice."""
    return f"credit:{lecture_id}:{person_id}"


def body_of(draft: Draft, number: int, at: int) -> dict[str, object]:
    """What is chained: everything of the entry, and person ids only, never names."""
    return {
        "institution_id": draft.institution_id,
        "number": number,
        "key": draft.key,
        "person_id": draft.person_id,
        "lecture_id": draft.lecture_id,
        "year": draft.year,
        "kind": draft.kind,
        "jp": draft.jp,
        "at": at,
        "facts": dict(draft.facts),
    }


def differs(entry: LedgerEntry) -> list[str]:
    """Columns that say something else than the body that was chained."""
    names = ("institution_id", "number", "key", "person_id", "lecture_id", "year", "kind", "jp", "at")
    return [name for name in names if entry.body.get(name) != getattr(entry, name)]


def total(entries: Sequence[LedgerEntry]) -> int:
    return sum(entry.jp for entry in entries)
