#!/usr/bin/env python3
"""The engine and its own signer: receipts, burns, heads (C1, C4, C5)."""
import base64
import ctypes
import hashlib
import json
import os
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'examples'))
import service                                          # noqa: E402
from v1_client import Drawbridge                        # noqa: E402

case = service.Cases()
sodium = ctypes.CDLL('libsodium.so.23')

POLICY = '''policy 1
default allow
delay 2s "short" when amount >= 0.5 btc
hold "large" when amount > 1 btc
'''
PAY, PAY_OWN, BURN, STANDING = 1, 2, 3, 4


def keypair(seed):
    public, secret = (ctypes.create_string_buffer(n) for n in (32, 64))
    sodium.crypto_sign_seed_keypair(public, secret, seed)
    return public.raw, secret.raw


class Signer:
    """Who signs as a signer does, whatever he is told to."""

    def __init__(self, seed=b'\x51' * 32):
        self.public, self.secret = keypair(seed)
        self.id = hashlib.sha256(self.public).digest()[:16]

    def sign(self, message):
        out = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(
            out, None, message, ctypes.c_ulonglong(len(message)), self.secret)
        return out.raw

    def head(self, deployment, seq, hash_=None, engine_seq=1, height=100,
             epoch=1):
        body = self.id + deployment + struct.pack('<Q', seq)
        body += hash_ or hashlib.sha256(b'record %d' % seq).digest()
        body += struct.pack('<QQQ', height, engine_seq, epoch)
        return base64.b64encode(body + self.sign(
            b'drawbridge signer head 1\n' + body)).decode()

    def burned(self, deployment, id_, seq=9):
        id_ = id_.encode()
        body = self.id + deployment + struct.pack('<Q', seq)
        body += bytes([len(id_)]) + id_.ljust(64, b'\0')
        body += b'\0' * 32 + b'\xac' * 16 + struct.pack('<Q', 1) + b'\0' * 16
        return base64.b64encode(body + self.sign(
            b'drawbridge burned 1\n' + body)).decode()


def turned(text, at=-1):
    """With one bit turned."""
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()


class Receipt:
    def __init__(self, text):
        raw = self.raw = base64.b64decode(text.strip())
        self.purpose = raw[1]
        self.deployment = raw[2:18]
        self.epoch, self.seq = struct.unpack_from('<IQ', raw, 19)
        self.head = raw[31:63]
        self.id = raw[96:96 + raw[95]].decode()
        self.script = raw[177:177 + raw[176]]
        self.amount, self.fee, self.expires = struct.unpack_from('<qqq', raw,
                                                                 219)

    def good(self, key):
        message = b'drawbridge receipt 1\n' + self.raw[:243]
        return len(self.raw) == 307 and sodium.crypto_sign_verify_detached(
            self.raw[243:], message, ctypes.c_ulonglong(len(message)),
            key) == 0


class Door:
    """The exchange's."""

    def __init__(self, s):
        self.s = s
        path = os.path.join(s.dir, 'door.pem')
        subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519',
                        '-out', path], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-out',
                        path + '.pub'], check=True)
        s.cli('door', 'create', 'door', '--roles', 'feed,decide,read',
              '--public-key', path + '.pub')
        self.client = Drawbridge(s.url, 'door', path)
        lines = (dict(type='account', account='ann'),
                 dict(type='deposit', account='ann', amount='50'))
        self.client.call('POST', '/v1/facts', ''.join(
            json.dumps(dict(x, t=0, source='test', n=n + 1)) + '\n'
            for n, x in enumerate(lines)).encode())

    def moved(self):
        self.client.at = self.client.at._replace(
            netloc=self.s.url[len('http://'):])

    def withdraw(self, id_, amount):
        return self.client.call('POST', '/v1/withdrawals', dict(
            type='withdraw', t=0, id=id_, account='ann', via='web',
            address=self.s.address(1), amount=amount))

    def show(self, id_):
        return self.client.call('GET', '/v1/withdrawals/' + id_)


