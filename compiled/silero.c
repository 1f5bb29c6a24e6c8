/* One step of Silero VAD v6 for many streams: what voice_activity/silero_network.py computes, without its temporaries.

   Weights lie in panels of 16 outputs, [panel][input][16] (SileroNetwork.packed): a tile of up to six rows keeps its sums
   in registers while a panel, which fits the first cache, goes by. A stream's result does not depend on its neighbours. */
#include "compiled.h"
#include <math.h>
#include <string.h>

enum { CONTEXT = 64, CHUNK = 512, WINDOW = CONTEXT + CHUNK, PADDED = WINDOW + 64, STATE = 128 };
enum { FRAMES = 4, HOP = 128, BINS = 129, GROUP = 32 };

/* offsets in the packed weights, in floats */
enum {
    COSINES = 0,                        /* [8][128][16] */
    COSINE_LAST = COSINES + 128 * 128,  /* [128]: the highest frequency */
    SINES = COSINE_LAST + 128,          /* [8][127][16]: the last output is padding */
    CONV0 = SINES + 127 * 128,          /* [8][387][16] */
    CONV1 = CONV0 + 387 * 128,          /* [4][384][16] */
    CONV2 = CONV1 + 384 * 64,           /* [4][128][16] */
    CONV3 = CONV2 + 128 * 64,           /* [8][64][16] */
    LSTM = CONV3 + 64 * 128,            /* [32][256][16] */
    BIAS0 = LSTM + 256 * 512,
    BIAS1 = BIAS0 + 128,
    BIAS2 = BIAS1 + 64,
    BIAS3 = BIAS2 + 64,
    BIAS_LSTM = BIAS3 + 128,
    OUT = BIAS_LSTM + 512,
    OUT_BIAS = OUT + 128,
    WEIGHTS = OUT_BIAS + 1
};

typedef struct {
    float padded[PADDED];
    float plus[GROUP][FRAMES][128], minus[GROUP][FRAMES][128], imaginary[GROUP][FRAMES][128];
    float magnitudes[GROUP][FRAMES * BINS + 12];
    float four[GROUP][512], two[GROUP][128], one[GROUP][64], joined[GROUP][256], gates[GROUP][512];
} Room;

typedef struct {
    const float *in, *w, *bias; /* first row; first panel; NULL: no bias and no rectifier */
    float *out;
    long in_stride, out_stride, panel_stride, inputs, panels, rows;
    int rectify;
} Product;

INLINE void store_16(const Product *p, long row, long panel, const vec *sum) {
    float *to = p->out + row * p->out_stride + 16 * panel;
    for (int v = 0; v < PER_16; v++) {
        vec value = sum[v];
        if (p->bias) value += load(p->bias + 16 * panel + v * WIDTH);
        if (p->rectify) value = larger(value, zero());
        store(to + v * WIDTH, value);
    }
}

/* `count` rows (a constant) of one panel */
INLINE void tile(const Product *p, long row, long panel, const int count) {
    const float *w = p->w + panel * p->panel_stride, *in = p->in + row * p->in_stride;
    const long stride = p->in_stride;
    vec sum[6][PER_16];
    for (int r = 0; r < count; r++)
        for (int v = 0; v < PER_16; v++) sum[r][v] = zero();
    for (long k = 0; k < p->inputs; k++) {
        vec weight[PER_16];
        for (int v = 0; v < PER_16; v++) weight[v] = load(w + 16 * k + v * WIDTH);
        for (int r = 0; r < count; r++) {
            const float value = in[r * stride + k];
            for (int v = 0; v < PER_16; v++) sum[r][v] += weight[v] * value;
        }
    }
    for (int r = 0; r < count; r++) store_16(p, row + r, panel, sum[r]);
}

/* one row of three or four panels: enough sums at once that none waits for another */
INLINE void row_alone(const Product *p, long row, long panel) {
    const float *w = p->w + panel * p->panel_stride, *in = p->in + row * p->in_stride;
    vec sum[4][PER_16];
    for (int q = 0; q < 4; q++)
        for (int v = 0; v < PER_16; v++) sum[q][v] = zero();
    for (long k = 0; k < p->inputs; k++)
        for (int q = 0; q < 4; q++)
            for (int v = 0; v < PER_16; v++)
                sum[q][v] += load(w + q * p->panel_stride + 16 * k + v * WIDTH) * in[k];
    for (int q = 0; q < 4; q++) store_16(p, row, panel + q, sum[q]);
}

