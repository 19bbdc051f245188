/* SPDX-License-Identifier: MIT
 * Namespaces. */
#ifndef HCS_NET_SPACE_H
#define HCS_NET_SPACE_H

#include "endpoint.h"

struct space {
    struct object object;
    enum plane_namespace_type type;
    uint32_t number;       /* NamespaceId: as given, or the compartment's */
    uint32_t compartment;  /* 0: none yet, or none on this host */
    bool up;               /* the plane has it */
    bool hosts;            /* the one that every host has */
    char *owner;           /* NULL for none */
    struct link endpoints; /* by endpoint.of_space */
    struct container *containers;
    size_t container_count;
};

struct container {
    char *id;
};

HRESULT space_make_default(struct net *net, struct hcs_error *error);
struct space *space_of(struct object *object);
/* Takes an endpoint out of its namespace, if it is in one. */
void space_leave(struct net *net, struct endpoint *endpoint, bool quietly);
/* Makes the compartment, the first time it is needed. */
HRESULT space_bring_up(struct net *net, struct space *space,
                       struct hcs_error *error);
/* The endpoint's port in the namespace, which has one if it is of the host. */
HRESULT space_join(struct net *net, struct space *space,
                   struct endpoint *endpoint, struct hcs_error *error);
HRESULT space_add_container(struct space *space, const char *id,
                            struct hcs_error *error);
bool space_is_on_host(const struct space *space);
void space_keep(const struct object *object, bool held, struct json_writer *w);
HRESULT space_restore(struct net *net, struct object *object,
                      const struct json *kept, struct hcs_error *error);
void space_write(const struct net *net, const struct object *object,
                 const struct view *view, struct json_writer *w);

#endif
