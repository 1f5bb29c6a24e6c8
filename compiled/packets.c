/* What nearly every packet and every chunk of silence need, for many calls at once: the fast paths of
   rtp_receiver/call_lines.py, call_stream.py and reorder.py. Whatever is not plain goes to Python, which does the rest. */
#include "compiled.h"
#include <string.h>

enum { HEADER_BYTES = 12, PLAIN = 0x80, PAYLOAD_TYPE = 118 };

/* StreamState of rtp_receiver/stream_state.py */
typedef struct {
    uint8_t *audio;  /* network order */
    double *arrived; /* [arrived_size], by chunk number */
    int64_t base, limit, end;
    int64_t received, stepped, next_at, full_at;
    double last_packet_at, quiet_below, energy;
    uint32_t expected, timestamp, ssrc, in_a_row;
    int32_t chunk, arrived_size, waiting, skipped, number;
    uint8_t follows, audible, ready;
} Stream;

/* Batch of rtp_receiver/compiled_packets.py */
typedef struct {
    const uint8_t *memory;
    const uint32_t *lengths;
    const uint64_t *sources;
    const double *arrivals;
    const uint64_t *keys; /* [mask + 1], 0: empty */
    Stream *const *values;
    int32_t *others, *ready; /* out: numbers of datagrams, of streams */
    int64_t length_stride, source_stride, datagram_bytes, mask, other_count, ready_count; /* strides in elements */
} Batch;

INLINE uint64_t place(uint64_t key, uint64_t mask) { return (key * 0x9E3779B97F4A7C15u >> 32) & mask; }

void pronto_know(uint64_t *keys, Stream **values, int64_t mask, uint64_t key, Stream *stream) {
    uint64_t n = place(key, mask);
    while (keys[n] && keys[n] != key) n = (n + 1) & mask;
    keys[n] = key, values[n] = stream;
}

INLINE Stream *stream_of(const Batch *b, uint64_t key) {
    uint64_t n = place(key, b->mask);
    while (b->keys[n] != key) {
        if (!b->keys[n]) return NULL;
        n = (n + 1) & b->mask;
    }
    return b->values[n];
}

INLINE uint32_t big_32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

INLINE int take(Stream *s, const uint8_t *p, int64_t length, double arrived_at, int64_t longest) {
    if (!s->follows || !s->audible || length <= HEADER_BYTES || length >= longest || length & 1) return 0;
    if (p[0] != PLAIN || (p[1] & 0x7F) != PAYLOAD_TYPE) return 0;
    const int64_t bytes = length - HEADER_BYTES, samples = bytes >> 1;
    if ((uint32_t)(p[2] << 8 | p[3]) != s->expected || big_32(p + 4) != s->timestamp || big_32(p + 8) != s->ssrc) return 0;
    if (s->end + samples > s->full_at || s->end + samples > s->limit) return 0;
    memcpy(s->audio + 2 * (s->end - s->base), p + HEADER_BYTES, bytes);
    s->end += samples;
    s->expected = (s->expected + 1) & 0xFFFF;
    s->timestamp += (uint32_t)samples;
    s->in_a_row += s->in_a_row < 1000;
    s->last_packet_at = arrived_at;
    for (; s->next_at <= s->end; s->next_at += s->chunk) {
        s->arrived[s->received++ % s->arrived_size] = arrived_at;
        s->waiting++;
    }
    return 1;
}

/* Takes the packets that follow at once on the last one of their call; how many. `others`: those that Python has to
   look at, in order, with all that come after them for the same call. */
int64_t pronto_take(Batch *b, int64_t count) {
    int64_t taken = 0;
    b->other_count = b->ready_count = 0;
    for (int64_t n = 0; n < count; n++) {
        Stream *s = stream_of(b, b->sources[n * b->source_stride]);
        const int64_t length = b->lengths[n * b->length_stride];
        if (!s || !take(s, b->memory + n * b->datagram_bytes, length, b->arrivals[n], b->datagram_bytes)) {
            if (s) s->follows = 0; /* until Python has seen to it */
            b->others[b->other_count++] = (int32_t)n;
            continue;
        }
        taken++;
        if (s->waiting && !s->ready) s->ready = 1, b->ready[b->ready_count++] = s->number;
    }
    return taken;
}

/* The oldest waiting chunk of each stream, in the machine's order, and when it was complete; its energy to the stream. */
CLONES void pronto_chunks(Stream *const *streams, int64_t count, uint16_t *restrict chunks, double *arrivals) {
    for (int64_t n = 0; n < count; n++) {
        Stream *s = streams[n];
        const uint8_t *from = s->audio + 2 * (s->stepped * s->chunk - s->base);
        uint16_t *to = chunks + n * s->chunk;
        memcpy(to, from, 2 * s->chunk);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        for (int k = 0; k < s->chunk; k++) to[k] = __builtin_bswap16(to[k]);
#endif
        int64_t energy = 0;
        for (int k = 0; k < s->chunk; k++) energy += (int32_t)(int16_t)to[k] * (int16_t)to[k];
        s->energy = (double)energy;
        arrivals[n] = s->arrived[s->stepped % s->arrived_size];
    }
}

/* Silence of calls in which nobody speaks needs nothing but counting; how many of `told`, the places of the others and
   of those that have more to say. `forget_every`: so often a stream is told to look what it still needs. */
int64_t pronto_heard(Stream *const *streams, int64_t count, const float *speech, int64_t forget_every, int32_t *told) {
    int64_t found = 0;
    for (int64_t n = 0; n < count; n++) {
        Stream *s = streams[n];
        if (!(speech[n] < s->quiet_below) || s->waiting != 1 || s->stepped % forget_every == 0) {
            told[found++] = (int32_t)n;
            continue;
        }
        s->stepped++, s->skipped++;
        s->full_at += s->chunk;
        s->waiting = s->ready = 0, s->energy = -1;
    }
    return found;
}

int64_t pronto_stream_bytes(void) { return sizeof(Stream); }
int64_t pronto_batch_bytes(void) { return sizeof(Batch); }
