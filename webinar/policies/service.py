"""Making policies and changing them: a change is a new version, lectures keep the one they pinned."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.errors import NotFound, Stale
from webinar.core.ids import new_id
from webinar.people.access import Scope
from webinar.policies import store
from webinar.policies.rules import Policy, checked


async def create(session: AsyncSession, scope: Scope, draft: Policy, now: int) -> Policy:
    """A policy of the scope's institution, in its first version.

    Raises:
        Forbidden: only administrators of the whole institution decide what earns hours. Invalid.
    """
    _require(scope)
    made = replace(draft, id=new_id(), version=1, institution_id=scope.institution_id)
    await store.create(session, made, now=now, created_by=scope.person_id)
    await _note(session, scope, made, "policy_created", now, after=_said(made))
    return made


async def change(session: AsyncSession, scope: Scope, draft: Policy, now: int) -> Policy:
    """A further version of `draft.id`; `draft.version` is the one that was looked at.

    Nothing changed makes no version.

    Raises:
        NotFound, Forbidden, Invalid. Stale: somebody has made a newer version meanwhile.
    """
    _require(scope)
    before = await store.newest(session, scope, draft.id)
    if before is None:
        raise NotFound
    if before.version != draft.version:
        raise Stale
    wanted = replace(draft, version=before.version + 1, institution_id=before.institution_id)
    if differences(before, wanted) == {}:
        return before
    checked(wanted)
    try:
        await store.create(session, wanted, now=now, created_by=scope.person_id)
    except store.VersionTaken:
        raise Stale from None
    await _note(session, scope, wanted, "policy_changed", now, before=_said(before), after=_said(wanted))
    return wanted


def differences(before: Policy, after: Policy) -> Mapping[str, tuple[object, object]]:
    """By field what was and what is, without the version."""
    old, new = _said(before), _said(after)
    return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


def _said(policy: Policy) -> dict[str, object]:
    left_out = {"id", "version", "institution_id"}
    return {name: value for name, value in asdict(policy).items() if name not in left_out}


def _require(scope: Scope) -> None:
    scope.require_institution()


async def _note(
    session: AsyncSession, scope: Scope, policy: Policy, action: str, now: int, **fields: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("policy", policy.id),
        action=action,
        institution_id=policy.institution_id,
        version=policy.version,
        **fields,
    )
