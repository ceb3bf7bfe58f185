"""Telling people: what each of them is owed, and the sending of it.

Level-triggered, like the rooms: whatever happened to a lecture, `announce` compares what everybody
should know with what the last owed mail said, and owes what is missing. A mail is sent by a second
effect, one a person, so that one refusal never delays the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core import language as wording
from webinar.core.audit import Actor
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Done, Effect, Handler, Outcome, Retry, Skip
from webinar.core.late_rules import reason
from webinar.invites import owing, reminders, render, store
from webinar.invites.render import House, Notice, Reader
from webinar.invites.rules import Invite
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import (
    Lecture,
    Registration,
    join_url,
    link_token,
    scheduled_window,
)
from webinar.mail.port import MailDeferred, Mailer, MailRefused, Message
from webinar.people.tables import UnitRow
from webinar.policies import store as policies
from webinar.policies.wording import promise

# One announcing transaction handles so many people, so that no other writer waits long.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """What the sending of invites needs: settings of the house, and the ways out."""

    database: Database
    clock: Clock
    mailer: Mailer
    public_url: str
    link_key: bytes
    sender: Address
    organizer: Address
    domain: str

    @property
    def house(self) -> House:
        return House(self.sender, self.organizer, self.domain)


def personal_link(public_url: str, link_key: bytes, seat: Registration) -> str:
    """The join link of a registration, as it is valid now."""
    return join_url(public_url, seat.id, link_token(link_key, seat.id, seat.link_generation))


def announcer(desk: Desk) -> Handler:
    """The handler of kind `announce`: owe every mail that somebody's calendar still lacks."""

    async def announce(effect: Effect) -> Outcome:
        lecture_id = effect.subject.removeprefix("lecture:")
        after = ""
        while True:
            async with desk.database.writing() as session:
                lecture = await lecture_store.find(session, lecture_id)
                if lecture is None:
                    return Skip("the lecture is gone")
                if not after:
                    await reminders.owe(session, lecture, desk.clock.now())
                seats = await lecture_store.registrations(
                    session, lecture_id, active=False, after=after, limit=BATCH
                )
                await _owe_missing(session, desk, lecture, seats)
            if len(seats) < BATCH:
                return Done()
            after = seats[-1].id

    return announce


async def _owe_missing(
    session: AsyncSession, desk: Desk, lecture: Lecture, seats: Sequence[Registration]
) -> None:
    """Owe the mails first and write the invites then: in the order in which a try that ends takes them.

    The other way round each would wait for the other. A mail that turns out to be needless finds
    nothing that is owed.
    """
    now = desk.clock.now()
    guessed = [one for one in await owing.missing(session, lecture, seats, desk.domain) if one.invite.pending]
    for one in guessed:
        await owe_mail(session, one.invite, lecture.id, now)
    owed = await owing.missing(session, lecture, seats, desk.domain, lock=True)
    await owing.write(session, owed)
    known = {one.seat.id for one in guessed}
    for one in owed:
        if one.invite.pending and one.seat.id not in known:
            await owe_mail(session, one.invite, lecture.id, now)


async def owe_mail(session: AsyncSession, invite: Invite, lecture_id: str, now: int) -> None:
    await effects.owe(
        session,
        kind="invite",
        key=f"invite:{invite.registration_id}",
        subject=f"invites:{lecture_id}",
        due_at=now,
        now=now,
    )


async def resend(
    session: AsyncSession, lecture: Lecture, seats: Sequence[Registration], *, now: int, actor: Actor
) -> int:
    """Send the invite once more to each of these people; how many mails are owed now."""
    have = await store.of_lecture(session, lecture.id)
    count = 0
    for seat in seats:
        invite = have.get(seat.id)
        if invite is None or invite.method == "CANCEL" or not seat.email:
            continue
        again = invite.again()
        await store.save(session, again)
        await owe_mail(session, again, lecture.id, now)
        count += 1
    if count:
        await lectures.note(session, lecture, "invites_resent", now=now, actor=actor, count=count)
    return count


def sender(desk: Desk) -> Handler:
    """The handler of kind `invite`: hand one mail to the mail server, and keep its answer."""

    async def send(effect: Effect) -> Outcome:
        registration_id = effect.key.removeprefix("invite:")
        composed = await _newest(desk, registration_id)
        if composed is None:
            return Skip("nothing is owed any more")
        if composed[0].method == "REQUEST" and await _over(desk, registration_id):
            return Skip(reason("invite"))
        invite, message = composed
        if message is None:
            return Done(lambda session: _settle(session, desk, invite.without_address()))
        try:
            receipt = await desk.mailer.send(message)
        except MailRefused as refused:
            return Done(_noted(desk, effect, message, invite.refused(str(refused)), "refused", str(refused)))
        except MailDeferred as deferred:
            then = _noted(desk, effect, message, invite.deferred(str(deferred)), "deferred", str(deferred))
            return Retry(str(deferred), then=then)
        accepted = invite.accepted(desk.clock.now())
        return Done(_noted(desk, effect, message, accepted, "accepted", receipt.answer))

    return send


