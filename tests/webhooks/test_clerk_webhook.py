"""Only what Clerk signed just now comes in, once, and is applied in any order."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import webhooks
from luma.errors import ServiceDown
from luma.models.audit import AuditEntry
from luma.models.identity import IdentityEvent
from luma.models.letter import Letter
from luma.models.user import User
from luma.services import accounts, identities, identity_inbox
from luma.services.accounts import Visit
from luma.services.admin import jobs
from luma.services.gateways import clerk
from luma.settings import settings
from luma.values import EventStatus, Role
from tests.factories import fresh, make_user

ISSUER = "https://clerk.school.example"
SECRET, ROLLED = "whsec_c2VjcmV0IG9uZSBvZiB0aGlz", "whsec_c2VjcmV0IHR3byBvZiB0aGlz"
SUBJECT = "user_2abc"
Client = httpx.AsyncClient


@pytest.fixture(autouse=True)
def _clerk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A school whose sign-in is Clerk's, its webhook secret just being rolled."""
    monkeypatch.setenv("LUMA_OIDC_CLERK_ISSUER", ISSUER)
    monkeypatch.setenv("LUMA_OIDC_CLERK_CLIENT_ID", "x")
    monkeypatch.setenv("LUMA_OIDC_CLERK_CLIENT_SECRET", "x")
    monkeypatch.setenv("LUMA_CLERK_WEBHOOK_SECRET", f"{SECRET}, {ROLLED}")
    settings.cache_clear()
    yield
    settings.cache_clear()


def now() -> datetime:
    return datetime.now(UTC)


def body(kind: str = "user.updated", subject: str = SUBJECT, **changes: Any) -> bytes:
    data = {
        "id": subject,
        "object": "user",
        "first_name": "Clara",
        "last_name": "Klerk",
        "primary_email_address_id": "idn_1",
        "email_addresses": [
            {
                "id": "idn_1",
                "email_address": "clara@example.org",
                "verification": {"status": "verified", "strategy": "email_code"},
            }
        ],
        "updated_at": 1_800_000_000_000,
    }
    if kind == clerk.DELETED:
        data = {"id": subject, "object": "user", "deleted": True}
    event = {"data": data | changes, "object": "event", "type": kind}
    return json.dumps(event | {"timestamp": 1_800_000_000_500}).encode()


def signed(
    payload: bytes, event_id: str = "msg_1", secret: str = SECRET, at: datetime | None = None
) -> dict[str, str]:
    return clerk.sign(payload, event_id, secret, at or now())


async def post(client: Client, payload: bytes, headers: dict[str, Any]) -> int:
    raw = [
        (name.encode(), said if isinstance(said, bytes) else said.encode("latin-1", "replace"))
        for name, said in headers.items()
    ]
    answer = await client.post("/webhooks/clerk", content=payload, headers=raw)
    return answer.status_code


def stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(IdentityEvent)) or 0


Headers = Callable[[bytes], dict[str, Any]]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(signed, id="ours"),
        pytest.param(lambda p: signed(p, secret=ROLLED), id="the secret that is coming"),
        pytest.param(
            lambda p: signed(p) | {"svix-signature": f"v1,AAAA {signed(p)['svix-signature']}"},
            id="ours is the second of two",
        ),
        pytest.param(
            lambda p: signed(p) | {"svix-signature": f"v2,x {signed(p)['svix-signature']}"},
            id="another scheme beside it",
        ),
        pytest.param(lambda p: signed(p, at=now() - timedelta(seconds=290)), id="290 s old"),
        pytest.param(lambda p: signed(p, at=now() + timedelta(seconds=290)), id="290 s ahead"),
    ],
)
async def test_what_is_signed_comes_in(client: Client, session: Session, headers: Headers) -> None:
    payload = body().replace(b", ", b",  ")

    assert await post(client, payload, headers(payload)) == 200

    assert session.scalars(select(IdentityEvent)).one().raw == payload


