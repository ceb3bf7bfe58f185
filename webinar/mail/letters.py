"""What people read: templates of mails rendered as text and as HTML, in the reader's language.

The letters of signing in are here; nouns above have letters of their own and render them with `letter`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from webinar.core import language as wording
from webinar.core.language import Language
from webinar.mail.port import CalendarPart, Message

TEMPLATES = Path(__file__).parents[2] / "templates"


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and the same content twice, as text and as HTML."""

    subject: str
    text: str
    html: str

    def to(
        self,
        recipient: Address,
        *,
        sender: Address,
        message_id: str,
        written_at: int,
        calendar: CalendarPart | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Message:
        """The message that carries this letter; `written_at` in Unix ms."""
        return Message(
            message_id=message_id,
            sender=sender,
            to=recipient,
            subject=self.subject,
            text=self.text,
            html=self.html,
            written_at=written_at,
            calendar=calendar,
            headers=headers or {},
        )


def letter(language: Language, template: str, subject: str, **shown: Any) -> Letter:
    """`template` names a pair of files without their ending, such as "invites/invitation"."""
    templates = environment(language)
    shown = shown | {"subject": subject}
    return Letter(
        subject,
        templates.get_template(f"{template}.txt").render(shown).strip() + "\n",
        templates.get_template(f"{template}.html").render(shown),
    )


def sign_in_letter(language: Language, *, name: str, url: str, valid_minutes: int) -> Letter:
    """The link that signs in, asked for on the sign-in page."""
    subject = wording.translator(language)("Your link to sign in to Pendopo")
    return letter(language, "mail/sign_in", subject, name=name, url=url, valid_minutes=valid_minutes)


def password_letter(language: Language, *, name: str, url: str, valid_minutes: int) -> Letter:
    """The link that lets somebody choose a new password."""
    subject = wording.translator(language)("Choose a new password for Pendopo")
    return letter(language, "mail/password", subject, name=name, url=url, valid_minutes=valid_minutes)


@cache
def environment(language: Language) -> Environment:
    """The templates of mails; apart from those of the site, which stands above."""
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"_": wording.translator(language), "language": language}
    for form in (wording.day_times, wording.clock, wording.moment, wording.jp, wording.relative):
        templates.filters[form.__name__] = partial(form, language)
    return templates
