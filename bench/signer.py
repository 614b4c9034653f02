"""The signer's core beside the bare curve and bitcoinjs-lib:
`make bench NAME=signer`.

A request is one SIGN_PAY frame: a PSBT of 100 inputs (wpkh with the
transactions that made them, tr with what Core says of them), 10 payments with
their receipts, and change.  From frame to frame: reading, every check, the
journal's record, signing, verifying each signature, writing.  Inputs a second
are counted by CPU time, without what fdatasync() takes; the wall clock's rate
has it in.

 bare        libsecp256k1 alone, in the same process and turn: the same hashes,
             keys and number of signings, and it must come to the same
             signatures.  ECDSA: with low R, as we and Bitcoin Core sign (two
             signings on average), and with the first R.  Schnorr: from the
             secret (the key pair is made), and with key pairs at hand
 bitcoinjs   bitcoinjs-lib reads, signs, validates and writes the same PSBTs,
             without policy, receipts, journal or low R; warm
             addon: secp256k1, libsecp256k1 compiled for Node (has no Schnorr)
             wasm: tiny-secp256k1, which it recommends
             hd: as addon, keys derived from the seed as the PSBT says

Also: coins at addresses that were never used (the look-ahead moves with them)
and beyond the table of scripts; what memory.c takes; how long a start takes.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

RUNS = 5
REQUESTS = 30           # of 100 inputs, a run
JS_REQUESTS, JS_WARM = 20, 30
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = {"wpkh": ("wpkh", "near", 10), "tr": ("tr", "near", 10),
        "wpkh, 1 payment": ("wpkh", "near", 1),
        "tr, 1 payment": ("tr", "near", 1),
        "wpkh, new addresses": ("wpkh", "fresh", 10),
        "tr, new addresses": ("tr", "fresh", 10),
        "wpkh, beyond the table": ("wpkh", "far", 10),
        "tr, beyond the table": ("tr", "far", 10)}
BARE = {"wpkh": ("bare, low R", "bare, first R"),
        "tr": ("bare, from the secret", "bare, key pairs at hand")}
JS = {"wpkh, addon": ("wpkh", "addon"), "wpkh, wasm": ("wpkh", "wasm"),
      "wpkh, hd": ("wpkh", "hd"), "tr, wasm": ("tr", "wasm")}
# Withdrawals, of them in a transaction.
MEMORY = ((1000000, 1), (1000000, 10), (10000000, 10))


def note(text):
    print("# " + text, file=sys.stderr, flush=True)


def run(args, **kw):
    out = subprocess.run([str(a) for a in args], check=True,
                         stdout=subprocess.PIPE, **kw).stdout
    return json.loads(out) if out else None


class Folder:
    """A new one for each run, on the disk of the build."""

    def __init__(self, build):
        self.base = os.path.join(build, "bench")

    def __enter__(self):
        os.makedirs(self.base, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="signer-", dir=self.base)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def node_modules(build):
    """A folder of the build with what the lock file names."""
    folder = os.path.join(os.path.abspath(build), "bench", "bitcoinjs")
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json", "sign.mjs"):
        shutil.copy(os.path.join(ROOT, "bench/bitcoinjs", name), folder)
    if not os.path.exists(os.path.join(folder, "node_modules/bip32")):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund",
                        "--ignore-scripts"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
    return folder


def one_round(exe, build, psbts, modules):
    got = {}
    for name, how in OURS.items():
        with Folder(build) as folder:
            got[name] = run([exe, "pay", folder, how[0], how[1], how[2],
                             REQUESTS])
    for name, (wallet, curve) in JS.items():
        got["bitcoinjs " + name] = run(
            ["node", "sign.mjs", curve, psbts[wallet], JS_REQUESTS, JS_WARM],
            cwd=modules)
    for each in (1, 10):
        with Folder(build) as folder:
            got["start", each] = run([exe, "start", folder, 1000000, each])
    return got


def rates(runs):
    """Inputs a second of everybody."""
    def of(samples, wall=None):
        s = [1e9 / x for x in samples]
        out = {"median": statistics.median(s), "min": min(s), "max": max(s),
               "runs": len(s)}
        if wall:
            out["wall"] = 1e9 / statistics.median(wall)
        return out

    figures = {}
    for name in list(OURS) + ["bitcoinjs " + n for n in JS]:
        figures[name] = of([r[name]["cpu_ns"] for r in runs],
                           [r[name]["wall_ns"] for r in runs])
    for wallet, names in BARE.items():
        for name, key in zip(names, ("bare_full_ns", "bare_once_ns")):
            figures[f"{wallet}, {name}"] = of(
                [r[wallet][key] for r in runs])
    return figures


def beside_the_curve(runs, ratios):
    """Within a process both had the same machine: the ratio of each run."""
    for name, (wallet, place, _) in OURS.items():
        for label, key in zip(BARE[wallet], ("bare_full_ns", "bare_once_ns")):
            if place == "near":
                ratios[f"{name} / {label} (aim 0.85)"] = statistics.median(
                    r[name][key] / r[name]["cpu_ns"] for r in runs)


def bench_signer(build):
    exe = os.path.join(os.path.abspath(build), "bench/bench_signer")
    modules = node_modules(build)
    runs, ratios = [], {}
    with Folder(build) as folder:
        psbts = {}
        for wallet in BARE:
            psbts[wallet] = os.path.join(os.path.abspath(folder), wallet)
            os.makedirs(psbts[wallet])
            run([exe, "write", psbts[wallet], wallet, 10, JS_REQUESTS])
        for i in range(RUNS):
            note(f"signer: run {i + 1} of {RUNS}")
            runs.append(one_round(exe, build, psbts, modules))
    figures = rates(runs)
    beside_the_curve(runs, ratios)
    for name, (wallet, _) in JS.items():
        ratios[f"{wallet} / bitcoinjs {name} (aim 10)"] = (
            figures[wallet]["median"]
            / figures["bitcoinjs " + name]["median"])
    for name in OURS:
        ratios[f"us an input: {name}"] = statistics.median(
            r[name]["cpu_ns"] / 1000 for r in runs)
    ratios["us of the disk an input: wpkh"] = statistics.median(
        r["wpkh"]["sync_ns"] / 1000 for r in runs)
    ratios["signings an input, wpkh"] = statistics.median(
        r["wpkh"]["signings"] for r in runs)
    for each in (1, 10):
        ratios[f"s to unlock, 1 M withdrawals, {each} a transaction"] = (
            statistics.median(r["start", each]["start_s"] for r in runs))
    for n, each in MEMORY:
        note(f"signer: memory of {n} withdrawals")
        r = run([exe, "memory", n, each])
        ratios[f"bytes each of {n // 1000000} M, {each} a transaction"] = (
            r["resident_bytes"])
    return figures, ratios
