"""Identity providers that speak OpenID Connect: where to send people, and who comes back."""

import logging
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from httpx import HTTPStatusError

from luma.errors import LumaError
from luma.services.gateways import oidc_documents, oidc_tokens, oidc_wire
from luma.services.gateways.oidc_documents import Description
from luma.services.gateways.oidc_tokens import Untrusted
from luma.services.gateways.oidc_wire import NoAnswer, ProviderDown, Wire
from luma.settings import Provider

log = logging.getLogger(__name__)

SCOPE = "openid profile email"


class NotProven(LumaError):
    """What came back from the provider does not prove who is there."""

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} could not confirm who you are. Start again.")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What LUMA makes up for one sign-in, to recognise its answer by."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought back. `issuer` is RFC 9207's `iss`, if it was there."""

    code: str
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider has signed. The address is worth nothing unless it is confirmed."""

    subject: str
    email: str
    is_confirmed: bool
    name: str
    signed_in_at: int | None = None
    """When they last showed the provider who they are, in seconds, if it tells."""


def address(provider: Provider, secrets: Secrets, back: str, *, again: bool = False) -> str:
    """Where to send the browser. Waits for the network. Raises ProviderDown.

    `again`: whoever is signed in there already is to show once more who they are.
    """
    there = oidc_documents.description(provider)
    client = _client(provider, there, back)
    where, _ = client.create_authorization_url(
        there.authorize,
        state=secrets.state,
        nonce=secrets.nonce,
        code_verifier=secrets.verifier,
        **({"max_age": "0"} if again else {}),
    )
    return str(where)


def claims(provider: Provider, answer: Answer, secrets: Secrets, back: str) -> Claims:
    """Who is there. Waits for the network. Raises ProviderDown, and NotProven for a false answer.

    A code is worth one try: whatever went wrong, the person starts again.
    """
    there = oidc_documents.description(provider)
    try:
        _check_issuer(provider, there, answer.issuer)
        said = _exchanged(provider, there, answer.code, secrets.verifier, back)
        token = oidc_tokens.verified(provider, there, said, secrets.nonce)
        return _claims(token, _more(there, said, token))
    except NoAnswer as error:
        _note(provider, "no answer", error)
        raise ProviderDown(provider.shown_as) from error
    except Untrusted as error:
        _note(provider, "refused", error)
        raise NotProven(provider.shown_as) from error


def _check_issuer(provider: Provider, there: Description, issuer: str | None) -> None:
    """Another provider's answer, led here, is not taken for this one's (RFC 9207)."""
    if issuer is None and there.names_itself:
        raise Untrusted("the answer does not name its issuer")
    if issuer is not None and issuer != provider.issuer:
        raise Untrusted("the answer is of another issuer")


def _exchanged(
    provider: Provider, there: Description, code: str, verifier: str, back: str
) -> dict[str, Any]:
    client = _client(provider, there, back)
    try:
        return dict(
            client.fetch_token(
                there.token,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=back,
            )
        )
    except OAuth2Error as error:
        raise Untrusted(f"the code was refused: {str(error.error)[:60]!r}") from error
    except (HTTPStatusError, ValueError, TypeError, RecursionError) as error:
        raise NoAnswer("no tokens") from error


def _more(there: Description, said: dict[str, Any], token: dict[str, Any]) -> dict[str, Any]:
    """Many providers tell the address only at their userinfo endpoint."""
    access = said.get("access_token")
    if "email" in token or there.userinfo is None or not isinstance(access, str):
        return token
    found = oidc_wire.document(there.userinfo, {"Authorization": f"Bearer {access}"})
    if found.get("sub") != token["sub"]:
        raise Untrusted("userinfo is about somebody else")
    return found


def _claims(token: dict[str, Any], about: dict[str, Any]) -> Claims:
    """The address and whether it is confirmed come from one document. Some say "true" as text."""
    email, name = about.get("email"), about.get("name") or token.get("name")
    confirmed = about.get("email_verified")
    return Claims(
        subject=str(token["sub"]),
        email=email if isinstance(email, str) else "",
        is_confirmed=confirmed is True or confirmed == "true",
        name=name if isinstance(name, str) else "",
        signed_in_at=token.get("auth_time") if type(token.get("auth_time")) is int else None,
    )


def _client(provider: Provider, there: Description, back: str) -> Any:
    """Authlib's client, which keeps nothing: one for each request."""
    return OAuth2Client(
        session=Wire(),
        client_id=provider.client_id,
        client_secret=provider.client_secret.get_secret_value(),
        token_endpoint_auth_method=there.secret_goes,
        scope=SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
    )


def _note(provider: Provider, what: str, error: Exception) -> None:
    log.warning(
        "a sign-in through a provider failed",
        extra={"provider": provider.name, "outcome": what, "why": str(error)[:200]},
    )
