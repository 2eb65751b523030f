/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device itself counts, from the files of its port in sysfs. They count the whole port, so
 * other programs' traffic too, each maker names them in his own way, and the kernel reads them from
 * the device anew only where they are older than its `lifespan` (10 ms or so): they lag. */
#ifndef WEFT_DRIVERS_VERBS_COUNTERS_H
#define WEFT_DRIVERS_VERBS_COUNTERS_H

#include "fabric/driver.h"

/* At most this many files are known. */
#define WEFT_VERBS_COUNTER_FILES 48

struct weft_verbs_counters {
    char port[256];                         /* the port's directory */
    int64_t base[WEFT_VERBS_COUNTER_FILES]; /* at open; -1: no such file */
    struct weft_device_counters snapshot;   /* what the caller reads */
    uint64_t sent_bytes, received_bytes;    /* payload, by completions */
};

/* Looks which files there are under `port_directory`, and where they stand. */
void weft_verbs_counters_init(struct weft_verbs_counters *counters, const char *port_directory);

/* Reads the files once and brings the snapshot up to date. Without a file for it, bytes are the
 * payload that completions told of, and the rest is not counted. */
void weft_verbs_counters_read(struct weft_verbs_counters *counters);

#endif
