"""Caught mails in a folder: one file each, written whole or not at all; the oldest make room."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path

from webinar.core.clock import Clock
from webinar.core.ids import new_id
from webinar.mail.build import one_line

_NAME = re.compile(r"(\d{13})-[a-z2-7]{26}")
_PARSER = BytesHeaderParser(policy=default)


@dataclass(frozen=True, slots=True)
class Caught:
    """One line of the inbox; `at` is when it was caught, Unix ms."""

    name: str
    at: int
    sender: str
    to: str
    subject: str

    def matches(self, query: str) -> bool:
        wanted = query.casefold()
        return any(wanted in text.casefold() for text in (self.to, self.subject))


@dataclass(frozen=True, slots=True)
class Opened:
    """One mail with its parts; a part that is not there is ""."""

    caught: Caught
    text: str
    html: str
    calendar: str


class Mailbox:
    """Blocking: call it in a thread. Several may look into one folder; one writes."""

    def __init__(self, folder: Path, clock: Clock, *, most: int = 2_000) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._clock = clock
        self._most = most
        self._lines: dict[str, Caught] = {}

    def keep(self, content: bytes) -> str:
        """The name it is kept under.

        Raises:
            OSError: no room; nothing is left behind under that name.
        """
        name = f"{self._clock.now():013d}-{new_id()}"
        part = self._folder / f".{name}.part"
        try:
            part.write_bytes(content)
            part.replace(self._path(name))
        finally:
            part.unlink(missing_ok=True)
        self._prune()
        return name

    def newest(self, query: str = "", *, limit: int = 200) -> list[Caught]:
        """Those whose address or subject holds the query, newest first."""
        found: list[Caught] = []
        for name in reversed(self._names()):
            line = self._line(name)
            if line and line.matches(query):
                found.append(line)
                if len(found) == limit:
                    break
        return found

    def raw(self, name: str) -> bytes | None:
        """The mail as it came in; None if there is none of that name, whatever the name is."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, name: str) -> Opened | None:
        raw, line = self.raw(name), self._line(name)
        if raw is None or line is None:
            return None
        mail = message_from_bytes(raw, policy=default)
        return Opened(line, _part(mail, "text/plain"), _part(mail, "text/html"), _part(mail, "text/calendar"))

    def _line(self, name: str) -> Caught | None:
        if name not in self._lines:
            raw = self.raw(name)
            if raw is None:
                return None
            head = _PARSER.parsebytes(raw)
            self._lines[name] = Caught(
                name, int(name[:13]), _mailbox(head["From"]), _mailbox(head["To"]), _header(head["Subject"])
            )
        return self._lines[name]

    def _names(self) -> list[str]:
        files = (path.stem for path in self._folder.iterdir() if path.suffix == ".eml")
        return sorted(name for name in files if _NAME.fullmatch(name))

    def _prune(self) -> None:
        for name in self._names()[: -self._most]:
            self._path(name).unlink(missing_ok=True)
            self._lines.pop(name, None)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.eml"


def _mailbox(value: object) -> str:
    return _header(value).replace('"', "")


def _header(value: object) -> str:
    return one_line(str(value or ""))


def _part(mail: EmailMessage, kind: str) -> str:
    for part in mail.walk():
        if part.get_content_type() == kind and not part.is_attachment():
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return ""
