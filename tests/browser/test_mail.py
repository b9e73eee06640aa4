"""Stories of letters: an admin reads them and sends one again."""

from playwright.sync_api import Browser, expect
from sqlalchemy import select

from luma.models.letter import Letter
from luma.services import clock, letters
from luma.values import Role
from tests.browser.school import School
from tests.factories import make_user

HOSTILE = "<script>document.title='evil'</script><b>bold</b>"


def test_an_admin_reads_a_letter_and_sends_it_again(school: School, browser: Browser) -> None:
    with school.session() as session:
        make_user(session, "Ada Kim", email="ada@example.org", roles=(Role.ADMIN,))
        anna = make_user(session, email="anna@example.org")
        letters.write(
            session, anna.id, "hello", subject="Bröd is open", text=HOSTILE, button=("Go", "/learn")
        )
        session.scalars(select(Letter)).one().refuse("550: unknown", clock.now())
    page = school.visitor(browser)
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    school.sign_in(page, "ada@example.org", "/admin/mail")
    page.get_by_role("link", name="Refused 1").click()
    page.get_by_role("link", name="Bröd is open").click()

    sheet = page.frame_locator("iframe")
    expect(sheet.get_by_role("heading", name="Bröd is open")).to_be_visible()
    expect(sheet.get_by_text(HOSTILE)).to_be_visible()
    expect(sheet.get_by_role("link", name="Go", exact=True)).to_have_css("font-weight", "600")
    expect(page.get_by_text("550: unknown")).to_be_visible()
    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_text("The letter is on its way again.")).to_be_visible()
    assert refused == []


def test_others_do_not_see_the_mail(school: School, browser: Browser) -> None:
    with school.session() as session:
        make_user(session, email="ben@example.org")
        key = session.scalars(select(Letter.key)).one()
    page = school.visitor(browser)
    school.sign_in(page, "ben@example.org")

    for path in ("/admin/mail", f"/admin/mail/{key}", f"/admin/mail/{key}/sheet"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
