/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "drivers/dpdk/eal.h"

/* A ring of the newest bytes. DPDK may log from threads of its own. */
static struct {
    pthread_mutex_t mutex;
    FILE *stream;
    bool verbose;
    char bytes[2048];
    uint64_t written;
} eal_log = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static ssize_t log_write(void *cookie, const char *text, size_t len_bytes)
{
    (void)cookie;
    pthread_mutex_lock(&eal_log.mutex);
    for (size_t i = 0; i < len_bytes; i++)
        eal_log.bytes[eal_log.written++ % sizeof(eal_log.bytes)] = text[i];
    bool verbose = eal_log.verbose;
    pthread_mutex_unlock(&eal_log.mutex);
    if (verbose)
        (void)fwrite(text, 1, len_bytes, stderr);
    return (ssize_t)len_bytes;
}

void weft_eal_log_open(bool verbose)
{
    eal_log.verbose = verbose;
    if (eal_log.stream)
        return;
    eal_log.stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = log_write});
    if (!eal_log.stream)
        return;
    (void)setvbuf(eal_log.stream, NULL, _IOLBF, 0);
    rte_openlog_stream(eal_log.stream);
}

/* As libbpf and libxdp want it; the level is an enum of theirs, whose 0 is for warnings. */
WEFT_FORMAT(2, 0) static int print_to_log(int level, const char *format, va_list arguments)
{
    return level == 0 && eal_log.stream ? vfprintf(eal_log.stream, format, arguments) : 0;
}

/* The libraries under af_xdp print to stderr unless told otherwise. EAL has loaded them as its
 * plug-in's dependencies, or they are not there. */
static void redirect_library(const char *library, const char *setter)
{
    typedef int (*print_function)(int level, const char *format, va_list arguments);
    print_function (*set_print)(print_function) = NULL;
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (!handle)
        return;
    void *symbol = dlsym(handle, setter);
    memcpy(&set_print, &symbol, sizeof(symbol));
    if (set_print)
        (void)set_print(print_to_log);
    (void)dlclose(handle);
}

void weft_eal_log_take_libraries(void)
{
    redirect_library("libbpf.so.1", "libbpf_set_print");
    redirect_library("libxdp.so.1", "libxdp_set_print");
}

void weft_eal_log_clear(void)
{
    pthread_mutex_lock(&eal_log.mutex);
    eal_log.written = 0;
    pthread_mutex_unlock(&eal_log.mutex);
}

char *weft_eal_log_text(char *text, size_t size_bytes)
{
    pthread_mutex_lock(&eal_log.mutex);
    uint64_t kept = eal_log.written;
    if (kept > sizeof(eal_log.bytes))
        kept = sizeof(eal_log.bytes);
    /* One separator takes two bytes where the newline took one. */
    if (kept > (size_bytes - 1) * 3 / 4)
        kept = (size_bytes - 1) * 3 / 4;
    size_t used = 0;
    for (uint64_t i = eal_log.written - kept; i < eal_log.written && used + 3 < size_bytes; i++) {
        char byte = eal_log.bytes[i % sizeof(eal_log.bytes)];
        bool last = i + 1 == eal_log.written;
        if (byte != '\n')
            text[used++] = byte;
        else if (used && !last) {
            text[used++] = ';';
            text[used++] = ' ';
        }
    }
    text[used] = '\0';
    pthread_mutex_unlock(&eal_log.mutex);
    return text;
}
