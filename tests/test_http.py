#!/usr/bin/env python3
"""The room `api` over real sockets: one request in, at most one out.

It runs alone, in build/api/api_run, which plays auth and prints what it got.
"""
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time

BUILD = os.environ.get('BUILD', 'build')
RUN = os.path.join(BUILD, 'api', 'api_run')
failed = []


def case(name, good, why=''):
    print('ok ' + name if good else 'not ok %s: %s' % (name, why or 'no'))
    sys.stdout.flush()
    if not good:
        failed.append(name)


class Api:
    """One api, and the auth that it talks to."""

    def __init__(self, *args):
        self.p = subprocess.Popen([RUN] + list(args), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        word = self.p.stdout.readline().split()
        self.port, self.metrics_port, self.pid = map(int, word[1:])
        self.requests = []
        self.ended = None
        self.log = []
        self.readers = [
            threading.Thread(target=self.read, daemon=True),
            threading.Thread(target=self.read_log, daemon=True)]
        for r in self.readers:
            r.start()

    def read(self):
        for line in self.p.stdout:
            if line.startswith('request'):
                self.requests.append(line.split()[2])
            elif line.startswith('ended'):
                self.ended = int(line.split()[1])

    def read_log(self):
        for line in self.p.stderr:
            self.log.append(line)

    def say(self, text):
        self.p.stdin.write(text + '\n')
        self.p.stdin.flush()

    def end(self):
        self.p.stdin.close()
        self.p.wait(20)
        for r in self.readers:
            r.join(5)
        self.p.stdout.close()
        self.p.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()


class Conn:
    def __init__(self, port, source=None, first=b''):
        self.s = socket.create_connection(
            ('127.0.0.1', port), 10, (source, 0) if source else None)
        self.s.settimeout(10)
        self.data = b''
        if first:
            self.s.sendall(first)

    def send(self, data):
        try:
            self.s.sendall(data)
        except OSError:
            pass

    def more(self):
        try:
            got = self.s.recv(65536)
        except (ConnectionError, socket.timeout):
            got = b''
        self.data += got
        return bool(got)

    def answer(self):
        """The next (status, headers, body); None: closed without."""
        while b'\r\n\r\n' not in self.data:
            if not self.more():
                return None
        head, rest = self.data.split(b'\r\n\r\n', 1)
        lines = head.decode().split('\r\n')
        headers = {k.lower(): v for k, v in
                   (line.split(': ', 1) for line in lines[1:])}
        n = int(headers['content-length'])
        while len(rest) < n:
            self.data = b''
            if not self.more():
                return None
            rest += self.data
        self.data = rest[n:]
        return int(lines[0].split()[1]), headers, rest[:n]

    def closed(self, seconds=5):
        """Does the other side close, without another byte?"""
        self.s.settimeout(seconds)
        try:
            return not self.data and self.s.recv(1) == b''
        except ConnectionError:
            return not self.data
        except socket.timeout:
            return False

    def close(self):
        self.s.close()

    def ask(self, data):
        self.send(data)
        return self.answer()


def get(path, headers='', version='1.1', method='GET'):
    return ('%s %s HTTP/%s\r\nHost: test\r\n%s\r\n' %
            (method, path, version, headers)).encode()


def post(path, body=b'', headers=''):
    return ('POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n%s\r\n' %
            (path, len(body), headers)).encode() + body


PING = get('/api/v3/ping')
APPLY = '/sapi/v1/capital/withdraw/apply'


def one(api, data, **kw):
    c = Conn(api.port, **kw)
    a = c.ask(data)
    c.close()
    return a


def test_public(api):
    c = Conn(api.port)
    st, h, body = c.ask(PING)
    case('ping', st == 200 and body == b'{}')
    case('the content type, exactly',
         h['content-type'] == 'application/json;charset=UTF-8')
    case('weight headers of /api', h.get('x-mbx-used-weight') == '1' and
         h.get('x-mbx-used-weight-1m') == '1')
    case('a Date', re.fullmatch(r'\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT',
                                h['date']) is not None, h['date'])
    st, h, body = c.ask(get('/api/v3/time'))
    case('time', abs(json.loads(body)['serverTime'] - time.time() * 1000)
         < 2000)
    st, h, body = c.ask(get('/sapi/v1/system/status'))
    case('system status', body == b'{"status":0,"msg":"normal"}' and
         h.get('x-sapi-used-ip-weight-1m') == '1')
    st, h, body = c.ask(get('/api/v3/exchangeInfo'))
    j = json.loads(body)
    case('exchangeInfo', list(j) == ['timezone', 'serverTime', 'rateLimits',
                                     'exchangeFilters', 'symbols'])
    for path, want in (('/sapi/v1/margin/allPairs', b'[]'),
                       ('/sapi/v1/margin/isolated/allPairs', b'[]'),
                       ('/fapi/v1/exchangeInfo', b'{"symbols":[]}'),
                       ('/dapi/v1/exchangeInfo', b'{"symbols":[]}')):
        st, h, body = c.ask(get(path, 'X-MBX-APIKEY: \r\n'))
        case(path, st == 200 and body == want)
    st, h, body = c.ask(get('/nowhere'))
    case('404 in JSON', st == 404 and json.loads(body)['code'] == -1020 and
         h['content-type'] == 'application/json;charset=UTF-8')
    st, h, body = c.ask(post('/api/v3/ping'))
    case('405 in JSON', st == 405 and json.loads(body)['code'] == -1020 and
         h['allow'] == 'GET')
    case('all on one connection', c.ask(PING)[0] == 200)
    c.close()
    c = Conn(api.port)
    c.send(get('/api/v3/ping', method='HEAD'))
    while c.more():
        pass
    case('HEAD: no body, and closed', c.data.startswith(b'HTTP/1.1 405') and
         c.data.endswith(b'\r\n\r\n'))
    c.close()


def test_relay(api):
    c = Conn(api.port)
    st, h, body = c.ask(post(
        APPLY + '?coin=BTC', b'amount=1&x=%20',
        'X-MBX-APIKEY: dbk_a\r\nContent-Type: application/json\r\n'))
    j = json.loads(body)
    case('as received, to auth', st == 200 and j == {
        'endpoint': 'apply', 'ip': '::ffff:127.0.0.1', 'key': 'dbk_a',
        'target': APPLY + '?coin=BTC', 'query': 'coin=BTC',
        'body': 'amount=1&x=%20'}, body)
    case("the account's weight, as auth says",
         h.get('x-sapi-used-uid-weight-1m') == '900')
    st, h, body = c.ask(post(
        '/v1/withdrawals/w-7/cancel', b'{"reason":"x"}',
        'Drawbridge-Key: k\r\nDrawbridge-Time: 17\r\n'
        'Drawbridge-Signature: c2ln\r\nDrawbridge-Code: 123456\r\n'))
    j = json.loads(body)
    case("the exchange's door", j['id'] == 'w-7' and j['key'] == 'k' and
         j['when'] == '17' and j['signature'] == 'c2ln' and
         j['code'] == '123456' and j['endpoint'] == 'v1_cancel')
    body = b'y' * 65536
    st, h, got = c.ask(post(APPLY, body))
    case('64 KiB of body', st == 200 and
         json.loads(got)['body'] == body.decode())
    body = b'z' * (1 << 20)
    st, h, got = c.ask(post('/v1/facts', body))
    case('1 MiB of facts', st == 200 and
         json.loads(got)['body'] == body.decode())
    st, h, got = c.ask(get('/v1/events?big=3000000'))
    case('an answer of 3 MB', st == 200 and len(got) == 3000000)
    st, h, got = c.ask(get('/link/abc?page'))
    case('a page, with its headers',
         h['content-type'] == 'text/html;charset=UTF-8' and
         "default-src 'none'" in h['content-security-policy'] and
         h['referrer-policy'] == 'no-referrer' and
         h['x-frame-options'] == 'DENY')
    case('a kept connection serves them all', c.ask(PING)[0] == 200)
    st, h, got = c.ask(get('/api/v3/ping', 'Connection: close\r\n'))
    case('Connection: close', st == 200 and h['connection'] == 'close' and
         c.closed())
    c.close()
    c = Conn(api.port)
    st, h, got = c.ask(get('/api/v3/ping', version='1.0'))
    case('HTTP/1.0: answered and closed', st == 200 and c.closed())
    c.close()
    c = Conn(api.port)
    c.send(get('/v1/health'))
    c.s.shutdown(socket.SHUT_WR)
    a = c.answer()
    case('a client that will send no more is answered', a and a[0] == 200)
    c.close()


BAD = {
    'two Content-Lengths': b'POST %s HTTP/1.1\r\nHost: a\r\n'
                           b'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'Content-Length and Transfer-Encoding':
        b'POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n'
        b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked': b'POST %s HTTP/1.1\r\nHost: a\r\n'
               b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'bare LF': b'POST %s HTTP/1.1\nHost: a\nContent-Length: 0\n\n',
    'a bare LF among others': b'POST %s HTTP/1.1\r\nHost: a\n'
                              b'Content-Length: 0\r\n\r\n',
    'bare CR': b'POST %s HTTP/1.1\r\nHost: a\rContent-Length: 0\r\n\r\n',
    'obs-fold': b'POST %s HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
    'NUL': b'POST %s HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
    'a blank before a colon': b'POST %s HTTP/1.1\r\nHost: a\r\n'
                              b'Content-Length : 0\r\n\r\n',
    'no Host': b'POST %s HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
    'two Hosts': b'POST %s HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'Expect': b'POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
    'Upgrade': b'POST %s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n'
               b'Upgrade: websocket\r\n\r\n',
    'HTTP/2': b'POST %s HTTP/2.0\r\nHost: a\r\n\r\n',
    'an absolute target': b'POST http://a%s HTTP/1.1\r\nHost: a\r\n\r\n',
    'an unknown method': b'BREW %s HTTP/1.1\r\nHost: a\r\n\r\n',
    'two keys': b'POST %s HTTP/1.1\r\nHost: a\r\nX-MBX-APIKEY: a\r\n'
                b'X-MBX-APIKEY: b\r\n\r\n',
    'X-Forwarded-For': b'POST %s HTTP/1.1\r\nHost: a\r\n'
                       b'X-Forwarded-For: 10.0.0.1\r\n\r\n',
    'X-Real-IP': b'POST %s HTTP/1.1\r\nHost: a\r\nX-Real-IP: 10.0.0.1\r\n'
                 b'\r\n',
    'Forwarded': b'POST %s HTTP/1.1\r\nHost: a\r\nForwarded: for=10.0.0.1\r\n'
                 b'\r\n',
    'two requests': b'POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n'
                    b'\r\nPOST /x HTTP/1.1\r\nHost: a\r\n\r\n',
    'a byte behind the body': b'POST %s HTTP/1.1\r\nHost: a\r\n'
                              b'Content-Length: 1\r\n\r\nxy',
}


def test_malformed(api):
    before = len(api.requests)
    for name, text in BAD.items():
        data = text.replace(b'%s', APPLY.encode())
        c = Conn(api.port)
        a = c.ask(data)
        good = a is not None and a[0] == 400 and \
            json.loads(a[2])['code'] == -1100 and \
            a[1]['connection'] == 'close' and c.closed()
        case('%s: 400 and closed' % name, good, a)
        c.close()
    for name, data, status in (
            ('a head of 10 KB', PING[:-2] + b'X: ' + b'a' * 10000 +
             b'\r\n\r\n', 431),
            ('100 headers', PING[:-2] + b'X: a\r\n' * 100 + b'\r\n', 431),
            ('100 MB announced', b'POST %s HTTP/1.1\r\nHost: a\r\n'
             b'Content-Length: 100000000\r\n\r\n' % APPLY.encode() +
             b'x' * 100000, 413),
            ('facts of 1 MiB and a byte', b'POST /v1/facts HTTP/1.1\r\n'
             b'Host: a\r\nContent-Length: 1048577\r\n\r\n', 413)):
        c = Conn(api.port)
        a = c.ask(data)
        case('%s: %d and closed' % (name, status), a and a[0] == status and
             c.closed(), a)
        c.close()
    case('none of them reached auth', len(api.requests) == before)


def test_splits(api):
    data = post(APPLY + '?a=b', b'c=d', 'X-MBX-APIKEY: k\r\n')
    before = len(api.requests)
    wrong = []
    for i in range(1, len(data)):
        c = Conn(api.port)
        c.send(data[:i])
        time.sleep(0.002)
        a = c.ask(data[i:])
        if not a or a[0] != 200 or json.loads(a[2])['body'] != 'c=d':
            wrong.append(i)
        c.close()
    case('split at every byte: one request each', not wrong and
         len(api.requests) - before == len(data) - 1, wrong)
    c = Conn(api.port)
    for b in data[:-1]:
        c.send(bytes([b]))
        time.sleep(0.0005)
    a = c.ask(data[-1:])
    case('byte by byte', a and a[0] == 200)
    c.close()
    before = len(api.requests)
    wrong = []
    bad = BAD['bare LF'].replace(b'%s', APPLY.encode())
    for i in range(1, len(bad)):
        c = Conn(api.port)
        c.send(bad[:i])
        time.sleep(0.002)
        a = c.ask(bad[i:])
        if not a or a[0] != 400:
            wrong.append(i)
        c.close()
    case('a bare LF, split at every byte: refused', not wrong and
         len(api.requests) == before, wrong)


def test_pipeline(api):
    before = len(api.requests)
    c = Conn(api.port)
    c.send(get('/v1/health?quiet'))
    time.sleep(0.3)
    c.send(PING)
    case('a second request before the first answer: closed, no answer',
         c.closed() and not c.data and len(api.requests) == before + 1)
    c.close()


def test_late():
    with Api('answer_ms=400') as api:
        c = Conn(api.port)
        st, h, body = c.ask(get('/v1/health?quiet'))
        case('no answer in time, a read: 503 -1008', st == 503 and
             json.loads(body)['code'] == -1008 and
             h.get('retry-after') == '1')
        st, h, body = c.ask(post(APPLY + '?quiet'))
        case('no answer in time, an apply: unknown', st == 503 and
             json.loads(body)['code'] == -1000 and
             'history' in json.loads(body)['msg'])
        case('the connection goes on', c.ask(PING)[0] == 200)
        api.say('hang-up')
        time.sleep(0.2)
        st, h, body = c.ask(get('/sapi/v1/system/status'))
        case('auth is away: maintenance', json.loads(body)['status'] == 1)
        st, h, body = c.ask(post(APPLY))
        case('auth is away: nothing was done', st == 503 and
             json.loads(body)['code'] == -1008 and
             'nothing was done' in json.loads(body)['msg'])
        api.say('link')
        time.sleep(0.2)
        st, h, body = c.ask(post(APPLY))
        case('auth is back', st == 200)
        d = Conn(api.port)
        d.send(post(APPLY + '?quiet'))
        time.sleep(0.1)
        api.say('hang-up')
        st, h, body = d.answer()
        case('auth goes meanwhile: unknown, at once', st == 503 and
             json.loads(body)['code'] == -1000)
        d.close()
        c.close()


def test_slow():
    with Api('head_ms=400', 'body_ms=500', 'idle_ms=600',
             'connections-max 64') as api:
        began = time.monotonic()
        c = Conn(api.port, first=b'GET / HT')
        a = c.answer()
        took = time.monotonic() - began
        case('a slow head: 408', a and a[0] == 408 and c.closed() and
             0.3 < took < 1.5, (a, took))
        c.close()
        c = Conn(api.port)
        case('nothing at all: closed', c.closed())
        c.close()
        c = Conn(api.port, first=post(APPLY, b'12345')[:-1])
        a = c.answer()
        case('a slow body: 408', a and a[0] == 408)
        c.close()
        c = Conn(api.port)
        for b in PING[:-1]:
            c.send(bytes([b]))
            time.sleep(0.02)
        case('drop by drop is slow, too', c.answer()[0] == 408)
        c.close()
        c = Conn(api.port)
        c.ask(PING)
        began = time.monotonic()
        case('idle: closed without a word', c.closed() and
             0.5 < time.monotonic() - began < 1.5)
        c.close()


def test_crowd():
    with Api('connections-max 64', 'address_least=1000') as api:
        idle = Conn(api.port)
        idle.ask(PING)
        loris = [Conn(api.port, first=b'GET / H') for _ in range(63)]
        time.sleep(1.2)
        case('slow heads give way to an honest client',
             one(api, PING)[0] == 200)
        case('and not those that were served', idle.ask(PING)[0] == 200)
        more = [Conn(api.port, first=b'GET / H') for _ in range(200)]
        time.sleep(1.2)
        began = time.monotonic()
        for _ in range(50):
            one(api, PING)
        case('fifty honest ones among them', time.monotonic() - began < 2)
        for c in loris + more + [idle]:
            c.close()
    with Api('address_least=4', 'address_part=4096') as api:
        many = [Conn(api.port, source='127.0.0.9') for _ in range(4)]
        time.sleep(0.1)
        c = Conn(api.port, source='127.0.0.9')
        case('connections of one address', c.closed())
        c.close()
        case('another address is served',
             one(api, PING, source='127.0.0.10')[0] == 200)
        many.pop().close()
        time.sleep(0.1)
        case('one goes, one may come',
             one(api, PING, source='127.0.0.9')[0] == 200)
        for c in many:
            c.close()


def test_files():
    with Api('connections-max 16', 'address_least=1000') as api:
        subprocess.run(['prlimit', '--pid', str(api.pid), '--nofile=24:24'],
                       check=True)
        many = [Conn(api.port) for _ in range(30)]
        time.sleep(0.3)
        with open('/proc/%d/stat' % api.pid, encoding='ascii') as f:
            before = sum(map(int, f.read().split()[13:15]))
        time.sleep(0.5)
        with open('/proc/%d/stat' % api.pid, encoding='ascii') as f:
            used = sum(map(int, f.read().split()[13:15])) - before
        case('out of descriptors: no busy loop', used < 10, used)
        for c in many:
            c.close()
        time.sleep(0.2)
        case('and goes on', one(api, PING)[0] == 200)


def test_rates():
    with Api() as api:
        c = Conn(api.port, source='127.0.0.5')
        for _ in range(300):
            a = c.ask(get('/api/v3/exchangeInfo'))
        # A minute may end meanwhile.
        for _ in range(300):
            if a[0] != 200:
                break
            a = c.ask(get('/api/v3/exchangeInfo'))
        case('429 with -1003 and Retry-After', a[0] == 429 and
             json.loads(a[2])['code'] == -1003 and
             1 <= int(a[1]['retry-after']) <= 60, a)
        for _ in range(700):
            a = c.ask(get('/api/v3/exchangeInfo'))
            if a[0] == 418:
                break
        case('who goes on is banned: 418 for two minutes', a[0] == 418 and
             int(a[1]['retry-after']) == 120 and
             json.loads(a[2])['code'] == -1003 and c.closed(), a)
        c.close()
        a = one(api, post(APPLY), source='127.0.0.5')
        case('from everything', a[0] == 418 and
             100 < int(a[1]['retry-after']) <= 120)
        case('others are not', one(api, PING, source='127.0.0.6')[0] == 200)
        c = Conn(api.port, source='127.0.0.7')
        st = [c.ask(get('/sapi/v1/capital/withdraw/history'))[0]
              for _ in range(25)]
        case('the history, ten a second', 429 in st and st[:10] == [200] * 10,
             st)
        c.close()


def v2(ip='192.0.2.55', cmd=0x21, fam=0x11, tail=b''):
    addr = b'' if cmd == 0x20 else socket.inet_aton(ip) + \
        socket.inet_aton('10.0.0.1') + b'\x12\x34\x01\xbb'
    return b'\r\n\r\n\0\r\nQUIT\n' + bytes([cmd, fam]) + \
        len(addr + tail).to_bytes(2, 'big') + addr + tail


def test_proxy():
    with Api('proxies 127.0.0.20/32', 'proxy-protocol yes') as api:
        data = get('/v1/health')
        proxy = {'source': '127.0.0.20'}
        a = one(api, v2() + data, **proxy)
        case('PROXY v2: the client is whom it names', a and
             json.loads(a[2])['ip'] == '::ffff:192.0.2.55', a)
        a = one(api, v2(tail=b'\x04\0\x03abc') + data, **proxy)
        case('with more behind the address', a and a[0] == 200)
        a = one(api, v2(cmd=0x20, fam=0) + PING, **proxy)
        case('LOCAL: a health check', a and a[0] == 200)
        wrong = []
        whole = v2() + data
        for i in range(1, len(whole)):
            c = Conn(api.port, **proxy)
            c.send(whole[:i])
            time.sleep(0.001)
            a = c.ask(whole[i:])
            if not a or json.loads(a[2]).get('ip') != '::ffff:192.0.2.55':
                wrong.append(i)
            c.close()
        case('split at every byte', not wrong, wrong)
        for name, first in (
                ('no PROXY header', b''),
                ('version 1', b'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n'),
                ('a datagram', v2(fam=0x12)),
                ('an unknown command', v2(cmd=0x22)),
                ('too short', v2()[:14] + b'\0\x04' + v2()[16:20])):
            c = Conn(api.port, **proxy)
            c.send(first + data)
            case('from a proxy, %s: closed' % name, c.closed())
            c.close()
        c = Conn(api.port, source='127.0.0.21')
        a = c.ask(v2() + data)
        case('from another: refused', a and a[0] == 400 and c.closed(), a)
        c.close()
        a = one(api, data[:-2] + b'X-Forwarded-For: 1.2.3.4\r\n\r\n',
                source='127.0.0.21')
        case('a forwarding header, beside it', a and a[0] == 400 and
             'listed proxy' in json.loads(a[2])['msg'], a)
    with Api('proxies 127.0.0.20/32 127.0.0.22/32',
             'proxy-header X-Forwarded-For') as api:
        data = get('/v1/health', 'X-Forwarded-For: 1.1.1.1, 192.0.2.56\r\n')
        a = one(api, data, source='127.0.0.20')
        case('a header: the last that it names', a and
             json.loads(a[2])['ip'] == '::ffff:192.0.2.56', a)
        a = one(api, data, source='127.0.0.21')
        case('from another: refused', a and a[0] == 400, a)
        a = one(api, get('/v1/health'), source='127.0.0.20')
        case('a proxy without it: refused', a and a[0] == 400, a)
        a = one(api, PING, source='127.0.0.20')
        case('but for what is public', a and a[0] == 200, a)
        a = one(api, get('/v1/health', 'X-Forwarded-For: nobody\r\n'),
                source='127.0.0.20')
        case('no address in it: refused', a and a[0] == 400, a)
        a = one(api, get('/v1/health', 'X-Forwarded-For: 1.1.1.1\r\n'
                         'X-Forwarded-For: 1.1.1.2\r\n'),
                source='127.0.0.20')
        case('twice: refused', a and a[0] == 400, a)
        a = one(api, get('/v1/health', 'X-Real-IP: 1.1.1.1\r\n'),
                source='127.0.0.20')
        case('another of its headers: refused', a and a[0] == 400, a)
        api.say('reload proxies 127.0.0.22/32')
        time.sleep(0.2)


def metrics(api, path='/metrics'):
    c = Conn(api.metrics_port)
    a = c.ask(get(path))
    c.close()
    return a


def test_metrics():
    with Api() as api:
        one(api, PING)
        one(api, BAD['NUL'].replace(b'%s', b'/'))
        api.say('stats drawbridge_engine_up 1|drawbridge_engine_held 3|'
                'drawbridge_engine_decided_total{verdict="hold"} 7|'
                'BAD line\x01 1')
        time.sleep(0.2)
        st, h, body = metrics(api)
        text = body.decode()
        case('metrics: the content type', st == 200 and
             h['content-type'].startswith('text/plain; version=0.0.4'))
        line = re.compile(r'(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? '
                          r'-?[0-9.]+)')
        wrong = [x for x in text.splitlines() if not line.fullmatch(x)]
        case('metrics: every line is one', not wrong, wrong)
        for want in (
                'drawbridge_api_requests_total{endpoint="ping",'
                'status="200"} 1',
                'drawbridge_api_refused_total{reason="head"} 1',
                'drawbridge_api_answer_seconds_count{endpoint="ping"} 1',
                'drawbridge_api_link_up 1', 'drawbridge_engine_held 3',
                'drawbridge_engine_decided_total{verdict="hold"} 7',
                '# TYPE drawbridge_engine_held gauge'):
            case('metrics: ' + want, want in text.splitlines())
        case('metrics: nothing else there', metrics(api, '/')[0] == 404 and
             metrics(api, '/api/v3/ping')[0] == 404)
        case('metrics: not on the other port',
             one(api, get('/metrics'))[0] == 404)
        api.say('stats drawbridge_engine_up 0')
        time.sleep(0.2)
        case('the engine is away: maintenance', json.loads(
            one(api, get('/sapi/v1/system/status'))[2])['status'] == 1)


def test_stop():
    with Api('answer_ms=1500') as api:
        c = Conn(api.port)
        c.ask(PING)
        d = Conn(api.port)
        d.send(get('/v1/health?quiet'))
        time.sleep(0.2)
        api.say('stop')
        case('stopping: an idle connection is closed', c.closed(1))
        try:
            refused = Conn(api.port)
            refused.close()
            case('stopping: none is accepted', False)
        except OSError:
            case('stopping: none is accepted', True)
        a = d.answer()
        case('stopping: what is under way is finished', a and
             a[0] == 503 and a[1]['connection'] == 'close', a)
        d.close()
        for _ in range(50):
            if api.ended is not None:
                break
            time.sleep(0.1)
        case('stopped, well', api.ended == 0, api.ended)
        c.close()


def test_writes():
    with Api('write_ms=500') as api:
        c = Conn(api.port)
        c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.send(get('/v1/events?big=15000000'))
        time.sleep(1.5)
        n = 0
        while c.more():
            pass
        n = len(c.data)
        case('an answer that is not read: dropped', n < 15000000, n)
        c.close()
        case('and others are served', one(api, PING)[0] == 200)
        m = metrics(api)[2].decode()
        case('its memory is given back',
             'drawbridge_api_long_bytes 0\n' in m)


def test_random(api):
    """Whole requests changed in one byte: answered once, or refused."""
    data = post(APPLY + '?a=b', b'c=d', 'X-MBX-APIKEY: k\r\n')
    wrong = []
    before = len(api.requests)
    sent = 0
    for i in range(len(data)):
        for b in (0, 9, 10, 13, 32, 58, 127, 255):
            c = Conn(api.port)
            sent += 1
            c.send(data[:i] + bytes([b]) + data[i + 1:])
            c.s.shutdown(socket.SHUT_WR)
            n = 0
            while c.answer() is not None:
                n += 1
            if n > 1:
                wrong.append((i, b))
            c.close()
    case('each byte changed: at most one answer', not wrong, wrong)
    case('and at most one request', len(api.requests) - before <= sent)


def main():
    if not os.path.exists(RUN):
        print('ok http # SKIP no %s' % RUN)
        return 0
    with Api('answer_ms=3000') as api:
        test_public(api)
        test_relay(api)
        test_pipeline(api)
    # Refusals count against an address.
    with Api() as api:
        test_malformed(api)
        test_splits(api)
    with Api() as api:
        test_random(api)
    for test in (test_late, test_slow, test_crowd, test_files, test_rates,
                 test_proxy, test_metrics, test_stop, test_writes):
        test()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
