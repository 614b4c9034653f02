#!/usr/bin/env python3
"""Rules that must hold over restarts of the service, by their names.

C7e: the policy in force is the journal's, whatever the file says.
H6: what an operator signed is good once, for one thing.
And payments stop when the engine cannot go on; reading does not.
"""
import os
import signal
import socket
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import EASY, Cases, Service  # noqa: E402

case = Cases()
HOLDS = '''policy 1
default allow
hold "large" when amount > %s btc
'''


def wait_for(what, wait=20):
    end = time.monotonic() + wait
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    return what()


# C7e


def write_policy(s, limit):
    with open(os.path.join(s.dir, 'test.policy'), 'w',
              encoding='utf-8') as f:
        f.write(HOLDS % limit)


def state_of(s, key, amount, order):
    status, answer, _ = s.apply(key, amount, s.address(3),
                                withdrawOrderId=order)
    if status != 200:
        return answer
    return s.ask('withdrawal', 'show', answer['id'])['state']


def restart(s):
    s.stop()
    s.start()


def hang_up(s):
    os.kill(s.process.pid, signal.SIGHUP)


def policy_by(s, key, name, again):
    """`again`: what makes the service look at the file."""
    before = s.ask('status')['policy']
    open_ = s.ask('status')['proposals']
    write_policy(s, '9')
    again(s)
    case('C7e: a file that loosens, at %s: a proposal' % name,
         wait_for(lambda: s.ask('status')['proposals'] == open_ + 1),
         s.ask('status'))
    case('C7e: %s: and not in force' % name,
         s.ask('status')['policy'] == before)
    case('C7e: %s: what it would let go is held' % name,
         state_of(s, key, '1.5', name + '-loose') == 'held',
         state_of(s, key, '1.5', name + '-loose'))
    again(s)
    time.sleep(0.3)
    case('C7e: %s: once more, and it is the same proposal' % name,
         s.ask('status')['proposals'] == open_ + 1)
    write_policy(s, '0.5' if name == 'start' else '0.2')
    again(s)
    case('C7e: a file that tightens, at %s: in force' % name,
         wait_for(lambda: s.ask('status')['policy'] != before))
    amount = '0.7' if name == 'start' else '0.3'
    case('C7e: %s: and holds' % name, state_of(
        s, key, amount, name + '-tight') == 'held')
    waits = [p for p in s.ask('approve', 'list') if p['state'] == 'open']
    s.run('approve', str(waits[-1]['proposal']), '--as', 'bob', '--reason', 'x')
    case('C7e: %s: the older proposal is overtaken' % name,
         state_of(s, key, amount, name + '-still') == 'held')


def policy_file():
    with Service(policy=HOLDS % '1') as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        case('C7e: above its limit it holds',
             state_of(s, key, '1.5', 'first') == 'held')
        policy_by(s, key, 'start', restart)
        policy_by(s, key, 'SIGHUP', hang_up)
        with open(os.path.join(s.dir, 'test.policy'), 'w',
                  encoding='utf-8') as f:
            f.write('policy 1\ndefault allow\nhold when\n')
        before = s.ask('status')['policy']
        hang_up(s)
        time.sleep(0.5)
        case('C7e: half a file changes nothing',
             s.ask('status')['policy'] == before)
        restart(s)
        case('C7e: nor at a start',
             s.ask('status')['policy'] == before and state_of(
                 s, key, '0.3', 'half') == 'held')


# H6


