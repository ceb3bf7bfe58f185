import pytest

from tests.build import DAY, HOUR, MINUTE, NINE
from webinar.core.errors import Invalid
from webinar.invites import reminder_rules as rules
from webinar.invites.reminder_rules import Use

A_DAY, AN_HOUR, A_QUARTER = 24 * 60, 60, 15
ALL = (A_DAY, AN_HOUR, A_QUARTER)


@pytest.mark.parametrize(
    ("minutes", "at", "use"),
    [
        (A_DAY, NINE - DAY - 1, Use.LATER),
        (A_DAY, NINE - DAY, Use.NOW),
        (A_DAY, NINE - HOUR - 1, Use.NOW),
        (A_DAY, NINE - HOUR, Use.TOO_LATE),
        (AN_HOUR, NINE - 15 * MINUTE - 1, Use.NOW),
        (AN_HOUR, NINE - 15 * MINUTE, Use.TOO_LATE),
        (A_QUARTER, NINE - 1, Use.NOW),
        (A_QUARTER, NINE, Use.TOO_LATE),
    ],
)
def test_a_reminder_is_of_use_until_the_next_one(minutes: int, at: int, use: Use) -> None:
    assert rules.use(NINE, minutes, ALL, at) is use


def test_the_only_reminder_is_of_use_until_the_start() -> None:
    assert rules.use(NINE, A_DAY, (A_DAY,), NINE - 1) is Use.NOW


def test_what_lies_ahead_leaves_out_what_is_due_already() -> None:
    assert rules.ahead(NINE, ALL, NINE - DAY) == {AN_HOUR: NINE - HOUR, A_QUARTER: NINE - 15 * MINUTE}
    assert rules.ahead(NINE, ALL, NINE) == {}


def test_times_are_those_that_are_offered_the_farthest_first() -> None:
    assert rules.checked(["15", "1440"]) == (A_DAY, A_QUARTER)
    assert rules.checked([]) == ()
    for wrong in ("16", "-15", "1440.0", ""):
        with pytest.raises(Invalid):
            rules.checked([wrong])


def test_an_institution_that_chose_none_differs_from_one_that_has_not_chosen() -> None:
    assert rules.stored(None) == rules.USUAL
    assert rules.stored([]) == ()


def test_keys_are_read_as_they_are_written() -> None:
    assert rules.of_key(rules.effect_key("a" * 26, 15)) == ("a" * 26, 15)
    assert rules.of_key(rules.mail_key("b" * 26, 1440)) == ("b" * 26, 1440)


def test_a_link_is_only_of_the_person_it_was_given_to() -> None:
    key, other = b"k" * 32, b"x" * 32
    link = rules.link("https://p.test", key, "a" * 26).rpartition("/")[2]
    assert rules.person_of(key, link) == "a" * 26
    stranger = f"{'b' * 26}.{link.partition('.')[2]}"
    for forged in (stranger, link[:-1], link.upper(), link + "0", "", "a"):
        assert rules.person_of(key, forged) is None
    assert rules.person_of(other, link) is None
