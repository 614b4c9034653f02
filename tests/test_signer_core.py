#!/usr/bin/env python3
"""drawbridge signer with Bitcoin Core: what a person does by hand, and the
wallet's recovery with Bitcoin Core alone."""
import json
import os
import re
import sys

SOURCE = os.environ.get('SOURCE', '.')
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import service                                          # noqa: E402
import signer_cli as cli                                # noqa: E402
from node import NoNode, Node, RpcError                 # noqa: E402

case = service.Cases()
# A key of nobody's: "payee".
PAYEE = bytes.fromhex('0014' + '42' * 20)
TYPES = {'wpkh': 'bech32', 'tr': 'bech32m', 'wsh 2 of 3': 'bech32'}


class Desk:
    """A signer, its watch-only wallet on a node, and an engine that pays."""

    def __init__(self, node, host, wallet='wpkh', found=True):
        self.node, self.host, self.type = node, host, TYPES[wallet]
        self.name = 'watch-' + os.path.basename(host.dir)
        if found:
            self.proved = self.init_with_backup()
            host.start()
            host.unlock()
        node.wallet(self.name, disable_private_keys=True, blank=True)
        self.seq = 0

    def init_with_backup(self):
        """Somebody types what the file says."""
        h = self.host
        t = cli.Terminal('init', '--data', h.data, '--settings', h.settings,
                         '--passphrase-file', h.phrase, '--backup-to',
                         h.path('backup'))
        t.wait_for('> ')
        t.type(h.read('backup').split('\n')[0])
        return t.end() == 0

    def watch(self):
        got = json.loads(self.host.run('descriptors', '--data',
                                       self.host.data, '--json').stdout)
        return self.node.rpc('importdescriptors', got, wallet=self.name)

    def fund(self, btc):
        n = self.node
        address = n.rpc('getnewaddress', '', self.type, wallet=self.name)
        n.rpc('sendtoaddress', address, btc, wallet='miner')
        n.mine(1, n.rpc('getnewaddress', wallet='miner'))
        return address

    def psbt(self, outputs, **how):
        """Locked at the tip, as the signer wants it (C3)."""
        n = self.node
        options = {'fee_rate': 2, 'change_type': self.type, 'minconf': 1}
        options.update(how)
        return n.rpc('walletcreatefundedpsbt', [], outputs,
                     n.rpc('getblockcount'), options,
                     wallet=self.name)['psbt']

    def pay(self, id_, script, sat, **more):
        """A receipt, in a file."""
        self.seq += 1
        line = self.host.engine.pay(self.seq, id_, script, sat, **more)
        return self.host.write('receipt-' + id_.decode(), line + '\n')

    def standing(self):
        return self.host.write('standing', self.host.engine.standing(
            self.seq) + '\n')

    def sign(self, psbt, *args, command='sign'):
        return self.host.ask(command, psbt, '--standing', self.standing(),
                             *args)

    def send(self, psbt):
        n = self.node
        got = n.rpc('finalizepsbt', psbt)
        assert got['complete'], got
        txid = n.rpc('sendrawtransaction', got['hex'])
        n.mine(1, n.rpc('getnewaddress', wallet='miner'))
        return n.rpc('getrawtransaction', txid, True, n.rpc(
            'getbestblockhash'))


def refused(name, got, word):
    case(name, got.returncode == 1 and 'refused, %s: ' % word in got.stderr,
         (got.returncode, got.stderr[-300:]))


