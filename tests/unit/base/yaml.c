/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/yaml.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum weft_status parse_bytes(const char *text, size_t len_bytes, struct weft_yaml **ret_yaml,
                                    struct weft_error *error)
{
    static struct weft_source source; /* outlives the document */
    source = (struct weft_source){"t.yaml", text, len_bytes};
    return weft_yaml_parse(&source, ret_yaml, error);
}

static struct weft_yaml *parse(const char *text)
{
    struct weft_yaml *yaml = NULL;
    struct weft_error error = {0};
    cr_assert_eq(parse_bytes(text, strlen(text), &yaml, &error), WEFT_OK, "%s", error.text);
    return yaml;
}

static void refuses_bytes(const char *text, size_t len_bytes, const char *begin, const char *phrase)
{
    struct weft_yaml *yaml = NULL;
    struct weft_error error = {0};
    cr_assert_eq(parse_bytes(text, len_bytes, &yaml, &error), WEFT_INVALID, "%.40s", text);
    cr_assert_null(yaml);
    cr_assert_eq(strncmp(error.text, begin, strlen(begin)), 0, "not at %s: %s", begin, error.text);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
}

static void refuses(const char *text, const char *begin, const char *phrase)
{
    refuses_bytes(text, strlen(text), begin, phrase);
}

/* ---- the tree ---- */

Test(yaml, keeps_values_and_their_places)
{
    struct weft_yaml *yaml = parse("name: x y\n"
                                   "list:\n"
                                   "  - \xc3\xa9: {b: \"q\\\"\\u00e9\"}\n"
                                   "  - [1, '']\n"
                                   "empty:\n");
    const struct weft_yaml_node *root = weft_yaml_root(yaml);
    cr_assert_eq(root->kind, WEFT_YAML_MAP);
    cr_assert_eq(root->count, 3u);
    const struct weft_yaml_node *name = weft_yaml_find(root, "name");
    cr_assert_str_eq(name->text, "x y");
    cr_assert(!name->quoted);
    cr_assert_eq(name->where.line, 1u);
    cr_assert_eq(name->where.column, 7u);
    cr_assert_eq(name->key_where.column, 1u);

    const struct weft_yaml_node *list = weft_yaml_find(root, "list");
    cr_assert_eq(list->kind, WEFT_YAML_LIST);
    cr_assert_eq(list->count, 2u);
    const struct weft_yaml_node *inner = list->first->first->first;
    cr_assert_str_eq(inner->key, "b");
    cr_assert_str_eq(inner->text, "q\"\xc3\xa9");
    cr_assert(inner->quoted);
    cr_assert_eq(inner->where.line, 3u);
    cr_assert_eq(inner->where.column, 12u, "in characters, at %u", inner->where.column);
    cr_assert_eq(list->first->next->count, 2u);
    cr_assert_null(list->first->next->next);

    const struct weft_yaml_node *empty = weft_yaml_find(root, "empty");
    cr_assert_str_eq(empty->text, "");
    cr_assert_eq(empty->where.line, 5u);
    cr_assert_null(weft_yaml_find(root, "nothing"));
    weft_yaml_destroy(yaml);
    weft_yaml_destroy(NULL);
}

Test(yaml, takes_every_way_to_write_text)
{
    struct weft_yaml *yaml =
        parse("a: >-\n  one\n  two\nb: |\n  x\n  y\nc: 'it''s'\nd: one\n  two\r\n"
              "# a comment\ne: \"\\x41\\t\" # another\n");
    const struct weft_yaml_node *root = weft_yaml_root(yaml);
    cr_assert_str_eq(weft_yaml_find(root, "a")->text, "one two");
    cr_assert_str_eq(weft_yaml_find(root, "b")->text, "x\ny\n");
    cr_assert_str_eq(weft_yaml_find(root, "c")->text, "it's");
    cr_assert_str_eq(weft_yaml_find(root, "d")->text, "one two");
    cr_assert_str_eq(weft_yaml_find(root, "e")->text, "A\t");
    weft_yaml_destroy(yaml);
}

static void check_text(const char *text, const char *expected)
{
    struct weft_yaml *yaml = parse(text);
    cr_assert_str_eq(weft_yaml_find(weft_yaml_root(yaml), "a")->text, expected, "%s", text);
    weft_yaml_destroy(yaml);
}

/* libfyaml alone gets these wrong. */
Test(yaml, takes_single_quotes_in_single_quotes)
{
    check_text("a: ''", "");
    check_text("a: ''''", "'");
    check_text("a: ''''''", "''");
    check_text("a: 'x''''y'\nb: z", "x''y");
    check_text("{b: '\xc3\xa9''', a: '''\xc3\xa9'''}", "'\xc3\xa9'");
    check_text("\xef\xbb\xbf"
               "a: 'it''s'",
               "it's");
    refuses("a: 'x\n  y'\n", "t.yaml:1:4: ", "must be on one line");
}

