#!/usr/bin/env python3
"""The exchange's door, end to end: signed, decided, answered, paid once."""
import base64
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'examples'))
import service                                          # noqa: E402
from v1_client import Drawbridge                        # noqa: E402

case = service.Cases()

POLICY = '''policy 1
default allow
delay 2s "short" when amount >= 0.5 btc
hold "large" when amount > 1 btc
deny "absurd" when amount > 100 btc
'''
ROLES = ('feed', 'decide', 'report', 'read', 'tighten')


def key_file(folder, name):
    path = os.path.join(folder, name + '.pem')
    subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out',
                    path], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-out',
                    path + '.pub'], check=True)
    return path


class Fast(Drawbridge):
    """Without a process a signature: libsodium is there, we need it."""

    sodium = ctypes.CDLL('libsodium.so.23')

    def sign(self, message):
        with open(self.key_file, encoding='ascii') as f:
            der = base64.b64decode(''.join(f.read().split('\n')[1:-2]))
        public, secret = (ctypes.create_string_buffer(n) for n in (32, 64))
        signature = ctypes.create_string_buffer(64)
        # PKCS #8 ends with the seed.
        self.sodium.crypto_sign_seed_keypair(public, secret, der[-32:])
        self.sodium.crypto_sign_detached(
            signature, None, message, ctypes.c_ulonglong(len(message)),
            secret)
        return signature.raw


class Door:
    def __init__(self, s):
        self.s = s
        self.keys = {}
        self.lines = 0

    def key(self, name, roles, client=Fast):
        path = key_file(self.s.dir, name)
        self.s.cli('door', 'create', name, '--roles', roles, '--public-key',
                   path + '.pub')
        self.keys[name] = client(self.s.url, name, path)
        return self.keys[name]

    def moved(self):
        for k in self.keys.values():
            k.at = k.at._replace(netloc=self.s.url[len('http://'):])

    def facts(self, key, *lines, source='test'):
        text = ''
        for line in lines:
            self.lines += 1
            text += json.dumps(dict({'t': 0, 'source': source,
                                     'n': self.lines}, **line)) + '\n'
        return self.keys[key].call('POST', '/v1/facts', text.encode())

    def withdraw(self, id_, amount, account='ann', key='all', to=1, **more):
        line = dict(type='withdraw', t=0, id=id_, account=account,
                    via='web', address=self.s.address(to), amount=amount)
        line.update(more)
        return self.keys[key].call('POST', '/v1/withdrawals', line)

    def show(self, id_, key='all'):
        return self.keys[key].call('GET', '/v1/withdrawals/' + id_)


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    return None


def decides(s, d):
    case.equal('an account is opened by a fact', d.facts('all', dict(
        type='account', account='ann'), dict(
            type='deposit', account='ann', amount='500'))[1]['taken'], 2)
    status, a = d.withdraw('w-1', '0.1')
    case('decided and answered', status == 200 and a['state'] == 'released'
         and a['verdict'] == 'allow' and a['would'] == 'allow' and
         a['mode'] == 'enforce' and a['until'] is None and
         a['reasons'] == [], a)
    case('with a receipt', bool(a.get('receipt')), a)
    status, b = d.show('w-1')
    same = dict(b, receipt=None) == dict(a, receipt=None)
    case('GET says the same', status == 200 and same and b['receipt'], b)
    status, b = d.withdraw('w-1', '0.1')
    case('the same again, the same answer', status == 200 and
         dict(b, receipt=None) == dict(a, receipt=None), b)
    status, b = d.withdraw('w-1', '0.2')
    case('other content under that id: 409', status == 409 and
         b.get('field') == 'id', (status, b))
    status, a = d.withdraw('w-2', '2')
    case('held', status == 200 and a['state'] == 'held' and a['verdict'] ==
         'hold' and a['receipt'] is None and
         'large' in [r['rule'] for r in a['reasons']], a)
    case('where the rule stands', [r for r in a['reasons'] if r['rule'] ==
         'large'][0]['text'].endswith('policy:4'), a)
    case.equal('and so says GET', d.show('w-2')[1], a)
    status, a = d.withdraw('w-3', '200')
    case('denied', a['state'] == 'denied' and a['verdict'] == 'deny' and
         a['receipt'] is None, a)
    status, a = d.withdraw('w-4', '0.6')
    case('delayed, with the time', a['state'] == 'waiting' and
         a['verdict'] == 'delay' and isinstance(a['until'], int) and
         a['receipt'] is None, a)
    got = wait_for(lambda: d.show('w-4')[1]['state'] == 'released')
    case('and then released, with a receipt', got and
         d.show('w-4')[1]['receipt'])
    status, a = d.withdraw('w-5', '0.1', account='nobody')
    case('no such account', a['state'] == 'denied' and
         a['reasons'][0]['rule'] == 'builtin:account', a)
    case.equal('no such withdrawal', d.show('none')[0], 404)


