/* SPDX-License-Identifier: MIT
 * One wait takes 64 handles. Where there are more, the system's thread pool
 * waits for the rest and raises an event that stands for all of them. */
#include "watch.h"

#include <stdlib.h>

#include "../base/clock.h"
#include "pipe.h"

#define DIRECT (MAXIMUM_WAIT_OBJECTS - 1) /* and the event for the rest */

hcs_waitable watch_object(int number) {
    return number == -1 ? HCS_NOT_WAITABLE : (HANDLE)(intptr_t)number;
}

/* The significant part of a handle has 32 bits. */
lua_Integer watch_number(hcs_waitable object) {
    return (lua_Integer)(uint32_t)(uintptr_t)object;
}

bool watch_find(lua_State *L, lua_Integer number, struct watch *out) {
    struct pipe *pipe;
    if (number <= 0 || number > INT32_MAX)
        return false;
    pipe_push_known(L);
    lua_rawgeti(L, -1, number);
    pipe = lua_touserdata(L, -1);
    lua_pop(L, 2);
    out->number = number;
    out->object = watch_object((int)number);
    out->pipe = pipe != NULL && pipe->handle != NULL ? pipe : NULL;
    return true;
}

/* A handle that the pool waits for. */
struct distant {
    HANDLE object, more;
    HANDLE registration;
    volatile LONG fired;
};

/* What one wait needs. */
struct wait {
    HANDLE direct[MAXIMUM_WAIT_OBJECTS];
    struct watch *whose[MAXIMUM_WAIT_OBJECTS]; /* NULL: ours */
    DWORD count;
    struct distant *distant; /* for watches beyond */
    size_t distant_count;
    HANDLE more; /* raised by any of them */
};

static HRESULT fail(struct hcs_error *error, DWORD code) {
    return error_set(error, HRESULT_FROM_WIN32(code), NULL,
                     "cannot wait for handles (Windows error %lu)", code);
}

/* Whether a wait for the handle would end at once; it takes what an event that
 * resets itself has to give. */
static bool is_ready(HANDLE object, DWORD *failure) {
    DWORD result = WaitForSingleObject(object, 0);
    if (result == WAIT_FAILED)
        *failure = GetLastError();
    return result == WAIT_OBJECT_0 || result == WAIT_ABANDONED;
}

/* Whether a record of a console is of those that a line is made of: of a key
 * that goes down and is not only held while another is pressed. */
static bool is_typed(const INPUT_RECORD *record) {
    const KEY_EVENT_RECORD *key = &record->Event.KeyEvent;
    if (record->EventType != KEY_EVENT)
        return false;
    switch (key->wVirtualKeyCode) {
    case VK_MENU: /* goes up with the character that was typed as a number */
        return !key->bKeyDown && key->uChar.UnicodeChar != 0;
    case VK_SHIFT:
    case VK_CONTROL:
    case VK_CAPITAL:
    case VK_NUMLOCK:
    case VK_SCROLL:
    case VK_LWIN:
    case VK_RWIN:
        return false;
    default:
        return key->bKeyDown != FALSE;
    }
}

/* A console is signalled by whatever happens at it, by keys that go up and by
 * the mouse too, while who reads lines from it waits for a line. What such a
 * reader would pass over is taken away. Other handles have what they say. */
static bool has_input(HANDLE object) {
    INPUT_RECORD record;
    DWORD mode, count;
    if (!GetConsoleMode(object, &mode) || (mode & ENABLE_LINE_INPUT) == 0)
        return true;
    while (PeekConsoleInputW(object, &record, 1, &count)) {
        if (count == 0)
            return false;
        if (is_typed(&record) || !ReadConsoleInputW(object, &record, 1, &count))
            return true;
    }
    return true; /* it is one for output */
}

/* Looks at all that are not known to be ready; whether one is. */
static bool look(struct watch *watches, size_t count, DWORD *failure) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        struct watch *watch = &watches[i];
        if (watch->ready == 0) {
            if (watch->pipe != NULL)
                watch->ready = pipe_look(watch->pipe, watch->wanted);
            else if (is_ready(watch->object, failure) &&
                     has_input(watch->object))
                watch->ready = watch->wanted;
        }
        any = any || watch->ready != 0;
    }
    return any;
}

static bool has(const struct wait *wait, HANDLE object) {
    for (DWORD i = 0; i < wait->count; i++)
        if (wait->direct[i] == object)
            return true;
    return false;
}

