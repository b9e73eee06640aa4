"""No order of changes loses, doubles or orphans a lesson, and positions stay dense."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Lesson
from luma.services import outline
from luma.services.outline import RemovedChapter, RemovedLesson
from tests.factories import actor, make_course

CONNECTION: list[Connection] = []
PICK = st.integers(min_value=0, max_value=10_000)
PLACE = st.integers(min_value=-3, max_value=9)


class Tree(RuleBasedStateMachine):
    """Beside the database, the same tree as plain lists: what a person would expect to see."""

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        transaction = self.stack.enter_context(CONNECTION[0].begin_nested())
        self.stack.callback(transaction.rollback)
        self.session = self.stack.enter_context(
            Session(CONNECTION[0], join_transaction_mode="create_savepoint")
        )
        course = make_course(self.session, lessons=("A", "B"))
        self.me, self.course = actor(course.instructor), course.public_id
        self.course_id, self.number = course.id, 0
        self.expected = [
            (chapter.id, [lesson.id for lesson in chapter.lessons]) for chapter in self._tree()
        ]
        self.removed: list[tuple[RemovedChapter, list[str]] | RemovedLesson] = []

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    @rule(pick=PICK)
    def add_chapter(self, pick: int) -> None:
        place = pick % (len(self.expected) + 1)
        above = self.expected[place - 1][0] if place else None

        new = outline.add_chapter(self.session, self.me, self.course, self._name(), above)

        self.expected.insert(place, (new, []))

    @precondition(lambda self: self.expected)
    @rule(pick=PICK, place=PICK)
    def add_lesson(self, pick: int, place: int) -> None:
        chapter, lessons = self._chapter(pick)
        index = place % (len(lessons) + 1)
        above = lessons[index - 1] if index else None

        new = outline.add_lesson(self.session, self.me, self.course, self._name(), chapter, above)

        lessons.insert(index, new)

    @precondition(lambda self: self._lessons())
    @rule(pick=PICK, to=PICK, place=PLACE)
    def move_lesson(self, pick: int, to: int, place: int) -> None:
        home, lesson = self._lesson(pick)
        chapter, lessons = self._chapter(to)

        outline.move_lesson(self.session, self.me, self.course, lesson, chapter, place)

        home.remove(lesson)
        lessons.insert(max(0, min(place, len(lessons))), lesson)

    @precondition(lambda self: self.expected)
    @rule(pick=PICK, place=PLACE)
    def move_chapter(self, pick: int, place: int) -> None:
        entry = self._chapter(pick)

        outline.move_chapter(self.session, self.me, self.course, entry[0], place)

        self.expected.remove(entry)
        self.expected.insert(max(0, min(place, len(self.expected))), entry)

    @precondition(lambda self: self._lessons())
    @rule(pick=PICK)
    def remove_lesson(self, pick: int) -> None:
        home, lesson = self._lesson(pick)

        self.removed.append(outline.remove_lesson(self.session, self.me, self.course, lesson))

        home.remove(lesson)

    @precondition(lambda self: self.expected)
    @rule(pick=PICK)
    def remove_chapter(self, pick: int) -> None:
        entry = self._chapter(pick)

        removed = outline.remove_chapter(self.session, self.me, self.course, entry[0])

        self.expected.remove(entry)
        self.removed.append((removed, entry[1]))

    @precondition(lambda self: self._can_come_back())
    @rule(pick=PICK)
    def undo(self, pick: int) -> None:
        back = self._can_come_back()
        chosen = back[pick % len(back)]
        self.removed.remove(chosen)
        if isinstance(chosen, RemovedLesson):
            outline.restore_lesson(self.session, self.me, self.course, chosen)
            lessons = next(x for chapter, x in self.expected if chapter == chosen.chapter)
            lessons.insert(min(chosen.index, len(lessons)), chosen.id)
            return
        removed, lessons = chosen
        outline.restore_chapter(self.session, self.me, self.course, removed)
        self.expected.insert(min(removed.index, len(self.expected)), (removed.id, lessons))

    @invariant()
    def the_tree_is_what_a_person_expects(self) -> None:
        if hasattr(self, "expected"):
            assert [
                (chapter.id, [lesson.id for lesson in chapter.lessons]) for chapter in self._tree()
            ] == self.expected

    @invariant()
    def positions_are_dense(self) -> None:
        if not hasattr(self, "expected"):
            return
        chapters = select(Chapter.id, Chapter.position).where(Chapter.course_id == self.course_id)
        places = self.session.execute(chapters).all()
        assert _is_dense([position for _, position in places])
        for chapter, _ in places:
            inside = select(Lesson.position).where(Lesson.chapter_id == chapter)
            assert _is_dense(list(self.session.scalars(inside)))

    def _tree(self) -> tuple[outline.ChapterLine, ...]:
        return outline.tree(self.session, self.me, self.course)

    def _name(self) -> str:
        self.number += 1
        return f"New {self.number}"

    def _chapter(self, pick: int) -> tuple[int, list[str]]:
        return self.expected[pick % len(self.expected)]

    def _lessons(self) -> list[tuple[list[str], str]]:
        return [(lessons, lesson) for _, lessons in self.expected for lesson in lessons]

    def _lesson(self, pick: int) -> tuple[list[str], str]:
        return self._lessons()[pick % len(self._lessons())]

    def _can_come_back(self) -> list[tuple[RemovedChapter, list[str]] | RemovedLesson]:
        """A lesson comes back once its chapter is there."""
        placed = {chapter for chapter, _ in self.expected}
        return [
            entry
            for entry in self.removed
            if not isinstance(entry, RemovedLesson) or entry.chapter in placed
        ]


def _is_dense(positions: list[int | None]) -> bool:
    placed = sorted(position for position in positions if position is not None)
    return placed == list(range(len(placed)))


@pytest.fixture
def connection(_connection: Connection) -> Iterator[Connection]:
    with _connection.begin() as transaction:
        CONNECTION[:] = [_connection]
        yield _connection
        CONNECTION.clear()
        transaction.rollback()


def test_no_order_of_changes_loses_doubles_or_orphans_a_lesson(connection: Connection) -> None:
    assert [connection] == CONNECTION

    run_state_machine_as_test(
        Tree,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
