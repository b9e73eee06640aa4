"""What an operator does: python -m luma.cli grant-admin | demo | worker | migrate | doctor."""

import argparse
import asyncio
import contextlib
import logging
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from luma import db, logs, migrations
from luma.errors import LumaError, RuleBroken
from luma.services import accounts, demo, health
from luma.settings import settings


def main(words: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(words)
    logs.write()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with in_sentences():
        asked.action(asked)


@contextlib.contextmanager
def in_sentences() -> Iterator[None]:
    """What an operator can mend ends the program with a sentence and not with a traceback."""
    try:
        yield
    except ValidationError as refusal:
        sys.exit("\n".join(_sentence(error) for error in refusal.errors()))
    except LumaError as refusal:
        sys.exit(str(refusal))
    except SQLAlchemyError as error:
        logging.getLogger(__name__).debug("the database failed", exc_info=error)
        sys.exit(f"The database does not answer: {error}".splitlines()[0])
    except KeyboardInterrupt:
        sys.exit(0)


def _sentence(error: ErrorDetails) -> str:
    name = "_".join(["LUMA", *(str(part) for part in error["loc"])]).upper()
    words = error["msg"].removeprefix("Value error, ")
    return f"{name}: {words}." if error["loc"] else words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m luma.cli", description="Look after a LUMA.")
    actions = parser.add_subparsers(required=True)

    def add(name: str, action: Callable[[argparse.Namespace], None], meaning: str) -> None:
        actions.add_parser(name, help=meaning).set_defaults(action=action)

    grant = actions.add_parser("grant-admin", help="make the owner of an account an admin")
    grant.add_argument("email")
    grant.set_defaults(action=_grant_admin)
    add("demo", _demo, "load the demo school into an empty database")
    add("worker", _worker, "run jobs beside the server's own worker")
    add("migrate", _migrate, "bring the database's tables to this version")
    add("doctor", _doctor, "say what works and what is missing")
    return parser


def _grant_admin(asked: argparse.Namespace) -> None:
    with db.unit_of_work() as session:
        accounts.grant_admin(session, asked.email)
    print(f"{asked.email} is an admin now and signs in again.")


def _demo(_asked: argparse.Namespace) -> None:
    if settings().is_production:
        raise RuleBroken("The demo's passwords are known: it is not loaded in production.")
    migrations.upgrade()
    with db.unit_of_work() as session:
        if not demo.load(session):
            raise RuleBroken("There is something in this database: the demo needs an empty one.")
    print(f"The demo school is there. Its people sign in with: {demo.PASSWORD}")


def _worker(_asked: argparse.Namespace) -> None:
    from luma import worker  # noqa: PLC0415  (slow, and only this needs it)

    migrations.upgrade()
    print("The worker runs. Ctrl+C ends it.", flush=True)
    asyncio.run(worker.work())


def _migrate(_asked: argparse.Namespace) -> None:
    migrations.upgrade()
    print("The tables are those of this version.")


def _doctor(_asked: argparse.Namespace) -> None:
    """Raises LumaError when something that LUMA needs is missing."""
    here = settings()
    selling = "played in the sandbox" if here.uses_sandbox else "by Stripe"
    print(f"Python      {platform.python_version()} on {platform.platform()}")
    print(f"Data        {here.data_path()}")
    print(f"Address     {here.base_url}, listening on {here.host}:{here.port}")
    print(f"Payments    {selling}{', live' if here.livemode else ''}")
    print(f"Mail        {'by SMTP' if here.smtp_url else 'written to files'}")
    with db.unit_of_work() as session:
        version = session.scalar(text("SHOW server_version"))
        print(f"Database    PostgreSQL {version}{', embedded' if not here.database_url else ''}")
        if not migrations.is_current(session):
            raise RuleBroken("The tables are of another version: python -m luma.cli migrate")
        state = health.health(session)
    print(f"Worker      {'runs' if state.worker else 'does not run'}")
    print(f"Jobs        {'on time' if state.jobs_on_time else 'late: see /admin'}")
    print(f"Disk        {'has room' if state.disk else 'is nearly full'}")
    if not (state.disk and state.jobs_on_time):
        raise RuleBroken("Something above needs you.")


if __name__ == "__main__":
    main()
