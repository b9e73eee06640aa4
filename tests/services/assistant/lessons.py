"""A course whose lessons say something."""

from contextlib import aclosing

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course, Lesson
from luma.services import markdown
from luma.services.assistant import asking, summaries
from luma.services.assistant.summaries import Panel
from luma.services.policies import Actor
from tests.factories import actor, make_course

TEXT = (
    "# Flour\n\nFlour is ground grain, and flour holds the loaf together.\n\n"
    "The protein of flour becomes gluten when it meets water. Strong flour has much protein.\n\n"
    "- A cake wants weak flour with little protein.\n\n```\ncode is left out of it\n```\n\n"
    "My grandmother had a cat. Choose the flour that suits the bread you want to bake."
)


class Desk:
    """The instructor of a course whose lessons say something, at its first lesson."""

    def __init__(self, session: Session, *titles: str, text: str = TEXT) -> None:
        self.session = session
        self.course: Course = make_course(session, lessons=titles or ("Flour", "Water"))
        self.me: Actor = actor(self.course.instructor)
        lessons = self.course.chapters[0].lessons
        for lesson in lessons:
            lesson.text, lesson.text_html = text, markdown.render(text)
        session.flush()
        self.ids = [lesson.public_id for lesson in lessons]
        self.at = (self.course.public_id, self.ids[0])

    def lesson(self, number: int = 0) -> Lesson:
        found = select(Lesson).where(Lesson.public_id == self.ids[number])
        return self.session.scalars(found).one()

    @property
    def panel(self) -> Panel:
        self.session.expire_all()
        return summaries.panel(self.session, self.me, *self.at)

    async def write(self) -> str:
        begun = summaries.begin(self.session, self.me, *self.at)
        self.session.flush()
        async with aclosing(asking.words(begun.call)) as pieces:
            text = "".join([piece async for piece in pieces])
        self.session.expire_all()
        summaries.keep(self.session, self.me, *self.at, begun, text)
        return text

    def approve(self, text: str | None = None) -> None:
        now = self.panel
        said = now.text if text is None else text
        summaries.approve(self.session, self.me, *self.at, now.revision, said)
