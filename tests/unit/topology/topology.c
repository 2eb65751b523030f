/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/topology/topology.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct weft_topology *parse(const char *text)
{
    const struct weft_source source = {"t.yaml", text, strlen(text)};
    struct weft_topology *topology = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_topology_parse(&source, &topology, &error), WEFT_OK, "%s", error.text);
    return topology;
}

static void refuses(const char *text, const char *phrase)
{
    const struct weft_source source = {"t.yaml", text, strlen(text)};
    struct weft_topology *topology = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_topology_parse(&source, &topology, &error), WEFT_INVALID, "%s", text);
    cr_assert_null(topology);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
}

Test(topology, holds_what_the_file_says)
{
    struct weft_topology *topology =
        parse("name: two-hosts\n"
              "hosts:\n"
              "  - name: a\n"
              "    agent: 198.18.0.1:7117\n"
              "    nics:\n"
              "      - {name: a0, device: \"net_af_packet0,iface=eth1\", address: 198.18.0.1/24,\n"
              "         rate: 100Gbps, driver: dpdk, gateway: 198.18.0.254,\n"
              "         vlan: 4094, vlan-priority: 7}\n"
              "      - {name: a1, device: mlx5_0, address: \"2001:db8::1/64\", gateway: "
              "\"2001:db8::2\"}\n"
              "  - name: b\n"
              "    nics: [{name: a0, device: mlx5_0}]\n"
              "switches: [{name: s0}, {name: s1}]\n"
              "links:\n"
              "  - {between: [a/a0, s1], rate: 100Gbps, delay: 500ns}\n"
              "  - {between: [s0, s1]}\n"
              "  - between: [b/a0, a/a1]\n"
              "ranks: [b/a0, a/a0, b/a0]\n");
    cr_assert_str_eq(topology->name, "two-hosts");
    cr_assert_eq(topology->host_count, 2u);
    cr_assert_eq(topology->nic_count, 3u);
    cr_assert_str_eq(topology->hosts[0].agent, "198.18.0.1:7117");
    cr_assert_null(topology->hosts[1].agent);
    cr_assert_eq(topology->hosts[1].first_nic, 2u);
    cr_assert_eq(topology->hosts[0].nic_count, 2u);

    const struct weft_nic *nic = &topology->nics[0];
    char text[WEFT_IP_TEXT];
    cr_assert_str_eq(nic->name, "a0");
    cr_assert_str_eq(nic->device, "net_af_packet0,iface=eth1");
    cr_assert_str_eq(nic->driver, "dpdk");
    cr_assert_str_eq(weft_ip_format(&nic->address, true, text), "198.18.0.1/24");
    cr_assert_str_eq(weft_ip_format(&nic->gateway, true, text), "198.18.0.254/24");
    cr_assert_eq(nic->rate_bps, UINT64_C(100000000000));
    cr_assert_eq(nic->vlan_id, 4094);
    cr_assert_eq(nic->vlan_priority, 7);
    cr_assert_eq(topology->nics[1].vlan_id, WEFT_VLAN_NONE);
    cr_assert_eq(topology->nics[1].vlan_priority, 0);
    cr_assert_eq(topology->nics[1].address.version, 6);
    cr_assert_eq(topology->nics[2].host, 1u);
    cr_assert_null(topology->nics[2].driver);
    cr_assert_eq(topology->nics[2].address.version, 0);
    cr_assert_eq(topology->nics[2].rate_bps, 0u);

    cr_assert_eq(topology->switch_count, 2u);
    cr_assert_eq(topology->link_count, 3u);
    cr_assert(!topology->links[0].ends[0].is_switch);
    cr_assert(topology->links[0].ends[1].is_switch);
    cr_assert_eq(topology->links[0].ends[1].index, 1u);
    cr_assert_eq(topology->links[0].delay_ns, 500u);
    cr_assert_eq(topology->links[1].rate_bps, 0u);
    cr_assert_eq(topology->links[2].ends[0].index, 2u);

    cr_assert_eq(topology->rank_count, 3u);
    cr_assert_eq(topology->rank_nics[0], 2u);
    cr_assert_eq(topology->rank_nics[1], 0u);
    cr_assert_eq(topology->rank_nics[2], 2u, "two ranks may share a NIC");
    weft_topology_destroy(topology);
    weft_topology_destroy(NULL);
}

