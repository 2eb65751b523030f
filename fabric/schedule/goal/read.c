/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/schedule/goal/read.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/base/utf8.h"
#include "fabric/driver.h"

#define RANKS_MAX 130000u

static enum weft_status no_room(const struct weft_goal_reader *reader)
{
    return reader->scan.error ? reader->scan.error->status : WEFT_NO_MEMORY;
}

/* ---- operations ---- */

/* "cpu 0", "nic 0", "tag 7", in any order and each once. */
static enum weft_status read_clauses(struct weft_goal_scan *scan, struct weft_goal_op *op,
                                     bool may_be_any)
{
    bool message = op->op.kind != WEFT_OP_CALC, tag = false, cpu = false, nic = false;
    uint64_t number = 0, unused = 0;
    while (!weft_scan_at_end(scan)) {
        enum weft_status status = WEFT_OK;
        if (message && !tag && weft_scan_take(scan, "tag")) {
            tag = true;
            op->any_tag = may_be_any && weft_scan_any(scan);
            if (!op->any_tag)
                status = weft_scan_number(scan, "a tag", UINT64_MAX, &op->tag);
        } else if (!cpu && weft_scan_take(scan, "cpu")) {
            cpu = true;
            status = weft_scan_number(scan, "a cpu", WEFT_CPUS_MAX - 1, &number);
            op->op.cpu = message ? 0 : (uint32_t)number + 1;
        } else if (!nic && weft_scan_take(scan, "nic"))
            status = weft_scan_number(scan, "a nic", UINT32_MAX, &unused), nic = true;
        else
            return weft_scan_fail(
                scan,
                message ? "expected 'tag', 'cpu', 'nic' (each at most once) or the end of the line"
                        : "expected 'cpu', 'nic' (each at most once) or the end of the line");
        if (status != WEFT_OK)
            return status;
    }
    return WEFT_OK;
}

/* Schedgen marks the end of a collective by a send of nothing to a rank that no file has. */
#define MARKER_RANK "9999999"
static enum weft_status read_marker(struct weft_goal_scan *scan, struct weft_goal_op *op)
{
    enum weft_status status = read_clauses(scan, op, false);
    op->op = (struct weft_op){.kind = WEFT_OP_CALC};
    op->tag = 0;
    return status;
}

static enum weft_status read_message(struct weft_goal_reader *reader, struct weft_goal_op *op)
{
    struct weft_goal_scan *scan = &reader->scan;
    const char *preposition = op->op.kind == WEFT_OP_SEND ? "to" : "from";
    bool may_be_any = op->op.kind == WEFT_OP_RECEIVE && !reader->goal->own;
    uint64_t peer = 0;
    enum weft_status status = weft_scan_bytes(scan, &op->op.len_bytes);
    if (status != WEFT_OK)
        return status;
    if (op->op.len_bytes > WEFT_MESSAGE_BYTES_MAX)
        return weft_scan_fail(scan, "a message has at most %lu bytes; cut it into several",
                              (unsigned long)WEFT_MESSAGE_BYTES_MAX);
    if (!weft_scan_take(scan, preposition))
        return weft_scan_fail(scan, "expected '%s' and a rank", preposition);
    bool may_be_marker = op->op.kind == WEFT_OP_SEND && !op->op.len_bytes && !reader->goal->own;
    if (may_be_marker && weft_scan_take(scan, MARKER_RANK))
        return read_marker(scan, op);
    op->any_rank = may_be_any && weft_scan_any(scan);
    if (op->any_rank)
        return read_clauses(scan, op, may_be_any);
    weft_scan_blanks(scan);
    const char *peer_at = scan->at;
    status = weft_scan_number(scan, "a rank", reader->goal->rank_count - 1, &peer);
    if (status != WEFT_OK)
        return status;
    op->op.peer = (uint32_t)peer;
    if (op->op.peer == reader->rank_index) {
        scan->at = peer_at;
        return weft_scan_fail(scan,
                              "rank %u cannot send to itself: write a calc of the time that "
                              "the copy takes",
                              op->op.peer);
    }
    return read_clauses(scan, op, may_be_any);
}

