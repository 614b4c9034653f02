#!/usr/bin/env python3
"""`drawbridge backup` and `restore`: what comes back is what was there, it is
stopped, and nothing half-done is ever taken for whole.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from journal_tools import (BUILD, D, H, M, PROG, ask, at, case, head, log,
                           policy, record, run, scenario, sentence)
import journal_tools

T0 = 1557187200000      # 2019-05-07 00:00 UTC
BIG = 'default allow\nhold "big" when amount > 5 btc\n'


def start(folder, n=20):
    """A journal with keys, something held, and its head."""
    db = os.path.join(folder, 'j.db')
    lines = head()
    lines.insert(4, at('key', 2, account='a', key='k1', withdraw=True,
                       ips=['192.0.2.0/24']))
    lines += [ask('w%d' % i, T0 + i * M, '1', account='abm'[i % 3],
                  ip='192.0.2.%d' % (i + 1)) for i in range(n)]
    lines += [ask('big', T0 + n * M, '7', account='b')]
    p = policy(os.path.join(folder, 'p'), BIG)
    record(db, p, scenario(os.path.join(folder, 's'), lines))
    return db, p


def digest(db):
    return json.loads(run('audit', 'verify', '--db', db, '--json', '--quiet')
                      .stdout)


def rows(db):
    return [(e['seq'], e['type'], e['t']) for e in log(db)]


def whole(folder):
    db, p = start(folder)
    before = rows(db)
    b = os.path.join(folder, 'b')
    r = json.loads(run('backup', '--db', db, '--json', '--quiet', b).stdout)
    case('a backup says how far it goes', [r] if r['last_event'] !=
         before[-1][0] or not r['snapshot'] or r['t'] != before[-1][2]
         else [])
    case('the journal is as before', [] if rows(db) == before and
         not [f for f in os.listdir(folder) if f.startswith('j.db-')]
         else os.listdir(folder))
    names = sorted(os.path.relpath(os.path.join(d, f), b)
                   for d, _, fs in os.walk(b) for f in fs)
    case('it holds what it needs and no more', [] if len(names) == 4 and
         names[:2] == ['journal.db', 'journal.db.keys'] else names)
    modes = [oct(os.stat(os.path.join(d, f)).st_mode & 0o7)
             for d, _, fs in os.walk(b) for f in fs]
    case('nobody else can read it', [] if set(modes) == {'0o0'} else modes)
    head_file = os.path.join(folder, 'head')
    journal_tools.write(head_file, r['head'] + '\n')
    run('audit', 'verify', '--db', db, '--head', head_file, '--quiet')
    new = os.path.join(folder, 'new.db')
    r = json.loads(run('restore', '--db', new, '--as', 'alice', '--reason',
                       'disk died', '--json', '--quiet', b).stdout)
    case('a restore says what it did', [r] if r['halted'] is not True or
         r['restored_event'] != before[-1][0] + 1 or
         r['lost_events'] is not None else [])
    after = log(new)
    case('every event is there, and one more', [] if
         [(e['seq'], e['type'], e['t']) for e in after[:-1]] == before and
         after[-1]['type'] == 'restored' and after[-1]['by'] == 'alice' and
         after[-1]['reason'] == 'disk died' else after[-2:])
    case('it verifies, decisions too', [] if run(
        'audit', 'verify', '--db', new, '--decisions', '--quiet', status=None
        ).returncode == 0 else ['does not'])
    run('audit', 'verify', '--db', new, '--head', head_file, '--quiet')
    left = [f for f in os.listdir(folder) if 'restoring' in f or '.tmp' in f]
    case('nothing is left of the work', left)
    stopped(folder, new, p)


def decision(db, name):
    return [e for e in log(db) if e['type'] == 'withdraw' and
            e['id'] == name][-1]


def stopped(folder, db, p):
    """What the restored journal does with what comes."""
    t = T0 + 10 * D
    record(db, p, scenario(os.path.join(folder, 's2'), [
        at('scenario', 0, version=1),
        ask('n1', t, '1'),
        ask('n2', t + M, '1', via='api', key='k1', ip='192.0.2.1'),
        ask('w3', t + 2 * M, '1', account='a', ip='192.0.2.4'),
    ]))
    came = {n: json.dumps(decision(db, n)) for n in ('n1', 'n2', 'w3')}
    case('what is asked for after a restore waits', [] if 'stopped' in
         came['n1'] else [came['n1']])
    case('a key of before may not withdraw', [] if 'builtin:key' in
         came['n2'] and 'denied' in came['n2'] else [came['n2']])
    case('the same withdrawal again is the same: nothing twice', [] if
         'repeated' in came['w3'] and '"released"' in came['w3'] else
         [came['w3']])
    record(db, p, scenario(os.path.join(folder, 's3'), [
        at('scenario', 0, version=1),
        at('key', t + H, account='a', key='k1', withdraw=True, ips=[]),
        at('resume', t + 2 * H, by='alice'),
        ask('n3', t + 3 * H, '1', via='api', key='k1'),
    ]))
    n3 = json.dumps(decision(db, 'n3'))
    case('after a key is given anew and a resume it goes on', [] if
         '"released"' in n3 else [n3])
    case('and it verifies', [] if run('audit', 'verify', '--db', db,
         '--decisions', '--quiet', status=None).returncode == 0
         else ['does not'])


def lost(folder):
    """A head newer than the backup says how much is gone."""
    db, p = start(folder)
    b = os.path.join(folder, 'b')
    old = json.loads(run('backup', '--db', db, '--json', '--quiet', b).stdout)
    record(db, p, scenario(os.path.join(folder, 's2'), [
        at('scenario', 0, version=1)] + [
        ask('x%d' % i, T0 + D + i * M, '1') for i in range(7)]))
    newer = run('audit', 'head', '--db', db).stdout
    head_file = journal_tools.write(os.path.join(folder, 'h'), newer)
    new = os.path.join(folder, 'new.db')
    text = run('restore', '--db', new, '--head', head_file, '--quiet',
               b).stdout
    case('--head says how many events are lost', [] if 'LOST: 7 events' in
         text else [text])
    old_file = journal_tools.write(os.path.join(folder, 'o'),
                                   old['head'] + '\n')
    r = json.loads(run('restore', '--db', os.path.join(folder, 'n2.db'),
                       '--head', old_file, '--json', '--quiet', b).stdout)
    case('--head of the backup itself: nothing is lost', [] if
         r['lost_events'] == 0 else [r])
    # A head of another deployment, and one whose history went elsewhere.
    os.mkdir(os.path.join(folder, 'other'))
    other, _ = start(os.path.join(folder, 'other'))
    foreign = journal_tools.write(os.path.join(folder, 'f'), run(
        'audit', 'head', '--db', other).stdout)
    sentence('a head of another deployment is refused', run(
        'restore', '--db', os.path.join(folder, 'n3.db'), '--head', foreign,
        '--quiet', b, status=None), 'another deployment')
    record(new, p, scenario(os.path.join(folder, 's3'), [
        at('scenario', 0, version=1)] + [
        ask('y%d' % i, T0 + 2 * D + i * M, '1') for i in range(9)]))
    b2 = os.path.join(folder, 'b2')
    run('backup', '--db', new, '--quiet', b2)
    sentence('a head that the backup contradicts is refused', run(
        'restore', '--db', os.path.join(folder, 'n4.db'), '--head',
        head_file, '--quiet', b2, status=None), 'not the one that was signed')
    case('and nothing was made', [f for f in os.listdir(folder) if
                                  f.startswith(('n3', 'n4'))])


def damaged(folder):
    """A bit anywhere in any file of a backup is found."""
    db, _ = start(folder, 4)
    b = os.path.join(folder, 'b')
    run('backup', '--db', db, '--quiet', b)
    files = [os.path.join(d, f) for d, _, fs in os.walk(b) for f in fs]
    wrong = []
    for path in files:
        with open(path, 'rb') as f:
            good = f.read()
        for where in (0, len(good) // 3, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[where] ^= 4
            with open(path, 'wb') as f:
                f.write(bad)
            r = run('restore', '--db', os.path.join(folder, 'n.db'),
                    '--quiet', b, status=None)
            if r.returncode != 1 or r.stderr.count('\n') != 1:
                wrong.append('%s at %d: %d %s' % (path, where, r.returncode,
                                                  r.stderr))
        for cut in (good[:-1], b'', good + b'x'):
            with open(path, 'wb') as f:
                f.write(cut)
            r = run('restore', '--db', os.path.join(folder, 'n.db'),
                    '--quiet', b, status=None)
            if r.returncode != 1:
                wrong.append('%s cut to %d' % (path, len(cut)))
        with open(path, 'wb') as f:
            f.write(good)
        os.rename(path, path + '.away')
        r = run('restore', '--db', os.path.join(folder, 'n.db'), '--quiet',
                b, status=None)
        if r.returncode != 1:
            wrong.append(path + ' missing')
        os.rename(path + '.away', path)
    wrong += [f for f in os.listdir(folder) if f.startswith('n.db')]
    case('a backup that was changed is not restored', wrong)
    run('restore', '--db', os.path.join(folder, 'n.db'), '--quiet', b)
    # The manifest may name nothing outside.
    with open(os.path.join(b, 'manifest'), encoding='utf-8') as f:
        text = f.read()
    journal_tools.write(os.path.join(b, 'manifest'),
                        text.replace('journal.db.keys', '../j.db.keys'))
    sentence('a manifest that points outside is refused', run(
        'restore', '--db', os.path.join(folder, 'm.db'), '--quiet', b,
        status=None), 'manifest')


def refused(folder):
    db, _ = start(folder, 4)
    b = os.path.join(folder, 'b')
    run('backup', '--db', db, '--quiet', b + '/')
    sentence('a backup is not put over another', run(
        'backup', '--db', db, '--quiet', b, status=None), 'there already')
    sentence('a restore is not put over a journal', run(
        'restore', '--db', db, '--quiet', b, status=None), 'there already')
    sentence('a folder that is no backup', run(
        'restore', '--db', os.path.join(folder, 'n.db'), '--quiet', folder,
        status=None), 'no complete backup')
    sentence('no such journal', run(
        'backup', '--db', db + 'x', '--quiet', b + '2', status=None), 'j.dbx')
    sentence('a folder that is not there', run(
        'backup', '--db', db, '--quiet', os.path.join(folder, 'no', 'b'),
        status=None), 'No such file')
    keys = os.path.join(folder, 'k.db.keys')
    shutil.copy(db + '.keys', keys)
    sentence('a keyring without its journal is not overwritten', run(
        'restore', '--db', os.path.join(folder, 'k.db'), '--quiet', b,
        status=None), 'k.db.keys')
    run('restore', b, status=2)
    run('backup', status=2)


def strace():
    return shutil.which('strace')


def crashes(folder):
    """Killed at every step, then run again."""
    if not strace():
        print('ok restore survives being killed # SKIP no strace')
        return
    db, p = start(folder, 4)
    b = os.path.join(folder, 'b')
    run('backup', '--db', db, '--quiet', b)
    want = rows(db)
    wrong, kills, n = [], 0, 1
    for call in ('fsync', 'fdatasync', 'renameat2', 'unlink'):
        for n in range(1, 40):
            new = os.path.join(folder, 'n-%s-%d.db' % (call, n))
            r = subprocess.run(
                ['strace', '-f', '-o', '/dev/null', '-e', 'trace=' + call,
                 '-e', 'inject=%s:signal=KILL:when=%d' % (call, n), PROG,
                 'restore', '--db', new, '--quiet', b],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            if r.returncode == 0:
                break
            kills += 1
            there = os.path.exists(new)
            if there and [x for x in rows(new)][:-1] != want:
                wrong.append('%s %d: a half restored one' % (call, n))
            if there and not os.path.exists(new + '.restoring'):
                continue
            r = run('restore', '--db', new, '--quiet', b, status=None)
            if r.returncode != 0 or rows(new)[:-1] != want:
                wrong.append('%s %d: again: %s' % (call, n, r.stderr))
            left = [f for f in os.listdir(folder) if 'restoring' in f]
            if left:
                wrong.append('%s %d: left %s' % (call, n, left))
                shutil.rmtree(os.path.join(folder, left[0]))
    case('restore survives being killed (%d times)' % kills, wrong +
         ['only %d kills' % kills] * (kills < 10))
    wrong, kills = [], 0
    for call in ('fsync', 'fdatasync', 'renameat2'):
        for n in range(1, 40):
            b2 = os.path.join(folder, 'b-%s-%d' % (call, n))
            r = subprocess.run(
                ['strace', '-f', '-o', '/dev/null', '-e', 'trace=' + call,
                 '-e', 'inject=%s:signal=KILL:when=%d' % (call, n), PROG,
                 'backup', '--db', db, '--quiet', b2],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            if r.returncode == 0:
                break
            kills += 1
            if os.path.exists(b2) and not os.path.exists(
                    os.path.join(b2, 'manifest')):
                wrong.append('%s %d: half a backup' % (call, n))
            if not os.path.exists(b2):
                run('backup', '--db', db, '--quiet', b2)
    case('backup survives being killed (%d times)' % kills, wrong +
         ['only %d kills' % kills] * (kills < 5))
    case('and disturbed nothing', [] if rows(db) == want else ['changed'])


def running(folder):
    """While an engine writes."""
    program = os.path.join(BUILD, 'engine', 'journal_run')
    if not os.path.exists(program):
        print('ok backup beside an engine # SKIP no journal_run')
        return
    db = os.path.join(folder, 'live.db')
    p = os.path.join(journal_tools.ROOT, 'etc', 'default.policy')
    engine = subprocess.Popen([program, db, p, '400000', '5', '20000'],
                              stdout=subprocess.PIPE, text=True)
    acked = 0
    while acked < 20:
        word, n = engine.stdout.readline().split()[:2]
        acked = int(n) if word == 'ack' else acked
    wrong, last = [], 0
    drain = subprocess.Popen(['cat'], stdin=engine.stdout,
                             stdout=subprocess.DEVNULL)
    for i in range(3):
        b = os.path.join(folder, 'b%d' % i)
        r = json.loads(run('backup', '--db', db, '--json', '--quiet', b)
                       .stdout)
        if engine.poll() is not None:
            wrong.append('the engine ended too early')
        if r['last_event'] < last or r['last_event'] < acked:
            wrong.append('ends at %d' % r['last_event'])
        last = r['last_event']
        time.sleep(0.2)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    drain.wait()
    new = os.path.join(folder, 'new.db')
    run('restore', '--db', new, '--quiet', os.path.join(folder, 'b2'))
    r = run('audit', 'verify', '--db', new, '--decisions', '--quiet',
            status=None)
    wrong += [r.stderr] if r.returncode != 0 else []
    case('backups beside an engine are whole', wrong)


def main():
    for test in (whole, lost, damaged, refused, crashes, running):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    return 1 if journal_tools.failed else 0


if __name__ == '__main__':
    sys.exit(main())
