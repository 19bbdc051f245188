/* SPDX-License-Identifier: MIT
 * Calls of the ABI in any order on a simulated host whose time we move: every
 * use of an operation ends once, an exit is the last event, and when all is
 * closed nothing is left. Documents are from a list, ids too. */
#include <sys/socket.h>

#include "abi/hcshost.h"
#include "base/hresult.h"
#include "base/utf.h"
#include "fuzz.h"

#define SYSTEMS 4
#define OPERATIONS 6
#define STEPS 100
#define MS INT64_C(1000000)

#define MACHINE(more)                                                   \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"         \
    u"\"KernelFilePath\":\"/bin/sh\",\"KernelCmdLine\":"                \
    u"\"hcs.tick=1000 panic=1\"}},\"ComputeTopology\":{\"Memory\":{"    \
    u"\"SizeInMB\":64},\"Processor\":{\"Count\":1}},\"Devices\":{"      \
    u"\"ComPorts\":{\"0\":{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\f\"}}," \
    u"\"Scsi\":{\"0\":{}}}" more u"}}"
#define COMPUTER \
    u"{\"Owner\":\"f\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"

#define ENDPOINT u"00000001-0000-0000-0000-000000000000"
#define ADAPTER \
    u"{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/b\","

static const PCWSTR ids[] = {u"a", u"b",
                             u"01234567-89ab-cdef-0123-456789abcdef", u""};

static const PCWSTR computers[] = {
    COMPUTER MACHINE(u""),
    COMPUTER MACHINE(u",\"StopOnReset\":true"),
    COMPUTER u"\"ShouldTerminateOnLastHandleClosed\":true," MACHINE(
        u",\"GuestState\":{\"GuestStateFilePath\":\"C:\\\\g.vmgs\"}"),
    COMPUTER MACHINE(u",\"RestoreState\":{\"SaveStateFilePath\":"
                     u"\"C:\\\\s.vmrs\"}"),
    COMPUTER MACHINE(u",\"RestoreState\":{\"TemplateSystemId\":\"a\"}"),
    COMPUTER u"\"VirtualMachine\":{\"Chipset\":{\"Uefi\":{}},"
             u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"
             u"\"Processor\":{\"Count\":1}},\"Devices\":{"
             u"\"NetworkAdapters\":{\"a\":{\"EndpointId\":"
             u"\"" ENDPOINT u"\"}}}}}",
    COMPUTER MACHINE(u",\"DebugOptions\":{\"BugcheckSavedStateFileName\":"
                     u"\"C:\\\\bug.vmrs\"}"),
    u"{",
    u"",
    u"{\"SchemaVersion\":{\"Major\":9,\"Minor\":9}}"};

static const PCWSTR options[] = {
    NULL,
    u"",
    u"{}",
    u"{",
    u"{\"SaveType\":\"ToFile\",\"SaveStateFilePath\":\"C:\\\\s.vmrs\"}",
    u"{\"SaveType\":\"AsTemplate\"}",
    u"{\"Type\":\"Reboot\",\"Mechanism\":\"GuestConnection\"}",
    u"{\"Mechanism\":\"IntegrationService\",\"Force\":true}",
    u"{\"PropertyTypes\":[\"Memory\",\"Statistics\"]}",
    u"{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
    u"\"RequestType\":\"Update\",\"Settings\":32}",
    u"{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/0/Attachments/1\","
    u"\"RequestType\":\"Add\",\"Settings\":{\"Type\":\"VirtualDisk\","
    u"\"Path\":\"C:\\\\d.vhdx\"}}",
    u"{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/0/Attachments/1\","
    u"\"RequestType\":\"Remove\"}",
    ADAPTER u"\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":"
            u"\"" ENDPOINT u"\"}}",
    ADAPTER u"\"RequestType\":\"Remove\"}",
    u"{\"Ids\":[\"a\"]}",
    u"{\"Owners\":[\"f\",\"\"],\"Types\":[\"VirtualMachine\"]}"};

static const PCWSTR files[] = {u"C:\\s.vmrs", u"C:\\d.vhdx", u"C:\\g.vmgs",
                               u"/bin/sh",    u"d",          u""};

static const char *const specs[] = {
    "sim:?clock=manual",
    "sim:?clock=manual&access=open",
    "sim:?clock=manual&access=open&latency=5ms",
    "sim:?clock=manual&access=open&strict=1&latency=1s",
    "sim:?clock=manual&access=open&build=17763",
    "sim:?clock=manual&access=open&build=19041&latency=1ms"};

