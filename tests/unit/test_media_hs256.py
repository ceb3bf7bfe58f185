"""Our own check of a signature against PyJWT: never more is taken than there."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webinar.media.hs256 import LONGEST, signed_claims

SECRET = b"a-secret-of-at-least-thirty-two-bytes"
CLAIMS = {"iss": "key", "exp": 1_795_361_754, "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}


def part(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signed(header: object, claims: object, secret: bytes = SECRET, digest: Any = hashlib.sha256) -> str:
    text = part(header) + b"." + part(claims)
    return (text + b"." + part(hmac.new(secret, text, digest).digest())).decode()


def by_the_library(token: str, secret: bytes = SECRET) -> dict[str, Any] | None:
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], options=options | {"verify_sub": False})
    except (jwt.InvalidTokenError, ValueError):
        return None


def test_a_token_of_the_library_is_taken() -> None:
    assert signed_claims(jwt.encode(CLAIMS, SECRET, algorithm="HS256"), SECRET) == CLAIMS


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "kid": 7},
        {"alg": "HS256", "kid": None},
        b'{"alg":"none","alg":"HS256"}',
        b'{"alg":"HS256","alg":"none"}',
        ["HS256"],
        "HS256",
        None,
        b"",
        b"{",
        b"\xff",
        b"[" * 2000,
    ],
)
def test_another_header_is_refused_however_well_it_is_signed(header: object) -> None:
    assert signed_claims(signed(header, CLAIMS), SECRET) is None


@pytest.mark.parametrize(
    "claims",
    [
        [],
        "text",
        7,
        None,
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 2000,
        b'{"a":1}x',
        b'{"iss":"a","iss":"key"}',
        b'{"a":{"b":1,"b":2}}',
    ],
)
def test_claims_that_are_no_object_are_refused(claims: object) -> None:
    assert signed_claims(signed({"alg": "HS256"}, claims), SECRET) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "=",
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: "." + t,
        lambda t: t + ".",
        lambda t: t.replace(".", "..", 1),
        lambda t: t.rpartition(".")[0],
        lambda t: t.rpartition(".")[0] + ".",
        lambda t: t[:-1] + chr(ord(t[-1]) + 1),
        lambda t: "é" + t,
        lambda t: t + "\udcff",
        lambda t: t + "A" * LONGEST,
        lambda t: "",
        lambda t: "..",
        lambda t: ".",
    ],
)
def test_only_the_one_form_of_a_signature_is_taken(change: Any) -> None:
    assert signed_claims(change(signed({"alg": "HS256"}, CLAIMS)), SECRET) is None


def test_a_part_in_the_other_alphabet_is_refused() -> None:
    """Else one signature would be good for two texts."""
    claims = part({"iss": "k", "x": "~~~???>>>"})
    assert b"-" in claims or b"_" in claims
    text = part({"alg": "HS256"}) + b"." + claims.replace(b"-", b"+").replace(b"_", b"/")
    token = text + b"." + part(hmac.digest(SECRET, text, "sha256"))
    assert signed_claims(token.decode(), SECRET) is None


@pytest.mark.parametrize("place", [0, 1])
def test_a_part_with_padding_or_a_stray_character_is_refused(place: int) -> None:
    for claims in ({"a": "x" * length} for length in range(3)):
        parts = [part({"alg": "HS256", "typ": "x" * 3}), part(claims)]
        for stray in (b"=" * (-len(parts[place]) % 4), b"=", b"A=", b"\n", b" ", b"!"):
            changed = [text + stray * (number == place) for number, text in enumerate(parts)]
            text = b".".join(changed)
            token = text + b"." + part(hmac.digest(SECRET, text, "sha256"))
            assert (signed_claims(token.decode(), SECRET) is not None) is (stray == b"")


def test_a_key_id_chooses_nothing() -> None:
    """Which secret is tried is the caller's choice alone."""
    header = {"alg": "HS256", "kid": "../../dev/null", "jku": "https://elsewhere.example/keys"}
    assert signed_claims(signed(header, CLAIMS), SECRET) == CLAIMS
    assert signed_claims(signed(header, CLAIMS, secret=b""), SECRET) is None


def test_a_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(len(one))
        return one == other

    monkeypatch.setattr("webinar.media.hs256.hmac.compare_digest", counted)
    assert signed_claims(signed({"alg": "HS256"}, CLAIMS), SECRET) == CLAIMS
    assert compared == [43]


def test_an_empty_secret_signs_nothing() -> None:
    assert signed_claims(signed({"alg": "HS256"}, CLAIMS, secret=b""), b"") is None


HEADERS = st.one_of(
    st.fixed_dictionaries(
        {"alg": st.sampled_from(["HS256", "none", "HS384", "", None, 1])},
        optional={
            "typ": st.sampled_from(["JWT", "x"]),
            "b64": st.booleans(),
            "crit": st.just(["b64"]),
            "kid": st.sampled_from(["a", 1, None]),
        },
    ),
    st.binary(max_size=8),
)
BODIES = st.one_of(
    st.just(CLAIMS), st.dictionaries(st.text(max_size=3), st.integers()), st.binary(max_size=8)
)


@given(HEADERS, BODIES, st.sampled_from([SECRET, b"another-secret-of-thirty-two-bytes!!"]), st.data())
@example({"alg": "HS256"}, CLAIMS, SECRET, None)
def test_whatever_we_take_the_library_takes_too(
    header: object, body: object, secret: bytes, data: Any
) -> None:
    token = signed(header, body, secret)
    if data is not None and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(token) - 1))
        token = token[:place] + data.draw(st.characters(max_codepoint=0x17F)) + token[place + 1 :]
    ours = signed_claims(token, SECRET)
    assert ours is None or ours == by_the_library(token)
