/* SPDX-License-Identifier: BSD-3-Clause */
/* What an agent answers to a controller that is not like ours. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fabric/control/wire.h"
#include "fake_runtime.h"

static struct fake_runtime runtime;
static struct weft_agent *agent;
static struct weft_error error;
static uint64_t now_ns;

/* What the agent said last. */
static Weft__Envelope__BodyCase said;
static char said_text[WEFT_BROKEN_BYTES];
static uint32_t said_status, said_count;

static void hear(void *context, uint32_t peer, const uint8_t *frame, size_t len_bytes)
{
    Weft__Envelope *envelope = NULL;
    (void)context;
    (void)peer;
    cr_assert_eq(weft_wire_open(frame + 4, len_bytes - 4, &envelope, &error), WEFT_OK);
    said = envelope->body_case;
    said_count++;
    if (said == WEFT__ENVELOPE__BODY_FAILURE) {
        (void)snprintf(said_text, sizeof(said_text), "%s", envelope->failure->text);
        said_status = envelope->failure->status;
    }
    weft_wire_close(envelope);
}

static enum weft_status tell(const Weft__Envelope *envelope)
{
    static uint8_t message[4096];
    size_t len_bytes = weft__envelope__pack(envelope, message);
    return weft_agent_receive(agent, message, len_bytes, now_ns, &error);
}

static enum weft_status tell_hello(uint32_t protocol)
{
    static char version[] = "9.9";
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Hello message;
    weft__hello__init(&message);
    message.protocol = protocol;
    message.weft_version = version;
    envelope.body_case = WEFT__ENVELOPE__BODY_HELLO;
    envelope.hello = &message;
    return tell(&envelope);
}

static void setup(void)
{
    const struct weft_control_output output = {hear, NULL};
    now_ns = 1;
    runtime = (struct fake_runtime){.now_ns = &now_ns, .period_ns = 1000, .decides = true};
    cr_assert_eq(weft_agent_create(&fake_runtime_ops, &runtime, &output, &agent), WEFT_OK);
    weft_agent_attached(agent, now_ns);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_HELLO);
}

static void teardown(void)
{
    weft_agent_destroy(agent);
    cr_assert_eq(runtime.prepares, runtime.releases);
    cr_assert_not(runtime.misused);
}

TestSuite(agent, .init = setup, .fini = teardown);

static char test_name[] = "t", pattern_name[] = "all-reduce";

/* Two ranks of four, on one NIC. */
static enum weft_status tell_prepare(void)
{
    uint32_t ranks[] = {0, 2}, rank_nics[] = {0, 0};
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Prepare message = WEFT__PREPARE__INIT;
    static char option_names[3][16] = {"ranks", "size", "iterations"};
    static const uint64_t option_values[3] = {4, 1024, 10};
    Weft__Option options[3];
    Weft__Option *option_pointers[3];
    Weft__Test test;
    Weft__Nic nic;
    Weft__Nic *nics[] = {&nic};
    weft__nic__init(&nic);
    weft__test__init(&test);
    test.name = test_name;
    test.pattern = pattern_name;
    for (size_t i = 0; i < 3; i++) {
        weft__option__init(&options[i]);
        options[i].name = option_names[i];
        options[i].value = option_values[i];
        option_pointers[i] = &options[i];
    }
    test.options = option_pointers;
    test.n_options = 3;
    Weft__Test *parts[] = {&test};
    message.parts = parts;
    message.n_parts = 1;
    message.nics = nics;
    message.n_nics = 1;
    message.local_ranks = ranks;
    message.n_local_ranks = 2;
    message.rank_nics = rank_nics;
    message.n_rank_nics = 2;
    envelope.body_case = WEFT__ENVELOPE__BODY_PREPARE;
    envelope.prepare = &message;
    return tell(&envelope);
}

Test(agent, says_both_versions_where_they_differ)
{
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION + 1), WEFT_UNSUPPORTED);
    char both[128];
    (void)snprintf(both, sizeof(both),
                   "the controller (weft 9.9) speaks protocol %u, this agent (weft %s) protocol %u",
                   WEFT_CONTROL_VERSION + 1, WEFT_VERSION, WEFT_CONTROL_VERSION);
    cr_assert_not_null(strstr(error.text, both), "%s", error.text);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_FAILURE);
    cr_assert_str_eq(said_text, error.text);
}

Test(agent, wants_hello_first)
{
    cr_assert_eq(tell_prepare(), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "'prepare' came while hello was due"), "%s", error.text);
    cr_assert_eq(runtime.prepares, 0);
}

Test(agent, refuses_a_grant_while_nothing_runs)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Grant message = WEFT__GRANT__INIT;
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_PREPARED);
    Weft__GrantPart part = WEFT__GRANT_PART__INIT;
    Weft__GrantPart *parts[] = {&part};
    part.iterations = 5;
    message.parts = parts;
    message.n_parts = 1;
    envelope.body_case = WEFT__ENVELOPE__BODY_GRANT;
    envelope.grant = &message;
    cr_assert_eq(tell(&envelope), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "'grant' came while addresses were due"), "%s",
                       error.text);
    /* A bad message ends the connection: the test is let go of at once. */
    cr_assert_eq(runtime.releases, 1);
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_INVALID);
}

