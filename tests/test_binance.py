#!/usr/bin/env python3
"""The customers' door, byte by byte: what no client from npm sends.

python-binance's messages, every code that a request can be refused with, the
headers of weights, and what happens to those who ask too often.
"""
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
SAPI = '/sapi/v1'
APPLY = SAPI + '/capital/withdraw/apply'
HISTORY = SAPI + '/capital/withdraw/history'
FORM = 'application/x-www-form-urlencoded'
DAY = 86400000


def now():
    return int(time.time() * 1000)


def mac(key, text):
    return hmac.new(key.secret.encode(), text.encode(),
                    hashlib.sha256).hexdigest()


class Raw:
    """Requests whose text is given, from an address of one's own."""

    def __init__(self, s, source=None):
        self.s = s
        self.c = http.client.HTTPConnection(
            s.host, s.port, timeout=15,
            source_address=(source, 0) if source else None)

    def ask(self, method, target, body=None, key=None, **headers):
        head = {k.replace('_', '-'): v for k, v in headers.items()}
        if key is not None:
            head['X-MBX-APIKEY'] = key
        self.c.request(method, target, body=body, headers=head)
        r = self.c.getresponse()
        raw = r.read()
        head = {k.lower(): v for k, v in r.getheaders()}
        return r.status, json.loads(raw), head

    def signed(self, method, path, text, key, in_body=False, **headers):
        text += '&signature=' + mac(key, text)
        if in_body:
            return self.ask(method, path, text, key.api_key,
                            Content_Type=FORM, **headers)
        return self.ask(method, path + '?' + text,
                        '' if method == 'POST' else None, key.api_key,
                        **headers)


def text_of(stamp=True, **params):
    if stamp:
        params.setdefault('timestamp', now())
    return '&'.join('%s=%s' % p for p in params.items() if p[1] is not None)


# python-binance 1.0.36

def pb(raw, key, method, path, **params):
    """Names sorted, values signed as they are and sent as a form."""
    params.update(recvWindow=10000, timestamp=now())
    plain = sorted((k, str(v)) for k, v in params.items())
    sign = mac(key, '&'.join('%s=%s' % p for p in plain))
    pairs = plain + [('signature', sign)]
    if method == 'GET':
        return raw.ask('GET', path + '?' + '&'.join(
            '%s=%s' % (k, urllib.parse.quote(v, safe='')) for k, v in pairs),
            None, key.api_key, Content_Type='application/json',
            Accept='application/json')
    return raw.ask(method, path, urllib.parse.urlencode(pairs), key.api_key,
                   Content_Type=FORM, Accept='application/json')


PB_READS = (
    ('GET', SAPI + '/capital/config/getall', {}, lambda j: j[0]['coin']),
    ('GET', '/api/v3/account', {}, lambda j: j['balances'][0]['free']),
    ('GET', SAPI + '/account/apiRestrictions', {},
     lambda j: j['enableReading']),
    ('GET', SAPI + '/account/status', {}, lambda j: j['data'] == 'Normal'),
    ('GET', SAPI + '/account/apiTradingStatus', {},
     lambda j: 'isLocked' in j['data']),
    ('GET', SAPI + '/account/info', {}, lambda j: j['vipLevel'] == 0),
    ('GET', SAPI + '/asset/assetDetail', {}, lambda j: 'BTC' in j),
    ('POST', '/sapi/v3/asset/getUserAsset',
     {'asset': 'BTC', 'needBtcValuation': True}, lambda j: j[0]['free']),
    ('GET', SAPI + '/capital/deposit/address', {'coin': 'BTC'},
     lambda j: j['address']),
    ('GET', SAPI + '/capital/deposit/address/list', {'coin': 'BTC'},
     lambda j: j[0]['isDefault'] == 1),
    ('GET', SAPI + '/capital/deposit/hisrec', {'includeSource': False},
     lambda j: j[0]['amount'] == '50.00000000'),
    ('POST', SAPI + '/account/disableFastWithdrawSwitch', {},
     lambda j: j == {}),
    ('POST', SAPI + '/account/enableFastWithdrawSwitch', {},
     lambda j: j == {}),
)


