"""The handler of effects of kind `contest`: tells organisers of it, and the participant what was decided."""

from dataclasses import dataclass
from email.headerregistry import Address

from sqlalchemy import select

from webinar.core import language as wording
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Done, Outcome, Retry, Skip
from webinar.core.effects_rules import Effect
from webinar.core.language import chosen
from webinar.core.late_rules import reason
from webinar.hours import contest_store, store
from webinar.hours.contest_rules import Contest, ContestState
from webinar.hours.contests import OPENED
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.mail.build import address
from webinar.mail.letters import Letter, letter
from webinar.mail.port import MailDeferred, Mailer, MailRefused
from webinar.people.tables import PersonRow

__all__ = ["ContestMails"]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a letter says, to whom."""

    contest: Contest
    lecture: Lecture
    reader: PersonRow
    name: str
    jp: int


@dataclass(frozen=True, slots=True)
class ContestMails:
    db: Database
    mailer: Mailer
    clock: Clock
    sender: Address
    public_url: str

    async def send(self, effect: Effect) -> Outcome:
        """Skipped when there is nothing to tell any more, or nobody to tell it to."""
        what = str(effect.payload["what"])
        told = await self._of(str(effect.payload["contest"]), str(effect.payload["person"]))
        if told is None or not told.reader.email:
            return Skip("there is nobody to tell")
        if what == OPENED and told.contest.state is not ContestState.OPEN:
            return Skip(reason("contest"))
        written_at = told.contest.opened_at if what == OPENED else told.contest.decided_at
        try:
            await self.mailer.send(
                self._letter(what, told).to(
                    address(told.reader.name, told.reader.email),
                    sender=self.sender,
                    message_id=f"<{told.contest.id}.{what}.{told.reader.id}@{self.sender.domain}>",
                    written_at=written_at or self.clock.now(),
                )
            )
        except MailRefused as error:
            return Skip(f"refused: {error.code} {error.enhanced}".strip())
        except MailDeferred as error:
            return Retry(f"deferred: {error.code} {error.enhanced}".strip())
        return Done()

    def _letter(self, what: str, told: _Told) -> Letter:
        language = chosen(told.reader.language)
        _ = wording.translator(language)
        site = self.public_url.rstrip("/")
        title = told.lecture.title
        if what == OPENED:
            subject = _("Attendance contested: %(title)s", title=title)
            url = f"{site}/lectures/{told.lecture.id}/contests"
        else:
            accepted = told.contest.state is ContestState.ACCEPTED
            subject = (
                _("Your contest was accepted: %(title)s", title=title)
                if accepted
                else _("Your contest was refused: %(title)s", title=title)
            )
            url = f"{site}/lectures/{told.lecture.id}/contest"
        return letter(
            language,
            f"hours/mail_{what}",
            subject,
            reader=told.reader.name,
            name=told.name,
            lecture=told.lecture,
            contest=told.contest,
            accepted=told.contest.state is ContestState.ACCEPTED,
            jp=told.jp,
            url=url,
        )

    async def _of(self, contest_id: str, person_id: str) -> _Told | None:
        async with self.db.reading() as session:
            contest = await contest_store.find(session, contest_id)
            if contest is None:
                return None
            lecture = await lectures.find(session, contest.lecture_id)
            query = select(PersonRow).where(PersonRow.id == person_id, PersonRow.deactivated_at.is_(None))
            reader = await session.scalar(query)
            name = await session.scalar(select(PersonRow.name).where(PersonRow.id == contest.person_id))
            changed = await store.effective_of(session, [contest.registration_id])
        if lecture is None or reader is None:
            return None
        now = changed.get(contest.registration_id)
        return _Told(contest, lecture, reader, name or "", now.jp if now else contest.jp)
