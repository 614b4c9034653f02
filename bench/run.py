#!/usr/bin/env python3
"""Benchmarks with their baselines in the same run.

    bench/run.py BUILD [NAME]      NAME: engine, replay, journal, doors, signer
                                   (default: all), protection (minutes: see
                                   protection.py)

Every figure is the median of five runs; contestants take turns, so that a
machine that slows down slows all of them.  Decisions are counted by CPU time
(Redis: the server's), so that neighbours on a shared machine do not count;
the wall clock's rate stands beside it.  Prints a table, and writes
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

from doors import bench_doors
from journal import bench_journal
from signer import bench_signer

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

    def cpu_s(self):
        info = run(["redis-cli", "-s", self.socket, "info", "cpu"]).decode()
        figures = dict(line.split(":") for line in info.split() if ":" in line)
        return (float(figures["used_cpu_user"])
                + float(figures["used_cpu_sys"]))

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "runs": len(samples)}


ENGINE = (("engine 10 k accounts", "10000", "1000000"),
          ("engine 1 M accounts", "1000000", "1000000"),
          ("engine 10 M accounts", "10000000", "2000000"))
REDIS = (("redis lua (hash)", "hash"), ("redis lua (keys)", "keys"))
NODE = (("node (maps)", "maps"), ("node (typed arrays)", "typed"))


def engine_round(build, redis, requests, large):
    """Every contestant once: name -> what it printed."""
    exe = os.path.join(build, "bench/bench_engine")
    policy = os.path.join(ROOT, "etc/default.policy")
    got = {}
    for name, accounts, n in ENGINE:
        got[name] = json.loads(run([exe, "run", policy, accounts, n]))
    for name, variant in REDIS:
        redis.flush()
        before = redis.cpu_s()
        got[name] = json.loads(run([
            os.path.join(build, "bench/bench_redis"), redis.socket,
            os.path.join(HERE, "limits.lua"), variant, requests]))
        got[name]["cpu_ns"] = ((redis.cpu_s() - before) * 1e9
                               / got[name]["requests"])
    for name, variant in NODE:
        got[name] = json.loads(run(["node", os.path.join(HERE, "limits.js"),
                                    variant, large]))
    return got


def outcomes(r):
    return tuple(r.get(k, 0) for k in ("released", "delayed", "waiting",
                                       "held", "stopped", "denied"))


def check_agreement(build, redis, requests):
    """The baselines decide alike, or they are not baselines."""
    seen = set()
    for _, variant in REDIS:
        redis.flush()
        seen.add(outcomes(json.loads(run([
            os.path.join(build, "bench/bench_redis"), redis.socket,
            os.path.join(HERE, "limits.lua"), variant, requests]))))
    for _, variant in NODE:
        seen.add(outcomes(json.loads(run([
            "node", os.path.join(HERE, "limits.js"), variant, requests]))))
    if len(seen) != 1:
        raise SystemExit(f"bench: the baselines disagree: {seen}")


def engine_ratios(med, mixes):
    best_redis = max(med[name] for name, _ in REDIS)
    best_node = max(med[name] for name, _ in NODE)
    ratios = {}
    for name, _, _ in ENGINE:
        ratios[f"{name[:-9]} / redis (aim 100)"] = med[name] / best_redis
        ratios[f"{name[:-9]} / node (aim 25)"] = med[name] / best_node
    ratios["cost at 10 M / at 1 M (aim at most 2)"] = (
        med[ENGINE[1][0]] / med[ENGINE[2][0]])
    for name, r in mixes.items():
        total = sum(outcomes(r))
        ratios[f"% released or delayed, {name}"] = 100 * (
            r["released"] + r.get("delayed", 0) + r.get("waiting", 0)) / total
    ratios["bytes an account (aim at most 256)"] = (
        mixes[ENGINE[0][0]]["bytes_account"])
    return ratios


def bench_engine(build):
    exe = os.path.join(build, "bench/bench_engine")
    names = [c[0] for c in ENGINE + REDIS + NODE]
    cpu, wall = {n: [] for n in names}, {n: [] for n in names}
    mixes = {}
    redis = Redis()
    with tempfile.TemporaryDirectory() as tmp:
        requests = os.path.join(tmp, "requests.bin")
        large = os.path.join(tmp, "large.bin")
        run([exe, "write", requests, "10000", "60000"])
        run([exe, "write", large, "10000", "1000000"])
        check_agreement(build, redis, requests)
        for i in range(RUNS):
            note(f"engine: run {i + 1} of {RUNS}")
            for name, r in engine_round(build, redis, requests,
                                        large).items():
                cpu[name].append(1e9 / r["cpu_ns"])
                wall[name].append(r["decisions_per_second"])
                mixes[name] = r
    redis.close()
    med = {n: statistics.median(v) for n, v in cpu.items()}
    figures = {n: summary(v) for n, v in cpu.items()}
    for n, v in wall.items():
        figures[n]["wall"] = statistics.median(v)
    return figures, engine_ratios(med, mixes)


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
              f"   ({s['min']:,.0f} to {s['max']:,.0f})"
              + (f"   wall {s['wall']:,.0f}" if "wall" in s else ""))
    for label, value in ratios.items():
        print(f"  {label:<52}{value:>12,.2f}")


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    build = sys.argv[1]
    benches = {"engine": bench_engine, "replay": bench_replay,
               "journal": bench_journal, "doors": bench_doors,
               "signer": bench_signer}
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
