/* SPDX-License-Identifier: MIT */
#include "result.h"

#include <stdio.h>
#include <string.h>

#include "../base/utf.h"
#include "memory.h"

#define PROVIDER_COMPUTE "17103e3f-3c6e-4677-bb17-3b267eb5be57"
#define PROVIDER_WORKER "51ddfa29-d5c8-4803-be4b-2ecb715570fe"
#define EVENT_RESULT 2000          /* what became of a request */
#define EVENT_INVALID_CONFIG 11000 /* a document was refused */
#define EVENT_NO_PERMISSION 12290  /* a file is closed to the system */
#define ATTRIBUTION_SINCE 20348

PWSTR result_text(const char *text, size_t *length) {
    PWSTR out = NULL;
    size_t units = 0;
    if (text &&
        FAILED(utf16_into(text, strlen(text), memory_take, &out, &units, NULL)))
        out = NULL;
    if (length)
        *length = out ? units : 0;
    return out;
}

PWSTR result_copy(PCWSTR text, size_t length) {
    size_t size = (length + 1) * sizeof *text;
    PWSTR copy = memory_take(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

HRESULT result_take(struct buf *text, PWSTR *out) {
    HRESULT hr = HCS_E_OPERATION_RESULT_ALLOCATION_FAILED;
    *out = NULL;
    if (!text->failed && text->data)
        *out = result_text(text->data, NULL);
    if (*out)
        hr = S_OK;
    buf_free(text);
    return hr;
}

static const char *attribution(HCS_OPERATION_TYPE type) {
    switch (type) {
    case HcsOperationTypeCreate:
        return "Construct";
    case HcsOperationTypeStart:
        return "Start";
    case HcsOperationTypeShutdown:
        return "Shutdown";
    case HcsOperationTypePause:
        return "Pause";
    case HcsOperationTypeResume:
        return "Resume";
    case HcsOperationTypeSave:
        return "Save";
    case HcsOperationTypeTerminate:
        return "Terminate";
    case HcsOperationTypeModify:
        return "Modify";
    case HcsOperationTypeGetProperties:
        return "GetProperties";
    case HcsOperationTypeCrash:
        return "Crash";
    default:
        return NULL;
    }
}

static void write_data(struct json_writer *w, const char *value) {
    json_begin_object(w);
    json_pair_string(w, "Type", "String");
    json_pair_string(w, "Value", value);
    json_end_object(w);
}

static bool is_document_error(HRESULT result) {
    return result == HR_INVALID_DATA || result == HCS_E_INVALID_JSON;
}

static void write_message(struct json_writer *w, HRESULT result,
                          const struct hcs_error *error, const char *path) {
    char text[1024];
    if (is_document_error(result))
        snprintf(text, sizeof text,
                 "The specified compute system configuration is invalid: %s "
                 "(0x%08X, 'Invalid JSON document '%s'').",
                 error->text, (unsigned)result, path);
    else
        snprintf(text, sizeof text, "%s (0x%08X)", error->text,
                 (unsigned)result);
    json_pair_string(w, "Message", text);
}

/* The event that carries what we know: the text, the code and the place in
 * the document. */
static void write_event(struct json_writer *w, HRESULT result,
                        const struct hcs_error *error) {
    bool denied = result == E_ACCESSDENIED;
    const char *path = error->path[0] ? error->path : "$";
    char text[256];

    json_begin_object(w);
    write_message(w, result, error, path);
    json_pair_string(w, "Provider",
                     denied ? PROVIDER_WORKER : PROVIDER_COMPUTE);
    json_pair_int(w, "EventId",
                  is_document_error(result) ? EVENT_INVALID_CONFIG
                  : denied                  ? EVENT_NO_PERMISSION
                                            : EVENT_RESULT);
    json_key(w, "Data");
    json_begin_array(w);
    snprintf(text, sizeof text, "%%%%%u", (unsigned)result);
    write_data(w, text);
    snprintf(text, sizeof text, "0x%08X", (unsigned)result);
    write_data(w, text);
    if (error->path[0] || is_document_error(result)) {
        snprintf(text, sizeof text, "Invalid JSON document '%s'", path);
        write_data(w, text);
    }
    json_end_array(w);
    json_end_object(w);
}

static void write_attribution(struct json_writer *w, const char *detail) {
    json_key(w, "Attribution");
    json_begin_array(w);
    json_begin_object(w);
    json_key(w, "OperationFailure");
    json_begin_object(w);
    json_pair_string(w, "Detail", detail);
    json_end_object(w);
    json_end_object(w);
    json_end_array(w);
}

void result_write_error(struct json_writer *w, int build,
                        HCS_OPERATION_TYPE type, HRESULT result,
                        const struct hcs_error *error) {
    const char *detail = attribution(type);
    const char *message = hresult_text(result);

    json_begin_object(w);
    json_pair_int(w, "Error", result);
    json_pair_string(w, "ErrorMessage", message ? message : "");
    if (error && error->text[0]) {
        json_key(w, "ErrorEvents");
        json_begin_array(w);
        write_event(w, result, error);
        json_end_array(w);
    }
    if (detail && build >= ATTRIBUTION_SINCE)
        write_attribution(w, detail);
    json_end_object(w);
}

PWSTR result_error(int build, HCS_OPERATION_TYPE type, HRESULT result,
                   const struct hcs_error *error, size_t *length) {
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    PWSTR out = NULL;

    if (length)
        *length = 0;
    result_write_error(&writer, build, type, result, error);
    if (!text.failed)
        out = result_text(text.data, length);
    buf_free(&text);
    return out;
}
