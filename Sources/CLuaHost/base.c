/* The basic functions of the rule language, and what they share. Each is ours: bounded, charged, and the same on every
 * run (no addresses in texts, no order that depends on hash seeds). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

enum { NAME_MAX_BYTES = 64, SELECT_UNIT = 8 };

void lh_add_name(struct lh_names *names, const char *name, int number) {
  int at = lh_name_place(name);
  while (names->places[at].name) at = (at + 1) & (LH_NAME_PLACES - 1); /* there are more places than names */
  names->places[at].name = name;
  names->places[at].number = number;
}

lh_text lh_check_text(lua_State *L, int argument) {
  lh_text text = lh_text_at(L, argument);
  if (!text.bytes) luaL_typeerror(L, argument, "string"); /* numbers pass, as everywhere in Lua */
  lh_charge(L, 4 + (int64_t)(text.count / 16));
  return text;
}

void lh_push_content(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lua_getmetatable(L, index)) {
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    if (lua_type(L, -1) != LUA_TTABLE) luaL_error(L, "a table is expected here");
  } else {
    lua_pushvalue(L, index);
  }
}

int64_t lh_length(lua_State *L, int index) {
  lh_host *host = host_of(L);
  if (lua_type(L, index) == LUA_TTABLE) {
    lh_push_content(L, index);
    int64_t count = (int64_t)lua_rawlen(L, -1);
    lua_pop(L, 1);
    return count;
  }
  uint32_t offset;
  int32_t is_map = 0;
  switch (lh_to_noted_proxy(L, index, &offset)) {
    case LH_TAG_NODE: {
      int64_t count = lh_ask(host)->node_count(host->call.context, offset, &is_map);
      return is_map ? 0 : count;
    }
    case LH_TAG_LIST: {
      lh_value count = {.kind = LH_INTEGER, .integer = host->call.list_count(host->call.context, offset)};
      lh_note(host, LH_STEP_COUNT, (int)offset, 0, &count);
      return count.integer;
    }
    default: return luaL_typeerror(L, index, "table");
  }
}

void lh_check_writable(lua_State *L, int argument) {
  luaL_checktype(L, argument, LUA_TTABLE);
  if (lua_getmetatable(L, argument)) {
    luaL_error(L, "this table is read-only: it was made outside of `when`; fill a new one instead");
  }
}

int32_t lh_distance(lh_text left, lh_text right) {
  if (left.count > NAME_MAX_BYTES || right.count > NAME_MAX_BYTES) return NAME_MAX_BYTES;
  /* Row 0 is the present one, 1 and 2 the two before it. */
  int32_t rows[3][NAME_MAX_BYTES + 1] = {{0}};
  for (size_t at = 0; at <= right.count; at++) rows[0][at] = (int32_t)at;
  for (size_t i = 0; i < left.count; i++) {
    memcpy(rows[2], rows[1], sizeof rows[0]);
    memcpy(rows[1], rows[0], sizeof rows[0]);
    rows[0][0] = (int32_t)i + 1;
    for (size_t j = 0; j < right.count; j++) {
      uint8_t a = left.bytes[i] | 32, b = right.bytes[j] | 32;
      int32_t least = rows[1][j] + (a != b);
      if (rows[1][j + 1] + 1 < least) least = rows[1][j + 1] + 1;
      if (rows[0][j] + 1 < least) least = rows[0][j] + 1;
      /* Two letters changed places: one slip of the fingers. */
      int is_swap = i > 0 && j > 0 && a == (right.bytes[j - 1] | 32) && b == (left.bytes[i - 1] | 32);
      if (is_swap && rows[2][j - 1] + 1 < least) least = rows[2][j - 1] + 1;
      rows[0][j + 1] = least;
    }
  }
  return rows[0][right.count];
}