def by_hand(node, wallet):
    address = node.rpc('decodescript', PAYEE.hex())['address']
    with cli.Host(wallet) as h:
        d = Desk(node, h, wallet)
        case('%s: the backup was typed back' % wallet, d.proved)
        case('%s: the descriptors are taken' % wallet,
             all(x['success'] for x in d.watch()))
        d.fund(3)
        psbt = d.psbt([{address: '0.5'}])
        refused('%s: a payment without its receipt' % wallet, d.sign(psbt),
                'output-unknown')
        receipt = d.pay(b'w-1', PAYEE, 50000000)
        got = d.sign(psbt, '--receipt', receipt)
        if not case('%s: signed' % wallet, got.returncode == 0, got.stderr):
            return
        tx = d.send(got.stdout.strip())
        case('%s: mined' % wallet, tx['confirmations'] == 1, tx)
        again = d.sign(psbt, '--receipt', receipt, '--json')
        case('%s: the same PSBT, the same signature' % wallet,
             json.loads(again.stdout)['psbt'] == got.stdout.strip() and
             json.loads(again.stdout)['txid'] == tx['txid'], again.stderr)
        psbt = d.psbt([{address: '0.5'}])
        refused('%s: paid twice' % wallet, d.sign(psbt, '--receipt',
                                                  receipt), 'no-conflict')
        psbt = d.psbt([{address: '1.5'}])
        receipt = d.pay(b'w-2', PAYEE, 150000000)
        refused('%s: above the threshold' % wallet, d.sign(
            psbt, '--receipt', receipt), 'approvals')
        two = h.approvals('two', ['carol', 'alice'], 'pay', '--receipt',
                          receipt)
        got = d.sign(psbt, '--receipt', receipt, '--approval', two)
        case('%s: with two who approve' % wallet, got.returncode == 0,
             got.stderr)
        d.send(got.stdout.strip())
        rows = [json.loads(r) for r in h.ask('signed', '--json')
                .stdout.split('\n') if r]
        case('%s: what was signed' % wallet, [(r['id'], r['amount'])
             for r in rows] == [('w-1', '0.50000000'), ('w-2', '1.50000000')]
             and rows[0]['txid'] == tx['txid'], rows)
        rows = h.ask('signed', '--after', str(rows[0]['record'])).stdout
        case('%s: what was signed since then' % wallet,
             rows.count('\n') == 1 and ' w-2 1.5 BTC ' in rows, rows)
        paper(node, h, d, wallet)
        alone(node, h, d, wallet)


def paper(node, h, d, wallet):
    """Section 6 of the key ceremony: by the letters on the paper."""
    key = h.read('backup').split('\n')[0]
    desc = {'wpkh': 'wpkh(%s/84h/1h/0h/0/*)',
            'tr': 'tr(%s/86h/1h/0h/0/*)'}[wallet] % key
    desc += '#' + node.rpc('getdescriptorinfo', desc)['checksum']
    public = h.run('descriptors', '--data', h.data).stdout.split()[0]
    case('%s: the paper gives the printed descriptor' % wallet,
         node.rpc('deriveaddresses', desc, [0, 2]) ==
         node.rpc('deriveaddresses', public, [0, 2]))


def alone(node, h, d, wallet):
    """The signer is gone for good: its backup and Bitcoin Core."""
    h.stop()
    left = node.rpc('getbalance', wallet=d.name)
    name = node.wallet('rescue-' + wallet, blank=True)
    got = node.rpc('importdescriptors', json.loads(
        h.read('backup').split('\n')[3]), wallet=name)
    case('%s: Bitcoin Core takes the backup' % wallet,
         all(x['success'] for x in got), got)
    there = node.rpc('getbalance', wallet=name)
    case('%s: and finds all that is left' % wallet, there == left > 0,
         (there, left))
    home = node.rpc('getnewaddress', wallet='miner')
    txid = node.rpc('sendall', [home], wallet=name)['txid']
    node.mine(1, home)
    case('%s: and takes it home' % wallet, node.rpc(
        'gettransaction', txid, wallet=name)['confirmations'] == 1)


