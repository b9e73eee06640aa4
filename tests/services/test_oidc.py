"""Who comes back from an identity provider is believed only when the provider has signed it."""

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from luma.errors import ServiceDown
from luma.services.gateways import oidc, oidc_documents, oidc_wire
from luma.services.gateways.oidc import Answer, Claims, NotProven, Secrets
from luma.services.gateways.oidc_wire import ProviderDown
from luma.settings import Provider
from tests.standins.oidc_provider import CLIENT_ID, CLIENT_SECRET
from tests.standins.oidc_running import OidcStandIn, oidc_stand_in

BACK = "http://127.0.0.1:8080/sign-in/with/school/back"
KEPT = Secrets("state-" + "s" * 40, "nonce-" + "n" * 40, "verifier-" + "v" * 40)
NOW = time.time


@pytest.fixture(scope="module")
def stand_in() -> Iterator[OidcStandIn]:
    with oidc_stand_in() as started:
        yield started


@pytest.fixture
def there(stand_in: OidcStandIn) -> OidcStandIn:
    """Honest, and not known yet."""
    stand_in.behaves()
    oidc_documents.forget()
    return stand_in


@pytest.fixture
def provider(there: OidcStandIn) -> Provider:
    return Provider(
        name="school",
        issuer=there.issuer,
        client_id=CLIENT_ID,
        client_secret=SecretStr(CLIENT_SECRET),
        label="The school",
    )


def agreed(there: OidcStandIn, provider: Provider, kept: Secrets = KEPT) -> dict[str, str]:
    """What the browser brings back after somebody has agreed."""
    away = oidc.address(provider, kept, BACK)
    answer = there.http.get(away.replace("/authorize?", "/agree?"))
    assert answer.is_redirect, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def believed(
    there: OidcStandIn, provider: Provider, kept: Secrets = KEPT, **said: str | None
) -> Claims:
    brought: dict[str, str | None] = {**agreed(there, provider, kept), **said}
    return oidc.claims(provider, Answer(brought["code"] or "", brought.get("iss")), kept, BACK)


def test_the_browser_is_sent_with_everything_that_guards_the_way(
    there: OidcStandIn, provider: Provider
) -> None:
    away = urlsplit(oidc.address(provider, KEPT, BACK))

    asked = {name: values[-1] for name, values in parse_qs(away.query).items()}
    assert away.geturl().startswith(f"{there.issuer}/authorize?")
    assert asked["code_challenge_method"] == "S256"
    assert asked.pop("code_challenge") not in KEPT.verifier
    assert (asked["state"], asked["nonce"]) == (KEPT.state, KEPT.nonce)
    assert (asked["redirect_uri"], asked["response_type"]) == (BACK, "code")
    assert asked["scope"] == "openid profile email"
    assert KEPT.verifier not in away.geturl()
    assert CLIENT_SECRET not in away.geturl()


def test_to_show_it_again_the_provider_is_to_ask_anew(
    there: OidcStandIn, provider: Provider
) -> None:
    once, again = (oidc.address(provider, KEPT, BACK, again=again) for again in (False, True))

    assert ("max_age=0" in once, "max_age=0" in again) == (False, True)


def test_an_honest_answer_says_who_it_is(there: OidcStandIn, provider: Provider) -> None:
    there.behaves(claims={"auth_time": 7})

    assert believed(there, provider) == Claims(
        "person-1", "paula@example.org", is_confirmed=True, name="Paula Provider", signed_in_at=7
    )


