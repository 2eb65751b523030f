/* SPDX-License-Identifier: BSD-3-Clause */
/* The way to a remote queue pair, and building packets along it: start, the caller adds extension
 * headers, finish. */
#ifndef WEFT_ROCE_PATH_H
#define WEFT_ROCE_PATH_H

#include <assert.h>

#include "drivers/roce/neighbour/state.h"
#include "drivers/roce/packet/crc.h"
#include "drivers/roce/packet/kind.h"
#include "drivers/roce/packet/wire.h"

struct weft_roce_qp;

#define WEFT_PATH_KINDS 4u
#define WEFT_PATH_KIND_MADE 0x80000000u

/* The way to one remote queue pair, with the headers of its packets built beforehand. */
struct weft_path {
    struct weft_path_kind kinds[WEFT_PATH_KINDS]; /* by the opcode's last bits */
    uint32_t base_bytes;                          /* the headers up to the BTH's end */
    uint8_t header[WEFT_PATH_HEADER_BYTES];       /* and UD's DETH behind */
    uint32_t ethernet_bytes;                      /* with the VLAN tag, if the port has one */
    uint32_t ip_bytes;
    uint32_t checksum_base; /* IPv4: the header's sum without its length */
    uint8_t traffic_class;
    uint8_t hop_limit;
    struct weft_link link; /* among the neighbour's users */
    struct weft_neighbour *neighbour;
    struct weft_neighbours *neighbours; /* the port's */
    struct weft_roce_qp *qp;            /* RC: the queue pair that waits; UD: NULL */
    struct weft_ip address;             /* the remote end's */
};

/* Who is at the two ends. */
struct weft_path_ends {
    const uint8_t *peer_gid;
    uint32_t local_qpn;
    uint32_t peer_qpn;
    uint32_t qkey;           /* UD */
    uint16_t source_port;    /* 0: the kernel's rule */
    bool controlled;         /* by congestion control: switches may mark its packets */
    struct weft_roce_qp *qp; /* to be told when the neighbour is known or lost; NULL: nobody */
};

/* Refuses a peer that this port cannot reach, with an error. The path must not move until close. */
WEFT_CHECKED enum weft_status weft_path_open(struct weft_neighbours *neighbours,
                                             struct weft_path *path,
                                             const struct weft_path_ends *ends,
                                             struct weft_error *error);
/* A zeroed path is taken. */
void weft_path_close(struct weft_path *path);
/* Takes over what its neighbour has become. */
void weft_path_neighbour_changed(struct weft_path *path);

/* The source port that the kernel gives a pair of queue pairs: spreads flows over equal paths. */
uint16_t weft_path_source_port(uint32_t local_qpn, uint32_t peer_qpn);

static inline bool weft_path_ready(const struct weft_path *path)
{
    return path->neighbour && path->neighbour->state == WEFT_ENDPOINT_READY;
}

/* Makes the kind's headers; for weft_path_kind, where they are not there yet. */
const struct weft_path_kind *weft_path_make_kind(struct weft_path *path, uint32_t key);

/* All packets of one opcode and length begin alike, up to the PSN. */
static inline const struct weft_path_kind *weft_path_kind(struct weft_path *path, uint8_t opcode,
                                                          uint32_t payload_bytes)
{
    uint32_t key = WEFT_PATH_KIND_MADE | (uint32_t)opcode << 16 | payload_bytes;
    const struct weft_path_kind *kind = &path->kinds[opcode & (WEFT_PATH_KINDS - 1)];
    return __builtin_expect(kind->key == key, 1) ? kind : weft_path_make_kind(path, key);
}

/* Returns where the extension headers go: after DETH, if the kind has it. */
static inline uint8_t *weft_kind_start(const struct weft_path_kind *kind, uint8_t *frame,
                                       uint32_t psn_word)
{
    memcpy(frame, kind->header, 64);
    if (kind->header_bytes > 64)
        memcpy(frame + 64, kind->header + 64, sizeof(kind->header) - 64);
    weft_wire_put32(frame + kind->psn_at, psn_word);
    return frame + kind->header_bytes;
}

/* `at` is after the last header. Returns the frame's length. */
static inline uint32_t weft_kind_finish(const struct weft_path_kind *kind, uint8_t *frame,
                                        const uint8_t *at, const uint8_t *payload)
{
    uint8_t *psn = frame + kind->psn_at;
    uint32_t payload_bytes = kind->key & 0xffff;
    uint32_t covered_bytes = (uint32_t)kind->frame_bytes - WEFT_ICRC_BYTES;
    assert(at + ((payload_bytes + 3u) & ~3u) == frame + covered_bytes);
    uint32_t state =
        weft_crc->build(kind->state, psn, (uint32_t)(at - psn), payload, payload_bytes);
    uint32_t icrc = htole32(~state);
    memcpy(frame + covered_bytes, &icrc, sizeof(icrc));
    return kind->frame_bytes;
}

/* The same, for who has no kind at hand. `psn_word` is the PSN, with WEFT_ACK_REQUEST where an
 * acknowledgement is asked for. */
#define WEFT_ACK_REQUEST 0x80000000u
static inline uint8_t *weft_build_start(struct weft_path *path, uint8_t *frame, uint8_t opcode,
                                        uint32_t psn_word, uint32_t payload_bytes)
{
    return weft_kind_start(weft_path_kind(path, opcode, payload_bytes), frame, psn_word);
}

static inline uint32_t weft_build_finish(struct weft_path *path, uint8_t *frame, uint8_t *at,
                                         const uint8_t *payload, uint32_t payload_bytes)
{
    uint8_t opcode = frame[path->base_bytes - WEFT_BTH_BYTES];
    return weft_kind_finish(weft_path_kind(path, opcode, payload_bytes), frame, at, payload);
}

#endif
