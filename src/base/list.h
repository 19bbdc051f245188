/* SPDX-License-Identifier: MIT
 * A doubly linked list whose links live in the members. An unlinked link
 * points to itself, so unlinking twice is harmless. */
#ifndef HCS_LIST_H
#define HCS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct link {
    struct link *next;
    struct link *previous;
};

static inline void link_init(struct link *link) {
    link->next = link;
    link->previous = link;
}

static inline bool link_alone(const struct link *link) {
    return link->next == link;
}

static inline void link_remove(struct link *link) {
    link->next->previous = link->previous;
    link->previous->next = link->next;
    link_init(link);
}

/* Put `link` last in the list whose head is `head`. */
static inline void link_append(struct link *head, struct link *link) {
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

#endif
