"""The form, who may answer it, what of it is anonymous, and the table for a spreadsheet."""

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from io import StringIO

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.feedback import FeedbackAnswer, FeedbackQuestion, FeedbackSheet
from luma.models.user import User
from luma.services import reviews
from luma.services.feedback import form, results, sheets, table
from luma.services.feedback.form import USUAL, Wording
from luma.services.feedback.results import Wish
from luma.values import QuestionKind
from tests.bad_values import BAD_JSON
from tests.factories import actor, enrol, make_course, make_instructor, make_user
from tests.services.learners import learning_course, lessons_of


def questions(session: Session, course: Course) -> tuple[form.Question, ...]:
    return form.form(session, actor(course.instructor), course.public_id).questions


def full(session: Session, course: Course, *said: object) -> dict[str, object]:
    """These answers to the course's questions, from the first on."""
    asked = questions(session, course)
    return {one.id: value for one, value in zip(asked, said, strict=False)}


def answer(
    session: Session, student: User, course: Course, *said: object, anonymous: bool = False
) -> None:
    """A sheet about the whole course."""
    whole = full(session, course, *said)
    sheets.answer(session, actor(student), course.slug, whole, anonymous=anonymous)


def shown(session: Session, course: Course, **wish: str) -> results.Results:
    return results.results(session, actor(course.instructor), course.public_id, Wish(**wish))  # type: ignore[arg-type]


def choice(*options: str) -> Wording:
    return Wording.read("choice", "How fast was it?", "\n".join(options))


def test_every_course_has_a_form_without_anybodys_doing(session: Session) -> None:
    course = make_course(session)

    asked = questions(session, course)

    assert [(one.kind, one.prompt, one.is_required) for one in asked] == list(USUAL)
    assert questions(session, course) == asked


def test_a_form_is_begun_once_by_many_at_once(fresh_database: str) -> None:
    with db.unit_of_work() as session:
        course = make_course(session, published=True)
        students = [make_user(session) for _ in range(6)]
        for student in students:
            enrol(session, student, course)

    def look(student: User) -> int:
        with db.unit_of_work() as session:
            return len(sheets.sheet(session, actor(student), course.slug).questions)

    with ThreadPoolExecutor(6) as eyes:
        assert set(eyes.map(look, students)) == {len(USUAL)}

    with db.unit_of_work() as session:
        assert session.scalar(select(func.count(FeedbackQuestion.id))) == len(USUAL)


def test_a_student_answers_for_a_lesson_and_for_the_course(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0].public_id

    sheets.answer(
        session, actor(anna), lesson, full(session, course, "5", "4", "The dog."), anonymous=False
    )
    answer(session, anna, course, 3, 3)

    mine = sheets.sheet(session, actor(anna), lesson)
    asked = questions(session, course)
    assert mine.is_answered
    assert mine.answers == {asked[0].id: "5", asked[1].id: "4", asked[2].id: "The dog."}
    assert shown(session, course).sheets == 2
    assert shown(session, course, lesson=lesson).charts[0].average == "5.0"
    assert shown(session, course, lesson="course").charts[0].average == "3.0"
    assert [one.words for one in shown(session, course).lessons] == ["Flour"]


def test_a_sheet_that_is_sent_again_replaces_the_first(session: Session) -> None:
    course, anna = learning_course(session)
    answer(session, anna, course, 1, 1, "Nothing.")

    answer(session, anna, course, 5, 5, anonymous=True)

    assert session.scalar(select(func.count(FeedbackSheet.id))) == 1
    assert session.scalar(select(func.count(FeedbackAnswer.id))) == 2
    assert sheets.sheet(session, actor(anna), course.slug).is_anonymous


def test_two_tabs_hand_in_one_sheet(fresh_database: str) -> None:
    with db.unit_of_work() as session:
        course, anna = learning_course(session)
        said = full(session, course, 4, 4, "Twice.")

    def send(_turn: int) -> None:
        with db.unit_of_work() as session:
            sheets.answer(session, actor(anna), course.slug, said, anonymous=False)

    with ThreadPoolExecutor(6) as tabs:
        list(tabs.map(send, range(12)))

    with db.unit_of_work() as session:
        assert session.scalar(select(func.count(FeedbackSheet.id))) == 1
        assert session.scalar(select(func.count(FeedbackAnswer.id))) == 3


