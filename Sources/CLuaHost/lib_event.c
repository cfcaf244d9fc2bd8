/* The event, the parts of its record, and nil that can be asked. All of it is read-only. */
#include <string.h>

#include "host_internal.h"

void lh_push_proxy(lua_State *L, int tag, uint32_t offset) {
  uint64_t bits = (uint64_t)tag << 56 | (uint64_t)host_of(L)->epoch << 32 | offset;
  lua_pushlightuserdata(L, (void *)(uintptr_t)bits);
}

int lh_to_proxy(lua_State *L, int index, uint32_t *offset) {
  int tag = lh_to_noted_proxy(L, index, offset);
  if (tag) host_of(L)->run_is_opaque = 1;
  return tag;
}

int lh_to_noted_proxy(lua_State *L, int index, uint32_t *offset) {
  const void *proxy = lua_touserdata(L, index);
  uint64_t bits = (uint64_t)(uintptr_t)proxy;
  int tag = lh_tag_of(proxy);
  if (!tag) return 0; /* nothing of the sort, or an object: addresses end below the tag */
  lh_host *host = host_of(L);
  if (!host->in_event || (bits >> 32 & 0xffffff) != host->epoch) {
    return luaL_error(L, "this belongs to an event that is over");
  }
  *offset = (uint32_t)bits;
  return tag;
}

void lh_push_value(lua_State *L, const lh_value *value) {
  switch (value->kind) {
    case LH_FALSE: lua_pushboolean(L, 0); break;
    case LH_TRUE: lua_pushboolean(L, 1); break;
    case LH_INTEGER: lua_pushinteger(L, value->integer); break;
    case LH_NUMBER: lua_pushnumber(L, value->number); break;
    case LH_TEXT: {
      lh_host *host = host_of(L);
      size_t count = value->text.count;
      if (count > host->limits.string_bytes) count = host->limits.string_bytes;
      lh_charge(L, (int64_t)(count / 16));
      lua_pushlstring(L, (const char *)value->text.bytes, count);
      break;
    }
    case LH_NODE: lh_push_proxy(L, LH_TAG_NODE, (uint32_t)value->integer); break;
    case LH_LIST: lh_push_proxy(L, LH_TAG_LIST, (uint32_t)value->integer); break;
    default: lua_pushnil(L);
  }
}

/* Names of the event's fields that come near; raises. Upvalue 1: name → number. */
static int no_field(lua_State *L) {
  lh_text name = lh_text_at(L, 2);
  int32_t best = 1 + (int32_t)name.count / 3 + 1;
  char nearest[65] = "";
  lua_pushnil(L);
  while (lua_next(L, lua_upvalueindex(1))) {
    lh_text candidate = lh_text_at(L, -2);
    int32_t distance = lh_distance(name, candidate);
    if (candidate.count < sizeof nearest &&
        (distance < best || (distance == best && nearest[0] && strcmp((const char *)candidate.bytes, nearest) < 0))) {
      best = distance;
      memcpy(nearest, candidate.bytes, candidate.count + 1);
    }
    lua_pop(L, 1);
  }
  lua_pushlstring(L, (const char *)name.bytes, name.count > 64 ? 64 : name.count);
  if (nearest[0]) return luaL_error(L, "event has no '%s', did you mean '%s'?", lua_tostring(L, -1), nearest);
  return luaL_error(L, "event has no '%s'", lua_tostring(L, -1));
}

static void note_field(lh_host *host, int field, const lh_value *value) {
  /* Which fields are lists is the same for all events. A list that was asked before is its proxy. */
  int is_list = value->kind == LH_LIST || (value->kind == LH_NODE && lh_tag_of((const void *)(uintptr_t)value->integer) == LH_TAG_LIST);
  if (!is_list) lh_note(host, LH_STEP_FIELD, field, 0, value);
}

static int event_index(lua_State *L, lh_host *host) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "event is indexed with a %s", luaL_typename(L, 2));
  int field = lh_find_name(&host->field_names, lua_tostring(L, 2));
  if (field < 0) return no_field(L);
  lh_charge(L, 4); /* also for a field that was asked before: what a rule costs is its own doing */
  lh_value value = {0};
  if (host->cached >> field & 1) {
    lua_rawgeti(L, lua_upvalueindex(2), field + 1);
    if (!host->run_is_opaque) {
      lh_plain_value(L, -1, &value);
      note_field(host, field, &value);
    }
    return 1;
  }
  host->call.field(host->call.context, field, &value);
  note_field(host, field, &value);
  lh_push_value(L, &value);
  lua_pushvalue(L, -1);
  lua_rawseti(L, lua_upvalueindex(2), field + 1);
  host->cached |= (uint64_t)1 << field;
  return 1;
}

