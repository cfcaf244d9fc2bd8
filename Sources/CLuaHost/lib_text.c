/* text.*, uri.*, domain.*, hash.* and time.*: what rules ask about texts. CText does the work; here arguments are checked
 * and charged. nil is no text: it has no words, is found nowhere and gives nil. */
#include <string.h>

#include "host_internal.h"

enum { WORDS_MAX = 1000, HASH_BYTES = 16, DIGEST_BYTES = 32 };

static ct_slice slice_of(lh_text text) { return (ct_slice){text.bytes, text.count}; }

static void push_slice(lua_State *L, ct_slice slice) { lua_pushlstring(L, (const char *)slice.bytes, slice.count); }

/* A text argument, charged for going through what CText looks at of it, `times` over. */
static ct_slice check_source(lua_State *L, int argument, int times) {
  lh_text text = lh_check_text(L, argument);
  size_t count = text.count < CT_TEXT_BYTES_MAX ? text.count : CT_TEXT_BYTES_MAX;
  lh_charge(L, (int64_t)(count / 4) * times);
  return slice_of(text);
}

static int text_fold(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  ct_slice source = check_source(L, 1, 1);
  push_slice(L, ct_fold(host_of(L)->text, source));
  return 1;
}

static int text_clean(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  ct_slice source = check_source(L, 1, 1);
  push_slice(L, ct_clean(host_of(L)->text, source));
  return 1;
}

/* How many bytes are not the first of their character (10xxxxxx), eight at a time. */
static size_t following_bytes(lh_text text) {
  size_t count = 0, at = 0;
  for (; at + 8 <= text.count; at += 8) {
    uint64_t word;
    memcpy(&word, text.bytes + at, sizeof word);
    count += (size_t)__builtin_popcountll(word >> 7 & ~word >> 6 & 0x0101010101010101);
  }
  for (; at < text.count; at++) count += (text.bytes[at] & 0xc0) == 0x80;
  return count;
}

static int text_len(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return lua_pushinteger(L, 0), 1;
  lh_text text = lh_check_text(L, 1);
  lh_charge(L, (int64_t)(text.count / 16));
  lua_pushinteger(L, (lua_Integer)(text.count - following_bytes(text)));
  return 1;
}

typedef int (*lister)(ct_slice source, size_t *at, ct_slice *item);