class Relay(threading.Thread):
    """Stands in the local socket's place and keeps what was said."""

    def __init__(self, s):
        super().__init__(daemon=True)
        self.to = os.path.join(s.data, 'drawbridge.sock')
        folder = os.path.join(s.dir, 'relay')
        os.mkdir(folder)
        os.symlink(os.path.join(s.data, 'operators'),
                   os.path.join(folder, 'operators'))
        self.path = os.path.join(folder, 'relay.sock')
        self.said = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen()
        self.start()

    def run(self):
        while True:
            try:
                c, _ = self.server.accept()
            except OSError:
                return
            t = socket.socket(socket.AF_UNIX)
            t.connect(self.to)
            kept = bytearray()
            self.said.append(kept)
            threading.Thread(target=self.pump, args=(c, t, kept),
                             daemon=True).start()
            threading.Thread(target=self.pump, args=(t, c, None),
                             daemon=True).start()

    @staticmethod
    def pump(one, other, kept):
        while True:
            try:
                got = one.recv(65536)
                if kept is not None:
                    kept += got
                other.sendall(got)
            except OSError:
                got = b''
            if not got:
                for x in (one, other):
                    try:
                        x.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                return

    def again(self, kept):
        """What they answer when it is sent again."""
        t = socket.socket(socket.AF_UNIX)
        t.connect(self.to)
        t.settimeout(0.15)
        t.sendall(bytes(kept))
        got = b''
        try:
            while True:
                more = t.recv(65536)
                if not more:
                    break
                got += more
        except OSError:
            pass
        t.close()
        return got


def caught(s, relay, *args):
    """The bytes of one command of alice's."""
    n = len(relay.said)
    s.env['DRAWBRIDGE_SOCKET'] = relay.path
    try:
        s.cli(*args)
    finally:
        del s.env['DRAWBRIDGE_SOCKET']
    return [bytes(k) for k in relay.said[n:]]


def refused_again(s, relay, said, name):
    got = b''.join(relay.again(k) for k in said)
    case('H6: %s, sent again: refused' % name, b'"error"' in got and
         b'"state":"done"' not in got and b'"proposal":' not in got, got)


def signed_acts():
    with Service(policy=HOLDS % '1') as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        relay = Relay(s)
        held = s.apply(key, '2', s.address(1))[1]['id']
        other = s.apply(key, '2', s.address(2))[1]['id']
        ask = {'deposit': caught(s, relay, 'deposit', 'carol', '1', '--id',
                                 'tx1'),
               'hot_balance': caught(s, relay, 'tell',
                                     '{"type":"hot_balance","amount":"7"}'),
               'release': caught(s, relay, 'withdrawal', 'release', held)}
        case('H6: released by the signature', s.ask(
            'withdrawal', 'show', held)['state'] != 'held')
        s.hot('1000')
        hot = s.ask('status')['hot_sat']
        for name, said in ask.items():
            refused_again(s, relay, said, name)
        case('H6: the hot wallet is as it was before',
             s.ask('status')['hot_sat'] == hot,
             (s.ask('status')['hot_sat'], hot))
        case('H6: another withdrawal of the same amount waits',
             s.ask('withdrawal', 'show', other)['state'] == 'held')
        s.cli('halt')
        ask['resume'] = caught(s, relay, 'resume')
        case('H6: resumed', not s.ask('status')['halted'])
        s.cli('halt')
        refused_again(s, relay, ask['resume'], 'resume after another halt')
        case('H6: halted', s.ask('status')['halted'])
        s.kill_room('engine')
        s.wait_ready()
        for name, said in ask.items():
            refused_again(s, relay, said, name + ' after the engine '
                          'was started anew')
        s.stop()
        s.start()
        for name, said in ask.items():
            refused_again(s, relay, said, name + ' after a restart')
        case('H6: still halted', s.ask('status')['halted'])
        case('H6: the balance has it once', s.signed(
            key, '/api/v3/account')[1]['balances'][0] is not None and
            s.ask('account', 'list', 'carol')[0].get('balance', '49') in
            ('49.00000000', '51.00000000', '47.00000000', '49'),
            s.ask('account', 'list', 'carol'))
        # One bit of what was signed.
        bad = 0
        said = caught(s, relay, 'tell',
                      '{"type":"hot_balance","amount":"8"}')[-1]
        before = s.ask('status')['hot_sat']
        for at in range(len(said) - 1, max(len(said) - 400, 20), -7):
            bent = bytearray(said)
            bent[at] ^= 1
            got = relay.again(bent)
            bad += b'"state":"done"' in got
        case('H6: a bit of it changed: refused', bad == 0 and
             s.ask('status')['hot_sat'] == before,
             (bad, s.ask('status')['hot_sat'], before))


