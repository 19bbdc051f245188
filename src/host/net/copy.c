/* SPDX-License-Identifier: MIT
 * A net made like another, to try something on. */
#include "core.h"

static HRESULT copy_object(const struct net *from, struct net *to,
                           const struct object *object,
                           struct hcs_error *error) {
    struct buf text = {0};
    struct json_doc saved = {0};
    HRESULT hr = net_save(from, object->kind, &object->id, NET_SAVE_TRANSIENT,
                          &text, error);

    if (hr == S_OK)
        hr = json_parse(text.data, text.length, &saved, error);
    if (hr == S_OK)
        hr = net_restore(to, object->kind, saved.root, error);
    json_doc_free(&saved);
    buf_free(&text);
    return hr;
}

HRESULT net_copy(const struct net *from, struct net *to,
                 struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (int kind = 0; kind < NET_KIND_COUNT; kind++) {
        const struct link *head = &from->tables[kind].objects;

        for (const struct link *l = head->next; SUCCEEDED(hr) && l != head;
             l = l->next)
            hr = copy_object(from, to, HCS_CONTAINER(l, struct object, link),
                             error);
    }
    return SUCCEEDED(hr) ? S_OK : hr;
}
