/* Memory for Lua's small objects: rules make and drop many short strings and tables for each event, and a free list is several
 * times cheaper than malloc. One arena per state, a list of free blocks for each 16 bytes; what is larger, and what comes when
 * the arena is used up, is malloc's. Under AddressSanitizer everything is, so that it sees each block. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_IS_OFF 1
#endif
#endif
#ifndef POOL_IS_OFF
#define POOL_IS_OFF 0
#endif

enum { ARENA_BYTES = 4 << 20, CLASS_BYTES = 16 };

/* Pages nobody has touched take no memory. Without an arena all blocks are malloc's. */
void lh_pool_open(struct lh_pool *pool) {
  pool->arena = POOL_IS_OFF ? NULL : malloc(ARENA_BYTES);
  pool->left = pool->arena ? ARENA_BYTES : 0;
}

void lh_pool_close(struct lh_pool *pool) { free(pool->arena); }

static int is_ours(const struct lh_pool *pool, const void *block) {
  return pool->arena && (uintptr_t)block - (uintptr_t)pool->arena < ARENA_BYTES;
}

static size_t class_of(size_t size) { return (size + CLASS_BYTES - 1) / CLASS_BYTES; }

static void *take(struct lh_pool *pool, size_t size) {
  size_t class = class_of(size);
  if (class >= LH_POOL_CLASSES) return malloc(size);
  void *block = pool->free[class];
  if (block) {
    memcpy(&pool->free[class], block, sizeof block);
    return block;
  }
  size_t bytes = class * CLASS_BYTES;
  if (pool->left < bytes) return malloc(size);
  block = pool->arena + (ARENA_BYTES - pool->left);
  pool->left -= bytes;
  return block;
}

void lh_pool_free(struct lh_pool *pool, void *block, size_t size) {
  if (!is_ours(pool, block)) return free(block);
  size_t class = class_of(size);
  memcpy(block, &pool->free[class], sizeof block);
  pool->free[class] = block;
}

/* A block of `size` bytes (more than 0) with what `block` held, of which `old` bytes are in use (0: there is none). */
void *lh_pool_resize(struct lh_pool *pool, void *block, size_t old, size_t size) {
  if (!block) return take(pool, size);
  if (!is_ours(pool, block)) return realloc(block, size);
  if (class_of(old) == class_of(size)) return block;
  void *moved = take(pool, size);
  if (!moved) return NULL;
  memcpy(moved, block, old < size ? old : size);
  lh_pool_free(pool, block, old);
  return moved;
}
