/* SPDX-License-Identifier: MIT
 * The one thread that lives in the plane's network namespace. All work on the
 * plane is done in it, so nobody else's thread ever changes its namespace, and
 * programs started from it end with the plane. */
#ifndef HCS_LINUX_CREW_H
#define HCS_LINUX_CREW_H

#include "../../base/error.h"
#include "../../base/thread.h"

typedef HRESULT crew_work(void *context, struct hcs_error *error);

struct crew {
    hcs_thread thread;
    hcs_mutex mutex;
    hcs_condition changed;
    crew_work *work; /* to be done, or NULL */
    void *context;
    struct hcs_error *error;
    HRESULT result;
    bool done, leave;
};

/* The thread takes no signals. */
HRESULT crew_start(struct crew *crew, struct hcs_error *error);
void crew_stop(struct crew *crew);
/* Does it there and waits. */
HRESULT crew_run(struct crew *crew, crew_work *work, void *context,
                 struct hcs_error *error);

/* For the crew's thread: a descriptor of the namespace that it is in. */
HRESULT crew_here(int *fd, struct hcs_error *error);
/* Goes into a new namespace and gives its descriptor; the caller goes back. */
HRESULT crew_new_space(int *fd, struct hcs_error *error);
HRESULT crew_enter(int fd, struct hcs_error *error);

#endif
