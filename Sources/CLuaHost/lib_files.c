/* What joins the files of a set: `use` for lib/, `labels`, `quotas` and `features`. */
#include <string.h>

#include "host_internal.h"

const char lh_used_key, lh_features_key;

enum { USE_DEPTH_MAX = 16, FEATURE_UNITS = 10 };
/* AGAIN: begun, but a budget ended it; to be worked out by the next rule that asks. */
enum { PENDING = 0, RUNNING, KNOWN, FAILED, AGAIN };

/* Marks a table as what a file returns, with its kind and the line it stands on. */
static int mark(lua_State *L, int table, int kind) {
  lua_Debug record;
  lua_Integer line = 0;
  if (lua_getstack(L, 1, &record) && lua_getinfo(L, "l", &record)) line = record.currentline;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_marks_key);
  lua_pushvalue(L, table);
  lua_pushinteger(L, (lua_Integer)kind << 32 | line);
  lua_rawset(L, -3);
  lua_settop(L, table);
  return 1;
}

/* labels { … }, quotas { … }. Upvalues: kind, name. */
static int files_declare(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (host_of(L)->in_event) {
    return luaL_error(L, "%s { … } belongs outside of `when`", lua_tostring(L, lua_upvalueindex(2)));
  }
  lua_settop(L, 1);
  return mark(L, 1, (int)lua_tointeger(L, lua_upvalueindex(1)));
}

/* features { … }: __call of the library. */
static int features_call(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  if (host_of(L)->in_event) return luaL_error(L, "features { … } belongs outside of `when`");
  lua_settop(L, 2);
  lua_remove(L, 1);
  return mark(L, 1, LH_FILE_FEATURES);
}

/* Checks the value at the top and makes it one that rules can share: a list becomes a frozen copy. */
static void share(lua_State *L, const char *name) {
  int type = lua_type(L, -1);
  if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING) return;
  uint32_t offset;
  if (type == LUA_TLIGHTUSERDATA && lh_to_proxy(L, -1, &offset) == LH_TAG_LIST) return;
  if (type != LUA_TTABLE) {
    luaL_error(L, "the feature '%s' must be text, a number, a boolean or a list of texts", name);
  }
  int64_t count = lh_length(L, -1);
  if (count > LH_FEATURE_ITEMS_MAX) luaL_error(L, "the feature '%s' has more than %d texts", name, LH_FEATURE_ITEMS_MAX);
  lh_charge(L, count);
  lh_push_content(L, -1);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer at = 1; at <= count; at++) {
    if (lua_rawgeti(L, -2, at) != LUA_TSTRING) luaL_error(L, "the feature '%s' is a list, but not of texts", name);
    lua_rawseti(L, -2, at);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
  lh_freeze(L);
}

