"""A mail server: `python -m tests.standins.mail_server FOLDER`. Prints its port.

Whatever it takes is a file in FOLDER. How it behaves is in the name of the addressee: `nobody@`
and `full@` are refused for good, `greylisted@` once for now, `stuck@` never gets an answer,
`lost@` is taken the first time and the answer is lost. With --certificate and --key it offers
TLS, with --smtps from the first byte; with --sign-in it takes mail from those alone who sign in.
"""

import argparse
import asyncio
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

WELL = "250 OK"


class Postman:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = count(1)
        self._seen: Counter[str] = Counter()

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        name = address.partition("@")[0]
        self._seen[address] += 1
        if name == "nobody":
            return "550 5.1.1 There is no nobody here"
        if name == "greylisted" and self._seen[address] == 1:
            return "451 4.7.1 Come back in a few minutes"
        envelope.rcpt_tos.append(address)
        return WELL

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        address = envelope.rcpt_tos[0]
        name = address.partition("@")[0]
        if name == "full":
            return "552 5.2.2 The mailbox is full"
        if name == "stuck":
            await asyncio.sleep(600)
        content = envelope.content
        assert isinstance(content, bytes)
        (self._folder / f"{next(self._number):04}.eml").write_bytes(content)
        if name == "lost" and self._seen[address] == 1:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return WELL


async def serve(asked: argparse.Namespace) -> None:
    context = None
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
    listening = await asyncio.get_running_loop().create_server(
        _protocol(asked, context), "127.0.0.1", 0, ssl=context if asked.smtps else None
    )
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await listening.serve_forever()


def _protocol(asked: argparse.Namespace, context: ssl.SSLContext | None) -> Callable[[], SMTP]:
    postman = Postman(asked.folder)

    def knows(
        _server: SMTP, _session: Session, _envelope: Envelope, _how: str, proof: object
    ) -> AuthResult:
        right = isinstance(proof, LoginPassword) and (
            f"{proof.login.decode()}:{proof.password.decode()}" == asked.sign_in
        )
        return AuthResult(success=right, handled=False)

    return lambda: SMTP(
        postman,
        hostname="mail.test",
        tls_context=None if asked.smtps else context,
        authenticator=knows,
        auth_required=bool(asked.sign_in),
        auth_require_tls=context is not None and not asked.smtps,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--sign-in")
    asyncio.run(serve(parser.parse_args()))
