"""The life of an invite: what is owed, and when a calendar hears of a new version."""

import re

import pytest

from tests.build import HOUR, MINUTE, NINE
from tests.unit.lecture_build import a_lecture
from webinar.core.errors import IllegalMove
from webinar.invites import owing
from webinar.invites.rules import (
    MOVES,
    Invite,
    InviteState,
    Slot,
    first,
    message_id,
    raises_sequence,
    reminder_message_id,
)
from webinar.lectures.rules import LectureState

SLOT = Slot(NINE, NINE + HOUR)


def an_invite() -> Invite:
    return first("r" * 26, "l" * 26, "pendopo.test")


@pytest.mark.parametrize(
    ("after", "raised"),
    [
        (SLOT, False),
        (Slot(NINE + 1, NINE + HOUR), True),
        (Slot(NINE, NINE + 2 * HOUR), True),
        (Slot(NINE + HOUR, NINE + 2 * HOUR), True),
        (Slot(NINE, NINE + HOUR, cancelled=True), True),
    ],
)
def test_sequence_rises_for_time_duration_and_status_alone(after: Slot, raised: bool) -> None:
    assert raises_sequence(SLOT, after) is raised


def test_a_new_invite_is_owed_with_sequence_0() -> None:
    invite = an_invite()
    assert (invite.sequence, invite.method, invite.state, invite.pending) == (0, "REQUEST", "owed", True)
    assert invite.uid == "r" * 26 + "@pendopo.test"


def test_one_uid_for_life_and_each_version_has_a_higher_sequence() -> None:
    life = [an_invite().accepted(NINE)]
    life.append(life[-1].rescheduled().accepted(NINE))
    life.append(life[-1].cancelled().accepted(NINE))
    life.append(life[-1].rescheduled())
    assert {invite.uid for invite in life} == {life[0].uid}
    assert [invite.sequence for invite in life] == [0, 1, 2, 3]
    assert [invite.method for invite in life] == ["REQUEST", "REQUEST", "CANCEL", "REQUEST"]


def test_a_cancel_has_a_higher_sequence_than_what_was_sent() -> None:
    sent = an_invite().accepted(NINE)
    cancel = sent.cancelled()
    assert (cancel.method, cancel.sequence, cancel.state) == ("CANCEL", sent.sequence + 1, InviteState.OWED)


def test_cancelling_twice_is_cancelling_once() -> None:
    cancel = an_invite().accepted(NINE).cancelled()
    assert cancel.cancelled() is cancel


def test_what_never_left_the_house_needs_no_cancel() -> None:
    withdrawn = an_invite().cancelled()
    assert withdrawn.state is InviteState.WITHDRAWN
    assert not withdrawn.pending


@pytest.mark.parametrize("trouble", ["deferred", "refused"])
def test_what_may_have_arrived_is_cancelled_by_mail(trouble: str) -> None:
    invite = getattr(an_invite(), trouble)("451 later")
    assert invite.cancelled().pending


def test_a_retry_is_the_same_mail_and_a_wished_repeat_is_another() -> None:
    invite = an_invite()
    same = message_id(invite, "pendopo.test")
    assert message_id(invite.deferred("no network"), "pendopo.test") == same
    assert message_id(invite.accepted(NINE), "pendopo.test") == same
    assert message_id(invite.accepted(NINE).again(), "pendopo.test") != same
    assert invite.accepted(NINE).again().sequence == invite.sequence


def test_message_ids_of_all_versions_and_reminders_differ() -> None:
    invite = an_invite().accepted(NINE)
    ids = {
        message_id(invite, "p.test"),
        message_id(invite.again(), "p.test"),
        message_id(invite.rescheduled(), "p.test"),
        message_id(invite.cancelled(), "p.test"),
        reminder_message_id(invite, NINE, 60, "p.test"),
        reminder_message_id(invite, NINE, 15, "p.test"),
        reminder_message_id(invite, NINE + HOUR, 15, "p.test"),
    }
    # A cancel and a new time are alternatives of the same version, never both sent.
    assert len(ids) == 6
    assert all(len(one) < 70 for one in ids)


@pytest.mark.parametrize("domain", ["localhost", "127.0.0.1", "::1", "[2001:db8::1]", "diklat.kota-x.go.id"])
def test_any_host_of_a_public_url_makes_a_message_id(domain: str) -> None:
    assert re.fullmatch(r"<[a-z0-9.]+@[a-z0-9.-]+>", message_id(an_invite(), domain))


def test_an_answer_to_the_old_time_does_not_count_for_the_new_one() -> None:
    answered = Invite("r", "l", "u", state=InviteState.ACCEPTED, partstat="accepted")
    assert answered.rescheduled().partstat is None
    assert answered.again().partstat == "accepted"


def test_a_refusal_keeps_what_the_server_said_until_it_is_sent_again() -> None:
    refused = an_invite().refused("550 5.1.1 No such user")
    assert refused.last_error == "550 5.1.1 No such user"
    assert refused.again().last_error is None


def test_a_person_without_an_address_can_get_one_later() -> None:
    assert an_invite().without_address().again().pending


def test_what_was_accepted_cannot_be_refused() -> None:
    with pytest.raises(IllegalMove):
        an_invite().accepted(NINE).refused("late")


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(InviteState)


@pytest.mark.parametrize(
    ("state", "at", "invite", "shown"),
    [
        ("live", NINE, None, "owed"),
        ("scheduled", NINE + 100 * MINUTE, None, "too_late"),  # the schedulers were away
        ("ended", NINE, None, "too_late"),
        ("ended", NINE, an_invite().deferred("451 later"), "too_late"),
        ("ended", NINE, an_invite().accepted(NINE), "accepted"),
        ("ended", NINE, an_invite().refused("550 no"), "refused"),
        ("ended", NINE, an_invite().accepted(NINE).cancelled(), "owed"),  # it is taken back all the same
        ("cancelled", NINE, None, "called_off"),
        ("cancelled", NINE, an_invite().accepted(NINE).cancelled(), "owed"),
        ("draft", NINE, None, "owed"),
    ],
)
def test_an_invite_that_waits_when_nobody_can_come_any_more_is_told_as_not_sent(
    state: str, at: int, invite: Invite | None, shown: str
) -> None:
    lecture = a_lecture(state=LectureState(state))
    assert owing.shown_of(lecture, invite, at) == shown
