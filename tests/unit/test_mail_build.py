"""A mail is one well-formed mail, whatever people write into names and titles."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webinar.mail import build
from webinar.mail.port import CalendarPart, MailRefused, Message

CALENDAR = CalendarPart("REQUEST", b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n")
HOSTILE = [
    "Budi\r\nBcc: all@dinkes.test",
    "Budi\nBcc: all@dinkes.test",
    "Budi\rBcc: all@dinkes.test",
    "Budi\r\n\r\n<script>alert(1)</script>",
    "Budi\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029Bcc: all@dinkes.test",
    "=?utf-8?q?Budi=0D=0ABcc:_all@dinkes.test?=",
    "Budi <all@dinkes.test>, x",
    'Budi" <all@dinkes.test>, "x',
    "Dr. Ir. Budi, M.Si., Ph.D.",
    "Café, Dr.; <x@y.test>",
    "\u202eiduB",
    "名前 " * 40,
    "a" * 2_000,
]


def a_message(
    name: str = "Siti", subject: str = "Undangan", text: str = "Halo\n", **fields: object
) -> Message:
    defaults: dict[str, object] = {
        "message_id": "<invite.1.0@pendopo.test>",
        "sender": build.address("Pendopo", "undangan@pendopo.test"),
        "to": build.address(name, "siti@dinkes.test"),
        "subject": subject,
        "text": text,
        "html": "<p>Halo</p>",
        "written_at": 1_795_000_000_000,
        "calendar": CALENDAR,
    }
    return Message(**(defaults | fields))  # type: ignore[arg-type]  # checked by the dataclass's users


def parsed(message: Message) -> EmailMessage:
    mail = message_from_bytes(build.as_bytes(message), policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_mail_with_a_calendar_is_mixed_of_alternative_and_attachment() -> None:
    mail = parsed(a_message())
    assert mail.get_content_type() == "multipart/mixed"
    alternative, attachment = mail.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in alternative.iter_parts()] == [  # type: ignore[union-attr]  # multipart
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/ics", "invite.ics")


def test_the_calendar_part_says_the_method_of_the_calendar() -> None:
    part = parsed(a_message()).get_body(("calendar",)) or next(
        part for part in parsed(a_message()).walk() if part.get_content_type() == "text/calendar"
    )
    assert part["Content-Type"].params == {"method": "REQUEST", "charset": "UTF-8"}
    with pytest.raises(ValueError, match="another method"):
        build.build(a_message(calendar=CalendarPart("CANCEL", CALENDAR.content)))


def test_the_calendar_arrives_byte_for_byte() -> None:
    for part in parsed(a_message()).walk():
        if part.get_content_type() in ("text/calendar", "application/ics"):
            assert part.get_payload(decode=True) == CALENDAR.content


def test_without_a_calendar_it_is_the_alternative_alone() -> None:
    mail = parsed(a_message(calendar=None))
    assert mail.get_content_type() == "multipart/alternative"
    assert len(list(mail.iter_parts())) == 2


def test_it_says_that_a_machine_wrote_it_and_when() -> None:
    mail = parsed(a_message())
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<invite.1.0@pendopo.test>"
    assert mail["Date"].datetime.timestamp() == 1_795_000_000


def test_a_long_address_to_unsubscribe_at_stays_readable() -> None:
    url = "<https://pendopo.test/unsubscribe/" + "u" * 200 + ">"
    content = build.as_bytes(a_message(headers={"List-Unsubscribe": url}))
    assert f"\r\nList-Unsubscribe: {url}\r\n".encode() in content


def test_lines_end_with_crlf_and_bytes_are_ascii() -> None:
    content = build.as_bytes(a_message("Café", "Undangan é", "é\n.\nFrom x\n" + "long " * 500))
    assert content.isascii()
    assert content.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(map(len, content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["name", "subject", "text"])
def test_no_text_becomes_a_header_or_a_recipient(place: str, text: str) -> None:
    mail = parsed(a_message(**{place: text}))  # type: ignore[arg-type]  # one of three texts
    assert "Bcc" not in mail
    assert [address.addr_spec for address in mail["To"].addresses] == ["siti@dinkes.test"]
    assert mail.get_content_type() == "multipart/mixed"
    assert len(mail.keys()) == len(set(mail.keys()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Unsubscribe", "<https://a.test>\r\nBcc: all@dinkes.test"),
        ("List-Unsubscribe", "<https://a.test>\nx"),
        ("List-Unsubscribe: x\r\nBcc", "all@dinkes.test"),
        ("Bcc", "all@dinkes.test"),
        ("X-Name", "Café"),
    ],
)
def test_further_headers_are_checked(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="not a header"):
        build.build(a_message(headers={name: value}))


@pytest.mark.parametrize(
    "bad", ["", "x", "<x>", "<x@y>\r\nBcc: z", "<x y@z>", "<x@y>, <z@y>", "<" + "x" * 90 + "@y>"]
)
def test_a_message_id_is_one(bad: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        build.build(a_message(message_id=bad))


@pytest.mark.parametrize(
    "bad",
    [
        "", "siti", "siti@", "@dinkes.test", "siti@@dinkes.test", "siti@dinkes.test, budi@dinkes.test",
        "Siti <siti@dinkes.test>", "siti@dinkes.test\r\nRCPT TO:<x@y.test>", "siti @dinkes.test",
        "siti@dinkes..test",
        ".siti@dinkes.test", "siti@-dinkes.test", "síti@dinkes.test", "x" * 65 + "@dinkes.test",
        "siti@" + "x." * 130 + "test", "siti@[127.0.0.1]", '"a b"@dinkes.test', "siti@dinkes.test\x00",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_as_a_mail_server_would(bad: str) -> None:
    with pytest.raises(MailRefused) as refused:
        build.address("Siti", bad)
    assert (refused.value.code, refused.value.enhanced) == (553, "5.1.3")


@pytest.mark.parametrize("good", ["siti@dinkes.test", " siti.rahma+lms@bkpsdm.kota-x.go.id ", "a@b"])
def test_an_address_is_taken(good: str) -> None:
    assert build.address("Siti", good).addr_spec == good.strip()


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=120))
def test_a_name_and_a_subject_arrive_as_they_were_written(text: str) -> None:
    wanted = build.one_line(text).replace("=?", "= ?")
    content = build.as_bytes(a_message(name=text, subject=text))
    assert [a.addr_spec for a in message_from_bytes(content, policy=SMTP)["To"].addresses] == [
        "siti@dinkes.test"
    ]
    # By the older parser: the newer one puts blanks between the encoded words of a name.
    raw = message_from_bytes(content)
    assert str(make_header(decode_header(raw["Subject"].replace("\r\n", "")))) == wanted
    name = raw["To"].replace("\r\n", "").rpartition(" <")[0]
    if wanted.isascii():
        assert parseaddr(f"{name} <a@b>")[0] == wanted
    else:
        assert str(make_header(decode_header(name))) == wanted


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400))
def test_the_body_arrives_without_control_characters(text: str) -> None:
    mail = message_from_bytes(build.as_bytes(a_message(text=text)), policy=default)
    body = mail.get_body(("plain",))  # type: ignore[attr-defined]  # an EmailMessage under this policy
    arrived = body.get_content().replace("\r\n", "\n")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in arrived)
    assert build.one_line(arrived) == build.one_line(text)
