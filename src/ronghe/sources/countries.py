"""Country codes of two letters, as many publishers write them, to those of three."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ronghe.model.regions import regions


@cache
def alpha3() -> Mapping[str, str]:
    """ISO 3166-1 alpha-2 -> alpha-3.

    Examples
    --------
    >>> alpha3()["CN"], alpha3()["GB"], alpha3()["XK"]
    ('CHN', 'GBR', 'XKX')
    """
    countries = (place for place in regions().values() if place.level == "country")
    return MappingProxyType({place.aliases[0]: place.region for place in countries})
