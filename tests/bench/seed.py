"""A school of any size, written in bulk."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Course
from luma.models.progress import Enrolment
from luma.models.user import SignedIn, User, UserRole
from luma.services import clock, markdown, search
from luma.values import CourseStatus, EnrolmentSource, Role, Subject
from tests.factories import password_hash

SHORT, LONG = "sixty-lessons", "six-hundred-lessons"
STUDENTS = 600
TEACHER = "teacher@bench.example"

WORDS = (
    "Bread",
    "Glass",
    "Light",
    "Numbers",
    "Rivers",
    "Paper",
    "Chess",
    "Python",
    "Music",
    "Maps",
)
DESCRIPTION = "\n\n".join(
    [
        "## What you will learn",
        "- How it works, from first to last.\n- Why it works.\n- When not.",
        "A course in small steps, each with **something to do** and a `result` to look at. " * 4,
        "## Who it is for",
        "Anyone with an hour a week. Nothing has to be known before. " * 4,
    ]
)

LESSONS = text("""
INSERT INTO lessons (public_id, chapter_id, title, text, text_html, video_id, video_start, duration,
                     status, is_preview, position, revision, updated_at, transcript, summary_html)
SELECT 'les_' || chapters.id || 'x' || n, chapters.id, 'Lesson ' || n, :words,
       '<p>Text of les_' || chapters.id || 'x' || n || '.</p>' || :html, 'M7lc1UVf-VE', 0, 240 + n,
       'live', chapters.position = 0 AND n = 0, n, 1, now(), '', ''
FROM chapters, generate_series(0, :lessons - 1) AS n
WHERE chapters.course_id = ANY(:courses)
""")


@dataclass(frozen=True, slots=True)
class Shape:
    chapters: int
    lessons: int


USUAL = Shape(2, 6)
SHAPES = {SHORT: Shape(10, 6), LONG: Shape(20, 30)}


def token(email: str) -> str:
    """What this person's cookie holds: they are signed in from the start."""
    return hashlib.sha256(f"bench {email}".encode()).hexdigest()


def student(number: int) -> str:
    return f"student{number}@bench.example"


def school(session: Session, courses: int) -> None:
    """So many published courses, two of them long, and students of the long ones."""
    now = clock.now()
    teacher = _people(session, [TEACHER], now, (Role.STUDENT, Role.INSTRUCTOR))[0]
    students = _people(session, [student(n) for n in range(STUDENTS)], now, (Role.STUDENT,))
    slugs = [SHORT, LONG, *(f"course-{n}" for n in range(courses - len(SHAPES)))]
    rows = [_course(slug, n, teacher, now) for n, slug in enumerate(slugs)]
    ids = dict(
        zip(
            slugs,
            session.scalars(
                insert(Course).returning(Course.id, sort_by_parameter_order=True), rows
            ),
            strict=True,
        )
    )
    _outlines(session, [ids[slug] for slug in slugs if slug not in SHAPES], USUAL)
    for slug, shape in SHAPES.items():
        _outlines(session, [ids[slug]], shape)
        _enrol(session, students, ids[slug], now)


def analyse(session: Session) -> None:
    session.execute(text("ANALYZE"))


def first_lesson(session: Session, slug: str) -> tuple[str, str]:
    """The addresses of the first lesson and of the one after it."""
    found = session.scalars(
        text(
            "SELECT lessons.public_id FROM lessons JOIN chapters ON chapters.id = chapter_id"
            " JOIN courses ON courses.id = course_id WHERE slug = :slug"
            " ORDER BY chapters.position, lessons.position LIMIT 2"
        ),
        {"slug": slug},
    )
    first, second = (f"/learn/{slug}/{lesson}" for lesson in found)
    return first, second


def _people(
    session: Session, emails: list[str], now: datetime, roles: tuple[Role, ...]
) -> list[int]:
    """Made and signed in; their ids."""
    one = {"name": "Anna Berg", "password_hash": password_hash(), "created_at": now}
    new = insert(User).returning(User.id, sort_by_parameter_order=True)
    ids = list(session.scalars(new, [{**one, "email": email} for email in emails]))
    pairs = [{"user_id": number, "role": role} for number in ids for role in roles]
    session.execute(insert(UserRole), pairs)
    seen = {"created_at": now, "last_seen_at": now, "authenticated_at": now}
    signed_in = [
        {
            "user_id": number,
            "token_hash": hashlib.sha256(token(email).encode()).digest(),
            "expires_at": now + timedelta(days=30),
            "address": "127.0.0.1",
            "user_agent": "bench",
            **seen,
        }
        for number, email in zip(ids, emails, strict=True)
    ]
    session.execute(insert(SignedIn), signed_in)
    return ids


def _course(slug: str, number: int, teacher: int, now: datetime) -> dict[str, object]:
    words = f"{WORDS[number % 10]} and {WORDS[number // 10 % 10].lower()}, part {number // 100 + 1}"
    subjects = list(Subject)
    return {
        "public_id": f"crs_{number:012d}",
        "slug": slug,
        "title": slug.replace("-", " ").capitalize() if slug in SHAPES else words,
        "summary": "What you need to know, and nothing else.",
        "description": DESCRIPTION,
        "subject": subjects[number % len(subjects)],
        "status": CourseStatus.PUBLISHED,
        "price_minor": 0 if number % 5 == 4 else 4900,
        "price_currency": "usd",
        "instructor_id": teacher,
        "search": search.vector({"A": words, "D": DESCRIPTION}),
        "created_at": now,
        "updated_at": now,
        "published_at": now - timedelta(minutes=number),
    }


def _outlines(session: Session, courses: list[int], shape: Shape) -> None:
    session.execute(
        insert(Chapter),
        [
            {"course_id": course, "title": f"Chapter {n + 1}", "position": n}
            for course in courses
            for n in range(shape.chapters)
        ],
    )
    words = {"words": DESCRIPTION, "html": markdown.render(DESCRIPTION)}
    session.execute(LESSONS, {"courses": courses, "lessons": shape.lessons, **words})


def _enrol(session: Session, students: list[int], course: int, now: datetime) -> None:
    source = {"source": EnrolmentSource.PURCHASE, "created_at": now, "active": True}
    rows = [{"student_id": student, "course_id": course, **source} for student in students]
    session.execute(insert(Enrolment), rows)
