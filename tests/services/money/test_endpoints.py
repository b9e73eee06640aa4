"""Where Stripe sends its events: found out, judged in words, repaired, and created."""

import json
from datetime import timedelta
from typing import Any

import pytest
import stripe as library
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken, ServiceDown
from luma.models.audit import AuditEntry
from luma.models.payee import Payee
from luma.models.payment import GatewayOperation, StripeEvent
from luma.services import clock
from luma.services.gateways import checkout_events, events
from luma.services.gateways.endpoints import NotPermitted
from luma.services.gateways.protocol import Door
from luma.services.money import endpoint_repair, endpoints, inbox, payments_health
from luma.services.money.endpoint_words import Cure, Standing, Verdict
from luma.settings import settings
from luma.values import Role
from tests.factories import make_user, signed_in
from tests.selling import from_stripe, open_sale, received
from tests.standins.running import StripeStandIn

HERE = "https://school.example"


@pytest.fixture
def school(account: StripeStandIn, monkeypatch: pytest.MonkeyPatch) -> StripeStandIn:
    """Where the world can reach it."""
    monkeypatch.setenv("LUMA_BASE_URL", HERE)
    settings.cache_clear()
    return account


@pytest.fixture
def admin(session: Session) -> str:
    return signed_in(session, make_user(session, roles=(Role.ADMIN,)).id)


def endpoint(
    school: StripeStandIn, name: str = "we_1", *, path: str = "/platform", **changes: Any
) -> None:
    fields: dict[str, Any] = {
        "id": name,
        "object": "webhook_endpoint",
        "api_version": library.api_version,
        "application": None,
        "created": 1,
        "description": None,
        "enabled_events": sorted(events.WANTED_AT[Door.PLATFORM]),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": f"{HERE}/webhooks/stripe{path}",
    }
    school.changes(name, **(fields | changes))


def verdict(session: Session, door: Door = Door.PLATFORM) -> Verdict:
    endpoints.check()
    session.expire_all()
    (found,) = [one for one in endpoints.checked(session).verdicts if one.door is door]
    return found


def connected(session: Session) -> None:
    session.add(
        Payee(
            instructor_id=make_user(session).id,
            gateway="stripe",
            account_id="acct_1",
            asked_at=clock.now(),
            created_at=clock.now(),
        )
    )
    session.flush()


def warned(session: Session) -> bool:
    return "not set up to send" in (payments_health.warning(session) or "")


@pytest.mark.parametrize("path", ["/platform", "", "/platform/"])
def test_an_endpoint_that_sends_everything_is_right(
    session: Session, school: StripeStandIn, path: str
) -> None:
    endpoint(school, path=path, enabled_events=["*"] if not path else sorted(events.ACTED_ON))

    found = verdict(session)

    assert (found.standing, found.cure) == (Standing.RIGHT, None)
    assert not warned(session)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "disabled"}, "switched off"),
        (
            {"enabled_events": sorted(events.ACTED_ON - {checkout_events.COMPLETED})},
            checkout_events.COMPLETED,
        ),
        ({"enabled_events": ["charge.failed"]}, "and"),
    ],
)
def test_what_does_not_arrive_is_named_repaired_and_said_to_sellers(
    session: Session, school: StripeStandIn, admin: str, changes: dict[str, Any], word: str
) -> None:
    endpoint(school, **changes)
    before = verdict(session)
    was_warned = warned(session)

    endpoint_repair.repair(admin, "platform")

    session.expire_all()
    (there,) = school.all("we")
    assert (before.standing, before.cure) == (Standing.WRONG, Cure.REPAIR)
    assert word in before.words[0]
    assert was_warned
    assert there["status"] == "enabled"
    assert set(there["enabled_events"]) >= events.ACTED_ON
    assert set(there["enabled_events"]) >= set(changes.get("enabled_events", []))
    assert verdict(session).standing is Standing.RIGHT
    assert not warned(session)


def test_an_older_release_is_slow_and_no_alarm(session: Session, school: StripeStandIn) -> None:
    endpoint(school, api_version="2025-03-31.basil")

    found = verdict(session)

    assert (found.standing, found.cure) == (Standing.SLOW, None)
    assert "another release" in found.words[0]
    assert not warned(session)


