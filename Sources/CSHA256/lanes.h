/* Eight messages through the compression function side by side: word i of every lane stands in one vector. */
#ifndef CSHA_LANES_H
#define CSHA_LANES_H

#include <stddef.h>
#include <stdint.h>

enum { CSHA_LANES = 8, CSHA_BLOCK = 64 };

#if defined(__x86_64__)
/* Takes `blocks` blocks from each of the eight pointers into the states (word by lane). */
void csha_lanes_avx2(uint32_t state[8][CSHA_LANES], const uint8_t *const next[CSHA_LANES], size_t blocks);
void csha_lanes_avx512(uint32_t state[8][CSHA_LANES], const uint8_t *const next[CSHA_LANES], size_t blocks);
#endif
#endif
