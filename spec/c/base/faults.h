/* SPDX-License-Identifier: MIT
 * Counts the allocations of the code under test and makes one of them fail. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>

/* The n-th allocation from now on fails, and all after it; 0: none. */
void faults_fail_from(size_t n);
size_t faults_allocations(void); /* since faults_fail_from */
long faults_live(void);          /* blocks that are allocated now */

#endif
