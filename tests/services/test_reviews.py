"""Who may review a course, what its average becomes, and what an admin may do about it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, NotFound, RuleBroken
from luma.models.audit import AuditEntry
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.review import Review, ReviewReport
from luma.models.user import User
from luma.services import (
    catalogue,
    landing,
    learning,
    ratings,
    review_desk,
    review_reactions,
    review_wall,
    reviews,
)
from luma.services.ratings import Rating
from luma.services.wishes import Wish
from luma.values import Role
from tests.bad_values import BAD_JSON
from tests.factories import actor, enrol, make_course, make_instructor, make_user
from tests.services.learners import learning_course, lessons_of


def reviewed(session: Session, course: Course, stars: int, text: str = "Good bread.") -> User:
    """A student of the course who has said this about it."""
    student = make_user(session, "Bea Maria Lund")
    enrol(session, student, course)
    reviews.write(session, actor(student), course.slug, stars, text)
    return student


def rating(session: Session, course: Course) -> Rating:
    return landing.course_page(session, course.slug)[0].rating


def review_of(session: Session, course: Course) -> str:
    return session.scalars(
        select(Review.public_id).where(Review.course_id == course.id).order_by(Review.id)
    ).first() or pytest.fail("there is no review")


def cards(session: Session, course: Course, **wishes: object) -> tuple[review_wall.ReviewCard, ...]:
    return review_wall.wall(session, course.id, None, **wishes).cards  # type: ignore[arg-type]


def test_a_student_reviews_a_course_once_and_may_change_it(session: Session) -> None:
    course, anna = learning_course(session)
    reviews.write(session, actor(anna), course.slug, 2, "Too much flour.")

    reviews.write(session, actor(anna), course.slug, "5", "I understand it now.\r\nThank you.")

    mine = reviews.mine(session, actor(anna), course.slug)
    assert (mine.stars, mine.text) == (5, "I understand it now.\nThank you.")
    assert rating(session, course) == Rating(5, 1, (0, 0, 0, 0, 1))
    assert cards(session, course)[0].is_changed


def test_only_the_enrolled_review(session: Session) -> None:
    course, _ = learning_course(session)
    stranger = make_user(session)
    former = make_user(session)
    enrol(session, former, course).active = False

    for who in (stranger, former, course.instructor):
        with pytest.raises(NotAllowed):
            reviews.mine(session, actor(who), course.slug)
        with pytest.raises(NotAllowed):
            reviews.write(session, actor(who), course.slug, 5, "")

    assert session.scalar(select(func.count(Review.id))) == 0


def test_the_instructor_gets_one_letter_about_a_students_review(session: Session) -> None:
    course, anna = learning_course(session)

    for stars in (5, 4):
        reviews.write(session, actor(anna), course.slug, stars, "I can bake.")
        reviews.remove(session, actor(anna), course.slug)

    [letter] = session.scalars(select(Letter))
    assert letter.user_id == course.instructor_id
    assert "5 of 5 stars" in letter.text
    assert "I can bake." in letter.text
    assert "Anna" not in letter.text


@pytest.mark.parametrize("slug", ["nowhere", "", "\0", "\ud800", None, 5, "a" * 300])
def test_a_course_that_is_not_there_cannot_be_reviewed(session: Session, slug: object) -> None:
    with pytest.raises(NotFound):
        reviews.write(session, actor(make_user(session)), slug, 5, "")


def test_no_bad_value_becomes_stars(session: Session) -> None:
    course, anna = learning_course(session)

    for bad in BAD_JSON:
        with pytest.raises(RuleBroken, match="from 1 to 5"):
            reviews.write(session, actor(anna), course.slug, bad, "")


def test_every_text_is_kept_as_it_is_or_refused_in_words(session: Session) -> None:
    course, anna = learning_course(session)

    refusals = [refusal for odd in BAD_JSON if (refusal := _refusal(session, anna, course, odd))]

    assert refusals
    assert all(refusal.startswith("Review ") for refusal in refusals)
    with pytest.raises(RuleBroken, match="too long"):
        reviews.write(session, actor(anna), course.slug, 4, "a" * (reviews.LONGEST + 1))


def _refusal(session: Session, student: User, course: Course, text: object) -> str:
    try:
        reviews.write(session, actor(student), course.slug, 4, text)
    except LumaError as refusal:
        return str(refusal)
    return ""


def test_the_average_is_that_of_all_reviews_and_shown_from_three_on(session: Session) -> None:
    course, _ = learning_course(session)
    reviewed(session, course, 5)
    reviewed(session, course, 4)
    few = rating(session, course)

    reviewed(session, course, 5)

    many = rating(session, course)
    assert not few.is_shown
    assert many.is_shown
    assert (many.average, many.count, many.bars) == ("4.7", 3, (0, 0, 0, 1, 2))
    assert [many.percent(stars) for stars in range(1, 6)] == [0, 0, 0, 33, 66]
    card = next(card for card in catalogue.shelf(session, Wish()).cards if card.id == course.id)
    assert card.rating.average == "4.7"


@pytest.mark.parametrize(
    ("total", "count", "words"),
    [(0, 0, "0.0"), (5, 1, "5.0"), (13, 3, "4.3"), (14, 3, "4.7"), (17, 4, "4.3"), (89, 20, "4.5")],
)
def test_an_average_has_one_decimal_and_halves_go_up(total: int, count: int, words: str) -> None:
    assert ratings.of(total, count).average == words


def test_a_review_that_is_taken_back_counts_no_more(session: Session) -> None:
    course, anna = learning_course(session)
    reviewed(session, course, 3)
    reviews.write(session, actor(anna), course.slug, 5, "Good.")

    for _ in range(2):
        reviews.remove(session, actor(anna), course.slug)

    assert rating(session, course) == Rating(3, 1, (0, 0, 1, 0, 0))
    assert not reviews.mine(session, actor(anna), course.slug).is_written


def test_what_was_written_can_be_taken_back_after_the_course_is_gone(session: Session) -> None:
    course, _ = learning_course(session)
    anna = make_user(session)
    enrolment = enrol(session, anna, course)
    reviews.write(session, actor(anna), course.slug, 1, "Never again.")
    enrolment.active = False

    reviews.remove(session, actor(anna), course.slug)

    assert rating(session, course).count == 0


def test_reviews_at_the_same_moment_all_count_and_two_tabs_write_one(
    fresh_database: str,
) -> None:
    with db.unit_of_work() as session:
        course = make_course(session, published=True)
        students = [make_user(session) for _ in range(4)]
        for student in students:
            enrol(session, student, course)
        slug = course.slug
        people = [actor(student) for student in students]

    def write(turn: int) -> None:
        with db.unit_of_work() as session:
            reviews.write(session, people[turn % 4], slug, 1 + turn % 5, f"Turn {turn}")

    with ThreadPoolExecutor(8) as tabs:
        list(tabs.map(write, range(24)))

    with db.unit_of_work() as session:
        stars = list(session.scalars(select(Review.stars)))
        kept = session.scalars(select(Course)).one()
        assert len(stars) == 4
        assert (kept.rating_sum, kept.rating_count) == (sum(stars), 4)
        assert kept.rating_bars == [stars.count(many) for many in range(1, 6)]


def test_a_review_is_signed_with_first_name_and_initial(session: Session) -> None:
    course, _ = learning_course(session)
    student = reviewed(session, course, 4)

    assert [card.writer for card in cards(session, course)] == ["Bea L."]
    assert [card.mark for card in cards(session, course)] == ["Bought this course"]
    assert review_wall.signed("Cher") == "Cher"

    reviews.forget_writer(session, student.id)
    assert [card.writer for card in cards(session, course)] == ["A former student"]


def test_reviews_are_read_page_by_page_by_date_or_by_helpfulness(session: Session) -> None:
    course, anna = learning_course(session)
    for number in range(review_wall.PAGE + 1):
        reviewed(session, course, 4, f"Number {number}")
    reviewed(session, course, 1, "")
    first = review_of(session, course)

    review_reactions.vote(session, actor(anna), first, helpful=True)
    review_reactions.vote(session, actor(anna), first, helpful=True)

    newest = review_wall.wall(session, course.id, anna.id)
    assert [card.text for card in newest.cards] == [f"Number {n}" for n in range(8, 0, -1)]
    assert newest.has_more
    assert not review_wall.wall(session, course.id, None, page=2).has_more
    helpful = review_wall.wall(session, course.id, anna.id, "helpful").cards[0]
    assert (helpful.text, helpful.helpful, helpful.has_my_vote) == ("Number 0", 1, True)

    review_reactions.vote(session, actor(anna), first, helpful=False)
    assert review_wall.wall(session, course.id, anna.id, "helpful").cards[0].helpful == 0


def test_the_instructor_of_the_course_alone_replies(session: Session) -> None:
    course, anna = learning_course(session)
    reviewed(session, course, 2)
    review = review_of(session, course)

    for who in (anna, make_instructor(session), make_user(session, roles=(Role.ADMIN,))):
        with pytest.raises(LumaError):
            review_reactions.reply(session, actor(who), review, "No.")
    review_reactions.reply(session, actor(course.instructor), review, " I added a lesson. ")

    assert cards(session, course)[0].reply == "I added a lesson."
    review_reactions.reply(session, actor(course.instructor), review, "")
    assert cards(session, course)[0].reply == ""


def test_a_report_counts_once_and_is_for_admins(session: Session) -> None:
    course, anna = learning_course(session)
    writer = reviewed(session, course, 1, "Buy my course instead.")
    review = review_of(session, course)
    ada = actor(make_user(session, roles=(Role.ADMIN,)))

    for _ in range(2):
        review_reactions.report(session, actor(anna), review, "spam", "See the link.")
    with pytest.raises(RuleBroken, match="your own"):
        review_reactions.report(session, actor(writer), review, "spam", "")
    for bad in ("", "nonsense", None, 5, ["spam"]):
        with pytest.raises(RuleBroken, match="Choose"):
            review_reactions.report(session, actor(make_user(session)), review, bad, "")

    assert session.scalar(select(func.count(ReviewReport.id))) == 1
    [listed] = review_desk.reported(session, ada)
    assert (listed.id, listed.writer, listed.hidden_reason) == (review, "Bea Maria Lund", None)
    assert [(one.reason, one.note) for one in listed.reports] == [
        ("It is an advertisement", "See the link.")
    ]
    review_desk.dismiss(session, ada, review)
    assert review_desk.reported(session, ada) == []


def test_a_hidden_review_is_seen_by_its_writer_alone_with_the_reason(session: Session) -> None:
    course, anna = learning_course(session)
    reviewed(session, course, 5)
    reviews.write(session, actor(anna), course.slug, 1, "He is an idiot.")
    review = review_wall.wall(session, course.id, None).cards[0].id
    ada = actor(make_user(session, roles=(Role.ADMIN,)))

    review_desk.hide(session, ada, review, "It insults the instructor.")

    assert [card.text for card in cards(session, course)] == ["Good bread."]
    assert rating(session, course).average == "5.0"
    assert review_wall.for_analysis(session, course.id)[0].text == "Good bread."
    mine = review_wall.wall(session, course.id, anna.id).mine
    assert mine is not None
    assert mine.hidden_reason == "It insults the instructor."
    for act in (review_reactions.find, review_reactions.vote):
        with pytest.raises(NotFound):
            act(session, actor(make_user(session)), review, **_wish(act))


def _wish(act: object) -> dict[str, bool]:
    return {"helpful": True} if act is review_reactions.vote else {}


def test_nobody_gets_out_of_hiding_by_writing_anew(session: Session) -> None:
    course, anna = learning_course(session)
    reviews.write(session, actor(anna), course.slug, 1, "He is an idiot.")
    review = review_of(session, course)
    ada = actor(make_user(session, roles=(Role.ADMIN,)))
    review_desk.hide(session, ada, review, "It insults the instructor.")

    reviews.remove(session, actor(anna), course.slug)
    reviews.write(session, actor(anna), course.slug, 1, "He is an idiot again.")

    assert cards(session, course) == ()
    assert rating(session, course).count == 0
    [listed] = review_desk.reported(session, ada)
    assert listed.changed_since

    review_desk.show_again(session, ada, review)
    assert [card.text for card in cards(session, course)] == ["He is an idiot again."]
    assert rating(session, course).count == 1


def test_only_admins_decide_about_reviews_and_each_act_is_noted(session: Session) -> None:
    course, anna = learning_course(session)
    reviewed(session, course, 5)
    review = review_of(session, course)
    ada = actor(make_user(session, roles=(Role.ADMIN,)))

    for who in (actor(anna), actor(course.instructor)):
        with pytest.raises(NotAllowed):
            review_desk.reported(session, who)
        with pytest.raises(NotAllowed):
            review_desk.hide(session, who, review, "No.")
        for act in (review_desk.show_again, review_desk.dismiss):
            with pytest.raises(NotAllowed):
                act(session, who, review)
    with pytest.raises(RuleBroken, match="Reason"):
        review_desk.hide(session, ada, review, " ")
    review_desk.hide(session, ada, review, "Private.")
    with pytest.raises(RuleBroken, match="hidden already"):
        review_desk.hide(session, ada, review, "Again.")
    review_desk.show_again(session, ada, review)

    acts = list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))
    assert acts == ["review.hide", "review.show_again"]


def test_students_are_asked_at_thirty_percent_and_once_more_at_the_end(session: Session) -> None:
    course, anna = learning_course(session, "Flour", "Water", "Salt")
    flour, water, salt = (lesson.public_id for lesson in lessons_of(course))
    me = actor(anna)

    def asked_from() -> int | None:
        return learning.classroom(session, me, course.slug, flour).review_from

    assert asked_from() == reviews.ASKED_AT
    learning.complete_lesson(session, me, flour)
    reviews.put_off(session, me, course.slug)
    assert asked_from() == 100
    for lesson in (water, salt):
        learning.complete_lesson(session, me, lesson)
    reviews.put_off(session, me, course.slug)
    assert asked_from() is None


def test_who_has_written_is_not_asked_again(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0].public_id

    reviews.write(session, actor(anna), course.slug, 4, "")

    assert learning.classroom(session, actor(anna), course.slug, lesson).review_from is None
    assert (
        learning.classroom(session, actor(course.instructor), course.slug, lesson).review_from
        is None
    )
