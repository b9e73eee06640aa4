import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.services import outline
from luma.values import LessonStatus
from tests.factories import actor, make_course, make_instructor, make_user


def titles(session: Session, course: Course) -> dict[str, list[str]]:
    tree = outline.tree(session, actor(course.instructor), course.public_id)
    return {chapter.title: [lesson.title for lesson in chapter.lessons] for chapter in tree}


def lesson_id(session: Session, course: Course, title: str) -> str:
    tree = outline.tree(session, actor(course.instructor), course.public_id)
    return next(x.id for chapter in tree for x in chapter.lessons if x.title == title)


def chapter_id(session: Session, course: Course, title: str) -> int:
    tree = outline.tree(session, actor(course.instructor), course.public_id)
    return next(chapter.id for chapter in tree if chapter.title == title)


@pytest.fixture
def course(session: Session) -> Course:
    """Start: Flour, Water, Salt. End: nothing."""
    course = make_course(session, lessons=("Flour", "Water", "Salt"))
    me, start = actor(course.instructor), chapter_id(session, course, "Start")
    outline.add_chapter(session, me, course.public_id, "End", start)
    return course


def test_the_tree_shows_chapters_and_lessons_in_their_order(
    session: Session, course: Course
) -> None:
    tree = outline.tree(session, actor(course.instructor), course.public_id)

    assert [chapter.title for chapter in tree] == ["Start", "End"]
    assert [lesson.title for lesson in tree[0].lessons] == ["Flour", "Water", "Salt"]
    assert tree[0].lessons[0].status is LessonStatus.LIVE
    assert tree[1].lessons == ()


def test_the_tree_costs_the_same_queries_for_one_lesson_and_for_many(session: Session) -> None:
    asked: list[str] = []
    small = make_course(session, lessons=("One",))
    large = make_course(session, lessons=tuple(f"Lesson {n}" for n in range(60)))
    event.listen(session.get_bind(), "before_cursor_execute", lambda *a: asked.append(a[2]))

    outline.tree(session, actor(small.instructor), small.public_id)
    for_small, asked[:] = len(asked), []
    outline.tree(session, actor(large.instructor), large.public_id)

    assert len(asked) == for_small == 2


def test_a_chapter_is_added_below_another_and_first_without_one(
    session: Session, course: Course
) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")

    outline.add_chapter(session, me, course.public_id, "Middle", start)
    outline.add_chapter(session, me, course.public_id, "Before", None)

    assert list(titles(session, course)) == ["Before", "Start", "Middle", "End"]


def test_a_lesson_is_added_below_another_as_a_draft(session: Session, course: Course) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")
    flour = lesson_id(session, course, "Flour")

    outline.add_lesson(session, me, course.public_id, "  Yeast ", start, flour)
    outline.add_lesson(session, me, course.public_id, "Hello", start, None)

    assert titles(session, course)["Start"] == ["Hello", "Flour", "Yeast", "Water", "Salt"]
    yeast = outline.tree(session, me, course.public_id)[0].lessons[2]
    assert yeast.status is LessonStatus.DRAFT


def test_a_lesson_moves_within_its_chapter_and_across(session: Session, course: Course) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")
    end = chapter_id(session, course, "End")
    salt, flour = (lesson_id(session, course, title) for title in ("Salt", "Flour"))

    outline.move_lesson(session, me, course.public_id, salt, start, 0)
    outline.move_lesson(session, me, course.public_id, flour, end, 99)

    assert titles(session, course) == {"Start": ["Salt", "Water"], "End": ["Flour"]}


def test_a_moved_lesson_keeps_its_lasting_id(session: Session, course: Course) -> None:
    me, end = actor(course.instructor), chapter_id(session, course, "End")
    water = lesson_id(session, course, "Water")

    outline.move_lesson(session, me, course.public_id, water, end, 0)

    assert lesson_id(session, course, "Water") == water


def test_chapters_move(session: Session, course: Course) -> None:
    me, end = actor(course.instructor), chapter_id(session, course, "End")

    outline.move_chapter(session, me, course.public_id, end, 0)

    assert list(titles(session, course)) == ["End", "Start"]


def test_renaming_a_lesson_gives_it_a_new_revision(session: Session, course: Course) -> None:
    me, water = actor(course.instructor), lesson_id(session, course, "Water")

    revision = outline.rename_lesson(session, me, course.public_id, water, "Warm water")

    assert revision == 2
    assert titles(session, course)["Start"] == ["Flour", "Warm water", "Salt"]


def test_a_removed_lesson_comes_back_where_it_was(session: Session, course: Course) -> None:
    me, water = actor(course.instructor), lesson_id(session, course, "Water")

    removed = outline.remove_lesson(session, me, course.public_id, water)
    assert titles(session, course)["Start"] == ["Flour", "Salt"]
    outline.restore_lesson(session, me, course.public_id, removed)
    outline.restore_lesson(session, me, course.public_id, removed)

    assert titles(session, course)["Start"] == ["Flour", "Water", "Salt"]


def test_a_removed_chapter_takes_its_lessons_along_and_brings_them_back(
    session: Session, course: Course
) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")

    removed = outline.remove_chapter(session, me, course.public_id, start)
    assert titles(session, course) == {"End": []}
    outline.restore_chapter(session, me, course.public_id, removed)

    assert titles(session, course) == {"Start": ["Flour", "Water", "Salt"], "End": []}


