"""What a mail that is owed tells its reader, and how many people are told what. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from webinar.invites.rules import Invite, InviteState


class News(StrEnum):
    """What a mail says; the last two say that none goes out."""

    INVITED = "invited"
    MOVED = "moved"
    CHANGED = "changed"
    RESTORED = "restored"
    CANCELLED = "cancelled"
    # Called off before anything had left the house: there is nothing to take back.
    NEVER_TOLD = "never_told"
    NO_ADDRESS = "no_address"


def news(before: Invite | None, after: Invite) -> News:
    """What the invite that is owed now tells whoever was last owed the other one."""
    if after.state is InviteState.WITHDRAWN:
        return News.NEVER_TOLD
    if after.state is InviteState.NO_ADDRESS:
        return News.NO_ADDRESS
    if after.method == "CANCEL":
        return News.CANCELLED
    if before is None or not before.tried:
        return News.INVITED
    if before.method == "CANCEL":
        return News.RESTORED
    return News.MOVED if after.sequence > before.sequence else News.CHANGED


@dataclass(frozen=True, slots=True)
class Told:
    """What one person is told."""

    name: str
    lectures: bool
    news: News


@dataclass(frozen=True, slots=True)
class Forecast:
    """Who will be told what: participants by number, lecturers by name."""

    participants: Mapping[News, int]
    lecturers: tuple[Told, ...]

    @property
    def mails(self) -> int:
        """How many mails go out."""
        silent = {News.NEVER_TOLD, News.NO_ADDRESS}
        named = sum(1 for told in self.lecturers if told.news not in silent)
        return named + sum(count for news, count in self.participants.items() if news not in silent)

    @property
    def anybody(self) -> bool:
        """Whether the change concerns anybody's invite at all."""
        return bool(self.participants or self.lecturers)


def forecast(told: Iterable[Told]) -> Forecast:
    """Counted, in the order of the news."""
    everybody = list(told)
    counts = Counter(one.news for one in everybody if not one.lectures)
    return Forecast(
        {news: counts[news] for news in News if counts[news]},
        tuple(one for one in everybody if one.lectures),
    )