/* __index of all light userdata. Upvalues: field name → number, cache of the event's fields, methods of counters, the same where
 * they are not sealed. */
static int proxy_index(lua_State *L) {
  lh_host *host = host_of(L);
  uint32_t offset;
  int tag = lh_to_noted_proxy(L, 1, &offset);
  if (tag == LH_TAG_EVENT) return event_index(L, host);
  host->run_is_opaque = 1;
  if (tag == LH_TAG_COUNTER) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(4)) != LUA_TNIL) return 1;
    lua_pushvalue(L, 2);
    lua_gettable(L, lua_upvalueindex(3));
    return 1;
  }
  lh_value value = {0};
  lh_charge(L, 4);
  if (lua_type(L, 2) == LUA_TNUMBER) {
    int is_integer;
    lua_Integer index = lua_tointegerx(L, 2, &is_integer);
    if (is_integer && index >= 1) {
      if (tag == LH_TAG_LIST) {
        lh_ask(host)->list_at(host->call.context, offset, index, &value);
      } else {
        lh_ask(host)->node_at(host->call.context, offset, index, &value);
      }
    }
  } else if (lua_type(L, 2) == LUA_TSTRING) {
    if (tag == LH_TAG_NODE) lh_ask(host)->node_get(host->call.context, offset, lh_text_at(L, 2), &value);
  }
  lh_charge(L, value.walked / 32);
  lh_push_value(L, &value);
  return 1;
}

static int proxy_len(lua_State *L) {
  lua_pushinteger(L, lh_length(L, 1));
  return 1;
}

static int proxy_newindex(lua_State *L) {
  int is_counter = lh_tag_of(lua_touserdata(L, 1)) == LH_TAG_COUNTER;
  return luaL_error(L, is_counter ? "a counter cannot be changed" : "the event cannot be changed");
}

static int nil_index(lua_State *L) {
  lua_pushnil(L);
  return 1;
}

static int nil_order(lua_State *L) {
  lua_pushboolean(L, 0);
  return 1;
}

static int nil_len(lua_State *L) {
  lua_pushinteger(L, 0);
  return 1;
}

void lh_open_event(lua_State *L, const lh_text *fields, size_t count) {
  static const char age[] = "account_age";
  int cache = lua_gettop(L);
  /* Slots exist from the start, so that storing and clearing never allocates. */
  for (size_t at = 0; at <= count; at++) {
    lua_pushnil(L);
    lua_rawseti(L, cache, (lua_Integer)at + 1);
  }
  lua_pushlightuserdata(L, NULL);
  lua_createtable(L, 0, 3);
  lua_createtable(L, 0, (int)count);
  for (size_t at = 0; at < count; at++) {
    /* Names are short, so Lua has each once and the table keeps it. */
    lh_add_name(&host_of(L)->field_names, lua_pushlstring(L, (const char *)fields[at].bytes, fields[at].count), (int)at);
    lua_pushinteger(L, (lua_Integer)at);
    lua_rawset(L, -3);
    if (fields[at].count == strlen(age) && memcmp(fields[at].bytes, age, fields[at].count) == 0) {
      host_of(L)->age_field = (int32_t)at;
    }
  }
  lua_pushvalue(L, cache);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_counter_key);
  lua_getfield(L, -1, "__index");
  lua_replace(L, -2);
  lua_getmetatable(L, -1);
  lua_getfield(L, -1, "__index");
  lua_replace(L, -2);
  lua_pushcclosure(L, proxy_index, 4);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, proxy_len);
  lua_setfield(L, -2, "__len");
  lua_pushcfunction(L, proxy_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  /* nil.x is nil, nil < 1 is false, #nil is 0; arithmetic on nil, calling nil and storing into nil stay errors. */
  lua_pushnil(L);
  lua_createtable(L, 0, 4);
  lua_pushcfunction(L, nil_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, nil_order);
  lua_setfield(L, -2, "__lt");
  lua_pushcfunction(L, nil_order);
  lua_setfield(L, -2, "__le");
  lua_pushcfunction(L, nil_len);
  lua_setfield(L, -2, "__len");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}
