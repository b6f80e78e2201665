// Every way in which code of this program asks for memory, counted; one of them can be made to fail. The linker
// puts these functions in the place of those: -Wl,--wrap=NAME for each NAME of WRAPPED in tools/lanes_trial.py.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>

inline int64_t allocations = 0;     // since somebody set it to 0
inline int64_t failing = -1;        // the number of the one that fails

inline bool refused() { return allocations++ == failing; }

extern "C" {
void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
void* __real_aligned_alloc(size_t, size_t);
int __real_posix_memalign(void**, size_t, size_t);
void* __real__Znwm(size_t);
void* __real__Znam(size_t);
void* __real__ZnwmSt11align_val_t(size_t, size_t);

void* __wrap_malloc(size_t n) { return refused() ? nullptr : __real_malloc(n); }
void* __wrap_calloc(size_t n, size_t size) { return refused() ? nullptr : __real_calloc(n, size); }
void* __wrap_realloc(void* p, size_t n) { return refused() ? nullptr : __real_realloc(p, n); }
void* __wrap_aligned_alloc(size_t a, size_t n) { return refused() ? nullptr : __real_aligned_alloc(a, n); }
int __wrap_posix_memalign(void** p, size_t a, size_t n) { return refused() ? 12 : __real_posix_memalign(p, a, n); }
void* __wrap__Znwm(size_t n) { return refused(), __real__Znwm(n); }
void* __wrap__Znam(size_t n) { return refused(), __real__Znam(n); }
void* __wrap__ZnwmSt11align_val_t(size_t n, size_t a) { return refused(), __real__ZnwmSt11align_val_t(n, a); }
}
