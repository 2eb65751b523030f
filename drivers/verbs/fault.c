/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel's errno means here, and what to do about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drivers/verbs/internal.h"

/* CAP_IPC_LOCK lifts the limit: bit 14 of the effective capabilities. */
static bool may_lock_any(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (!file)
        return false;
    char line[256];
    uint64_t capabilities = 0;
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1)
            break;
    }
    (void)fclose(file);
    return capabilities >> 14 & 1;
}

bool weft_verbs_memory_is_limited(uint64_t *ret_limit_bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || may_lock_any())
        return false;
    *ret_limit_bytes = limit.rlim_cur;
    return true;
}

static enum weft_status status_of(int number)
{
    switch (number) {
    case ENOMEM:
        return WEFT_NO_MEMORY;
    case EACCES:
    case EPERM:
        return WEFT_PERMISSION;
    case EINVAL:
        return WEFT_INVALID;
    case EOPNOTSUPP:
    case ENOSYS:
        return WEFT_UNSUPPORTED;
    case ETIMEDOUT:
        return WEFT_TIMEOUT;
    default:
        return WEFT_IO;
    }
}

enum weft_status weft_verbs_errno_error(struct weft_error *error, int number, const char *format,
                                        ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    enum weft_status status = status_of(number);
    uint64_t limit_bytes;
    /* A device file refuses with EACCES, the limit with one of these. */
    if ((number == ENOMEM || number == EPERM) && weft_verbs_memory_is_limited(&limit_bytes))
        return weft_error_set(error, status,
                              "%s: %s; RDMA memory is locked, and this process may lock %" PRIu64
                              " KiB (RLIMIT_MEMLOCK): raise it with `ulimit -l unlimited`, a "
                              "memlock line in /etc/security/limits.conf, or LimitMEMLOCK=infinity "
                              "in a systemd unit",
                              what, strerror(number), limit_bytes / 1024);
    return weft_error_set(error, status, "%s: %s", what, strerror(number));
}

struct ibv_context *weft_verbs_context_open(struct ibv_device *device, struct weft_error *error)
{
    struct ibv_context *context = ibv_open_device(device);
    if (context)
        return context;
    int number = errno;
    char path[128];
    /* libibverbs goes on to look elsewhere, and its errno tells of that. */
    (void)snprintf(path, sizeof(path), "/dev/infiniband/%s", device->dev_name);
    if (access(path, R_OK | W_OK) != 0)
        number = errno;
    (void)weft_verbs_errno_error(error, number,
                                 "opening %s, which must be there and be readable and writable for "
                                 "this user (in a container: --device=/dev/infiniband)",
                                 path);
    return NULL;
}
