"""An identity provider: a process of its own, made of Authlib's server side.

It speaks discovery, the code flow with PKCE, id tokens and userinfo, and it can be told to lie:
`POST /control` sets what the next answers are like (see `Behaviour`).
"""

import argparse
import asyncio
import hmac
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from authlib.common.encoding import urlsafe_b64encode
from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

CLIENT_ID, CLIENT_SECRET = "luma-here", "a secret of the test's"


@dataclass
class Behaviour:
    """How it answers. Everything has an honest default."""

    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "person-1",
            "email": "paula@example.org",
            "email_verified": True,
            "name": "Paula Provider",
        }
    )
    claims: dict[str, Any] = field(default_factory=dict)
    """Put over the id token's claims just before it is signed; null takes one out."""
    header: dict[str, Any] = field(default_factory=dict)
    sign: str = "RS256"
    """RS256, none, HS256 (with the public key as its secret) or stranger (a key of its own)."""
    answer: dict[str, str | None] = field(default_factory=dict)
    """Put over what the browser brings back."""
    document: dict[str, Any] = field(default_factory=dict)
    """Put over the discovery document."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    breaks: dict[str, str] = field(default_factory=dict)
    """Path -> html, slow, huge, redirect, 500, text or list."""


@dataclass
class Code:
    """Authlib asks these of an authorization code."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None

    def is_expired(self) -> bool:
        return False


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/back")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class World:
    """What the process remembers."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.behaviour = Behaviour()
        self.codes: dict[str, Code] = {}
        self.asked: list[str] = []
        self.number = 0
        self.key = self.new_key()

    def new_key(self) -> RSAKey:
        self.number += 1
        return _key(f"key-{self.number}")

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """As it is told to, honest or not."""
        how = self.behaviour.sign
        algorithm = how if how in ("none", "HS256") else "RS256"
        header = {"kid": self.key.kid, **header, "alg": algorithm, **self.behaviour.header}
        claims = {**claims, **self.behaviour.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = self.key
        if how == "HS256":
            return _signed_with_what_all_know(header, claims, self.key.as_pem(private=False))
        if how == "stranger":
            key = _key(str(self.key.kid))
        elif how == "none":
            key = OctKey.import_key("nobody")
        any_way = JWSRegistry(algorithms=["RS256", "HS256", "none"], strict_check_header=False)
        return jwt.encode(header, claims, key, registry=any_way)


def _signed_with_what_all_know(
    header: dict[str, Any], claims: dict[str, Any], public: bytes
) -> str:
    """No library does this any more: the public key as the secret of an HMAC."""
    parts = b".".join(urlsafe_b64encode(json.dumps(one).encode()) for one in (header, claims))
    return b".".join([parts, urlsafe_b64encode(hmac.digest(public, parts, "sha256"))]).decode()


def _key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        said = request.payload.data
        _world.codes[code] = Code(
            code,
            request.payload.redirect_uri,
            request.payload.scope,
            said.get("nonce"),
            said.get("code_challenge"),
            said.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return _world.codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        _world.codes.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return _world.behaviour.person


class IdTokens(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return False

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo(user)

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        issuer = _world.issuer
        return {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300}

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return _world.key

    def encode_id_token(self, token: dict[str, Any], request: OAuth2Request) -> str:
        """Authlib's own token, signed anew with what the test wants changed."""
        honest = super().encode_id_token(token, request)
        read = jwt.decode(honest, _world.key)
        return _world.signed({}, read.claims)


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    def __init__(self) -> None:
        super().__init__(scopes_supported=["openid", "profile", "email"])
        self.register_token_generator("default", _bearer)
        self.register_grant(CodeGrant, [IdTokens(require_nonce=True), S256(required=True)])

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT_ID else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        return

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        return

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        content = json.dumps(body) if isinstance(body, dict) else body
        return Response(content, status, dict(headers))


class Asked(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request of Starlette's, read before Authlib sees it."""

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)

    args = form


