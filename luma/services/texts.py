"""What people type, made safe to store: the one door for text and numbers from outside."""

import re
import unicodedata

from luma.errors import RuleBroken

BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LONGEST_TEXT = 100_000
KEY = re.compile(r"[a-z0-9_-]{1,80}")


def line(value: object, name: str, longest: int, *, required: bool = True) -> str:
    """One line of text, trimmed. `name` is the field's words; `longest` counts characters.

    Raises RuleBroken for anything that cannot be shown on one line: control characters, half
    characters and marks that turn the reading direction.
    """
    text = " ".join(_readable(value, name).split())
    if set(text) & BIDI:
        raise RuleBroken(f"{name} has invisible marks that turn the reading direction.")
    if required and not text:
        raise RuleBroken(f"{name} is empty. Type something.")
    return _short(text, name, longest)


def body(value: object, name: str, longest: int = LONGEST_TEXT) -> str:
    """Text of several lines, with line ends made one kind. May be empty."""
    text = _readable(value, name).replace("\r\n", "\n").replace("\r", "\n")
    return _short(text.rstrip(), name, longest)


def whole_number(value: object, name: str, least: int, most: int) -> int:
    """A whole number within bounds, from a number or from digits."""
    number = value
    if isinstance(value, str) and value.strip().isascii() and len(value) <= 20:
        digits = value.strip()
        number = int(digits) if digits.removeprefix("-").isdigit() else None
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        number = int(number)
    if type(number) is not int or not least <= number <= most:
        raise RuleBroken(f"{name} must be a whole number from {least} to {most}.")
    return number


def flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise RuleBroken(f"{name} is either on or off.")
    return value


def key(value: object) -> str:
    """A slug or a public id out of an address. What cannot be one becomes "", which nothing has."""
    return value if isinstance(value, str) and KEY.fullmatch(value) else ""


def _readable(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise RuleBroken(f"{name} must be text.")
    text = unicodedata.normalize("NFC", value)
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\n\r\t" for sign in text):
        raise RuleBroken(f"{name} has characters that cannot be stored. Type it again.")
    return text


def _short(text: str, name: str, longest: int) -> str:
    if len(text) > longest:
        raise RuleBroken(f"{name} is too long: {len(text):,} of at most {longest:,} characters.")
    return text
