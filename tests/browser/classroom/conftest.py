"""A school whose videos come from the stand-in."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.browser.school import School, running
from tests.database import Databases


@pytest.fixture(scope="module")
def youtube() -> Iterator[str]:
    """The origin of the stand-in."""
    command = [sys.executable, "-m", "tests.standins.youtube_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def school(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, youtube: str
) -> Iterator[School]:
    settings = {"LUMA_DEMO": "0", "LUMA_YOUTUBE_FRAME": youtube}
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), settings) as school,
    ):
        yield school
