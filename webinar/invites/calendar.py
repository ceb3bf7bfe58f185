"""The iCalendar file of an invite or a cancel (RFC 5545, 5546, 6047), as bytes.

`METHOD` stands in the VCALENDAR only. There is one VEVENT in UTC (Indonesia's zones know no daylight
saving, so that no VTIMEZONE is needed) and one ATTENDEE, so that nobody sees the others' addresses.
"""

from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from typing import Literal

from icalendar import Alarm, Calendar, Event, vCalAddress, vText, vUri

from webinar.core.clock import to_datetime
from webinar.invites.rules import Method
from webinar.mail.build import is_address, one_line
from webinar.mail.port import CalendarPart

PRODID = "-//Pendopo//Invites//EN"
ALARM_BEFORE = timedelta(minutes=15)
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Appointment:
    """What a calendar shows. `organizer` is a mailbox of ours, `how_to_join` two lines to the person."""

    uid: str
    sequence: int
    method: Method
    title: str
    starts_at: int
    ends_at: int
    organizer: Address
    attendee: Address
    join_url: str
    how_to_join: tuple[str, ...]
    language: Literal["id", "en"] = "id"


def calendar(appointment: Appointment, *, stamped_at: int) -> CalendarPart:
    """One VCALENDAR: CRLF, folded at 75 octets, nothing after its end.

    Args:
        stamped_at: DTSTAMP, Unix ms: the instant of this send, also for a repeat of the same SEQUENCE.

    Raises:
        ValueError: it ends before it starts, or the link or an address is not one.
    """
    _check(appointment)
    whole = Calendar()
    whole.add("prodid", PRODID)
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    whole.add("method", appointment.method)
    whole.add_component(_event(appointment, stamped_at))
    return CalendarPart(appointment.method, whole.to_ical(sorted=False))


def _event(appointment: Appointment, stamped_at: int) -> Event:
    event = Event()
    title = _text(appointment.title)
    event.add("uid", one_line(appointment.uid))
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", to_datetime(stamped_at).replace(microsecond=0))
    event.add("dtstart", to_datetime(appointment.starts_at).replace(microsecond=0))
    event.add("dtend", to_datetime(appointment.ends_at).replace(microsecond=0))
    event.add("summary", title, parameters={"LANGUAGE": appointment.language})
    event.add("organizer", _mailbox(appointment.organizer))
    event.add("attendee", _attendee(appointment.attendee), encode=False)
    cancelled = appointment.method == "CANCEL"
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if cancelled:
        return event
    event.add("location", appointment.join_url)
    event.add("url", vUri(appointment.join_url))
    event.add("description", "\n".join(_text(line) for line in appointment.how_to_join))
    event.add("transp", "OPAQUE")
    event.add_component(_alarm(title))
    return event


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -ALARM_BEFORE)
    alarm.add("description", title)
    return alarm


def _attendee(address: Address) -> vCalAddress:
    person = _mailbox(address)
    person.params["CUTYPE"] = vText("INDIVIDUAL")
    person.params["ROLE"] = vText("REQ-PARTICIPANT")
    person.params["PARTSTAT"] = vText("NEEDS-ACTION")
    person.params["RSVP"] = vText("TRUE")
    return person


def _mailbox(address: Address) -> vCalAddress:
    mailbox = vCalAddress(f"mailto:{address.addr_spec}")
    # RFC 5545 has no way to write a double quote in a parameter's value.
    mailbox.params["CN"] = vText(_text(address.display_name or address.addr_spec).replace('"', "'"))
    return mailbox


def _text(value: str) -> str:
    """One line without control characters: the library's own guards are asserts, which `python -O` drops."""
    return one_line(value)[:_LONGEST]


def _check(appointment: Appointment) -> None:
    if appointment.ends_at <= appointment.starts_at:
        raise ValueError("ends before it starts")
    if (
        not appointment.join_url.startswith(("https://", "http://"))
        or one_line(appointment.join_url) != appointment.join_url
    ):
        raise ValueError("not a link")
    if not (is_address(appointment.organizer.addr_spec) and is_address(appointment.attendee.addr_spec)):
        raise ValueError("not the address of a mailbox")
