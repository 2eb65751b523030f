/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/weft/net/key.h"

static char folder[] = "weft-key-XXXXXX";
static char path[64];

static void make_folder(void)
{
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/key", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    cr_expect(rmdir(folder) == 0);
}

TestSuite(key, .init = make_folder, .fini = remove_folder);

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    cr_assert(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert(fclose(file) == 0);
    cr_assert(chmod(path, mode) == 0);
}

static const char good[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n";

Test(key, read__decodes_hex)
{
    write_file(good, 0600);
    struct weft_key key;
    struct weft_error error = {0};
    cr_assert(weft_key_read(path, &key, &error) == WEFT_OK, "%s", error.text);
    for (uint32_t i = 0; i < WEFT_KEY_BYTES; i++)
        cr_expect(key.bytes[i] == i);
}

Test(key, generate__reads_back_and_is_private)
{
    umask(0);
    struct weft_error error = {0};
    cr_assert(weft_key_generate(path, &error) == WEFT_OK, "%s", error.text);
    struct stat about;
    cr_assert(stat(path, &about) == 0);
    cr_expect((about.st_mode & 07777) == 0600);

    struct weft_key first, second;
    cr_assert(weft_key_read(path, &first, &error) == WEFT_OK, "%s", error.text);
    cr_assert(unlink(path) == 0);
    cr_assert(weft_key_generate(path, &error) == WEFT_OK);
    cr_assert(weft_key_read(path, &second, &error) == WEFT_OK);
    cr_expect(memcmp(&first, &second, sizeof(first)) != 0, "each key is new");
}

Test(key, generate__leaves_an_existing_file)
{
    write_file("mine", 0600);
    struct weft_error error = {0};
    cr_expect(weft_key_generate(path, &error) == WEFT_EXISTS);
    cr_expect(strstr(error.text, path), "%s", error.text);
    struct stat about;
    cr_assert(stat(path, &about) == 0);
    cr_expect(about.st_size == 4);
}

Test(key, read__refuses_what_others_can_read)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0666};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        write_file(good, modes[i]);
        struct weft_key key;
        struct weft_error error = {0};
        cr_expect(weft_key_read(path, &key, &error) == WEFT_PERMISSION, "mode %o", modes[i]);
        cr_expect(strstr(error.text, "chmod 600"), "%s", error.text);
    }
}

Test(key, read__refuses_malformed)
{
    static const char *const bad[] = {
        "",
        "\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_file(bad[i], 0600);
        struct weft_key key;
        struct weft_error error = {0};
        cr_expect(weft_key_read(path, &key, &error) == WEFT_INVALID, "case %zu", i);
        cr_expect(strstr(error.text, "weft keygen"), "%s", error.text);
    }
}

Test(key, read__missing_file_and_folder)
{
    struct weft_key key;
    struct weft_error error = {0};
    cr_expect(weft_key_read(path, &key, &error) == WEFT_NOT_FOUND);
    cr_expect(strstr(error.text, "weft keygen"), "%s", error.text);
    cr_assert(chmod(folder, 0700) == 0);
    cr_expect(weft_key_read(folder, &key, &error) == WEFT_INVALID, "%s", error.text);
}
