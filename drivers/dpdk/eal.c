/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/eal.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include "drivers/dpdk/system.h"

enum {
    ARGUMENTS_MAX = 16,
    ARGUMENT_BYTES = 512
};

struct arguments {
    int count;
    char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
};

static struct {
    _Atomic bool running;
    bool spent; /* EAL was started in this process and cannot be again */
    pthread_key_t thread_key;
} eal;

bool weft_eal_running(void)
{
    return atomic_load_explicit(&eal.running, memory_order_acquire);
}

/* Room for one more argument. */
static char *next(struct arguments *arguments)
{
    assert(arguments->count < ARGUMENTS_MAX);
    return arguments->text[arguments->count++];
}

static void add(struct arguments *arguments, const char *text)
{
    (void)snprintf(next(arguments), ARGUMENT_BYTES, "%s", text);
}

/* The main lcore floats over all CPUs that the caller may use: EAL sets the calling thread's
 * affinity to its lcore's, and its own threads take it over. */
static void add_lcores(struct arguments *arguments, const cpu_set_t *cpus)
{
    char text[ARGUMENT_BYTES - 16] = "";
    size_t used = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && used + 32 < sizeof(text); cpu++) {
        if (!CPU_ISSET(cpu, cpus))
            continue;
        size_t last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
            last++;
        (void)snprintf(text + used, sizeof(text) - used, "%s%zu-%zu", used ? "," : "", cpu, last);
        used = strlen(text);
        cpu = last;
    }
    (void)snprintf(next(arguments), ARGUMENT_BYTES, "--lcores=0@(%s)", text);
}

static void add_all(struct arguments *arguments, uint64_t memory_bytes, const cpu_set_t *cpus)
{
    add(arguments, "weft");
    (void)snprintf(next(arguments), ARGUMENT_BYTES, "--file-prefix=weft-%d", (int)getpid());
    add(arguments, "--no-telemetry");
    /* Twice what is needed: another process may be about to take some, and EAL has no second try.
     */
    if (weft_system_free_hugepage_bytes() >= 2 * memory_bytes) {
        add(arguments, "--in-memory");
    } else {
        add(arguments, "--no-huge");
        add(arguments, "--no-shconf");
        add(arguments, "-m");
        (void)snprintf(next(arguments), ARGUMENT_BYTES, "%" PRIu64, (memory_bytes >> 20) + 1);
    }
    /* PCI devices are attached by name later on. An allow list of nothing keeps EAL from taking
     * all that are bound to vfio. */
    if (weft_system_has_dpdk_pci()) {
        add(arguments, "-a");
        add(arguments, "ffff:ff:1f.7");
    } else {
        add(arguments, "--no-pci");
    }
    add_lcores(arguments, cpus);
}

/* EAL makes a folder for its files, of which it has none in these modes; gone at once, it cannot
 * stay behind after a crash. */
static void remove_runtime_folder(void)
{
    const char *folder = rte_eal_get_runtime_dir();
    if (folder && *folder)
        (void)rmdir(folder);
}

bool weft_eal_spent(void)
{
    return eal.spent;
}

static enum weft_status start_error(struct weft_error *error)
{
    char log[900];
    weft_eal_log_text(log, sizeof(log));
    const char *remedy = "";
    if (strstr(log, "reating '") && strstr(log, "ermission denied"))
        remedy = "\nset XDG_RUNTIME_DIR to a directory that you own";
    else if (strstr(log, "memory"))
        remedy = "\nfree memory, or run fewer ranks or a smaller --mtu";
    return weft_error_set(error, WEFT_IO, "DPDK did not start: %s%s%s%s%s", rte_strerror(rte_errno),
                          *log ? " (" : "", log, *log ? ")" : "", remedy);
}

/* What a thread left in mempool caches would be lost to the others. */
static void flush_caches(struct rte_mempool *pool, void *context)
{
    (void)context;
    struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());
    if (cache)
        rte_mempool_cache_flush(cache, pool);
}

static void thread_ended(void *value)
{
    (void)value;
    if (!weft_eal_running() || rte_lcore_id() == LCORE_ID_ANY)
        return;
    rte_mempool_walk(flush_caches, NULL);
    rte_thread_unregister();
}

void weft_eal_register_thread(void)
{
    static _Thread_local bool tried;
    if (tried || !weft_eal_running())
        return;
    tried = true;
    /* Without an id (there are RTE_MAX_LCORE) all works, with the pools' caches left out. */
    if (rte_thread_register() == 0)
        (void)pthread_setspecific(eal.thread_key, &eal);
}

enum weft_status weft_eal_start(const struct weft_driver_start *start, uint64_t memory_bytes,
                                struct weft_error *error)
{
    assert(!eal.spent);
    cpu_set_t cpus;
    if (pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus) != 0)
        return weft_error_set(error, WEFT_IO, "this thread's CPU affinity cannot be read");
    if (pthread_key_create(&eal.thread_key, thread_ended) != 0)
        return weft_error_set(error, WEFT_NO_MEMORY, "no thread key is left for DPDK");

    struct arguments arguments = {0};
    add_all(&arguments, memory_bytes, &cpus);
    char *list[ARGUMENTS_MAX + 1] = {0};
    for (int i = 0; i < arguments.count; i++)
        list[i] = arguments.text[i];

    weft_eal_log_open(start->verbose);
    weft_eal_log_clear();
    eal.spent = true;
    int taken = rte_eal_init(arguments.count, list);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
    remove_runtime_folder();
    if (taken < 0) {
        (void)pthread_key_delete(eal.thread_key);
        return start_error(error);
    }
    weft_eal_log_take_libraries();
    atomic_store_explicit(&eal.running, true, memory_order_release);
    return WEFT_OK;
}

/* Who has EAL's interrupt thread: asked for, held, let go. */
enum {
    INTERRUPTS_FREE = 0,
    INTERRUPTS_ASKED,
    INTERRUPTS_HELD,
    INTERRUPTS_RELEASED
};
static _Atomic int interrupts;
static const struct timespec nap = {.tv_nsec = 50000};

/* On the interrupt thread. */
static void be_held(void *unused)
{
    (void)unused;
    atomic_store(&interrupts, INTERRUPTS_HELD);
    while (atomic_load(&interrupts) != INTERRUPTS_RELEASED)
        nanosleep(&nap, NULL);
    atomic_store(&interrupts, INTERRUPTS_FREE);
}

void weft_eal_hold_interrupts(void)
{
    assert(atomic_load(&interrupts) == INTERRUPTS_FREE);
    atomic_store(&interrupts, INTERRUPTS_ASKED);
    if (rte_eal_alarm_set(1, be_held, NULL) != 0) {
        atomic_store(&interrupts, INTERRUPTS_FREE);
        return;
    }
    while (atomic_load(&interrupts) != INTERRUPTS_HELD)
        nanosleep(&nap, NULL);
}

void weft_eal_release_interrupts(void)
{
    if (atomic_load(&interrupts) != INTERRUPTS_HELD)
        return;
    atomic_store(&interrupts, INTERRUPTS_RELEASED);
    while (atomic_load(&interrupts) != INTERRUPTS_FREE)
        nanosleep(&nap, NULL);
}

void weft_eal_stop(void)
{
    if (!weft_eal_running())
        return;
    atomic_store_explicit(&eal.running, false, memory_order_release);
    (void)pthread_key_delete(eal.thread_key);
    /* Not rte_eal_cleanup: it unmaps memory that EAL's interrupt thread goes on reading, and cannot
     * end that thread. Nothing of EAL outlives the process but the folder, and EAL does not start
     * twice in one. */
    remove_runtime_folder();
}
