"""What people read about a lecture, in their own language and zone."""

from dataclasses import replace

import pytest

from tests.unit.test_mail_build import HOSTILE
from webinar.invites.render import (
    House,
    Notice,
    Reader,
    cancellation,
    change,
    how_to_join,
    invitation,
    invite_message,
    reminder,
    reminder_message,
    zones_differ,
)
from webinar.invites.rules import Invite, first
from webinar.mail.build import address, as_bytes
from webinar.mail.letters import Letter, password_letter, sign_in_letter
from webinar.mail.port import MailRefused

NINE = 1_795_572_000_000
NOTICE = Notice(
    title="Tata kelola data — “pribadi”, di perangkat daerah; bagian 1",
    starts_at=NINE,
    ends_at=NINE + 5_400_000,
    zone="Asia/Jakarta",
    lecturer="Dr. Maya Lestari, M.Si.",
    jp_hundredths=200,
    policy_sentence="Hadir paling sedikit 72 dari 90 menit untuk mendapat 2 JP.",
    recorded=True,
    join_url="https://pendopo.test/j/" + "a" * 26 + "." + "b" * 43,
    institution="BKPSDM Kota Bahari",
)
HOUSE = House(
    address("Pendopo", "undangan@pendopo.test"), address("Pendopo", "balasan@pendopo.test"), "pendopo.test"
)
SITI = Reader("Siti Rahma", "siti@dinkes.test", "id", "Asia/Makassar")
JOHN = Reader("John", "john@dinkes.test", "en", "Asia/Jakarta")
NOW = NINE - 900_000


def every_letter(reader: Reader) -> list[Letter]:
    return [
        invitation(NOTICE, reader),
        change(NOTICE, reader),
        cancellation(NOTICE, reader, "Narasumber berhalangan."),
        reminder(NOTICE, reader, now=NOW, unsubscribe_url="https://pendopo.test/u/x"),
        sign_in_letter(reader.language, name=reader.name, url="https://pendopo.test/s", valid_minutes=20),
        password_letter(reader.language, name=reader.name, url="https://pendopo.test/s", valid_minutes=20),
    ]


def an_invite() -> Invite:
    return first("r" * 26, "l" * 26, "pendopo.test")


@pytest.mark.parametrize("kind", ["text", "html"])
def test_the_persons_own_zone_comes_first_and_the_lectures_where_it_differs(kind: str) -> None:
    body = getattr(invitation(NOTICE, SITI), kind)
    own, lectures = body.index("10.00–11.30 WITA"), body.index("09.00–10.30 WIB")
    assert own < lectures


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Pontianak"])
def test_one_zone_is_shown_where_the_clocks_agree(zone: str) -> None:
    reader = replace(SITI, zone=zone)
    assert not zones_differ(NOTICE, reader)
    assert "Di tempat penyelenggara" not in invitation(NOTICE, reader).text


def test_each_reads_in_the_own_language() -> None:
    assert "mengundang Anda" in invitation(NOTICE, SITI).text
    assert invitation(NOTICE, SITI).subject.startswith("Undangan: ")
    assert "invites you" in invitation(NOTICE, JOHN).text
    assert 'lang="en"' in invitation(NOTICE, JOHN).html


def test_every_text_of_a_mail_has_an_indonesian_translation() -> None:
    indonesian, english = every_letter(SITI), every_letter(replace(SITI, language="en"))
    given = {NOTICE.policy_sentence, NOTICE.title, NOTICE.institution, "Narasumber berhalangan."}
    for one, other in zip(indonesian, english, strict=True):
        # Only what the organiser wrote and links may be the same line in both.
        same = {line for line in one.text.splitlines() if len(line) > 3} & set(other.text.splitlines())
        assert {line for line in same if not line.startswith("https://")} <= given | {"Pendopo"}


def test_an_invitation_says_what_it_is_worth_that_it_is_recorded_and_how_to_get_in() -> None:
    for body in (invitation(NOTICE, SITI).text, invitation(NOTICE, SITI).html):
        assert "2 JP" in body
        assert NOTICE.policy_sentence in body
        assert "Sesi ini direkam." in body
        assert NOTICE.join_url in body


