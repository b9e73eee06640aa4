"""Stories of people who come in and go out."""

from playwright.sync_api import Browser, expect

from tests.browser.school import School
from tests.factories import PASSWORD


def test_a_student_signs_up_and_lands_in_the_catalogue_with_a_hint(
    school: School, browser: Browser
) -> None:
    page = school.visitor(browser)

    school.sign_up(page, "Sam Rivera", "sam@example.org")

    expect(page).to_have_url(f"{school.url}/?welcome=1")
    expect(page.get_by_role("main")).to_contain_text("Welcome")


def test_an_instructor_signs_up_and_lands_in_the_studio(school: School, browser: Browser) -> None:
    page = school.visitor(browser)

    school.sign_up(page, "Ines Weber", "ines@example.org", to_teach=True)

    expect(page).to_have_url(f"{school.url}/studio")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_signing_up_twice_says_what_to_do(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Twice", "twice@example.org")
    other = school.visitor(browser)
    other.goto("/sign-up")
    other.get_by_label("Name").fill("Twice")
    other.get_by_label("E-mail address").fill("TWICE@example.org")
    other.get_by_label("Password").fill(PASSWORD)

    other.get_by_role("main").get_by_role("button", name="Sign up").click()

    expect(other.get_by_role("alert")).to_contain_text("has an account already. Sign in instead.")
    expect(other.get_by_label("E-mail address")).to_have_value("TWICE@example.org")


def test_a_wrong_password_and_a_stranger_get_one_answer(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Known", "known@example.org")
    answers = []
    for email in ("known@example.org", "nobody@example.org"):
        visitor = school.visitor(browser)
        visitor.goto("/sign-in")
        visitor.get_by_label("E-mail address").fill(email)
        visitor.get_by_label("Password").fill("not the password")

        visitor.get_by_role("main").get_by_role("button", name="Sign in").click()

        answers.append(visitor.get_by_role("alert").inner_text())
    assert answers[0] == answers[1] == "That e-mail address and password do not go together."


def test_signing_out_ends_the_session(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Otto", "otto@example.org")
    page.goto("/account")

    page.get_by_role("main").get_by_role("button", name="Sign out").click()

    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/account")
    expect(page).to_have_url(f"{school.url}/sign-in?next=/account")


def test_signing_in_again_ends_the_token_from_before(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Rosa", "rosa@example.org")
    before = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["luma"]

    answer = page.request.post(
        "/sign-in",
        form={"email": "rosa@example.org", "password": PASSWORD},
        headers={"Origin": school.url},
    )

    assert answer.ok
    now = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["luma"]
    assert now != before
    old = school.visitor(browser)
    old.context.add_cookies([{"name": "luma", "value": before, "url": school.url}])
    old.goto("/account")
    expect(old).to_have_url(f"{school.url}/sign-in?next=/account")


def test_a_new_password_signs_other_browsers_out(school: School, browser: Browser) -> None:
    here, elsewhere = school.visitor(browser), school.visitor(browser)
    school.sign_up(here, "Pia", "pia@example.org")
    school.sign_in(elsewhere, "pia@example.org")
    here.goto("/account/password")
    here.get_by_label("Current password").fill(PASSWORD)
    here.get_by_label("New password").fill("another lamp in the window")

    here.get_by_role("main").get_by_role("button", name="Change password").click()

    expect(here.get_by_text("Your password is changed.")).to_be_visible()
    expect(here).to_have_url(f"{school.url}/account")
    elsewhere.goto("/account")
    expect(elsewhere).to_have_url(f"{school.url}/sign-in?next=/account")


def test_a_student_becomes_an_instructor_as_well(school: School, browser: Browser) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Uma", "uma@example.org")
    page.goto("/account")

    page.get_by_role("button", name="Start teaching").click()

    expect(page).to_have_url(f"{school.url}/studio")


def test_signing_in_goes_on_to_where_one_was_and_nowhere_else(
    school: School, browser: Browser
) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Vera", "vera@example.org")
    for onward, there in (("/orders", "/orders"), ("https://evil.example/", "/learn")):
        again = school.visitor(browser)

        school.sign_in(again, "vera@example.org", onward)

        expect(again).to_have_url(f"{school.url}{there}")
