#!/usr/bin/env python3
"""The engine dies before each of its durable steps, under load.

strace stops it at the N-th call that writes to or syncs a file, for one N
after another, while customers withdraw; then it is started again.  What was
answered is in the journal, once, and nothing else is.
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_service_kill as kill  # noqa: E402
from service import EASY, Service  # noqa: E402

case = kill.case
CALLS = 'pwrite64,write,fdatasync,fsync,ftruncate,rename,unlink'
# Of each thread: a commit is about five of them.
STEPS = int(os.environ.get('STEPS', '8'))


def dies_at(s, n):
    """True when the engine was killed at its n-th step from now."""
    end = time.monotonic() + 10
    while 'engine' not in s.rooms() and time.monotonic() < end:
        time.sleep(0.05)
    pid = s.rooms()['engine']
    t = subprocess.Popen(
        ['strace', '-f', '-qq', '-o', '/dev/null', '-p', str(pid), '-e',
         'trace=' + CALLS, '-e', 'inject=%s:signal=KILL:when=%d' %
         (CALLS, n)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 5
    while time.monotonic() < end and t.poll() is None:
        if s.rooms().get('engine') != pid:
            break
        time.sleep(0.01)
    dead = s.rooms().get('engine') != pid
    if t.poll() is None:
        t.kill()
        t.wait()
    return dead


def main():
    if shutil.which('strace') is None or os.geteuid() != 0:
        print('ok the engine dies at every step # SKIP no strace, or not '
              'root')
        return
    with Service(policy=EASY) as s:
        s.hot('10000')
        customers = []
        for n in range(kill.CUSTOMERS):
            s.account('customer-%d' % n, btc=str(kill.COINS))
            customers.append(kill.Customer(s, n))
        for c in customers:
            c.pace = 0.1, 0.3
            c.start()
        died = 0
        for n in range(1, STEPS + 1):
            died += dies_at(s, n)
            # Three deaths in a minute end payments: all is started anew.
            if n % 2 == 0:
                s.kill()
                s.start()
            s.wait_ready()
        for c in customers:
            c.ends = True
        for c in customers:
            c.join(60)
        print('# it died at %d of %d steps; %d answered, %d asked again' % (
            died, STEPS, sum(len(c.answered) for c in customers),
            sum(c.unanswered for c in customers)))
        case('the engine died at every step', died == STEPS, died)
        case('customers were answered', sum(
            len(c.answered) for c in customers) > 10)
        case('and nobody heard anything strange',
             not any(c.strange for c in customers),
             [c.strange[:3] for c in customers if c.strange])
        s.stop()
        s.start()
        found = {c.name: kill.check_customer(s, c) for c in customers}
        for what in ('lost', 'twice', 'other', 'unasked', 'missing'):
            bad = {c: f[what] for c, f in found.items() if f[what]}
            case('nothing is %s' % what, not bad, bad)
        case('it stops as ever', s.stop() == 0)
        r = s.run('audit', 'verify', '--decisions', '--db',
                  os.path.join(s.data, 'journal.db'))
        case('the journal is whole', r.returncode == 0, r.stdout + r.stderr)


if __name__ == '__main__':
    main()
    case.end()