def batch(node):
    """Receipts and approvals of several, in any order; a spike of fees."""
    with cli.Host() as h:
        d = Desk(node, h)
        d.watch()
        d.fund(9)
        scripts = [bytes([0, 20]) + bytes([n]) * 20 for n in range(3)]
        outputs = [{node.rpc('decodescript', s.hex())['address']: '1.25'}
                   for s in scripts]
        psbt = d.psbt(outputs)
        receipts = [d.pay(b'b-%d' % n, s, 125000000)
                    for n, s in enumerate(scripts)]
        files = []
        for n in (2, 0, 1):
            files += ['--approval', h.approvals(
                'two-%d' % n, ['bob', 'alice'], 'pay', '--receipt',
                receipts[n])]
        for r in receipts:
            files += ['--receipt', r]
        got = d.sign(psbt, *files)
        case('a batch, with approvals in another order', got.returncode == 0,
             got.stderr)
        d.send(got.stdout.strip())
        psbt = d.psbt([{node.rpc('decodescript', PAYEE.hex())['address']:
                        '0.1'}], fee_rate=900)
        receipt = d.pay(b'b-9', PAYEE, 10000000, fee=200000)
        got = d.sign(psbt, '--receipt', receipt)
        refused('a fee above the first ceiling', got, 'approvals')
        file = h.write('psbt', psbt + '\n')
        two = h.approvals('fee', ['bob', 'carol'], 'fee', file)
        got = d.sign(file, '--receipt', receipt, '--approval', two)
        case('a fee that two approve', got.returncode == 0, got.stderr)


def account(node, name):
    """A Core wallet's account key: with its origin, and with its secret."""
    node.wallet(name)
    keys = []
    for private in (False, True):
        rows = node.rpc('listdescriptors', private, wallet=name)
        desc = [x['desc'] for x in rows['descriptors']
                if x['desc'].startswith('pkh(') and not x['internal']][0]
        keys.append(desc[4:desc.rindex('/0/*')])
    return keys


def one_of_three(node):
    """Two keys of three are Bitcoin Core's; ours signs what has a receipt."""
    theirs = [account(node, 'theirs-%d' % n) for n in range(2)]
    lines = ''.join('cosigner %s\n' % public for public, _ in theirs)
    with cli.Host('wsh 2 of 3\n' + lines.rstrip('\n')) as h:
        d = Desk(node, h, 'wsh 2 of 3')
        case('wsh: the descriptors are taken',
             all(x['success'] for x in d.watch()))
        d.fund(2)
        address = node.rpc('decodescript', PAYEE.hex())['address']
        psbt = d.psbt([{address: '0.5'}])
        name = node.wallet('hot', blank=True)
        for branch, line in enumerate(h.run(
                'descriptors', '--data', h.data).stdout.split()):
            desc = line.split('#')[0].replace(*theirs[0])
            desc += '#' + node.rpc('getdescriptorinfo', desc)['checksum']
            node.import_descriptors(name, [(desc, branch == 1)])
        half = node.rpc('walletprocesspsbt', psbt, wallet=name)
        case('wsh: theirs alone is not enough', half['complete'] is False,
             half)
        refused('H8: wsh: what was signed elsewhere needs its receipt, too',
                d.sign(half['psbt'], command='cosign'), 'output-unknown')
        receipt = d.pay(b'm-1', PAYEE, 50000000)
        got = d.sign(half['psbt'], '--receipt', receipt, command='cosign')
        if case('wsh: co-signed', got.returncode == 0, got.stderr):
            case('wsh: mined', d.send(got.stdout.strip())['confirmations'] ==
                 1)


def two_of_three(node):
    """Three signers, each with the others' keys; two of them sign."""
    hosts = [cli.Host() for _ in range(3)]
    try:
        lines = [h.run('seed', '--data', h.data, '--network', 'regtest',
                       '--passphrase-file', h.phrase, '--no-backup').stdout
                 for h in hosts]
        case('seeds first', all(x.startswith('cosigner [') for x in lines),
             lines)
        for n, h in enumerate(hosts):
            others = ''.join(lines[:n] + lines[n + 1:])
            h.write('settings', h.text('wsh 2 of 3\n' + others.rstrip('\n'),
                                       'regtest', cli.CEILINGS))
            got = h.run('init', '--data', h.data, '--settings', h.settings,
                        '--passphrase-file', h.phrase)
            case('init with the seed that is there', got.returncode == 0 and
                 not os.path.exists(os.path.join(h.data, 'seed.begun')),
                 got.stderr)
            h.start()
            h.unlock()
        first = [sorted(node.rpc('deriveaddresses', h.run(
            'descriptors', '--data', h.data).stdout.split()[0], [0, 9]))
            for h in hosts]
        case('all three have one wallet', first[0] == first[1] == first[2])
        d = Desk(node, hosts[0], 'wsh 2 of 3', found=False)
        d.watch()
        d.fund(2)
        psbt = d.psbt([{node.rpc('decodescript', PAYEE.hex())['address']:
                        '0.5'}])
        receipt = d.pay(b't-1', PAYEE, 50000000)
        for h in hosts[:2]:
            d.host = h
            got = d.sign(psbt, '--receipt', receipt)
            case('one of them signs', got.returncode == 0, got.stderr)
            psbt = got.stdout.strip()
        case('mined', d.send(psbt)['confirmations'] == 1)
    finally:
        for h in hosts:
            h.__exit__()