def bodies(d, s):
    bad = (
        ('label', dict(label='legit')), ('amount', dict(amount=0.1)),
        ('amount', dict(amount='0.123456789')), ('amount', dict(amount='0')),
        ('address', dict(address='bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')),
        ('id', dict(id_='x' * 65)), ('id', dict(id_='')),
        ('via', dict(via='fax')), ('type', dict(type='login')),
        ('facts', dict(facts=[1])), ('facts', dict(facts={'a': 1.5})),
        ('t', dict(t='now')), ('source', dict(source='x')),
    )
    for field, change in bad:
        change = dict(dict(id_='bad', amount='0.1'), **change)
        status, a = d.withdraw(**change)
        case('refused: %r' % (change,), status == 400 and
             a.get('field') == field, (status, a))
    for name, body in (('no JSON', b'hello'), ('nothing', b''),
                       ('twice', b'{"type":"withdraw","type":"withdraw"}'),
                       ('more behind', b'{} {}')):
        status, a = d.keys['all'].call('POST', '/v1/withdrawals', body)
        case('refused: ' + name, status == 400 and a['error'], (status, a))
    case.equal('none of them is there', d.show('bad')[0], 404)
    status, a = d.keys['all'].call('POST', '/v1/withdrawals',
                                   b'{"x":"' + b'y' * 65536 + b'"}')
    case.equal('64 KiB', status, 413)


def signatures(d, s):
    k = d.keys['all']
    seen = []
    real = k.sign
    k.sign = lambda m: seen.append(m) or real(m)
    d.show('w-1')
    k.sign = real
    message = seen[0]
    target, now = message.split(b'\n')[1].decode(), message.split(b'\n')[2]

    def send(sig, target=target, when=now.decode(), key='all', method='GET',
             body=None):
        return s.get(target, {'Drawbridge-Key': key, 'Drawbridge-Time': when,
                              'Drawbridge-Signature': sig}, method, body)

    sig = base64.b64encode(real(message)).decode()
    case.equal('sent again: 401', send(sig)[0], 401)

    def signed(method='GET', target=target, when=None, body=b''):
        when = str(int(time.time() * 1000)) if when is None else when
        m = '\n'.join([method, target, when, hashlib.sha256(body).hexdigest()])
        return base64.b64encode(real(m.encode())).decode(), when

    sig, when = signed()
    ways = (
        ('another target', dict(target=target + '?after=1')),
        ('another time', dict(when=str(int(when) + 1))),
        ('another key', dict(key='none')),
        ('a leading zero', dict(when='0' + when)),
        ('another id', dict(target='/v1/withdrawals/w-2')),
    )
    for name, change in ways:
        case.equal(name + ': 401', send(sig, **dict(dict(when=when),
                                                   **change))[0], 401)
    for name, text in (('no padding', sig[:-2]), ('escaped', sig.replace(
            '=', '%3D')), ('urlsafe', sig.replace('+', '-').replace(
                '/', '_') if '+' in sig or '/' in sig else sig[:-3] + '-=='),
            ('other unused bits', sig[:-3] + chr(ord(sig[-3]) + 1) + '=='),
            ('empty', '')):
        case.equal('a signature with %s: 401' % name,
                   send(text, when=when)[0], 401)
    case.equal('and as it is: 200', send(sig, when=when)[0], 200)
    for name, ms in (('31 s old', -31000), ('2 s ahead', 2000)):
        sig, when = signed(when=str(int(time.time() * 1000) + ms))
        case.equal(name + ': 401', send(sig, when=when)[0], 401)
    case.equal('no headers: 401', s.get(target)[0], 401)
    status, a, _ = s.get('/v1/withdrawals', None, 'PUT')
    case.equal('another method: 405', status, 405)


