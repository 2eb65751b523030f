#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks a capture against IBTA Annex A17, apart from weft's own transport: every RoCEv2 packet's
ICRC, its lengths, its IPv4 checksum, and that tshark reads every one without a malformed field.

    icrc.py FILE.pcap    prints a count of each opcode; exit status 1 where anything is wrong
"""
import collections
import struct
import subprocess
import sys
import zlib

ROCE_PORT = 4791


def packets(path):
    """Yields (number, frame) of a classic pcap file, either byte order, micro- or nanoseconds."""
    with open(path, "rb") as file:
        header = file.read(24)
        magics = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<",
                  b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
        if len(header) < 24 or header[:4] not in magics:
            raise ValueError("not a pcap file")
        order = magics[header[:4]]
        number = 0
        while True:
            record = file.read(16)
            if not record:
                return
            if len(record) < 16:
                raise ValueError(f"packet {number + 1}: record header cut short")
            _, _, captured, original = struct.unpack(order + "IIII", record)
            frame = file.read(captured)
            if len(frame) != captured or captured != original:
                raise ValueError(f"packet {number + 1}: cut short")
            number += 1
            yield number, frame


def icrc_of(ip):
    """The ICRC of an IPv4 packet (bytes from the IP header on, ICRC included)."""
    masked = bytearray(ip[:-4])
    masked[1] = 0xFF                            # TOS
    masked[8] = 0xFF                            # TTL
    masked[10:12] = b"\xff\xff"                 # header checksum
    masked[26:28] = b"\xff\xff"                 # UDP checksum
    masked[32] = 0xFF                           # BTH: FECN, BECN, reserved
    return struct.pack("<I", zlib.crc32(b"\xff" * 8 + bytes(masked)))


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def check(number, frame, opcodes, wrong):
    kind = struct.unpack(">H", frame[12:14])[0]
    if kind == 0x0806:
        return
    if kind != 0x0800:
        wrong.append(f"packet {number}: ethertype {kind:#06x}")
        return
    length = struct.unpack(">H", frame[16:18])[0]
    ip = frame[14:14 + length]
    if len(ip) != length or ip[0] != 0x45 or ip[9] != 17:
        wrong.append(f"packet {number}: not IPv4 with UDP, or shorter than it says")
        return
    if checksum(ip[:20]) != 0xFFFF:
        wrong.append(f"packet {number}: IPv4 header checksum")
    if struct.unpack(">H", ip[22:24])[0] != ROCE_PORT:
        return
    if struct.unpack(">H", ip[24:26])[0] != length - 20:
        wrong.append(f"packet {number}: UDP length")
    if ip[-4:] != icrc_of(ip):
        wrong.append(f"packet {number}: ICRC {ip[-4:].hex()}, should be {icrc_of(ip).hex()}")
    opcodes[ip[28]] += 1


def tshark_complaints(path):
    fields = subprocess.run(
        ["tshark", "-r", path, "-o", "ip.check_checksum:TRUE", "-T", "fields",
         "-e", "frame.number", "-e", "infiniband.bth.opcode", "-e", "arp.opcode",
         "-e", "_ws.malformed", "-e", "_ws.expert.message"],
        check=True, capture_output=True, text=True).stdout
    complaints = []
    for line in fields.splitlines():
        number, opcode, arp, malformed, _ = (line + "\t\t\t\t").split("\t")[:5]
        if malformed or not (opcode or arp):
            complaints.append(f"packet {number}: tshark reads no RoCEv2 in it: {line!r}")
    return complaints


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    opcodes = collections.Counter()
    wrong = []
    count = 0
    for number, frame in packets(sys.argv[1]):
        check(number, frame, opcodes, wrong)
        count = number
    wrong += tshark_complaints(sys.argv[1])
    for line in wrong[:20]:
        print(line)
    listing = ", ".join(f"{opcode:#04x} x {n}" for opcode, n in sorted(opcodes.items()))
    print(f"{count} packets, RoCEv2 opcodes: {listing or 'none'}; {len(wrong)} wrong")
    sys.exit(1 if wrong or not opcodes else 0)


main()
