#ifndef HOST_INTERNAL_H
#define HOST_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "CLuaHost.h"
#include "CText.h"

enum { LH_FEATURES_MAX = 256, LH_FEATURE_ITEMS_MAX = 100, LH_FIELDS_MAX = 64 };

/* Known misses (known.c). A step is a question a run asked, and its answer: the value of field `subject`, the length of list
 * `subject`, the value of feature `subject`, or whether the account is younger than `seconds`. */
enum { LH_STEP_FIELD = 1, LH_STEP_COUNT, LH_STEP_FEATURE, LH_STEP_YOUNG };
enum { LH_STEPS_MAX = 6, LH_NODES_MAX = 4096, LH_EDGES_MAX = 16384 };
struct lh_step {
  uint8_t kind;
  uint8_t subject;
  int16_t answer;
  double seconds;
};
struct lh_node {
  uint8_t kind;
  uint8_t subject;
  uint16_t first; /* edge */
  double seconds;
};
struct lh_edge {
  int16_t answer;
  int8_t outcome; /* LH_MISS, LH_NOT_APPLICABLE, or -1: the rule asks on, at `node` */
  uint16_t node;
  uint16_t next; /* edge of the same node */
  int32_t used;
};
typedef struct {
  int16_t code;
  int16_t is_small;
} lh_answer;

/* Names that Lua keeps for good, with a number each, found by where they stand: Lua has each short string once, so the same place
 * is the same name. Whoever is not found here may still be one of them, a long one. */
enum { LH_NAME_PLACES = 512 };
struct lh_names {
  struct {
    const char *name;
    int64_t number;
  } places[LH_NAME_PLACES];
};
void lh_add_name(struct lh_names *names, const char *name, int number);
static inline int lh_name_place(const char *name) { return (int)((uintptr_t)name >> 3 & (LH_NAME_PLACES - 1)); }
/* The number of the name at that place, -1 where it is not known. */
static inline int lh_find_name(const struct lh_names *names, const char *name) {
  for (int at = lh_name_place(name); names->places[at].name; at = (at + 1) & (LH_NAME_PLACES - 1)) {
    if (names->places[at].name == name) return (int)names->places[at].number;
  }
  return -1;
}

/* Memory of small objects (pool.c). */
enum { LH_POOL_CLASSES = 33 };
struct lh_pool {
  uint8_t *arena;
  size_t left;
  void *free[LH_POOL_CLASSES];
};
void lh_pool_open(struct lh_pool *pool);
void lh_pool_close(struct lh_pool *pool);
void lh_pool_free(struct lh_pool *pool, void *block, size_t size);
void *lh_pool_resize(struct lh_pool *pool, void *block, size_t old, size_t size);

struct lh_host {
  lua_State *L;
  lh_callbacks call;
  lh_limits limits;
  ct_text *text; /* somebody else's */
  struct lh_pool pool;
  size_t memory;
  size_t memory_max;
  int64_t allocations;
  int64_t fail_at;
  /* Of lists and patterns, to know them by. */
  const void *list_metatable;
  const void *pattern_metatable;
  /* What the rule that runs counts. */
  lh_key *counters;
  uint32_t counter_count;
  uint32_t counter_capacity;
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
  int32_t missing; /* how often names that do not exist were told of or used */
  int32_t collects; /* lh_collect_problems */
  uint32_t epoch;  /* number of the event, kept in every proxy so that none outlives its event */
  uint64_t cached; /* fields of the event that stand in the cache table */
  struct lh_names field_names;
  struct lh_names feature_names;
  int32_t rule_count;
  int32_t use_depth;
  /* Features of features.lua, numbered from 1: where each stands for the current event, and which are not untouched. */
  int32_t feature_count;
  int32_t feature_done_count;
  uint8_t feature_state[LH_FEATURES_MAX];
  uint8_t feature_is_silent[LH_FEATURES_MAX];
  uint16_t feature_done[LH_FEATURES_MAX];
  lh_answer feature_answers[LH_FEATURES_MAX]; /* of those that are known */
  /* What the run that is under way asked; opaque when it asked more than can be kept. */
  int32_t run_is_opaque;
  int32_t never_learns;
  int32_t step_count;
  struct lh_step steps[LH_STEPS_MAX];
  /* Answers of the current event: values of fields, lengths of lists; the account's age. */
  uint64_t answered[2];
  lh_answer answers[2][LH_FIELDS_MAX];
  int32_t age_field;
  lh_value age;
  int32_t age_is_asked;
  /* Trees of known misses, entries counted from 1; `roots` by rule, made when the set is sealed. */
  uint16_t *roots;
  struct lh_node *nodes;
  struct lh_edge *edges;
  uint16_t node_count;
  uint16_t edge_count;
  char error[401];
};

