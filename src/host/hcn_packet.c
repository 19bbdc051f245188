/* SPDX-License-Identifier: MIT
 * hcshost_sim_packet: what becomes of a packet on a simulated host. */
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define HOST_NAME "host"
#define OUTSIDE_NAME "outside"

static bool read_place(const struct json *document, struct sim_packet *out) {
    const char *from = json_text(json_get(document, "From"), HOST_NAME);
    if (strcmp(from, HOST_NAME) == 0)
        return true;
    if (strcmp(from, OUTSIDE_NAME) == 0) {
        out->from_outside = true;
        return true;
    }
    return guid_parse(from, &out->from) && !guid_is_zero(&out->from);
}

static bool read_address(const struct json *value, struct ip_address *out) {
    return !value || ip_parse(json_text(value, ""), out);
}

static bool read_number(const struct json *value, uint64_t most,
                        uint64_t *out) {
    return !value || (json_to_uint64(value, out) && *out <= most);
}

struct question {
    struct sim_packet packet;
    uint64_t count, bytes;
};

static bool read_question(const struct json *document, struct question *out) {
    uint64_t protocol = 0, source = 0, destination = 0;
    struct sim_packet *packet = &out->packet;

    *out = (struct question){.bytes = 64};
    if (document->type != JSON_OBJECT || !read_place(document, packet) ||
        !read_address(json_get(document, "Source"), &packet->source) ||
        !ip_parse(json_text(json_get(document, "Destination"), ""),
                  &packet->destination) ||
        !read_number(json_get(document, "Protocol"), UINT8_MAX, &protocol) ||
        !read_number(json_get(document, "SourcePort"), UINT16_MAX, &source) ||
        !read_number(json_get(document, "DestinationPort"), UINT16_MAX,
                     &destination) ||
        !read_number(json_get(document, "Count"), UINT32_MAX, &out->count) ||
        !read_number(json_get(document, "Bytes"), UINT32_MAX, &out->bytes))
        return false;
    packet->protocol = (uint8_t)protocol;
    packet->source_port = (uint16_t)source;
    packet->destination_port = (uint16_t)destination;
    return true;
}

static void write_address(struct json_writer *w, const char *name,
                          const struct ip_address *address) {
    char text[IP_TEXT_SIZE];
    if (address->family == IP_NONE)
        return;
    ip_format(address, text);
    json_pair_string(w, name, text);
}

static void write_verdict(struct json_writer *w,
                          const struct sim_verdict *verdict) {
    char to[GUID_TEXT_SIZE] = OUTSIDE_NAME;

    json_begin_object(w);
    json_pair_bool(w, "Passed", verdict->passed);
    json_pair_string(w, "Reason", verdict->reason);
    if (verdict->passed) {
        if (!verdict->to_outside && guid_is_zero(&verdict->to))
            memcpy(to, HOST_NAME, sizeof HOST_NAME);
        else if (!verdict->to_outside)
            guid_format(&verdict->to, to);
        json_pair_string(w, "To", to);
        write_address(w, "Source", &verdict->source);
        write_address(w, "Destination", &verdict->destination);
        json_pair_uint(w, "SourcePort", verdict->source_port);
        json_pair_uint(w, "DestinationPort", verdict->destination_port);
    }
    json_end_object(w);
}

static HRESULT ask(struct host *host, const char *text, struct buf *out) {
    struct json_writer w = {.out = out};
    struct json_doc document = {0};
    struct sim_verdict verdict = {0};
    struct question question;
    HRESULT hr = host->spec.kind == HOST_SIM ? S_OK : E_NOTIMPL;

    if (SUCCEEDED(hr) && !host->hcn) /* packets need no service */
        hr = hcn_need(host, NULL);
    if (SUCCEEDED(hr))
        hr = json_parse(text, strlen(text), &document, NULL);
    if (SUCCEEDED(hr) && !read_question(document.root, &question))
        hr = E_INVALIDARG;
    json_doc_free(&document);
    if (FAILED(hr))
        return hr;
    sim_plane_send(host->hcn->plane, &question.packet, question.count,
                   question.bytes, &verdict);
    write_verdict(&w, &verdict);
    return S_OK;
}

HRESULT hcshost_sim_packet(HCSHOST host, PCWSTR packet, PWSTR *verdict) {
    struct buf out = {0};
    struct call call;
    char *text = NULL;
    HRESULT hr;

    if (!verdict)
        return E_POINTER;
    *verdict = NULL;
    hr = call_name(packet, &text);
    if (FAILED(hr))
        return hr;
    hr = call_host(&call, host);
    if (SUCCEEDED(hr)) {
        hr = ask(call.host, text, &out);
        if (SUCCEEDED(hr))
            hr = result_take(&out, verdict);
        call_end(&call);
    }
    buf_free(&out);
    free(text);
    return hr;
}
