/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of the wire: big-endian fields, header sizes and offsets, packet sequence numbers. */
#ifndef WEFT_ROCE_WIRE_H
#define WEFT_ROCE_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WEFT_ETHERNET_BYTES 14u
#define WEFT_VLAN_TAG_BYTES 4u
#define WEFT_ETHERNET_MIN_BYTES 60u /* without the FCS */
#define WEFT_ETHERTYPE_IPV4 0x0800u
#define WEFT_ETHERTYPE_ARP 0x0806u
#define WEFT_ETHERTYPE_VLAN 0x8100u
#define WEFT_ETHERTYPE_IPV6 0x86ddu

#define WEFT_IPV4_BYTES 20u
#define WEFT_IPV6_BYTES 40u
#define WEFT_IP_PROTOCOL_UDP 17u
#define WEFT_IP_PROTOCOL_ICMPV6 58u
#define WEFT_UDP_BYTES 8u

#define WEFT_BTH_BYTES 12u
/* MigReq in the second byte: this end has migrated, which is where a connection without an
 * alternate path starts and stays (IBTA vol. 1, 17.2.8). A NIC that gets 0 takes each packet for a
 * request to migrate, which some handle so slowly that they lose packets. */
#define WEFT_BTH_MIGRATED 0x40u
#define WEFT_RETH_BYTES 16u
#define WEFT_AETH_BYTES 4u
#define WEFT_DETH_BYTES 8u
#define WEFT_ATOMIC_ETH_BYTES 28u
#define WEFT_ATOMIC_ACK_ETH_BYTES 8u
#define WEFT_IMMEDIATE_BYTES 4u
#define WEFT_IETH_BYTES 4u
#define WEFT_ICRC_BYTES 4u

#define WEFT_ROCE_UDP_PORT 4791u
#define WEFT_ROCE_PKEY 0xffffu /* the default partition, full member */
#define WEFT_ROCE_NUMBER_MASK 0xffffffu

/* AETH syndromes (IBTA vol. 1, 9.7.5.2). */
#define WEFT_AETH_ACK 0x1fu /* acknowledged; no limit of credits */
#define WEFT_AETH_RNR 0x20u /* the low five bits are a timer code */
#define WEFT_AETH_CLASS_MASK 0x60u
#define WEFT_AETH_CLASS_ACK 0x00u
#define WEFT_AETH_CLASS_RNR 0x20u
#define WEFT_AETH_CLASS_NAK 0x60u
#define WEFT_AETH_NAK_SEQUENCE 0x60u
#define WEFT_AETH_NAK_INVALID_REQUEST 0x61u
#define WEFT_AETH_NAK_REMOTE_ACCESS 0x62u
#define WEFT_AETH_NAK_REMOTE_OPERATION 0x63u

static inline uint16_t weft_wire_get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return be16toh(value);
}

static inline uint32_t weft_wire_get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

/* The low 24 bits of the word that starts at `at`. */
static inline uint32_t weft_wire_get24(const uint8_t *at)
{
    return weft_wire_get32(at) & WEFT_ROCE_NUMBER_MASK;
}

static inline uint64_t weft_wire_get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

static inline void weft_wire_put16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void weft_wire_put32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void weft_wire_put64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

/* How far `to` lies ahead of `from` on the circle of 24 bits; negative: behind. */
static inline int32_t weft_psn_distance(uint32_t from, uint32_t to)
{
    return (int32_t)((to - from) << 8) >> 8;
}

#endif
