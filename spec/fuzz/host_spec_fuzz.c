/* SPDX-License-Identifier: MIT
 * A host's spec is read within its ranges, or refused with a sentence. */
#include "base/utf.h"
#include "fuzz.h"
#include "host/spec.h"

static void check_spec(const struct host_spec *spec) {
    require(spec->kind == HOST_SIM || spec->kind == HOST_QEMU);
    require(spec->build >= 0 && spec->build <= 999999 && spec->latency >= 0);
    require(host_driver_name(spec->driver) && host_clock_name(spec->clock));
    require(spec->accelerator != NULL);
    require(!spec->root || spec->root[0] == '/');
    if (spec->clock == HcsHostClockManual)
        require(spec->driver == HcsHostDriverStep);
    if (spec->kind == HOST_QEMU)
        require(spec->clock == HcsHostClockReal && spec->seed == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    struct hcs_error error = {0};
    struct host_spec spec;

    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (SUCCEEDED(host_spec_parse(text, &spec, &error))) {
        check_spec(&spec);
        host_spec_free(&spec);
    } else {
        require(error.code == E_INVALIDARG && error.text[0] != '\0');
        require(utf8_valid(error.text, strlen(error.text)));
        require(!spec.root && !spec.accelerator);
    }
    require(FAILED(host_spec_parse(text, &spec, NULL)) ||
            (host_spec_free(&spec), true));
    free(text);
    return 0;
}
