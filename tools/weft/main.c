/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fabric/base/suggest.h"
#include "tools/weft/commands/commands.h"
#include "tools/weft/terminal/output.h"
#include "tools/weft/terminal/screen.h"

static const struct weft_command *const commands[] = {
    &weft_command_run,      &weft_command_check,    &weft_command_agent,      &weft_command_devices,
    &weft_command_patterns, &weft_command_schedule, &weft_command_topologies, &weft_command_keygen,
};
#define STACK_LEAST_BYTES (UINT64_C(1) << 20)
#define FILES_LEAST 64u /* pipes and epolls of loop, workers and drivers, before a connection */
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    printf("weft %s: tests a network fabric with the traffic of AI jobs\n\n", WEFT_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "weft %s %s", commands[i]->name, commands[i]->usage);
        printf("  %-39s %s\n", left, commands[i]->summary);
    }
    printf("\nTry 'weft run all-reduce': it needs no hardware, no root and no file.\n"
           "'weft COMMAND --help' lists a command's options.\n"
           "Exit status: 0 done and as expected, 1 an expectation failed, 2 bad input, 3 the run "
           "broke.\n");
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {0};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    const char *near = weft_suggest(name, names);
    struct weft_error error = {0};
    if (near)
        weft_error_set(&error, WEFT_INVALID, "there is no command '%.80s'; did you mean 'weft %s'?",
                       name, near);
    else
        weft_error_set(&error, WEFT_INVALID,
                       "there is no command '%.80s'; weft --help lists all commands", name);
    weft_output_error(&error);
    return WEFT_EXIT_BAD_INPUT;
}

/* A file opened later must not become what is printed to, and libuv counts on it that none does. */
static void open_standard_files(void)
{
    int file = 0;
    while (file >= 0 && file <= STDERR_FILENO)
        file = open("/dev/null", O_RDWR); /* stays open where it takes a place */
    if (file >= 0)
        (void)close(file);
}

/* Libraries that run out of either end the process by a signal or without a word. */
static enum weft_status check_limits(struct weft_error *error)
{
    struct rlimit stack, files;
    if (!getrlimit(RLIMIT_STACK, &stack) && stack.rlim_cur < STACK_LEAST_BYTES)
        return weft_error_set(
            error, WEFT_INVALID,
            "the stack is limited to %llu KiB, and weft needs %llu: raise it with "
            "ulimit -s 8192",
            (unsigned long long)stack.rlim_cur / 1024,
            (unsigned long long)STACK_LEAST_BYTES / 1024);
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_LEAST)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "only %llu files may be open at once, and weft needs %u: raise it with "
                          "ulimit -n 1024",
                          (unsigned long long)files.rlim_cur, FILES_LEAST);
}

static int run_command(const char *name, int argc, char **argv)
{
    struct weft_error error = {0};
    if (check_limits(&error) != WEFT_OK) {
        weft_output_error(&error);
        return WEFT_EXIT_BAD_INPUT;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i]->run(argc, argv);
    }
    return unknown_command(name);
}

int main(int argc, char **argv)
{
    open_standard_files();
    weft_screen_init();
    /* A peer or a pager that has gone is an error of its write, not the end of the program. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help();
        (void)weft_output_end(WEFT_EXIT_DONE);
        return WEFT_EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("weft %s\n", WEFT_VERSION);
        return weft_output_end(WEFT_EXIT_DONE);
    }
    if (strcmp(argv[1], "help") == 0 && argc > 2) {
        char help[] = "--help";
        char *asked[] = {help, NULL};
        return run_command(argv[2], 1, asked);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return weft_output_end(WEFT_EXIT_DONE);
    }
    return run_command(argv[1], argc - 2, argv + 2);
}
