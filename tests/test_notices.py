#!/usr/bin/env python3
"""What owners are told, and what the links in it do: a real SMTP server, mail
and SMS commands, a webhook."""
import base64
import email
import email.header
import hashlib
import hmac
import http.server
import json
import os
import re
import socketserver
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402
import test_self                                        # noqa: E402

POLICY = '''policy 1
default allow
set expiry of codes 20s
step-up "code"  when amount >= 1 btc and not code given
delay 1h "big"  when amount >= 2 btc
hold "huge"     when amount >= 3 btc
'''


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of RFC 5321 as a sender needs."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        self.got = []
        super().__init__(('127.0.0.1', 0), Session)


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        self.say('220 test')
        to = []
        while True:
            line = self.rfile.readline().decode('ascii', 'replace').strip()
            word = line[:4].upper()
            if not line or word == 'QUIT':
                self.say('221 bye')
                return
            if word == 'RCPT':
                to.append(re.search('<(.*)>', line).group(1))
            if word != 'DATA':
                self.say('250 ok')
                continue
            self.say('354 go on')
            data = b''
            while not data.endswith(b'\r\n.\r\n'):
                data += self.rfile.readline()
            self.server.got.append((to, email.message_from_bytes(data[:-5])))
            to = []
            self.say('250 taken')


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/sms':
            self.server.sms.append(body.decode())
        else:
            self.server.got.append((self.headers['Drawbridge-Signature'],
                                    body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    return what()


class Told:
    """Everything that came, by subject and recipient."""

    def __init__(self, folder):
        self.mail = serve(Mailbox())
        self.hook = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hook)
        self.hook.got = []
        self.hook.sms = []
        serve(self.hook)
        self.secret = os.path.join(folder, 'hook.secret')
        with open(self.secret, 'w', encoding='ascii') as f:
            f.write('0123456789abcdef0123456789abcdef\n')
        os.chmod(self.secret, 0o600)
        self.command = os.path.join(folder, 'sms.sh')
        with open(self.command, 'w', encoding='ascii') as f:
            # Locked in, it can write no file: it sends, as a real one does.
            f.write('#!/usr/bin/python3\nimport http.client, sys\n'
                    'c = http.client.HTTPConnection("127.0.0.1", %d)\n'
                    'c.request("POST", "/sms", "to %%s: %%s" %% (sys.argv[1],'
                    ' sys.stdin.read()))\nc.getresponse()\n' %
                    self.hook.server_address[1])
        os.chmod(self.command, stat.S_IRWXU)

    def conf(self):
        return ('smtp smtp://127.0.0.1:%d\nmail-from door@example.org\n'
                'sms-command %s\nwebhook http://127.0.0.1:%d/x\n'
                'webhook-secret %s\nurl http://door.example.org\n') % (
                    self.mail.server_address[1], self.command,
                    self.hook.server_address[1], self.secret)

    def mails(self, subject, to=None):
        return [m.get_payload(decode=True).decode() for who, m in
                self.mail.got if str(email.header.make_header(
                    email.header.decode_header(m['Subject']))) == subject and
                (to is None or to in who)]

    def one(self, subject, to=None, n=1):
        got = wait_for(lambda: self.mails(subject, to)[n - 1:])
        return got[0] if got else None

    def texts(self):
        return '\n'.join(self.hook.sms)


def link(text, what):
    m = re.search(what + r'[^\n]*\n(http://door\.example\.org)(/link/\S+)',
                  text or '')
    return m.group(2) if m else None


def contact(s, case, told, key, phone):
    status, j = test_self.ask(s, key, 'POST', '/v1/self/contact',
                              {'mail': 'carol@example.org',
                               'phone': '+49151000'}, phone.code())
    case('a contact is put in', status == 200, j)
    for bad in ({'mail': 'carol@x\r\nBcc: all@x'}, {'phone': '0151'},
                {'mail': 'a@b@c'}, {'mail': '-x@y'}):
        case.equal('no contact: %s' % bad, test_self.ask(
            s, key, 'POST', '/v1/self/contact', bad, phone.code())[0], 400)
    text = told.one('A second factor or contact was changed')
    case('he is told of it', text is not None and 'carol' in text and
         'where notices and codes go' in text, text)


def delayed(s, case, told, key):
    address = s.address(50)
    wid = s.apply(key, '2.5', address,
                  headers={'Drawbridge-Code': key.phone.code()})[1]['id']
    text = told.one('A withdrawal waits')
    case('a delayed withdrawal is told', text is not None and wid in text and
         '2.5 BTC' in text and address in text and 'leaves at' in text, text)
    path = link(text, 'To cancel it')
    case('with a link that cancels', path is not None, text)
    status, page, head = s.get(path)
    case('to look shows a page', status == 200 and
         b'<form method="post">' in page and b'<script' not in page and
         head['Content-Type'].startswith('text/html') and
         "default-src 'none'" in head.get('Content-Security-Policy', ''),
         (status, page, head))
    for _ in range(3):
        s.get(path)
    case.equal('and changes nothing (H14)', test_self.state(
        s, key, wid)['state'], 'waiting')
    status, page, _ = s.get(path, {'Content-Type':
                                   'application/x-www-form-urlencoded'},
                            'POST', '')
    case('to act cancels', status == 200 and test_self.state(
        s, key, wid)['state'] == 'cancelled', (status, page))
    case.equal('once', s.get(path, method='POST', body='')[0], 410)
    bad = path[:-3] + ('AAA' if path[-3:] != 'AAA' else 'BBB')
    case.equal('a changed link', s.get(bad, method='POST', body='')[0], 404)
    text = told.one('A withdrawal was cancelled')
    case('the cancelling is told', text is not None and wid in text, text)


def sent_code(s, case, told, key):
    wid = s.apply(key, '1.1', s.address(51))[1]['id']
    case('a step-up is told', wid in (told.one(
        'A withdrawal needs your code') or ''))
    path = '/v1/self/withdrawals/%s/' % wid
    status, j = test_self.ask(s, key, 'POST', path + 'send-code')
    case('a code is sent by mail', status == 200, j)
    text = told.one('Your code') or ''
    code = text[:6]
    case('it names its withdrawal', re.match(r'\d{6} ', text) and
         wid in text, text)
    case.equal('one a minute', test_self.ask(
        s, key, 'POST', path + 'send-code', {'way': 'sms'})[0], 429)
    case.equal('it is good for nothing else', test_self.ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(52)},
        code)[1].get('code'), -4005)
    status, j = test_self.ask(s, key, 'POST', path + 'code', None, code)
    case('it releases', status == 200 and test_self.state(
        s, key, wid)['state'] == 'released', j)
    case('a sent code does not lock the telephone out', test_self.ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(53)},
        key.phone.totp())[0] == 200)