struct world;

struct use {
    struct world *world;
    HCS_OPERATION operation; /* NULL: closed */
    bool told;               /* it has a callback */
    unsigned begun, ended;
};

struct place {
    struct world *world;
    HCS_SYSTEM system; /* NULL: closed */
    bool exited;
};

struct world {
    HCSHOST host;
    struct input input;
    struct use uses[OPERATIONS];
    struct place places[SYSTEMS];
    HANDLE pipe;
    HCN_NETWORK network;
    HCN_ENDPOINT endpoint;
    HCN_CALLBACK callback; /* NULL: none */
    unsigned depth;        /* calls from callbacks of callbacks */
};

static void act(struct world *world);

/* A callback, too, may call nearly everything. */
static void act_inside(struct world *world) {
    if (world->depth > 0 || take(&world->input) % 4 != 0)
        return;
    world->depth++;
    act(world);
    world->depth--;
}

static void on_operation(HCS_OPERATION operation, void *context) {
    struct use *use = context;

    require(!use->operation || use->operation == operation);
    require(++use->ended <= use->begun);
    act_inside(use->world);
}

static void on_event(HCS_EVENT *event, void *context) {
    struct place *place = context;

    if (event->Type == HcsEventOperationCallback) {
        require(event->Operation != NULL);
    } else {
        require(!place->exited && !event->Operation);
        place->exited = event->Type == HcsEventSystemExited;
    }
    act_inside(place->world);
}

static PWSTR *no_document(PWSTR *document) {
    *document = NULL;
    return document;
}

/* --- operations ---------------------------------------------------------- */

static struct use *some_use(struct world *world) {
    struct use *use = &world->uses[choose(&world->input, OPERATIONS)];

    if (use->operation)
        return use;
    use->world = world;
    use->told = take(&world->input) & 1;
    use->begun = use->ended = 0;
    use->operation = HcsCreateOperation(use, use->told ? on_operation : NULL);
    require(use->operation != NULL);
    return use;
}

static void close_use(struct use *use) {
    if (use->operation)
        HcsCloseOperation(use->operation);
    use->operation = NULL;
    use->begun = use->ended;
}

/* A callback may come before the call returns. */
static void begin(struct use *use) {
    use->begun++;
}

static void begun(struct use *use, HRESULT result) {
    if (FAILED(result) && use->begun > use->ended)
        use->begun--;
}

static void ask_result(struct use *use, unsigned way) {
    PWSTR document;
    HRESULT hr;

    hr = way & 1
             ? HcsWaitForOperationResult(use->operation, 5,
                                         no_document(&document))
             : HcsGetOperationResult(use->operation, no_document(&document));
    (void)hr;
    LocalFree(document);
    HcsGetOperationType(use->operation);
    HcsGetOperationId(use->operation);
    HcsGetComputeSystemFromOperation(use->operation);
}

/* --- systems ------------------------------------------------------------- */

static struct place *some_place(struct world *world) {
    struct place *place = &world->places[choose(&world->input, SYSTEMS)];

    place->world = world;
    return place;
}

static void close_place(struct place *place) {
    HCS_SYSTEM system = place->system;

    place->system = NULL;
    if (system)
        HcsCloseComputeSystem(system);
}

static void make(struct world *world) {
    struct place *place = some_place(world);
    struct use *use = some_use(world);
    PCWSTR id = ids[choose(&world->input, HCS_COUNT(ids))];
    PCWSTR document = computers[choose(&world->input, HCS_COUNT(computers))];

    if (place->system)
        return;
    place->exited = false;
    begin(use);
    begun(use, HcsCreateComputeSystem(id, document, use->operation, NULL,
                                      &place->system));
}

static void open_one(struct world *world) {
    struct place *place = some_place(world);
    PCWSTR id = ids[choose(&world->input, HCS_COUNT(ids))];

    if (place->system)
        return;
    place->exited = false;
    if (FAILED(HcsOpenComputeSystem(id, GENERIC_ALL, &place->system)))
        require(place->system == NULL);
}

static void listen_to(struct world *world) {
    struct place *place = some_place(world);
    unsigned way = take(&world->input);

    HcsSetComputeSystemCallback(place->system,
                                way & 1 ? HcsEventOptionEnableOperationCallbacks
                                        : HcsEventOptionNone,
                                place, way & 6 ? on_event : NULL);
}

