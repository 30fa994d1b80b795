"""R's own files (``.rda``, ``.RData``): named objects, read without R."""

import bz2
import gzip
import lzma
import warnings
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, not_this_format

EXPECTED = Text("format.r_data")

_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"BZh", bz2.decompress),
    (b"\x1f\x8b", gzip.decompress),
    (b"\xfd7zXZ\x00", lzma.decompress),
)
_MAGIC = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
_CUT = "before the end"


def _unpacked(raw: RawFile) -> bytes:
    data = raw.path.read_bytes()
    for magic, unpack in _PACKED:
        if data.startswith(magic):
            try:
                return unpack(data)
            except EOFError as error:
                raise SourceError("source_truncated", file=raw.name, why=str(error)) from error
            except (ValueError, OSError, lzma.LZMAError, zlib.error) as error:
                if _CUT in str(error):
                    raise SourceError("source_truncated", file=raw.name, why=str(error)) from error
                raise not_this_format(raw, EXPECTED, str(error)) from error
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, pd.DataFrame):
        return value.set_axis([str(name) for name in value.columns], axis=1)
    return value


def read_r(raw: RawFile) -> dict[str, Any]:
    """The objects of an R data file: name -> data frame, array, or (for R lists) a dictionary of these.

    Names are plain ``str``. Nothing in the file is run.

    Raises
    ------
    SourceError : ``source_empty``, ``source_truncated``, or ``source_format`` when it isn't R data.
    """
    data = _unpacked(raw)
    if not data.startswith(_MAGIC):
        raise not_this_format(raw, EXPECTED, Text("why.no_r_data"))
    import rdata

    with warnings.catch_warnings():
        # A class that only the R package defines is read as the list it is made of.
        warnings.filterwarnings("ignore", "Missing constructor for R class", UserWarning)
        try:
            objects = rdata.conversion.convert(rdata.parser.parse_data(data, extension=".rda"))
        except EOFError as error:
            raise SourceError("source_truncated", file=raw.name, why=str(error)) from error
        except (ValueError, LookupError, NotImplementedError, TypeError, OverflowError) as error:
            raise not_this_format(raw, EXPECTED, str(error) or type(error).__name__) from error
    if not isinstance(objects, Mapping):
        raise not_this_format(raw, EXPECTED, Text("why.unnamed"))
    return {str(name): _plain(value) for name, value in objects.items()}
