// A team: threads that go through the same steps of one network side by side, each with a share of every
// product. Here is how work is shared out, and the barrier where they wait for each other. Nobody makes a thread
// here: the callers are the threads, and each says which rank it is.
#pragma once
#if !defined(__wasm__)
#include <sched.h>
#endif

#include <cstdint>

#include "vectors.hpp"

namespace LANES_SET {

constexpr int64_t SPINS = 2000;  // looks at the barrier, some 30 µs, before the core is left to other threads

struct Range {
    int64_t begin, end;
};

INLINE bool stopped(const int32_t* stop) { return __atomic_load_n(stop, __ATOMIC_RELAXED) != 0; }

INLINE void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

INLINE void leave_core() {
#if !defined(__wasm__)  // a page has no other threads
    sched_yield();
#endif
}

struct Team {
    static constexpr uint64_t BROKEN = (uint64_t)1 << 63;
    uint64_t arrivals;  // at all barriers so far; with BROKEN nobody passes one any more
    int64_t ranks;
};

// One thread of a team. Each rank keeps its own count of the barriers.
struct alignas(64) Rank {
    Team* team;
    int64_t number, ranks;
    uint64_t all;         // arrivals with which everybody is at the last barrier that this rank has passed
    const int32_t* stop;  // not 0: the team ends

    INLINE_MEMBER bool first() const { return number == 0; }
    // This rank's share of n things that are alike, in their order.
    INLINE_MEMBER Range share(int64_t n) const {
        return ranks == 1 ? Range{0, n} : Range{n * number / ranks, n * (number + 1) / ranks};
    }

    // Waits until all ranks are here. False: they are to stop. It is the same answer for all: either every rank
    // passes a barrier or none does. After a false one the team is of no use.
    bool wait() {
        if (ranks == 1) return !stopped(stop);
        all += (uint64_t)ranks;
        uint64_t* const arrivals = &team->arrivals;
        uint64_t now = __atomic_load_n(arrivals, __ATOMIC_ACQUIRE);
        do if (now & Team::BROKEN) return false;
        while (!__atomic_compare_exchange_n(arrivals, &now, now + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
        now++;
        for (int64_t look = 0; (now & ~Team::BROKEN) < all; look++) {
            if (now & Team::BROKEN) return false;
            if (stopped(stop)) {  // nobody may arrive in between: else he would pass
                __atomic_compare_exchange_n(arrivals, &now, now | Team::BROKEN, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
                now = __atomic_load_n(arrivals, __ATOMIC_ACQUIRE);
                continue;
            }
            if (look < SPINS) pause(); else leave_core();
            now = __atomic_load_n(arrivals, __ATOMIC_ACQUIRE);
        }
        return true;
    }
};

}  // namespace LANES_SET
