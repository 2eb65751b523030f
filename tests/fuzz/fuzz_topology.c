/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a topology: parsed or refused with an error, and no more. */
#include "fabric/topology/topology.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
    const struct weft_source source = {"fuzz.yaml", (const char *)data, len_bytes};
    struct weft_error error = {0};
    struct weft_topology *topology = NULL;
    enum weft_status status = weft_topology_parse(&source, &topology, &error);
    assert((status == WEFT_OK) == (topology != NULL));
    assert((status == WEFT_OK) == (error.text[0] == '\0'));
    weft_topology_destroy(topology);
    return 0;
}
