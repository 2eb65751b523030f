/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/transport/requester.h"

#include <assert.h>

#include "drivers/roce/neighbour/ask.h"
#include "drivers/roce/transport/failure.h"
#include "drivers/roce/transport/progress.h"
#include "drivers/roce/transport/ready.h"
#include "drivers/roce/transport/request.h"
#include "drivers/roce/transport/requester_read.h"

#define RNR_RETRY_WITHOUT_END 7u
/* So many timeouts in a row raise a doubt about the neighbour's MAC. */
#define DOUBTFUL_RETRIES 2u

/* IBTA vol. 1, table 45, in units of 10 us. */
static const uint32_t rnr_waits[32] = {65536, 1,    2,    3,     4,     6,     8,     12,
                                       16,    24,   32,   48,    64,    96,    128,   192,
                                       256,   384,  512,  768,   1024,  1536,  2048,  3072,
                                       4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152};

/* At a message's end, and some times in a window. */
static bool ask_for_ack(struct weft_roce_qp *qp, bool last)
{
    struct weft_requester *requester = &qp->requester;
    requester->since_ack_request++;
    if (!last && requester->since_ack_request < qp->ack_every)
        return false;
    requester->since_ack_request = 0;
    return true;
}

static void build(struct weft_roce_qp *qp, const struct weft_send *work,
                  struct weft_roce_frame *frame)
{
    if (work->wants_response) {
        weft_requester_build_read(qp, work, frame);
        return;
    }
    bool last = qp->requester.next_sequence + 1 == work->first + work->packets;
    weft_request_build(qp, work, ask_for_ack(qp, last) ? WEFT_ACK_REQUEST : 0, frame);
}

static void step(struct weft_roce_qp *qp, const struct weft_send *work)
{
    struct weft_requester *requester = &qp->requester;
    uint64_t end = work->first + work->packets;
    if (requester->next_sequence < requester->sent_sequence)
        qp->port->counters.retransmitted_packets++;
    if (work->wants_response) {
        requester->read_span += (uint32_t)(end - requester->next_sequence) - 1;
        requester->reads++;
        requester->next_sequence = end;
    } else {
        requester->next_sequence++;
    }
    if (requester->next_sequence == end)
        requester->cursor++;
    if (requester->next_sequence > requester->sent_sequence)
        requester->sent_sequence = requester->next_sequence;
}

uint32_t weft_requester_transmit(struct weft_roce_qp *qp, struct weft_roce_frame *frames,
                                 uint32_t count, uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    uint32_t filled = 0;
    while (filled < count && weft_requester_can_request(qp)) {
        const struct weft_send *work = &requester->sends[requester->cursor & requester->mask];
        if (work->bad_lkey) {
            weft_qp_fail_bad_work(qp, work);
            break;
        }
        build(qp, work, &frames[filled++]);
        step(qp, work);
    }
    if (filled && qp->timer.deadline_ns == WEFT_TIMER_NEVER)
        weft_timer_set(&qp->port->wheel, &qp->timer, now_ns + qp->port->ack_timeout_ns);
    return filled;
}

static void wait_for_receiver(struct weft_roce_qp *qp, uint8_t syndrome, uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    uint8_t limit = qp->port->rnr_retry_limit;
    qp->port->counters.rnr_naks_received++;
    if (limit < RNR_RETRY_WITHOUT_END && requester->rnr_retries++ == limit) {
        weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_RNR_RETRY,
                                                 .send_status = WEFT_RNR_RETRY_EXCEEDED,
                                                 .receive_status = WEFT_FLUSHED,
                                                 .vendor_error = syndrome});
        return;
    }
    weft_requester_go_back(qp);
    requester->rnr_waiting = true;
    weft_timer_set(&qp->port->wheel, &qp->timer,
                   now_ns + rnr_waits[syndrome & 0x1f] * UINT64_C(10000));
}

/* `sequence` is the number refused. A READ before it stays without an answer, but is not to blame.
 */
