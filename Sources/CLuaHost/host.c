/* The life of a Lua state: memory, budget, and running one rule. */
#define _GNU_SOURCE
#include "host_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char lh_counter_key, lh_frozen_key, lh_environment_key, lh_globals_key, lh_marks_key;

enum { HOOK_INSTRUCTIONS = 100, EMERGENCIES_MAX = 3, LARGE_BLOCK = 16384, BYTES_PER_UNIT = 32, SHORT_STRING = 80, TRACE_SLOWNESS = 200 };
enum { RULES_INDEX = 1, CACHE_INDEX = 2, FIXED_COUNT = 2 };

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Lua's memory (manual, lua_Alloc). For a new object `osize` is its type. A refusal by the limit makes Lua collect
 * everything and ask again; doing that over and over is an attack of its own, so a few refusals end the run. */
static void *allocate(void *context, void *block, size_t osize, size_t nsize) {
  lh_host *host = context;
  size_t old = block ? osize : 0;
  if (nsize == 0) {
    if (block) lh_pool_free(&host->pool, block, osize);
    host->memory -= old;
    return NULL;
  }
  if (nsize > old) {
    host->allocations++;
    if (host->fail_at > 0 && host->allocations >= host->fail_at) return NULL;
    int is_string = !block && osize == LUA_TSTRING;
    if (nsize > (is_string ? host->limits.string_bytes + 64 : host->limits.block_bytes)) {
      if (host->L) lh_kill(host, LH_KILLED_MEMORY);
      return NULL;
    }
    if (host->memory - old + nsize > host->memory_max) {
      if (host->L && ++host->emergencies > EMERGENCIES_MAX) lh_kill(host, LH_KILLED_MEMORY);
      return NULL;
    }
    /* Only what is new for the same reason every time: short strings are kept as long as the collector lets them, and the stack
     * and the table of strings grow when the past has left them small. */
    int is_charged = is_string ? nsize > SHORT_STRING : !block && nsize >= LARGE_BLOCK;
    if (is_charged) host->used += (int64_t)(nsize / BYTES_PER_UNIT);
  }
  void *moved = lh_pool_resize(&host->pool, block, old, nsize);
  if (!moved) return nsize <= old ? block : NULL;
  host->memory += nsize - old;
  return moved;
}

static void hook(lua_State *L, lua_Debug *record) {
  lh_host *host = host_of(L);
  if (record->event != LUA_HOOKCOUNT && !host->killed) return lh_trace_hook(L, record);
  if (!host->killed) {
    host->used += HOOK_INSTRUCTIONS;
    if (host->used > host->budget) {
      lh_kill(host, LH_KILLED_INSTRUCTIONS);
    } else {
      int64_t now = clock_ns(CLOCK_MONOTONIC);
      if (now <= host->deadline_ns) return;
      /* The wall clock is over. The thread may not have been running: only its own time is held against the rule. */
      int64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
      if (host->cpu_mark_ns < 0) host->cpu_mark_ns = cpu;
      if (cpu - host->cpu_mark_ns < host->allowance_ns / 2) {
        host->deadline_ns = now + host->allowance_ns / 2;
        return;
      }
      lh_kill(host, LH_KILLED_TIME);
    }
  }
  lh_raise_kill(L, 0);
}

void lh_kill(lh_host *host, int32_t reason) {
  if (host->killed) return;
  host->killed = reason;
  /* lua_sethook may be called at any time, also inside the allocator: it only sets fields that the VM looks at. */
  lua_sethook(host->L, hook, LUA_MASKCOUNT, 1);
}

int lh_raise_kill(lua_State *L, int level) {
  lh_host *host = host_of(L);
  luaL_where(L, level);
  const char *text = "used too much memory (a string, a table or the depth of calls)";
  if (host->killed == LH_KILLED_INSTRUCTIONS) text = "used up its instructions";
  if (host->killed == LH_KILLED_TIME) text = "used up its time";
  lua_pushstring(L, text);
  lua_concat(L, 2);
  return lua_error(L);
}

void lh_overdrawn(lua_State *L) {
  lh_host *host = host_of(L);
  if (!host->killed) lh_kill(host, LH_KILLED_INSTRUCTIONS);
  lh_raise_kill(L, 1);
}

void lh_check_status(lua_State *L, int status) {
  lh_host *host = host_of(L);
  if (status == LUA_ERRMEM) lh_kill(host, LH_KILLED_MEMORY);
  if (host->killed) lh_raise_kill(L, 1);
}

