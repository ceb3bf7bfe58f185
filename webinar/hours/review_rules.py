"""What an organiser sees of a lecture's attendance: which people, in which order, and what of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webinar.attendance.check_rules import Asked, Checks, asked_of
from webinar.attendance.credit_rules import Presence, State, spans_of
from webinar.attendance.interval_rules import union
from webinar.evidence.rules import Check
from webinar.lectures.rules import Seat
from webinar.policies.rules import Policy, Sentence, role_jp

# People on one page. The page of an institution's largest lecture shows some of its ten thousand at a time;
# with two hundred a browser with an empty cache took more than a second to show them.
PAGE = 100
# What a refreshed page of a lecture under way may hold, after "more" was asked for some times.
MOST_ROWS = 1_000


class Show(StrEnum):
    """The pills over the table."""

    ALL = "all"
    ABSENT = "absent"
    BELOW = "below"
    DOUBTFUL = "doubtful"
    CONTESTED = "contested"
    STRANGERS = "strangers"


class Sort(StrEnum):
    NAME = "name"
    UNIT = "unit"
    MINUTES = "minutes"
    JP = "jp"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows somebody wants to see; whatever an address says is a wish."""

    show: Show = Show.ALL
    text: str = ""
    sort: Sort = Sort.NAME
    descending: bool = False
    first: int = 0
    rows: int = PAGE

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wish":
        """From an address; what is not understood is passed over."""
        order = query.get("sort", "")
        by = order.removeprefix("-")
        return cls(
            show=Show(query["show"]) if query.get("show") in set(Show) else Show.ALL,
            text=query.get("q", "").strip()[:100],
            sort=Sort(by) if by in set(Sort) else Sort.NAME,
            descending=order.startswith("-") and by in set(Sort),
            first=_whole(query.get("from", "")),
            rows=min(max(_whole(query.get("rows", "")), PAGE), MOST_ROWS),
        )

    def address(self, **changes: object) -> dict[str, str]:
        """As an address says it, without what goes without saying."""
        order = f"{'-' if self.descending else ''}{self.sort}"
        said: dict[str, object] = {"show": self.show, "q": self.text, "sort": order, "from": self.first}
        said |= changes
        idle = {"show": Show.ALL.value, "q": "", "sort": Sort.NAME.value, "from": "0"}
        return {name: str(value) for name, value in said.items() if str(value) != idle.get(name)}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The adjustment that counts; JP in hundredths. Without an author it was the policy."""

    id: str
    before_jp: int
    after_jp: int
    reason: str
    author_id: str | None
    author: str
    at: int
    batch_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """One registered person; `nip` and `email` are None where the asker may not see them."""

    registration_id: str
    person_id: str
    name: str
    nip: str | None
    email: str | None
    unit_name: str
    role: Seat
    presence: Presence
    seconds: int
    uncertainty_s: int
    computed_jp: int
    state: State
    why: tuple[Sentence, ...]
    reconnects: int
    devices: int
    checks_answered: int
    contested: bool
    adjusted: Adjusted | None

    @property
    def jp(self) -> int:
        """What counts, in hundredths: the newest adjustment, else what was computed."""
        return self.adjusted.after_jp if self.adjusted else self.computed_jp


def met(line: Line, checks: Sequence[Check], answered: Mapping[str, int]) -> tuple[Asked, ...]:
    """The presence checks that somebody was asked, for marks on the bar; by check, when it was answered.

    Answers are removed with the evidence, when what was decided stays. Then nothing is told of any check:
    each would look like one that was missed.
    """
    if line.checks_answered and not answered:
        return ()
    return asked_of(Checks(checks, answered), union(spans_of(line.presence)), line.role)


@dataclass(frozen=True, slots=True)
class Counts:
    """People in each of the groups of the page, adjustments counted in."""

    registered: int
    came: int
    absent: int
    credited: int
    below: int
    doubtful: int
    contested: int
    strangers: int

    def of(self, show: Show) -> int:
        return self.registered if show is Show.ALL else int(getattr(self, show.value))


def most_jp(policy: Policy, jp: int) -> Mapping[Seat, int]:
    """What somebody in each role can earn at most, in hundredths."""
    return {seat: role_jp(policy, jp, seat) for seat in Seat}
