"""Bring data in: datasets of the registry, and files of the user's own."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ronghe.brain import Brain
from ronghe.errors import FetchError, MappingError, SourceError, UnknownName, system
from ronghe.lake.ahead import Series
from ronghe.lake.ingest import Progress, Report, Terms
from ronghe.lake.lake import raw_file
from ronghe.lenses.base import quiet
from ronghe.model.table import contracts
from ronghe.plugins import get_source, source_names
from ronghe.sources.base import RawFile
from ronghe.sources.concordances import Concordances
from ronghe.sources.decisions import KINDS, Decisions
from ronghe.sources.fetch import Hosts, Policy, fetch
from ronghe.sources.reference import Reference
from ronghe.sources.registry import DatasetFile, dataset, datasets
from ronghe.sources.sandbox import Sandbox
from ronghe.sources.workbook import WorkbookSource, guess, mapping_hash, read_mapping, read_repairs

OWN = "own"
"""The dataset name under which a user's files stand; they rank before every publisher's."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be brought in, and why; the others went on."""

    dataset: str
    file: str
    error: SourceError


def loadable() -> list[str]:
    """The datasets of the registry that an installed source reads."""
    return [name for name in datasets() if name in source_names()]


def readable(names: Iterable[str]) -> None:
    """Make sure that every one of these datasets can be read, before the first is.

    Raises
    ------
    UnknownName : no such dataset.
    SourceError : the registry lists it, and no installed source reads it.
    """
    for name in names:
        if name in source_names():
            continue
        if name in datasets():
            raise SourceError("dataset_unread", name=name)
        raise UnknownName("unknown_dataset", name, loadable())


def ingest_reference(brain: Brain) -> list[Report]:
    """The package's own lists: regions, and links between classifications. Every lake has them."""
    reports = []
    for source, precedence in ((Reference(), -1), (Concordances(), 60)):
        terms = Terms(licence="Apache-2.0", precedence=precedence)
        reports += [brain.lake.ingest(source, raw, terms=terms) for raw in source.raw_files()]
    return reports


def ingest_sandbox(brain: Brain) -> list[Report]:
    """The built-in invented economy; everything built on it is stamped as invented."""
    source = Sandbox()
    terms = Terms(licence="Apache-2.0", precedence=99, invented=True)
    return [brain.lake.ingest(source, raw, terms=terms) for raw in source.raw_files()]


def ingest_dataset(
    brain: Brain, name: str, progress: Progress = quiet, hosts: Hosts | None = None
) -> tuple[list[Report], list[Failure]]:
    """Every data file of one dataset, from mirror, cache or network.

    Parameters
    ----------
    hosts : what this run has found out about the hosts; one for all its datasets.

    Returns
    -------
    A report a file, and the files that failed; one bad file does not keep the others out.

    Raises
    ------
    As ``ingest_files``.
    """
    done = list(ingest_files(brain, name, progress, hosts))
    return [d for d in done if isinstance(d, Report)], [d for d in done if isinstance(d, Failure)]


def ingest_files(
    brain: Brain, name: str, progress: Progress = quiet, hosts: Hosts | None = None
) -> Iterator[Report | Failure]:
    """As ``ingest_dataset``, file by file: what went in before an error is known.

    Raises
    ------
    UnknownName, SourceError : no such dataset, or none that is read.
    LakeError : the lake can't be written; nothing more is tried.
    """
    readable([name])
    if name in {Reference.name, Concordances.name}:
        yield from ingest_reference(brain)
        return
    if name == Sandbox.name:
        yield from ingest_sandbox(brain)
        return
    source, listed = get_source(name), dataset(name)
    known = hosts or Hosts()
    wanted = [f for f in listed.files if source.accepts(_promised(f))]
    for number, file in enumerate(wanted):
        progress(f"{name}/{file.name}", number, len(wanted))
        try:
            raw = _bring(brain, file, progress, known)
            yield brain.lake.ingest(source, raw, terms=_terms(file, listed.precedence))
        except SourceError as error:
            yield Failure(name, file.name, error)
        progress(f"{name}/{file.name}", number + 1, len(wanted))


def _promised(file: DatasetFile) -> RawFile:
    return RawFile(Path(file.name), file.dataset, file.name, file.sha256, file.bytes)


def _bring(brain: Brain, file: DatasetFile, progress: Progress, hosts: Hosts, policy: Policy | None = None) -> RawFile:
    config = brain.config
    return fetch(
        file,
        mirror=Path(config.mirror) if config.mirror else None,
        cache=Path(config.cache),
        progress=lambda done, total: progress(f"↓ {file.dataset}/{file.name}", done, total),
        policy=policy or Policy(stall=config.timeout),
        offline=config.offline,
        hosts=hosts,
    )


def _terms(file: DatasetFile, precedence: int) -> Terms:
    return Terms(
        licence=file.licence,
        redistributable=file.redistributable,
        commercial=file.commercial,
        url=file.url,
        precedence=precedence,
    )


