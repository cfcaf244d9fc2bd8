/* What a rule looked at: a hook on the calls of library functions, for one event at a time and only when somebody asks.
 * And the names a rule can write, found by walking what it can reach. */
#include <stdio.h>
#include <string.h>

#include "host_internal.h"

const char lh_names_key;

enum { VALUES_MAX = 8, PREVIEW_ITEMS = 8, NAME_ROOM = 160 };

/* names[function] = name, names[name] = true. `names` is a stack index; the function is at the top and stays there. */
static void keep_name(lua_State *L, int names, const char *prefix, const char *between, const char *key) {
  char name[NAME_ROOM];
  snprintf(name, sizeof name, "%s%s%s", prefix, between, key);
  if (lua_type(L, -1) == LUA_TFUNCTION) {
    lua_pushvalue(L, -1);
    lua_pushstring(L, name);
    lua_rawset(L, names);
  }
  lua_pushstring(L, name);
  lua_pushboolean(L, 1);
  lua_rawset(L, names);
}

/* Replaces the sealed library at the top by its content; 0 where it is none. */
static int open_library(lua_State *L) {
  if (lua_type(L, -1) != LUA_TTABLE || !lua_getmetatable(L, -1)) return 0;
  lua_pushliteral(L, "__index");
  lua_rawget(L, -2);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return lua_type(L, -1) == LUA_TTABLE;
}

/* The methods of what the function at the top makes: its upvalues hold metatables of objects. */
static void name_methods(lua_State *L, int names) {
  int function = lua_gettop(L);
  for (int upvalue = 1; lua_getupvalue(L, function, upvalue); upvalue++) {
    if (lua_type(L, -1) == LUA_TTABLE) {
      lua_pushliteral(L, "__index");
      lua_rawget(L, -2);
      if (open_library(L)) {
        int content = lua_gettop(L);
        const char *owner = "object";
        if (lua_getmetatable(L, content)) {
          lua_pushliteral(L, "__index");
          lua_rawget(L, -2);
          if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 2) && lua_isstring(L, -1)) owner = lua_tostring(L, -1);
        }
        if (strncmp(owner, "a ", 2) == 0) owner += 2;
        lua_pushnil(L);
        while (lua_next(L, content)) {
          if (lua_type(L, -2) == LUA_TSTRING) keep_name(L, names, owner, ":", lua_tostring(L, -2));
          lua_pop(L, 1);
        }
      }
    }
    lua_settop(L, function);
  }
}

void lh_collect_names(lua_State *L) {
  int top = lua_gettop(L);
  luaL_checkstack(L, 20, "names");
  lua_newtable(L);
  int names = top + 1;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_environment_key);
  open_library(L);
  int globals = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, globals)) {
    int value = lua_gettop(L);
    const char *key = lua_tostring(L, value - 1);
    keep_name(L, names, "", "", key);
    if (lua_iscfunction(L, value)) {
      name_methods(L, names);
    } else if (open_library(L)) {
      lua_pushnil(L);
      while (lua_next(L, value)) {
        if (lua_type(L, -2) == LUA_TSTRING) keep_name(L, names, key, ".", lua_tostring(L, -2));
        if (lua_iscfunction(L, -1)) name_methods(L, names);
        lua_pop(L, 1);
      }
    } else if (lua_iscfunction(L, -1)) {
      keep_name(L, names, "", "", key); /* features: asked by name */
    }
    lua_settop(L, value - 1);
  }
  lua_settop(L, names);
  lua_pushlightuserdata(L, NULL);
  if (lua_getmetatable(L, -1)) {
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_pushliteral(L, "index");
    lua_rawset(L, names);
  }
  lua_settop(L, names);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_names_key);
}

void lh_names(lh_host *host, void *context, void (*take)(void *context, lh_text name)) {
  lua_State *L = host->L;
  int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_names_key);
  lua_pushnil(L);
  while (lua_next(L, top + 1)) {
    if (lua_type(L, -2) == LUA_TSTRING) take(context, lh_text_at(L, -2));
    lua_pop(L, 1);
  }
  lua_settop(L, top);
}

static size_t add(char *to, size_t at, size_t room, const char *text, size_t count) {
  if (at + 1 >= room) return at;
  if (count > room - 1 - at) count = room - 1 - at;
  memcpy(to + at, text, count);
  to[at + count] = 0;
  return at + count;
}

