"""What is taken out: the place, the words there, what stands instead, and who notices."""

from dataclasses import dataclass

HOOK = "tests/webhooks/test_stripe_webhook.py"
INBOX = "tests/services/money/test_inbox.py"
BACK = "tests/services/money/test_reversals.py"
REFUNDS = "tests/services/money/test_refunds.py"
STRIPE = "tests/services/money/test_stripe.py"
FAULTS = "tests/services/money/test_faults.py"
TRANSFERS = "tests/services/money/test_transfers.py"

SIGNATURES = "luma/services/gateways/signatures.py"
FACTS = "luma/services/money/facts.py"
MONEY_INBOX = "luma/services/money/inbox.py"
LEDGER = "alembic/versions/20261123_ledger.py"
REFUND_CALLS = "luma/services/money/refund_calls.py"
SENDING = "luma/services/money/transfers.py"
AT_STRIPE = "luma/services/gateways/stripe.py"
AT_SANDBOX = "luma/services/gateways/sandbox.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`tests` are files of pytest; one red test among them is enough."""

    name: str
    file: str
    words: str
    instead: str
    tests: str


MUTANTS = (
    Mutant(
        "no signature is checked",
        SIGNATURES,
        "if not any(_matches(payload, header, secret) for secret in secrets):",
        "if False:",
        HOOK,
    ),
    Mutant("any age is taken", SIGNATURES, "if abs(age) > TOLERANCE:", "if False:", HOOK),
    Mutant("the future is taken", SIGNATURES, "if abs(age) > TOL", "if age > TOL", HOOK),
    Mutant(
        "NaN is a number",
        SIGNATURES,
        'raise ValueError(f"{constant} is no JSON")',
        "return None  # type: ignore[misc]",
        HOOK,
    ),
    Mutant(
        "an event is kept as often as it comes",
        MONEY_INBOX,
        '"event_id": event.event_id,',
        '"event_id": f"{event.event_id}{id(event)}{now.timestamp()}",',
        INBOX,
    ),
    Mutant(
        "a repeat is not expected",
        MONEY_INBOX,
        "new.on_conflict_do_nothing().returning(",
        "new.returning(",
        INBOX,
    ),
    Mutant(
        "RETURNING is not asked whether a payment is new",
        FACTS,
        "new_id: int | None = session.scalar(once.returning(Payment.id))",
        "session.execute(once)\n    new_id = None",
        "tests/services/money/test_letters_of_money.py",
    ),
    Mutant(
        "an older word about money back replaces a newer one",
        "luma/services/money/reversals.py",
        "where=table.rank < new.excluded.rank",
        "where=table.rank >= 0",
        BACK,
    ),
    Mutant(
        "an older word about a checkout replaces a newer one",
        "luma/models/order.py",
        "if self.RANK.index(status) > self.RANK.index(self.status):",
        "if True:",
        INBOX,
    ),
    Mutant(
        "live and test are one",
        AT_STRIPE,
        "if event.livemode is not settings().livemode:",
        "if False:",
        HOOK,
    ),
    Mutant(
        "Stripe's door takes the sandbox's events",
        AT_STRIPE,
        'if event.event_id.startswith("evt_sbx_"):',
        "if False:",
        HOOK,
    ),
    Mutant(
        "the sandbox's door takes any event",
        AT_SANDBOX,
        "if not event.event_id.startswith(PREFIX) or",
        "if",
        HOOK,
    ),
    Mutant("any amount is enough", FACTS, "if fact.subtotal != order.price:", "if False:", INBOX),
    Mutant(
        "any currency will do",
        FACTS,
        "if fact.subtotal.currency != order.price.currency:",
        "if False:",
        INBOX,
    ),
    Mutant(
        "any discount is believed",
        FACTS,
        "if fact.discount != order.discount_minor:",
        "if False:",
        INBOX,
    ),
    Mutant(
        "one payment pays for two orders",
        FACTS,
        "if intent and _is_used(session, intent, fact.session_id):",
        "if False:",
        INBOX,
    ),
    Mutant(
        "the other gateway's money is taken",
        FACTS,
        'if (order.gateway == "sandbox") is not (source == "sandbox"):',
        "if False:",
        INBOX,
    ),
    Mutant(
        "a checkout may name another order",
        FACTS,
        "if fact.order not in (None, order.public_id):",
        "if False:",
        INBOX,
    ),
    Mutant(
        "an applied event is applied again",
        "luma/services/reception.py",
        "return row if row and row.is_waiting else None",
        "return row",
        INBOX,
    ),
    Mutant(
        "what is asked back already may be asked again",
        "luma/services/money/standings.py",
        "return self.payment.paid - self.payment.refunded - self.waiting",
        "return self.payment.paid - self.payment.refunded",
        REFUNDS,
    ),
    Mutant(
        "a body may be of any size",
        "luma/webhooks.py",
        "if len(body) > MOST_BYTES:",
        "if False:",
        HOOK,
    ),
    Mutant(
        "a coupon is counted without its limit",
        "luma/services/money/promotions.py",
        "Coupon.id == coupon_id, Coupon.most_uses.is_(None) | (Coupon.uses < Coupon.most_uses)",
        "Coupon.id == coupon_id",
        "tests/services/money/test_promotions.py tests/services/money/test_coupon_race.py",
    ),
    Mutant(
        "a refund is asked for again with another key",
        REFUND_CALLS,
        "gateway.refund(payment, request.amount, key)",
        'gateway.refund(payment, request.amount, f"{key}{clock.now()}")',
        FAULTS,
    ),
    Mutant(
        "a refund behind a failure of Stripe's is not looked for",
        REFUND_CALLS,
        "        if known := _found(gateway, payment, key):",
        "        if known := None:",
        FAULTS,
    ),
    Mutant(
        "a key of the day before is believed to be known still",
        REFUND_CALLS,
        "if is_old and (known",
        "if False and (known",
        FAULTS,
    ),
    Mutant(
        "a transfer is asked for again with another key",
        SENDING,
        "return gateway.transfer(request, key)",
        'return gateway.transfer(request, f"{key}{clock.now()}")',
        FAULTS,
    ),
    Mutant(
        "a transfer behind a failure of Stripe's is not looked for",
        SENDING,
        "if made := gateway.transfer_made(request):",
        "if made := None:",
        FAULTS,
    ),
    Mutant(
        "the ledger may be changed",
        LEDGER,
        "  RAISE EXCEPTION 'the ledger is written once: % is refused', TG_OP;",
        "  RETURN NULL;",
        "tests/services/money/test_ledger.py",
    ),
    Mutant(
        "lines of the ledger need not come to zero",
        LEDGER,
        "HAVING sum(minor) <> 0",
        "HAVING false",
        "tests/services/money/test_ledger.py",
    ),
    Mutant(
        "what was paid out too much is not kept back",
        "luma/services/money/owed.py",
        "part = min(left, sale.left)",
        "part = 0",
        TRANSFERS,
    ),
    Mutant(
        "a share is sent while its buyer may still have it back",
        "luma/services/money/owed.py",
        "& (_held_until() < clock.now())",
        "",
        TRANSFERS,
    ),
    Mutant(
        "the promise of a refund never ends",
        "luma/services/money/refunds.py",
        "if until is None or until < clock.now():",
        "if until is None:",
        REFUNDS,
    ),
)
