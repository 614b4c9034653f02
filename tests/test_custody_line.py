#!/usr/bin/env python3
"""From a customer's request to a mined block, by our own signer, and back."""
import json
import os
import shutil
import sys

SOURCE = os.environ.get('SOURCE', '.')
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import node as nodes                                    # noqa: E402
import service                                          # noqa: E402
import signer_cli as cli                                # noqa: E402

case = service.Cases()


class Host(cli.Host):
    """A signer of a real engine's."""

    def __init__(self, s):
        words = s.ask('receipt', 'trust', json_=False).split()
        self.deployment, self.public = words[1], words[3]
        super().__init__()

    def text(self, wallet, network, ceilings):
        was = super().text(wallet, network, ceilings).split('\n')
        lines = {'deployment': self.deployment, 'engine': self.public}
        return '\n'.join('%s %s' % (w, lines[w]) if w in lines else line
                         for line in was
                         for w in [line.split(' ')[0]])


class Line:
    """Service, signer and node, and a person with files between them."""

    def __init__(self, s, h, node):
        self.s, self.h, self.node = s, h, node
        self.head = h.path('head')

    def begin(self):
        h, s, n = self.h, self.s, self.node
        got = h.init('--no-backup', '--json')
        case('founded for this engine', got.returncode == 0, got.stderr)
        key = json.loads(got.stdout)['key']
        h.start()
        h.unlock()
        h.status()
        s.stop()
        with open(s.conf(), 'a', encoding='utf-8') as f:
            f.write('signer-key %s\n' % key)
        s.start()
        n.wallet('miner')
        n.mine(101, n.rpc('getnewaddress', wallet='miner'))
        n.wallet('watch', disable_private_keys=True, blank=True)
        n.rpc('importdescriptors', json.loads(h.run(
            'descriptors', '--data', h.data, '--json').stdout),
            wallet='watch')
        for _ in range(3):
            n.rpc('sendtoaddress', n.rpc('getnewaddress', '', 'bech32',
                                         wallet='watch'), 2, wallet='miner')
        n.mine(1, n.rpc('getnewaddress', wallet='miner'))

    def bring_head(self):
        return self.s.ask('receipt', 'head', self.head)

    def file(self, name, *args):
        """What `receipt ARGS` prints, in a file; None: it was refused."""
        r = self.s.run('receipt', *args)
        return self.h.write(name, r.stdout) if r.returncode == 0 else None

    def standing(self):
        return self.file('standing', 'standing', '--head', self.head)

    def psbt(self, address, btc, **how):
        n = self.node
        options = {'fee_rate': 2, 'change_type': 'bech32', 'minconf': 1}
        return n.rpc('walletcreatefundedpsbt', [], [{address: btc}],
                     n.rpc('getblockcount'), dict(options, **how),
                     wallet='watch')['psbt']

    def sign(self, psbt, receipt):
        standing = self.standing()
        return self.h.ask('sign', psbt, '--receipt', receipt, '--standing',
                          standing)


def request(s, key, amount, address, **more):
    status, answer, _ = s.apply(key, amount, address, **more)
    assert status == 200, answer
    return answer['id']


def pays(line, key):
    s, n = line.s, line.node
    to = n.rpc('getnewaddress', wallet='miner')
    id_ = request(s, key, '0.2', to)
    receipt = line.file('receipt', 'issue', id_)
    case('a receipt for what was released', receipt is not None)
    psbt = line.psbt(to, '0.2')
    got = line.sign(psbt, receipt)
    case('signed', got.returncode == 0, got.stderr)
    done = n.rpc('finalizepsbt', got.stdout.strip())
    case('complete', done['complete'], done)
    txid = n.rpc('sendrawtransaction', done['hex'])
    n.mine(1, n.rpc('getnewaddress', wallet='miner'))
    paid = n.rpc('getreceivedbyaddress', to, wallet='miner')
    case('mined: the customer has his money', str(paid) == '0.20000000' and
         n.rpc('gettransaction', txid, wallet='watch')['confirmations'] == 1,
         paid)
    answer = line.bring_head()
    case('the head goes back to the engine', answer['state'] == 'newer',
         answer)
    signed = json.loads(line.h.ask('signed', '--json').stdout)
    case('the signer names the withdrawal', signed['id'] == id_ and
         signed['txid'] == txid, signed)
    other = line.psbt(to, '0.2')
    got = line.sign(other, receipt)
    case('C1: no second transaction beside it', got.returncode == 1 and
         'no-conflict' in got.stderr, got.stderr)
    burn = line.file('burn', 'burn', id_)
    got = line.h.ask('burn', '--receipt', burn)
    case('C1: what was signed is not burned', got.returncode == 1 and
         'id-signed' in got.stderr, got.stderr)
    return id_


