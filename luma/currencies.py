"""The currencies that can be charged, and how each is counted.

From Stripe's published rules. UGX and ISK are counted in hundredths although they have none,
and the currencies with three decimals are charged in steps of ten.
"""

from luma.errors import RuleBroken

_NO_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_HUNDREDTHS_ALWAYS_ZERO = "isk ugx"
_THREE_DECIMALS = "bhd jod kwd omr tnd"
_TWO_DECIMALS = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad
    cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl
    htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur
    mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd
    scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer
    zar zmw
"""
_PLACES = (
    dict.fromkeys(_NO_DECIMALS.split(), 0)
    | dict.fromkeys(_TWO_DECIMALS.split(), 2)
    | dict.fromkeys(_HUNDREDTHS_ALWAYS_ZERO.split(), 2)
    | dict.fromkeys(_THREE_DECIMALS.split(), 3)
)
_STEPS = dict.fromkeys(_HUNDREDTHS_ALWAYS_ZERO.split(), 100) | dict.fromkeys(
    _THREE_DECIMALS.split(), 10
)
_LEAST = {
    "aud": 50, "brl": 50, "cad": 50, "chf": 50, "eur": 50, "inr": 50, "nzd": 50, "sgd": 50,
    "usd": 50, "gbp": 30, "jpy": 50, "bgn": 100, "aed": 200, "myr": 200, "pln": 200, "ron": 200,
    "dkk": 250, "nok": 300, "sek": 300, "hkd": 400, "mxn": 1000, "thb": 1000, "czk": 1500,
    "huf": 17500,
}  # fmt: skip
_SIGNS = {
    "usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "krw": "₩", "vnd": "₫",
    "ils": "₪", "php": "₱", "ngn": "₦", "uah": "₴", "cny": "CN¥", "aud": "A$", "cad": "CA$",
    "nzd": "NZ$", "hkd": "HK$", "sgd": "S$", "twd": "NT$", "mxn": "MX$", "brl": "R$",
}  # fmt: skip

CODES = frozenset(_PLACES)
"""Every currency that can be charged, in lower case as Stripe writes it."""


def ensure_known(currency: str) -> None:
    if currency not in CODES:
        raise RuleBroken("Choose a currency from the list.")


def places(currency: str) -> int:
    """How many decimals an amount is written with."""
    return _PLACES[currency]


def step(currency: str) -> int:
    """Charged amounts are multiples of this many minor units."""
    return _STEPS.get(currency, 1)


def least(currency: str) -> int:
    """The smallest charge in minor units, as far as Stripe publishes it."""
    return _LEAST.get(currency, step(currency))


def most(currency: str) -> int:
    """The largest charge: eight digits, twelve for Indonesian rupiah, rounded down to the step."""
    largest = 10**12 - 1 if currency == "idr" else 10**8 - 1
    return largest - largest % step(currency)


def sign(currency: str) -> str:
    """What stands before the digits: "$", or "CHF" and a space that does not break."""
    return _SIGNS.get(currency) or f"{currency.upper()}\N{NO-BREAK SPACE}"
