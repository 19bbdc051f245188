/* SPDX-License-Identifier: MIT
 * The messages between the library and the workers, whole and mangled. */
#include "test.h"

#include "../../../src/vmwp/protocol.h"

static struct message sample(void) {
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_REPLY;
    message.tag = UINT64_MAX;
    message.result = HCS_E_INVALID_STATE;
    message.document = "{\"a\":\"\\u0000\"}";
    message.path = "$.x";
    message.text = "no \"way\"\n";
    return message;
}

static void there_and_back(void **state) {
    struct message sent = sample(), got;
    struct buf wire = {0}, in = {0};
    struct json_doc doc;

    (void)state;
    assert_int_equal(message_write(&wire, &sent, NULL), S_OK);
    sent.kind = MESSAGE_CREATE;
    sent.open = true;
    sent.build = 26100;
    assert_int_equal(message_write(&wire, &sent, NULL), S_OK);
    for (size_t i = 0; i < wire.length; i++) {
        buf_add(&in, wire.data + i, 1);
        if (message_read(&in, &got, &doc, NULL) == S_FALSE)
            continue;
        assert_int_equal(got.tag, UINT64_MAX);
        assert_int_equal(got.result, HCS_E_INVALID_STATE);
        assert_string_equal(got.document, sent.document);
        assert_string_equal(got.text, sent.text);
        assert_null(got.id);
        assert_int_equal(in.length, 0);
        if (i + 1 == wire.length) {
            assert_int_equal(got.kind, MESSAGE_CREATE);
            assert_true(got.open);
            assert_int_equal(got.build, 26100);
        } else {
            assert_int_equal(got.kind, MESSAGE_REPLY);
        }
        json_doc_free(&doc);
    }
    buf_free(&wire);
    buf_free(&in);
}

static void refused(const char *text, size_t length) {
    struct buf in = {0};
    struct message got;
    struct json_doc doc;

    for (int i = 0; i < 4; i++)
        buf_putc(&in, (char)(unsigned char)(length >> (8 * i)));
    buf_add(&in, text, length < 4096 ? length : 4096);
    assert_int_equal(message_read(&in, &got, &doc, NULL), HCS_E_PROTOCOL_ERROR);
    buf_free(&in);
}

static void what_is_no_message(void **state) {
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"Kind\":\"Dance\"}",
        "{\"Kind\":5}",
        "{\"Kind\":\"Reply\",\"Tag\":-1}",
        "{\"Kind\":\"Reply\",\"Tag\":\"1\"}",
        "{\"Kind\":\"Reply\",\"Result\":2147483648}",
        "{\"Kind\":\"Reply\",\"Verb\":1.5}",
        "{\"Kind\":\"Reply\",\"Document\":{}}",
        "{\"Kind\":\"Reply\",\"Kind\":\"Reply\"}",
        "{\"Kind\":\"Reply\"",
    };
    static char much[4096];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refused(texts[i], strlen(texts[i]));
    refused(much, FRAME_LIMIT + 1);
    refused(much, UINT32_MAX);
}

/* Every byte of a message changed: taken or refused, never a crash. */
static void mangled(void **state) {
    struct message sent = sample();
    struct buf wire = {0};

    (void)state;
    message_write(&wire, &sent, NULL);
    for (size_t i = 0; i < wire.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct buf in = {0};
            struct message got;
            struct json_doc doc;

            buf_add(&in, wire.data, wire.length);
            in.data[i] = (char)(in.data[i] ^ 1 << bit);
            if (message_read(&in, &got, &doc, NULL) == S_OK)
                json_doc_free(&doc);
            buf_free(&in);
        }
    }
    buf_free(&wire);
}

static void too_long(void **state) {
    struct message message = sample();
    struct buf wire = {0};
    char *text = malloc(FRAME_LIMIT + 2);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', FRAME_LIMIT + 1);
    text[FRAME_LIMIT + 1] = 0;
    message.document = text;
    assert_int_equal(message_write(&wire, &message, NULL), HCS_E_INVALID_JSON);
    assert_int_equal(wire.length, 0);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back), cmocka_unit_test(what_is_no_message),
        cmocka_unit_test(mangled), cmocka_unit_test(too_long)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