static enum weft_status read_operation(struct weft_goal_reader *reader, enum weft_op_kind kind,
                                       const struct weft_goal_word *label)
{
    struct weft_goal *goal = reader->goal;
    /* Where others name no cpu it is the first; weft's own patterns have none. */
    bool calc = kind == WEFT_OP_CALC;
    struct weft_goal_op op = {.op = {.kind = kind, .cpu = calc && !goal->own},
                              .rank = reader->rank_index,
                              .line = reader->scan.line,
                              .partner = WEFT_GOAL_NONE};
    enum weft_status status = WEFT_OK;
    if (calc) {
        status =
            weft_scan_number(&reader->scan, "a time in ns", UINT64_C(1) << 56, &op.op.duration_ns);
        if (status == WEFT_OK)
            status = read_clauses(&reader->scan, &op, false);
    } else {
        status = read_message(reader, &op);
    }
    if (status != WEFT_OK)
        return status;
    op.op.tag = (uint32_t)op.tag;
    struct weft_label item = {.text = label->text,
                              .len_bytes = (uint32_t)label->len_bytes,
                              .op = goal->op_count,
                              .line = op.line};
    struct weft_label *before = weft_labels_find(&reader->labels, label->text, label->len_bytes);
    void *items = goal->ops;
    struct weft_goal_op *added = weft_goal_append(reader, &items, sizeof(*added), &goal->op_count,
                                                  &goal->op_room, WEFT_GOAL_OPS_MAX);
    if (!added)
        return no_room(reader);
    goal->ops = items;
    *added = op;
    reader->rank->op_count++;
    reader->rank->any_count += op.any_rank || op.any_tag;
    reader->mark_applies = true;
    if (before)
        before->again_line = op.line;
    else if (label->len_bytes && !weft_labels_add(&reader->labels, &item))
        return weft_error_set(reader->scan.error, WEFT_NO_MEMORY, "out of memory for labels");
    return WEFT_OK;
}

/* ---- what waits for what ---- */

static enum weft_status find_label(struct weft_goal_reader *reader,
                                   const struct weft_goal_word *word, uint32_t *ret_op)
{
    struct weft_goal_scan *scan = &reader->scan;
    const struct weft_label *label = weft_labels_find(&reader->labels, word->text, word->len_bytes);
    if (label && !label->again_line) {
        *ret_op = label->op;
        return WEFT_OK;
    }
    scan->at = word->text;
    if (label)
        return weft_scan_fail(scan,
                              "rank %u has this label in line %u and again in line %u: give each "
                              "operation its own label",
                              reader->rank_index, label->line, label->again_line);
    return weft_scan_fail(scan,
                          "no operation of rank %u before this line has the label '%.*s'; a label "
                          "must come before its use",
                          reader->rank_index, (int)(word->len_bytes < 40 ? word->len_bytes : 40),
                          word->text);
}

static enum weft_status read_edge(struct weft_goal_reader *reader,
                                  const struct weft_goal_word *label, bool start)
{
    struct weft_goal *goal = reader->goal;
    struct weft_goal_edge edge = {.start = start};
    struct weft_goal_word earlier = weft_scan_word(&reader->scan);
    if (!earlier.len_bytes)
        return weft_scan_fail(&reader->scan, "expected a label");
    const char *after = reader->scan.at;
    enum weft_status status = find_label(reader, label, &edge.later);
    if (status == WEFT_OK)
        status = find_label(reader, &earlier, &edge.earlier);
    if (status != WEFT_OK)
        return status;
    reader->scan.at = after;
    void *items = goal->edges;
    struct weft_goal_edge *added = weft_goal_append(
        reader, &items, sizeof(*added), &goal->edge_count, &goal->edge_room, WEFT_GOAL_EDGES_MAX);
    if (!added)
        return no_room(reader);
    goal->edges = items;
    *added = edge;
    reader->rank->edge_count++;
    return weft_scan_end(&reader->scan);
}

/* ---- statements ---- */

static bool kind_of(const struct weft_goal_word *word, enum weft_op_kind *ret_kind)
{
    static const struct {
        const char *word;
        enum weft_op_kind kind;
    } kinds[] = {{"send", WEFT_OP_SEND}, {"recv", WEFT_OP_RECEIVE}, {"calc", WEFT_OP_CALC}};
    for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        *ret_kind = kinds[i].kind;
        if (weft_word_is(word, kinds[i].word))
            return true;
    }
    return false;
}

/* LogGOPSim2's other operations say what memory does, not who meets whom. */
static bool is_of_portals(const struct weft_goal_word *word)
{
    static const char *const words[] = {"put",  "get",  "append",  "test",
                                        "tput", "tget", "tappend", "calcgem5"};
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (weft_word_is(word, words[i]))
            return true;
    return false;
}

static enum weft_status fail_portals(struct weft_goal_scan *scan, const struct weft_goal_word *word)
{
    scan->at = word->text;
    return weft_scan_fail(scan,
                          "'%.*s' is of LogGOPSim2's Portals extension, which weft does not read; "
                          "write send, recv and calc",
                          (int)word->len_bytes, word->text);
}

