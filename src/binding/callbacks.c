/* SPDX-License-Identifier: MIT
 * What a host calls, on whatever thread it likes. Each callback copies first
 * and locks then, and never waits for Lua. */
#include "queue_parts.h"

#include <stdlib.h>
#include <string.h>

#include "../base/utf.h"

/* How far back one looks for an item that says the same already. */
#define COALESCE_REACH 64u

/* Exits, completions, crashes and a service that is gone: what a script waits
 * for. The rest informs. */
static bool is_vital(HCS_EVENT_TYPE type) {
    return type == HcsEventSystemExited ||
           type == HcsEventSystemCrashInitiated ||
           type == HcsEventSystemCrashReport || type == HcsEventProcessExited ||
           type == HcsEventOperationCallback ||
           type == HcsEventServiceDisconnect;
}

static struct item *find_same(struct queue *queue, const struct item *like) {
    struct link *at = queue->items.previous;
    for (unsigned i = 0; i < COALESCE_REACH && at != &queue->items; i++) {
        struct item *item = HCS_CONTAINER(at, struct item, link);
        if (item->kind == like->kind && item->number == like->number &&
            item->type == like->type && item->operation == like->operation)
            return item;
        at = at->previous;
    }
    return NULL;
}

/* Puts the news into an item that is there already; takes its text over. */
static void renew(struct queue *queue, struct item *item,
                  const struct item *news) {
    free(item->text);
    item->text = news->text;
    item->length = news->length;
    queue->counts.coalesced++;
}

/* What is kept ready is for handles; guests have no claim to it. */
static struct item *vital_item(struct queue *queue, enum item_kind kind) {
    struct item *item;
    if (kind != ITEM_GUEST && !link_alone(&queue->spare)) {
        item = HCS_CONTAINER(queue->spare.next, struct item, link);
        link_remove(&item->link);
        return item;
    }
    item = malloc(sizeof(*item));
    if (item != NULL)
        queue->held++;
    return item;
}

/* With no memory left, an operation that is done again is one that is done,
 * and the newest report stands for those before it. */
static void push_vital(struct queue *queue, const struct item *news) {
    struct item *item = vital_item(queue, news->kind);
    if (item == NULL) {
        item = find_same(queue, news);
        if (item != NULL) {
            renew(queue, item, news);
        } else {
            free(news->text);
            queue->counts.dropped++;
        }
        return;
    }
    *item = *news;
    queue_append(queue, item);
}

/* Two that are of one type are about two networks: neither stands for the
 * other. */
static void push_notice(struct queue *queue, const struct item *news) {
    struct item *item = NULL;
    if (queue->chatter < QUEUE_CHATTER_ITEMS)
        item = malloc(sizeof(*item));
    if (item == NULL) {
        free(news->text);
        queue->counts.dropped++;
        return;
    }
    *item = *news;
    queue->chatter++;
    queue_append(queue, item);
}

static void push_chatter(struct queue *queue, const struct item *news) {
    struct item *item = find_same(queue, news);
    if (item != NULL)
        renew(queue, item, news);
    else
        push_notice(queue, news);
}

/* What a guest is sent is one stream: it goes on in the last item if that is
 * the same guest's input. */
static bool append_input(struct queue *queue, const struct item *news) {
    struct item *last;
    char *text;
    if (link_alone(&queue->items))
        return false;
    last = HCS_CONTAINER(queue->items.previous, struct item, link);
    if (last->kind != ITEM_GUEST || last->number != news->number ||
        last->type != HcsHostGuestInput)
        return false;
    text = realloc(last->text, last->length + news->length + 1);
    if (text == NULL)
        return false;
    memcpy(text + last->length, news->text, news->length + 1);
    last->text = text;
    last->length += news->length;
    free(news->text);
    queue->counts.coalesced++;
    return true;
}

static void push_input(struct queue *queue, const struct item *news) {
    struct item *item = NULL;
    if (news->text == NULL || queue->input + news->length > QUEUE_INPUT_BYTES) {
        free(news->text);
        queue->counts.dropped++;
        return;
    }
    queue->input += news->length;
    if (append_input(queue, news))
        return;
    if (queue->chatter < QUEUE_CHATTER_ITEMS)
        item = malloc(sizeof(*item));
    if (item == NULL) {
        queue->input -= news->length;
        free(news->text);
        queue->counts.dropped++;
        return;
    }
    *item = *news;
    queue->chatter++;
    queue_append(queue, item);
}

/* Files `news` where the context leads; its text is gone from here on. */
static void push(void *context, const struct item *news) {
    struct queue *queue = queue_enter((uint64_t)(uintptr_t)context);
    if (queue == NULL) {
        free(news->text);
        return;
    }
    mutex_lock(&queue->lock);
    if (news->vital)
        push_vital(queue, news);
    else if (news->kind == ITEM_GUEST)
        push_input(queue, news);
    else if (news->kind == ITEM_NETWORK)
        push_notice(queue, news);
    else
        push_chatter(queue, news);
    mutex_unlock(&queue->lock);
    queue_leave();
}

void CALLBACK queue_on_operation(HCS_OPERATION operation, void *context) {
    struct item item = {.kind = ITEM_OPERATION,
                        .vital = true,
                        .number = (uint64_t)(uintptr_t)context};
    (void)operation;
    push(context, &item);
}

/* The number of an operation that an event names: its context. */
static uint64_t number_of(HCS_OPERATION operation, void *context) {
    struct queue *queue = queue_enter((uint64_t)(uintptr_t)context);
    void *(WINAPI * context_of)(HCS_OPERATION);
    if (queue == NULL)
        return 0;
    context_of = queue->context_of;
    queue_leave();
    return (uint64_t)(uintptr_t)context_of(operation);
}

/* One that cannot be copied is left out; the event is not. */
static void copy_document(PCWSTR document, struct item *item) {
    if (document != NULL &&
        FAILED(utf8_from_utf16(document, utf16_length(document), &item->text,
                               &item->length, NULL))) {
        item->text = NULL;
        item->length = 0;
    }
}

void CALLBACK queue_on_event(HCS_EVENT *event, void *context) {
    struct item item = {.kind = ITEM_EVENT,
                        .vital = is_vital(event->Type),
                        .type = (int32_t)event->Type,
                        .number = (uint64_t)(uintptr_t)context};
    copy_document(event->EventData, &item);
    if (event->Type == HcsEventOperationCallback && event->Operation != NULL)
        item.operation = number_of(event->Operation, context);
    push(context, &item);
}

void CALLBACK queue_on_notification(DWORD type, void *context, HRESULT status,
                                    PCWSTR data) {
    struct item item = {.kind = ITEM_NETWORK,
                        .vital = type == HcnNotificationServiceDisconnect,
                        .type = (int32_t)type,
                        .status = status,
                        .number = (uint64_t)(uintptr_t)context};
    copy_document(data, &item);
    push(context, &item);
}

void queue_on_guest(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                    const char *text, size_t length) {
    struct item item = {.kind = ITEM_GUEST,
                        .vital = event != HcsHostGuestInput,
                        .type = (int32_t)event,
                        .number = guest};
    if (length > 0) {
        item.text = malloc(length + 1);
        if (item.text != NULL) {
            memcpy(item.text, text, length);
            item.text[length] = '\0';
            item.length = length;
        }
    }
    push(context, &item);
}