# Reads go on


def asked(s, key):
    return s.signed(key, '/sapi/v1/capital/withdraw/history')


def only_reads_live():
    with Service(policy=EASY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        s.apply(key, '0.1', s.address(1))
        for n in range(3):
            old = s.rooms().get('engine')
            s.kill_room('engine', signal.SIGABRT)
            wait_for(lambda: s.rooms().get('engine') not in (None, old))
            if n < 2:
                s.wait_ready()
        stopped(s, key, 'an engine that died three times')


def only_reads_broken():
    """Nothing can be taken after the journal's last row was damaged; what
    the book has is read."""
    with Service(policy=EASY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        for n in range(20):
            s.apply(key, '0.1', s.address(n))
        asked(s, key)
        # drawbridged must not start another engine in between.
        os.kill(s.process.pid, signal.SIGSTOP)
        engine = s.rooms()['engine']
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: has_ended(engine))
        case('a row is damaged', break_journal(os.path.join(
            s.data, 'journal.db')) > 0)
        os.kill(s.process.pid, signal.SIGCONT)
        stopped(s, key, 'a broken journal')


def has_ended(pid):
    with open('/proc/%d/stat' % pid, encoding='ascii') as f:
        return f.read().rsplit(')', 1)[1].split()[0] == 'Z'


def break_journal(path):
    """A bit of the last row of each table of rows; how many."""
    broken = 0
    db = sqlite3.connect(path)
    tables = [r[0] for r in db.execute(
        "select name from sqlite_master where type='table'")]
    for t in tables:
        blobs = [c[1] for c in db.execute('pragma table_info(%s)' % t)
                 if 'BLOB' in c[2].upper()]
        if blobs and db.execute('select count(*) from %s' % t).fetchone()[0]\
                > 10:
            at = db.execute('select max(rowid) from %s' % t).fetchone()[0]
            for b in blobs:
                got = db.execute('select %s from %s where rowid=?' % (b, t),
                                 (at,)).fetchone()[0]
                if got:
                    db.execute('update %s set %s=? where rowid=?' % (t, b),
                               (got[:-1] + bytes([got[-1] ^ 1]), at))
                    broken += 1
    db.commit()
    db.close()
    return broken


def stopped(s, key, name):
    got = asked(s, key)
    for _ in range(60):
        if got[0] == 200:
            break
        time.sleep(0.5)
        got = asked(s, key)
    case('%s: the history is read' % name, got[0] == 200 and len(got[1]) > 0, got)
    status, answer, head = s.apply(key, '0.1', s.address(9))
    case('%s: no payment: 503' % name, status == 503, (status, answer))
    case('%s: and when to come back' % name, 'Retry-After' in head, head)
    status, answer, _ = s.signed(key, '/api/v3/account')
    case('%s: no balance is made up' % name, status in (200, 503), answer)
    # The engine tells it once a second.
    case('%s: the status says so' % name, wait_for(
        lambda: s.get('/sapi/v1/system/status')[1].get('status') == 1, 10),
         s.get('/sapi/v1/system/status'))
    r = s.run('status')
    case('%s: `drawbridge status` says so' % name, 'only' in r.stdout.lower()
         or 'stopped' in r.stdout.lower(), r.stdout + r.stderr)
    case('%s: an operator cannot act either' % name,
         s.run('halt', '--as', 'alice', '--reason', 'x').returncode != 0)
    case('%s: it stops as ever' % name, s.stop() == 0)


if __name__ == '__main__':
    policy_file()
    signed_acts()
    only_reads_live()
    only_reads_broken()
    case.end()