/* A table of what `next` finds in `source`, which stays where it is meanwhile. */
static int push_list(lua_State *L, ct_slice source, lister next) {
  size_t at = 0;
  ct_slice item;
  lua_Integer count = 0, limit = (lua_Integer)host_of(L)->limits.table_entries;
  lua_newtable(L);
  while (count < limit && next(source, &at, &item)) {
    lh_charge(L, 4);
    push_slice(L, item);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int text_tokens(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return lua_newtable(L), 1;
  ct_slice source = check_source(L, 1, 2);
  return push_list(L, ct_clean(host_of(L)->text, source), ct_next_word);
}

static int text_emoji(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return lua_newtable(L), 1;
  ct_slice source = check_source(L, 1, 1);
  if (source.count > CT_TEXT_BYTES_MAX) source.count = CT_TEXT_BYTES_MAX;
  return push_list(L, source, ct_next_emoji);
}

static int64_t count_word(lua_State *L, ct_slice source, int argument, int64_t most) {
  ct_slice word = check_source(L, argument, 2);
  size_t count = source.count < CT_TEXT_BYTES_MAX ? source.count : CT_TEXT_BYTES_MAX;
  lh_charge(L, (int64_t)(count / 16));
  return ct_count(host_of(L)->text, source, word, most);
}

/* text.contains(s, word): whether; text.contains(s, { word, … }): which, the first of the list. */
static int text_contains(lua_State *L) {
  int is_list = lua_type(L, 2) == LUA_TTABLE || lua_type(L, 2) == LUA_TLIGHTUSERDATA;
  if (!is_list && !lua_isstring(L, 2)) return luaL_typeerror(L, 2, "string or list of strings");
  if (lua_isnil(L, 1)) return is_list ? luaL_pushfail(L) : lua_pushboolean(L, 0), 1;
  ct_slice source = check_source(L, 1, 1);
  if (!is_list) return lua_pushboolean(L, count_word(L, source, 2, 1) > 0), 1;
  int64_t count = lh_length(L, 2);
  luaL_argcheck(L, count <= WORDS_MAX, 2, "at most 1000 words; a list \"name\" takes more");
  lua_settop(L, 2);
  for (lua_Integer at = 1; at <= count; at++) {
    lh_charge(L, 4);
    lua_geti(L, 2, at);
    if (!lua_isstring(L, 3)) return luaL_error(L, "word %d of the list is a %s", (int)at, luaL_typename(L, 3));
    if (count_word(L, source, 3, 1) > 0) return 1;
    lua_settop(L, 2);
  }
  luaL_pushfail(L);
  return 1;
}

static int text_count(lua_State *L) {
  luaL_checktype(L, 2, LUA_TSTRING);
  if (lua_isnil(L, 1)) return lua_pushinteger(L, 0), 1;
  ct_slice source = check_source(L, 1, 1);
  lua_pushinteger(L, count_word(L, source, 2, INT32_MAX));
  return 1;
}

static int text_similarity(lua_State *L) {
  if (lua_isnil(L, 1) || lua_isnil(L, 2)) return lua_pushnumber(L, 0), 1;
  ct_slice left = check_source(L, 1, 4), right = check_source(L, 2, 4);
  lua_pushnumber(L, ct_similarity(host_of(L)->text, left, right));
  return 1;
}

/* Part number `wanted` (0: who, 1: collection, 2: record key) of at://who/collection/rkey; empty where it is not there. */
static ct_slice uri_part(ct_slice uri, int wanted) {
  ct_slice none = {uri.bytes, 0};
  int has_scheme = uri.count > 5 && memcmp(uri.bytes, "at://", 5) == 0;
  if (!has_scheme && wanted > 0) return none;
  size_t start = has_scheme ? 5 : 0;
  for (int part = 0;; part++) {
    size_t end = start;
    while (end < uri.count && uri.bytes[end] != '/' && uri.bytes[end] != '#' && uri.bytes[end] != '?') end++;
    if (part == wanted) return (ct_slice){uri.bytes + start, end - start};
    if (end >= uri.count || uri.bytes[end] != '/') return none;
    start = end + 1;
  }
}

/* uri.did, uri.collection, uri.rkey. Upvalue 1: the part. */
static int uri_any(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  int wanted = (int)lua_tointeger(L, lua_upvalueindex(1));
  ct_slice part = uri_part(slice_of(lh_check_text(L, 1)), wanted);
  int is_there = part.count > 0 && (wanted > 0 || (part.count > 4 && memcmp(part.bytes, "did:", 4) == 0));
  if (!is_there) return luaL_pushfail(L), 1;
  push_slice(L, part);
  return 1;
}

/* The host of an address in lower case at the top of the stack, or nil. */
static int push_host(lua_State *L, ct_slice address) {
  ct_slice host = ct_host(address);
  char lower[256];
  if (host.count == 0 || host.count > sizeof lower) return luaL_pushfail(L), 0;
  for (size_t at = 0; at < host.count; at++) {
    uint8_t byte = host.bytes[at];
    lower[at] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 32 : byte);
  }
  lua_pushlstring(L, lower, host.count);
  return 1;
}

static int domain_of(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  if (!push_host(L, slice_of(lh_check_text(L, 1)))) return 1;
  lh_text host = lh_text_at(L, -1);
  if (host.count > 4 && memcmp(host.bytes, "www.", 4) == 0) {
    lua_pushlstring(L, (const char *)host.bytes + 4, host.count - 4);
  }
  return 1;
}

static int domain_registrable(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  if (!push_host(L, slice_of(lh_check_text(L, 1)))) return 1;
  lh_text host = lh_text_at(L, -1);
  lh_charge(L, 100 + (int64_t)host.count * 4); /* a look-up for each of its labels */
  ct_slice found = ct_registrable(host_of(L)->text, slice_of(host));
  if (found.count == 0) return luaL_pushfail(L), 1;
  push_slice(L, found);
  return 1;
}

/* hash.of, hash.sha256. Upvalue 1: bytes of the digest that count. */
static int hash_any(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  if (lua_isnoneornil(L, 1)) return luaL_pushfail(L), 1;
  lh_text text = lh_check_text(L, 1);
  lh_charge(L, 20 + (int64_t)(text.count / 8));
  uint8_t digest[DIGEST_BYTES];
  lh_host *host = host_of(L);
  lh_ask(host)->digest(host->call.context, text, digest);
  char hex[2 * DIGEST_BYTES];
  int count = (int)lua_tointeger(L, lua_upvalueindex(1));
  for (int at = 0; at < count; at++) {
    hex[2 * at] = digits[digest[at] >> 4];
    hex[2 * at + 1] = digits[digest[at] & 15];
  }
  lua_pushlstring(L, hex, (size_t)count * 2);
  return 1;
}

/* A time in milliseconds: of the event where no argument is given, of RFC 3339 text, or of seconds since 1970. 0 where
 * there is none. */
static int to_time(lua_State *L, int64_t *milliseconds) {
  lh_host *host = host_of(L);
  if (lua_isnone(L, 1)) {
    if (!host->in_event) return luaL_error(L, "there is no time but the event's: call this inside `when`");
    *milliseconds = lh_ask(host)->clock_ms(host->call.context);
    return 1;
  }
  if (lua_isnil(L, 1)) return 0;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    double seconds = lua_tonumber(L, 1);
    luaL_argcheck(L, seconds >= -62135596800.0 && seconds <= 253402300799.0, 1, "seconds since 1970, years 1 to 9999");
    *milliseconds = (int64_t)(seconds * 1000);
    return 1;
  }
  lh_text text = lh_check_text(L, 1);
  return text.count <= 64 && lh_ask(host)->time_ms(host->call.context, text, milliseconds);
}

