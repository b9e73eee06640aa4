"""Mail: by SMTP, or as files in the data folder while no server is named."""

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from luma.errors import ServiceDown
from luma.settings import settings

TIMEOUT = 15
"""Seconds for each answer of the server. Some let a sender wait on purpose."""

DEADLINE = 40.0
"""Seconds for a whole mail, so that a server which drips holds nobody."""

FOLDER = "mail"
PERMANENT = 500
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

_open: set[smtplib.SMTP] = set()


class MailDown(ServiceDown):
    """It did not work this time. The sentence is for whoever runs the school."""


class MailRefused(ServiceDown):
    """The server will never take this mail."""


class NoPrivacy(OSError):
    """The server would hear the password in the clear."""


@dataclass(frozen=True, slots=True)
class Mail:
    """`key` names it for good: a mail that goes out twice is the same mail, byte for byte."""

    key: str
    to: str
    subject: str
    text: str
    html: str
    written_at: datetime


def send(mail: Mail) -> None:
    """Hand a mail over. Raises MailDown to be tried again, and MailRefused."""
    message = composed(mail)
    if settings().smtp_url is None:
        _keep(message, mail.key)
    else:
        _post(message, mail.to)


def composed(mail: Mail) -> EmailMessage:
    """Raises ValueError for an address or a subject with a line end in it."""
    host = urlsplit(settings().base_url).hostname or "localhost"
    message = EmailMessage(policy=SMTP)
    message["From"] = settings().mail_from or f"LUMA <no-reply@{host}>"
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.key}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{mail.key}"[:70])
    return message


def hang_up() -> None:
    """Break off what is being said to any server, so that a stopping LUMA waits for none."""
    for server in tuple(_open):
        _cut(server)


def _keep(message: EmailMessage, key: str) -> None:
    """Whole or not at all: somebody may be reading the folder."""
    file = file_of(key)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    half = file.with_suffix(".half")
    half.write_bytes(message.as_bytes())
    half.replace(file)


def forget(key: str) -> None:
    """Drop the file of a letter that was kept. Twice changes nothing."""
    file_of(key).unlink(missing_ok=True)


def kept() -> list[str]:
    """The keys of all letters that are files."""
    return [file.stem for file in file_of("").parent.glob("*.eml")]


def file_of(key: str) -> Path:
    """Where a letter is kept while no mail server is named."""
    return settings().data_path() / FOLDER / f"{key}.eml"


def server_name() -> str | None:
    """The mail server without its password; None while letters become files."""
    secret = settings().smtp_url
    return urlsplit(secret.get_secret_value()).hostname if secret else None


def _post(message: EmailMessage, to: str) -> None:
    try:
        with _server() as server:
            server.send_message(message, to_addrs=[to])
    except smtplib.SMTPRecipientsRefused as refusal:
        code, words = refusal.recipients[to]
        raise _answer(code, words) from refusal
    except smtplib.SMTPDataError as refusal:
        raise _answer(refusal.smtp_code, refusal.smtp_error) from refusal
    except smtplib.SMTPResponseException as refusal:
        # The sign-in or our own address: the school's trouble, which its operator will mend.
        raise MailDown(
            f"The mail server said {_said(refusal.smtp_code, refusal.smtp_error)}"
        ) from (refusal)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError, NoPrivacy) as error:
        raise MailDown(f"The mail server cannot be trusted with this: {error}") from error
    except OSError as error:  # those of smtplib are among them
        raise MailDown("The mail server does not answer.") from error


def _answer(code: int, words: bytes | str) -> ServiceDown:
    said = f"The mail server said {_said(code, words)}"
    return MailRefused(said) if code >= PERMANENT else MailDown(said)


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = " ".join("".join(s if s.isprintable() else " " for s in text).split())
    return f"{code}: {line[:200]}"


@contextlib.contextmanager
def _server() -> Iterator[smtplib.SMTP]:
    """Connected and signed in; broken off at the deadline whatever it does."""
    secret = settings().smtp_url
    address = urlsplit(secret.get_secret_value() if secret else "")
    server = _for(address)
    limit = threading.Timer(DEADLINE, _cut, [server])
    limit.daemon = True
    limit.start()
    _open.add(server)
    try:
        server.connect(address.hostname or "localhost", address.port or PORTS[address.scheme])
        _sign_in(server, address)
        yield server
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        limit.cancel()
        _open.discard(server)
        server.close()


def _for(address: SplitResult) -> smtplib.SMTP:
    """Not connected yet. The name is what a certificate is checked against."""
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(timeout=TIMEOUT)
    server._host = address.hostname or "localhost"  # type: ignore[attr-defined]  # connect() forgets it
    return server


def _sign_in(server: smtplib.SMTP, address: SplitResult) -> None:
    """TLS wherever the server is another machine and can; a password never travels without."""
    server.ehlo()
    is_near = address.hostname in LOOPBACK
    is_private = address.scheme == "smtps"
    if address.scheme == "smtp+starttls" or (
        address.scheme == "smtp" and not is_near and server.has_extn("starttls")
    ):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
        is_private = True
    if address.username:
        if not is_private and not is_near:
            raise NoPrivacy("it offers no TLS, so the password was not sent")
        server.login(unquote(address.username), unquote(address.password or ""))


def _cut(server: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError):
        if server.sock is not None:
            server.sock.shutdown(socket.SHUT_RDWR)