TYPES = {
    'account': dict(account='new-%s'),
    'key': dict(account='ann', key='key-%s', withdraw=False, ips=[]),
    'key_revoke': dict(key='key-feed'),
    'security_change': dict(account='ann', what='2fa'),
    'login': dict(account='ann', device='new'),
    'fact': dict(account='ann', name='kyc', value=2),
    'deposit': dict(account='ann', amount='1'),
    'balance': dict(account='ann', amount='400'),
    'hot_balance': dict(amount='1'),
    'fund': dict(amount='1'),
    'chain_seen': dict(first_seen=1, received='1'),
    'address_add': dict(account='ann'),
    'address_remove': dict(account='ann'),
    'withdraw': dict(id='f-%s', account='ann', via='web', amount='0.1'),
    'outcome': dict(id='w-1', state='paid'),
    'cancel': dict(id='w-2'),
    'release': dict(id='w-2', by='me'),
    'deny': dict(id='w-2', by='me'),
    'freeze': dict(account='ann', by='me'),
    'unfreeze': dict(account='ann', by='me'),
    'halt': dict(by='me'),
    'resume': dict(by='me'),
    'scenario': dict(version=1),
}
MAY = {
    'feed': {'account', 'key', 'key_revoke', 'security_change', 'login',
             'fact', 'deposit', 'balance', 'hot_balance', 'fund',
             'chain_seen', 'address_add', 'address_remove'},
    'decide': {'cancel'},
    'report': {'outcome'},
    'read': set(),
    'tighten': {'key_revoke'},
}


def every_type(d, s):
    """C8: each line type of a scenario at /v1/facts, per role."""
    for role in ROLES:
        for type_, fields in TYPES.items():
            line = {k: v % role if isinstance(v, str) and '%s' in v else v
                    for k, v in fields.items()}
            if type_ in ('withdraw', 'chain_seen', 'address_add',
                         'address_remove'):
                line['address'] = s.address(7)
            status, a = d.facts(role, dict(line, type=type_))
            want = 200 if type_ in MAY[role] else 403
            if type_ == 'scenario' and role != 'read':
                want = 400
            case('C8: %s as %s: %d' % (type_, role, want), status == want,
                 (status, a))
    state = d.show('w-2')[1]['state']
    case('no line released anything', state in ('held', 'cancelled'), state)
    health = d.keys['all'].call('GET', '/v1/health')[1]
    case('nor stopped everything', health['halted'] is None, health)


def loosening(d, s):
    def what(*lines, key='feed'):
        return d.facts(key, *lines)[1]

    a = what(dict(type='hot_balance', amount='1000'))
    case('a report of more than people said waits', len(a['proposed']) == 1
         and a['taken'] == 0, a)
    s.hot('100')
    a = what(dict(type='hot_balance', amount='100'),
             dict(type='hot_balance', amount='90'),
             dict(type='hot_balance', amount='100'))
    case('up to what they said, and less, does not', a['taken'] == 3, a)
    a = what(dict(type='hot_balance', amount='100.00000001'))
    case('a satoshi more does', len(a['proposed']) == 1, a)
    a = what(dict(type='account', account='lim', limit_24h='1'))
    b = what(dict(type='account', account='lim', limit_24h='0.5'),
             dict(type='account', account='lim', limit_24h='2'))
    case('a limit down is taken, up is proposed', a['taken'] == 1 and
         b['taken'] == 1 and len(b['proposed']) == 1, (a, b))
    a = what(dict(type='key', account='ann', key='k1', withdraw=True,
                  ips=['10.0.0.0/8']))
    b = what(dict(type='key', account='ann', key='k1', withdraw=True,
                  ips=['10.1.0.0/16']),
             dict(type='key', account='ann', key='k1', withdraw=True,
                  ips=[]))
    case('networks narrower are taken, wider are proposed', a['taken'] == 1
         and b['taken'] == 1 and len(b['proposed']) == 1, (a, b))
    a = what(dict(type='key', account='ann', key='k2', withdraw=True,
                  ips=[]))
    case('a new key from anywhere waits', len(a['proposed']) == 1, a)
    a = what(dict(type='chain_seen', address=s.address(3), first_seen=1,
                  received='5'))
    case('an old address waits', len(a['proposed']) == 1, a)
    s.account('own', btc='1')
    s.key('own')
    a = what(dict(type='deposit', account='own', amount='100'),
             dict(type='balance', account='own', amount='100'),
             dict(type='balance', account='own', amount='0.5'))
    case('what our own customers have is not a feed\'s to say',
         len(a['proposed']) == 2 and a['taken'] == 1, a)
    many = [dict(type='chain_seen', address=s.address(100 + i), first_seen=1,
                 received='5') for i in range(80)]
    a = what(*many)
    case('proposals of lines are bounded', 0 < len(a['proposed']) <= 64 and
         len(a['refused']) > 0, (len(a['proposed']), len(a['refused'])))


