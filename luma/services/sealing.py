"""What must be read again but not lie open in a backup: sealed with LUMA_SECRET."""

import base64
import hashlib
import logging

from cryptography.fernet import Fernet, InvalidToken

from luma.settings import settings

log = logging.getLogger(__name__)


def seal(text: str) -> bytes:
    return _box().encrypt(text.encode())


def opened(sealed: bytes) -> str | None:
    """None when it was sealed with another secret than today's."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        log.error("something sealed cannot be opened: LUMA_SECRET has changed")
        return None


def _box() -> Fernet:
    key = hashlib.sha256(b"luma:sealed:" + settings().signing_secret().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
