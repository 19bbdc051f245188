/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "deliver.h"

/* A client's program for guests. */
struct program {
    struct object object; /* counted, but without a handle */
    struct link link;     /* in host->programs */
    char *id;             /* NULL: of all that have none of their own */
    HCSHOST_GUEST_CALLBACK callback;
    void *context;
    struct target target;
};

struct guest_event {
    struct item item;
    uint64_t guest;
    HCSHOST_GUEST_EVENT event;
    size_t length;
    char text[];
};

static void destroy(struct object *object) {
    struct program *program = HCS_CONTAINER(object, struct program, object);
    free(program->id);
    free(program);
}

static void tell(struct host *host, struct target *target, struct item *item) {
    struct program *program = HCS_CONTAINER(target, struct program, target);
    struct guest_event *told = HCS_CONTAINER(item, struct guest_event, item);
    HCSHOST_GUEST_CALLBACK callback = program->callback;
    void *context = program->context;

    delivery_begin(host);
    callback(context, told->guest, told->event, told->text, told->length);
    delivery_end(host);
    free(told);
}

static struct program *find(struct host *host, const char *id) {
    struct link *link;
    for (link = host->programs.next; link != &host->programs;
         link = link->next) {
        struct program *program = HCS_CONTAINER(link, struct program, link);
        if (id ? program->id && strcmp(program->id, id) == 0 : !program->id)
            return program;
    }
    return NULL;
}

static void drop_events(struct program *program) {
    while (!link_alone(&program->target.items)) {
        struct item *item =
            HCS_CONTAINER(program->target.items.next, struct item, link);
        target_drop(&program->target, item);
        free(HCS_CONTAINER(item, struct guest_event, item));
    }
}

static void forget(struct host *host, struct program *program) {
    link_remove(&program->link);
    drop_events(program);
    target_drain(host, &program->target);
    object_unref(&program->object);
}

void guest_forget_all(struct host *host) {
    while (!link_alone(&host->programs))
        forget(host, HCS_CONTAINER(host->programs.next, struct program, link));
}

static HRESULT add(struct host *host, const char *id, struct program **out,
                   struct hcs_error *error) {
    struct program *program = calloc(1, sizeof *program);
    if (program && id)
        program->id = text_copy(id);
    if (!program || (id && !program->id)) {
        free(program);
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a guest's program");
    }
    object_init(&program->object, HANDLE_HOST, destroy);
    target_init(&program->target, &program->object, tell);
    link_append(&host->programs, &program->link);
    *out = program;
    return S_OK;
}

HRESULT guest_program(struct host *host, const char *id,
                      HCSHOST_GUEST_CALLBACK callback, void *context,
                      struct hcs_error *error) {
    struct program *program = find(host, id);
    struct sim *sim = store_local_sim(host->store);
    HRESULT hr = S_OK;

    if (callback && !program)
        hr = add(host, id, &program, error);
    if (SUCCEEDED(hr))
        hr = sim_program(sim, id, callback != NULL, error);
    if (FAILED(hr)) {
        if (program && !program->callback)
            forget(host, program);
        return hr;
    }
    if (!callback) {
        if (program)
            forget(host, program);
        return hr;
    }
    program->callback = callback;
    program->context = context;
    return hr;
}

static struct guest_event *event_new(uint64_t guest, HCSHOST_GUEST_EVENT event,
                                     const char *text, size_t length) {
    struct guest_event *told = malloc(sizeof *told + length + 1);
    if (!told)
        return NULL;
    link_init(&told->item.link);
    told->item.kind = ITEM_GUEST;
    told->guest = guest;
    told->event = event;
    told->length = length;
    if (length > 0)
        memcpy(told->text, text, length);
    told->text[length] = '\0';
    return told;
}

/* A guest that cannot be told for want of memory is a guest that missed an
 * interrupt: nothing above depends on it. */
void guest_told(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                const char *text, size_t length) {
    struct host *host = context;
    struct program *program = NULL;
    struct guest_event *told;
    const char *id;

    if (host->closed) /* its guests go, and nobody listens */
        return;
    id = sim_guest_id(store_local_sim(host->store), guest);
    if (id)
        program = find(host, id);
    if (!program)
        program = find(host, NULL);
    if (!program)
        return;
    told = event_new(guest, event, text, length);
    if (told)
        target_queue(host, &program->target, &told->item);
}
