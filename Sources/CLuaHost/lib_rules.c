/* What rule files are written with: rule, verdict, label, durations, count and distinct. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

enum { NAME_BYTES_MAX = 64, KEY_BYTES_MAX = 4096, SECONDS_MAX = 30 * 86400 };

/* rule { … }: marks the table with the line it stands on. */
static int rules_rule(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (host_of(L)->in_event) return luaL_error(L, "rule { … } belongs outside of `when`");
  lua_Debug record;
  int line = 0;
  if (lua_getstack(L, 1, &record) && lua_getinfo(L, "l", &record)) line = record.currentline;
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_marks_key);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, line);
  lua_rawset(L, 2);
  lua_settop(L, 1);
  return 1;
}

/* verdict "x", label { … }: a table with the kind of the effect under "$effect". Upvalue 1: the kind. */
int lh_effect(lua_State *L) {
  if (host_of(L)->in_event) return luaL_error(L, "effects stand in the rule's `effects`, not in `when`");
  int type = lua_type(L, 1);
  if (type == LUA_TSTRING) {
    lua_settop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, 1);
  } else {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lh_check_writable(L, 1);
    lua_settop(L, 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setfield(L, -2, "$effect");
  return 1;
}

/* minutes(n), hours(n), days(n): seconds. Upvalue 1: seconds of the unit. */
static int rules_duration(lua_State *L) {
  lua_Integer unit = lua_tointeger(L, lua_upvalueindex(1));
  if (lua_isinteger(L, 1)) {
    lua_Integer count = lua_tointeger(L, 1);
    luaL_argcheck(L, count >= 0 && count <= 1000000, 1, "from 0 to 1000000");
    lua_pushinteger(L, count * unit);
  } else {
    double count = luaL_checknumber(L, 1);
    luaL_argcheck(L, count >= 0 && count <= 1000000, 1, "from 0 to 1000000");
    lua_pushnumber(L, count * (double)unit);
  }
  return 1;
}

/* Keeps a key among those of the rule that runs, so many at most as the budget pays for, and pushes its proxy. */
static void push_counter(lua_State *L, const lh_key *key) {
  lh_host *host = host_of(L);
  if (host->counter_count == host->counter_capacity) {
    uint32_t capacity = host->counter_capacity ? host->counter_capacity * 2 : 64;
    lh_key *larger = realloc(host->counters, capacity * sizeof *larger);
    if (!larger) {
      lh_kill(host, LH_KILLED_MEMORY);
      lh_raise_kill(L, 1);
      return;
    }
    host->counters = larger;
    host->counter_capacity = capacity;
  }
  host->counters[host->counter_count] = *key;
  lh_push_proxy(L, LH_TAG_COUNTER, host->counter_count++);
}

/* count(name, key, window), distinct(name, key, window). Upvalues: kind, what the counters' methods are found by (for lh_names).
 * A nil key gives a counter that stays 0. */
static int rules_counter(lua_State *L) {
  lh_host *host = host_of(L);
  if (!host->in_event) return luaL_error(L, "counters can be used inside `when` only");
  lh_text name = lh_check_text(L, 1);
  luaL_argcheck(L, name.count >= 1 && name.count <= NAME_BYTES_MAX, 1, "1 to 64 bytes");
  double seconds = luaL_checknumber(L, 3);
  luaL_argcheck(L, seconds >= 1 && seconds <= SECONDS_MAX, 3, "a window from 1 second to 30 days");
  lh_key key = {0};
  if (!lua_isnil(L, 2)) {
    lh_text subject = lh_check_text(L, 2);
    luaL_argcheck(L, subject.count <= KEY_BYTES_MAX, 2, "at most 4096 bytes");
    int32_t kind = (int32_t)lua_tointeger(L, lua_upvalueindex(1));
    lh_charge(L, 10);
    lh_ask(host)->counter_key(host->call.context, kind, name, subject, (int64_t)(seconds * 1000), &key);
  }
  push_counter(L, &key);
  return 1;
}

/* The counter at argument 1. Valid until another one is made. */
static const lh_key *check_key(lua_State *L) {
  lh_host *host = host_of(L);
  uint32_t place = 0;
  if (lh_to_proxy(L, 1, &place) != LH_TAG_COUNTER || place >= host->counter_count) {
    luaL_error(L, "write count(…):add() with a colon");
  }
  lh_charge(L, 10);
  return &host->counters[place];
}

static int counter_add(lua_State *L) {
  lh_host *host = host_of(L);
  const lh_key *key = check_key(L);
  lh_text value = {(const uint8_t *)"", 0};
  lua_Integer number = 1;
  if (key->kind == LH_DISTINCT) {
    if (lua_isnoneornil(L, 2)) {
      lua_pushinteger(L, lh_ask(host)->counter(host->call.context, key, LH_COUNTER_GET, 0, value));
      return 1;
    }
    value = lh_check_text(L, 2);
  } else if (key->kind == LH_COUNT) {
    number = luaL_optinteger(L, 2, 1);
    luaL_argcheck(L, number >= 0 && number <= 10000, 2, "from 0 to 10000");
  } else {
    return lua_pushinteger(L, 0), 1;
  }
  lua_pushinteger(L, lh_ask(host)->counter(host->call.context, key, LH_COUNTER_ADD, number, value));
  return 1;
}

static int counter_get(lua_State *L) {
  lh_host *host = host_of(L);
  const lh_key *key = check_key(L);
  lh_text none = {(const uint8_t *)"", 0};
  lua_pushinteger(L, key->kind ? lh_ask(host)->counter(host->call.context, key, LH_COUNTER_GET, 0, none) : 0);
  return 1;
}

static int counter_crossed(lua_State *L) {
  lh_host *host = host_of(L);
  const lh_key *key = check_key(L);
  lua_Integer threshold = luaL_checkinteger(L, 2);
  luaL_argcheck(L, threshold >= 1, 2, "at least 1");
  lh_text none = {(const uint8_t *)"", 0};
  int crossed = key->kind && lh_ask(host)->counter(host->call.context, key, LH_COUNTER_CROSSED, threshold, none);
  lua_pushboolean(L, crossed);
  return 1;
}

static void open_counters(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", counter_add}, {"get", counter_get}, {"crossed", counter_crossed}, {NULL, NULL},
  };
  int globals = lua_gettop(L);
  lua_createtable(L, 0, 2);
  luaL_newlib(L, methods);
  lh_seal_library(L, "a counter");
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_counter_key);
  static const char *const names[] = {"count", "distinct"};
  for (int kind = LH_COUNT; kind <= LH_DISTINCT; kind++) {
    lua_pushinteger(L, kind);
    lua_pushvalue(L, globals + 1);
    lua_pushcclosure(L, rules_counter, 2);
    lua_setfield(L, globals, names[kind - 1]);
  }
  lua_settop(L, globals);
}

void lh_open_rules(lua_State *L) {
  static const struct { const char *name; int seconds; } units[] = {
      {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}};
  static const char *const effects[] = {"verdict",     "label",   "unlabel",  "tag",  "report", "escalate",
                                         "acknowledge", "comment", "takedown", "list", "flag",   "email"};
  lua_pushcfunction(L, rules_rule);
  lua_setfield(L, -2, "rule");
  for (size_t at = 0; at < sizeof effects / sizeof effects[0]; at++) {
    lua_pushstring(L, effects[at]);
    lua_pushcclosure(L, lh_effect, 1);
    lua_setfield(L, -2, effects[at]);
  }
  for (size_t at = 0; at < sizeof units / sizeof units[0]; at++) {
    lua_pushinteger(L, units[at].seconds);
    lua_pushcclosure(L, rules_duration, 1);
    lua_setfield(L, -2, units[at].name);
  }
  open_counters(L);
}
