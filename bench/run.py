#!/usr/bin/env python3
"""Benchmarks with their baselines in the same run.

    bench/run.py BUILD [NAME]      NAME: engine, replay (default: both),
                                   protection (minutes: see protection.py)

Every figure is the median of five runs; contestants take turns, so that a
machine that slows down slows all of them.  Prints a table, and writes
BUILD/bench/NAME.json.  Absolute figures mean little on a shared machine;
the ratios are what is claimed.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, **kw).stdout


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


class Redis:
    """A Redis of our own on a Unix socket: nothing on disk, nothing shared."""

    def __init__(self):
        self.dir = tempfile.mkdtemp()
        self.socket = os.path.join(self.dir, "r.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--save", "", "--appendonly", "no", "--dir", self.dir],
            stdout=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.exists(self.socket):
                return
            time.sleep(0.05)
        raise SystemExit("bench: redis-server did not start")

    def flush(self):
        run(["redis-cli", "-s", self.socket, "flushall"])

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "runs": len(samples)}


def bench_engine(build):
    exe = os.path.join(build, "bench/bench_engine")
    policy = os.path.join(ROOT, "etc/default.policy")
    names = ["engine 10 k accounts", "engine 1 M accounts",
             "engine 10 M accounts", "redis lua (hash)", "redis lua (keys)",
             "node (maps)", "node (typed arrays)"]
    got = {n: [] for n in names}
    account_bytes = 0
    redis = Redis()
    with tempfile.TemporaryDirectory() as tmp:
        requests = os.path.join(tmp, "requests.bin")
        large = os.path.join(tmp, "large.bin")
        run([exe, "write", requests, "10000", "150000"])
        run([exe, "write", large, "10000", "1000000"])
        for i in range(RUNS):
            note(f"engine: run {i + 1} of {RUNS}")
            for name, accounts, n in ((names[0], "10000", "1000000"),
                                      (names[1], "1000000", "1000000"),
                                      (names[2], "10000000", "2000000")):
                r = json.loads(run([exe, "run", policy, accounts, n]))
                got[name].append(r["decisions_per_second"])
                account_bytes = r["bytes_account"]
            for name, variant in ((names[3], "hash"), (names[4], "keys")):
                redis.flush()
                r = json.loads(run([
                    os.path.join(build, "bench/bench_redis"), redis.socket,
                    os.path.join(HERE, "limits.lua"), variant, requests]))
                got[name].append(r["decisions_per_second"])
            for name, variant in ((names[5], "maps"), (names[6], "typed")):
                r = json.loads(run(["node", os.path.join(HERE, "limits.js"),
                                    variant, large]))
                got[name].append(r["decisions_per_second"])
    redis.close()
    med = {n: statistics.median(v) for n, v in got.items()}
    best_redis = max(med[names[3]], med[names[4]])
    best_node = max(med[names[5]], med[names[6]])
    ratios = {
        "engine 10 k / redis (aim 100)": med[names[0]] / best_redis,
        "engine 10 k / node (aim 25)": med[names[0]] / best_node,
        "engine 1 M / redis (aim 100)": med[names[1]] / best_redis,
        "engine 1 M / node (aim 25)": med[names[1]] / best_node,
        "engine 10 M / redis (aim 100)": med[names[2]] / best_redis,
        "engine 10 M / node (aim 25)": med[names[2]] / best_node,
        "cost at 10 M / at 1 M (aim at most 2)": med[names[1]] / med[names[2]],
        "bytes an account (aim at most 256)": account_bytes,
    }
    return {n: summary(v) for n, v in got.items()}, ratios


def bench_replay(build):
    exe = os.path.join(build, "drawbridge")
    policy = os.path.join(ROOT, "etc/default.policy")
    rates, decisions = [], []
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "large.jsonl")
        note("replay: making a large scenario")
        run([exe, "simulate", "--seed", "1", "--preset", "large", "-o", path])
        size = os.path.getsize(path)
        lines = int(run(["wc", "-l", path]).split()[0])
        for i in range(RUNS):
            note(f"replay: run {i + 1} of {RUNS}")
            t0 = time.monotonic()
            r = json.loads(run([exe, "replay", "--policy", policy,
                                "--report", "json", path]))
            rates.append(lines / (time.monotonic() - t0))
            decisions.append(r["decisions_per_second"])
    return ({"replay, events a second": summary(rates),
             "replay, decisions a second": summary(decisions)},
            {"events a second / 2 million (aim 1)":
             statistics.median(rates) / 2e6,
             "megabytes": size / 1e6, "events": lines})


def show(name, figures, ratios):
    print(f"\n{name}: medians of {RUNS} runs")
    for label, s in figures.items():
        print(f"  {label:<34}{s['median']:>14,.0f} /s"
              f"   ({s['min']:,.0f} to {s['max']:,.0f})")
    for label, value in ratios.items():
        print(f"  {label:<44}{value:>12,.2f}")


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    build = sys.argv[1]
    benches = {"engine": bench_engine, "replay": bench_replay}
    chosen = sys.argv[2:] or list(benches)
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    for name in chosen:
        if name == "protection":
            sys.exit(subprocess.run(
                [os.path.join(HERE, "protection.py"), build, "--year",
                 "--json", os.path.join(build, "bench", name + ".json")],
                check=False).returncode)
        if name not in benches:
            raise SystemExit(f"bench: no benchmark {name}; there are: "
                             + ", ".join(benches) + ", protection")
        figures, ratios = benches[name](build)
        show(name, figures, ratios)
        with open(os.path.join(build, "bench", name + ".json"), "w",
                  encoding="utf-8") as f:
            json.dump({"figures": figures, "ratios": ratios}, f, indent=1)


if __name__ == "__main__":
    main()
