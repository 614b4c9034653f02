"""What durability costs: `make bench NAME=journal [EVENTS=N]`.

 append   rows of 1, 100 and 1,000 events, each durable before the next:
          db_append() beside write() + fdatasync() of the same bytes to a
          growing file
 decide   withdrawals through the engine and its journal, 100 a commit
 read     audit verify, and starts with and without a snapshot, on a journal
          of EVENTS events (2 million unless given)

The contestants take turns; every figure is the median of five runs, those of
reading too.  Everything lies under BUILD, on the disk that it is on.
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
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Events, bytes of such a row, rows of a run.
BATCHES = ((1, 190, 2000), (100, 7900, 3000), (1000, 78000, 600))


def run(args):
    out = subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)


def note(text):
    print("# " + text, file=sys.stderr, flush=True)


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "runs": len(samples)}


class Folder:
    """A new one for each run, on the disk of the build."""

    def __init__(self, build):
        self.base = os.path.join(build, "bench")
        os.makedirs(self.base, exist_ok=True)

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="journal-", dir=self.base)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def append_once(exe, build, who, batch):
    _, size, rows = batch
    with Folder(build) as folder:
        return run([exe, "append", who, folder, str(size), str(rows)])


def appends(exe, build, figures, ratios):
    got = {}
    for i in range(RUNS):
        note(f"append: run {i + 1} of {RUNS}")
        for batch in BATCHES:
            for who in ("plain", "sqlite"):
                r = append_once(exe, build, who, batch)
                got.setdefault((batch[0], who), []).append(r)
    for (n, who), runs in got.items():
        figures[f"{who}, {n} a commit, events"] = summary(
            [n * r["rows_per_second"] for r in runs])
    for n, _, _ in BATCHES:
        rate = [statistics.median(r["rows_per_second"] for r in got[n, who])
                for who in ("sqlite", "plain")]
        ratios[f"sqlite / plain, {n} a commit (aim 0.7)"] = rate[0] / rate[1]
    for who in ("sqlite", "plain"):
        ratios[f"{who}, 100 a commit: p99 / median"] = statistics.median(
            r["p99_us"] / r["p50_us"] for r in got[100, who])


def policy_for(folder, accounts):
    path = os.path.join(folder, "bench.policy")
    with open(path, "w", encoding="utf-8") as f:
        f.write('policy 1\ninclude "%s"\nset capacity accounts %d\n' % (
            os.path.join(ROOT, "etc/default.policy"), accounts))
    return path


def decides(exe, build, figures, ratios):
    runs = []
    for i in range(RUNS):
        note(f"decide: run {i + 1} of {RUNS}")
        with Folder(build) as folder:
            runs.append(run([exe, "decide", folder,
                             policy_for(folder, 100000), "10000", "1000000",
                             "100", "120"]))
    figures["durable decisions, 100 a commit"] = summary(
        [r["events_per_second"] for r in runs])
    ratios["durable decisions / 300,000 (aim 1)"] = statistics.median(
        r["events_per_second"] for r in runs) / 300000
    ratios["commit, median in us"] = statistics.median(
        r["p50_us"] for r in runs)
    ratios["commit: p99 / median (aim at most 3)"] = statistics.median(
        r["p99_us"] / r["p50_us"] for r in runs)


def seconds(args):
    start = time.monotonic()
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def reads(exe, build, figures, ratios):
    events = int(os.environ.get("EVENTS") or 2000000)
    accounts = max(10000, events // 100)
    # Sixteen withdrawals an account are remembered; none may be refused.
    room = max(accounts, events // 16 + 1)
    program = os.path.join(build, "drawbridge")
    with Folder(build) as folder:
        note(f"read: making {events:,} events")
        made = run([exe, "decide", folder, policy_for(folder, room),
                    str(accounts), str(events - accounts), "100",
                    str(max(120, events // 80000))])
        path = os.path.join(folder, "journal.db")
        got = {"verify": [], "whole": [], "snapshot": []}
        for i in range(RUNS):
            note(f"read: run {i + 1} of {RUNS}")
            got["verify"].append(made["events"] / seconds(
                [program, "audit", "verify", "--quiet", "--db", path]))
            for key, yes in (("whole", "no"), ("snapshot", "yes")):
                r = run([exe, "start", path, yes])
                got[key].append(r["seconds"])
        size = os.path.getsize(path)
    figures["audit verify, events"] = summary(got["verify"])
    figures["start without a snapshot, events"] = summary(
        [made["events"] / s for s in got["whole"]])
    ratios["audit verify / 2 million (aim 1)"] = statistics.median(
        got["verify"]) / 2e6
    ratios["start from a snapshot, s (aim at most 5)"] = statistics.median(
        got["snapshot"])
    ratios["start without one, s of 100 M (aim at most 60)"] = (
        statistics.median(got["whole"]) * 100e6 / made["events"])
    ratios["bytes an event in the database"] = size / made["events"]
    ratios["events"] = made["events"]


def bench_journal(build):
    exe = os.path.join(build, "bench/bench_journal")
    figures, ratios = {}, {}
    appends(exe, build, figures, ratios)
    decides(exe, build, figures, ratios)
    reads(exe, build, figures, ratios)
    return figures, ratios