static enum weft_status read_labelled(struct weft_goal_reader *reader,
                                      const struct weft_goal_word *label)
{
    struct weft_goal_scan *scan = &reader->scan;
    enum weft_op_kind kind;
    struct weft_goal_word word = weft_scan_word(scan);
    if (kind_of(&word, &kind))
        return read_operation(reader, kind, label);
    if (is_of_portals(&word))
        return fail_portals(scan, &word);
    scan->at = word.text;
    return weft_scan_fail(scan, "expected an operation: send, recv or calc");
}

static enum weft_status read_statement(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    struct weft_goal_word none = {.text = scan->at}, word = weft_scan_word(scan);
    enum weft_op_kind kind;
    reader->mark_applies = false;
    if (kind_of(&word, &kind))
        return read_operation(reader, kind, &none);
    bool label = word.len_bytes && !(word.text[0] >= '0' && word.text[0] <= '9');
    if (label && weft_scan_character(scan, ':'))
        return read_labelled(reader, &word);
    if (label && weft_scan_take(scan, "requires"))
        return read_edge(reader, &word, false);
    if (label && weft_scan_take(scan, "irequires"))
        return read_edge(reader, &word, true);
    if (is_of_portals(&word))
        return fail_portals(scan, &word);
    scan->at = word.text;
    return weft_scan_fail(scan, "expected a statement: send, recv or calc, LABEL: and one of them, "
                                "LABEL requires LABEL, or }");
}

static void close_rank(struct weft_goal_reader *reader)
{
    reader->rank = NULL;
    reader->mark_applies = false;
    weft_labels_clear(&reader->labels);
}

/* Of weft's own files, ranks that nobody asked for are passed over: a line with nothing but a brace
 * ends them. */
static enum weft_status skip_rank(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    weft_scan_next_line(scan);
    while (!weft_scan_done(scan) && *scan->at != '}')
        weft_scan_next_line(scan);
    if (!weft_scan_character(scan, '}'))
        return weft_scan_fail(scan, "the file ends inside rank %u; its '}' is missing",
                              reader->rank_index);
    close_rank(reader);
    return WEFT_OK;
}

static enum weft_status open_rank(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    struct weft_goal *goal = reader->goal;
    uint64_t rank = 0;
    if (!goal->rank_count)
        return weft_scan_fail(scan, "'num_ranks N' must come before the first rank");
    weft_scan_blanks(scan);
    const char *at = scan->at;
    enum weft_status status = weft_scan_number(scan, "a rank", goal->rank_count - 1, &rank);
    if (status != WEFT_OK)
        return status;
    if (goal->ranks[rank].present) {
        scan->at = at;
        return weft_scan_fail(scan, "duplicate rank %u", (uint32_t)rank);
    }
    if (!weft_scan_character(scan, '{'))
        return weft_scan_fail(scan, "expected '{'");
    reader->rank_index = (uint32_t)rank;
    reader->rank = &goal->ranks[rank];
    *reader->rank = (struct weft_goal_rank){.present = true,
                                            .first_op = goal->op_count,
                                            .first_edge = goal->edge_count,
                                            .first_expectation = goal->expectation_count};
    bool wanted = goal->only_rank == WEFT_GOAL_ALL || goal->only_rank == rank || !goal->own;
    return wanted ? WEFT_OK : skip_rank(reader);
}

static enum weft_status read_rank_count(struct weft_goal_reader *reader)
{
    uint64_t count = 0;
    if (reader->goal->rank_count)
        return weft_scan_fail(&reader->scan, "duplicate 'num_ranks'");
    enum weft_status status =
        weft_scan_number(&reader->scan, "the number of ranks", RANKS_MAX, &count);
    if (status != WEFT_OK)
        return status;
    if (!count)
        return weft_scan_fail(&reader->scan, "a schedule has at least one rank");
    reader->goal->ranks = calloc(count, sizeof(*reader->goal->ranks));
    if (!reader->goal->ranks)
        return weft_error_set(reader->scan.error, WEFT_NO_MEMORY, "out of memory for %lu ranks",
                              (unsigned long)count);
    reader->goal->rank_count = (uint32_t)count;
    return WEFT_OK;
}

static enum weft_status read_outside(struct weft_goal_reader *reader)
{
    if (weft_scan_take(&reader->scan, "num_ranks"))
        return read_rank_count(reader);
    if (weft_scan_take(&reader->scan, "rank"))
        return open_rank(reader);
    return weft_scan_fail(&reader->scan, "expected 'num_ranks N' or 'rank R {'");
}

static bool starts(const struct weft_goal_scan *scan, const char *text)
{
    size_t len_bytes = strlen(text);
    return (size_t)(scan->end - scan->at) >= len_bytes && memcmp(scan->at, text, len_bytes) == 0;
}

