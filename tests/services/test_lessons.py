from collections.abc import Mapping

import pytest
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.services import lessons, outline
from luma.services.lessons import Clash, Saved, Sheet
from luma.values import LessonStatus
from tests.factories import actor, make_course, make_instructor


def first(session: Session, course: Course) -> Sheet:
    me = actor(course.instructor)
    tree = outline.tree(session, me, course.public_id)
    return lessons.sheet(session, me, course.public_id, tree[0].lessons[0].id)


def save(session: Session, course: Course, sheet: Sheet, **changes: object) -> Saved:
    me = actor(course.instructor)
    saved = lessons.update(session, me, course.public_id, sheet.id, sheet.revision, changes)
    assert isinstance(saved, Saved)
    return saved


def test_a_lesson_is_written_and_read_back(session: Session) -> None:
    course = make_course(session)
    before = first(session, course)

    saved = save(
        session,
        course,
        before,
        title=" Warm water ",
        text="Take *warm* water.\r\n",
        video="https://www.youtube.com/watch?v=aircAruvnKk&t=1m",
        duration="1:02:03",
        is_preview=True,
    )

    assert saved.refused == {}
    assert saved.sheet.title == "Warm water"
    assert saved.sheet.text == "Take *warm* water."
    assert saved.sheet.text_html == "<p>Take <em>warm</em> water.</p>\n"
    assert saved.sheet.video == "https://youtu.be/aircAruvnKk?t=60"
    assert (saved.sheet.video_id, saved.sheet.video_start) == ("aircAruvnKk", 60)
    assert saved.sheet.duration == 3723
    assert saved.sheet.is_preview
    assert saved.sheet.revision == before.revision + 1
    assert first(session, course) == saved.sheet


def test_one_bad_field_does_not_keep_the_others_from_being_saved(session: Session) -> None:
    course = make_course(session)

    saved = save(session, course, first(session, course), title="", text="Kept", video="nonsense")

    assert saved.sheet.text == "Kept"
    assert saved.sheet.title == "Flour"
    assert saved.refused["title"] == "Title is empty. Type something."
    assert saved.refused["video"].startswith("Paste the address of a YouTube video")


def test_a_change_made_on_an_old_revision_writes_nothing_and_shows_theirs(
    session: Session,
) -> None:
    course = make_course(session)
    opened = first(session, course)
    save(session, course, opened, text="Mine, from the other window")

    clash = lessons.update(
        session,
        actor(course.instructor),
        course.public_id,
        opened.id,
        opened.revision,
        {"text": "Mine, too late"},
    )

    assert isinstance(clash, Clash)
    assert clash.theirs.text == "Mine, from the other window"
    assert first(session, course).text == "Mine, from the other window"


def test_saving_what_is_there_already_changes_no_revision(session: Session) -> None:
    course = make_course(session)
    before = first(session, course)

    saved = save(session, course, before, title=before.title, video=before.video)

    assert saved.sheet == before


def test_another_video_forgets_the_length_of_the_one_before(session: Session) -> None:
    course = make_course(session)

    saved = save(session, course, first(session, course), video="https://youtu.be/aircAruvnKk")

    assert saved.sheet.duration == 0


def test_an_empty_address_takes_the_video_away(session: Session) -> None:
    course = make_course(session)

    saved = save(session, course, first(session, course), video="  ")

    assert (saved.sheet.video, saved.sheet.video_id) == ("", None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("", 0), ("4:05", 245), ("75:30", 4530), ("1:02:03", 3723), ("12", 720), ("0:00", 0)],
)
def test_a_length_is_read(said: str, seconds: int) -> None:
    assert lessons.seconds_in(said) == seconds


@pytest.mark.parametrize(
    "said", ["4:75", "1:60:00", "soon", "-1:00", "1:2:3:4", "٤:٠٥", "101:00:00", "9" * 30, ":", 12]
)
def test_a_length_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(RuleBroken):
        lessons.seconds_in(said)


def test_an_empty_lesson_does_not_go_live(session: Session) -> None:
    course = make_course(session)
    me, chapter = actor(course.instructor), course.chapters[0].id
    new = outline.add_lesson(session, me, course.public_id, "New", chapter, None)
    empty = lessons.sheet(session, me, course.public_id, new)

    saved = save(session, course, empty, status="live")
    filled = save(session, course, saved.sheet, status="live", text="Something to read")

    assert saved.refused["status"].startswith("Add a video or some text")
    assert saved.sheet.status is LessonStatus.DRAFT
    assert filled.sheet.status is LessonStatus.LIVE


def test_the_last_live_lesson_of_a_published_course_stays_live_and_the_rest_is_saved(
    session: Session,
) -> None:
    course = make_course(session, lessons=("Only one",), published=True)

    saved = save(session, course, first(session, course), status="draft", text="New text")

    assert saved.sheet.status is LessonStatus.LIVE
    assert saved.sheet.text == "New text"
    assert saved.refused["status"].startswith("A published course needs a live lesson")


BAD: tuple[Mapping[str, object], ...] = (
    {"title": 5},
    {"title": None},
    {"title": "x" * 121},
    {"title": "a\0b"},
    {"title": "\ud800"},
    {"text": "a\0b"},
    {"text": "x" * 1_000_000},
    {"text": ["a"]},
    {"video": {"id": 1}},
    {"video": "javascript:alert(1)"},
    {"duration": 2**63},
    {"status": "published"},
    {"status": 1},
    {"is_preview": "yes"},
    {"revision": 7},
    {"chapter_id": 1},
)


@pytest.mark.parametrize("changes", BAD)
def test_what_cannot_be_stored_is_refused_at_its_field(
    session: Session, changes: Mapping[str, object]
) -> None:
    course = make_course(session)
    before = first(session, course)

    saved = save(session, course, before, **changes)

    assert set(saved.refused) == set(changes)
    assert first(session, course) == before


def test_markup_in_a_lesson_is_text(session: Session) -> None:
    course = make_course(session)
    nasty = '<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror="alert(1)">'

    html = save(session, course, first(session, course), text=nasty).sheet.text_html

    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_another_instructors_lesson_is_not_found(session: Session) -> None:
    theirs = first(session, course := make_course(session))
    stranger = actor(make_instructor(session, "Mallory"))
    mine = make_course(session, "Mine")

    for course_id, who in (
        (course.public_id, stranger),
        (mine.public_id, actor(mine.instructor)),
    ):
        with pytest.raises(NotFound):
            lessons.sheet(session, who, course_id, theirs.id)
        with pytest.raises(NotFound):
            lessons.update(session, who, course_id, theirs.id, 1, {"title": "Mine"})
