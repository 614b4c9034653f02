"""Frames of wire/sign.h, and a relay to send them to."""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get('BUILD', 'build')
RELAY = os.path.abspath(os.path.join(BUILD, 'drawbridge-relay'))
SIGNER = os.path.abspath(os.path.join(BUILD, 'drawbridge-signer'))

STATUS, DESCRIPTORS, HALT, RESUME, PAY, LOAD, COSIGN, BURN = range(1, 9)
UNLOCK, LOCK, REARM, SETTINGS = range(32, 36)
DONE, REFUSED = 64, 65
MAX = 16 << 20
FIELDS = ('number', 'refusal', 'known', 'standing', 'psbt', 'receipts',
          'approvals', 'id', 'outpoint', 'txid', 'block', 'key', 'secret',
          'reason', 'head', 'body')
MALFORMED, PERMISSION, LOCKED, PASSPHRASE = 1, 2, 3, 4


def refusals(source):
    """Their names, by number, as the header has them."""
    with open(os.path.join(source, 'wire', 'sign.h'), encoding='utf-8') as f:
        text = f.read()
    text = text[text.index('enum sign_refusal {'):]
    return re.findall(r'^\tSIGN_REFUSE_(\w+)', text[:text.index('};')], re.M)


def varint(n):
    out = b''
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def frame(kind, tag, **fields):
    body = bytes([kind]) + struct.pack('<Q', tag)
    for n, name in enumerate(FIELDS, 1):
        if name not in fields:
            continue
        value = fields[name]
        if isinstance(value, int):
            value = struct.pack('<Q', value)
        body += bytes([n]) + varint(len(value)) + value
    return struct.pack('<I', len(body)) + body


class Answer:
    def __init__(self, raw):
        self.raw = raw
        self.kind = raw[4]
        self.tag = struct.unpack_from('<Q', raw, 5)[0]
        self.fields = {}
        at = 13
        while at < len(raw):
            name = FIELDS[raw[at] - 1]
            at += 1
            n = shift = 0
            while True:
                n |= (raw[at] & 0x7f) << shift
                shift += 7
                at += 1
                if raw[at - 1] < 0x80:
                    break
            value = raw[at:at + n]
            at += n
            if name in ('number', 'refusal'):
                value = struct.unpack('<Q', value)[0]
            self.fields[name] = value

    def __repr__(self):
        return 'Answer(%d, %r)' % (self.kind, self.fields)

    def get(self, name, default=b''):
        return self.fields.get(name, default)

    @property
    def refusal(self):
        return self.fields.get('refusal', 0)


class Gone(Exception):
    """The other side hung up."""


def read_exactly(s, n):
    out = bytearray()
    while len(out) < n:
        more = s.recv(min(n - len(out), 1 << 20))
        if not more:
            raise Gone('after %d of %d bytes' % (len(out), n))
        out += more
    return bytes(out)


def read_answer(s):
    head = read_exactly(s, 4)
    return Answer(head + read_exactly(s, struct.unpack('<I', head)[0]))


def ask(s, kind, tag=1, **fields):
    s.sendall(frame(kind, tag, **fields))
    return read_answer(s)


def connect(path, timeout=30):
    s = socket.socket(socket.AF_UNIX)
    # One that may not wait would not get into a full queue.
    s.connect(path)
    s.settimeout(timeout)
    return s


def children(pid):
    """name: pid, of those that `pid` started."""
    found = {}
    for entry in os.listdir('/proc'):
        if not entry.isdigit():
            continue
        try:
            with open('/proc/%s/stat' % entry, encoding='ascii') as f:
                text = f.read()
        except OSError:
            continue
        name = text[text.index('(') + 1:text.rindex(')')]
        if int(text[text.rindex(')') + 1:].split()[1]) == pid:
            found[name] = int(entry)
    return found


def alive(pid):
    """There, and not only waited for."""
    try:
        with open('/proc/%d/stat' % pid, encoding='ascii') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


class Relay:
    """A drawbridge-relay over a folder; `with` ends it."""

    def __init__(self, folder=None, args=(), program=None, wait=True,
                 env=None):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix='relay-')
        self.args = list(args)
        if program is not None:
            self.args += ['--signer', program]
        self.env = env
        self.lines = []
        self.p = None
        if self.own:
            for name in ('journal', 'seed'):
                self.write(name, b'')
        if wait:
            self.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), 'wb',
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(content)

    def start(self, ready=True):
        self.lines = []
        env = dict(os.environ if self.env is None else self.env)
        self.p = subprocess.Popen(
            [RELAY, '--data', self.folder] + self.args, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out = []
        self.readers = [
            threading.Thread(target=self.collect, args=x, daemon=True)
            for x in ((self.p.stdout, self.out), (self.p.stderr, self.lines))]
        for t in self.readers:
            t.start()
        want = 2 if '--listen' in self.args else 1
        if ready and not self.wait_for(lambda: len(self.out) >= want):
            raise RuntimeError('not ready: ' + self.log())
        if ready and want == 2:
            words = self.out[1].split()
            self.port = int(words[1].rsplit(':', 1)[1])
            self.pin = words[3]

    @staticmethod
    def collect(f, to):
        for line in f:
            to.append(line.decode('utf-8', 'replace').rstrip('\n'))

    def log(self):
        return '\n'.join(self.lines)

    def wait_for(self, what, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return True
            if self.p.poll() is not None:
                time.sleep(0.1)
                return bool(what())
            time.sleep(0.01)
        return False

    def pid(self, name):
        """signer, hub or door."""
        names = children(self.p.pid)
        for n, pid in names.items():
            if (name == 'signer') == (not n.startswith('dbridge:')) and \
               (name == 'signer' or n == 'dbridge:' + name):
                return pid
        return None

    def kill(self, name, sig=signal.SIGKILL):
        """End it, and wait for the next one."""
        was = self.pid(name)
        os.kill(was, sig)
        self.wait_for(lambda: self.pid(name) not in (None, was))
        return was

    def ended(self):
        """Its exit status, when it has said everything."""
        status = self.p.wait(20)
        for t in self.readers:
            t.join(10)
        return status

    def requests(self, timeout=30):
        return connect(self.path('signer.sock'), timeout)

    def custodian(self, timeout=30):
        return connect(self.path('custodian.sock'), timeout)

    def stop(self, sig=signal.SIGTERM):
        if self.p is None or self.p.poll() is not None:
            return
        self.p.send_signal(sig)
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)


def make_identity(folder):
    """Its pin."""
    return subprocess.run([RELAY, '--make-identity', folder], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()


if __name__ == '__main__':
    sys.exit('a part of tests')