def test_only_the_enrolled_answer(session: Session) -> None:
    course, _ = learning_course(session)
    lesson = lessons_of(course)[0].public_id
    said = full(session, course, 5, 5)

    for who in (make_user(session), course.instructor):
        for place in (course.slug, lesson):
            with pytest.raises(NotAllowed):
                sheets.sheet(session, actor(who), place)
            with pytest.raises(NotAllowed):
                sheets.answer(session, actor(who), place, said, anonymous=False)
    for nowhere in ("nowhere", "les_nowhere", "", "\0", None, 5):
        with pytest.raises(NotFound):
            sheets.sheet(session, actor(make_user(session)), nowhere)

    assert session.scalar(select(func.count(FeedbackSheet.id))) == 0


def test_what_is_required_must_be_answered(session: Session) -> None:
    course, anna = learning_course(session)

    with pytest.raises(RuleBroken, match="How useful"):
        answer(session, anna, course, 5, "", "Words.")
    with pytest.raises(RuleBroken, match="How clear"):
        sheets.answer(session, actor(anna), course.slug, {}, anonymous=False)


@pytest.mark.parametrize("place", [0, 2, 5], ids=["scale", "text", "choice"])
def test_no_bad_value_is_stored(session: Session, place: int) -> None:
    course, anna = learning_course(session)
    teacher = actor(course.instructor)
    form.add(session, teacher, course.public_id, choice("Slow", "Fast"), required=True)
    asked = questions(session, course)
    good: dict[str, object] = full(session, course, 5, 5, "Words", "", "", "Slow")

    for bad in BAD_JSON:
        try:
            said = {**good, asked[place].id: bad}
            sheets.answer(session, actor(anna), course.slug, said, anonymous=False)
        except LumaError:
            continue
        assert place == 2, repr(bad)[:60]

    kept = session.scalars(select(FeedbackAnswer.text)).all()
    assert all("\0" not in text and len(text) <= sheets.LONGEST for text in kept)


def test_the_instructor_edits_the_form(session: Session) -> None:
    course = make_course(session)
    me, public_id = actor(course.instructor), course.public_id
    first, *_, last = questions(session, course)

    added = form.add(session, me, public_id, choice("Too slow", "Too fast"), required=False)
    form.move(session, me, public_id, added, 0)
    form.remove(session, me, public_id, last.id)
    form.change(
        session, me, public_id, first.id, Wording.read("text", " Clear? ", ""), required=False
    )

    now = questions(session, course)
    assert [one.prompt for one in now] == [
        "How fast was it?",
        "Clear?",
        "How useful was it?",
        "What helped you?",
        "What was unclear?",
    ]
    assert now[0].options == ("Too slow", "Too fast")
    assert (now[1].kind, now[1].is_required) == (QuestionKind.TEXT, False)


def test_a_form_has_one_to_twelve_questions(session: Session) -> None:
    course = make_course(session)
    me, public_id = actor(course.instructor), course.public_id
    for number in range(form.MOST - len(USUAL)):
        form.add(session, me, public_id, Wording.read("text", f"{number}?", ""), required=False)

    with pytest.raises(RuleBroken, match="at most 12"):
        form.add(session, me, public_id, Wording.read("text", "More?", ""), required=False)

    *most, last = questions(session, course)
    for one in most:
        form.remove(session, me, public_id, one.id)
    with pytest.raises(RuleBroken, match="needs a question"):
        form.remove(session, me, public_id, last.id)


@pytest.mark.parametrize("options", ["", "One", "\n\n", "A\nA", "\n".join("abcdefghi"), "x" * 99])
def test_choices_are_two_to_eight_different_ones(options: str) -> None:
    with pytest.raises(RuleBroken, match="choice"):
        Wording.read("choice", "Which?", options)


def test_no_bad_value_becomes_a_question(session: Session) -> None:
    course = make_course(session)
    me = actor(course.instructor)
    first = questions(session, course)[0].id

    for bad in BAD_JSON:
        with pytest.raises(RuleBroken):
            Wording.read(bad, "Prompt?", "")
        with pytest.raises(LumaError):
            form.move(session, me, course.public_id, bad, 0)
        if bad not in (0, "0"):
            with pytest.raises(LumaError):
                form.move(session, me, course.public_id, first, bad)
        with pytest.raises(LumaError):
            form.remove(session, me, course.public_id, bad)


def test_an_answer_keeps_the_words_it_was_asked_with(session: Session) -> None:
    course, anna = learning_course(session)
    old = questions(session, course)[0]
    answer(session, anna, course, 2, 5)
    said = full(session, course, 2, 5)

    form.change(
        session,
        actor(course.instructor),
        course.public_id,
        old.id,
        Wording.read("scale", "How loud was it?", ""),
        required=True,
    )

    charts = {chart.prompt: chart for chart in shown(session, course).charts}
    assert charts["How clear was it?"].is_retired
    assert charts["How clear was it?"].average == "2.0"
    assert "How loud was it?" not in charts
    with pytest.raises(RuleBroken, match="changed meanwhile"):
        sheets.answer(session, actor(anna), course.slug, said, anonymous=False)


