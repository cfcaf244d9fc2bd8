#ifndef HOST_INTERNAL_H
#define HOST_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "CLuaHost.h"
#include "CText.h"

enum { LH_FEATURES_MAX = 256, LH_FEATURE_ITEMS_MAX = 100 };

struct lh_host {
  lua_State *L;
  lh_callbacks call;
  lh_limits limits;
  ct_text *text; /* somebody else's */
  size_t memory;
  size_t memory_max;
  int64_t allocations;
  int64_t fail_at;
  /* Budget of what runs now. */
  int64_t used;
  int64_t budget;
  int64_t now_ns;
  int64_t elapsed_ns;
  int64_t deadline_ns;
  int64_t allowance_ns;
  int64_t cpu_mark_ns; /* thread time when the deadline first passed; -1 before */
  int32_t killed;      /* 0, or the LH_KILLED_… that ends what runs now */
  int32_t emergencies; /* refusals by the memory limit since the run began */
  int32_t tracing;
  int32_t in_event;
  int32_t collects; /* lh_collect_problems */
  uint32_t epoch;  /* number of the event, kept in every proxy so that none outlives its event */
  uint64_t cached; /* fields of the event that stand in the cache table */
  int32_t rule_count;
  int32_t use_depth;
  /* Features of features.lua, numbered from 1: where each stands for the current event, and which are not untouched. */
  int32_t feature_count;
  int32_t feature_done_count;
  uint8_t feature_state[LH_FEATURES_MAX];
  uint16_t feature_done[LH_FEATURES_MAX];
  char error[401];
};

static inline lh_host *host_of(lua_State *L) { return *(lh_host **)lua_getextraspace(L); }

/* Charges `units` (about one VM instruction each) before the work they stand for is done; raises when the budget
 * is gone. */
void lh_charge(lua_State *L, int64_t units);
/* Marks what runs now as killed: from here on every instruction raises again, so that no pcall can hide it. */
void lh_kill(lh_host *host, int32_t reason);
/* Raises with the text of the kill. `level` as in luaL_where. */
int lh_raise_kill(lua_State *L, int level);
/* Stops the run when pcall caught something that must not be caught. */
void lh_check_status(lua_State *L, int status);

/* The event and the parts of its record are light userdata, which cost nothing to make: 24 bits of epoch, 2 bits
 * of tag and 32 bits of offset. Rules cannot make light userdata of their own. */
enum { LH_TAG_EVENT = 1, LH_TAG_NODE = 2, LH_TAG_LIST = 3 };
void lh_push_proxy(lua_State *L, int tag, uint32_t offset);
/* The tag of the proxy at `index`, 0 where there is none; an outdated one raises. */
int lh_to_proxy(lua_State *L, int index, uint32_t *offset);
void lh_push_value(lua_State *L, const lh_value *value);

static inline lh_text lh_text_at(lua_State *L, int index) {
  lh_text text;
  text.bytes = (const uint8_t *)lua_tolstring(L, index, &text.count);
  return text;
}

/* A string argument, charged by its length. */
lh_text lh_check_text(lua_State *L, int argument);

/* Tables built while loading are frozen: empty, with a metatable that leads to the content.
 * lh_push_content pushes the content of the table at `index` (itself where it is not frozen). */
void lh_push_content(lua_State *L, int index);
/* Length of a table, frozen table, record array or list, without metamethods of anybody else. */
int64_t lh_length(lua_State *L, int index);
/* Raises unless the argument is a table that may be written. */
void lh_check_writable(lua_State *L, int argument);

/* Wraps the table at the top into a read-only one whose missing names raise `<owner> has no '<name>', did you mean
 * …`. */
void lh_seal_library(lua_State *L, const char *owner);

/* Raises for a name (at index 2) that is not in the table at `content`, with the nearest one. `owner` NULL: the globals. */
int lh_missing(lua_State *L, int content, const char *owner);

void lh_open_base(lua_State *L);
void lh_open_files(lua_State *L);
void lh_open_state(lua_State *L);
void lh_open_string(lua_State *L);
void lh_open_table(lua_State *L);
void lh_open_math(lua_State *L);
void lh_open_rules(lua_State *L);
void lh_open_text(lua_State *L);
void lh_open_lists(lua_State *L);
/* verdict "x", label { … }. Upvalue 1: the kind. */
int lh_effect(lua_State *L);
/* The object at argument 1, whose metatable stands in the registry at `key`; raises `otherwise`. */
void *lh_check_object(lua_State *L, const char *key, const char *otherwise);
void lh_open_event(lua_State *L, const lh_text *fields, size_t count);
/* A file to load. */
struct lh_source {
  const char *name;
  const uint8_t *bytes;
  size_t count;
};

/* Called protected with a `struct lh_source` and the table of the rules' functions. */
int lh_load_file(lua_State *L);
/* Announces the entries of the table at the top, at most `depth` tables deep. */
void lh_emit_table(lua_State *L, int depth, int *entries);
/* Called protected with a `struct lh_source` that holds tests. */
int lh_load_test_file(lua_State *L);
/* Freezes everything the function at the top can reach through its upvalues. */
void lh_freeze(lua_State *L);

/* Raises where a function in the one at the top assigns a variable of the function around it. */
void lh_check_assignments(lua_State *L, const char *name);
/* `use`, as a C function. */
int lh_use(lua_State *L);
/* Keeps the functions of the `features { … }` whose content is at the top. */
void lh_keep_features(lua_State *L);
/* After an event. */
void lh_forget_features(lh_host *host);
/* Hands the value at the top over as feature `name` and pops nothing; not 0 where it is refused. Never raises. */
int lh_emit_feature(lh_host *host, lh_text name);

/* Registry keys. */
extern const char lh_counter_key, lh_list_key, lh_pattern_key, lh_frozen_key, lh_environment_key, lh_marks_key, lh_names_key;

/* Keeps the names a rule can write, and the functions behind them, for `lh_names` and the trace. */
void lh_collect_names(lua_State *L);
/* Reports the text at the top, which it pops, as an error of the line that called. Where a whole set is loaded, all that is wrong
 * is wanted: it is written down and the file goes on, with whatever the caller then has for it. */
void lh_report(lua_State *L);
/* The hook of a traced event, for calls and returns. */
void lh_trace_hook(lua_State *L, lua_Debug *record);

#endif
