/* list "name" and re"pattern": made outside of `when`, asked inside. */
#include <string.h>

#include "host_internal.h"

enum { PATTERNS_MAX = 10000, TEXTS_MAX = 1000, SHOWN_BYTES = 60, PREFILTER_MIN = 2, WORK_PER_UNIT = 1 };

void *lh_check_object(lua_State *L, const void *metatable, const char *otherwise) {
  if (lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1)) {
    int is_ours = lua_topointer(L, -1) == metatable;
    lua_pop(L, 1);
    if (is_ours) return lua_touserdata(L, 1);
  }
  luaL_error(L, "%s", otherwise);
  return NULL;
}

static void push_slice(lua_State *L, ct_slice slice) { lua_pushlstring(L, (const char *)slice.bytes, slice.count); }

/* Steps that the budget has room for. */
static int64_t work_left(const lh_host *host) {
  int64_t left = host->budget - host->used;
  return left > 0 ? left * WORK_PER_UNIT : 0;
}

/* A text argument, charged for going through it once. */
static ct_slice check_source(lua_State *L, int argument) {
  lh_text text = lh_check_text(L, argument);
  size_t count = text.count < CT_TEXT_BYTES_MAX ? text.count : CT_TEXT_BYTES_MAX;
  lh_charge(L, (int64_t)(count / 4));
  return (ct_slice){text.bytes, text.count};
}

