"""A real bitcoind on regtest in a folder of its own, for tests.

    with Node() as n:
        n.wallet('watch', disable_private_keys=True, blank=True)
        n.mine(101, address)
        n.rpc('getblockcount')
        n.rpc('listunspent', wallet='watch')

The program is what tools/get-bitcoind finds or brings.  Where none can be
had, Node() raises NoNode, whose text says what to install: a test reports it
as a failure.
"""
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from decimal import Decimal

SOURCE = os.environ.get('SOURCE', '.')


class NoNode(Exception):
    pass


class RpcError(Exception):
    def __init__(self, method, code, message):
        super().__init__('%s: %s %s' % (method, code, message))
        self.code = code
        self.message = message


def program():
    got = subprocess.run([os.path.join(SOURCE, 'tools', 'get-bitcoind')],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    if got.returncode != 0:
        raise NoNode(got.stderr.strip().split('\n')[-1])
    return got.stdout.strip()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Node:
    def __init__(self, *args, connect=None, txindex=False):
        """connect: another Node, whose chain it shares."""
        self.program = program()
        self.dir = tempfile.mkdtemp(prefix='drawbridge-node-')
        self.rpc_port, self.p2p_port = free_port(), free_port()
        self.args = [
            '-regtest', '-datadir=' + self.dir, '-server', '-txindex=%d' %
            txindex, '-rpcport=%d' % self.rpc_port, '-rpcbind=127.0.0.1',
            '-rpcallowip=127.0.0.1', '-port=%d' % self.p2p_port,
            '-bind=127.0.0.1:%d' % self.p2p_port, '-dnsseed=0',
            '-fallbackfee=0.00002', '-maxtxfee=1', '-listenonion=0',
            '-natpmp=0', '-dbcache=20', '-printtoconsole=0',
        ] + list(args)
        if connect is not None:
            self.args.append('-connect=127.0.0.1:%d' % connect.p2p_port)
        else:
            self.args.append('-connect=0')
            self.args.append('-listen=1')
        self.child = None
        self.start()

    def start(self, wait=60):
        self.child = subprocess.Popen(
            [self.program] + self.args, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.dir, 'stderr'), 'wb'))
        end = time.monotonic() + wait
        while time.monotonic() < end:
            if self.child.poll() is not None:
                break
            try:
                self.rpc('getblockcount')
                return
            except (OSError, RpcError, http.client.HTTPException):
                time.sleep(0.05)
        with open(os.path.join(self.dir, 'stderr')) as f:
            raise NoNode('bitcoind does not start: ' + f.read()[-300:])

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def stop(self):
        if self.child is None or self.child.poll() is not None:
            return
        try:
            self.rpc('stop')
            self.child.wait(30)
        except (OSError, RpcError, subprocess.TimeoutExpired):
            self.child.kill()
            self.child.wait()

    def kill(self):
        self.child.kill()
        self.child.wait()

    def cookie(self):
        with open(os.path.join(self.dir, 'regtest', '.cookie'), 'rb') as f:
            return base64.b64encode(f.read()).decode()

    def rpc(self, method, *params, wallet=None, timeout=120, **named):
        """The result; amounts are Decimal.  Named arguments, or in order."""
        body = json.dumps({'jsonrpc': '1.0', 'id': 1, 'method': method,
                           'params': named if named else list(params)},
                          default=str)
        c = http.client.HTTPConnection('127.0.0.1', self.rpc_port,
                                       timeout=timeout)
        try:
            c.request('POST', '/wallet/' + wallet if wallet else '/', body,
                      {'Authorization': 'Basic ' + self.cookie()})
            text = c.getresponse().read()
        finally:
            c.close()
        answer = json.loads(text, parse_float=Decimal)
        if answer.get('error') is not None:
            raise RpcError(method, answer['error'].get('code'),
                           answer['error'].get('message'))
        return answer['result']

    def wallet(self, name, **how):
        self.rpc('createwallet', wallet_name=name, **how)
        return name

    def import_descriptors(self, wallet, descriptors):
        """[(descriptor, internal)]; each must be taken."""
        got = self.rpc('importdescriptors', [
            {'desc': d, 'timestamp': 'now', 'active': '*' in d,
             'internal': internal, **({'range': [0, 999]} if '*' in d
                                      else {})}
            for d, internal in descriptors], wallet=wallet)
        for one in got:
            if not one['success']:
                raise RpcError('importdescriptors', one['error']['code'],
                               one['error']['message'])

    def mine(self, n, address):
        """What is mined is flushed: a kill loses nothing of it."""
        hashes = self.rpc('generatetoaddress', n, address)
        self.rpc('gettxoutsetinfo', 'none')
        return hashes
