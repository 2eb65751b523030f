/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CALIBRATION_SAMPLES 64u
#define NOISE_WINDOW_NS 10000000u

static uint64_t system_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC_RAW, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static struct weft_clock_sample sample(void)
{
    struct weft_clock_sample both;
    both.ticks_before = weft_ticks();
    both.system_ns = system_ns();
    both.ticks_after = weft_ticks();
    return both;
}

/* The tightest of several: the one that nothing interrupted. */
static struct weft_clock_sample tight_sample(void)
{
    struct weft_clock_sample best = sample();
    for (int i = 0; i < 31; i++) {
        struct weft_clock_sample next = sample();
        if (next.ticks_after - next.ticks_before < best.ticks_after - best.ticks_before)
            best = next;
    }
    return best;
}

enum weft_status weft_environment_calibrate(struct weft_clock *ret_clock, struct weft_error *error)
{
    struct weft_clock_sample samples[CALIBRATION_SAMPLES];
    for (uint32_t i = 0; i < CALIBRATION_SAMPLES / 2; i++)
        samples[i] = sample();
    const struct timespec gap = {.tv_nsec = 20000000};
    nanosleep(&gap, NULL);
    for (uint32_t i = CALIBRATION_SAMPLES / 2; i < CALIBRATION_SAMPLES; i++)
        samples[i] = sample();
    return weft_clock_calibrate(samples, CALIBRATION_SAMPLES, ret_clock, error);
}

int64_t weft_environment_drift_ppb(const struct weft_clock *clock)
{
    struct weft_clock_sample now = tight_sample();
    return weft_clock_drift_ppb(clock, &now);
}

uint64_t weft_environment_utc_offset_ns(const struct weft_clock *clock)
{
    struct timespec utc;
    clock_gettime(CLOCK_REALTIME, &utc);
    return (uint64_t)utc.tv_sec * 1000000000u + (uint64_t)utc.tv_nsec - weft_now(clock);
}

static void read_cpu_model(char *text, size_t room)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    (void)snprintf(text, room, "unknown");
    while (file && fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        (void)snprintf(text, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file)
        (void)fclose(file);
}

static uint64_t clock_cost_ns(const struct weft_clock *clock)
{
    enum {
        READINGS = 1000
    };
    uint64_t before = weft_now(clock);
    uint64_t last = before;
    for (int i = 0; i < READINGS; i++)
        last = weft_now(clock);
    uint64_t cost_ns = (last - before + READINGS / 2) / READINGS;
    return cost_ns ? cost_ns : 1;
}

void weft_environment_describe(const struct weft_clock *clock, struct weft_host_environment *ret)
{
    struct utsname names;
    if (uname(&names) == 0) {
        (void)snprintf(ret->host, sizeof(ret->host), "%.*s", (int)sizeof(ret->host) - 1,
                       names.nodename);
        (void)snprintf(ret->kernel, sizeof(ret->kernel), "%.20s %.70s", names.sysname,
                       names.release);
    }
    read_cpu_model(ret->cpu, sizeof(ret->cpu));
    (void)snprintf(ret->version, sizeof(ret->version), "%s", WEFT_VERSION);
#if defined(__x86_64__)
    (void)snprintf(ret->clock_source, sizeof(ret->clock_source), "tsc");
#else
    (void)snprintf(ret->clock_source, sizeof(ret->clock_source), "cntvct");
#endif
    ret->clock_resolution_ns = clock_cost_ns(clock);
}

static void fill_with_gaps(const struct weft_clock *clock, struct weft_hist *hist)
{
    uint64_t start_ns = weft_now(clock);
    uint64_t last_ns = start_ns;
    while (last_ns - start_ns < NOISE_WINDOW_NS) {
        uint64_t now_ns = weft_now(clock);
        weft_hist_record(hist, now_ns - last_ns);
        last_ns = now_ns;
    }
}

static uint64_t percentile_or_zero(const struct weft_hist *hist, uint32_t millionths)
{
    uint64_t value = 0;
    (void)weft_hist_percentile(hist, millionths, &value);
    return value;
}

/* A turn is one reading and one record: what it costs beyond the reading is the record's. That is
 * the median of the turns; the gaps are weighed by their length afterwards, outside the turns. */
void weft_environment_measure_noise(const struct weft_clock *clock,
                                    struct weft_host_environment *ret)
{
    struct weft_hist *gaps = weft_hist_create();
    struct weft_hist *weighed = weft_hist_create();
    if (gaps && weighed) {
        fill_with_gaps(clock, gaps);
        weft_hist_merge_weighed(weighed, gaps);
        uint64_t floor_ns = percentile_or_zero(weighed, 999000);
        uint64_t turn_ns = percentile_or_zero(gaps, 500000);
        if (floor_ns > ret->noise_floor_ns)
            ret->noise_floor_ns = floor_ns;
        if (turn_ns > ret->clock_resolution_ns + ret->record_cost_ns)
            ret->record_cost_ns = turn_ns - ret->clock_resolution_ns;
    }
    weft_hist_destroy(weighed);
    weft_hist_destroy(gaps);
}
