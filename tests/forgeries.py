"""Webhooks that are not the media server's, or not whole, as bytes on the wire; for tests and the benchmark.

Each maker takes the id that its event would have and a source of chance, and answers one HTTP request that
must be refused with a 4xx: what our key did not sign, what it signed and is no event, and wrong frames.
"""

import base64
import gzip
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from webinar.web.hooks import LARGEST_BODY, PATH

KEY, SECRET = "pendopo", "a-secret-of-at-least-thirty-two-bytes"
STRANGER = "another-secret-of-thirty-two-bytes!!"
HS256 = {"alg": "HS256", "typ": "JWT"}
Maker = Callable[[str, Random], bytes]


def event(ident: str, **more: Any) -> bytes:
    """The body of an event as the media server writes it."""
    now = int(time.time() * 1000)
    raw = {
        "event": "participant_joined",
        "id": ident,
        "createdAt": str(now // 1000),
        "room": {"name": "lecture.main", "sid": "RM_1", "turnPassword": "hush"},
        "participant": {"sid": "PA_1", "identity": "seat.tab", "joinedAtMs": str(now)},
    }
    return json.dumps(raw | more).encode()


def token(
    body: bytes,
    *,
    secret: str = SECRET,
    header: Any = HS256,
    without: str = "",
    hashed: str = "sha256",
    **claims: Any,
) -> str:
    """A token for the body: right, or wrong in what is named."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    right = {"iss": KEY, "exp": int(time.time()) + 300, "sha256": digest}
    said = {name: value for name, value in (right | claims).items() if name != without}
    text = _part(json.dumps(header).encode()) + b"." + _part(json.dumps(said).encode())
    return (text + b"." + _part(hmac.digest(secret.encode(), text, hashed))).decode()


def _part(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def post(body: bytes, authorization: str | bytes, extra: bytes = b"", *, length: int | None = None) -> bytes:
    """The request that carries them."""
    signed = authorization.encode() if isinstance(authorization, str) else authorization
    size = len(body) if length is None else length
    return b"POST %b HTTP/1.1\r\nHost: h\r\nAuthorization: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (
        PATH.encode(), signed, extra, size, body,
    )  # fmt: skip


def good(ident: str) -> bytes:
    """What has to be stored."""
    body = event(ident)
    return post(body, token(body))


def _unsigned(**wrong: Any) -> Maker:
    def make(ident: str, _chance: Random) -> bytes:
        body = event(ident)
        return post(body, token(body, **wrong))

    return make


def _authorization(change: Callable[[str, Random], str | bytes]) -> Maker:
    def make(ident: str, chance: Random) -> bytes:
        body = event(ident)
        return post(body, change(token(body), chance))

    return make


def _body_changed(ident: str, chance: Random) -> bytes:
    body = event(ident)
    place = chance.randrange(len(body))
    changed = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
    return post(changed, token(body))


def _token_changed(signed: str, chance: Random) -> bytes:
    place = chance.randrange(len(signed))
    other = chance.choice("ABCDEFGHabcdefgh0123456789-_.=")
    while other == signed[place]:
        other = chance.choice("xyz")
    return (signed[:place] + other + signed[place + 1 :]).encode()


def _of_another_body(ident: str, _chance: Random) -> bytes:
    return post(event(ident), token(event(f"{ident}x")))


UNSIGNED: dict[str, Maker] = {
    "no issuer": _unsigned(without="iss"),
    "no expiry": _unsigned(without="exp"),
    "no digest": _unsigned(without="sha256"),
    "algorithm none": _unsigned(header={"alg": "none"}),
    "algorithm none, no signature": _authorization(
        lambda t, _: _part(b'{"alg":"none"}').decode() + "." + t.split(".")[1] + "."
    ),
    "another algorithm": _unsigned(header={"alg": "HS512"}, hashed="sha512"),
    "an algorithm with a public key": _unsigned(header={"alg": "RS256"}),
    "an extension that must be understood": _unsigned(header=HS256 | {"crit": ["b64"], "b64": False}),
    "header is no object": _unsigned(header=["HS256"]),
    "another secret": _unsigned(secret=STRANGER),
    "an empty secret": _unsigned(secret=""),
    "an empty secret and no name": _unsigned(secret="", iss=""),
    "a stranger's key": _unsigned(secret=STRANGER, iss="stranger"),
    "our secret in another name": _unsigned(iss="stranger"),
    "names in a list": _unsigned(iss=[KEY]),
    "expired": _unsigned(exp=int(time.time()) - 3600),
    "expiry is text": _unsigned(exp="2147483647"),
    "expiry is true": _unsigned(exp=True),
    "expiry is a list": _unsigned(exp=[2**31]),
    "expiry has a fraction": _unsigned(exp=1e300),
    "digest is empty": _unsigned(sha256=""),
    "digest is a number": _unsigned(sha256=7),
    "digest is no ASCII": _unsigned(sha256="é"),
    "one byte of the body changed": _body_changed,
    "one character of the token changed": _authorization(_token_changed),
    "the token of another body": _of_another_body,
    "no token": _authorization(lambda t, _: ""),
    "two dots": _authorization(lambda t, _: ".."),
    "a prefix": _authorization(lambda t, _: f"Bearer {t}"),
    "signature cut off": _authorization(lambda t, _: t.rpartition(".")[0] + "."),
    "signature cut short": _authorization(lambda t, chance: t[: -chance.randint(1, 40)]),
    "bytes that are no text": _authorization(lambda t, _: b"\xff\xfe" + t.encode()),
    "a very long token": _authorization(lambda t, _: t + "A" * 6000),
}


def _signed(make_body: Callable[[str, Random], bytes]) -> Maker:
    def make(ident: str, chance: Random) -> bytes:
        body = make_body(ident, chance)
        return post(body, token(body))

    return make


def _with(**more: Any) -> Maker:
    return _signed(lambda ident, _: event(ident, **more))


def _seen(**more: Any) -> dict[str, Any]:
    return {"sid": "PA_1", "identity": "seat.tab", "joinedAtMs": "1764032400123"} | more


def _cut(ident: str, chance: Random) -> bytes:
    body = event(ident)
    return body[: chance.randrange(len(body))]


BROKEN: dict[str, Maker] = {
    "empty body": _signed(lambda *_: b""),
    "body cut off": _signed(_cut),
    "a list": _signed(lambda ident, _: b"[%b]" % event(ident)),
    "null": _signed(lambda *_: b"null"),
    "no id": _with(id=None),
    "empty id": _with(id=""),
    "id is a number": _with(id=7),
    "event is a list": _with(event=["participant_joined"]),
    "room is text": _with(room="lecture.main"),
    "room's name is a number": _with(room={"name": 7, "sid": "RM_1"}),
    "participant is a list": _with(participant=[1, 2]),
    "identity is an object": _with(participant=_seen(identity={})),
    "instant is text": _with(createdAt="soon"),
    "instant is huge": _with(createdAt=str(2**70)),
    "instant is before time": _with(participant=_seen(joinedAtMs="-1")),
    "instant has 5,000 digits": _with(createdAt="9" * 5000),
    "instant is infinite": _signed(lambda ident, _: event(ident)[:-1] + b', "createdAt": 1e999}'),
    "instant is no number": _signed(lambda ident, _: event(ident)[:-1] + b', "createdAt": NaN}'),
    "a number of 60,000 digits": _signed(lambda ident, _: b'{"id": ' + b"9" * 60_000 + b"}"),
    "NUL in a name": _with(room={"name": "n\x00", "sid": "RM_1"}),
    "NUL in the id": _signed(lambda ident, _: event(f"{ident}\x00")),
    "NUL between": _signed(lambda ident, _: event(ident) + b"\x00"),
    "half a character": _signed(lambda ident, _: event(f"{ident}\ud800")),
    "broken UTF-8": _signed(lambda ident, _: event(ident).replace(b"seat", b"se\xff\xfe")),
    "UTF-16": _signed(lambda ident, _: event(ident).decode().encode("utf-16")),
    "nested lists": _signed(lambda *_: b"[" * 60_000),
    "nested objects": _signed(lambda *_: b'{"a":' * 12_000),
    "deep in a good one": _signed(
        lambda ident, _: event(ident)[:-1] + b',"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    ),
}


def _oversize(ident: str, _chance: Random) -> bytes:
    body = event(ident, filler="x" * LARGEST_BODY)
    return post(body, token(body))


def _announced_only(ident: str, _chance: Random) -> bytes:
    return post(b"", token(event(ident)), length=2**40)


def _packed(coding: bytes, pack: Callable[[bytes], bytes]) -> Maker:
    def make(ident: str, _chance: Random) -> bytes:
        body = pack(event(ident))
        return post(body, token(body), b"Content-Encoding: " + coding + b"\r\n")

    return make


def _two_lengths(ident: str, _chance: Random) -> bytes:
    body = event(ident)
    return post(body, token(body), b"Content-Length: 3\r\n")


def _length_and_chunks(ident: str, _chance: Random) -> bytes:
    body = event(ident)
    return post(body, token(body), b"Transfer-Encoding: chunked\r\n")


FRAMED: dict[str, Maker] = {
    "oversize": _oversize,
    "oversize, announced only": _announced_only,
    "compressed with gzip": _packed(b"gzip", gzip.compress),
    "compressed with deflate": _packed(b"deflate", zlib.compress),
    "said to be compressed": _packed(b"br", lambda body: body),
    "two lengths": _two_lengths,
    "a length and chunks": _length_and_chunks,
}
"""What the frame of HTTP refuses; the connection may end with it."""

ALL: dict[str, Maker] = UNSIGNED | BROKEN | FRAMED