class S256(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """The plain method is not offered."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  (Authlib reads it so)


def _bearer(*, scope: str, **_: object) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": secrets.token_urlsafe(24),
        "expires_in": 300,
        "scope": scope,
    }


app = FastAPI(openapi_url=None)
_world: World
_server = Server()


@app.middleware("http")
async def misbehave(request: Request, call_next: Any) -> Response:
    path = request.url.path
    if path != "/control":
        _world.asked.append(f"{request.method} {path}")
    match _world.behaviour.breaks.get(path):
        case "html":
            return HTMLResponse("<h1>We are moving house</h1>")
        case "slow":
            await asyncio.sleep(8)
        case "huge":
            return JSONResponse({"issuer": "x" * 2_000_000})
        case "redirect":
            return RedirectResponse("https://evil.example/")
        case "500":
            return Response("{}", 500)
        case "list":
            return JSONResponse([])
    answer: Response = await call_next(request)
    return answer


@app.get("/.well-known/openid-configuration")
def discovery() -> Response:
    here = _world.issuer
    document = {
        "issuer": here,
        "authorization_endpoint": f"{here}/authorize",
        "token_endpoint": f"{here}/token",
        "jwks_uri": f"{here}/keys",
        "userinfo_endpoint": f"{here}/userinfo",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        **_world.behaviour.document,
    }
    return JSONResponse({name: value for name, value in document.items() if value is not None})


@app.get("/keys")
def keys() -> Response:
    """A key for encryption and one of an unknown kind beside it, as real ones have."""
    others = [{"kty": "AKP", "kid": "tomorrow"}, {"kty": "oct", "kid": "shared", "k": "YWJj"}]
    return JSONResponse({"keys": [*others, _world.key.as_dict(private=False)]})


@app.get("/authorize")
def authorize(request: Request) -> Response:
    """The page of the provider: one button, or a refusal."""
    there = escape(f"/agree?{request.url.query}")
    no = escape(f"/refuse?{request.url.query}")
    name = escape(str(_world.behaviour.person.get("name", "Somebody")))
    return HTMLResponse(
        f"<!doctype html><html lang=en><title>Provider</title><h1>Are you {name}?</h1>"
        f"<p><a href='{there}'>Yes, go on</a></p><p><a href='{no}'>No</a></p></html>"
    )


@app.get("/agree")
def agree(request: Request) -> Response:
    asked = _asked(request, dict(request.query_params))
    grant = _server.get_consent_grant(asked, end_user=_world.behaviour.person)
    answer = _server.create_authorization_response(asked, _world.behaviour.person, grant)
    return _bent(answer)


@app.get("/refuse")
def refuse(request: Request) -> Response:
    said = dict(request.query_params)
    asked = _asked(request, said)
    grant = _server.get_consent_grant(asked, end_user=_world.behaviour.person)
    return _bent(_server.create_authorization_response(asked, None, grant))


@app.post("/token")
async def token(request: Request) -> Response:
    form = {name: str(value) for name, value in (await request.form()).items()}
    answer: Response = _server.create_token_response(_asked(request, form))
    return answer


@app.get("/userinfo")
def userinfo() -> Response:
    return JSONResponse({**_world.behaviour.person, **_world.behaviour.userinfo})


@app.get("/control")
def state() -> dict[str, Any]:
    return {"asked": _world.asked}


@app.post("/control")
async def behave(request: Request) -> dict[str, Any]:
    """Become honest again, but for what is sent."""
    wish = await request.json()
    if wish.pop("rotate", False):
        _world.key = _world.new_key()
    _world.behaviour = replace(Behaviour(), **wish)
    _world.asked.clear()
    return {}


def _asked(request: Request, said: dict[str, str]) -> OAuth2Request:
    made = Asked(request.method, str(request.url))
    made.headers = {"Authorization": request.headers.get("authorization", "")}
    made.payload = BasicOAuth2Payload(said)
    return made


def _bent(answer: Response) -> Response:
    """RFC 9207's `iss`, and what the test wants in its place or beside it."""
    where, _, query = answer.headers["location"].partition("?")
    said: dict[str, str | None] = dict(parse_qsl(query))
    said |= {"iss": _world.issuer, **_world.behaviour.answer}
    told = {name: value for name, value in said.items() if value is not None}
    return RedirectResponse(f"{where}?{urlencode(told)}", 302)


def main() -> None:
    global _world  # noqa: PLW0603  (one process, one provider)
    parser = argparse.ArgumentParser()
    parser.add_argument("--descriptor", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().descriptor)
    port = listener.getsockname()[1]
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"
    _world = World(f"http://127.0.0.1:{port}")
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