def takes_back(line, key):
    """Denied after its release: by the signer, and back."""
    s = line.s
    free = float(free_of(s, key))
    to = line.node.rpc('getnewaddress', wallet='miner')
    id_ = request(s, key, '0.3', to)
    receipt = line.file('receipt', 'issue', id_)
    r = s.run('withdrawal', 'deny', id_, '--as', 'alice', '--reason', 'x')
    case('C1: denied after its release: too late', r.returncode == 1,
         r.stderr)
    burn = line.file('burn', 'burn', id_)
    got = line.h.ask('burn', '--receipt', burn)
    case('the signer will never sign it', got.returncode == 0, got.stderr)
    case('C1: until that is brought back, the money is gone',
         round(free - float(free_of(s, key)), 8) == 0.3)
    answer = s.ask('receipt', 'burned', line.h.write('burned', got.stdout))
    case('C1: and then it is back', answer['state'] == 'burned' and
         round(free - float(free_of(s, key)), 8) == 0, answer)
    got = line.sign(line.psbt(to, '0.3'), receipt)
    case('C1: the receipt that was kept pays nothing', got.returncode == 1 and
         'id-burned' in got.stderr, got.stderr)
    case('the head goes back', line.bring_head()['state'] == 'newer')


def free_of(s, key):
    return s.signed(key, '/sapi/v3/asset/getUserAsset', 'POST')[1][0]['free']


def several(line, key):
    """One event released them, one transaction pays them."""
    s, n = line.s, line.node
    s.cli('halt')
    to = [n.rpc('getnewaddress', wallet='miner') for _ in range(3)]
    ids = [request(s, key, '0.0%d' % (i + 1), a) for i, a in enumerate(to)]
    s.cli('resume')
    files = []
    for i in ids:
        files += ['--receipt', line.file('receipt-' + i, 'issue', i)]
    n_options = {'fee_rate': 2, 'change_type': 'bech32', 'minconf': 1}
    psbt = n.rpc('walletcreatefundedpsbt', [],
                 [{a: '0.0%d' % (i + 1)} for i, a in enumerate(to)],
                 n.rpc('getblockcount'), n_options, wallet='watch')['psbt']
    got = line.h.ask('sign', psbt, *files, '--standing', line.standing())
    case('H5: three that one event released, in one transaction',
         got.returncode == 0, got.stderr)
    n.rpc('sendrawtransaction', n.rpc('finalizepsbt', got.stdout.strip())[
        'hex'])
    n.mine(1, n.rpc('getnewaddress', wallet='miner'))
    line.bring_head()


def yesterday(line, key):
    """C4: the signer's disk of yesterday, and the engine's newest head."""
    h, s, n = line.h, line.s, line.node
    h.stop()
    old = h.path('yesterday')
    shutil.copytree(h.data, old)
    h.start()
    h.unlock()
    to = n.rpc('getnewaddress', wallet='miner')
    id_ = request(s, key, '0.11', to)
    receipt = line.file('receipt', 'issue', id_)
    first = line.psbt(to, '0.11')
    got = line.sign(first, receipt)
    case('signed today', got.returncode == 0, got.stderr)
    line.bring_head()
    h.stop()
    os.rename(h.data, h.path('today'))
    os.rename(old, h.data)
    os.unlink(line.head)
    h.start()
    h.unlock()
    os.unlink(line.head)
    got = line.sign(line.psbt(to, '0.11', add_inputs=True), receipt)
    case('C4: with yesterday\'s journal it signs nothing: the engine knows '
         'better', got.returncode == 1 and 'behind' in got.stderr, got.stderr)
    h.stop()
    shutil.rmtree(h.data)
    os.rename(h.path('today'), h.data)
    h.start()
    h.unlock()
    got = line.sign(first, receipt)
    case('C4: with today\'s it gives the same again', got.returncode == 0,
         got.stderr)
    n.rpc('sendrawtransaction', n.rpc('finalizepsbt', got.stdout.strip())[
        'hex'])
    n.mine(1, n.rpc('getnewaddress', wallet='miner'))
    line.bring_head()


