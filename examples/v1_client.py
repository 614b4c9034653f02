#!/usr/bin/env python3
"""A client of Drawbridge's /v1 for an exchange's back end.

    v1_client.py URL KEY-NAME KEY-FILE METHOD TARGET [JSON | - for stdin]

KEY-FILE: openssl genpkey -algorithm ed25519 -out KEY-FILE
"""
import base64
import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse


class Drawbridge:
    def __init__(self, url, key, key_file, timeout=30):
        self.at = urllib.parse.urlsplit(url)
        self.key, self.key_file, self.timeout = key, key_file, timeout

    def sign(self, message):
        # With python3-cryptography this is one call, and no process.
        with tempfile.NamedTemporaryFile() as f:
            f.write(message)
            f.flush()
            return subprocess.run(
                ['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey',
                 self.key_file, '-in', f.name], check=True,
                stdout=subprocess.PIPE).stdout

    def call(self, method, target, body=b''):
        """(status, answer).  No answer in time: OSError.  Whatever it was,
        asking again with the same id is harmless."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        now = str(time.time_ns() // 1000000)
        message = '\n'.join(
            [method, target, now, hashlib.sha256(body).hexdigest()])
        https = self.at.scheme == 'https'
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        c = kind(self.at.netloc, timeout=self.timeout)
        c.request(method, target, body or None, {
            'Drawbridge-Key': self.key, 'Drawbridge-Time': now,
            'Drawbridge-Signature': base64.b64encode(
                self.sign(message.encode())).decode()})
        answer = c.getresponse()
        return answer.status, json.loads(answer.read() or b'null')


if __name__ == '__main__':
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    text = sys.argv[6].encode() if len(sys.argv) == 7 else b''
    status, said = Drawbridge(*sys.argv[1:4]).call(
        *sys.argv[4:6], sys.stdin.buffer.read() if text == b'-' else text)
    print(json.dumps(said, indent=1))
    sys.exit(0 if status < 300 else 1)
