"""Checking a JWT that was signed with HMAC-SHA-256, and nothing else of JWT.

The receiver of webhooks checks one for each event, and a general library spends most of its time on
what is never wanted here: other algorithms, keys of other kinds, encrypted tokens. This accepts
strictly less than PyJWT does (a test holds the two against each other): the signature is compared
first, in its one canonical form, and nothing of the token is parsed before it is known to be ours.
"""

import base64
import binascii
import hmac
import json
from functools import lru_cache
from typing import Any

ALGORITHM = "HS256"
LONGEST = 4096
"""Characters of a token; the media server's have about 300."""


def signed_claims(token: str, secret: bytes) -> dict[str, Any] | None:
    """The claims of a token that this secret signed, else None. An empty secret signs nothing.

    Whether they are the right ones (issuer, times) is for the caller to say.
    """
    if not secret or len(token) > LONGEST or not token.isascii():
        return None
    signing_input, dot, signature = token.encode("ascii").rpartition(b".")
    if not dot or not hmac.compare_digest(signature, _signature(signing_input, secret)):
        return None
    head, _, payload = signing_input.partition(b".")
    return _object(payload) if _is_hs256(head) else None


@lru_cache(maxsize=16)
def _is_hs256(head: bytes) -> bool:
    """Whether a token says that it is what it is. Every token of one signer has the same header."""
    header = _object(head)
    if header is None or header.get("alg") != ALGORITHM or not isinstance(header.get("kid", ""), str):
        return False
    # Extensions that must be understood (RFC 7515 section 4.1.11): none is.
    return not {"crit", "b64"} & header.keys()


def _signature(signing_input: bytes, secret: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(secret, signing_input, "sha256")).rstrip(b"=")


def _object(part: bytes) -> dict[str, Any] | None:
    """The JSON object of one part of a token; None when it holds anything else, or a name twice."""
    try:
        # In strict mode, what is not in the alphabet is an error; "+", "/" and "=" are not in this one.
        text = binascii.a2b_base64(part.translate(_PLAIN) + b"=" * (-len(part) % 4), strict_mode=True)
        found = json.loads(text.decode(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a name that stands twice may each take another one of the two.

    Raises:
        ValueError: there is one.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice")
    return found


_PLAIN = bytes.maketrans(b"-_+/=", b"+/!!!")
