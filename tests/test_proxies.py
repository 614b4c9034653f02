#!/usr/bin/env python3
"""Behind nginx and HAProxy: one request in, at most one out, and whose it is.

Every way known to make two programs see different requests in the same bytes
is tried through each proxy.  Hidden inside is a signed withdrawal: it must
never be in the book, and Drawbridge must have seen one request at most.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
APPLY = '/sapi/v1/capital/withdraw/apply'
PROXY, HONEST, OTHER, THIEF = ('127.0.0.%d' % n for n in (20, 31, 32, 33))

NGINX = '''daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 256; }}
http {{
	log_format one '$request_id';
	access_log {dir}/{file}.seen one;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	upstream drawbridge {{
		server 127.0.0.1:{to};
		keepalive 4;
	}}
	server {{
		listen 127.0.0.1:{port};
		{more}
		location / {{
			proxy_pass http://drawbridge;
			proxy_bind {proxy};
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header X-Real-IP $remote_addr;
		}}
	}}
}}
'''

HAPROXY = '''global
	maxconn 256
	log stdout format raw local0
defaults
	mode http
	log global
	option httplog
	option log-separate-errors
	timeout connect 5s
	timeout client 5s
	timeout server 20s
	http-reuse always
frontend front
	bind 127.0.0.1:{port}
	{front}
	default_backend back
backend back
	source {proxy}
	{back}
	server drawbridge 127.0.0.1:{to} {more}
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Front:
    """One proxy in front of a service."""

    def __init__(self, s, name, program, text, **more):
        self.s, self.name = s, name
        self.port = free_port()
        file = name.replace(' ', '-')
        path = os.path.join(s.dir, file + '.conf')
        # HAProxy's log is what it prints.
        self.seen = os.path.join(s.dir, file + '.seen')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text.format(dir=s.dir, port=self.port, to=s.port,
                                proxy=PROXY, file=file, **more))
        with open(path + '.log', 'wb') as log:
            self.p = subprocess.Popen(
                [program, '-c' if program.endswith('nginx') else '-f', path],
                stdout=log, stderr=log)
        self.log = path + '.log'
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        with open(self.log, encoding='utf-8') as f:
            raise RuntimeError(name + ' does not start: ' + f.read())

    def end(self):
        self.p.terminate()
        self.p.wait(20)

    def count(self):
        """How many requests the proxy says there were."""
        path = self.log if 'haproxy' in self.name else self.seen
        with open(path, encoding='latin-1') as f:
            return sum(1 for _ in f)

    def send(self, data, source=HONEST, first=1, quiet=0.06):
        """Every answer's (status, body) until it closes or is quiet."""
        got = b''
        with socket.socket() as c:
            c.bind((source, 0))
            c.settimeout(first)
            c.connect(('127.0.0.1', self.port))
            try:
                c.sendall(data)
            except OSError:
                pass
            try:
                while True:
                    if whole(got):
                        c.settimeout(quiet)
                    part = c.recv(65536)
                    if not part:
                        break
                    got += part
            except (socket.timeout, ConnectionError):
                pass
        return answers(got)


def whole(got):
    head, end, body = got.partition(b'\r\n\r\n')
    n = re.search(rb'content-length: *(\d+)', head, re.I)
    return end and n and len(body) >= int(n.group(1))


def answers(got):
    found = []
    while got.startswith(b'HTTP/1'):
        head, _, rest = got.partition(b'\r\n\r\n')
        n = re.search(rb'content-length: *(\d+)', head, re.I)
        n = int(n.group(1)) if n else len(rest)
        found.append((int(head.split()[1]), rest[:n]))
        got = rest[n:]
    return found


