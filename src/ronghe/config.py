"""One frozen ``Config``: defaults < ``ronghe.toml`` < ``RONGHE_*`` < flags. An unknown key is an error."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ronghe.errors import ConfigError, nearest
from ronghe.model.text import Text


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting there is.

    lake : folder or object-store address of the lake.
    mirror : folder with publishers' files, used before cache and network; empty = none.
    cache : folder where fetched files are kept.
    engine : query engine: ``duckdb`` or an address such as ``pyspark://local[2]``.
    lang : language of commands, ``zh`` or ``en``.
    offline : never reach for the network.
    memory : memory the query engine may use, such as ``1GB``.
    threads : threads the query engine may use; 0 = as many as there are cores.
    host, port : where ``ronghe serve`` listens.
    public : serve beyond this machine; demands logins.
    users : address of the database of users, SQLite or PostgreSQL; empty = ``users.db`` in the lake.
    timeout : seconds without a byte after which a download is stalled.
    wait : seconds to wait for another ingest to end.
    workers : long asks that the server works on at once; more of them wait.
    upload_limit_mb : the largest file that the page takes, in megabytes.
    """

    lake: str = "lake"
    mirror: str = ""
    cache: str = ".cache/ronghe"
    engine: str = "duckdb"
    lang: str = "en"
    offline: bool = False
    memory: str = "1GB"
    threads: int = 0
    host: str = "127.0.0.1"
    port: int = 8600
    public: bool = False
    users: str = ""
    timeout: float = 20.0
    wait: float = 0.0
    workers: int = 2
    upload_limit_mb: int = 512


def _coerce(name: str, value: Any, where: str) -> Any:
    default = getattr(Config(), name)
    kind = type(default)
    if isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
        return value
    text = str(value)
    if kind is bool and text.casefold() in {"1", "true", "yes", "0", "false", "no"}:
        return text.casefold() in {"1", "true", "yes"}
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if kind is str:
        return text
    raise ConfigError("config_value", name=name, value=text, where=where, expected=Text(f"help.kind.{kind.__name__}"))


def _apply(config: Config, values: Mapping[str, Any], where: str) -> Config:
    known = [f.name for f in fields(Config)]
    for name in values:
        if name not in known:
            raise ConfigError("config_unknown", known=nearest(name, known), name=name, where=where)
    config = replace(config, **{name: _coerce(name, value, where) for name, value in values.items()})
    if config.lang not in {"zh", "en"}:
        raise ConfigError("config_value", name="lang", value=config.lang, where=where, expected="zh | en")
    return config


def load_config(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """The settings in force.

    Parameters
    ----------
    flags : given on the command line or in the call; ``None`` values are not given.
    file : ``ronghe.toml``; the one in the working folder when not named.
    environ : variables, ``RONGHE_LAKE`` for ``lake`` and so on; the process's own when not named.

    Raises
    ------
    ConfigError : an unknown key, a malformed value or file.
    """
    config = Config()
    path = file or Path("ronghe.toml")
    if path.is_file():
        try:
            config = _apply(config, tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError("config_file", file=str(path), why=str(error)) from error
    elif file is not None:
        raise ConfigError("config_file", file=str(path), why="no such file")
    variables = os.environ if environ is None else environ
    named = {key[7:].lower(): value for key, value in variables.items() if key.startswith("RONGHE_") and value}
    config = _apply(config, named, "RONGHE_*")
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    return _apply(config, given, "flags")
