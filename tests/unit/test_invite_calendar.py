"""What calendars obey: RFC 5545, 5546, 6047, and the bugs of products that got them wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from tests.unit.test_mail_build import HOSTILE
from webinar.invites.calendar import Appointment, calendar
from webinar.mail.build import address, one_line

NINE = 1_795_572_000_000
HOUR = 3_600_000
NOW = NINE - 24 * HOUR
LINK = "https://pendopo.test/j/abcdefghijklmnopqrstuvwxyz.2b7tq0f8Zk3v9cYw1Lr6mXo4sDg5hJpAeUiN"


def an_appointment(**fields: object) -> Appointment:
    usual = Appointment(
        uid="r@pendopo.test",
        sequence=0,
        method="REQUEST",
        title="Tata kelola data pribadi",
        starts_at=NINE,
        ends_at=NINE + HOUR,
        organizer=address("Pendopo", "balasan@pendopo.test"),
        attendee=address("Siti Rahma", "siti@dinkes.test"),
        join_url=LINK,
        how_to_join=("Ketuk tautan.", "Hanya untuk Anda."),
    )
    return replace(usual, **fields)  # type: ignore[arg-type]  # fields of an Appointment


def content(**fields: object) -> bytes:
    return calendar(an_appointment(**fields), stamped_at=NOW).content


def the_event(raw: bytes) -> Event:
    (event,) = Calendar.from_ical(raw).walk("VEVENT")
    assert isinstance(event, Event)
    return event


def test_dtstamp_is_the_instant_of_this_send_in_utc() -> None:
    assert b"\r\nDTSTAMP:20261124T020000Z\r\n" in content()
    again = calendar(an_appointment(), stamped_at=NOW + 60_000).content
    assert b"\r\nDTSTAMP:20261124T020100Z\r\n" in again


def test_a_cancel_has_status_organizer_and_that_attendee() -> None:
    raw = content(method="CANCEL", sequence=3)
    event = the_event(raw)
    assert b"\r\nMETHOD:CANCEL\r\n" in raw
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == ("CANCELLED", 3, "r@pendopo.test")
    assert event["ORGANIZER"] == "mailto:balasan@pendopo.test"
    assert event["ATTENDEE"] == "mailto:siti@dinkes.test"
    assert not event.walk("VALARM")
    assert LINK.encode() not in raw.replace(b"\r\n ", b"")


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_the_method_stands_in_the_calendar_once_and_never_in_the_event(method: str) -> None:
    part = calendar(an_appointment(method=method), stamped_at=NOW)
    head, _, event = part.content.partition(b"BEGIN:VEVENT")
    assert head.count(f"METHOD:{method}\r\n".encode()) == 1
    assert b"METHOD:" not in event
    assert part.method == method


def test_one_attendee_is_asked_to_answer() -> None:
    event = the_event(content())
    assert event["ATTENDEE"] == "mailto:siti@dinkes.test"
    params = event["ATTENDEE"].params
    assert (params["RSVP"], params["PARTSTAT"], params["CN"]) == ("TRUE", "NEEDS-ACTION", "Siti Rahma")


def test_times_are_utc_and_need_no_timezone() -> None:
    raw = content()
    assert b"\r\nDTSTART:20261125T020000Z\r\n" in raw
    assert b"\r\nDTEND:20261125T030000Z\r\n" in raw
    assert b"TZID" not in raw


def test_location_and_url_are_the_personal_link() -> None:
    event = the_event(content())
    assert (event["LOCATION"], event["URL"]) == (LINK, LINK)


def test_the_description_is_two_lines_on_how_to_join() -> None:
    assert str(the_event(content())["DESCRIPTION"]).split("\n") == ["Ketuk tautan.", "Hanya untuk Anda."]


def test_an_alarm_rings_fifteen_minutes_before() -> None:
    (alarm,) = the_event(content()).walk("VALARM")
    assert alarm["ACTION"] == "DISPLAY"
    assert alarm["TRIGGER"].dt == -timedelta(minutes=15)


def well_formed(raw: bytes) -> bool:
    lines = raw.split(b"\r\n")
    bare = raw.replace(b"\r\n", b"")
    return (
        raw.startswith(b"BEGIN:VCALENDAR\r\n")
        and raw.endswith(b"\r\nEND:VCALENDAR\r\n")
        and raw.count(b"END:VCALENDAR") == 1
        and all(len(line) <= 75 for line in lines)
        and not any(byte < 32 and byte != 9 for byte in bare)
    )


def test_lines_end_with_crlf_are_folded_at_75_octets_and_nothing_follows_the_end() -> None:
    assert well_formed(
        content(title="Kebijakan publik — " * 40, attendee=address("Ñ" * 200, "siti@dinkes.test"))
    )


@pytest.mark.parametrize(
    "text", [*HOSTILE, "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:y", "x\rMETHOD:CANCEL", "a;b,c:d\\n"]
)
def test_no_title_or_name_becomes_a_line_of_its_own(text: str) -> None:
    raw = content(title=text, attendee=address(text, "siti@dinkes.test"), how_to_join=(text, text))
    event = the_event(raw)
    assert well_formed(raw)
    assert str(event["SUMMARY"]) == one_line(text)[:1_000]
    assert event["ATTENDEE"] == "mailto:siti@dinkes.test"
    assert raw.count(b"BEGIN:VEVENT\r\n") == 1


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_every_title_comes_back_as_it_was(title: str) -> None:
    raw = content(title=title, attendee=address(title, "siti@dinkes.test"))
    assert well_formed(raw)
    assert str(the_event(raw)["SUMMARY"]) == one_line(title)


def test_a_lecture_that_ends_before_it_starts_has_no_calendar() -> None:
    with pytest.raises(ValueError, match="ends before"):
        content(ends_at=NINE)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://a.test/\r\nX:y", "", "//a.test"])
def test_the_link_is_a_link(link: str) -> None:
    with pytest.raises(ValueError, match="link"):
        content(join_url=link)


def test_the_start_is_the_instant_of_the_lecture() -> None:
    assert the_event(content())["DTSTART"].dt == datetime.fromtimestamp(NINE / 1000, UTC)
