/* SPDX-License-Identifier: BSD-3-Clause */
/* The way to a remote queue pair, and building packets along it: start, the caller adds extension
 * headers, finish. */
#ifndef WEFT_ROCE_PATH_H
#define WEFT_ROCE_PATH_H

#include "drivers/roce/crc.h"
#include "drivers/roce/state.h"

/* Who is at the two ends. */
struct weft_path_ends {
    const uint8_t *peer_gid;
    uint32_t local_qpn;
    uint32_t peer_qpn;
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
    uint8_t *bth = frame + path->ethernet_bytes + path->ip_bytes + WEFT_UDP_BYTES;
    bth[0] = opcode;
    bth[1] = (uint8_t)(((0u - payload_bytes) & 3u) << 4); /* bytes of padding */
    weft_wire_put32(bth + 8, psn_word);
    return bth + WEFT_BTH_BYTES;
}

/* The CRC's state before the PSN's word, which depends on nothing but the opcode and the length:
 * packets of one kind come many in a row. `ip` is a header with both in place. */
uint32_t weft_path_sum(struct weft_path *path, uint32_t key, const uint8_t *ip);
static inline uint32_t weft_build_state(struct weft_path *path, const uint8_t *ip, uint8_t opcode,
                                        uint32_t payload_bytes)
{
    uint32_t key = WEFT_PATH_SUM_USED | (uint32_t)opcode << 16 | payload_bytes;
    const struct weft_path_sum *sum = &path->sums[opcode & (WEFT_PATH_SUMS - 1)];
    return __builtin_expect(sum->key == key, 1) ? sum->state : weft_path_sum(path, key, ip);
}

/* `at` is after the last header. Returns the frame's length. */
static inline uint32_t weft_build_finish(struct weft_path *path, uint8_t *frame, uint8_t *at,
                                         const uint8_t *payload, uint32_t payload_bytes)
{
    uint8_t *ip = frame + path->ethernet_bytes;
    uint8_t *udp = ip + path->ip_bytes;
    uint8_t *psn = udp + WEFT_UDP_BYTES + WEFT_BTH_BYTES - 4;
    uint32_t covered_bytes = (uint32_t)(at - ip) + ((payload_bytes + 3u) & ~3u);
    uint32_t len_bytes = covered_bytes + WEFT_ICRC_BYTES;
    uint32_t udp_bytes = len_bytes - path->ip_bytes;
    if (path->ip_bytes == WEFT_IPV4_BYTES) {
        uint32_t sum = path->checksum_base + len_bytes;
        sum = (sum & 0xffff) + (sum >> 16);
        weft_wire_put16(ip + 2, (uint16_t)len_bytes);
        weft_wire_put16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
    } else {
        weft_wire_put16(ip + 4, (uint16_t)udp_bytes);
    }
    weft_wire_put16(udp + 4, (uint16_t)udp_bytes);
    uint32_t state = weft_build_state(path, ip, udp[WEFT_UDP_BYTES], payload_bytes);
    state = weft_crc->build(state, psn, (uint32_t)(at - psn), payload, payload_bytes);
    uint32_t icrc = htole32(~state);
    memcpy(ip + covered_bytes, &icrc, sizeof(icrc));
    return path->ethernet_bytes + len_bytes;
}

#endif
