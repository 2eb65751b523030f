/* SPDX-License-Identifier: BSD-3-Clause */
/* What a switch does when its queues grow. */
#include <stddef.h>

#include "fabric/topology/read.h"
#include "fabric/topology/topology.h"

#define PPM_DIGITS 6u
#define PPM UINT64_C(1000000)

/* uint64_t, millionths: "0.01", "1" */
static enum weft_status read_probability(const struct weft_yaml_node *node, void *ret_field,
                                         struct weft_error *error)
{
    const char *at = node->text;
    bool is_one = node->kind == WEFT_YAML_TEXT && *at == '1';
    bool whole = is_one || (node->kind == WEFT_YAML_TEXT && *at == '0');
    uint64_t ppm = is_one ? PPM : 0;
    uint64_t unit = PPM / 10;
    at += whole;
    if (whole && *at == '.' && at[1])
        at++;
    for (uint32_t i = 0; whole && i < PPM_DIGITS && *at >= '0' && *at <= '9'; i++, unit /= 10)
        ppm += (uint64_t)(*at++ - '0') * unit;
    if (!whole || *at || ppm > PPM)
        return weft_error_at(
            error, &node->where,
            "'probability' must be from 0 to 1 with up to %u digits after the point, such as 0.01",
            PPM_DIGITS);
    *(uint64_t *)ret_field = ppm;
    return WEFT_OK;
}

static const struct weft_yaml_key ecn_keys[] = {
    {"min", weft_yaml_read_size, offsetof(struct weft_ecn, min_bytes), false, 0,
     WEFT_SWITCH_BUFFER_BYTES_MAX},
    {"max", weft_yaml_read_size, offsetof(struct weft_ecn, max_bytes), true, 1,
     WEFT_SWITCH_BUFFER_BYTES_MAX},
    {"probability", read_probability, offsetof(struct weft_ecn, probability_ppm), false, 0, 0},
    {0},
};

enum weft_status weft_topology_read_ecn(const struct weft_yaml_node *node, void *ret_field,
                                        struct weft_error *error)
{
    struct weft_ecn *ecn = ret_field;
    ecn->probability_ppm = PPM;
    enum weft_status status = weft_yaml_read_map(node, "ecn", ecn_keys, ecn, error);
    if (status != WEFT_OK)
        return status;
    if (!weft_yaml_find(node, "min"))
        ecn->min_bytes = ecn->max_bytes;
    if (ecn->min_bytes > ecn->max_bytes)
        return weft_error_at(error, &weft_yaml_find(node, "min")->where,
                             "ecn: 'min' is above 'max'");
    return WEFT_OK;
}

static const struct weft_yaml_key pfc_keys[] = {
    {"xoff", weft_yaml_read_size, offsetof(struct weft_pfc, xoff_bytes), true, 1,
     WEFT_SWITCH_BUFFER_BYTES_MAX},
    {"xon", weft_yaml_read_size, offsetof(struct weft_pfc, xon_bytes), false, 0,
     WEFT_SWITCH_BUFFER_BYTES_MAX},
    {0},
};

enum weft_status weft_topology_read_pfc(const struct weft_yaml_node *node, void *ret_field,
                                        struct weft_error *error)
{
    struct weft_pfc *pfc = ret_field;
    enum weft_status status = weft_yaml_read_map(node, "pfc", pfc_keys, pfc, error);
    if (status != WEFT_OK)
        return status;
    if (!weft_yaml_find(node, "xon"))
        pfc->xon_bytes = pfc->xoff_bytes / 2;
    if (pfc->xon_bytes > pfc->xoff_bytes)
        return weft_error_at(error, &weft_yaml_find(node, "xon")->where,
                             "pfc: 'xon' is above 'xoff'");
    return WEFT_OK;
}
