/* SHA-256 (FIPS 180-4) of many messages at once: eight lanes of AVX2 or AVX-512VL where the processor has them and no SHA
 * instructions, else libcrypto, one message after the other. Which it is, is found out once. */
#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

/* How the messages are hashed. */
enum csha_way { CSHA_LIBCRYPTO = 0, CSHA_AVX2 = 1, CSHA_AVX512 = 2 };

struct csha_message {
  const uint8_t *bytes; /* Never read where count is 0. */
  size_t count;
};

/* Most messages of one call. */
enum { CSHA_BATCH_MAX = 32 };

/* The fastest way on this processor. */
enum csha_way csha_best_way(void);

/* Whether this processor can go that way. */
int csha_can(enum csha_way way);

/* Writes the digest of messages[i] to digests + 32 * i, for at most CSHA_BATCH_MAX messages. Allocates nothing. */
void csha_digests(enum csha_way way, const struct csha_message *messages, size_t count, uint8_t *digests);
#endif