class Orders:
    """Signed withdrawals with names of their own."""

    def __init__(self, s, key):
        self.s, self.key, self.n = s, key, 0

    def text(self, name):
        return self.s.sign(self.key, {
            'coin': 'BTC', 'address': self.s.address(1), 'amount': '0.001',
            'withdrawOrderId': name})

    def whole(self, name, more=''):
        return ('POST %s?%s HTTP/1.1\r\nHost: a\r\nX-MBX-APIKEY: %s\r\n'
                'Content-Length: 0\r\n%s\r\n' % (
                    APPLY, self.text(name), self.key.api_key, more)).encode()

    def open(self, name, more):
        """The same without an end and without a length."""
        return ('POST %s?%s HTTP/1.1\r\nHost: a\r\nX-MBX-APIKEY: %s\r\n' % (
            APPLY, self.text(name), self.key.api_key)).encode() + more


def chunked(body, size=b'%x', end=b'\r\n'):
    return size % len(body) + end + body + b'\r\n0\r\n\r\n'


def lengths(b):
    n = len(b)
    yield 'two lengths, 0 and all', \
        b'Content-Length: 0\r\nContent-Length: %d\r\n\r\n' % n + b
    yield 'two lengths, all and 0', \
        b'Content-Length: %d\r\nContent-Length: 0\r\n\r\n' % n + b
    yield 'a length twice', \
        b'Content-Length: %d\r\nContent-Length: %d\r\n\r\n' % (n, n) + b
    for text in (b'+%d', b'0%d', b'%d, %d', b'0, %d', b'-%d', b'%d;',
                 b'%d abc', b'"%d"', b'\t%d', b'%d\x0b', b'%d.0'):
        value = text % ((n,) * text.count(b'%d'))
        yield 'a length of %r' % text.decode(), \
            b'Content-Length: ' + value + b'\r\n\r\n' + b
    yield 'a length in hex', b'Content-Length: 0x%x\r\n\r\n' % n + b
    yield 'a length beyond 64 bits', \
        b'Content-Length: %d\r\n\r\n' % (2 ** 64) + b
    yield 'a length of nothing', b'Content-Length: \r\n\r\n' + b
    yield 'a length with a blank before its colon', \
        b'Content-Length : %d\r\n\r\n' % n + b
    yield 'a length folded away', \
        b'X: a\r\n Content-Length: %d\r\n\r\n' % n + b
    yield 'a length behind a bare LF', \
        b'X: a\nContent-Length: %d\r\n\r\n' % n + b
    yield 'a length behind a bare CR', \
        b'X: a\rContent-Length: %d\r\n\r\n' % n + b
    yield 'a length behind a NUL', \
        b'X: a\0Content-Length: %d\r\n\r\n' % n + b
    yield 'a length with a NUL', \
        b'Content-Length: 0\0%d\r\n\r\n' % n + b
    yield 'a head that ends in bare LFs', b'Content-Length: %d\n\n' % n + b
    yield 'a head that ends twice', \
        b'Content-Length: %d\r\n\n\r\n' % n + b
    yield 'an underlined length beside one', \
        b'Content_Length: 5\r\nContent-Length: %d\r\n\r\n' % n + b