Test(agent, refuses_addresses_for_ranks_that_are_not_its_own)
{
    uint8_t gid[16] = {0};
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Connect message = WEFT__CONNECT__INIT;
    Weft__ChannelAddress address = WEFT__CHANNEL_ADDRESS__INIT;
    Weft__ChannelAddress *addresses[] = {&address};
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    address.from_rank = 2;
    address.to_rank = 1;
    address.depth = 1;
    address.gid.data = gid;
    address.gid.len = 16;
    message.addresses = addresses;
    message.n_addresses = 1;
    envelope.body_case = WEFT__ENVELOPE__BODY_CONNECT;
    envelope.connect = &message;
    cr_assert_eq(tell(&envelope), WEFT_INVALID);
    cr_assert_not_null(
        strstr(error.text, "connect.addresses[0].to_rank is 1, which is not a rank of this agent"),
        "%s", error.text);
}

Test(agent, stays_when_a_request_cannot_be_met)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Abort message;
    weft__abort__init(&message);
    runtime.watched = FAKE_PREPARE;
    runtime.fails = true;
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_FAILURE);
    cr_assert_eq(said_status, WEFT_NOT_FOUND);
    cr_assert_str_eq(said_text, "no device 'mlx5_9' on agent 0;\ntry another");
    envelope.body_case = WEFT__ENVELOPE__BODY_ABORT;
    envelope.abort = &message;
    cr_assert_eq(tell(&envelope), WEFT_OK);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_RELEASED);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_PREPARED);
}

Test(agent, an_unknown_pattern_is_no_reason_to_hang_up)
{
    static char unknown[] = "all-redice";
    uint32_t count = said_count;
    memcpy(pattern_name, unknown, sizeof(unknown));
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    cr_assert_eq(said_count, count + 1);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_FAILURE);
    cr_assert_not_null(strstr(said_text, "all-redice"), "%s", said_text);
    cr_assert_eq(runtime.prepares, 0);
}

Test(agent, releases_when_the_controller_goes)
{
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    weft_agent_detached(agent);
    cr_assert_eq(runtime.releases, 1);
    weft_agent_detached(agent);
    cr_assert_eq(runtime.releases, 1);
    /* And takes the next one. */
    weft_agent_attached(agent, now_ns);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_HELLO);
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
}

Test(agent, says_that_it_is_alive)
{
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    weft_agent_tick(agent, now_ns + 400000000);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_HELLO);
    weft_agent_tick(agent, now_ns + 600000000);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_ALIVE);
}

static enum weft_status tell_start(Weft__Phase phase)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Start message = WEFT__START__INIT;
    message.phase = phase;
    envelope.body_case = WEFT__ENVELOPE__BODY_START;
    envelope.start = &message;
    return tell(&envelope);
}

static enum weft_status tell_grant(uint64_t iterations)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Grant message = WEFT__GRANT__INIT;
    Weft__GrantPart part = WEFT__GRANT_PART__INIT;
    Weft__GrantPart *parts[] = {&part};
    part.iterations = iterations;
    message.parts = parts;
    message.n_parts = 1;
    envelope.body_case = WEFT__ENVELOPE__BODY_GRANT;
    envelope.grant = &message;
    return tell(&envelope);
}

static enum weft_status tell_word(Weft__Envelope__BodyCase body)
{
    struct weft_wire_empty out;
    return tell(weft_wire_empty(body, &out));
}

/* Between phases. */
static void make_ready(void)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Connect message = WEFT__CONNECT__INIT;
    envelope.body_case = WEFT__ENVELOPE__BODY_CONNECT;
    envelope.connect = &message;
    cr_assert_eq(tell_hello(WEFT_CONTROL_VERSION), WEFT_OK);
    cr_assert_eq(tell_prepare(), WEFT_OK);
    cr_assert_eq(tell(&envelope), WEFT_OK);
    weft_agent_tick(agent, now_ns);
    cr_assert_eq(said, WEFT__ENVELOPE__BODY_CONNECTED);
}

/* The node has as many filled copies of its buffer and would end the process. */
Test(agent, refuses_more_to_verify_than_there_are_buffers_for)
{
    make_ready();
    cr_assert_eq(tell_start(WEFT__PHASE__PHASE_VERIFY), WEFT_OK);
    cr_assert_eq(tell_grant(2), WEFT_OK);
    cr_assert_eq(tell_grant(3), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "grant.iterations is 3"), "%s", error.text);
    cr_assert_eq(runtime.releases, 1);
}

Test(agent, collects_only_what_was_measured)
{
    make_ready();
    cr_assert_eq(tell_word(WEFT__ENVELOPE__BODY_COLLECT), WEFT_INVALID);
    cr_assert_not_null(strstr(error.text, "'collect' came while"), "%s", error.text);
}
