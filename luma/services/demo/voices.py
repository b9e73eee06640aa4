"""What the demo school's students say about their courses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.feedback import FeedbackAnswer, FeedbackSheet
from luma.models.review import Review, ReviewReport, ReviewVote
from luma.models.user import User
from luma.services import clock, ratings
from luma.services.feedback import form
from luma.values import ReportReason


@dataclass(frozen=True, slots=True)
class Voice:
    who: str
    stars: int
    text: str
    days_ago: int
    reply: str = ""
    helps: tuple[str, ...] = ()
    reported_by: str = ""


REVIEWS: Mapping[str, tuple[Voice, ...]] = {
    "python-for-the-curious": (
        Voice(
            "lea",
            5,
            "I had tried twice before and given up at loops. Here each lesson is one idea, and"
            " after six of them I wrote a script that renames my holiday pictures. Small thing,"
            " but it is mine.",
            3,
            helps=("sam", "yuki", "kofi"),
        ),
        Voice("yuki", 5, "Clear and short. I watch one lesson on the train each morning.", 8),
        Voice(
            "kofi",
            3,
            "Good explanations, but I would like more to do between the lessons. I often"
            " understood everything and could do nothing.",
            12,
            reply="Fair. I am writing exercises for the first chapter now; you will find them"
            " below the lessons in two weeks.",
            helps=("sam", "ben"),
        ),
        Voice("ben", 4, "", 15),
        Voice("elena", 5, "The best hour I have spent on a computer this year.", 18),
    ),
    "linear-algebra-you-can-see": (
        Voice(
            "lea",
            5,
            "After four semesters of linear algebra I finally know what a determinant is.\n\n"
            "Watch the third lesson twice.",
            5,
            helps=("noor", "elena"),
        ),
        Voice("noor", 4, "Beautiful pictures. A little fast towards the end.", 9),
        Voice("elena", 5, "Should be shown in every school.", 11),
        Voice("yuki", 5, "", 14),
    ),
    "the-web-developers-toolbox": (
        Voice("noor", 4, "Sixty short lessons, and I have used most of them at work since.", 4),
        Voice(
            "kofi",
            5,
            "I keep it open beside my editor. The search in the outline saves me every time.",
            7,
            helps=("elena",),
        ),
        Voice(
            "elena",
            3,
            "Useful, but some lessons are only two minutes long and end when it gets interesting.",
            10,
            reply="Thank you. Which ones? I would gladly go on where you wanted more.",
        ),
        Voice(
            "ben",
            5,
            "Great!!! More cheap courses on my page, write me and I send you the link.",
            2,
            reported_by="noor",
        ),
    ),
    "neural-networks-from-the-ground-up": (
        Voice("lea", 5, "The first course where I typed every line myself and it worked.", 6),
        Voice("ben", 4, "Hard in the middle, worth it in the end.", 13),
    ),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One lesson's, by its place in the course, or without one the whole course's."""

    who: str
    lesson: int | None
    clear: int
    useful: int
    helped: str = ""
    unclear: str = ""
    change: str = ""
    is_anonymous: bool = False
    days_ago: int = 5


SHEETS: Mapping[str, tuple[Sheet, ...]] = {
    "the-web-developers-toolbox": (
        Sheet("kofi", 0, 5, 5, helped="That it begins with what I can see in my own browser."),
        Sheet("elena", 0, 4, 4, unclear="Which of the two panels he means at the start."),
        Sheet("ben", 0, 4, 3, is_anonymous=True, days_ago=2),
        Sheet("kofi", 1, 3, 5, unclear="It goes very fast after the first minute.", days_ago=6),
        Sheet(
            "elena",
            1,
            2,
            4,
            unclear="I lost the thread when the second file appeared.",
            change="Show both files side by side.",
            is_anonymous=True,
            days_ago=9,
        ),
        Sheet("ben", 1, 3, 4, change="Say at the start which files are needed.", days_ago=3),
        Sheet("kofi", 2, 5, 4, helped="The diagram.", days_ago=12),
        Sheet(
            "elena",
            None,
            4,
            5,
            helped="Short lessons. I can do one while the kettle boils.",
            change="A page to print with all the commands.",
            days_ago=1,
        ),
        Sheet("kofi", None, 4, 5, change="More to try out by myself.", is_anonymous=True),
    ),
    "python-for-the-curious": (
        Sheet("lea", 0, 5, 5, helped="One idea at a time.", days_ago=4),
        Sheet("kofi", 0, 4, 3, change="An exercise at the end.", is_anonymous=True, days_ago=8),
        Sheet("yuki", 1, 4, 4, unclear="What the colon is for.", days_ago=6),
        Sheet("lea", None, 5, 5, helped="The voice. Calm and never in a hurry.", days_ago=2),
    ),
}


def fill_in(session: Session, users: Mapping[str, User], courses: Mapping[str, Course]) -> None:
    for slug, filled in SHEETS.items():
        course = courses[slug]
        asked = form.rows(session, course.id)
        lessons = [lesson for chapter in course.chapters for lesson in chapter.lessons]
        for one in filled:
            said = clock.now() - timedelta(days=one.days_ago)
            words = (one.helped, one.unclear, one.change)
            session.add(
                FeedbackSheet(
                    course_id=course.id,
                    lesson_id=None if one.lesson is None else lessons[one.lesson].id,
                    student_id=users[one.who].id,
                    is_anonymous=one.is_anonymous,
                    created_at=said,
                    updated_at=said,
                    answers=[
                        FeedbackAnswer(question_id=asked[0].id, number=one.clear),
                        FeedbackAnswer(question_id=asked[1].id, number=one.useful),
                        *(
                            FeedbackAnswer(question_id=question.id, text=text)
                            for question, text in zip(asked[2:], words, strict=True)
                            if text
                        ),
                    ],
                )
            )


def review(session: Session, users: Mapping[str, User], courses: Mapping[str, Course]) -> None:
    for slug, voices in REVIEWS.items():
        for voice in voices:
            _say(session, users, courses[slug], voice)
        ratings.recount(session, courses[slug].id)


def _say(session: Session, users: Mapping[str, User], course: Course, voice: Voice) -> None:
    said = clock.now() - timedelta(days=voice.days_ago)
    review = Review(
        course_id=course.id,
        student_id=users[voice.who].id,
        stars=voice.stars,
        text=voice.text,
        helpful=len(voice.helps),
        created_at=said,
        updated_at=said,
    )
    if voice.reply:
        review.answer(voice.reply, said + timedelta(days=1))
    session.add(review)
    session.flush()
    session.add_all(ReviewVote(review_id=review.id, voter_id=users[one].id) for one in voice.helps)
    if voice.reported_by:
        session.add(
            ReviewReport(
                review_id=review.id,
                reporter_id=users[voice.reported_by].id,
                reason=ReportReason.SPAM,
                note="Not about the course at all.",
                created_at=said + timedelta(hours=5),
            )
        )