def transfers(b):
    n = len(b)
    both = b'Content-Length: %d\r\n'
    yield 'length and chunks, the hidden behind them', \
        both % (5 + n) + b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n' + b
    yield 'chunks and length, the hidden in them', \
        both % 4 + b'Transfer-Encoding: chunked\r\n\r\n' + chunked(b)
    for name, line in (
            ('xchunked', b'Transfer-Encoding: xchunked'),
            ('identity', b'Transfer-Encoding: identity'),
            ('two codings', b'Transfer-Encoding: chunked, identity'),
            ('two codings, turned', b'Transfer-Encoding: identity, chunked'),
            ('gzip', b'Transfer-Encoding: gzip, chunked'),
            ('twice', b'Transfer-Encoding: chunked\r\n'
                      b'Transfer-Encoding: x'),
            ('quoted', b'Transfer-Encoding: "chunked"'),
            ('a vertical tab', b'Transfer-Encoding: \x0bchunked'),
            ('a NUL', b'Transfer-Encoding: chunked\0'),
            ('a blank before the colon', b'Transfer-Encoding : chunked'),
            ('a tab before the colon', b'Transfer-Encoding\t: chunked'),
            ('folded', b'Transfer-Encoding:\r\n chunked'),
            ('folded in front', b'X: a\r\n Transfer-Encoding: chunked'),
            ('a LF before the colon', b'Transfer-Encoding\n: chunked'),
            ('behind a bare LF', b'X: a\nTransfer-Encoding: chunked'),
            ('behind a bare CR', b'X: a\rTransfer-Encoding: chunked'),
            ('underlined', b'Transfer_Encoding: chunked'),
            ('a letter of 8 bits', b'Transfer-Encoding: chunke\xe4')):
        yield 'coding and length: ' + name, \
            both % (5 + n) + line + b'\r\n\r\n0\r\n\r\n' + b
        yield 'coding alone: ' + name, line + b'\r\n\r\n' + chunked(b)
    only = b'Transfer-Encoding: chunked\r\n\r\n'
    yield 'chunks, the hidden in one', only + chunked(b)
    yield 'a chunk of 0x', only + chunked(b, b'0x%x')
    yield 'a chunk of +', only + chunked(b, b'+%x')
    yield 'a chunk of a blank', only + chunked(b, b' %x')
    yield 'a chunk of too many digits', only + chunked(b, b'1%016x')
    yield 'a chunk with a note', only + chunked(b, b'%x;a="\r\n"')
    yield 'a chunk ended by LF', only + chunked(b, end=b'\n')
    yield 'a trailer with a length', \
        only + b'0\r\nContent-Length: %d\r\n\r\n' % n + b


def others(b, key):
    n = len(b)
    yield 'Expect', b'Expect: 100-continue\r\nContent-Length: %d\r\n\r\n' % \
        n + b
    yield 'an upgrade to h2c', b'Connection: Upgrade, HTTP2-Settings\r\n' \
        b'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n' \
        b'Content-Length: %d\r\n\r\n' % n + b
    yield 'an upgrade to a socket', b'Connection: Upgrade\r\n' \
        b'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' \
        b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n' + b
    yield 'a head of 9 KB', b'X: ' + b'a' * 9000 + \
        b'\r\nContent-Length: 0\r\n\r\n'
    yield 'a head of 100 KB', b'X: ' + b'a' * 100000 + \
        b'\r\nContent-Length: 0\r\n\r\n'
    yield 'a body of 100 MB, begun', \
        b'Content-Length: 100000000\r\n\r\n' + b * 3
    yield 'a body of 70 KB', b'Content-Length: 70000\r\n\r\n' + \
        b.ljust(70000)
    yield 'a key twice', b'X-MBX-APIKEY: ' + key.encode() + \
        b'\r\nContent-Length: 0\r\n\r\n'
    yield 'a host twice', b'Host: b\r\nContent-Length: 0\r\n\r\n'


class Counter:
    """How many requests the room api has seen."""

    def __init__(self, port):
        self.url = 'http://127.0.0.1:%d/metrics' % port

    def __call__(self):
        with urllib.request.urlopen(self.url, timeout=10) as r:
            text = r.read().decode()
        return sum(int(float(n)) for n in re.findall(
            r'^drawbridge_api_requests_total\{.*\} (\d+)$', text, re.M))


def hidden_name(name):
    return 'in-' + re.sub('[^a-z0-9]+', '-', name.lower())[:50]