def test_another_instructor_neither_edits_nor_reads(session: Session) -> None:
    course, anna = learning_course(session)
    one = questions(session, course)[0].id
    answer(session, anna, course, 5, 5)
    wording = Wording.read("text", "Mine now?", "")

    for who in (actor(make_instructor(session)), actor(anna)):
        for act in (
            lambda me: form.form(session, me, course.public_id),
            lambda me: form.add(session, me, course.public_id, wording, required=False),
            lambda me: form.change(session, me, course.public_id, one, wording, required=False),
            lambda me: form.move(session, me, course.public_id, one, 0),
            lambda me: form.remove(session, me, course.public_id, one),
            lambda me: results.results(session, me, course.public_id, Wish()),
            lambda me: table.table(session, me, course.public_id, Wish()),
        ):
            with pytest.raises(LumaError):
                act(who)


def test_a_question_of_another_course_is_not_ones_own(session: Session) -> None:
    mine, theirs = make_course(session), make_course(session)
    foreign = questions(session, theirs)[0].id

    with pytest.raises(NotFound):
        form.remove(session, actor(mine.instructor), mine.public_id, foreign)


def test_who_is_anonymous_is_nowhere_in_what_the_instructor_gets(session: Session) -> None:
    course, _ = learning_course(session)
    secret = make_user(session, "Zenobia Quist", email="zenobia@example.org")
    enrol(session, secret, course)
    answer(session, secret, course, 1, 1, "It was dull.", anonymous=True)

    everything = repr(asdict(shown(session, course))) + table.table(
        session, actor(course.instructor), course.public_id, Wish()
    )

    assert "It was dull." in everything
    assert "Anonymous" in everything
    sheet = session.scalars(select(FeedbackSheet)).one()
    for trace in ("Zenobia", "Quist", "zenobia", sheet.public_id, f"{sheet.updated_at:%H:%M}"):
        assert trace not in everything
    assert sheet.updated_at.date().weekday() >= shown(session, course).words[0].week.weekday() == 0


def test_who_is_not_anonymous_is_named_until_they_leave(session: Session) -> None:
    course, anna = learning_course(session)
    answer(session, anna, course, 5, 5, "Good.")
    named = shown(session, course).words[0].writer

    sheets.forget_writer(session, anna.id)

    assert named == "Anna Berg"
    assert shown(session, course).words[0].writer == "A former student"


def test_answers_are_filtered_by_question(session: Session) -> None:
    course, anna = learning_course(session)
    asked = questions(session, course)
    answer(session, anna, course, 5, 4, "This helped.", "That was unclear.")

    only = shown(session, course, question=asked[3].id)

    assert [one.text for one in only.words] == ["That was unclear."]
    assert only.charts == ()
    assert [chart.prompt for chart in shown(session, course, question=asked[1].id).charts] == [
        "How useful was it?"
    ]


def test_a_chart_counts_every_choice(session: Session) -> None:
    course, anna = learning_course(session)
    form.add(
        session,
        actor(course.instructor),
        course.public_id,
        choice("Slow", "Right", "Fast"),
        required=False,
    )
    answer(session, anna, course, 5, 5, "", "", "", "Right")

    chart = shown(session, course).charts[-1]

    assert [(bar.words, bar.count, bar.percent) for bar in chart.bars] == [
        ("Slow", 0, 0),
        ("Right", 1, 100),
        ("Fast", 0, 0),
    ]
    assert chart.average == ""


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "  =1+1", "\u00a0=1", "= 2", "'quoted"]
)
def test_no_answer_is_a_formula(session: Session, text: str) -> None:
    course, anna = learning_course(session)
    answer(session, anna, course, 5, 5, text)

    sheet = table.table(session, actor(course.instructor), course.public_id, Wish())

    assert sheet.startswith("\ufeffWeek of,Lesson,Question,Answer,Student\r\n")
    cells = [cell for row in csv.reader(StringIO(sheet[1:])) for cell in row]
    assert any(text.strip() in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@", "\t"))]


def test_an_analysis_gets_ids_and_lessons_and_no_names(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    sheets.answer(
        session,
        actor(anna),
        lesson.public_id,
        full(session, course, 5, 5, "Fine."),
        anonymous=True,
    )
    reviews.write(session, actor(anna), course.slug, 4, "Good.")

    found = results.for_analysis(session, course.id)

    assert {one.lesson_id for one in found} == {lesson.public_id}
    assert "Anna" not in repr(found)
    ids = [one.id for one in found]
    assert results.writers_of(session, course.id, ids) == [anna.id]
    assert results.writers_of(session, make_course(session).id, ids) == []
