/* What rules remember besides counters: cache and entity; and young, which asks an account's age. */
#include <string.h>

#include "host_internal.h"

enum { KEY_BYTES_MAX = 4096, ID_BYTES_MAX = 1024, VALUE_BYTES_MAX = 512, SECONDS_MAX = 30 * 86400, LABEL_UNITS = 4, UNITS = 10 };

static lh_host *in_event(lua_State *L, const char *name) {
  lh_host *host = host_of(L);
  if (!host->in_event) luaL_error(L, "%s can be used inside `when` only", name);
  return host;
}

static lh_text check_key(lua_State *L, int argument) {
  lh_text key = lh_check_text(L, argument);
  luaL_argcheck(L, key.count <= KEY_BYTES_MAX, argument, "at most 4096 bytes");
  lh_charge(L, UNITS);
  return key;
}

/* cache.get(key): the value, nil where there is none or it is over. */
static int cache_get(lua_State *L) {
  lh_host *host = in_event(L, "cache");
  if (lua_isnil(L, 1)) return lua_pushnil(L), 1;
  lh_value value = {0};
  lh_ask(host)->cache_get(host->call.context, check_key(L, 1), &value);
  lh_push_value(L, &value);
  return 1;
}

/* cache.set(key, value, seconds). A nil value takes it away. */
static int cache_set(lua_State *L) {
  lh_host *host = in_event(L, "cache");
  lh_value value = {0};
  switch (lua_type(L, 2)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN: value.kind = lua_toboolean(L, 2) ? LH_TRUE : LH_FALSE; break;
    case LUA_TNUMBER:
      value.kind = lua_isinteger(L, 2) ? LH_INTEGER : LH_NUMBER;
      if (value.kind == LH_INTEGER) value.integer = lua_tointeger(L, 2);
      else value.number = lua_tonumber(L, 2);
      break;
    case LUA_TSTRING:
      value.kind = LH_TEXT;
      value.text = lh_text_at(L, 2);
      luaL_argcheck(L, value.text.count <= VALUE_BYTES_MAX, 2, "a text of at most 512 bytes");
      break;
    default: return luaL_argerror(L, 2, "text, a number or a boolean");
  }
  double seconds = value.kind == LH_NIL ? 1 : luaL_checknumber(L, 3);
  luaL_argcheck(L, seconds >= 1 && seconds <= SECONDS_MAX, 3, "from 1 second to 30 days");
  if (lua_isnil(L, 1)) return 0;
  lh_text key = check_key(L, 1);
  lh_charge(L, (int64_t)(value.text.count / 16));
  lh_ask(host)->cache_set(host->call.context, key, &value, (int64_t)(seconds * 1000));
  return 0;
}

/* An id that is hashed once per known label. */
static lh_text check_id(lua_State *L, int argument) {
  lh_text id = check_key(L, argument);
  luaL_argcheck(L, id.count <= ID_BYTES_MAX, argument, "at most 1024 bytes");
  return id;
}

/* The optional type of an entity, which else its id tells. */
static lh_text check_type(lua_State *L, int argument) {
  lh_text none = {(const uint8_t *)"", 0};
  if (lua_isnoneornil(L, argument)) return none;
  lh_text type = lh_check_text(L, argument);
  luaL_argcheck(L, type.count <= 64, argument, "at most 64 bytes");
  return type;
}

/* entity.labels(id[, type]): names of the labels it has. */
static int entity_labels(lua_State *L) {
  lh_host *host = in_event(L, "entity");
  lh_text type = check_type(L, 2);
  lua_newtable(L);
  int list = lua_gettop(L);
  if (lua_isnil(L, 1)) return 1;
  lh_text id = check_id(L, 1);
  lh_value label = {0};
  int64_t known = lh_ask(host)->entity_label(host->call.context, type, id, -1, &label);
  lh_charge(L, known * (LABEL_UNITS + (int64_t)(id.count / 32)));
  lua_Integer count = 0;
  for (int64_t at = 0; (at = lh_ask(host)->entity_label(host->call.context, type, id, at, &label)) > 0;) {
    lh_push_value(L, &label);
    lua_rawseti(L, list, ++count);
  }
  return 1;
}

/* entity.has(id, label[, type]) */
static int entity_has(lua_State *L) {
  lh_host *host = in_event(L, "entity");
  lh_text label = check_key(L, 2);
  lh_text type = check_type(L, 3);
  if (lua_isnil(L, 1)) return lua_pushboolean(L, 0), 1;
  lua_pushboolean(L, lh_ask(host)->entity_has(host->call.context, type, check_id(L, 1), label));
  return 1;
}

/* young(event, seconds): the account's age is known and below. */
static int state_young(lua_State *L) {
  lh_host *host = in_event(L, "young");
  double seconds = luaL_checknumber(L, 2);
  uint32_t offset;
  if (lh_to_noted_proxy(L, 1, &offset) != LH_TAG_EVENT) return luaL_argerror(L, 1, "the event, as in young(event, days(7))");
  lh_charge(L, 4);
  if (host->tracing) lua_getfield(L, 1, "account_age"); /* for who wants to see what was looked at */
  lh_value is_young = {.kind = lh_is_young(lh_age(host), seconds) ? LH_TRUE : LH_FALSE};
  lh_note(host, LH_STEP_YOUNG, 0, seconds, &is_young);
  lua_pushboolean(L, is_young.kind == LH_TRUE);
  return 1;
}

void lh_open_state(lua_State *L) {
  static const luaL_Reg cache[] = {{"get", cache_get}, {"set", cache_set}, {NULL, NULL}};
  static const luaL_Reg entity[] = {{"labels", entity_labels}, {"has", entity_has}, {NULL, NULL}};
  luaL_newlib(L, cache);
  lh_seal_library(L, "cache");
  lua_setfield(L, -2, "cache");
  luaL_newlib(L, entity);
  lh_seal_library(L, "entity");
  lua_setfield(L, -2, "entity");
  lua_pushcfunction(L, state_young);
  lua_setfield(L, -2, "young");
}
