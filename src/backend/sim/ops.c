/* SPDX-License-Identifier: MIT
 * Operations under way. Each takes the world's latency and then happens at
 * once, from a timer whose room was taken with the machine. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

static void op_release(struct sim_op *op) {
    timers_disarm(op->machine->env.timers, &op->timer);
    free(op->path);
    op->path = NULL;
    op->used = false;
}

static void op_finish(struct sim_op *op, HRESULT result,
                      const struct hcs_error *error) {
    machine_done done = op->done;
    void *context = op->context;
    op_release(op);
    done(context, result, SUCCEEDED(result) ? NULL : error);
}

static void on_due(struct timer *timer, void *context) {
    struct sim_op *op = context;
    struct hcs_error error;
    (void)timer;
    HRESULT hr = op->run(op, &error);
    op_finish(op, hr, &error);
}

struct sim_op *sim_op_take(struct machine *machine, machine_done done,
                           void *context) {
    for (size_t i = 0; i < SIM_OPS; i++) {
        struct sim_op *op = &machine->ops[i];
        if (op->used)
            continue;
        op->used = true;
        op->done = done;
        op->context = context;
        return op;
    }
    struct hcs_error error;
    error_set(&error, HCS_E_OPERATION_PENDING, NULL,
              "the machine is busy with other operations");
    done(context, error.code, &error);
    return NULL;
}

void sim_op_submit(struct sim_op *op, sim_run run) {
    op->run = run;
    timers_arm(op->machine->env.timers, &op->timer,
               sim_now(op->machine) + op->machine->sim->options.latency);
}

bool sim_op_set_path(struct sim_op *op, const char *path) {
    struct hcs_error error;
    op->path = text_copy(path);
    if (op->path)
        return true;
    error_set(&error, E_OUTOFMEMORY, NULL, "no memory for a path");
    op_finish(op, error.code, &error);
    return false;
}

HRESULT sim_ops_init(struct machine *machine, struct hcs_error *error) {
    HRESULT hr = S_OK;
    for (size_t i = 0; i < SIM_OPS && SUCCEEDED(hr); i++) {
        struct sim_op *op = &machine->ops[i];
        op->machine = machine;
        hr = timers_add(machine->env.timers, &op->timer, on_due, op, error);
        op->ready = SUCCEEDED(hr);
    }
    return hr;
}

void sim_ops_free(struct machine *machine) {
    for (size_t i = 0; i < SIM_OPS; i++) {
        free(machine->ops[i].path);
        if (machine->ops[i].ready)
            timers_remove(machine->env.timers, &machine->ops[i].timer);
    }
}

void sim_ops_cancel(struct machine *machine, const struct sim_op *self) {
    struct hcs_error error;
    error_set(&error, HCS_E_TERMINATED, NULL, "the machine was switched off");
    for (size_t i = 0; i < SIM_OPS; i++)
        if (machine->ops[i].used && &machine->ops[i] != self)
            op_finish(&machine->ops[i], error.code, &error);
}
