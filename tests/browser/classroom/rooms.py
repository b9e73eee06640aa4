"""A course of three lessons, and somebody in its classroom."""

import re
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.services import clock
from tests.browser.school import School
from tests.factories import enrol, make_course, make_user

EIGHT_SECONDS = "thisis00008"
TEN_MINUTES = "thisis00600"
DEAD = "dead-video1"
TEXT = "<p>Flour remembers the field it grew on.</p>"


@dataclass
class Room:
    """A course of three lessons, and the one who learns it in a browser."""

    page: Page
    slug: str
    lessons: list[str]
    teacher: str

    def address(self, lesson: int) -> str:
        return f"/learn/{self.slug}/{self.lessons[lesson]}"

    def enter(self, lesson: int = 0) -> None:
        self.page.goto(self.address(lesson))
        expect(self.page.locator("#paper")).to_have_count(0)

    def row(self, title: str) -> str:
        """The accessible state of a lesson in the outline."""
        name = self.page.get_by_role("navigation", name="Lessons").get_by_role("link", name=title)
        return name.get_attribute("class") or ""

    def time(self) -> float:
        """Where the stand-in's video is."""
        return float(self._shown()[1])

    def rate(self) -> float:
        return float(self._shown()[2])

    def _shown(self) -> list[str]:
        return self.page.frame_locator("iframe").locator("#shown").inner_text().split()

    def wait_until(self, second: float) -> None:
        shown = self.page.frame_locator("iframe").locator("#shown")
        pattern = "|".join(str(s) for s in range(int(second), int(second) + 60))
        expect(shown).to_have_text(re.compile(rf"^1 ({pattern})\."), timeout=15_000)


def a_room(
    browser: Browser,
    school: School,
    *,
    video: str = EIGHT_SECONDS,
    is_student: bool = True,
    is_draft: bool = False,
    part: tuple[int, int] = (0, 0),
    **wishes: object,
) -> Room:
    with school.session() as session:
        course = make_course(session, lessons=("Flour", "Water", "Salt"), published=True)
        _furnish(course, video, is_draft=is_draft)
        first = course.chapters[0].lessons[0]
        first.video_start, first.duration = part
        student = make_user(session)
        if is_student:
            enrol(session, student, course)
        room = Room(school.visitor(browser, **wishes), course.slug, _ids(course), _mail(course))
        mail = student.email
    school.sign_in(room.page, mail, "/learn")
    return room


def _furnish(course: Course, video: str, *, is_draft: bool) -> None:
    flour, water, salt = course.chapters[0].lessons
    flour.video_id, flour.duration, flour.text_html = video, 0, TEXT
    flour.is_preview = True
    water.video_id, water.duration = TEN_MINUTES, 0
    salt.video_id = None
    if is_draft:
        salt.hide(clock.now())


def _ids(course: Course) -> list[str]:
    return [lesson.public_id for lesson in course.chapters[0].lessons]


def _mail(course: Course) -> str:
    return course.instructor.email
