"""What the service knows of mail: a message, a mailer that sends it, and the two ways it can fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An iCalendar file (RFC 5545 bytes) and the METHOD that it names itself."""

    method: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person.

    `message_id` is with angle brackets and is given by the caller, so that a repeat after a crash is the same
    mail; `written_at` (Unix ms) becomes the Date header for the same reason. `headers` are further headers,
    for example List-Unsubscribe.
    """

    message_id: str
    sender: Address
    to: Address
    subject: str
    text: str
    html: str
    written_at: int
    calendar: CalendarPart | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The mail server took the message over; `answer` is what it said, often with its queue id."""

    message_id: str
    answer: str


class MailNotSent(Exception):  # noqa: N818 - the two ways it ends are named below
    """The message did not go out.

    `code` is the SMTP reply (RFC 5321 section 4.2), 0 if there was none; `text` is what the server or the
    network said; `enhanced` is the status of RFC 3463, such as "5.1.1", or "".
    """

    def __init__(self, code: int, text: str, enhanced: str = "") -> None:
        super().__init__(f"{code} {enhanced} {text}".strip())
        self.code = code
        self.text = text
        self.enhanced = enhanced


class MailRefused(MailNotSent):
    """Permanent: the address does not exist or a policy forbids it. Trying again changes nothing."""


class MailDeferred(MailNotSent):
    """For now: a 4xx, no network, a timeout, or settings of ours that the server rejects. Try again."""


class Mailer(Protocol):
    """Hands one message after the other to a mail server."""

    async def send(self, message: Message) -> Receipt:
        """The server's receipt.

        Raises:
            MailRefused: for good.
            MailDeferred: for now. The server may have taken the message nevertheless (a connection lost after
                the last byte), which a repeat with the same Message-ID makes harmless.
        """

    async def close(self) -> None:
        """Let go of the connection, if one is held."""