def _without(name: str) -> Headers:
    return lambda p: {k: v for k, v in signed(p).items() if k != name}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _: {}, id="no headers"),
        pytest.param(_without("svix-id"), id="no id"),
        pytest.param(_without("svix-timestamp"), id="no time"),
        pytest.param(_without("svix-signature"), id="no signature at all"),
        pytest.param(lambda p: signed(p, secret="whsec_b3RoZXI="), id="another secret"),
        pytest.param(lambda p: signed(p + b" "), id="another body"),
        pytest.param(lambda p: signed(p) | {"svix-id": "msg_2"}, id="another id"),
        pytest.param(
            lambda p: signed(p) | {"svix-timestamp": str(int(now().timestamp()) + 9)},
            id="another time",
        ),
        pytest.param(lambda p: signed(p) | {"svix-timestamp": "soon"}, id="no number"),
        pytest.param(lambda p: signed(p) | {"svix-timestamp": "nan"}, id="not a number"),
        pytest.param(lambda p: signed(p) | {"svix-timestamp": "9" * 400}, id="a huge time"),
        pytest.param(lambda p: signed(p, at=now() - timedelta(seconds=310)), id="310 s old"),
        pytest.param(lambda p: signed(p, at=now() + timedelta(seconds=310)), id="310 s ahead"),
        pytest.param(lambda p: signed(p) | {"svix-signature": ""}, id="empty"),
        pytest.param(lambda p: signed(p) | {"svix-signature": ",,, ,"}, id="only signs"),
        pytest.param(lambda p: signed(p) | {"svix-signature": "v1,"}, id="no signature"),
        pytest.param(lambda p: signed(p) | {"svix-signature": b"v1,\xff\xfe"}, id="no ASCII"),
        pytest.param(
            lambda p: (
                signed(p) | {"svix-signature": signed(p)["svix-signature"].replace("v1,", "v1a,")}
            ),
            id="another scheme",
        ),
    ],
)
async def test_what_is_not_proven_is_refused(
    client: Client, session: Session, headers: Headers
) -> None:
    assert await post(client, body(), headers(body())) == 400
    assert stored(session) == 0


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no json", id="not JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="nested 100,000 deep"),
        pytest.param(body(subject=""), id="no user"),
        pytest.param(body(subject="a\x00"), id="NUL in the user"),
        pytest.param(body(subject="a" * 300), id="a long user"),
        pytest.param(body(subject=7), id="a number for a user"),  # type: ignore[arg-type]
        pytest.param(body(kind="\ud800"), id="half a character"),
        pytest.param(body(kind=None), id="no type"),  # type: ignore[arg-type]
        pytest.param(body(updated_at=2**80), id="a time beyond all clocks"),
    ],
)
async def test_what_is_signed_but_no_event_is_refused(
    client: Client, session: Session, payload: bytes
) -> None:
    assert await post(client, payload, signed(payload)) == 400
    assert stored(session) == 0


async def test_bytes_that_are_no_text_are_refused(client: Client, session: Session) -> None:
    assert await post(client, b"\xff\xfe", signed(b"")) == 400