#define ONE_NIC(fields) \
    "name: t\nhosts:\n  - name: a\n    nics: [{name: a0, device: d, " fields "}]\nranks: [a/a0]\n"
#define ONE_AGENT(agent)                              \
    "name: t\nhosts:\n  - name: a\n    agent: " agent \
    "\n    nics: [{name: a0, device: d}]\nranks: [a/a0]\n"

Test(topology, holds_what_switches_do_with_their_queues)
{
    struct weft_topology *topology =
        parse("name: t\n"
              "hosts: [{name: a, nics: [{name: n, device: loopback}]}]\n"
              "switches:\n"
              "  - {name: s, buffer: 16MiB, ecn: {min: 100KiB, max: 400KiB, probability: 0.01},\n"
              "     pfc: {xoff: 512KiB, xon: 1KiB}}\n"
              "  - {name: t, ecn: {max: 64KiB}, pfc: {xoff: 8KiB}}\n"
              "  - {name: u}\n"
              "ranks: [a/n]\n");
    const struct weft_switch *switches = topology->switches;
    cr_assert_eq(switches[0].buffer_bytes, 16 << 20);
    cr_assert_eq(switches[0].ecn.min_bytes, 100 << 10);
    cr_assert_eq(switches[0].ecn.max_bytes, 400 << 10);
    cr_assert_eq(switches[0].ecn.probability_ppm, 10000);
    cr_assert_eq(switches[0].pfc.xoff_bytes, 512 << 10);
    cr_assert_eq(switches[0].pfc.xon_bytes, 1 << 10);
    /* A plain threshold: all from there on. */
    cr_assert_eq(switches[1].ecn.min_bytes, 64 << 10);
    cr_assert_eq(switches[1].ecn.probability_ppm, 1000000);
    cr_assert_eq(switches[1].pfc.xon_bytes, 4 << 10);
    cr_assert_eq(switches[2].buffer_bytes, 0);
    cr_assert_eq(switches[2].ecn.max_bytes, 0);
    cr_assert_eq(switches[2].pfc.xoff_bytes, 0);
    weft_topology_destroy(topology);
}

Test(topology, judges_addresses)
{
    refuses(ONE_NIC("address: 0.0.0.0"), "unspecified address");
    refuses(ONE_NIC("address: 0.1.2.3"), "reserved");
    refuses(ONE_NIC("address: 255.255.255.255/24"), "reserved");
    refuses(ONE_NIC("address: 239.1.1.1"), "multicast");
    refuses(ONE_NIC("address: 10.0.0.255/24"), "broadcast");
    refuses(ONE_NIC("address: 10.0.0.0/24"), "network itself");
    refuses(ONE_NIC("address: \"::\""), "unspecified address");
    refuses(ONE_NIC("address: \"ff02::1\""), "multicast");
    refuses(ONE_NIC("address: \"::1\""), "own loopback address");
    refuses(ONE_NIC("address: \"::ffff:10.0.0.1/64\""), "to be written like 198.18.0.1/24");
    refuses(ONE_NIC("address: \"fd00::1/64\", gateway: \"fd00:0:0:1::2\""), "outside");
    refuses(ONE_NIC("address: [10.0.0.1]"), "must be an IP address");
    refuses(ONE_NIC("address: 10.0.0.1, gateway: 10.0.0.1"), "own address");
    refuses(ONE_NIC("address: 10.0.0.1, gateway: 10.0.0.2/24"), "without a prefix");
    refuses(ONE_NIC("address: 10.0.0.1, gateway: \"fe80::1\""), "different IP versions");
    refuses(ONE_NIC("address: 10.0.0.1/25, gateway: 10.0.0.129"), "outside");
    weft_topology_destroy(parse(ONE_NIC("address: 10.0.0.255/16")));
    weft_topology_destroy(parse(ONE_NIC("address: \"fe80::1/64\"")));
    weft_topology_destroy(parse(ONE_NIC("address: \"fd00::1/64\", gateway: \"fd00::ff\"")));
    weft_topology_destroy(parse(ONE_NIC("address: \"fd00::1/64\", gateway: \"fe80::1\"")));
    weft_topology_destroy(parse(ONE_NIC("address: 10.0.0.0/31")));
    weft_topology_destroy(parse(ONE_NIC("address: 10.0.0.255/32")));
    weft_topology_destroy(parse(ONE_NIC("address: 10.0.0.1/25, gateway: 10.0.0.126")));
}

