// Lets a test move the clocks of a process: LD_PRELOAD this, and CLOCK_FILE holds the seconds to add to the wall clock and to the
// monotonic one. A machine that was suspended has only its wall clock moved; one that was idle has both.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static const volatile int64_t *offsets;

__attribute__((constructor)) static void open_offsets(void) {
  const char *path = getenv("CLOCK_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *map = mmap(NULL, 2 * sizeof *offsets, PROT_READ, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) offsets = map;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, now);
  if (offsets && clock == CLOCK_REALTIME) now->tv_sec += offsets[0];
  if (offsets && clock == CLOCK_MONOTONIC) now->tv_sec += offsets[1];
  return result;
}