Test(yaml, refuses_what_is_broken)
{
    refuses("", "t.yaml: error: ", "the file is empty");
    refuses("# only a comment\n", "t.yaml: error: ", "the file is empty");
    refuses("a:\n\t- 1\n", "t.yaml:2:1: ", "tabs are not allowed");
    refuses("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: ", "duplicate key 'a'");
    refuses("{a: 1, b: {c: 1, c: 2}}", "t.yaml:1:18: ", "duplicate key 'c'");
    refuses("a: [1, 2\n", "t.yaml:1:4: ", "without a closing bracket");
    refuses("a: \"cut", "t.yaml:1:", "without closing quote");
    refuses("a:\n  b: 1\n c: 2\n", "t.yaml:3:2: ", "invalid indentation");
    refuses("a: b: c\n", "t.yaml:1:5: ", "not YAML");
}

Test(yaml, refuses_what_settings_do_not_need)
{
    refuses("a: 1\n---\nb: 2\n", "t.yaml:2:1: ", "second document");
    refuses("a: 1\n...\nb: 2\n", "t.yaml:", "second document");
    refuses("a: &x 1\nb: *x\n", "t.yaml:1:", "anchors");
    refuses("a: *x\n", "t.yaml:1:", "aliases");
    refuses("a: !!int 5\n", "t.yaml:1:", "tags");
    refuses("a: !weft {b: 1}\n", "t.yaml:1:", "tags");
    refuses("%YAML 1.1\n---\na: 1\n", "t.yaml:1:1: ", "directives");
    refuses("? [a, b]\n: 1\n", "t.yaml:1:3: ", "a key must be a plain text");
    refuses("a: \"x\\0y\"\n", "t.yaml:1:", "NUL");
}

Test(yaml, refuses_bytes_that_are_not_text)
{
    refuses_bytes("\x7f"
                  "ELF\x02\x01",
                  6, "t.yaml:1:1: ", "byte 0x7f is not text");
    refuses_bytes("a: 1\nb: \0c\n", 11, "t.yaml:2:4: ", "byte 0x00");
    refuses("a: \xc3\xa9\xff\n", "t.yaml:1:5: ", "byte 0xff");
    refuses("? z: \t:\n:", "t.yaml:1:6: ", "tabs are not allowed"); /* crashed libfyaml */
    refuses("a: 1\rb: 2\n", "t.yaml:1:5: ", "byte 0x0d");
}

static char *repeated(const char *what, size_t count)
{
    size_t len_bytes = strlen(what);
    char *text = malloc(len_bytes * count + 1);
    cr_assert_not_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len_bytes, what, len_bytes);
    text[len_bytes * count] = '\0';
    return text;
}

Test(yaml, bounds_depth_and_counts)
{
    char *deep = repeated("[", 10000);
    refuses(deep, "t.yaml:1:17: ", "more than 16 deep");
    free(deep);
    char *endless = repeated("[ ", 1000000); /* libfyaml would take 300 bytes for each */
    refuses(endless, "t.yaml:1:20001: ", "more than 10000 brackets are open");
    free(endless);
    char *deep_maps = repeated("{a: ", 10000);
    refuses(deep_maps, "t.yaml:1:", "more than 16 deep");
    free(deep_maps);
    char keys[4096] = "";
    for (int i = 0; i < 129; i++)
        (void)snprintf(keys + strlen(keys), 24, "k%d: 1\n", i);
    refuses(keys, "t.yaml:129:1: ", "more than 128 keys");
    char *many = repeated("- \n", WEFT_YAML_NODES_MAX + 1);
    refuses(many, "t.yaml:", "more than 4194304 values");
    free(many);
    static char large[WEFT_YAML_BYTES_MAX + 1];
    refuses_bytes(large, sizeof(large), "t.yaml: ", "larger than 64 MiB");
}

/* Every beginning of a good file is read or refused with a place; none crashes. */
Test(yaml, bears_any_truncation)
{
    static const char whole[] = "name: p\ntests:\n  - name: \"one\"\n    expect: ['a', {b: c}]\n"
                                "  - {x: >-\n      y\n  , z: 'it''s'}\n";
    for (size_t len_bytes = 0; len_bytes < sizeof(whole); len_bytes++) {
        struct weft_yaml *yaml = NULL;
        struct weft_error error = {0};
        enum weft_status status = parse_bytes(whole, len_bytes, &yaml, &error);
        cr_assert_eq(status == WEFT_OK, yaml != NULL);
        cr_assert_eq(status == WEFT_OK, error.text[0] == '\0', "%zu bytes", len_bytes);
        weft_yaml_destroy(yaml);
    }
}

