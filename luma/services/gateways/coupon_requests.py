"""What LUMA has a gateway take off prices."""

from dataclasses import dataclass

from luma.values import Money


@dataclass(frozen=True, slots=True)
class CouponRequest:
    """So many percent or an amount off, once. `reference` is the coupon's public id."""

    reference: str
    name: str
    percent: int | None = None
    amount: Money | None = None

    def frozen(self) -> dict[str, object]:
        off = f"{self.percent}%" if self.amount is None else self.amount.decimal()
        currency = self.amount.currency if self.amount else None
        return {"name": self.name, "off": off, "currency": currency}


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """A code that customers type, for a coupon of the gateway's."""

    coupon_id: str
    code: str
    reference: str
    expires_at: int | None
    """Seconds since 1970; None for never."""

    def frozen(self) -> dict[str, object]:
        return {"coupon": self.coupon_id, "code": self.code, "expires_at": self.expires_at}
