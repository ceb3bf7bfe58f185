"""The life of one person's invite to one lecture: what is owed to them, and how it went.

RFC 5546 decides what a calendar does with it: one UID for the life of the invite, a SEQUENCE that rises
when time, duration or status change, and a CANCEL that is ignored unless its SEQUENCE is higher than what
came before.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from webinar.core.errors import IllegalMove

Method = Literal["REQUEST", "CANCEL"]


class InviteState(StrEnum):
    OWED = "owed"
    ACCEPTED = "accepted"  # by the mail server; whether it was read nobody knows
    DEFERRED = "deferred"
    REFUSED = "refused"
    NO_ADDRESS = "no_address"
    WITHDRAWN = "withdrawn"  # cancelled before anything had left the house: nothing is owed


# A mail still has to go out.
PENDING = frozenset({InviteState.OWED, InviteState.DEFERRED})

# "owe" is a new version or a wish to send again; the others are how a try ended.
MOVES: dict[InviteState, dict[str, InviteState]] = {
    InviteState.OWED: {
        "owe": InviteState.OWED,
        "accept": InviteState.ACCEPTED,
        "defer": InviteState.DEFERRED,
        "refuse": InviteState.REFUSED,
        "lack": InviteState.NO_ADDRESS,
        "withdraw": InviteState.WITHDRAWN,
    },
    InviteState.DEFERRED: {
        "owe": InviteState.OWED,
        "accept": InviteState.ACCEPTED,
        "defer": InviteState.DEFERRED,
        "refuse": InviteState.REFUSED,
        "lack": InviteState.NO_ADDRESS,
    },
    InviteState.ACCEPTED: {"owe": InviteState.OWED},
    InviteState.REFUSED: {"owe": InviteState.OWED},
    InviteState.NO_ADDRESS: {"owe": InviteState.OWED, "withdraw": InviteState.WITHDRAWN},
    InviteState.WITHDRAWN: {"owe": InviteState.OWED},
}


@dataclass(frozen=True, slots=True)
class Slot:
    """What a calendar acts on: instants in Unix ms, and whether the lecture takes place."""

    starts_at: int
    ends_at: int
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Invite:
    """What was last owed to one person, and how its delivery stands.

    `sends` counts the wishes to send, not the tries: it makes the Message-ID of a wished repeat a new one
    (mail programs hide a second mail with the Message-ID of the first), while a retry keeps it.
    """

    registration_id: str
    lecture_id: str
    uid: str
    sequence: int = 0
    method: Method = "REQUEST"
    state: InviteState = InviteState.OWED
    sends: int = 0
    last_error: str | None = None
    last_sent_at: int | None = None
    partstat: str | None = None

    @property
    def pending(self) -> bool:
        """Whether a mail still has to go out."""
        return self.state in PENDING

    @property
    def tried(self) -> bool:
        """Whether something of this invite may have reached the person's calendar."""
        return self.last_sent_at is not None or self.state in (InviteState.DEFERRED, InviteState.REFUSED)

    def accepted(self, at: int) -> "Invite":
        return replace(self, state=self._after("accept"), last_error=None, last_sent_at=at)

    def deferred(self, error: str) -> "Invite":
        return replace(self, state=self._after("defer"), last_error=error)

    def refused(self, error: str) -> "Invite":
        return replace(self, state=self._after("refuse"), last_error=error)

    def without_address(self) -> "Invite":
        return replace(self, state=self._after("lack"), last_error=None)

    def again(self) -> "Invite":
        """The same version once more, because somebody asked for it or the join link changed."""
        return replace(self, state=self._after("owe"), sends=self.sends + 1, last_error=None)

    def rescheduled(self) -> "Invite":
        """A new time, or an invite after a cancel; an answer to the old time is void."""
        return self._version("REQUEST")

    def cancelled(self) -> "Invite":
        """The lecture or this registration is off; a second cancel changes nothing."""
        if self.method == "CANCEL":
            return self
        if not self.tried and "withdraw" in MOVES[self.state]:
            return replace(self, method="CANCEL", sequence=self.sequence + 1, state=self._after("withdraw"))
        return self._version("CANCEL")

    def overtaking(self, older: "Invite") -> "Invite":
        """This version, when the try of an older one has just ended: that one may be in a calendar now.

        A cancel that was withdrawn because nothing had left the house is owed after all.
        """
        if older.last_sent_at is None:
            return self
        known = replace(self, last_sent_at=older.last_sent_at)
        return known.again() if known.state is InviteState.WITHDRAWN else known

    def _version(self, method: Method) -> "Invite":
        return replace(
            self,
            method=method,
            sequence=self.sequence + 1,
            sends=self.sends + 1,
            state=self._after("owe"),
            last_error=None,
            partstat=None,
        )

    def _after(self, move: str) -> InviteState:
        try:
            return MOVES[self.state][move]
        except KeyError:
            raise IllegalMove(state=self.state.value, move=move) from None


def first(registration_id: str, lecture_id: str, domain: str) -> Invite:
    """The invite of a new registration; the domain stays in its UID even if ours changes later."""
    return Invite(registration_id, lecture_id, uid=f"{registration_id}@{domain}")


def raises_sequence(before: Slot, after: Slot) -> bool:
    """Time, duration and status do; title, description, lecturer and link do not (RFC 5546 section 2.1.4)."""
    return before != after


def message_id(invite: Invite, domain: str) -> str:
    """Stable for what was owed, so that a repeat after a crash is the same mail."""
    return _message_id(f"{invite.registration_id}.{invite.sequence}.{invite.sends}", domain)


def reminder_message_id(invite: Invite, starts_at: int, minutes_before: int, domain: str) -> str:
    """Stable for (invite, start, distance): a reminder of a moved lecture is another one."""
    when = hashlib.sha256(f"{starts_at}/{minutes_before}".encode()).hexdigest()[:12]
    return _message_id(f"{invite.registration_id}.r{when}", domain)


def _message_id(local: str, domain: str) -> str:
    # A public URL may hold an IPv6 address, whose colons have no place here.
    return f"<{local}@{domain.strip('[]').replace(':', '-')}>"