/* ---- reading ---- */

struct thing {
    char *name;
    uint64_t size_bytes, rate_bps, time_ns, count;
    bool flag;
    const struct weft_yaml_node *list;
};

static const struct weft_yaml_key keys[] = {
    {"name", weft_yaml_read_text, offsetof(struct thing, name), true, 0, 0},
    {"size", weft_yaml_read_size, offsetof(struct thing, size_bytes), false, 1, 65536},
    {"rate", weft_yaml_read_rate, offsetof(struct thing, rate_bps), false, 0, 0},
    {"time", weft_yaml_read_time, offsetof(struct thing, time_ns), false, 1000, 2000000},
    {"count", weft_yaml_read_count, offsetof(struct thing, count), false, 2, 7},
    {"flag", weft_yaml_read_bool, offsetof(struct thing, flag), false, 0, 0},
    {"list", weft_yaml_read_list, offsetof(struct thing, list), false, 0, 0},
    {0},
};

static enum weft_status read_thing(const char *text, struct thing *ret_thing,
                                   struct weft_error *error)
{
    struct weft_yaml *yaml = parse(text);
    *ret_thing = (struct thing){.count = 99};
    enum weft_status status =
        weft_yaml_read_map(weft_yaml_root(yaml), "a thing", keys, ret_thing, error);
    weft_yaml_destroy(yaml);
    return status;
}

Test(yaml, reads_by_the_table)
{
    struct thing thing;
    struct weft_error error = {0};
    cr_assert_eq(read_thing("{name: n, size: 64KiB, rate: 1Gbps, time: 5us, flag: true, list: []}",
                            &thing, &error),
                 WEFT_OK, "%s", error.text);
    cr_assert_str_eq(thing.name, "n");
    cr_assert_eq(thing.size_bytes, 65536u);
    cr_assert_eq(thing.rate_bps, 1000000000u);
    cr_assert_eq(thing.time_ns, 5000u);
    cr_assert_eq(thing.count, 99u, "absent: left alone");
    cr_assert(thing.flag);
    cr_assert_not_null(thing.list);
    free(thing.name);
}

static void read_refuses(const char *text, const char *begin, const char *phrase)
{
    struct thing thing;
    struct weft_error error = {0};
    cr_assert_eq(read_thing(text, &thing, &error), WEFT_INVALID, "%s", text);
    cr_assert_eq(strncmp(error.text, begin, strlen(begin)), 0, "not at %s: %s", begin, error.text);
    cr_assert_not_null(strstr(error.text, phrase), "no '%s' in: %s", phrase, error.text);
    free(thing.name);
}

Test(yaml, says_where_a_value_is_wrong)
{
    read_refuses("name: n\nsise: 1\n", "t.yaml:2:1: ", "unknown key of a thing 'sise'; did you");
    read_refuses("name: n\npattern: 1\n", "t.yaml:2:1: ", "use one of: name, size, rate");
    read_refuses("size: 1\n", "t.yaml:1:1: ", "a thing needs the key 'name'");
    read_refuses("- name\n", "t.yaml:1:1: ", "a thing must be a map of keys, not a list");
    read_refuses("name:\n", "t.yaml:1:1: ", "'name' must be a text, not nothing");
    read_refuses("name: ~\n", "t.yaml:1:7: ", "'name' must be a text, not nothing");
    read_refuses("name: ''\n", "t.yaml:1:7: ", "must not be empty");
    read_refuses("name: [a]\n", "t.yaml:1:7: ", "'name' must be a text, not a list");
    read_refuses("name: n\nlist: x\n", "t.yaml:2:7: ", "'list' must be a list, not a text");
    read_refuses("name: n\nlist: {a: 1}\n", "t.yaml:2:7: ", "not a map of keys");
    read_refuses("name: n\nsize: {a: 1}\n", "t.yaml:2:7: ", "must be a size such as 64KiB");
    read_refuses("name: n\nsize: 4 KiBs\n", "t.yaml:2:7: ", "did you mean 'KiB'");
    read_refuses("name: n\nsize: 0\n", "t.yaml:2:7: ", "'size' must be from 1B to 64KiB");
    read_refuses("name: n\nsize: 64.5KiB\n", "t.yaml:2:7: ", "'size' must be from 1B to 64KiB");
    read_refuses("name: n\ntime: 1ns\n", "t.yaml:2:7: ", "'time' must be from 1us to 2ms");
    read_refuses("name: n\ncount: 8\n", "t.yaml:2:8: ", "'count' must be from 2 to 7");
    read_refuses("name: n\nflag: yes\n", "t.yaml:2:7: ", "'yes' is neither true nor false");
    read_refuses("name: n\nrate: 10\n", "t.yaml:2:7: ", "it has no unit");
}
