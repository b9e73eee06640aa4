import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.services import search
from tests.factories import make_instructor, make_published

FOUND = select(Course.id).where(Course.search.op("@@")(search.ASKED))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Straße in Łódź", "strasse in lodz"),
        ("C++, C# & F#", "cpp csharp fsharp"),
        ("Smørrebrød — ægte", "smorrebrod aegte"),
        ("İstanbul", "istanbul"),
        ("日本語入門", "日 本 語 入 門"),
        ("हिन्दी", "हिन्दी"),
        ("it's 3.11 & 'x':*", "it s 3 11 x"),
        ("  \0 \n ", ""),
    ],
)
def test_text_is_folded_to_plain_words(text: str, folded: str) -> None:
    assert search.normalise(text) == folded


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = search.normalise(text)

    assert search.normalise(once) == once


@pytest.mark.parametrize(
    "words",
    ["creme", "CRÈME brulee", "brul", "wonders creme", "weber", "craft", "c'est"],
)
def test_a_course_is_found_by_its_words(session: Session, words: str) -> None:
    course = _course(session, "Crème brûlée and other wonders, c'est si bon")

    assert _found(session, words) == [course.id]


@pytest.mark.parametrize("words", ["rème", "creme pie", "brul wonders x", "***", "' | 'q"])
def test_a_course_is_not_found_by_others(session: Session, words: str) -> None:
    _course(session, "Crème brûlée and other wonders")

    assert _found(session, words) == []


@given(text=st.text(max_size=60))
def test_whatever_is_typed_is_a_search_that_postgresql_understands(text: str) -> None:
    query = search.asked(text)

    assert (query is None) == (search.normalise(text) == "")


def test_any_word_will_do_when_asked_so(session: Session) -> None:
    course = _course(session, "Crème brûlée")
    query = search.asked("creme pie", every=False)

    found = session.scalars(FOUND, {"query": query}).all()

    assert found == [course.id]


def test_a_very_long_text_still_fits(session: Session) -> None:
    course = make_published(session)
    course.description = " ".join(f"word{number}" for number in range(12_000)) + "x" * 5_000

    search.refresh(session, course)
    session.flush()

    assert _found(session, "word1") == [course.id]


def _course(session: Session, title: str) -> Course:
    teacher = make_instructor(session, "Ines Weber")
    course = make_published(session, title)
    course.instructor_id = teacher.id
    search.refresh(session, course)
    session.flush()
    return course


def _found(session: Session, words: str) -> list[int]:
    query = search.asked(words)
    if query is None:
        return []
    return list(session.scalars(FOUND, {"query": query}))
