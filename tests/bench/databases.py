"""Fresh database servers with their data in memory, for one run of the benchmarks each; and what is put into them."""

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

from servers import running, wait_until

USER = "bench"
PASSWORD = "bench-password"

# The user of services that own nothing: servers refuse to run as root.
NOBODY = "65534"

COLUMNS = {
    "postgres": "id bigint primary key, small smallint, whole integer, amount numeric(12,2), ratio double precision, is_paid boolean, "
    "label varchar(40), note text, day date, at timestamp, seen timestamptz, token uuid, price numeric(10,4)",
    "mariadb": "id bigint primary key, small smallint, whole integer, amount decimal(12,2), ratio double, is_paid tinyint(1), "
    "label varchar(40), note text, day date, at datetime(6), seen timestamp(6), token char(36), price decimal(10,4)",
}

ROWS = {
    "postgres": "select i, i % 1000, i % 100000, i % 9999999 / 100.0, i / 7.0, i % 2 = 0, 'label ' || i, repeat('note ', (i % 12)::int), "
    "date '2000-01-01' + (i % 9000)::int, timestamp '2020-01-01' + i * interval '1 s', timestamptz '2020-01-01' + i * interval '1 s', "
    "md5(i::text)::uuid, i % 99999 / 3.0 from generate_series(1, {rows}) i",
    "mariadb": "select seq, seq % 1000, seq % 100000, seq % 9999999 / 100.0, seq / 7e0, seq % 2, concat('label ', seq), "
    "repeat('note ', seq % 12), date_add('2000-01-01', interval seq % 9000 day), date_add('2020-01-01', interval seq second), "
    "date_add('2020-01-02', interval seq second), insert(insert(insert(insert(md5(seq), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'), "
    "seq % 99999 / 3.0 from seq_1_to_{rows}",
}

# What the columns of a row are, told alike by every engine and whatever types a client has given them.
TOLD = {
    "postgres": [
        "id::bigint", "small::bigint", "whole::bigint", "amount::numeric(12,2)", "round(ratio::numeric, 6)", "is_paid::text::boolean::int",
        "label", "note", "day::date - date '1970-01-01'", "(extract(epoch from at::timestamp) * 1000000)::bigint",
        "(extract(epoch from seen::timestamptz) * 1000000)::bigint", "token", "price::numeric(10,4)",
    ],
    "mariadb": [
        "id", "small", "whole", "amount", "cast(ratio as decimal(30,6))", "is_paid", "label", "note", "datediff(day, '1970-01-01')",
        "timestampdiff(microsecond, '1970-01-01', at)", "timestampdiff(microsecond, '1970-01-01', seen)", "token", "price",
    ],
    "duckdb": [
        "id", "small", "whole", "amount::decimal(12,2)", "ratio::decimal(30,6)", "is_paid::int", "label", "note",
        "date_diff('day', date '1970-01-01', \"day\")", "epoch_us(\"at\")", "epoch_us(seen)", "token::varchar", "price::decimal(10,4)",
    ],
}

# A row's first 48 bits of MD5 as a number: their sum does not depend on the order of rows.
NUMBER = {
    "postgres": "('x' || substr({md5}, 1, 12))::bit(48)::bigint",
    "mariadb": "cast(conv(substr({md5}, 1, 12), 16, 10) as unsigned)",
    "duckdb": "('0x' || substr({md5}, 1, 12))::bigint",
}


def fingerprint(engine, table):
    """The query for how many rows a table has and the sum of their hashes: the same in every engine that has the same rows."""
    # A client may take an empty text for none.
    told = ", ".join(f"coalesce({column}, '')" if column in ("label", "note") else column for column in TOLD[engine])
    number = NUMBER[engine].format(md5=f"md5(concat_ws('|', {told}))")
    return f"select count(*), cast(sum({number}) as decimal(38,0)) from {table}"


def unprivileged(folder):
    """How a command begins that must not run as root, the folder being handed to that user."""
    if os.getuid() != 0:
        return []
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True)
    return ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    def __init__(self, port):
        self.port = port
        self.engine = "postgres"
        self.variables = {"PGPASSWORD": PASSWORD, "PGTZ": "UTC"}

    def arguments(self, database):
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]

    def url(self, database):
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def sql(self, database, text, check=True):
        command = ["psql", *self.arguments(database), "-v", "ON_ERROR_STOP=1", "-qAt"]
        done = subprocess.run(command, input=text, env={**os.environ, **self.variables}, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise SystemExit(f"tests/bench/tables: PostgreSQL refuses `{text[:200]}`: {done.stderr}")
        return done.stdout.strip() if done.returncode == 0 else None


@contextmanager
def postgres(scratch):
    folder = Path(scratch) / "postgres"
    folder.mkdir()
    (folder / "password").write_text(PASSWORD)
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise SystemExit("tests/bench/tables: PostgreSQL is not installed; `apt-get install postgresql` and run it again")
    user = unprivileged(folder)
    initdb = [*user, programs[-1] / "initdb", "-D", "data", "-U", USER, "-A", "scram-sha-256", "--pwfile", "password", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale", "C", "--no-sync"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    command = [*user, programs[-1] / "postgres", "-D", "data", "-p", str(port)]
    for setting in (
        "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=512MB", "max_wal_size=8GB",
        "autovacuum=off", "max_connections=100", "dynamic_shared_memory_type=mmap",
    ):
        command += ["-c", setting]
    with running(command, folder):
        server = Postgres(port)
        wait_until(lambda: server.sql("postgres", "select 1", check=False))
        yield server


class Mariadb:
    def __init__(self, port):
        self.engine = "mariadb"
        self.port = port

    def url(self, database):
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def sql(self, database, text, check=True):
        command = ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(self.port), "-u", USER, f"-p{PASSWORD}", "-N", "-B"]
        done = subprocess.run([*command, "-e", text, database], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise SystemExit(f"tests/bench/tables: MariaDB refuses `{text[:200]}`: {done.stderr}")
        return done.stdout.strip().replace("\t", "|") if done.returncode == 0 else None


@contextmanager
def mariadb(scratch):
    if not shutil.which("mariadbd", path="/usr/sbin:/usr/bin"):
        raise SystemExit("tests/bench/tables: MariaDB is not installed; `apt-get install mariadb-server` and run it again")
    folder = Path(scratch) / "mariadb"
    folder.mkdir()
    user_sql = f"create user '{USER}'@'%' identified by '{PASSWORD}';\ngrant all on *.* to '{USER}'@'%';\n"
    (folder / "user.sql").write_text(user_sql)
    user = unprivileged(folder)
    data = f"--datadir={folder / 'data'}"
    install = [*user, "mariadb-install-db", "--no-defaults", data, "--skip-test-db", "--auth-root-authentication-method=normal"]
    subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder)})
    port = free_port()
    command = [*user, shutil.which("mariadbd", path="/usr/sbin:/usr/bin"), "--no-defaults", data, "--bind-address=127.0.0.1"]
    command += [f"--port={port}", f"--tmpdir={folder}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
    command += [f"--init-file={folder / 'user.sql'}", "--skip-name-resolve", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    command += ["--innodb-flush-method=nosync", "--innodb-buffer-pool-size=1G", "--character-set-server=utf8mb4"]
    with running(command, folder):
        server = Mariadb(port)
        wait_until(lambda: server.sql("", "select 1", check=False))
        yield server