CLONES __attribute__((noinline)) void pronto_product(const Product *p) {
    if (p->rows < 3) {
        for (long row = 0; row < p->rows; row++)
            for (long panel = 0; panel < p->panels; panel += 4) row_alone(p, row, panel);
        return;
    }
    for (long panel = 0; panel < p->panels; panel++) {
        long row = 0;
        for (; row + 6 <= p->rows; row += 6) tile(p, row, panel, 6);
        switch (p->rows - row) {
        case 5: tile(p, row, panel, 5); break;
        case 4: tile(p, row, panel, 4); break;
        case 3: tile(p, row, panel, 3); break;
        case 2: tile(p, row, panel, 2); break;
        case 1: tile(p, row, panel, 1); break;
        }
    }
}

INLINE void tanh_all(float *values, long count) { /* a multiple of WIDTH */
    for (long n = 0; n < count; n += WIDTH) {
        vec x = load(values + n) * 2.0f;
        x = larger(-larger(-x, zero() - 18.0f), zero() - 18.0f);
        const vec magic = zero() + 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
        const vec whole = (x * 1.44269504f + magic) - magic;
        const vec rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
        vec e = rest * 1.9875691500e-4f + 1.3981999507e-3f;
        e = e * rest + 8.3334519073e-3f;
        e = e * rest + 4.1665795894e-2f;
        e = e * rest + 1.6666665459e-1f;
        e = e * rest + 5.0000001201e-1f;
        e = e * rest * rest + rest + 1.0f;
        const ivec power = (__builtin_convertvector(whole, ivec) + 127) << 23;
        e *= (vec)power;
        store(values + n, (e - 1.0f) / (e + 1.0f));
    }
}

INLINE void fold(Room *room, int stream, const float *context, const uint8_t *chunk, int swapped) {
    float *padded = room->padded;
    memcpy(padded, context, CONTEXT * sizeof(float));
    int16_t samples[CHUNK];
    memcpy(samples, chunk, sizeof samples);
    if (swapped)
        for (int n = 0; n < CHUNK; n++) samples[n] = (int16_t)__builtin_bswap16((uint16_t)samples[n]);
    for (int n = 0; n < CHUNK; n++) padded[CONTEXT + n] = samples[n] * (1.0f / 32768);
    for (int n = 0; n < 64; n++) padded[WINDOW + n] = padded[WINDOW - 2 - n];
    for (int f = 0; f < FRAMES; f++) {
        const float *frame = padded + f * HOP;
        float *plus = room->plus[stream][f], *minus = room->minus[stream][f];
        for (int n = 0; n < 127; n++) {
            plus[n] = frame[1 + n] + frame[255 - n];
            minus[n] = frame[1 + n] - frame[255 - n];
        }
        plus[127] = frame[128];
    }
}

INLINE void spectrum(Room *room, const float *w, long n) {
    /* four frames a stream, each a row */
    Product cosines = {room->plus[0][0], w + COSINES, NULL, room->four[0], 128, 128, 128 * 16, 128, 8, FRAMES * n, 0};
    pronto_product(&cosines); /* into `four`, which is [4n][128] as well and free until the first convolution */
    Product sines = {room->minus[0][0], w + SINES, NULL, room->imaginary[0][0], 128, 128, 127 * 16, 127, 8, FRAMES * n, 0};
    pronto_product(&sines);
    for (long s = 0; s < n; s++)
        for (int f = 0; f < FRAMES; f++) {
            float *to = room->magnitudes[s] + f * BINS;
            const float *real = room->four[s] + f * 128, *imaginary = room->imaginary[s][f];
            const float *plus = room->plus[s][f];
            to[0] = fabsf(real[0]); /* sines begin with the second frequency */
            for (int b = 1; b < 128; b++) to[b] = sqrtf(real[b] * real[b] + imaginary[b - 1] * imaginary[b - 1]);
            vec sum = zero();
            for (int k = 0; k < 128; k += WIDTH) sum += load(plus + k) * load(w + COSINE_LAST + k);
            to[128] = fabsf(total(sum));
        }
}

