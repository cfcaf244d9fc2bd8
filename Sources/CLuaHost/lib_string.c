/* string.*: bounded, charged by length before the work, plain search only (glibc's memmem is linear). */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "host_internal.h"

enum { FORMAT_ITEM_MAX = 512, WIDTH_MAX = 99 };

/* Raises where a result of `count` bytes would be too long, and charges for making it. */
static void check_result(lua_State *L, uint64_t count) {
  lh_host *host = host_of(L);
  if (count > host->limits.string_bytes) {
    luaL_error(L, "the text would be longer than %d bytes", (int)host->limits.string_bytes);
  }
  lh_charge(L, (int64_t)(count / 16));
}

/* Position from an index that may count from the end, clamped to 1 … count + 1. */
static size_t start_position(lua_Integer index, size_t count) {
  if (index > 0) return (uint64_t)index > count + 1 ? count + 1 : (size_t)index;
  if (index == 0 || index < -(lua_Integer)count) return 1;
  return count + (size_t)(index + 1);
}

static size_t end_position(lua_Integer index, size_t count) {
  if (index > (lua_Integer)count) return count;
  if (index >= 0) return (size_t)index;
  return index < -(lua_Integer)count ? 0 : count + (size_t)(index + 1);
}

static int string_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lh_check_text(L, 1).count);
  return 1;
}

static int string_sub(lua_State *L) {
  lh_text text = lh_check_text(L, 1);
  size_t from = start_position(luaL_checkinteger(L, 2), text.count);
  size_t to = end_position(luaL_optinteger(L, 3, -1), text.count);
  if (from > to) return lua_pushliteral(L, ""), 1;
  if (from == 1 && to == text.count) return lua_settop(L, 1), 1;
  lua_pushlstring(L, (const char *)text.bytes + from - 1, to - from + 1);
  return 1;
}

static int change_case(lua_State *L, uint8_t first, uint8_t last) {
  lh_text text = lh_check_text(L, 1);
  check_result(L, text.count);
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, text.count);
  for (size_t at = 0; at < text.count; at++) {
    uint8_t byte = text.bytes[at];
    to[at] = (char)(byte >= first && byte <= last ? byte ^ 32 : byte);
  }
  luaL_pushresultsize(&buffer, text.count);
  return 1;
}

static int string_lower(lua_State *L) { return change_case(L, 'A', 'Z'); }
static int string_upper(lua_State *L) { return change_case(L, 'a', 'z'); }

static int string_rep(lua_State *L) {
  lh_text text = lh_check_text(L, 1);
  lua_Integer times = luaL_checkinteger(L, 2);
  size_t gap_count = 0;
  const char *gap = luaL_optlstring(L, 3, "", &gap_count);
  uint64_t step = text.count + gap_count;
  if (times <= 0 || step == 0) return lua_pushliteral(L, ""), 1;
  uint64_t limit = host_of(L)->limits.string_bytes;
  check_result(L, (uint64_t)times > limit / step + 1 ? limit + 1 : step * (uint64_t)times - gap_count);
  uint64_t total = step * (uint64_t)times - gap_count;
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, total);
  for (lua_Integer done = 0; done < times; done++) {
    memcpy(to, text.bytes, text.count);
    to += text.count;
    if (done + 1 < times) memcpy(to, gap, gap_count), to += gap_count;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

static int string_reverse(lua_State *L) {
  lh_text text = lh_check_text(L, 1);
  check_result(L, text.count);
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, text.count);
  for (size_t at = 0; at < text.count; at++) to[at] = (char)text.bytes[text.count - 1 - at];
  luaL_pushresultsize(&buffer, text.count);
  return 1;
}

static int string_byte(lua_State *L) {
  lh_text text = lh_check_text(L, 1);
  lua_Integer first = luaL_optinteger(L, 2, 1);
  size_t from = start_position(first, text.count);
  size_t to = end_position(luaL_optinteger(L, 3, (lua_Integer)from), text.count);
  if (from > to) return 0;
  if (to - from >= 256) return luaL_error(L, "string.byte: at most 256 bytes at once");
  luaL_checkstack(L, 256, "string.byte");
  for (size_t at = from; at <= to; at++) lua_pushinteger(L, text.bytes[at - 1]);
  return (int)(to - from + 1);
}

static int string_char(lua_State *L) {
  int count = lua_gettop(L);
  check_result(L, (uint64_t)count * 16);
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, (size_t)count);
  for (int at = 1; at <= count; at++) {
    lua_Integer byte = luaL_checkinteger(L, at);
    luaL_argcheck(L, byte >= 0 && byte <= 255, at, "from 0 to 255");
    to[at - 1] = (char)byte;
  }
  luaL_pushresultsize(&buffer, (size_t)count);
  return 1;
}

