/* SPDX-License-Identifier: MIT
 * A simulated world as a whole. */
#include <stdio.h>
#include <stdlib.h>

#include "../../base/counter.h"
#include "../../base/os.h"
#include "sim.h"

static hcs_counter worlds; /* made in this process */

HRESULT sim_open(const struct sim_options *options, const struct sim_env *env,
                 struct sim **out, struct hcs_error *error) {
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no memory for a simulated host");
    sim->options = *options;
    sim->env = *env;
    if (options->own_pipes)
        snprintf(sim->pipe_prefix, sizeof sim->pipe_prefix, "hcs-%u-%u-",
                 (unsigned)os_process_id(), counter_up(&worlds));
    random_seed(&sim->random, options->seed);
    link_init(&sim->files);
    link_init(&sim->programs);
    link_init(&sim->machines);
    link_init(&sim->visits);
    HRESULT hr = console_set_create(&sim->consoles, error);
    if (FAILED(hr)) {
        free(sim);
        return hr;
    }
    *out = sim;
    return S_OK;
}

void sim_close(struct sim *sim) {
    if (!sim)
        return;
    sim_programs_free(sim);
    sim_files_free(sim);
    sim_visits_close(sim);
    console_set_destroy(sim->consoles);
    free(sim);
}

hcs_waitable sim_waitable(struct sim *sim) {
    return console_set_waitable(sim->consoles);
}

bool sim_pump(struct sim *sim) {
    return console_set_pump(sim->consoles);
}

int64_t sim_now(const struct machine *machine) {
    return machine->env.now(machine->env.context);
}
