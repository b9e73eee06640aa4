"""The answers of a course as a table for a spreadsheet, in which no answer can be a formula."""

import csv
from io import StringIO

from sqlalchemy.orm import Session

from luma.services.authors import own_course
from luma.services.feedback import results
from luma.services.feedback.results import Wish
from luma.services.policies import Actor

HEADINGS = ("Week of", "Lesson", "Question", "Answer", "Student")
WHOLE_COURSE = "Whole course"
MOST_ROWS = 50_000
FORMULAS = ("=", "+", "-", "@")


def table(session: Session, actor: Actor, course: str, wish: Wish) -> str:
    """All of what the filter shows, as CSV. It begins with the mark by which Excel knows UTF-8."""
    own = own_course(session, actor, course)
    out = StringIO(newline="")
    out.write("\ufeff")
    sheet = csv.writer(out)
    sheet.writerow(HEADINGS)
    for said in results.written(session, own.id, wish, limit=MOST_ROWS):
        where = said.lesson or WHOLE_COURSE
        sheet.writerow(
            map(_plain, (said.week.isoformat(), where, said.question, said.text, said.writer))
        )
    return out.getvalue()


def _plain(text: str) -> str:
    """Spreadsheets take what begins like this for a formula, some also after blanks."""
    is_formula = text.startswith("\t") or text.lstrip().startswith(FORMULAS)
    return f"'{text}" if is_formula else text