/* Why a name that Lua has is not in the rule language, and what to use. */
static const char *const hints[][2] = {
    {"os", "rules have no operating system; event.time is the time"},
    {"io", "rules read no files"},
    {"require", "use \"lib/names\" gives what lib/names.lua returns"},
    {"package", "a rule file stands alone"},
    {"load", "code is loaded from rule files only"},
    {"loadstring", "code is loaded from rule files only"},
    {"dofile", "use \"lib/names\" gives what lib/names.lua returns"},
    {"loadfile", "code is loaded from rule files only"},
    {"coroutine", "a rule runs from start to end"},
    {"debug", "not part of the rule language"},
    {"collectgarbage", "memory looks after itself"},
    {"print", "return a feature instead: return hit, { Name = value }"},
    {"setmetatable", "tables have no metatables in rules"},
    {"getmetatable", "tables have no metatables in rules"},
    {"rawget", "t[k] does the same here"},
    {"rawset", "t[k] = v does the same here"},
    {"rawequal", "== does the same here"},
    {"rawlen", "#t does the same here"},
    {"match", "there are no Lua patterns; write `local p = re[[…]]` outside of `when`, then p:match(text)"},
    {"gmatch", "there are no Lua patterns; re[[…]] has :count and :captures, text.tokens gives the words"},
    {"gsub", "there are no Lua patterns; text.clean and text.fold make texts comparable"},
    {"dump", "not part of the rule language"},
    {"pack", "{ ... } does the same"},
    {"move", "copy with a loop"},
    {"random", "the same event must always give the same verdict"},
    {"randomseed", "the same event must always give the same verdict"},
    {"unpack", "table.unpack"},
    {"next", "use pairs, which has a fixed order"},
};

enum { MISSING_MAX = 100, MISSING_UNITS = 1000 };

/* __call and __index of what stands for a name that does not exist. It has an end, since somebody may be waiting for one. */
static int itself(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TNUMBER || ++host_of(L)->missing > MISSING_MAX) return 0;
  lua_settop(L, 1);
  return 1;
}

/* With the message on top: an error. Where `rules check` collects problems, a name that does not exist is one of many things
 * that may be wrong with a file: it goes on with what was meant, `meant` in the table `content`, or with something that can be
 * called and indexed and is an effect besides. */
static int tell_of_missing(lua_State *L, const char *owner, int content, const char *meant) {
  lh_host *host = host_of(L);
  if (owner || host->in_event || ++host->missing > MISSING_MAX) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
  }
  lh_report(L);
  if (meant) {
    lua_pushstring(L, meant);
    lua_rawget(L, content);
    return 1;
  }
  static const luaL_Reg calls[] = {{"__call", itself}, {"__index", itself}, {NULL, NULL}};
  lua_createtable(L, 1, 1);
  lua_pushliteral(L, "verdict");
  lua_setfield(L, -2, "$effect");
  lua_pushliteral(L, "any");
  lua_rawseti(L, -2, 1);
  luaL_newlib(L, calls);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1); /* its content is its own (lh_push_content) */
  lua_setmetatable(L, -2);
  return 1;
}

int lh_missing(lua_State *L, int content, const char *owner) {
  if (lua_type(L, 2) != LUA_TSTRING) {
    return luaL_error(L, "%s is indexed with a %s", owner ? owner : "_ENV", luaL_typename(L, 2));
  }
  lh_text name = lh_text_at(L, 2);
  char shown[NAME_MAX_BYTES + 1];
  snprintf(shown, sizeof shown, "%s", (const char *)name.bytes);
  for (size_t at = 0; at < sizeof hints / sizeof hints[0]; at++) {
    if (strcmp(hints[at][0], shown) != 0) continue;
    lua_pushfstring(L, "'%s' is not in the rule language: %s", shown, hints[at][1]);
    return tell_of_missing(L, owner, content, NULL);
  }
  lh_charge(L, MISSING_UNITS); /* for what follows: the name is held against all there are */
  int32_t best = NAME_MAX_BYTES;
  char nearest[NAME_MAX_BYTES + 1] = "";
  lua_pushnil(L);
  while (lua_next(L, content)) {
    lh_text candidate = lh_text_at(L, -2);
    int32_t distance = lh_distance(name, candidate);
    /* Equal distances are settled by the alphabet: the order of lua_next is not the same on every run. */
    if (distance < best || (distance == best && strcmp((const char *)candidate.bytes, nearest) < 0)) {
      best = distance;
      snprintf(nearest, sizeof nearest, "%s", (const char *)candidate.bytes);
    }
    lua_pop(L, 1);
  }
  int is_near = best <= 1 + (int32_t)name.count / 3;
  if (owner) {
    lua_pushfstring(L, "%s has no '%s'", owner, shown);
  } else {
    lua_pushfstring(L, "'%s' does not exist here", shown);
  }
  if (is_near) {
    lua_pushfstring(L, ", did you mean '%s'?", nearest);
    lua_concat(L, 2);
  }
  return tell_of_missing(L, owner, content, is_near ? nearest : NULL);
}

