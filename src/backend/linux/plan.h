/* SPDX-License-Identifier: MIT
 * The plane that changes nothing: what its two files share. */
#ifndef HCS_LINUX_PLAN_H
#define HCS_LINUX_PLAN_H

#include "inside.h"

struct plan {
    struct plane *real;
    unsigned serial; /* the last that was given */
    struct link networks, endpoints;
    struct linux_plan_line *lines;
    size_t count, room;
    bool failed; /* there was no memory for a line */
};

/* The vtable knows planes by one name. */
struct plan *plan_of(struct plane *plane);
/* What there is no memory for is remembered. */
void plan_note(struct plan *plan, enum linux_plan_kind kind, bool machine,
               const char *format, ...) HCS_PRINTF(4, 5);
/* The rules of a transaction, which ends; what makes room for them is left
 * out. */
void plan_rules(struct plan *plan, struct buf *text);
/* S_OK, or E_OUTOFMEMORY when a line was lost. */
HRESULT plan_done(struct plan *plan, struct hcs_error *error);

/* --- plan_networks.c --------------------------------------------------- */

struct network *plan_network(struct plan *plan, const struct guid *id);
HRESULT plan_network_up(struct plane *plane, const struct plane_network *told,
                        struct hcs_error *error);
HRESULT plan_network_change(struct plane *plane,
                            const struct plane_network *told,
                            struct hcs_error *error);
void plan_network_down(struct plane *plane, const struct guid *id);
void plan_forget_networks(struct plan *plan);

#endif