static inline lh_host *host_of(lua_State *L) { return *(lh_host **)lua_getextraspace(L); }

/* The callbacks, for whoever asks what is not noted: nothing is learnt from such a run. */
static inline const lh_callbacks *lh_ask(lh_host *host) {
  host->run_is_opaque = 1;
  return &host->call;
}
/* Notes a question of the current run and its answer. */
void lh_note(lh_host *host, int kind, int subject, double seconds, const lh_value *value);
/* The value as an answer. */
lh_answer lh_answer_of(const lh_value *value);
/* The account's age, asked once per event. */
const lh_value *lh_age(lh_host *host);
/* After a run that found nothing and returned no features. */
void lh_learn(lh_host *host, int32_t rule, int32_t outcome);
static inline int lh_is_young(const lh_value *age, double seconds) {
  return (age->kind == LH_INTEGER && (double)age->integer < seconds) || (age->kind == LH_NUMBER && age->number < seconds);
}

/* Raises since the budget is gone, or since what runs has been killed. */
void lh_overdrawn(lua_State *L);
/* Charges `units` (about one VM instruction each) before the work they stand for is done; raises when the budget
 * is gone. */
static inline void lh_charge(lua_State *L, int64_t units) {
  lh_host *host = host_of(L);
  host->used += units;
  if (host->killed || host->used > host->budget) lh_overdrawn(L);
}
/* Marks what runs now as killed: from here on every instruction raises again, so that no pcall can hide it. */
void lh_kill(lh_host *host, int32_t reason);
/* Raises with the text of the kill. `level` as in luaL_where. */
int lh_raise_kill(lua_State *L, int level);
/* Stops the run when pcall caught something that must not be caught. */
void lh_check_status(lua_State *L, int status);

/* The event, the parts of its record and the counters are light userdata, which cost nothing to make: 24 bits of epoch, 3 bits
 * of tag and 32 bits of offset (counters: place among those the rule has made). Rules cannot make light userdata of their own. */
enum { LH_TAG_EVENT = 1, LH_TAG_NODE = 2, LH_TAG_LIST = 3, LH_TAG_COUNTER = 4, LH_TAG_MASK = 7 };
static inline int lh_tag_of(const void *proxy) { return (int)((uintptr_t)proxy >> 56 & LH_TAG_MASK); }
void lh_push_proxy(lua_State *L, int tag, uint32_t offset);
/* The tag of the proxy at `index`, 0 where there is none; an outdated one raises. Nothing is learnt from a run that comes here. */
int lh_to_proxy(lua_State *L, int index, uint32_t *offset);
/* The same for who notes what is asked of the proxy. */
int lh_to_noted_proxy(lua_State *L, int index, uint32_t *offset);
void lh_push_value(lua_State *L, const lh_value *value);
/* The value at `index` as it is. Cannot raise: no conversion, no metamethod, no allocation. */
int32_t lh_plain_value(lua_State *L, int index, lh_value *value);

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
/* The object at argument 1, which has this metatable; raises `otherwise`. */
void *lh_check_object(lua_State *L, const void *metatable, const char *otherwise);
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
/* Whether it is what `pairs` gives to a loop. */
int lh_is_iterator(lua_CFunction function);
/* Freezes everything the function at the top can reach through its upvalues. */
void lh_freeze(lua_State *L);

/* Gives the compiled file at the top its globals; raises where a function in it assigns a variable of the function around it. */
void lh_bind_globals(lua_State *L, const char *name);
/* `use`, as a C function. */
int lh_use(lua_State *L);
/* Keeps the functions of the `features { … }` whose content is at the top. */
void lh_keep_features(lua_State *L);
/* Whether feature `at` has been worked out for the current event. */
int lh_feature_is_known(const lh_host *host, int at);
/* After an event. */
void lh_forget_features(lh_host *host);
/* Hands the value at the top over as feature `name` and pops nothing; not 0 where it is refused. Never raises. */
int lh_emit_feature(lh_host *host, lh_text name);

/* Registry keys. */
extern const char lh_counter_key, lh_frozen_key, lh_environment_key, lh_globals_key, lh_marks_key, lh_names_key;

/* Keeps the names a rule can write, and the functions behind them, for `lh_names` and the trace. */
void lh_collect_names(lua_State *L);
/* Reports the text at the top, which it pops, as an error of the line that called. Where a whole set is loaded, all that is wrong
 * is wanted: it is written down and the file goes on, with whatever the caller then has for it. */
void lh_report(lua_State *L);
/* The hook of a traced event, for calls and returns. */
void lh_trace_hook(lua_State *L, lua_Debug *record);

#endif
