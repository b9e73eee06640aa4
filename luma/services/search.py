"""Search text: folded the same way when a course is written and when somebody looks for it.

PostgreSQL gets finished lexemes, so it needs no extension, and nothing depends on its dictionaries.
"""

import re
import unicodedata

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.user import User
from luma.services import markdown

LONGEST_WORD = 60
MOST_WORDS = 2_000
MOST_ASKED = 10

_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_SIGNS = {"c++": "cpp", "c#": "csharp", "f#": "fsharp"}
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")


def normalise(text: str) -> str:
    """Lower case, accents gone, words parted by one space.

    "Crème BRÛLÉE" is "creme brulee". Chinese and Japanese signs are words of their own.
    """
    plain = unicodedata.normalize("NFKD", text.replace("\0", " "))
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", plain.casefold())).translate(_LETTERS)
    folded = unicodedata.normalize("NFC", folded)
    for sign, word in _SIGNS.items():
        folded = folded.replace(sign, f" {word} ")
    spaced = _UNSPACED.sub(r" \1 ", folded)
    return " ".join("".join(sign if _is_part(sign) else " " for sign in spaced).split())


def _is_part(sign: str) -> bool:
    """Letters and digits, and the vowel signs that scripts like Devanagari write as marks."""
    return sign.isalnum() or unicodedata.category(sign).startswith("M")


def refresh(session: Session, course: Course) -> None:
    """Bring `course.search` up to date. Call it when title, summary, text or subject change."""
    teacher = session.scalar(select(User.name).where(User.id == course.instructor_id)) or ""
    course.search = vector(
        {
            "A": course.title,
            "B": f"{course.summary} {teacher}",
            "C": course.subject.words,
            "D": markdown.plain(course.description, 50_000),
        }
    )


def vector(parts: dict[str, str]) -> str:
    """A tsvector's text: each word once, at its first place, with the weight of that part."""
    places: dict[str, str] = {}
    place = 0
    for weight, text in parts.items():
        for word in normalise(text).split():
            place += 1
            if len(places) < MOST_WORDS:
                places.setdefault(word[:LONGEST_WORD], f"{min(place, 16_000)}{weight}")
    return " ".join(f"'{word}':{where}" for word, where in places.items())


ASKED = cast(bindparam("query", type_=Text), TSQUERY)
"""In statements: what `asked` made of a person's words, given as `query`."""


def asked(text: str, *, every: bool = True) -> str | None:
    """A tsquery for what a person typed: every word, the last one perhaps unfinished.

    With `every=False` any of the words will do. None when there is no word in it.
    """
    words = [word[:LONGEST_WORD] for word in normalise(text).split()[:MOST_ASKED]]
    if not words:
        return None
    lexemes = [f"'{word}'" for word in words]
    lexemes[-1] += ":*"
    return (" & " if every else " | ").join(lexemes)