static void submit(struct world *world) {
    static HRESULT (*const calls[])(HCS_SYSTEM, HCS_OPERATION, PCWSTR) = {
        HcsStartComputeSystem,         HcsShutDownComputeSystem,
        HcsTerminateComputeSystem,     HcsPauseComputeSystem,
        HcsResumeComputeSystem,        HcsSaveComputeSystem,
        HcsGetComputeSystemProperties, HcsCrashComputeSystem};
    struct place *place = some_place(world);
    struct use *use = some_use(world);
    PCWSTR text = options[choose(&world->input, HCS_COUNT(options))];
    size_t which = choose(&world->input, HCS_COUNT(calls) + 1);

    begin(use);
    begun(use, which < HCS_COUNT(calls)
                   ? calls[which](place->system, use->operation, text)
                   : HcsModifyComputeSystem(place->system, use->operation, text,
                                            NULL));
}

static void enumerate(struct world *world) {
    struct use *use = some_use(world);
    PCWSTR text = options[choose(&world->input, HCS_COUNT(options))];

    begin(use);
    begun(use, HcsEnumerateComputeSystems(text, use->operation));
}

static void touch_files(struct world *world) {
    PCWSTR id = ids[choose(&world->input, HCS_COUNT(ids))];
    PCWSTR file = files[choose(&world->input, HCS_COUNT(files))];

    switch (choose(&world->input, 6)) {
    case 0:
        HcsGrantVmAccess(id, file);
        return;
    case 1:
        HcsRevokeVmAccess(id, file);
        return;
    case 2:
        HcsGrantVmGroupAccess(file);
        return;
    case 3:
        HcsRevokeVmGroupAccess(file);
        return;
    case 4:
        if (file[0] != u'/')
            HcsCreateEmptyGuestStateFile(file);
        return;
    case 5:
        if (file[0] != u'/')
            HcsCreateEmptyRuntimeStateFile(file);
        return;
    }
}

static void use_pipe(struct world *world) {
    static const char *const lines[] = {"poweroff\n",    "reboot\n", "panic\n",
                                        "triplefault\n", "hang\n",   "echo a\n",
                                        "flood\n",       "\r\n",     "no"};
    const char *line = lines[choose(&world->input, HCS_COUNT(lines))];

    if (!world->pipe)
        (void)hcshost_pipe_connect(world->host, u"\\\\.\\pipe\\f",
                                   &world->pipe);
    if (world->pipe)
        (void)!send((int)(intptr_t)world->pipe - 1, line, strlen(line),
                    MSG_NOSIGNAL);
}

static void close_pipe(struct world *world) {
    if (world->pipe)
        CloseHandle(world->pipe);
    world->pipe = NULL;
}

/* --- networks ------------------------------------------------------------ */

static const GUID network_id = {2, 0, 0, {0}};
static const GUID endpoint_id = {1, 0, 0, {0}}; /* ENDPOINT */

static void on_notice(DWORD type, void *context, HRESULT status, PCWSTR data) {
    struct world *world = context;

    require(type >= 1 && type <= 6 && status == S_OK && data);
    act_inside(world);
}

static void close_networks(struct world *world) {
    if (world->network)
        require(HcnCloseNetwork(world->network) == S_OK);
    if (world->endpoint)
        require(HcnCloseEndpoint(world->endpoint) == S_OK);
    world->network = NULL;
    world->endpoint = NULL;
}

/* Not from inside, which strict hosts refuse. */
static void stop_listening(struct world *world) {
    if (world->callback && world->depth == 0) {
        require(HcnUnregisterServiceCallback(world->callback) == S_OK);
        world->callback = NULL;
    }
}

static void ask_networks(struct world *world) {
    PWSTR text, record = NULL;

    HcnQueryNetworkProperties(world->network, NULL, no_document(&text),
                              &record);
    LocalFree(text);
    LocalFree(record);
    HcnQueryEndpointStats(world->endpoint, NULL, no_document(&text), &record);
    require(!text == (record != NULL));
    LocalFree(text);
    LocalFree(record);
}