/* string.find(text, what, init): always plain. A fourth argument is accepted for those who write `true` by habit. */
static int string_find(lua_State *L) {
  lh_text text = lh_check_text(L, 1);
  lh_text what = lh_check_text(L, 2);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  if (first > (lua_Integer)text.count + 1) return luaL_pushfail(L), 1;
  size_t from = start_position(first, text.count);
  lh_charge(L, (int64_t)(text.count / 16));
  const uint8_t *hit = what.count == 0 ? text.bytes + from - 1
                                       : memmem(text.bytes + from - 1, text.count - (from - 1), what.bytes, what.count);
  if (!hit) return luaL_pushfail(L), 1;
  lua_Integer at = hit - text.bytes + 1;
  lua_pushinteger(L, at);
  lua_pushinteger(L, at + (lua_Integer)what.count - 1);
  return 2;
}

/* One conversion of string.format; `spec` is what stands between % and the letter. */
static void format_item(lua_State *L, luaL_Buffer *buffer, int argument, const char *spec, char letter, size_t *total) {
  char pattern[16], item[FORMAT_ITEM_MAX];
  size_t count = 0;
  switch (letter) {
    case 'd': case 'i': case 'x': case 'X':
      snprintf(pattern, sizeof pattern, "%%%sll%c", spec, letter == 'i' ? 'd' : letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      count = (size_t)snprintf(item, sizeof item, pattern, (long long)luaL_checkinteger(L, argument));
      break;
    case 'f': case 'g': case 'e':
      snprintf(pattern, sizeof pattern, "%%%s%c", spec, letter);
      count = (size_t)snprintf(item, sizeof item, pattern, luaL_checknumber(L, argument));
#pragma GCC diagnostic pop
      break;
    case 's': {
      luaL_checkany(L, argument);
      int type = lua_type(L, argument);
      const char *text;
      if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        text = lua_tolstring(L, argument, &count);
      } else {
        text = type == LUA_TBOOLEAN ? lua_toboolean(L, argument) ? "true" : "false" : luaL_typename(L, argument);
        count = strlen(text);
      }
      if (*spec) luaL_error(L, "string.format: %%s takes no width here");
      check_result(L, *total += count);
      luaL_addlstring(buffer, text, count);
      return;
    }
    default: luaL_error(L, "string.format: '%%%c' is not one of %%d %%i %%x %%X %%f %%g %%e %%s %%%%", letter);
  }
  if (count >= sizeof item) luaL_error(L, "string.format: the number is too wide");
  check_result(L, *total += count);
  luaL_addlstring(buffer, item, count);
}

static int string_format(lua_State *L) {
  lh_text format = lh_check_text(L, 1);
  size_t total = 0, at = 0;
  int argument = 1;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (at < format.count) {
    const uint8_t *percent = memchr(format.bytes + at, '%', format.count - at);
    size_t plain = (percent ? (size_t)(percent - format.bytes) : format.count) - at;
    check_result(L, total += plain);
    luaL_addlstring(&buffer, (const char *)format.bytes + at, plain);
    at += plain;
    if (!percent) break;
    at++;
    if (at < format.count && format.bytes[at] == '%') {
      luaL_addchar(&buffer, '%');
      total++, at++;
      continue;
    }
    char spec[8];
    size_t count = 0;
    int digits = 0;
    while (at < format.count && memchr("-+ 0123456789.", format.bytes[at], 14)) {
      digits = format.bytes[at] >= '0' && format.bytes[at] <= '9' ? digits + 1 : 0;
      if (count == sizeof spec - 1 || digits > 2) return luaL_error(L, "string.format: at most two digits of width");
      spec[count++] = (char)format.bytes[at++];
    }
    spec[count] = 0;
    if (at == format.count) return luaL_error(L, "string.format: a '%%' at the end");
    lh_charge(L, 4);
    format_item(L, &buffer, ++argument, spec, (char)format.bytes[at++], &total);
  }
  luaL_pushresult(&buffer);
  return 1;
}

void lh_open_string(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"len", string_len},         {"sub", string_sub},   {"lower", string_lower}, {"upper", string_upper},
      {"rep", string_rep},         {"byte", string_byte}, {"char", string_char},   {"find", string_find},
      {"reverse", string_reverse}, {"format", string_format}, {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lh_seal_library(L, "string");
  /* s:lower() and the like: the metatable of strings leads to the sealed library; no rule can reach it. */
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  lua_setfield(L, -2, "string");
}
