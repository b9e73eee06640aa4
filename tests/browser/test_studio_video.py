"""The editor's preview with a stand-in for YouTube's player."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.school import School, running
from tests.database import Databases
from tests.factories import make_course


@pytest.fixture(scope="module")
def school(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A school whose videos come from the stand-in."""
    command = [sys.executable, "-m", "tests.standins.youtube_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as youtube:
        assert youtube.stdout is not None
        frame = youtube.stdout.readline().strip()
        settings = {"LUMA_DEMO": "0", "LUMA_YOUTUBE_FRAME": frame}
        with (
            databases.fresh() as database,
            running(database, tmp_path_factory.mktemp("luma"), settings) as school,
        ):
            yield school
        youtube.terminate()


def test_playing_the_preview_fills_in_how_long_the_video_is(
    school: School, browser: Browser
) -> None:
    with school.session() as session:
        course = make_course(session)
        email, course_id = course.instructor.email, course.public_id
    page = school.visitor(browser)
    school.sign_in(page, email, f"/studio/{course_id}")
    page.get_by_role("treeitem", name="Flour").click()
    expect(page.get_by_label("Length")).to_have_value("10:00")

    page.get_by_label("YouTube address").fill("https://youtu.be/thisis00245")
    expect(page.get_by_label("Length")).to_have_value("")
    page.get_by_role("button", name="Play video").click()

    expect(page.get_by_label("Length")).to_have_value("4:05")
    expect(page.get_by_role("treeitem", name="Flour")).to_contain_text("4:05")
    page.context.close()
