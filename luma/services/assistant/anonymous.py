"""Words of students without what leads to a person: addresses, numbers, links and names."""

import re
from collections.abc import Iterable

_AT = r"\s{0,3}(?:@|[(\[]at[)\]])\s{0,3}"
_DOT = r"(?:\.|\s{0,3}[(\[]dot[)\]]\s{0,3}|\s{1,3}dot\s{1,3})"
_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,6}}", re.IGNORECASE
)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,20}://\S+|\bwww\.\S+|(?<![\w.-])(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}/\S*",
    re.IGNORECASE,
)
_SITE = re.compile(
    r"(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,6}"
    r"(?:com|org|net|io|de|at|ch|fr|me|app|dev|edu|eu|uk|example)\b",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<!\w)@\w{2,40}")
_NUMBER = re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,3}\d){6,}(?!\w)")
_SIGNED = re.compile(
    r"(\b(?:my name is|I am called|regards|greetings|cheers|sincerely|yours)[,:]?(?: from)?\s+)"
    r"\w[\w'’-]{0,40}(?:[ \t]+\w[\w'’-]{0,40})?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

SHORTEST_NAME = 2


def names_in(people: Iterable[str]) -> frozenset[str]:
    """Every part of these people's names, as `without_people` looks for them."""
    parts = (part for name in people for part in _WORD.findall(name))
    pieces = (piece for part in parts for piece in {part, *re.split(r"['’-]", part)})
    return frozenset(piece.casefold() for piece in pieces if len(piece) >= SHORTEST_NAME)


def without_people(text: str, names: frozenset[str]) -> str:
    """A name is taken out wherever it stands, also where it is a common word: better too much."""
    plain = _EMAIL.sub("[address]", text)
    plain = _SITE.sub("[link]", _LINK.sub("[link]", plain))
    plain = _NUMBER.sub("[number]", _HANDLE.sub("[name]", plain))
    plain = _SIGNED.sub(r"\1[name]", plain)
    return _WORD.sub(lambda word: "[name]" if _is_name(word[0], names) else word[0], plain)


def _is_name(word: str, names: frozenset[str]) -> bool:
    said = word.casefold()
    return said in names or any(piece in names for piece in re.split(r"['’-]", said) if piece)
