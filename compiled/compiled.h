/* What the compiled parts share: vectors as wide as the machine's, and functions that are made for several kinds of it. */
#pragma once
#include <stdint.h>

#if defined(__x86_64__)
#define WIDTH 8
#else
#define WIDTH 4
#endif
#define PER_16 (16 / WIDTH)

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(ONE_KIND)
#ifdef AT_MOST_V3 /* to measure what a processor without AVX-512 would do */
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * WIDTH)));
typedef int32_t ivec __attribute__((vector_size(4 * WIDTH)));
typedef float unaligned_vec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

#define load(from) ((vec)*(const unaligned_vec *)(from))
#define store(to, value) (*(unaligned_vec *)(to) = (unaligned_vec)(value))
#define zero() ((vec){0})
#define total(v) ({ float sum_ = 0; for (int n_ = 0; n_ < WIDTH; n_++) sum_ += (v)[n_]; sum_; })
#define larger(a, b) ({ const vec a_ = (a), b_ = (b); const ivec m_ = a_ > b_; (vec)((m_ & (ivec)a_) | (~m_ & (ivec)b_)); })
