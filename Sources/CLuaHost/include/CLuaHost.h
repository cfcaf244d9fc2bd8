/* The C side of the Lua host: it owns the Lua stack, Swift answers questions.
 *
 * Lua raises with longjmp. No Swift frame ever lies between a raise and its pcall: the functions of
 * `lh_callbacks` get plain values, return plain values, cannot fail and never touch Lua; what has to be raised is
 * raised here, after they returned. Manual: https://www.lua.org/manual/5.4/ (section 4.4, error handling in C). */
#ifndef CLUAHOST_H
#define CLUAHOST_H

#include <stddef.h>
#include <stdint.h>

typedef struct lh_host lh_host;

/* Bytes that somebody else owns. A callback's result must stay valid until the next callback. */
typedef struct {
  const uint8_t *bytes;
  size_t count;
} lh_text;

enum { LH_NIL = 0, LH_FALSE, LH_TRUE, LH_INTEGER, LH_NUMBER, LH_TEXT, LH_NODE, LH_LIST, LH_FUNCTION, LH_TABLE };

typedef struct {
  int32_t kind;
  /* LH_INTEGER: the value; LH_NODE: offset in the record; LH_LIST: number of the list; LH_FUNCTION: number of the
   * rule. */
  int64_t integer;
  double number;
  lh_text text;
  /* Bytes walked over to find the value; charged afterwards, since nobody knows before. */
  int64_t walked;
} lh_value;

/* What a counter is filed under: a 128-bit hash of kind, name, key and window, and the window itself. */
typedef struct {
  uint64_t high;
  uint64_t low;
  int64_t window_ms;
  int32_t kind;
} lh_key;

/* A list of words, domains or dids, or else of patterns (CText); somebody else's. */
enum { LH_NO_LIST = -1, LH_WORDS, LH_DOMAINS, LH_NAMES, LH_PATTERNS };
typedef struct {
  int32_t kind;
  void *entries;
} lh_list;

enum { LH_COUNT = 1, LH_DISTINCT = 2 };
enum { LH_COUNTER_GET = 0, LH_COUNTER_ADD, LH_COUNTER_CROSSED };

/* What a file returns: the `index` of LH_EMIT_RULE. */
enum { LH_FILE_RULE = 0, LH_FILE_LABELS, LH_FILE_QUOTAS, LH_FILE_FEATURES };
/* A feature of features.lua is being handed over; it has been; it was refused, and `message` gets why. */
enum { LH_SHARED_BEGIN = 0, LH_SHARED_KEPT, LH_SHARED_REFUSED };

/* Parts of what a rule file returns, in order, depth first. */
enum { LH_EMIT_RULE = 0, LH_EMIT_VALUE, LH_EMIT_OPEN, LH_EMIT_CLOSE, LH_EMIT_END, LH_EMIT_PROBLEM };

/* What `inspect` says of a compiled file: its form is not understood; it reads globals by name and does nothing else with them. */
enum { LH_CHUNK_UNKNOWN = -1, LH_CHUNK_ONLY_READS = -2 };

typedef struct {
  void *context;
  /* Field number `field` of the event. */
  void (*field)(void *context, int32_t field, lh_value *out);
  /* A member of a map, an element (from 1) of an array, of the record. */
  void (*node_get)(void *context, uint32_t node, lh_text key, lh_value *out);
  void (*node_at)(void *context, uint32_t node, int64_t index, lh_value *out);
  /* Entries of a map or elements of an array; *is_map says which. */
  int64_t (*node_count)(void *context, uint32_t node, int32_t *is_map);
  /* Key number `index` (from 1) of a map, LH_NIL past the end. */
  void (*node_key)(void *context, uint32_t node, int64_t index, lh_value *out);
  int64_t (*list_count)(void *context, uint32_t list);
  void (*list_at)(void *context, uint32_t list, int64_t index, lh_value *out);
  /* The 32 bytes of SHA-256. */
  void (*digest)(void *context, lh_text text, uint8_t *out);
  /* Milliseconds since 1970 of RFC 3339 text; 0 where it is none. */
  int32_t (*time_ms)(void *context, lh_text text, int64_t *out);
  /* The event's clock. */
  int64_t (*clock_ms)(void *context);
  /* The list of that name, 0 where there is none: `nearest` is then a name that comes near, or empty. */
  int32_t (*list)(void *context, lh_text name, lh_list *out, lh_text *nearest);
  void (*counter_key)(void *context, int32_t kind, lh_text name, lh_text key, int64_t window_ms, lh_key *out);
  int64_t (*counter)(void *context, const lh_key *key, int32_t operation, int64_t number, lh_text value);
  /* One value a rule returned besides the hit; list elements come with index 1, 2, …; 0 is success, else the rule
   * failed. */
  int32_t (*feature)(void *context, lh_text name, int64_t index, const lh_value *value);
  /* While a file is loaded: the parts of its rules. `line` is where `rule` was called. */
  void (*emit)(void *context, int32_t event, lh_text key, int64_t index, const lh_value *value, int32_t line);
  /* While a file is loaded: its compiled form. Returns the line of an assignment to a variable of an outer function, or one of
   * LH_CHUNK_…, or 0. */
  int32_t (*inspect)(void *context, lh_text compiled);
  /* While an event is traced: a library function was called (is_return 0, `values` are its arguments) or came back
   * (1, its results). `frame` tells calls apart that are under way at once. LH_NODE holds an address or a proxy's
   * bits, LH_TABLE a preview in `text`. */
  void (*trace)(void *context, int32_t is_return, lh_text name, int64_t frame, const lh_value *values, int32_t count);
  /* While a set is loaded: the bytes of the file `name` stands for (`lib/names`), 1; else 0 and perhaps the nearest name. */
  int32_t (*source)(void *context, lh_text name, lh_text *bytes, lh_text *nearest);
  /* Around `feature` for one of features.lua. */
  void (*shared)(void *context, int32_t operation, lh_text *message);
  void (*cache_get)(void *context, lh_text key, lh_value *out);
  void (*cache_set)(void *context, lh_text key, const lh_value *value, int64_t ms);
  int32_t (*entity_has)(void *context, lh_text type, lh_text id, lh_text label);
  /* The next label the entity has among those known, from position `at` on; returns the position behind it, 0 at the end. For
   * `at` -1: how many labels are known. */
  int64_t (*entity_label)(void *context, lh_text type, lh_text id, int64_t at, lh_value *out);
} lh_callbacks;

