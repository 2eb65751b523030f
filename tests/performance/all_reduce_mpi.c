/* SPDX-License-Identifier: BSD-3-Clause */
/* What tools/bench holds all-reduce against: MPI_Allreduce of floats, in place, as weft's is.
 *
 *     mpicc -O3 all_reduce_mpi.c && mpirun -n RANKS ./a.out BYTES SECONDS
 *
 * Prints one line of JSON. An iteration begins at a barrier and takes as long as its slowest rank;
 * busbw is nccl-tests' and weft's: bytes over the mean time of an iteration, times 2 (n - 1) / n.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WARMUP = 3,
    ITERATIONS_MIN = 5,
    ITERATIONS_MAX = 100000,
    NAME_BYTES = 64
};

struct taken {
    int iterations;
    double sum_s;
    double least_s;
};

static double iterate(float *vector, int count)
{
    double slowest_s = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    double start_s = MPI_Wtime();
    MPI_Allreduce(MPI_IN_PLACE, vector, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    double own_s = MPI_Wtime() - start_s;
    MPI_Allreduce(&own_s, &slowest_s, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return slowest_s;
}

/* Whole numbers, and small: their sums are exact in any order. */
static int sums_are_right(float *vector, int count, int rank, int ranks)
{
    int right = 1, all_right = 0;
    for (int i = 0; i < count; i++)
        vector[i] = (float)((rank + 1) * (i % 7));
    (void)iterate(vector, count);
    for (int i = 0; i < count; i++)
        right &= (int)vector[i] == ranks * (ranks + 1) / 2 * (i % 7);
    MPI_Allreduce(&right, &all_right, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return all_right;
}

/* All ranks see the same times, so they end together. The vector is cleared first: summed in place
 * again and again, anything else would become infinite. */
static struct taken measure(float *vector, int count, double seconds)
{
    struct taken taken = {.least_s = 1e9};
    for (int i = 0; i < count; i++)
        vector[i] = 0;
    for (int i = 0; i < WARMUP; i++)
        (void)iterate(vector, count);
    while (taken.iterations < ITERATIONS_MAX &&
           (taken.iterations < ITERATIONS_MIN || taken.sum_s < seconds)) {
        double slowest_s = iterate(vector, count);
        taken.sum_s += slowest_s;
        taken.least_s = slowest_s < taken.least_s ? slowest_s : taken.least_s;
        taken.iterations++;
    }
    return taken;
}

/* How two processes hand over a large message: Open MPI's shared memory transport copies once where
 * the kernel lets it (cma, xpmem, knem), else twice. It notes here what it found. */
static void single_copy(char name[NAME_BYTES])
{
    MPI_T_cvar_handle handle;
    MPI_T_enum names = MPI_T_ENUM_NULL;
    int provided = 0, index = 0, count = 0, value = 0, verbosity = 0, bind = 0, scope = 0;
    int length = 0;
    MPI_Datatype type = MPI_DATATYPE_NULL;
    (void)snprintf(name, NAME_BYTES, "unknown");
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS ||
        MPI_T_cvar_get_index("btl_vader_single_copy_mechanism", &index) != MPI_SUCCESS ||
        MPI_T_cvar_get_info(index, NULL, &length, &verbosity, &type, &names, NULL, &length, &bind,
                            &scope) != MPI_SUCCESS ||
        names == MPI_T_ENUM_NULL || MPI_T_cvar_handle_alloc(index, NULL, &handle, &count))
        return;
    int items = 0, item_value = 0;
    char item[NAME_BYTES];
    (void)MPI_T_cvar_read(handle, &value);
    length = 0;
    (void)MPI_T_enum_get_info(names, &items, NULL, &length);
    for (int i = 0; i < items; i++) {
        length = NAME_BYTES;
        if (MPI_T_enum_get_item(names, i, &item_value, item, &length) == MPI_SUCCESS &&
            item_value == value)
            (void)snprintf(name, NAME_BYTES, "%s", item);
    }
    (void)MPI_T_cvar_handle_free(&handle);
}

static int run(long len_bytes, double seconds)
{
    int rank = 0, ranks = 0;
    char mechanism[NAME_BYTES];
    int count = (int)(len_bytes / (long)sizeof(float));
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    float *vector = malloc((size_t)count * sizeof(*vector));
    if (!vector) {
        fprintf(stderr, "all_reduce_mpi: out of memory for %ld bytes\n", len_bytes);
        MPI_Abort(MPI_COMM_WORLD, 1);
        return 1;
    }
    int right = sums_are_right(vector, count, rank, ranks);
    struct taken taken = {0};
    if (right)
        taken = measure(vector, count, seconds);
    free(vector);
    single_copy(mechanism);
    if (rank)
        return !right;
    if (!right) {
        fputs("all_reduce_mpi: MPI_Allreduce gave a wrong sum\n", stderr);
        return 1;
    }
    double mean_s = taken.sum_s / taken.iterations;
    printf("{\"ranks\": %d, \"iterations\": %d, \"mean_s\": %.9f, \"min_s\": %.9f, "
           "\"busbw_bps\": %.0f, \"single_copy\": \"%s\"}\n",
           ranks, taken.iterations, mean_s, taken.least_s,
           8.0 * (double)len_bytes / mean_s * 2 * (ranks - 1) / ranks, mechanism);
    return 0;
}

int main(int count, char **arguments)
{
    MPI_Init(&count, &arguments);
    long len_bytes = count == 3 ? atol(arguments[1]) : 0;
    double seconds = count == 3 ? atof(arguments[2]) : 0;
    int failed = 1;
    if (len_bytes >= (long)sizeof(float) && len_bytes <= 1L << 31 && seconds > 0)
        failed = run(len_bytes, seconds);
    else
        fputs("usage: all_reduce_mpi BYTES SECONDS\n", stderr);
    MPI_Finalize();
    return failed;
}
