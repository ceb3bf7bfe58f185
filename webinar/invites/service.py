"""Telling people: what each of them is owed, and the sending of it.

Level-triggered, like the rooms: whatever happened to a lecture, `announce` compares what everybody
should know with what the last owed mail said, and owes what is missing. A mail is sent by a second
effect, one a person, so that one refusal never delays the next.
"""

import hashlib
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
from webinar.invites import render, store
from webinar.invites.render import House, Notice, Reader
from webinar.invites.rules import Invite, InviteState, Slot, first, raises_sequence
from webinar.invites.store import Told
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import (
    Lecture,
    LectureState,
    Registration,
    Seat,
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
INVITING = frozenset({LectureState.SCHEDULED, LectureState.OPEN, LectureState.LIVE})


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


def wanted(lecture: Lecture, lecturer: str, seat: Registration) -> Told:
    """What this person should know by now."""
    text = "\x1f".join([lecture.title, lecturer, str(seat.link_generation), str(lecture.jp)])
    return Told(lecture.starts_at, lecture.ends_at, hashlib.sha256(text.encode()).hexdigest())


def next_invite(
    seat: Registration, lecture: Lecture, now_told: Told, have: tuple[Invite, Told] | None, domain: str
) -> Invite | None:
    """The invite that has to be sent now, or None when the person knows everything. Pure."""
    on = seat.active and lecture.state in INVITING
    if have is None:
        return first(seat.id, lecture.id, domain) if on else None
    invite, said = have
    if not on:
        over = lecture.state is not LectureState.CANCELLED and seat.active
        if over or invite.method == "CANCEL":
            return None
        return invite.cancelled()
    if invite.method == "CANCEL" or raises_sequence(
        Slot(said.starts_at, said.ends_at), Slot(now_told.starts_at, now_told.ends_at)
    ):
        return invite.rescheduled()
    return invite.again() if said.text != now_told.text else None


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
    now = desk.clock.now()
    lecturers = (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]
    names = ", ".join(person.name for person in lecturers)
    have = await store.told(session, [seat.id for seat in seats])
    fresh = []
    for seat in seats:
        if seat.role is Seat.ORGANISER:
            continue
        now_told = wanted(lecture, names, seat)
        invite = next_invite(seat, lecture, now_told, have.get(seat.id), desk.domain)
        if invite is None:
            continue
        if not seat.email and invite.state is InviteState.OWED:
            invite = invite.without_address()
        if seat.id in have:
            await store.save(session, invite, now_told)
        else:
            fresh.append((invite, now_told))
        if invite.pending:
            await owe_mail(session, invite, lecture.id, now)
    await store.add(session, fresh)


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
        async with desk.database.reading() as session:
            composed = await _composed(session, desk, registration_id)
            if composed is None:
                return Skip("nothing is owed any more")
            if composed[0].method == "REQUEST" and await _over(session, registration_id, desk.clock.now()):
                return Skip(reason("invite"))
        invite, message = composed
        if message is None:
            return Done(lambda session: _settle(session, invite.without_address()))
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
        await store.add_delivery(
            session,
            registration_id=after.registration_id,
            message_id=message.message_id,
            attempt=effect.attempts,
            address=message.to.addr_spec,
            at=desk.clock.now(),
            outcome=outcome,
            answer=answer,
        )
        await _settle(session, after)

    return write


async def _settle(session: AsyncSession, after: Invite) -> None:
    """Write how the try ended, unless something newer is owed by now."""
    present = await store.get(session, after.registration_id)
    if present is not None and (present.sequence, present.sends) == (after.sequence, after.sends):
        await store.save(session, after)


async def _over(session: AsyncSession, registration_id: str, now: int) -> bool:
    """Whether nobody can come any more. That a lecture is called off is told all the same."""
    seat = await lecture_store.registration(session, registration_id)
    lecture = await lecture_store.find(session, seat.lecture_id) if seat else None
    return lecture is None or lecture.state not in INVITING or now >= lecture.latest_end_at


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
    notice = await _notice(session, desk, lecture, seat)
    reader = Reader(seat.name, seat.email, wording.chosen(seat.language), seat.zone)
    why = await _reason(session, lecture) if invite.method == "CANCEL" else ""
    message = render.invite_message(invite, notice, reader, desk.house, now=desk.clock.now(), reason=why)
    return invite, message


async def _notice(session: AsyncSession, desk: Desk, lecture: Lecture, seat: Registration) -> Notice:
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
