"""The main navigation: what somebody of these roles needs, most used first."""

from collections.abc import Callable

from webinar.people.access import Role, Scope
from webinar.web.rendering import NavItem


def items(scope: Scope | None, path: str, _: Callable[..., str]) -> tuple[NavItem, ...]:
    """The items for a scope; the one whose section the path is in is the current one."""
    places = [("/", _("Home"), "house")]
    manages = scope is not None and (scope.has(Role.ORGANISER) or scope.has(Role.ADMINISTRATOR))
    if manages:
        places.append(("/lectures", _("Lectures"), "calendar-days"))
        places.append(("/people", _("People"), "users-round"))
    places.append(("/hours", _("Learning hours"), "hourglass"))
    if scope is not None and (scope.has(Role.UNIT_MANAGER) or scope.has(Role.ORGANISER)):
        places.append(("/units", _("Units"), "network"))
    places.append(("/recordings", _("Recordings"), "circle-play"))
    if scope is not None and scope.administers_institution:
        places.append(("/operations", _("Operations"), "activity"))
    if scope is not None and scope.has(Role.ADMINISTRATOR):
        places.append(("/settings", _("Settings"), "settings"))
    return tuple(NavItem(label, href, icon, _within(path, href)) for href, label, icon in places)


def _within(path: str, section: str) -> bool:
    if section == "/lectures" and _within(path, "/series"):
        return True
    return path == section if section == "/" else path == section or path.startswith(section + "/")


def role_name(scope: Scope | None, _: Callable[..., str]) -> str:
    """The strongest role in words."""
    names = {
        Role.ADMINISTRATOR: _("Administrator"),
        Role.ORGANISER: _("Organiser"),
        Role.UNIT_MANAGER: _("Unit manager"),
        Role.LECTURER: _("Lecturer"),
    }
    for role, name in names.items():
        if scope is not None and scope.has(role):
            return name
    return _("Participant")
