"""A real service in a folder of its own, for tests: started, asked, stopped.

    with Service() as s:
        s.account('carol', btc='5')
        key = s.key('carol')
        status, answer, headers = s.apply(key, amount='0.1', address=s.address(1))
"""
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

BUILD = os.environ.get('BUILD', 'build')
SOURCE = os.environ.get('SOURCE', '.')
PROGRAM = os.environ.get('DRAWBRIDGE', os.path.join(BUILD, 'drawbridge'))
DAEMON = os.path.join(os.path.dirname(os.path.abspath(PROGRAM)), 'drawbridged')

CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'


def _polymod(values):
    gen = (0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)
    chk = 1
    for v in values:
        b = chk >> 25
        chk = (chk & 0x1ffffff) << 5 ^ v
        for i in range(5):
            chk ^= gen[i] if b >> i & 1 else 0
    return chk


def segwit(hrp, program):
    """A version 0 address (BIP173) of 20 or 32 bytes."""
    bits, acc, data = 0, 0, [0]
    for byte in program:
        acc = acc << 8 | byte
        bits += 8
        while bits >= 5:
            bits -= 5
            data.append(acc >> bits & 31)
    if bits:
        data.append(acc << 5 - bits & 31)
    expand = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    mod = _polymod(expand + data + [0] * 6) ^ 1
    check = [mod >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + '1' + ''.join(CHARSET[d] for d in data + check)


class Key:
    """What `drawbridge key create --json` gave."""

    def __init__(self, j):
        self.api_key = j['api_key']
        self.secret = j.get('secret')
        self.account = j['account']


class Service:
    def __init__(self, conf='', policy=None, init=(), args=(), start=True,
                 env=None):
        self.dir = tempfile.mkdtemp(prefix='drawbridge-test-')
        self.data = os.path.join(self.dir, 'data')
        self.args = list(args)
        self.env = dict(os.environ, DRAWBRIDGE_DATA=self.data, **(env or {}))
        self.process = None
        self.log = os.path.join(self.dir, 'log')
        more = list(init)
        if policy is not None:
            path = os.path.join(self.dir, 'test.policy')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(policy)
            more += ['--policy', path]
        self.cli('init', '--data', self.data, '--demo', '--listen',
                 '127.0.0.1:0', *more, json_=False, as_=None)
        if conf:
            with open(self.conf(), 'a', encoding='utf-8') as f:
                f.write(conf)
        if start:
            self.start()

    def conf(self):
        return os.path.join(self.data, 'drawbridged.conf')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop(quiet=True)
        if exc[0] is not None:
            sys.stdout.write(''.join('# ' + line for line in self.tail()))
        shutil.rmtree(self.dir, ignore_errors=True)

    def tail(self, n=30):
        try:
            with open(self.log, encoding='utf-8', errors='replace') as f:
                return [x if x.endswith('\n') else x + '\n'
                        for x in f.readlines()[-n:]]
        except OSError:
            return []

    # The process

    def start(self, wait=30):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [DAEMON, '-c', self.conf(), '--data', self.data] + self.args,
                stdout=subprocess.PIPE, stderr=log, env=self.env, text=True,
                start_new_session=True)
        line = self._first_line(wait)
        if not line.startswith('ready http://'):
            self.stop(quiet=True)
            raise RuntimeError('drawbridged said %r: %s' %
                               (line, ''.join(self.tail(10))))
        self.url = line.split()[1]
        self.host, port = self.url[len('http://'):].rsplit(':', 1)
        self.port = int(port)

    def _first_line(self, wait):
        got = []
        t = threading.Thread(target=lambda: got.append(
            self.process.stdout.readline()), daemon=True)
        t.start()
        t.join(wait)
        return got[0].strip() if got else ''

    def stop(self, quiet=False, wait=30):
        """Ask it to end; its status."""
        p = self.process
        if p is None:
            return None
        if p.poll() is None:
            p.send_signal(signal.SIGTERM)
        try:
            status = p.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            status = None
        if not quiet and status != 0:
            raise RuntimeError('drawbridged ended with %r: %s' %
                               (status, ''.join(self.tail(10))))
        p.stdout.close()
        self.process = None
        return status

    def kill(self):
        """Everything at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def rooms(self):
        """{'api': pid, ...} of what runs now."""
        found = {}
        pid = self.process.pid
        path = '/proc/%d/task/%d/children' % (pid, pid)
        with open(path, encoding='ascii') as f:
            children = f.read().split()
        for child in children:
            try:
                with open('/proc/%s/cmdline' % child, 'rb') as f:
                    words = f.read().replace(b'\0', b' ').decode().split()
            except OSError:
                continue
            for room in ('api', 'auth', 'engine', 'console', 'notify'):
                if room in words:
                    found[room] = int(child)
        return found

    def kill_room(self, room, sig=signal.SIGKILL):
        os.kill(self.rooms()[room], sig)

    def wait_ready(self, wait=30):
        """Until a customer's request gets through again."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            try:
                if self.get('/sapi/v1/system/status')[1].get('status') == 0:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise RuntimeError('not ready again: ' + ''.join(self.tail(10)))

    # The command line

    def run(self, *args, input_=None):
        return subprocess.run([PROGRAM] + list(args), env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, input=input_, check=False)

    def cli(self, *args, as_='alice', json_=True, status=0, reason='test'):
        args = list(args)
        if as_:
            args += ['--as', as_, '--reason', reason]
        if json_:
            args.append('--json')
        r = self.run(*args)
        if r.returncode != status:
            raise RuntimeError('%s: status %d, %s%s' % (
                ' '.join(args), r.returncode, r.stdout, r.stderr))
        if not json_:
            return r.stdout
        return json.loads(r.stdout) if r.stdout.strip() else None

    def ask(self, *args, **kw):
        return self.cli(*args, as_=None, **kw)

    def tell(self, **line):
        return self.cli('tell', json.dumps(line))

    def hot(self, btc):
        return self.tell(type='hot_balance', amount=btc)

    def account(self, name, btc=None, limit=None, address=None):
        args = ['account', 'create', name]
        if limit:
            args += ['--limit-24h', limit]
        if address:
            args += ['--deposit-address', address]
        self.cli(*args)
        if btc:
            self.cli('deposit', name, btc, '--id', 'first-' + name)

    def key(self, account, type_='hmac', withdraw=True, ips=('127.0.0.1',),
            public=None, **kw):
        args = ['key', 'create', '--account', account, '--type', type_]
        if withdraw:
            args.append('--withdraw')
        for ip in ips:
            args += ['--ip', ip]
        if public:
            args += ['--public-key', public]
        return Key(self.cli(*args, **kw))

    # Customers

    @staticmethod
    def address(n, hrp='bcrt'):
        """The n-th of addresses that nobody has the keys of."""
        return segwit(hrp, hashlib.sha256(b'address %d' % n).digest()[:20])

    def connect(self, timeout=15):
        return http.client.HTTPConnection(self.host, self.port,
                                          timeout=timeout)

    def get(self, target, headers=None, method='GET', body=None,
            connection=None):
        c = connection or self.connect()
        try:
            c.request(method, target, body=body, headers=headers or {})
            r = c.getresponse()
            raw = r.read()
            try:
                answer = json.loads(raw)
            except ValueError:
                answer = raw
            return r.status, answer, dict(r.getheaders())
        finally:
            if connection is None:
                c.close()

    @staticmethod
    def sign(key, params, stamp=True):
        """The query string of params, signed."""
        if stamp and 'timestamp' not in params:
            params = dict(params, timestamp=int(time.time() * 1000))
        text = '&'.join('%s=%s' % (k, urllib.parse.quote(str(v), safe=''))
                        for k, v in params.items())
        mac = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256)
        return text + '&signature=' + mac.hexdigest()

    def signed(self, key, path, method='GET', in_body=False, headers=None,
               connection=None, **params):
        text = self.sign(key, params)
        head = {'X-MBX-APIKEY': key.api_key}
        head.update(headers or {})
        if in_body:
            head['Content-Type'] = 'application/x-www-form-urlencoded'
            return self.get(path, head, method, text, connection)
        return self.get(path + '?' + text, head, method,
                        '' if method == 'POST' else None, connection)

    def apply(self, key, amount, address, connection=None, **more):
        params = dict(coin='BTC', address=address, amount=amount)
        params.update(more)
        return self.signed(key, '/sapi/v1/capital/withdraw/apply', 'POST',
                           connection=connection, **params)

    def history(self, key, **params):
        return self.signed(key, '/sapi/v1/capital/withdraw/history',
                           **params)[1]


# A policy under which everything small enough leaves at once.
EASY = '''policy 1
default allow
'''


class Cases:
    """`ok NAME` and `not ok NAME: why`."""

    def __init__(self):
        self.failed = 0

    def __call__(self, name, good, why=''):
        if good:
            print('ok ' + name)
        else:
            print('not ok %s: %s' % (name, why))
            self.failed += 1
        sys.stdout.flush()
        return good

    def equal(self, name, got, want):
        return self(name, got == want, '%r, not %r' % (got, want))

    def end(self):
        sys.exit(1 if self.failed else 0)
