"""Stories of people who come in through an identity provider, a process of its own."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from luma.models.user import User
from tests.bad_values import BAD_TEXT
from tests.browser.school import School, running
from tests.database import Databases
from tests.factories import PASSWORD, make_published, make_user
from tests.standins.oidc_running import OidcStandIn, oidc_stand_in


@pytest.fixture(scope="module")
def stand_in() -> Iterator[OidcStandIn]:
    with oidc_stand_in() as started:
        yield started


@pytest.fixture(scope="module")
def school(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, stand_in: OidcStandIn
) -> Iterator[School]:
    """It trusts one provider under two names, and one that is not there."""
    own = {
        **stand_in.settings("school", "School ID"),
        **stand_in.settings("gone", "Nobody"),
        "LUMA_OIDC_GONE_ISSUER": "http://127.0.0.1:9",
        "LUMA_DEMO": "0",
    }
    folder = tmp_path_factory.mktemp("luma")
    with databases.fresh() as database, running(database, folder, own) as school:
        yield school


@pytest.fixture
def provider(stand_in: OidcStandIn) -> OidcStandIn:
    stand_in.behaves()
    return stand_in


def person(number: str, email: str, name: str = "Paula Provider") -> dict[str, object]:
    return {"sub": number, "email": email, "email_verified": True, "name": name}


def come_in(page: Page, *, onward: str = "") -> None:
    """Away from the sign-in page, a yes at the provider, and back."""
    page.goto(f"/sign-in?next={onward}")
    page.get_by_role("button", name="Continue with School ID").click()
    page.get_by_role("link", name="Yes, go on").click()


def test_somebody_new_is_asked_for_their_role_and_lands_where_it_leads(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("new-1", "teach@example.org"))
    page = school.visitor(browser)

    come_in(page)
    expect(page.get_by_label("Name")).to_have_value("Paula Provider")
    expect(page.get_by_role("main")).to_contain_text("teach@example.org")
    page.get_by_label("I want to teach").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    expect(page).to_have_url(f"{school.url}/studio")
    with school.session() as session:
        made = session.scalars(select(User).where(User.email == "teach@example.org")).one()
        assert made.external_id == f"{provider.issuer} new-1"
        assert made.password_hash is None


def test_whoever_was_here_before_comes_straight_in(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("back-1", "back@example.org"))
    first = school.visitor(browser)
    come_in(first)
    first.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(first).to_have_url(f"{school.url}/?welcome=1")
    again = school.visitor(browser)

    come_in(again, onward="/orders")

    expect(again).to_have_url(f"{school.url}/orders")


def test_a_buyer_who_is_new_goes_on_to_the_course(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    with school.session() as session:
        course = make_published(session, "Bread")
    provider.behaves(person=person("buyer-1", "buyer@example.org"))
    page = school.visitor(browser)

    come_in(page, onward=f"/courses/{course.slug}")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    expect(page).to_have_url(f"{school.url}/courses/{course.slug}")


def test_an_account_with_a_password_is_linked_after_it_was_given(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    with school.session() as session:
        make_user(session, "Lena", email="lena@example.org")
    provider.behaves(person=person("lena-1", "lena@example.org"))
    page = school.visitor(browser)

    come_in(page, onward="/orders")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have an account already")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Link School ID").click()
    expect(page.get_by_text("That is not the password of this account.")).to_be_visible()
    assert page.request.get("/account", max_redirects=0).status == 303
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Link School ID").click()

    expect(page).to_have_url(f"{school.url}/orders")
    again = school.visitor(browser)
    come_in(again, onward="/orders")
    expect(again).to_have_url(f"{school.url}/orders")


def test_an_account_is_linked_from_inside_and_unlinked(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    with school.session() as session:
        make_user(session, "Mona", email="mona@example.org")
    provider.behaves(person=person("mona-1", "other-address@example.org"))
    page = school.visitor(browser)
    school.sign_in(page, "mona@example.org", "/account")

    page.get_by_role("button", name="Link School ID").click()
    page.get_by_role("link", name="Yes, go on").click()

    expect(page).to_have_url(f"{school.url}/account")
    expect(page.get_by_text("School ID is linked.")).to_be_visible()
    expect(page.get_by_text("You can sign in with School ID.")).to_be_visible()
    page.get_by_role("button", name="Unlink School ID").click()
    expect(page.get_by_role("button", name="Link School ID")).to_be_visible()


def test_without_a_password_the_provider_shows_again_who_it_is(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("again-1", "again@example.org"))
    page = school.visitor(browser)
    come_in(page)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/?welcome=1")
    with school.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sessions SET authenticated_at = now() - interval '1 h'")
    page.goto("/account/second-factor")
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")

    page.get_by_role("button", name="Go on with School ID").click()
    page.get_by_role("link", name="Yes, go on").click()

    expect(page).to_have_url(f"{school.url}/account/second-factor")


def test_a_no_at_the_provider_changes_nothing(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    page = school.visitor(browser)
    page.goto("/sign-in")
    page.get_by_role("button", name="Continue with School ID").click()

    page.get_by_role("link", name="No", exact=True).click()

    expect(page.get_by_role("alert")).to_have_text(
        "You did not go on at School ID. Nothing has changed."
    )
    expect(page.get_by_label("Password")).to_be_visible()


def test_an_address_that_is_not_confirmed_is_refused(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("un-1", "un@example.org") | {"email_verified": False})
    page = school.visitor(browser)

    come_in(page)

    expect(page.get_by_role("alert")).to_contain_text("has not confirmed your e-mail address")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_provider_that_is_down_is_a_sentence_beside_the_password(
    school: School, browser: Browser
) -> None:
    page = school.visitor(browser)
    page.goto("/sign-in?next=/orders")

    page.get_by_role("button", name="Continue with Nobody").click()

    expect(page.get_by_role("alert")).to_contain_text("Nobody does not answer right now.")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.locator("form[action='/sign-in'] [name=next]").input_value() == "/orders"


def test_coming_back_twice_is_refused(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("twice-1", "twice@example.org"))
    page = school.visitor(browser)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    come_in(page)
    expect(page.get_by_label("Name")).to_be_visible()
    back = next(url for url in seen if "/back?" in url)

    page.goto(back)

    expect(page.get_by_role("alert")).to_contain_text("was used already")


def test_an_answer_to_another_browser_is_refused(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    """Signing a victim in as the attacker (login CSRF)."""
    attacker, victim = school.visitor(browser), school.visitor(browser)
    attacker.goto("/sign-in")
    attacker.get_by_role("button", name="Continue with School ID").click()
    link = attacker.get_by_role("link", name="Yes, go on").get_attribute("href") or ""
    answer = provider.http.get(f"{provider.issuer}{link}")

    victim.goto(answer.headers["location"])

    expect(victim.get_by_role("alert")).to_contain_text("began in another browser")
    victim.goto("/account")
    expect(victim).to_have_url(f"{school.url}/sign-in?next=/account")


ADDRESSES = (
    "/sign-in/with/{}",
    "/sign-in/with/{}/back?state=x&code=x",
    "/sign-in/with/school/back?state={}&code=x",
    "/sign-in/with/school/back?state=x&code={}&iss={}",
    "/sign-in/with/school/back?state=x&error={}&error_description={}",
    "/sign-in/first/{}",
    "/sign-in/join/{}",
)
FORMS = {
    "/sign-in/with/{}": {"next": "/"},
    "/sign-in/with/gone": {"next": "{}"},
    "/sign-in/first/{}": {"name": "Anna", "role": "student"},
    "/sign-in/join/{}": {"password": PASSWORD},
    "/account/identities/{}/link": {},
    "/sign-in/again/linked": {"next": "{}"},
}


def test_every_bad_value_is_answered_with_a_page(school: School) -> None:
    with httpx.Client(base_url=school.url, headers={"Origin": school.url}, timeout=30) as client:
        for value in (one for one in BAD_TEXT if len(one) <= 10_000):
            odd = quote(value.encode("utf-8", "surrogatepass"), safe="")
            for address in ADDRESSES:
                assert client.get(address.replace("{}", odd)).status_code < 500, (address, odd)
            for address, form in FORMS.items():
                body = "&".join(f"{name}={text.replace('{}', odd)}" for name, text in form.items())
                answer = client.post(
                    address.replace("{}", odd),
                    content=body,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                )
                assert answer.status_code < 500 or "Nobody does not answer" in answer.text, address


def test_every_bad_answer_to_the_one_question_is_a_sentence(
    school: School, browser: Browser, provider: OidcStandIn
) -> None:
    provider.behaves(person=person("bad-1", "bad-1@example.org", name="\u202e" * 300))
    page = school.visitor(browser)
    come_in(page)
    expect(page.get_by_label("Name")).to_have_value("")

    roles = [one for one in BAD_TEXT if one.strip() and one.isprintable() and len(one) <= 10_000]
    for field, values in {"name": ["", " ", "a" * 10_000, "\u202eevil"], "role": roles}.items():
        for value in values:
            form: dict[str, str | float | bool] = {"name": "Anna", "role": "student", field: value}
            answer = page.request.post(page.url, form=form, headers={"Origin": school.url})
            assert answer.status == 422, (field, value[:40])
            assert "<script>alert" not in answer.text()


def test_the_server_had_no_fault(school: School) -> None:
    assert school.faults() == []