def test_pb(s):
    s.account('pb', btc='50', address=s.address(201))
    key, raw = s.key('pb'), Raw(s)
    status, j, _ = raw.ask('GET', '/api/v3/ping', None, key.api_key)
    case('pb: ping', status == 200 and j == {})
    for method, path, params, good in PB_READS:
        status, j, head = pb(raw, key, method, path, **params)
        case('pb: %s %s' % (method, path), status == 200 and good(j) and
             head['content-type'] == 'application/json;charset=UTF-8', j)
    a = s.address(1)
    status, j, _ = pb(raw, key, 'POST', APPLY, coin='BTC', address=a,
                      amount=1e-05, transactionFeeFlag=True, walletType=0)
    case('pb: withdraw, and `1e-05` is that', status == 200 and
         len(j['id']) == 32, j)
    first = j.get('id')
    status, j, _ = pb(raw, key, 'POST', APPLY, coin='BTC', address=a,
                      amount=0.5, name='BTC', transactionFeeFlag=False)
    case('pb: withdraw asynchronously, which sends a name', status == 200, j)
    status, j, _ = pb(raw, key, 'GET', HISTORY)
    rows = {r['id']: r for r in j} if status == 200 else {}
    case('pb: the plain history has it', rows.get(first, {}).get('amount') ==
         '0.00001000' and 'completeTime' not in rows[first], j)
    status, j, _ = pb(raw, key, 'POST', APPLY, coin='BTC', address=a,
                      amount=0.5, name='My wallet')
    case('pb: a blank in a value, signed as it is, is not taken',
         status == 400 and j['code'] == -1022, j)


def test_pb_decoded():
    """The option for it."""
    with service.Service(policy=service.EASY,
                         conf='decoded-signatures yes\n') as s:
        s.hot('1000')
        s.account('pb', btc='50')
        key, raw = s.key('pb'), Raw(s)
        for name in ('My wallet', 'a/b:c', 'Größe'):
            status, j, _ = pb(raw, key, 'POST', APPLY, coin='BTC',
                              address=s.address(1), amount=0.5, name=name)
            case('decoded signatures: ' + name, status == 200, j)
        for name in ('a&amount=9', '50%', 'a+b'):
            status, j, _ = pb(raw, key, 'POST', APPLY, coin='BTC',
                              address=s.address(1), amount=0.5, name=name)
            case('decoded signatures, ambiguous: ' + name, status == 400 and
                 j['code'] == -1022, j)


# What a request is refused with

def refused(name, answer, code, status=400):
    got, j, head = answer
    case(name, got == status and j.get('code') == code and
         isinstance(j.get('msg'), str) and 'success' not in j and
         head['content-type'] == 'application/json;charset=UTF-8',
         '%d %s' % (got, json.dumps(j)))


def test_time(s, raw, key):
    path = SAPI + '/account/status'
    for name, params in (
            ('6 s old', {'timestamp': now() - 6000}),
            ('1.5 s ahead', {'timestamp': now() + 1500}),
            ('outside of its own window', {'timestamp': now() - 300,
                                           'recvWindow': '100.5'})):
        refused('-1021: ' + name, raw.signed('GET', path, text_of(**params),
                                             key), -1021)
    for name, params in (
            ('half a second ahead', {'timestamp': now() + 500}),
            ('in microseconds', {'timestamp': now() * 1000}),
            ('6 s old in a wide window', {
                'timestamp': max(now() - 6000, s.started + 1),
                'recvWindow': '60000'}),
            ('a window with three decimals', {'recvWindow': '4999.125'})):
        status, j, _ = raw.signed('GET', path, text_of(**params), key)
        case('in time: ' + name, status == 200, j)
    for bad in ('', '-1', 'now', '1e3', '99999999999999999999'):
        refused('-1102: timestamp %r' % bad, raw.signed(
            'GET', path, text_of(timestamp=bad), key), -1102)
    for bad in ('x', '1.2345', '-5'):
        refused('-1102: recvWindow %r' % bad, raw.signed(
            'GET', path, text_of(recvWindow=bad), key), -1102)
    for bad in (60001, '60000.001'):
        refused('-1131: recvWindow %s' % bad, raw.signed(
            'GET', path, text_of(recvWindow=bad), key), -1131)