async def test_without_a_secret_nothing_comes_in(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = signed(body())
    monkeypatch.delenv("LUMA_CLERK_WEBHOOK_SECRET")
    settings.cache_clear()

    assert await post(client, body(), headers) == 400


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
async def test_a_body_has_at_most_one_megabyte(
    client: Client, session: Session, extra: int, status: int
) -> None:
    payload = body()
    payload += b" " * (2**20 + extra - len(payload))

    assert await post(client, payload, signed(payload)) == status


async def test_without_a_database_clerk_is_asked_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise ServiceDown("The database does not answer. Try again in a minute.")

    monkeypatch.setattr(webhooks, "perform", down)

    assert await post(client, body(), signed(body())) == 503


async def test_a_repeat_is_answered_well_and_stored_once(client: Client, session: Session) -> None:
    for _ in range(3):
        assert await post(client, body(), signed(body())) == 200

    assert stored(session) == 1


async def test_a_kind_that_we_do_not_act_on_is_kept_and_done_with(
    client: Client, session: Session
) -> None:
    payload = body("session.created")

    assert await post(client, payload, signed(payload)) == 200

    kept = session.scalars(select(IdentityEvent)).one()
    assert (kept.status, kept.subject) == (EventStatus.DONE, None)


def clara(session: Session, *, password: bool = True) -> User:
    """Known by Clerk, and here under another name and address."""
    user = make_user(session, "Before", email="before@example.org")
    user.external_id = identities.external_id(ISSUER, SUBJECT)
    if not password:
        user.password_hash = None
    session.flush()
    return user


def told(session: Session, payload: bytes, event_id: str = "msg_1") -> IdentityEvent:
    """Received and applied, as the worker does."""
    identity_inbox.receive(session, clerk.verified(payload, signed(payload, event_id)))
    row_id = session.scalars(
        select(IdentityEvent.id).where(IdentityEvent.event_id == event_id)
    ).one()
    identity_inbox.apply([row_id])
    session.expire_all()
    return session.get_one(IdentityEvent, row_id)


def test_name_and_address_follow(session: Session) -> None:
    user = clara(session)

    row = told(session, body())

    assert (user.name, user.email) == ("Clara Klerk", "clara@example.org")
    assert row.status is EventStatus.DONE
    assert user.email_verified_at is not None
    letter = session.scalars(select(Letter)).one()
    assert (letter.address, letter.user_id) == ("before@example.org", user.id)
    assert "clara@example.org" in letter.text


@pytest.mark.parametrize(
    "changes",
    [
        {"email_addresses": []},
        {"primary_email_address_id": None},
        {"primary_email_address_id": "idn_2"},
        {"email_addresses": None},
        {"email_addresses": ["idn_1"]},
        *(
            {"email_addresses": [{"id": "idn_1", "email_address": e, "verification": v}]}
            for e, v in (
                ("clara@example.org", None),
                ("clara@example.org", {"status": "unverified"}),
                ("clara@example.org", "verified"),
                (None, {"status": "verified"}),
                ("no address", {"status": "verified"}),
                ("ä@example.org", {"status": "verified"}),
            )
        ),
    ],
)
def test_an_address_that_is_not_confirmed_does_not_follow(
    session: Session, changes: dict[str, Any]
) -> None:
    user = clara(session)

    row = told(session, body(**changes))

    assert (user.name, user.email) == ("Clara Klerk", "before@example.org")
    assert row.status is EventStatus.DONE
    assert row.last_error


def test_an_address_of_somebody_else_does_not_follow(session: Session) -> None:
    user = clara(session)
    make_user(session, email="clara@example.org")

    row = told(session, body())

    assert user.email == "before@example.org"
    assert row.last_error == "the address belongs to another account here"


@pytest.mark.parametrize("name", [None, "", " ", "\0", "a\u202eb", 7])
def test_a_name_that_cannot_be_one_does_not_follow(session: Session, name: object) -> None:
    user = clara(session)

    row = told(session, body(first_name=name, last_name=None))

    assert (user.name, user.email) == ("Before", "clara@example.org")
    assert row.status is EventStatus.DONE


def test_an_older_event_that_comes_later_changes_nothing(session: Session) -> None:
    user = clara(session)
    told(session, body(first_name="New", updated_at=2_000), "msg_2")

    row = told(session, body(first_name="Old", updated_at=1_000), "msg_1")

    assert user.name == "New Klerk"
    assert row.last_error == "a newer one came before it"


def test_applying_twice_changes_nothing(session: Session) -> None:
    user = clara(session)
    row = told(session, body())
    user.name = "Changed here"
    session.flush()

    identity_inbox.apply([row.id])

    session.expire_all()
    assert user.name == "Changed here"


@pytest.mark.parametrize("kind", [clerk.UPDATED, clerk.DELETED])
def test_somebody_we_do_not_know_is_no_trouble(session: Session, kind: str) -> None:
    row = told(session, body(kind))

    assert (row.status, row.last_error) == (EventStatus.DONE, "nobody here has this identity")


def test_the_same_subject_of_another_provider_is_somebody_else(session: Session) -> None:
    user = clara(session)
    user.external_id = identities.external_id("https://accounts.google.com", SUBJECT)
    session.flush()

    told(session, body(clerk.DELETED))

    assert (user.external_id is None, user.disabled_at) == (False, None)


def test_whoever_is_deleted_there_and_has_a_password_keeps_the_account(session: Session) -> None:
    user = clara(session)
    key = accounts.key_of(accounts.open_session(session, user.id, Visit("203.0.113.7", "Firefox")))

    told(session, body(clerk.DELETED))

    assert (user.external_id, user.disabled_at) == (None, None)
    assert accounts.viewer(session, key) is None
    noted = session.scalars(select(AuditEntry)).one()
    assert (noted.act, noted.thing) == ("user.unlink", f"user {user.id}")


def test_whoever_is_deleted_there_and_has_no_password_is_closed_here(session: Session) -> None:
    user = clara(session, password=False)
    key = accounts.key_of(accounts.open_session(session, user.id, Visit("203.0.113.7", "Firefox")))

    told(session, body(clerk.DELETED), "msg_2")
    late = told(session, body(), "msg_1")

    assert user.disabled_at is not None
    assert accounts.viewer(session, key) is None
    assert (user.name, late.last_error) == ("Before", "nobody here has this identity")


def test_what_cannot_be_applied_is_parked_and_seen(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    clara(session)

    def broken(_: bytes) -> None:
        raise KeyError("something")

    with monkeypatch.context() as patched:
        patched.setattr(clerk, "user", broken)
        row = told(session, body())

    assert (row.status, row.attempts) == (EventStatus.PARKED, 1)
    assert row.last_error == "KeyError: 'something'"
    admin = fresh(make_user(session, roles=(Role.ADMIN,)))
    assert [one.event_id for one in jobs.failures(session, admin).events] == ["msg_1"]
    jobs.apply_again(session, admin, "msg_1")
    identity_inbox.apply([row.id])
    session.expire_all()
    assert session.get_one(IdentityEvent, row.id).status is EventStatus.DONE


def test_a_secret_without_a_clerk_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMA_CLERK_PROVIDER", "google")
    settings.cache_clear()

    with pytest.raises(ValueError, match="no provider is Clerk"):
        settings()
