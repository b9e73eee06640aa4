"""Stories of an instructor in the studio: the real server, a real browser."""

import io
import re
from collections.abc import Iterator
from itertools import count

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from luma.models.course import Chapter, Course, Lesson
from luma.models.user import User
from luma.values import CourseStatus, Money
from tests.browser.school import School
from tests.factories import enrol, make_course, make_instructor, make_user

_numbers = count(1)


@pytest.fixture
def teacher(school: School, browser: Browser) -> Iterator[Page]:
    """An instructor who has just signed up and confirmed the address."""
    page, email = school.visitor(browser), f"ines{next(_numbers)}@example.org"
    school.sign_up(page, "Ines Weber", email, to_teach=True)
    school.confirm(email)
    yield page
    page.context.close()


def with_course(school: School, browser: Browser, **wishes: object) -> tuple[Page, str]:
    """An instructor in the editor of a course with two live lessons, Flour and Water."""
    with school.session() as session:
        course = make_course(session, **wishes)  # type: ignore[arg-type]
        email, course_id = course.instructor.email, course.public_id
    page = school.visitor(browser)
    school.sign_in(page, email, f"/studio/{course_id}")
    expect(page.get_by_role("tree", name="Outline")).to_be_visible()
    return page, course_id


def lesson_called(school: School, title: str, course: str) -> Lesson | None:
    with school.session() as session:
        return session.scalar(
            select(Lesson)
            .join(Chapter, Chapter.id == Lesson.chapter_id)
            .join(Course, Course.id == Chapter.course_id)
            .where(Course.public_id == course, Lesson.title == title)
        )


def state(school: School, course: str) -> CourseStatus:
    with school.session() as session:
        return session.scalars(select(Course.status).where(Course.public_id == course)).one()


def saved(page: Page) -> None:
    expect(page.locator(".form-state")).to_contain_text("Saved")