Test(topology, judges_vlans)
{
    refuses(ONE_NIC("vlan: 0"), "'vlan' must be from 1 to 4094; leave it out");
    refuses(ONE_NIC("vlan: 4095"), "'vlan' must be");
    refuses(ONE_NIC("vlan: 65537"), "'vlan' must be");
    refuses(ONE_NIC("vlan: none"), "'none' is not a count");
    refuses(ONE_NIC("vlan: 1, vlan-priority: 8"), "'vlan-priority' must be from 0 to 7");
    refuses(ONE_NIC("vlan-priority: 3"), "'vlan-priority' needs a VLAN");
    weft_topology_destroy(parse(ONE_NIC("vlan: 1, vlan-priority: 0")));
}

Test(topology, judges_agents)
{
    refuses(ONE_AGENT("10.0.0.1"), "no port");
    refuses(ONE_AGENT("\"10.0.0.1:\""), "not a port");
    refuses(ONE_AGENT("10.0.0.1:0"), "not a port");
    refuses(ONE_AGENT("10.0.0.1:65536"), "not a port");
    refuses(ONE_AGENT("10.0.0.1:7117x"), "not a port");
    refuses(ONE_AGENT("\":7117\""), "not a host");
    refuses(ONE_AGENT("10.0.0:7117"), "not a host");
    refuses(ONE_AGENT("10.0.0.1/24:7117"), "not a host");
    refuses(ONE_AGENT("\"[::1]\""), "no port");
    refuses(ONE_AGENT("\"::1:7117\""), "not a host");
    refuses(ONE_AGENT("node 1:7117"), "not a host");
    weft_topology_destroy(parse(ONE_AGENT("10.0.0.1:65535")));
    weft_topology_destroy(parse(ONE_AGENT("node-1.example:1")));
    weft_topology_destroy(parse(ONE_AGENT("\"[2001:db8::1]:7117\"")));
}

Test(topology, allows_what_only_looks_double)
{
    /* The same device on two hosts, any number of loopback ports on one, NICs without address. */
    weft_topology_destroy(parse("name: t\nhosts:\n"
                                "  - {name: a, nics: [{name: n0, device: mlx5_0}]}\n"
                                "  - {name: b, nics: [{name: n0, device: mlx5_0}]}\n"
                                "  - {name: n0, nics: [{name: p0, device: loopback},\n"
                                "                      {name: p1, device: loopback}]}\n"
                                "switches: []\nlinks: []\nranks: [a/n0, b/n0, n0/p1]\n"));
}

/* ---- loopback ---- */

static void check_loopback(uint32_t rank_count)
{
    struct weft_topology *topology = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_topology_loopback(rank_count, &topology, &error), WEFT_OK, "%s", error.text);
    cr_assert_eq(topology->host_count, 1u);
    cr_assert_str_eq(topology->hosts[0].name, "local");
    cr_assert_null(topology->hosts[0].agent);
    cr_assert_eq(topology->hosts[0].nic_count, rank_count);
    cr_assert_eq(topology->rank_count, rank_count);
    uint32_t before = 0;
    for (uint32_t rank = 0; rank < rank_count; rank++) {
        const struct weft_nic *nic = &topology->nics[topology->rank_nics[rank]];
        cr_assert_eq(topology->rank_nics[rank], rank);
        cr_assert_str_eq(nic->device, "loopback");
        const uint8_t *bytes = nic->address.bytes;
        uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                           (uint32_t)bytes[2] << 8 | bytes[3];
        cr_assert_eq(nic->address.prefix_bits, 15);
        cr_assert_eq(address >> 17, (198u << 8 | 18u) >> 1, "rank %u left the network", rank);
        cr_assert(bytes[3] != 0 && bytes[3] != 255, "rank %u", rank);
        cr_assert_gt(address, before, "rank %u: not unique", rank);
        before = address;
    }
    weft_topology_destroy(topology);
}

