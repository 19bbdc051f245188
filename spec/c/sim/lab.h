/* SPDX-License-Identifier: MIT
 * A NAT network of a simulated world with two endpoints, and guests on it. */
#ifndef HCS_TEST_LAB_H
#define HCS_TEST_LAB_H

#include "world.h"

#define ENDPOINT_A "0a0a0a0a-0000-0000-0000-000000000001"
#define ENDPOINT_B "0a0a0a0a-0000-0000-0000-000000000002"

struct lab {
    struct world world;
    struct system a, b; /* 10.0.0.10 and 10.0.0.11 */
};

struct lab_options {
    bool dhcp;
    uint64_t limit; /* of what B sends, bytes per second */
};

/* Port 8080 of the host leads to port 80 of A, 8081 to 5001. */
void lab_open(struct lab *lab, const struct lab_options *options);
void lab_close(struct lab *lab);
/* Starts the guest whose pipe has that name and waits until it is up. */
void lab_start(struct lab *lab, struct system *system, const char *name,
               const char *endpoint);
/* Both, with their addresses. */
void lab_start_both(struct lab *lab);
/* Types a line, waits for `ns`, and expects exactly that since the last one. */
void lab_say(struct system *system, const char *line, int64_t ns,
             const char *answer);
struct plane_statistics lab_counted(struct lab *lab, const char *endpoint);

#endif
