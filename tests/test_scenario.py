#!/usr/bin/env python3
"""Scenario files that are bad: `drawbridge replay` names file, line and key.

scenario/bad/N.jsonl   replay says N.err, says nothing else, exits 1 and
                       leaves no decisions file behind

With --write the golden files are made anew; read them before you commit.
"""
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
FOLDER = os.path.join(ROOT, 'tests', 'scenario')


def replay(name, decisions):
    r = subprocess.run(
        [PROG, 'replay', '--policy', 'kyc.policy', '--decisions', decisions,
         os.path.join('bad', name)],
        cwd=FOLDER, timeout=60, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False)
    return r.returncode, r.stdout, r.stderr


def problem(name, folder, write):
    golden = os.path.join(FOLDER, 'bad', name[:-len('.jsonl')] + '.err')
    status, out, err = replay(name, os.path.join(folder, 'd.jsonl'))
    if status != 1:
        return 'exit status %d' % status
    if out:
        return 'something on standard output'
    if os.listdir(folder):
        return 'left behind: ' + ' '.join(os.listdir(folder))
    if write:
        with open(golden, 'wb') as f:
            f.write(err)
    with open(golden, 'rb') as f:
        want = f.read()
    if err != want:
        return 'want %r, got %r' % (want, err)
    return None


def main():
    failed = 0
    names = sorted(os.path.basename(p) for p in
                   glob.glob(os.path.join(FOLDER, 'bad', '*.jsonl')))
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            why = problem(name, folder, '--write' in sys.argv)
        failed += why is not None
        print('%s scenario/bad/%s%s' % ('ok' if why is None else 'not ok',
                                        name[:-len('.jsonl')],
                                        '' if why is None else ': ' + why),
              flush=True)
    return failed != 0 or len(names) < 40


if __name__ == '__main__':
    sys.exit(main())