def one_request(front, orders, count, name, make, honest):
    """'' or what is wrong; and how many requests the proxy saw in it."""
    inner = orders.whole(hidden_name(name))
    outer = orders.open(hidden_name(name).replace('in-', 'out-'), b'')
    seen, proxied = count(), front.count()
    got = front.send(outer + make(inner), THIEF)
    after = front.send(honest(), first=10)
    time.sleep(0.005)
    seen, proxied = count() - seen - 1, front.count() - proxied - 1
    if seen < 0 or proxied < 0:
        return 'the honest one was not counted: %d %d' % (seen, proxied), 0
    if seen > proxied:
        return 'one more than the proxy sent: %d of %d, %s' % (
            seen, proxied, got), proxied
    if len(after) != 1 or after[0][0] != 200 or \
            b'vipLevel' not in after[0][1]:
        return "another's answer: %s" % (after,), proxied
    return '', proxied


def smuggling(front, orders, honest_key, count):
    """The names of those that the proxy took for two requests."""
    s = front.s

    def honest():
        return ('GET /sapi/v1/account/info?%s HTTP/1.1\r\nHost: a\r\n'
                'X-MBX-APIKEY: %s\r\n\r\n' % (
                    s.sign(honest_key, {}), honest_key.api_key)).encode()

    def all_of(inner):
        for g in (lengths(inner), transfers(inner),
                  others(inner, orders.key.api_key)):
            yield from g

    names = [n for n, _ in all_of(b'')]
    if len(set(names)) != len(names):
        raise RuntimeError('two cases of one name')
    bad, two = {}, []
    for name in names:
        why, proxied = one_request(
            front, orders, count, name,
            lambda inner, name=name: dict(all_of(inner))[name], honest)
        if why:
            bad[name] = why
        if proxied > 1:
            two.append(name)
    case('%s: %d odd requests, never more out than in' % (
        front.name, len(names)), not bad, json.dumps(bad)[:2000])
    if two:
        print('# %s takes for two: %s' % (front.name, '; '.join(two)))
    # As it should be: the same two, one after the other, are two.
    got = front.send(orders.whole('two-a') + orders.whole('two-b'), THIEF)
    case(front.name + ': two whole ones are two at most',
         1 <= len(got) <= 2 and got[0][0] == 200, got)
    return two


def book(s, key):
    """Names of all withdrawals."""
    rows = s.history(key, limit=1000)
    return [r.get('withdrawOrderId', '') for r in rows]


def addresses(front, key, reads, proto):
    """The client is whom the proxy saw, and nobody else."""
    s = front.s

    def ask(source, more=''):
        return front.send(Orders(s, key).whole('ip-%s-%d' % (
            front.name.replace(' ', '-'), time.monotonic_ns()), more),
            source)

    got = ask(HONEST)
    case(front.name + ': from a listed address', len(got) == 1 and
         got[0][0] == 200, got)
    got = ask(OTHER)
    case(front.name + ': from another', len(got) == 1 and got[0][0] == 401
         and b'-2015' in got[0][1], got)
    for header in ('X-Forwarded-For', 'Forwarded', 'X-Real-IP',
                   'True-Client-IP', 'CF-Connecting-IP', 'X-Real_IP',
                   'x-real-ip'):
        value = ('for=' if header == 'Forwarded' else '') + HONEST
        got = ask(OTHER, '%s: %s\r\n' % (header, value))
        case('%s: from another that says %s: refused' % (front.name, header),
             len(got) == 1 and got[0][0] in (400, 401), got)
    for drop in ('X-Real-IP', 'X-Real-IP, X-MBX-APIKEY'):
        got = ask(OTHER, 'Connection: close, %s\r\n' % drop)
        case('%s: who has %s dropped is not the proxy' % (front.name, drop),
             len(got) == 1 and got[0][0] in (400, 401), got)
    # The proxy itself is on no list, but the list of keys may be empty.
    with socket.socket() as c:
        c.bind((OTHER, 0))
        c.settimeout(5)
        c.connect(('127.0.0.1', s.port))
        if proto:
            c.sendall(b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' +
                      socket.inet_aton(HONEST) + socket.inet_aton(PROXY) +
                      b'\0\1\0\2')
        c.sendall(Orders(s, key).whole('direct', '' if proto else
                                       'X-Real-IP: %s\r\n' % HONEST))
        got = answers(c.recv(65536))
    case(front.name + ': past it, who says he is one: refused',
         len(got) == 1 and got[0][0] == 400, got)
    crowd(front)
    status, j, _ = s.signed(reads, '/sapi/v1/account/status')
    case(front.name + ': who comes directly is himself',
         proto or status == 200, j)