def open_lesson(page: Page, title: str) -> None:
    page.get_by_role("treeitem", name=title).click()
    expect(page.get_by_role("form", name="Lesson")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value(title)


def test_an_instructor_builds_and_publishes_a_first_course_by_keyboard(
    school: School, teacher: Page
) -> None:
    keys = teacher.keyboard
    teacher.get_by_label("Name your first course").focus()
    keys.type("Bread at home")
    keys.press("Enter")
    teacher.get_by_label("Name your first chapter").focus()
    keys.type("Basics")
    keys.press("Enter")
    for key in ("ArrowDown", "Enter"):
        keys.press(key)
    keys.type("Flour")
    keys.press("Enter")
    teacher.wait_for_timeout(300)
    keys.press("Space")
    teacher.get_by_label("YouTube address").fill("https://www.youtube.com/watch?v=aircAruvnKk")
    teacher.get_by_role("checkbox", name="Live").check()
    saved(teacher)

    teacher.get_by_role("button", name="Publish course").click()
    teacher.get_by_role("button", name="Say in one sentence what it is about").click()
    expect(teacher.get_by_label("Short description")).to_be_focused()
    keys.type("From flour to loaf.")
    teacher.get_by_label("Description", exact=True).fill("You will **bake**.")
    teacher.get_by_label("Price").fill("49")
    expect(teacher.get_by_role("region", name="Preview")).to_contain_text("You will bake.")
    saved(teacher)
    teacher.get_by_role("button", name="Publish course").click()

    expect(teacher.get_by_text("Your course is on sale.")).to_be_visible()
    expect(teacher.get_by_role("link", name="View course page")).to_be_visible()
    teacher.goto("/courses/bread-at-home")
    expect(teacher.get_by_role("heading", level=1)).to_have_text("Bread at home")


def test_what_is_typed_is_saved_by_itself_and_shown_in_the_outline(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")

    page.get_by_label("Title").fill("Strong flour")
    page.get_by_label("Text").fill("Take *strong* flour.")

    expect(page.get_by_role("treeitem", name="Strong flour")).to_be_visible()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Take strong flour.")
    saved(page)
    written = lesson_called(school, "Strong flour", course)
    assert written is not None
    assert written.text_html == "<p>Take <em>strong</em> flour.</p>\n"


def test_a_field_being_typed_in_is_never_written_over(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser)
    open_lesson(page, "Flour")
    title = page.get_by_label("Title")

    title.press("End")
    title.type(" and ")
    saved(page)
    page.wait_for_timeout(900)
    expect(title).to_have_value("Flour and ")
    title.type("water ")
    page.get_by_label("Text").focus()

    expect(title).to_have_value("Flour and water")


def test_bad_input_is_said_at_its_field_and_the_rest_is_saved(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")

    page.get_by_label("YouTube address").fill("https://vimeo.com/76979871")
    page.get_by_label("Text").fill("Kept")
    page.get_by_label("Text").blur()

    expect(page.get_by_role("alert")).to_contain_text("Paste the address of a YouTube video")
    expect(page.locator(".form-state")).to_have_text("Not saved: see the marked field")
    expect(page.get_by_label("YouTube address")).to_have_value("https://vimeo.com/76979871")
    flour = lesson_called(school, "Flour", course)
    assert flour is not None
    assert (flour.text, flour.video_id) == ("Kept", "M7lc1UVf-VE")


def test_two_windows_of_one_lesson_show_both_versions(school: School, browser: Browser) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Text").fill("From the other window")
    other.get_by_label("Title").fill("Other title")
    saved(other)

    page.get_by_label("Text").fill("From this window")

    clash = page.get_by_role("alert")
    expect(clash).to_contain_text("This was changed in another window")
    expect(clash).to_contain_text("From the other window")
    expect(page.get_by_label("Title")).to_have_value("Other title")
    page.get_by_role("button", name="Keep mine").click()
    saved(page)
    flour = lesson_called(school, "Other title", course)
    assert flour is not None
    assert flour.text == "From this window"


def test_what_the_server_has_not_taken_survives_in_the_browser(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")
    page.evaluate("window.socket.io.engine.close(); window.socket.io.reconnection(false)")
    page.get_by_label("Text").fill("Written on the train")
    page.wait_for_timeout(1200)
    expect(page.locator(".form-state")).to_have_text("Saving…")
    before = lesson_called(school, "Flour", course)
    assert before is not None
    assert before.text == ""

    page.reload()

    expect(page.get_by_label("Text")).to_have_value("Written on the train")
    saved(page)
    flour = lesson_called(school, "Flour", course)
    assert flour is not None
    assert flour.text == "Written on the train"


def test_a_currency_that_does_not_fit_the_price_is_settled_with_the_next_price(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser, price=Money(4950, "usd"))

    page.get_by_label("Currency").select_option("jpy")
    expect(page.get_by_role("alert")).to_have_text("JPY amounts have no decimals.")
    page.get_by_label("Price").fill("4900")
    page.get_by_label("Price").blur()

    saved(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    with school.session() as session:
        sold = session.scalars(select(Course).where(Course.public_id == course)).one()
        assert sold.price == Money(4900, "jpy")


def test_nothing_is_published_while_a_field_is_not_saved_as_it_stands(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    page.get_by_label("Price").fill("fourty nine")
    open_lesson(page, "Flour")

    page.get_by_role("button", name="Publish course").click()

    expect(page.get_by_text("“Price” is not saved as it stands.")).to_be_visible()
    expect(page.get_by_label("Price")).to_be_focused()
    assert state(school, course) is CourseStatus.DRAFT
    page.get_by_label("Price").fill("49")
    page.get_by_role("button", name="Publish course").click()
    expect(page.get_by_text("Your course is on sale.")).to_be_visible()
    assert state(school, course) is CourseStatus.PUBLISHED


def test_a_removed_lesson_comes_back_by_undo(school: School, browser: Browser) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")
    page.get_by_role("treeitem", name="Flour").focus()

    page.keyboard.press("Delete")
    expect(page.get_by_role("form", name="Course settings")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("treeitem", name="Flour")).to_be_visible()
    expect(page.get_by_role("form", name="Lesson")).to_be_visible()
    flour = lesson_called(school, "Flour", course)
    assert flour is not None
    assert flour.deleted_at is None
    assert flour.position == 0


def test_a_refused_removal_comes_back_by_itself(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser, lessons=("Only one",), published=True)
    page.get_by_role("treeitem", name="Only one").focus()

    page.keyboard.press("Delete")

    expect(page.get_by_text("A published course needs a live lesson")).to_be_visible()
    expect(page.get_by_role("treeitem", name="Only one")).to_be_visible()


def test_a_lesson_renamed_in_the_outline_is_renamed_in_its_form(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")
    page.get_by_role("treeitem", name="Flour").focus()

    page.keyboard.press("F2")
    page.keyboard.type("Rye")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_have_value("Rye")
    page.get_by_label("Text").fill("Still one window")

    saved(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    rye = lesson_called(school, "Rye", course)
    assert rye is not None
    assert rye.text == "Still one window"


def test_changing_the_lesson_at_once_still_saves_the_one_before(
    school: School, browser: Browser
) -> None:
    page, course = with_course(school, browser)
    open_lesson(page, "Flour")

    page.get_by_label("Text").fill("Typed and left")
    open_lesson(page, "Water")

    for _ in range(60):
        flour = lesson_called(school, "Flour", course)
        if flour is not None and flour.text == "Typed and left":
            break
        page.wait_for_timeout(50)
    assert flour is not None
    assert flour.text == "Typed and left"
    expect(page.get_by_label("Text")).to_have_value("")


def test_the_open_lesson_stands_in_the_address(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser)
    open_lesson(page, "Water")
    expect(page).to_have_url(re.compile(r"\?lesson=les_"))

    page.reload()

    expect(page.get_by_label("Title")).to_have_value("Water")


def test_a_cover_is_put_up_and_taken_away(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser)
    file = io.BytesIO()
    Pillow.new("RGB", (1600, 900), "#336699").save(file, "JPEG")

    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a picture").click()
    chosen.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})

    expect(page.get_by_text("The cover is changed.")).to_be_visible()
    picture = page.locator(".settings .cover img")
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 1280
    page.get_by_role("button", name="Remove picture").click()
    expect(picture).to_have_count(0)


def test_what_is_no_picture_is_refused(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser)

    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a picture").click()
    nasty = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    chosen.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": nasty})

    expect(page.get_by_text("Choose a picture in PNG, JPEG or WebP.")).to_be_visible()


def test_unpublishing_a_course_with_students_asks_first(school: School, browser: Browser) -> None:
    with school.session() as session:
        course = make_course(session, published=True)
        enrol(session, make_user(session), course)
        email, course_id = course.instructor.email, course.public_id
    page = school.visitor(browser)
    school.sign_in(page, email, f"/studio/{course_id}")

    page.get_by_role("button", name="Unpublish course").click()
    expect(page.get_by_role("button", name="Keep it on sale")).to_be_focused()
    page.get_by_role("button", name="Unpublish", exact=True).click()

    expect(page.get_by_role("button", name="Publish course", exact=True)).to_be_visible()
    with school.session() as session:
        unpublished = session.scalars(select(Course).where(Course.public_id == course_id)).one()
        assert unpublished.status is CourseStatus.DRAFT


def test_a_deleted_course_comes_back_by_undo(school: School, browser: Browser) -> None:
    page, course = with_course(school, browser, title="Short-lived")

    page.get_by_role("button", name="Delete course").click()
    expect(page).to_have_url(f"{school.url}/studio?deleted={course}")
    expect(page.get_by_role("heading", name="Teach what you know")).to_be_visible()
    expect(page.get_by_text("“Short-lived” is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("link", name="Short-lived")).to_be_visible()


def test_my_courses_are_listed_and_one_is_begun(school: School, browser: Browser) -> None:
    page, _ = with_course(school, browser, title="The first one")
    page.goto("/studio")
    expect(page.get_by_role("link", name="The first one")).to_be_visible()

    page.get_by_label("New course").fill("The second one")
    page.get_by_role("button", name="Create course").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("The second one")
    expect(page).to_have_url(re.compile("/studio/crs_"))


def test_another_instructors_course_is_not_found(school: School, browser: Browser) -> None:
    with school.session() as session:
        course = make_course(session).public_id
        stranger: User = make_instructor(session, "Mallory")
        email = stranger.email
    page = school.visitor(browser)
    school.sign_in(page, email)

    response = page.goto(f"/studio/{course}")

    assert response is not None
    assert response.status == 404
    expect(page.get_by_text("There is no such course among yours.")).to_be_visible()


def test_a_student_is_told_who_works_in_the_studio(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Sam", f"sam{next(_numbers)}@studio.example.org")

    response = page.goto("/studio")

    assert response is not None
    assert response.status == 403
    expect(page.get_by_text("Only instructors work in the studio")).to_be_visible()


def test_on_a_phone_a_tapped_lesson_comes_into_view(school: School, browser: Browser) -> None:
    with school.session() as session:
        course = make_course(session, lessons=tuple(f"Lesson {n}" for n in range(30)))
        email, course_id = course.instructor.email, course.public_id
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = school.visitor(browser, **phone)
    school.sign_in(page, email, f"/studio/{course_id}")

    page.get_by_role("treeitem", name="Lesson 2", exact=False).first.tap()
    expect(page.get_by_role("heading", name="Lesson", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Outline").tap()

    expect(page.get_by_role("button", name="Course settings")).to_be_in_viewport()
