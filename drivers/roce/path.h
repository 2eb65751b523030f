/* SPDX-License-Identifier: BSD-3-Clause */
/* The way to a remote queue pair, and building packets along it: start, the caller adds extension
 * headers, finish. */
#ifndef WEFT_ROCE_PATH_H
#define WEFT_ROCE_PATH_H

#include "drivers/roce/icrc.h"
#include "drivers/roce/state.h"

/* Who is at the two ends. */
struct weft_path_ends {
    const uint8_t *peer_gid;
    uint32_t local_qpn;
    uint32_t peer_qpn;
    uint16_t source_port;    /* 0: the kernel's rule */
    struct weft_roce_qp *qp; /* told when the neighbour is known or lost; NULL: nobody */
};

/* Refuses a peer that this port cannot reach, with an error. The path must not move until close. */
WEFT_CHECKED enum weft_status weft_path_open(struct weft_roce_port *port, struct weft_path *path,
                                             const struct weft_path_ends *ends,
                                             struct weft_error *error);
/* A zeroed path is taken. */
void weft_path_close(struct weft_roce_port *port, struct weft_path *path);
/* Puts the neighbour's MAC into the headers. */
void weft_path_set_mac(struct weft_path *path, const uint8_t mac[6]);

/* The source port that the kernel gives a pair of queue pairs: spreads flows over equal paths. */
uint16_t weft_path_source_port(uint32_t local_qpn, uint32_t peer_qpn);

static inline bool weft_path_ready(const struct weft_path *path)
{
    return path->neighbour && path->neighbour->state == WEFT_ENDPOINT_READY;
}

/* Returns where the extension headers go. `psn_word` is the PSN, with WEFT_ACK_REQUEST where an
 * acknowledgement is asked for. */
#define WEFT_ACK_REQUEST 0x80000000u
static inline uint8_t *weft_build_start(const struct weft_path *path, uint8_t *frame,
                                        uint8_t opcode, uint32_t psn_word, uint32_t payload_bytes)
{
    memcpy(frame, path->header, sizeof(path->header));
    uint8_t *bth = frame + WEFT_ETHERNET_BYTES + path->ip_bytes + WEFT_UDP_BYTES;
    bth[0] = opcode;
    bth[1] = (uint8_t)(((0u - payload_bytes) & 3u) << 4); /* bytes of padding */
    weft_wire_put32(bth + 8, psn_word);
    return bth + WEFT_BTH_BYTES;
}

static inline void weft_build_unmask(const struct weft_path *path, uint8_t *ip, uint32_t len_bytes)
{
    if (path->ip_bytes == WEFT_IPV4_BYTES) {
        uint32_t sum = path->checksum_base + len_bytes;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        ip[1] = path->traffic_class;
        ip[8] = path->hop_limit;
        weft_wire_put16(ip + 10, (uint16_t)~sum);
    } else {
        weft_wire_put32(ip, 0x60000000u | (uint32_t)path->traffic_class << 20);
        ip[7] = path->hop_limit;
    }
    uint8_t *udp = ip + path->ip_bytes;
    weft_wire_put16(udp + 6, 0);
    udp[WEFT_UDP_BYTES + 4] = 0;
}

/* Reading the payload where it lies, before it is copied, is the faster way where it is long: the
 * copy then finds it in the cache, and the CRC does not wait for the copy's stores. */
#define WEFT_BUILD_SHORT_BYTES 256u
static inline uint32_t weft_build_payload(const uint8_t *ip, uint8_t *at, const uint8_t *payload,
                                          uint32_t len_bytes, uint32_t pad_bytes)
{
    uint32_t header_bytes = (uint32_t)(at - ip);
    if (!len_bytes)
        return weft_icrc_add(WEFT_ICRC_START, ip, header_bytes);
    if (len_bytes <= WEFT_BUILD_SHORT_BYTES) {
        memcpy(at, payload, len_bytes);
        memset(at + len_bytes, 0, pad_bytes);
        return weft_icrc_add(WEFT_ICRC_START, ip, header_bytes + len_bytes + pad_bytes);
    }
    uint32_t crc = weft_icrc_add(WEFT_ICRC_START, ip, header_bytes);
    crc = weft_icrc_add(crc, payload, len_bytes);
    memcpy(at, payload, len_bytes);
    memset(at + len_bytes, 0, pad_bytes);
    return pad_bytes ? weft_icrc_add(crc, at + len_bytes, pad_bytes) : crc;
}

/* `at` is after the last header. Returns the frame's length. */
static inline uint32_t weft_build_finish(const struct weft_path *path, uint8_t *frame, uint8_t *at,
                                         const uint8_t *payload, uint32_t payload_bytes)
{
    uint8_t *ip = frame + WEFT_ETHERNET_BYTES;
    uint32_t pad_bytes = (0u - payload_bytes) & 3u;
    uint32_t covered_bytes = (uint32_t)(at - ip) + payload_bytes + pad_bytes;
    uint32_t len_bytes = covered_bytes + WEFT_ICRC_BYTES;
    uint32_t udp_bytes = len_bytes - path->ip_bytes;
    if (path->ip_bytes == WEFT_IPV4_BYTES)
        weft_wire_put16(ip + 2, (uint16_t)len_bytes);
    else
        weft_wire_put16(ip + 4, (uint16_t)udp_bytes);
    weft_wire_put16(ip + path->ip_bytes + 4, (uint16_t)udp_bytes);
    uint32_t icrc = htole32(weft_build_payload(ip, at, payload, payload_bytes, pad_bytes));
    memcpy(ip + covered_bytes, &icrc, sizeof(icrc));
    weft_build_unmask(path, ip, len_bytes);
    return WEFT_ETHERNET_BYTES + len_bytes;
}

#endif
