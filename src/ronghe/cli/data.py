"""Bring data in and look after it: sources, ingest, quarantine."""

import json
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ronghe.cli.look import Json
from ronghe.cli.state import State
from ronghe.i18n import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ronghe.intake import Failure
    from ronghe.lake.ingest import Report

_NAMED = 3
"""Files of a dataset that are named one by one where they failed for the same reason."""


def sources(context: typer.Context, as_json: Json = False) -> None:
    """List what can be loaded: dataset, version, licence, bytes, where it comes from."""
    from ronghe.cli.show import show_rows
    from ronghe.views import source_list

    state: State = context.obj
    document = source_list(state.brain)
    if as_json:
        return state.bytes((json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
    return show_rows(
        state,
        state.t("say.sources_title"),
        ("dataset", "title", "version", "licence", "files", "bytes", "from", "loaded"),
        [
            (
                d["dataset"],
                d[f"title_{state.lang}"],
                d["version"],
                d["licence"],
                d["files"],
                d["bytes"],
                state.t(f"say.from.{d['from']}"),
                state.t("say.yes" if d["loaded"] else "say.no"),
            )
            for d in document["sources"]
        ],
    )


def ingest(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument()],
    table: Annotated[
        str | None,
        typer.Option("--as"),
    ] = None,
    mapping: Annotated[Path | None, typer.Option()] = None,
    repairs: Annotated[Path | None, typer.Option()] = None,
    guess: Annotated[bool, typer.Option("--guess")] = False,
) -> None:
    """Load datasets or your own files; what does not fit goes to quarantine."""
    state: State = context.obj
    if guess:
        return _guess(state, names, table)
    if table is not None and any(Path(name).is_dir() for name in names):
        return _folders(state, names, table)
    if table is not None:
        return _own(state, names, table, mapping, repairs)
    return _datasets(state, names)


def _guess(state: State, names: list[str], table: str | None) -> None:
    from ronghe.errors import MappingError
    from ronghe.intake import guess_mapping

    for name in names:
        target = Path(name).with_suffix(".toml")
        if target.exists():
            raise MappingError("mapping_exists", file=str(target))
        target.write_text(guess_mapping(Path(name), table), encoding="utf-8")
        state.console.print(state.t("say.guessed", file=str(target)))


def _own(state: State, names: list[str], table: str, mapping: Path | None, repairs: Path | None) -> None:
    from ronghe.intake import ingest_own, ingest_reference

    ingest_reference(state.brain)
    reports: list[Report] = []
    with _told(state, reports, []), state.progress() as step:
        reports.extend(
            ingest_own(state.brain, Path(name), table=table, mapping=mapping, repairs=repairs, progress=step)
            for name in names
        )


def _folders(state: State, names: list[str], dataset: str) -> None:
    from ronghe.intake import ingest_folder, ingest_reference

    reports: list[Report] = ingest_reference(state.brain)
    failures: list[Failure] = []
    with _told(state, reports, failures), state.progress() as step:
        for name in names:
            done, failed = ingest_folder(state.brain, dataset, Path(name), step)
            reports += done
            failures += failed
    if failures:
        raise typer.Exit(1)


def _datasets(state: State, names: list[str]) -> None:
    from ronghe.intake import Failure, ingest_files, ingest_reference, readable
    from ronghe.sources.fetch import Hosts

    readable(names)
    hosts = Hosts()
    reports: list[Report] = ingest_reference(state.brain)
    failures: list[Failure] = []
    with _told(state, reports, failures), state.progress() as step:
        for name in names:
            for done in ingest_files(state.brain, name, step, hosts):
                if isinstance(done, Failure):
                    failures.append(done)
                else:
                    reports.append(done)
    if failures:
        raise typer.Exit(1)


@contextmanager
def _told(state: State, reports: "list[Report]", failures: "list[Failure]") -> "Iterator[None]":
    """Tell what went in, also where an error ends the work: what is in the lake is in the lake."""
    try:
        yield
    finally:
        if reports or failures:
            _tell(state, reports, failures)


def _tell(state: State, reports: "Sequence[Report]", failures: "Sequence[Failure]") -> None:
    from ronghe.cli.show import show_rows

    totals: dict[str, list[int]] = {}
    for report in reports:
        load = report.load
        line = totals.setdefault(load.dataset, [0] * 7)
        values = (
            1,
            int(report.new),
            load.records,
            load.accepted,
            load.quarantined,
            load.skipped,
            sum(load.rows.values()),
        )
        for i, value in enumerate(values):
            line[i] += value
    columns = ("dataset", "files", "new", "records", "accepted", "quarantined", "skipped", "rows")
    show_rows(state, state.t("say.ingested"), columns, [(name, *line) for name, line in totals.items()])
    _tell_skips(state, reports)
    _tell_failures(state, failures)
    if reports:
        state.console.print(state.t("say.version_now", version=max(r.version for r in reports)))
    if any(r.load.quarantined for r in reports):
        state.console.print(state.t("say.see_quarantine"))


def _tell_failures(state: State, failures: "Sequence[Failure]") -> None:
    """Each reason once, below the files it kept out, and each remedy once, at the end."""
    reasons: dict[tuple[Any, ...], list[Failure]] = {}
    for failure in failures:
        error = failure.error
        about = tuple((key, str(value)) for key, value in sorted(error.args_.items()) if key != "file")
        reasons.setdefault((error.code, about), []).append(failure)
    remedies: dict[str, None] = {}
    for group in reasons.values():
        _tell_files(state, group)
        said, remedy = group[0].error.say(state.lang), translate(state.lang, group[0].error.hint)
        state.notes.print(said.removesuffix(remedy).rstrip(), markup=False)
        remedies[remedy] = None
    for remedy in filter(None, remedies):
        state.notes.print(remedy, markup=False)


def _tell_files(state: State, group: "Sequence[Failure]") -> None:
    """The files of one reason; of a dataset's many the first and their number."""
    kept_out: dict[str, list[str]] = {}
    for failure in group:
        kept_out.setdefault(failure.dataset, []).append(failure.file)
    for dataset, files in kept_out.items():
        shown = files if len(files) <= _NAMED else [state.t("say.and_more", first=files[0], count=len(files))]
        for name in shown:
            state.notes.print(f"✗ {dataset}/{name}", style="red", markup=False)


def _tell_skips(state: State, reports: "Sequence[Report]") -> None:
    """Why records were passed over: a line a dataset, the reasons with their counts."""
    skips: dict[str, Counter[str]] = {}
    for report in reports:
        skips.setdefault(report.load.dataset, Counter()).update(report.load.skips)
    for name, counts in skips.items():
        if counts:
            reasons = " · ".join(f"{state.t(f'skip.{reason}')} {count:,}" for reason, count in sorted(counts.items()))
            state.console.print(state.t("say.skips", dataset=name, reasons=reasons), markup=False)


def quarantine(
    context: typer.Context,
    export: Annotated[Path | None, typer.Option("--export")] = None,
    rows: Annotated[int, typer.Option()] = 50,
    as_json: Json = False,
) -> None:
    """List the records in quarantine, or write them to a sheet to mend."""
    from ronghe.cli.show import show_rows
    from ronghe.views import quarantine_list

    state: State = context.obj
    if export is not None:
        from ronghe.quarantine import write_sheet

        count = write_sheet(state.brain, export, state.lang)
        state.console.print(state.t("say.quarantine_written", file=str(export), count=count))
        return None
    document = quarantine_list(state.brain)
    if as_json:
        return state.bytes((json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
    if not document["total"]:
        state.console.print(state.t("web.quarantine_none"))
        return None
    shown = [[*row[:7], state.t(f"reject.{row[7]}"), row[8][state.lang]] for row in document["rows"][:rows]]
    show_rows(state, state.t("say.quarantine", count=document["total"]), document["columns"], shown, "quarantine")
    if document["total"] > len(shown):
        state.console.print(state.t("say.more", shown=len(shown), total=document["total"]), style="dim")
    state.console.print(state.t("say.mend"), markup=False)
    return None


def demo(
    context: typer.Context,
    no_serve: Annotated[bool, typer.Option("--no-serve")] = False,
    port: Annotated[int | None, typer.Option()] = None,
) -> None:
    """Build a lake from real data (or the invented sandbox), answer three questions, open the page."""
    from ronghe.cli.show import show_answer
    from ronghe.demo import answers, build

    state: State = context.obj
    with state.progress() as step:
        built = build(state.brain, step)
    _tell(state, built.reports, built.failures)
    for answer in answers(state.brain):
        state.console.rule()
        show_answer(state, answer, 8)
    if not no_serve:
        from ronghe.cli.serve import serve

        serve(context, port=port)


COMMANDS = (sources, ingest, quarantine, demo)
