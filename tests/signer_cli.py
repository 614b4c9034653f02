"""drawbridge signer, for tests: a folder, its relay, an engine's receipts."""
import base64
import json
import os
import pty
import select
import struct
import subprocess
import tempfile
import shutil
import time

import signer_wire as wire

BUILD = os.environ.get('BUILD', 'build')
PROGRAM = os.environ.get('DRAWBRIDGE', os.path.join(BUILD, 'drawbridge'))
PHRASE = 'correct horse battery staple'
DEPLOYMENT = bytes([0xd1]) * 16
DONE, FAILED, USAGE = 0, 1, 2
PAY_OWN, BURN, STANDING = 2, 3, 4
CEILINGS = '''quorum 2
per-transaction 5 BTC
short-window 144 blocks 10 BTC
long-window 2016 blocks 20 BTC
fee 0.01 BTC
fee-rate 200 sat/vB
spike-fee 0.1 BTC
spike-fee-rate 2000 sat/vB
approve-above 1 BTC
delay 2 blocks
'''


def now_ms():
    return int(time.time() * 1000)


class Engine:
    """An engine's Ed25519 key, and what it says with it."""

    def __init__(self, folder, seed=b'\x45' * 32):
        self.key = os.path.join(folder, 'engine.pem')
        der = bytes.fromhex('302e020100300506032b657004220420') + seed
        with open(self.key, 'w', encoding='ascii') as f:
            f.write('-----BEGIN PRIVATE KEY-----\n%s\n'
                    '-----END PRIVATE KEY-----\n' %
                    base64.b64encode(der).decode())
        out = subprocess.run(['openssl', 'pkey', '-in', self.key, '-pubout',
                              '-outform', 'DER'], check=True,
                             stdout=subprocess.PIPE).stdout
        self.public = out[-32:]
        self.message = os.path.join(folder, 'engine.message')

    def sign(self, message):
        with open(self.message, 'wb') as f:
            f.write(message)
        return subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin',
                               '-inkey', self.key, '-in', self.message],
                              check=True, stdout=subprocess.PIPE).stdout

    def receipt(self, purpose, seq, id_=b'', script=b'', amount=0, fee=0,
                expires=3600000, epoch=1, network=3):
        """A line of base64, as wire/receipt.h has it."""
        tag = b'\0' * 16 if purpose == STANDING else b'\xac' * 16
        body = bytes([1, purpose]) + DEPLOYMENT + bytes([network])
        body += struct.pack('<IQ', epoch, seq) + b'\xae' * 32 + b'\x90' * 32
        body += bytes([len(id_)]) + id_.ljust(64, b'\0') + tag
        body += bytes([len(script)]) + script.ljust(42, b'\0')
        body += struct.pack('<qqq', amount, fee, now_ms() + expires)
        assert len(body) == 243
        signed = self.sign(b'drawbridge receipt 1\n' + body)
        return base64.b64encode(body + signed).decode()

    def standing(self, seq):
        return self.receipt(STANDING, seq)

    def pay(self, seq, id_, script, amount, fee=100000):
        return self.receipt(PAY_OWN, seq, id_, script, amount, fee)


class Host:
    """A signer's host: settings, operators, a folder; not yet founded."""

    def __init__(self, wallet='wpkh', network='regtest', ceilings=CEILINGS):
        self.dir = tempfile.mkdtemp(prefix='signer-cli-')
        self.data = self.path('signer')
        self.engine = Engine(self.dir)
        self.operators = {}
        for name in ('alice', 'bob', 'carol'):
            self.operators[name] = self.keygen(name)
        self.settings = self.write('settings', self.text(wallet, network,
                                                         ceilings))
        self.phrase = self.write('phrase', PHRASE + '\n')
        self.relay = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='ascii') as f:
            f.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding='ascii') as f:
            return f.read()

    def keygen(self, name):
        path = self.path(name + '.key')
        subprocess.run([PROGRAM, 'operator', 'keygen', path], check=True,
                       stdout=subprocess.DEVNULL)
        return self.read(name + '.key.pub').split()[1]

    def text(self, wallet, network, ceilings):
        rights = {'alice': 'approve', 'bob': 'approve,custodian',
                  'carol': 'approve,custodian'}
        return 'network %s\ndeployment %s\nengine %s\nepoch 1\nwallet %s\n' \
            '%s%s' % (network, DEPLOYMENT.hex(), self.engine.public.hex(),
                      wallet, ''.join(
                          'operator %s %s %s\n' % (n, k, rights[n])
                          for n, k in self.operators.items()), ceilings)

    def run(self, *args, input_=''):
        """Without a terminal."""
        return subprocess.run([PROGRAM, 'signer'] + list(args),
                              input=input_, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              start_new_session=True, timeout=120)

    def ask(self, *args, **kw):
        """The running signer, with the newest head."""
        return self.run(*args, '--data', self.data, '--head',
                        self.path('head'), **kw)

    def init(self, *args, **kw):
        return self.run('init', '--data', self.data, '--settings',
                        self.settings, '--passphrase-file', self.phrase,
                        *args, **kw)

    def start(self):
        self.relay = wire.Relay(self.data, program=wire.SIGNER)

    def stop(self):
        if self.relay is not None:
            self.relay.stop()
        self.relay = None

    def unlock(self):
        return self.ask('unlock', '--passphrase-file', self.phrase)

    def status(self):
        return json.loads(self.ask('status', '--json').stdout)

    def approve(self, who, *args):
        """The line that an operator's own machine gives."""
        return self.run('approve', *args, '--as', who, '--key',
                        self.path(who + '.key'), '--data', self.data,
                        '--yes')

    def approvals(self, name, people, *args):
        """A file of them."""
        return self.write(name, ''.join(self.approve(who, *args).stdout
                                        for who in people))


class Terminal:
    """A command on a terminal: what a person sees and types."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, 'signer'] + list(args))
        self.seen = ''
        self.at = 0

    def wait_for(self, text, seconds=60):
        """What came up to and with it; None: it never came."""
        end = time.monotonic() + seconds
        while text not in self.seen[self.at:]:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return None
            if not more:
                return None
            self.seen += more.decode('ascii', 'replace')
        start, self.at = self.at, self.seen.index(text, self.at) + len(text)
        return self.seen[start:self.at]

    def type(self, text):
        os.write(self.fd, text.encode() + b'\n')

    def end(self):
        """Its status."""
        while self.wait_for('\0', 60) is not None:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