def ingest_own(
    brain: Brain,
    path: Path,
    *,
    table: str,
    mapping: Path | None = None,
    repairs: Path | None = None,
    workspace: str = "",
    progress: Progress = quiet,
) -> Report:
    """A user's own CSV, Excel or Parquet file.

    Parameters
    ----------
    path : the file.
    table : the contract its rows are for.
    mapping : the mapping file; a first guess is used when not given and every required column is found.
    repairs : the quarantine sheet with the mended values filled in.
    workspace : who may see the rows; empty = everyone.

    Raises
    ------
    UnknownName : no such contract.
    MappingError, SourceError : the mapping or the file does not fit.
    """
    if table not in contracts():
        raise UnknownName("unknown_table", table, contracts())
    raw = raw_file(path, OWN)
    text = _mapping_text(mapping) if mapping is not None else guess(raw, table)
    sheet = read_mapping(text, table)
    mended = read_repairs(repairs, raw.name) if repairs is not None else {}
    identity = mapping_hash(sheet, mended)
    terms = Terms(licence="own", redistributable=not workspace, precedence=0, workspace=workspace)
    source = WorkbookSource(table, sheet, mended)
    return brain.lake.ingest(source, raw, terms=terms, mapping=identity, progress=progress)


def _mapping_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MappingError("mapping_file", file=str(path), why=system(error)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MappingError("mapping_encoding", file=str(path), line=line) from error


def ingest_folder(
    brain: Brain, name: str, folder: Path, progress: Progress = quiet
) -> tuple[list[Report], list[Failure]]:
    """Every file of a folder that a dataset's source reads: a snapshot, or pages of an API.

    Parameters
    ----------
    name : the dataset whose format the files have.
    folder : read with its sub-folders; a file is known by its path from the folder's own name on.

    Returns
    -------
    A report a file, and the files that failed; one bad file does not keep the others out.

    Raises
    ------
    UnknownName : no source reads such a dataset.
    SourceError : the folder holds none of its files.
    """
    source = get_source(name)
    listed = datasets().get(name)
    terms = Terms(
        licence=" · ".join(listed.licences) if listed else "",
        redistributable=listed.redistributable if listed else False,
        commercial=listed.commercial if listed else False,
        precedence=listed.precedence if listed else 20,
    )
    place = folder.resolve()
    files = {f"{place.name}/{path.relative_to(place).as_posix()}": path for path in place.rglob("*") if path.is_file()}
    wanted = [key for key in sorted(files) if source.accepts(RawFile(files[key], name, key, "", 0))]
    if not wanted:
        raise SourceError("folder_nothing", folder=str(folder), dataset=name)
    reports: list[Report] = []
    failures: list[Failure] = []
    hashed = [partial(raw_file, files[key], name, key) for key in wanted]
    with Series(brain.lake, source, terms) as series:
        for number, (key, this, after) in enumerate(zip(wanted, hashed, [*hashed[1:], None], strict=True)):
            progress(key, number, len(wanted))
            try:
                reports.append(series.ingest(this, after))
            except SourceError as error:
                failures.append(Failure(name, key, error))
            progress(key, number + 1, len(wanted))
    return reports, failures


def ingest_decision(
    brain: Brain,
    kind: str,
    subject: str,
    value: str,
    *,
    table: str = "organisation_match",
    field: str = "org_id",
    by: str = "",
    reason: str = "",
    workspace: str = "",
) -> Report:
    """Keep what a user decided; readers see it from the next version of the lake on.

    Parameters
    ----------
    kind : ``confirmed``, ``rejected`` or ``locked``.
    subject : what it is about, as written (a name).
    value : the value that is confirmed, locked or rejected; empty = none.
    table, field : where the subject and the value belong.
    by, reason : who decided, and why.
    workspace : who may see it; empty = everyone.

    Raises
    ------
    UnknownName : no such kind or table.
    """
    if kind not in KINDS:
        raise UnknownName("unknown_decision", kind, KINDS)
    if table not in contracts():
        raise UnknownName("unknown_table", table, contracts())
    identity = uuid.uuid4().hex
    said: dict[str, str | None] = {
        "decision_id": identity,
        "at": dt.datetime.now(dt.UTC).isoformat(),
        "by": by or "user",
        "kind": kind,
    }
    said |= {"table": table, "subject": subject, "field": field, "new": value or None, "reason": reason or None}
    file = Path(brain.config.cache) / "decisions" / f"{identity}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    terms = Terms(licence="own", redistributable=False, precedence=0, workspace=workspace)
    return brain.lake.ingest(Decisions(), raw_file(file, OWN, f"decisions/{file.name}"), terms=terms)


def guess_mapping(path: Path, table: str | None) -> str:
    """A first mapping file for a user to edit."""
    return guess(raw_file(path, OWN), table)


def reachable(brain: Brain, names: Iterable[str], hosts: Hosts) -> bool:
    """Whether mirror, cache or network can give at least the first file of these datasets."""
    for name in names:
        source = get_source(name)
        for file in dataset(name).files:
            if source.accepts(_promised(file)):
                try:
                    _bring(brain, file, quiet, hosts, Policy(connect=3.0, waits=()))
                except FetchError:
                    return False
                return True
    return False
