/* SPDX-License-Identifier: BSD-3-Clause */
/* The invariant CRC of RoCEv2 (IBTA Annex A17.3.3): a CRC-32 over all that no router changes, with
 * ones in place of what one may change. */
#ifndef WEFT_ROCE_ICRC_H
#define WEFT_ROCE_ICRC_H

#include <stdint.h>

/* Sets to ones what routers may change, in a copy of the headers: IP, UDP and the first 12 bytes
 * after it (the BTH). `ip_bytes` is 20 or 40. */
void weft_icrc_mask(uint8_t *ip, uint32_t ip_bytes);

/* Starts at the IP header, where the mask was put on already, and goes on piece by piece to the
 * last pad byte: what one piece returns goes into the next. The last value's bytes go on the wire
 * in little-endian order. */
#define WEFT_ICRC_START (~0xdebb20e3u)
uint32_t weft_icrc_add(uint32_t crc, const uint8_t *bytes, uint32_t len_bytes);

/* Over a packet as it came: `len_bytes` from the IP header to the last pad byte. */
uint32_t weft_icrc_packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes);

#endif
