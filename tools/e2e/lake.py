"""Imports made-up logs, asks bartizan and every other engine that is installed for the same figures, and compares."""

import json
import pathlib
import subprocess
import sys
import tempfile

QUESTION = "select count(*) as n, sum(octet_length(raw)) as bytes, max(time) as last, count(issues) as marked from events"


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        logs, data = f"{folder}/logs", f"{folder}/data"
        subprocess.run([binary, "simulate", "--out", logs], check=True, capture_output=True)
        files = sorted(str(p) for p in pathlib.Path(logs).rglob("*.log"))
        subprocess.run([binary, "import", "--data", data, "--cluster", "demo", *files], check=True, capture_output=True)
        said = subprocess.run([binary, "query", "--data", data, "--output", "jsonl", QUESTION], check=True, capture_output=True).stdout
        row = json.loads(said)
        expected = (row["n"], row["bytes"], row["last"][:19], row["marked"])
        print(f"bartizan: {expected}")
        failed = False
        for name, engine in (("deltalake with pyarrow", with_pyarrow), ("polars", with_polars), ("duckdb", with_duckdb)):
            try:
                found = engine(f"{data}/lake/events")
            except ImportError as e:
                print(f"SKIPPED {name}: {e}")
                continue
            failed |= found != expected
            print(f"{'ok  ' if found == expected else 'FAIL'} {name}: {found}")
        sys.exit(1 if failed else 0)


def with_pyarrow(path):
    import deltalake
    import pyarrow.compute as pc

    table = deltalake.DeltaTable(path).to_pyarrow_table()
    table = table.filter(pc.field("class") != "self")
    size = pc.sum(pc.binary_length(table["raw"])).as_py()
    return table.num_rows, size, pc.max(table["time"]).as_py().isoformat()[:19], pc.count(table["issues"]).as_py()


def with_polars(path):
    import polars as pl

    rows = pl.scan_delta(path).filter(pl.col("class") != "self")
    size = pl.col("raw").str.len_bytes().cast(pl.Int64).sum().alias("size")
    n, size, last, marked = rows.select(pl.len(), size, pl.col("time").max(), pl.col("issues").count()).collect().row(0)
    return n, size, last.isoformat()[:19], marked


def with_duckdb(path):
    import deltalake
    import duckdb

    files = deltalake.DeltaTable(path).file_uris()
    sql = """select count(*), sum(strlen(raw)), strftime(max(time) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S'), count(issues)
             from read_parquet(?, hive_partitioning = true) where class <> 'self'"""
    n, size, last, marked = duckdb.execute(sql, [files]).fetchone()
    return n, int(size), last, marked


main()
