"""A school whose AI is the stand-in for OpenRouter."""

from collections.abc import Iterator

import pytest

from tests.browser.school import School, running
from tests.database import Databases
from tests.standins.openrouter import KEY, OpenRouter, openrouter


@pytest.fixture(scope="module")
def router() -> Iterator[OpenRouter]:
    with openrouter() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def school(
    databases: Databases, router: OpenRouter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[School]:
    settings = {
        "LUMA_DEMO": "0",
        "LUMA_OPENROUTER_API_KEY": KEY,
        "LUMA_OPENROUTER_BASE_URL": router.base_url,
    }
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), settings) as school,
    ):
        yield school
