#!/usr/bin/env python3
"""H3: signed requests are sent again, in every spelling, over restarts of
auth, of the engine, of all: none is accepted twice.  And none is accepted in
which a byte was changed.

REPLAYS=1000000 sends a million.
"""
import os
import random
import string
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import parallel  # noqa: E402
from service import EASY, Cases, Service  # noqa: E402

REPLAYS = int(os.environ.get('REPLAYS', '100000'))
SEED = int(os.environ.get('SEED', '4'))
BATCH = 20000
KEYS = 12
# Every request comes from an address of its own, or an address's limits
# would answer instead.
CONF = 'proxies 127.0.0.0/8\nproxy-header X-Real-IP\ndecoded-signatures yes\n'
READ = '/sapi/v1/capital/config/getall'
# An engine that ends three times in a minute is not started again.
ENGINE_S = 45
case = Cases()


def ip():
    return '10.%d.%d.%d' % (random.randrange(256), random.randrange(256),
                            random.randrange(1, 255))


def other_escapes(text):
    """The same parameters with other percent escapes."""
    out = []
    for part in text.split('&'):
        name, value = part.split('=', 1)
        if name != 'signature':
            i = random.randrange(len(value))
            if value[i] not in '%' and '%' not in value:
                value = '%s%%%02x%s' % (value[:i], ord(value[i]),
                                        value[i + 1:])
            if random.random() < 0.3:
                name = '%%%02x%s' % (ord(name[0]), name[1:])
        out.append(name + '=' + value)
    return '&'.join(out)


def spellings(text):
    """Other bytes of the same message."""
    head, sig = text.rsplit('signature=', 1)
    params = head.rstrip('&')
    return [text, head + 'signature=' + sig.upper(),
            'signature=%s&%s' % (sig, params), other_escapes(text),
            other_escapes(text), other_escapes(head + 'signature=' +
                                               sig.upper())]


class Message:
    def __init__(self, s, key, kind, n):
        params = dict(coin='BTC')
        if kind != 'read':
            params.update(address=s.address(n), network='BTC',
                          amount='0.0%d' % random.randrange(1000, 9999),
                          name='an address')
        if kind == 'ordered':
            params['withdrawOrderId'] = 'r%d' % n
        self.key = key
        self.kind = kind
        self.method = 'GET' if kind == 'read' else 'POST'
        self.path = READ if kind == 'read' else parallel.APPLY
        # Two reads in one millisecond are not one message.
        self.text = parallel.signed(key, recvWindow=60000 - n % 1000,
                                    **params)

    def raw(self, text, body=False):
        if body and self.method == 'POST':
            return parallel.request(self.key, 'POST', self.path, '', ip(),
                                    text)
        return parallel.request(self.key, self.method, self.path, text, ip())

    def variants(self):
        return [self.raw(t, b) for t in spellings(self.text)
                for b in ((False, True) if self.method == 'POST' else
                          (False,))]


def kinds(n):
    return ('ordered', 'plain', 'read')[n % 3]


