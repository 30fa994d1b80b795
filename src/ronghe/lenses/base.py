"""What a lens is, and what it is handed: the pinned snapshot, other findings, progress, cancel."""

import hashlib
import inspect
import json
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Union, get_args, get_origin

import pyarrow as pa

from ronghe.errors import AskError, Cancelled, NoData, UnknownName
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.params import Choice, Named, Year
from ronghe.model.finding import Cards, Caveat, Chart, Finding, Result
from ronghe.model.provenance import Provenance, Step
from ronghe.model.text import Text, both


@dataclass(frozen=True, slots=True)
class Path:
    """One contribution to a figure that a whole matrix makes: what it is, how much, and its source cells.

    ``table`` is the lake table of the cells where it isn't the one that the figure's basis names.
    """

    names: Mapping[str, str]
    value: float
    share: float
    cells: Mapping[str, Any]
    table: str | None = None


Explain = Callable[["Context", Finding, str, str, Mapping[str, Any]], Sequence[Path]]
"""(context, finding, table, column, row) -> the paths that contribute most to that figure."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a lens, read from its signature."""

    name: str
    type: type
    default: Any
    required: bool
    optional: bool
    literals: tuple[str, ...] = ()

    def parse(self, value: Any) -> Any:
        """The value behind what a surface handed over.

        Raises
        ------
        AskError : it can't be read as the parameter's type.
        UnknownName : it is none of the parameter's fixed choices.
        """
        if value is None or (value == "" and self.optional):
            return None
        if self.literals and str(value) not in self.literals:
            raise UnknownName("unknown_value", str(value), self.literals, parameter=self.name)
        try:
            if issubclass(self.type, (Named, Year)):
                return self.type.parse(str(value))
            if self.type is bool:
                return _boolean(value)
            reader: Callable[[Any], Any] = self.type
            return reader(value)
        except (TypeError, ValueError) as error:
            raise AskError("bad_value", parameter=self.name, value=str(value), expected=self.type.__name__) from error

    def choices(self, snapshot: Snapshot) -> Sequence[Choice] | None:
        """The values there are, for forms and errors; ``None`` when any will do."""
        if self.literals:
            return [Choice(v, both(None, v)) for v in self.literals]
        return self.type.choices(snapshot) if issubclass(self.type, Named) else None

    @property
    def help(self) -> Text:
        """What the parameter means."""
        return Text(f"param.{self.name}")


def _boolean(value: Any) -> bool:
    text = str(value).casefold()
    if text not in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        raise ValueError(text)
    return text in {"true", "1", "yes", "on"}


@dataclass(frozen=True, slots=True)
class LensSpec:
    """A lens as every surface sees it: one signature gives command, route, form and report section."""

    name: str
    version: int
    reads: tuple[str, ...]
    function: Callable[..., Finding]
    params: tuple[Param, ...]
    explain: Explain | None = None
    builds_on: tuple[str, ...] = ()

    @property
    def title(self) -> Text:
        """The lens's name for people."""
        return Text(f"lens.{self.name}")

    @property
    def question(self) -> Text:
        """The question it answers."""
        return Text(f"lens.{self.name}.question")

    def bind(self, given: Mapping[str, Any], snapshot: Snapshot) -> dict[str, Any]:
        """Every parameter with its value, parsed and checked against the snapshot.

        Raises
        ------
        UnknownName : a parameter or a value that does not exist.
        AskError : a parameter is missing or malformed.
        """
        known = {p.name: p for p in self.params}
        for name in given:
            if name not in known:
                raise UnknownName("unknown_parameter", name, known, lens=self.name)
        bound: dict[str, Any] = {}
        for param in self.params:
            value = param.parse(given[param.name]) if given.get(param.name) is not None else param.default
            if value is inspect.Parameter.empty:
                raise self._missing(param, snapshot)
            if isinstance(value, Named):
                value = type(value).check(value, snapshot, param.name)
            bound[param.name] = value
        return bound

    def _missing(self, param: Param, snapshot: Snapshot) -> AskError:
        """What to say where a parameter is not given: what it may be, or that the lake has nothing to choose from."""
        choices = param.choices(snapshot)
        if choices is not None and not choices:
            return NoData("no_data", what=param.help, tables=", ".join(self.reads))
        return AskError("missing_parameter", known=[c.value for c in choices or ()], name=param.name, about=param.help)

    def identity(self, params: Mapping[str, Any], snapshot: Snapshot, code: str, reads: Iterable[str]) -> str:
        """The finding's id: lens, version, parameters, what the tables hold, code."""
        said = [self.name, self.version, dict(params), snapshot.digest(reads), code]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


class Asker(Protocol):
    """How a lens asks another: the brain's ``ask`` on the same snapshot."""

    def __call__(self, lens: str, /, **params: Any) -> Finding:
        """The finding of another lens."""
        ...


class Keeper(Protocol):
    """Where a long ask keeps how far it got: the lake's ``Checkpoint``."""

    def load(self, name: str) -> bytes | None:
        """What an earlier run of this very question saved under that name; ``None`` when nothing was."""
        ...

    def save(self, name: str, content: bytes) -> None:
        """Keep a state; it is gone once the finding is kept."""
        ...


class Unkept:
    """A keeper for asks that nobody resumes."""

    def load(self, name: str) -> bytes | None:
        """Nothing was saved."""
        del name
        return None

    def save(self, name: str, content: bytes) -> None:
        """Nothing is kept."""
        del name, content


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
    del what, done, total


def never() -> bool:
    """Nobody cancels."""
    return False


