"""Many HTTP requests at once, over many connections, for tests.

    answers = run(service, [apply(key, ...), ...], connections=100)
"""
import asyncio
import hashlib
import hmac
import json
import socket
import time
import urllib.parse

APPLY = '/sapi/v1/capital/withdraw/apply'


def query(params):
    return '&'.join('%s=%s' % (k, urllib.parse.quote(str(v), safe=''))
                    for k, v in params.items())


def signature(key, text):
    return hmac.new(key.secret.encode(), text.encode(),
                    hashlib.sha256).hexdigest()


def signed(key, **params):
    """A query string that is good for a minute."""
    params.setdefault('recvWindow', 60000)
    params.setdefault('timestamp', int(time.time() * 1000))
    text = query(params)
    return text + '&signature=' + signature(key, text)


def request(key, method, path, text, ip=None, body=None):
    """The bytes of it."""
    head = '%s %s HTTP/1.1\r\nHost: h\r\nX-MBX-APIKEY: %s\r\n' % (
        method, path + ('?' + text if text else ''), key.api_key)
    if ip:
        head += 'X-Real-IP: %s\r\n' % ip
    if body is not None:
        head += 'Content-Type: application/x-www-form-urlencoded\r\n'
    if method == 'POST' or body is not None:
        head += 'Content-Length: %d\r\n' % len(body or '')
    return (head + '\r\n' + (body or '')).encode()


def apply(key, ip=None, **params):
    return request(key, 'POST', APPLY, signed(key, coin='BTC', **params), ip)


async def read_answer(reader):
    head = await reader.readuntil(b'\r\n\r\n')
    status, length = int(head[9:12]), 0
    for line in head.split(b'\r\n')[1:]:
        if line.lower().startswith(b'content-length:'):
            length = int(line[15:])
    body = await reader.readexactly(length)
    return status, body


async def one_connection(s, items, answers):
    """Each in turn; what gets no answer is None."""
    reader = writer = None
    for n, raw in items:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(s.host, s.port)
            writer.write(raw() if callable(raw) else raw)
            answers[n] = await asyncio.wait_for(read_answer(reader), 30)
        except (OSError, asyncio.IncompleteReadError,
                asyncio.TimeoutError):
            answers[n] = None
            if writer is not None:
                writer.close()
            writer = None
    if writer is not None:
        writer.close()


async def all_connections(s, requests, connections):
    answers = [None] * len(requests)
    items = list(enumerate(requests))
    await asyncio.gather(*(one_connection(s, items[i::connections], answers)
                           for i in range(connections)))
    return answers


def run(s, requests, connections=100):
    """[(status, body) or None, ...] in the order of the requests, which are
    bytes, or functions that make them when it is their turn."""
    return asyncio.run(all_connections(s, requests, connections))


def answer(a):
    try:
        return json.loads(a[1])
    except (TypeError, ValueError):
        return None


class Lockstep:
    """Many connections of which each has one request under way: cheaper a
    request than `run`."""

    def __init__(self, s, connections=50):
        self.s = s
        self.socks = [None] * connections

    def close(self):
        for i, sock in enumerate(self.socks):
            if sock is not None:
                sock.close()
            self.socks[i] = None

    def _send(self, i, raw):
        try:
            if self.socks[i] is None:
                self.socks[i] = socket.create_connection(
                    (self.s.host, self.s.port), timeout=20)
            self.socks[i].sendall(raw)
        except OSError:
            self._lost(i)

    def _lost(self, i):
        if self.socks[i] is not None:
            self.socks[i].close()
        self.socks[i] = None

    def _hear(self, i):
        """(status, whole answer), or None."""
        if self.socks[i] is None:
            return None
        got = b''
        while True:
            try:
                more = self.socks[i].recv(65536)
            except OSError:
                more = b''
            if not more:
                self._lost(i)
                return None
            got += more
            end = got.find(b'\r\n\r\n')
            if end < 0:
                continue
            at = got.lower().find(b'content-length:', 0, end)
            length = int(got[at + 15:got.index(b'\r\n', at)]) if at > 0 else 0
            if len(got) >= end + 4 + length:
                if b'onnection: close' in got[:end]:
                    self._lost(i)
                return int(got[9:12]), got[end + 4:]

    def ask(self, requests):
        """Answers in the order of the requests; None: none came."""
        n = len(self.socks)
        for at in range(0, len(requests), n):
            part = requests[at:at + n]
            for i, raw in enumerate(part):
                self._send(i, raw)
            for i in range(len(part)):
                yield self._hear(i)
