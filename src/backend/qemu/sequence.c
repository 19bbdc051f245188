/* SPDX-License-Identifier: MIT */
#include "sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS (4 + QEMU_NICS)

struct step {
    const char *command;
    char *arguments;
    int fd;
    const char *event; /* to wait for, or NULL */
    char *device;
};

struct sequence {
    struct link link;
    struct machine *machine;
    struct waiter waiter;
    struct step steps[STEPS];
    size_t count;
    size_t next;   /* the step that is under way, plus one */
    bool replied;  /* to that step */
    bool happened; /* its event */
    bool failed;   /* out of memory while it was made */
    bool internal;
    bool broken; /* the event says so: `error` */
    struct hcs_error error;
};

struct sequence *sequence_new(struct machine *machine, machine_done done,
                              void *context) {
    struct sequence *sequence = calloc(1, sizeof *sequence);

    if (!sequence) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return NULL;
    }
    sequence->machine = machine;
    sequence->waiter = (struct waiter){done, context};
    link_append(&machine->sequences, &sequence->link);
    return sequence;
}

static void sequence_free(struct sequence *sequence) {
    link_remove(&sequence->link);
    for (size_t i = 0; i < sequence->count; i++) {
        free(sequence->steps[i].arguments);
        free(sequence->steps[i].device);
    }
    free(sequence);
}

static void add(struct sequence *sequence, int fd, const char *command,
                const char *format, va_list list) {
    struct step *step;

    if (!sequence)
        return;
    if (sequence->count == STEPS) {
        sequence->failed = true;
        return;
    }
    step = &sequence->steps[sequence->count++];
    step->command = command;
    step->fd = fd;
    if (format && vasprintf(&step->arguments, format, list) < 0) {
        step->arguments = NULL;
        sequence->failed = true;
    }
}

void sequence_add(struct sequence *sequence, const char *command,
                  const char *format, ...) {
    va_list list;

    va_start(list, format);
    add(sequence, -1, command, format, list);
    va_end(list);
}

void sequence_add_fd(struct sequence *sequence, int fd, const char *command,
                     const char *format, ...) {
    va_list list;

    va_start(list, format);
    add(sequence, fd, command, format, list);
    va_end(list);
}

void sequence_await(struct sequence *sequence, const char *event,
                    const char *device) {
    struct step *step;

    if (!sequence || sequence->count == 0)
        return;
    step = &sequence->steps[sequence->count - 1];
    step->event = event;
    if (device) {
        step->device = strdup(device);
        sequence->failed = sequence->failed || !step->device;
    }
}

void sequence_internal(struct sequence *sequence) {
    if (sequence)
        sequence->internal = true;
}

static void sequence_end(struct sequence *sequence,
                         const struct hcs_error *error) {
    struct waiter waiter = sequence->waiter;
    struct hcs_error copy;

    if (error)
        copy = *error; /* it may be the sequence's own */
    sequence_free(sequence);
    answer(&waiter, error ? copy.code : S_OK, error ? &copy : NULL);
}

static void advance(struct sequence *sequence);

static void on_reply(void *context, const struct json *value,
                     const struct hcs_error *error) {
    struct sequence *sequence = context;

    (void)value;
    if (error) {
        sequence_end(sequence, error);
        return;
    }
    sequence->replied = true;
    advance(sequence);
}

/* Sends the next step if the current one is through. */
static void advance(struct sequence *sequence) {
    struct step *step;

    if (sequence->next > 0) {
        step = &sequence->steps[sequence->next - 1];
        if (!sequence->replied || (step->event && !sequence->happened))
            return;
        if (sequence->broken) {
            sequence_end(sequence, &sequence->error);
            return;
        }
    }
    if (sequence->next == sequence->count) {
        sequence_end(sequence, NULL);
        return;
    }
    step = &sequence->steps[sequence->next++];
    sequence->replied = false;
    sequence->happened = false;
    qmp_send(sequence->machine->qmp, step->command, step->arguments, step->fd,
             on_reply, sequence);
}

void sequence_run(struct sequence *sequence) {
    struct hcs_error error;

    if (!sequence)
        return;
    if (sequence->failed) {
        error_set(&error, E_OUTOFMEMORY, NULL, "out of memory");
        sequence_end(sequence, &error);
    } else if (!sequence->machine->qmp) {
        error_set(&error, HCS_E_INVALID_STATE, NULL, "QEMU does not run");
        sequence_end(sequence, &error);
    } else {
        advance(sequence);
    }
}

/* What an event says of the work it ends: false while it goes on. */
static bool event_ends(const char *name, const struct json *data,
                       const char **failure) {
    const char *status;

    *failure = NULL;
    if (strcmp(name, "MIGRATION") == 0) {
        status = json_text(json_get(data, "status"), "");
        if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0)
            *failure = "QEMU could not transfer the state";
        return *failure || strcmp(status, "completed") == 0;
    }
    if (strcmp(name, "DUMP_COMPLETED") == 0)
        *failure = json_text(json_get(data, "error"), NULL);
    return true;
}

static bool awaits(const struct sequence *sequence, const char *name,
                   const struct json *data) {
    const struct step *step;

    if (sequence->next == 0)
        return false;
    step = &sequence->steps[sequence->next - 1];
    return step->event && strcmp(step->event, name) == 0 &&
           (!step->device ||
            strcmp(json_text(json_get(data, "device"), ""), step->device) == 0);
}

void sequences_event(struct machine *machine, const char *name,
                     const struct json *data) {
    struct link *next;

    for (struct link *l = machine->sequences.next; l != &machine->sequences;
         l = next) {
        struct sequence *sequence = HCS_CONTAINER(l, struct sequence, link);
        const char *failure;

        next = l->next;
        if (!awaits(sequence, name, data) || !event_ends(name, data, &failure))
            continue;
        sequence->happened = true;
        if (failure) {
            sequence->broken = true;
            error_set(&sequence->error, E_FAIL, NULL, "%s", failure);
        }
        advance(sequence);
        return;
    }
}

void sequences_end(struct machine *machine, const struct hcs_error *error) {
    while (!link_alone(&machine->sequences)) {
        struct sequence *sequence =
            HCS_CONTAINER(machine->sequences.next, struct sequence, link);

        if (!machine->destroyed || sequence->internal)
            sequence_end(sequence, error);
        else
            sequence_free(sequence);
    }
}
