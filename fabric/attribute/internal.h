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

/* ---- profile.c ---- */

struct weft_profile_point {
    double at_ns, rate, bytes; /* the rate from here on, the bytes until here */
};
struct weft_profile {
    struct weft_profile_point *points; /* room for two a message */
    uint32_t count;
};
/* to_ns is beyond from_ns. */
void weft_profile_add(struct weft_profile *profile, double from_ns, double to_ns, double bytes);
void weft_profile_finish(struct weft_profile *profile);
/* How many bytes moved between the two. */
double weft_profile_bytes(const struct weft_profile *profile, double from_ns, double to_ns);

/* ---- edges.c, edges_compare.c ---- */

#define WEFT_BLOCKS_MAX 8u

/* Of an ordered pair of ranks that sends. */
struct weft_edge {
    uint32_t from, to;
    uint32_t hops, message_count;
    uint64_t bytes;
    bool known;      /* it has enough like it to be compared with */
    bool stands_out; /* it alone is slow, materially, in nearly all blocks */
    /* Of the like edges' median: in each block of iterations, and in the middle one. */
    double slownesses[WEFT_BLOCKS_MAX], slowness;
    double pace;       /* the same by the time from one completion to the next */
    double busy_share; /* of the iteration, with a message on its way */
};
struct weft_edges {
    struct weft_edge *edges; /* by from */
    uint32_t count;          /* 0: too few iterations, or too many edges */
    uint32_t block_count;
};
/* Of the slow iterations, or of the others. */
WEFT_CHECKED enum weft_status weft_edges_measure(const struct weft_attributor *attributor,
                                                 bool slow, struct weft_edges *ret_edges,
                                                 struct weft_error *error);
void weft_edges_fini(struct weft_edges *edges);
/* What it takes beyond `usual` times as long as the like, as a share of the iteration. */
static inline double weft_edge_cost(const struct weft_edge *edge, double usual)
{
    return edge->pace > usual ? edge->busy_share * (1 - usual / edge->pace) : 0;
}
/* NULL: it is not among them. */
const struct weft_edge *weft_edges_find(const struct weft_edges *edges, uint32_t from, uint32_t to);
/* From each edge's own time to that of its like. False: out of memory. */
bool weft_edges_compare(const struct weft_attributor *attributor, struct weft_edges *edges);

/* ---- chance.c ---- */

/* Slower by less is nobody's fault, nor is what costs an iteration less. */
#define WEFT_SLOWNESS_MIN 1.2
#define WEFT_EXCESS_SHARE_MIN 0.1
/* Two sets of iterations are looked at: a chance of `tries` things is of twice as many. */
#define WEFT_SETS 2u
/* What chance alone may do in a run, of all that is looked at. */
#define WEFT_CHANCE_MAX 0.01

double weft_median(double *values, size_t count);
/* That one of `tries` wins as often, of `all`, where each win has `share` by chance. */
double weft_chance_of(uint32_t wins, uint32_t all, double share, double tries);

/* ---- tally.c: who decides ---- */

struct weft_share {
    uint64_t key; /* of a rank or an edge */
    uint64_t excess_ns;
};
struct weft_tally_table;
struct weft_tally_table *weft_tally_create(uint32_t steps_max);
void weft_tally_destroy(struct weft_tally_table *table);
void weft_tally_add(struct weft_tally_table *table, const struct weft_step *steps, uint32_t count,
                    uint64_t duration_ns, bool slow);
/* Who stands out is decided by the edges' own times, of WEFT_SETS sets: others and slow. */
void weft_tally_finish(struct weft_tally_table *table, const struct weft_attributor *attributor,
                       const struct weft_edges *sets, struct weft_attribution *attribution);
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

/* ---- suspects.c, suspects_paths.c ---- */

/* The NIC whose edges are slow, by its link. */
WEFT_CHECKED enum weft_status weft_suspects_find(const struct weft_attributor *attributor,
                                                 const struct weft_edges *sets,
                                                 struct weft_attribution *attribution,
                                                 struct weft_error *error);
/* May a link between switches be on the ways of all these edges? Of many edges it counts only where
 * they have no other way: by chance they do not all choose it. */
WEFT_CHECKED enum weft_status weft_suspects_share_link(const struct weft_attributor *attributor,
                                                       const struct weft_edge *const *edges,
                                                       uint32_t count, bool *ret_share,
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
