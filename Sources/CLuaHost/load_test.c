/* Test files: data, written with the words of the rule language and a few more. What they return is announced like a rule. */
#include <string.h>

#include "host_internal.h"

const char lh_test_environment_key;

enum { TEST_DEPTH_MAX = 24 };

/* Every word makes a table that says under "$make" what it is and under "$line" where it stands. */
static const char *const words[] = {
    "tests",      "case",     "sequence", "at",     "every",       "post",     "reply",   "like",
    "repost",     "follow",   "block",    "profile", "listitem",    "starterpack", "identity", "account",
    "update",     "delete",   "record",   "blob",   "bytes",       "link",
};

static int line_of_caller(lua_State *L) {
  lua_Debug record;
  return lua_getstack(L, 1, &record) && lua_getinfo(L, "l", &record) ? record.currentline : 0;
}

static void mark(lua_State *L, const char *kind) {
  int table = lua_gettop(L);
  lh_check_writable(L, table);
  lua_settop(L, table);
  lua_pushstring(L, kind);
  lua_setfield(L, table, "$make");
  lua_getfield(L, table, "$line");
  if (lua_isnil(L, -1)) {
    lua_pushinteger(L, line_of_caller(L));
    lua_setfield(L, table, "$line");
  }
  lua_settop(L, table);
}

/* The second half of tests "Name" { … } and case "name" { … }. Upvalues: kind, name, line. */
static int test_named(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setfield(L, 1, "$name");
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_setfield(L, 1, "$line");
  mark(L, lua_tostring(L, lua_upvalueindex(1)));
  return 1;
}

/* post { … }, at(5, post { … }), tests "Name". Upvalues: kind, whether a text begins something longer. */
static int test_make(lua_State *L) {
  const char *kind = lua_tostring(L, lua_upvalueindex(1));
  int count = lua_gettop(L);
  if (lua_toboolean(L, lua_upvalueindex(2))) {
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushinteger(L, line_of_caller(L));
    lua_pushcclosure(L, test_named, 3);
    return 1;
  }
  /* What is something already goes inside: update(post { … }), delete(list { … }). */
  if (count == 1 && lua_type(L, 1) == LUA_TTABLE && lua_getfield(L, 1, "$make") == LUA_TNIL &&
      lua_getfield(L, 1, "$effect") == LUA_TNIL) {
    lua_settop(L, 1);
    mark(L, kind);
    return 1;
  }
  lua_settop(L, count);
  lua_createtable(L, count, 2);
  lua_insert(L, 1);
  for (int at = count; at >= 1; at--) lua_rawseti(L, 1, at);
  mark(L, kind);
  return 1;
}

/* Pushes the globals of rules and the words of tests, sealed as one. */
static void push_environment(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_test_environment_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  int environment = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_environment_key);
  lua_getmetatable(L, -1);
  lua_pushliteral(L, "__index");
  lua_rawget(L, -2);
  int globals = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, globals)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, environment);
  }
  lua_settop(L, environment);
  for (size_t at = 0; at < sizeof words / sizeof words[0]; at++) {
    lua_pushstring(L, words[at]);
    lua_pushboolean(L, strcmp(words[at], "tests") == 0 || strcmp(words[at], "case") == 0);
    lua_pushcclosure(L, test_make, 2);
    lua_setfield(L, environment, words[at]);
  }
  lh_seal_library(L, NULL);
  lua_pushvalue(L, environment);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_test_environment_key);
}

int lh_load_test_file(lua_State *L) {
  struct lh_source *source = lua_touserdata(L, 1);
  lua_pushfstring(L, "@%s", source->name);
  if (luaL_loadbufferx(L, (const char *)source->bytes, source->count, lua_tostring(L, -1), "t") != LUA_OK) {
    return lua_error(L);
  }
  push_environment(L);
  if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  lua_call(L, 0, 1);
  if (lua_type(L, -1) != LUA_TTABLE) {
    return luaL_error(L, "%s:1: the file does not return tests; begin with `return tests \"RuleName\" {`", source->name);
  }
  lh_host *host = host_of(L);
  lh_value value = {0};
  lh_text none = {(const uint8_t *)"", 0};
  int entries = 0;
  lh_push_content(L, -1);
  host->call.emit(host->call.context, LH_EMIT_RULE, none, 0, &value, 1);
  lh_emit_table(L, TEST_DEPTH_MAX, &entries);
  host->call.emit(host->call.context, LH_EMIT_END, none, 0, &value, 1);
  return 0;
}

size_t lh_test_words(const char *const **names) {
  *names = words;
  return sizeof words / sizeof words[0];
}
