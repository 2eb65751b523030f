/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent's process holds the listening socket. Each controller is served by a child of its own:
 * DPDK starts once a process, and whatever a run leaves behind ends with the child. */
#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/weft/commands/commands.h"
#include "tools/weft/commands/worker_options.h"
#include "tools/weft/machine/signals.h"
#include "tools/weft/net/listener.h"
#include "tools/weft/service/serve.h"
#include "tools/weft/terminal/output.h"

struct agent_options {
    const char *listen, *key;
    bool once;
    struct weft_texts allowed;
    struct weft_runtime_choice runtime;
};

static int serve(const struct weft_serve_options *options)
{
    struct weft_error error = {0};
    enum weft_status status = weft_serve(options, &error);
    if (status == WEFT_OK || status == WEFT_AGAIN)
        return WEFT_EXIT_DONE;
    weft_output_error(&error);
    return WEFT_EXIT_BROKEN;
}

/* ---- the child for each controller ---- */

static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t child;

static void pass_on(int number)
{
    (void)number;
    int saved = errno;
    stop_asked = 1;
    if (child > 0)
        (void)kill(child, SIGTERM);
    errno = saved;
}

static void catch_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    (void)sigemptyset(&action.sa_mask);
    int numbers[WEFT_STOP_SIGNALS];
    uint32_t count = weft_signals_stop(numbers);
    for (uint32_t i = 0; i < count; i++)
        (void)sigaction(numbers[i], &action, NULL);
}

/* In the child; does not return. */
static void be_child(const struct weft_serve_options *options, pid_t parent, const sigset_t *mask)
{
    catch_signals(SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        exit(WEFT_EXIT_DONE); /* it died before it could have been noticed */
    exit(serve(options));
}

/* Signals are held back until the child's number is known to their handler. */
static pid_t start_child(const struct weft_serve_options *options)
{
    sigset_t held, before;
    pid_t parent = getpid();
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, &before);
    (void)fflush(NULL);
    pid_t started = stop_asked ? 0 : fork();
    if (started == 0 && !stop_asked)
        be_child(options, parent, &before);
    child = (sig_atomic_t)started;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return started;
}

static int wait_for(pid_t started)
{
    int status = 0;
    while (waitpid(started, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    return status;
}

/* True: serve the next controller. */
static bool go_on(int status, time_t started)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == WEFT_EXIT_DONE;
    weft_output_note("the process that served the controller died of signal %d (%s)",
                     WTERMSIG(status), strsignal(WTERMSIG(status)));
    /* One that dies at once would otherwise be started without end. */
    if (time(NULL) - started < 1)
        (void)sleep(1);
    return true;
}

static int supervise(const struct weft_serve_options *options)
{
    catch_signals(pass_on);
    for (;;) {
        time_t began = time(NULL);
        pid_t started = start_child(options);
        if (started < 0) {
            struct weft_error error = {0};
            weft_error_set(&error, WEFT_IO, "cannot start a process: %s", strerror(errno));
            weft_output_error(&error);
            return WEFT_EXIT_BROKEN;
        }
        if (started == 0)
            return WEFT_EXIT_DONE;
        int status = wait_for(started);
        if (stop_asked)
            return WEFT_EXIT_DONE;
        if (!go_on(status, began))
            return WEXITSTATUS(status);
    }
}

/* ---- the command ---- */

static enum weft_status prepare(const struct agent_options *options, struct weft_key *key,
                                struct weft_serve_options *ret_serve, struct weft_error *error)
{
    struct weft_address address;
    if (!options->listen || !options->key)
        return weft_error_set(
            error, WEFT_INVALID,
            "weft agent needs --listen ADDRESS and --key FILE; make a key with weft keygen FILE");
    enum weft_status status = weft_runtime_choose(&options->runtime, &ret_serve->runtime, error);
    ret_serve->runtime.allow = (struct weft_allow){
        .by_owner = true, .patterns = options->allowed.items, .count = options->allowed.count};
    if (status == WEFT_OK)
        status = weft_address_parse(options->listen, &address, error);
    if (status == WEFT_OK)
        status = weft_key_read(options->key, key, error);
    if (status == WEFT_OK)
        status = weft_listener_socket(&address, &ret_serve->socket, error);
    return status;
}

static int run(int argc, char **argv)
{
    struct agent_options options = {0};
    struct weft_arguments arguments;
    struct weft_key key = {0};
    struct weft_serve_options served = {.key = &key};
    struct weft_error error = {0};
    int exit_status = 0;
    if (!weft_options_take(&weft_command_agent, argc, argv, &options, &arguments, &exit_status))
        return exit_status;
    if (prepare(&options, &key, &served, &error) != WEFT_OK) {
        weft_output_error(&error);
        return WEFT_EXIT_BAD_INPUT;
    }
    char address[WEFT_ADDRESS_TEXT];
    weft_listener_address(served.socket, address);
    printf("listening on %s\n", address);
    (void)fflush(stdout);
    if (options.once) {
        exit_status = serve(&served);
    } else {
        exit_status = supervise(&served);
        (void)close(served.socket);
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return exit_status;
}

#define FIELD(name) offsetof(struct agent_options, name)

static const struct weft_option table[] = {
    {"listen", "ADDR[:PORT]",
     "address that controllers connect to, such as 10.0.0.1:7117 (default port 7117)",
     WEFT_OPTION_TEXT, FIELD(listen), 0, 0},
    {"key", "FILE", "the key that controllers must have (weft keygen)", WEFT_OPTION_TEXT,
     FIELD(key), 0, 0},
    {"allow-device", "PATTERN",
     "a device that controllers may use, such as 'mlx5_*'; may be given again (default: all but "
     "net_tap)",
     WEFT_OPTION_TEXTS, FIELD(allowed), 0, 0},
    {"once", NULL, "serve one controller, then end", WEFT_OPTION_FLAG, FIELD(once), 0, 0},
    WEFT_RUNTIME_OPTION_ROWS(FIELD(runtime)),
    {0},
};

static const struct weft_option *const tables[] = {table, NULL};

const struct weft_command weft_command_agent = {
    .name = "agent",
    .usage = "--listen ADDR --key FILE",
    .summary = "waits for controllers and runs ranks for them, one controller at a time",
    .text = "Start one on each host that has an 'agent' address in the topology. Anyone who has "
            "the\nkey can use this host's NICs through it: listen on an address of the control "
            "network.",
    .tables = tables,
    .run = run,
};
