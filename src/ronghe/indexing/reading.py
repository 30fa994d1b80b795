"""From a TOML file to an indicator system, with errors that name the place and the nearest known word."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ronghe.definitions import definition_text, digest_of
from ronghe.errors import AskError, nearest
from ronghe.indexing.system import (
    DIRECTIONS,
    GAPS,
    MISSING,
    ROLES,
    SETS,
    TRANSFORMS,
    Count,
    Item,
    Judgement,
    Names,
    Quantity,
    Subsystem,
    System,
)
from ronghe.model.regions import find_region
from ronghe.model.text import both
from ronghe.model.units import units

_TOP = {"name", "title", "note", "regions", "years", "gaps", "subsystem", "quantity", "judgements", *ROLES}
_QUANTITY = {"id", "name", "why", "of", "over", "count"}
_COUNT = {"table", "column", "where"}
_ITEM = {
    *(
        "id",
        "name",
        "why",
        "subsystem",
        "dimension",
        "of",
        "over",
        "unit",
        "unit_names",
        "transform",
        "deflator",
        "price_year",
    ),
    *("direction", "interval", "missing", "max_gap", "weight"),
}


@cache
def system_names() -> tuple[str, ...]:
    """The systems that come with the package."""
    folder = files("ronghe.systems")
    found = (f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    return tuple(sorted(n for n in found if not n.endswith("_mapping")))


def system_text(name: str) -> str:
    """The file of a system: a name of the package's, or a path that ends in ``.toml``.

    Raises
    ------
    UnknownName : no such name. AskError : no such file, or not UTF-8.
    """
    return definition_text(name, "ronghe.systems", "system", system_names())


def read_system(name: str) -> System:
    """A system by name or path.

    Raises
    ------
    UnknownName, AskError : see ``system_text`` and ``parse_system``.
    """
    return parse_system(system_text(name), name)


def parse_system(text: str, file: str) -> System:
    """A system from the text of its file.

    Raises
    ------
    AskError : not TOML, a key that is missing, unknown or of the wrong kind; says where.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AskError("system_toml", file=file, why=str(error)) from error
    _known(tree, _TOP, file, "")
    subsystems = tuple(
        Subsystem(_text(s, "id", file, "subsystem"), _names(s, "name", file, "subsystem"))
        for s in _list(tree, "subsystem", file)
    )
    if not subsystems:
        raise AskError("system_key_missing", file=file, key="subsystem", where="")
    quantities = {q.id: q for q in (_quantity(row, file) for row in _list(tree, "quantity", file))}
    items = tuple(
        _item(row, role, [s.id for s in subsystems], file) for role in ROLES for row in _list(tree, role, file)
    )
    _unique(items, file)
    for item in items:
        _no_circle(item.id, (*item.of, item.over), quantities, (), file)
    empty = [s.id for s in subsystems if not any(i.role == "indicator" and i.subsystem == s.id for i in items)]
    if empty:
        raise AskError("system_empty", file=file, subsystems=empty)
    return System(
        name=_text(tree, "name", file, ""),
        names=_names(tree, "title", file, ""),
        note=_names(tree, "note", file, "", needed=False),
        regions=_regions(tree.get("regions", "all"), file),
        years=_years(tree.get("years"), file),
        gaps=_one_of(tree.get("gaps", "refuse"), GAPS, "gaps", file),
        subsystems=subsystems,
        quantities=quantities,
        items=items,
        judgements=_judgements(tree.get("judgements", {}), items, [s.id for s in subsystems], file),
        digest=digest_of(text),
    )


def _quantity(row: Mapping[str, Any], file: str) -> Quantity:
    where = f"quantity {row.get('id', '')}"
    _known(row, _QUANTITY, file, where)
    count = row.get("count")
    if count is not None:
        _known(count, _COUNT, file, where)
        _text(count, "table", file, where)
        _text(count, "column", file, where)
    return Quantity(
        id=_text(row, "id", file, where),
        names=_names(row, "name", file, where),
        why=_names(row, "why", file, where, needed=False),
        of=() if count is not None else _ids(row, file, where),
        over=row.get("over"),
        count=None if count is None else Count(count["table"], count["column"], count.get("where", {})),
    )


def _item(row: Mapping[str, Any], role: str, subsystems: list[str], file: str) -> Item:
    where = f"{role} {row.get('id', '')}"
    _known(row, _ITEM, file, where)
    weighed = role == "indicator"
    direction = _one_of(row.get("direction", "benefit"), DIRECTIONS, "direction", file)
    low, high = _interval(row, direction, file, where)
    deflator, price_year = row.get("deflator"), row.get("price_year")
    if (deflator is None) != (price_year is None):
        key = "price_year" if price_year is None else "deflator"
        raise AskError("system_key_missing", file=file, key=key, where=where)
    return Item(
        id=_text(row, "id", file, where),
        role=role,
        names=_names(row, "name", file, where),
        why=_names(row, "why", file, where, needed=weighed),
        subsystem=_one_of(_text(row, "subsystem", file, where), subsystems, "subsystem", file) if weighed else "",
        dimension=_names(row, "dimension", file, where, needed=weighed),
        of=_ids(row, file, where),
        over=row.get("over"),
        unit=_unit(row.get("unit", ""), file, where),
        unit_names=_names(row, "unit_names", file, where, needed=False),
        transform=_one_of(row.get("transform", "level"), TRANSFORMS, "transform", file),
        deflator=deflator,
        price_year=price_year,
        direction=DIRECTIONS[direction],
        low=low,
        high=high,
        missing=_one_of(row.get("missing", "none"), MISSING, "missing", file),
        max_gap=_number(row, "max_gap", int, file, where),
        weight=_number(row, "weight", float, file, where),
    )


