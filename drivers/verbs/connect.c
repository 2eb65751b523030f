/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a queue pair (IBTA vol. 1, 10.3.1) and the way to a peer. */
#include <assert.h>
#include <string.h>

#include "drivers/verbs/internal.h"

/* Local acknowledgement timeout 4.096 us * 2^14 = 67 ms; a receiver that is not ready is asked
 * again for ever, 0.64 ms apart: shorter, and soft-RoCE drowns in its own NAKs. */
#define ACK_TIMEOUT_CODE 14
#define RNR_RETRY_FOR_EVER 7
#define MIN_RNR_TIMER_CODE 12

/* For the peer's MAC the kernel asks in the call that connects, and waits for a second. Where this
 * worker polls the peer too, the answer comes after that: so what timed out is tried again, between
 * turns, and the others wait. */
#define CONNECT_TRIES 3u

#define ACCESS_WRITE ((unsigned)IBV_ACCESS_LOCAL_WRITE | (unsigned)IBV_ACCESS_REMOTE_WRITE)

static enum weft_status modify(struct weft_endpoint *endpoint, struct ibv_qp_attr *attributes,
                               int mask, const char *step, struct weft_error *error)
{
    int number = ibv_modify_qp(endpoint->qp, attributes, mask | IBV_QP_STATE);
    if (!number)
        return WEFT_OK;
    return weft_verbs_errno_error(error, number, "%s: queue pair 0x%06x to the state %s",
                                  endpoint->device->name.device, endpoint->qp->qp_num, step);
}

unsigned weft_verbs_access(const struct weft_device *device)
{
    uint32_t operations = device->capabilities.operations;
    unsigned access = ACCESS_WRITE;
    if (operations & WEFT_BIT(WEFT_OPERATION_READ))
        access |= IBV_ACCESS_REMOTE_READ;
    if (operations & WEFT_BIT(WEFT_OPERATION_FETCH_ADD))
        access |= IBV_ACCESS_REMOTE_ATOMIC;
    return access;
}

enum weft_status weft_verbs_qp_init(struct weft_endpoint *endpoint, struct weft_error *error)
{
    bool datagram = endpoint->transport == WEFT_TRANSPORT_UD;
    struct ibv_qp_attr attributes = {
        .qp_state = IBV_QPS_INIT,
        .port_num = endpoint->device->name.port,
        .pkey_index = 0,
        .qkey = endpoint->qkey,
        .qp_access_flags = endpoint->transport == WEFT_TRANSPORT_RC
                               ? weft_verbs_access(endpoint->device)
                               : ACCESS_WRITE,
    };
    int mask = IBV_QP_PKEY_INDEX | IBV_QP_PORT | (datagram ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS);
    return modify(endpoint, &attributes, mask, "INIT", error);
}

enum weft_status weft_verbs_path(const struct weft_device *device,
                                 const struct weft_endpoint_address *peer,
                                 struct ibv_ah_attr *ret_path, struct weft_error *error)
{
    const char *name = device->name.device;
    struct ibv_ah_attr path = {.port_num = device->name.port};
    if (device->is_ethernet != (peer->lid == 0))
        return weft_error_set(error, WEFT_INVALID, "%s is on %s, the peer is not", name,
                              device->is_ethernet ? "RoCE" : "InfiniBand");
    if (!device->is_ethernet) {
        path.dlid = peer->lid;
        *ret_path = path;
        return WEFT_OK;
    }
    if (weft_verbs_gid_is_ipv4(device->gid.bytes) != weft_verbs_gid_is_ipv4(peer->gid)) {
        char own[WEFT_VERBS_GID_TEXT], other[WEFT_VERBS_GID_TEXT];
        return weft_error_set(error, WEFT_INVALID,
                              "%s has the GID %s, the peer %s: give both NICs addresses of one "
                              "family",
                              name, weft_verbs_gid_format(device->gid.bytes, own),
                              weft_verbs_gid_format(peer->gid, other));
    }
    path.is_global = 1;
    memcpy(path.grh.dgid.raw, peer->gid, sizeof(path.grh.dgid.raw));
    path.grh.sgid_index = (uint8_t)device->gid.index;
    path.grh.hop_limit = 64;
    path.grh.traffic_class = device->traffic_class;
    /* Without a flow label the UDP source port comes from the two queue pair numbers, so that
     * the flows of a pair of hosts spread over the fabric's paths. */
    *ret_path = path;
    return WEFT_OK;
}

