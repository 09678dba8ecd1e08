"""How each client is asked to move tables into a PostgreSQL, or one into a Parquet file: the command, and the variables it needs."""

import json
import shlex
from pathlib import Path

import install
from databases import PASSWORD, USER, Mariadb

SPEC_TABLES = {"connection": "source", "chunks": {"rows": 250_000}}


def pipeline(binary, source, database, sink, scratch, case):
    folder = Path(scratch) / "job"
    folder.mkdir()
    kind = "mysql" if isinstance(source, Mariadb) else "postgres"
    connections = {"source": {kind: address(source, "origin")}, "sink": {"postgres": address(sink, database)}}
    job = {
        "job": "bench",
        "source": {"tables": {**SPEC_TABLES, "include": [f"{case.schema}.*"]}},
        "sink": {"connection": "sink", "schema": "public", "mode": "replace"},
        "concurrency": {"limit": 4, "items": {"limit": 4, "units": {"limit": 4}}},
    }
    if case.to == "parquet":
        connections["sink"] = {"fs": {"root": str(Path(scratch) / database)}}
        job["sink"] = {"connection": "sink", "format": "parquet", "mode": "replace"}
    (folder / "connections.yaml").write_text(json.dumps({"local": connections}))
    (folder / "bench.yaml").write_text(json.dumps(job))
    command = [binary, "run", folder / "bench.yaml", "--state", folder / "state", "--quiet"]
    return command, {"BENCH_PASSWORD": PASSWORD}


def address(server, database):
    return {"host": "127.0.0.1", "port": server.port, "database": database, "user": USER, "password": "${env:BENCH_PASSWORD}"}


def psql(_binary, source, database, sink, _scratch, case):
    """A table of the same columns, a binary COPY into another, and the key behind it, as `pipeline` does."""
    at = [shlex.join(["psql", "-qX", "-v", "ON_ERROR_STOP=1", *server.arguments(name)]) for server, name in ((source, "origin"), (sink, database))]
    create = shlex.quote(f"create table {case.table} ({case.columns.replace(' primary key', '')})")
    read = shlex.quote(f"copy {case.table} to stdout (format binary)")
    write = shlex.quote(f"copy {case.table} from stdin (format binary)")
    key = shlex.quote(f"alter table {case.table} add primary key (id)")
    script = f"{at[1]} -c {create} && {at[0]} -c {read} | {at[1]} -c {write} && {at[1]} -c {key}"
    return ["bash", "-o", "pipefail", "-c", script], source.variables


def dump(_binary, source, database, sink, _scratch, _case):
    reading = shlex.join(["pg_dump", "-Fc", "-Z0", *source.arguments("origin")])
    writing = shlex.join(["pg_restore", "--no-owner", *sink.arguments(database)])
    return ["bash", "-o", "pipefail", "-c", f"{reading} | {writing}"], source.variables


def sling(binary, source, database, sink, scratch, case):
    schema = "public" if source is sink else "origin"
    command = [binary, "run", "--src-conn", "ORIGIN", "--src-stream", f"{schema}.{case.table}", "--tgt-conn", "TARGET"]
    command += ["--tgt-object", f"public.{case.table}", "--mode", "full-refresh", "--primary-key", "id"]
    variables = {"ORIGIN": source.url("origin"), "TARGET": sink.url(database), "SLING_HOME_DIR": str(Path(scratch) / "sling")}
    return command, {**variables, "SLING_DISABLE_TELEMETRY": "TRUE", "DBUS_SESSION_BUS_ADDRESS": ""}


def pgloader(binary, source, database, sink, scratch, _case):
    script = Path(scratch) / "pgloader.load"
    # Columns keep their types as far as its own rules allow; workers as `pipeline` has chunks at once.
    script.write_text(
        f"LOAD DATABASE FROM {source.url('origin')} INTO {sink.url(database).split('?')[0]}\n"
        "WITH include drop, create tables, workers = 4, concurrency = 1\n"
        f"ALTER SCHEMA 'origin' RENAME TO 'public';\n"
    )
    libraries = install.TOOLS / "pgloader/usr/lib/x86_64-linux-gnu"
    return [binary, script], {"LD_LIBRARY_PATH": str(libraries), "HOME": str(scratch)}


def duckdb(binary, source, database, _sink, scratch, case):
    extension = next(Path(binary).glob("**/*.duckdb_extension"))
    target = Path(scratch) / f"{database}.parquet"
    text = f"""
import sys
sys.path.insert(0, "{binary}")
import duckdb
duckdb.sql("load '{extension}'")
duckdb.sql("set threads = 2")
duckdb.sql("attach '{source.url('origin')}' as origin (type postgres, read_only)")
duckdb.sql("copy origin.public.{case.table} to '{target}' (format parquet, compression zstd)")
"""
    return ["python3", "-c", text], {"HOME": str(scratch)}


CLIENTS = {"pipeline": pipeline, "psql": psql, "dump": dump, "sling": sling, "pgloader": pgloader, "duckdb": duckdb}