/* One statement, comment or empty line. */
static enum weft_status read_next(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    weft_scan_blanks(scan);
    if (weft_scan_done(scan))
        return WEFT_OK;
    if (starts(scan, "//@")) {
        scan->at += 3;
        return weft_goal_read_mark(reader);
    }
    if (*scan->at == '\n' || starts(scan, "//")) {
        weft_scan_next_line(scan);
        return WEFT_OK;
    }
    if (*scan->at == '}' && !reader->rank)
        return weft_scan_fail(scan, "no rank is open, so '}' closes nothing");
    if (*scan->at == '}') {
        scan->at++;
        close_rank(reader);
        return WEFT_OK;
    }
    return reader->rank ? read_statement(reader) : read_outside(reader);
}

static enum weft_status read_all(struct weft_goal_reader *reader)
{
    struct weft_goal_scan *scan = &reader->scan;
    while (!weft_scan_done(scan)) {
        enum weft_status status = read_next(reader);
        if (status != WEFT_OK)
            return status;
    }
    if (reader->rank)
        return weft_scan_fail(scan, "the file ends inside rank %u; its '}' is missing",
                              reader->rank_index);
    if (!reader->goal->rank_count)
        return weft_scan_fail(scan, "the file has no 'num_ranks N'");
    return WEFT_OK;
}

static enum weft_status check_length(const struct weft_source *source, struct weft_error *error)
{
    if (source->len_bytes <= WEFT_GOAL_BYTES_MAX)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s has %zu B; a schedule has at most %u MiB, so use a part of it",
                          source->name, source->len_bytes, WEFT_GOAL_BYTES_MAX >> 20);
}

static struct weft_goal_reader reader_of(const struct weft_source *source, struct weft_goal *goal,
                                         struct weft_error *error)
{
    size_t mark_bytes = weft_utf8_mark(source->text, source->len_bytes);
    return (struct weft_goal_reader){.scan = {.source = source,
                                              .at = source->text + mark_bytes,
                                              .end = source->text + source->len_bytes,
                                              .line_start = source->text,
                                              .line = 1,
                                              .error = error},
                                     .goal = goal};
}

enum weft_status weft_goal_parse(const struct weft_source *source, uint32_t only_rank,
                                 struct weft_goal **ret_goal, struct weft_error *error)
{
    enum weft_status status = check_length(source, error);
    if (status != WEFT_OK)
        return status;
    struct weft_goal *goal = calloc(1, sizeof(*goal));
    if (!goal)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %s", source->name);
    goal->source = source;
    goal->only_rank = only_rank;
    goal->element = WEFT_ELEMENT_UINT8;
    struct weft_goal_reader reader = reader_of(source, goal, error);
    status = read_all(&reader);
    weft_labels_fini(&reader.labels);
    if (status == WEFT_OK && !goal->own)
        status = weft_goal_order(goal, error);
    if (status != WEFT_OK) {
        weft_goal_destroy(goal);
        return status;
    }
    *ret_goal = goal;
    return WEFT_OK;
}

void weft_goal_destroy(struct weft_goal *goal)
{
    if (!goal)
        return;
    free(goal->ranks);
    free(goal->ops);
    free(goal->edges);
    free(goal->expectations);
    free(goal);
}

enum weft_status weft_goal_check_whole(const struct weft_goal *goal, struct weft_error *error)
{
    for (uint32_t i = 0; i < goal->rank_count; i++)
        if (!goal->ranks[i].present)
            return weft_error_set(error, WEFT_INVALID,
                                  "%s ends without rank %u, and num_ranks is %u: is the file cut "
                                  "short? A rank that does nothing is 'rank %u {' and '}'",
                                  goal->source->name, i, goal->rank_count, i);
    return WEFT_OK;
}

uint32_t weft_goal_rank_count(const struct weft_goal *goal)
{
    return goal->rank_count;
}

enum weft_status weft_goal_peek(const struct weft_source *source, uint32_t *ret_rank_count,
                                struct weft_error *error)
{
    struct weft_goal goal = {.source = source};
    struct weft_goal_reader reader = reader_of(source, &goal, error);
    enum weft_status status = check_length(source, error);
    while (status == WEFT_OK && !goal.rank_count && !weft_scan_done(&reader.scan))
        status = read_next(&reader);
    if (status == WEFT_OK && !goal.rank_count)
        status = weft_scan_fail(&reader.scan, "the file has no 'num_ranks N'");
    *ret_rank_count = goal.rank_count;
    free(goal.ranks);
    return status;
}
