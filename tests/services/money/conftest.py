"""A school that sells through a stand-in for Stripe."""

from collections.abc import Iterator

import pytest
import stripe as library

from luma.services.gateways import stripe
from luma.settings import settings
from tests.standins.running import StripeStandIn, stripe_stand_in


@pytest.fixture(scope="session")
def _process() -> Iterator[StripeStandIn]:
    with stripe_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def account(_process: StripeStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStandIn]:
    """A school that sells through the stand-in. Nothing that Stripe would not take is sent."""
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", "whsec_x")
    monkeypatch.setenv("LUMA_STRIPE_API_BASE", _process.address)
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(library.HTTPClient, "MAX_DELAY", 0.01)
    monkeypatch.setattr(stripe, "TIMEOUT", 0.5)
    settings.cache_clear()
    stripe._client_for.cache_clear()
    _process.forget()
    yield _process
    stripe._client_for.cache_clear()
    assert _process.misfits == []