def pay_one(line, key, btc, to=None, **more):
    """Released, signed, mined, its head brought back: the id."""
    n = line.node
    to = to or n.rpc('getnewaddress', wallet='miner')
    id_ = request(line.s, key, btc, to, **more)
    receipt = line.file('receipt', 'issue', id_)
    got = line.sign(line.psbt(to, btc), receipt)
    case('paid %s' % btc, got.returncode == 0, got.stderr)
    n.rpc('sendrawtransaction', n.rpc('finalizepsbt', got.stdout.strip())[
        'hex'])
    n.mine(1, n.rpc('getnewaddress', wallet='miner'))
    line.bring_head()
    return id_


def restored(line, key):
    """C5: the engine's journal of yesterday, and the signer knows better."""
    h, s = line.h, line.s
    db = os.path.join(s.data, 'journal.db')
    backup = os.path.join(s.dir, 'backup')
    r = s.run('backup', '--db', db, '--quiet', backup)
    case('a backup', r.returncode == 0, r.stderr)
    to = line.node.rpc('getnewaddress', wallet='miner')
    id_ = pay_one(line, key, '0.12', to, withdrawOrderId='order-12')
    s.stop()
    os.mkdir(os.path.join(s.dir, 'lost'))
    for name in os.listdir(s.data):
        if name.startswith(('journal.db', 'book.db')):
            os.rename(os.path.join(s.data, name),
                      os.path.join(s.dir, 'lost', name))
    r = s.run('restore', '--db', db, '--quiet', backup)
    case('C5: yesterday\'s journal is put back', r.returncode == 0, r.stderr)
    s.start()
    case('C5: and everything is stopped', s.ask('status')['halted'])
    s.cli('resume')
    case('C5: resumed, and the signer not heard: nobody is paid',
         'not heard' in s.run('receipt', 'issue', line.first).stderr)
    # Its numbers go on, and soon they are no lower than those that are lost.
    for btc in ('7', '8', '9'):
        s.hot(btc)
    r = s.run('receipt', 'head', line.head)
    case('C5: the signer\'s head says that it is an old one',
         r.returncode == 1 and 'was put back' in r.stderr and
         s.ask('status')['halted'], r.stderr)
    signed = h.write('signed', h.ask('signed', '--json').stdout)
    r = s.run('receipt', 'behind', signed, '--json')
    got = json.loads(r.stdout)
    case('C5: what was signed since then is named, and whose it was',
         r.returncode == 1 and [(x['id'], x['amount'], x['state'],
                                 x['account']) for x in got['behind']] == [
             (id_, '0.12000000', 'unknown', 'carol')], got)
    s.cli('resume')
    case('C5: resumed, and not adopted: nobody is paid', 'has not adopted'
         in s.run('receipt', 'issue', line.first).stderr)
    # Somebody settles with carol, and two say so.
    standing = line.file('standing', 'standing')
    args = ('adopt', '--standing', standing, '--booked', str(got['record']))
    approvals = h.approvals('adopt', ['alice', 'bob'], *args)
    adopted = h.ask(*args, '--approval', approvals)
    case('C5: adopted by a quorum', adopted.returncode == 0, adopted.stderr)
    case('its heads are taken', line.bring_head()['state'] == 'newer')
    again = s.run('receipt', 'issue', id_)
    case('C5: what was forgotten is not known by its resume',
         again.returncode == 1 and 'no such' in again.stderr, again.stderr)
    fresh = s.key('carol')
    free = float(free_of(s, fresh))
    case('C5: asked again it is the same withdrawal, and debited', request(
        s, fresh, '0.12', to, withdrawOrderId='order-12') == id_ and
         round(free - float(free_of(s, fresh)), 8) == 0.12)
    receipt = line.file('receipt', 'issue', id_)
    got = line.sign(line.psbt(to, '0.12'), receipt)
    case('C5: and the signer pays it no second time', got.returncode == 1 and
         'no-conflict' in got.stderr, got.stderr)
    r = s.run('receipt', 'behind', signed)
    case('C5: so it is behind no more', r.returncode == 0 and
         'nothing is behind' in r.stdout, r.stdout)
    pay_one(line, fresh, '0.13')


def main():
    try:
        node = nodes.Node()
    except nodes.NoNode as e:
        case('a node', False, str(e))
        case.end()
    with node, service.Service(policy=service.EASY) as s, Host(s) as h:
        line = Line(s, h, node)
        line.begin()
        s.account('carol', btc='5')
        s.hot('6')
        key = s.key('carol')
        case('the first head', line.bring_head()['state'] == 'newer')
        line.first = pays(line, key)
        takes_back(line, key)
        several(line, key)
        yesterday(line, key)
        restored(line, key)
    case.end()


if __name__ == '__main__':
    main()
