/* Loading a rule file: compile, check, run once, announce its rules, freeze what they can reach. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

enum { DEPTH_MAX = 4, ENTRIES_MAX = 10000, RULES_PER_FILE_MAX = 200 };

struct dump {
  uint8_t *bytes;
  size_t count, capacity;
};

static int write_dump(lua_State *L, const void *piece, size_t count, void *context) {
  (void)L;
  struct dump *dump = context;
  if (count > dump->capacity - dump->count) {
    size_t capacity = (dump->capacity + count) * 2;
    uint8_t *moved = realloc(dump->bytes, capacity);
    if (!moved) return 1;
    dump->bytes = moved;
    dump->capacity = capacity;
  }
  memcpy(dump->bytes + dump->count, piece, count);
  dump->count += count;
  return 0;
}

/* A variable that a function shares with the one around it would carry a value from event to event. The compiled
 * form names every assignment to one. It also shows whether the file only reads globals by name, as nearly all do: then it gets
 * the table itself, else the one that cannot be written, which takes two more steps at each name. */
void lh_bind_globals(lua_State *L, const char *name) {
  lh_host *host = host_of(L);
  struct dump dump = {0};
  int failed = lua_dump(L, write_dump, &dump, 0); /* does not raise */
  int32_t line = failed ? LH_CHUNK_UNKNOWN : host->call.inspect(host->call.context, (lh_text){dump.bytes, dump.count});
  free(dump.bytes);
  if (line > 0) {
    luaL_error(L, "%s:%d: an inner function assigns a variable of an outer one; it would live on from event to event. "
                  "Make it a local of `when`, or use count(…)", name, (int)line);
  }
  if (line == LH_CHUNK_UNKNOWN) luaL_error(L, "%s:1: the compiled file could not be checked", name);
  lua_rawgetp(L, LUA_REGISTRYINDEX, line == LH_CHUNK_ONLY_READS ? &lh_globals_key : &lh_environment_key);
  if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1); /* a file that uses no global at all */
}

static int is_container(int type) { return type == LUA_TTABLE || type == LUA_TFUNCTION; }

/* Freezes the table at the top: its entries move to a hidden table behind a metatable. Containers in it go to the
 * list at `pending`. Pops it. */
static void freeze_table(lua_State *L, int pending) {
  int table = lua_gettop(L);
  if (lua_getmetatable(L, table)) { /* frozen already, or a library */
    lua_settop(L, table - 1);
    return;
  }
  lua_newtable(L);
  int content = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    for (int at = -2; at <= -1; at++) {
      if (!is_container(lua_type(L, at))) continue;
      lua_pushvalue(L, at);
      lua_rawseti(L, pending, (lua_Integer)lua_rawlen(L, pending) + 1);
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, content);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, table); /* clearing while traversing is allowed */
  }
  lua_createtable(L, 1, 3);
  lua_pushvalue(L, content);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, content);
  lua_setfield(L, -2, "__index");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_frozen_key); /* { __newindex, __len } */
  lua_rawgeti(L, -1, 1);
  lua_setfield(L, -3, "__newindex");
  lua_rawgeti(L, -1, 2);
  lua_setfield(L, -3, "__len");
  lua_pop(L, 1);
  lua_setmetatable(L, table);
  lua_settop(L, table - 1);
}

static int frozen_newindex(lua_State *L) {
  return luaL_error(L, "this table was made outside of `when`: it cannot be changed, "
                       "or it would carry data from event to event");
}

static int frozen_len(lua_State *L) {
  lua_pushinteger(L, lh_length(L, 1));
  return 1;
}

void lh_freeze(lua_State *L) {
  int function = lua_gettop(L);
  luaL_checkstack(L, 20, "freeze");
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_frozen_key) != LUA_TTABLE) {
    lua_createtable(L, 2, 0);
    lua_pushcfunction(L, frozen_newindex);
    lua_rawseti(L, -2, 1);
    lua_pushcfunction(L, frozen_len);
    lua_rawseti(L, -2, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_frozen_key);
  }
  lua_settop(L, function);
  lua_newtable(L);
  int pending = function + 1;
  lua_newtable(L);
  int seen = function + 2;
  lua_pushvalue(L, function);
  lua_rawseti(L, pending, 1);
  for (lua_Integer at = 1; lua_rawgeti(L, pending, at) != LUA_TNIL; at++) {
    lua_pushvalue(L, -1);
    int is_seen = lua_rawget(L, seen) != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_seen) {
      lua_pushvalue(L, -1);
      lua_pushboolean(L, 1);
      lua_rawset(L, seen);
      if (lua_type(L, -1) == LUA_TTABLE) {
        freeze_table(L, pending);
        continue;
      }
      if (lua_iscfunction(L, -1) && lh_is_iterator(lua_tocfunction(L, -1))) {
        luaL_error(L, "a loop's `pairs` cannot be kept outside of `when`: it would carry its place from event to event");
      }
      /* C functions are the library's own; what they hold is none of the rules' business. */
      int walked = lua_iscfunction(L, -1) ? 0 : lua_gettop(L);
      for (int upvalue = 1; walked && lua_getupvalue(L, walked, upvalue); upvalue++) {
        if (is_container(lua_type(L, -1))) {
          lua_rawseti(L, pending, (lua_Integer)lua_rawlen(L, pending) + 1);
        } else {
          lua_pop(L, 1);
        }
      }
    }
    lua_pop(L, 1);
  }
  lua_settop(L, function);
}

