"""Pictures of every page of the running demo school: python -m tests.screenshots [FOLDER]

Each page at 1280 x 800 and at 390 x 844, in light and in dark, for looking at; with
`--readme` only the three that the README shows.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma import db
from luma.models.account_token import TokenPurpose
from luma.models.course import Chapter, Course, Lesson
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import GatewayProduct
from luma.models.review import Review
from luma.models.user import User
from luma.services import clock, demo, failures, queue, tokens
from luma.services.admin import courses, people
from luma.services.money import orders
from luma.services.policies import Actor
from luma.services.post import seals
from luma.values import CourseStatus, DisputeStatus, Drift, Money, OrderStatus, Role
from tests import ledgers, shares, tills
from tests.browser.chromium import launched
from tests.coupons import make_coupon
from tests.factories import make_course, make_user
from tests.standins.oidc_running import oidc_stand_in

WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS = {
    "wide-light": {**WIDE, "color_scheme": "light"},
    "wide-dark": {**WIDE, "color_scheme": "dark"},
    "phone-light": {**PHONE, "color_scheme": "light"},
    "phone-dark": {**PHONE, "color_scheme": "dark"},
}
HOUR = timedelta(hours=1)
README = {"shop": "catalogue", "studio": "editor", "classroom": "lesson"}


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    path: str
    who: str | None = None
    press: str = ""
    """What to press before, by selector; several, one after the other, parted by " then "."""


def shots(session: Session) -> list[Shot]:
    """Every page of the demo school, seen by whoever it is for."""
    toolbox = session.scalars(
        select(Course).where(Course.slug == "the-web-developers-toolbox")
    ).one()
    draft = session.scalar(select(Course.public_id).where(Course.slug == "calculus-without-fear"))
    lesson = session.scalars(
        select(Lesson.public_id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(Chapter.course_id == toolbox.id)
        .order_by(Chapter.position, Lesson.position)
        .offset(14)
        .limit(1)
    ).one()
    review = session.scalars(
        select(Review.public_id).where(Review.course_id == toolbox.id, Review.stars == 3)
    ).one()
    return [
        Shot("catalogue", "/"),
        Shot("search", "/?q=algebra"),
        Shot("no-match", "/?q=zither"),
        Shot("course", f"/courses/{toolbox.slug}"),
        Shot("course-free", "/courses/python-for-the-curious"),
        Shot("reviews", "/courses/python-for-the-curious#reviews"),
        Shot("reviews-mine", "/courses/python-for-the-curious#reviews", "student"),
        Shot("reviews-teacher", f"/courses/{toolbox.slug}?order=helpful#reviews", "teacher"),
        Shot("review", "/courses/python-for-the-curious/review", "student"),
        Shot("review-report", f"/reviews/{review}/report", "student"),
        Shot("feedback", f"/learn/{lesson}/feedback", "student"),
        Shot("studio-feedback", f"/studio/{toolbox.public_id}/feedback", "teacher"),
        Shot("studio-feedback-form", f"/studio/{toolbox.public_id}/feedback/form", "teacher"),
        Shot("lesson-asked", "/learn/python-for-the-curious", "student"),
        Shot("sign-up", "/sign-up"),
        Shot("sign-in", "/sign-in"),
        Shot("identity-first", "/sign-in", press="text=Continue with Clerk then text=Yes"),
        Shot("identity-refused", "/sign-in", press="text=Continue with Clerk then text=No"),
        Shot("not-found", "/courses/nothing"),
        Shot("welcome", "/?welcome=1", "student"),
        Shot("course-mine", f"/courses/{toolbox.slug}", "student"),
        Shot("learn", "/learn", "student"),
        Shot("lesson", f"/learn/{toolbox.slug}/{lesson}", "student"),
        Shot("locked", "/learn/neural-networks-from-the-ground-up", "student"),
        Shot("orders", "/orders", "student"),
        Shot("account", "/account", "student"),
        Shot("account-teaching", "/account", "teacher"),
        Shot("password", "/account/password", "student"),
        Shot("second-factor", "/account/second-factor", "student"),
        Shot("second-factor-set-up", "/account/second-factor", "student", "main form .button"),
        Shot("again", "/sign-in/again", "student"),
        Shot("data", "/account/data", "student"),
        Shot("leaving", "/account/delete", "teacher"),
        Shot("instructor", "/instructors/jun-watanabe"),
        Shot("studio", "/studio", "teacher"),
        Shot("hidden", "/studio", "tomas"),
        Shot("hidden-editor", f"/studio/{draft}", "tomas"),
        Shot("editor", f"/studio/{toolbox.public_id}", "teacher"),
        Shot("editor-lesson", f"/studio/{toolbox.public_id}?lesson={lesson}", "teacher"),
        Shot("summaries", f"/studio/{toolbox.public_id}/summaries", "teacher"),
        Shot("insights", f"/studio/{toolbox.public_id}/insights", "teacher"),
        Shot("studio-forbidden", "/studio", "student"),
        Shot("admin", "/admin", "admin"),
        Shot("admin-users", "/admin/users", "admin"),
        Shot("admin-user", "/admin/users", "admin", ".admin-rows li:nth-child(2) summary"),
        Shot("admin-nobody", "/admin/users?q=zither", "admin"),
        Shot("admin-courses", "/admin/courses", "admin"),
        Shot("admin-course", "/admin/courses", "admin", ".admin-rows li:nth-child(1) summary"),
        Shot("admin-payments", "/admin/payments", "admin"),
        Shot("admin-payments-endpoints", "/admin/payments", "admin", "#look-again"),
        Shot("admin-payments-compared", "/admin/payments", "admin", "#compare"),
        *_paused(session),
        Shot("admin-reviews", "/admin/reviews", "admin", ".admin-rows summary"),
        Shot("admin-jobs", "/admin/jobs", "admin"),
        Shot("admin-ai", "/admin/ai", "admin"),
        Shot("admin-settings", "/admin/settings", "admin"),
        Shot("admin-log", "/admin/log", "admin"),
        Shot("admin-forbidden", "/admin/users", "student"),
        *_sales(session),
        *_coupons(session, toolbox),
        *_mail(session),
        Shot("rehearse", f"/studio/rehearse/{toolbox.public_id}", "teacher"),
        Shot("sandbox-recent", "/sandbox", "admin"),
        Shot("pay-orders-none", "/orders", "ines"),
        Shot("pay-orders", "/orders", tills.WHO),
        *_desks(session),
        *(Shot(name, path, tills.WHO) for name, path in tills.addresses(session).items()),
    ]


def _sales(session: Session) -> list[Shot]:
    """The demo's sales, and those that a demo does not have: refunds, a dispute, yen, no sale."""
    toolbox = select(Course).where(Course.slug == "the-web-developers-toolbox")
    course = session.scalars(toolbox).one()
    now = clock.now()
    for days in (1, 2, 3, 5, 8, 9, 15, 22):
        ledgers.sold(session, course, now - timedelta(days=days))
    long_name = make_user(session, "Wilhelmina Oluwaseun Featherstonehaugh-Castellanos de la Vega")
    back = ledgers.sold(session, course, now - HOUR, buyer=long_name)
    ledgers.refunded(session, back, 1000, now - HOUR)
    ledgers.sold(session, course, now - timedelta(days=4), Money(7200, "jpy"))
    owed = ledgers.sold(session, course, now - timedelta(days=2), status=OrderStatus.DISPUTED)
    due = now + timedelta(days=7)
    ledgers.disputed(session, owed, now - HOUR, DisputeStatus.NEEDS_RESPONSE, due_by=due)
    new = make_user(session, "Ines Weber", email="ines@luma.example", roles=(Role.INSTRUCTOR,))
    make_course(session, instructor=new, published=True)
    shares.stop_shares(session, course)
    lea = session.scalars(select(User).where(User.email == demo.PEOPLE["lea"].email)).one()
    paid = ledgers.sold(session, course, now, buyer=lea, discount_minor=0)
    ledgers.refunded(session, paid, 500, now)
    order = session.get_one(Order, paid.order_id).public_id
    return [
        Shot("sales", "/studio/sales", "teacher"),
        Shot("sales-own", "/studio/sales?range=own&from=2026-13-01", "teacher"),
        Shot("sales-year", "/studio/sales?range=year", "teacher", ".sales-chart summary"),
        Shot("sales-nothing-found", "/studio/sales?q=zither", "teacher"),
        Shot("sales-none", "/studio/sales", "ines"),
        Shot("admin-sales", "/admin/sales", "admin"),
        Shot("sales-receipt", orders.receipt_address(order), "lea"),
        Shot("payouts", "/studio/payouts", "teacher"),
        Shot("payouts-none", "/studio/payouts", "ines"),
        Shot("admin-payouts", "/admin/payouts", "admin"),
    ]


