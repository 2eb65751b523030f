/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_DIGITS ((size_t)2 * WEFT_KEY_BYTES)

static enum weft_status write_all(int file, const char *text, size_t len_bytes)
{
    while (len_bytes) {
        ssize_t written = write(file, text, len_bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return WEFT_IO;
        text += written;
        len_bytes -= (size_t)written;
    }
    return WEFT_OK;
}

static enum weft_status create_file(const char *path, int *ret_file, struct weft_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
        return weft_error_set(error, WEFT_EXISTS,
                              "%s already exists and was not changed; give another name, or remove "
                              "the file if no agent uses it",
                              path);
    if (file < 0)
        return weft_error_set(error, WEFT_IO, "cannot create %s: %s", path, strerror(errno));
    *ret_file = file;
    return WEFT_OK;
}

enum weft_status weft_key_generate(const char *path, struct weft_error *error)
{
    struct weft_key key;
    if (RAND_bytes(key.bytes, WEFT_KEY_BYTES) != 1)
        return weft_error_set(error, WEFT_IO, "OpenSSL has no random bytes for a key");
    char text[HEX_DIGITS + 1];
    for (size_t i = 0; i < WEFT_KEY_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[key.bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[key.bytes[i] & 15];
    }
    text[HEX_DIGITS] = '\n';
    OPENSSL_cleanse(&key, sizeof(key));

    int file = -1;
    enum weft_status status = create_file(path, &file, error);
    if (status == WEFT_OK) {
        status = write_all(file, text, sizeof(text));
        int saved = errno;
        if (close(file) && status == WEFT_OK) {
            saved = errno;
            status = WEFT_IO;
        }
        if (status != WEFT_OK) {
            (void)unlink(path);
            status = weft_error_set(error, WEFT_IO, "cannot write %s: %s", path, strerror(saved));
        }
    }
    OPENSSL_cleanse(text, sizeof(text));
    return status;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static enum weft_status check_access(int file, const char *path, struct weft_error *error)
{
    struct stat about;
    if (fstat(file, &about))
        return weft_error_set(error, WEFT_IO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return weft_error_set(error, WEFT_INVALID, "%s is not a file; make one with weft keygen",
                              path);
    if (about.st_mode & 077)
        return weft_error_set(error, WEFT_PERMISSION,
                              "users other than its owner can read the key in %s (mode %04o); run "
                              "chmod 600 %s, or make a new key if others may have seen it",
                              path, (unsigned)about.st_mode & 07777u, path);
    return WEFT_OK;
}

/* One byte more than a key with its newline, so that a longer file is seen as such. */
static enum weft_status read_text(int file, const char *path, char text[HEX_DIGITS + 2],
                                  size_t *ret_len_bytes, struct weft_error *error)
{
    size_t len_bytes = 0;
    while (len_bytes < HEX_DIGITS + 2) {
        ssize_t got = read(file, text + len_bytes, HEX_DIGITS + 2 - len_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return weft_error_set(error, WEFT_IO, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        len_bytes += (size_t)got;
    }
    *ret_len_bytes = len_bytes;
    return WEFT_OK;
}

static enum weft_status decode(const char *text, size_t len_bytes, const char *path,
                               struct weft_key *ret_key, struct weft_error *error)
{
    bool whole =
        len_bytes == HEX_DIGITS || (len_bytes == HEX_DIGITS + 1 && text[HEX_DIGITS] == '\n');
    struct weft_key key;
    for (size_t i = 0; whole && i < WEFT_KEY_BYTES; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        whole = high >= 0 && low >= 0;
        key.bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (!whole)
        return weft_error_set(error, WEFT_INVALID,
                              "%s holds no key: %zu hex digits and a newline are expected; make "
                              "one with weft keygen FILE and give every agent a copy",
                              path, HEX_DIGITS);
    *ret_key = key;
    OPENSSL_cleanse(&key, sizeof(key));
    return WEFT_OK;
}

enum weft_status weft_key_read(const char *path, struct weft_key *ret_key, struct weft_error *error)
{
    /* Nonblocking, so that a FIFO given by mistake is refused rather than waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return weft_error_set(error, errno == ENOENT ? WEFT_NOT_FOUND : WEFT_IO,
                              "cannot open the key %s: %s%s", path, strerror(errno),
                              errno == ENOENT ? "; make one with weft keygen FILE" : "");
    char text[HEX_DIGITS + 2];
    size_t len_bytes = 0;
    enum weft_status status = check_access(file, path, error);
    if (status == WEFT_OK)
        status = read_text(file, path, text, &len_bytes, error);
    if (status == WEFT_OK)
        status = decode(text, len_bytes, path, ret_key, error);
    OPENSSL_cleanse(text, sizeof(text));
    (void)close(file);
    return status;
}
