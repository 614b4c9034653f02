#!/usr/bin/python3
"""Stands where drawbridge-signer would, for tests of the relay.

It answers each frame with its own type and tag, writes down what it heard
beside itself, and misbehaves as a `number` in the frame says.
"""
import os
import select
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))


def read_exactly(fd, n):
    out = b''
    while len(out) < n:
        more = os.read(fd, n - len(out))
        if not more:
            sys.exit(0)
        out += more
    return out


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def answer(tag, body, kind=64):
    n, size = len(body), b''
    while n >= 0x80:
        size += bytes([n & 0x7f | 0x80])
        n >>= 7
    rest = bytes([kind]) + struct.pack('<Q', tag)
    if body:
        rest += bytes([16]) + size + bytes([n]) + body
    return struct.pack('<I', len(rest)) + rest


def serve(fd):
    head = read_exactly(fd, 4)
    rest = read_exactly(fd, struct.unpack('<I', head)[0])
    kind, tag = rest[0], struct.unpack_from('<Q', rest, 1)[0]
    number, data = 0, rest[9:]
    if data[:2] == b'\x01\x08':
        number = struct.unpack_from('<Q', data, 2)[0]
    with open(os.path.join(HERE, 'heard'), 'a', encoding='ascii') as f:
        f.write('%d %d %d\n' % (fd, kind, len(rest) + 4))
    if number == 1001:                  # dies
        os._exit(3)
    if number == 1002:                  # says what it was not asked
        write_all(fd, answer(tag + 1, b''))
        return
    if number == 1003:                  # says what is no frame
        write_all(fd, b'\xff' * 64)
        return
    if number == 1004:                  # says more than it was asked
        write_all(fd, answer(tag, b'one') + answer(tag, b'two'))
        return
    if number == 1005:                  # an answer as large as they may be
        write_all(fd, answer(tag, b'x' * ((16 << 20) - 18)))
        return
    if number == 1006:                  # dies amidst its answer
        write_all(fd, answer(tag, b'x' * 1000)[:500])
        os._exit(3)
    if number == 1007:                  # asks something itself
        write_all(fd, answer(tag, b'', kind=5))
        return
    if 0 < number < 1000:
        time.sleep(number / 1000)
    write_all(fd, answer(tag, b'%d %d %s' % (kind, len(rest) + 4,
                                             str(fd).encode())))


def main():
    fds = sorted(os.listdir('/proc/self/fd'), key=int)
    with open(os.path.join(HERE, 'fds'), 'w', encoding='ascii') as f:
        f.write(' '.join(fds))
    while True:
        for fd in select.select([3, 4], [], [])[0]:
            serve(fd)


main()
