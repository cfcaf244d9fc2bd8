/* The compression function of FIPS 180-4 §6.2.2 on vectors of eight words, one word of each lane. Written in clang's vector
 * types and compiled twice: with AVX-512VL a rotation and a three-way choice are one instruction each. */
#include "lanes.h"

#if defined(__x86_64__)
#include <string.h>

typedef uint32_t words __attribute__((vector_size(32)));
typedef uint8_t octets __attribute__((vector_size(32)));

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define MIX(x, a, b, c) (ROTATE(x, a) ^ ROTATE(x, b) ^ ROTATE(x, c))
#define SPREAD(x, a, b, c) (ROTATE(x, a) ^ ROTATE(x, b) ^ (x) >> (c))

/* Big-endian words to ours, within each word. */
#define SWAP(x)                                                                                                        \
  ((words)__builtin_shufflevector((octets)(x), (octets)(x), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19,   \
                                  18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28))
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FRONT(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define BACK(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

#define ROUND(a, b, c, d, e, f, g, h, i, w)                                                                            \
  do {                                                                                                                 \
    words sum = h + MIX(e, 6, 11, 25) + (g ^ (e & (f ^ g))) + (w) + round_constants[i];                                \
    d += sum;                                                                                                          \
    h = sum + MIX(a, 2, 13, 22) + ((a & b) | (c & (a | b)));                                                           \
  } while (0)

/* Word t of the schedule from the sixteen before it, kept in a ring. */
#define NEXT(t)                                                                                                        \
  (w[(t) & 15] += SPREAD(w[((t) + 14) & 15], 17, 19, 10) + w[((t) + 9) & 15] + SPREAD(w[((t) + 1) & 15], 7, 18, 3))

#define EIGHT(t, W)                                                                                                    \
  ROUND(a, b, c, d, e, f, g, h, (t) + 0, W((t) + 0));                                                                  \
  ROUND(h, a, b, c, d, e, f, g, (t) + 1, W((t) + 1));                                                                  \
  ROUND(g, h, a, b, c, d, e, f, (t) + 2, W((t) + 2));                                                                  \
  ROUND(f, g, h, a, b, c, d, e, (t) + 3, W((t) + 3));                                                                  \
  ROUND(e, f, g, h, a, b, c, d, (t) + 4, W((t) + 4));                                                                  \
  ROUND(d, e, f, g, h, a, b, c, (t) + 5, W((t) + 5));                                                                  \
  ROUND(c, d, e, f, g, h, a, b, (t) + 6, W((t) + 6));                                                                  \
  ROUND(b, c, d, e, f, g, h, a, (t) + 7, W((t) + 7))
#define LOADED(t) w[t]

/* Half a block of every lane, turned so that w[i] holds word i of all lanes. */
#define LOAD(w, next, offset)                                                                                          \
  do {                                                                                                                 \
    words r[8], p[8], q[8];                                                                                            \
    for (int lane = 0; lane < 8; lane++) memcpy(&r[lane], (next)[lane] + (offset), 32);                                \
    for (int pair = 0; pair < 8; pair += 2) {                                                                          \
      p[pair] = LOW(r[pair], r[pair + 1]);                                                                             \
      p[pair + 1] = HIGH(r[pair], r[pair + 1]);                                                                        \
    }                                                                                                                  \
    for (int half = 0; half < 8; half += 4) {                                                                          \
      q[half] = LOW2(p[half], p[half + 2]);                                                                            \
      q[half + 1] = HIGH2(p[half], p[half + 2]);                                                                       \
      q[half + 2] = LOW2(p[half + 1], p[half + 3]);                                                                    \
      q[half + 3] = HIGH2(p[half + 1], p[half + 3]);                                                                   \
    }                                                                                                                  \
    for (int word = 0; word < 4; word++) {                                                                             \
      (w)[word] = SWAP(FRONT(q[word], q[word + 4]));                                                                   \
      (w)[word + 4] = SWAP(BACK(q[word], q[word + 4]));                                                                \
    }                                                                                                                  \
  } while (0)

#define COMPRESS(state, from, blocks)                                                                                  \
  do {                                                                                                                 \
    const uint8_t *next[8];                                                                                            \
    words s[8];                                                                                                        \
    memcpy(next, from, sizeof next);                                                                                   \
    memcpy(s, state, sizeof s);                                                                                        \
    for (; blocks > 0; blocks--) {                                                                                     \
      words w[16];                                                                                                     \
      LOAD(w, next, 0);                                                                                                \
      LOAD(w + 8, next, 32);                                                                                           \
      words a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];                            \
      EIGHT(0, LOADED);                                                                                                \
      EIGHT(8, LOADED);                                                                                                \
      for (int t = 16; t < 64; t += 16) {                                                                              \
        EIGHT(t, NEXT);                                                                                                \
        EIGHT(t + 8, NEXT);                                                                                            \
      }                                                                                                                \
      s[0] += a, s[1] += b, s[2] += c, s[3] += d, s[4] += e, s[5] += f, s[6] += g, s[7] += h;                          \
      for (int lane = 0; lane < 8; lane++) next[lane] += CSHA_BLOCK;                                                   \
    }                                                                                                                  \
    memcpy(state, s, sizeof s);                                                                                        \
  } while (0)

__attribute__((target("avx2"))) void csha_lanes_avx2(uint32_t state[8][CSHA_LANES],
                                                     const uint8_t *const next_blocks[CSHA_LANES], size_t blocks) {
  COMPRESS(state, next_blocks, blocks);
}

__attribute__((target("avx2,avx512vl"))) void csha_lanes_avx512(uint32_t state[8][CSHA_LANES],
                                                                const uint8_t *const next_blocks[CSHA_LANES],
                                                                size_t blocks) {
  COMPRESS(state, next_blocks, blocks);
}
#endif