def external(node_args, miner_node):
    """Bitcoin Core calls us: -signer."""
    with cli.Host() as h:
        d = Desk(miner_node, h)
        command = '%s signer external --data %s --head %s --standing %s' % (
            os.path.abspath(cli.PROGRAM), h.data, h.path('head'),
            h.path('standing'))
        d.standing()
        with Node('-signer=' + command, connect=miner_node,
                  *node_args) as n:
            try:
                got = n.rpc('enumeratesigners')['signers']
            except RpcError as e:
                if 'support' in str(e):
                    print('ok external: skipped, %s' % e)
                    return
                raise
            case('enumerate', len(got) == 1 and got[0]['name'] ==
                 'drawbridge', got)
            n.rpc('createwallet', wallet_name='hww', external_signer=True,
                  disable_private_keys=True, load_on_startup=False)
            address = n.rpc('getnewaddress', '', 'bech32', wallet='hww')
            case('getdescriptors', address.startswith('bcrt1q'), address)
            case('displayaddress', n.rpc('walletdisplayaddress', address,
                                         wallet='hww')['address'] == address)
            desc = n.rpc('getaddressinfo', address, wallet='hww')['desc']
            key = re.search(r'\](\w+)\)', desc).group(1)
            other = desc.split('#')[0].replace(key, '02' + '79be667ef9dcbbac'
                                               '55a06295ce870b07029bfcdb2dce'
                                               '28d959f2815b16f81798')
            got = h.run('external', 'displayaddress', '--data', h.data,
                        '--desc', other)
            case('displayaddress: another key at our path is not ours',
                 'no address of this wallet' in json.loads(got.stdout)
                 .get('error', ''), got.stdout)
            miner_node.rpc('sendtoaddress', address, 2, wallet='miner')
            miner_node.mine(1, miner_node.rpc('getnewaddress',
                                              wallet='miner'))
            tip = miner_node.rpc('getblockcount')
            n.rpc('waitforblockheight', tip, 30000)
            payee = n.rpc('decodescript', PAYEE.hex())['address']
            psbt = n.rpc('walletcreatefundedpsbt', [], [{payee: '0.25'}],
                         tip, {'fee_rate': 2, 'change_type': 'bech32'},
                         wallet='hww')['psbt']
            why = ''
            try:
                n.rpc('walletprocesspsbt', psbt, wallet='hww')
            except RpcError as e:
                why = str(e)
            case('H8: without a receipt it signs nothing', why != '', why)
            receipt = d.pay(b'x-1', PAYEE, 25000000)
            got = d.sign(psbt, '--receipt', receipt, command='cosign')
            case('H8: loaded, and co-signed by hand', got.returncode == 0,
                 got.stderr)
            d.standing()
            got = n.rpc('walletprocesspsbt', psbt, wallet='hww')
            case('signtx', got['complete'] is True, got)
            if got['complete']:
                tx = n.rpc('finalizepsbt', got['psbt'])['hex']
                txid = miner_node.rpc('sendrawtransaction', tx)
                case('and the network takes it', len(txid) == 64)


def main():
    try:
        node = Node()
    except NoNode as e:
        case('a node', False, e)
        case.end()
    with node:
        node.wallet('miner')
        node.mine(110, node.rpc('getnewaddress', wallet='miner'))
        by_hand(node, 'wpkh')
        by_hand(node, 'tr')
        batch(node)
        one_of_three(node)
        two_of_three(node)
        external((), node)
    case.end()


if __name__ == '__main__':
    main()