def test_keys(s, raw, key):
    good = dict(coin='BTC', address=s.address(1), amount='0.1')
    t = text_of(**good)
    t += '&signature=' + mac(key, t)
    refused('-2014: no key', raw.ask('POST', APPLY + '?' + t), -2014, 401)
    refused('-2014: an empty one', raw.ask('POST', APPLY + '?' + t, key=''),
            -2014, 401)
    refused('-2014: a long one', raw.ask('POST', APPLY + '?' + t,
                                         key='k' * 65), -2014, 401)
    refused('-2015: an unknown one', raw.ask(
        'POST', APPLY + '?' + t, key='k' * 64), -2015, 401)
    status, j, _ = raw.ask('POST', APPLY + '?' + t, key=key.api_key)
    case('all of these left the message as good as it was', status == 200, j)
    refused('-1022: a second time', raw.ask(
        'POST', APPLY + '?' + t, key=key.api_key), -1022)
    refused('-1022: a second time, in the body', raw.ask(
        'POST', APPLY, t, key.api_key, Content_Type=FORM), -1022)
    t = text_of(**good)
    upper = t + '&signature=' + mac(key, t).upper()
    status, j, _ = raw.ask('POST', APPLY, upper, key.api_key,
                           Content_Type=FORM)
    case('capital hex digits are digits', status == 200, j)
    t = text_of(**good)
    sign = mac(key, t)
    for name, tail in (('none', ''), ('empty', '&signature=')):
        refused('-1102: signature, ' + name, raw.ask(
            'POST', APPLY + '?' + t + tail, key=key.api_key), -1102)
    for name, bad in (('short', sign[:-1]), ('long', sign + '0'),
                      ('no hex', 'x' * 64),
                      ('another', sign[1:] + sign[0])):
        refused('-1022: signature, ' + name, raw.ask(
            'POST', APPLY + '?' + t + '&signature=' + bad,
            key=key.api_key), -1022)
    for i, was in enumerate(t):
        if was not in '0123456789' or i % 5:
            continue
        bad = t[:i] + str((int(was) + 1) % 10) + t[i + 1:]
        got, j, _ = raw.ask('POST', APPLY + '?' + bad + '&signature=' + sign,
                            key=key.api_key)
        if got != 400 or j['code'] not in (-1022, -1021):
            return case('a digit flipped', False, bad)
    return case('a digit flipped: refused', True)


def test_parameters(s, raw, key):
    a = s.address(1)
    good = dict(coin='BTC', address=a, amount='0.1')

    def bad(name, code, **more):
        refused('%d: %s' % (code, name), raw.signed(
            'POST', APPLY, text_of(**dict(good, **more)), key), code)

    for name in good:
        bad('no ' + name, -1102, **{name: None})
        bad('empty ' + name, -1102, **{name: ''})
    for value in ('%20', '0.1%20', '0.1%00', '0.1%zz', '%', '1,5', '0x10',
                  '-1', '+1', '1e', '.', '1e999', 'Infinity', '1.2.3',
                  '1%0A', '0.1%7F', '%C2%A01'):
        bad('amount=' + value, -1100, amount=value)
    bad('a blank in the address', -1100, address=a[:10] + '+' + a[10:])
    bad('a blank in an order id', -1100, withdrawOrderId='a%20b')
    for value in ('0.123456789', '1e-9', '0.1000000000001'):
        bad('amount=' + value, -1111, amount=value)
    for value in ('0', '0.00000999', '1e-8', '0e5'):
        bad('amount=' + value, -4022, amount=value)
    bad('more than there will ever be', -4023, amount='21000001')
    bad('more than the account has', -4026, amount='60')
    bad('a parameter nobody knows', -1104, feeRate='9')
    bad('what another endpoint knows', -1104, endTime='1')
    bad('another coin', -4018, coin='ETH')
    bad('a coin in small letters', -4018, coin='btc')
    bad('another network', -4019, network='LIGHTNING')
    bad('a tag', -4106, addressTag='memo')
    bad('an odd flag', -1130, transactionFeeFlag='yes')
    bad('an odd wallet', -1130, walletType='2')
    bad('an order id that is too long', -1130, withdrawOrderId='x' * 65)
    for name, to in (('not an address', 'nonsense'),
                     ("another network's", 'bc1qw508d6qejxtdg4y5r3zarvary0c5'
                      'xw7kv8f3t4'), ('in mixed case', a[:-1] +
                                      a[-1].upper())):
        bad(name, -4033, address=to)
    for i in (8, 20, -1):
        flipped = list(a)
        flipped[i] = 'q' if a[i] != 'q' else 'p'
        bad('a letter of the address is another', -4033,
            address=''.join(flipped))
    t = text_of(**good)
    refused('-1101: twice', raw.signed('POST', APPLY, t + '&amount=0.2',
                                       key), -1101)
    refused('-1101: twice, spelled in two ways', raw.signed(
        'POST', APPLY, t + '&amoun%74=0.2', key), -1101)
    head, tail = t.rsplit('&', 1)
    refused('-1101: on both sides', raw.ask(
        'POST', APPLY + '?' + head, tail + '&signature=' +
        mac(key, head + tail), key.api_key, Content_Type=FORM), -1101)
    sign = mac(key, t)
    refused('-1101: two signatures', raw.ask(
        'POST', APPLY + '?' + t + '&signature=' + sign, 'signature=' + sign,
        key.api_key, Content_Type=FORM), -1101)
    refused('-1101: more than anybody needs', raw.signed(
        'POST', APPLY, t + ''.join('&x%d=1' % i for i in range(40)), key),
        -1101)
    status, j, _ = raw.ask('POST', APPLY + '?' + t, 'signature=' +
                           mac(key, t), key.api_key, Content_Type=FORM)
    case("the signature alone in the body: the official sample's way",
         status == 200, j)
    for value, want in (('1e-3', '0.00100000'), ('0.00100', '0.00100000'),
                        ('1E-5', '0.00001000'), ('1.50000000000', None)):
        order = 'amount-' + value
        status, j, _ = raw.signed('POST', APPLY, text_of(
            **dict(good, amount=value, withdrawOrderId=order)), key)
        case('amount=%s is taken' % value, status == 200, j)
        s.want[order] = want or '1.50000000'
    for flag in ('true', 'False', 'TRUE'):
        status, j, _ = raw.signed('POST', APPLY, text_of(
            **dict(good, transactionFeeFlag=flag, walletType=1)), key)
        case('transactionFeeFlag=' + flag, status == 200, j)


