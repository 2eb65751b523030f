/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/failure.h"

#include "drivers/roce/base/address.h"
#include "drivers/roce/neighbour/explain.h"
#include "drivers/roce/transport/complete.h"
#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/resource.h"

static void flush_sends(struct weft_roce_qp *qp, const struct weft_qp_error *why)
{
    struct weft_requester *requester = &qp->requester;
    const struct weft_send *blamed = why->blamed;
    if (!blamed)
        blamed = &requester->sends[requester->completed & requester->mask];
    while (requester->completed != requester->posted) {
        bool blame = blamed == &requester->sends[requester->completed & requester->mask];
        weft_qp_complete_send(qp, blame ? why->send_status : WEFT_FLUSHED,
                              blame ? why->vendor_error : 0);
    }
}

void weft_qp_fail(struct weft_roce_qp *qp, const struct weft_qp_error *why)
{
    struct weft_requester *requester = &qp->requester;
    if (qp->state == WEFT_ENDPOINT_FAILED)
        return;
    qp->state = WEFT_ENDPOINT_FAILED;
    qp->failure = (uint8_t)why->failure;
    qp->failure_detail = why->detail;
    weft_link_remove(&qp->active);
    weft_timer_set(&qp->port->wheel, &qp->timer, WEFT_TIMER_NEVER);
    /* Before a refusal the responses that are due still go out. Otherwise an answer that waited for
     * them waits no longer. */
    if (!qp->responder.fatal_syndrome) {
        weft_responses_drop(qp);
        if (qp->responder.answer != WEFT_ANSWER_NONE)
            weft_qp_answer(qp, (enum weft_answer)qp->responder.answer);
    }
    weft_qp_activate(qp);
    flush_sends(qp, why);
    requester->cursor = requester->posted;
    requester->reads = 0;
    requester->read_span = 0;
    enum weft_status status = why->receive_status;
    while (!weft_qp_receive_empty(qp)) {
        (void)weft_qp_complete_receive(qp, status);
        status = WEFT_FLUSHED;
    }
}

void weft_qp_fail_bad_work(struct weft_roce_qp *qp, const struct weft_send *work)
{
    bool deep = work->wants_response && !qp->requester.reads_max;
    weft_qp_fail(qp, &(struct weft_qp_error){
                         .failure = deep ? WEFT_FAILURE_READ_DEPTH : WEFT_FAILURE_LOCAL_SEND,
                         .detail = work->lkey,
                         .send_status = deep ? WEFT_UNSUPPORTED : WEFT_LOCAL_PROTECTION,
                         .receive_status = WEFT_FLUSHED});
}

/* ---- in words ---- */

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
        (void)weft_neighbour_error(qp->path.neighbours, qp->path.neighbour, error);
    else if (failure == WEFT_FAILURE_RETRY)
        (void)weft_error_set(
            error, WEFT_RETRY_EXCEEDED, "%s does not acknowledge: sent %u times, %llu us apart%s",
            peer, qp->port->retry_limit + 1u, (unsigned long long)(qp->port->ack_timeout_ns / 1000),
            weft_neighbour_conflict(&qp->port->neighbours, conflict));
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
