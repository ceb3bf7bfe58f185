"""The sending of reminders: one effect a lecture and time owes one mail a person.

Both look at what holds by then, so that a lecture that was moved, called off or announced anew meanwhile
reminds nobody at the wrong time.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import effects
from webinar.core import language as wording
from webinar.core.clock import to_datetime
from webinar.core.effects import Again, Done, Effect, Handler, Outcome, Owed, Retry, Skip
from webinar.core.late_rules import reason
from webinar.invites import reminder_rules as rules
from webinar.invites import reminders, render, store
from webinar.invites.owing import INVITING
from webinar.invites.reminder_rules import Use
from webinar.invites.render import Reader
from webinar.invites.rules import Invite, reminder_message_id
from webinar.invites.service import BATCH, Desk, keep_delivery, notice
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Registration, Seat
from webinar.mail.port import MailDeferred, MailRefused, Message


def reminding(desk: Desk) -> Handler:
    """The handler of kind `remind`: owe everybody their reminder, while it is of use."""

    async def remind(effect: Effect) -> Outcome:
        lecture_id, minutes = rules.of_key(effect.key)
        after = ""
        while True:
            async with desk.database.writing() as session:
                lecture = await lecture_store.find(session, lecture_id)
                ended = await _not_now(session, lecture, minutes, desk.clock.now())
                if ended is not None or lecture is None:
                    return ended or Skip("the lecture is gone")
                seats = await lecture_store.registrations(session, lecture_id, after=after, limit=BATCH)
                now = desk.clock.now()
                owed = [
                    Owed(
                        kind="reminder",
                        key=rules.mail_key(seat.id, minutes),
                        subject=f"invites:{lecture_id}",
                        due_at=now,
                        payload={},
                    )
                    for seat in seats
                    if seat.email and seat.role is not Seat.ORGANISER
                ]
                await effects.owe_many(session, owed, now)
            if len(seats) < BATCH:
                return Done()
            after = seats[-1].id

    return remind


async def _not_now(
    session: AsyncSession, lecture: Lecture | None, minutes: int, now: int
) -> Again | Skip | None:
    """Why nobody is reminded now, or None when everybody is."""
    if lecture is None:
        return Skip("the lecture is gone")
    if lecture.state not in INVITING:
        return Skip("the lecture does not take place")
    times = await reminders.times(session, lecture.institution_id)
    if minutes not in times:
        return Skip("the institution sends no such reminder any more")
    use = rules.use(lecture.starts_at, minutes, times, now)
    if use is Use.LATER:
        return Again(rules.due_at(lecture.starts_at, minutes))
    return Skip(reason("remind")) if use is Use.TOO_LATE else None


def reminder_sender(desk: Desk) -> Handler:
    """The handler of kind `reminder`: hand one reminder to the mail server, and keep its answer."""

    async def send(effect: Effect) -> Outcome:
        registration_id, minutes = rules.of_key(effect.key)
        try:
            async with desk.database.reading() as session:
                composed = await _composed(session, desk, registration_id, minutes)
        except MailRefused as refused:
            return Skip(str(refused))
        if not isinstance(composed, Message):
            return composed

        def noted(outcome: str, answer: str) -> effects.Then:
            async def write(session: AsyncSession) -> None:
                await keep_delivery(session, desk, effect, composed, registration_id, outcome, answer)

            return write

        try:
            receipt = await desk.mailer.send(composed)
        except MailRefused as refused:
            return Done(noted("refused", str(refused)))
        except MailDeferred as deferred:
            return Retry(str(deferred), then=noted("deferred", str(deferred)))
        return Done(noted("accepted", receipt.answer))

    return send


async def _composed(session: AsyncSession, desk: Desk, registration_id: str, minutes: int) -> Message | Skip:
    """The mail, or why there is none. Raises MailRefused: the address is none."""
    seat = await lecture_store.registration(session, registration_id)
    lecture = await lecture_store.find(session, seat.lecture_id) if seat else None
    now = desk.clock.now()
    ended = await _not_now(session, lecture, minutes, now)
    if ended is not None:
        # What owed this mail looks after the later time.
        return Skip("the lecture was moved") if isinstance(ended, Again) else ended
    if seat is None or lecture is None or not seat.active or not seat.email:
        return Skip("nobody to be reminded any more")
    invite = await store.get(session, registration_id)
    if invite is None or _is_told(invite, rules.due_at(lecture.starts_at, minutes)):
        return Skip("told of the lecture just now")
    message_id = reminder_message_id(invite, lecture.starts_at, minutes, desk.domain)
    if await reminders.is_sent(session, registration_id, message_id):
        return Skip("sent already")
    if await _wants_none(session, lecture, seat):
        return Skip("wants no reminders, or is exempt on that day")
    return render.reminder_message(
        invite,
        await notice(session, desk, lecture, seat),
        Reader(seat.name, seat.email, wording.chosen(seat.language), seat.zone),
        desk.house,
        now=now,
        minutes_before=minutes,
        unsubscribe_url=rules.link(desk.public_url, desk.link_key, seat.person_id),
    )


def _is_told(invite: Invite, due_at: int) -> bool:
    """Whether an invite is on its way, or has come since the reminder was due."""
    return invite.pending or invite.method == "CANCEL" or (invite.last_sent_at or 0) >= due_at


async def _wants_none(session: AsyncSession, lecture: Lecture, seat: Registration) -> bool:
    day = to_datetime(lecture.starts_at, lecture.zone).date().isoformat()
    return await reminders.refuses(session, seat.person_id) or await reminders.is_exempt(
        session, lecture.institution_id, seat.person_id, day
    )
