#!/usr/bin/env python3
"""Kill -9 of every room, and of all at once, while customers withdraw.

Each customer keeps a ledger of what he was answered, and asks again under the
same withdrawOrderId until he is.  At the end every withdrawal that was
answered is in the history, once; nothing is there that nobody asked for; the
balances say the same; and the journal is whole.
"""
import http.client
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import EASY, Cases, Service  # noqa: E402

CUSTOMERS = 12
# What one may ask for in a minute weighs 900 of 180,000.
EACH = 190
COINS = 50
AMOUNT = '0.001'
SAT = 100000
# An engine that ends three times within a minute is not started again, so
# between its deaths everything is.
ROUNDS = (('engine', 'auth', 'api'), ('engine', 'engine'),
          ('auth', 'engine', 'api', 'console'))
case = Cases()


class Customer(threading.Thread):
    pace = 0.005, 0.05          # seconds between two

    def __init__(self, service, n):
        super().__init__(daemon=True)
        self.service = service
        self.name = 'customer-%d' % n
        self.key = service.key(self.name)
        self.address = service.address(n)
        self.answered = {}          # order: id
        self.strange = []
        self.unanswered = 0
        self.ends = False
        self.connection = None

    def ask(self, order):
        """True when that is settled."""
        try:
            if self.connection is None:
                self.connection = self.service.connect(timeout=5)
            status, answer, _ = self.service.apply(
                self.key, AMOUNT, self.address, connection=self.connection,
                withdrawOrderId=order)
        except (OSError, http.client.HTTPException):
            self.connection = None
            self.unanswered += 1
            time.sleep(0.02)
            return False
        if status == 200:
            self.answered[order] = answer['id']
            return True
        # Away, being started, too much weight, or signed before auth was.
        if status in (503, 429) or answer.get('code') in (-1021, -1022):
            self.unanswered += 1
            time.sleep(0.05)
            return False
        self.strange.append((status, answer))
        time.sleep(0.2)
        return False

    def run(self):
        n = 0
        while not self.ends and n < EACH:
            order = '%s-%d' % (self.name, n)
            # At the end what was begun is settled, too.
            until = time.monotonic() + 30
            while not self.ask(order) and time.monotonic() < until:
                pass
            n += 1
            time.sleep(random.uniform(*self.pace))


def rounds(s):
    for targets in ROUNDS:
        for room in targets:
            time.sleep(random.uniform(0.2, 0.6))
            try:
                s.kill_room(room)
            except (KeyError, ProcessLookupError):
                pass
            s.wait_ready()
        time.sleep(random.uniform(0.1, 0.4))
        s.kill()
        s.start()
        s.wait_ready()


def history(s, c):
    while True:
        got = s.history(c.key, limit=1000)
        if isinstance(got, list):
            return got
        time.sleep(0.3)             # ten a second, over everybody


def check_customer(s, c):
    rows = history(s, c)
    by_order = {}
    for r in rows:
        by_order.setdefault(r['withdrawOrderId'], []).append(r['id'])
    lost = [o for o in c.answered if o not in by_order]
    twice = [o for o, ids in by_order.items() if len(ids) > 1]
    other = [o for o, i in c.answered.items()
             if o in by_order and by_order[o] != [i]]
    unasked = [o for o in by_order if not o.startswith(c.name + '-')]
    account = s.signed(c.key, '/api/v3/account')[1]
    free = sum(round(float(b['free']) * 1e8) for b in account['balances']
               if b['asset'] == 'BTC')
    return dict(lost=lost, twice=twice, other=other, unasked=unasked,
                missing=COINS * 10**8 - SAT * len(rows) - free)


def main():
    random.seed(int(os.environ.get('SEED', '4')))
    with Service(policy=EASY) as s:
        s.hot('10000')
        customers = []
        for n in range(CUSTOMERS):
            s.account('customer-%d' % n, btc=str(COINS))
            customers.append(Customer(s, n))
        for c in customers:
            c.start()
        rounds(s)
        busy = sum(c.is_alive() for c in customers)
        for c in customers:
            c.ends = True
        for c in customers:
            c.join(60)
        answered = sum(len(c.answered) for c in customers)
        again = sum(c.unanswered for c in customers)
        print('# %d answered, %d asked again' % (answered, again))
        case('customers were answered, and some had to ask again',
             answered > 100 and again > 0 and busy > 0,
             (answered, again, busy))
        case('and nobody heard anything strange',
             not any(c.strange for c in customers),
             [c.strange[:3] for c in customers if c.strange])
        # What they may ask in a minute begins anew.
        s.stop()
        s.start()
        found = {c.name: check_customer(s, c) for c in customers}
        for what, name in (
                ('lost', 'every withdrawal that was answered is there'),
                ('twice', 'none is there twice'),
                ('other', 'each under the id that was answered'),
                ('unasked', 'nothing is there that nobody asked for'),
                ('missing', 'the balances say the same')):
            bad = {c: f[what] for c, f in found.items() if f[what]}
            case(name, not bad, bad)
        case('it stops as ever', s.stop() == 0)
        r = s.run('audit', 'verify', '--decisions', '--db',
                  os.path.join(s.data, 'journal.db'))
        case('the journal is whole', r.returncode == 0, r.stdout + r.stderr)
        with open(s.log, encoding='utf-8') as f:
            log = f.read()
        case('no room ended by itself', not re.search(
            r'signal="?(Aborted|Segmentation|Bad system)', log),
            [x for x in log.splitlines() if ' ended ' in x][:10])
        case('payments went on', 'only-reads' not in log)
    case.end()


if __name__ == '__main__':
    main()
