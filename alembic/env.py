"""How Alembic meets LUMA's database: one process at a time, plain types, our own tables only."""

from typing import Any

from sqlalchemy import Enum, String, create_engine, func, pool, select
from sqlalchemy.types import TypeDecorator

from alembic import context
from luma import db, migrations, models


def run() -> None:
    if context.is_offline_mode():
        raise SystemExit("LUMA's migrations run against a database: leave out --sql.")
    url = context.config.attributes.get("url") or db.address()
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        connection.execute(select(func.pg_advisory_lock(migrations.LOCK)))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=models.Base.metadata,
            include_name=_is_ours,
            render_item=_in_plain_types,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The job queue's tables come and go with its own SQL."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def _in_plain_types(kind: str, item: Any, _context: Any) -> str | bool:
    """A migration must mean the same in ten years, whatever becomes of our own types."""
    if kind != "type":
        return False
    if isinstance(item, Enum) and not item.native_enum:
        return f"sa.{String(item.length)!r}"
    if isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


run()
