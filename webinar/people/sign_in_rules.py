"""How long sessions and links live, how many wrong tries are borne, and what a password must be."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webinar.core.errors import FieldError
from webinar.core.ids import digest

MINUTE = 60_000
DAY = 24 * 60 * MINUTE

WINDOW_MS = 15 * MINUTE
WRONG_FOR_ACCOUNT = 5
WRONG_FOR_DEVICE = 20
# A whole office joins from one IPv4 address at nine; an IPv6 /64 is one home or one desk's network.
WRONG_FOR_IPV4 = 300
WRONG_FOR_IPV6_NETWORK = 50
LINKS_FOR_ACCOUNT = 4

# A session's expiry slides with use, but never beyond this age.
SESSION_MOST_MS = 90 * DAY
SESSION_TOUCH_MS = 5 * MINUTE
DEVICE_KEPT_MS = 180 * DAY
ATTEMPT_KEPT_MS = DAY

PASSWORD_LEAST = 10
PASSWORD_MOST = 200
# The commonest of ten characters and more; shorter ones fall to the length alone.
_COMMON = frozenset(
    [
        "1234567890", "0123456789", "0987654321", "12345678910", "123456789a", "password12",
        "password123", "password1234", "qwertyuiop", "qwerty12345", "qwerty123456", "1q2w3e4r5t",
        "1q2w3e4r5t6y", "iloveyou123", "administrator", "admin12345", "admin123456", "indonesia123",
        "indonesia45", "bismillah123", "bismillah1", "rahasia123", "sayangku123", "welcome123",
        "passw0rd123", "jakarta123", "merdeka1945", "pendopo123", "katasandi123",
    ]
)  # fmt: skip


class Purpose(StrEnum):
    """What a link in a mail is for."""

    SIGN_IN = "sign_in"
    PASSWORD = "password"  # noqa: S105 - the name of a purpose

    @property
    def life_ms(self) -> int:
        return 20 * MINUTE if self is Purpose.SIGN_IN else 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` wrong tries within `window_ms` in one bucket."""

    bucket: str
    most: int
    window_ms: int = WINDOW_MS


def account_limit(email: str) -> Limit:
    """Counted for addresses that nobody has, too, so that the answers do not differ."""
    return Limit(f"account:{digest(email)}", WRONG_FOR_ACCOUNT)


def device_limit(device_digest: str) -> Limit:
    return Limit(f"device:{device_digest}", WRONG_FOR_DEVICE)


def links_limit(email: str) -> Limit:
    return Limit(f"mails:{digest(email)}", LINKS_FOR_ACCOUNT)


def address_limit(address: str, *, kind: str = "address") -> Limit:
    """By IPv4 address with a high ceiling, by /64 for IPv6; what is no address shares one bucket."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return Limit(f"{kind}:unknown", WRONG_FOR_IPV4)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address):
        return Limit(f"{kind}:{ip}", WRONG_FOR_IPV4)
    network = ipaddress.ip_network((ip.packed[:8] + bytes(8), 64))
    return Limit(f"{kind}:{network}", WRONG_FOR_IPV6_NETWORK)


def minutes_to_wait(oldest_at: int, window_ms: int, now: int) -> int:
    """Whole minutes until the oldest try has left the window, at least 1."""
    return max(1, -(-(oldest_at + window_ms - now) // MINUTE))


def slid(created_at: int, now: int, life_ms: int) -> int:
    """The expiry of a session that is used now."""
    return min(now + life_ms, created_at + SESSION_MOST_MS)


def password_problems(password: str, *, email: str = "", name: str = "") -> Iterable[FieldError]:
    """Length and guessability; no rule asks for a digit or a capital (NIST SP 800-63B section 3.1.1)."""
    lowered = password.lower()
    if len(password) < PASSWORD_LEAST:
        yield FieldError("password", "At least %(least)s characters.", {"least": PASSWORD_LEAST})
    elif len(password) > PASSWORD_MOST:
        yield FieldError("password", "At most %(most)s characters fit.", {"most": PASSWORD_MOST})
    elif lowered in _COMMON or len(set(lowered)) < 4 or lowered in _own_words(email, name):
        yield FieldError("password", "This password is too easy to guess.", {})


def _own_words(email: str, name: str) -> set[str]:
    email, name = email.lower(), name.lower()
    return {email, email.partition("@")[0], name, name.replace(" ", "")}
