"""Only what Stripe, or our own sandbox, signed just now comes in, and nothing makes it stumble."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import webhooks
from luma.errors import ServiceDown
from luma.models.payment import StripeEvent
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayEvent, Unverified
from luma.services.money import inbox, refusals
from luma.settings import settings
from tests.selling import signature_at, signed

SECRET, ROLLED = "whsec_one", "whsec_two"
Client = httpx.AsyncClient


@pytest.fixture
def stripe_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A school that sells through Stripe in test mode, its webhook secret just being rolled."""
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", f"{SECRET}, {ROLLED}")
    settings.cache_clear()
    yield
    settings.cache_clear()


def body(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_800_000_000,
        "data": {"object": {"id": "cs_1", "object": "checkout.session"}},
        "livemode": False,
        "pending_webhooks": 1,
        "type": "checkout.session.completed",
    }
    return json.dumps(event | changes).encode()


def now() -> int:
    return int(datetime.now(UTC).timestamp())


async def post(client: Client, content: bytes, header: str | bytes | None) -> httpx.Response:
    headers: dict[bytes, bytes] = {b"content-type": b"application/json"}
    if header is not None:
        raw = header if isinstance(header, bytes) else header.encode("latin-1", "replace")
        headers[b"stripe-signature"] = raw
    return await client.post("/webhooks/stripe", content=content, headers=list(headers.items()))


def stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(StripeEvent)) or 0


def mac(payload: bytes, secret: str = SECRET, when: int | None = None) -> str:
    return signature_at(payload, secret, when or now()).partition("v1=")[2]


