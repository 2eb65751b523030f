/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 and IPv6, with and without a VLAN tag and DSCP: what is on the wire, and what is taken. */
#include <criterion/criterion.h>

#include "tests/unit/roce/net.h"

#define VLAN 100u
#define PRIORITY 3u
#define TRAFFIC_CLASS (26u << 2)

/* What every frame must bear, and how many were seen of each kind. */
struct seen {
    uint32_t data;
    uint32_t answers;
    uint32_t questions;
    uint32_t reports; /* of side 0: of its group, which only switches want */
};

static const uint8_t *check_tag(const struct net *net, const uint8_t *frame)
{
    if (net->options.vlan_id) {
        cr_assert_eq(weft_wire_get16(frame + 12), 0x8100);
        cr_assert_eq(weft_wire_get16(frame + 14), PRIORITY << 13 | VLAN);
        return frame + 16;
    }
    return frame + 12;
}

static bool check_frame(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct seen *seen = net->tap_context;
    const uint8_t *at = check_tag(net, frame);
    const uint8_t *ip = at + 2;
    uint32_t network_bytes = len_bytes - (uint32_t)(ip - frame);
    if (net->options.ipv6) {
        cr_assert_eq(weft_wire_get16(at), 0x86dd);
        cr_assert_eq(weft_wire_get16(ip + 4) + 40u, network_bytes);
        if (ip[6] == 0) {
            seen->reports += from == 0;
            return true;
        }
        if (ip[6] == 58) {
            seen->questions++;
            return true;
        }
        cr_assert_eq(weft_wire_get32(ip), 0x60000000u | TRAFFIC_CLASS << 20);
    } else {
        if (weft_wire_get16(at) == 0x0806) {
            seen->questions++;
            return true;
        }
        cr_assert_eq(weft_wire_get16(at), 0x0800);
        cr_assert_eq(weft_wire_get16(ip + 2), network_bytes);
        cr_assert_eq(ip[1], TRAFFIC_CLASS);
    }
    uint8_t opcode = ip[(net->options.ipv6 ? 40 : 20) + 8];
    if (opcode == 0x11)
        seen->answers++;
    else
        seen->data++;
    return true;
}

static void transfer(bool ipv6, uint16_t vlan_id, struct net_faults faults)
{
    struct net net;
    struct seen seen = {0};
    uint32_t len_bytes = 9001;
    net_init(&net, &(struct net_options){.seed = 5,
                                         .ipv6 = ipv6,
                                         .reports = true,
                                         .vlan_id = vlan_id,
                                         .vlan_priority = vlan_id ? PRIORITY : 0,
                                         .traffic_class = TRAFFIC_CLASS,
                                         .retry_limit = 50,
                                         .faults = faults});
    net.tap = check_frame;
    net.tap_context = &seen;
    net_connect(&net);
    net_fill(net.sides[0].memory, len_bytes, 5);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, len_bytes);
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
    cr_assert(net_filled(net.sides[1].memory, len_bytes, 5));
    net_receive(&net, 1, 1, 20000, 1000);
    net_fill(net.sides[0].memory + 20000, 333, 6);
    work = net_work(&net, 0, WEFT_OPERATION_SEND, 20000, 333);
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 1).len_bytes, 333);
    cr_assert(net_filled(net.sides[1].memory + 20000, 333, 6));
    cr_assert_geq(seen.data, 10);
    cr_assert_geq(seen.answers, 1);
    cr_assert_geq(seen.questions, 2);
    if (!faults.corrupt) {
        const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[1].port);
        cr_assert_eq(counters->malformed_packets + counters->icrc_errors, 0);
        cr_assert_eq(counters->unexpected_packets, seen.reports);
    }
    net_fini(&net);
}

Test(network, every_kind_carries)
{
    for (uint32_t kind = 0; kind < 4; kind++)
        transfer((kind & 1) != 0, (kind & 2) ? VLAN : 0, (struct net_faults){0});
}

Test(network, every_kind_carries_over_a_bad_wire)
{
    const struct net_faults faults = {.drop = 30, .duplicate = 30, .reorder = 60, .corrupt = 30};
    for (uint32_t kind = 0; kind < 4; kind++)
        transfer((kind & 1) != 0, (kind & 2) ? VLAN : 0, faults);
}

struct kept {
    uint8_t frame[WEFT_ROCE_FRAME_MAX + 4];
    uint32_t len_bytes;
};