static int64_t floor_div(int64_t value, int64_t by) { return value / by - (value % by < 0); }

static int time_hour(lua_State *L) {
  int64_t at;
  if (!to_time(L, &at)) return luaL_pushfail(L), 1;
  lua_pushinteger(L, floor_div(at, 3600000) - floor_div(at, 86400000) * 24);
  return 1;
}

/* 1 is Monday, 7 Sunday (ISO 8601). The first day of 1970 was a Thursday. */
static int time_weekday(lua_State *L) {
  int64_t at;
  if (!to_time(L, &at)) return luaL_pushfail(L), 1;
  int64_t day = floor_div(at, 86400000) + 3;
  lua_pushinteger(L, day - floor_div(day, 7) * 7 + 1);
  return 1;
}

static int time_unix(lua_State *L) {
  int64_t at;
  if (!to_time(L, &at)) return luaL_pushfail(L), 1;
  lua_pushinteger(L, floor_div(at, 1000));
  return 1;
}

/* Seconds from a time to the event; negative where it lies ahead. */
static int time_since(lua_State *L) {
  lh_host *host = host_of(L);
  if (!host->in_event) return luaL_error(L, "there is no time but the event's: call this inside `when`");
  int64_t at;
  luaL_checkany(L, 1);
  if (!to_time(L, &at)) return luaL_pushfail(L), 1;
  lua_pushnumber(L, (double)(lh_ask(host)->clock_ms(host->call.context) - at) / 1000);
  return 1;
}

static void open_library(lua_State *L, const char *name, const luaL_Reg *functions) {
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  lh_seal_library(L, name);
  lua_setfield(L, -2, name);
}

/* A library whose functions are one with different numbers. */
static void open_numbered(lua_State *L, const char *name, lua_CFunction function, const char *const *names,
                          const int *numbers, size_t count) {
  lua_newtable(L);
  for (size_t at = 0; at < count; at++) {
    lua_pushinteger(L, numbers[at]);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, names[at]);
  }
  lh_seal_library(L, name);
  lua_setfield(L, -2, name);
}

void lh_open_text(lua_State *L) {
  static const luaL_Reg texts[] = {
      {"fold", text_fold},         {"clean", text_clean}, {"len", text_len},     {"tokens", text_tokens},
      {"contains", text_contains}, {"count", text_count}, {"emoji", text_emoji}, {"similarity", text_similarity},
      {NULL, NULL},
  };
  static const luaL_Reg domains[] = {{"of", domain_of}, {"registrable", domain_registrable}, {NULL, NULL}};
  static const luaL_Reg times[] = {
      {"hour", time_hour}, {"weekday", time_weekday}, {"unix", time_unix}, {"since", time_since}, {NULL, NULL},
  };
  static const char *const parts[] = {"did", "collection", "rkey"}, *const hashes[] = {"of", "sha256"};
  static const int part_numbers[] = {0, 1, 2}, hash_bytes[] = {HASH_BYTES, DIGEST_BYTES};
  open_library(L, "text", texts);
  open_library(L, "domain", domains);
  open_library(L, "time", times);
  open_numbered(L, "uri", uri_any, parts, part_numbers, 3);
  open_numbered(L, "hash", hash_any, hashes, hash_bytes, 2);
}