static void arm(lh_host *host, int64_t instructions, int64_t ns) {
  host->used = 0;
  host->budget = instructions;
  host->allowance_ns = ns;
  host->deadline_ns = host->now_ns + ns;
  host->cpu_mark_ns = -1;
  host->emergencies = 0;
  host->killed = 0;
  host->error[0] = 0;
  int mask = host->tracing ? LUA_MASKCOUNT | LUA_MASKCALL | LUA_MASKRET : LUA_MASKCOUNT;
  lua_sethook(host->L, hook, mask, HOOK_INSTRUCTIONS);
}

/* Keeps the error at the top of the stack as text and pops it. Never raises: only strings are looked at. */
static int keep_error(lh_host *host, int status) {
  lua_State *L = host->L;
  if (status == LUA_ERRMEM && !host->killed) host->killed = LH_KILLED_MEMORY;
  const char *text = "the error is not text";
  size_t count = strlen(text);
  if (lua_type(L, -1) == LUA_TSTRING) text = lua_tolstring(L, -1, &count);
  if (count > sizeof host->error - 1) count = sizeof host->error - 1;
  memcpy(host->error, text, count);
  host->error[count] = 0;
  lua_pop(L, 1);
  return host->killed ? host->killed : LH_ERROR;
}

struct opening {
  const lh_text *fields;
  size_t count;
};

static int open_all(lua_State *L) {
  struct opening *opening = lua_touserdata(L, 1);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_marks_key);
  lua_newtable(L); /* the globals; the functions below fill it at index 2 */
  lh_open_base(L);
  lh_open_string(L);
  lh_open_table(L);
  lh_open_math(L);
  lh_open_rules(L);
  lh_open_text(L);
  lh_open_lists(L);
  lh_open_files(L);
  lh_open_state(L);
  lua_pushvalue(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_globals_key);
  lua_pushvalue(L, 2);
  lh_seal_library(L, NULL);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_environment_key);
  lua_newtable(L); /* the rules' functions */
  lua_createtable(L, (int)opening->count + 1, 0);
  lh_open_event(L, opening->fields, opening->count); /* takes the cache at the top, leaves it there */
  lh_collect_names(L);
  return 2;
}

lh_host *lh_create(const lh_callbacks *callbacks, const lh_limits *limits, struct ct_text *text, const lh_text *fields,
                   size_t field_count, int64_t fail_at) {
  lh_host *host = calloc(1, sizeof *host);
  if (!host) return NULL;
  host->call = *callbacks;
  host->limits = *limits;
  host->text = text;
  host->memory_max = limits->load_bytes;
  host->fail_at = fail_at;
  lh_pool_open(&host->pool);
  lua_State *L = lua_newstate(allocate, host);
  if (!L) {
    lh_pool_close(&host->pool);
    free(host);
    return NULL;
  }
  host->L = L;
  *(lh_host **)lua_getextraspace(L) = host;
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  arm(host, limits->load_instructions, limits->load_ns);
  struct opening opening = {fields, field_count};
  /* A light C function and a light userdata: neither push allocates. */
  lua_pushcfunction(L, open_all);
  lua_pushlightuserdata(L, &opening);
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    lh_destroy(host);
    return NULL;
  }
  return host;
}

void lh_destroy(lh_host *host) {
  if (!host) return;
  lua_sethook(host->L, NULL, 0, 0);
  lua_close(host->L);
  lh_pool_close(&host->pool);
  free(host->counters);
  free(host->roots);
  free(host->nodes);
  free(host->edges);
  free(host);
}

static int use_by_name(lua_State *L) {
  lua_pushstring(L, lua_touserdata(L, 1));
  lua_replace(L, 1);
  return lh_use(L);
}

int lh_load(lh_host *host, const char *name, const uint8_t *bytes, size_t count) {
  lua_State *L = host->L;
  struct lh_source source = {name, bytes, count};
  host->use_depth = 0;
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  arm(host, host->limits.load_instructions, host->limits.load_ns);
  lua_pushcfunction(L, lh_load_file);
  lua_pushlightuserdata(L, &source);
  lua_pushvalue(L, RULES_INDEX);
  int status = lua_pcall(L, 2, 0, 0);
  return status == LUA_OK ? LH_OK : keep_error(host, status);
}