static bool keep(struct net *net, uint32_t from, uint8_t *frame, uint32_t len_bytes)
{
    struct kept *kept = net->tap_context;
    if (from == 0) {
        memcpy(kept->frame, frame, len_bytes);
        kept->len_bytes = len_bytes;
    }
    return false;
}

/* One SEND of 50 bytes, caught before side 1 has it. */
static void catch_send(struct net *net, struct kept *kept, const struct net_options *options)
{
    net_init(net, options);
    net_connect(net);
    net_receive(net, 1, 1, 0, 1000);
    net->tap = keep;
    net->tap_context = kept;
    kept->len_bytes = 0;
    struct weft_work work = net_work(net, 0, WEFT_OPERATION_SEND, 0, 50);
    net_send(net, 0, &work);
    while (!kept->len_bytes)
        (void)net_step(net);
}

static uint64_t unexpected(const struct net *net)
{
    return weft_roce_port_counters(net->sides[1].port)->unexpected_packets;
}

static uint64_t payload(const struct net *net)
{
    return weft_roce_qp_counters(net->sides[1].qp)->received_payload_bytes;
}

/* Puts a tag into an untagged frame. */
static void put_tag(struct kept *kept, uint16_t tag)
{
    memmove(kept->frame + 16, kept->frame + 12, kept->len_bytes - 12);
    weft_wire_put16(kept->frame + 12, 0x8100);
    weft_wire_put16(kept->frame + 14, tag);
    kept->len_bytes += 4;
}

Test(network, without_a_vlan_only_priority_tags_are_taken)
{
    struct net net;
    static struct kept kept;
    catch_send(&net, &kept, &(struct net_options){.seed = 2});
    put_tag(&kept, VLAN);
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(unexpected(&net), 1);
    cr_assert_eq(payload(&net), 0);
    weft_wire_put16(kept.frame + 14, 5 << 13);
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(unexpected(&net), 1);
    cr_assert_eq(payload(&net), 50);
    net_fini(&net);
}

Test(network, of_a_vlan_only_its_own_frames_are_taken)
{
    struct net net;
    static struct kept kept;
    const struct net_options options = {
        .seed = 2, .vlan_id = VLAN, .vlan_priority = PRIORITY, .ipv6 = true};
    catch_send(&net, &kept, &options);
    const uint16_t others[] = {VLAN + 1, 0, VLAN | 0x800};
    uint64_t before = unexpected(&net);
    for (uint32_t i = 0; i < 3; i++) {
        weft_wire_put16(kept.frame + 14, others[i]);
        net_inject(&net, 1, kept.frame, kept.len_bytes, false);
        cr_assert_eq(unexpected(&net), before + i + 1);
    }
    /* The other bits of the tag are not the VLAN's. */
    weft_wire_put16(kept.frame + 14, 0xf000 | VLAN);
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(payload(&net), 50);
    /* Untagged, and cut within the tag. */
    before = unexpected(&net);
    memmove(kept.frame + 12, kept.frame + 16, kept.len_bytes - 16);
    net_inject(&net, 1, kept.frame, kept.len_bytes - 4, false);
    cr_assert_eq(unexpected(&net), before + 1);
    weft_wire_put16(kept.frame + 12, 0x8100);
    for (uint32_t len_bytes = 14; len_bytes < 18; len_bytes++)
        net_inject(&net, 1, kept.frame, len_bytes, false);
    cr_assert_eq(weft_roce_port_counters(net.sides[1].port)->malformed_packets, 4);
    cr_assert_eq(payload(&net), 50);
    net_fini(&net);
}

/* Every bit of an IPv6 packet that the ICRC covers, and every length. Traffic class, flow label,
 * hop limit, UDP checksum and the BTH's reserved byte are the routers'. */
static bool may_change(uint32_t bit)
{
    uint32_t byte = bit >> 3;
    bool flow = byte == 14 ? (bit & 7) < 4 : byte >= 15 && byte < 18;
    return (byte >= 6 && byte < 12) || flow || byte == 21 || byte == 60 || byte == 61 || byte == 66;
}