def repeats(d, s):
    line = json.dumps(dict(t=0, type='deposit', account='ann', amount='1',
                           source='once', n=5)).encode()
    call = lambda body: d.keys['feed'].call('POST', '/v1/facts', body)[1]
    a, b = call(line), call(line)
    case('a line twice counts once', a['taken'] == 1 and b['taken'] == 0 and
         b['repeated'] == 1, (a, b))
    s.stop()
    s.start()
    d.moved()
    time.sleep(1.1)
    b = call(line)
    case('after a restart, too', b['repeated'] == 1 and b['taken'] == 0, b)
    b = call(line.replace(b'"n": 5', b'"n": 6'))
    case('the next one counts', b['taken'] == 1, b)
    for name, body in (('no source', b'{"t":0,"type":"login","account":"a"}'),
                       ('nothing', b'\n\n')):
        case('lines with %s: 400' % name, d.keys['feed'].call(
            'POST', '/v1/facts', body)[0] == 400)
    good = json.dumps(dict(t=0, type='login', account='ann', source='half',
                           n=1))
    status, b = d.keys['feed'].call('POST', '/v1/facts', (
        good + '\n{"t":0,"type":"login"}\n').encode())
    case('one bad line, and none is taken', status == 400 and
         'line 2' in b['error'] and call(good.encode())['taken'] == 1, b)
    status, b = d.keys['feed'].call('POST', '/v1/facts', '\n'.join(
        [good] * 1001).encode())
    case('more than 1,000 lines: 413', status == 413, b)


def roles(d):
    asks = (
        ('POST', '/v1/withdrawals', {'decide'}),
        ('GET', '/v1/withdrawals/w-1', {'decide', 'report', 'read'}),
        ('POST', '/v1/withdrawals/none/cancel', {'decide'}),
        ('POST', '/v1/withdrawals/none/outcome', {'report'}),
        ('GET', '/v1/events', {'read'}),
        ('POST', '/v1/accounts/none/freeze', {'tighten'}),
        ('POST', '/v1/keys/none/freeze', {'tighten'}),
        ('GET', '/v1/health', set(ROLES)),
    )
    for method, target, may in asks:
        for role in ROLES:
            status, a = d.keys[role].call(method, target, b'{}' if method ==
                                          'POST' else b'')
            case('%s as %s' % (target, role), (status != 403) ==
                 (role in may) and status < 500, (status, a))
    status, a = d.keys['feed'].call('POST', '/v1/halt', {})
    case('halt as feed: 403', status == 403, a)