def test_queries(s, raw, key):
    def ask(path=HISTORY, pause=True, **more):
        time.sleep(0.12 if pause else 0)
        return raw.signed('GET', path, text_of(**more), key)

    t = now()
    refused('-4047: over 90 days', ask(startTime=t - 90 * DAY - 1,
                                       endTime=t), -4047)
    refused('-1127: over 7 days with an order id', ask(
        startTime=t - 7 * DAY - 1, endTime=t, withdrawOrderId='x'), -1127)
    hisrec = SAPI + '/capital/deposit/hisrec'
    refused('-4047: deposits, over 90 days', ask(
        hisrec, startTime=t - 91 * DAY, endTime=t), -4047)
    refused('-1102: the address of no coin', ask(
        SAPI + '/capital/deposit/address'), -1102)
    refused('-4018: the address of another', ask(
        SAPI + '/capital/deposit/address', coin='DOGE'), -4018)
    refused('-1130: limit=1001', ask(hisrec, limit=1001), -1130)
    refused('-1130: offset=-1', ask(hisrec, offset=-1), -1130)
    status, j, _ = ask(startTime=t - 90 * DAY, endTime=t)
    case('90 days exactly', status == 200, j)
    got = {r['withdrawOrderId']: r['amount'] for r in j
           if 'withdrawOrderId' in r}
    case('every amount is what was written', all(
        got.get(k) == v for k, v in s.want.items()), got)
    case('newest first', [r['applyTime'] for r in j] == sorted(
        (r['applyTime'] for r in j), reverse=True))
    ids = [r['id'] for r in j]
    status, some, _ = ask(limit=2, offset=1)
    case('offset and limit', [r['id'] for r in some] == ids[1:3], some)
    status, some, _ = ask(idList='%s,%s' % (ids[3], ids[0]))
    case('idList', [r['id'] for r in some] == [ids[0], ids[3]], some)
    status, some, _ = ask(status=6)
    case('status', status == 200 and some == [], some)
    status, some, _ = ask(coin='ETH')
    case('another coin has no history', status == 200 and some == [], some)
    status, some, _ = ask(hisrec, status=1)
    case('deposits of a status', len(some) == 1, some)
    status, some, _ = ask(hisrec, txId='nothing')
    case('deposits of a transaction', some == [], some)


def test_paths(raw, key):
    for path in ('/sapi/v1/nothing', '/', '/api/v3/order',
                 '/sapi/v1/capital/withdraw/apply/', '/SAPI/v1/account/info'):
        refused('404: ' + path, raw.signed('GET', path, text_of(), key),
                -1020, 404)
    for method, path, allow in (
            ('GET', APPLY, 'POST'), ('POST', HISTORY, 'GET'),
            ('DELETE', '/api/v3/account', 'GET'), ('PUT', APPLY, 'POST'),
            ('PUT', '/v1/self/keys', 'GET, POST')):
        answer = raw.signed(method, path, text_of(), key)
        refused('405: %s %s' % (method, path), answer, -1020, 405)
        case('405: %s %s: allowed is %s' % (method, path, allow),
             answer[2].get('allow') == allow, answer[2].get('allow'))