HOSTILE: dict[str, dict[str, object]] = {
    "for another audience": {"claims": {"aud": "somebody-else"}},
    "for several, asked by another": {"claims": {"aud": [CLIENT_ID, "x"], "azp": "x"}},
    "for several, asked by nobody": {"claims": {"aud": [CLIENT_ID, "x"]}},
    "asked by another": {"claims": {"azp": "somebody-else"}},
    "without an audience": {"claims": {"aud": None}},
    "audience of a strange kind": {"claims": {"aud": {"a": 1}}},
    "another nonce": {"claims": {"nonce": "replayed"}},
    "no nonce": {"claims": {"nonce": None}},
    "a nonce of a strange kind": {"claims": {"nonce": [KEPT.nonce]}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "the issuer with a slash": {"claims": {"iss": "slash"}},
    "no issuer": {"claims": {"iss": None}},
    "issuers in a list": {"claims": {"iss": ["https://evil.example"]}},
    "expired": {"claims": {"exp": int(NOW()) - 120}},
    "never expires": {"claims": {"exp": None}},
    "expires in words": {"claims": {"exp": "tomorrow"}},
    "signed long ago": {"claims": {"iat": int(NOW()) - 3600, "exp": int(NOW()) + 3600}},
    "signed in the future": {"claims": {"iat": int(NOW()) + 3600}},
    "not valid yet": {"claims": {"nbf": int(NOW()) + 3600}},
    "no time of signing": {"claims": {"iat": None}},
    "a huge time": {"claims": {"iat": 10**400}},
    "no subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject of a strange kind": {"claims": {"sub": 7}},
    "a long subject": {"claims": {"sub": "s" * 300}},
    "a subject with a line end": {"claims": {"sub": "a\nb"}},
    "another access token's hash": {"claims": {"at_hash": "AAAA"}},
    "signed with nothing": {"sign": "none"},
    "signed with the public key as a secret": {"sign": "HS256"},
    "signed by a stranger": {"sign": "stranger"},
    "a key nobody knows": {"header": {"kid": "nobody's"}},
    "an algorithm that does not exist": {"header": {"alg": "none"}},
    "an answer of another issuer (mix-up)": {"answer": {"iss": "https://evil.example"}},
    "an answer that does not name its issuer": {"answer": {"iss": None}},
    "a code that was never given": {"answer": {"code": "made-up"}},
}


def test_only_what_a_providers_own_key_signs_is_looked_at(
    there: OidcStandIn, provider: Provider
) -> None:
    """It says that it also takes HS256 and none."""
    assert oidc_documents.description(provider).algorithms == ("RS256",)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_false_answer_is_refused(there: OidcStandIn, provider: Provider, name: str) -> None:
    believed(there, provider)
    wishes = dict(HOSTILE[name])
    if name == "the issuer with a slash":
        wishes = {"claims": {"iss": f"{there.issuer}/"}}
    there.behaves(**wishes)

    with pytest.raises(NotProven, match="The school could not confirm who you are"):
        believed(there, provider)


def test_a_code_is_good_once(there: OidcStandIn, provider: Provider) -> None:
    brought = agreed(there, provider)
    answer = Answer(brought["code"], brought["iss"])
    oidc.claims(provider, answer, KEPT, BACK)

    with pytest.raises(NotProven):
        oidc.claims(provider, answer, KEPT, BACK)


def test_a_code_caught_on_the_way_is_worth_nothing_without_the_verifier(
    there: OidcStandIn, provider: Provider
) -> None:
    brought = agreed(there, provider)
    guessed = Secrets(KEPT.state, KEPT.nonce, "another-verifier-" + "v" * 40)

    with pytest.raises(NotProven):
        oidc.claims(provider, Answer(brought["code"], brought["iss"]), guessed, BACK)


def test_a_new_key_is_found_at_once(there: OidcStandIn, provider: Provider) -> None:
    believed(there, provider)
    there.behaves(rotate=True)

    assert believed(there, provider).subject == "person-1"
    assert there.asked.count("GET /keys") == 1


def test_unknown_keys_do_not_make_us_ask_all_the_time(
    there: OidcStandIn, provider: Provider
) -> None:
    believed(there, provider)
    there.behaves(header={"kid": "nobody's"})

    for _ in range(4):
        with pytest.raises(NotProven):
            believed(there, provider)

    assert there.asked.count("GET /keys") == 1


def test_documents_are_asked_for_once(there: OidcStandIn, provider: Provider) -> None:
    for _ in range(3):
        believed(there, provider)

    assert there.asked.count("GET /.well-known/openid-configuration") == 1
    assert there.asked.count("GET /keys") == 1


def test_an_address_that_only_userinfo_tells_is_found(
    there: OidcStandIn, provider: Provider
) -> None:
    there.behaves(claims={"email": None, "email_verified": None})

    assert believed(there, provider).email == "paula@example.org"


def test_userinfo_about_somebody_else_is_refused(there: OidcStandIn, provider: Provider) -> None:
    there.behaves(claims={"email": None}, userinfo={"sub": "person-2"})

    with pytest.raises(NotProven):
        believed(there, provider)


@pytest.mark.parametrize(
    ("told", "confirmed"),
    [(True, True), ("true", True), (False, False), ("false", False), (None, False), (1, False)],
)
def test_only_a_plain_yes_confirms_an_address(
    there: OidcStandIn, provider: Provider, told: object, confirmed: bool
) -> None:
    there.behaves(claims={"email_verified": told})

    assert believed(there, provider).is_confirmed is confirmed


DISCOVERY = "/.well-known/openid-configuration"
FAR = "https://provider.example"


@pytest.mark.parametrize("trouble", ["html", "huge", "redirect", "500", "list"])
@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
def test_an_answer_that_is_none_is_a_sentence(
    there: OidcStandIn, provider: Provider, path: str, trouble: str
) -> None:
    there.behaves(breaks={path: trouble})

    with pytest.raises(ServiceDown, match="does not answer right now"):
        believed(there, provider)


def test_a_slow_provider_is_not_waited_for(
    there: OidcStandIn, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = httpx.Client(timeout=0.3, trust_env=False)
    monkeypatch.setattr(oidc_wire, "_client", lambda: impatient)
    there.behaves(breaks={DISCOVERY: "slow"})

    with pytest.raises(ProviderDown):
        oidc.address(provider, KEPT, BACK)

    impatient.close()
    assert oidc_wire.TIMEOUT == 5


def test_a_provider_that_is_down_is_asked_once_and_then_left_in_peace(
    there: OidcStandIn, provider: Provider
) -> None:
    there.behaves(breaks={DISCOVERY: "500"})

    for _ in range(5):
        with pytest.raises(ProviderDown):
            oidc.address(provider, KEPT, BACK)

    assert there.asked == [f"GET {DISCOVERY}"]


def test_what_was_known_serves_while_the_provider_is_down(
    there: OidcStandIn, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc.address(provider, KEPT, BACK)
    there.behaves(breaks={DISCOVERY: "500"})
    monkeypatch.setattr(oidc_documents, "FRESH", 0.0)

    assert oidc.address(provider, KEPT, BACK)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://provider.example/token"},
        {"token_endpoint": "https://user:word@provider.example/token"},
        {"jwks_uri": 7},
        {"userinfo_endpoint": "ftp://provider.example"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
def test_a_document_that_cannot_be_trusted_is_not(
    there: OidcStandIn, provider: Provider, document: dict[str, object]
) -> None:
    there.behaves(document=document)

    with pytest.raises(ProviderDown):
        oidc.address(provider, KEPT, BACK)


def test_a_provider_elsewhere_may_not_use_plain_http(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = provider.model_copy(update={"issuer": FAR})
    said = {
        "issuer": FAR,
        "authorization_endpoint": f"{FAR}/a",
        "token_endpoint": "http://127.0.0.1/t",
        "jwks_uri": f"{FAR}/k",
    }
    monkeypatch.setattr(oidc_wire, "document", lambda _: said)

    with pytest.raises(ProviderDown):
        oidc.address(far, KEPT, BACK)


def test_a_secret_may_go_in_the_body_if_the_provider_wants_it_there(
    there: OidcStandIn, provider: Provider
) -> None:
    there.behaves(document={"token_endpoint_auth_methods_supported": ["client_secret_post"]})

    assert believed(there, provider).subject == "person-1"


def test_a_wrong_secret_is_no_fault_of_ours(there: OidcStandIn, provider: Provider) -> None:
    wrong = provider.model_copy(update={"client_secret": SecretStr("not it")})

    with pytest.raises(NotProven):
        believed(there, wrong)
