"""The one core under every surface: ask, trace, find, ingest. Surfaces compute nothing."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ronghe import __version__
from ronghe.config import Config
from ronghe.errors import AskError, RongheError, UnknownName
from ronghe.lake.checkpoints import Checkpoint
from ronghe.lake.findings import Findings
from ronghe.lake.lake import Lake
from ronghe.lake.loads import Version, read_log
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context, LensSpec, never, quiet
from ronghe.model.finding import Finding, Result
from ronghe.model.serial import canonical, to_document
from ronghe.plugins import get_lens, lens_names
from ronghe.trace import Trace, Tracer

log = logging.getLogger("ronghe.brain")


@cache
def code_version() -> str:
    """The package's version and a hash of all that makes figures: kernels, lenses, model, resolve, systems, fields."""
    digest = hashlib.sha256()
    for room in ("kernels", "lenses", "model", "resolve", "indexing", "systems", "fielding", "fields"):
        _digest(files("ronghe").joinpath(room), digest)
    return f"{__version__}+{digest.hexdigest()[:10]}"


def _digest(folder: Traversable, digest: "hashlib._Hash") -> None:
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.is_dir() and file.name != "__pycache__":
            _digest(file, digest)
        elif file.name.endswith((".py", ".csv", ".toml")):
            digest.update(file.name.encode())
            digest.update(file.read_bytes())


@dataclass(frozen=True, slots=True)
class Answer:
    """A finding together with the brain that can trace it."""

    finding: Finding
    brain: "Brain"

    def __repr__(self) -> str:
        return f"Answer({self.finding.lens}, {self.id}, tables={', '.join(self.tables)})"

    @property
    def id(self) -> str:
        """The finding's content id."""
        return self.finding.id

    @property
    def tables(self) -> Mapping[str, Result]:
        """The tables of the answer."""
        return self.finding.tables

    @property
    def json(self) -> bytes:
        """The canonical JSON: what the API returns, to the byte."""
        return canonical(to_document(self.finding))

    def trace(self, column: str, row: int | None = None, *, table: str | None = None, **key: Any) -> Trace:
        """Where one figure comes from: by row number, or by values of the key columns."""
        where: int | Mapping[str, Any] = key or (row or 0)
        return self.brain.tracer.trace(self.finding, column, where, table)


@dataclass(frozen=True, slots=True)
class Plan:
    """A question as it would be asked now: the id of its finding, the parameters as bound, the lake's version."""

    id: str
    lens: str
    params: Mapping[str, Any]
    snapshot: int


