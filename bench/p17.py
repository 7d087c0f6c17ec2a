# SPDX-License-Identifier: Apache-2.0
"""P17: killed at full load with many rows, and ready again."""

import sqlite3

from measure import Bench, Row, Sample, Watch, judge, rounds
from parts import Failed, Server, wait_for

ROWS, ROWS_FULL = 300_000, 10_000_000
LOAD_DEVICES = 1000
TABLES = ("device", "device_status", "telemetry")
BATCH = 100_000
READY_MS = 1000


def uniques(db, table):
    """Text columns that no two rows share, without those that name the organisation."""
    names = {row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]}
    for index in db.execute(f"PRAGMA index_list({table})").fetchall():
        if index[2]:
            names |= {row[2] for row in db.execute(f"PRAGMA index_info({index[1]})")}
    return names - {"org_id"}


def copied(column, own):
    """The column's value in copy `n` of row `one`: a number as long as what tells rows apart."""
    value = f'one."{column}"'
    if column not in own:
        return value
    mark = f"instr({value}, '_')"  # behind the prefix of an id
    return f"substr({value}, 1, {mark}) || printf('%0' || (length({value}) - {mark}) || 'd', numbers.n)"


def multiply(db, table, count):
    """Add so many copies of the table's first row. What columns there are the database says."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    own = uniques(db, table)
    values = ", ".join(copied(column, own) for column in columns)
    for first in range(0, count, BATCH):
        last = min(first + BATCH, count)
        db.execute(
            f"INSERT INTO {table} WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL"
            f" SELECT n + 1 FROM numbers WHERE n + 1 < {last})"
            f" SELECT {values} FROM numbers, (SELECT * FROM {table} LIMIT 1) AS one"
        )
        db.commit()


def fill(path, count):
    """So many rows more, over the tables that have the most rows in a real installation."""
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA synchronous = OFF")
        for table in TABLES:
            if not db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                raise Failed(f"no row of {table} to copy")
            multiply(db, table, count // len(TABLES))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise Failed(f"{path}: {error}") from error
    finally:
        db.close()


def killed(server):
    """One Sample: killed, started, ready."""
    watch = Watch()
    server.kill()
    ready_s = server.start()
    return Sample(ready_s * 1000, {}, watch.end().others)


def ready_again(run, row):
    """P17"""
    rows = ROWS_FULL if run.full else ROWS
    with Server(run.build, "heartbeat = 1s") as server:
        with server.devices(1) as one:
            one.wait_open(1)
            wait_for("it has measured", lambda: one.next()["messages"] >= 2)
        server.stop()
        fill(server.data / "muster.db", rows)
        server.start()
        server.login()
        count = run.count(LOAD_DEVICES)
        with server.devices(count) as devices:
            devices.wait_open(count)
            mine, _ = rounds(run.rounds, lambda: back(server, devices, count))
    row.what = row.what.format(rows=rows)
    return judge(row, mine, [], lambda ours, _: ours <= READY_MS)


def back(server, devices, count):
    """One Sample, when all devices are in touch."""
    devices.wait_open(count)
    return killed(server)


BENCHES = [
    Bench(
        Row(
            "P17",
            "killed at full load with {rows:,} rows, ready again",
            "ms",
            "<= 1 s",
        ),
        ready_again,
    )
]
