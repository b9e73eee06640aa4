"""Passwords: hashed with argon2id, common ones refused.

Every function here that hashes takes about 20 ms of CPU: call it through bridge.hash_off_loop.
"""

import re
import unicodedata
from functools import lru_cache

from passlib.context import CryptContext
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from luma.errors import RuleBroken

SHORTEST, LONGEST = 10, 256

# OWASP's least costly argon2id; raise it and every sign-in re-hashes by itself.
_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)


def check(password: str, *about: str) -> None:
    """Refuse a password that others would guess. `about` is the user's own name and address."""
    if len(password) < SHORTEST:
        raise RuleBroken(f"Choose a password of at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise RuleBroken(f"Choose a password of at most {LONGEST} characters.")
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in password):
        raise RuleBroken("The password has characters that cannot be typed again.")
    plain = normalised(password).lower()
    if plain in common() or len(set(plain)) < 4:
        raise RuleBroken("Many people use this password. Choose another one.")
    own = {part for text in about for part in re.split(r"[^\w]+", text.lower()) if len(part) > 3}
    if any(plain.replace(part, "").strip("0123456789!.") == "" for part in own | {"luma"}):
        raise RuleBroken("This password is made of your own name or address. Choose another one.")


def hashed(password: str) -> str:
    return str(_context.hash(normalised(password)))


def verified(password: str, known_hash: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash where the old one is out of date.

    Without a hash it takes as long, so that time does not tell which accounts exist.
    """
    if known_hash is None or len(password) > LONGEST or "\0" in password:
        _context.dummy_verify()
        return False, None
    right, new_hash = _context.verify_and_update(normalised(password), known_hash)
    return bool(right), new_hash


def normalised(password: str) -> str:
    """NFKC (NIST SP 800-63B): the same password typed on another keyboard stays the same."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


@lru_cache
def common() -> frozenset[str]:
    """About 30,000 passwords seen in breaches, from zxcvbn's list."""
    return frozenset(FREQUENCY_LISTS["passwords"])
