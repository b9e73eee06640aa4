"""What axe-core says of every page of the demo school, light and dark, wide and on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from luma.services import demo
from tests.browser.school import School, running
from tests.database import Databases
from tests.screenshots import LOOKS, Shot, give_admins_work, press, shots
from tests.standins.oidc_running import oidc_stand_in

WEIGHTY = ("serious", "critical")


@pytest.fixture(scope="module")
def school(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """The demo school, with identity providers and with something for admins to do."""
    folder = tmp_path_factory.mktemp("luma")
    with databases.fresh() as database, oidc_stand_in() as provider:
        named = provider.settings("clerk") | provider.settings("google")
        with running(database, folder, {"LUMA_DEMO": "0", **named}) as school:
            with school.session() as session:
                demo.load(session)
                give_admins_work(session)
            yield school


@pytest.fixture(scope="module")
def pages(school: School) -> list[Shot]:
    with school.session() as session:
        return shots(session)


@pytest.mark.parametrize("look", ["wide-light", "phone-dark"])
def test_axe_has_nothing_serious_to_say(
    browser: Browser, school: School, pages: list[Shot], look: str
) -> None:
    found: list[str] = []
    visitors: dict[str | None, Page] = {}
    for shot in pages:
        if shot.who not in visitors:
            visitors[shot.who] = _visitor(browser, school, look, shot.who)
        page = visitors[shot.who]
        page.goto(shot.path)
        page.wait_for_load_state("networkidle")
        press(page, shot)
        found += [f"{shot.name}: {line}" for line in _complaints(page)]

    assert found == []


def _visitor(browser: Browser, school: School, look: str, who: str | None) -> Page:
    page = school.visitor(browser, **LOOKS[look])  # type: ignore[arg-type]  # a mapping of wishes
    if who:
        school.sign_in(page, f"{who}@luma.example")
    return page


def _complaints(page: Page) -> list[str]:
    """One line for each element that breaks a rule of weight, with its selector."""
    results = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}) {' '.join(map(str, node['target']))}"
        for rule in results
        if rule["impact"] in WEIGHTY
        for node in rule["nodes"]
    ]
