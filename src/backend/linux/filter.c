/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "../../base/json.h"
#include "../../base/text.h"

HRESULT filter_open(struct nft_ctx **out, struct hcs_error *error) {
    struct nft_ctx *filter = nft_ctx_new(NFT_CTX_DEFAULT);

    *out = NULL;
    if (!filter || nft_ctx_buffer_error(filter) != 0 ||
        nft_ctx_buffer_output(filter) != 0) {
        filter_close(filter);
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no memory for the packet filter");
    }
    *out = filter;
    return S_OK;
}

void filter_close(struct nft_ctx *filter) {
    if (filter)
        nft_ctx_free(filter);
}

/* Its words are many lines, of which the first says what is wrong. */
static HRESULT refused(struct nft_ctx *filter, struct hcs_error *error) {
    const char *words = nft_ctx_get_error_buffer(filter);
    int length = (int)strcspn(words, "\n");
    HRESULT code = E_FAIL;

    if (strstr(words, "File exists"))
        code = HR_ALREADY_EXISTS;
    else if (strstr(words, "No such file or directory"))
        code = HR_NOT_FOUND;
    else if (strstr(words, "Operation not permitted"))
        code = E_ACCESSDENIED;
    else if (strstr(words, "not supported"))
        code = HR_NOT_SUPPORTED;
    return error_set(error, code, NULL, "the packet filter refuses: %.*s",
                     length, words);
}

HRESULT filter_run(struct nft_ctx *filter, const struct buf *transaction,
                   struct hcs_error *error) {
    if (transaction->failed)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no memory for the packet filter's rules");
    if (transaction->length == 0)
        return S_OK;
    if (nft_run_cmd_from_buffer(filter, transaction->data) != 0)
        return refused(filter, error);
    return S_OK;
}

HRESULT filter_text(struct nft_ctx *filter, char **out,
                    struct hcs_error *error) {
    *out = NULL;
    if (nft_run_cmd_from_buffer(filter, "list ruleset") != 0)
        return refused(filter, error);
    *out = text_copy(nft_ctx_get_output_buffer(filter));
    if (!*out)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no memory for the packet filter's rules");
    return S_OK;
}

/* {"nftables":[{"metainfo":…},{"counter":{"packets":n,…}}]} */
static bool read_packets(const char *text, uint64_t *packets) {
    struct json_doc doc;
    const struct json *list, *value = NULL;
    bool good;

    if (FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return false;
    list = json_get(doc.root, "nftables");
    for (size_t i = 0;
         list && list->type == JSON_ARRAY && !value && i < list->as.array.count;
         i++)
        value = json_at(&list->as.array.items[i], "counter.packets");
    good = value && json_to_uint64(value, packets);
    json_doc_free(&doc);
    return good;
}

HRESULT filter_count(struct nft_ctx *filter, const char *family,
                     const char *counter, uint64_t *packets,
                     struct hcs_error *error) {
    char command[96];
    int result;

    snprintf(command, sizeof command, "list counter %s hcn %s", family,
             counter);
    nft_ctx_output_set_flags(filter, NFT_CTX_OUTPUT_JSON);
    result = nft_run_cmd_from_buffer(filter, command);
    nft_ctx_output_set_flags(filter, 0);
    if (result != 0)
        return refused(filter, error);
    if (!read_packets(nft_ctx_get_output_buffer(filter), packets))
        return error_set(error, HR_INVALID_DATA, NULL,
                         "the packet filter's counter %s cannot be read",
                         counter);
    return S_OK;
}
