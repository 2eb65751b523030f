/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "drivers/registry.h"
#include "fabric/base/units.h"
#include "fabric/topology/topology.h"
#include "tools/weft-bench/bench.h"

static uint64_t number(const char *text)
{
    struct weft_error error = {0};
    uint64_t value = 0;
    if (weft_parse_size(text, &value, &error) != WEFT_OK)
        bench_fail("%s", error.text);
    return value;
}

static void set_option(struct bench_options *options, const char *name, const char *value)
{
    struct weft_error error = {0};
    if (!strcmp(name, "--driver")) {
        options->driver = weft_driver_find(value);
        if (!options->driver)
            bench_fail("no driver '%s'", value);
    } else if (!strcmp(name, "--device")) {
        options->devices[options->devices[0] != NULL] = value;
    } else if (!strcmp(name, "--address")) {
        if (weft_ip_parse(value, &options->addresses[options->addresses[0].version != 0], &error) !=
            WEFT_OK)
            bench_fail("%s", error.text);
    } else if (!strcmp(name, "--operation")) {
        options->operation =
            strcmp(value, "send") == 0 ? WEFT_OPERATION_SEND : WEFT_OPERATION_WRITE;
    } else if (!strcmp(name, "--size")) {
        options->size_bytes = (uint32_t)number(value);
    } else if (!strcmp(name, "--depth")) {
        options->depth = (uint32_t)number(value);
    } else if (!strcmp(name, "--seconds")) {
        options->seconds = (uint32_t)number(value);
    } else if (!strcmp(name, "--mtu")) {
        options->mtu_bytes = (uint32_t)number(value);
    } else if (!strcmp(name, "--passive-peer")) {
        options->passive_peer = strcmp(value, "yes") == 0;
    } else if (!strcmp(name, "--peer")) {
        options->peer = value;
    } else if (!strcmp(name, "--peer-mac")) {
        options->peer_mac = value;
    } else {
        bench_fail("no option '%s'", name);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const struct bench_options *options);
    } modes[] = {
        {"pair", bench_pair},       {"pingpong", bench_pingpong},
        {"ud-send", bench_ud_send}, {"ud-receive", bench_ud_receive},
        {"memcpy", bench_memcpy},   {"handoff", bench_handoff},
    };
    struct bench_options options = {.size_bytes = 65536,
                                    .depth = 64,
                                    .seconds = 2,
                                    .driver = weft_driver_find("dpdk"),
                                    .operation = WEFT_OPERATION_WRITE};
    for (int i = 2; i + 1 < argc; i += 2)
        set_option(&options, argv[i], argv[i + 1]);
    for (size_t i = 0; argc >= 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].run(&options);
            return 0;
        }
    }
    bench_fail(
        "usage: weft-bench pair|pingpong|ud-send|ud-receive|memcpy|handoff [--option value]...");
}