@pytest.mark.usefixtures("stripe_account")
class TestStripe:
    async def test_a_signed_event_is_stored_as_it_came(
        self, client: Client, session: Session
    ) -> None:
        payload = body().replace(b", ", b",  ")

        answer = await post(client, payload, signed(payload, SECRET))

        assert answer.status_code == 200
        assert session.scalars(select(StripeEvent)).one().raw == payload

    async def test_a_repeat_is_answered_well_and_stored_once(
        self, client: Client, session: Session
    ) -> None:
        for _ in range(3):
            answer = await post(client, body(), signed(body(), SECRET))

        assert (answer.status_code, stored(session)) == (200, 1)

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param(lambda p: signed(p, ROLLED), id="the secret that is coming"),
            pytest.param(
                lambda p: f"t={now()},v1={'0' * 64},v1={mac(p)}", id="ours is the second of two"
            ),
            pytest.param(lambda p: f"t={now()},v0=abc,v1={mac(p)}", id="an old scheme beside it"),
            pytest.param(lambda p: signature_at(p, SECRET, now() - 295), id="295 seconds old"),
            pytest.param(lambda p: signature_at(p, SECRET, now() + 295), id="295 seconds ahead"),
        ],
    )
    async def test_what_is_signed_by_one_of_the_secrets_comes_in(
        self, client: Client, session: Session, header: Callable[[bytes], str]
    ) -> None:
        answer = await post(client, body(), header(body()))

        assert (answer.status_code, stored(session)) == (200, 1)

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param(lambda _: None, id="no header"),
            pytest.param(lambda _: "", id="an empty header"),
            pytest.param(lambda _: "garbage", id="garbage"),
            pytest.param(lambda _: ",,,===,", id="only signs"),
            pytest.param(lambda p: signed(p, "whsec_other"), id="another secret"),
            pytest.param(lambda p: signed(p, ""), id="an empty secret"),
            pytest.param(lambda p: signed(p, " "), id="a blank secret"),
            pytest.param(lambda p: signed(p + b" "), id="another body"),
            pytest.param(lambda p: f"t={now()},v0={mac(p)}", id="the old scheme only"),
            pytest.param(lambda p: f"t=abc,v1={mac(p)}", id="no number for a time"),
            pytest.param(lambda p: f"v1={mac(p)}", id="no time"),
            pytest.param(
                lambda p: f"t={now()},t={now() - 1},v1={mac(p, when=now() - 1)}", id="2 t"
            ),
            pytest.param(lambda p: f"t={now()}", id="no signature"),
            pytest.param(lambda p: f"t = {now()}, v1 = {mac(p)}", id="spaces"),
            pytest.param(lambda p: f"t={now()},v1={mac(p).upper()}", id="upper-case hex"),
            pytest.param(lambda p: f"t={now()},v1=".encode() + b"\xff\xfe", id="no ASCII"),
            pytest.param(lambda p: signature_at(p, SECRET, now() - 305), id="305 seconds old"),
            pytest.param(lambda p: signature_at(p, SECRET, now() + 305), id="305 seconds ahead"),
            pytest.param(lambda p: signature_at(p, SECRET, now() + 86_400), id="from tomorrow"),
            pytest.param(lambda p: signature_at(p, SECRET, -1), id="before 1970"),
            pytest.param(lambda p: signature_at(p, SECRET, "9" * 400), id="a huge time"),
            pytest.param(lambda p: signature_at(p, SECRET, "9" * 5000), id="a time too long"),
        ],
    )
    async def test_what_is_not_proven_is_refused(
        self, client: Client, session: Session, header: Callable[[bytes], str | bytes | None]
    ) -> None:
        answer = await post(client, body(), header(body()))

        assert (answer.status_code, stored(session)) == (400, 0)

    @pytest.mark.parametrize(
        "payload",
        [
            pytest.param(b"\xff\xfe{}", id="not UTF-8"),
            pytest.param(b"", id="nothing"),
            pytest.param(b"no json", id="not JSON"),
            pytest.param(b"[]", id="a list"),
            pytest.param(b"null", id="null"),
            pytest.param(b"{}", id="an empty object"),
            pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="nested 100,000 deep"),
            pytest.param(body(created=float("nan")), id="NaN"),
            pytest.param(body(amount=float("inf")), id="infinity"),
            pytest.param(body().replace(b"1800000000", b"1e400"), id="a number too large"),
            pytest.param(body(created=2**80), id="a time beyond all clocks"),
            pytest.param(body(created=True), id="a truth for a time"),
            pytest.param(body(livemode="false"), id="text for a truth"),
            pytest.param(body(object="v2.core.event"), id="a thin event"),
            pytest.param(body(id="evt_\x00"), id="NUL in the id"),
            pytest.param(body(id="cus_1"), id="the id of something else"),
            pytest.param(body(id=""), id="an empty id"),
            pytest.param(body(id="evt_" + "a" * 300), id="a long id"),
            pytest.param(
                body().replace(b'"livemode": false', b'"livemode": false, "livemode": true'),
                id="two words for one thing, the last one of live mode",
            ),
            pytest.param(body(type="\ud800"), id="half a character"),
            pytest.param(body(type=None), id="no type"),
            pytest.param(body(data={}), id="no object"),
            pytest.param(body(data={"object": []}), id="a list for an object"),
            pytest.param(body(api_version={"a": 1}), id="an object for a version"),
            pytest.param(body(livemode=True), id="of live mode, to a test key"),
            pytest.param(body(account="acct_1"), id="of a connected account"),
            pytest.param(body(id="evt_sbx_1"), id="of the sandbox, which is off"),
        ],
    )
    async def test_what_is_signed_but_no_event_of_ours_is_refused(
        self, client: Client, session: Session, payload: bytes
    ) -> None:
        answer = await post(client, payload, signed(payload, SECRET))

        assert (answer.status_code, stored(session)) == (400, 0)

    async def test_the_sandboxs_secret_opens_nothing_while_stripe_is_on(
        self, client: Client, session: Session
    ) -> None:
        payload = body(id="evt_sbx_1")

        answer = await post(client, payload, signed(payload, sandbox.secret()))

        assert (answer.status_code, stored(session)) == (400, 0)

    @pytest.mark.parametrize(("extra", "status"), [(-1, 200), (0, 200), (1, 413)])
    async def test_a_body_has_at_most_one_megabyte(
        self, client: Client, session: Session, extra: int, status: int
    ) -> None:
        payload = body()
        payload += b" " * (2**20 + extra - len(payload))

        answer = await post(client, payload, signed(payload, SECRET))

        assert answer.status_code == status

    async def test_a_body_that_comes_in_pieces_is_counted_too(self, client: Client) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * 100_000

        answer = await client.post("/webhooks/stripe", content=pieces())

        assert answer.status_code == 413

    async def test_a_packed_body_is_not_unpacked(self, client: Client, session: Session) -> None:
        packed = gzip.compress(body())

        answer = await post(client, packed, signed(body(), SECRET))

        assert (answer.status_code, stored(session)) == (400, 0)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    async def test_only_posts_are_taken(self, client: Client, method: str) -> None:
        answer = await client.request(method, "/webhooks/stripe")

        assert answer.status_code == 405

    async def test_without_a_database_stripe_is_asked_to_come_again(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def down(*_: object) -> None:
            raise ServiceDown("The database does not answer. Try again in a minute.")

        monkeypatch.setattr(webhooks, "perform", down)

        answer = await post(client, body(), signed(body(), SECRET))

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")

    async def test_an_event_that_cannot_be_stored_keeps_no_other_out(
        self, client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        receive = inbox.receive

        def choosy(session: Session, arrived: Sequence[GatewayEvent]) -> None:
            if any(event.event_id == "evt_bad" for event in arrived):
                raise ServiceDown("Not this one.") if len(arrived) == 1 else ValueError
            receive(session, arrived)

        monkeypatch.setattr(inbox, "receive", choosy)
        payloads = [body(id=f"evt_{name}") for name in ("1", "bad", "2", "3")]

        answers = await asyncio.gather(
            *(post(client, payload, signed(payload, SECRET)) for payload in payloads)
        )

        assert [answer.status_code for answer in answers] == [200, 503, 200, 200]
        assert stored(session) == 3

    async def test_too_many_at_once_are_asked_to_come_again(
        self, client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(webhooks, "MOST_WAITING", 3)
        payloads = [body(id=f"evt_{number}") for number in range(12)]

        answers = await asyncio.gather(
            *(post(client, payload, signed(payload, SECRET)) for payload in payloads)
        )

        taken = [answer.status_code for answer in answers].count(200)
        assert {answer.status_code for answer in answers} == {200, 503}
        assert stored(session) == taken

    async def test_no_secret_and_no_body_is_logged(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        payload = body(id="evt_private")
        with caplog.at_level(logging.DEBUG):
            await post(client, payload, signed(payload, "whsec_other"))
            await post(client, payload, signature_at(payload, SECRET, now() - 400))

        written = " ".join(str(vars(record)) for record in caplog.records)
        assert "whsec" not in written
        assert "evt_private" not in written
        assert "stale" in written

    @given(
        payload=st.binary(max_size=300) | st.just(body()),
        header=st.binary(max_size=200) | st.just(b"t=1,v1=00"),
    )
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    async def test_no_bytes_make_it_stumble_or_let_them_in(
        self, client: Client, session: Session, payload: bytes, header: bytes
    ) -> None:
        printable = bytes(byte for byte in header if byte not in b"\r\n\0")

        answer = await post(client, payload, printable)

        assert answer.status_code in {400, 404, 413}
        assert stored(session) == 0

    @given(place=st.integers(0, len(body()) - 1), byte=st.integers(0, 255))
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    async def test_a_body_that_was_changed_is_never_believed(
        self, client: Client, session: Session, place: int, byte: int
    ) -> None:
        genuine = body()
        changed = genuine[:place] + bytes([byte]) + genuine[place + 1 :]

        answer = await post(client, changed, signed(genuine, SECRET))

        assert answer.status_code == (200 if changed == genuine else 400)


THIN = {
    "id": "evt_thin",
    "object": "v2.core.event",
    "type": "v2.core.account[requirements].updated",
    "livemode": False,
    "created": "2026-11-01T10:00:00.000Z",
    "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/1"},
}
SHAPES = {
    "/webhooks/stripe/platform": ("whsec_platform", body(id="evt_platform")),
    "/webhooks/stripe/connect": ("whsec_connect", body(id="evt_connect", account="acct_1")),
    "/webhooks/stripe/thin": ("whsec_thin", json.dumps(THIN).encode()),
}


async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(
    client: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "BODY_WITHIN", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b"{"
            await asyncio.sleep(0.01)

    answer = await asyncio.wait_for(client.post("/webhooks/stripe", content=trickle()), 5)

    assert (answer.status_code, answer.text) == (408, "The event took too long to arrive.")
    assert session.scalar(select(func.count(StripeEvent.id))) == 0


@pytest.mark.parametrize("door", SHAPES)
async def test_each_address_takes_its_own_secret_and_its_own_shape_and_no_other(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", "whsec_platform")
    monkeypatch.setenv("LUMA_STRIPE_CONNECT_SECRET", "whsec_connect")
    monkeypatch.setenv("LUMA_STRIPE_THIN_SECRET", "whsec_thin")
    settings.cache_clear()

    answers = {}
    for secret, _ in SHAPES.values():
        for other, (_, payload) in SHAPES.items():
            headers = {"Stripe-Signature": signed(payload, secret)}
            answer = await client.post(door, content=payload, headers=headers)
            answers[secret, other] = answer.status_code

    assert answers.pop((SHAPES[door][0], door)) == 200
    assert set(answers.values()) == {400}
    assert stored(session) == 1


async def test_without_a_webhook_secret_there_is_no_webhook(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", " , ")
    settings.cache_clear()

    answer = await post(client, body(), signed(body(), ""))

    assert answer.status_code == 404


async def test_a_live_key_takes_live_events_only(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "rk_live_x")
    monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", SECRET)
    settings.cache_clear()

    live = await post(client, body(livemode=True), signed(body(livemode=True), SECRET))
    test = await post(client, body(id="evt_2"), signed(body(id="evt_2"), SECRET))

    assert (live.status_code, test.status_code) == (200, 400)


class TestSandbox:
    async def test_its_own_events_come_in(self, client: Client, session: Session) -> None:
        payload = body(id="evt_sbx_1")

        answer = await post(client, payload, signed(payload))

        assert (answer.status_code, stored(session)) == (200, 1)
        assert session.scalars(select(StripeEvent)).one().source == "sandbox"

    @pytest.mark.parametrize(
        "changes", [{"id": "evt_1"}, {"livemode": True}, {"account": "acct_1"}]
    )
    async def test_nothing_else_does(
        self, client: Client, session: Session, changes: dict[str, Any]
    ) -> None:
        payload = body(**({"id": "evt_sbx_1"} | changes))

        answer = await post(client, payload, signed(payload))

        assert (answer.status_code, stored(session)) == (400, 0)

    async def test_another_installations_sandbox_is_not_believed(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payload = body(id="evt_sbx_1")
        header = signed(payload)
        monkeypatch.setenv("LUMA_SECRET", "of somebody else")
        settings.cache_clear()

        answer = await post(client, payload, header)

        assert answer.status_code == 400

    async def test_an_old_signature_is_not_believed(self, client: Client) -> None:
        payload = body(id="evt_sbx_1")
        header = signed(payload, at=datetime.now(UTC) - timedelta(minutes=6))

        answer = await post(client, payload, header)

        assert answer.status_code == 400


async def test_what_is_refused_is_noted_to_be_counted(
    client: httpx.AsyncClient, refused: list[Unverified]
) -> None:
    await client.post(
        "/webhooks/stripe/platform", content=b"{}", headers={"Stripe-Signature": "t=1,v1=0"}
    )

    assert [str(one) for one in refused] == ["The signature does not match."]


async def test_what_is_noted_is_counted(session: Session) -> None:
    counting = webhooks._Refusals()

    counting.note(Unverified("Bad."))
    counting.note(Unverified("Bad."))
    assert counting._storing
    await counting._storing

    assert [one.times for one in refusals.of_the_week(session)] == [2]
