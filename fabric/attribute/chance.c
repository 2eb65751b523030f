/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>

#include "fabric/attribute/internal.h"

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double weft_median(double *values, size_t count)
{
    if (!count)
        return 0;
    qsort(values, count, sizeof(*values), by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The binomial's tail. */
double weft_chance_of(uint32_t wins, uint32_t all, double share, double tries)
{
    double chance = 0, ways = 1;
    for (uint32_t k = 0; k <= all; k++) {
        if (k >= wins)
            chance += ways * pow(share, k) * pow(1 - share, all - k);
        ways = ways * (all - k) / (k + 1);
    }
    return fmin(chance * tries, 1);
}
