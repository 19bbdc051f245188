/* SPDX-License-Identifier: MIT
 * The text of a time. Days are counted by hand: the C library's gmtime is
 * neither thread-safe everywhere nor the same for times before 1970. */
#include "clock.h"

#include <stdio.h>

#define SECONDS_PER_DAY 86400

struct date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Years are taken to begin in March, so that the leap day is a year's last. */
static struct date date_of_day(int64_t day) {
    int64_t shifted = day + 719468; /* days from 0000-03-01 to 1970-01-01 */
    int64_t era = floor_div(shifted, 146097); /* of 400 years */
    int in_era = (int)(shifted - era * 146097);
    int leaps = in_era / 1460 - in_era / 36524 + in_era / 146096;
    int year = (in_era - leaps) / 365;
    int in_year = in_era - (365 * year + year / 4 - year / 100);
    int month = (5 * in_year + 2) / 153; /* 0 is March */
    struct date date;

    date.day = in_year - (153 * month + 2) / 5 + 1;
    date.month = month < 10 ? month + 3 : month - 9;
    date.year = (int)(era * 400) + year + (date.month <= 2);
    return date;
}

void clock_format_iso(int64_t wall, char out[CLOCK_ISO_SIZE]) {
    int64_t seconds = floor_div(wall, CLOCK_SECOND);
    int64_t past = wall % CLOCK_SECOND; /* the second's beginning */
    int fraction = (int)((past < 0 ? past + CLOCK_SECOND : past) / 100);
    int64_t day = floor_div(seconds, SECONDS_PER_DAY);
    int second = (int)(seconds - day * SECONDS_PER_DAY);
    struct date date = date_of_day(day);

    snprintf(out, CLOCK_ISO_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%07uZ",
             (unsigned)date.year % 10000u, (unsigned)date.month % 100u,
             (unsigned)date.day % 100u, (unsigned)(second / 3600) % 100u,
             (unsigned)(second / 60) % 60u, (unsigned)second % 60u,
             (unsigned)fraction % 10000000u);
}