# Every field, and what kind of thing it is: `d` a decimal in a string, `s` a
# string, `b` a bool, `i` a number, `u` a time in UTC.

def shape_of(text):
    return dict(reversed(word.split(':')) for word in text.split())


SHAPES = (
    ('GET', SAPI + '/capital/config/getall', lambda j: j[0],
     's:coin s:name b:depositAllEnable b:withdrawAllEnable d:free d:locked '
     'd:freeze d:withdrawing d:ipoing d:ipoable d:storage b:isLegalMoney '
     'b:trading l:networkList'),
    ('GET', SAPI + '/capital/config/getall',
     lambda j: j[0]['networkList'][0],
     's:network s:coin s:name b:isDefault d:withdrawIntegerMultiple '
     'b:depositEnable b:withdrawEnable s:depositDesc s:withdrawDesc '
     's:specialTips s:specialWithdrawTips s:addressRegex s:memoRegex '
     'd:withdrawFee d:withdrawMin d:withdrawMax d:withdrawInternalMin '
     'd:depositDust i:minConfirm i:unLockConfirm b:sameAddress '
     'b:withdrawTag i:estimatedArrivalTime b:busy b:resetAddressStatus '
     's:contractAddressUrl s:contractAddress i:denomination'),
    ('GET', '/api/v3/account', lambda j: j,
     'i:makerCommission i:takerCommission i:buyerCommission '
     'i:sellerCommission o:commissionRates b:canTrade b:canWithdraw '
     'b:canDeposit b:brokered b:requireSelfTradePrevention b:preventSor '
     'i:updateTime s:accountType l:balances l:permissions i:uid'),
    ('GET', '/api/v3/account', lambda j: j['balances'][0],
     's:asset d:free d:locked'),
    ('GET', SAPI + '/account/apiRestrictions', lambda j: j,
     'b:ipRestrict i:createTime b:enableReading b:enableWithdrawals '
     'b:enableInternalTransfer b:enableMargin b:enableFutures '
     'b:permitsUniversalTransfer b:enableVanillaOptions '
     'b:enableFixApiTrade b:enableFixReadOnly '
     'b:enableSpotAndMarginTrading b:enablePortfolioMarginTrading'),
    ('GET', SAPI + '/account/apiTradingStatus', lambda j: j['data'],
     'b:isLocked i:plannedRecoverTime o:triggerCondition i:updateTime'),
    ('GET', SAPI + '/account/info', lambda j: j,
     'i:vipLevel b:isMarginEnabled b:isFutureEnabled b:isOptionsEnabled '
     'b:isPortfolioMarginRetailEnabled'),
    ('GET', HISTORY, lambda j: j[0],
     's:id d:amount d:transactionFee s:coin i:status s:address '
     's:addressTag s:txId u:applyTime s:network i:transferType '
     's:withdrawOrderId s:info i:confirmNo i:walletType s:txKey'),
    ('GET', SAPI + '/capital/deposit/address?coin=BTC', lambda j: j,
     's:address s:coin s:tag s:url'),
    ('GET', SAPI + '/capital/deposit/address/list?coin=BTC',
     lambda j: j[0], 's:coin s:address s:tag i:isDefault'),
    ('GET', SAPI + '/capital/deposit/hisrec', lambda j: j[0],
     's:id d:amount s:coin s:network i:status s:address s:addressTag '
     's:txId i:insertTime i:completeTime i:transferType s:confirmTimes '
     'i:unlockConfirm i:walletType i:travelRuleStatus'),
    ('GET', SAPI + '/capital/withdraw/address/list', lambda j: j[0],
     's:address s:addressTag s:coin s:name s:network s:origin '
     's:originType b:whiteStatus'),
    ('GET', SAPI + '/capital/withdraw/quota', lambda j: j,
     'd:wdQuota d:usedWdQuota'),
    ('POST', '/sapi/v3/asset/getUserAsset', lambda j: j[0],
     's:asset d:free d:locked d:freeze d:withdrawing d:ipoable '
     'd:btcValuation'),
    ('GET', SAPI + '/asset/assetDetail', lambda j: j['BTC'],
     'd:minWithdrawAmount b:depositStatus d:withdrawFee b:withdrawStatus'),
    ('GET', SAPI + '/asset/wallet/balance', lambda j: j[0],
     'b:activate d:balance s:walletName'),
)
KINDS = {
    'd': lambda v: isinstance(v, str) and re.fullmatch(
        r'\d+(\.\d{1,8})?', v),
    'u': lambda v: isinstance(v, str) and re.fullmatch(
        r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', v),
    's': lambda v: isinstance(v, str),
    'b': lambda v: isinstance(v, bool),
    'i': lambda v: isinstance(v, int) and not isinstance(v, bool),
    'l': lambda v: isinstance(v, list),
    'o': lambda v: isinstance(v, dict),
}


def test_shapes(s):
    s.account('shape', btc='50', address=s.address(203))
    s.tell(type='address_add', account='shape', address=s.address(5))
    key, raw = s.key('shape'), Raw(s)
    status, j, _ = raw.signed('POST', APPLY, text_of(
        coin='BTC', address=s.address(1), amount='0.5',
        withdrawOrderId='my-1'), key)
    case('a withdrawal to look at', status == 200, j)
    for method, target, part, text in SHAPES:
        path, _, query = target.partition('?')
        more = dict(p.split('=') for p in query.split('&') if p)
        time.sleep(0.002)
        status, j, _ = raw.signed(method, path, text_of(**more), key)
        want, wrong = shape_of(text), ['status %d' % status]
        if status == 200 and j:
            got = part(j)
            wrong = sorted(set(got) ^ set(want)) + [
                '%s=%r' % (k, got[k]) for k, kind in want.items()
                if k in got and not KINDS[kind](got[k])]
        case('every field: %s (%s)' % (target, text.split()[0]), not wrong,
             '%s of %s' % (wrong, j))
    status, j, _ = raw.signed('GET', '/api/v3/account', text_of(), key)
    b = j['balances'][0]
    case('free and locked are what is there', (b['free'], b['locked']) == (
        '49.50000000', '0.50000000'), b)
    status, j, _ = raw.signed('GET', SAPI + '/capital/withdraw/quota',
                              text_of(), key)
    case('used of the quota', j['usedWdQuota'] == '0.50000000', j)


# Weights

WEIGHTS = (
    ('GET', '/api/v3/ping', 'mbx', 1), ('GET', '/api/v3/time', 'mbx', 1),
    ('GET', '/api/v3/exchangeInfo', 'mbx', 20),
    ('GET', '/api/v3/account', 'mbx', 20),
    ('GET', SAPI + '/system/status', 'ip', 1),
    ('GET', SAPI + '/margin/allPairs', 'ip', 1),
    ('GET', SAPI + '/margin/isolated/allPairs', 'ip', 10),
    ('GET', SAPI + '/capital/config/getall', 'ip', 10),
    ('GET', SAPI + '/account/apiRestrictions', 'ip', 1),
    ('GET', SAPI + '/account/status', 'ip', 1),
    ('POST', APPLY, 'uid', 900), ('GET', HISTORY, 'uid', 18000),
    ('GET', SAPI + '/capital/deposit/address?coin=BTC', 'ip', 10),
    ('GET', SAPI + '/capital/deposit/hisrec', 'ip', 1),
    ('POST', '/sapi/v3/asset/getUserAsset', 'ip', 5),
    ('GET', SAPI + '/account/apiTradingStatus', 'ip', 1),
    ('GET', SAPI + '/account/info', 'ip', 1),
    ('GET', SAPI + '/capital/withdraw/address/list', 'ip', 10),
    ('GET', SAPI + '/capital/withdraw/quota', 'ip', 10),
    ('GET', SAPI + '/capital/deposit/address/list?coin=BTC', 'ip', 10),
    ('POST', SAPI + '/asset/get-funding-asset', 'ip', 1),
    ('GET', SAPI + '/asset/assetDetail', 'ip', 1),
    ('GET', SAPI + '/asset/wallet/balance', 'ip', 60),
    ('POST', SAPI + '/account/disableFastWithdrawSwitch', 'ip', 1),
    ('POST', SAPI + '/account/enableFastWithdrawSwitch', 'ip', 1),
    ('GET', SAPI + '/localentity/questionnaire-requirements', 'ip', 1),
)


def test_weights(s):
    """Twice each: the second time it is two weights, or a new minute."""
    s.account('weigher', btc='5', address=s.address(202))
    key, raw = s.key('weigher', ips=('127.0.0.4',)), Raw(s, '127.0.0.4')
    names = {'mbx': 'x-mbx-used-weight-1m',
             'ip': 'x-sapi-used-ip-weight-1m',
             'uid': 'x-sapi-used-uid-weight-1m'}
    for method, path, kind, weight in WEIGHTS:
        used = []
        for _ in range(2):
            path_, _, query = path.partition('?')
            more = dict(p.split('=') for p in query.split('&') if p)
            if path == APPLY:
                more = dict(coin='BTC', address=s.address(1), amount='0.001')
            status, j, head = raw.signed(method, path_, text_of(**more), key)
            if status != 200:
                break
            used.append(int(head.get(names[kind], '-1')))
            time.sleep(0.002)
        case('weight %d (%s): %s' % (weight, kind, path), len(used) == 2 and
             (used[1] == weight or used[1] - used[0] == weight),
             '%s %s' % (used, j))


def flood(raw, path, most):
    """Until something else than 200 comes: (how many, the answer)."""
    for n in range(most):
        answer = raw.ask('GET', path)
        if answer[0] != 200:
            return n, answer
    return most, answer


def test_limits(s):
    # In a new minute every counter begins again; 20 seconds are enough.
    while time.time() % 60 > 40:
        time.sleep(0.2)
    raw, other = Raw(s, '127.0.0.5'), Raw(s, '127.0.0.6')
    n, (status, j, head) = flood(raw, '/api/v3/exchangeInfo', 400)
    case('429: the weight of a minute is used up', status == 429 and
         j['code'] == -1003 and n <= 300, '%d: %d %s' % (n, status, j))
    case('429: Retry-After is within the minute',
         0 < int(head.get('retry-after', '0')) <= 60, head)
    status, j, _ = raw.ask('GET', '/sapi/v1/system/status')
    case('another endpoint has its own budget', status == 200, j)
    status, j, _ = other.ask('GET', '/api/v3/exchangeInfo')
    case('another address too', status == 200, j)
    banned = None
    for _ in range(200):
        status, j, head = raw.ask('GET', '/api/v3/ping')
        if status == 418:
            banned = head
            break
    case('418: who goes on is banned', banned is not None and
         j['code'] == -1003, status)
    case('418: for two minutes at first', banned is not None and
         100 < int(banned['retry-after']) <= 120, banned)
    status, j, _ = Raw(s, '127.0.0.5').ask('GET', '/sapi/v1/system/status')
    case('418: everywhere, and on new connections', status == 418, status)
    status, j, _ = other.ask('GET', '/api/v3/exchangeInfo')
    case('418: only he', status == 200, status)


def test_uid(s):
    """History weighs by account, whatever address or key."""
    s.account('reader', btc='5')
    keys = [s.key('reader', withdraw=False, ips=()) for _ in range(2)]
    while time.time() % 60 > 50:
        time.sleep(0.2)
    answers = []
    for i in range(12):
        time.sleep(0.12)
        raw = Raw(s, '127.0.0.%d' % (7 + i % 2))
        answers.append(raw.signed('GET', HISTORY, text_of(), keys[i % 2]))
    statuses = [a[0] for a in answers]
    case('ten histories in a minute, and no more', statuses[:10] ==
         [200] * 10 and statuses[10:] == [429] * 2, statuses)
    case('with Retry-After', 0 < int(answers[10][2].get('retry-after', 0))
         <= 61, answers[10][2])
    status, j, _ = Raw(s, '127.0.0.7').signed(
        'GET', SAPI + '/account/status', text_of(), keys[0])
    case('what weighs by address goes on', status == 200, j)
    raw, statuses = Raw(s, '127.0.0.9'), []
    for _ in range(15):
        statuses.append(raw.ask('GET', HISTORY)[0])
    case('ten a second of one address, whoever he says he is',
         statuses.count(401) <= 11 and statuses.count(429) >= 4, statuses)


# Policy

CODES = '''policy 1
default allow
deny "form" when form p2wsh
deny "once" when amount > 3 btc
deny "day" when sum committed by account in 24h > 4 btc
'''


def test_policy():
    with service.Service(policy=CODES) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key, raw = s.key('carol'), Raw(s)

        s.orders = 0

        def apply_(amount, to=s.address(1)):
            s.orders += 1
            return raw.signed('POST', APPLY, text_of(
                coin='BTC', address=to, amount=amount,
                withdrawOrderId='o-%d' % s.orders), key)

        refused('-4033: a rule about forms of addresses', apply_(
            '0.1', service.segwit('bcrt', bytes(range(32)))), -4033)

        refused('-4023: a rule about amounts', apply_('3.5'), -4023)
        status, j, _ = apply_('2.5')
        case('within it', status == 200, j)
        refused('-4023: a rule about a day of the account', apply_('2.5'),
                -4023)
        status, j, _ = raw.signed('GET', HISTORY, text_of(), key)
        case('what was refused at once leaves no row', len(j) == 1, j)
    for code, why, rule in (
            (-4015, 'any other rule', 'via api'),
            (-4035, 'a rule about the address list', 'age of listing < 1h'),
            (-4036, 'a rule about new addresses',
             'destination new to account')):
        with service.Service(policy='policy 1\ndefault allow\n'
                             'deny "it" when %s\n' % rule) as s:
            s.hot('1000')
            s.account('carol', btc='50')
            key = s.key('carol')
            refused('%d: %s' % (code, why), Raw(s).signed(
                'POST', APPLY, text_of(coin='BTC', address=s.address(1),
                                       amount='1'), key), code)


STATES = '''policy 1
default allow
hold "look" when amount >= 2 btc
delay 1h "wait" when amount >= 1 btc
step-up "code" when amount >= 0.5 btc and amount < 1 btc and not code given
'''


def test_states():
    """What history says of a withdrawal, from asking to the end."""
    with service.Service(policy=STATES) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        key, raw = s.key('carol'), Raw(s)
        ids = {}
        for name, amount in (('at once', '0.1'), ('paid', '0.2'),
                             ('failed', '0.3'), ('code', '0.6'),
                             ('delayed', '1'), ('cancelled', '1.1'),
                             ('held', '2'), ('denied', '2.1'),
                             ('let go', '2.2')):
            status, j, _ = raw.signed('POST', APPLY, text_of(
                coin='BTC', address=s.address(1), amount=amount,
                withdrawOrderId=name.replace(' ', '-')), key)
            case('an apply that is %s is answered with an id' % name,
                 status == 200, j)
            ids[name] = j.get('id')
        s.cli('withdrawal', 'cancel', ids['cancelled'])
        s.cli('withdrawal', 'deny', ids['denied'])
        s.cli('withdrawal', 'release', ids['let go'])
        s.tell(type='outcome', id=ids['paid'], state='paid')
        s.tell(type='outcome', id=ids['failed'], state='failed')
        status, j, _ = raw.signed('GET', HISTORY, text_of(), key)
        rows = {r['id']: r for r in j}
        for name, want, done in (
                ('at once', 4, False), ('paid', 6, True),
                ('failed', 5, True), ('code', 0, False),
                ('delayed', 2, False), ('cancelled', 1, True),
                ('held', 2, False), ('denied', 3, True),
                ('let go', 4, False)):
            r = rows.get(ids[name], {})
            case('history: %s is %d' % (name, want), r.get('status') == want
                 and ('completeTime' in r) == done, r)
        infos = {name: rows.get(i, {}).get('info') for name, i in
                 ids.items()}
        soon = time.gmtime(time.time() + 3600)
        case('what waits says until when', (infos['delayed'] or '').startswith(
            time.strftime('waits until %Y-%m-%d ', soon)), infos)
        case('what waits, was refused or ended says why', all(
            infos[n] for n in ('code', 'delayed', 'cancelled', 'held',
                               'denied')) and len(set(infos[n] for n in (
                                   'code', 'delayed', 'cancelled', 'held',
                                   'denied'))) == 5, infos)
        status, j, _ = raw.signed('GET', HISTORY, text_of(status=2), key)
        case('history: of one status', sorted(r['id'] for r in j) == sorted(
            (ids['delayed'], ids['held'])), j)
        status, j, _ = raw.signed('GET', '/api/v3/account', text_of(), key)
        # 2.1 and 1.1 came back; 0.2 is paid.  The 0.3 that failed come back
        # when whoever signs says that he never will.
        b = j['balances'][0]
        case('what is open is locked', (b['free'], b['locked']) == (
            '43.60000000', '5.90000000'), b)


def slow_header(s):
    """A request whose bytes come one by one is the same request."""
    with socket.create_connection((s.host, s.port), 10) as c:
        for b in b'GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n':
            c.sendall(bytes([b]))
        c.settimeout(10)
        case('byte by byte', c.recv(4096).startswith(b'HTTP/1.1 200'))


def main():
    with service.Service(policy=service.EASY) as s:
        s.want, s.started = {}, now()
        s.hot('1000')
        s.account('carol', btc='50', address=s.address(200))
        key, raw = s.key('carol'), Raw(s)
        test_pb(s)
        test_time(s, raw, key)
        test_keys(s, raw, key)
        test_parameters(s, raw, key)
        test_queries(s, raw, key)
        test_paths(raw, key)
        test_shapes(s)
        slow_header(s)
        test_weights(s)
        test_limits(s)
        test_uid(s)
    test_pb_decoded()
    test_policy()
    test_states()
    case.end()


if __name__ == '__main__':
    main()
