/*
 * A wide-area link between two network namespaces: wan NAMESPACE DEVICE NAMESPACE DEVICE DELAY_US LOSS_PPM
 * What enters one TUN device leaves the other DELAY_US later, but for LOSS_PPM packets in a million. One thread for each
 * direction, in order, without batching. For kernels without netem. Prints "up" once both devices are there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* The largest packet of a TUN device at its usual MTU, and how many may be under way: 8192 is 12 MB at any delay. */
enum { packet_bytes = 1500, slots = 8192 };

struct packet {
  uint64_t due_ns;
  ssize_t length;
  char bytes[packet_bytes];
};

struct direction {
  int from, to;
  uint64_t delay_ns;
  uint32_t loss_ppm, random;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A TUN device in a namespace; the calling thread stays there. */
static int open_device(const char *name_space, const char *device) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", name_space);
  int where = open(path, O_RDONLY | O_CLOEXEC);
  if (where < 0 || setns(where, CLONE_NEWNET) != 0) fail(path);
  close(where);
  int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
  if (ioctl(file, TUNSETIFF, &request) != 0) fail(device);
  return file;
}

/* xorshift32 (Marsaglia 2003): the same losses in every run. */
static int is_lost(struct direction *d) {
  d->random ^= d->random << 13;
  d->random ^= d->random >> 17;
  d->random ^= d->random << 5;
  return d->random % 1000000 < d->loss_ppm;
}

static void *carry(void *argument) {
  struct direction *d = argument;
  struct packet *queue = calloc(slots, sizeof *queue);
  if (queue == NULL) fail("calloc");
  unsigned head = 0, tail = 0;
  /* The default of 50 us is added to every wait. */
  prctl(PR_SET_TIMERSLACK, 1000);
  for (;;) {
    while (head != tail && queue[head % slots].due_ns <= now_ns()) {
      struct packet *p = &queue[head++ % slots];
      /* A full device drops, as a router does. */
      if (write(d->to, p->bytes, (size_t)p->length) < 0) continue;
    }
    uint64_t now = now_ns();
    uint64_t wait = head == tail ? 1000000000 : queue[head % slots].due_ns > now ? queue[head % slots].due_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    struct pollfd readable = {.fd = d->from, .events = POLLIN};
    if (ppoll(&readable, 1, &timeout, NULL) <= 0) continue;
    while (tail - head < slots) {
      struct packet *p = &queue[tail % slots];
      p->length = read(d->from, p->bytes, sizeof p->bytes);
      if (p->length <= 0) break;
      p->due_ns = now_ns() + d->delay_ns;
      if (!is_lost(d)) tail++;
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: wan NAMESPACE DEVICE NAMESPACE DEVICE DELAY_US LOSS_PPM\n");
    return 64;
  }
  int a = open_device(argv[1], argv[2]), b = open_device(argv[3], argv[4]);
  uint64_t delay_ns = strtoull(argv[5], NULL, 10) * 1000;
  uint32_t loss_ppm = (uint32_t)strtoul(argv[6], NULL, 10);
  struct direction there = {.from = a, .to = b, .delay_ns = delay_ns, .loss_ppm = loss_ppm, .random = 2463534242};
  struct direction back = {.from = b, .to = a, .delay_ns = delay_ns, .loss_ppm = loss_ppm, .random = 88675123};
  puts("up");
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, carry, &there) != 0) fail("pthread_create");
  carry(&back);
}
