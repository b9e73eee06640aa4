"""Single-use links: what is kept in the database is not enough to make one."""

import base64
import hashlib
import hmac
import secrets

from luma.settings import settings

PLACE = "{token}"
"""Where a letter's button has its token."""

HIDDEN = "…"


def new_seed() -> bytes:
    """32 random bytes, from which this server alone can make a token."""
    return secrets.token_bytes(32)


def token(seed: bytes) -> str:
    """The token of a seed, 32 bytes: always the same one, so that a letter sent twice agrees."""
    made = hmac.new(settings().signing_secret().encode(), b"token:" + seed, hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()


def hash_of(token: str) -> bytes:
    """What is kept to know a token again."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