/* __index of a library: the name is not there. Upvalues: the content, the owner's name or nil for the globals. */
static int missing(lua_State *L) { return lh_missing(L, lua_upvalueindex(1), lua_tostring(L, lua_upvalueindex(2))); }

static int read_only(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING && lua_toboolean(L, lua_upvalueindex(1))) {
    return luaL_error(L, "'%s' would be a global: write `local %s`", lua_tostring(L, 2), lua_tostring(L, 2));
  }
  return luaL_error(L, "this cannot be changed by a rule");
}

void lh_seal_library(lua_State *L, const char *owner) {
  /* content → { proxy: metatable { __index = content }, content: metatable { __index = missing } } */
  int content = lua_gettop(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, content);
  lua_pushstring(L, owner); /* nil for NULL */
  lua_pushcclosure(L, missing, 2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, content);
  lua_newtable(L);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, content);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, owner == NULL);
  lua_pushcclosure(L, read_only, 1);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  lua_replace(L, content);
}

static const char *type_name(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TLIGHTUSERDATA) return luaL_typename(L, index);
  /* A part of the record reads like a table, a counter like the object it is. */
  return lh_tag_of(lua_touserdata(L, index)) == LH_TAG_COUNTER ? "userdata" : "table";
}

static int base_type(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushstring(L, type_name(L, 1));
  return 1;
}

static int base_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  switch (lua_type(L, 1)) {
    case LUA_TSTRING: lua_settop(L, 1); break;
    case LUA_TNUMBER:
      lua_settop(L, 1);
      lua_tostring(L, 1);
      break;
    case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false"); break;
    default: lua_pushstring(L, type_name(L, 1)); /* never an address: it would differ from run to run */
  }
  return 1;
}

static int base_tonumber(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_gettop(L) > 1 && !lua_isnil(L, 2)) {
    lua_Integer base = luaL_checkinteger(L, 2);
    lh_text text = lh_check_text(L, 1);
    luaL_argcheck(L, base >= 2 && base <= 36, 2, "from 2 to 36");
    char *end = NULL;
    /* Lua's strings end in a zero byte; a number has no business being longer than this. */
    if (text.count == 0 || text.count > 64) return luaL_pushfail(L), 1;
    long long number = strtoll((const char *)text.bytes, &end, (int)base);
    if (end != (const char *)text.bytes + text.count) return luaL_pushfail(L), 1;
    lua_pushinteger(L, number);
    return 1;
  }
  if (lua_type(L, 1) == LUA_TNUMBER) return lua_settop(L, 1), 1;
  if (lua_type(L, 1) == LUA_TSTRING) {
    lh_text text = lh_check_text(L, 1);
    if (text.count <= 200 && lua_stringtonumber(L, (const char *)text.bytes) == text.count + 1) return 1;
  }
  luaL_pushfail(L);
  return 1;
}

static int base_select(lua_State *L) {
  int count = lua_gettop(L);
  lh_charge(L, 1 + count / SELECT_UNIT);
  if (lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), "#") == 0) {
    lua_pushinteger(L, count - 1);
    return 1;
  }
  lua_Integer first = luaL_checkinteger(L, 1);
  if (first < 0) first = count + first;
  if (first > count) first = count;
  luaL_argcheck(L, first >= 1, 1, "index out of range");
  return count - (int)first;
}

static int base_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
    luaL_where(L, level > 2 ? 2 : level);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int base_assert(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_toboolean(L, 1)) return lua_gettop(L);
  if (lua_gettop(L) == 1) return luaL_error(L, "assertion failed!");
  lua_settop(L, 2);
  return lua_error(L);
}

static int base_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lh_charge(L, 10);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  lh_check_status(L, status);
  if (status != LUA_OK) {
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
  }
  return lua_gettop(L);
}

static int ipairs_step(lua_State *L) {
  lua_Integer index = luaL_checkinteger(L, 2) + 1;
  lua_settop(L, 1);
  lua_pushinteger(L, index);
  return lua_geti(L, 1, index) == LUA_TNIL ? 1 : 2;
}

