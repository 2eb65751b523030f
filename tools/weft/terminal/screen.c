/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/terminal/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fabric/base/fit.h"

#define COLUMNS_UNKNOWN 80u /* a serial line does not say */

void weft_screen_init(void)
{
    (void)setlocale(LC_CTYPE, "");
}

uint32_t weft_screen_columns(int file)
{
    struct winsize size = {0};
    if (!isatty(file))
        return 0;
    return ioctl(file, TIOCGWINSZ, &size) || !size.ws_col ? COLUMNS_UNKNOWN : size.ws_col;
}

bool weft_screen_is_ascii(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

bool weft_screen_print(const char *text)
{
    uint32_t columns = weft_screen_columns(STDOUT_FILENO);
    char *fitted = weft_text_fit(text, columns, columns && weft_screen_is_ascii());
    if (fitted)
        (void)fputs(fitted, stdout);
    free(fitted);
    return fitted;
}
