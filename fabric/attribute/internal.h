/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of fabric/attribute share. */
#ifndef WEFT_ATTRIBUTE_INTERNAL_H
#define WEFT_ATTRIBUTE_INTERNAL_H

#include "fabric/attribute/attribute.h"

/* One rank's schedule, read backwards. */
struct weft_backward {
    uint32_t *first_requirement; /* op_count + 1, into requirements */
    uint32_t *requirements;
    uint32_t *previous; /* the message before it of the same peer, queue pair and direction */
    uint32_t *ordinals; /* how many of its kind come before it */
    uint32_t *hops;     /* of a message: how far its peer is */
};

/* Medians of what like operations took and waited. */
struct weft_like {
    enum weft_op_kind kind;
    uint32_t hops;
    uint32_t ordinal; /* WEFT_OP_NONE: all of the kind, distance and length */
    uint64_t len_bytes;
    uint64_t took_ns, waited_ns;
};

struct weft_attributor {
    const struct weft_attribution_input *input;
    uint32_t **partners;
    struct weft_backward *ranks;
    uint32_t edge_count; /* ordered pairs of ranks that send */
    uint64_t op_count;   /* of all ranks */
    struct weft_like *likes;
    size_t like_count;
    struct weft_step *steps; /* of one chain; room for steps_max */
    uint32_t steps_max;
};

/* ---- backward.c ---- */
WEFT_CHECKED enum weft_status weft_backward_create(struct weft_attributor *attributor,
                                                   struct weft_error *error);
void weft_backward_destroy(struct weft_attributor *attributor);

/* ---- distance.c ---- */
WEFT_CHECKED enum weft_status weft_distances_fill(struct weft_attributor *attributor,
                                                  struct weft_error *error);

/* ---- walk.c ---- */

/* What is to be explained next: why the operation completed, or why it started. */
struct weft_cause {
    bool known; /* false: the iteration's start on `rank` */
    bool started;
    uint32_t rank, op;
};

/* Why it did what it did. waited_ns: since it could have started. took_ns: since it, or the first
 * of `together` messages that completed in one instant, had its flow for itself. */
struct weft_reason {
    uint64_t waited_ns, took_ns;
    uint32_t together;
    bool for_receive; /* the send waited for the peer's receive, and `next` is at the peer */
    struct weft_cause next;
};
void weft_reason_find(const struct weft_attributor *attributor,
                      const struct weft_traced_iteration *iteration, const struct weft_cause *what,
                      struct weft_reason *ret_reason);
/* Fills attributor->steps, the last first. Returns how many. */
uint32_t weft_walk(const struct weft_attributor *attributor,
                   const struct weft_traced_iteration *iteration, uint32_t rank);

/* ---- likes.c ---- */
WEFT_CHECKED enum weft_status weft_likes_create(struct weft_attributor *attributor,
                                                struct weft_error *error);
void weft_likes_find(const struct weft_attributor *attributor, uint32_t rank, uint32_t op,
                     struct weft_like *ret_like);

/* ---- tally.c: who decides ---- */

struct weft_share {
    uint64_t key;       /* of a rank or an edge */
    uint64_t excess_ns; /* or votes */
};
struct weft_tally_table;
struct weft_tally_table *weft_tally_create(uint32_t steps_max);
void weft_tally_destroy(struct weft_tally_table *table);
void weft_tally_add(struct weft_tally_table *table, const struct weft_step *steps, uint32_t count,
                    uint64_t duration_ns, bool slow);
void weft_tally_finish(struct weft_tally_table *table, const struct weft_attributor *attributor,
                       struct weft_attribution *attribution);
/* Transfers that took materially longer, and what of the chains' votes each has; in how many chains
 * there was one. */
const struct weft_share *weft_tally_transfers(const struct weft_tally_table *table,
                                              uint32_t *ret_count, uint32_t *ret_chains);

static inline uint64_t weft_key_of_edge(uint32_t from, uint32_t to)
{
    return UINT64_C(1) << 63 | (uint64_t)from << 32 | to;
}
static inline bool weft_key_is_edge(uint64_t key)
{
    return key >> 63 != 0;
}
static inline uint32_t weft_key_from(uint64_t key)
{
    return weft_key_is_edge(key) ? (uint32_t)(key >> 32) & INT32_MAX : (uint32_t)key;
}

/* ---- suspects.c ---- */
WEFT_CHECKED enum weft_status weft_suspects_find(const struct weft_attributor *attributor,
                                                 const struct weft_tally_table *table,
                                                 struct weft_attribution *attribution,
                                                 struct weft_error *error);

/* ---- paths.c ---- */

struct weft_paths;
struct weft_paths *weft_paths_create(const struct weft_topology *topology);
void weft_paths_destroy(struct weft_paths *paths);
/* Links between each NIC and this one, by NIC; UINT32_MAX: no path. Lives until the next call. */
const uint32_t *weft_paths_hops(struct weft_paths *paths, uint32_t nic);
/* Adds to each link `weight` times what of the shortest ways between the NICs it has. */
void weft_paths_add(struct weft_paths *paths, uint32_t from_nic, uint32_t to_nic, double weight,
                    double *link_weights);

#endif
