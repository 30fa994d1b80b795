"""Country codes as publishers write them, turned into ISO 3166-1 alpha-3."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

WITHDRAWN = frozenset({"ANT", "BUR", "DDR", "FXX", "NTZ", "SCG", "SUN", "TMP", "YMD", "YUG", "ZAR"})
"""Alpha-3 codes of former countries: an alpha-2 code of today never means one of these."""

_USER_ASSIGNED = {"XK": "XKX"}
"""Codes outside ISO that every international publisher uses the same way (Kosovo)."""


@cache
def alpha3() -> Mapping[str, str]:
    """ISO 3166-1 alpha-2 -> alpha-3, from the Unicode CLDR.

    Examples
    --------
    >>> alpha3()["CN"], alpha3()["GB"], alpha3()["XK"]
    ('CHN', 'GBR', 'XKX')
    """
    from babel.core import get_global

    aliases = get_global("territory_aliases")
    pairs = {
        new[0]: old for old, new in sorted(aliases.items()) if len(old) == 3 and old.isalpha() and old not in WITHDRAWN
    }
    return MappingProxyType({**pairs, **_USER_ASSIGNED})


@cache
def is_alpha3(code: str) -> bool:
    """Whether a text is an alpha-3 code of a country of today."""
    return code in set(alpha3().values())


@cache
def country_names() -> Mapping[str, tuple[str, str]]:
    """Alpha-3 -> the country's name in Chinese and in English, from the Unicode CLDR."""
    from babel import Locale

    zh, en = Locale("zh").territories, Locale("en").territories
    return MappingProxyType({code: (zh[two], en[two]) for two, code in alpha3().items() if two in zh and two in en})
