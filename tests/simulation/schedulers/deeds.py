"""What people do at the site: each deed is one transaction, again until it went through or was refused."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import MINUTE, NINE, ZONE, wall
from tests.simulation.schedulers.parts import LINK_KEY
from tests.simulation.schedulers.plan import Booked, Deed
from webinar.classroom import service as classroom
from webinar.core.audit import SYSTEM
from webinar.core.errors import NotFound
from webinar.hours import contests
from webinar.hours.tables import ContestRow
from webinar.invites import service as invites
from webinar.lectures import booking, changes, editing, service, store
from webinar.lectures.booking import Booking
from webinar.lectures.editing import Change
from webinar.lectures.rules import Lecture, Registration, agreed_times
from webinar.lectures.tables import LectureRow
from webinar.operations import service as operations
from webinar.people.access import Scope, scope_of
from webinar.people.sign_in import owe_link
from webinar.people.sign_in_rules import Purpose
from webinar.policies.tables import PolicyRow
from webinar.reports import service as reports
from webinar.reports.rules import FileKind, Wish

KEY = LINK_KEY.encode()


@dataclass(slots=True)
class Office:
    """Who there is, and which lecture is which; ids are made before, so that pressing twice books once."""

    institution: str
    administrator: str
    people: list[str]
    lectures: list[str]
    policies: list[str]

    @property
    def scope(self) -> Scope:
        return Scope.system(self.institution)


Do = Callable[[AsyncSession, Office, Deed, Lecture, int], Awaitable[None]]


async def book(session: AsyncSession, office: Office, number: int, lecture: Booked, now: int) -> None:
    starts_at = NINE + lecture.starts_at
    asked = Booking(
        id=office.lectures[number], unit_id=office.institution, title=f"Kuliah {number}", description="",
        starts_wall=wall(starts_at), ends_wall=wall(starts_at + lecture.minutes * MINUTE), zone=ZONE, jp=200,
        policy_id=office.policies[number], recorded=lecture.recorded, lecturer_ids=(),
        open_before_s=lecture.open_before_s, overrun_s=lecture.overrun_s, live_by=lecture.live_by,
    )  # fmt: skip
    booked = await booking.book(session, office.scope, asked, now=now, actor=SYSTEM, link_key=KEY)
    if lecture.empty_after_s is not None:
        # Shorter than an organiser may choose, so that it happens within minutes.
        row = await session.get_one(LectureRow, booked.id)
        row.empty_after_s, row.empty_early = lecture.empty_after_s, lecture.empty_early
        await session.flush()
    await _seat(session, office, booked, range(lecture.people), now)


async def _seat(session: AsyncSession, office: Office, lecture: Lecture, numbers: range, now: int) -> None:
    people = [office.people[number] for number in numbers]
    await booking.register(session, lecture, people, now=now, actor=SYSTEM, link_key=KEY)


async def do(session: AsyncSession, office: Office, deed: Deed, now: int) -> None:
    """Raises NotFound for a lecture that is not booked yet, and whatever the service refuses."""
    lecture = await store.find(session, office.lectures[deed.lecture])
    if lecture is None:
        raise NotFound
    await _DOES[deed.does](session, office, deed, lecture, now)


async def _place(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture) -> Registration:
    seat = await store.registration_of(session, lecture.id, office.people[deed.size])
    if seat is None:
        raise NotFound
    return seat


async def _move(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    # To an absolute time: whoever presses twice moves once.
    starts_at = NINE + (deed.at // MINUTE + 1 + deed.size) * MINUTE
    ends_at = starts_at + (lecture.ends_at - lecture.starts_at)
    wanted = Change(starts_wall=wall(starts_at), ends_wall=wall(ends_at))
    await _change(session, office, lecture, wanted, now)


async def _retitle(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await _change(session, office, lecture, Change(title=f"Kuliah {deed.at}"), now)


async def _change(session: AsyncSession, office: Office, lecture: Lecture, wanted: Change, now: int) -> None:
    await editing.change(
        session, office.scope, lecture, wanted, version=lecture.version, now=now, actor=SYSTEM
    )


async def _extend(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    until = NINE + deed.at + deed.size * MINUTE
    await changes.extend_until(session, lecture, until, counts=True, now=now, actor=SYSTEM)


async def _cancel(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await service.cancel(session, lecture, "hujan deras", now, SYSTEM)


async def _restore(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    by = deed.size * MINUTE
    times = agreed_times(wall(lecture.starts_at + by), wall(lecture.ends_at + by), ZONE)
    await changes.restore(session, lecture, times, now=now, actor=SYSTEM)


async def _end(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await changes.end_early(session, lecture, counts_until=None, reason="selesai", now=now, actor=SYSTEM)


async def _start(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await service.start_now(session, lecture, now, SYSTEM)


async def _register(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await _seat(session, office, lecture, range(6, 6 + deed.size), now)


async def _unregister(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    seat = await _place(session, office, deed, lecture)
    await classroom.unregister(session, lecture, seat, now=now, actor=SYSTEM)


async def _remove(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    seat = await _place(session, office, deed, lecture)
    await store.change_registration(session, seat.id, removed_at=now)
    await classroom.owe_removal(session, seat, now)


async def _revoke(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    seat = await _place(session, office, deed, lecture)
    await booking.revoke_link(session, lecture, seat, now=now, actor=SYSTEM, link_key=KEY)


async def _resend(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    seats = await store.registrations(session, lecture.id)
    await invites.resend(session, lecture, seats, now=now, actor=SYSTEM)


async def _sign_in(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    person = office.people[deed.size]
    await owe_link(session, person, purpose=Purpose.SIGN_IN, link_key=KEY, now=now)


async def _report(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    scope = await scope_of(session, office.administrator)
    await reports.ask(session, scope, Wish(FileKind.CSV, "id", lecture.id), now)


async def _contest(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    scope = await scope_of(session, office.people[deed.size])
    await contests.contest(session, scope, lecture.id, text="Saya hadir.", now=now)


async def _hold(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await operations.hold_mail(session, office.scope, "tautan salah", now)


async def _release(session: AsyncSession, office: Office, deed: Deed, lecture: Lecture, now: int) -> None:
    await operations.release_mail(session, office.scope, now)


async def decide_contests(session: AsyncSession, office: Office, now: int) -> None:
    """Somebody looks through what was contested at last."""
    scope = await scope_of(session, office.administrator)
    waiting = await session.scalars(select(ContestRow.id).where(ContestRow.state == "open"))
    for ident in list(waiting):
        await contests.refuse(session, scope, ident, reason="tidak hadir", now=now)


_DOES: Mapping[str, Do] = {
    "move": _move, "retitle": _retitle, "extend": _extend, "cancel": _cancel, "restore": _restore,
    "end": _end, "start": _start, "register": _register, "unregister": _unregister, "remove": _remove,
    "revoke": _revoke, "resend": _resend, "sign in": _sign_in, "report": _report, "contest": _contest,
    "hold": _hold, "release": _release,
}  # fmt: skip


async def policies_of(session: AsyncSession, office: Office, lectures: tuple[Booked, ...]) -> None:
    """A policy for each lecture: how long its quiet period is, and how often it is asked who is there."""
    for ident, lecture in zip(office.policies, lectures, strict=True):
        session.add(
            PolicyRow(
                id=ident, version=1, institution_id=office.institution, name=ident, kind="threshold",
                threshold_percent=50, minutes_per_jp=1, tolerance_s=30, grace_s=0, lecturer_earns=True,
                quiet_period_s=lecture.quiet_s, checks=lecture.checks, checks_needed=0, check_s=15,
                created_at=NINE,
            )
        )  # fmt: skip
    await session.flush()
