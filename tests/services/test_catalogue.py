from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.progress import LessonProgress
from luma.services import catalogue, clock, search
from luma.services.catalogue import PAGE
from luma.services.wishes import Wish
from luma.values import Money, Subject
from tests.factories import enrol, make_course, make_instructor, make_published, make_user


def titles(session: Session, wish: Wish) -> list[str]:
    return [card.title for card in catalogue.shelf(session, wish).cards]


def put(
    session: Session, title: str, *, days_ago: int = 1, subject: Subject = Subject.CRAFT
) -> Course:
    course = make_published(session, title)
    course.published_at = clock.now() - timedelta(days=days_ago)
    course.subject = subject
    search.refresh(session, course)
    session.flush()
    return course


def test_drafts_are_not_on_the_shelf(session: Session) -> None:
    make_course(session, "Not yet")
    put(session, "Bread")

    shelf = catalogue.shelf(session, Wish())

    assert [card.title for card in shelf.cards] == ["Bread"]
    assert shelf.total == 1


def test_a_card_tells_what_is_inside(session: Session) -> None:
    make_course(
        session,
        "Bread",
        instructor=make_instructor(session, "Ines Weber"),
        lessons=("Flour", "Water", "Salt"),
        price=Money(1950, "eur"),
        published=True,
    )

    [card] = catalogue.shelf(session, Wish()).cards

    assert (card.instructor, card.price, card.lessons, card.seconds) == (
        "Ines Weber",
        Money(1950, "eur"),
        3,
        1800,
    )
    assert not card.owned


def test_removed_and_draft_lessons_do_not_count(session: Session) -> None:
    course = make_published(session)
    first, second = course.chapters[0].lessons
    first.hide(clock.now())
    second.deleted_at, second.position = clock.now(), None
    session.flush()

    [card] = catalogue.shelf(session, Wish()).cards

    assert (card.lessons, card.seconds) == (0, 0)


def test_the_newest_comes_first_and_titles_sort_without_case(session: Session) -> None:
    put(session, "bread", days_ago=3)
    put(session, "Apples", days_ago=2)
    put(session, "Cheese", days_ago=1)

    assert titles(session, Wish()) == ["Cheese", "Apples", "bread"]
    assert titles(session, Wish(sort="title")) == ["Apples", "bread", "Cheese"]


def test_filters_narrow_the_shelf(session: Session) -> None:
    put(session, "Bread")
    put(session, "Vectors", subject=Subject.MATHEMATICS)
    free = put(session, "Free bread")
    free.price = Money(0, "usd")
    session.flush()

    assert titles(session, Wish(subject=Subject.MATHEMATICS)) == ["Vectors"]
    assert titles(session, Wish(price="free")) == ["Free bread"]
    assert set(titles(session, Wish(price="paid"))) == {"Bread", "Vectors"}
    assert titles(session, Wish(words="bread", price="paid")) == ["Bread"]


def test_a_word_in_the_title_counts_more_than_one_in_the_text(session: Session) -> None:
    named = put(session, "Sourdough", days_ago=9)
    mentions = put(session, "Bread", days_ago=1)
    mentions.description = "Also about sourdough."
    search.refresh(session, mentions)
    session.flush()

    assert titles(session, Wish(words="sourdough")) == [named.title, mentions.title]


def test_more_pages_follow_and_a_page_too_far_shows_the_last(session: Session) -> None:
    for number in range(PAGE + 3):
        put(session, f"Course {number}", days_ago=number)

    first = catalogue.shelf(session, Wish())
    both = catalogue.shelf(session, Wish(page=2))
    alone = catalogue.shelf(session, Wish(page=2), alone=True)
    beyond = catalogue.shelf(session, Wish(page=900))

    assert (len(first.cards), first.last, first.has_more) == (PAGE, PAGE, True)
    assert (len(both.cards), both.last, both.has_more) == (PAGE + 3, PAGE + 3, False)
    assert (len(alone.cards), alone.first, alone.last) == (3, PAGE + 1, PAGE + 3)
    assert (beyond.last, beyond.total) == (PAGE + 3, PAGE + 3)


def test_only_so_many_pages_are_shown_at_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PAGE", 1)
    monkeypatch.setattr(catalogue, "WINDOW", 2)
    for number in range(4):
        put(session, f"Course {number}", days_ago=number)

    third = catalogue.shelf(session, Wish(page=3))

    assert [card.title for card in third.cards] == ["Course 1", "Course 2"]
    assert (third.first, third.last, third.has_more) == (2, 3, True)


def test_a_large_school_is_not_counted_to_the_end(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PAGE", 1)
    monkeypatch.setattr(catalogue, "MOST_COUNTED", 2)
    for number in range(4):
        put(session, f"Course {number}", days_ago=number)

    third = catalogue.shelf(session, Wish(page=3), alone=True)
    beyond = catalogue.shelf(session, Wish(page=9), alone=True)

    assert (third.total, third.is_counted, third.last, third.has_more) == (2, False, 3, True)
    assert ([card.title for card in beyond.cards], beyond.has_more) == (["Course 3"], False)


def test_a_student_sees_how_far_they_are(session: Session) -> None:
    student, course = make_user(session), put(session, "Bread")
    put(session, "Cheese")
    enrol(session, student, course)
    for lesson, done in zip(course.chapters[0].lessons, (clock.now(), None), strict=True):
        session.add(
            LessonProgress(
                student_id=student.id,
                lesson_id=lesson.id,
                completed_at=done,
                updated_at=clock.now(),
            )
        )
    session.flush()

    cards = {card.title: card for card in catalogue.shelf(session, Wish(), student.id).cards}

    assert (cards["Bread"].owned, cards["Bread"].done) == (True, 1)
    assert not cards["Cheese"].owned


def test_access_that_ended_is_not_shown_as_owned(session: Session) -> None:
    student, course = make_user(session), put(session, "Bread")
    enrol(session, student, course).active = False
    session.flush()

    [card] = catalogue.shelf(session, Wish(), student.id).cards

    assert not card.owned


def test_nothing_found_offers_what_comes_close(session: Session) -> None:
    near = put(session, "Bread", days_ago=9)
    for number in range(4):
        put(session, f"Other {number}", days_ago=number)

    some = catalogue.shelf(session, Wish(words="bread quark"))
    none = catalogue.shelf(session, Wish(words="quark"))

    assert (some.total, [card.title for card in some.near]) == (0, [near.title])
    assert len(none.near) == catalogue.NEAR
    assert not none.is_bare


def test_a_search_without_a_word_finds_nothing(session: Session) -> None:
    put(session, "Bread")

    assert catalogue.shelf(session, Wish(words="***")).total == 0


def test_an_empty_school_is_bare(session: Session) -> None:
    shelf = catalogue.shelf(session, Wish())

    assert shelf.is_bare
    assert (shelf.total, shelf.has_more) == (0, False)


def test_search_engines_hear_of_courses_on_sale_only(session: Session) -> None:
    make_course(session, "Not yet")
    course = put(session, "Bread")

    assert [entry.slug for entry in catalogue.on_sale(session)] == [course.slug]