def test_no_recording_is_announced_where_there_is_none() -> None:
    assert "direkam" not in invitation(replace(NOTICE, recorded=False), SITI).html


def test_a_cancellation_has_no_link_to_join_and_says_why() -> None:
    letter = cancellation(NOTICE, SITI, "Narasumber berhalangan.")
    for body in (letter.text, letter.html):
        assert NOTICE.join_url not in body
        assert "Narasumber berhalangan." in body


@pytest.mark.parametrize(
    ("invite", "subject"),
    [
        (an_invite(), "Undangan:"),
        (an_invite().rescheduled(), "Undangan:"),
        (an_invite().accepted(NOW).again(), "Undangan:"),
        (an_invite().accepted(NOW).rescheduled(), "Perubahan:"),
        (an_invite().accepted(NOW).cancelled(), "Dibatalkan:"),
    ],
)
def test_a_change_is_one_only_for_those_who_had_the_earlier_version(invite: Invite, subject: str) -> None:
    assert invite_message(invite, NOTICE, SITI, HOUSE, now=NOW).subject.startswith(subject)


def test_the_mail_and_its_calendar_speak_of_the_same_version() -> None:
    cancel = an_invite().accepted(NOW).cancelled()
    message = invite_message(cancel, NOTICE, SITI, HOUSE, now=NOW)
    assert message.calendar
    assert message.calendar.method == "CANCEL"
    assert b"\r\nSEQUENCE:1\r\n" in message.calendar.content
    assert message.message_id == f"<{'r' * 26}.1.1@pendopo.test>"


def test_it_comes_from_our_mailbox_under_the_institutions_name() -> None:
    message = invite_message(an_invite(), NOTICE, SITI, HOUSE, now=NOW)
    assert str(message.sender) == "BKPSDM Kota Bahari <undangan@pendopo.test>"
    assert message.calendar
    assert b"mailto:balasan@pendopo.test" in message.calendar.content


def test_a_repeat_after_a_crash_is_the_same_mail_with_a_new_stamp() -> None:
    one = invite_message(an_invite(), NOTICE, SITI, HOUSE, now=NOW)
    other = invite_message(an_invite(), NOTICE, SITI, HOUSE, now=NOW + 60_000)
    assert one.message_id == other.message_id
    assert one.calendar != other.calendar


def test_a_reminder_can_be_unsubscribed_from_and_carries_no_calendar() -> None:
    message = reminder_message(
        an_invite(),
        NOTICE,
        SITI,
        HOUSE,
        now=NOW,
        minutes_before=15,
        unsubscribe_url="https://pendopo.test/u/x",
    )
    assert message.headers == {"List-Unsubscribe": "<https://pendopo.test/u/x>"}
    assert message.calendar is None
    assert "15 menit lagi" in message.text
    assert message.text.rstrip().splitlines()[-1] == "Tanpa pengingat lagi: https://pendopo.test/u/x"
    assert as_bytes(message)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(MailRefused):
        invite_message(an_invite(), NOTICE, replace(SITI, email="siti@"), HOUSE, now=NOW)


def test_how_to_join_is_two_lines_in_both_languages() -> None:
    assert len(how_to_join("id")) == len(how_to_join("en")) == 2
    assert how_to_join("id") != how_to_join("en")


@pytest.mark.parametrize(
    "text", [*HOSTILE, "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "%(x)s", "{{ 7*7 }}"]
)
def test_what_people_write_stays_text(text: str) -> None:
    notice = replace(NOTICE, title=text, lecturer=text, institution=text or "x", policy_sentence=text)
    reader = replace(SITI, name=text)
    for invite in (an_invite(), an_invite().accepted(NOW).cancelled()):
        message = invite_message(invite, notice, reader, HOUSE, now=NOW, reason=text)
        assert "<script" not in message.html
        assert "<img" not in message.html
        assert "49" not in message.text.replace(notice.join_url, "")
        assert as_bytes(message).count(b"\r\nFrom: ") + as_bytes(message).startswith(b"From: ") == 1