@dataclass
class Context:
    """What a lens is handed.

    ``table`` and ``rows`` read the pinned snapshot, only the tables that the lens declared; ``rows``
    notes which loads the figures came from. ``answer`` puts the finding together. A lens that takes long
    calls ``progress`` and ``check`` now and then, and saves to ``checkpoint`` what it can go on from.
    """

    spec: LensSpec
    params: Mapping[str, Any]
    identity: str
    snapshot: Snapshot
    code: str
    ask: Asker
    progress: Callable[[str, int, int], None] = quiet
    cancelled: Callable[[], bool] = never
    checkpoint: Keeper = field(default_factory=Unkept)
    _used: set[str] = field(default_factory=set)
    _whole: set[str] = field(default_factory=set)
    _children: list[Finding] = field(default_factory=list)

    def table(self, name: str) -> Any:
        """A declared table as an Ibis expression; provenance then names every load of that table."""
        if name not in self.spec.reads:
            raise KeyError(f"lens {self.spec.name} did not declare that it reads {name}")
        self._whole.add(name)
        return self.snapshot.table(name)

    def rows(self, name: str, columns: Sequence[str] = (), **where: Any) -> pa.Table:
        """Rows of a declared table where the named columns equal (or are one of) the values.

        Returns
        -------
        The columns asked for (all of the contract when none is), with ``_load``.
        """
        if name not in self.spec.reads:
            raise KeyError(f"lens {self.spec.name} did not declare that it reads {name}")
        wanted = tuple(dict.fromkeys([*columns, "_load"])) if columns else ()
        found = self.snapshot.select(name, wanted, where)
        self._used |= set(found.column("_load").unique().to_pylist())
        self.check()
        return found

    def fetch(self, expression: Any) -> pa.Table:
        """Run an expression built on ``table``."""
        self.check()
        return self.snapshot.rows(expression)

    def child(self, lens: str, /, **params: Any) -> Finding:
        """Another lens's finding on the same snapshot; provenance keeps it as a child."""
        found = self.ask(lens, **params)
        self._children.append(found)
        return found

    def check(self) -> None:
        """Stop here if the user asked to."""
        if self.cancelled():
            raise Cancelled("cancelled", what=self.spec.name)

    def nothing(self, what: str) -> NoData:
        """The error for an empty lake: names the datasets that would fill it."""
        return NoData("no_data", what=what, tables=", ".join(self.spec.reads))

    def answer(
        self,
        headline: Text,
        tables: Mapping[str, Result],
        *,
        charts: Sequence[Chart] = (),
        cards: Sequence[Cards] = (),
        caveats: Sequence[Caveat] = (),
        steps: Sequence[Step] = (),
    ) -> Finding:
        """The finding, with its provenance filled in and stamps that licences and invented data demand."""
        only = self._used | {o.load for o in self.snapshot.loads_of(self._whole)}
        own = self.snapshot.inputs(self.spec.reads, only)
        inherited = [i for child in self._children for i in child.provenance.inputs]
        inputs = tuple(dict.fromkeys((*own, *inherited)))
        stamps = [*_stamps(inputs), *caveats]
        texts = {json.dumps([c.level, c.text.key, str(c.text.args)]): c for c in stamps}
        return Finding(
            id=self.identity,
            lens=self.spec.name,
            version=self.spec.version,
            params=dict(self.params),
            headline=headline,
            tables=dict(tables),
            charts=tuple(charts),
            caveats=tuple(texts.values()),
            provenance=Provenance(
                snapshot=self.snapshot.version,
                tables=self.snapshot.versions_of(self.spec.reads),
                inputs=inputs,
                steps=tuple(steps),
                code=self.code,
                children=tuple(dict.fromkeys(c.id for c in self._children)),
            ),
            cards=tuple(cards),
        )


def _stamps(inputs: Iterable[Any]) -> list[Caveat]:
    listed = list(inputs)
    stamps = []
    if any(i.invented for i in listed):
        stamps.append(Caveat("invented", Text("caveat.invented")))
    closed = sorted({f"{i.dataset} ({i.licence})" for i in listed if not i.commercial})
    if closed:
        stamps.append(Caveat("warning", Text("caveat.noncommercial", {"datasets": closed})))
    return stamps


def lens(
    name: str,
    *,
    version: int,
    reads: Sequence[str],
    explain: Explain | None = None,
    builds_on: Sequence[str] = (),
) -> Callable[[Callable[..., Finding]], LensSpec]:
    """Make a lens of a function ``(ctx, *, parameters) -> Finding``.

    Parameters
    ----------
    name : the lens's name; ``lens.<name>`` and ``lens.<name>.question`` are in the locales.
    version : raise it when the figures change.
    reads : the lake tables it may read.
    explain : names the paths behind a figure whose basis is ``Matrix``.
    builds_on : the lenses whose findings it may stand on.
    """

    def make(function: Callable[..., Finding]) -> LensSpec:
        signature = inspect.signature(function, eval_str=True)
        params = tuple(_param(p) for p in list(signature.parameters.values())[1:])
        return LensSpec(name, version, tuple(reads), function, params, explain, tuple(builds_on))

    return make


def _param(parameter: inspect.Parameter) -> Param:
    kind = parameter.annotation
    optional = False
    if get_origin(kind) in (Union, types.UnionType):
        members = [m for m in get_args(kind) if m is not type(None)]
        optional, kind = True, members[0]
    literals: tuple[str, ...] = ()
    if get_origin(kind) is Literal:
        literals, kind = tuple(get_args(kind)), str
    required = parameter.default is inspect.Parameter.empty
    return Param(parameter.name, kind, parameter.default, required, optional, literals)
