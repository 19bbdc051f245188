/* SPDX-License-Identifier: MIT
 * The loop's side: it watches the line and the taps, and sees to it that a
 * daemon is reached again. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../hostd/protocol.h"
#include "network_private.h"

/* A tap that is down, because its endpoint was deleted or given to another, is
 * noticed at the second of two looks, this many ms apart. */
#define LOOK 400
/* Between tries to reach a daemon, in ms. */
#define FIRST_PAUSE 250
#define LONGEST_PAUSE 30000

static bool has_adapters(struct network *network) {
    bool any;

    mutex_lock(&network->list);
    any = !link_alone(&network->adapters);
    mutex_unlock(&network->list);
    return any;
}

/* --- after a daemon's death ----------------------------------------------- */

static void on_work(uv_work_t *work) {
    struct network *network = work->data;

    mutex_lock(&network->calls);
    network->reached = SUCCEEDED(network_line(network, NULL)) &&
                       SUCCEEDED(network_attach_all(network));
    mutex_unlock(&network->calls);
}

/* Takes out what was lost; true while there is more. */
static bool tell_one(struct network *network) {
    struct adapter *found = NULL;
    struct guid endpoint;
    int tap = -1;

    mutex_lock(&network->list);
    for (struct link *l = network->adapters.next;
         !found && l != &network->adapters; l = l->next) {
        struct adapter *adapter = HCS_CONTAINER(l, struct adapter, link);

        if (adapter->lost || adapter->another >= 0)
            found = adapter;
    }
    if (found) {
        endpoint = found->terms.endpoint;
        tap = found->another;
        found->another = -1;
        if (tap >= 0) {
            close(found->tap);
            found->tap = fcntl(tap, F_DUPFD_CLOEXEC, 3);
        } else {
            link_remove(&found->link);
        }
    }
    mutex_unlock(&network->list);
    if (!found)
        return false;
    if (tap < 0)
        adapter_free(found);
    network->lost(network->context, &endpoint, tap);
    return true;
}

static void reach_daemon(struct network *network);

static void on_retry(uv_timer_t *timer) {
    reach_daemon(timer->data);
}

static void on_worked(uv_work_t *work, int status) {
    struct network *network = work->data;

    (void)status;
    network->working = false;
    if (!network->loop)
        return;
    while (tell_one(network))
        continue;
    if (network->reached || !has_adapters(network)) {
        network->pause = FIRST_PAUSE;
        return;
    }
    uv_timer_start(&network->retry, on_retry, network->pause, 0);
    network->pause *= 2;
    if (network->pause > LONGEST_PAUSE)
        network->pause = LONGEST_PAUSE;
}

static void reach_daemon(struct network *network) {
    if (network->working || !network->loop || !has_adapters(network))
        return;
    network->working = true;
    network->work.data = network;
    uv_queue_work(network->loop, &network->work, on_work, on_worked);
}

/* --- watching ------------------------------------------------------------- */

static void on_end_closed(uv_handle_t *handle) {
    struct network *network = handle->data;

    close(network->end_fd);
    network->end_fd = -1;
    mutex_lock(&network->list);
    if (network->fresh) /* it came meanwhile */
        network_wake(network);
    mutex_unlock(&network->list);
}

static void on_end(uv_poll_t *poll, int status, int events) {
    struct network *network = poll->data;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, on_end_closed);
    reach_daemon(network);
}

/* One line at a time: the handle of the last may be closing. */
static void watch_line(struct network *network) {
    if (network->end_fd >= 0) {
        if (!uv_is_closing((uv_handle_t *)&network->end))
            uv_close((uv_handle_t *)&network->end, on_end_closed);
        return;
    }
    mutex_lock(&network->list);
    network->end_fd = network->fresh_fd;
    network->fresh_fd = -1;
    network->fresh = false;
    mutex_unlock(&network->list);
    if (network->end_fd < 0)
        return;
    if (uv_poll_init(network->loop, &network->end, network->end_fd) != 0) {
        close(network->end_fd);
        network->end_fd = -1;
        return;
    }
    network->end.data = network;
    uv_poll_start(&network->end, UV_DISCONNECT, on_end);
}

/* Of a tap that is up anything can be written to, and nothing wakes us when
 * that ends. It is down for a moment while a daemon takes it over. */
static bool is_up(const struct adapter *adapter) {
    struct pollfd tap = {adapter->tap, POLLOUT, 0};

    return adapter->tap < 0 || poll(&tap, 1, 0) < 0 ||
           (tap.revents & (POLLOUT | POLLERR)) == POLLOUT;
}

static void on_look(uv_timer_t *timer) {
    struct network *network = timer->data;

    if (network->working)
        return;
    mutex_lock(&network->list);
    for (struct link *l = network->adapters.next; l != &network->adapters;
         l = l->next) {
        struct adapter *adapter = HCS_CONTAINER(l, struct adapter, link);

        adapter->down = is_up(adapter) ? 0 : adapter->down + 1;
        if (adapter->down > 1)
            adapter->lost = true;
    }
    mutex_unlock(&network->list);
    while (tell_one(network))
        continue;
}

static void on_changed(uv_async_t *async) {
    struct network *network = async->data;
    bool fresh, any;

    if (!network->loop)
        return;
    mutex_lock(&network->list);
    fresh = network->fresh;
    any = !link_alone(&network->adapters);
    mutex_unlock(&network->list);
    if (fresh)
        watch_line(network);
    if (any && !uv_is_active((uv_handle_t *)&network->look))
        uv_timer_start(&network->look, on_look, LOOK, LOOK);
    else if (!any)
        uv_timer_stop(&network->look);
}

/* --- its beginning and end ------------------------------------------------ */

bool network_open(struct network *network, uv_loop_t *loop,
                  const char *program) {
    const char *slash = strrchr(program, '/');

    mutex_init(&network->calls);
    mutex_init(&network->list);
    link_init(&network->adapters);
    network->end_fd = -1;
    network->fresh_fd = -1;
    network->pause = FIRST_PAUSE;
    if (!slash ||
        snprintf(network->program, sizeof network->program, "%.*s/%s",
                 (int)(slash - program), program,
                 HOSTD_PROGRAM) >= (int)sizeof network->program ||
        uv_async_init(loop, &network->changed, on_changed) != 0)
        return false;
    network->place.program = network->program;
    uv_timer_init(loop, &network->look);
    uv_timer_init(loop, &network->retry);
    network->changed.data = network;
    network->look.data = network;
    network->retry.data = network;
    network->loop = loop;
    return true;
}

void network_close(struct network *network) {
    if (!network->loop)
        return;
    network->loop = NULL;
    mutex_lock(&network->list);
    network->closed = true;
    mutex_unlock(&network->list);
    uv_close((uv_handle_t *)&network->look, NULL);
    uv_close((uv_handle_t *)&network->retry, NULL);
    if (network->end_fd >= 0 && !uv_is_closing((uv_handle_t *)&network->end))
        uv_close((uv_handle_t *)&network->end, NULL);
    uv_close((uv_handle_t *)&network->changed, NULL);
}

void network_free(struct network *network) {
    hostd_close(network->line);
    network->line = NULL;
    while (!link_alone(&network->adapters))
        adapter_free(
            HCS_CONTAINER(network->adapters.next, struct adapter, link));
    if (network->end_fd >= 0)
        close(network->end_fd);
    if (network->fresh_fd >= 0)
        close(network->fresh_fd);
    mutex_destroy(&network->calls);
    mutex_destroy(&network->list);
}
