"""Lists about the lake as JSON documents: the same for command, API and page. No figure is computed here."""

from pathlib import Path
from typing import Any

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.lake.lake import plain
from ronghe.lenses.base import LensSpec
from ronghe.model.serial import say, unpacked
from ronghe.model.table import LINEAGE, contracts
from ronghe.plugins import get_lens, lens_names, source_names
from ronghe.sources.registry import DatasetFile, datasets

SANDBOX = "sandbox"


def table_list(brain: Brain) -> dict[str, Any]:
    """Every table that holds rows, and those that could."""
    snapshot = brain.snapshot
    listed = []
    for name, table in sorted(contracts().items()):
        listed.append(
            {
                "table": name,
                "name_zh": table.names["zh"],
                "name_en": table.names["en"],
                "rows": snapshot.count(name),
                "loads": len(snapshot.loads_of([name])),
                "columns": len(table.columns),
                "version": table.version,
            }
        )
    listed.sort(key=lambda t: (t["rows"] == 0, t["table"]))
    return {"snapshot": snapshot.version, "tables": listed}


def table_rows(brain: Brain, name: str, limit: int) -> dict[str, Any]:
    """A table's contract and its first rows."""
    snapshot = brain.snapshot
    table = snapshot.table(name)
    contract = contracts()[name]
    found = snapshot.rows(table.order_by([*contract.keys, "_file", "_row"]).limit(limit))
    total = int(snapshot.rows(table.aggregate(n=table.count())).column("n")[0].as_py())
    columns = [
        {
            "name": c.name,
            "type": c.type,
            "unit": c.unit,
            "key": c.key,
            "name_zh": c.names["zh"],
            "name_en": c.names["en"],
            "description": c.description,
        }
        for c in contract.columns
    ]
    shown = [c["name"] for c in columns]
    rows = [[plain(row[n]) for n in shown] for row in found.to_pylist()]
    lineage = [[plain(row[n]) for n in LINEAGE] for row in found.to_pylist()]
    return {
        "table": name,
        "name_zh": contract.names["zh"],
        "name_en": contract.names["en"],
        "snapshot": snapshot.version,
        "columns": columns,
        "rows": rows,
        "lineage": lineage,
        "total": total,
    }


def version_list(brain: Brain) -> dict[str, Any]:
    """Every version of the lake and what each did."""
    return {"versions": [{"version": v.version, "at": v.at, "note": v.note} for v in brain.versions()]}


def load_list(brain: Brain) -> dict[str, Any]:
    """Every live load with its record balance."""
    loads = brain.snapshot.loads
    return {
        "snapshot": brain.snapshot.version,
        "loads": [
            {
                "load": o.load,
                "dataset": o.dataset,
                "file": o.file,
                "sha256": o.sha256,
                "licence": o.licence,
                "records": o.records,
                "accepted": o.accepted,
                "quarantined": o.quarantined,
                "skipped": o.skipped,
                "skips": dict(o.skips),
                "rows": dict(o.rows),
                "overlaps": dict(o.overlaps),
                "at": o.at,
            }
            for o in sorted(loads, key=lambda o: (o.dataset, o.file))
        ],
    }


def quarantine_list(brain: Brain, limit: int = 1000) -> dict[str, Any]:
    """The records in quarantine: where, what was found, why, what was expected."""
    rows = brain.lake.quarantine(brain.snapshot).to_pylist()
    shown = [{**row, "expected": say(unpacked(row["expected"], row["args"]))} for row in rows[:limit]]
    names = ("dataset", "file", "part", "row", "col", "column", "value", "reason", "expected")
    return {
        "total": len(rows),
        "columns": list(names),
        "rows": [[row[n] for n in names] for row in shown],
    }


def lens_document(spec: LensSpec) -> dict[str, Any]:
    """A lens with its parameters."""
    return {
        "lens": spec.name,
        "version": spec.version,
        "title": say(spec.title),
        "question": say(spec.question),
        "reads": list(spec.reads),
        "parameters": [
            {
                "name": p.name,
                "type": p.type.__name__,
                "required": p.required,
                "default": None if p.required else p.default,
                "help": say(p.help),
                "values": list(p.literals),
            }
            for p in spec.params
        ],
    }


def lens_list() -> dict[str, Any]:
    """Every lens installed."""
    return {"lenses": [lens_document(get_lens(name)) for name in lens_names()]}


def source_list(brain: Brain) -> dict[str, Any]:
    """Every dataset of the registry: title, version, licence, size, where it would come from, whether it is loaded."""
    loaded = {o.dataset for o in brain.snapshot.loads}
    listed = []
    for name, one in datasets().items():
        listed.append(
            {
                "dataset": name,
                "title_zh": one.title["zh"],
                "title_en": one.title["en"],
                "publisher": one.publisher,
                "years": one.years,
                "version": "; ".join(one.versions),
                "licence": "; ".join(one.licences),
                "commercial": one.commercial,
                "redistributable": one.redistributable,
                "files": len(one.files),
                "bytes": one.bytes,
                "addresses": sorted({f.url.rsplit("/", 1)[0] for f in one.files if f.url})[:3],
                "from": _from(brain.config, name, one.files) if name in source_names() else "unread",
                "readable": name in source_names(),
                "loaded": name in loaded,
            }
        )
    return {"sources": listed}


def _from(config: Config, name: str, listed: tuple[DatasetFile, ...]) -> str:
    """Where the files would be taken from now: mirror, cache, network or nowhere."""
    for place in ("mirror", "cache"):
        folder = getattr(config, place)
        if folder and all((Path(folder) / name / f.name).is_file() for f in listed):
            return place
    if name == SANDBOX:
        return "package"
    return "network" if not config.offline and all(f.url for f in listed) else "nowhere"
