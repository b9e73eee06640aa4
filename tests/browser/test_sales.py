"""The story of a sale that its instructor looks at: in figures, in the list, in a spreadsheet."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.models.user import User
from luma.services import clock
from tests import ledgers
from tests.browser.school import School
from tests.browser.test_buying import expect_access, newcomer, press, to_the_till
from tests.factories import make_instructor, make_published


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        course = make_published(session, "=Bread for beginners")
        course.instructor = make_instructor(session)
        return course


@pytest.fixture
def teacher(school: School, browser: Browser, course: Course) -> Page:
    with school.session() as session:
        email = session.get_one(User, course.instructor_id).email
    page = school.visitor(browser)
    school.sign_in(page, email, "/studio")
    return page


def test_a_sale_is_in_the_figures_in_the_list_and_in_the_spreadsheet(
    school: School, browser: Browser, teacher: Page, course: Course
) -> None:
    teacher.get_by_role("navigation", name="Studio").get_by_role("link", name="Sales").click()
    expect(teacher.get_by_role("heading", name="Nothing sold yet")).to_be_visible()
    buyer = newcomer(school, browser)
    to_the_till(buyer, course)
    press(buyer, "Pay $49")
    expect_access(buyer, course)

    teacher.reload()

    figures = teacher.get_by_role("region", name="Figures")
    expect(figures.get_by_text("$44.10").first).to_be_visible()
    expect(teacher.get_by_text("Sandbox sales")).to_be_visible()
    row = teacher.get_by_role("row").filter(has_text="Bea Buyer")
    expect(row).to_contain_text("$49")
    expect(row).to_contain_text("has access")
    with teacher.expect_download() as saved:
        teacher.get_by_role("link", name="Download as CSV").click()
    text = Path(saved.value.path()).read_text("utf-8-sig")
    (line,) = csv.DictReader(text.splitlines())
    assert (line["Student"], line["Paid"], line["Net"]) == ("Bea Buyer", "49.00", "44.10")
    assert line["Course"] == "'=Bread for beginners"


def test_the_days_are_chosen_in_the_address_and_the_chart_is_a_table_too(
    school: School, teacher: Page, course: Course
) -> None:
    with school.session() as session:
        held = session.get_one(Course, course.id)
        ledgers.sold(session, held, clock.now())
    teacher.goto("/studio/sales")

    teacher.get_by_role("navigation", name="Days").get_by_role("link", name="90 days").click()

    expect(teacher).to_have_url(f"{school.url}/studio/sales?range=90")
    teacher.get_by_text("Show as table").click()
    table = teacher.get_by_role("region", name="The chart as a table")
    expect(table.get_by_role("row").nth(1)).to_contain_text("$49")
    teacher.goto("/studio/sales?range=own&from=2020-01-01&to=2020-01-31")
    expect(teacher.get_by_text("No orders in these days")).to_be_visible()
    teacher.goto("/studio/sales?range=own&from=soon&to=later")
    expect(teacher.get_by_role("alert")).to_contain_text("2026-11-23")


def test_a_receipt_is_there_for_the_buyer(school: School, browser: Browser, course: Course) -> None:
    buyer = newcomer(school, browser)
    to_the_till(buyer, course)
    press(buyer, "Pay $49")
    expect_access(buyer, course)

    buyer.goto("/orders")
    buyer.get_by_role("link", name="Receipt").click()

    expect(buyer.get_by_role("heading", name="Receipt")).to_be_visible()
    expect(buyer.get_by_role("article")).to_contain_text("A test: no money moved.")
    expect(buyer.get_by_role("row").filter(has_text="Paid")).to_contain_text("$49")