int lh_load_tests(lh_host *host, const char *name, const uint8_t *bytes, size_t count) {
  lua_State *L = host->L;
  struct lh_source source = {name, bytes, count};
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  arm(host, host->limits.load_instructions, host->limits.load_ns);
  lua_pushcfunction(L, lh_load_test_file);
  lua_pushlightuserdata(L, &source);
  int status = lua_pcall(L, 1, 0, 0);
  return status == LUA_OK ? LH_OK : keep_error(host, status);
}

int lh_load_library(lh_host *host, const char *name) {
  lua_State *L = host->L;
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  host->use_depth = 0;
  arm(host, host->limits.load_instructions, host->limits.load_ns);
  lua_pushcfunction(L, use_by_name);
  lua_pushlightuserdata(L, (void *)name);
  int status = lua_pcall(L, 1, 0, 0);
  return status == LUA_OK ? LH_OK : keep_error(host, status);
}

static int fail(lh_host *host, const char *text) {
  snprintf(host->error, sizeof host->error, "%s", text);
  return LH_ERROR;
}

void lh_collect_problems(lh_host *host, int32_t collects) { host->collects = collects; }

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

int lh_seal(lh_host *host) {
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  arm(host, host->limits.load_instructions, host->limits.load_ns);
  lua_pushcfunction(host->L, collect);
  int status = lua_pcall(host->L, 0, 0, 0);
  if (status != LUA_OK) return keep_error(host, status);
  if (!ct_patterns_seal(ct_text_patterns(host->text))) return fail(host, "there is not enough memory for the patterns");
  host->roots = calloc((size_t)host->rule_count + 1, sizeof *host->roots);
  host->nodes = calloc(LH_NODES_MAX + 1, sizeof *host->nodes);
  host->edges = calloc(LH_EDGES_MAX + 1, sizeof *host->edges);
  if (!host->roots || !host->nodes || !host->edges) return fail(host, "there is not enough memory for what rules find");
  host->memory_max = host->memory + host->limits.event_bytes;
  return LH_OK;
}

void lh_begin_event(lh_host *host) {
  host->epoch = (host->epoch + 1) & 0xffffff;
  host->in_event = 1;
  host->answered[0] = host->answered[1] = 0;
  host->age_is_asked = 0;
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
}

void lh_end_event(lh_host *host) {
  lua_State *L = host->L;
  uint64_t cached = host->cached;
  while (cached) {
    int field = __builtin_ctzll(cached);
    cached &= cached - 1;
    lua_pushnil(L);
    lua_rawseti(L, CACHE_INDEX, field + 1); /* inside the array part: does not allocate */
  }
  host->cached = 0;
  lh_forget_features(host);
  host->in_event = 0;
}

int32_t lh_plain_value(lua_State *L, int index, lh_value *value) {
  memset(value, 0, sizeof *value);
  switch (lua_type(L, index)) {
    case LUA_TNIL: value->kind = LH_NIL; break;
    case LUA_TBOOLEAN: value->kind = lua_toboolean(L, index) ? LH_TRUE : LH_FALSE; break;
    case LUA_TNUMBER:
      value->kind = lua_isinteger(L, index) ? LH_INTEGER : LH_NUMBER;
      if (value->kind == LH_INTEGER) {
        value->integer = lua_tointegerx(L, index, NULL);
      } else {
        value->number = lua_tonumberx(L, index, NULL);
      }
      break;
    case LUA_TSTRING:
      value->kind = LH_TEXT;
      value->text = lh_text_at(L, index);
      break;
    case LUA_TTABLE: value->kind = LH_TABLE; break;
    case LUA_TLIGHTUSERDATA:
      value->kind = LH_NODE;
      value->integer = (int64_t)(uintptr_t)lua_touserdata(L, index);
      break;
    default: value->kind = LH_FUNCTION;
  }
  return value->kind;
}

enum { FEATURES_MAX = 32 };