class Deployment(service.Service):
    """With a signer's key in its configuration."""

    def __init__(self, signer, policy=POLICY, **kw):
        self.signer = signer
        super().__init__(conf='signer-key %s\n' % signer.public.hex() if
                         signer else '', policy=policy, **kw)
        words = self.ask('receipt', 'trust', json_=False).split()
        self.deployment, self.engine = (bytes.fromhex(w) for w in
                                        (words[1], words[3]))

    def write(self, text, name='word'):
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='ascii') as f:
            f.write(text + '\n')
        return path

    def bring(self, what, text):
        """(status, answer) of `receipt burned|head`."""
        r = self.run('receipt', what, self.write(text), '--json')
        return r.returncode, json.loads(r.stdout) if r.stdout.strip() else \
            r.stderr

    def head(self, seq, **kw):
        return self.bring('head', self.signer.head(self.deployment, seq,
                                                   **kw))

    def burned(self, id_, **kw):
        return self.bring('burned', self.signer.burned(self.deployment, id_,
                                                       **kw))

    def standing(self):
        j = self.ask('receipt', 'standing')
        return Receipt(j['standing']), j

    def give(self, what, id_):
        """A Receipt, or why not."""
        r = self.run('receipt', what, id_)
        return Receipt(r.stdout) if r.returncode == 0 else r.stderr

    def free(self, key):
        # Two of one millisecond are one message.
        time.sleep(0.002)
        got = self.signed(key, '/sapi/v3/asset/getUserAsset', 'POST')[1]
        return got[0]['free'] if got else '0'

    def withdrawal(self, key, amount, n=1):
        status, answer, _ = self.apply(key, amount, self.address(n))
        assert status == 200, answer
        return answer['id']

    def state(self, id_):
        return self.ask('withdrawal', 'show', id_)['state']

    def halted(self):
        return self.ask('status')['halted']


def begin(s):
    s.account('carol', btc='5')
    s.hot('100')
    return s.key('carol')


def standing(s):
    first, j = s.standing()
    case('a standing is signed by the engine, for its signer alone',
         first.good(s.engine) and first.purpose == STANDING and
         first.deployment == s.deployment and first.epoch == 1 and
         first.id == '' and first.amount == 0, vars(first))
    left = first.expires - time.time() * 1000
    case('it is good for five minutes', 280000 < left <= 301000, left)
    case('no head of the signer is known yet', j['head'] is None and
         j['record'] is None, j)
    head = s.ask('audit', 'head', json_=False).split()
    case('it stands at the journal\'s own head', int(head[2]) == first.seq and
         head[4] == first.head.hex(), (head, first.seq))
    r = s.run('receipt', 'verify', '--service', s.write(
        base64.b64encode(first.raw).decode()))
    case('nobody pays by it', r.returncode == 1 and 'standing' in r.stderr,
         r.stderr)
    s.hot('101')
    second, _ = s.standing()
    case('it grows with the journal', second.seq > first.seq and
         second.head != first.head, (first.seq, second.seq))


def before(s, key):
    """A signer's key alone makes nobody a payer."""
    id_ = s.withdrawal(key, '0.1')
    case('released', s.state(id_) == 'released', s.state(id_))
    got = s.give('issue', id_)
    case('before its first head the signer gets no receipt',
         isinstance(got, str) and 'no head of the signer' in got, got)
    return id_


def heads(s):
    d, own = s.deployment, s.signer
    case('the first head is taken', s.head(5)[1] == dict(
        state='newer', record=5, head=own.head(d, 5)), s.head(5))
    case.equal('the same again is known', s.head(5)[1]['state'], 'known')
    case.equal('a newer one is taken', s.head(9)[1]['state'], 'newer')
    got = s.head(7)[1]
    case('an older one is answered with the newest', got == dict(
        state='older', record=9, head=own.head(d, 9)), got)
    other = Signer(b'\x52' * 32)
    for name, text, why in (
            ('another signer\'s', other.head(d, 10), 'another signer'),
            ('another deployment\'s', own.head(b'\1' * 16, 10),
             'another deployment'),
            ('a forged', turned(own.head(d, 10)), 'not signed'),
            ('a cut', own.head(d, 10)[:-8], 'not a signer\'s head'),
            ('an empty', own.head(d, 0), 'not a signer\'s head')):
        status, answer = s.bring('head', text)
        case('%s head is refused' % name, status == 1 and why in answer,
             answer)
    case('and nothing stopped', not s.halted())
    _, j = s.standing()
    case('a standing brings the newest head along', j['record'] == 9 and
         j['head'] == own.head(d, 9), j)
    path = os.path.join(s.dir, 'newest')
    for before_, want in ((None, 9), (3, 9), (12, 12)):
        if before_ is not None:
            s.write(own.head(d, before_), 'newest')
        s.ask('receipt', 'standing', '--head', path, json_=False)
        with open(path, encoding='ascii') as f:
            got = f.read().strip()
        case.equal('--head: the newer one stays, over %s' % before_, got,
                   own.head(d, want))