/* `index` 0: the one the key at stack index `key` is. */
static void emit_at(lua_State *L, int event, int key, int64_t index, const lh_value *value, int line) {
  lh_host *host = host_of(L);
  lh_text name = {(const uint8_t *)"", 0};
  if (key && lua_type(L, key) == LUA_TSTRING) name = lh_text_at(L, key);
  if (key && lua_isinteger(L, key)) index = lua_tointeger(L, key);
  host->call.emit(host->call.context, event, name, index, value, line);
}

static void emit(lua_State *L, int event, int key, const lh_value *value, int line) {
  emit_at(L, event, key, 0, value, line);
}

void lh_emit_table(lua_State *L, int depth, int *entries) {
  int table = lua_gettop(L);
  luaL_checkstack(L, 10, "rule");
  if (depth == 0) luaL_error(L, "this is nested too deep");
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lh_value value = {0};
    int key = table + 1;
    if (++*entries > ENTRIES_MAX) luaL_error(L, "this has more than %d entries", ENTRIES_MAX);
    switch (lua_type(L, -1)) {
      case LUA_TTABLE:
        emit(L, LH_EMIT_OPEN, key, &value, 0);
        lh_push_content(L, -1);
        lh_emit_table(L, depth - 1, entries);
        lua_pop(L, 1);
        emit(L, LH_EMIT_CLOSE, key, &value, 0);
        break;
      case LUA_TSTRING:
        value.kind = LH_TEXT;
        value.text = lh_text_at(L, -1);
        emit(L, LH_EMIT_VALUE, key, &value, 0);
        break;
      case LUA_TNUMBER:
        value.kind = lua_isinteger(L, -1) ? LH_INTEGER : LH_NUMBER;
        if (value.kind == LH_INTEGER) value.integer = lua_tointeger(L, -1);
        else value.number = lua_tonumber(L, -1);
        emit(L, LH_EMIT_VALUE, key, &value, 0);
        break;
      case LUA_TBOOLEAN:
        value.kind = lua_toboolean(L, -1) ? LH_TRUE : LH_FALSE;
        emit(L, LH_EMIT_VALUE, key, &value, 0);
        break;
      default:
        value.kind = LH_FUNCTION;
        emit(L, LH_EMIT_VALUE, key, &value, 0);
    }
    lua_pop(L, 1);
  }
}

/* Announces what is at the top (a rule, labels, quotas or features) and keeps its functions: a rule's `when` in the table
 * at index 2. Pops it. */
static void emit_rule(lua_State *L) {
  lh_host *host = host_of(L);
  int rule = lua_gettop(L), entries = 0;
  lh_value value = {0};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_marks_key);
  lua_pushvalue(L, rule);
  lua_rawget(L, -2);
  int line = (int)(uint32_t)lua_tointeger(L, -1);
  int kind = (int)(lua_tointeger(L, -1) >> 32);
  lua_settop(L, rule);
  lh_push_content(L, rule); /* frozen where a `when` before it holds on to it */
  value.kind = LH_FUNCTION;
  if (kind == LH_FILE_FEATURES) {
    lh_keep_features(L);
  } else if (kind == LH_FILE_RULE && lua_getfield(L, -1, "when") == LUA_TFUNCTION && !lua_iscfunction(L, -1)) {
    lh_freeze(L);
    lua_rawseti(L, 2, ++host->rule_count);
    value.integer = host->rule_count;
  }
  lua_settop(L, rule);
  lh_push_content(L, rule);
  emit_at(L, LH_EMIT_RULE, 0, kind, &value, line);
  lh_emit_table(L, DEPTH_MAX + 1, &entries);
  emit(L, LH_EMIT_END, 0, &value, line);
  lua_settop(L, rule - 1);
}

static int is_rule(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE) return 0;
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_marks_key);
  lua_pushvalue(L, index);
  int found = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return found;
}

int lh_load_file(lua_State *L) {
  struct lh_source *source = lua_touserdata(L, 1);
  lua_pushfstring(L, "@%s", source->name);
  if (luaL_loadbufferx(L, (const char *)source->bytes, source->count, lua_tostring(L, -1), "t") != LUA_OK) {
    return lua_error(L);
  }
  lh_bind_globals(L, source->name);
  lua_call(L, 0, 1);
  if (is_rule(L, -1)) {
    emit_rule(L);
    return 0;
  }
  const char *expected = "%s:1: the file does not return a rule; begin with `return rule {`";
  if (strcmp(source->name, "labels.lua") == 0) expected = "%s:1: the file does not say `return labels { … }`";
  if (strcmp(source->name, "quotas.lua") == 0) expected = "%s:1: the file does not say `return quotas { … }`";
  if (strcmp(source->name, "features.lua") == 0) expected = "%s:1: the file does not say `return features { … }`";
  if (lua_type(L, -1) != LUA_TTABLE || lua_getmetatable(L, -1)) return luaL_error(L, expected, source->name);
  int list = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  if (count == 0 || count > RULES_PER_FILE_MAX) return luaL_error(L, expected, source->name);
  for (lua_Integer at = 1; at <= count; at++) {
    lh_push_content(L, list); /* a rule before may have frozen the list by holding on to it */
    lua_rawgeti(L, -1, at);
    lua_replace(L, -2);
    if (!is_rule(L, -1)) {
      return luaL_error(L, "%s:1: entry %d of the list is not a rule { … }", source->name, (int)at);
    }
    emit_rule(L);
  }
  return 0;
}
