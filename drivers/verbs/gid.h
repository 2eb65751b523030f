/* SPDX-License-Identifier: BSD-3-Clause */
/* Which entry of a port's GID table to use. Pure. */
#ifndef WEFT_DRIVERS_VERBS_GID_H
#define WEFT_DRIVERS_VERBS_GID_H

#include "fabric/driver.h"

enum weft_verbs_gid_type {
    WEFT_VERBS_GID_INFINIBAND = 0,
    WEFT_VERBS_GID_ROCE_V1,
    WEFT_VERBS_GID_ROCE_V2,
    WEFT_VERBS_GID_TYPE_COUNT
};

struct weft_verbs_gid {
    uint8_t bytes[16];
    uint32_t index; /* in the port's table, which may have holes */
    enum weft_verbs_gid_type type;
};

/* "RoCE v2" */
const char *weft_verbs_gid_type_text(enum weft_verbs_gid_type type);

#define WEFT_VERBS_GID_TEXT 48
/* "::ffff:10.0.0.1". Returns `text`. */
char *weft_verbs_gid_format(const uint8_t bytes[16], char text[WEFT_VERBS_GID_TEXT]);

/* ::ffff:a.b.c.d */
bool weft_verbs_gid_is_ipv4(const uint8_t bytes[16]);

/* The higher, the rather: RoCE v2 before v1, then IPv4 before global IPv6 before link-local.
 * 0: not usable. */
uint32_t weft_verbs_gid_score(const struct weft_verbs_gid *gid);

/* The best by score, the first among equals; where an address is given (version not 0), the best
 * of those that are this address. The error shows the table. */
WEFT_CHECKED enum weft_status weft_verbs_gid_choose(const struct weft_verbs_gid *gids,
                                                    uint32_t count, const struct weft_ip *address,
                                                    struct weft_verbs_gid *ret_gid,
                                                    struct weft_error *error);

#endif
