"""The mails about a lecture: invitation, change, cancel, reminder, each in the reader's language and zone."""

from dataclasses import dataclass
from email.headerregistry import Address

from webinar.core.language import Language, day_times, local, translator, zone_name
from webinar.invites.calendar import Appointment, calendar
from webinar.invites.rules import Invite, message_id, reminder_message_id
from webinar.mail.build import address
from webinar.mail.letters import Letter, letter
from webinar.mail.port import Message


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom it is written. `zone` is an IANA name."""

    name: str
    email: str
    language: Language
    zone: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a mail tells of a lecture.

    Instants in Unix ms, JP in hundredths, the policy's sentence already in the reader's language, `join_url`
    the reader's own link; `institution` is who invites.
    """

    title: str
    starts_at: int
    ends_at: int
    zone: str
    lecturer: str
    jp_hundredths: int
    policy_sentence: str
    recorded: bool
    join_url: str
    institution: str


@dataclass(frozen=True, slots=True)
class House:
    """Our side: who sends, which mailbox reads the answers of calendars, the domain of Message-IDs."""

    sender: Address
    organizer: Address
    domain: str


def invite_message(
    invite: Invite, notice: Notice, reader: Reader, house: House, *, now: int, reason: str = ""
) -> Message:
    """The mail that is owed by this invite, with its calendar file.

    Args:
        reason: why it is cancelled, in the organiser's words, or "".

    Raises:
        MailRefused: the reader's e-mail is no address.
    """
    recipient = address(reader.name, reader.email)
    appointment = Appointment(
        uid=invite.uid,
        sequence=invite.sequence,
        method=invite.method,
        title=notice.title,
        starts_at=notice.starts_at,
        ends_at=notice.ends_at,
        organizer=house.organizer,
        attendee=recipient,
        join_url=notice.join_url,
        how_to_join=how_to_join(reader.language),
        language=reader.language,
    )
    return _letter_of(invite, notice, reader, reason).to(
        recipient,
        sender=_from(house, notice),
        message_id=message_id(invite, house.domain),
        written_at=now,
        calendar=calendar(appointment, stamped_at=now),
    )


def reminder_message(
    invite: Invite,
    notice: Notice,
    reader: Reader,
    house: House,
    *,
    now: int,
    minutes_before: int,
    unsubscribe_url: str,
) -> Message:
    """A reminder, which carries no calendar file and can be unsubscribed from. Raises as `invite_message`."""
    return reminder(notice, reader, now=now, unsubscribe_url=unsubscribe_url).to(
        address(reader.name, reader.email),
        sender=_from(house, notice),
        message_id=reminder_message_id(invite, notice.starts_at, minutes_before, house.domain),
        written_at=now,
        headers={"List-Unsubscribe": f"<{unsubscribe_url}>"},
    )


def invitation(notice: Notice, reader: Reader) -> Letter:
    return _about(notice, reader, "invites/invitation", "Invitation: %(title)s, %(when)s")


def change(notice: Notice, reader: Reader) -> Letter:
    return _about(notice, reader, "invites/change", "Changed: %(title)s, %(when)s")


def cancellation(notice: Notice, reader: Reader, reason: str = "") -> Letter:
    return _about(notice, reader, "invites/cancellation", "Cancelled: %(title)s, %(when)s", reason=reason)


def reminder(notice: Notice, reader: Reader, *, now: int, unsubscribe_url: str) -> Letter:
    return _about(
        notice,
        reader,
        "invites/reminder",
        "Reminder: %(title)s, %(when)s",
        now=now,
        unsubscribe_url=unsubscribe_url,
    )


def how_to_join(language: Language) -> tuple[str, str]:
    """Two lines for the description in a calendar."""
    _ = translator(language)
    return (
        _("On a phone: tap the link in Location, it opens in the browser. No app is needed."),
        _("The link is yours alone; please do not pass it on. The room opens before the start."),
    )


def zones_differ(notice: Notice, reader: Reader) -> bool:
    """Whether the reader's clock shows another time than the lecture's; Pontianak and Jakarta share WIB."""
    at = notice.starts_at
    same_time = local(at, notice.zone).utcoffset() == local(at, reader.zone).utcoffset()
    return not same_time or zone_name(notice.zone, at) != zone_name(reader.zone, at)


def _letter_of(invite: Invite, notice: Notice, reader: Reader, reason: str) -> Letter:
    if invite.method == "CANCEL":
        return cancellation(notice, reader, reason)
    # A new version is a change only for those to whom an earlier one went out.
    if invite.sequence and invite.last_sent_at is not None:
        return change(notice, reader)
    return invitation(notice, reader)


def _about(notice: Notice, reader: Reader, template: str, subject: str, **more: object) -> Letter:
    _ = translator(reader.language)
    when = day_times(reader.language, notice.starts_at, notice.ends_at, reader.zone)
    return letter(
        reader.language,
        template,
        _(subject, title=notice.title, when=when),
        notice=notice,
        reader=reader,
        when=when,
        elsewhere=day_times(reader.language, notice.starts_at, notice.ends_at, notice.zone)
        if zones_differ(notice, reader)
        else "",
        phone=how_to_join(reader.language),
        **more,
    )


def _from(house: House, notice: Notice) -> Address:
    """Our mailbox under the institution's name, which people know."""
    return address(notice.institution or house.sender.display_name, house.sender.addr_spec)