def crowd(front):
    """Limits are the client's, not the proxy's."""
    ask = b'GET /api/v3/exchangeInfo HTTP/1.1\r\nHost: a\r\n\r\n'
    while time.time() % 60 > 45:
        time.sleep(0.2)
    got = []
    with socket.socket() as c:
        c.bind(('127.0.0.34', 0))
        c.settimeout(10)
        c.connect(('127.0.0.1', front.port))
        for _ in range(320):
            c.sendall(ask)
            data = b''
            while not whole(data):
                part = c.recv(65536)
                if not part:
                    break
                data += part
            got += answers(data)[:1]
            if not got or got[-1][0] != 200:
                break
    case(front.name + ': who asks too often is told so',
         got and got[-1][0] == 429, (len(got), got[-1:]))
    other = front.send(ask, '127.0.0.35')
    case(front.name + ': others go on', len(other) == 1 and
         other[0][0] == 200, other)


def try_fronts(conf, fronts, proto):
    port = free_port()
    with service.Service(policy=service.EASY, conf='proxies %s/32\n%s\n'
                         'metrics 127.0.0.1:%d\n' % (PROXY, conf, port)) as s:
        s.hot('1000')
        s.account('thief', btc='50')
        s.account('carol', btc='50')
        thief = s.key('thief', ips=(THIEF, '127.0.0.1'))
        carol = s.key('carol', ips=(HONEST,))
        reads = s.key('carol', withdraw=False, ips=())
        count = Counter(port)
        two = set()
        for name, path, text, more in fronts:
            front = Front(s, name, path, text, **more)
            try:
                two.update(smuggling(front, Orders(s, thief), reads, count))
                addresses(front, carol, reads, proto)
            finally:
                front.end()
            if s.process.poll() is not None or len(s.rooms()) != 5:
                case(name + ': all rooms still run', False)
        names = book(s, s.key('thief', withdraw=False, ips=()))
        allowed = {hidden_name(n) for n in two}
        inside = [n for n in names if n.startswith('in-') and
                  n not in allowed]
        case('%s: nothing hidden is in the book' % ', '.join(
            f[0] for f in fronts), not inside and
            [n for n in names if n.startswith('two-')] != [], inside)


def program(name):
    """Where it is: they lie where only root looks."""
    return shutil.which(name) or shutil.which(
        name, path='/usr/sbin:/usr/local/sbin')


def main():
    nginx, haproxy = program('nginx'), program('haproxy')
    real = 'http-request set-header X-Real-IP %[src]'
    header, proto = [], []
    if nginx:
        header.append(('nginx', nginx, NGINX, {'more': ''}))
        header.append(('nginx unbuffered', nginx, NGINX, {
            'more': 'proxy_request_buffering off;'}))
    if haproxy:
        header.append(('haproxy', haproxy, HAPROXY, {
            'front': real, 'back': '', 'more': ''}))
        header.append(('haproxy lenient', haproxy, HAPROXY, {
            'front': real + '\n\toption accept-invalid-http-request',
            'back': '', 'more': ''}))
        proto.append(('haproxy PROXY v2', haproxy, HAPROXY, {
            'front': '', 'back': '', 'more': 'send-proxy-v2'}))
    for name, path in (('nginx', nginx), ('haproxy', haproxy)):
        if not path:
            print('ok behind %s # SKIP it is not installed' % name)
    if header:
        try_fronts('proxy-header X-Real-IP', header, False)
    if proto:
        try_fronts('proxy-protocol yes', proto, True)
    case.end()


if __name__ == '__main__':
    main()