def test_a_lesson_of_a_removed_chapter_is_not_there(session: Session, course: Course) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")
    water, end = lesson_id(session, course, "Water"), chapter_id(session, course, "End")
    outline.remove_chapter(session, me, course.public_id, start)

    with pytest.raises(NotFound):
        outline.move_lesson(session, me, course.public_id, water, end, 0)
    with pytest.raises(NotFound):
        outline.rename_lesson(session, me, course.public_id, water, "Elsewhere")


def test_the_last_live_lesson_of_a_published_course_stays(session: Session) -> None:
    course = make_course(session, lessons=("Only one",), published=True)
    me, only = actor(course.instructor), lesson_id(session, course, "Only one")

    with pytest.raises(RuleBroken, match="needs a live lesson"):
        outline.remove_lesson(session, me, course.public_id, only)


def test_a_chapter_with_the_last_live_lesson_of_a_published_course_stays(session: Session) -> None:
    course = make_course(session, lessons=("Only one",), published=True)
    me, start = actor(course.instructor), chapter_id(session, course, "Start")

    with pytest.raises(RuleBroken, match="needs a live lesson"):
        outline.remove_chapter(session, me, course.public_id, start)


@pytest.mark.parametrize("title", ["", "   ", "a" * 121, "nul\0", "\ud800", "\u202eback", "bell\a"])
def test_names_that_cannot_be_shown_are_refused(
    session: Session, course: Course, title: str
) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")
    water, own = lesson_id(session, course, "Water"), course.public_id

    for attempt in (
        lambda: outline.add_chapter(session, me, own, title, None),
        lambda: outline.add_lesson(session, me, own, title, start, None),
        lambda: outline.rename_chapter(session, me, own, start, title),
        lambda: outline.rename_lesson(session, me, own, water, title),
    ):
        with pytest.raises(RuleBroken):
            attempt()

    assert titles(session, course) == {"Start": ["Flour", "Water", "Salt"], "End": []}


@pytest.mark.parametrize("wrong", ["", "les_nothere", "crs_x", "x' or 1=1", "les_\0", "é" * 30])
def test_ids_that_lead_nowhere_are_not_found(session: Session, course: Course, wrong: str) -> None:
    me, start = actor(course.instructor), chapter_id(session, course, "Start")

    with pytest.raises(NotFound):
        outline.tree(session, me, wrong)
    with pytest.raises(NotFound):
        outline.move_lesson(session, me, course.public_id, wrong, start, 0)
    with pytest.raises(NotFound):
        outline.move_chapter(session, me, course.public_id, 2**63, 0)


def test_another_instructors_course_is_neither_seen_nor_changed(
    session: Session, course: Course
) -> None:
    stranger, start = (
        actor(make_instructor(session, "Mallory")),
        chapter_id(session, course, "Start"),
    )
    water, theirs = lesson_id(session, course, "Water"), course.public_id

    for attempt in (
        lambda: outline.tree(session, stranger, theirs),
        lambda: outline.add_chapter(session, stranger, theirs, "Mine", None),
        lambda: outline.add_lesson(session, stranger, theirs, "Mine", start, None),
        lambda: outline.rename_chapter(session, stranger, theirs, start, "Mine"),
        lambda: outline.rename_lesson(session, stranger, theirs, water, "Mine"),
        lambda: outline.move_chapter(session, stranger, theirs, start, 1),
        lambda: outline.move_lesson(session, stranger, theirs, water, start, 0),
        lambda: outline.remove_chapter(session, stranger, theirs, start),
        lambda: outline.remove_lesson(session, stranger, theirs, water),
    ):
        with pytest.raises(NotFound):
            attempt()

    assert titles(session, course) == {"Start": ["Flour", "Water", "Salt"], "End": []}


def test_chapters_and_lessons_of_another_course_are_not_taken_along(
    session: Session, course: Course
) -> None:
    mine = make_course(session, "My own", lessons=("Mine",))
    me = actor(mine.instructor)
    their_start = chapter_id(session, course, "Start")
    their_water = lesson_id(session, course, "Water")
    my_start, my_lesson = chapter_id(session, mine, "Start"), lesson_id(session, mine, "Mine")

    for attempt in (
        lambda: outline.move_lesson(session, me, mine.public_id, their_water, my_start, 0),
        lambda: outline.move_lesson(session, me, mine.public_id, my_lesson, their_start, 0),
        lambda: outline.add_lesson(session, me, mine.public_id, "New", my_start, their_water),
        lambda: outline.remove_chapter(session, me, mine.public_id, their_start),
    ):
        with pytest.raises(NotFound):
            attempt()

    assert titles(session, mine) == {"Start": ["Mine"]}


def test_a_student_has_no_studio(session: Session, course: Course) -> None:
    with pytest.raises((NotFound, NotAllowed)):
        outline.tree(session, actor(make_user(session)), course.public_id)


def test_a_course_holds_so_many_chapters_and_no_more(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outline, "MOST_CHAPTERS", 2)
    monkeypatch.setattr(outline, "MOST_LESSONS", 3)
    me, start = actor(course.instructor), chapter_id(session, course, "Start")

    with pytest.raises(RuleBroken, match="at most 2 chapters"):
        outline.add_chapter(session, me, course.public_id, "More", None)
    with pytest.raises(RuleBroken, match="at most 3 lessons"):
        outline.add_lesson(session, me, course.public_id, "More", start, None)


def test_every_change_counts_as_an_edit_of_the_course(session: Session, course: Course) -> None:
    before, me = course.updated_at, actor(course.instructor)

    outline.add_chapter(session, me, course.public_id, "More", None)

    after = session.scalars(select(Course.updated_at).where(Course.id == course.id)).one()
    assert after > before
