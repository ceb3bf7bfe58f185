"""Named queries on what is owed, as operators see it; quick whatever is owed later or was done.

The states stand in literals, so that the partial indexes are used. Where nothing is asked of the
institution (None), every effect of the installation is meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, text, true, update
from sqlalchemy import literal_column as raw
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.effects_rules import EffectState
from webinar.core.tables import EffectRow
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.operations.owners import OWNER_SQL, of_institution
from webinar.operations.rules import (
    KINDS,
    LATE_AFTER_MS,
    KindCount,
    Listed,
    MailHold,
    Standing,
    standing,
)
from webinar.operations.tables import MailHoldRow
from webinar.operations.timeline_rules import OfLecture
from webinar.people.tables import PersonRow

# Of whom the last error is looked up; the newest failure says most.
_STUCK = {Standing.RUNNING: "claimed", Standing.PARKED: "parked", Standing.HELD: "held"}
_WHERE: Mapping[Standing, str] = {
    Standing.RUNNING: "state = 'claimed'",
    Standing.PARKED: "state = 'parked'",
    Standing.HELD: "state = 'held'",
    Standing.FAILING: "state = 'owed' AND attempts > 0",
    Standing.LATE: "state = 'owed' AND attempts = 0 AND due_at < :late",
    Standing.DUE: "state = 'owed' AND attempts = 0 AND due_at >= :late AND due_at <= :now",
}

After = tuple[int, int]


async def overview(session: AsyncSession, institution_id: str | None, now: int) -> list[KindCount]:
    """By kind how many effects are due, late, running, failing, parked and held; no kind without any."""
    counts: dict[str, dict[Standing, int]] = {}
    oldest: dict[str, int] = {}
    for how in (Standing.RUNNING, Standing.PARKED, Standing.HELD):
        for kind, number, _ in await _grouped(session, _WHERE[how], institution_id, now):
            counts.setdefault(kind, {})[how] = number
    failing = await _grouped(session, _WHERE[Standing.FAILING], institution_id, now)
    tried = await _grouped(session, _WHERE[Standing.FAILING] + " AND due_at <= :now", institution_id, now)
    tried_late = await _grouped(
        session, _WHERE[Standing.FAILING] + " AND due_at < :late", institution_id, now
    )
    for kind, number, _ in failing:
        counts.setdefault(kind, {})[Standing.FAILING] = number
    less = {kind: number for kind, number, _ in tried}
    less_late = {kind: number for kind, number, _ in tried_late}
    for kind in sorted({*KINDS, *counts}):
        due, late, first = await _due(session, kind, institution_id, now)
        if first is not None:
            oldest[kind] = first
        late -= less_late.get(kind, 0)
        due -= less.get(kind, 0) + late
        found = {how: n for how, n in ((Standing.LATE, late), (Standing.DUE, due)) if n > 0}
        if found:
            counts.setdefault(kind, {}).update(found)
    errors = await _last_errors(session, counts, institution_id)
    return [KindCount(kind, counts[kind], oldest.get(kind), errors.get(kind)) for kind in sorted(counts)]


async def _grouped(
    session: AsyncSession, where: str, institution_id: str | None, now: int
) -> Sequence[tuple[str, int, int]]:
    statement = text(
        "SELECT kind, count(*), min(due_at) FROM effects"  # noqa: S608 - made of constants
        f" WHERE {where} AND {of_institution(institution_id)} GROUP BY kind"
    )
    rows = await session.execute(statement, _bound(statement, institution_id, now))
    return [(row[0], row[1], row[2]) for row in rows]


async def _due(
    session: AsyncSession, kind: str, institution_id: str | None, now: int
) -> tuple[int, int, int | None]:
    """What is owed by now of a kind, tried or not: how many, how many of them late, and since when."""
    statement = text(
        "SELECT count(*), count(CASE WHEN due_at < :late THEN 1 END), min(due_at) FROM effects"  # noqa: S608
        f" WHERE state = 'owed' AND kind = :kind AND due_at <= :now AND {of_institution(institution_id)}"
    )
    found = (await session.execute(statement, _bound(statement, institution_id, now, kind=kind))).one()
    return found[0], found[1], found[2]


async def _last_errors(
    session: AsyncSession, counts: Mapping[str, Mapping[Standing, int]], institution_id: str | None
) -> dict[str, str]:
    """The last error of each kind that fails: of what was given up last, else of what is tried next."""
    errors: dict[str, str] = {}
    for how, order in ((Standing.PARKED, "due_at DESC"), (Standing.FAILING, "due_at")):
        for kind in (kind for kind in counts if counts[kind].get(how) and kind not in errors):
            statement = text(
                f"SELECT last_error FROM effects WHERE {_WHERE[how]} AND kind = :kind"  # noqa: S608
                f" AND {of_institution(institution_id)} ORDER BY {order} LIMIT 1"
            )
            error = await session.scalar(statement, _bound(statement, institution_id, 0, kind=kind))
            if error:
                errors[kind] = error
    return errors


def _bound(statement: Any, institution_id: str | None, now: int, **more: Any) -> dict[str, Any]:
    """The values that the statement names."""
    values = {"institution": institution_id, "now": now, "late": now - LATE_AFTER_MS, **more}
    return {name: values[name] for name in statement._bindparams}


async def listed(
    session: AsyncSession,
    institution_id: str | None,
    how: Standing,
    kinds: Sequence[str],
    now: int,
    *,
    after: After | None = None,
    limit: int,
) -> list[Listed]:
    """Effects that stand so, of these kinds, by due time; `after` is (due time, id) of the last one seen.

    Each kind is asked by itself: together they would be sorted, and with a hundred thousand that takes long.
    """
    rows: list[Any] = []
    more = "" if after is None else " AND (due_at, id) > (:after_at, :after_id)"
    at, last = after or (0, 0)
    statement = text(
        "SELECT id, key, kind, subject, state, due_at, attempts, last_error, finished_at FROM effects"  # noqa: S608
        f" WHERE {_WHERE[how]} AND kind = :kind{more} AND {of_institution(institution_id)}"
        " ORDER BY due_at, id LIMIT :limit"
    )
    for kind in kinds:
        bound = _bound(statement, institution_id, now, kind=kind, limit=limit, after_at=at, after_id=last)
        rows += (await session.execute(statement, bound)).all()
    rows.sort(key=lambda row: (row.due_at, row.id))
    return [_listed(row, now) for row in rows[:limit]]


def _listed(row: Any, now: int) -> Listed:
    how = standing(row.state, row.attempts, row.due_at, now)
    return Listed(
        row.id, row.key, row.kind, row.subject, how, row.due_at, row.attempts, row.last_error, row.finished_at
    )


async def find(session: AsyncSession, institution_id: str | None, effect_id: int, now: int) -> Listed | None:
    """One effect, if it is the institution's or nobody's."""
    row = await session.scalar(
        select(EffectRow).where(EffectRow.id == effect_id, _mine(institution_id)).with_for_update()
    )
    return _listed(row, now) if row is not None else None


async def count_parked(session: AsyncSession, institution_id: str | None) -> int:
    statement = text(
        f"SELECT count(*) FROM effects WHERE state = 'parked' AND {of_institution(institution_id)}"  # noqa: S608
    )
    return await session.scalar(statement, _bound(statement, institution_id, 0)) or 0


async def count_owed(session: AsyncSession) -> Mapping[str, int]:
    """By kind everything that is owed, now or later."""
    rows = await session.execute(
        text("SELECT kind, count(*) FROM effects WHERE state = 'owed' GROUP BY kind")
    )
    return {row[0]: row[1] for row in rows}


async def retry_batch(
    session: AsyncSession, institution_id: str | None, how: Standing, kind: str, now: int, limit: int
) -> int:
    """Have up to `limit` effects tried now, a parked one from its first try on; how many they were."""
    ids = await _some(session, institution_id, how, kind, now, limit)
    fresh = {"attempts": 0} if how is Standing.PARKED else {}
    await _change(session, ids, how, state=EffectState.OWED.value, due_at=now, finished_at=None, **fresh)
    return len(ids)


async def skip_batch(
    session: AsyncSession,
    institution_id: str | None,
    how: Standing,
    kind: str,
    reason: str,
    now: int,
    limit: int,
) -> int:
    """Owe up to `limit` effects no longer; how many they were."""
    ids = await _some(session, institution_id, how, kind, now, limit)
    await _change(session, ids, how, state=EffectState.SKIPPED.value, last_error=reason, finished_at=now)
    return len(ids)


async def release_batch(session: AsyncSession, institution_id: str, now: int, limit: int) -> int:
    """Have up to `limit` held mails sent now; how many they were."""
    statement = text(
        f"SELECT id FROM effects WHERE state = 'held' AND {OWNER_SQL} = :institution LIMIT :limit"  # noqa: S608
    )
    found = await session.execute(statement, {"institution": institution_id, "limit": limit})
    ids = list(found.scalars())
    await _change(session, ids, Standing.HELD, state=EffectState.OWED.value, due_at=now)
    return len(ids)


async def _some(
    session: AsyncSession, institution_id: str | None, how: Standing, kind: str, now: int, limit: int
) -> list[int]:
    lock = "FOR UPDATE SKIP LOCKED" if session.get_bind().dialect.name == "postgresql" else ""
    # What was made due just now still stands as it did, and is not to be found again.
    again = " AND due_at <> :now" if how in (Standing.FAILING, Standing.DUE) else ""
    statement = text(
        f"SELECT id FROM effects WHERE {_WHERE[how]} AND kind = :kind"  # noqa: S608 - made of constants
        f"{again} AND {of_institution(institution_id)} ORDER BY due_at LIMIT :limit {lock}"
    )
    bound = _bound(statement, institution_id, now, kind=kind, limit=limit)
    return list((await session.execute(statement, bound)).scalars())


async def _change(session: AsyncSession, ids: Sequence[int], how: Standing, **values: Any) -> None:
    """Change those that still stand as they were found: one that was claimed meanwhile is left alone."""
    state = _STUCK.get(how, "owed")
    await session.execute(
        update(EffectRow)
        .where(EffectRow.id.in_(ids), EffectRow.state == state)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


# --- what they are about -----------------------------------------------------------------------


async def subjects(session: AsyncSession, effects: Sequence[Listed]) -> Mapping[int, tuple[str, str]]:
    """By effect what it is about, and the address of its page ("" for none): a lecture, a person, both."""
    ids = {effect.id: effect.subject.partition(":")[2] for effect in effects}
    titles = await _named(session, LectureRow.id, LectureRow.title, ids.values())
    names = await _named(session, PersonRow.id, PersonRow.name, ids.values())
    seats = {e.id: e.key.partition(":")[2] for e in effects if e.kind == "invite"}
    to = await _named(session, RegistrationRow.id, PersonRow.name, seats.values())
    found = {}
    for effect in effects:
        about = ids[effect.id]
        if about in titles:
            label = " · ".join(filter(None, (titles[about], to.get(seats.get(effect.id, "")))))
            found[effect.id] = (label, f"/lectures/{about}")
        elif about in names:
            found[effect.id] = (names[about], f"/people/{about}")
    return found


async def _named(session: AsyncSession, ident: Any, name: Any, ids: Iterable[str]) -> Mapping[str, str]:
    query = select(ident, name).where(ident.in_(set(ids)))
    if ident.class_ is RegistrationRow:
        query = query.join(PersonRow, PersonRow.id == RegistrationRow.person_id)
    return {row[0]: row[1] for row in await session.execute(query)}


async def name_of(session: AsyncSession, person_id: str) -> str:
    """The name of somebody who is on record; "" when there is none of this id."""
    return await session.scalar(select(PersonRow.name).where(PersonRow.id == person_id)) or ""


# --- the effects of one lecture ----------------------------------------------------------------


async def of_lecture(session: AsyncSession, lecture_id: str) -> list[OfLecture]:
    tried = (EffectRow.attempts > 0).label("tried")
    rows = await session.execute(
        select(
            EffectRow.kind,
            EffectRow.state,
            tried,
            func.count().label("number"),
            func.min(EffectRow.due_at).label("due_at"),
            func.max(EffectRow.finished_at).label("finished_at"),
            func.max(EffectRow.last_error).label("error"),
        )
        .where(EffectRow.subject.in_([f"lecture:{lecture_id}", f"invites:{lecture_id}"]))
        .group_by(EffectRow.kind, EffectRow.state, tried)
    )
    return [
        OfLecture(r.kind, r.state, bool(r.tried), r.number, r.due_at, r.finished_at, r.error) for r in rows
    ]


# --- the hold on mail --------------------------------------------------------------------------


async def mail_hold(session: AsyncSession, institution_id: str, *, lock: bool = False) -> MailHold | None:
    """The hold on an institution's mail. `lock` keeps it as it is until the transaction ends."""
    query = select(MailHoldRow).where(MailHoldRow.institution_id == institution_id)
    row = await session.scalar(query.with_for_update() if lock else query)
    return _hold(row) if row is not None else None


