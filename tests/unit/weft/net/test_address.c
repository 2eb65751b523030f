/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "tools/weft/net/address.h"

static void check_good(const char *text, const char *host, const char *port)
{
    struct weft_address address;
    struct weft_error error = {0};
    cr_assert(weft_address_parse(text, &address, &error) == WEFT_OK, "%s: %s", text, error.text);
    cr_expect(strcmp(address.host, host) == 0, "%s", address.host);
    cr_expect(strcmp(address.port, port) == 0, "%s", address.port);
}

Test(address, parse__forms)
{
    check_good("10.0.0.1:7200", "10.0.0.1", "7200");
    check_good("10.0.0.1", "10.0.0.1", "7117");
    check_good("node7", "node7", "7117");
    check_good("node7:0", "node7", "0");
    check_good("[2001:db8::1]:7200", "2001:db8::1", "7200");
    check_good("[::1]", "::1", "7117");
    check_good("2001:db8::1", "2001:db8::1", "7117");
}

Test(address, parse__refuses)
{
    static const char *const bad[] = {"",        ":7117",     "host:", "host:port", "host:70000",
                                      "host:-1", "[::1]7117", "[::1",  "a b",       "host:7117x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct weft_address address = {.host = "untouched"};
        struct weft_error error = {0};
        cr_expect(weft_address_parse(bad[i], &address, &error) == WEFT_INVALID, "'%s'", bad[i]);
        cr_expect(strstr(error.text, bad[i]) && strstr(error.text, "10.0.0.1:7117"), "%s",
                  error.text);
        cr_expect(strcmp(address.host, "untouched") == 0);
    }
}
