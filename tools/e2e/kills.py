"""Kills `bartizan serve` with SIGKILL again and again while a simulated cluster is under attack, and asks afterwards: is every byte there once, is every finding said once?

usage: kills.py BIN [--kills N]. Exit 1 with what is wrong.
"""
import argparse, collections, json, os, random, signal, subprocess, sys, tempfile, time

args = argparse.ArgumentParser()
args.add_argument("bin"), args.add_argument("--kills", type=int, default=10), args.add_argument("--seed", type=int, default=1)
ARG = args.parse_args()
CLUSTERS = {"tidb-0": ("shop", "tidb"), "tidb-1": ("shop", "tidb"), "pd-0": ("shop", "pd"), "pd-1": ("shop", "pd"), "pd-2": ("shop", "pd"),
            "tikv-0": ("shop", "tikv"), "tikv-1": ("shop", "tikv"), "tikv-2": ("shop", "tikv"), "milvus-0": ("vectors", "milvus")}
WAIT_S = 120  # only a broken program gets there


def ask(data, sql):
    done = subprocess.run([ARG.bin, "query", "--data", data, "--output", "jsonl", sql], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"kills: query: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def holes(data, sizes):
    """What is not covered exactly once; empty when all is well."""
    ranges = collections.defaultdict(list)
    for row in ask(data, "select generation, byte_start, byte_end from events"):
        ranges[row["generation"]].append((int(row["byte_start"]), int(row["byte_end"])))
    ends = []
    for generation, parts in ranges.items():
        at = 0
        for start, end in sorted(parts):
            if start != at:
                return f"generation {generation}: {'a hole' if start > at else 'a range twice'} at byte {min(at, start)}"
            at = end
        ends.append(at)
    return "" if sorted(ends) == sorted(sizes) else f"stored lengths {sorted(ends)}, files {sorted(sizes)}"


def main():
    dice = random.Random(ARG.seed)
    with tempfile.TemporaryDirectory() as work:
        config, data, logs = f"{work}/bartizan.toml", f"{work}/data", f"{work}/logs"
        text = f'[server]\ndata = "data"\nlisten = "127.0.0.1:{7712 + ARG.seed}"\n'
        for folder, (cluster, component) in CLUSTERS.items():
            text += f'[[source]]\nkind = "file"\npath = "logs/{folder}/*.log*"\ncluster = "{cluster}"\ncomponent = "{component}"\n'
        open(config, "w").write(text)
        story = subprocess.Popen([ARG.bin, "--quiet", "simulate", "--out", logs, "--live", "--quiet-for", "3", "--rate", "300"])
        log = open(f"{work}/log", "ab")
        start = lambda: subprocess.Popen([ARG.bin, "serve", "-c", config], stdout=log, stderr=log)
        server, killed = start(), 0
        while story.poll() is None or killed < ARG.kills:
            time.sleep(dice.uniform(0.2, 3.0) if story.poll() is None else 1.0)
            if server.poll() is not None:
                sys.exit(f"kills: serve ended by itself with {server.returncode}:\n{open(f'{work}/log').read()[-2000:]}")
            if killed < ARG.kills:
                server.send_signal(signal.SIGKILL), server.wait()
                server, killed = start(), killed + 1
        records = json.load(open(f"{logs}/records.json"))
        sizes = [f["bytes"] for f in records["files"].values()]
        deadline, why = time.monotonic() + WAIT_S, "nothing was asked"
        while why and time.monotonic() < deadline:
            time.sleep(0.5)
            why = holes(data, sizes)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        why = why or holes(data, sizes)
        if why:
            sys.exit(f"kills: after {killed} kills: {why}")
        streams = {r["stream"]: r["n"] for r in ask(data, "select stream, count(*) as n from events group by 1")}
        if streams != records["streams"]:
            sys.exit(f"kills: records per stream: {streams}, written {records['streams']}")
        twice = ask(data, "select raw, count(*) as n from self where stream = 'finding' group by 1 having count(*) > 1")
        if twice:
            sys.exit(f"kills: {len(twice)} findings are said twice, the first: {twice[0]['raw'][:300]}")
        said = {json.loads(r["raw"])["finding"]["id"] for r in ask(data, "select raw from self where stream = 'finding'")}
        listed = subprocess.run([ARG.bin, "alert", "list", "--data", data, "--state", "all", "--limit", "1000", "--output", "jsonl"], capture_output=True, text=True, timeout=120)
        alerted = {f for line in listed.stdout.splitlines() for f in json.loads(line)["findings"]}
        if said != alerted:
            sys.exit(f"kills: {len(said - alerted)} findings have no alert, {len(alerted - said)} alerts name findings that are no records")
        findings = ask(data, "select count(*) as n from self where stream = 'finding'")[0]["n"]
        print(f"{killed} kills: {sum(streams.values())} records in {len(sizes)} files stored exactly once, {findings} findings said once")
        print("1 passed, 0 failed")


main()