def released_before(s, id_):
    got = s.give('issue', id_)
    case('C10: what was released before may have another payer\'s receipt',
         isinstance(got, str) and 'another payer' in got, got)
    got = s.give('burn', id_)
    case('C1: and is not burned, for that payer may have paid',
         isinstance(got, str) and 'another payer' in got, got)


def issue(s, key):
    id_ = s.withdrawal(key, '0.2', 2)
    one, two = s.give('issue', id_), s.give('issue', id_)
    left = one.expires - time.time() * 1000
    case('a released one has a receipt for our signer', one.good(s.engine) and
         one.purpose == PAY_OWN and one.id == id_ and one.amount == 20000000
         and one.script == bytes([0, 20]) + hashlib.sha256(
             b'address 2').digest()[:20] and one.fee == 100000, vars(one))
    case('it is good for a day', 86e6 < left <= 86.5e6, left)
    case('issued again it is of the same event', two.seq == one.seq and
         two.good(s.engine), (one.seq, two.seq))
    case('the engine stands behind it', s.standing()[0].seq >= one.seq)
    r = s.run('receipt', 'verify', '--service', s.write(
        base64.b64encode(one.raw).decode()))
    case('C10: nobody else pays by it', r.returncode == 1 and
         'pay-own' in r.stderr, r.stderr)
    for name, other, why in (
            ('unknown', 'nothing', 'no such withdrawal'),
            ('held', s.withdrawal(key, '1.5', 3), 'held'),
            ('waiting', s.withdrawal(key, '0.6', 4), 'waiting')):
        got = s.give('issue', other)
        case('%s: no receipt' % name, isinstance(got, str) and why in got,
             got)
        got = s.give('burn', other)
        case('%s: nothing to burn' % name, isinstance(got, str) and
             (why if name == 'unknown' else 'nothing to burn') in got, got)
    s.cli('halt')
    got = s.give('issue', id_)
    case('halted: no receipt', isinstance(got, str) and 'stopped' in got, got)
    case('halted: a burn, which only stops money',
         s.give('burn', id_).purpose == BURN)
    s.cli('resume')
    return id_


def many(s, key):
    """One event lets several go, and the signer wants a number for each."""
    s.cli('halt')
    ids = [s.withdrawal(key, '0.01', 20 + n) for n in range(3)]
    s.cli('resume')
    got = [s.give('issue', i) for i in ids]
    case('H5: released by one event, each receipt has a number of its own',
         all(isinstance(g, Receipt) for g in got) and
         len({g.seq for g in got}) == 3, [getattr(g, 'seq', g) for g in got])


def burn(s, key, id_):
    """C1: money comes back only by the signer's word."""
    d, own = s.deployment, s.signer
    free = s.free(key)
    r = s.run('withdrawal', 'deny', id_, '--as', 'alice', '--reason', 'x')
    case('C1: denied after its release: too late', r.returncode == 1, r)
    r = s.run('withdrawal', 'cancel', id_, '--as', 'alice', '--reason', 'x')
    case('C1: cancelled after its release: too late', r.returncode == 1, r)
    got = s.give('burn', id_)
    case('a burn has what its receipt had', got.good(s.engine) and
         got.purpose == BURN and got.id == id_ and got.amount == 20000000,
         vars(got))
    case('asking for it gives nothing back', s.free(key) == free and
         s.state(id_) == 'released', s.free(key))
    other = Signer(b'\x52' * 32)
    good = own.burned(d, id_)
    for name, text, why in (
            ('another signer\'s', other.burned(d, id_), 'another signer'),
            ('another deployment\'s', own.burned(b'\1' * 16, id_),
             'another deployment'),
            ('a forged', turned(good), 'not signed'),
            ('a cut', good[:-8], 'not what a signer says'),
            ('a head\'s', own.head(d, 9), 'not what a signer says'),
            ('an unknown id\'s', own.burned(d, 'nobody'),
             'no such withdrawal')):
        status, answer = s.bring('burned', text)
        case('C1: %s word gives nothing back' % name, status == 1 and
             why in answer and s.free(key) == free, (answer, s.free(key)))
    status, answer = s.bring('burned', turned(good, 42))
    case('C1: a bit of it turned, and it is none', status == 1 and
         s.free(key) == free, answer)
    status, answer = s.bring('burned', good)
    case('C1: money comes back only by burned', status == 0 and
         answer['state'] == 'burned' and answer['id'] == id_ and
         round(float(s.free(key)) - float(free), 8) == 0.2,
         (answer, free, s.free(key)))
    case('it has failed', s.state(id_) == 'failed', s.state(id_))
    back = s.free(key)
    status, answer = s.bring('burned', good)
    case('C1: once: the same again gives nothing', status == 0 and
         'seq' not in answer and s.free(key) == back, answer)
    for what in ('issue', 'burn'):
        got = s.give(what, id_)
        case('burned: no more receipts to %s' % what, isinstance(got, str) and
             'burned' in got, got)
    text = s.ask('audit', 'log', json_=False)
    case('the audit log says by which record', 'by the signer\'s record 9' in
         text and 'the signer\'s record 5' in text, text[-600:])


