"""Stories of a code after the password."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.account.apps import set_up
from tests.browser.school import School
from tests.factories import PASSWORD, make_user

HERE = "/account/second-factor"


def person(school: School, email: str) -> None:
    with school.session() as session:
        make_user(session, "Nora Lind", email=email)


def give_password(page: Page, email: str, onward: str = "") -> None:
    page.goto(f"/sign-in?next={onward}")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def test_set_up_then_sign_in_with_a_code_and_with_a_recovery_code(
    school: School, browser: Browser
) -> None:
    person(school, "nora@example.org")
    page = school.visitor(browser)
    school.sign_in(page, "nora@example.org", HERE)
    app, codes = set_up(page)
    assert len(set(codes)) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as text").click()
    assert Path(download.value.path()).read_text().split()[-10:] == codes

    phone = school.visitor(browser)
    give_password(phone, "nora@example.org", "/orders")
    expect(phone).to_have_url(f"{school.url}/sign-in/code?next=/orders")
    phone.goto("/orders")
    expect(phone).to_have_url(f"{school.url}/sign-in?next=/orders")
    phone.go_back()
    give_code(phone, "000000")
    expect(phone.get_by_text("That code is not right.")).to_be_visible()
    give_code(phone, app.code())
    expect(phone).to_have_url(f"{school.url}/orders")

    lost = school.visitor(browser)
    give_password(lost, "nora@example.org")
    give_code(lost, codes[2].upper())
    expect(lost).to_have_url(f"{school.url}/learn")
    again = school.visitor(browser)
    give_password(again, "nora@example.org")
    give_code(again, codes[2])
    expect(again.get_by_text("or it has been used")).to_be_visible()
    lost.goto(HERE)
    expect(lost.get_by_text("9 codes left.")).to_be_visible()


def test_turning_it_on_signs_other_browsers_out(school: School, browser: Browser) -> None:
    person(school, "olaf@example.org")
    here, elsewhere = school.visitor(browser), school.visitor(browser)
    school.sign_in(elsewhere, "olaf@example.org")
    school.sign_in(here, "olaf@example.org", HERE)

    set_up(here)

    elsewhere.goto("/orders")
    expect(elsewhere).to_have_url(re.compile("/sign-in"))
    here.goto("/orders")
    expect(here).to_have_url(f"{school.url}/orders")


def test_a_wrong_code_keeps_the_same_picture(school: School, browser: Browser) -> None:
    person(school, "pia@example.org")
    page = school.visitor(browser)
    school.sign_in(page, "pia@example.org", HERE)
    page.get_by_role("button", name="Set up two-step sign-in").click()
    secret = page.locator("[data-secret]").text_content()

    page.get_by_label("Code", exact=True).fill("12 34")
    page.get_by_role("button", name="Turn on two-step sign-in").click()

    expect(page.get_by_text("That code is not right.")).to_be_visible()
    expect(page.locator("[data-secret]")).to_have_text(secret or "-")


def test_it_is_turned_off_with_a_code_and_new_recovery_codes_replace_the_old(
    school: School, browser: Browser
) -> None:
    person(school, "quinn@example.org")
    page = school.visitor(browser)
    school.sign_in(page, "quinn@example.org", HERE)
    _, old = set_up(page)
    page.goto(HERE)

    page.get_by_role("button", name="Make new recovery codes").click()
    new = page.get_by_role("list", name="Recovery codes").locator("li").all_inner_texts()
    assert not set(old) & set(new)
    page.goto(HERE)
    page.get_by_label("Code").fill(old[0])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("or it has been used")).to_be_visible()
    page.get_by_label("Code").fill(new[0])
    page.get_by_role("button", name="Turn off").click()

    expect(page.get_by_text("Two-step sign-in is off.")).to_be_visible()
    other = school.visitor(browser)
    give_password(other, "quinn@example.org")
    expect(other).to_have_url(f"{school.url}/learn")


def test_an_hour_later_one_shows_again_who_one_is(school: School, browser: Browser) -> None:
    person(school, "rosa@example.org")
    page = school.visitor(browser)
    school.sign_in(page, "rosa@example.org", HERE)
    app, _ = set_up(page)
    make_stale(school)

    page.goto(HERE)
    expect(page).to_have_url(f"{school.url}/sign-in/again?next={HERE}")
    page.get_by_label("Password").fill("not my password")
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page).to_have_url(f"{school.url}{HERE}")

    make_stale(school)
    page.get_by_role("button", name="Make new recovery codes").click()
    expect(page).to_have_url(f"{school.url}/sign-in/again?next={HERE}")
    page.get_by_label("Code of your app").fill(app.code())
    page.get_by_role("button", name="Go on with the code").click()
    expect(page).to_have_url(f"{school.url}{HERE}")


def make_stale(school: School) -> None:
    with school.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE sessions SET authenticated_at = authenticated_at - interval '1 hour'"
        )


def test_the_code_page_is_nobodys_without_the_password(school: School, browser: Browser) -> None:
    page = school.visitor(browser)

    page.goto("/sign-in/code")

    expect(page).to_have_url(f"{school.url}/sign-in")