def _noted(
    desk: Desk, effect: Effect, message: Message, after: Invite, outcome: str, answer: str
) -> effects.Then:
    async def write(session: AsyncSession) -> None:
        await keep_delivery(session, desk, effect, message, after.registration_id, outcome, answer)
        await _settle(session, desk, after)

    return write


async def keep_delivery(
    session: AsyncSession,
    desk: Desk,
    effect: Effect,
    message: Message,
    registration_id: str,
    outcome: str,
    answer: str,
) -> None:
    """How one try to hand a mail over went."""
    await store.add_delivery(
        session,
        registration_id=registration_id,
        message_id=message.message_id,
        attempt=effect.attempts,
        address=message.to.addr_spec,
        at=desk.clock.now(),
        outcome=outcome,
        answer=answer,
    )


async def _settle(session: AsyncSession, desk: Desk, tried: Invite) -> None:
    """Write how the try ended. Where something newer is owed by now, only that this one went out."""
    present = await store.get(session, tried.registration_id, lock=True)
    if present is None:
        return
    if (present.sequence, present.sends) == (tried.sequence, tried.sends):
        await store.save(session, tried)
        return
    after = present.overtaking(tried)
    await store.save(session, after)
    if after.pending and not present.pending:
        await owe_mail(session, after, after.lecture_id, desk.clock.now())


async def _newest(desk: Desk, registration_id: str) -> tuple[Invite, Message | None] | None:
    """The mail that is owed, of the newest version, also when that is not announced yet.

    Otherwise it would say the new time under the old SEQUENCE, and the announcement would tell the same
    thing once more.
    """
    while True:
        async with desk.database.reading() as session:
            composed = await _composed(session, desk, registration_id)
            if composed is None or not await _behind(session, desk, registration_id):
                return composed
        async with desk.database.writing() as session:
            await owing.write(session, await _behind(session, desk, registration_id, lock=True))


async def _behind(
    session: AsyncSession, desk: Desk, registration_id: str, *, lock: bool = False
) -> list[owing.Owed]:
    """What the invite of one seat lacks; a seat without an invite is left to the announcement."""
    seat = await lecture_store.registration(session, registration_id)
    lecture = await lecture_store.find(session, seat.lecture_id) if seat else None
    if seat is None or lecture is None:
        return []
    owed = await owing.missing(session, lecture, [seat], desk.domain, lock=lock)
    return [one for one in owed if one.before is not None]


async def _over(desk: Desk, registration_id: str) -> bool:
    """Whether nobody can come any more. That a lecture is called off is told all the same."""
    async with desk.database.reading() as session:
        seat = await lecture_store.registration(session, registration_id)
        lecture = await lecture_store.find(session, seat.lecture_id) if seat else None
    return lecture is None or owing.is_over(lecture, desk.clock.now())


async def _composed(
    session: AsyncSession, desk: Desk, registration_id: str
) -> tuple[Invite, Message | None] | None:
    """The mail that is owed now; no message when there is no address."""
    invite = await store.get(session, registration_id)
    seat = await lecture_store.registration(session, registration_id)
    if invite is None or seat is None or not invite.pending:
        return None
    lecture = await lecture_store.find(session, seat.lecture_id)
    if lecture is None:
        return None
    if not seat.email:
        return invite, None
    told = await notice(session, desk, lecture, seat)
    reader = Reader(seat.name, seat.email, wording.chosen(seat.language), seat.zone)
    why = await _reason(session, lecture) if invite.method == "CANCEL" else ""
    message = render.invite_message(invite, told, reader, desk.house, now=desk.clock.now(), reason=why)
    return invite, message


async def notice(session: AsyncSession, desk: Desk, lecture: Lecture, seat: Registration) -> Notice:
    """What a mail tells this person of the lecture."""
    language = wording.chosen(seat.language)
    lecturers = (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    rule = promise(language, policy, lecture.jp, scheduled_window(lecture).seconds)
    institution = (
        await session.execute(select(UnitRow.name).where(UnitRow.id == lecture.institution_id))
    ).scalar_one()
    return Notice(
        title=lecture.title,
        starts_at=lecture.starts_at,
        ends_at=lecture.ends_at,
        zone=lecture.zone,
        lecturer=", ".join(person.name for person in lecturers),
        jp_hundredths=lecture.jp,
        policy_sentence=rule,
        recorded=lecture.recorded,
        join_url=personal_link(desk.public_url, desk.link_key, seat),
        institution=institution,
    )


async def _reason(session: AsyncSession, lecture: Lecture) -> str:
    for entry in reversed(await audit.of(session, ("lecture", lecture.id))):
        if entry.action == "cancelled":
            return str(entry.fields.get("reason", ""))
    return ""
