/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool weft_verbs_sysfs_text(const char *path, char *ret_text, size_t room_bytes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool got = fgets(ret_text, (int)room_bytes, file) != NULL;
    (void)fclose(file);
    if (!got)
        return false;
    ret_text[strcspn(ret_text, "\n")] = '\0';
    return true;
}

bool weft_verbs_sysfs_number(const char *path, int64_t *ret_number)
{
    char text[64];
    if (!weft_verbs_sysfs_text(path, text, sizeof(text)))
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *ret_number = number;
    return true;
}

bool weft_verbs_sysfs_link_name(const char *path, char *ret_text, size_t room_bytes)
{
    char target[WEFT_VERBS_SYSFS_PATH];
    ssize_t len_bytes = readlink(path, target, sizeof(target) - 1);
    if (len_bytes < 0)
        return false;
    target[len_bytes] = '\0';
    const char *slash = strrchr(target, '/');
    (void)snprintf(ret_text, room_bytes, "%s", slash ? slash + 1 : target);
    return true;
}

char *weft_verbs_sysfs_path(char path[WEFT_VERBS_SYSFS_PATH], const char *directory,
                            const char *owner, const char *file)
{
    int wrote = snprintf(path, WEFT_VERBS_SYSFS_PATH, "%s/%s/%s", directory, owner, file);
    if (wrote < 0 || wrote >= WEFT_VERBS_SYSFS_PATH)
        path[0] = '\0';
    return path;
}
