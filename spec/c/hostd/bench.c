/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "vmwp/protocol.h"

#define PATIENCE (30 * CLOCK_SECOND)
#define LINE 4096

static const char *program = HOSTD_FILE;
static const struct hostd_terms terms = {.build = 26100};

void works_at(struct bench *bench, HRESULT hr, const char *what,
              const char *file, int line) {
    if (hr == S_OK)
        return;
    print_error("%s:%d: %s: 0x%08x %s\n", file, line, what, (unsigned)hr,
                bench->error.text);
    fail();
}

static void nap(void) {
    static const struct timespec little = {0, 2 * CLOCK_MS};

    nanosleep(&little, NULL);
}

/* --- what is there -------------------------------------------------------- */

static int open_below(const struct bench *bench, const char *path, int flags) {
    char full[256];

    snprintf(full, sizeof full, HOSTD_DIRECTORY "/%s", path);
    return openat(bench->root, full, flags | O_CLOEXEC, 0600);
}

bool there_is(const struct bench *bench, const char *path) {
    int fd = open_below(bench, path, O_PATH);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void scribble(const struct bench *bench, const char *path, const char *text) {
    int fd = open_below(bench, path, O_WRONLY | O_CREAT | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void object_path(enum net_kind kind, const struct guid *id, char out[96]) {
    static const char *const folders[] = {"networks", "endpoints",
                                          "namespaces"};
    char text[GUID_TEXT_SIZE];

    guid_format(id, text);
    snprintf(out, 96, "objects/%s/%s.json", folders[kind], text);
}

bool is_running(const struct bench *bench) {
    int fd = open_below(bench, HOSTD_LOCK, O_RDWR);
    bool held;

    if (fd < 0)
        return false;
    held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return held;
}

static bool names_root(const char *process, const char *path) {
    char file[300], line[LINE];
    size_t length = 0;
    ssize_t got;
    int fd;

    snprintf(file, sizeof file, "/proc/%s/cmdline", process);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while ((got = read(fd, line + length, sizeof line - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    line[length] = '\0';
    return strstr(line, path) != NULL;
}

static size_t each_process(const struct bench *bench, bool strike) {
    DIR *list = opendir("/proc");
    struct dirent *entry;
    size_t found = 0;

    assert_non_null(list);
    while ((entry = readdir(list))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !names_root(entry->d_name, bench->path))
            continue;
        found++;
        if (strike)
            kill((pid_t)atoi(entry->d_name), SIGKILL);
    }
    closedir(list);
    return found;
}

size_t processes(const struct bench *bench) {
    return each_process(bench, false);
}

void kill_all(const struct bench *bench) {
    each_process(bench, true);
}

/* --- coming and going ----------------------------------------------------- */

struct hostd *join(struct bench *bench) {
    struct hostd *hostd;

    works(bench, hostd_connect(&bench->place, &hostd, &bench->error));
    return hostd;
}

void leave(struct bench *bench) {
    hostd_close(bench->hostd);
    bench->hostd = NULL;
}

void rejoin(struct bench *bench) {
    leave(bench);
    bench->hostd = join(bench);
}

void await_processes(const struct bench *bench, size_t number) {
    int64_t deadline = clock_monotonic() + PATIENCE;

    while (processes(bench) > number) {
        assert_true(clock_monotonic() < deadline);
        nap();
    }
    assert_int_equal(processes(bench), number);
}

void await_end(struct bench *bench) {
    int64_t deadline = clock_monotonic() + PATIENCE;

    while (is_running(bench)) {
        assert_true(clock_monotonic() < deadline);
        nap();
    }
    await_processes(bench, 0);
}

void kill_daemon(struct bench *bench) {
    pid_t process = (pid_t)hostd_process(bench->hostd);

    assert_true(process > 1);
    assert_int_equal(kill(process, SIGKILL), 0);
    await_end(bench);
}

static int open_bench(void **state, bool far) {
    struct bench *bench = calloc(1, sizeof *bench);
    size_t length;

    if (!bench)
        return -1;
    snprintf(bench->path, sizeof bench->path, "/tmp/hcs-XXXXXX");
    if (!mkdtemp(bench->path))
        return -1;
    length = strlen(bench->path);
    if (far) {
        memset(bench->path + length, 'x', 240);
        bench->path[length] = '/';
        bench->path[length + 240] = '\0';
    }
    if (FAILED(root_open(bench->path, &bench->root, &bench->error)))
        return -1;
    bench->place.root = bench->root;
    bench->place.path = bench->path;
    bench->place.program = program;
    *state = bench;
    return 0;
}

int bench_bare(void **state) {
    return open_bench(state, false);
}

static int serve_bench(void **state, bool far) {
    struct bench *bench;

    if (open_bench(state, far) != 0)
        return -1;
    bench = *state;
    return FAILED(hostd_connect(&bench->place, &bench->hostd, &bench->error))
               ? -1
               : 0;
}

int bench_open(void **state) {
    return serve_bench(state, false);
}

int bench_far(void **state) {
    return serve_bench(state, true);
}

/* One that is far down leaves the folder that it is in. */
static bool remove_root(struct bench *bench) {
    static const char *const ours[] = {"pipes", "grants"};
    char *above = strstr(bench->path, "/xxx");

    for (size_t i = 0; i < 2; i++)
        unlinkat(bench->root, ours[i], AT_REMOVEDIR);
    close(bench->root);
    if (rmdir(bench->path) == 0) {
        if (above)
            *above = '\0';
        return !above || rmdir(bench->path) == 0;
    }
    print_error("something is left in %s\n", bench->path);
    return false;
}

int bench_close(void **state) {
    struct bench *bench = *state;
    bool good;

    if (bench->hostd)
        erase_all(bench);
    leave(bench);
    net_reply_free(&bench->reply);
    await_end(bench);
    good = remove_root(bench);
    free(bench);
    return good ? 0 : -1;
}

/* Whether a daemon finds what it needs here. */
static bool can_serve(void) {
    struct bench *bench;
    void *state;
    HRESULT hr;

    if (bench_bare(&state) != 0)
        return true; /* the tests will tell */
    bench = state;
    hr = hostd_connect(&bench->place, &bench->hostd, &bench->error);
    if (hr == E_ACCESSDENIED || hr == HR_NOT_SUPPORTED)
        printf("%s\n", bench->error.text);
    bench_close(&state);
    return hr != E_ACCESSDENIED && hr != HR_NOT_SUPPORTED;
}

/* For root the machine's network is one of this program's own. */
int bench_run(const struct CMUnitTest *tests, size_t number, int argc,
              char **argv) {
    if (argc > 1)
        program = argv[1];
    if (geteuid() == 0 && unshare(CLONE_NEWNET) != 0)
        print_message("the machine's own network is used\n");
    if (!can_serve())
        return 0;
    return _cmocka_run_group_tests("hostd", tests, number, NULL, NULL);
}

/* --- asking --------------------------------------------------------------- */

static char *quoted(const char *text) {
    char *copy = strdup(text);

    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static void post(struct bench *bench, HRESULT hr, struct net_request *request,
                 const char *text) {
    char *document = text ? quoted(text) : NULL;

    request->text = document;
    net_reply_free(&bench->reply);
    hostd_request(bench->hostd, &terms, request, &bench->reply);
    free(document);
    if (bench->reply.result != hr)
        print_error("%s\n",
                    bench->reply.record ? bench->reply.record : "(it worked)");
    assert_hr(bench->reply.result, hr);
}

void ask(struct bench *bench, HRESULT hr, enum net_verb verb,
         enum net_kind kind, const struct guid *id, const char *text) {
    struct net_request request = {.verb = verb, .kind = kind};

    if (id)
        request.id = *id;
    post(bench, hr, &request, text);
}

struct guid make(struct bench *bench, enum net_kind kind,
                 const struct guid *parent, const char *text) {
    struct net_request request = {.verb = NET_CREATE, .kind = kind};

    if (parent)
        request.parent = *parent;
    post(bench, S_OK, &request, text);
    return bench->reply.id;
}

void erase(struct bench *bench, enum net_kind kind, const struct guid *id) {
    ask(bench, S_OK, NET_DELETE, kind, id, NULL);
}

struct guid make_nat(struct bench *bench, unsigned which) {
    char text[256];

    snprintf(text, sizeof text,
             "{'Name':'nat%u','Type':'NAT','Ipams':[{'Subnets':[{"
             "'IpAddressPrefix':'10.77.%u.0/24'}]}]," V2 "}",
             which, which);
    return make(bench, NET_NETWORK, NULL, text);
}

struct guid make_endpoint(struct bench *bench, const struct guid *network) {
    return make(bench, NET_ENDPOINT, network, "{" V2 "}");
}

void put(struct bench *bench, const struct guid *space,
         const struct guid *endpoint) {
    char text[256], id[GUID_TEXT_SIZE];

    guid_format(endpoint, id);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','RequestType':'Add','Settings':{"
             "'EndpointId':'%s'}}",
             id);
    ask(bench, S_OK, NET_MODIFY, NET_NAMESPACE, space, text);
}

/* --- seeing --------------------------------------------------------------- */

static struct json_doc list(struct bench *bench, enum net_kind kind) {
    struct json_doc doc;

    ask(bench, S_OK, NET_ENUMERATE, kind, NULL, NULL);
    assert_hr(json_parse(bench->reply.document, strlen(bench->reply.document),
                         &doc, NULL),
              S_OK);
    assert_int_equal(doc.root->type, JSON_ARRAY);
    return doc;
}

size_t count(struct bench *bench, enum net_kind kind) {
    struct json_doc doc = list(bench, kind);
    size_t number = doc.root->as.array.count;

    json_doc_free(&doc);
    return number;
}

static void each(struct bench *bench, enum net_kind kind,
                 void (*visit)(struct bench *bench, enum net_kind kind,
                               const struct guid *id, void *context),
                 void *context) {
    struct json_doc doc = list(bench, kind);

    for (size_t i = 0; i < doc.root->as.array.count; i++) {
        struct guid id;

        assert_true(
            guid_parse(json_text(&doc.root->as.array.items[i], ""), &id));
        visit(bench, kind, &id, context);
    }
    json_doc_free(&doc);
}

static void draw(struct bench *bench, enum net_kind kind, const struct guid *id,
                 void *context) {
    ask(bench, S_OK, NET_QUERY, kind, id, "{" V2 "}");
    buf_printf(context, "%s\n", bench->reply.document);
    ask(bench, S_OK, NET_QUERY, kind, id, NULL);
    buf_printf(context, "%s\n", bench->reply.document);
}

static void hide_devices(char *text) {
    static const char name[] = "\"Device\":\"";

    for (char *c = text; (c = strstr(c, name));) {
        c += sizeof name - 1;
        for (char *d = c; *d != '"'; d++)
            *d = '-';
    }
}

char *picture(struct bench *bench) {
    struct buf all = {0};
    char *text;

    for (int kind = 0; kind < NET_KIND_COUNT; kind++)
        each(bench, (enum net_kind)kind, draw, &all);
    text = buf_take(&all);
    assert_non_null(text);
    hide_devices(text);
    return text;
}

static void erase_one(struct bench *bench, enum net_kind kind,
                      const struct guid *id, void *context) {
    (void)context;
    ask(bench, S_OK, NET_QUERY, kind, id, NULL);
    if (kind != NET_NAMESPACE ||
        !strstr(bench->reply.document, "\"IsDefault\":true"))
        erase(bench, kind, id);
}

void erase_all(struct bench *bench) {
    each(bench, NET_ENDPOINT, erase_one, NULL);
    each(bench, NET_NETWORK, erase_one, NULL);
    each(bench, NET_NAMESPACE, erase_one, NULL);
}

/* --- raw connections ------------------------------------------------------ */

int raw(const struct bench *bench) {
    unsigned char head[4];
    char body[512];
    size_t length;
    struct pollfd input = {-1, POLLIN, 0};
    int directory = openat(bench->root, HOSTD_DIRECTORY, O_PATH | O_CLOEXEC);

    assert_hr(socket_connect(directory, HOSTD_SOCKET, &input.fd, NULL), S_OK);
    close(directory);
    assert_int_equal(poll(&input, 1, 5000), 1);
    assert_int_equal(recv(input.fd, head, 4, MSG_WAITALL), 4);
    length = (size_t)head[0] | (size_t)head[1] << 8;
    assert_true(length < sizeof body && head[2] == 0 && head[3] == 0);
    assert_int_equal(recv(input.fd, body, length, MSG_WAITALL), length);
    body[length] = '\0';
    assert_non_null(strstr(body, "\"Hello\""));
    return input.fd;
}
