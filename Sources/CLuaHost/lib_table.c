/* table.* and math.*: bounded, charged by element before the work. Lengths come from the table itself. */
#include <math.h>
#include <string.h>

#include "host_internal.h"

enum { UNPACK_MAX = 250 };

static int64_t check_entries(lua_State *L, int argument) {
  int64_t count = lh_length(L, argument);
  lh_host *host = host_of(L);
  if (count > (int64_t)host->limits.table_entries) {
    luaL_error(L, "the table has more than %d entries", (int)host->limits.table_entries);
  }
  return count;
}

static int table_insert(lua_State *L) {
  lh_check_writable(L, 1);
  int64_t count = check_entries(L, 1);
  lua_Integer at = count + 1;
  int arguments = lua_gettop(L);
  if (arguments != 2 && arguments != 3) return luaL_error(L, "table.insert takes a table, perhaps a position, a value");
  if (arguments == 3) {
    at = luaL_checkinteger(L, 2);
    luaL_argcheck(L, at >= 1 && at <= count + 1, 2, "position outside the list");
  }
  lh_charge(L, 2 + (count - at + 1));
  for (lua_Integer to = count + 1; to > at; to--) {
    lua_rawgeti(L, 1, to - 1);
    lua_rawseti(L, 1, to);
  }
  lua_settop(L, arguments);
  lua_rawseti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  lh_check_writable(L, 1);
  int64_t count = check_entries(L, 1);
  lua_Integer at = luaL_optinteger(L, 2, count);
  if (count == 0) return 0;
  luaL_argcheck(L, at >= 1 && at <= count, 2, "position outside the list");
  lh_charge(L, 2 + (count - at));
  lua_rawgeti(L, 1, at);
  for (; at < count; at++) {
    lua_rawgeti(L, 1, at + 1);
    lua_rawseti(L, 1, at);
  }
  lua_pushnil(L);
  lua_rawseti(L, 1, count);
  return 1;
}