class Brain:
    """Questions on one lake.

    Parameters
    ----------
    config : the settings in force.
    lake : the lake; opened from the settings when not given.
    version : a version of the lake to pin; the newest at each ask when ``None``.
    workspace : whose private loads are seen besides the common ones; ``None`` sees all.
    files : whether a parameter may name a file of this machine, such as a system of one's own; the web says no.
    """

    def __init__(
        self,
        config: Config,
        lake: Lake | None = None,
        *,
        version: int | None = None,
        workspace: str | None = None,
        files: bool = True,
    ) -> None:
        self.config = config
        self.lake = lake or Lake(config)
        self._version = version
        self.workspace = workspace
        self.files = files

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next ask reads."""
        return self.lake.snapshot(self._version, self.workspace)

    def prepare(self) -> None:
        """Load what the first question would wait for: the query engine with its libraries, and the log of loads."""
        try:
            if tables := self.snapshot.tables:
                self.snapshot.rows(self.snapshot.raw(tables[0]).limit(1))
        except RongheError as error:
            # Whoever asks first meets the same error, with somebody there to read it.
            log.warning("%s", error)

    @cached_property
    def findings(self) -> Findings:
        """The findings kept."""
        return Findings(self.lake.store)

    @property
    def lenses(self) -> tuple[str, ...]:
        """The questions there are."""
        return lens_names()

    @staticmethod
    def lens(name: str) -> LensSpec:
        """A lens by its name; ``UnknownName`` with those there are."""
        return get_lens(name)

    def versions(self) -> list[Version]:
        """Every version of the lake; what another workspace brought in is not named."""
        found = self.lake.versions()
        if self.workspace is None:
            return found
        loads = read_log(self.lake.store)[1]
        notes = {own: {o.note for o in loads if (o.workspace in {"", self.workspace}) is own} for own in (True, False)}
        hidden = notes[False] - notes[True]
        return [replace(v, note="") if v.note in hidden else v for v in found]

    def ask(
        self,
        lens: str,
        /,
        *,
        progress: Callable[[str, int, int], None] = quiet,
        cancelled: Callable[[], bool] = never,
        fresh: bool = False,
        **params: Any,
    ) -> Answer:
        """Ask a question.

        Parameters
        ----------
        lens : the question's name.
        progress, cancelled : for long asks.
        fresh : compute again even when this very finding is kept.
        params : the lens's own parameters.

        Raises
        ------
        UnknownName : no such lens, parameter or value; carries those there are.
        AskError : the question can't be answered as put.
        """
        return Answer(self._ask(get_lens(lens), params, self.snapshot, progress, cancelled, fresh), self)

    def plan(self, lens: str, /, **params: Any) -> Plan:
        """What an ask would give, without computing it.

        Raises
        ------
        UnknownName : no such lens, parameter or value; carries those there are.
        AskError : a parameter is missing or malformed.
        """
        spec, snapshot = get_lens(lens), self.snapshot
        self._no_files(params)
        bound = spec.bind(params, snapshot)
        identity = spec.identity(bound, snapshot, code_version(), _all_reads(spec))
        return Plan(identity, spec.name, bound, snapshot.version)

    def pinned(self, version: int, workspace: str | None) -> "Brain":
        """The same lake at one version, as one workspace sees it."""
        return Brain(self.config, self.lake, version=version, workspace=workspace, files=self.files)

    def _ask(
        self,
        spec: LensSpec,
        given: Mapping[str, Any],
        snapshot: Snapshot,
        progress: Callable[[str, int, int], None],
        cancelled: Callable[[], bool],
        fresh: bool,
    ) -> Finding:
        self._no_files(given)
        context = self._context(spec, spec.bind(given, snapshot), snapshot, progress, cancelled, fresh)
        if not fresh:
            kept = self.findings.get(context.identity)
            if kept is not None:
                return kept
        saved = Checkpoint(self.lake.store, context.identity)
        if fresh:
            saved.clear()
        context.checkpoint = saved
        finding = spec.function(context, **context.params)
        self.findings.put(finding)
        saved.clear()
        return finding

    def _no_files(self, given: Mapping[str, Any]) -> None:
        """Refuse a parameter that names a file, where only this machine's own user may name one."""
        for name, value in given.items():
            if not self.files and str(value).partition("@")[0].casefold().endswith(".toml"):
                raise AskError("no_files_here", name=name)

    def _context(
        self,
        spec: LensSpec,
        bound: Mapping[str, Any],
        snapshot: Snapshot,
        progress: Callable[[str, int, int], None],
        cancelled: Callable[[], bool],
        fresh: bool,
    ) -> Context:
        def asker(lens: str, /, **params: Any) -> Finding:
            return self._ask(get_lens(lens), params, snapshot, progress, cancelled, fresh)

        identity = spec.identity(bound, snapshot, code_version(), _all_reads(spec))
        return Context(spec, bound, identity, snapshot, code_version(), asker, progress, cancelled)

    def find(self, identity: str) -> Answer:
        """A finding kept earlier, by its id or the beginning of it.

        Raises
        ------
        UnknownName : none is kept under that id, or it stands on another workspace's private rows.
        """
        try:
            found = self.findings.find(identity)
        except UnknownName:
            if self.workspace is None:
                raise
            # The ids that are kept are nobody's business who may not see the findings.
            raise UnknownName("unknown_finding", identity) from None
        if not self._sees(found):
            raise UnknownName("unknown_finding", identity)
        return Answer(found, self)

    def _sees(self, finding: Finding) -> bool:
        """Whether a finding stands only on rows that this workspace sees."""
        if self.workspace is None:
            return True
        seen = {o.load for o in self.lake.snapshot(finding.provenance.snapshot, self.workspace).loads}
        return {i.load for i in finding.provenance.inputs} <= seen

    def latest(self, lens: str) -> Answer:
        """The finding of a lens that was kept last; asked with its defaults when none was.

        Raises
        ------
        UnknownName : no such lens.
        AskError : none is kept, and the lens needs to be told more.
        """
        spec = get_lens(lens)
        kept = self.findings.latest(spec.name, self._sees)
        return Answer(kept, self) if kept is not None else self.ask(lens)

    def named(self, what: str, **params: Any) -> Answer:
        """A finding kept earlier by its id, or a lens's: asked with ``params``, the latest kept where none are given.

        Raises
        ------
        UnknownName : neither a finding nor a lens has that name.
        """
        if what in lens_names():
            return self.ask(what, **params) if params else self.latest(what)
        try:
            return self.find(what)
        except UnknownName as error:
            raise UnknownName("unknown_answer", what, (*lens_names(), *error.known)) from None

    @cached_property
    def tracer(self) -> Tracer:
        """The one function behind every trace."""
        return Tracer(
            snapshot=lambda version: self.lake.snapshot(version, self.workspace),
            finding=lambda identity: self.find(identity).finding,
            context=self._context_of,
        )

    def _context_of(self, finding: Finding) -> tuple[LensSpec, Context]:
        spec = get_lens(finding.lens)
        snapshot = self.lake.snapshot(finding.provenance.snapshot, self.workspace)
        return spec, self._context(spec, spec.bind(finding.params, snapshot), snapshot, quiet, never, False)


def _all_reads(spec: LensSpec) -> tuple[str, ...]:
    names = set(spec.reads)
    for name in spec.builds_on:
        names |= set(_all_reads(get_lens(name)))
    return tuple(sorted(names))
