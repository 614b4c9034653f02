#!/usr/bin/env python3
"""Personal data: sealed while it is kept, and gone from every file when it is
forgotten, while an engine is using the journal; what is left still verifies.
"""
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import journal_tools as t
from journal_tools import case, run

MARCH = 1772323200000		# 2026-03-01
OLD = ['203.0.113.77', '2001:db8:dead:beef:1234:5678:9abc:def0']
NEW = ['198.51.100.201', '2001:db8:feed:f00d:4321:8765:cba9:fed']
NETWORK = '203.0.112.0/20'
POLICY = 'default allow\nhold "place" when ip new to account ' \
    'and amount >= 5 btc\n'


def lines(first, n, ips):
    """Withdrawals and logins, eight hours apart."""
    for i in range(first, first + n):
        when = MARCH + t.M + i * 8 * t.H
        yield t.at('login', when, account='a', ip=ips[i % 2])
        yield t.ask('w%d' % i, when + t.M, '0.1', ip=ips[i % 2])


def spellings(ip):
    """As bytes, forwards and backwards, alone and mapped; and as text."""
    a = ipaddress.ip_address(ip)
    raw = [a.packed]
    if a.version == 4:
        raw = [b'\0' * 10 + b'\xff\xff' + a.packed, a.packed]
    return ([(r, 'bytes') for r in raw] + [(r[::-1], 'bytes') for r in raw] +
            [(ip.encode(), 'text'), (a.exploded.encode(), 'text')])


def files(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, 'rb') as f:
                yield name, f.read()


def found(folder, needles):
    return ['%s in %s' % (what, name) for name, content in files(folder)
            for needle, what in needles if needle in content]


def secrets_of(old, new):
    """The bytes of keys that the keyring does not hold any more."""
    gone, i = [], 0
    while i < len(old):
        if old[i] != new[i]:
            k = i
            while k < len(old) and k < i + 64 and old[k] != 0:
                k += 1
            if k - i >= 24:
                gone.append(old[i:i + 24])
            i = k + 1
        i += 1
    return gone


class Engine:
    """A `record` that is fed line by line, and so stays alive."""

    def __init__(self, folder, db, policy):
        self.fifo = os.path.join(folder, 'feed.jsonl')
        os.mkfifo(self.fifo)
        self.acks = os.path.join(folder, 'acks')
        self.process = subprocess.Popen(
            [t.PROG, 'record', '--quiet', '--db', db, '--policy', policy,
             '--batch', '1', '--snapshot-every', '40', '--acks', self.acks,
             self.fifo], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        self.feed = open(self.fifo, 'w', encoding='utf-8')

    def send(self, events):
        try:
            for e in events:
                self.feed.write(json.dumps(e) + '\n')
            self.feed.flush()
        except BrokenPipeError:
            raise SystemExit('not ok an engine runs: %s' %
                             self.process.stderr.read())

    def settled(self, folder, name):
        """Wait until a file whose name ends so is there."""
        for _ in range(600):
            if any(f.endswith(name) for f in os.listdir(folder)):
                return True
            time.sleep(0.05)
        return False

    def stop(self):
        self.feed.close()
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


def exported(db):
    run('export', '--quiet', '--db', db, '-o', db + '.jsonl', status=None)
    with open(db + '.jsonl', encoding='utf-8') as f:
        text = f.read()
    os.unlink(db + '.jsonl')
    return text


def copy(db, to, keys):
    shutil.copy(db, to)
    shutil.copy(keys, to + '.keys')
    return to


def main():
    outer = tempfile.mkdtemp(prefix='forget-')
    folder = os.path.join(outer, 'data')
    os.mkdir(folder)
    db = os.path.join(folder, 'journal.db')
    policy = t.policy(os.path.join(outer, 'a.policy'), POLICY)
    needles = [n for ip in OLD for n in spellings(ip)] + [
        (NETWORK.encode(), 'network')]

    engine = Engine(outer, db, policy)
    engine.send(t.head('ab') + [
        {'type': 'key', 't': MARCH, 'account': 'b', 'key': 'k1',
         'withdraw': True, 'ips': [NETWORK]},
        {'type': 'key', 't': MARCH + 1, 'account': 'b', 'key': 'k1',
         'withdraw': True, 'ips': ['192.0.2.0/24']}])
    engine.send(lines(0, 80, OLD))
    engine.send(lines(200, 60, NEW))
    # The reader may wait for a whole block; it has one.
    engine.send(lines(260, 400, NEW))
    case('an engine is writing', ['no snapshot'] * (
        not engine.settled(db + '.snapshots', '.snapshot')
        if os.path.isdir(db + '.snapshots') or
        engine.settled(folder, '.snapshots') else 1))
    time.sleep(1)
    case('what is kept is sealed, log and snapshots included',
         found(folder, needles))
    keys = os.path.join(outer, 'keys')
    shutil.copy(db + '.keys', keys)

    r = run('forget', '--yes', '--db', db, '--before', '2026-04-15',
            '--as', 'alice', '--reason', 'a test', status=None)
    case('forgotten beside a running engine', [r.stderr] * (
        r.returncode != 0))
    with open(keys, 'rb') as f, open(db + '.keys', 'rb') as g:
        gone = secrets_of(f.read(), g.read())
    case('keys were destroyed', ['%d' % len(gone)] * (len(gone) == 0))
    case('the data and its keys are in no file',
         found(folder, needles + [(k, 'a key') for k in gone]))
    status, said = engine.stop()
    case('the engine went on', [said] * (status != 0))
    case('nor after it stopped',
         found(folder, needles + [(k, 'a key') for k in gone]))
    r = json.loads(run('audit', 'verify', '--json', '--db', db).stdout)
    case('the chain verifies', ['%s' % r['wrong']] * (not r['whole']) +
         ['no row is forgotten'] * (r['destroyed_rows'] == 0))
    text = exported(db)
    case('what was later is there, what was before is not',
         [ip for ip in OLD if ip in text] +
         ['no ' + ip for ip in NEW if ip not in text])
    old = exported(copy(db, os.path.join(outer, 'old.db'), keys))
    case('who kept the key can still read: it was the key that went',
         ['no ' + ip for ip in OLD if ip not in old])
    r = run('forget', '--yes', '--db', db, '--before', '2030-01-01',
            status=None)
    case('the month in use is never forgotten',
         [exported(db)[-200:]] * any(ip not in exported(db) for ip in NEW))
    run('record', '--quiet', '--db', db, '--policy', policy,
        t.scenario(os.path.join(outer, 'more.jsonl'),
                   list(lines(900, 5, NEW))))
    case('and it starts again', [])
    shutil.rmtree(outer)
    return 1 if t.failed else 0


if __name__ == '__main__':
    sys.exit(main())