def _paused(session: Session) -> list[Shot]:
    """A course that somebody has taken off sale at the gateway."""
    course = session.scalars(
        select(Course).where(Course.slug == "linear-algebra-you-can-see")
    ).one()
    teacher = session.get_one(User, course.instructor_id).email.partition("@")[0]
    known = GatewayProduct(
        course_id=course.id,
        gateway="sandbox",
        product_id="prod_sbx_shot",
        name=course.title,
        description=course.summary,
        price_id="price_sbx_shot",
        price_minor=course.price.minor,
        price_currency=course.price.currency,
        synced_at=clock.now(),
    )
    known.pause(Drift.PRICE_ARCHIVED, clock.now())
    session.add(known)
    return [
        Shot("paused-course", f"/courses/{course.slug}"),
        Shot("paused-studio", "/studio", teacher),
        Shot("paused-admin", "/admin/payments", "admin"),
    ]


def _coupons(session: Session, toolbox: Course) -> list[Shot]:
    """One of each state; the longest code there can be, on the page of a course and at the till."""
    now, day, long = clock.now(), timedelta(days=1), "AN-UNUSUALLY-LONG-CODE-FOR-EVERY-FRIEND1"
    make_coupon(session, toolbox, "LAUNCH20", ends_at=now + 10 * day, most_uses=100, uses=37)
    make_coupon(session, toolbox, long, amount=Money(500, "usd"), course_id=None)
    make_coupon(session, toolbox, "FRIENDS", percent=100, most_uses=3, uses=3)
    make_coupon(session, toolbox, "SPRING", starts_at=now + 30 * day, ends_at=now + 60 * day)
    make_coupon(session, toolbox, "LAST-YEAR", ends_at=now - 300 * day)
    make_coupon(session, toolbox, "GIFT", percent=100)
    school = {"instructor_id": None, "course_id": None}
    make_coupon(session, toolbox, "WELCOME", percent=10, **school)
    page = f"/courses/{toolbox.slug}?code="
    return [
        Shot("coupon-course", f"{page}launch20"),
        Shot("coupon-course-long", f"{page}{long}"),
        Shot("coupon-course-free", f"{page}GIFT"),
        Shot("coupon-course-ask", f"/courses/{toolbox.slug}", press=".code-ask summary"),
        Shot("coupon-course-refused", f"{page}FRIENDS"),
        Shot("coupon-studio", "/studio/coupons", "teacher"),
        Shot("coupon-studio-new", "/studio/coupons", "teacher", ".coupon-new summary"),
        Shot("coupon-studio-none", "/studio/coupons", "tomas"),
        Shot("coupon-admin", "/admin/coupons", "admin"),
    ]


