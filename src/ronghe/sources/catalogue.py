"""Every built-in source by the dataset it reads: what ``pyproject.toml`` registers as entry points, told once.

Commands find sources through ``ronghe.plugins``, which imports one alone; whoever needs them all (tests,
benchmarks, a caller without installed metadata) asks here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ronghe.sources.base import Relational, Source
from ronghe.sources.cn_io_tables import CnIoTables
from ronghe.sources.cn_st_yearbook import CnStYearbook
from ronghe.sources.eto_chips import EtoChips
from ronghe.sources.event_logs import EventLogs
from ronghe.sources.onet import Onet
from ronghe.sources.openalex_works import OpenAlexWorks
from ronghe.sources.owid_co2 import OwidCo2
from ronghe.sources.reference import Reference
from ronghe.sources.ror import Ror
from ronghe.sources.sandbox import Sandbox
from ronghe.sources.wiod2013 import Wiod2013


def builtin() -> tuple[Source | Relational, ...]:
    """One of each built-in source, in the order of their datasets' names."""
    return (
        CnIoTables(),
        CnStYearbook(),
        EtoChips(),
        EventLogs(),
        Onet(),
        OpenAlexWorks(),
        OwidCo2(),
        Reference(),
        Ror(),
        Sandbox(),
        Wiod2013(),
    )


def by_dataset() -> Mapping[str, Source | Relational]:
    """Dataset -> the source that reads it."""
    return MappingProxyType({source.name: source for source in builtin()})
