"""What a person's fields may be, and how far a scope reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.core.errors import Invalid
from webinar.mail.build import is_address
from webinar.people import rules, sign_in_rules
from webinar.people.access import Scope
from webinar.people.rules import Employment, PersonDraft, Role

GOOD = "198503122010012003"


def nip_error(nip: str, employment: str = "pns") -> str | None:
    errors = list(rules.nip_problems(nip, employment))
    return errors[0].message if errors else None


def test_a_nip_may_be_written_with_blanks_between_its_parts():
    assert nip_error("19850312 201001 2 003") is None
    assert rules.normal_nip("19850312 201001 2 003") == GOOD


@pytest.mark.parametrize(
    ("nip", "part"),
    [
        ("19850312201001200", "18 digits"),
        ("19850312201001200X", "digits only"),
        ("198513122010012003", "date of birth"),
        ("198502302010012003", "date of birth"),
        ("198503122010132003", "month of appointment"),
        ("198503121990012003", "month of appointment"),
        ("198503122010013003", "Digit 15"),
        ("198503122010012000", "001 and 999"),
        ("١٩٨٥٠٣١٢٢٠١٠٠١٢٠٠٣", "digits only"),
    ],
)
def test_a_wrong_nip_of_a_pns_is_told_by_its_part(nip: str, part: str):
    assert part in (nip_error(nip) or "")


def test_of_a_pppk_only_digits_and_the_birth_date_are_checked():
    number = "198503122021212003"
    assert nip_error(number, "pppk") is None
    assert nip_error(number, "pns") is not None
    assert nip_error("198502302021212003", "pppk") is not None


def test_every_wrong_field_is_told_at_once():
    with pytest.raises(Invalid) as refused:
        rules.checked(PersonDraft(name=" ", email="siti@", nip="1", unit_id="", zone="Mars"))
    assert [e.field for e in refused.value.errors] == ["name", "unit_id", "email", "nip", "zone"]


def test_fields_get_their_one_form():
    fields = rules.checked(
        PersonDraft(
            name="  Dr.  Siti\u00a0Rahma ",
            unit_id="u",
            email=" Siti@Kota.GO.id ",
            nip=GOOD,
            phone="0812-3456 789",
        )
    )
    assert (fields.name, fields.email, fields.phone) == ("Dr. Siti Rahma", "siti@kota.go.id", "08123456789")
    assert fields.employment is Employment.PNS


def test_control_characters_are_refused_and_not_dropped_in_silence():
    assert list(rules.name_problems("Siti\r\nBcc: all@kota.example"))
    assert list(rules.name_problems("Siti\u202egnp.exe"))


@given(st.text(max_size=80))
def test_an_address_we_take_is_one_that_mail_can_be_sent_to(text: str):
    if not list(rules.email_problems(text)) and text.strip():
        assert is_address(rules.normal_email(text))


@pytest.mark.parametrize(
    "email", ["a@b", "a b@c.id", "a@c..id", ".a@c.id", "ä@c.id", "a@-c.id", "a" * 65 + "@c.id"]
)
def test_what_is_no_address_is_told(email: str):
    assert list(rules.email_problems(email))


def test_names_sort_alike_whatever_their_marks_and_case():
    assert rules.sort_name("Élodie  SITI") == "elodie siti"


def scope(*grants: tuple[Role, str]) -> Scope:
    return Scope("i", "p", frozenset(grants))


def test_a_role_reaches_down_the_tree_and_not_up_or_sideways():
    organiser = scope((Role.ORGANISER, "i/a/"))
    assert organiser.reaches(Role.ORGANISER, "i/a/b/")
    assert not organiser.reaches(Role.ORGANISER, "i/")
    assert not organiser.reaches(Role.ORGANISER, "i/ab/")


def test_an_administrator_may_do_what_organisers_and_managers_may_but_not_the_reverse():
    assert scope((Role.ADMINISTRATOR, "i/")).has(Role.ORGANISER)
    assert scope((Role.ADMINISTRATOR, "i/")).has(Role.UNIT_MANAGER)
    assert not scope((Role.ORGANISER, "i/")).has(Role.ADMINISTRATOR)
    assert not scope((Role.UNIT_MANAGER, "i/")).has(Role.ORGANISER)


def test_paths_are_the_topmost_ones_only():
    held = scope((Role.ORGANISER, "i/a/"), (Role.ADMINISTRATOR, "i/a/b/"), (Role.ORGANISER, "i/c/"))
    assert held.paths(Role.ORGANISER) == ("i/a/", "i/c/")


def test_a_key_is_an_organiser_within_its_scopes():
    key = Scope.of_key("i", "k", ["people:read"])
    assert key.reaches(Role.ORGANISER, "i/a/")
    assert not key.has(Role.ADMINISTRATOR)
    assert key.allows("people:read") and not key.allows("people:write")
    assert key.actor.kind == "api_key"


def test_a_subtree_is_a_range_of_paths():
    low, high = rules.subtree_range("i/a/")
    assert low <= "i/a/" < high
    assert low <= "i/a/zzz/" < high
    assert not low <= "i/ab/" < high


def test_an_ipv6_network_counts_as_one_and_a_mapped_ipv4_as_itself():
    one = sign_in_rules.address_limit("2001:db8:1:2:aaaa::1")
    assert one == sign_in_rules.address_limit("2001:db8:1:2:bbbb::9")
    assert one != sign_in_rules.address_limit("2001:db8:1:3::1")
    assert sign_in_rules.address_limit("::ffff:10.0.0.1") == sign_in_rules.address_limit("10.0.0.1")


@pytest.mark.parametrize(
    "password", ["short", "password123", "aaaaaaaaaaaaa", "siti.rahma@kota.example", "Siti Rahma"]
)
def test_a_password_that_is_easily_guessed_is_refused(password: str):
    assert list(sign_in_rules.password_problems(password, email="siti.rahma@kota.example", name="Siti Rahma"))


def test_a_long_password_needs_no_digits_or_capitals():
    assert not list(sign_in_rules.password_problems("kuda hijau makan bakso"))


def test_a_session_slides_but_not_beyond_its_oldest_age():
    day = sign_in_rules.DAY
    assert sign_in_rules.slid(0, 10 * day, 14 * day) == 24 * day
    assert sign_in_rules.slid(0, 85 * day, 14 * day) == 90 * day