static void add(struct wait *wait, HANDLE object, struct watch *whose) {
    wait->direct[wait->count] = object;
    wait->whose[wait->count] = whose;
    wait->count++;
}

static void CALLBACK on_distant(void *context, BOOLEAN timed_out) {
    struct distant *distant = context;
    (void)timed_out;
    InterlockedExchange(&distant->fired, 1);
    SetEvent(distant->more);
}

static HRESULT add_distant(struct wait *wait, struct watch *watches,
                           size_t count, struct hcs_error *error) {
    wait->more = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (wait->more == NULL)
        return fail(error, GetLastError());
    wait->distant = calloc(count, sizeof(*wait->distant));
    if (wait->distant == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct distant *distant = &wait->distant[i];
        distant->object = watches[i].object;
        distant->more = wait->more;
        if (!RegisterWaitForSingleObject(&distant->registration,
                                         distant->object, on_distant, distant,
                                         INFINITE, WT_EXECUTEONLYONCE))
            return fail(error, GetLastError());
        wait->distant_count++;
    }
    add(wait, wait->more, NULL);
    return S_OK;
}

/* The first watches wait here, those from *direct on in the pool. */
static HRESULT prepare(struct wait *wait, const hcs_waitable ours[WATCH_OURS],
                       struct watch *watches, size_t count, size_t *direct,
                       struct hcs_error *error) {
    size_t next = 0;
    for (size_t i = 0; i < WATCH_OURS; i++)
        if (ours[i] != HCS_NOT_WAITABLE)
            add(wait, ours[i], NULL);
    for (; next < count && wait->count < DIRECT; next++)
        if (!has(wait, watches[next].object))
            add(wait, watches[next].object, &watches[next]);
    *direct = next;
    if (next == count)
        return S_OK;
    return add_distant(wait, watches + next, count - next, error);
}

/* What fired may not be ready any more: it took what there was. */
static void finish(struct wait *wait, struct watch *distant) {
    for (size_t i = 0; i < wait->distant_count; i++) {
        UnregisterWaitEx(wait->distant[i].registration, INVALID_HANDLE_VALUE);
        if (wait->distant[i].fired && distant[i].pipe == NULL &&
            has_input(distant[i].object))
            distant[i].ready = distant[i].wanted;
    }
    free(wait->distant);
    if (wait->more != NULL)
        CloseHandle(wait->more);
}

/* Rounded up, so that nobody looks too early again and again. */
static DWORD milliseconds(int64_t timeout) {
    int64_t ms;
    if (timeout == INT64_MAX)
        return INFINITE;
    ms = timeout / CLOCK_MS + (timeout % CLOCK_MS != 0);
    return ms < INFINITE ? (DWORD)ms : INFINITE - 1;
}

/* Waits, and notes what a direct handle has given. */
static DWORD sleep_on(struct wait *wait, DWORD timeout) {
    DWORD result =
        WaitForMultipleObjects(wait->count, wait->direct, FALSE, timeout);
    DWORD index = result - WAIT_OBJECT_0;
    if (result == WAIT_FAILED)
        return GetLastError();
    if (result >= WAIT_ABANDONED_0 &&
        result < WAIT_ABANDONED_0 + MAXIMUM_WAIT_OBJECTS)
        index = result - WAIT_ABANDONED_0;
    if (index < wait->count && wait->whose[index] != NULL &&
        wait->whose[index]->pipe == NULL && has_input(wait->direct[index]))
        wait->whose[index]->ready = wait->whose[index]->wanted;
    return 0;
}

HRESULT watch_wait(const hcs_waitable ours[WATCH_OURS], struct watch *watches,
                   size_t count, int64_t timeout, struct hcs_error *error) {
    struct wait wait = {.count = 0};
    DWORD failure = 0;
    size_t direct = count;
    HRESULT hr;
    for (size_t i = 0; i < count; i++)
        watches[i].ready = 0;
    if (look(watches, count, &failure) || timeout == 0 || failure != 0)
        return failure != 0 ? fail(error, failure) : S_OK;
    hr = prepare(&wait, ours, watches, count, &direct, error);
    if (SUCCEEDED(hr))
        failure = sleep_on(&wait, milliseconds(timeout));
    finish(&wait, watches + direct);
    if (SUCCEEDED(hr))
        (void)look(watches, count, &failure);
    return SUCCEEDED(hr) && failure != 0 ? fail(error, failure) : hr;
}
