/* SPDX-License-Identifier: MIT
 * The daemon as a whole, from beginning to end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "daemon.h"
#include "ground.h"

#define FILES "files"
#define LONGEST_PATH 200
#define DEFAULT_BUILD 26100 /* until the first request says another */

/* Under which a state root's path leads to the id of its host's namespace. */
static const struct guid name_space = {{0x5e, 0x1b, 0x7a, 0x26, 0x9d, 0x40,
                                        0x4c, 0x11, 0xb3, 0x8f, 0x62, 0x0a,
                                        0xd5, 0x74, 0x19, 0xc3}};

/* --- the plane's files ---------------------------------------------------- */

/* A path that the plane's programs can use, too. */
static void files_path(const struct daemon *daemon, char out[PATH_MAX]) {
    int length = snprintf(out, PATH_MAX, "%s/" HOSTD_DIRECTORY "/" FILES,
                          daemon->root_path);

    if (length < 0 || length > LONGEST_PATH)
        snprintf(out, PATH_MAX, "/proc/%d/fd/%d/" FILES, (int)getpid(),
                 daemon->directory);
}

static HRESULT open_plane(struct daemon *daemon, struct hcs_error *error) {
    char path[PATH_MAX];

    if (mkdirat(daemon->directory, FILES, 0700) != 0 && errno != EEXIST)
        return error_errno(error, errno, "the networks' own files");
    files_path(daemon, path);
    return ground_open(path, &daemon->plane, error);
}

/* --- the net -------------------------------------------------------------- */

static int64_t wall(void *context) {
    (void)context;
    return clock_wall();
}

static uint64_t next_random(void *context) {
    struct daemon *daemon = context;

    return random_next(&daemon->random);
}

static HRESULT open_net(struct daemon *daemon, struct hcs_error *error) {
    struct net_env env = {
        .ops = ground_ops(),
        .plane = daemon->plane,
        .now = wall,
        .random = next_random,
        .event = clients_tell,
        .gone = store_forget,
        .context = daemon,
        .build = DEFAULT_BUILD,
    };
    uint64_t seed;
    HRESULT hr = random_system(&seed, sizeof seed, error);

    if (FAILED(hr))
        return hr;
    random_seed(&daemon->random, seed);
    guid_from_name(&name_space, daemon->root_path, strlen(daemon->root_path),
                   &env.host_namespace);
    return net_open(&env, &daemon->net, error);
}

static HRESULT count_own_rules(struct daemon *daemon, struct hcs_error *error) {
    struct ground_counts counts;
    HRESULT hr = ground_count(daemon->plane, &counts, error);

    if (SUCCEEDED(hr))
        daemon->own_rules = counts.rules;
    return hr;
}

HRESULT daemon_open(struct daemon *daemon, const char *root_path, int directory,
                    struct hcs_error *error) {
    HRESULT hr;

    memset(daemon, 0, sizeof *daemon);
    daemon->root_path = root_path;
    daemon->directory = directory;
    daemon->listen_fd = -1;
    daemon->home_fd = -1;
    for (size_t i = 0; i < NET_KIND_COUNT; i++)
        daemon->objects[i] = -1;
    link_init(&daemon->clients);
    link_init(&daemon->holds);
    hr = ground_enter(error);
    if (SUCCEEDED(hr))
        hr = store_open(daemon, error);
    if (SUCCEEDED(hr))
        hr = open_plane(daemon, error);
    if (SUCCEEDED(hr))
        hr = open_net(daemon, error);
    if (SUCCEEDED(hr))
        hr = count_own_rules(daemon, error);
    /* Where it is not possible any more, networks come back without. */
    if (SUCCEEDED(hr) && store_has_uplink(daemon))
        ground_uplink(daemon->plane, NULL);
    if (SUCCEEDED(hr))
        hr = store_load_begin(daemon, error);
    return hr;
}

