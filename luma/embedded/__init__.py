"""PostgreSQL out of a wheel, when no database address is set."""

from functools import lru_cache

from luma.embedded.server import Server
from luma.settings import settings

__all__ = ["Server", "address", "stop"]


@lru_cache
def _server() -> Server:
    return Server(settings().data_path() / "postgres")


def address() -> str:
    """The SQLAlchemy URL of the embedded server, started if it is not running.

    Raises ServiceDown, naming LUMA_DATABASE_URL, where that is not possible.
    """
    return _server().start()


def stop() -> None:
    """Let go of the server. It goes on for as long as another process uses it."""
    _server().stop()