Test(network, altered_ipv6_is_dropped)
{
    struct net net;
    static struct kept kept;
    catch_send(&net, &kept, &(struct net_options){.seed = 2, .ipv6 = true});
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[1].port);
    for (uint32_t bit = 0; bit < kept.len_bytes * 8; bit++) {
        if (may_change(bit))
            continue;
        uint64_t before =
            counters->malformed_packets + counters->unexpected_packets + counters->icrc_errors;
        kept.frame[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
        net_inject(&net, 1, kept.frame, kept.len_bytes, false);
        kept.frame[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
        cr_assert_eq(counters->malformed_packets + counters->unexpected_packets +
                         counters->icrc_errors,
                     before + 1, "bit %u of byte %u", bit & 7, bit >> 3);
    }
    for (uint32_t len_bytes = 0; len_bytes < kept.len_bytes; len_bytes++)
        net_inject(&net, 1, kept.frame, len_bytes, false);
    cr_assert_eq(payload(&net), 0);
    weft_wire_put32(kept.frame + 14, 0x6fbcdef1);
    kept.frame[21] = 3;
    kept.frame[66] = 0xc0;
    net_inject(&net, 1, kept.frame, kept.len_bytes, false);
    cr_assert_eq(payload(&net), 50);
    net_fini(&net);
}

/* The area before a datagram's payload is the IPv6 header itself. */
Test(network, datagram_over_ipv6_has_its_header_for_a_grh)
{
    struct net net;
    struct weft_error error = {0};
    struct weft_roce_destination *destination = NULL;
    net_init(&net, &(struct net_options){.seed = 3,
                                         .ipv6 = true,
                                         .vlan_id = VLAN,
                                         .traffic_class = TRAFFIC_CLASS,
                                         .transport = WEFT_TRANSPORT_UD});
    cr_assert_eq(
        weft_roce_destination_create(net.sides[0].qp, &net.sides[1].address, &destination, &error),
        WEFT_OK, "%s", error.text);
    while (weft_roce_destination_state(destination, NULL) != WEFT_ENDPOINT_READY)
        cr_assert(net_step(&net));
    net_receive(&net, 1, 9, 0, 1000);
    net_fill(net.sides[0].memory, 100, 1);
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_SEND, 0, 100);
    work.destination = (const struct weft_destination *)(const void *)destination;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 1).len_bytes, 140);
    const uint8_t *grh = net.sides[1].memory;
    cr_assert_eq(weft_wire_get32(grh), 0x60000000u | TRAFFIC_CLASS << 20);
    cr_assert_eq(weft_wire_get16(grh + 4), 8 + 12 + 8 + 100 + 4);
    cr_assert_eq(grh[6], 17);
    cr_assert_arr_eq(grh + 8, net.sides[0].address.gid, 16);
    cr_assert_arr_eq(grh + 24, net.sides[1].address.gid, 16);
    cr_assert(net_filled(net.sides[1].memory + 40, 100, 1));
    weft_roce_destination_destroy(net.sides[0].qp, destination);
    net_fini(&net);
}

static void expect_refused(const struct weft_roce_port_options *options, const char *says)
{
    struct weft_error error = {0};
    struct weft_roce_port *port = NULL;
    cr_assert_eq(weft_roce_port_create(options, &port, &error), WEFT_INVALID);
    cr_expect(strstr(error.text, says), "%s", error.text);
}

#define GOOD                                                                      \
    .mac = {2, 0, 0, 0, 0, 1}, .mtu_bytes = 1024, .max_qps = 1, .max_regions = 1, \
    .address = {.version = 6, .prefix_bits = 64, .bytes = {[0] = 0xfd, [15] = 1}}

Test(network, options_that_cannot_be_are_refused)
{
    struct weft_roce_port_options options = {GOOD, .vlan_id = 4095};
    expect_refused(&options, "VLAN 4095: it must be 1 to 4094");
    options = (struct weft_roce_port_options){GOOD, .vlan_id = 1, .vlan_priority = 8};
    expect_refused(&options, "it must be 0 to 7");
    options = (struct weft_roce_port_options){GOOD, .vlan_priority = 1};
    expect_refused(&options, "without a VLAN");
    options = (struct weft_roce_port_options){GOOD, .traffic_class = 1};
    expect_refused(&options, "ECN");
    options = (struct weft_roce_port_options){GOOD};
    options.address.bytes[0] = 0xff;
    expect_refused(&options, "fd00::1/64");
    options = (struct weft_roce_port_options){GOOD};
    options.address.prefix_bits = 129;
    expect_refused(&options, "fd00::1/64");
    options = (struct weft_roce_port_options){GOOD};
    options.address = (struct weft_ip){
        .version = 6, .prefix_bits = 64, .bytes = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}};
    expect_refused(&options, "fd00::1/64");
    options = (struct weft_roce_port_options){GOOD};
    options.gateway = (struct weft_ip){.version = 6, .bytes = {[0] = 0xfc, [15] = 2}};
    expect_refused(&options, "gateway fc00::2 is not in the port's own network");
}
