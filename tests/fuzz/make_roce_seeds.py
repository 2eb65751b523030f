#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_roce: tests/fuzz/make_roce_seeds.py [DIRECTORY]

Each is a script of steps as fuzz_roce.c reads them: the first byte says whether the neighbour is
known, then a step's number and what it takes."""
import pathlib
import sys

RAW, REQUEST, WRITE, ACK, DATAGRAM, ARP, SEND, RECEIVE, TRANSMIT, ATOMIC, RESPONSE, UNRELIABLE = (
    range(12))
READ, COMPARE_SWAP, FETCH_ADD = 4, 5, 6
UC = 8
KNOWN, UNKNOWN = b"\x01", b"\x00"
IPV6, IPV6_UNKNOWN, VLAN, IPV6_VLAN = b"\x03", b"\x02", b"\x05", b"\x07"
ACK_REQUEST = 0x80


def some(data):
    """Bytes behind their count, which is in pairs."""
    return bytes([(len(data) + 1) // 2]) + data + bytes(len(data) % 2)


def request(opcode, payload, delta=0, pad=0, step=REQUEST):
    return bytes([step, opcode, pad << 4, ACK_REQUEST, delta & 0xFF]) + some(payload)


def write(opcode, offset, length, payload=b"", delta=0):
    return request(opcode, reth(offset, length) + payload, delta, step=WRITE)


def ack(syndrome, delta=0):
    return bytes([ACK, 0, 0, 0, delta & 0xFF]) + some(bytes([syndrome, 0, 0, 1]))


def reth(offset, length):
    return offset.to_bytes(2, "big") + bytes(10) + length.to_bytes(4, "big")


def atomic(choice, offset, delta=0):
    return request(choice, reth(offset, 0) + bytes(12), delta, step=ATOMIC)


def response(opcode, payload=b"", delta=0, syndrome=0x1F):
    aeth = b"" if opcode == 0x0E else bytes([syndrome, 0, 0, 1])
    return request(opcode, aeth + payload, delta, step=RESPONSE)


def unreliable(opcode, payload=b"", delta=0):
    return request(opcode, payload, delta, step=UNRELIABLE)


def datagram(payload, opcode=1):
    return bytes([DATAGRAM, opcode, 0, 0, 0]) + some(bytes(8) + payload)


def discovery(choice, flags, options=b""):
    return bytes([ARP, choice, flags]) + some(options)


def post(step, choice, offset=0, length=0):
    return bytes([step, choice, offset // 8, length // 8])


def transmit(frames=15, wait=10):
    return bytes([TRANSMIT, frames, wait])


FULL = bytes(range(256))
SEEDS = {
    "send-only": KNOWN + post(RECEIVE, 0, 0, 512) + request(0x04, FULL[:64]) + transmit(),
    "send-three": KNOWN + post(RECEIVE, 0, 0, 1024) + request(0x00, FULL) + request(0x01, FULL)
    + request(0x02, FULL[:8]) + transmit(),
    "write-three": KNOWN + write(0x06, 8, 520, FULL) + request(0x07, FULL) + request(0x08, FULL[:8])
    + transmit(),
    "write-immediate": KNOWN + post(RECEIVE, 0) + write(0x0B, 16, 4, b"imm!data") + transmit(),
    "not-ready": KNOWN + request(0x04, FULL[:4]) + transmit() + post(RECEIVE, 0, 0, 64)
    + request(0x04, FULL[:4]) + transmit(),
    "ahead-and-behind": KNOWN + post(RECEIVE, 0, 0, 512) + request(0x04, FULL[:4], 1) + transmit()
    + request(0x04, FULL[:4]) + request(0x04, FULL[:4], -1) + transmit(),
    "outside": KNOWN + write(0x0A, 2047, 4, FULL[:4]) + transmit() + post(SEND, 1, 0, 64),
    "unsupported": KNOWN + request(0x16, FULL[:8]) + transmit(),
    "acknowledged": KNOWN + post(SEND, 1, 0, 1024) + post(SEND, 0x42, 64, 8) + transmit()
    + ack(0x1F, 1) + ack(0x60, 2) + transmit() + ack(0x2C, 2) + transmit(15, 25) + ack(0x1F, 4),
    "refused": KNOWN + post(SEND, 1, 0, 64) + post(SEND, 1, 0, 64) + transmit() + ack(0x62, 0),
    "timeouts": KNOWN + post(SEND, 1, 0, 64) + b"".join(transmit(4, 27) for _ in range(10)),
    "bad-lkey": KNOWN + post(SEND, 0x81, 0, 64) + transmit() + post(RECEIVE, 0x80, 0, 64),
    "datagram": KNOWN + post(RECEIVE, 4, 0, 512) + datagram(FULL[:32]) + datagram(FULL[:32], 0),
    "read-taken": KNOWN + write(0x0C, 0, 700) + transmit(2) + write(0x0C, 256, 444, delta=-2)
    + transmit() + write(0x0C, 0, 0) + transmit(),
    "read-too-many": KNOWN + b"".join(write(0x0C, 0, 64) for _ in range(4)) + transmit(),
    "atomics-taken": KNOWN + atomic(0, 8) + atomic(1, 16) + transmit() + atomic(1, 16, -1)
    + transmit() + atomic(0, 4) + transmit(),
    "read-answered": KNOWN + post(SEND, READ, 0, 600) + transmit() + response(0x0D, FULL)
    + response(0x0E, FULL) + response(0x0F, FULL[:88]) + transmit(),
    "read-with-a-gap": KNOWN + post(SEND, READ, 0, 600) + post(SEND, 1, 0, 64) + transmit()
    + response(0x0D, FULL) + response(0x0F, FULL[:88], 1) + transmit() + response(0x0D, FULL)
    + response(0x0F, FULL[:88]) + ack(0x1F, 0) + transmit(),
    "read-nak-implied": KNOWN + post(SEND, READ, 0, 64) + post(SEND, 1, 0, 64) + transmit()
    + ack(0x03, 1) + transmit() + response(0x10, FULL[:64]) + ack(0x62, 0),
    "read-answered-wrongly": KNOWN + post(SEND, READ, 0, 600) + transmit()
    + response(0x10, FULL[:64]) + transmit(),
    "atomics-answered": KNOWN + post(SEND, COMPARE_SWAP) + post(SEND, FETCH_ADD, 8)
    + post(SEND, FETCH_ADD, 16) + transmit() + response(0x12, bytes(8)) + response(0x12, bytes(8))
    + transmit() + response(0x12, bytes(8)),
    "mixed": KNOWN + post(SEND, 3, 0, 300) + post(SEND, READ, 0, 300) + post(SEND, FETCH_ADD)
    + transmit() + response(0x0D, FULL, 2) + response(0x0F, FULL[:44]) + response(0x12, bytes(8))
    + transmit(15, 27) + transmit(15, 27),
    "credits": KNOWN + post(SEND, 0, 0, 8) + post(SEND, 3, 0, 8) + post(SEND, 2, 0, 8) + transmit()
    + ack(0x00) + transmit() + ack(0x01, -1) + transmit() + ack(0x1F) + transmit(),
    "unreliable": KNOWN + post(RECEIVE, UC, 0, 1024) + unreliable(0x20, FULL)
    + unreliable(0x21, FULL) + unreliable(0x22, FULL[:8]) + unreliable(0x26, reth(0, 300) + FULL)
    + unreliable(0x28, FULL[:44]) + unreliable(0x24, FULL[:8], 3) + unreliable(0x24, b"", -3),
    "unreliable-sent": KNOWN + post(SEND, UC, 0, 600) + post(SEND, UC | 1, 0, 8)
    + post(SEND, UC | 3, 0, 8) + transmit(),
    "arp-unanswered": UNKNOWN + b"".join(transmit(4, 30) for _ in range(9)),
    "arp-question": UNKNOWN + bytes([ARP, 0])
    + some(bytes([2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1])) + transmit(),
    "vlan-send": VLAN + post(RECEIVE, 0, 0, 512) + request(0x04, FULL[:64]) + transmit(),
    "ipv6-write": IPV6 + write(0x06, 8, 520, FULL) + request(0x07, FULL) + request(0x08, FULL[:8])
    + transmit(),
    "ipv6-vlan-datagram": IPV6_VLAN + post(RECEIVE, 4, 0, 512) + datagram(FULL[:32]) + transmit(),
    "ipv6-unanswered": IPV6_UNKNOWN + b"".join(transmit(4, 30) for _ in range(9)),
    "ipv6-question": IPV6_UNKNOWN + discovery(2, 0, bytes([1, 1, 2, 0, 0, 0, 0, 2])) + transmit()
    + discovery(14, 0) + transmit(),
    "ipv6-answers": IPV6_UNKNOWN + transmit() + discovery(1, 0x60, bytes([2, 1, 2, 0, 0, 0, 0, 2]))
    + discovery(1, 0, bytes([2, 1, 2, 0, 0, 0, 0, 3])) + transmit()
    + discovery(9, 0x20, bytes([14, 1, 0, 0, 0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 4])) + transmit(),
    "ipv6-conflict": IPV6 + discovery(3, 0x20, bytes([2, 1, 2, 0, 0, 0, 0, 9])) + transmit(4, 31),
    "raw": KNOWN + bytes([RAW]) + some(bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45])),
}


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "corpus" / "fuzz_roce"
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in SEEDS.items():
        (folder / name).write_bytes(script)


main()