def moves(d, s):
    call = d.keys['all'].call
    a = d.withdraw('m-1', '2')[1]
    case.equal('held, to be cancelled', a['state'], 'held')
    status, a = call('POST', '/v1/withdrawals/m-1/cancel',
                     {'reason': 'the customer asked'})
    case('cancelled', status == 200 and a['state'] == 'cancelled' and
         a['verdict'] == 'deny', a)
    case.equal('only once', call('POST', '/v1/withdrawals/m-1/cancel',
                                 {})[0], 409)
    d.withdraw('m-2', '0.1')
    case.equal('not after the release', call(
        'POST', '/v1/withdrawals/m-2/cancel', {})[0], 409)
    tx = 'ab' * 32
    paid = {'state': 'paid', 'txid': tx, 'vout': 1}
    status, a = call('POST', '/v1/withdrawals/m-2/outcome', paid)
    case('paid', status == 200 and a['state'] == 'paid' and a['txid'] == tx
         and a['vout'] == 1 and a['receipt'] is None, a)
    case.equal('paid, said again', call('POST', '/v1/withdrawals/m-2/outcome',
                                        paid)[0], 200)
    case.equal('nothing else then', call(
        'POST', '/v1/withdrawals/m-2/outcome', {'state': 'failed'})[0], 409)
    for body in ({'state': 'lost'}, {'state': 'paid', 'txid': 'zz'}, {},
                 {'state': 'paid', 'fee': 1}):
        case.equal('outcome %r: 400' % body, call(
            'POST', '/v1/withdrawals/m-2/outcome', body)[0], 400)
    d.withdraw('m-3', '0.1')
    status, a = call('POST', '/v1/withdrawals/m-3/outcome',
                     {'state': 'failed'})
    case('failed: no receipt any more, and no second chance', status == 200
         and a['state'] == 'failed' and a['receipt'] is None and
         d.withdraw('m-3', '0.1')[1]['receipt'] is None, a)
    case.equal('cancel what is not there', call(
        'POST', '/v1/withdrawals/none/cancel', {})[0], 404)


def feed(d):
    call = d.keys['read'].call
    status, a = call('GET', '/v1/events?after=0&limit=5')
    case('the feed, from the beginning', status == 200 and
         [e['seq'] for e in a] == [1, 2, 3, 4, 5], a)
    last = call('GET', '/v1/health')[1]['journal']['seq']
    status, a = call('GET', '/v1/events?after=%d' % (last - 2))
    case('and behind a number', [e['seq'] for e in a][:2] ==
         [last - 1, last], a)
    t = time.monotonic()
    status, a = call('GET', '/v1/events?after=%d&wait=2' % last)
    case('nothing yet: waits, then says so', status == 200 and a == [] and
         1.5 < time.monotonic() - t < 6, (status, a))
    got = []
    t = threading.Thread(target=lambda: got.append(
        call('GET', '/v1/events?after=%d&wait=20' % last)))
    t.start()
    time.sleep(0.5)
    began = time.monotonic()
    d.withdraw('feed-1', '0.1')
    t.join(15)
    case('news come at once', bool(got) and time.monotonic() - began < 3 and
         got[0][1][0]['id'] == 'feed-1' and
         got[0][1][0]['outcomes'][0]['state'] == 'released', got)
    for q in ('?after=-1', '?wait=26', '?x=1', '?after=1&after=2'):
        case.equal('events%s: 400' % q, call('GET', '/v1/events' + q)[0], 400)


