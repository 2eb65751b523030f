/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints find each other by number, across the devices of the process. Only set-up and teardown
 * come here, on control threads; the lock is theirs. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "drivers/null/internal.h"

#define QPN_FIRST 2u /* 0 and 1 are the management queue pairs of RDMA */
#define QPN_END (1u << 24)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_endpoint **endpoints; /* by qpn */
static uint32_t room, next = QPN_FIRST, live_count, serial, device_number;

void weft_null_directory_lock(void)
{
    int failed = pthread_mutex_lock(&lock);
    assert(!failed);
}

void weft_null_directory_unlock(void)
{
    int failed = pthread_mutex_unlock(&lock);
    assert(!failed);
}

static bool grow(void)
{
    uint32_t larger = room ? room * 2 : 1024;
    if (larger > QPN_END)
        return false;
    struct weft_endpoint **moved = realloc(endpoints, larger * sizeof(struct weft_endpoint *));
    if (!moved)
        return false;
    for (uint32_t i = room; i < larger; i++)
        moved[i] = NULL;
    endpoints = moved;
    room = larger;
    return true;
}

bool weft_null_directory_add(struct weft_endpoint *endpoint)
{
    if (live_count + QPN_FIRST >= room && !grow())
        return false;
    while (next < QPN_FIRST || next >= room || endpoints[next])
        next = next + 1 >= room ? QPN_FIRST : next + 1;
    endpoints[next] = endpoint;
    endpoint->qpn = next++;
    endpoint->serial = ++serial & (QPN_END - 1);
    live_count++;
    return true;
}

void weft_null_directory_remove(struct weft_endpoint *endpoint)
{
    assert(endpoints[endpoint->qpn] == endpoint);
    endpoints[endpoint->qpn] = NULL;
    live_count--;
    if (live_count)
        return;
    free(endpoints);
    endpoints = NULL;
    room = 0;
    next = QPN_FIRST;
}

struct weft_endpoint *weft_null_directory_find(uint32_t qpn)
{
    return qpn < room ? endpoints[qpn] : NULL;
}

uint32_t weft_null_directory_device(void)
{
    weft_null_directory_lock();
    device_number = device_number % UINT16_MAX + 1;
    uint32_t number = device_number;
    weft_null_directory_unlock();
    return number;
}
