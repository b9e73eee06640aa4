"""Write movements into the ledger: each once, and only what comes to zero."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.services import clock

Lines = Mapping[LedgerAccount, int]


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement: what came in or was spent is above zero, what is owed or earned below."""

    kind: LedgerKind
    thing: str
    """The id of the fact behind it."""
    happened_at: datetime
    lines: Lines

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.thing}"


def write(
    session: Session,
    posting: Posting,
    gateway: str,
    payment_id: int | None,
    lines: list[LedgerEntry],
) -> None:
    """Raises ValueError for lines that do not come to zero in every currency."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.currency] += line.minor
    if any(sums.values()):
        raise ValueError(f"{posting.key} does not come to zero")
    new = insert(LedgerTransaction).values(
        key=posting.key,
        kind=posting.kind,
        gateway=gateway,
        payment_id=payment_id,
        happened_at=posting.happened_at,
        posted_at=clock.now(),
    )
    number = session.scalar(new.on_conflict_do_nothing().returning(LedgerTransaction.id))
    if number is None:
        return
    for line in lines:
        line.transaction_id = number
    session.add_all(lines)
    session.flush()