static void fail_refused(struct weft_roce_qp *qp, uint8_t syndrome, uint64_t sequence)
{
    struct weft_requester *requester = &qp->requester;
    enum weft_status status = WEFT_REMOTE_OPERATION;
    if (syndrome == WEFT_AETH_NAK_INVALID_REQUEST)
        status = WEFT_REMOTE_INVALID_REQUEST;
    else if (syndrome == WEFT_AETH_NAK_REMOTE_ACCESS)
        status = WEFT_REMOTE_ACCESS;
    uint32_t slot = requester->completed;
    while (requester->sends[slot & requester->mask].first +
               requester->sends[slot & requester->mask].packets <=
           sequence)
        slot++;
    weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_NAK,
                                             .detail = syndrome,
                                             .send_status = status,
                                             .blamed = &requester->sends[slot & requester->mask],
                                             .receive_status = WEFT_FLUSHED,
                                             .vendor_error = syndrome});
}

static bool syndrome_known(uint8_t syndrome)
{
    if (syndrome & 0x80)
        return false;
    uint8_t class = syndrome & WEFT_AETH_CLASS_MASK;
    return class == WEFT_AETH_CLASS_ACK || class == WEFT_AETH_CLASS_RNR ||
           (syndrome >= WEFT_AETH_NAK_SEQUENCE && syndrome <= WEFT_AETH_NAK_REMOTE_OPERATION);
}

static void refused(struct weft_roce_qp *qp, uint8_t syndrome, uint64_t sequence, uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    bool reached = requester->acked_sequence == sequence;
    uint8_t class = syndrome & WEFT_AETH_CLASS_MASK;
    if (class == WEFT_AETH_CLASS_NAK && syndrome != WEFT_AETH_NAK_SEQUENCE) {
        fail_refused(qp, syndrome, sequence);
    } else if (!reached) {
        weft_requester_implied_nak(qp);
    } else if (class == WEFT_AETH_CLASS_RNR) {
        wait_for_receiver(qp, syndrome, now_ns);
    } else {
        qp->port->counters.sequence_naks_received++;
        weft_requester_go_back(qp);
    }
}

void weft_requester_acknowledge(struct weft_roce_qp *qp, const struct weft_packet *packet,
                                uint64_t now_ns)
{
    struct weft_requester *requester = &qp->requester;
    const uint8_t *aeth = weft_packet_extension(packet, 0);
    uint8_t syndrome = aeth[0];
    if (!syndrome_known(syndrome)) {
        qp->port->counters.malformed_packets++;
        return;
    }
    if (qp->state == WEFT_ENDPOINT_FAILED)
        return;
    uint64_t acked = requester->acked_sequence;
    uint64_t outstanding = requester->sent_sequence - acked;
    uint32_t distance = (packet->psn - (uint32_t)acked) & WEFT_ROCE_NUMBER_MASK;
    bool ack = (syndrome & WEFT_AETH_CLASS_MASK) == WEFT_AETH_CLASS_ACK;
    if (ack)
        weft_credit_take(requester, aeth);
    /* A NAK 60 may name the packet that would come next. What lies outside is old: all that it says
     * is known, but for credits. */
    if (distance < outstanding || (syndrome == WEFT_AETH_NAK_SEQUENCE && distance == outstanding)) {
        uint64_t sequence = acked + distance + (ack ? 1 : 0);
        uint64_t reach = weft_requester_reach(requester, sequence);
        weft_requester_advance(qp, reach, now_ns);
        if (!ack)
            refused(qp, syndrome, sequence, now_ns);
        else if (reach < sequence)
            weft_requester_implied_nak(qp);
    }
    weft_qp_activate(qp);
}

/* Time passed without progress. The timer starts anew when the first packet goes out again: so a
 * port that gets no frames to fill does not run out of retries. */
void weft_requester_expired(struct weft_roce_qp *qp)
{
    struct weft_requester *requester = &qp->requester;
    if (requester->rnr_waiting) {
        requester->rnr_waiting = false;
        weft_qp_activate(qp);
        return;
    }
    qp->port->counters.timeouts++;
    if (requester->retries++ == qp->port->retry_limit) {
        weft_qp_fail(qp, &(struct weft_qp_error){.failure = WEFT_FAILURE_RETRY,
                                                 .send_status = WEFT_RETRY_EXCEEDED,
                                                 .receive_status = WEFT_FLUSHED});
        return;
    }
    requester->gone_back = false;
    if (requester->retries >= DOUBTFUL_RETRIES)
        weft_neighbour_doubt(qp->path.neighbours, qp->path.neighbour);
    weft_requester_go_back(qp);
    weft_qp_activate(qp);
}