Test(topology, makes_loopbacks_of_any_size)
{
    check_loopback(1);
    check_loopback(8);
    check_loopback(254);
    check_loopback(10000);
    check_loopback(WEFT_RANKS_MAX);
    struct weft_topology *topology = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_topology_loopback(0, &topology, &error), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "from 1 to 130000"), "%s", error.text);
    cr_assert_eq(weft_topology_loopback(WEFT_RANKS_MAX + 1, &topology, &error), WEFT_INVALID);
    cr_assert_null(topology);
}

/* ---- the files that come along ---- */

static char *read_whole(const char *name, size_t *ret_len_bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", TOPOLOGIES_DIRECTORY, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = malloc(1 << 20);
    *ret_len_bytes = fread(text, 1, 1 << 20, file);
    (void)fclose(file);
    return text;
}

static struct weft_topology *parse_file(const char *name)
{
    size_t len_bytes = 0;
    char *text = read_whole(name, &len_bytes);
    const struct weft_source source = {name, text, len_bytes};
    struct weft_topology *topology = NULL;
    struct weft_error error = {0};
    cr_assert_eq(weft_topology_parse(&source, &topology, &error), WEFT_OK, "%s", error.text);
    free(text);
    return topology;
}

Test(topology, parses_every_file_of_topologies)
{
    DIR *directory = opendir(TOPOLOGIES_DIRECTORY);
    cr_assert_not_null(directory);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0)
            continue;
        struct weft_topology *topology = parse_file(entry->d_name);
        cr_assert_eq(strncmp(topology->name, entry->d_name, (size_t)(dot - entry->d_name)), 0,
                     "%s is named %s", entry->d_name, topology->name);
        weft_topology_destroy(topology);
        count++;
    }
    (void)closedir(directory);
    cr_assert_geq(count, 4);
}

/* loopback.yaml says of itself that it is what runs without a topology. */
Test(topology, loopback_file_is_the_loopback)
{
    struct weft_topology *file = parse_file("loopback.yaml"), *made = NULL;
    cr_assert_eq(weft_topology_loopback(8, &made, NULL), WEFT_OK);
    cr_assert_eq(file->rank_count, 8u);
    cr_assert_str_eq(file->hosts[0].name, made->hosts[0].name);
    for (uint32_t i = 0; i < 8; i++) {
        cr_assert_str_eq(file->nics[i].name, made->nics[i].name);
        cr_assert_str_eq(file->nics[i].device, made->nics[i].device);
        cr_assert_eq(
            memcmp(&file->nics[i].address, &made->nics[i].address, sizeof(made->nics[i].address)),
            0);
    }
    weft_topology_destroy(file);
    weft_topology_destroy(made);
}

/* ---- size ---- */

Test(topology, reads_ten_thousand_hosts)
{
    char *text = NULL;
    size_t len_bytes = 0;
    FILE *stream = open_memstream(&text, &len_bytes);
    fprintf(stream, "name: large\nhosts:\n");
    for (unsigned i = 0; i < 10000; i++)
        fprintf(stream,
                "  - name: host-%u\n    agent: 10.1.%u.%u:7117\n"
                "    nics: [{name: n0, device: mlx5_0, address: 10.2.%u.%u/16}]\n",
                i, i / 250, i % 250 + 1, i / 250, i % 250 + 1);
    fprintf(stream, "switches: [{name: s0}]\nlinks:\n");
    for (unsigned i = 0; i < 10000; i++)
        fprintf(stream, "  - {between: [host-%u/n0, s0], rate: 400Gbps}\n", i);
    fprintf(stream, "ranks:\n");
    for (unsigned i = 10000; i-- > 0;)
        fprintf(stream, "  - host-%u/n0\n", i);
    (void)fclose(stream);
    struct weft_topology *topology = parse(text);
    cr_assert_eq(topology->nic_count, 10000u);
    cr_assert_eq(topology->link_count, 10000u);
    for (uint32_t rank = 0; rank < 10000; rank++)
        cr_assert_eq(topology->rank_nics[rank], 9999 - rank);
    weft_topology_destroy(topology);
    free(text);
}
