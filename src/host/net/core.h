/* SPDX-License-Identifier: MIT
 * The inside of a net, for the files of this room only.
 *
 * Every object is an `object` in its kind's table; what differs between kinds
 * is in a `kind`. What an object says that can be changed lies in parts that
 * are replaced as a whole: a change makes the new part, shows it to the plane
 * and puts it in place of the old one, which cannot fail any more. */
#ifndef HCS_NET_CORE_H
#define HCS_NET_CORE_H

#include "../../base/index.h"
#include "../../base/list.h"
#include "doc.h"
#include "net.h"

struct object {
    struct link link; /* in its kind's list, in the order of making */
    struct entry by_id;
    struct guid id;
    enum net_kind kind;
    uint64_t order;      /* the later made, the higher */
    struct link changed; /* in net->changed, if it changed */
};

struct table {
    struct link objects;
    struct index by_id;
};

struct net {
    struct net_env env;
    struct table tables[NET_KIND_COUNT];
    struct index names;    /* of networks, folded */
    struct index mappings; /* of struct mapped_port: protocol and port */
    unsigned next_port;    /* where the search for a free one goes on */
    uint32_t next_compartment;
    uint64_t next_order;
    struct link changed; /* by object.changed: since net_next_changed */
    /* What is read was written by us: nothing is added to it, nobody told. */
    bool restoring;
    bool closing;
};

/* The form in which properties are asked for. */
struct view {
    bool v1;
    bool detailed;
};

/* What an object is made from. */
struct making {
    struct guid id;
    struct guid parent;
    const struct doc *doc; /* in the v2 form */
};

/* It would take such members for macros. */
/* clang-format off */
struct kind {
    const char *noun;
    HRESULT missing, exists;
    bool upper; /* its ids are written in capitals */
    const char *shape, *v1_shape, *modify_shape; /* types of its documents */
    const char *const *v1_members; /* what only its v1 form has; NULL ends */
    /* Writes the v2 form of a v1 document. */
    void (*from_v1)(const struct doc *doc, struct json_writer *w);
    /* Makes it and puts it in its table. */
    HRESULT (*create)(struct net *net, const struct making *making,
                      struct object **out, struct hcs_error *error);
    /* `request` is a ModifySettingRequest. */
    HRESULT (*modify)(struct net *net, struct object *object,
                      const struct doc *request, struct hcs_error *error);
    /* Takes it out, and what hangs on it, and frees it. */
    HRESULT (*remove)(struct net *net, struct object *object,
                      struct hcs_error *error);
    /* The same without events, and never refused. */
    void (*drop)(struct net *net, struct object *object);
    void (*write)(const struct net *net, const struct object *object,
                  const struct view *view, struct json_writer *w);
    /* Writes what its properties do not tell, as members. */
    void (*keep)(const struct object *object, bool held, struct json_writer *w);
    /* The reverse, of one that was just made from its properties. */
    HRESULT (*restore)(struct net *net, struct object *object,
                       const struct json *kept, struct hcs_error *error);
};
/* clang-format on */

const struct kind *kind_of(enum net_kind kind);
extern const struct kind kind_network, kind_endpoint, kind_namespace;

/* --- object.c ------------------------------------------------------ */

void object_put(struct net *net, enum net_kind kind, struct object *object,
                const struct guid *id);
void object_take(struct net *net, enum net_kind kind, struct object *object);
/* Something of it that is kept is different from before. */
void object_changed(struct net *net, struct object *object);
/* NULL when there is none. */
struct object *object_find(const struct net *net, enum net_kind kind,
                           const struct guid *id);
/* The kind's `missing` with a sentence when there is none. */
HRESULT object_need(const struct net *net, enum net_kind kind,
                    const struct guid *id, struct object **out,
                    struct hcs_error *error);
void object_new_id(struct net *net, struct guid *out);
/* "7b7c…" or "7B7C…" as the kind has it. */
void object_id_text(enum net_kind kind, const struct guid *id,
                    char out[GUID_TEXT_SIZE]);
void put_id(struct json_writer *w, const char *name, enum net_kind kind,
            const struct guid *id);
void put_guid(struct json_writer *w, const char *name, const struct guid *id);
/* The members that end every v2 document, and the service's version. */
void put_schema_version(struct json_writer *w);
uint64_t service_version(int build);

HRESULT out_of_memory(struct hcs_error *error);

/* --- shape.c ------------------------------------------------------- */

/* Whether all that the document says, read or not, has the JSON type that the
 * published shapes give it, and ids are GUIDs. Other faults are for those who
 * read it, who know what they mean. */
HRESULT shape_check(const struct json *document, const char *shape,
                    struct hcs_error *error);

/* --- events.c ------------------------------------------------------ */

void tell(const struct net *net, enum net_event_type type, HRESULT status,
          enum net_kind kind, const struct guid *id, uint32_t flags,
          const struct guid *endpoint);

/* --- query.c ------------------------------------------------------- */

/* What a HostComputeQuery asks for. `filter.root` is NULL without a filter. */
struct query {
    struct view view;
    struct json_doc filter;
};
/* `text` may be NULL. */
HRESULT query_read(const char *text, struct query *out,
                   struct hcs_error *error);
void query_free(struct query *query);
HRESULT query_enumerate(const struct net *net, enum net_kind kind,
                        const struct query *query, struct buf *out,
                        struct hcs_error *error);

/* --- v1.c ---------------------------------------------------------- */

/* Whether a document is of the v1 form, by its SchemaVersion and members. */
HRESULT v1_recognise(const struct doc *doc, const struct kind *kind, bool *v1,
                     struct hcs_error *error);
void v1_network(const struct doc *doc, struct json_writer *w);
void v1_endpoint(const struct doc *doc, struct json_writer *w);
void v1_namespace(const struct doc *doc, struct json_writer *w);
extern const char *const v1_network_members[];
extern const char *const v1_endpoint_members[];
extern const char *const v1_namespace_members[];

/* --- save.c -------------------------------------------------------- */

/* HR_INVALID_DATA for a saved text that lacks `what`. */
HRESULT saved_bad(struct hcs_error *error, const char *what);
/* An id that may be absent. */
HRESULT saved_guid(const struct json *kept, const char *name, struct guid *out,
                   struct hcs_error *error);
HRESULT saved_number(const struct json *kept, const char *name, uint64_t most,
                     uint64_t *out, struct hcs_error *error);

/* --- modify.c ------------------------------------------------------ */

enum change {
    CHANGE_ADD,
    CHANGE_REMOVE,
    CHANGE_UPDATE,
    CHANGE_REFRESH,
    CHANGE_RESET
};

/* Reads ResourceType and RequestType; `settings` is its Settings. */
HRESULT modify_read(const struct doc *request, const struct doc_name *resources,
                    unsigned *resource, enum change *change,
                    struct doc *settings, struct hcs_error *error);
HRESULT modify_unsupported(const struct doc *request, const char *resource,
                           enum change change, struct hcs_error *error);

#endif