/* Works out feature number `at`, whose name is at index 2. Upvalues: names, values, functions. */
static int compute(lua_State *L, lh_host *host, int at) {
  const char *name = lua_tostring(L, 2);
  if (host->feature_state[at] == PENDING) host->feature_done[host->feature_done_count++] = (uint16_t)at;
  host->feature_state[at] = RUNNING;
  lua_rawgeti(L, lua_upvalueindex(3), at);
  lh_push_proxy(L, LH_TAG_EVENT, 0);
  int status = lua_pcall(L, 1, 1, 0); /* what it returned is at index 3 */
  if (status != LUA_OK) {
    /* The next rule that asks may have budget left; an error of the feature itself stays one. */
    host->feature_state[at] = AGAIN;
    lh_check_status(L, status);
    host->feature_state[at] = FAILED;
    if (lua_type(L, -1) != LUA_TSTRING) lua_pushfstring(L, "the feature '%s' failed", name);
    lua_pushvalue(L, -1);
    lua_rawseti(L, lua_upvalueindex(2), at);
    return lua_error(L);
  }
  host->feature_state[at] = FAILED; /* where something is raised below: its slot is false still */
  share(L, name);
  lh_text why = {(const uint8_t *)"", 0};
  int refused = 0;
  if (!host->feature_is_silent[at] && !lua_isnil(L, -1)) {
    lh_ask(host)->shared(host->call.context, LH_SHARED_BEGIN, &why);
    lua_pushvalue(L, -1);
    refused = lh_emit_feature(host, lh_text_at(L, 2)) != 0;
    lh_ask(host)->shared(host->call.context, refused ? LH_SHARED_REFUSED : LH_SHARED_KEPT, &why);
    lua_settop(L, 3);
  }
  if (refused) {
    lua_pushlstring(L, (const char *)why.bytes, why.count);
    lua_pushvalue(L, -1);
    lua_rawseti(L, lua_upvalueindex(2), at);
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  host->feature_state[at] = KNOWN;
  lh_value value;
  lh_plain_value(L, -1, &value);
  host->feature_answers[at] = lh_answer_of(&value);
  lua_pushvalue(L, -1);
  lua_rawseti(L, lua_upvalueindex(2), at);
  return 1;
}

/* features.Name. Upvalues: names (name → number), values, functions. */
static int features_index(lua_State *L) {
  lh_host *host = host_of(L);
  if (!host->in_event) return luaL_error(L, "features can be asked for inside `when` only");
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "features is indexed with a %s", luaL_typename(L, 2));
  int at = lh_find_name(&host->feature_names, lua_tostring(L, 2));
  if (at < 0) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER) return lh_missing(L, lua_upvalueindex(1), "features");
    at = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lh_charge(L, FEATURE_UNITS);
  if (host->feature_state[at] != KNOWN) host->run_is_opaque = 1;
  switch (host->feature_state[at]) {
    case PENDING:
    case AGAIN: return compute(L, host, at);
    case RUNNING: return luaL_error(L, "the feature '%s' asks for itself", lua_tostring(L, 2));
    default:
      lua_rawgeti(L, lua_upvalueindex(2), at);
      if (host->feature_state[at] != KNOWN) {
        if (lua_type(L, -1) == LUA_TSTRING) return lua_error(L);
        return luaL_error(L, "the feature '%s' failed before on this event", lua_tostring(L, 2));
      }
      if (!host->run_is_opaque) {
        lh_value value;
        lh_plain_value(L, -1, &value);
        lh_note(host, LH_STEP_FEATURE, at, 0, &value);
      }
      return 1;
  }
}

static int features_newindex(lua_State *L) {
  return luaL_error(L, "features are made in features.lua: return features { … }");
}

/* At the top: the content of a marked `features { … }`. Keeps its functions. */
void lh_keep_features(lua_State *L) {
  lh_host *host = host_of(L);
  int content = lua_gettop(L);
  luaL_checkstack(L, 12, "features");
  if (host->feature_count > 0) luaL_error(L, "features.lua:1: there is one `features { … }` in a set");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_features_key); /* { names, values, functions } */
  int all = content + 1;
  for (int part = 1; part <= 3; part++) lua_rawgeti(L, all, part);
  lua_pushnil(L);
  while (lua_next(L, content)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1) && !lua_iscfunction(L, -1)) {
      if (host->feature_count + 1 >= LH_FEATURES_MAX) luaL_error(L, "there are more than %d features", LH_FEATURES_MAX - 1);
      int at = ++host->feature_count;
      lua_pushvalue(L, -2);
      lh_add_name(&host->feature_names, lua_tostring(L, -1), at);
      lua_pushinteger(L, at);
      lua_rawset(L, all + 1);
      lua_pushboolean(L, 0);
      lua_rawseti(L, all + 2, at); /* the slot exists from now on */
      lua_pushvalue(L, -1);
      lua_rawseti(L, all + 3, at);
    }
    lua_pop(L, 1);
  }
  /* Freezing may empty the table that was just walked, so it comes after. */
  for (int at = 1; at <= host->feature_count; at++) {
    lua_rawgeti(L, all + 3, at);
    lh_freeze(L);
    lua_pop(L, 1);
  }
  lua_settop(L, content);
}

void lh_silence_feature(lh_host *host, const char *name) {
  for (int at = 0; at < LH_NAME_PLACES; at++) {
    const char *known = host->feature_names.places[at].name;
    if (known && strcmp(known, name) == 0) host->feature_is_silent[host->feature_names.places[at].number] = 1;
  }
}

int lh_feature_is_known(const lh_host *host, int at) { return host->feature_state[at] == KNOWN; }

void lh_forget_features(lh_host *host) {
  lua_State *L = host->L;
  if (host->feature_done_count == 0) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_features_key);
  lua_rawgeti(L, -1, 2);
  while (host->feature_done_count > 0) {
    int at = host->feature_done[--host->feature_done_count];
    host->feature_state[at] = PENDING;
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, at); /* the slot exists: does not allocate */
  }
  lua_pop(L, 2);
}