static int table_concat(lua_State *L) {
  lh_host *host = host_of(L);
  int64_t count = check_entries(L, 1);
  lh_text gap = lua_isnoneornil(L, 2) ? (lh_text){(const uint8_t *)"", 0} : lh_check_text(L, 2);
  lua_settop(L, 2);
  uint64_t total = 0;
  for (int64_t at = 1; at <= count; at++) {
    lua_geti(L, 1, at);
    if (!lua_isstring(L, -1)) return luaL_error(L, "table.concat: entry %d is a %s", (int)at, luaL_typename(L, -1));
    size_t length;
    lua_tolstring(L, -1, &length);
    total += length + (at > 1 ? gap.count : 0);
    if (total > host->limits.string_bytes) {
      return luaL_error(L, "the text would be longer than %d bytes", (int)host->limits.string_bytes);
    }
    lh_charge(L, 4 + (int64_t)(length + gap.count) / 16);
    lua_pop(L, 1);
  }
  /* The length is known and nothing of a rule's runs between the passes. The buffer's memory lies below what is
   * pushed. */
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, total);
  char *end = to + total;
  for (int64_t at = 1; at <= count; at++) {
    if (at > 1) memcpy(to, gap.bytes, gap.count), to += gap.count;
    size_t length;
    lua_geti(L, 1, at);
    const char *piece = lua_tolstring(L, -1, &length);
    if (length > (size_t)(end - to)) return luaL_error(L, "table.concat: the table changed");
    memcpy(to, piece, length);
    to += length;
    lua_pop(L, 1);
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

static int table_unpack(lua_State *L) {
  int64_t count = check_entries(L, 1);
  lua_Integer from = luaL_optinteger(L, 2, 1);
  lua_Integer to = luaL_optinteger(L, 3, count);
  if (from > to) return 0;
  if ((uint64_t)to - (uint64_t)from >= UNPACK_MAX) return luaL_error(L, "table.unpack: at most %d values", UNPACK_MAX);
  lh_charge(L, 4 + (to - from));
  luaL_checkstack(L, UNPACK_MAX + 4, "table.unpack");
  for (lua_Integer at = from;; at++) {
    lua_geti(L, 1, at);
    if (at == to) return (int)(to - from + 1);
  }
}

/* Whether the value at `left` sorts before the one at `right`. Argument 2 is the comparator or nil. */
static int before(lua_State *L, int left, int right) {
  lh_charge(L, 3);
  if (lua_isnil(L, 2)) return lua_compare(L, left, right, LUA_OPLT);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, left < 0 ? left - 1 : left);
  lua_pushvalue(L, right < 0 ? right - 2 : right);
  lua_call(L, 2, 1);
  int result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

/* Merges [low, middle) and [middle, high) of the table at 3 into the one at 4. */
static void merge(lua_State *L, int64_t low, int64_t middle, int64_t high) {
  int64_t left = low, right = middle;
  for (int64_t to = low; to < high; to++) {
    int take_right = left >= middle;
    if (!take_right && right < high) {
      lua_rawgeti(L, 3, right);
      lua_rawgeti(L, 3, left);
      take_right = before(L, -2, -1); /* the left one wins a draw: equal values keep their order */
      lua_pop(L, 2);
    }
    lua_rawgeti(L, 3, take_right ? right++ : left++);
    lua_rawseti(L, 4, to);
  }
}

/* Merge sort: n log n with any comparator, stable, the same on every run (Lua's own picks pivots by the clock). It
 * works on copies, so a comparator that raises or changes the table leaves it as it was. */
static int table_sort(lua_State *L) {
  lh_check_writable(L, 1);
  int64_t count = check_entries(L, 1);
  lua_settop(L, 1 + (lua_gettop(L) > 1));
  if (lua_gettop(L) == 1) lua_pushnil(L);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lh_charge(L, 2 * count);
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  for (int64_t at = 1; at <= count; at++) {
    lua_rawgeti(L, 1, at);
    lua_rawseti(L, 3, at);
  }
  for (int64_t width = 1; width < count; width *= 2) {
    for (int64_t low = 1; low <= count; low += 2 * width) {
      int64_t middle = low + width, high = low + 2 * width;
      if (middle > count + 1) middle = count + 1;
      if (high > count + 1) high = count + 1;
      merge(L, low, middle, high);
    }
    lua_pushvalue(L, 3);
    lua_copy(L, 4, 3);
    lua_replace(L, 4);
  }
  for (int64_t at = 1; at <= count; at++) {
    lua_rawgeti(L, 3, at);
    lua_rawseti(L, 1, at);
  }
  return 0;
}

void lh_open_table(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"insert", table_insert}, {"remove", table_remove}, {"concat", table_concat},
      {"unpack", table_unpack}, {"sort", table_sort},     {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lh_seal_library(L, "table");
  lua_setfield(L, -2, "table");
}

static void push_rounded(lua_State *L, double value) {
  lua_Integer integer;
  if (lua_numbertointeger(value, &integer)) {
    lua_pushinteger(L, integer);
  } else {
    lua_pushnumber(L, value);
  }
}

static int math_floor(lua_State *L) {
  if (lua_isinteger(L, 1)) return lua_settop(L, 1), 1;
  push_rounded(L, floor(luaL_checknumber(L, 1)));
  return 1;
}

static int math_ceil(lua_State *L) {
  if (lua_isinteger(L, 1)) return lua_settop(L, 1), 1;
  push_rounded(L, ceil(luaL_checknumber(L, 1)));
  return 1;
}

static int math_abs(lua_State *L) {
  if (lua_isinteger(L, 1)) {
    lua_Integer value = lua_tointeger(L, 1);
    lua_pushinteger(L, value < 0 ? (lua_Integer)(0u - (lua_Unsigned)value) : value);
  } else {
    lua_pushnumber(L, fabs(luaL_checknumber(L, 1)));
  }
  return 1;
}

static int math_sqrt(lua_State *L) {
  lua_pushnumber(L, sqrt(luaL_checknumber(L, 1)));
  return 1;
}

static int math_log(lua_State *L) {
  double value = luaL_checknumber(L, 1);
  lua_pushnumber(L, lua_isnoneornil(L, 2) ? log(value) : log(value) / log(luaL_checknumber(L, 2)));
  return 1;
}

static int extreme(lua_State *L, int sign) {
  int count = lua_gettop(L), best = 1;
  lh_charge(L, count);
  luaL_checknumber(L, 1);
  for (int at = 2; at <= count; at++) {
    luaL_checknumber(L, at);
    if (sign < 0 ? lua_compare(L, at, best, LUA_OPLT) : lua_compare(L, best, at, LUA_OPLT)) best = at;
  }
  lua_pushvalue(L, best);
  return 1;
}

static int math_min(lua_State *L) { return extreme(L, -1); }
static int math_max(lua_State *L) { return extreme(L, 1); }

static int math_tointeger(lua_State *L) {
  int is_integer = 0;
  lua_Integer value = lua_type(L, 1) == LUA_TNUMBER ? lua_tointegerx(L, 1, &is_integer) : 0;
  if (is_integer) lua_pushinteger(L, value);
  else luaL_pushfail(L);
  return 1;
}

void lh_open_math(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"floor", math_floor}, {"ceil", math_ceil}, {"abs", math_abs}, {"sqrt", math_sqrt}, {"log", math_log},
      {"min", math_min},     {"max", math_max},   {"tointeger", math_tointeger},          {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lua_pushnumber(L, HUGE_VAL);
  lua_setfield(L, -2, "huge");
  lua_pushinteger(L, LUA_MAXINTEGER);
  lua_setfield(L, -2, "maxinteger");
  lua_pushinteger(L, LUA_MININTEGER);
  lua_setfield(L, -2, "mininteger");
  lh_seal_library(L, "math");
  lua_setfield(L, -2, "math");
}