typedef struct {
  /* Budget of one rule on one event: VM instructions plus what library calls charge; and time of the thread in ns. */
  int64_t rule_instructions;
  int64_t rule_ns;
  /* The same for loading one file. */
  int64_t load_instructions;
  int64_t load_ns;
  /* Bytes the whole Lua state may hold while loading; and beyond what it held after loading, while judging. */
  size_t load_bytes;
  size_t event_bytes;
  /* Longest string and longest list a library call may build; largest single block of memory. */
  size_t string_bytes;
  size_t table_entries;
  size_t block_bytes;
} lh_limits;

enum { LH_OK = 0, LH_ERROR, LH_KILLED_INSTRUCTIONS, LH_KILLED_TIME, LH_KILLED_MEMORY };
enum { LH_UNKNOWN = -1, LH_MISS = 0, LH_HIT = 1, LH_NOT_APPLICABLE = 2 };

/* A Lua state with the rule language in it, or NULL when memory is short. `text` (CText) must outlive it. `fields` are
 * the names of the event's fields, numbered from 0, at most 63. `fail_at` > 0 makes the fail_at-th allocation (and all
 * later ones) fail, for tests. */
struct ct_text;
lh_host *lh_create(const lh_callbacks *callbacks, const lh_limits *limits, struct ct_text *text, const lh_text *fields,
                   size_t field_count, int64_t fail_at);
void lh_destroy(lh_host *host);

/* Runs one rule file. Rules it returns are announced through `emit`, with the number `lh_run` wants. */
int lh_load(lh_host *host, const char *name, const uint8_t *bytes, size_t count);
/* Runs a file of lib/ that nothing may have used yet. `name` as in `use`, without `.lua`. */
int lh_load_library(lh_host *host, const char *name);
/* Runs a file of tests, which has words of its own (`lh_test_words`); the table it returns is announced as a rule is. */
int lh_load_tests(lh_host *host, const char *name, const uint8_t *bytes, size_t count);
size_t lh_test_words(const char *const **names);
/* Whether a list or pattern that is wrong, or a misspelt effect, ends the file, or is announced as LH_EMIT_PROBLEM (`key` is the
 * text, with file and line) and the file goes on. */
void lh_collect_problems(lh_host *host, int32_t collects);
/* Says that loading is over: collects garbage and sets the memory limit for judging. */
int lh_seal(lh_host *host);
/* From now on nobody is told the value of this feature of features.lua; rules see it as before. */
void lh_silence_feature(lh_host *host, const char *name);

/* Around the rules of one event. */
void lh_begin_event(lh_host *host);
void lh_end_event(lh_host *host);
/* What the rule finds on the current event where that is known, so that it need not run (known.c): LH_MISS or
 * LH_NOT_APPLICABLE, and the units of budget it used when it found so before; else LH_UNKNOWN. */
int32_t lh_known(lh_host *host, int32_t rule, int64_t *used);
/* Whether known misses are kept from now on; they are unless somebody says otherwise, to compare. */
void lh_learns(lh_host *host, int32_t is_on);
/* Runs one rule on the current event. `hit` is set when LH_OK comes back; else `lh_error` says what happened. */
int lh_run(lh_host *host, int32_t rule, int32_t *hit);

/* What the last failure was, at most 400 bytes, with file and line where Lua knew them. */
const char *lh_error(const lh_host *host);
/* Units of budget and nanoseconds the last run used; bytes the state holds now; allocations since it was made. */
int64_t lh_used(const lh_host *host);
int64_t lh_elapsed_ns(const lh_host *host);
size_t lh_memory(const lh_host *host);
int64_t lh_allocations(const lh_host *host);

/* Whether the next events are traced: `trace` is then called for every call of the library. */
void lh_trace(lh_host *host, int32_t is_on);
/* Every name a rule can write: `count`, `text.fold`, `counter:add`; in no order. Also after loading. */
void lh_names(lh_host *host, void *context, void (*take)(void *context, lh_text name));

/* Edit distance of two names, at most 64 bytes each, for "did you mean"; two letters that changed places count as one edit. */
int32_t lh_distance(lh_text left, lh_text right);
#endif