/* Makes an object of `size` bytes with the metatable at upvalue 2. */
static void *new_object(lua_State *L, size_t size) {
  void *object = lua_newuserdatauv(L, size, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setmetatable(L, -2);
  return object;
}

void lh_report(lua_State *L) {
  lh_host *host = host_of(L);
  luaL_where(L, 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
  if (!host->collects) lua_error(L);
  lh_value none = {0};
  host->call.emit(host->call.context, LH_EMIT_PROBLEM, lh_text_at(L, -1), 0, &none, 0);
  lua_pop(L, 1);
}

/* ---- Lists ---- */

/* list "name" is a list; list { … } and an address are the effect. Upvalues: the effect's kind, the metatable. */
static int rules_list(lua_State *L) {
  lh_host *host = host_of(L);
  if (lua_type(L, 1) != LUA_TSTRING) return lh_effect(L);
  lh_text name = lh_check_text(L, 1), nearest = {(const uint8_t *)"", 0};
  if (name.count >= 5 && memcmp(name.bytes, "at://", 5) == 0) return lh_effect(L);
  if (host->in_event) return luaL_error(L, "write `local words = list \"%s\"` outside of `when`", (const char *)name.bytes);
  lh_list list = {0, NULL};
  if (!lh_ask(host)->list(host->call.context, name, &list, &nearest)) {
    lua_pushlstring(L, (const char *)name.bytes, name.count > SHOWN_BYTES ? SHOWN_BYTES : name.count);
    const char *shown = lua_tostring(L, -1);
    if (nearest.count == 0) {
      lua_pushfstring(L, "there is no list '%s'; try: a file lists/%s.txt with one entry per line", shown, shown);
    } else {
      lua_pushlstring(L, (const char *)nearest.bytes, nearest.count);
      const char *other = lua_tostring(L, -1);
      lua_pushfstring(L, "there is no list '%s', did you mean '%s'?; try: list \"%s\"", shown, other, other);
    }
    lh_report(L);
    list.kind = LH_NO_LIST;
  }
  *(lh_list *)new_object(L, sizeof list) = list;
  return 1;
}

/* The list a method was called on, which has to be of one of the kinds in `kinds` (bits). */
static lh_list *check_list(lua_State *L, int kinds) {
  static const char *const uses[] = {"words: it has :contains, :any_word and :censored", "domains: it has :contains and :domain",
                                     "dids: it has :contains", "patterns: it has :match"};
  lh_list *list = lh_check_object(L, host_of(L)->list_metatable, "write words:any_word(…) with a colon, on a list");
  if (list->kind == LH_NO_LIST) luaL_error(L, "this list does not exist");
  if (!(kinds >> list->kind & 1)) luaL_error(L, "this is a list of %s", uses[list->kind]);
  lh_charge(L, 10);
  return list;
}

/* Asks about the text at argument 2, or about each of a list of texts. Pushes what `ask` found. */
typedef int (*asker)(lua_State *L, lh_list *list, int argument);

static int ask_all(lua_State *L, lh_list *list, asker ask) {
  if (lua_isnoneornil(L, 2)) return luaL_pushfail(L), 1;
  int type = lua_type(L, 2);
  if (type != LUA_TTABLE && type != LUA_TLIGHTUSERDATA) {
    int pushed = ask(L, list, 2);
    return pushed ? pushed : (luaL_pushfail(L), 1);
  }
  int64_t count = lh_length(L, 2);
  int top = lua_gettop(L);
  for (lua_Integer at = 1; at <= count && at <= TEXTS_MAX; at++) {
    lh_charge(L, 4);
    lua_geti(L, 2, at);
    int pushed = lua_isstring(L, -1) ? ask(L, list, lua_gettop(L)) : 0;
    if (pushed) return pushed;
    lua_settop(L, top);
  }
  luaL_pushfail(L);
  return 1;
}

static int push_entry(lua_State *L, const lh_list *list, int64_t number) {
  if (number < 0) return 0;
  push_slice(L, ct_list_entry(list->entries, number));
  return 1;
}

static int ask_contains(lua_State *L, lh_list *list, int argument) {
  return push_entry(L, list, ct_list_find(list->entries, check_source(L, argument)));
}

static int ask_domain(lua_State *L, lh_list *list, int argument) {
  return push_entry(L, list, ct_list_domain(list->entries, check_source(L, argument)));
}

static int ask_word(lua_State *L, lh_list *list, int argument) {
  ct_slice source = check_source(L, argument);
  int64_t work = work_left(host_of(L));
  int64_t found = ct_list_word(list->entries, source, &work);
  lh_charge(L, work / WORK_PER_UNIT);
  return push_entry(L, list, found);
}

static int ask_censored(lua_State *L, lh_list *list, int argument) {
  ct_slice source = check_source(L, argument);
  int64_t work = work_left(host_of(L));
  int only = lua_toboolean(L, 3), is_disguised = 0;
  int64_t found = ct_list_censored(list->entries, source, only, &is_disguised, &work);
  lh_charge(L, work / WORK_PER_UNIT);
  if (!push_entry(L, list, found)) return 0;
  lua_pushboolean(L, is_disguised);
  return 2;
}

static int match_pattern(lua_State *L, ct_pattern *pattern, ct_slice source) {
  int64_t work = work_left(host_of(L));
  int found = ct_pattern_match(pattern, source, &work);
  lh_charge(L, work / WORK_PER_UNIT);
  return found > 0;
}

static int ask_match(lua_State *L, lh_list *list, int argument) {
  ct_slice source = check_source(L, argument);
  ct_patterns *patterns = list->entries;
  for (int64_t at = 0; (at = ct_patterns_next(patterns, at, source)) >= 0; at++) {
    lh_charge(L, 4);
    if (!match_pattern(L, ct_patterns_at(patterns, at), source)) continue;
    push_slice(L, ct_pattern_source(ct_patterns_at(patterns, at)));
    return 1;
  }
  return 0;
}

static int list_contains(lua_State *L) {
  return ask_all(L, check_list(L, 1 << LH_WORDS | 1 << LH_DOMAINS | 1 << LH_NAMES), ask_contains);
}
static int list_domain(lua_State *L) { return ask_all(L, check_list(L, 1 << LH_DOMAINS), ask_domain); }
static int list_any_word(lua_State *L) { return ask_all(L, check_list(L, 1 << LH_WORDS), ask_word); }
static int list_match(lua_State *L) { return ask_all(L, check_list(L, 1 << LH_PATTERNS), ask_match); }

/* list:censored(text), list:censored(text, "disguised"): the second wants disguises only. */
static int list_censored(lua_State *L) {
  lh_list *list = check_list(L, 1 << LH_WORDS);
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushboolean(L, 0);
  } else if (lua_type(L, 3) != LUA_TSTRING || strcmp(lua_tostring(L, 3), "disguised") != 0) {
    return luaL_error(L, "the second argument is \"disguised\", or left out");
  }
  lua_settop(L, 3);
  return ask_all(L, list, ask_censored);
}

/* ---- Patterns ---- */

struct compiled {
  ct_pattern *pattern;
  int64_t number;
};

static int rules_re(lua_State *L) {
  lh_host *host = host_of(L);
  luaL_checktype(L, 1, LUA_TSTRING);
  lh_text source = lh_check_text(L, 1);
  if (host->in_event) return luaL_error(L, "write `local pattern = re\"…\"` outside of `when`: patterns are made once");
  const char *flags = luaL_optstring(L, 2, "");
  if (strcmp(flags, "") != 0 && strcmp(flags, "i") != 0) {
    return luaL_error(L, "the flags of a pattern are \"i\", or left out; try: re(\"…\", \"i\")");
  }
  ct_patterns *patterns = ct_text_patterns(host->text);
  if (ct_patterns_count(patterns) >= PATTERNS_MAX) return luaL_error(L, "there are more than %d patterns", PATTERNS_MAX);
  struct compiled *compiled = new_object(L, sizeof *compiled);
  memset(compiled, 0, sizeof *compiled);
  lh_charge(L, 100 + 10 * (int64_t)(source.count < CT_PATTERN_BYTES_MAX ? source.count : 0));
  ct_pattern_error error;
  ct_pattern *pattern = ct_pattern_create(host->text, (ct_slice){source.bytes, source.count}, *flags == 'i', &error);
  if (!pattern) {
    lua_pushlstring(L, (const char *)source.bytes, source.count > SHOWN_BYTES ? SHOWN_BYTES : source.count);
    lua_pushfstring(L, "the pattern '%s' is wrong at position %d: %s; try: %s", lua_tostring(L, -1), (int)error.position,
                    error.what, error.attempt);
    lh_report(L);
    lua_pop(L, 1); /* the object is at the top again */
    return 1;
  }
  int64_t number = ct_patterns_add(patterns, pattern); /* which owns it from here on */
  if (number < 0) return luaL_error(L, "there is not enough memory for the patterns");
  lh_charge(L, ct_pattern_size(pattern));
  *compiled = (struct compiled){pattern, number};
  return 1;
}

static struct compiled *check_pattern(lua_State *L) {
  struct compiled *compiled = lh_check_object(L, host_of(L)->pattern_metatable, "write pattern:match(…) with a colon, on re\"…\"");
  if (!compiled->pattern) luaL_error(L, "this pattern did not compile");
  return compiled;
}

/* Whether the pattern can match the text: asks what one look at the text told about all patterns of the set. What it costs
 * is charged as if the look were taken each time, so that it does not depend on who asked before. */
static int may_match(lua_State *L, const struct compiled *compiled, ct_slice source) {
  lh_host *host = host_of(L);
  ct_patterns *patterns = ct_text_patterns(host->text);
  if (!host->in_event || ct_patterns_count(patterns) < PREFILTER_MIN) return 1;
  if (!ct_pattern_has_literals(compiled->pattern)) return 1;
  return ct_patterns_next(patterns, compiled->number, source) == compiled->number;
}

/* The leftmost match from `from` on, if there is one. */
static int find(lua_State *L, ct_pattern *pattern, ct_slice source, size_t from, int32_t *places) {
  int64_t work = work_left(host_of(L));
  int found = ct_pattern_find(pattern, source, from, places, &work);
  lh_charge(L, work / WORK_PER_UNIT);
  return found > 0;
}

/* Begin and end of the leftmost match, where `begin` has found that there is one. */
static int find_bounds(lua_State *L, ct_pattern *pattern, ct_slice source, int32_t bounds[2]) {
  int64_t work = work_left(host_of(L));
  int found = ct_pattern_bounds(pattern, source, bounds, &work);
  lh_charge(L, work / WORK_PER_UNIT);
  return found > 0;
}

/* The pattern and the text a method was called with; 0 where nothing can be found. */
static int begin(lua_State *L, struct compiled **compiled, ct_slice *source) {
  *compiled = check_pattern(L);
  if (lua_isnoneornil(L, 2)) return 0;
  *source = check_source(L, 2);
  return may_match(L, *compiled, *source) && match_pattern(L, (*compiled)->pattern, *source);
}

static ct_slice place(ct_slice source, const int32_t *places, int group) {
  int32_t from = places[2 * group], to = places[2 * group + 1];
  return from < 0 || to < from ? (ct_slice){source.bytes, 0} : (ct_slice){source.bytes + from, (size_t)(to - from)};
}

/* The matched text, or false: nil would mean that a rule which returns it does not apply. */
static int pattern_match(lua_State *L) {
  struct compiled *compiled;
  ct_slice source;
  int32_t places[2];
  int found = begin(L, &compiled, &source) && find_bounds(L, compiled->pattern, source, places);
  if (found) push_slice(L, place(source, places, 0));
  else lua_pushboolean(L, 0);
  return 1;
}

static int pattern_find(lua_State *L) {
  struct compiled *compiled;
  ct_slice source;
  int32_t places[2];
  int found = begin(L, &compiled, &source) && find_bounds(L, compiled->pattern, source, places);
  if (!found) return luaL_pushfail(L), 1;
  lua_pushinteger(L, places[0] + 1);
  lua_pushinteger(L, places[1]);
  return 2;
}

/* What the groups matched, or the whole match where there are none; a group that took no part is empty. */
static int pattern_captures(lua_State *L) {
  struct compiled *compiled;
  ct_slice source;
  int32_t places[2 * CT_PATTERN_GROUPS_MAX];
  int found = begin(L, &compiled, &source) && find(L, compiled->pattern, source, 0, places);
  if (!found) return luaL_pushfail(L), 1;
  int groups = ct_pattern_groups(compiled->pattern), first = groups > 1;
  lua_createtable(L, groups, 0);
  for (int group = first; group < groups; group++) {
    push_slice(L, place(source, places, group));
    lua_rawseti(L, -2, group - first + 1);
  }
  return 1;
}

static int pattern_count(lua_State *L) {
  struct compiled *compiled;
  ct_slice source;
  int32_t places[2 * CT_PATTERN_GROUPS_MAX];
  lua_Integer count = 0;
  size_t from = 0;
  if (begin(L, &compiled, &source)) {
    while (find(L, compiled->pattern, source, from, places)) {
      count++;
      from = (size_t)places[1];
      if (places[1] > places[0]) continue;
      /* Behind an empty match the next one begins a character later. */
      from++;
      while (from < source.count && (source.bytes[from] & 0xc0) == 0x80) from++;
    }
  }
  lua_pushinteger(L, count);
  return 1;
}

/* A function that makes objects: its upvalues are a text and the metatable of what it makes. */
static void open_maker(lua_State *L, const char *name, lua_CFunction function, const luaL_Reg *methods, const char *owner,
                       const void **metatable) {
  lua_pushstring(L, name);
  lua_createtable(L, 0, 1);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lh_seal_library(L, owner);
  lua_setfield(L, -2, "__index");
  *metatable = lua_topointer(L, -1); /* lives as long as the function */
  lua_pushcclosure(L, function, 2);
  lua_setfield(L, -2, name);
}

void lh_open_lists(lua_State *L) {
  static const luaL_Reg lists[] = {
      {"contains", list_contains}, {"any_word", list_any_word}, {"censored", list_censored}, {"domain", list_domain},
      {"match", list_match},       {NULL, NULL},
  };
  static const luaL_Reg patterns[] = {
      {"match", pattern_match}, {"find", pattern_find}, {"captures", pattern_captures}, {"count", pattern_count}, {NULL, NULL},
  };
  lh_host *host = host_of(L);
  open_maker(L, "list", rules_list, lists, "a list", &host->list_metatable);
  open_maker(L, "re", rules_re, patterns, "a pattern", &host->pattern_metatable);
}