INLINE void features(Room *room, const float *w, long n) {
    const long wide = FRAMES * BINS + 12;
    float *seen = room->magnitudes[0], *four = room->four[0], *two = room->two[0];
    const float *conv0 = w + CONV0, *conv1 = w + CONV1;
    spectrum(room, w, n);
    /* nothing comes before the first step of time nor after the last: taps that would meet padding are left out */
    Product t0 = {seen, conv0 + BINS * 16, w + BIAS0, four, wide, 512, 387 * 16, 258, 8, n, 1};
    Product t1 = {seen, conv0, w + BIAS0, four + 128, wide, 512, 387 * 16, 387, 8, n, 1};
    Product t2 = {seen + BINS, conv0, w + BIAS0, four + 256, wide, 512, 387 * 16, 387, 8, n, 1};
    Product t3 = {seen + 2 * BINS, conv0, w + BIAS0, four + 384, wide, 512, 387 * 16, 258, 8, n, 1};
    pronto_product(&t0), pronto_product(&t1), pronto_product(&t2), pronto_product(&t3);
    Product u0 = {four, conv1 + 128 * 16, w + BIAS1, two, 512, 128, 384 * 16, 256, 4, n, 1};
    Product u1 = {four + 128, conv1, w + BIAS1, two + 64, 512, 128, 384 * 16, 384, 4, n, 1};
    pronto_product(&u0), pronto_product(&u1);
    Product third = {two, w + CONV2, w + BIAS2, room->one[0], 128, 64, 128 * 16, 128, 4, n, 1};
    pronto_product(&third);
    Product fourth = {room->one[0], w + CONV3, w + BIAS3, room->joined[0], 64, 256, 64 * 16, 64, 8, n, 1};
    pronto_product(&fourth);
}

/* New h and c of one stream from its gates: input, output and forget halved (sigmoid by tanh), cell. */
INLINE float cell(float *gates, float *h, float *c, const float *w) {
    tanh_all(gates, 512);
    vec sum = zero();
    for (int k = 0; k < STATE; k += WIDTH) {
        const vec in = (load(gates + k) + 1.0f) * 0.5f, forget = (load(gates + 2 * STATE + k) + 1.0f) * 0.5f;
        store(c + k, forget * load(c + k) + in * load(gates + 3 * STATE + k));
        store(h + k, load(c + k));
    }
    tanh_all(h, STATE);
    for (int k = 0; k < STATE; k += WIDTH) {
        vec value = load(h + k) * ((load(gates + STATE + k) + 1.0f) * 0.5f);
        store(h + k, value);
        value = larger(value, zero());
        sum += value * load(w + OUT + k);
    }
    float speech[WIDTH] = {(total(sum) + w[OUT_BIAS]) * 0.5f};
    tanh_all(speech, WIDTH);
    return speech[0] * 0.5f + 0.5f;
}

long pronto_silero_weights(void) { return WEIGHTS; }
long pronto_silero_room(void) { return sizeof(Room); }

/* `rows`: which rows of the states h, c [.., 128] and context [.., 64] these `count` streams have; `chunks`: where the
   512 samples of each begin, `swapped` when they are in the other byte order. Probabilities go to `speech`. */
CLONES void pronto_silero_step(const float *w, Room *room, const int64_t *rows, long count, const uint8_t *const *chunks,
                               int swapped, float *h, float *c, float *context, float *speech) {
    for (long first = 0; first < count; first += GROUP) {
        const long n = count - first < GROUP ? count - first : GROUP;
        for (long s = 0; s < n; s++) {
            const int64_t row = rows[first + s];
            fold(room, (int)s, context + row * CONTEXT, chunks[first + s], swapped);
            memcpy(context + row * CONTEXT, room->padded + WINDOW - CONTEXT, CONTEXT * sizeof(float));
            memcpy(room->joined[s] + STATE, h + row * STATE, STATE * sizeof(float));
        }
        features(room, w, n);
        Product gates = {room->joined[0], w + LSTM, w + BIAS_LSTM, room->gates[0], 256, 512, 256 * 16, 256, 32, n, 0};
        pronto_product(&gates);
        for (long s = 0; s < n; s++) {
            const int64_t row = rows[first + s];
            speech[first + s] = cell(room->gates[s], h + row * STATE, c + row * STATE, w);
        }
    }
}