/* The first items of the list at the top, as text; never calls anything of a rule's, never allocates. */
static size_t preview(lua_State *L, char *to, size_t room) {
  int top = lua_gettop(L), table = top;
  if (lua_getmetatable(L, table)) {
    lua_rawgeti(L, -1, 1);
    if (lua_type(L, -1) != LUA_TTABLE) return lua_settop(L, top), add(to, 0, room, "a table", 7);
    table = lua_gettop(L);
  }
  size_t count = (size_t)lua_rawlen(L, table), at = add(to, 0, room, "{", 1);
  for (size_t item = 1; item <= count && item <= PREVIEW_ITEMS; item++) {
    char number[40];
    lua_rawgeti(L, table, (lua_Integer)item);
    at = add(to, at, room, item > 1 ? ", " : " ", item > 1 ? 2 : 1);
    size_t length = 0;
    const char *text = number;
    switch (lua_type(L, -1)) {
      case LUA_TSTRING:
        text = lua_tolstring(L, -1, &length);
        at = add(to, at, room, "\"", 1);
        at = add(to, at, room, text, length > 40 ? 40 : length);
        at = add(to, at, room, "\"", 1);
        break;
      case LUA_TNUMBER:
        length = (size_t)snprintf(number, sizeof number, "%.14g", (double)lua_tonumber(L, -1));
        at = add(to, at, room, text, length);
        break;
      default: at = add(to, at, room, luaL_typename(L, -1), strlen(luaL_typename(L, -1)));
    }
    lua_pop(L, 1);
  }
  if (count > PREVIEW_ITEMS) at = add(to, at, room, ", …", strlen(", …"));
  lua_settop(L, top);
  return add(to, at, room, count ? " }" : "}", count ? 2 : 1);
}

enum { PREVIEW_ROOM = 400 };

static void trace_value(lua_State *L, lh_value *value, char *room, size_t *used) {
  if (lh_plain_value(L, -1, value) == LH_TABLE) {
    value->text.bytes = (const uint8_t *)room + *used;
    value->text.count = preview(L, room + *used, PREVIEW_ROOM - *used);
    *used += value->text.count + (*used + value->text.count + 1 < PREVIEW_ROOM);
  } else if (lua_type(L, -1) == LUA_TUSERDATA) {
    value->kind = LH_NODE;
    value->integer = (int64_t)(uintptr_t)lua_touserdata(L, -1);
  }
}

/* Called for every call and return while an event is traced. Nothing here raises or allocates; Lua grants a hook
 * LUA_MINSTACK slots, of which the values take at most VALUES_MAX + 6. */
void lh_trace_hook(lua_State *L, lua_Debug *record) {
  lh_host *host = host_of(L);
  int top = lua_gettop(L);
  lua_getinfo(L, "Snrf", record);
  if (*record->what != 'C') {
    lua_settop(L, top);
    return;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_names_key);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  char method[80];
  lh_text name = {(const uint8_t *)"", 0};
  if (lua_type(L, -1) == LUA_TSTRING) {
    name = lh_text_at(L, -1);
  } else if (record->name && strcmp(record->namewhat, "method") == 0) {
    name.count = (size_t)snprintf(method, sizeof method, "object:%s", record->name);
    if (name.count >= sizeof method) name.count = sizeof method - 1;
    name.bytes = (const uint8_t *)method;
  }
  /* Looking up `add` in a counter is nothing that a rule looked at. */
  int is_method = 0;
  if (name.count == 5 && memcmp(name.bytes, "index", 5) == 0 && lua_getlocal(L, record, 1)) {
    is_method = lua_type(L, -1) == LUA_TLIGHTUSERDATA && lh_tag_of(lua_touserdata(L, -1)) == LH_TAG_COUNTER;
    lua_pop(L, 1);
  }
  if (name.count > 0 && !is_method) {
    lh_value values[VALUES_MAX];
    char room[PREVIEW_ROOM];
    size_t used = 0;
    int count = record->ntransfer > VALUES_MAX ? VALUES_MAX : record->ntransfer;
    for (int at = 0; at < count; at++) {
      if (!lua_getlocal(L, record, record->ftransfer + at)) {
        count = at;
        break;
      }
      trace_value(L, &values[at], room, &used);
    }
    int is_return = record->event == LUA_HOOKRET;
    host->call.trace(host->call.context, is_return, name, (int64_t)(uintptr_t)record->i_ci, values, count);
  }
  lua_settop(L, top);
}

void lh_trace(lh_host *host, int32_t is_on) { host->tracing = is_on; }