def kill(s, key):
    """What was said is kept; of many heads the first and the newest."""
    id_ = s.withdrawal(key, '0.03', 5)
    for seq in (261, 265):
        s.head(seq)
    s.kill()
    s.start()
    got = s.head(264)[1]
    case('C4: killed, it knows the newest head', got['state'] == 'older' and
         got['record'] == 265, got)
    one = s.give('issue', id_)
    case('and gives a receipt for what was released since its first',
         isinstance(one, Receipt) and one.purpose == PAY_OWN, one)
    os.unlink(os.path.join(s.data, 'book.db'))
    s.stop()
    s.start()
    got = s.head(265)[1]
    case('C4: without its book too', got['state'] == 'known', got)
    got = s.give('issue', id_)
    case('the receipt is of the same event', got.purpose == PAY_OWN and
         got.seq == one.seq, got)
    path = os.path.join(s.dir, 'other.policy')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(POLICY + 'hold "odd" when amount >= 0.95 btc\n')
    s.cli('policy', 'propose', path)
    was, got = got, s.give('issue', id_)
    case('under another policy too, with that which released it',
         got.seq == was.seq and got.raw[63:95] == was.raw[63:95], got)


def answered(s, key):
    """What was answered is there after the next instant's end."""
    lost = []
    for n in range(3):
        id_ = s.withdrawal(key, '0.01%d' % n, 30 + n)
        seq = s.give('issue', id_).seq
        s.kill()
        s.start()
        if s.give('issue', id_).seq != seq:
            lost.append('receipt %d' % n)
        s.head(270 + n)
        s.kill()
        s.start()
        if s.head(270 + n)[1]['state'] != 'known':
            lost.append('head %d' % n)
        s.burned(id_)
        s.kill()
        s.start()
        if 'seq' in s.burned(id_)[1] or s.state(id_) != 'failed':
            lost.append('burned %d' % n)
    case('what was answered is durable', lost == [], lost)


def door(s):
    d = Door(s)
    status, a = d.withdraw('v-1', '0.1')
    one = Receipt(a['receipt'])
    case('/v1: a receipt for our signer', status == 200 and one.purpose ==
         PAY_OWN and one.good(s.engine) and one.seq > a['seq'], a)
    again = Receipt(d.show('v-1')[1]['receipt'])
    case('/v1: a fresh one is the same event\'s', again.purpose == PAY_OWN and
         again.seq == one.seq, (one.seq, again.seq))
    seen = d.client.call('GET', '/v1/health')[1]['signer_seen']
    case('/v1/health: when the signer was seen',
         0 < time.time() * 1000 - seen < 60000, seen)
    case('issued by hand, too', s.give('issue', 'v-1').seq == one.seq)
    d.withdraw('v-2', '0.6')
    end = time.monotonic() + 20
    while s.state('v-2') != 'released' and time.monotonic() < end:
        time.sleep(0.1)
    late = Receipt(d.show('v-2')[1]['receipt'])
    case('/v1: what waited is issued when it is asked for', late.purpose ==
         PAY_OWN and late.id == 'v-2', vars(late))
    return d


