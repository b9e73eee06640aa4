"""What students do in the classroom, on PostgreSQL."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken
from luma.models.course import Lesson
from luma.models.progress import LessonProgress
from luma.models.user import User
from luma.services import learning
from luma.services.learning import OpenLesson
from luma.services.learning_reports import Report
from tests.factories import actor, enrol, make_published, make_user
from tests.services.learners import learning_course, lessons_of


def test_complete_and_take_back(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    once = learning.complete_lesson(session, actor(anna), lesson.public_id)
    first = _progress(session, anna, lesson).completed_at
    twice = learning.complete_lesson(session, actor(anna), lesson.public_id)

    assert (once.done, once.total, once.percent, once.share) == (1, 2, 50, 0.5)
    assert twice == once
    assert _progress(session, anna, lesson).completed_at == first
    assert learning.take_back(session, actor(anna), lesson.public_id).done == 0


def test_only_students_have_progress(session: Session) -> None:
    course = make_published(session)
    lesson = lessons_of(course)[0]
    lesson.is_preview = True
    session.flush()
    stranger = actor(make_user(session))

    for act in (learning.complete_lesson, learning.take_back):
        with pytest.raises(NotAllowed, match="students"):
            act(session, stranger, lesson.public_id)
    with pytest.raises(NotAllowed, match="students"):
        learning.note_position(session, stranger, lesson.public_id, _report(5))


def test_the_progress_of_others_is_theirs(session: Session) -> None:
    course, anna = learning_course(session)
    ben = make_user(session, "Ben")
    enrol(session, ben, course)
    lesson = lessons_of(course)[0]

    learning.complete_lesson(session, actor(ben), lesson.public_id)

    room = learning.classroom(session, actor(anna), course.slug, lesson.public_id)
    assert room.progress.done == 0
    assert room.chapters[0].lessons[0].is_done is False


def test_a_video_goes_on_at_the_second(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    learning.note_position(session, actor(anna), lesson.public_id, _report(252, [0, 252]))

    seen = learning.open_lesson(session, actor(anna), lesson.public_id)
    assert isinstance(seen, OpenLesson)
    assert (seen.position, seen.seen) == (252, 42)


def test_who_left_in_the_last_seconds_begins_again(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    learning.note_position(session, actor(anna), lesson.public_id, _report(595, [0, 10]))

    seen = learning.open_lesson(session, actor(anna), lesson.public_id)
    assert isinstance(seen, OpenLesson)
    assert seen.position == 0


def test_watching_completes_at_ninety_percent_and_not_before(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    almost = learning.note_position(session, actor(anna), lesson.public_id, _report(539, [0, 539]))
    enough = learning.note_position(
        session, actor(anna), lesson.public_id, _report(540, [539, 540])
    )
    after = learning.note_position(session, actor(anna), lesson.public_id, _report(541, [540, 541]))

    assert (almost.is_done, almost.seen) == (False, 89)
    assert (enough.is_done, enough.just_done, enough.seen) == (True, True, 90)
    assert (after.is_done, after.just_done) == (True, False)


def test_a_jump_to_the_end_and_watching_twice_complete_nothing(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    for _ in range(3):
        noted = learning.note_position(
            session, actor(anna), lesson.public_id, _report(600, [0, 200], [590, 600])
        )

    assert (noted.is_done, noted.seen) == (False, 35)


def test_one_long_report_after_hours_offline_completes_too(session: Session) -> None:
    course, anna = learning_course(session)

    noted = learning.note_position(
        session, actor(anna), lessons_of(course)[0].public_id, _report(600, [0, 600], age=7200)
    )

    assert noted.just_done


def test_what_was_taken_back_stays_taken_back(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    learning.note_position(session, actor(anna), lesson.public_id, _report(580, [0, 580]))
    learning.take_back(session, actor(anna), lesson.public_id)

    noted = learning.note_position(session, actor(anna), lesson.public_id, _report(590, [0, 590]))

    assert (noted.is_done, noted.seen) == (False, 98)


def test_an_older_window_moves_nothing_back(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    learning.note_position(session, actor(anna), lesson.public_id, _report(550, [0, 550]))

    late = learning.note_position(
        session, actor(anna), lesson.public_id, _report(20, [0, 20], age=600)
    )

    assert late.is_done
    assert late.seen == 91
    assert _progress(session, anna, lesson).position == 550


def test_the_true_length_wins_over_a_lesson_that_says_more(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]

    noted = learning.note_position(
        session, actor(anna), lesson.public_id, _report(300, [0, 300], length=310)
    )

    assert noted.just_done


def test_a_lesson_that_is_part_of_a_video_counts_its_part(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    lesson.video_start, lesson.duration = 1000, 100
    session.flush()

    before = learning.note_position(
        session, actor(anna), lesson.public_id, _report(900, [0, 900], length=4000)
    )
    inside = learning.note_position(
        session, actor(anna), lesson.public_id, _report(1095, [1000, 1095], length=4000)
    )

    assert before.seen == 0
    assert inside.just_done


def test_without_any_length_nothing_completes_by_itself(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    lesson.duration = 0
    session.flush()

    noted = learning.note_position(session, actor(anna), lesson.public_id, _report(50, [0, 50]))

    assert (noted.is_done, noted.seen) == (False, 0)


@pytest.mark.parametrize(
    ("position", "watched", "length", "age"),
    [
        ("five", [], 0, 0),
        (-1, [], 0, 0),
        (2**63, [], 0, 0),
        (True, [], 0, 0),
        (1.5, [], 0, 0),
        ("1\0", [], 0, 0),
        (None, [], 0, 0),
        (0, "all", 0, 0),
        (0, [[5, 5]], 0, 0),
        (0, [[9, 5]], 0, 0),
        (0, [[0, 2**63]], 0, 0),
        (0, [[0]], 0, 0),
        (0, [5], 0, 0),
        (0, [[0, 1]] * 201, 0, 0),
        (0, [], 2**63, 0),
        (0, [], 0, -5),
        (0, [], 0, 2**63),
    ],
)
def test_a_report_of_anything_else_gets_a_sentence(
    position: object, watched: object, length: object, age: object
) -> None:
    with pytest.raises(RuleBroken):
        Report.read(position, watched, length, age)


def _report(position: int, *watched: list[int], length: int = 0, age: int = 0) -> Report:
    return Report.read(position, list(watched), length, age)


def _progress(session: Session, student: User, lesson: Lesson) -> LessonProgress:
    return session.scalars(
        select(LessonProgress)
        .where(LessonProgress.student_id == student.id, LessonProgress.lesson_id == lesson.id)
        .execution_options(populate_existing=True)
    ).one()
