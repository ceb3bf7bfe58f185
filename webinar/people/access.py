"""Who may see and do what: a `Scope` is made once for an asker, and every query takes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.audit import SYSTEM, Actor
from webinar.core.errors import Forbidden, NotFound
from webinar.people.rules import Role, path_ids, subtree_range
from webinar.people.tables import PersonRow, RoleRow, UnitRow

__all__ = ["API_SCOPES", "Role", "Scope", "in_institution", "in_subtrees", "scope_of"]

API_SCOPES = (
    "people:read",
    "people:write",
    "lectures:read",
    "lectures:write",
    "attendance:read",
    "hours:read",
    "hours:write",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one asker may reach.

    `grants` are (role, path of the unit that it reaches down from). `institution_id` is "" only for
    `everything()`. `key_scopes` is None unless the asker is an API key.
    """

    institution_id: str
    person_id: str | None
    grants: frozenset[tuple[Role, str]] = field(default_factory=frozenset)
    key_id: str | None = None
    key_scopes: frozenset[str] | None = None

    @classmethod
    def system(cls, institution_id: str) -> "Scope":
        """The service itself, at work for one institution: sees all of it."""
        return cls(institution_id, None, frozenset({(Role.ADMINISTRATOR, f"{institution_id}/")}))

    @classmethod
    def everything(cls) -> "Scope":
        """The scheduler and the commands: all institutions."""
        return cls("", None, frozenset({(Role.ADMINISTRATOR, "")}))

    @classmethod
    def of_key(cls, institution_id: str, key_id: str, scopes: Iterable[str]) -> "Scope":
        """An API key: an organiser of the whole institution, within the key's own scopes."""
        grants = frozenset({(Role.ORGANISER, f"{institution_id}/")})
        return cls(institution_id, None, grants, key_id, frozenset(scopes))

    @property
    def sees_everything(self) -> bool:
        return not self.institution_id

    @property
    def sees_institution(self) -> bool:
        """Whether an office role is held for all of the institution."""
        return self.reaches(Role.ORGANISER, f"{self.institution_id}/") if self.institution_id else True

    @property
    def administers_institution(self) -> bool:
        """Whether the whole institution is administered, and not only a part of it."""
        return self.reaches(Role.ADMINISTRATOR, f"{self.institution_id}/")

    @property
    def actor(self) -> Actor:
        """As the audit trail names it."""
        if self.person_id:
            return Actor("person", self.person_id)
        return Actor("api_key", self.key_id) if self.key_id else SYSTEM

    def has(self, role: Role) -> bool:
        """Whether the role is held anywhere; everybody who is signed in is a participant."""
        if role is Role.PARTICIPANT and self.person_id:
            return True
        return bool(self.paths(role))

    def reaches(self, role: Role, unit_path: str) -> bool:
        """Whether the role is held in the unit or above it."""
        return any(unit_path.startswith(prefix) for prefix in self.paths(role))

    def paths(self, *roles: Role) -> tuple[str, ...]:
        """The topmost units in which one of the roles is held; administrators hold the office roles, too."""
        held = {path for role, path in self.grants if any(role in _held_through(wanted) for wanted in roles)}
        tops = {path for path in held if not any(path != top and path.startswith(top) for top in held)}
        return tuple(sorted(tops))

    def allows(self, key_scope: str) -> bool:
        """Whether an API key carries the scope; others are not limited by scopes."""
        return self.key_scopes is None or key_scope in self.key_scopes

    def require(self, role: Role, unit_path: str | None = None) -> None:
        """Raise Forbidden unless the role is held (in the unit, if one is named)."""
        if not (self.has(role) if unit_path is None else self.reaches(role, unit_path)):
            raise Forbidden

    def require_institution(self) -> None:
        """Raise Forbidden unless the whole institution is administered."""
        if not self.administers_institution:
            raise Forbidden


def _held_through(role: Role) -> tuple[Role, ...]:
    if role in (Role.ORGANISER, Role.UNIT_MANAGER):
        return (role, Role.ADMINISTRATOR)
    return (role,)


async def scope_of(session: AsyncSession, person_id: str) -> Scope:
    """The scope of a person who is signed in.

    Raises:
        NotFound: nobody has this id, or the person is deactivated.
    """
    rows = await session.execute(
        select(PersonRow.institution_id, RoleRow.role, UnitRow.path)
        .outerjoin(RoleRow, RoleRow.person_id == PersonRow.id)
        .outerjoin(UnitRow, UnitRow.id == RoleRow.unit_id)
        .where(PersonRow.id == person_id, PersonRow.deactivated_at.is_(None))
    )
    found = rows.all()
    if not found:
        raise NotFound
    grants = frozenset((Role(role), path) for _, role, path in found if role and path)
    return Scope(found[0].institution_id, person_id, grants)


def in_institution(scope: Scope, institution_id: Any) -> ColumnElement[bool]:
    """SQL: the column names the scope's institution (any, for everything)."""
    if scope.sees_everything:
        return true()
    condition: ColumnElement[bool] = institution_id == scope.institution_id
    return condition


def in_subtrees(path: Any, tops: Iterable[str]) -> ColumnElement[bool]:
    """SQL: the path lies in one of the subtrees; ranges, so that the index serves on both databases."""
    conditions: list[ColumnElement[bool]] = []
    for top in tops:
        if not path_ids(top):
            return true()
        low, high = subtree_range(top)
        conditions.append(and_(path >= low, path < high))
    return or_(*conditions) if conditions else false()