static void use_networks(struct world *world) {
    switch (choose(&world->input, 9)) {
    case 0:
        if (!world->network)
            HcnCreateNetwork(&network_id, u"{\"Name\":\"n\"}", &world->network,
                             NULL);
        return;
    case 1:
        if (!world->network)
            HcnOpenNetwork(&network_id, &world->network, NULL);
        return;
    case 2:
        if (!world->endpoint)
            HcnCreateEndpoint(world->network, &endpoint_id, u"{}",
                              &world->endpoint, NULL);
        return;
    case 3:
        HcnDeleteNetwork(&network_id, NULL);
        return;
    case 4:
        HcnDeleteEndpoint(&endpoint_id, NULL);
        return;
    case 5:
        close_networks(world);
        return;
    case 6:
        if (!world->callback)
            HcnRegisterServiceCallback(on_notice, world, &world->callback);
        return;
    case 7:
        stop_listening(world);
        return;
    default:
        ask_networks(world);
        return;
    }
}

/* --- the play ------------------------------------------------------------ */

static void step(struct world *world) {
    int64_t time = take(&world->input);

    hcshost_step(world->host, time * time * MS, 20 * MS, NULL);
}

static void wait_exit(struct world *world) {
    struct place *place = some_place(world);
    PWSTR document;

    HcsWaitForComputeSystemExit(place->system, 1, no_document(&document));
    LocalFree(document);
}

static void change_use(struct world *world) {
    struct use *use = some_use(world);

    switch (choose(&world->input, 4)) {
    case 0:
        HcsCancelOperation(use->operation);
        return;
    case 1:
        close_use(use);
        return;
    default:
        ask_result(use, take(&world->input));
        return;
    }
}

static void act(struct world *world) {
    static void (*const acts[])(struct world *) = {
        make,      open_one,    listen_to,   submit,     submit,
        enumerate, touch_files, use_pipe,    close_pipe, step,
        wait_exit, change_use,  use_networks};
    size_t which = choose(&world->input, HCS_COUNT(acts) + 1);

    if (which < HCS_COUNT(acts))
        acts[which](world);
    else
        close_place(some_place(world));
}

static void require_ended(const struct world *world) {
    for (int i = 0; i < OPERATIONS; i++) {
        const struct use *use = &world->uses[i];

        if (!use->operation)
            continue;
        require(HcsGetOperationResult(use->operation, NULL) !=
                HCS_E_OPERATION_PENDING);
        require(!use->told || use->begun == use->ended);
    }
}

static void require_nothing_left(HCSHOST host) {
    PWSTR document = NULL;
    char *text = NULL;

    require(hcshost_inventory(host, &document) == S_OK);
    require(utf8_from_utf16(document, utf16_length(document), &text, NULL,
                            NULL) == S_OK);
    require(strcmp(text, "{\"Systems\":0,\"Networks\":0,\"Endpoints\":0,"
                         "\"Namespaces\":0,\"Handles\":0,\"Operations\":0,"
                         "\"Processes\":0,\"Files\":0,\"Threads\":0}") == 0);
    free(text);
    LocalFree(document);
}

/* Systems that outlive their handles are ended by hand. */
static void end_systems(struct world *world) {
    for (size_t i = 0; i < HCS_COUNT(ids); i++) {
        HCS_OPERATION operation = HcsCreateOperation(NULL, NULL);
        HCS_SYSTEM system = NULL;

        if (SUCCEEDED(HcsOpenComputeSystem(ids[i], GENERIC_ALL, &system))) {
            require(HcsTerminateComputeSystem(system, operation, NULL) == S_OK);
            hcshost_step(world->host, 10000 * MS, 0, NULL);
            HcsCloseComputeSystem(system);
        }
        HcsCloseOperation(operation);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world = {.input = {data, size}};
    const char *spec = specs[choose(&world.input, HCS_COUNT(specs))];

    require(hcshost_open(spec, &world.host, NULL) == S_OK);
    require(hcshost_enter(world.host, NULL) == S_OK);
    for (int i = 0; i < STEPS && world.input.left > 0; i++)
        act(&world);
    world.input.left = 0;
    stop_listening(&world);
    world.depth = 1;
    close_pipe(&world);
    hcshost_step(world.host, 10000 * MS, 0, NULL);
    require_ended(&world);
    for (int i = 0; i < SYSTEMS; i++)
        close_place(&world.places[i]);
    for (int i = 0; i < OPERATIONS; i++)
        close_use(&world.uses[i]);
    end_systems(&world);
    close_networks(&world);
    HcnDeleteNetwork(&network_id, NULL);
    hcshost_step(world.host, 0, 0, NULL);
    require_nothing_left(world.host);
    require(hcshost_enter(NULL, NULL) == S_OK);
    require(hcshost_close(world.host) == S_OK);
    return 0;
}