class Replayed:
    def __init__(self, s):
        self.s = s
        self.keys = []
        self.n = self.sent = self.applies = 0
        self.first = {}             # status: how often, of first ones
        self.twice = []
        self.others = {}
        self.engine_at = 0
        for i in range(KEYS):
            s.account('k%d' % i, btc='50')
            self.keys.append(s.key('k%d' % i, ips=('10.0.0.0/8',)))

    def fresh(self, count):
        made = [Message(self.s, self.keys[(self.n + i) % KEYS],
                        kinds(self.n + i), self.n + i) for i in range(count)]
        self.n += count
        self.applies += sum(m.kind != 'read' for m in made)
        return made

    def disturb(self, what):
        s = self.s
        if what == 'all':
            s.kill()
            s.start()
        elif what != 'nothing':
            s.kill_room(what)
        wait_ready(s)

    def batch(self, size, what):
        messages = self.fresh(60)
        link = parallel.Lockstep(self.s)
        for m, a in zip(messages, link.ask([m.raw(
                random.choice(spellings(m.text))) for m in messages])):
            status = a and a[0]
            self.first[status] = self.first.get(status, 0) + 1
            if status != 200:
                self.others.setdefault('first: %r' % (a,), m.text)
        again = [v for m in messages for v in m.variants()]
        self.again(link, random.choices(again, k=size // 3))
        link.close()
        self.disturb(what)
        self.again(link, random.choices(again, k=size - size // 3))
        link.close()

    def again(self, link, requests):
        for raw, a in zip(requests, link.ask(requests)):
            self.sent += 1
            code = (parallel.answer(a) or {}).get('code') if a and a[0] != \
                200 else None
            if a is None or code in (-1022, -1021, -1008) or \
                    (a[0], code) == (503, -1000):
                self.others[code] = self.others.get(code, 0) + 1
            elif a[0] == 200:
                self.twice.append((raw, a))
            else:
                self.others['odd %r' % (a,)] = raw

    def all(self):
        todo = ['nothing', 'auth', 'engine', 'all', 'api']
        while self.sent < REPLAYS:
            what = todo.pop(0)
            todo.append(what)
            if what == 'engine':
                if time.monotonic() - self.engine_at < ENGINE_S and \
                        self.engine_at:
                    what = 'nothing'
                else:
                    self.engine_at = time.monotonic()
            self.batch(min(BATCH, REPLAYS - self.sent), what)


def wait_ready(s):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if s.get('/sapi/v1/system/status', {'X-Real-IP': '10.0.0.1'})[1]\
                    .get('status') == 0:
                return
        except (OSError, AttributeError):
            pass
        time.sleep(0.05)


def replays(s):
    r = Replayed(s)
    start = time.monotonic()
    r.all()
    print('# %d sent again in %.0f s, seed %d; %r' % (
        r.sent, time.monotonic() - start, SEED,
        {k: v for k, v in r.others.items() if isinstance(v, int)}))
    case('H3: the first of each is taken, in whatever spelling',
         set(r.first) == {200}, (r.first, [x for x in r.others.items() if
                                           str(x[0]).startswith('f')][:2]))
    case('H3: none of %d is accepted again' % r.sent, not r.twice,
         (len(r.twice), r.twice[:2]))
    if set(r.first) != {200}:
        with open(s.log, encoding='utf-8') as f:
            print(''.join('# ' + x for x in f if ' rejected ' in x), end='')
    odd = [x for x in r.others.items() if str(x[0]).startswith('odd')]
    case('H3: and all are refused for what they are', not odd, odd[:2])
    case('H3: most as used already', r.others.get(-1022, 0) > r.sent / 3,
         r.others.get(-1022))
    rows = []
    for i in range(KEYS):
        rows += s.ask('withdrawal', 'list', '--account', 'k%d' % i,
                      '--limit', '1000')
    case('H3: each is in the journal once', len(rows) == r.applies ==
         len({x['id'] for x in rows}), (len(rows), r.applies))


def values(text, name):
    """Where the value of NAME lies."""
    at = text.index(name + '=') + len(name) + 1
    end = text.find('&', at)
    return at, end if end >= 0 else len(text)


def flips(s, key):
    """Every byte of what matters, to what else it could be."""
    m = Message(s, key, 'ordered', 999999)
    link = parallel.Lockstep(s)
    good = (string.ascii_letters + string.digits + '.-_~%+').encode()
    for name in ('amount', 'address', 'network', 'timestamp', 'coin',
                 'withdrawOrderId', 'recvWindow'):
        raws = []
        at, end = values(m.text, name)
        for i in range(at, end):
            now = ord(m.text[i])
            for c in sorted({now ^ 1 << b for b in range(7)} |
                            set(random.sample(good, 6)) | set(b'0.&')):
                if c <= 32 or c >= 127 or c == now or c == 35:
                    continue        # no HTTP at all
                raws.append(m.raw(m.text[:i] + chr(c) + m.text[i + 1:]))
            raws.append(m.raw(m.text[:i] + m.text[i + 1:]))
            raws.append(m.raw(m.text[:i] + m.text[i] + m.text[i:]))
        got = list(link.ask(raws))
        case('every byte of %s changed: %d refused' % (name, len(raws)),
             all(a and a[0] in (400, 401) for a in got),
             [a for a in got if not a or a[0] not in (400, 401)][:3])
    link.close()
    status = [a[0] for a in link.ask([m.raw(m.text)])]
    case('and as it was signed it is taken', status == [200], status)
    link.close()


if __name__ == '__main__':
    random.seed(SEED)
    with Service(policy=EASY, conf=CONF) as service:
        service.hot('10000')
        service.account('flip', btc='50')
        flips(service, service.key('flip', ips=('10.0.0.0/8',)))
        replays(service)
        case('it stops as ever', service.stop() == 0)
        verified = service.run('audit', 'verify', '--decisions', '--db',
                               os.path.join(service.data, 'journal.db'))
        case('the journal is whole', verified.returncode == 0,
             verified.stdout + verified.stderr)
    case.end()
