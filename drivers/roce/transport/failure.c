/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a queue pair failed, in words. */
#include <assert.h>

#include "drivers/roce/address.h"
#include "drivers/roce/neighbour/neighbour.h"
#include "drivers/roce/transport/qp.h"

static const char *nak_text(uint32_t syndrome)
{
    if (syndrome == WEFT_AETH_NAK_INVALID_REQUEST)
        return "as invalid (NAK 61): the message does not fit the receive, or the operation is not "
               "supported there";
    if (syndrome == WEFT_AETH_NAK_REMOTE_ACCESS)
        return "access to its memory (NAK 62): wrong rkey, or outside the region";
    return "after an error of its own (NAK 63)";
}

static enum weft_status describe_local(const struct weft_roce_qp *qp, const char *peer,
                                       struct weft_error *error)
{
    switch ((enum weft_failure)qp->failure) {
    case WEFT_FAILURE_LOCAL_SEND:
        return weft_error_set(error, WEFT_LOCAL_PROTECTION,
                              "work to %s was posted with lkey %#x, which belongs to no region or "
                              "does not cover its memory",
                              peer, qp->failure_detail);
    case WEFT_FAILURE_LOCAL_RECEIVE:
        return weft_error_set(error, WEFT_LOCAL_PROTECTION,
                              "a receive from %s was posted with an lkey that belongs to no region "
                              "or does not cover its memory",
                              peer);
    case WEFT_FAILURE_PEER_ACCESS:
        return weft_error_set(
            error, WEFT_REMOTE_ACCESS,
            "%s used rkey %#x, which belongs to no region here or does not cover the range", peer,
            qp->failure_detail);
    case WEFT_FAILURE_PEER_REQUEST:
        return weft_error_set(
            error, WEFT_REMOTE_INVALID_REQUEST,
            "%s sent a request that is out of sequence or not supported (opcode %#x)", peer,
            qp->failure_detail);
    case WEFT_FAILURE_PEER_LENGTH:
        return weft_error_set(error, WEFT_LOCAL_LENGTH,
                              "%s sent a message longer than the %u bytes of the receive posted "
                              "for it",
                              peer, qp->failure_detail);
    case WEFT_FAILURE_READ_DEPTH:
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "a READ or atomic to %s was posted, but one of the two endpoints was "
                              "made with a read depth of 0",
                              peer);
    case WEFT_FAILURE_BAD_RESPONSE:
        return weft_error_set(
            error, WEFT_REMOTE_OPERATION,
            "%s answered a READ or atomic with a packet of the wrong kind or length (opcode %#x)",
            peer, qp->failure_detail);
    case WEFT_FAILURE_NONE:
    case WEFT_FAILURE_NEIGHBOUR:
    case WEFT_FAILURE_RETRY:
    case WEFT_FAILURE_RNR_RETRY:
    case WEFT_FAILURE_NAK:
        break;
    }
    return weft_error_set(error, WEFT_PEER_LOST, "the endpoint to %s failed", peer);
}

static void describe(const struct weft_roce_qp *qp, struct weft_error *error)
{
    char peer[WEFT_IP_TEXT];
    char conflict[WEFT_CONFLICT_TEXT];
    if (qp->transport == WEFT_TRANSPORT_UD)
        (void)strcpy(peer, "a UD peer");
    else
        weft_ip_format(&qp->path.address, false, peer);
    enum weft_failure failure = (enum weft_failure)qp->failure;
    if (failure == WEFT_FAILURE_NEIGHBOUR)
        (void)weft_neighbour_error(qp->port, qp->path.neighbour, error);
    else if (failure == WEFT_FAILURE_RETRY)
        (void)weft_error_set(
            error, WEFT_RETRY_EXCEEDED, "%s does not acknowledge: sent %u times, %llu us apart%s",
            peer, qp->port->retry_limit + 1u, (unsigned long long)(qp->port->ack_timeout_ns / 1000),
            weft_neighbour_conflict(qp->port, conflict));
    else if (failure == WEFT_FAILURE_RNR_RETRY)
        (void)weft_error_set(error, WEFT_RNR_RETRY_EXCEEDED,
                             "%s had no receive posted, %u times in a row", peer,
                             qp->port->rnr_retry_limit + 1u);
    else if (failure == WEFT_FAILURE_NAK)
        (void)weft_error_set(error, WEFT_REMOTE_OPERATION, "%s refused %s", peer,
                             nak_text(qp->failure_detail));
    else
        (void)describe_local(qp, peer, error);
}

enum weft_endpoint_state weft_roce_qp_state(const struct weft_roce_qp *qp, struct weft_error *error)
{
    if (qp->state == WEFT_ENDPOINT_FAILED && error)
        describe(qp, error);
    return (enum weft_endpoint_state)qp->state;
}
