#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks a capture against IBTA Annex A17, apart from weft's own transport: every RoCEv2 packet's
ICRC, its lengths, its IPv4 checksum, and that tshark reads every one without a malformed field. Of
IPv6's neighbour discovery: hop limit and checksum.

    icrc.py FILE [--dscp N]         prints a count of each opcode and VLAN; exit status 1 where
                                    anything is wrong, or a RoCEv2 packet has another DSCP
"""
import argparse
import collections
import struct
import subprocess
import sys
import zlib

ROCE_PORT = 4791


def blocks(data):
    """Yields (type, body) of a pcapng section of either byte order."""
    orders = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
    if data[:4] != b"\x0a\x0d\x0d\x0a" or data[8:12] not in orders:
        raise ValueError("not a pcapng file")
    order = orders[data[8:12]]
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise ValueError(f"byte {at}: block header cut short")
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            raise ValueError(f"byte {at}: block cut short")
        if struct.unpack_from(order + "I", data, at + length - 4)[0] != length:
            raise ValueError(f"byte {at}: the two lengths of a block differ")
        yield order, kind, data[at + 8:at + length - 4]
        at += length


def stamped(path):
    """Yields (number, time in ns since 1970, frame) of a pcapng file with nanoseconds."""
    number = 0
    with open(path, "rb") as file:
        for order, kind, body in blocks(file.read()):
            if kind != 6:
                continue
            _, high, low, captured, original = struct.unpack_from(order + "IIIII", body)
            if captured != original or len(body) < 20 + captured:
                raise ValueError(f"packet {number + 1}: cut short")
            number += 1
            yield number, high << 32 | low, body[20:20 + captured]


def packets(path):
    """Yields (number, frame)."""
    for number, _, frame in stamped(path):
        yield number, frame


def icrc_of(ip):
    """The ICRC of an IP packet (bytes from the IP header on, ICRC included)."""
    masked = bytearray(ip[:-4])
    if ip[0] >> 4 == 4:
        masked[1] = 0xFF                        # TOS
        masked[8] = 0xFF                        # TTL
        masked[10:12] = b"\xff\xff"             # header checksum
        udp = 20
    else:
        masked[0] |= 0x0F                       # traffic class and flow label
        masked[1:4] = b"\xff\xff\xff"
        masked[7] = 0xFF                        # hop limit
        udp = 40
    masked[udp + 6:udp + 8] = b"\xff\xff"       # UDP checksum
    masked[udp + 12] = 0xFF                     # BTH: FECN, BECN, reserved
    return struct.pack("<I", zlib.crc32(b"\xff" * 8 + bytes(masked)))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def network_layer(frame):
    """(VLAN or None, ethertype, what follows)"""
    kind = struct.unpack(">H", frame[12:14])[0]
    if kind != 0x8100:
        return None, kind, frame[14:]
    tag, kind = struct.unpack(">HH", frame[14:18])
    return tag & 0xFFF, kind, frame[18:]


def ipv4(data):
    """(header length, protocol, DSCP, packet), or what is wrong."""
    length = struct.unpack(">H", data[2:4])[0]
    packet = data[:length]
    if len(packet) != length or packet[0] != 0x45:
        raise ValueError("not IPv4 without options, or shorter than it says")
    if checksum(packet[:20]) != 0xFFFF:
        raise ValueError("IPv4 header checksum")
    return 20, packet[9], packet[1] >> 2, packet


def ipv6(data):
    length = 40 + struct.unpack(">H", data[4:6])[0]
    packet = data[:length]
    if len(packet) != length or packet[0] >> 4 != 6:
        raise ValueError("not IPv6, or shorter than it says")
    return 40, packet[6], struct.unpack(">H", packet[0:2])[0] >> 6 & 0x3F, packet


def check_icmpv6(packet):
    if packet[40] not in (135, 136):
        return
    pseudo = packet[8:40] + struct.pack(">II", len(packet) - 40, 58)
    if checksum(pseudo + packet[40:]) != 0xFFFF:
        raise ValueError("ICMPv6 checksum")
    if packet[7] != 255:
        raise ValueError(f"neighbour discovery with a hop limit of {packet[7]}")


def check(frame, dscp, opcodes, vlans):
    vlan, kind, data = network_layer(frame)
    if kind == 0x0806:
        return
    if kind not in (0x0800, 0x86DD):
        raise ValueError(f"ethertype {kind:#06x}")
    header, protocol, marked, packet = (ipv4 if kind == 0x0800 else ipv6)(data)
    if protocol == 58 and header == 40:
        check_icmpv6(packet)
        return
    if protocol != 17 or struct.unpack(">H", packet[header + 2:header + 4])[0] != ROCE_PORT:
        return
    if struct.unpack(">H", packet[header + 4:header + 6])[0] != len(packet) - header:
        raise ValueError("UDP length")
    if packet[-4:] != icrc_of(packet):
        raise ValueError(f"ICRC {packet[-4:].hex()}, should be {icrc_of(packet).hex()}")
    if dscp is not None and marked != dscp:
        raise ValueError(f"DSCP {marked}, should be {dscp}")
    opcodes[packet[header + 8]] += 1
    vlans[vlan] += 1


def tshark_complaints(path):
    fields = subprocess.run(
        ["tshark", "-r", path, "-o", "ip.check_checksum:TRUE", "-T", "fields",
         "-e", "frame.number", "-e", "infiniband.bth.opcode", "-e", "arp.opcode",
         "-e", "icmpv6.type", "-e", "_ws.malformed"],
        check=True, capture_output=True, text=True).stdout
    complaints = []
    for line in fields.splitlines():
        number, opcode, arp, icmpv6, malformed = (line + "\t\t\t\t").split("\t")[:5]
        if malformed or not (opcode or arp or icmpv6):
            complaints.append(f"packet {number}: tshark reads no RoCEv2 in it: {line!r}")
    return complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--dscp", type=int)
    arguments = parser.parse_args()
    opcodes = collections.Counter()
    vlans = collections.Counter()
    wrong = []
    count = 0
    for number, frame in packets(arguments.file):
        try:
            check(frame, arguments.dscp, opcodes, vlans)
        except (ValueError, IndexError, struct.error) as error:
            wrong.append(f"packet {number}: {error}")
        count = number
    wrong += tshark_complaints(arguments.file)
    for line in wrong[:20]:
        print(line)
    listing = ", ".join(f"{opcode:#04x} x {n}" for opcode, n in sorted(opcodes.items()))
    tags = ", ".join(f"{vlan or 'none'} x {n}" for vlan, n in vlans.items())
    print(f"{count} packets, RoCEv2 opcodes: {listing or 'none'}; VLAN: {tags or 'none'}; "
          f"{len(wrong)} wrong")
    sys.exit(1 if wrong or not opcodes else 0)


if __name__ == "__main__":
    main()
