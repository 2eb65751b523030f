/* SPDX-License-Identifier: BSD-3-Clause */
/* Small files under /sys/class/infiniband. */
#ifndef WEFT_DRIVERS_VERBS_SYSFS_H
#define WEFT_DRIVERS_VERBS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/base/status.h"

#define WEFT_VERBS_SYSFS_INFINIBAND "/sys/class/infiniband"
#define WEFT_VERBS_SYSFS_PATH 512

/* The first line without its newline; false: cannot be read. */
bool weft_verbs_sysfs_text(const char *path, char *ret_text, size_t room_bytes);
bool weft_verbs_sysfs_number(const char *path, int64_t *ret_number);
/* The last part of where a symbolic link points. */
bool weft_verbs_sysfs_link_name(const char *path, char *ret_text, size_t room_bytes);

/* "DIRECTORY/OWNER/FILE"; empty, which no file is, where it does not fit. Returns `path`. */
char *weft_verbs_sysfs_path(char path[WEFT_VERBS_SYSFS_PATH], const char *directory,
                            const char *owner, const char *file);

#endif
