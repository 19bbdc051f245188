/* SPDX-License-Identifier: MIT
 * The services of a simulated host stop and start: what becomes of the handles
 * to systems, and where new ones are refused meanwhile (those to networks:
 * hcn.c). The systems themselves go on, except those that end with their last
 * handle: the service takes its handles along. So do networks stay, except
 * those that were made to go with it. */
#include "hcn.h"
#include "system.h"

struct store *host_serving_store(struct host *host, struct hcs_error *error) {
    if (!host->service_down)
        return host_store(host, error);
    error_set(error, HCS_E_SERVICE_NOT_AVAILABLE, NULL,
              "the compute service is not running");
    return NULL;
}

HRESULT system_check_connected(const struct system *system,
                               struct hcs_error *error) {
    if (!system->lost)
        return S_OK;
    return error_set(error, HCS_E_SERVICE_DISCONNECT, NULL,
                     "the compute service went away under this handle to the "
                     "system \"%s\"",
                     system->id);
}

/* Also of handles that were closed meanwhile. */
static void end_requests(struct host *host) {
    struct hcs_error error;
    struct vm_reply reply = {.result = HCS_E_SERVICE_DISCONNECT,
                             .error = &error};
    struct link *link;

    error_set(&error, HCS_E_SERVICE_DISCONNECT, NULL,
              "the compute service went away before the operation was done");
    for (link = host->requests.next; link != &host->requests;
         link = link->next) {
        struct request *request = HCS_CONTAINER(link, struct request, link);
        if (request->operation)
            operation_finish(request_abandon(request), &reply);
    }
}

static void disconnect(struct system *system) {
    struct store_line *line = system->line;

    if (system->lost)
        return;
    system->lost = true;
    system_queue_event(system, HcsEventServiceDisconnect, NULL);
    system->line = NULL;
    if (line)
        system->host->store->ops->close(line);
}

HRESULT host_set_service(struct host *host, bool running) {
    struct link *link;

    if (host->service_down == !running)
        return S_FALSE;
    host->service_down = !running;
    if (running)
        return S_OK;
    systems_settle(host); /* what has exited before is known to have */
    end_requests(host);   /* completions come before events, as at an exit */
    for (link = host->systems.next; link != &host->systems; link = link->next)
        disconnect(HCS_CONTAINER(link, struct system, link));
    hcn_disconnect(host);
    if (host->hcn)
        net_drop_transient(host->hcn->net);
    host_changed(host);
    return S_OK;
}
