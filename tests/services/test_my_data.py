"""What LUMA knows about a person, as one file."""

import csv
import io
import json
from zipfile import ZipFile

import pytest
from sqlalchemy.orm import Session

from luma.errors import ProveAgain, TooMany
from luma.models.progress import LessonProgress
from luma.models.user import User
from luma.services import accounts, clock, my_data, my_data_archive, profiles, reviews, spreadsheets
from luma.services.accounts import Visit
from luma.services.my_data import Table
from tests.factories import actor, enrol, fresh, make_course, make_user

HOSTILE = '=HYPERLINK("x") <script>alert(1)</script> & "quotes"'


def archive(name: str, tables: list[Table]) -> ZipFile:
    with my_data_archive.packed(name, tables) as file:
        return ZipFile(io.BytesIO(file.read()))


def busy(session: Session) -> User:
    """Somebody of whom everything is known."""
    anna = make_user(session, "Anna Berg", email="anna@example.org")
    course = make_course(session, "Bread", published=True)
    enrol(session, anna, course)
    session.add(
        LessonProgress(
            student_id=anna.id,
            lesson_id=course.chapters[0].lessons[0].id,
            position=61,
            updated_at=clock.now(),
        )
    )
    accounts.open_session(session, anna.id, Visit("203.0.113.7", "Firefox"))
    profiles.save(session, actor(anna), "Anna Berg", HOSTILE)
    reviews.write(session, actor(anna), course.slug, 4, "Good.")
    return anna


def test_everything_is_there_and_nothing_of_others(session: Session) -> None:
    anna = busy(session)
    make_course(session, "Foreign", published=True)

    found = {table.name: table for table in my_data.tables(session, fresh(anna))}

    assert ("E-mail address", "anna@example.org") in found["profile"].rows
    assert found["courses"].rows[0][0] == "Bread"
    assert found["progress"].rows[0][:3] == ("Bread", "Flour", 61)
    assert found["sign-ins"].rows[0][3:] == ("203.0.113.7", "Firefox")
    assert found["reviews"].rows[0][:3] == ("Bread", 4, "Good.")
    assert "Foreign" not in repr(found)
    assert found["teaching"].rows == ()


def test_an_instructor_takes_their_courses_along(session: Session) -> None:
    course = make_course(session, "Bread")

    found = {table.name: table for table in my_data.tables(session, fresh(course.instructor))}

    assert found["teaching"].rows[0][:3] == ("Bread", "draft", "$49")
    assert [row[2] for row in found["lessons"].rows] == ["Flour", "Water"]


def test_the_file_can_be_read_by_people_and_programs(session: Session) -> None:
    anna = busy(session)
    tables = my_data.tables(session, fresh(anna))

    file = archive("Anna <Berg>", tables)

    page = file.read("index.html").decode()
    assert "Anna &lt;Berg&gt;" in page
    assert "<script>" not in page
    kept = json.loads(file.read("data.json"))
    assert {"What": "About me", "Value": HOSTILE} in kept["profile"]
    sheet = csv.reader(io.StringIO(file.read("tables/profile.csv").decode("utf-8-sig")))
    assert ["About me", f"'{HOSTILE}"] in list(sheet)
    assert file.testzip() is None


def test_no_secret_is_in_it(session: Session) -> None:
    anna = busy(session)

    said = repr(my_data.tables(session, fresh(anna)))

    assert anna.password_hash is not None
    assert anna.password_hash not in said
    assert "argon2" not in said


def test_what_would_be_too_large_is_cut_and_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(session, "Bread", lessons=("One", "Two", "Three"))
    monkeypatch.setattr(my_data, "MOST_ROWS", 2)

    tables = my_data.tables(session, fresh(course.instructor))

    lessons = next(table for table in tables if table.name == "lessons")
    assert (len(lessons.rows), lessons.is_cut) == (2, True)
    assert "more than fits" in archive("Anna", [lessons]).read("index.html").decode()


def test_the_size_of_a_table_is_bounded_as_well(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(session, "Bread", lessons=("One", "Two"))
    course.chapters[0].lessons[1].text = "x" * 1000
    session.flush()
    monkeypatch.setattr(my_data, "MOST_SIGNS", 500)

    tables = my_data.tables(session, fresh(course.instructor))

    lessons = next(table for table in tables if table.name == "lessons")
    assert (len(lessons.rows), lessons.is_cut) == (1, True)


def test_it_asks_who_one_is_and_is_counted(session: Session) -> None:
    anna = make_user(session)
    for ask in (my_data.begin, my_data.tables):
        with pytest.raises(ProveAgain):
            ask(session, actor(anna))
    for _ in range(5):
        my_data.begin(session, fresh(anna))

    with pytest.raises(TooMany):
        my_data.begin(session, fresh(anna))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "  =1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert spreadsheets.cell(text) == f"'{text}"
