"""Query engines behind Ibis: DuckDB in the process by default, PySpark and others by address."""

import threading
from typing import Any

import pyarrow as pa

from ronghe.config import Config
from ronghe.errors import ConfigError


class Engine:
    """One connection that reads the lake's Parquet files.

    Parameters
    ----------
    url : ``duckdb`` or ``pyspark://local[2]``.
    config : memory and threads for DuckDB.
    """

    def __init__(self, url: str, config: Config) -> None:
        self.url = url
        self._config = config
        self._lock = threading.RLock()
        self._connection: Any = None

    @property
    def kind(self) -> str:
        """``duckdb`` or ``pyspark``."""
        return self.url.split(":", 1)[0]

    @property
    def lock(self) -> threading.RLock:
        """Held while a query runs: one connection serves every thread of a process."""
        return self._lock

    def connect(self) -> Any:
        """The Ibis connection, made on first use."""
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            return self._connection

    def _open(self) -> Any:
        if self.kind == "duckdb":
            import ibis

            connection = ibis.duckdb.connect()
            connection.raw_sql("SET enable_progress_bar = false")
            connection.raw_sql("SET preserve_insertion_order = true")
            connection.raw_sql("SET TimeZone = 'UTC'")
            # Give memory back soon: a server lives for weeks beside other things.
            connection.raw_sql("SET allocator_flush_threshold = '1MB'")
            connection.raw_sql("SET allocator_bulk_deallocation_flush_threshold = '1MB'")
            connection.raw_sql(f"SET memory_limit = '{self._config.memory}'")
            if self._config.threads:
                connection.raw_sql(f"SET threads = {self._config.threads}")
            return connection
        if self.kind == "pyspark":
            return _spark(self.url.removeprefix("pyspark://") or "local[1]")
        raise ConfigError("engine_unknown", known=("duckdb", "pyspark://local[2]"), name=self.url)

    def parquet(self, files: list[str], schema: pa.Schema, root: str) -> Any:
        """An Ibis table over the Parquet files of a Delta table partitioned by ``_load``."""
        connection = self.connect()
        with self._lock:
            if not files:
                return self.memory(schema.empty_table())
            if self.kind == "duckdb":
                table = connection.read_parquet(
                    files, hive_partitioning=True, hive_types_autocast=False, union_by_name=True
                )
            else:
                frame = connection._session.read.option("basePath", root).schema(_spark_schema(schema)).parquet(*files)
                name = f"lake_{abs(hash((root, tuple(files))))}"
                frame.createOrReplaceTempView(name)
                table = connection.table(name)
            return table.select(*schema.names)

    def memory(self, table: pa.Table) -> Any:
        """An Ibis table over Arrow data in memory, with its schema kept."""
        import ibis

        return ibis.memtable(table, schema=ibis.Schema.from_pyarrow(table.schema))

    def fetch(self, expression: Any) -> pa.Table:
        """The rows of an expression as an Arrow table."""
        self.connect()
        with self._lock:
            return self._connection.to_pyarrow(expression)


def _spark(master: str) -> Any:
    try:
        import ibis
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError("engine_missing", name="pyspark", extra="spark") from error
    session = (
        SparkSession.builder.master(master)
        .appName("ronghe")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)
