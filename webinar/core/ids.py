"""Public ids and secrets: random, so that nobody can guess a neighbour."""

import base64
import hashlib
import secrets

ID_LENGTH = 26


def new_id() -> str:
    """128 random bits as 26 lower-case base32 characters."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def is_id(text: str) -> bool:
    """Whether the text has the form of a public id."""
    return len(text) == ID_LENGTH and all(c in "abcdefghijklmnopqrstuvwxyz234567" for c in text)


def new_secret() -> str:
    """256 random bits, URL-safe; shown once, kept as a digest."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a high-entropy secret, hexadecimal. Not for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()