def test_a_school_without_its_secret_is_told_which_one_to_set(
    session: Session, school: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUMA_STRIPE_WEBHOOK_SECRET")
    settings.cache_clear()
    endpoint(school)

    found = verdict(session)

    assert (found.standing, found.cure) == (Standing.WRONG, None)
    assert "LUMA_STRIPE_WEBHOOK_SECRET is not set" in found.words[0]


def test_two_for_one_address_are_said(session: Session, school: StripeStandIn) -> None:
    endpoint(school)
    endpoint(school, "we_2", path="")

    assert "2 endpoints" in verdict(session).words[0]


def test_a_missing_one_is_created_once_and_its_secret_told_once(
    session: Session, school: StripeStandIn, admin: str
) -> None:
    endpoint(school, url="https://old.example/webhooks/stripe/platform")
    before = verdict(session)
    was_warned = warned(session)

    made = endpoint_repair.create(admin, "platform")
    with pytest.raises(RuleBroken, match="already"):
        endpoint_repair.create(admin, "platform")

    (there,) = [one for one in school.all("we") if one["url"].startswith(HERE)]
    kept = [vars(one) for one in (*session.query(GatewayOperation), *session.query(AuditEntry))]
    assert (before.standing, before.cure) == (Standing.MISSING, Cure.CREATE)
    assert "old.example" in before.words[0]
    assert set(before.types) == events.ACTED_ON
    assert was_warned
    assert made.secret.startswith("whsec_")
    assert made.variable == "LUMA_STRIPE_WEBHOOK_SECRET"
    assert made.secret not in str(kept)
    assert there["api_version"] == library.api_version
    assert set(there["enabled_events"]) == events.ACTED_ON
    assert verdict(session).standing is Standing.RIGHT


def test_a_lost_answer_is_asked_for_again_and_makes_no_second_endpoint(
    session: Session, school: StripeStandIn, admin: str
) -> None:
    school.fails("reset", "POST /v1/webhook_endpoints", times=3)
    with pytest.raises(ServiceDown):
        endpoint_repair.create(admin, "platform")

    made = endpoint_repair.create(admin, "platform")

    assert made.secret.startswith("whsec_")
    assert len(school.all("we")) == 1


def test_those_of_instructors_accounts_are_asked_for_once_somebody_has_one(
    session: Session, school: StripeStandIn, admin: str
) -> None:
    before = [verdict(session, door).standing for door in (Door.CONNECT, Door.THIN)]
    connected(session)
    missing = [verdict(session, door).standing for door in (Door.CONNECT, Door.THIN)]

    for door in ("connect", "thin"):
        endpoint_repair.create(admin, door)

    found = [verdict(session, door) for door in (Door.CONNECT, Door.THIN)]
    assert before == [Standing.NOT_NEEDED] * 2
    assert missing == [Standing.MISSING] * 2
    assert [one.standing for one in found] == [Standing.WRONG] * 2
    assert ["_SECRET is not set" in one.words[0] for one in found] == [True, True]
    (thin,) = school.all("ed")
    assert (thin["event_payload"], thin["events_from"]) == ("thin", ["@accounts"])


def test_full_events_at_the_address_of_thin_ones_are_no_use(
    session: Session, school: StripeStandIn
) -> None:
    connected(session)
    endpoint(school, path="/thin", enabled_events=["*"])

    assert verdict(session, Door.THIN).standing is Standing.MISSING


def test_a_thin_one_is_repaired(
    session: Session, school: StripeStandIn, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_THIN_SECRET", "whsec_thin")
    settings.cache_clear()
    endpoint_repair.create(admin, "thin")
    (made,) = school.all("ed")
    school.changes(made["id"], status="disabled", enabled_events=["v2.core.account.closed"])
    before = verdict(session, Door.THIN)

    endpoint_repair.repair(admin, "thin")

    assert before.cure is Cure.REPAIR
    assert verdict(session, Door.THIN).standing is Standing.RIGHT


def test_a_key_without_the_right_gets_a_sentence(
    session: Session, school: StripeStandIn, admin: str
) -> None:
    endpoint(school)
    verdict(session)
    school.fails("403", "/v1/webhook_endpoints", times=2)

    endpoints.check()
    session.expire_all()
    checked = endpoints.checked(session)
    with pytest.raises(NotPermitted, match="no right"):
        endpoint_repair.repair(admin, "platform")

    assert "no right" in (checked.trouble or "")
    assert checked.verdicts
    assert not warned(session)


def test_stripe_that_is_away_leaves_what_was_found(session: Session, school: StripeStandIn) -> None:
    endpoint(school)
    verdict(session)
    school.fails("500", "/v1/webhook_endpoints", times=9)

    endpoints.check()
    session.expire_all()

    assert endpoints.checked(session).trouble
    assert endpoints.checked(session).verdicts


def test_on_ones_own_machine_events_are_forwarded_and_nothing_is_created(
    session: Session, account: StripeStandIn, admin: str
) -> None:
    found = verdict(session)

    assert found.standing is Standing.BY_HAND
    assert "stripe listen" in found.words[0]
    assert not warned(session)
    with pytest.raises(RuleBroken, match="LUMA_BASE_URL"):
        endpoint_repair.create(admin, "platform")


def test_while_events_come_by_another_address_sellers_are_left_in_peace(
    session: Session, school: StripeStandIn
) -> None:
    verdict(session)
    was_warned = warned(session)
    inbox.receive(session, [from_stripe(received(open_sale(session).event()))])
    now_warned = warned(session)
    session.query(StripeEvent).update({"received_at": clock.now() - timedelta(days=2)})

    assert (was_warned, now_warned, warned(session)) == (True, False, True)


def test_the_sandbox_is_right_by_itself(session: Session) -> None:
    assert {verdict(session, door).standing for door in Door} == {Standing.RIGHT}


@pytest.mark.parametrize("act", [endpoint_repair.repair, endpoint_repair.create])
def test_only_admins_touch_it_and_only_doors_are_touched(
    session: Session, school: StripeStandIn, admin: str, act: Any
) -> None:
    key = signed_in(session, make_user(session).id)

    with pytest.raises(NotAllowed):
        act(key, "platform")
    for word in ("", "attic", None, 7, json.dumps({}), "\x00", ["platform"]):
        with pytest.raises(RuleBroken):
            act(admin, word)
    with pytest.raises(NotAllowed):
        endpoint_repair.look_again(key)
    assert school.requests == []
