/* SPDX-License-Identifier: MIT
 * The plane that changes nothing and writes down what another would do: its
 * lines, and the way out. */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan *plan_of(struct plane *plane) {
    return (struct plan *)(void *)plane;
}

/* --- lines ------------------------------------------------------------- */

static void keep(struct plan *plan, enum linux_plan_kind kind, bool machine,
                 char *text) {
    if (text && plan->count == plan->room) {
        size_t room = plan->room ? plan->room * 2 : 32;
        struct linux_plan_line *more =
            realloc(plan->lines, room * sizeof *more);

        if (more) {
            plan->lines = more;
            plan->room = room;
        }
    }
    if (!text || plan->count == plan->room) {
        plan->failed = true;
        free(text);
        return;
    }
    plan->lines[plan->count++] = (struct linux_plan_line){kind, machine, text};
}

void plan_note(struct plan *plan, enum linux_plan_kind kind, bool machine,
               const char *format, ...) {
    struct buf text = {0};
    char line[512];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* Names are any text; a line is one. */
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    buf_puts(&text, line);
    keep(plan, kind, machine, buf_take(&text));
}

void plan_rules(struct plan *plan, struct buf *text) {
    const char *line = text->data ? text->data : "";

    plan->failed = plan->failed || text->failed;
    for (; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");

        if (strncmp(line, "add rule", 8) == 0 ||
            strncmp(line, "add element", 11) == 0 ||
            strncmp(line, "delete element", 14) == 0)
            plan_note(plan, LINUX_PLAN_RULE, false, "%.*s", (int)length, line);
        line += length;
    }
    buf_free(text);
}

HRESULT plan_done(struct plan *plan, struct hcs_error *error) {
    HRESULT hr = plan->failed ? no_memory(error) : S_OK;

    plan->failed = false;
    return hr;
}

const struct linux_plan_line *linux_plan_line(const struct plane *plane,
                                              size_t which) {
    const struct plan *plan = (const struct plan *)(const void *)plane;

    return which < plan->count ? &plan->lines[which] : NULL;
}

void linux_plan_clear(struct plane *plane) {
    struct plan *plan = plan_of(plane);

    for (size_t i = 0; i < plan->count; i++)
        free((char *)(uintptr_t)plan->lines[i].text);
    plan->count = 0;
}

/* --- the uplink -------------------------------------------------------- */

HRESULT linux_plan_uplink(struct plane *plane, struct hcs_error *error) {
    struct plan *plan = plan_of(plane);

    if (plan->real->cable.there > 0)
        return S_OK;
    plan_note(
        plan, LINUX_PLAN_INTERFACE, true,
        "make hcs-up0 (or the next number that is free), joined to the plane");
    plan_note(
        plan, LINUX_PLAN_ADDRESS, true,
        "add the first address of a prefix of length 30 that nobody on the "
        "machine has to it");
    plan_note(plan, LINUX_PLAN_SETTING, true,
              "net.ipv4.conf.hcs-up0.forwarding = 1");
    plan_note(plan, LINUX_PLAN_RULE, true,
              "a table of its own: what comes from that prefix is translated "
              "(masquerade)");
    plan_note(plan, LINUX_PLAN_INTERFACE, false, "make up0, joined to it");
    plan_note(plan, LINUX_PLAN_ROUTE, false, "add 0.0.0.0/0 by it");
    return plan_done(plan, error);
}

/* --- beginning ----------------------------------------------------------- */

HRESULT linux_plan_open(struct plane *plane, struct plane **out,
                        struct hcs_error *error) {
    struct plan *plan = calloc(1, sizeof *plan);

    *out = NULL;
    if (!plan)
        return no_memory(error);
    plan->real = plane;
    plan->serial = plane->serial;
    link_init(&plan->networks);
    link_init(&plan->endpoints);
    *out = (struct plane *)(void *)plan;
    return S_OK;
}
