"""From a Message to the bytes that travel (RFC 5322, 2045, 6047), without I/O and without a clock."""

import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from webinar.core.clock import to_datetime
from webinar.mail.port import CalendarPart, MailRefused, Message

# C0, DEL, C1, the line and paragraph separators, and the marks that turn the reading direction round.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9.-]{1,180}>")
# The dot-atoms of RFC 5321 in ASCII: quoted local parts and SMTPUTF8 are for nobody's real mailbox here.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}$)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_MAILBOXES = ("From", "To")
# An address may have 254 characters; a longer word in a name or a subject would make too long a line.
_LONGEST_WORD = 260
_HEADER_NAME = re.compile(r"(List|X)-[A-Za-z-]{1,60}")


class _Policy(EmailPolicy):
    """SMTP's policy, with the folding of three kinds of headers taken from its hands.

    Python hides a token longer than the line in an RFC 2047 encoded word, where no mail client looks for a
    Message-ID or an address to unsubscribe at; and where plain and encoded words stand beside each other in a
    name or a subject, its versions disagree on blanks and commas.
    """

    _WHOLE = frozenset({"message-id", "list-unsubscribe", "list-unsubscribe-post"})

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in self._WHOLE:
            return f"{name}: {value}{self.linesep}"
        text = str(value)
        if text.isascii() and max(map(len, text.split()), default=0) < _LONGEST_WORD:
            return str(super().fold(name, value))
        if name in _MAILBOXES:
            mailbox = value.addresses[0]
            words = _encoded(mailbox.display_name, len(name) + 2)
            return f"{name}: {words}{self.linesep} <{mailbox.addr_spec}>{self.linesep}"
        return f"{name}: {_encoded(text, len(name) + 2)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")


_POLICY = _Policy(linesep="\r\n")


def _encoded(text: str, column: int) -> str:
    """All of it as encoded words of at most 75 characters, from that column on."""
    return Header(text, "utf-8", header_name="x" * (column - 2)).encode(linesep="\r\n")


def one_line(text: str) -> str:
    """Without control characters, line ends and runs of blanks: fit for a header or a calendar's value."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def _header_text(text: str) -> str:
    """One line in which nothing is read as an encoded word, which could hide line ends of its own."""
    return one_line(text).replace("=?", "= ?")


def address(name: str, email: str) -> Address:
    """A mailbox; the name is made one line.

    Raises:
        MailRefused: the e-mail is not the address of one mailbox (553, 5.1.3).
    """
    email = email.strip()
    if not is_address(email):
        raise MailRefused(553, "This is not the address of a mailbox.", "5.1.3")
    try:
        return Address(_header_text(name), addr_spec=email)
    except (ValueError, IndexError) as error:
        raise MailRefused(553, "This is not the address of a mailbox.", "5.1.3") from error


def is_address(email: str) -> bool:
    """Whether it has the form of a mailbox's address; whether the mailbox exists only a mail server knows."""
    return _ADDRESS.fullmatch(email) is not None


def build(message: Message) -> EmailMessage:
    """multipart/mixed { multipart/alternative { text/plain, text/html, text/calendar }, invite.ics }.

    Without a calendar it is the alternative alone.

    Raises:
        ValueError: a header, an address or the Message-ID holds what does not belong there.
    """
    if not (is_address(message.sender.addr_spec) and is_address(message.to.addr_spec)):
        raise ValueError("not the address of a mailbox")
    if not _MESSAGE_ID.fullmatch(message.message_id):
        raise ValueError("not a Message-ID")
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = address(message.sender.display_name, message.sender.addr_spec)
    mail["To"] = address(message.to.display_name, message.to.addr_spec)
    mail["Subject"] = _header_text(message.subject)
    mail["Date"] = format_datetime(to_datetime(message.written_at))
    mail["Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    for name, value in message.headers.items():
        if not _HEADER_NAME.fullmatch(name) or _CONTROLS.search(value) or not value.isascii():
            raise ValueError(f"not a header: {name!r}")
        mail[name] = value
    _add_bodies(mail, message)
    return mail


def as_bytes(message: Message) -> bytes:
    """The built mail with CRLF line ends, seven bits throughout."""
    return build(message).as_bytes()


def _add_bodies(mail: EmailMessage, message: Message) -> None:
    mail.set_content(_body(message.text), cte="quoted-printable")
    mail.add_alternative(_body(message.html), subtype="html", cte="quoted-printable")
    if message.calendar is None:
        return
    _add_calendar(mail, message.calendar)


def _add_calendar(mail: EmailMessage, part: CalendarPart) -> None:
    if f"\r\nMETHOD:{part.method}\r\n".encode() not in part.content:
        raise ValueError("the calendar names another method")
    # As bytes in base64: no server on the way can touch the CRLFs and folds that RFC 5545 asks for.
    inline = EmailMessage(policy=_POLICY)
    inline.set_content(
        part.content,
        maintype="text",
        subtype="calendar",
        cte="base64",
        params={"method": part.method, "charset": "UTF-8"},
    )
    del inline["MIME-Version"]
    mail.attach(inline)
    mail.add_attachment(
        part.content,
        maintype="application",
        subtype="ics",
        filename="invite.ics",
        params={"name": "invite.ics"},
    )


def _body(text: str) -> str:
    """Line feeds and tabs stay, other control characters become blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("\t".join(_CONTROLS.sub(" ", cell) for cell in line.split("\t")) for line in lines)