def receipts(d, s):
    """C10: paid once."""
    trust = os.path.join(s.dir, 'trust')
    with open(trust, 'w', encoding='ascii') as f:
        f.write(s.run('receipt', 'trust').stdout)
    ledger = os.path.join(s.dir, 'ledger')
    file_ = os.path.join(s.dir, 'receipt')

    def put(answer):
        with open(file_, 'w', encoding='ascii') as f:
            f.write(answer['receipt'] + '\n')

    def do(what, *args, trust=trust):
        r = s.run('receipt', what, '--trust', trust, '--json', *args, file_)
        return r.returncode, json.loads(r.stdout) if r.stdout else r.stderr

    a = d.withdraw('r-1', '0.25', to=5)[1]
    put(a)
    status, r = do('verify')
    case('a receipt verifies', status == 0 and r['id'] == 'r-1' and
         r['amount'] == '0.25000000' and r['address'] == s.address(5) and
         r['seq'] == a['seq'], r)
    case.equal('by the running service', s.run(
        'receipt', 'verify', '--service', file_).returncode, 0)
    case.equal('for another amount', do('verify', '--amount', '0.26')[0], 1)
    case.equal('for another address', do('verify', '--to',
                                         s.address(6))[0], 1)
    status, r = do('redeem', '--ledger', ledger)
    case('no ledger, no redeeming', status == 1 and
         not os.path.exists(ledger), r)
    status, r = do('redeem', '--ledger', ledger, '--new')
    case('redeemed', status == 0 and r['redeemed'], r)
    status, r = do('redeem', '--ledger', ledger)
    case('C10: not a second time', status == 1 and 'before' in r['error'], r)
    time.sleep(0.01)
    b = d.show('r-1')[1]
    put(b)
    case('a fresh receipt is other bytes', b['receipt'] != a['receipt'])
    status, r = do('redeem', '--ledger', ledger)
    case('C10: nor another receipt for the same id', status == 1, r)
    with open(trust, encoding='ascii') as f:
        words = f.read().split()
    for i, name in ((1, 'deployment'), (3, 'key')):
        other = list(words)
        other[i] = 'a' * len(other[i])
        path = os.path.join(s.dir, 'other')
        with open(path, 'w', encoding='ascii') as f:
            f.write(' '.join(other) + '\n')
        case.equal('of another ' + name, do('verify', trust=path)[0], 1)
    with open(path, 'w', encoding='ascii') as f:
        f.write(' '.join(words).replace('regtest', 'test') + '\n')
    case.equal('of another network', do('verify', trust=path)[0], 1)
    return put, do, ledger


