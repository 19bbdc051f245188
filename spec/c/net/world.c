/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "base/random.h"

static long blocks; /* that were alive before the world was opened */

static int64_t now(void *context) {
    (void)context;
    return INT64_C(1700000000) * 1000000000;
}

static uint64_t next_random(void *context) { /* splitmix64 */
    struct world *world = context;
    uint64_t z = world->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void hear(void *context, const struct net_event *event) {
    struct world *world = context;
    struct heard *heard = &world->events[world->event_count % MOST_EVENTS];
    heard->type = event->type;
    heard->status = event->status;
    heard->id = event->id;
    snprintf(heard->document, sizeof heard->document, "%s", event->document);
    world->event_count++;
}

static void miss(void *context, enum net_kind kind, const struct guid *id) {
    struct world *world = context;
    (void)id;
    world->gone[kind]++;
}

static bool begin(struct world *world, const struct guid *space) {
    struct net_env env = {.ops = sim_plane_ops(),
                          .now = now,
                          .random = next_random,
                          .event = hear,
                          .gone = miss,
                          .context = world,
                          .build = 26100,
                          .host_namespace = *space};
    if (FAILED(sim_plane_open(&world->plane, NULL)))
        return false;
    env.plane = world->plane;
    return SUCCEEDED(net_open(&env, &world->net, NULL));
}

int world_open(void **state) {
    const struct guid any = {{0}};
    struct world *world;

    blocks = faults_live();
    world = calloc(1, sizeof *world);
    if (!world || !begin(world, &any))
        return -1;
    *state = world;
    return 0;
}

void world_restart(struct world *world) {
    const char *ids = found(world, NET_NAMESPACE, NULL);
    char first[GUID_TEXT_SIZE];
    struct guid space;

    snprintf(first, sizeof first, "%s", ids);
    space = guid(first);
    net_close(world->net);
    sim_plane_ops()->destroy(world->plane);
    memset(world->gone, 0, sizeof world->gone);
    world->random += 77;
    assert_true(begin(world, &space));
}

int world_close(void **state) {
    struct world *world = *state;
    struct sim_plane_counts left;

    net_reply_free(&world->reply);
    net_close(world->net);
    sim_plane_count(world->plane, &left);
    sim_plane_ops()->destroy(world->plane);
    free(world);
    if (left.networks || left.endpoints || left.namespaces || left.ports)
        return -1;
    return faults_live() == blocks ? 0 : -1;
}

char *quoted(const char *text) {
    size_t length = strlen(text);
    char *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy, text, length + 1);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

struct guid guid(const char *text) {
    struct guid out;
    assert_true(guid_parse(text, &out));
    return out;
}

/* Whether a sentence of the code and the detail behind it say one thing. */
static bool repeats(const char *text) {
    const char *first = strstr(text, "already");
    const char *none = strstr(text, "There is no such");

    return (first && strstr(first + 1, "already")) ||
           (none && strstr(none + 1, "there is no"));
}

/* A refusal has a record that says the same, a success has none. */
static void check_record(const struct net_reply *reply) {
    struct json_doc doc;
    uint64_t code;

    if (SUCCEEDED(reply->result)) {
        assert_null(reply->record);
        return;
    }
    assert_null(reply->document);
    assert_non_null(reply->record);
    assert_hr(json_parse(reply->record, strlen(reply->record), &doc, NULL),
              S_OK);
    assert_true(json_to_uint64(json_get(doc.root, "ErrorCode"), &code));
    assert_int_equal(code, (uint32_t)reply->result);
    assert_int_equal(json_get(doc.root, "Success")->type, JSON_BOOL);
    assert_false(json_is_true(json_get(doc.root, "Success")));
    assert_true(strlen(json_text(json_get(doc.root, "Error"), "")) > 10);
    if (repeats(json_text(json_get(doc.root, "Error"), ""))) {
        print_error("%s\n", reply->record);
        fail();
    }
    json_doc_free(&doc);
}

static void submit(struct world *world, HRESULT hr,
                   const struct net_request *request) {
    HRESULT got;

    net_reply_free(&world->reply);
    got = net_request(world->net, request, &world->reply);
    if (got != hr)
        print_error("%s\n",
                    world->reply.record ? world->reply.record : "(it worked)");
    assert_hr(got, hr);
    assert_hr(world->reply.result, hr);
    check_record(&world->reply);
}

static void post(struct world *world, HRESULT hr, enum net_verb verb,
                 enum net_kind kind, const struct guid *id,
                 const struct guid *parent, const char *text) {
    struct net_request request = {.verb = verb, .kind = kind};
    char *document = text ? quoted(text) : NULL;

    if (id)
        request.id = *id;
    if (parent)
        request.parent = *parent;
    request.text = document;
    submit(world, hr, &request);
    free(document);
}

void ask(struct world *world, HRESULT hr, enum net_verb verb,
         enum net_kind kind, const struct guid *id, const char *text) {
    post(world, hr, verb, kind, id, NULL, text);
}

struct guid make(struct world *world, enum net_kind kind,
                 const struct guid *parent, const char *text) {
    post(world, S_OK, NET_CREATE, kind, NULL, parent, text);
    assert_false(guid_is_zero(&world->reply.id));
    return world->reply.id;
}

void refuse(struct world *world, HRESULT hr, enum net_kind kind,
            const struct guid *parent, const char *text) {
    struct sim_plane_counts before, after;
    size_t count = net_count(world->net, kind);

    sim_plane_count(world->plane, &before);
    post(world, hr, NET_CREATE, kind, NULL, parent, text);
    sim_plane_count(world->plane, &after);
    assert_int_equal(net_count(world->net, kind), count);
    assert_int_equal(after.networks, before.networks);
    assert_int_equal(after.endpoints, before.endpoints);
    assert_int_equal(after.namespaces, before.namespaces);
}

void modify(struct world *world, HRESULT hr, enum net_kind kind,
            const struct guid *id, const char *text) {
    post(world, hr, NET_MODIFY, kind, id, NULL, text);
}

void erase(struct world *world, enum net_kind kind, const struct guid *id) {
    post(world, S_OK, NET_DELETE, kind, id, NULL, NULL);
}

static struct json_doc parsed(const struct world *world) {
    struct json_doc doc;
    const char *text = world->reply.document;
    assert_non_null(text);
    assert_hr(json_parse(text, strlen(text), &doc, NULL), S_OK);
    return doc;
}

struct json_doc v2(struct world *world, enum net_kind kind,
                   const struct guid *id) {
    ask(world, S_OK, NET_QUERY, kind, id, "{" V2 "}");
    return parsed(world);
}

struct json_doc v1(struct world *world, enum net_kind kind,
                   const struct guid *id) {
    ask(world, S_OK, NET_QUERY, kind, id, NULL);
    return parsed(world);
}

const char *found(struct world *world, enum net_kind kind, const char *query) {
    static char ids[1024];
    struct json_doc doc;

    ask(world, S_OK, NET_ENUMERATE, kind, NULL, query);
    doc = parsed(world);
    assert_int_equal(doc.root->type, JSON_ARRAY);
    ids[0] = '\0';
    for (size_t i = 0; i < doc.root->as.array.count && i < 20; i++) {
        strcat(ids, i ? " " : "");
        strcat(ids, json_text(&doc.root->as.array.items[i], "?"));
    }
    json_doc_free(&doc);
    return ids;
}

const struct json *at(const struct json_doc *doc, const char *path) {
    const struct json *value = doc->root;
    char name[64];

    while (value && *path) {
        size_t length = strcspn(path, ".");
        size_t index;
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        path += length + (path[length] == '.');
        if (value->type != JSON_ARRAY) {
            value = json_get(value, name);
            continue;
        }
        index = (size_t)strtoul(name, NULL, 10);
        value = index < value->as.array.count ? &value->as.array.items[index]
                                              : NULL;
    }
    return value;
}

const char *text_at(const struct json_doc *doc, const char *path) {
    static char numbers[4][32];
    static unsigned next;
    const struct json *value = at(doc, path);
    uint64_t number;
    char *out = numbers[next++ % 4];

    if (!json_to_uint64(value, &number))
        return json_text(value, "");
    snprintf(out, 32, "%llu", (unsigned long long)number);
    return out;
}

struct guid make_nat(struct world *world) {
    return make(world, NET_NETWORK, NULL,
                "{'Name':'nat','Type':'NAT'," NAT_SUBNET "," V2 "}");
}
