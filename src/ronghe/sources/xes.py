"""XES (IEEE 1849), the XML of event logs, plain or gzip: traces and events as they come, with their lines.

Attributes that hang on other attributes are passed over; everything that stands on a trace or an event itself
is read, as text. Cases without events are told too.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, not_this_format

EXPECTED = Text("format.xes")
_STEP = 2**18
_TEXT = frozenset({"string", "date", "int", "float", "boolean", "id"})
_CUT = frozenset(
    expat.errors.codes[said]
    for said in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)
"""The parser's words for XML that breaks off."""


@dataclass(slots=True)
class Item:
    """A trace or an event: where it begins (``col`` where the line holds several) and its own attributes."""

    row: int
    col: str | None
    values: dict[str, str] = field(default_factory=dict)
    events: list["Item"] = field(default_factory=list)


class XesReader:
    """Reads one log.

    Attributes
    ----------
    log : the log's own attributes, with the line it begins on; complete when all traces have been read.
    defaults : scope (``trace``, ``event``) -> attribute -> what the log writes where it knows nothing.
    loose : events outside any trace.
    """

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        self.log: Item | None = None
        self.defaults: dict[str, dict[str, str]] = {"trace": {}, "event": {}}
        self.loose: list[Item] = []
        self._done: list[Item] = []
        self._trace: Item | None = None
        self._event: Item | None = None
        self._scope: dict[str, str] | None = None
        self._depth = 0
        self._last = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def traces(self) -> Iterator[Item]:
        """The traces with their events, in the file's order.

        Raises
        ------
        SourceError : empty, cut short, not gzip where it should be, or not an XES log.
        """
        try:
            with gzip.open(self._raw.path) if self._raw.path.suffix == ".gz" else self._raw.path.open("rb") as stream:
                while block := stream.read(_STEP):
                    self._parser.Parse(block, False)
                    done, self._done = self._done, []
                    yield from done
            self._parser.Parse(b"", True)
        except EOFError as error:
            raise SourceError("source_truncated", file=self._raw.name, why=str(error)) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise not_this_format(self._raw, "gzip", str(error)) from error
        except expat.ExpatError as error:
            raise self._told(error) from error
        if self.log is None:
            raise not_this_format(self._raw, EXPECTED, Text("why.no_log"))
        yield from self._done

    def _told(self, error: expat.ExpatError) -> SourceError:
        if self.log is not None and error.code in _CUT:
            return SourceError("source_truncated", file=self._raw.name, why=f"the XML breaks off: {error}")
        return not_this_format(self._raw, EXPECTED, str(error))

    def _item(self) -> Item:
        line = self._parser.CurrentLineNumber
        col = f"char {self._parser.CurrentColumnNumber + 1}" if line == self._last else None
        self._last = line
        return Item(line, col)

    def _start(self, tag: str, said: dict[str, str]) -> None:
        if self._depth:
            self._depth += 1
        elif tag in _TEXT or tag in {"list", "container"}:
            self._attribute(tag, said)
            self._depth = 1
        elif tag == "event":
            self._event = self._item()
        elif tag == "trace":
            self._trace = self._item()
        elif tag == "global":
            self._scope = self.defaults.setdefault(said.get("scope", "event"), {})
        elif tag == "log" and self.log is None:
            self.log = self._item()

    def _attribute(self, tag: str, said: dict[str, str]) -> None:
        if tag not in _TEXT or "key" not in said:
            return
        if self._event is not None:
            self._event.values[said["key"]] = said.get("value", "")
        elif self._scope is not None:
            self._scope[said["key"]] = said.get("value", "")
        elif self._trace is not None:
            self._trace.values[said["key"]] = said.get("value", "")
        elif self.log is not None:
            self.log.values[said["key"]] = said.get("value", "")

    def _end(self, tag: str) -> None:
        if self._depth:
            self._depth -= 1
        elif tag == "event" and self._event is not None:
            (self._trace.events if self._trace is not None else self.loose).append(self._event)
            self._event = None
        elif tag == "trace" and self._trace is not None:
            self._done.append(self._trace)
            self._trace = None
        elif tag == "global":
            self._scope = None
