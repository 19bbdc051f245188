/* SPDX-License-Identifier: MIT
 * What is told of names: the Dns of networks and endpoints. */
#include <stdlib.h>
#include <string.h>

#include "network.h"

/* The texts of an array, kept in the part. */
static HRESULT read_texts(const struct doc *object, const char *name,
                          struct arena *arena, const char ***out,
                          size_t *out_count, struct hcs_error *error) {
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(object, name, &array, &count, error);

    if (FAILED(hr))
        return hr;
    *out = arena_alloc(arena, (count + 1) * sizeof **out);
    if (!*out)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        const char *text = "";
        hr = doc_item_text(&array, i, &text, error);
        (*out)[i] = arena_text(arena, text, strlen(text));
        if (SUCCEEDED(hr) && !(*out)[i])
            hr = out_of_memory(error);
    }
    *out_count = count;
    return hr;
}

static HRESULT read_servers(const struct doc *object, struct dns *dns,
                            struct hcs_error *error) {
    struct ip_address *servers;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(object, "ServerList", &array, &count, error);

    if (FAILED(hr))
        return hr;
    servers = arena_alloc(&dns->arena, (count + 1) * sizeof *servers);
    if (!servers)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item = doc_item(&array, i);
        const char *text = "";
        hr = doc_item_text(&array, i, &text, error);
        if (SUCCEEDED(hr) && !ip_parse(text, &servers[i]))
            hr = doc_fail(&item, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                          "\"%s\" is not an address", text);
    }
    dns->plane.servers = servers;
    dns->plane.server_count = count;
    return hr;
}

static HRESULT read_members(const struct doc *object, struct dns *dns,
                            struct hcs_error *error) {
    const char **search;
    const char *domain = "";
    HRESULT hr = doc_text(object, "Domain", &domain, error);

    if (SUCCEEDED(hr)) {
        dns->plane.domain = arena_text(&dns->arena, domain, strlen(domain));
        if (!dns->plane.domain)
            hr = out_of_memory(error);
    }
    if (SUCCEEDED(hr))
        hr = read_texts(object, "Search", &dns->arena, &search,
                        &dns->plane.search_count, error);
    if (FAILED(hr))
        return hr;
    dns->plane.search = search;
    hr = read_servers(object, dns, error);
    if (SUCCEEDED(hr))
        hr = read_texts(object, "Options", &dns->arena, &dns->options,
                        &dns->option_count, error);
    return hr;
}

HRESULT dns_read(const struct doc *object, struct dns **out,
                 struct hcs_error *error) {
    struct dns *dns = calloc(1, sizeof *dns);
    HRESULT hr;

    if (!dns)
        return out_of_memory(error);
    hr = read_members(object, dns, error);
    if (FAILED(hr))
        dns_free(dns);
    else
        *out = dns;
    return hr;
}

void dns_free(struct dns *dns) {
    if (!dns)
        return;
    arena_free(&dns->arena);
    free(dns);
}

bool dns_is_empty(const struct dns *dns) {
    return *dns->plane.domain == '\0' && dns->plane.search_count == 0 &&
           dns->plane.server_count == 0 && dns->option_count == 0;
}

static void write_texts(const char *name, const char *const *texts,
                        size_t count, struct json_writer *w) {
    if (count == 0)
        return;
    json_key(w, name);
    json_begin_array(w);
    for (size_t i = 0; i < count; i++)
        json_put_string(w, texts[i]);
    json_end_array(w);
}

void dns_write(const struct dns *dns, struct json_writer *w) {
    char text[IP_TEXT_SIZE];

    json_begin_object(w);
    if (*dns->plane.domain)
        json_pair_string(w, "Domain", dns->plane.domain);
    write_texts("Search", dns->plane.search, dns->plane.search_count, w);
    if (dns->plane.server_count > 0) {
        json_key(w, "ServerList");
        json_begin_array(w);
        for (size_t i = 0; i < dns->plane.server_count; i++) {
            ip_format(&dns->plane.servers[i], text);
            json_put_string(w, text);
        }
        json_end_array(w);
    }
    write_texts("Options", dns->options, dns->option_count, w);
    json_end_object(w);
}

/* Lists are texts with commas there; what cannot be said in them is not. */
void dns_write_v1(const struct dns *dns, struct json_writer *w) {
    struct buf list = {0};
    char text[IP_TEXT_SIZE];

    if (*dns->plane.domain)
        json_pair_string(w, "DNSDomain", dns->plane.domain);
    for (size_t i = 0; i < dns->plane.search_count; i++)
        buf_printf(&list, "%s%s", i ? "," : "", dns->plane.search[i]);
    if (list.length > 0)
        json_pair_string(w, "DNSSuffix", list.data);
    buf_clear(&list);
    for (size_t i = 0; i < dns->plane.server_count; i++) {
        ip_format(&dns->plane.servers[i], text);
        buf_printf(&list, "%s%s", i ? "," : "", text);
    }
    if (list.length > 0)
        json_pair_string(w, "DNSServerList", list.data);
    if (list.failed)
        w->out->failed = true;
    buf_free(&list);
}