def stops(s, name, **kw):
    status, answer = s.head(**kw)
    case('C4: %s stops everything' % name, status == 1 and s.halted(),
         answer)
    case('C4: %s: and says so loudly' % name,
         any('"signer"' in x or ' signer ' in x for x in s.tail(40)),
         s.tail(5))
    case('C4: %s: the newest is what it was' % name,
         s.standing()[1]['record'] == s.newest)


def forks(s, key):
    s.head(320, engine_seq=12)
    s.newest = 320
    id_ = s.withdrawal(key, '0.02', 6)
    for name, kw in (
            ('another record of that number', dict(seq=320, hash_=b'\7' * 32)),
            ('an older one of them', dict(seq=265, hash_=b'\7' * 32)),
            ('one that knows less of us', dict(seq=321, engine_seq=11)),
            ('one of a later epoch', dict(seq=321, engine_seq=13, epoch=2))):
        stops(s, name, **kw)
        got = s.give('issue', id_)
        case('C4: %s: nobody is paid' % name, isinstance(got, str) and
             'stopped' in got, got)
        s.cli('resume')
    status, answer = s.head(321, engine_seq=13)
    case('resumed by people, a good one is taken', status == 0 and
         answer['state'] == 'newer', answer)


def behind(s, key):
    """C5: what the signer signed and this journal does not know."""
    known = s.withdrawal(key, '0.01', 8)
    held = s.withdrawal(key, '1.2', 9)
    tag = s.give('issue', known).raw[160:176].hex()
    lines = [dict(record=n + 1, id=i, amount=a, account_tag=t,
                  receipt_seq=n + 3, txid='ab' * 32)
             for n, (i, a, t) in enumerate((
                 (known, '0.01000000', tag), (held, '1.20000000', tag),
                 ('forgotten', '0.50000000', tag),
                 ('foreign', '0.50000000', '11' * 16),
                 (known, '0.02000000', tag)))]

    def ask(these, want):
        path = s.write('\n'.join(json.dumps(x) for x in these), 'signed')
        r = s.run('receipt', 'behind', path, '--json')
        case.equal('behind: %d of %d: its status' % (want, len(these)),
                   r.returncode, 1 if want else 0)
        return json.loads(r.stdout) if r.stdout else r.stderr

    got = ask(lines[:1], 0)
    case.equal('C5: what was released here is not behind', got,
               dict(record=1, behind=[]))
    got = ask(lines, 4)
    case('C5: what it does not know is named, and whose it was',
         got['record'] == 5 and [(x['id'], x['state'], x['account'])
                                 for x in got['behind']] == [
             (held, 'held', 'carol'), ('forgotten', 'unknown', 'carol'),
             ('foreign', 'unknown', None), (known, 'amount', 'carol')], got)
    many = [dict(lines[0], record=n + 1) for n in range(5000)]
    got = ask(many + [dict(lines[2], record=5001)], 1)
    case('C5: of as many as there are', got['record'] == 5001 and
         len(got['behind']) == 1, got)
    got = ask([], 0)
    case('C5: of none', got['behind'] == [], got)
    r = s.run('receipt', 'behind', s.write('{"record": 1}'))
    case('behind: other lines are refused', r.returncode == 1 and
         ':1: not what' in r.stderr, r.stderr)


def configurations(s, key):
    """No withdrawal has receipts for two payers."""
    with open(s.conf(), encoding='utf-8') as f:
        conf = f.read()
    id_ = s.withdrawal(key, '0.01', 7)
    other = Signer(b'\x53' * 32)
    for name, text, why in (
            ('without the key', '', 'names none'),
            ('with another', 'signer-key %s\n' % other.public.hex(),
             'another signer')):
        s.stop()
        with open(s.conf(), 'w', encoding='utf-8') as f:
            f.write(conf.replace('signer-key %s\n' % s.signer.public.hex(),
                                 text))
        s.start()
        got = s.give('issue', id_)
        case('C10: started %s: nobody is paid' % name, isinstance(got, str)
             and why in got, got)
        shown = s.door.moved() or s.door.show('v-1')[1]
        case('C10: started %s: neither by /v1' % name,
             shown['receipt'] is None, shown)
    status, answer = s.bring('head', other.head(s.deployment, 330))
    case('a second signer does not become ours', status == 1 and
         'knows another' in answer, answer)
    s.stop()
    with open(s.conf(), 'w', encoding='utf-8') as f:
        f.write(conf.replace('own-receipt-for', '#') + 'own-receipt-for 1h\n')
    s.start()
    left = s.give('issue', id_).expires - time.time() * 1000
    case('own-receipt-for', 3.5e6 < left <= 3.61e6, left)


