"""Mail: by SMTP, or as files in the data folder while no server is named."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import SplitResult, unquote, urlsplit

from luma.services.gateways.protocol import GatewayDown
from luma.settings import settings

TIMEOUT = 20
FOLDER = "mail"


def send(to: str, subject: str, text: str, key: str) -> None:
    """Send one mail. Raises GatewayDown to be tried again.

    `key` names the mail for good: one that went out twice has the same Message-ID twice.
    """
    host = urlsplit(settings().base_url).hostname or "localhost"
    mail = EmailMessage()
    mail["From"] = settings().mail_from or f"LUMA <no-reply@{host}>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{key}@{host}>"
    mail.set_content(text)
    if settings().smtp_url is None:
        _keep(mail, key)
    else:
        _post(mail)


def _keep(mail: EmailMessage, key: str) -> None:
    folder = settings().data_path() / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{key}.eml").write_bytes(mail.as_bytes())


def _post(mail: EmailMessage) -> None:
    secret = settings().smtp_url
    address = urlsplit(secret.get_secret_value() if secret else "")
    try:
        with _server(address) as server:
            if address.username:
                server.login(unquote(address.username), unquote(address.password or ""))
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise GatewayDown from error


def _server(address: SplitResult) -> smtplib.SMTP:
    """smtps:// is TLS from the start; smtp:// turns to it whenever the server can."""
    host, trusted = address.hostname or "localhost", ssl.create_default_context()
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(host, address.port or 465, timeout=TIMEOUT, context=trusted)
    server = smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=trusted)
    return server