def webhook(case, told):
    got = wait_for(lambda: told.hook.got)
    case('the webhook is called', bool(got))
    sign, body = got[0]
    t, v1 = re.match(r't=(\d+),v1=([0-9a-f]{64})$', sign).groups()
    with open(told.secret, 'rb') as f:
        secret = f.read().strip()
    case.equal('signed', v1, hmac.new(secret, t.encode() + b'.' + body,
                                      hashlib.sha256).hexdigest())
    events = [json.loads(b) for _, b in told.hook.got]
    case('without links', all('link' not in json.dumps(e) for e in events))
    case('with what happened', any(
        e['event'] == 'delayed' and e['amount'] == '2.50000000' and
        e['account'] == 'carol' for e in events), events)


def old_contact(s, case, told, key, phone):
    status, j = test_self.ask(s, key, 'POST', '/v1/self/contact',
                              {'mail': 'thief@example.net'}, phone.code())
    subject = 'A second factor or contact was changed'
    case('the new contact is told', status == 200 and told.one(
        subject, 'thief@example.net') is not None, j)
    case('the old one, too', bool(wait_for(lambda: [
        t for t in told.mails(subject, 'carol@example.org')][1:])))


def frozen(s, case, told, key):
    path = link(told.mails('A second factor or contact was changed',
                           'carol@example.org')[-1], 'If this was not you')
    status, page, _ = s.get(path)
    case('a link that freezes shows first', status == 200 and
         b'Freeze' in page, page)
    case.equal('and has not frozen', s.apply(
        key, '0.1', s.address(54))[0], 200)
    case.equal('it freezes', s.get(path, method='POST', body='')[0], 200)
    case.equal('nothing leaves', s.apply(key, '0.1', s.address(55))[0], 400)
    s.cli('account', 'unfreeze', 'carol')
    case.equal('the link is used up', s.get(path, method='POST',
                                            body='')[0], 410)
    s.kill_room('auth')
    time.sleep(0.3)
    s.wait_ready()
    case.equal('for the next process, too', wait_for(lambda: s.get(
        path, method='POST', body='')[0] in (404, 410) and 410), 410)


def expires(s, case, told, key):
    wid = s.apply(key, '1.4', s.address(56))[1].get('id')
    wait_for(lambda: test_self.state(s, key, wid)['state'] == 'expired', 40)
    case.equal('without a code it expires', test_self.state(
        s, key, wid)['state'], 'expired')


def by_command(case):
    """Mail by a program of the operators' instead of SMTP."""
    s = service.Service(policy=POLICY, start=False)
    told = Told(s.dir)
    with open(s.conf(), 'a', encoding='utf-8') as f:
        f.write('mail-command %s\nurl http://door.example.org\n' %
                told.command)
    with s:
        s.start()
        s.account('carol', btc='50')
        s.cli('account', 'contact', 'carol', '--mail', 'c@example.org',
              json_=False)
        s.key('carol')
        case('mail goes by a command', bool(wait_for(
            lambda: 'to c@example.org: An API key was made' in
            told.texts())), told.texts())
        s.stop()


def main():
    case = service.Cases()
    by_command(case)
    s = service.Service(policy=POLICY, start=False)
    told = Told(s.dir)
    with open(s.conf(), 'a', encoding='utf-8') as f:
        f.write(told.conf())
    with s:
        s.start()
        s.hot('1000')
        s.account('carol', btc='50')
        key = s.key('carol')
        time.sleep(1.2)
        phone = test_self.enrol(s, key)
        key.phone = phone
        contact(s, case, told, key, phone)
        delayed(s, case, told, key)
        sent_code(s, case, told, key)
        webhook(case, told)
        case('an SMS came', bool(wait_for(lambda: 'to +49151000' in
                                          told.texts())), told.texts())
        expires(s, case, told, key)
        old_contact(s, case, told, key, phone)
        frozen(s, case, told, key)
        s.stop()
    case.end()


if __name__ == '__main__':
    main()