/* Compiles and runs a file of lib/; what it returns is at the top, or an error is raised. */
static void run_library(lua_State *L, const char *name, lh_text source) {
  lua_pushfstring(L, "@%s.lua", name);
  if (luaL_loadbufferx(L, (const char *)source.bytes, source.count, lua_tostring(L, -1), "t") != LUA_OK) {
    lua_error(L);
  }
  lua_remove(L, -2);
  lua_pushfstring(L, "%s.lua", name);
  lua_insert(L, -2);
  lh_bind_globals(L, lua_tostring(L, -2));
  lua_remove(L, -2);
  lua_call(L, 0, 1);
  if (lua_type(L, -1) != LUA_TTABLE && lua_type(L, -1) != LUA_TFUNCTION) {
    luaL_error(L, "%s.lua:1: the file returns nothing to use; end it with `return { … }`", name);
  }
  lh_freeze(L);
}

static int protected_library(lua_State *L) {
  lh_text source = *(lh_text *)lua_touserdata(L, 2);
  run_library(L, lua_tostring(L, 1), source);
  return 1;
}

/* use "lib/names": what the file returns, which is run once per load of the set. */
int lh_use(lua_State *L) {
  lh_host *host = host_of(L);
  if (host->in_event) return luaL_error(L, "use belongs outside of `when`");
  lh_text name = lh_check_text(L, 1);
  lua_settop(L, 1);
  lua_tostring(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lh_used_key);
  lua_pushvalue(L, 1);
  int type = lua_rawget(L, 2);
  if (type == LUA_TTABLE || type == LUA_TFUNCTION) return 1;
  if (type == LUA_TBOOLEAN) {
    return luaL_error(L, "files use each other in a circle: '%s' is not done yet", lua_tostring(L, 1));
  }
  lua_pop(L, 1);
  lh_text source = {0}, nearest = {(const uint8_t *)"", 0};
  if (!lh_ask(host)->source(host->call.context, name, &source, &nearest)) {
    lua_pushlstring(L, (const char *)nearest.bytes, nearest.count);
    if (nearest.count > 0) {
      return luaL_error(L, "there is no '%s', did you mean '%s'?", lua_tostring(L, 1), lua_tostring(L, -1));
    }
    return luaL_error(L, "there is no '%s'; shared functions stand in lib/, as in use \"lib/names\"", lua_tostring(L, 1));
  }
  if (host->use_depth >= USE_DEPTH_MAX) {
    return luaL_error(L, "files use each other more than %d deep", USE_DEPTH_MAX);
  }
  lua_pushvalue(L, 1);
  lua_pushboolean(L, 0);
  lua_rawset(L, 2);
  host->use_depth++;
  lua_pushcfunction(L, protected_library);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, &source);
  int status = lua_pcall(L, 2, 1, 0);
  host->use_depth--;
  lua_pushvalue(L, 1);
  if (status == LUA_OK) lua_pushvalue(L, 3);
  else lua_pushnil(L);
  lua_rawset(L, 2);
  lh_check_status(L, status);
  return status == LUA_OK ? 1 : lua_error(L);
}

void lh_open_files(lua_State *L) {
  static const char *const names[] = {"labels", "quotas"};
  int globals = lua_gettop(L);
  for (int kind = LH_FILE_LABELS; kind <= LH_FILE_QUOTAS; kind++) {
    lua_pushinteger(L, kind);
    lua_pushstring(L, names[kind - LH_FILE_LABELS]);
    lua_pushcclosure(L, files_declare, 2);
    lua_setfield(L, globals, names[kind - LH_FILE_LABELS]);
  }
  lua_pushcfunction(L, lh_use);
  lua_setfield(L, globals, "use");
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_used_key);
  lua_newtable(L); /* the library itself stays empty */
  lua_createtable(L, 0, 3);
  lua_createtable(L, 3, 0);
  for (int part = 1; part <= 3; part++) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3 - (part - 1), part);
  }
  lua_pushcclosure(L, features_index, 3);
  lua_setfield(L, -3, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lh_features_key);
  lua_pushcfunction(L, features_call);
  lua_setfield(L, -2, "__call");
  lua_pushcfunction(L, features_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  lua_setfield(L, globals, "features");
  lua_settop(L, globals);
}
