"""The answers of a course as a table for a spreadsheet, in which no answer can be a formula."""

from sqlalchemy.orm import Session

from luma.services import spreadsheets
from luma.services.authors import own_course
from luma.services.feedback import results
from luma.services.feedback.results import Wish
from luma.services.policies import Actor

HEADINGS = ("Week of", "Lesson", "Question", "Answer", "Student")
WHOLE_COURSE = "Whole course"
MOST_ROWS = 50_000


def table(session: Session, actor: Actor, course: str, wish: Wish) -> str:
    """All of what the filter shows, as CSV."""
    own = own_course(session, actor, course)
    rows = (
        (said.week.isoformat(), said.lesson or WHOLE_COURSE, said.question, said.text, said.writer)
        for said in results.written(session, own.id, wish, limit=MOST_ROWS)
    )
    return spreadsheets.sheet(HEADINGS, rows)
