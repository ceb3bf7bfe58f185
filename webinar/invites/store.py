"""Named queries on invites and their deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.invites.rules import Invite, InviteState
from webinar.invites.tables import DeliveryRow, InviteRow
from webinar.lectures.rules import Seat
from webinar.lectures.tables import RegistrationRow


@dataclass(frozen=True, slots=True)
class Told:
    """What the last owed mail says: the time, and a digest of the text and the link."""

    starts_at: int
    ends_at: int
    text: str


def _invite(row: InviteRow) -> Invite:
    fields = {name: getattr(row, name) for name in Invite.__slots__}
    return Invite(**{**fields, "state": InviteState(row.state)})


async def get(session: AsyncSession, registration_id: str, *, lock: bool = False) -> Invite | None:
    """One invite; `lock` keeps everybody else who locks it waiting until the transaction ends."""
    row = await session.get(InviteRow, registration_id, populate_existing=True, with_for_update=lock or None)
    return _invite(row) if row else None


async def of_lecture(session: AsyncSession, lecture_id: str) -> Mapping[str, Invite]:
    """The invites of a lecture by registration."""
    rows = await session.execute(select(InviteRow).where(InviteRow.lecture_id == lecture_id))
    return {row.registration_id: _invite(row) for row in rows.scalars()}


async def told(
    session: AsyncSession, registration_ids: Sequence[str], *, lock: bool = False
) -> Mapping[str, tuple[Invite, Told]]:
    """Invites and what they say, of some registrations; locked in the order of their ids."""
    query = select(InviteRow).where(InviteRow.registration_id.in_(registration_ids))
    if lock:
        query = query.order_by(InviteRow.registration_id).with_for_update()
    rows = await session.execute(query.execution_options(populate_existing=True))
    return {
        row.registration_id: (_invite(row), Told(row.told_starts_at, row.told_ends_at, row.told_text))
        for row in rows.scalars()
    }


async def counts(session: AsyncSession, lecture_id: str) -> Mapping[tuple[InviteState, str], int]:
    """How many invites of a lecture are in each state with each method; a seat without one counts as owed."""
    # Grouped by its name: PostgreSQL takes the same expression with other parameters for another one.
    state = func.coalesce(InviteRow.state, InviteState.OWED.value).label("invite_state")
    method = func.coalesce(InviteRow.method, "REQUEST").label("invite_method")
    rows = await session.execute(
        select(state, method, func.count())
        .select_from(RegistrationRow)
        .outerjoin(InviteRow, InviteRow.registration_id == RegistrationRow.id)
        .where(RegistrationRow.lecture_id == lecture_id, RegistrationRow.role != Seat.ORGANISER.value)
        .where(or_(RegistrationRow.state == "registered", InviteRow.method == "CANCEL"))
        .group_by("invite_state", "invite_method")
    )
    return {(InviteState(row[0]), row[1]): row[2] for row in rows}


async def add(session: AsyncSession, invites: Sequence[tuple[Invite, Told]]) -> None:
    """Insert new invites, all in one statement."""
    rows = [{**_values(invite), **_told(said)} for invite, said in invites]
    if rows:
        await session.execute(insert(InviteRow), rows)


async def save(session: AsyncSession, invite: Invite, said: Told | None = None) -> None:
    values = {**_values(invite), **(_told(said) if said else {})}
    del values["registration_id"]
    await session.execute(
        update(InviteRow).where(InviteRow.registration_id == invite.registration_id).values(**values)
    )


def _values(invite: Invite) -> dict[str, object]:
    fields = {name: getattr(invite, name) for name in Invite.__slots__}
    return {**fields, "state": invite.state.value}


def _told(said: Told) -> dict[str, object]:
    return {"told_starts_at": said.starts_at, "told_ends_at": said.ends_at, "told_text": said.text}


async def add_delivery(
    session: AsyncSession,
    *,
    registration_id: str,
    message_id: str,
    attempt: int,
    address: str,
    at: int,
    outcome: str,
    answer: str,
) -> None:
    """Append one try to hand a mail over."""
    session.add(
        DeliveryRow(
            registration_id=registration_id,
            message_id=message_id,
            attempt=attempt,
            address=address,
            at=at,
            outcome=outcome,
            answer=answer[:500],
        )
    )
    await session.flush()