def _desks(session: Session) -> list[Shot]:
    """The page of one sale, for its seller and for an admin."""
    sold = tills.desks(session)
    return [
        *(
            Shot(f"sale-{name}", f"/studio/sales/{order}", "teacher")
            for name, order in sold.items()
        ),
        Shot("sale-asked", f"/studio/sales/{sold['refunded']}", "teacher", ".sale-ask summary"),
        Shot("sale-admin", f"/admin/orders/{sold['refunded']}", "admin"),
        Shot("sale-orders", "/admin/orders", "admin"),
        Shot("sale-orders-none", "/admin/orders?q=zither", "admin"),
    ]


def _mail(session: Session) -> list[Shot]:
    """The demo's sales have left letters; Noor has an address to confirm and one to change."""
    letter = session.scalars(select(Letter.key).order_by(Letter.id).limit(1)).one()
    noor = session.scalars(select(User).where(User.email == "noor@luma.example")).one()
    noor.email_verified_at = None
    links = {
        purpose: seals.token(tokens.issue(session, noor.id, purpose, email, HOUR).seed)
        for purpose, email in {
            TokenPurpose.VERIFY: noor.email,
            TokenPurpose.RESET: noor.email,
            TokenPurpose.NEW_ADDRESS: "noor.haddad@elsewhere.example",
        }.items()
    }
    return [
        Shot("forgot", "/forgot"),
        Shot("forgot-sent", "/forgot/sent"),
        Shot("forgot-wrong", "/forgot", press="main button"),
        Shot("reset", f"/reset/{links[TokenPurpose.RESET]}"),
        Shot("verify", f"/verify/{links[TokenPurpose.VERIFY]}"),
        Shot("verify-run-out", "/verify/nothing"),
        Shot("confirm-address", f"/confirm-address/{links[TokenPurpose.NEW_ADDRESS]}"),
        Shot("account-address", "/account#address", "noor"),
        Shot("mail", "/admin/mail", "admin"),
        Shot("mail-none", "/admin/mail?state=refused", "admin"),
        Shot("letter", f"/admin/mail/{letter}", "admin"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="screenshots", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--readme", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(exist_ok=True)
    with _school() as url, sync_playwright() as playwright, launched(playwright) as browser:
        with db.unit_of_work() as session:
            wanted = [shot for shot in shots(session) if asked.only in shot.name]
        if asked.readme:
            wanted = [shot for shot in wanted if shot.name in README.values()]
        for look in ["wide-light"] if asked.readme else LOOKS:
            _take(browser, url, wanted, look, asked.folder)
    if asked.readme:
        for name, shot in README.items():
            _small(asked.folder / f"{shot}-wide-light.png", Path("docs/images") / f"{name}.webp")


@contextmanager
def _school() -> Iterator[str]:
    """A demo school on an embedded database of its own."""
    with tempfile.TemporaryDirectory(prefix="luma-shots-") as folder, oidc_stand_in() as provider:
        os.environ["LUMA_DATA_DIR"] = folder
        os.environ |= provider.settings("clerk") | provider.settings("google")
        from luma import migrations

        migrations.upgrade()
        with db.unit_of_work() as session:
            demo.load(session)
            give_admins_work(session)
        command = [sys.executable, "-m", "tests.browser.serve"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
            finally:
                process.terminate()
        db.forget()


def give_admins_work(session: Session) -> None:
    """Something for each of the admin pages to show."""
    admin = session.scalars(select(User).where(User.email == demo.PEOPLE["ada"].email)).one()
    roles = frozenset({Role.ADMIN})
    actor = Actor(admin.id, admin.name, admin.email, roles, "", clock.now())
    draft = session.scalars(select(Course).where(Course.status == CourseStatus.DRAFT)).first()
    student = session.scalars(select(User).where(User.email == demo.PEOPLE["sam"].email)).one()
    assert draft is not None
    courses.hide(session, actor, draft.public_id, "Lesson 3 shows a film that is not yours.")
    people.grant_role(session, actor, student.id, Role.INSTRUCTOR)
    people.take_role(session, actor, student.id, Role.INSTRUCTOR)
    for task in ("letters.course_open", "catalogue.sync"):
        queue.defer(session, task, order_id=0)
    failed = text(
        "UPDATE procrastinate_jobs SET status = 'failed', attempts = 30"
        " WHERE args = '{\"order_id\": 0}' RETURNING id"
    )
    for job in session.scalars(failed).all():
        failures.note(session, job, "The payment gateway did not answer.")


def _take(browser: Browser, url: str, wanted: list[Shot], look: str, folder: Path) -> None:
    pages: dict[str | None, Page] = {}
    for shot in wanted:
        if shot.who not in pages:
            pages[shot.who] = _visitor(browser, url, look, shot.who)
        page = pages[shot.who]
        page.goto(shot.path)
        press(page, shot)
        page.wait_for_timeout(1500)
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        page.screenshot(path=folder / f"{shot.name}-{look}.png")
        sys.stdout.write(f"{shot.name}-{look}{' SCROLLS SIDEWAYS' if sideways > 0 else ''}\n")


def press(page: Page, shot: Shot) -> None:
    """What has to be pressed before the page shows what it is here for."""
    for selector in filter(None, shot.press.split(" then ")):
        page.click(selector)


def _visitor(browser: Browser, url: str, look: str, who: str | None) -> Page:
    page = browser.new_context(base_url=url, **LOOKS[look]).new_page()  # type: ignore[arg-type]
    if who:
        page.goto("/sign-in")
        page.get_by_label("E-mail address").fill(f"{who}@luma.example")
        page.get_by_label("Password").fill(demo.PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in" not in address)
    return page


def _small(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.open(BytesIO(source.read_bytes())).convert("RGB").save(target, "WEBP", quality=82)


if __name__ == "__main__":
    main()
