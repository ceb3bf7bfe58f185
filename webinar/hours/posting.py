"""What goes into the ledger: what was computed when a lecture became final, and each adjustment of it.

The ledger holds person ids and numbers only: of a reason it has the digest, never the words.
"""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store as attendances
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.rules import RULES_VERSION
from webinar.hours import ledger, store
from webinar.hours.adjust_rules import ADJUSTMENT, Adjustment, Step, adjustment_key, by_registration, steps
from webinar.hours.rules import CREDIT, DEFAULT_ZONE, Draft, credit_key
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, Window
from webinar.lectures.rules import year_of as year_in
from webinar.people.tables import PersonRow, UnitRow

# (institution, its zone) of a person.
Home = tuple[str, str]


async def post_final(session: AsyncSession, log: AttendanceLog, now: int) -> int:
    """Append what everybody earned, and what was adjusted while it was provisional, to the ledger of the own
    institution; answers how many entries are new.
    """
    tally = await attendances.tally_of(session, log.lecture.id)
    evidence_sha256 = tally.evidence_sha256 if tally else None
    changes = by_registration(await store.history(session, log.lecture.id))
    concerned = [entry for entry in log.entries if entry.credit.jp or entry.registration.id in changes]
    homes = await homes_of(session, [entry.registration.person_id for entry in concerned])
    drafts: list[Draft] = []
    for entry in concerned:
        home = homes[entry.registration.person_id]
        if entry.credit.jp:
            drafts.append(credit_draft(log, entry, home, evidence_sha256))
        made = steps(entry.credit.jp, changes.get(entry.registration.id, ()))
        drafts += [adjustment_draft(step, log.window, home) for step in made]
    return await ledger.append(session, drafts, now)


async def post_adjustments(
    session: AsyncSession, lecture: Lecture, made: Sequence[Adjustment], now: int
) -> int:
    """Append adjustments of a lecture that is final; each begins where its registration stood before."""
    ids = [one.registration_id for one in made]
    stored = await attendances.of_registrations(session, ids)
    changes = by_registration(await store.history(session, lecture.id, ids))
    window = await window_of(session, lecture, final=True)
    homes = await homes_of(session, [one.person_id for one in made])
    new = {one.id for one in made}
    drafts = [
        adjustment_draft(step, window, homes[step.adjustment.person_id])
        for id, history in changes.items()
        for step in steps(stored[id].jp, history)
        if step.adjustment.id in new
    ]
    return await ledger.append(session, drafts, now)


async def window_of(session: AsyncSession, lecture: Lecture, final: bool) -> Window:
    """The official window: of a lecture that is final the one that was counted with."""
    tally = await attendances.tally_of(session, lecture.id) if final else None
    return tally.window if tally else await lectures.window_of(session, lecture)


def credit_draft(log: AttendanceLog, entry: Entry, home: Home, evidence_sha256: str | None) -> Draft:
    """What somebody earned, with everything that it follows from."""
    institution_id, zone = home
    person_id = entry.registration.person_id
    return Draft(
        institution_id=institution_id,
        key=credit_key(log.lecture.id, person_id),
        person_id=person_id,
        lecture_id=log.lecture.id,
        year=year_in(log.window.starts_at, zone),
        kind=CREDIT,
        jp=entry.credit.jp,
        facts={
            "registration_id": entry.registration.id,
            "role": entry.registration.role.value,
            "seconds": entry.credit.seconds,
            "uncertainty_s": entry.credit.uncertainty_s,
            "state": entry.credit.state.value,
            "lecture_jp": log.lecture.jp,
            "policy": {"id": log.policy.id, "version": log.policy.version},
            "window": [list(span) for span in log.window.spans],
            "rules_version": RULES_VERSION,
            "evidence": dict(log.high_water),
            "evidence_sha256": evidence_sha256,
        },
    )


def adjustment_draft(step: Step, window: Window, home: Home) -> Draft:
    """The difference that an adjustment makes."""
    one = step.adjustment
    institution_id, zone = home
    return Draft(
        institution_id=institution_id,
        key=adjustment_key(one.id),
        person_id=one.person_id,
        lecture_id=one.lecture_id,
        year=year_in(window.starts_at, zone),
        kind=ADJUSTMENT,
        jp=step.after - step.before,
        facts={
            "registration_id": one.registration_id,
            "adjustment_id": one.id,
            "author_id": one.author_id,
            "before": step.before,
            "after": step.after,
            "undoes": one.undoes,
            "reason_sha256": digest_of_reason(one.reason),
        },
    )


def digest_of_reason(reason: str) -> str:
    """SHA-256 of the words, hexadecimal."""
    return hashlib.sha256(reason.encode()).hexdigest()


async def homes_of(session: AsyncSession, person_ids: Sequence[str]) -> Mapping[str, Home]:
    """Institution and its zone, by person; in slices, since databases limit the number of parameters."""
    homes = {}
    for first in range(0, len(person_ids), ledger.PAGE):
        rows = await session.execute(
            select(PersonRow.id, PersonRow.institution_id, UnitRow.zone)
            .join(UnitRow, UnitRow.id == PersonRow.institution_id)
            .where(PersonRow.id.in_(person_ids[first : first + ledger.PAGE]))
        )
        homes.update({person: (home, zone or DEFAULT_ZONE) for person, home, zone in rows})
    return homes
