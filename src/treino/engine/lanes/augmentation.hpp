// Pictures that are changed in training, one after the other: those of augmentation.py, with the same roundings.
//
//     row ─ mixed with its partner ─ resampled ─ contrast and brightness ─ square ─▶ changed
#pragma once
#include "border.hpp"
#include "vectors.hpp"

namespace LANES_SET {

struct PictureShape {
    int64_t channels, high, wide;
    int64_t numbers() const { return channels * high * wide; }
};

struct Resampling {  // a worker's room; of one row of pixels
    float* mixed;                 // a whole picture
    float *down, *along;          // how far a pixel lies below, and to the right of, the one that it comes from
    int32_t *place, *next, *row;  // where that is, how far it is to its right neighbour, and to the one below
};

INLINE float within(float x, float most) { return x > 0.f ? x < most ? x : most : 0.f; }  // 0 of what is no number

// Whether a picture is moved and mirrored by whole pixels alone.
static bool by_whole_pixels(const Change& c) {
    const auto whole = [](float x) { return x > -0x1p20f && x < 0x1p20f && x == (float)(int32_t)x; };
    return c.y_y == 1.f && c.y_x == 0.f && c.x_y == 0.f && (c.x_x == 1.f || c.x_x == -1.f) && whole(c.y_1) && whole(c.x_1);
}

static void move_picture(const PictureShape& p, const float* from, const Change& c, float* to) {
    const auto inside = [](int64_t i, int64_t n) { return i < 0 ? 0 : i < n ? i : n - 1; };
    const int64_t down = (int64_t)c.y_1, right = (int64_t)c.x_1, wide = p.wide;
    const bool mirrored = c.x_x < 0.f;
    const int64_t first = mirrored ? right - (wide - 1) : -right, begin = inside(first, wide + 1);
    const int64_t end = inside(first + wide, wide + 1);  // between them lie the pixels that aren't an edge's again
    for (int64_t row = 0; row < p.channels * p.high; row++, to += wide) {
        const float* source = from + (row / p.high * p.high + inside(row % p.high + down, p.high)) * wide;
        for (int64_t i = 0; i < begin; i++) to[i] = source[mirrored ? wide - 1 : 0];
        if (!mirrored) std::memcpy(to + begin, source + begin + right, (size_t)(end - begin) * sizeof(float));
        else for (int64_t i = begin; i < end; i++) to[i] = source[right - i];
        for (int64_t i = end; i < wide; i++) to[i] = source[mirrored ? 0 : wide - 1];
    }
}

// Each pixel between the four that surround the place that it comes from; beyond the edge the nearest pixel.
static void resample(const PictureShape& p, const Resampling& r, const float* from, const Change& c, float* to) {
    const int32_t wide = (int32_t)p.wide, high = (int32_t)p.high;
    float *__restrict down = r.down, *__restrict along = r.along;
    int32_t *__restrict place = r.place, *__restrict next = r.next, *__restrict below = r.row;
    for (int32_t y = 0; y < high; y++) {
        const float y_here = c.y_y * (float)y + c.y_1, x_here = c.x_y * (float)y + c.x_1;
        for (int32_t x = 0; x < wide; x++) {
            const float at_y = within(y_here + c.y_x * (float)x, (float)(high - 1));
            const float at_x = within(x_here + c.x_x * (float)x, (float)(wide - 1));
            const int32_t row = (int32_t)at_y, column = (int32_t)at_x;
            down[x] = at_y - (float)row, along[x] = at_x - (float)column;
            place[x] = row * wide + column;
            next[x] = column + 1 < wide ? 1 : 0, below[x] = row + 1 < high ? wide : 0;
        }
        for (int64_t channel = 0; channel < p.channels; channel++) {
            const float* plane = from + channel * high * wide;
            float* __restrict pixel = to + (channel * high + y) * wide;
            for (int32_t x = 0; x < wide; x++) {
                const float* corner = plane + place[x];
                const float a = corner[0], b = corner[next[x]], c = corner[below[x]], d = corner[below[x] + next[x]];
                const float upper = a + (b - a) * along[x], lower = c + (d - c) * along[x];
                pixel[x] = upper + (lower - upper) * down[x];
            }
        }
    }
}

// The mean of all numbers: 16 sums, number i adding to sum i % 16, then these in their order.
static float mean_of(const float* x, int64_t n) {
    constexpr int COUNT = 16 / LANES;
    V sum[COUNT] = {};
    for (int64_t i = 0; i < n; i += 16)
        for (int64_t s = 0, at = i; s < COUNT && at < n; s++, at += LANES)
            sum[s] += unaligned(x + at, n - at < LANES ? n - at : LANES);
    float all = 0.f;
    for (const V& s : sum)
        for (int lane = 0; lane < LANES; lane++) all += s[lane];
    return all / (float)n;
}

// f of each vector of n numbers; from may be to.
template <class Function> INLINE void each_number(const float* from, float* to, int64_t n, const Function& f) {
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t m = n - i < LANES ? n - i : LANES;
        put_unaligned(to + i, f(unaligned(from + i, m), i, m), m);
    }
}

// A picture, changed: in `to`, or itself if nothing is. other: the one that is mixed in, or null.
static const float* changed(const PictureShape& p, const Resampling& r, const float* from, const float* other,
                            const Change& c, float* to) {
    const int64_t n = p.numbers();
    const bool whole = by_whole_pixels(c), still = whole && c.x_x > 0.f && c.y_1 == 0.f && c.x_1 == 0.f;
    const bool toned = c.contrast != 1.f || c.brightness != 0.f, cut = c.bottom > c.top && c.right > c.left;
    if (other) {
        float* mixed = still ? to : r.mixed;
        const float share = c.share, rest = 1.f - share;
        each_number(from, mixed, n, [&](V x, int64_t i, int64_t m) { return share * x + rest * unaligned(other + i, m); });
        from = mixed;
    }
    if (still && !toned && !cut) return from;
    if (still) { if (from != to) std::memcpy(to, from, (size_t)n * sizeof(float)); }
    else if (whole) move_picture(p, from, c, to);
    else resample(p, r, from, c, to);
    if (toned) {
        const float mean = mean_of(to, n), offset = mean + c.brightness, factor = c.contrast;
        each_number(to, to, n, [&](V x, int64_t, int64_t) { return (x - mean) * factor + offset; });
    }
    if (cut) {
        const int64_t top = (int64_t)within(c.top, (float)p.high), bottom = (int64_t)within(c.bottom, (float)p.high);
        const int64_t left = (int64_t)within(c.left, (float)p.wide), right = (int64_t)within(c.right, (float)p.wide);
        for (int64_t row = 0; row < p.channels * p.high; row++)
            if (row % p.high >= top && row % p.high < bottom)
                for (int64_t x = left; x < right; x++) to[row * p.wide + x] = 0.f;
    }
    return to;
}

}  // namespace LANES_SET
