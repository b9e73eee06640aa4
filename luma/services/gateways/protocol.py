"""What LUMA asks of whoever takes the money, in the same words for every gateway."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from luma.services.gateways.coupon_requests import CouponRequest, PromotionRequest
from luma.services.gateways.refused import (
    AlreadyReturned,
    GatewayArchived,
    GatewayDown,
    GatewayMissing,
    GatewayRefused,
    Stale,
    Unverified,
)
from luma.values import Money

if TYPE_CHECKING:
    from luma.services.gateways.endpoints import Endpoints

__all__ = [
    "AlreadyReturned",
    "GatewayArchived",
    "GatewayDown",
    "GatewayMissing",
    "GatewayRefused",
    "Stale",
    "Unverified",
]

KEYS_LAST = timedelta(hours=23)
"""A gateway forgets a key after a day: what was asked longer ago is looked for instead."""


class Thing(StrEnum):
    """What a gateway can be asked to show as it is now."""

    CHECKOUT = "checkout"
    INVOICE = "invoice"
    CHARGE = "charge"
    """With what it settled to."""
    REFUND = "refund"
    DISPUTE = "dispute"
    PRODUCT = "product"
    PRICE = "price"
    """With what it costs in other currencies."""
    ACCOUNT = "account"
    """Of somebody who is paid."""
    PAYOUT = "payout"
    FRAUD_WARNING = "fraud_warning"
    BALANCE = "balance"
    TRANSFER = "transfer"
    """With all that was taken back of it."""


class Door(StrEnum):
    """Where events arrive: each address has secrets of its own and hears of other things."""

    PLATFORM = "platform"
    CONNECT = "connect"
    """What happens in the accounts of those who are paid."""
    THIN = "thin"
    """Says which account has changed, and no more."""


@dataclass(frozen=True, slots=True)
class ProductRequest:
    """A course as the gateway shows it to a buyer. `reference` is the course's public id."""

    reference: str
    name: str
    description: str
    tax_code: str = ""
    """Stripe's word for what kind of thing it is; empty where no tax is counted."""


@dataclass(frozen=True, slots=True)
class PriceRequest:
    product_id: str
    reference: str
    amount: Money
    tax_behavior: str = ""
    """inclusive or exclusive; empty where no tax is counted. It never changes at Stripe."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One visit to the gateway's checkout page. `order` is the order's public id."""

    order: str
    title: str
    price_id: str
    amount: Money
    email: str
    success_url: str
    cancel_url: str
    expires_at: int
    """Seconds since 1970, as the gateway counts."""
    counts_tax: bool = False
    """Whether tax is counted, tax numbers are asked for and an invoice is written."""
    coupon_id: str = ""
    """The gateway's; "" without one."""
    discount: int = 0
    """What the coupon takes off `amount`, in its minor units."""

    @property
    def total(self) -> Money:
        return Money(self.amount.minor - self.discount, self.amount.currency)

    def frozen(self) -> dict[str, str | int]:
        """As plain JSON, to keep beside its operation key."""
        return {
            "order": self.order,
            "title": self.title,
            "price_id": self.price_id,
            "amount": self.amount.decimal(),
            "currency": self.amount.currency,
            "email": self.email,
            "success_url": self.success_url,
            "cancel_url": self.cancel_url,
            "expires_at": self.expires_at,
            "coupon_id": self.coupon_id,
            "discount": self.discount,
            "counts_tax": int(self.counts_tax),
        }

    @classmethod
    def thawed(cls, kept: dict[str, object]) -> Self:
        """What `frozen` wrote."""
        words = {name: str(value) for name, value in kept.items()}
        return cls(
            order=words["order"],
            title=words["title"],
            price_id=words["price_id"],
            amount=Money.parse(words["amount"], words["currency"]),
            email=words["email"],
            success_url=words["success_url"],
            cancel_url=words["cancel_url"],
            expires_at=int(words["expires_at"]),
            coupon_id=words.get("coupon_id", ""),
            discount=int(words.get("discount", 0)),
            counts_tax=words.get("counts_tax") == "1",
        )


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A share to send to an instructor's account; with `of`, a part of that transfer to take back.

    `reference` goes along, so that what was made can be found by it.
    """

    reference: str
    order: str
    account_id: str
    charge_id: str
    amount: Money
    of: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """An event whose sender is proven. `raw` is what was signed; nothing in it is read yet."""

    event_id: str
    type: str
    api_version: str | None
    livemode: bool
    account: str | None
    created_at: datetime
    raw: bytes
    source: str


class Gateway(Protocol):
    """Each call that makes something takes a key: asking twice with one key does it once.

    All but `verified`, `is_ours` and `is_set_up` wait for the network and raise GatewayDown or
    GatewayRefused, so none is called inside a transaction.
    """

    @property
    def name(self) -> str: ...

    def is_set_up(self) -> bool:
        """Whether events can be received, without which nobody may be sent to pay."""

    def create_product(self, request: ProductRequest, key: str) -> str: ...

    def update_product(self, product_id: str, request: ProductRequest, key: str) -> None:
        """What was archived is for sale again."""

    def create_price(self, request: PriceRequest, key: str) -> str: ...

    def replace_price(self, product_id: str, new_id: str, old_id: str, key: str) -> None:
        """Sell at the new price from now on and archive the old one. Doing it twice is harmless."""

    def create_coupon(self, request: CouponRequest, key: str) -> str: ...

    def create_promotion_code(self, request: PromotionRequest, key: str) -> str: ...

    def end_promotion_code(self, promotion_id: str, key: str) -> None:
        """Nobody may type it any more. Doing it twice is harmless."""

    def open_checkout(self, request: CheckoutRequest, key: str) -> CheckoutSession: ...

    def is_ours(self, session_id: str) -> bool:
        """Whether a session is of the mode that today's key is for."""

    def expire_checkout(self, session_id: str) -> bool:
        """Whether nobody can pay there any more. False when somebody has already."""

    def found(self, kind: Thing, thing_id: str) -> dict[str, object]:
        """A checkout session, charge, refund or dispute as the gateway has it now."""

    def listed(
        self, kind: Thing, *, since: datetime | None = None, of: str | None = None
    ) -> Iterator[dict[str, object]]:
        """What was made there since then, or is of a payment; payouts are of an
        account, and what moved on the balance is of anything."""

    def refund(self, payment_intent_id: str, amount: Money, key: str) -> dict[str, object]:
        """Give money back. Returns the refund. Raises AlreadyReturned when it is not there.

        The key goes along, so that a refund whose answer was lost can be found by it.
        """

    def create_payee(self, email: str, name: str, key: str) -> str:
        """An account for somebody who is to be paid, still to be onboarded. Returns its id."""

    def onboarding_address(self, account_id: str, here: str) -> str:
        """Where they tell the gateway who they are, for a few minutes; it leads back to `here`."""

    def transfer(self, request: TransferRequest, key: str) -> str:
        """Send to an account, or take back from it. Returns the id of what was made."""

    def transfer_made(self, request: TransferRequest) -> str | None:
        """The id of what this request has made already, if it has."""

    def endpoints(self) -> "Endpoints":
        """Where it sends events. Asking for this waits for nobody yet."""

    def verified(self, payload: bytes, signature: str, door: Door = Door.PLATFORM) -> GatewayEvent:
        """Check who sent an event, when, and in which mode. Raises Unverified."""

    def events_since(self, since: datetime, types: Sequence[str]) -> Iterator[GatewayEvent]:
        """What happened there, oldest first, delivered to us or not; of at most 20 types.

        Thirty days back at most. Ask no transaction to wait for it: each page is a call.
        """
