"""Identities on the media server."""

import pytest

from webinar.media.rules import Identity, counts, format_identity, parse_identity


def test_an_identity_is_read_as_it_was_written() -> None:
    assert parse_identity(format_identity("seat-1", "tab_2")) == Identity("seat-1", "tab_2")
    assert str(Identity("seat", "tab")) == "seat.tab"


@pytest.mark.parametrize(
    "text", ["", ".", "seat", "seat.", ".tab", "a.b.c", "se at.tab", "a.\n", "a" * 65 + ".b"]
)
def test_other_identities_are_not_ours(text: str) -> None:
    assert parse_identity(text) is None


@pytest.mark.parametrize(("seat", "tab"), [("", "tab"), ("seat", ""), ("a.b", "tab"), ("seat", "<tab>")])
def test_a_seat_or_tab_of_other_characters_is_refused(seat: str, tab: str) -> None:
    with pytest.raises(ValueError, match="seat"):
        format_identity(seat, tab)


def test_only_people_count() -> None:
    kinds = ("STANDARD", "SIP", "EGRESS", "INGRESS", "AGENT", "CONNECTOR", "BRIDGE", "99")

    assert [kind for kind in kinds if counts(kind)] == ["STANDARD", "SIP"]
