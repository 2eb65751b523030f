/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/neighbour/listener.h"

#include <assert.h>

#include "drivers/roce/neighbour/icmpv6.h"
#include "drivers/roce/packet/ethernet.h"
#include "fabric/topology/ip.h"

#define REPORT 143u
#define CHANGE_TO_EXCLUDE 4u
/* The message and its one record. */
#define REPORT_BYTES 28u
/* Router alert, which RFC 3810 (5) wants, filled up to 8 bytes. */
static const uint8_t hop_by_hop[8] = {WEFT_IP_PROTOCOL_ICMPV6, 0, 5, 2, 0, 0, 1, 0};

/* The second follows soon, lest the first is lost (RFC 3810, 9.1). */
#define SOON_NS UINT64_C(1000000000)
#define AGAIN_NS UINT64_C(60000000000)

void weft_listener_build(struct weft_neighbours *neighbours, struct weft_roce_frame *frame,
                         uint64_t now_ns)
{
    static const uint8_t all_routers[16] = {0xff, 0x02, [15] = 0x16};
    uint8_t mac[6];
    const struct weft_interface *interface = neighbours->interface;
    neighbours->report_ns = now_ns + (neighbours->report_ns ? AGAIN_NS : SOON_NS);
    weft_icmpv6_group_mac(all_routers, mac);
    uint8_t *ip = weft_ethernet_put(interface, frame->data, mac, WEFT_ETHERTYPE_IPV6);
    uint32_t payload_bytes = sizeof(hop_by_hop) + REPORT_BYTES;
    frame->len_bytes = (uint32_t)(ip - frame->data) + WEFT_IPV6_BYTES + payload_bytes;
    assert(frame->len_bytes <= frame->capacity_bytes);
    memset(ip, 0, WEFT_IPV6_BYTES + payload_bytes);
    ip[0] = 0x60;
    weft_wire_put16(ip + 4, (uint16_t)payload_bytes);
    ip[7] = 1;
    /* From a link-local address, or from none (RFC 3810, 5.2.13). */
    if (weft_ip_is_link_local(&interface->address))
        memcpy(ip + 8, interface->address.bytes, 16);
    memcpy(ip + 24, all_routers, 16);
    memcpy(ip + WEFT_IPV6_BYTES, hop_by_hop, sizeof(hop_by_hop));
    uint8_t *report = ip + WEFT_IPV6_BYTES + sizeof(hop_by_hop);
    report[0] = REPORT;
    report[7] = 1;
    report[8] = CHANGE_TO_EXCLUDE;
    weft_icmpv6_solicited_node(interface->address.bytes, report + 12);
    weft_wire_put16(report + 2, weft_icmpv6_checksum(ip, report, REPORT_BYTES));
}