def lost(s, key):
    """C5: a head that was told of more than this journal has."""
    id_ = s.withdrawal(key, '0.01', 10)
    at = s.standing()[0].seq
    status, answer = s.head(400, engine_seq=at + 500)
    case('C5: a head that heard of lost events stops everything',
         status == 1 and 'put back' in answer and s.halted(), answer)
    case('C5: it is kept, and said to be known the next time',
         s.standing()[1]['record'] == 400 and
         s.head(400, engine_seq=at + 500)[1]['state'] == 'known')
    s.cli('resume')
    for again in ('', ', also after a restart', ', also without a book'):
        got = s.give('issue', id_)
        case('C5: not adopted: nobody is paid' + again, isinstance(got, str)
             and 'has not adopted' in got, got)
        s.kill()
        if again.endswith('restart'):
            os.unlink(os.path.join(s.data, 'book.db'))
        s.start()
    now = s.standing()[0].seq
    got = s.head(401, engine_seq=now)[1]
    case('C5: adopted, it knows less, and that is well',
         got['state'] == 'newer' and not s.halted(), got)
    got = s.give('issue', id_)
    case('C5: numbers that the signer knows from lost events are not used '
         'again', isinstance(got, Receipt) and got.seq > at + 500, got)
    case('C5: and it stands beyond them', s.standing()[0].seq >= got.seq)
    status, answer = s.head(402, engine_seq=now - 1)
    case('C4: knowing less once more, it went back', status == 1 and
         'went back' in answer and s.halted(), answer)
    s.cli('resume')
    s.head(403, engine_seq=1 << 60)
    s.cli('resume')
    s.head(404, engine_seq=s.standing()[0].seq)
    got = s.give('issue', s.withdrawal(key, '0.01', 11))
    case('H5: no leap to where no engine was', isinstance(got, str) and
         'too far' in got and s.standing()[0].seq < at + 10000, got)


def observing():
    signer = Signer()
    with Deployment(signer, policy='policy 1\nmode observe\n'
                    'default allow\n') as s:
        key = begin(s)
        s.head(1)
        got = s.give('issue', s.withdrawal(key, '0.1'))
        case('observed: no receipt', isinstance(got, str) and
             'observed' in got, got)


def others():
    """Without a signer of ours all is as it was."""
    with Deployment(None) as s:
        key = begin(s)
        id_ = s.withdrawal(key, '0.1')
        for what in ('issue', 'burn'):
            got = s.give(what, id_)
            case('no signer-key: nothing to %s' % what, isinstance(got, str)
                 and 'names no signer' in got, got)
        s.signer = Signer()
        status, answer = s.head(1)
        case('no signer-key: no heads', status == 1 and 'names no signer' in
             answer, answer)
        status, answer = s.burned(id_)
        case('C1: no signer-key: nothing is burned', status == 1 and
             'names no signer' in answer, answer)
        case('where it stands it says', s.standing()[0].good(s.engine))
        d = Door(s)
        a = d.withdraw('v-1', '0.1')[1]
        got = Receipt(a['receipt'])
        case('no signer-key: receipts are others\'', got.purpose == PAY and
             got.seq == a['seq'], vars(got))


def usage(s):
    for args in (('issue',), ('burn', 'a', 'b'), ('standing', 'x'),
                 ('head', 'f', '--head', 'g'), ('issue', 'a', '--new'),
                 ('verify', '--head', 'x', '--service', 'f')):
        r = s.run('receipt', *args)
        case('usage: receipt ' + ' '.join(args), r.returncode == 2, r)


def main():
    signer = Signer()
    with Deployment(signer) as s:
        key = begin(s)
        usage(s)
        standing(s)
        early = before(s, key)
        heads(s)
        released_before(s, early)
        id_ = issue(s, key)
        many(s, key)
        burn(s, key, id_)
        kill(s, key)
        answered(s, key)
        s.door = door(s)
        forks(s, key)
        behind(s, key)
        configurations(s, key)
        lost(s, key)
        r = s.run('audit', 'verify', '--db', os.path.join(s.data,
                                                          'journal.db'))
        case('the journal verifies', r.returncode == 0, r.stdout + r.stderr)
    observing()
    others()
    case.end()


if __name__ == '__main__':
    main()