def killed(s, d, put, ledger):
    """The ledger, killed and torn wherever it is."""
    put(d.withdraw('r-2', '0.1')[1])
    with open(ledger, 'rb') as f:
        before = f.read()
    line = b'722d32 ' + b'0' * 64 + b' 1\n'
    wrong = 0
    torn = os.path.join(s.dir, 'torn')
    args = [service.PROGRAM, 'receipt', 'redeem', '--ledger', torn,
            '--trust', os.path.join(s.dir, 'trust'),
            os.path.join(s.dir, 'receipt')]
    for cut in range(0, len(line) + 1, 3 if cut_short() else 1):
        with open(torn, 'wb') as f:
            f.write(before + line[:cut])
        r = subprocess.run(args, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False).returncode
        with open(torn, 'rb') as f:
            after = f.read()
        whole = cut == len(line)
        wrong += r != (1 if whole else 0) or after.count(b'722d32 ') != 1 \
            or not after.startswith(before) or not after.endswith(b'\n')
    case.equal('a ledger torn at every byte', wrong, 0)
    with open(torn, 'wb') as f:
        f.write(before + b'garbage\n')
    case.equal('what cannot be read stops everything', subprocess.run(
        args, stderr=subprocess.DEVNULL, check=False).returncode, 1)
    good = bad = 0
    for i in range(40):
        id_ = 'k-%d' % i
        put(d.withdraw(id_, '0.001', to=10 + i)[1])
        shutil.copy(ledger, torn) if i == 0 else None
        said = 0
        for delay in (0.0005 * (i % 12), None):
            p = subprocess.Popen(args, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
            if delay is not None:
                time.sleep(delay)
                p.kill()
            out = p.communicate()[0]
            said += b'redeemed' in out
        good += said
        with open(torn, 'rb') as f:
            n = f.read().count(id_.encode().hex().encode() + b' ')
        bad += said > 1 or n != 1
    case('killed anywhere, redeemed at most once', bad == 0 and good > 0,
         '%d redeemed, %d wrong' % (good, bad))
    ps = []
    put(d.withdraw('together', '0.1')[1])
    ps = [subprocess.Popen(args, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL) for _ in range(10)]
    n = sum(b'redeemed' in p.communicate()[0] for p in ps)
    case.equal('ten at once, one of them', n, 1)


def cut_short():
    return os.environ.get('QUICK') is not None


def tightens(d, s):
    call = d.keys['tighten'].call
    d.facts('feed', dict(type='account', account='fay'),
            dict(type='deposit', account='fay', amount='5'))
    status, a = call('POST', '/v1/accounts/fay/freeze', {'reason': 'odd'})
    case('frozen', status == 200 and a['state'] == 'frozen', a)
    a = d.withdraw('t-1', '0.1', account='fay')[1]
    case('and nothing leaves', a['state'] == 'denied' and
         a['reasons'][0]['rule'] == 'builtin:frozen', a)
    case.equal('nobody to freeze', call('POST', '/v1/accounts/none/freeze',
                                        {})[0], 404)
    d.withdraw('t-0', '0.1')
    status, a = call('POST', '/v1/halt', {'reason': 'alarm'})
    case('halted', status == 200 and a['state'] == 'halted', a)
    case.equal('again is harmless', call('POST', '/v1/halt', {})[0], 200)
    a = d.keys['read'].call('GET', '/v1/health')[1]
    case('health says since when and why', a['ready'] and a['halted'] and
         a['halted']['why'] == 'alarm' and
         a['halted']['by'] == 'door:tighten' and
         len(a['journal']['head']) == 64 and a['signer_seen'] is None, a)
    a = d.withdraw('t-2', '0.1')[1]
    case('stopped', a['state'] == 'stopped' and a['verdict'] == 'halt' and
         a['receipt'] is None, a)
    case('no fresh receipt meanwhile', d.show('t-0')[1]['receipt'] is None)
    s.cli('resume')
    got = wait_for(lambda: d.show('t-2')[1]['receipt'])
    case('after the restart of everything it goes', bool(got))


def keys(d, s):
    rows = {r['key']: r for r in s.ask('door', 'list')}
    case('the keys are listed', rows['feed']['roles'] == 'feed' and
         rows['feed']['state'] == 'good', rows)
    s.cli('door', 'revoke', 'feed')
    case.equal('a revoked key: 401', d.facts('feed', dict(
        type='login', account='ann'))[0], 401)
    r = s.run('door', 'create', 'x', '--roles', 'all', '--public-key', 'x')
    case.equal('no such role', r.returncode, 1)


def modes():
    """observe: nothing is held, nothing has a receipt, and one that was let
    go then has none later."""
    with service.Service(policy=POLICY.replace(
            'policy 1\n', 'policy 1\nmode observe\n')) as s:
        d = Door(s)
        d.key('all', ','.join(ROLES))
        time.sleep(1.1)
        d.facts('all', dict(type='account', account='ann'))
        a = d.withdraw('o-1', '2')[1]
        case('observed', a['mode'] == 'observe' and a['verdict'] == 'allow'
             and a['would'] == 'hold' and a['state'] == 'released' and
             a['receipt'] is None, a)
        case.equal('and so says GET', d.show('o-1')[1], a)
        a = d.keys['all'].call('POST', '/v1/withdrawals/o-1/outcome',
                               {'state': 'denied'})
        case('what the exchange did itself', a[0] == 200 and
             a[1]['receipt'] is None, a)
        d.withdraw('o-2', '2')
        path = os.path.join(s.dir, 'enforce.policy')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(POLICY)
        r = s.run('policy', 'propose', path, '--as', 'alice', '--reason',
                  'go', '--json')
        case('the policy changes', r.returncode in (0, 3), r.stderr)
        got = wait_for(lambda: d.show('o-2')[1]['mode'] == 'enforce')
        a = d.show('o-2')[1]
        case('what was only observed has no receipt later', got and
             a['receipt'] is None and a['state'] == 'released', a)
        case('what is enforced has', bool(d.withdraw('o-3', '0.1')[1][
            'receipt']))


def main():
    with service.Service(policy=POLICY) as s:
        d = Door(s)
        d.key('all', ','.join(ROLES), client=Drawbridge)
        for role in ROLES:
            d.key(role, role)
        # Nothing signed before it started is taken.
        time.sleep(1.1)
        decides(s, d)
        bodies(d, s)
        signatures(d, s)
        roles(d)
        moves(d, s)
        every_type(d, s)
        loosening(d, s)
        repeats(d, s)
        feed(d)
        put, _, ledger = receipts(d, s)
        killed(s, d, put, ledger)
        tightens(d, s)
        keys(d, s)
    modes()
    case.end()


main()
