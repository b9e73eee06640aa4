"""Stories of an admin: somebody kept out, a course hidden, a job run again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select, text, update

from luma.models.audit import AuditEntry
from luma.models.review import Review
from luma.models.user import SignedIn, User, UserRole
from luma.services import clock, failures, queue, review_reactions, reviews
from luma.values import Role
from tests.browser.school import School
from tests.factories import PASSWORD, actor, enrol, make_instructor, make_published, make_user

SECTIONS = ("", "/users", "/courses", "/reviews", "/mail", "/jobs", "/ai", "/settings", "/log")
WHY = "Lesson 2 is not yours to show."


@pytest.fixture
def admin(school: School, browser: Browser) -> Iterator[Page]:
    """Ada, in the browser in which she has just signed in."""
    with school.session() as session:
        ada = make_user(session, "Ada Kim", roles=(Role.ADMIN,))
        email, number = ada.email, ada.id
    page = school.visitor(browser)
    school.sign_in(page, email, "/admin")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    yield page
    page.context.close()
    with school.session() as session:
        session.execute(update(User).where(User.id == number).values(disabled_at=clock.now()))


def manage(page: Page, name: str) -> None:
    page.get_by_text(f"Manage {name}", exact=True).click()


def acts(school: School, thing: str) -> list[str]:
    with school.session() as session:
        entries = select(AuditEntry.act).where(AuditEntry.thing == thing).order_by(AuditEntry.id)
        return list(session.scalars(entries))


def test_who_is_disabled_leaves_an_open_page_and_stays_out(
    school: School, browser: Browser, admin: Page
) -> None:
    with school.session() as session:
        ines = make_instructor(session, "Ines Disabled")
        email, number = ines.email, ines.id
    theirs = school.visitor(browser)
    school.sign_in(theirs, email, "/studio")
    expect(theirs.get_by_label("Name your first course")).to_be_visible()

    admin.goto("/admin/users")
    admin.get_by_label("Name or e-mail address").fill("ines dis")
    admin.get_by_role("button", name="Search").click()
    manage(admin, "Ines Disabled")
    admin.get_by_label("Reason, for the log").fill("Sold what was not hers")
    admin.get_by_role("button", name="Disable account").click()

    expect(admin.get_by_text("disabled and signed out everywhere")).to_be_visible()
    expect(admin.get_by_role("button", name="Enable account")).to_be_visible()
    theirs.wait_for_url(lambda url: "/sign-in" in url)
    theirs.get_by_label("E-mail address").fill(email)
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(theirs.get_by_role("alert")).to_contain_text("do not go together")
    assert acts(school, f"user {number}") == ["user.disable"]

    admin.get_by_role("button", name="Enable account").click()
    expect(admin.get_by_text("can be used again")).to_be_visible()
    school.sign_in(theirs, email, "/studio")
    theirs.context.close()


def test_a_hidden_course_leaves_the_shop_and_its_instructor_reads_why(
    school: School, browser: Browser, admin: Page
) -> None:
    with school.session() as session:
        course, student = make_published(session, "Bread of others"), make_user(session)
        enrol(session, student, course)
        teacher, slug, number = course.instructor.email, course.slug, course.public_id
    visitor = school.visitor(browser)
    visitor.goto("/?q=others")
    expect(visitor.get_by_role("heading", name="Bread of others")).to_be_visible()

    admin.goto("/admin/courses?q=bread of others")
    manage(admin, "Bread of others")
    admin.get_by_label("Reason, which the instructor sees").fill(WHY)
    admin.get_by_role("button", name="Hide course").click()
    expect(admin.get_by_text("The course is hidden.")).to_be_visible()

    assert visitor.goto(f"/courses/{slug}").status == 404  # type: ignore[union-attr]
    theirs = school.visitor(browser)
    school.sign_in(theirs, teacher, "/studio")
    expect(theirs.get_by_text(WHY)).to_be_visible()
    theirs.goto(f"/studio/{number}")
    expect(theirs.get_by_text(WHY)).to_be_visible()
    expect(theirs.get_by_role("button", name="Publish course")).to_have_count(0)
    learner = school.visitor(browser)
    school.sign_in(learner, student.email, "/learn")
    expect(learner.get_by_text("Bread of others")).to_be_visible()

    admin.get_by_role("button", name="Show course again").click()
    expect(admin.get_by_text("on sale again")).to_be_visible()
    assert visitor.goto(f"/courses/{slug}").status == 200  # type: ignore[union-attr]
    assert acts(school, f"course {number}") == ["course.hide", "course.unhide"]
    for page in (visitor, theirs, learner):
        page.context.close()


def test_a_failed_job_says_why_and_runs_again(school: School, admin: Page) -> None:
    with school.session() as session:
        queue.defer(session, "failures.forget_old", timestamp=0)
        job: int = session.execute(text("SELECT max(id) FROM procrastinate_jobs")).scalar_one()
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = :id"), {"id": job}
        )
        failures.note(session, job, "The moon was in the way.")

    admin.goto("/admin/jobs")
    expect(admin.get_by_text("The moon was in the way.")).to_be_visible()
    admin.get_by_role("button", name=f"Run again job {job}").click()

    expect(admin.get_by_text("back in the queue")).to_be_visible()
    gone = text("SELECT count(*) FROM procrastinate_jobs WHERE id = :id")
    with school.session() as session:
        for _ in range(100):
            if session.execute(gone, {"id": job}).scalar_one() == 0:
                break
            admin.wait_for_timeout(100)
        assert session.execute(gone, {"id": job}).scalar_one() == 0
    assert acts(school, f"job {job}") == ["job.run_again"]


def test_a_failed_job_is_put_away(school: School, admin: Page) -> None:
    with school.session() as session:
        queue.defer(session, "failures.forget_old", timestamp=0)
        job: int = session.execute(text("SELECT max(id) FROM procrastinate_jobs")).scalar_one()
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = :id"), {"id": job}
        )

    admin.goto("/admin/jobs")
    admin.get_by_role("button", name=f"Put away job {job}").click()

    expect(admin.get_by_text("The job is put away.")).to_be_visible()
    expect(admin.locator(f"#job-{job}")).to_have_count(0)


def test_a_reported_review_is_hidden_with_a_reason(school: School, admin: Page) -> None:
    with school.session() as session:
        course, writer, neighbour = make_published(session), make_user(session), make_user(session)
        enrol(session, writer, course)
        session.flush()
        reviews.write(session, actor(writer), course.slug, 1, "Buy my own course instead!")
        review = session.scalars(select(Review.public_id).where(Review.course_id == course.id))
        key = review.one()
        review_reactions.report(session, actor(neighbour), key, "spam", "An advertisement.")

    admin.goto("/admin/reviews")
    expect(admin.get_by_text("An advertisement.")).to_be_visible()
    admin.locator(f"#review-{key} summary").click()
    admin.get_by_label("Reason, which the writer sees").fill("An advertisement, not a review.")
    admin.get_by_role("button", name="Hide review").click()
    expect(admin.get_by_text("Its writer sees why.")).to_be_visible()
    admin.get_by_role("button", name="Show review again").click()

    expect(admin.get_by_text("Nothing reported")).to_be_visible()
    assert acts(school, f"review {key}") == ["review.hide", "review.show_again"]


def test_roles_are_given_only_after_a_fresh_sign_in(school: School, admin: Page) -> None:
    with school.session() as session:
        number = make_user(session, "Sam Promoted").id
        long_ago = clock.now() - timedelta(minutes=11)
        session.execute(update(SignedIn).values(authenticated_at=long_ago))

    admin.goto("/admin/users?q=sam promoted")
    manage(admin, "Sam Promoted")
    admin.get_by_role("button", name="Make instructor").click()
    admin.wait_for_url(lambda url: "/sign-in/again" in url)
    assert acts(school, f"user {number}") == []

    admin.get_by_label("Password").fill(PASSWORD)
    admin.get_by_role("main").get_by_role("button").first.click()
    admin.wait_for_url(lambda url: "/admin/users" in url)
    manage(admin, "Sam Promoted")
    admin.get_by_role("button", name="Make instructor").click()

    expect(admin.get_by_role("button", name="Take instructor role")).to_be_focused()
    assert acts(school, f"user {number}") == ["user.grant_role"]
    admin.goto(f"/admin/log?what=user {number}")
    expect(admin.get_by_role("heading", name="Gave a role: Sam Promoted")).to_be_visible()


def test_who_is_no_admin_any_more_does_nothing_on_an_open_page(school: School, admin: Page) -> None:
    with school.session() as session:
        number = make_user(session, "Sam Untouched").id
    admin.goto("/admin/users?q=sam untouched")
    manage(admin, "Sam Untouched")
    with school.session() as session:
        session.execute(text("DELETE FROM user_roles WHERE role = 'admin'"))

    admin.get_by_role("button", name="Make admin").click()

    expect(admin.get_by_text("This page is for admins.")).to_be_visible()
    with school.session() as session:
        roles = select(func.count()).where(UserRole.user_id == number)
        assert session.scalar(roles) == 1


def test_a_long_list_grows(school: School, admin: Page) -> None:
    with school.session() as session:
        for turn in range(27):
            make_user(session, f"Longlist {turn}")

    admin.goto("/admin/users?q=longlist")
    expect(admin.locator(".admin-row")).to_have_count(25)
    admin.get_by_role("button", name="Show more").click()

    expect(admin.locator(".admin-row")).to_have_count(27)
    expect(admin.get_by_role("button", name="Show more")).to_have_count(0)


@pytest.mark.parametrize(
    "section", ["", "/users", "/courses", "/reviews", "/jobs", "/ai", "/settings", "/log"]
)
def test_nobody_else_sees_an_admin_page(school: School, browser: Browser, section: str) -> None:
    with school.session() as session:
        email = make_instructor(session).email
    page = school.visitor(browser)

    page.goto(f"/admin{section}")
    assert "/sign-in" in page.url
    school.sign_in(page, email, f"/admin{section}")
    answer = page.goto(f"/admin{section}")

    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("This page is for admins.")).to_be_visible()
    page.context.close()


def test_the_server_saw_no_fault(school: School) -> None:
    assert school.faults() == []
