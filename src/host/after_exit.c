/* SPDX-License-Identifier: MIT
 * What a handle answers by itself once its system is gone, and what becomes of
 * the requests that were under way when it went. */
#include <string.h>

#include "../schema/schema.h"
#include "system.h"

#define EXIT_TYPE_SIZE 24

/* "" when the document does not say. */
static void exit_type(const struct system *system, char out[EXIT_TYPE_SIZE]) {
    const char *text = system->exit_document;
    struct json_doc doc;

    out[0] = '\0';
    if (!text || FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return;
    text = json_text(json_get(doc.root, "ExitType"), "");
    if (strlen(text) < EXIT_TYPE_SIZE)
        strcpy(out, text);
    json_doc_free(&doc);
}

static bool was_forced(const struct system *system) {
    char type[EXIT_TYPE_SIZE];
    exit_type(system, type);
    return strcmp(type, "ForcedExit") == 0;
}

/* Members in the schema's order. */
static void write_stopped(const struct system *system, struct json_writer *w) {
    char runtime_id[37];
    char type[EXIT_TYPE_SIZE];

    vm_runtime_id_of(system->id, runtime_id);
    exit_type(system, type);
    json_begin_object(w);
    json_pair_string(w, "Id", system->id);
    json_pair_string(w, "SystemType", "VirtualMachine");
    if (system->name)
        json_pair_string(w, "Name", system->name);
    if (system->owner)
        json_pair_string(w, "Owner", system->owner);
    json_pair_string(w, "RuntimeId", runtime_id);
    json_pair_string(w, "State", "Stopped");
    json_pair_bool(w, "Stopped", true);
    if (type[0])
        json_pair_string(w, "ExitType", type);
    json_end_object(w);
}

/* The document is the caller's to free. */
static HRESULT stopped_properties(const struct system *system, struct buf *out,
                                  struct hcs_error *error) {
    struct json_writer writer = {.out = out};
    write_stopped(system, &writer);
    if (!out->failed)
        return S_OK;
    return error_set(error, HCS_E_OPERATION_RESULT_ALLOCATION_FAILED, NULL,
                     "out of memory for the properties");
}

static HRESULT already_stopped(const struct system *system,
                               struct hcs_error *error) {
    return error_set(error, HCS_E_SYSTEM_ALREADY_STOPPED, NULL,
                     "the system \"%s\" has exited", system->id);
}

static const char *options_type(HCS_OPERATION_TYPE verb) {
    switch (verb) {
    case HcsOperationTypeStart:
        return "StartOptions";
    case HcsOperationTypeShutdown:
        return "ShutdownOptions";
    case HcsOperationTypePause:
        return "PauseOptions";
    case HcsOperationTypeSave:
        return "SaveOptions";
    case HcsOperationTypeCrash:
        return "CrashOptions";
    case HcsOperationTypeModify:
        return "ModifySettingRequest";
    case HcsOperationTypeGetProperties:
        return "System_PropertyQuery";
    default:
        return NULL;
    }
}

static bool is_empty(const struct json *value) {
    if (!value || value->type == JSON_NULL)
        return true;
    if (value->type == JSON_ARRAY)
        return value->as.array.count == 0;
    return value->type == JSON_OBJECT && value->as.object.count == 0;
}

/* A wrong document is refused as ever; what asks for more than the base
 * properties is refused because there is nothing left to ask. */
static HRESULT check_options(const struct system *system,
                             HCS_OPERATION_TYPE verb, const char *options,
                             struct hcs_error *error) {
    struct schema_profile profile = {.build = system->host->spec.build};
    const char *type = options_type(verb);
    struct json_doc doc = {0};
    HRESULT hr = S_OK;

    if (options)
        hr = json_parse(options, strlen(options), &doc, error);
    if (FAILED(hr))
        return hr;
    if (options && type)
        hr = schema_check(doc.root, type, &profile, error);
    if (SUCCEEDED(hr) && verb == HcsOperationTypeGetProperties &&
        !(is_empty(json_get(doc.root, "PropertyTypes")) &&
          is_empty(json_get(doc.root, "Queries"))))
        hr = already_stopped(system, error);
    json_doc_free(&doc);
    return hr;
}

static HRESULT find_answer(const struct system *system, HCS_OPERATION_TYPE verb,
                           const char *options, struct buf *document,
                           struct hcs_error *error) {
    HRESULT hr = check_options(system, verb, options, error);
    if (FAILED(hr))
        return hr;
    if (!system->exited)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL,
                         "the system \"%s\" could not be created", system->id);
    if (verb != HcsOperationTypeGetProperties)
        return already_stopped(system, error);
    return stopped_properties(system, document, error);
}

void system_answer_after_exit(struct system *system, HCS_OPERATION_TYPE verb,
                              const char *options,
                              struct operation *operation) {
    struct buf document = {0};
    struct hcs_error error;
    HRESULT hr = find_answer(system, verb, options, &document, &error);

    if (SUCCEEDED(hr))
        operation_succeed(operation, document.data);
    else
        operation_fail(operation, hr, &error);
    buf_free(&document);
}

/* --- requests overtaken by the exit ------------------------------------- */

static HRESULT overtaken_result(const struct system *system,
                                HCS_OPERATION_TYPE verb,
                                struct hcs_error *error) {
    bool forced = was_forced(system);

    if (verb == HcsOperationTypeTerminate)
        return forced && !system->terminated ? S_OK
                                             : already_stopped(system, error);
    if (verb == HcsOperationTypeStart && !forced)
        return error_set(error, HCS_E_TERMINATED_DURING_START, NULL,
                         "the system \"%s\" exited while it was starting",
                         system->id);
    if (forced)
        return error_set(error, HCS_E_TERMINATED, NULL,
                         "the system \"%s\" was terminated", system->id);
    return error_set(error, HCS_E_UNEXPECTED_EXIT, NULL,
                     "the system \"%s\" exited before the operation was done",
                     system->id);
}

static void finish_overtaken(struct system *system, struct request *request) {
    struct operation *operation = request_abandon(request);
    struct buf document = {0};
    struct hcs_error error;
    struct vm_reply reply = {0};

    if (operation->type == HcsOperationTypeGetProperties)
        reply.result = stopped_properties(system, &document, &error);
    else
        reply.result = overtaken_result(system, operation->type, &error);
    if (FAILED(reply.result))
        reply.error = &error;
    else
        reply.document = document.data;
    operation_finish(operation, &reply);
    buf_free(&document);
}

/* Completions come before the event, as for requests that were answered. */
void systems_settle(struct host *host) {
    while (!link_alone(&host->exits)) {
        struct system *system =
            HCS_CONTAINER(host->exits.next, struct system, exit_link);
        link_remove(&system->exit_link);
        while (!link_alone(&system->requests))
            finish_overtaken(system,
                             HCS_CONTAINER(system->requests.next,
                                           struct request, system_link));
        system->exit_known = true;
        system_queue_event(system, HcsEventSystemExited, system->exit_document);
        host_changed(host);
    }
}
