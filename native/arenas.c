// glibc gives every thread a heap of its own, up to eight for each core, and none of them gives back what its thread needed once.
// A run has a thread for every local file that is being read, so that half of what it took were such leftovers. One heap for all takes
// no more processor time: what is small comes from a cache of each thread. A vector of more than 256 KiB has pages of its own, which go
// back with it; pieces of files are smaller (PIECE_BYTES in src/connect/store/fs/read.rs). The variables of malloc(3) still rule.
#include <malloc.h>
#include <stdlib.h>

static void set(const char *variable, int parameter, int value) {
    if (getenv(variable) == NULL) {
        mallopt(parameter, value);
    }
}

__attribute__((constructor)) static void share_one_heap(void) {
    set("MALLOC_ARENA_MAX", M_ARENA_MAX, 1);
    set("MALLOC_MMAP_THRESHOLD_", M_MMAP_THRESHOLD, 256 * 1024);
    set("MALLOC_TRIM_THRESHOLD_", M_TRIM_THRESHOLD, 128 * 1024);
}
