/* SPDX-License-Identifier: MIT
 * Namespaces: network namespaces without a name, which end with the last
 * descriptor, and the plane's own for those that are the host's. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "inside.h"

#define LOOPBACK 1

/* A new one, with its loopback on. */
static HRESULT make(struct plane *plane, int *fd, struct hcs_error *error) {
    struct wire wire = {.fd = -1};
    HRESULT hr = crew_new_space(fd, error), back;

    if (SUCCEEDED(hr))
        hr = wire_open(&wire, error);
    if (SUCCEEDED(hr))
        hr = device_up(&wire, LOOPBACK, error);
    wire_close(&wire);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : back;
}

static HRESULT open_space(struct plane *plane, struct space *space,
                          struct hcs_error *error) {
    if (space->type == PLANE_HOST)
        return make(plane, &space->fd, error);
    if (space->type != PLANE_HOST_DEFAULT)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "a guest's namespace is not on the host");
    space->fd = fcntl(plane->home, F_DUPFD_CLOEXEC, 3);
    return space->fd < 0 ? no_memory(error) : S_OK;
}

HRESULT space_up(struct plane *plane, const struct plane_namespace *told,
                 struct hcs_error *error) {
    struct space *space = calloc(1, sizeof *space);
    HRESULT hr;

    if (!space)
        return no_memory(error);
    link_init(&space->link);
    space->id = told->id;
    space->type = told->type;
    space->fd = -1;
    hr = open_space(plane, space, error);
    if (FAILED(hr)) {
        space_down(plane, space);
        return hr;
    }
    link_append(&plane->spaces, &space->link);
    return S_OK;
}

void space_down(struct plane *plane, struct space *space) {
    (void)plane;
    link_remove(&space->link);
    if (space->fd >= 0)
        close(space->fd);
    free(space);
}
