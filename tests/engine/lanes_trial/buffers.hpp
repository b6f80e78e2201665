// Memory that the library is given: in the heap, or against a page that nobody may touch.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// end: the last byte stands before the forbidden page; begin: the first one behind it.
enum class Placement { heap, end, begin };

[[noreturn]] inline void fail(const char* what) {
    std::printf("fault: %s\n", what);
    std::fflush(stdout);
    std::exit(1);
}

// count numbers of no more room than they need. close() makes them unwritable where pages allow it.
template <class T> class Buffer {
public:
    Buffer(Placement placement, int64_t count) : placement_(placement), count_(count) {
        const size_t bytes = (size_t)count * sizeof(T);
        if (placement == Placement::heap) {
            start_ = (char*)std::malloc(bytes ? bytes : 1);
            if (!start_) fail("no memory");
            data_ = (T*)start_;
        } else {
            const size_t page = (size_t)sysconf(_SC_PAGESIZE);
            open_ = (bytes + page - 1) / page * page;
            all_ = open_ + page;
            void* found = mmap(nullptr, all_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (found == MAP_FAILED) fail("no pages");
            start_ = (char*)found;
            const bool first = placement == Placement::begin;
            if (mprotect(start_ + (first ? 0 : open_), page, PROT_NONE)) fail("no forbidden page");
            data_ = (T*)(first ? start_ + page : start_ + open_ - bytes);
        }
        std::memset((void*)data_, 0, bytes);
    }
    Buffer(const Buffer&) = delete;
    ~Buffer() {
        if (placement_ == Placement::heap) std::free(start_); else munmap(start_, all_);
    }
    void close() {
        if (placement_ == Placement::heap || !open_) return;
        char* from = placement_ == Placement::end ? start_ : start_ + (all_ - open_);
        if (mprotect(from, open_, PROT_READ)) fail("no read-only page");
    }
    T* data() const { return data_; }
    T& operator[](int64_t i) const { return data_[i]; }
    int64_t size() const { return count_; }

private:
    Placement placement_;
    int64_t count_;
    size_t open_ = 0, all_ = 0;
    char* start_;
    T* data_;
};
