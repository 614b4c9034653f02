#!/usr/bin/env python3
"""`drawbridge simulate` from outside: the same arguments give the same file,
mistakes are named and leave nothing behind, the lists are complete, and the
theft of May 2019 is what its tool makes of the facts.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
FAILED = 0


def report(name, problem):
    global FAILED
    if problem:
        FAILED = 1
        print('not ok simulate: %s: %s' % (name, problem))
    else:
        print('ok simulate: %s' % name)


def run(*args, program=(PROG, 'simulate')):
    r = subprocess.run([*program, *args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, check=False, timeout=300)
    return r.returncode, r.stdout, r.stderr.decode()


def digest(*args):
    status, out, err = run(*args, '-o', '-')
    assert status == 0, err
    return hashlib.sha256(out).hexdigest()


def same_bytes():
    args = ['--seed', '9', '--accounts', '300', '--attack', 'mixture',
            '--owners', '50%']
    one = digest(*args)
    if digest(*args) != one:
        return 'two runs differ'
    if digest(*args, '--set', 'seed=10') == one:
        return 'another seed gives the same'
    if digest(*args, '--attack', 'none') == one:
        return 'without an attack it is the same'
    return None


MISTAKES = [
    (['--preset', 'huge', '-o', '-'], 2, '--preset: small, medium or large'),
    (['--attack', 'x', '-o', '-'], 2, 'no attack `x`; --list shows them'),
    (['--seed', 'x', '-o', '-'], 2, '--seed: seed: `x` is not an integer'),
    (['--days', '0', '-o', '-'], 2, '--days: days may be 1 to 3650'),
    (['--owners', '101%', '-o', '-'], 2, '--owners: a percentage, 0 to 100'),
    (['--start', '2019-02-30', '-o', '-'], 2, '--start: a date like'),
    (['--network', 'x', '-o', '-'], 2, '--network: main, test, signet'),
    (['--set', 'x=1', '-o', '-'], 2, 'no parameter `x`; see --params'),
    (['--set', 'minimum_sat=0.000000001btc', '-o', '-'], 2, '9 decimals'),
    (['--set', 'dormant_ppm=900000', '-o', '-'], 2, 'add up to more'),
    (['--set', 'start_ms=0', '-o', '-'], 2, 'before 1970'),
    ([], 2, 'usage: drawbridge simulate'),
    (['-o', '/nonexistent/file'], 1, '/nonexistent/file'),
]


def mistakes():
    for args, want, words in MISTAKES:
        status, out, err = run(*args)
        if status != want or out or words not in err:
            return '%s: status %d, %r' % (' '.join(args), status, err)
    return None


def lists():
    status, out, _ = run('--list')
    names = [line.split()[0] for line in out.decode().splitlines()]
    if status or len(names) < 24 or len(set(names)) != len(names):
        return '--list: %d kinds' % len(names)
    status, out, _ = run('--list', '--json')
    if [k['name'] for k in json.loads(out)] != names:
        return '--list --json has others'
    status, out, _ = run('--params', '--json', '--set', 'bot_ppm=7')
    params = {p['name']: p['value'] for p in json.loads(out)}
    if params.get('bot_ppm') != 7 or params.get('accounts') != 10000:
        return '--params: %r' % params
    return None


def nothing_left():
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, 'a.jsonl')
        status, _, err = run('--accounts', '50', '--days', '2', '-o', name)
        if status or os.listdir(folder) != ['a.jsonl']:
            return '%d %s %s' % (status, err, os.listdir(folder))
        status, out, err = run(name, program=(sys.executable, os.path.join(
            ROOT, 'tools', 'scenario-stats')))
        if status:
            return 'scenario-stats: ' + out.decode()[-300:] + err
    return None


def binance():
    shipped = os.path.join(ROOT, 'etc', 'scenarios', 'binance-2019.jsonl')
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, 'b.jsonl')
        status, _, err = run('--drawbridge', PROG, '-o', name, program=(
            sys.executable, os.path.join(ROOT, 'tools',
                                         'make-binance-2019')))
        if status:
            return err
        with open(name, 'rb') as a, open(shipped, 'rb') as b:
            if a.read() != b.read():
                return 'not what tools/make-binance-2019 makes'
    if os.path.getsize(shipped) > 20e6:
        return 'larger than 20 MB'
    return None


def main():
    report('the same arguments, the same bytes', same_bytes())
    report('mistakes are named', mistakes())
    report('lists', lists())
    report('the file and nothing else', nothing_left())
    report('binance-2019.jsonl', binance())
    sys.exit(FAILED)


if __name__ == '__main__':
    main()
