/* Which message goes into which lane. The longest come first, each lane takes the next one when it is done, and when too
 * few are left to be worth eight lanes, libcrypto finishes them from where they are.
 * Start at csha_digests. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CSHA256.h"

#include "lanes.h"

#include <openssl/sha.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static int has_sha_instructions(void) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

int csha_can(enum csha_way way) {
  if (way == CSHA_AVX512) return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx2");
  if (way == CSHA_AVX2) return __builtin_cpu_supports("avx2") != 0;
  return way == CSHA_LIBCRYPTO;
}

enum csha_way csha_best_way(void) {
  if (has_sha_instructions()) return CSHA_LIBCRYPTO;
  if (csha_can(CSHA_AVX512)) return CSHA_AVX512;
  return csha_can(CSHA_AVX2) ? CSHA_AVX2 : CSHA_LIBCRYPTO;
}
#else
int csha_can(enum csha_way way) { return way == CSHA_LIBCRYPTO; }
enum csha_way csha_best_way(void) { return CSHA_LIBCRYPTO; }
#endif

static void one(const struct csha_message *message, uint8_t *digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  if (message->count > 0) SHA256_Update(&context, message->bytes, message->count);
  SHA256_Final(digest, &context);
}

#if defined(__x86_64__)
/* From this many busy lanes on, one step of all eight is faster than libcrypto block by block: it takes as long as 1.4
 * blocks there with AVX-512, 2.5 with AVX2. */
static unsigned worthwhile(enum csha_way way) { return way == CSHA_AVX512 ? 2 : 3; }

/* A message in a lane: whole blocks where they lie, then the last one or two, padded, from `tail`. */
struct lane {
  const uint8_t *next;
  size_t blocks; /* from `next` on */
  unsigned tail_blocks; /* still to come behind them; 0 once `next` is in `tail` */
  int message; /* -1: idle */
  uint8_t tail[2 * CSHA_BLOCK];
};

static const uint32_t start_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static void to_tail(struct lane *lane) {
  lane->next = lane->tail;
  lane->blocks = lane->tail_blocks;
  lane->tail_blocks = 0;
}

static void begin(struct lane *lane, const struct csha_message *message, int index) {
  size_t rest = message->count % CSHA_BLOCK;
  lane->message = index;
  lane->next = message->bytes;
  lane->blocks = message->count / CSHA_BLOCK;
  lane->tail_blocks = rest + 9 > CSHA_BLOCK ? 2 : 1;
  size_t end = lane->tail_blocks * CSHA_BLOCK;
  if (rest > 0) memcpy(lane->tail, message->bytes + message->count - rest, rest);
  lane->tail[rest] = 0x80;
  memset(lane->tail + rest + 1, 0, end - rest - 9);
  uint64_t bits = __builtin_bswap64((uint64_t)message->count * 8);
  memcpy(lane->tail + end - 8, &bits, 8);
  if (lane->blocks == 0) to_tail(lane);
}

static void put_digest(const uint32_t state[8], uint8_t *digest) {
  for (int word = 0; word < 8; word++) {
    uint32_t value = __builtin_bswap32(state[word]);
    memcpy(digest + 4 * word, &value, 4);
  }
}

/* The rest of one message by libcrypto, from the state its lane is in. */
static void finish(struct lane *lane, const uint32_t state[8], uint8_t *digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  memcpy(context.h, state, sizeof context.h);
  /* Whole blocks only, padding included: the length libcrypto counts is never used. */
  SHA256_Update(&context, lane->next, lane->blocks * CSHA_BLOCK);
  if (lane->tail_blocks > 0) SHA256_Update(&context, lane->tail, lane->tail_blocks * CSHA_BLOCK);
  put_digest((const uint32_t *)context.h, digest);
}

/* Indexes of the messages, most blocks first. */
static void sort(const struct csha_message *messages, size_t count, uint8_t *order) {
  for (size_t index = 0; index < count; index++) {
    size_t blocks = (messages[index].count + 8) / CSHA_BLOCK;
    size_t at = index;
    while (at > 0 && (messages[order[at - 1]].count + 8) / CSHA_BLOCK < blocks) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = (uint8_t)index;
  }
}

static void together(enum csha_way way, const struct csha_message *messages, size_t count, uint8_t *digests) {
  struct lane lanes[CSHA_LANES];
  uint32_t state[8][CSHA_LANES] __attribute__((aligned(32)));
  const uint8_t *next[CSHA_LANES];
  uint8_t order[CSHA_BATCH_MAX];
  sort(messages, count, order);
  size_t begun = 0;
  for (int lane = 0; lane < CSHA_LANES; lane++) lanes[lane].message = -1;
  for (;;) {
    unsigned active = 0;
    size_t step = SIZE_MAX;
    const uint8_t *any = NULL;
    for (int lane = 0; lane < CSHA_LANES; lane++) {
      if (lanes[lane].message < 0 && begun < count) {
        begin(&lanes[lane], &messages[order[begun]], order[begun]);
        begun++;
        for (int word = 0; word < 8; word++) state[word][lane] = start_state[word];
      }
      if (lanes[lane].message < 0) continue;
      active++;
      any = lanes[lane].next;
      if (lanes[lane].blocks < step) step = lanes[lane].blocks;
    }
    if (active < worthwhile(way)) break;
    /* An idle lane works on another one's blocks and nobody looks at what comes of it. */
    for (int lane = 0; lane < CSHA_LANES; lane++) next[lane] = lanes[lane].message < 0 ? any : lanes[lane].next;
    if (way == CSHA_AVX512) {
      csha_lanes_avx512(state, next, step);
    } else {
      csha_lanes_avx2(state, next, step);
    }
    for (int index = 0; index < CSHA_LANES; index++) {
      struct lane *lane = &lanes[index];
      if (lane->message < 0) continue;
      lane->next += step * CSHA_BLOCK;
      lane->blocks -= step;
      if (lane->blocks > 0) continue;
      if (lane->tail_blocks > 0) {
        to_tail(lane);
        continue;
      }
      uint32_t done[8];
      for (int word = 0; word < 8; word++) done[word] = state[word][index];
      put_digest(done, digests + 32 * lane->message);
      lane->message = -1;
    }
  }
  for (int index = 0; index < CSHA_LANES; index++) {
    if (lanes[index].message < 0) continue;
    uint32_t left[8];
    for (int word = 0; word < 8; word++) left[word] = state[word][index];
    finish(&lanes[index], left, digests + 32 * lanes[index].message);
  }
}
#endif

void csha_digests(enum csha_way way, const struct csha_message *messages, size_t count, uint8_t *digests) {
  if (count > CSHA_BATCH_MAX) __builtin_trap();
#if defined(__x86_64__)
  if (way != CSHA_LIBCRYPTO && count >= worthwhile(way)) {
    together(way, messages, count, digests);
    return;
  }
#else
  (void)way;
#endif
  for (size_t index = 0; index < count; index++) one(&messages[index], digests + 32 * index);
}
