/* SPDX-License-Identifier: BSD-3-Clause */
/* How much a rank moves in one direction, and when: each message's bytes spread evenly over the
 * time that the message took. */
#include <stdlib.h>

#include "fabric/attribute/internal.h"

static int by_time(const void *left, const void *right)
{
    const struct weft_profile_point *a = left, *b = right;
    return a->at_ns < b->at_ns ? -1 : a->at_ns > b->at_ns;
}

void weft_profile_add(struct weft_profile *profile, double from_ns, double to_ns, double bytes)
{
    double rate = bytes / (to_ns - from_ns);
    profile->points[profile->count++] = (struct weft_profile_point){from_ns, rate, 0};
    profile->points[profile->count++] = (struct weft_profile_point){to_ns, -rate, 0};
}

/* From changes of the rate to the rate from each point on, and the bytes until it. */
void weft_profile_finish(struct weft_profile *profile)
{
    struct weft_profile_point *points = profile->points;
    double rate = 0, bytes = 0;
    qsort(points, profile->count, sizeof(*points), by_time);
    for (uint32_t i = 0; i < profile->count; i++) {
        if (i > 0)
            bytes += rate * (points[i].at_ns - points[i - 1].at_ns);
        rate += points[i].rate;
        points[i].rate = rate;
        points[i].bytes = bytes;
    }
}

static double until(const struct weft_profile *profile, double at_ns)
{
    uint32_t low = 0, high = profile->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (profile->points[middle].at_ns <= at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return 0;
    const struct weft_profile_point *before = &profile->points[low - 1];
    return before->bytes + before->rate * (at_ns - before->at_ns);
}

double weft_profile_bytes(const struct weft_profile *profile, double from_ns, double to_ns)
{
    return until(profile, to_ns) - until(profile, from_ns);
}
