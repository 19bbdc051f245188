/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include <inttypes.h>
#include <stdio.h>

#include "../../../src/host/state/vm_private.h"

static void called(struct machine *machine, const char *name, machine_done done,
                   void *context) {
    struct hcs_error error;
    buf_printf(&machine->fake->log, "%s\n", name);
    if (machine->by_hand) {
        assert_null(machine->done); /* one call at a time */
        machine->done = done;
        machine->context = context;
        machine->open_name = name;
        return;
    }
    if (machine->failing && strcmp(machine->failing, name) == 0) {
        error_set(&error, machine->failure, NULL, "as the test wants it");
        done(context, machine->failure, &error);
        return;
    }
    done(context, S_OK, NULL);
}

static HRESULT create(const struct machine_env *env,
                      const struct machine_config *config, machine_done done,
                      void *context, struct machine **out,
                      struct hcs_error *error) {
    struct fake *fake = env->platform;
    struct machine *machine = fake->machine;
    (void)config;
    if (machine->failing && strcmp(machine->failing, "refuse") == 0)
        return error_set(error, machine->failure, "$.VirtualMachine",
                         "as the test wants it");
    machine->env = *env;
    *out = machine;
    called(machine, "create", done, context);
    return S_OK;
}

#define CALL(name)                                                   \
    static void m_##name(struct machine *machine, machine_done done, \
                         void *context) {                            \
        called(machine, #name, done, context);                       \
    }
CALL(start)
CALL(pause)
CALL(resume)
CALL(press_power)
CALL(inject_nmi)
CALL(reset)

static void m_save(struct machine *machine, enum machine_save_kind kind,
                   const char *path, machine_done done, void *context) {
    buf_printf(&machine->fake->log, "[%s] ",
               kind == MACHINE_SAVE_FILE ? path : "template");
    called(machine, "save", done, context);
}

static void m_dump(struct machine *machine, const char *path,
                   const struct machine_dump_options *options,
                   uint64_t *written, machine_done done, void *context) {
    static const char *const names[] = {[MACHINE_DUMP_ELF] = "elf",
                                        [MACHINE_DUMP_KDUMP_ZLIB] = "kdump",
                                        [MACHINE_DUMP_RAW] = "raw",
                                        [MACHINE_DUMP_VMRS] = "vmrs"};
    struct fake *fake = machine->fake;
    buf_printf(&fake->log, "[%s %s %" PRIu64 "] ", names[options->format], path,
               options->limit);
    fake->dump = *options;
    fake->dump.about = NULL; /* it lasts no longer than the dump */
    snprintf(fake->about, sizeof fake->about, "%s",
             options->about ? options->about : "");
    *written = 4096;
    called(machine, "dump", done, context);
}

static void m_modify(struct machine *machine, const struct json *request,
                     machine_done done, void *context) {
    (void)request;
    called(machine, "modify", done, context);
}

static void m_power_off(struct machine *machine, machine_done done,
                        void *context) {
    buf_puts(&machine->fake->log, "power_off\n");
    if (!machine->by_hand) {
        done(context, S_OK, NULL);
        return;
    }
    machine->power_done = done;
    machine->power_context = context;
}

static void m_statistics(struct machine *machine,
                         struct machine_statistics *out) {
    (void)machine;
    *out = (struct machine_statistics){.runtime = 700, .memory_bytes = 4096};
}

/* What is pending is dropped. */
static void m_destroy(struct machine *machine) {
    if (!machine)
        return;
    machine->done = NULL;
    machine->power_done = NULL;
}

static const struct machine_ops ops = {
    "fake",   create,      m_start,       m_pause,      m_resume,
    m_save,   m_dump,      m_press_power, m_inject_nmi, m_reset,
    m_modify, m_power_off, m_statistics,  m_destroy};

/* --- the world -------------------------------------------------------- */

static int64_t now(void *context) {
    return ((struct fake *)context)->now;
}

static bool file_exists(void *context, const char *path) {
    const struct fake *fake = context;
    return !fake->missing || strcmp(fake->missing, path) != 0;
}

static bool granted(void *context, const struct vm *vm, const char *path) {
    const struct fake *fake = context;
    (void)vm;
    return !fake->withheld || strcmp(fake->withheld, path) != 0;
}

static HRESULT find_template(void *context, const char *runtime_id,
                             struct machine **machine,
                             struct hcs_error *error) {
    const struct fake *fake = context;
    (void)runtime_id;
    (void)machine;
    return SUCCEEDED(fake->find_template)
               ? S_OK
               : error_set(error, fake->find_template, NULL, "no template");
}

static bool has_clones(void *context, const struct vm *vm) {
    (void)vm;
    return ((struct fake *)context)->clones;
}

static void on_event(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                     const char *document) {
    struct fake *fake = HCS_CONTAINER(watcher, struct fake, watcher);
    buf_printf(&fake->log, "event %d %s\n", (int)type,
               document ? document : "(none)");
}

void fake_open(struct fake *fake, int build) {
    *fake = (struct fake){.now = 1000};
    fake->host = (struct vm_host){.machine = &ops,
                                  .platform = fake,
                                  .timers = &fake->timers,
                                  .now = now,
                                  .granted = granted,
                                  .file_exists = file_exists,
                                  .find_template = find_template,
                                  .has_clones = has_clones,
                                  .context = fake,
                                  .build = build};
    fake->watcher.event = on_event;
    fake->machine = calloc(1, sizeof *fake->machine);
    fake->machine->fake = fake;
}

void fake_reply(void *context, const struct vm_reply *reply) {
    struct fake *fake = context;
    if (FAILED(reply->result))
        assert_non_null(reply->error);
    else
        assert_null(reply->error);
    buf_printf(&fake->log, "reply 0x%08x%s%s%s%s\n", (unsigned)reply->result,
               reply->error && *reply->error->path ? " " : "",
               reply->error ? reply->error->path : "",
               reply->document ? " " : "",
               reply->document ? reply->document : "");
}

HRESULT fake_create_document(struct fake *fake, const char *document,
                             struct hcs_error *error) {
    struct json_doc doc;
    struct schema_profile profile = {fake->host.build, 0, 0};
    assert_int_equal(json_parse(document, strlen(document), &doc, error), S_OK);
    HRESULT hr = schema_check(doc.root, "ComputeSystem", &profile, error);
    if (FAILED(hr))
        print_error("%s: %s\n", error->path, error->text);
    assert_int_equal(hr, S_OK);
    hr = vm_create(&fake->host, FAKE_ID, &doc, fake_reply, fake, &fake->vm,
                   error);
    assert_null(doc.root); /* taken over */
    if (SUCCEEDED(hr))
        vm_watch(fake->vm, &fake->watcher);
    return hr;
}

void fake_create(struct fake *fake, int build, const char *extra) {
    struct buf text = {0};
    struct hcs_error error;
    fake_open(fake, build);
    buf_printf(&text,
               "{\"Owner\":\"me\",\"SchemaVersion\":{\"Major\":2,\"Minor\":%d},"
               "\"VirtualMachine\":{\"Chipset\":{},"
               "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":256},"
               "\"Processor\":{\"Count\":2}}%s%s}}",
               build < 20348   ? 1
               : build < 25398 ? 5
                               : 7,
               extra ? "," : "", extra ? extra : "");
    HRESULT hr = fake_create_document(fake, text.data, &error);
    if (FAILED(hr))
        print_error("%s: %s\n", error.path, error.text);
    assert_int_equal(hr, S_OK);
    fake_expect(fake, "create\nreply 0x00000000\n");
    buf_free(&text);
}

