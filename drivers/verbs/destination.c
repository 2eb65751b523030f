/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "drivers/verbs/internal.h"

enum weft_status weft_verbs_destination_create(struct weft_endpoint *endpoint,
                                               const struct weft_endpoint_address *peer,
                                               struct weft_destination **ret_destination,
                                               struct weft_error *error)
{
    assert(endpoint->transport == WEFT_TRANSPORT_UD);
    struct ibv_ah_attr path;
    enum weft_status status = weft_verbs_path(endpoint->device, peer, &path, error);
    if (status != WEFT_OK)
        return status;
    struct weft_destination *destination = calloc(1, sizeof(*destination));
    if (!destination)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a destination");
    destination->ah = ibv_create_ah(endpoint->device->pd, &path);
    if (!destination->ah) {
        int number = errno;
        char gid[WEFT_VERBS_GID_TEXT];
        free(destination);
        return weft_verbs_errno_error(
            error, number, "%s: the path to %s (is the peer up, and does ping reach it?)",
            endpoint->device->name.device, weft_verbs_gid_format(peer->gid, gid));
    }
    destination->qpn = peer->qpn;
    destination->qkey = peer->qkey;
    *ret_destination = destination;
    return WEFT_OK;
}

enum weft_endpoint_state weft_verbs_destination_state(const struct weft_destination *destination,
                                                      struct weft_error *error)
{
    (void)destination; /* the kernel resolved it before create returned */
    (void)error;
    return WEFT_ENDPOINT_READY;
}

void weft_verbs_destination_destroy(struct weft_endpoint *endpoint,
                                    struct weft_destination *destination)
{
    (void)endpoint;
    if (!destination)
        return;
    int failed = ibv_destroy_ah(destination->ah);
    assert(!failed);
    free(destination);
}