static int base_ipairs(lua_State *L) {
  int type = lua_type(L, 1);
  if (type != LUA_TTABLE && type != LUA_TLIGHTUSERDATA && type != LUA_TNIL) return luaL_typeerror(L, 1, "table");
  lua_settop(L, 1);
  lua_pushcfunction(L, ipairs_step);
  lua_insert(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int rank(int type) { return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2; }

/* Whether the key at `left` comes before the key at `right`: numbers, then texts, then booleans. */
static int key_before(lua_State *L, int left, int right) {
  int ranks[2] = {rank(lua_type(L, left)), rank(lua_type(L, right))};
  if (ranks[0] != ranks[1]) return ranks[0] < ranks[1];
  if (ranks[0] == 2) return lua_toboolean(L, left) < lua_toboolean(L, right);
  return lua_compare(L, left, right, LUA_OPLT);
}

/* Sifts the key at `root` down a heap of the stack slots base+1 … base+count (largest on top). */
static void sift(lua_State *L, int base, int root, int count) {
  for (;;) {
    int child = 2 * root;
    if (child > count) return;
    if (child < count && key_before(L, base + child, base + child + 1)) child++;
    if (!key_before(L, base + root, base + child)) return;
    lua_pushvalue(L, base + root);
    lua_copy(L, base + child, base + root);
    lua_replace(L, base + child);
    root = child;
  }
}

/* Upvalues: content, keys, position. */
static int pairs_step(lua_State *L) {
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)) + 1;
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(3));
  if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL) return 1;
  lua_pushvalue(L, -1);
  lua_rawget(L, lua_upvalueindex(1));
  return 2;
}

/* Upvalues: node, position. */
static int node_step(lua_State *L) {
  lh_host *host = host_of(L);
  uint32_t offset;
  lh_to_proxy(L, lua_upvalueindex(1), &offset);
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(2)) + 1;
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(2));
  lh_charge(L, 4);
  lh_value value;
  lh_ask(host)->node_key(host->call.context, offset, at, &value);
  lh_push_value(L, &value);
  if (value.kind == LH_NIL) return 1;
  lua_pushvalue(L, -1);
  lua_gettable(L, lua_upvalueindex(1));
  return 2;
}

static int base_pairs(lua_State *L) {
  lh_host *host = host_of(L);
  lua_settop(L, 1);
  uint32_t offset;
  int32_t is_map = 0;
  int tag = lua_type(L, 1) == LUA_TTABLE || lua_isnil(L, 1) ? 0 : lh_to_proxy(L, 1, &offset);
  if (lua_isnil(L, 1)) lua_newtable(L), lua_replace(L, 1);
  if (tag == LH_TAG_EVENT) return luaL_error(L, "the event cannot be listed; name the field you want");
  if (tag == LH_TAG_NODE) lh_ask(host)->node_count(host->call.context, offset, &is_map);
  if (tag == LH_TAG_LIST || (tag == LH_TAG_NODE && !is_map)) return base_ipairs(L);
  if (tag == LH_TAG_NODE) {
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, node_step, 2);
    return 1;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lh_push_content(L, 1);
  int base = lua_gettop(L), count = 0;
  lua_pushnil(L);
  while (lua_next(L, base)) {
    lua_pop(L, 1);
    lh_charge(L, 4);
    if (++count > (int)host->limits.table_entries) {
      return luaL_error(L, "pairs: the table has more than %d entries", count - 1);
    }
    luaL_checkstack(L, 8, "pairs");
    int type = lua_type(L, -1);
    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TBOOLEAN) {
      return luaL_error(L, "pairs: a key is a %s, which has no fixed order", luaL_typename(L, -1));
    }
    lua_pushvalue(L, -1); /* the key stays below, its copy goes on with lua_next */
  }
  /* Heap sort on the stack: n log n whatever the keys are. */
  for (int root = count / 2; root >= 1; root--) sift(L, base, root, count);
  lh_charge(L, (int64_t)count * 8);
  for (int last = count; last > 1; last--) {
    lua_pushvalue(L, base + 1);
    lua_copy(L, base + last, base + 1);
    lua_replace(L, base + last);
    sift(L, base, 1, last - 1);
  }
  lua_createtable(L, count, 0);
  for (int at = 1; at <= count; at++) {
    lua_pushvalue(L, base + at);
    lua_rawseti(L, -2, at);
  }
  /* Not lua_replace: without keys the list is at base + 1 already, and would be popped from under its own place. */
  lua_copy(L, -1, base + 1);
  lua_settop(L, base + 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, pairs_step, 3);
  return 1;
}

int lh_is_iterator(lua_CFunction function) { return function == pairs_step || function == node_step; }

void lh_open_base(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"type", base_type},     {"tostring", base_tostring}, {"tonumber", base_tonumber}, {"select", base_select},
      {"error", base_error},   {"assert", base_assert},     {"pcall", base_pcall},       {"ipairs", base_ipairs},
      {"pairs", base_pairs},   {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
