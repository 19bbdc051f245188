/* SPDX-License-Identifier: MIT
 * Requests of any kind to a net on a simulated plane, one a line: the first
 * byte chooses verb and kind, the second whom, the rest is the document. Each
 * is answered with a result and its record or document, which are JSON; each
 * travels in its JSON form; what there is can always be queried in both forms
 * and, in the end, taken away. A line that begins with "{" is also read as the
 * JSON form of a request itself. */
#include "base/hresult_hcn.h"
#include "fuzz.h"
#include "host/net/net.h"

#define MOST 16

struct world {
    struct net *net;
    struct plane *plane;
    uint64_t random;
    struct guid ids[NET_KIND_COUNT][MOST]; /* the last ones made */
    size_t made[NET_KIND_COUNT];
};

static int64_t now(void *context) {
    (void)context;
    return 0;
}

static uint64_t next_random(void *context) {
    struct world *world = context;
    return world->random += UINT64_C(0x9E3779B97F4A7C15);
}

static void hear(void *context, const struct net_event *event) {
    struct json_doc doc;
    (void)context;
    require(SUCCEEDED(
        json_parse(event->document, strlen(event->document), &doc, NULL)));
    json_doc_free(&doc);
}

static void check_json(const char *text) {
    struct json_doc doc;
    require(SUCCEEDED(json_parse(text, strlen(text), &doc, NULL)));
    json_doc_free(&doc);
}

static void check_reply(const struct net_reply *reply) {
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct net_reply again;
    struct json_doc doc;

    require((reply->record != NULL) == FAILED(reply->result));
    require(!FAILED(reply->result) || !reply->document);
    require(reply->result != E_OUTOFMEMORY && reply->result != E_UNEXPECTED);
    if (reply->record)
        check_json(reply->record);
    if (reply->document)
        check_json(reply->document);
    net_reply_write(&w, reply);
    require(SUCCEEDED(json_parse(text.data, text.length, &doc, NULL)));
    require(net_reply_read(doc.root, &again, NULL) == S_OK);
    require(again.result == reply->result);
    net_reply_free(&again);
    json_doc_free(&doc);
    buf_free(&text);
}

static HRESULT carry_out(struct world *world,
                         const struct net_request *request) {
    struct net_reply reply;
    HRESULT hr = net_request(world->net, request, &reply);

    check_reply(&reply);
    if (SUCCEEDED(hr) && request->verb == NET_CREATE)
        world->ids[request->kind][world->made[request->kind]++ % MOST] =
            reply.id;
    net_reply_free(&reply);
    return hr;
}

/* Those that there are answer in both forms. */
static void look(struct world *world) {
    static const char *const queries[] = {
        NULL, "{\"SchemaVersion\":{\"Major\":2},\"Flags\":1}"};

    for (unsigned kind = 0; kind < NET_KIND_COUNT; kind++)
        for (size_t i = 0; i < MOST && i < world->made[kind]; i++)
            for (size_t k = 0; k < 2; k++) {
                struct net_request request = {.verb = NET_QUERY,
                                              .kind = (enum net_kind)kind,
                                              .id = world->ids[kind][i],
                                              .text = queries[k]};
                HRESULT hr = carry_out(world, &request);
                require(SUCCEEDED(hr) || hr == HCN_E_NETWORK_NOT_FOUND ||
                        hr == HCN_E_ENDPOINT_NOT_FOUND || hr == HR_NOT_FOUND);
            }
}

static struct guid pick(const struct world *world, enum net_kind kind,
                        unsigned choice) {
    const struct guid none = {{0}};
    size_t count = world->made[kind] < MOST ? world->made[kind] : MOST;
    return count == 0 ? none : world->ids[kind][choice % count];
}

/* Where a document says "@n", "@e" or "@s" it means the last one made. */
static void fill_in(const struct world *world, const char *from, size_t length,
                    struct buf *out) {
    static const char marks[] = "nes";

    for (size_t i = 0; i < length; i++) {
        const char *mark = from[i] == '@' && i + 1 < length && from[i + 1]
                               ? strchr(marks, from[i + 1])
                               : NULL;
        char id[GUID_TEXT_SIZE];
        struct guid last;
        if (!mark) {
            buf_putc(out, from[i]);
            continue;
        }
        last = pick(world, (enum net_kind)(mark - marks),
                    (unsigned)world->made[mark - marks] - 1);
        guid_format(&last, id);
        buf_puts(out, id);
        i++;
    }
}

static void one_line(struct world *world, const char *line, size_t length) {
    struct net_request request = {NET_CREATE, NET_NETWORK, {{0}}, {{0}}, NULL};
    struct buf text = {0};
    struct json_doc doc;
    unsigned first = length > 0 ? (unsigned char)line[0] : 0;
    unsigned second = length > 1 ? (unsigned char)line[1] : 0;

    fill_in(world, length > 2 ? line + 2 : "", length > 2 ? length - 2 : 0,
            &text);
    request.verb = (enum net_verb)((first - 'A') / 3 % (NET_VERB_COUNT + 1));
    request.kind = (enum net_kind)((first - 'A') % NET_KIND_COUNT);
    if (request.verb == NET_CREATE)
        request.parent = pick(world, NET_NETWORK, second - '0');
    else
        request.id = pick(world, request.kind, second - '0');
    request.text = text.length ? text.data : NULL;
    carry_out(world, &request);
    if (line[0] == '{' && SUCCEEDED(json_parse(line, length, &doc, NULL))) {
        if (SUCCEEDED(net_request_read(doc.root, &request, NULL)))
            carry_out(world, &request);
        json_doc_free(&doc);
    }
    buf_free(&text);
}

static void end(struct world *world) {
    struct sim_plane_counts left;

    net_close(world->net);
    sim_plane_count(world->plane, &left);
    require(!left.networks && !left.endpoints && !left.namespaces &&
            !left.ports);
    sim_plane_ops()->destroy(world->plane);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world = {0};
    struct net_env env = {.ops = sim_plane_ops(),
                          .now = now,
                          .random = next_random,
                          .event = hear,
                          .context = &world,
                          .build = 26100};
    struct input input = {data, size};

    require(SUCCEEDED(sim_plane_open(&world.plane, NULL)));
    env.plane = world.plane;
    require(SUCCEEDED(net_open(&env, &world.net, NULL)));
    while (input.left > 0) {
        size_t length;
        const char *line = take_until(&input, '\n', &length);
        if (length > 0)
            one_line(&world, line, length);
    }
    look(&world);
    end(&world);
    return 0;
}