void fake_close(struct fake *fake) {
    vm_destroy(fake->vm);
    timers_free(&fake->timers);
    buf_free(&fake->log);
    free(fake->machine);
}

void fake_submit(struct fake *fake, HCS_OPERATION_TYPE verb,
                 const char *options) {
    vm_submit(fake->vm, verb, options, fake_reply, fake);
}

void fake_done(struct fake *fake, HRESULT result) {
    struct machine *machine = fake->machine;
    machine_done done = machine->done;
    struct hcs_error error;
    assert_non_null(done);
    machine->done = NULL;
    error_set(&error, result, NULL, "as the test wants it");
    done(machine->context, result, FAILED(result) ? &error : NULL);
}

void fake_power_done(struct fake *fake, HRESULT result) {
    struct machine *machine = fake->machine;
    machine_done done = machine->power_done;
    assert_non_null(done);
    machine->power_done = NULL;
    done(machine->power_context, result, NULL);
}

void fake_event(struct fake *fake, enum machine_event_kind kind,
                const char *text) {
    struct machine_event event = {kind, text, text ? strlen(text) : 0};
    fake->machine->env.event(fake->machine->env.context, &event);
}

void fake_wait(struct fake *fake, int64_t ns) {
    int64_t end = fake->now + ns;
    while (timers_next(&fake->timers) <= end) {
        fake->now = timers_next(&fake->timers);
        timers_fire_one(&fake->timers, fake->now);
    }
    fake->now = end;
}

void fake_expect(struct fake *fake, const char *log) {
    assert_string_equal(fake->log.data ? fake->log.data : "", log);
    buf_clear(&fake->log);
}

void fake_expect_contains(struct fake *fake, const char *part) {
    const char *log = fake->log.data ? fake->log.data : "";
    if (!strstr(log, part))
        print_error("no \"%s\" in:\n%s\n", part, log);
    assert_non_null(strstr(log, part));
    buf_clear(&fake->log);
}

void fake_strict(struct fake *fake) {
    fake->vm->host.strict = true;
}

void fake_bring(struct fake *fake, enum vm_state state) {
    if (state == VM_CREATED)
        return;
    fake_submit(fake, HcsOperationTypeStart, NULL);
    if (state == VM_PAUSED || state == VM_SAVED_AS_TEMPLATE)
        fake_submit(fake, HcsOperationTypePause, NULL);
    if (state == VM_SAVED_AS_TEMPLATE)
        fake_submit(fake, HcsOperationTypeSave,
                    "{\"SaveType\":\"AsTemplate\"}");
    if (state == VM_STOPPED)
        fake_submit(fake, HcsOperationTypeTerminate, NULL);
    assert_int_equal(vm_state(fake->vm), state);
    buf_clear(&fake->log);
}
