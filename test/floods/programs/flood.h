/* What the floods share. Defined in flood.c but for the floods themselves. */
#ifndef BACKFLOW_TEST_FLOOD_H
#define BACKFLOW_TEST_FLOOD_H

#include <stdint.h>
#include <sys/types.h>

/* Of TEST-NET-3 (RFC 5737), which counts as outside. */
#define OUTSIDE "203.0.113.77"
#define OUTSIDE_PORT 443

/* Of this run: what the command line asked for, and the monotonic clock in microseconds. */
extern long count_limit, seconds, extra;
extern int64_t started_us;
extern volatile int64_t end_us;

int is_time(void);
/* Sleeps until the end. */
void hold(void);
/* fork() with flags of clone(): the new process ends with its parent, and by itself some seconds after the end. */
pid_t start_process(int flags);
/* Starts the far end of connections that speak: every millisecond, or every 100 ms where there are many. */
void serve_outside(int speaks_fast);
/* A connection to it that has spoken. */
int dial_outside(void);

/* Each returns how many it made. */
long flood_edges(void);
long flood_scan(void);
long flood_groups(void);
long flood_connections(void);
long flood_descriptors(void);
long flood_execs(void);
long flood_both(void);
long flood_intents(void);
long flood_forks(void);

/* What a process of flood_intents does. */
int act_as_ssh(void);

#endif