async def mail_hold_on(session: AsyncSession, subject: str, *, lock: bool = False) -> MailHold | None:
    """The hold that an effect's subject is under."""
    share = "FOR SHARE" if lock and session.get_bind().dialect.name == "postgresql" else ""
    owner = f"SELECT {OWNER_SQL} FROM (SELECT CAST(:subject AS text) AS subject) s"  # noqa: S608
    statement = text(f"SELECT * FROM mail_holds WHERE institution_id = ({owner}) {share}")  # noqa: S608
    row = (await session.execute(statement, {"subject": subject})).one_or_none()
    return MailHold(**row._mapping) if row is not None else None


async def mail_holds(session: AsyncSession) -> list[MailHold]:
    return [_hold(row) for row in await session.scalars(select(MailHoldRow).order_by(MailHoldRow.held_at))]


async def add_mail_hold(session: AsyncSession, hold: MailHold) -> None:
    session.add(MailHoldRow(**{name: getattr(hold, name) for name in MailHold.__slots__}))
    await session.flush()


async def remove_mail_hold(session: AsyncSession, institution_id: str) -> None:
    await session.execute(delete(MailHoldRow).where(MailHoldRow.institution_id == institution_id))


async def keep_held(session: AsyncSession, effect_id: int) -> None:
    """Take a mail that is owed out of the line until it is released."""
    await session.execute(
        update(EffectRow)
        .where(EffectRow.id == effect_id, EffectRow.state == EffectState.OWED.value)
        .values(state=EffectState.HELD.value)
        .execution_options(synchronize_session=False)
    )


def _hold(row: MailHoldRow) -> MailHold:
    return MailHold(row.institution_id, row.reason, row.held_by, row.held_at)


def _mine(institution_id: str | None) -> ColumnElement[bool]:
    if institution_id is None:
        return true()
    owner: ColumnElement[str | None] = raw(f"({OWNER_SQL})")
    return or_(owner.is_(None), owner == institution_id)