void daemon_close(struct daemon *daemon) {
    store_load_end(daemon);
    store_close(daemon);
    net_close(daemon->net);
    daemon->net = NULL;
    if (daemon->plane)
        ground_ops()->destroy(daemon->plane);
    daemon->plane = NULL;
    unlinkat(daemon->directory, FILES, AT_REMOVEDIR);
}

/* --- the loop ------------------------------------------------------------- */

static bool is_over(const struct daemon *daemon) {
    return daemon->failed || (!daemon->loader && link_alone(&daemon->clients) &&
                              net_count(daemon->net, NET_NETWORK) == 0 &&
                              net_count(daemon->net, NET_ENDPOINT) == 0 &&
                              net_count(daemon->net, NET_NAMESPACE) <= 1);
}

static void on_prepare(uv_prepare_t *prepare) {
    struct daemon *daemon = prepare->data;

    clients_flush(daemon);
    if (is_over(daemon))
        uv_stop(&daemon->loop);
}

/* Many endpoints take longer than clients wait for a greeting. */
static void on_load(uv_idle_t *idle) {
    struct daemon *daemon = idle->data;
    HRESULT hr = store_load_step(daemon, NULL);

    if (hr == S_FALSE)
        return;
    uv_idle_stop(idle);
    daemon->failed = FAILED(hr);
    clients_hear(daemon);
}

/* What cannot be mended now is tried again with the next network that is
 * changed; there is nobody to tell. */
static void on_ground(uv_poll_t *poll, int status, int events) {
    struct daemon *daemon = poll->data;

    (void)events;
    if (status >= 0)
        ground_tend(daemon->plane, NULL);
}

static HRESULT watch_ground(struct daemon *daemon, struct hcs_error *error) {
    int fd = ground_pollfd(daemon->plane);

    if (fd < 0)
        return S_OK;
    if (uv_poll_init(&daemon->loop, &daemon->ground, fd) != 0)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "the plane");
    daemon->ground.data = daemon;
    daemon->tending = true;
    uv_poll_start(&daemon->ground, UV_READABLE, on_ground);
    return S_OK;
}

static HRESULT loop_open(struct daemon *daemon, struct hcs_error *error) {
    int status = uv_loop_init(&daemon->loop);

    if (status != 0)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL,
                         "the network service (" HOSTD_PROGRAM "): %s",
                         uv_strerror(status));
    uv_prepare_init(&daemon->loop, &daemon->prepare);
    uv_timer_init(&daemon->loop, &daemon->pause);
    uv_idle_init(&daemon->loop, &daemon->load);
    daemon->prepare.data = daemon;
    daemon->pause.data = daemon;
    daemon->load.data = daemon;
    uv_prepare_start(&daemon->prepare, on_prepare);
    uv_idle_start(&daemon->load, on_load);
    home_watch(daemon);
    return S_OK;
}

static void loop_close(struct daemon *daemon) {
    clients_stop_listening(daemon);
    clients_drop_all(daemon);
    if (daemon->tending)
        uv_close((uv_handle_t *)&daemon->ground, NULL);
    uv_close((uv_handle_t *)&daemon->prepare, NULL);
    uv_close((uv_handle_t *)&daemon->pause, NULL);
    uv_close((uv_handle_t *)&daemon->load, NULL);
    home_leave(daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    uv_loop_close(&daemon->loop);
}

HRESULT daemon_run(struct daemon *daemon, int first, struct hcs_error *error) {
    HRESULT hr = loop_open(daemon, error);

    if (FAILED(hr)) {
        client_refuse(first, error);
        return hr;
    }
    hr = watch_ground(daemon, error);
    if (SUCCEEDED(hr))
        hr = clients_listen(daemon, error);
    if (SUCCEEDED(hr))
        hr = client_add(daemon, first, error);
    else
        client_refuse(first, error);
    /* Somebody may have come in the round in which it was over. */
    while (SUCCEEDED(hr) && !is_over(daemon))
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
    loop_close(daemon);
    return hr;
}
