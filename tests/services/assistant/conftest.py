"""A stand-in for OpenRouter, one process for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.standins.openrouter import OpenRouter, connect, openrouter


@pytest.fixture(scope="module")
def _openrouter() -> Iterator[OpenRouter]:
    with openrouter() as stand_in:
        yield stand_in


@pytest.fixture
def router(
    _openrouter: OpenRouter, _own_settings: None, monkeypatch: pytest.MonkeyPatch
) -> OpenRouter:
    connect(_openrouter, monkeypatch)
    return _openrouter