/* Hands one feature to Swift; returns what `feature` says. */
int lh_emit_feature(lh_host *host, lh_text name) {
  lua_State *L = host->L;
  int index = lua_gettop(L);
  lh_value value;
  uint32_t offset = 0;
  int32_t kind = lh_plain_value(L, index, &value);
  if (kind == LH_TABLE) {
    /* A table written in the rule file is frozen; its content is one step away. */
    if (lua_getmetatable(L, index)) {
      lua_rawgeti(L, -1, 1);
      lua_replace(L, index);
      lua_settop(L, index);
      if (lua_type(L, index) != LUA_TTABLE) return fail(host, "a feature is not a value");
    }
    size_t count = lua_rawlen(L, index);
    int code = host->call.feature(host->call.context, name, 0, &value);
    for (size_t item = 1; code == 0 && item <= count && item <= LH_FEATURE_ITEMS_MAX; item++) {
      lua_rawgeti(L, index, (lua_Integer)item);
      lh_plain_value(L, -1, &value);
      code = host->call.feature(host->call.context, name, (int64_t)item, &value);
      lua_pop(L, 1);
    }
    return code;
  }
  if (kind == LH_NODE) {
    uint64_t bits = (uint64_t)value.integer;
    if (lh_tag_of(lua_touserdata(L, index)) != LH_TAG_LIST || (bits >> 32 & 0xffffff) != host->epoch) {
      return fail(host, "a feature must be text, a number, a boolean or a list of texts");
    }
    offset = (uint32_t)bits;
    value.kind = LH_TABLE;
    int64_t count = host->call.list_count(host->call.context, offset);
    int code = host->call.feature(host->call.context, name, 0, &value);
    for (int64_t item = 1; code == 0 && item <= count && item <= LH_FEATURE_ITEMS_MAX; item++) {
      host->call.list_at(host->call.context, offset, item, &value);
      code = host->call.feature(host->call.context, name, item, &value);
    }
    return code;
  }
  return host->call.feature(host->call.context, name, 0, &value);
}

static int features(lh_host *host, int index) {
  lua_State *L = host->L;
  int type = lua_type(L, index);
  if (type == LUA_TNIL) return LH_OK;
  if (type != LUA_TTABLE) return fail(host, "the second value of `when` must be a table of features");
  if (lua_getmetatable(L, index)) {
    lua_rawgeti(L, -1, 1);
    lua_replace(L, index);
    lua_pop(L, 1);
    if (lua_type(L, index) != LUA_TTABLE) return fail(host, "the features are not a table");
  }
  int seen = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) { /* raises only for a key that is not in the table */
    if (++seen > FEATURES_MAX) return fail(host, "a rule returned more than 32 features");
    if (lua_type(L, -2) != LUA_TSTRING) return fail(host, "the name of a feature is not text");
    if (lh_emit_feature(host, lh_text_at(L, -2)) != 0) return LH_ERROR; /* Swift knows what was wrong */
    lua_pop(L, 1);
  }
  return LH_OK;
}

static int run(lh_host *host, int32_t rule, int32_t *hit) {
  lua_State *L = host->L;
  /* Writing down what a rule does takes longer than doing it. */
  arm(host, host->limits.rule_instructions, host->limits.rule_ns * (host->tracing ? TRACE_SLOWNESS : 1));
  host->run_is_opaque = 0;
  host->step_count = 0;
  host->counter_count = 0;
  lua_rawgeti(L, RULES_INDEX, rule);
  lh_push_proxy(L, LH_TAG_EVENT, 0);
  int status = lua_pcall(L, 1, 2, 0);
  if (status != LUA_OK) return keep_error(host, status);
  int result = host->killed ? host->killed : LH_OK;
  if (result == LH_OK) {
    *hit = lua_isnil(L, -2) ? LH_NOT_APPLICABLE : lua_toboolean(L, -2) ? LH_HIT : LH_MISS;
    if (*hit != LH_HIT && lua_isnil(L, -1)) lh_learn(host, rule, *hit);
    result = features(host, FIXED_COUNT + 2);
  }
  lua_settop(L, FIXED_COUNT);
  return result;
}

int lh_run(lh_host *host, int32_t rule, int32_t *hit) {
  int64_t start = host->now_ns; /* the end of the rule before: one look at the clock per rule */
  int result = run(host, rule, hit);
  host->now_ns = clock_ns(CLOCK_MONOTONIC);
  host->elapsed_ns = host->now_ns - start;
  return result;
}

const char *lh_error(const lh_host *host) { return host->error; }
int64_t lh_used(const lh_host *host) { return host->used; }
int64_t lh_elapsed_ns(const lh_host *host) { return host->elapsed_ns; }
size_t lh_memory(const lh_host *host) { return host->memory; }
int64_t lh_allocations(const lh_host *host) { return host->allocations; }
