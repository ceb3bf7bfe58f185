"""The handler of effects of kind `mail`: sends the link that somebody asked for."""

from dataclasses import dataclass
from email.headerregistry import Address

from sqlalchemy import select

from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Done, Outcome, Retry, Skip
from webinar.core.effects_rules import Effect
from webinar.core.ids import digest
from webinar.core.language import chosen
from webinar.core.late_rules import reason
from webinar.mail.build import address
from webinar.mail.letters import Letter, password_letter, sign_in_letter
from webinar.mail.port import MailDeferred, Mailer, MailRefused
from webinar.people.sign_in import link_token
from webinar.people.sign_in_rules import Purpose
from webinar.people.tables import PersonRow, SignInTokenRow

_PATHS = {Purpose.SIGN_IN: "/sign-in/link/", Purpose.PASSWORD: "/password/"}


@dataclass(frozen=True, slots=True)
class SignInMails:
    """Computes the link anew from the key, so that the database never holds it."""

    db: Database
    mailer: Mailer
    clock: Clock
    sender: Address
    public_url: str
    link_key: bytes

    async def send_sign_in_mail(self, effect: Effect) -> Outcome:
        """Skipped when the link was used, replaced or ran out before the mail could go."""
        found = await self._of(str(effect.payload["token"]))
        if found is None:
            return Skip("the link is gone")
        row, person = found
        if row.used_at is not None or row.expires_at <= self.clock.now():
            return Skip(reason("mail"))
        token = link_token(self.link_key, row.person_id, row.purpose, row.created_at)
        if digest(token) != row.digest or not person.email:
            return Skip("the link was made with another key")
        letter = self._letter(row, person, token)
        try:
            await self.mailer.send(
                letter.to(
                    address(person.name, person.email),
                    sender=self.sender,
                    message_id=f"<{row.digest[:40]}.link@{self.sender.domain}>",
                    written_at=row.created_at,
                )
            )
        except MailRefused as error:
            return Skip(f"refused: {error.code} {error.enhanced}".strip())
        except MailDeferred as error:
            return Retry(f"deferred: {error.code} {error.enhanced}".strip())
        return Done()

    def _letter(self, row: SignInTokenRow, person: PersonRow, token: str) -> Letter:
        purpose = Purpose(row.purpose)
        make = sign_in_letter if purpose is Purpose.SIGN_IN else password_letter
        url = f"{self.public_url.rstrip('/')}{_PATHS[purpose]}{token}"
        return make(
            chosen(person.language), name=person.name, url=url, valid_minutes=purpose.life_ms // 60_000
        )

    async def _of(self, token_digest: str) -> tuple[SignInTokenRow, PersonRow] | None:
        async with self.db.reading() as session:
            found = await session.execute(
                select(SignInTokenRow, PersonRow)
                .join(PersonRow, PersonRow.id == SignInTokenRow.person_id)
                .where(SignInTokenRow.digest == token_digest, PersonRow.deactivated_at.is_(None))
            )
            row = found.one_or_none()
        return (row[0], row[1]) if row else None