static enum weft_status to_rtr(struct weft_endpoint *endpoint, struct weft_error *error)
{
    const struct weft_endpoint_address *peer = &endpoint->peer;
    uint32_t own_bytes = endpoint->device->capabilities.mtu_bytes;
    struct ibv_qp_attr attributes = {
        .qp_state = IBV_QPS_RTR,
        .dest_qp_num = peer->qpn,
        .rq_psn = peer->psn,
        .max_dest_rd_atomic = endpoint->read_depth,
        .min_rnr_timer = MIN_RNR_TIMER_CODE,
    };
    int mask = IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
    if (endpoint->transport == WEFT_TRANSPORT_RC)
        mask |= IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
    if (!weft_verbs_mtu_code(peer->mtu_bytes < own_bytes ? peer->mtu_bytes : own_bytes,
                             &attributes.path_mtu))
        return weft_error_set(error, WEFT_INVALID, "%s: the peer's path MTU of %u is not valid",
                              endpoint->device->name.device, peer->mtu_bytes);
    enum weft_status status = weft_verbs_path(endpoint->device, peer, &attributes.ah_attr, error);
    if (status != WEFT_OK)
        return status;
    attributes.ah_attr.grh.flow_label = endpoint->flow_label;
    char gid[WEFT_VERBS_GID_TEXT];
    status = modify(endpoint, &attributes, mask, "RTR", error);
    if (status == WEFT_OK)
        return status;
    return weft_error_prefix(error, "the path to %s (is the peer up, and does ping reach it?): ",
                             weft_verbs_gid_format(peer->gid, gid));
}

static enum weft_status to_rts(struct weft_endpoint *endpoint, struct weft_error *error)
{
    struct ibv_qp_attr attributes = {
        .qp_state = IBV_QPS_RTS,
        .sq_psn = endpoint->psn,
        .timeout = ACK_TIMEOUT_CODE,
        .retry_cnt = endpoint->device->retry_count,
        .rnr_retry = RNR_RETRY_FOR_EVER,
        .max_rd_atomic = endpoint->peer_depth,
    };
    int mask = IBV_QP_SQ_PSN;
    if (endpoint->transport == WEFT_TRANSPORT_RC)
        mask |= IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;
    return modify(endpoint, &attributes, mask, "RTS", error);
}

static enum weft_status to_rtr_datagram(struct weft_endpoint *endpoint, struct weft_error *error)
{
    struct ibv_qp_attr attributes = {.qp_state = IBV_QPS_RTR};
    return modify(endpoint, &attributes, 0, "RTR", error);
}

enum weft_status weft_verbs_qp_ready(struct weft_endpoint *endpoint, struct weft_error *error)
{
    enum weft_status status = endpoint->transport == WEFT_TRANSPORT_UD
                                  ? to_rtr_datagram(endpoint, error)
                                  : to_rtr(endpoint, error);
    if (status == WEFT_OK)
        status = to_rts(endpoint, error);
    if (status == WEFT_OK)
        endpoint->state = WEFT_ENDPOINT_READY;
    return status;
}

static enum weft_status attempt(struct weft_endpoint *endpoint, struct weft_error *error)
{
    enum weft_status status = weft_verbs_qp_ready(endpoint, error);
    if (status == WEFT_TIMEOUT && ++endpoint->tries < CONNECT_TRIES)
        return WEFT_AGAIN;
    return status;
}

static void wait_for_turn(struct weft_endpoint *endpoint)
{
    endpoint->state = WEFT_ENDPOINT_CONNECTING;
    endpoint->device->connecting_count++;
}

void weft_verbs_connect_stop(struct weft_endpoint *endpoint)
{
    if (endpoint->state != WEFT_ENDPOINT_CONNECTING)
        return;
    assert(endpoint->device->connecting_count > 0);
    endpoint->device->connecting_count--;
    endpoint->state = WEFT_ENDPOINT_NEW;
}

static struct weft_endpoint *first_connecting(const struct weft_device *device)
{
    for (uint32_t i = 0; i < device->max_endpoints; i++) {
        struct weft_endpoint *endpoint = device->endpoints[i];
        if (endpoint && endpoint->state == WEFT_ENDPOINT_CONNECTING)
            return endpoint;
    }
    return NULL;
}

void weft_verbs_connect_turn(struct weft_device *device)
{
    struct weft_error error = {0};
    struct weft_endpoint *endpoint = first_connecting(device);
    assert(endpoint);
    enum weft_status status = attempt(endpoint, &error);
    if (status == WEFT_AGAIN)
        return;
    device->connecting_count--;
    if (status == WEFT_OK)
        return;
    endpoint->state = WEFT_ENDPOINT_FAILED;
    endpoint->failure = status;
    endpoint->is_unreachable = true;
}

enum weft_status weft_verbs_endpoint_connect(struct weft_endpoint *endpoint,
                                             const struct weft_endpoint_address *peer,
                                             struct weft_error *error)
{
    struct weft_device *device = endpoint->device;
    struct weft_error refusal = {0};
    bool datagram = endpoint->transport == WEFT_TRANSPORT_UD;
    if (datagram || endpoint->state != WEFT_ENDPOINT_NEW)
        return weft_error_set(error, WEFT_INVALID, "%s: queue pair 0x%06x is %s",
                              device->name.device, endpoint->qp->qp_num,
                              datagram ? "of datagrams and has no peer" : "connected already");
    endpoint->peer = *peer;
    endpoint->peer_depth =
        peer->read_depth < endpoint->read_depth ? (uint8_t)peer->read_depth : endpoint->read_depth;
    enum weft_status status = device->connecting_count ? WEFT_AGAIN : attempt(endpoint, &refusal);
    if (status == WEFT_AGAIN)
        wait_for_turn(endpoint);
    else if (status != WEFT_OK)
        *error = refusal;
    return status == WEFT_AGAIN ? WEFT_OK : status;
}
