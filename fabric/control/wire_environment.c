/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

void weft_wire_environment_write(const struct weft_host_environment *environment,
                                 struct weft_wire_environment *ret_out)
{
    struct weft_host_environment *copy = &ret_out->copy;
    *copy = *environment;
    weft_wire_text_clean(copy->host);
    weft_wire_text_clean(copy->cpu);
    weft_wire_text_clean(copy->kernel);
    weft_wire_text_clean(copy->version);
    weft_wire_text_clean(copy->clock_source);
    weft__environment__init(&ret_out->message);
    ret_out->message.host = copy->host;
    ret_out->message.cpu = copy->cpu;
    ret_out->message.kernel = copy->kernel;
    ret_out->message.version = copy->version;
    ret_out->message.clock_source = copy->clock_source;
    ret_out->message.clock_drift_ppb = copy->clock_drift_ppb;
    ret_out->message.clock_resolution_ns = copy->clock_resolution_ns;
    ret_out->message.noise_floor_ns = copy->noise_floor_ns;
    ret_out->message.record_cost_ns = copy->record_cost_ns;
}

enum weft_status weft_wire_environment_read(const Weft__Environment *message,
                                            struct weft_host_environment *ret,
                                            struct weft_error *error)
{
    struct weft_host_environment read = {0};
    const struct {
        const char *field, *text;
        char *into;
        size_t capacity;
    } texts[] = {
        {"environment.host", message->host, read.host, sizeof(read.host)},
        {"environment.cpu", message->cpu, read.cpu, sizeof(read.cpu)},
        {"environment.kernel", message->kernel, read.kernel, sizeof(read.kernel)},
        {"environment.version", message->version, read.version, sizeof(read.version)},
        {"environment.clock_source", message->clock_source, read.clock_source,
         sizeof(read.clock_source)},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum weft_status status =
            weft_wire_copy(texts[i].field, texts[i].text, texts[i].into, texts[i].capacity, error);
        if (status)
            return status;
    }
    read.clock_drift_ppb = message->clock_drift_ppb;
    read.clock_resolution_ns = message->clock_resolution_ns;
    read.noise_floor_ns = message->noise_floor_ns;
    read.record_cost_ns = message->record_cost_ns;
    *ret = read;
    return WEFT_OK;
}
