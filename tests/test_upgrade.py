#!/usr/bin/env python3
"""Another version of the program, which decides otherwise, on a journal that
is there: it says so beforehand, starts, goes on, and judges nothing again.
"""
import json
import os
import shutil
import sys
import tempfile
import time

import journal_tools as t
from journal_tools import case, run

NEXT = os.path.join(t.BUILD, 'tests', 'drawbridge-next')
POLICY = '''default allow
delay 6h "much" when amount >= 1 btc
hold "big" when amount >= 3 btc
'''


def lines(n):
    """Every third one waits six hours; they come twice an hour."""
    return t.head(hot='1000') + [
        t.ask('w%d' % i, t.D + i * 30 * t.M, ('0.1', '0.2', '1.5')[i % 3],
              'abm'[i % 3]) for i in range(n)]


def copy(db, to):
    shutil.copy(db, to)
    shutil.copy(db + '.keys', to + '.keys')
    return to


def record(db, policy, path, **more):
    return run('record', '--db', db, '--policy', policy, '--batch', '3',
               '--quiet', path, **more)


def verify(name, db, prog, followed):
    """`followed`: are there events that this version did not judge?"""
    r = json.loads(run('audit', 'verify', '--decisions', '--json', '--db', db,
                       prog=prog).stdout)
    d = r['decisions'] or {}
    case(name, ['not whole: %s' % r['wrong']] * (not r['whole']) +
         ['%s' % d] * ((d.get('followed', 0) > 0) != followed))


def before(db):
    r = run('upgrade', 'check', NEXT, '--db', db, '--json')
    d = json.loads(r.stdout)
    case('what the next version would decide otherwise is told before',
         ['no difference: %s' % r.stdout] * (not d.get('differences')))
    r = run('upgrade', 'check', t.PROG, '--db', db, '--json')
    t.sentence('another program', run('upgrade', 'check', '/bin/true', '--db',
                                      db, status=None), 'is it a drawbridge')
    t.sentence('no journal', run('upgrade', 'check', NEXT, '--db', db + '.no',
                                 status=None), 'no such database')
    case('the same version decides the same',
         ['%s' % r.stdout] * (json.loads(r.stdout)['differences'] != 0))


def waits(db, name):
    """How long it was told to wait, in hours."""
    asked = [e for e in t.log(db) if e.get('id') == name]
    return asked[0]['came']['delay_ms'] // t.H


def goes_on(name, db, policy, longer, prog):
    record(db, policy, longer, prog=prog)
    kinds = [waits(db, 'w11'), waits(db, 'w101')]
    case(name, ['%s' % kinds] * (kinds != [6, 12]))


def forgotten(folder):
    """What is forgotten makes no version look as if it decided otherwise."""
    db = os.path.join(folder, 'forgotten.db')
    policy = t.policy(os.path.join(folder, 'f.policy'), POLICY +
                      'delay 1h "elsewhere" when ip new to account\n')
    path = os.path.join(folder, 'f.jsonl')
    t.scenario(path, t.head(hot='1000') + [
        t.ask('f%d' % i, t.D + i * 6 * t.H, '0.1', 'abm'[i % 3],
              ip='192.0.2.%d' % (i % 3 + 1)) for i in range(240)])
    record(db, policy, path)
    day = json.loads(run('audit', 'log', '--db', db, '--from', '200',
                         '--until', '200', '--json').stdout)['t']
    day = time.strftime('%Y-%m-01', time.gmtime(day / 1000))
    run('forget', '--db', db, '--before', day, '--yes', '--quiet')
    r = run('upgrade', 'check', t.PROG, '--db', db, '--json')
    d = json.loads(r.stdout)
    case('after a forget the same version is not said to decide otherwise',
         ['nothing is forgotten, or nothing follows from it: %s' % d] * (
             not d['followed'] or not d['unsure']) +
         ['%s' % d] * (d['differences'] != d['unsure']))
    r = run('upgrade', 'check', t.PROG, '--db', db)
    case('and says why', ['%s' % r.stdout] * (
        'may be due to what is forgotten' not in r.stdout or
        'Do not install' in r.stdout))


def main():
    folder = tempfile.mkdtemp(prefix='upgrade-')
    db = os.path.join(folder, 'journal.db')
    policy = t.policy(os.path.join(folder, 'a.policy'), POLICY)
    path = os.path.join(folder, 'a.jsonl')
    t.scenario(path, lines(100))
    record(db, policy, path)
    before(db)
    bare = copy(db, os.path.join(folder, 'bare.db'))

    t.scenario(path, lines(160))
    goes_on('from a snapshot the next version goes on as it decides', db,
            policy, path, NEXT)
    verify('the whole is true to it', db, NEXT, True)
    t.scenario(path, lines(200))
    record(db, policy, path, prog=NEXT)
    case('and it starts again', [])

    t.scenario(path, lines(160))
    goes_on('without one it believes what was recorded, and goes on', bare,
            policy, path, NEXT)
    case('and writes a snapshot', ['none'] * (
        not os.listdir(bare + '.snapshots')))
    t.scenario(path, lines(200))
    record(bare, policy, path, prog=NEXT)
    verify('from then on it judges what it decided itself', bare, NEXT, True)
    run('audit', 'verify', '--quiet', '--db', bare)
    forgotten(folder)
    shutil.rmtree(folder)
    return 1 if t.failed else 0


if __name__ == '__main__':
    sys.exit(main())