def _interval(row: Mapping[str, Any], direction: str, file: str, where: str) -> tuple[float | None, float | None]:
    ends = row.get("interval")
    if direction != "interval":
        return None, None
    if not isinstance(ends, list) or len(ends) != 2 or not float(ends[0]) <= float(ends[1]):
        raise AskError("system_interval", file=file, where=where, value=str(ends))
    return float(ends[0]), float(ends[1])


def _unit(text: str, file: str, where: str) -> str:
    for part in text.split("/") if text else ():
        if part not in units():
            raise AskError("system_unit", known=nearest(part, units()), file=file, where=where, value=text)
    return text


def _number(row: Mapping[str, Any], key: str, kind: type, file: str, where: str) -> Any:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise AskError("system_value", file=file, where=where, key=key, value=str(value))
    return kind(value)


def _judgements(
    tree: Mapping[str, Any], items: Iterable[Item], subsystems: list[str], file: str
) -> dict[str, Judgement]:
    found = {}
    for name, table in tree.items():
        where = f"judgements.{name}"
        _one_of(name, subsystems, where, file)
        _known(table, {"order", "matrix"}, file, where)
        order = tuple(table.get("order", ()))
        own = {i.id for i in items if i.role == "indicator" and i.subsystem == name}
        wrong = [o for o in order if o not in own]
        if wrong:
            raise AskError("system_value", known=sorted(own), file=file, where=where, key="order", value=wrong[0])
        if set(order) != own:
            raise AskError("system_judgements", file=file, where=where, absent=sorted(own - set(order)))
        matrix = tuple(tuple(float(v) for v in line) for line in table.get("matrix", ()))
        if len(matrix) != len(order) or any(len(line) != len(order) for line in matrix):
            raise AskError("system_matrix", file=file, where=where, size=len(order))
        found[name] = Judgement(name, order, matrix)
    return found


def _regions(value: Any, file: str) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(dict.fromkeys(find_region(str(v)) or str(v) for v in value))
    return _one_of(value, SETS, "regions", file)


def _years(value: Any, file: str) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(y, int) for y in value):
        raise AskError("system_value", file=file, where="", key="years", value=str(value))
    if value[0] > value[1]:
        raise AskError("system_value", file=file, where="", key="years", value=str(value))
    return value[0], value[1]


def _no_circle(
    item: str, parts: Iterable[str | None], known: Mapping[str, Quantity], seen: tuple[str, ...], file: str
) -> None:
    for part in parts:
        if part is None:
            continue
        if part in seen:
            raise AskError("system_circle", file=file, where=item, names=[*seen, part])
        if part in known:
            _no_circle(item, (*known[part].of, known[part].over), known, (*seen, part), file)


def _unique(items: Iterable[Item], file: str) -> None:
    seen: set[str] = set()
    for item in items:
        if item.role == "indicator" and item.id in seen:
            raise AskError("system_twice", file=file, name=item.id)
        seen |= {item.id} if item.role == "indicator" else set()


def _ids(row: Mapping[str, Any], file: str, where: str) -> tuple[str, ...]:
    value = row.get("of")
    if isinstance(value, str) and value:
        return (value,)
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise AskError("system_key_missing", file=file, key="of", where=where)


def _known(row: Any, known: Iterable[str], file: str, where: str) -> None:
    if not isinstance(row, Mapping):
        raise AskError("system_value", file=file, where=where, key="", value=str(row))
    for key in row:
        if key not in known:
            raise AskError("system_key", known=nearest(key, sorted(known)), file=file, where=where, key=key)


def _list(tree: Mapping[str, Any], key: str, file: str) -> list[Mapping[str, Any]]:
    value = tree.get(key, [])
    if not isinstance(value, list):
        raise AskError("system_value", file=file, where="", key=key, value=str(value))
    return value


def _text(row: Mapping[str, Any], key: str, file: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise AskError("system_key_missing", file=file, key=key, where=where)
    return value


def _names(row: Mapping[str, Any], key: str, file: str, where: str, *, needed: bool = True) -> Names:
    value = row.get(key)
    if isinstance(value, str) and value:
        return both(value, value)
    if isinstance(value, Mapping) and (value.get("zh") or value.get("en")):
        _known(value, {"zh", "en"}, file, f"{where} {key}")
        return both(value.get("zh"), value.get("en"))
    if needed:
        raise AskError("system_key_missing", file=file, key=key, where=where)
    return both("", "")


def _one_of(value: Any, known: Iterable[str], key: str, file: str) -> str:
    pool = list(known)
    if value not in pool:
        raise AskError("system_value", known=nearest(str(value), pool), file=file, where="", key=key, value=str(value))
    return str(value)
