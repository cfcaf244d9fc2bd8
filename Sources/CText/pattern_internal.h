#ifndef PATTERN_INTERNAL_H
#define PATTERN_INTERNAL_H

#include <unicode/utypes.h>

#include "CText.h"

enum { GROUPS_MAX = 10, SLOTS_MAX = 2 * GROUPS_MAX, CLASSES_MAX = 4096, LITERALS_MAX = 64, LITERAL_BYTES_MAX = 32 };

enum { OP_CHAR = 0, OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_ASSERT, OP_MATCH };
enum { AT_START = 0, AT_END, AT_LINE_START, AT_LINE_END, AT_WORD, AT_NO_WORD };

struct instruction {
  uint8_t op;
  uint8_t assertion;
  int32_t x; /* character, set, slot, or where to go first */
  int32_t y; /* where to go else */
};

/* Characters from first to last, in order. */
struct range {
  UChar32 first, last;
};

struct set {
  struct range *ranges;
  int32_t count;
};

/* A state of the automaton: the instructions it may be at, and what stood before. */
struct state {
  int32_t start, count; /* in `kernels` */
  uint32_t hash;
  uint8_t context;
};

/* Where a character leads, and how many instructions were looked at to know. */
enum { TO_UNKNOWN = 0, TO_MATCH = -1 };
struct transition {
  int32_t next; /* number of the state + 1 */
  int32_t cost;
};

/* Where a match that begins at some place goes over one character. */
struct start {
  uint8_t is_known, is_match;
  int32_t offset, count; /* in `start_kernels` */
};

/* The class of a character met before: texts have few different ones beside ASCII, and searching costs more than the rest. */
enum { RECENT_CLASSES = 64 };
struct recent_class {
  UChar32 c; /* 0 where there is none yet */
  int32_t class;
};

struct ct_pattern {
  ct_text *text;
  uint8_t *source;
  size_t source_count;
  int ignore_case;
  struct instruction *program;
  int32_t count;
  struct set *sets;
  int32_t set_count;
  int32_t groups; /* with the whole match */
  int has_assertions;
  int is_whole; /* every match is the whole text */
  /* Characters that no instruction tells apart are of one class. */
  int32_t class_count;
  int32_t interval_count;
  UChar32 *interval_starts;
  uint16_t *interval_classes;
  uint16_t ascii_classes[128];
  struct recent_class recent[RECENT_CLASSES];
  UChar32 *samples;  /* one character of each class */
  uint8_t *accepted; /* set × class */
  struct start *starts, spare; /* what was before × what comes × class */
  int32_t *start_kernels;
  int32_t start_count, start_capacity;
  /* The automaton as far as it was needed, forgotten when it grew too large. */
  struct state *states;
  int32_t state_count, state_capacity;
  int32_t *kernels;
  int32_t kernel_count, kernel_capacity;
  struct transition *transitions;
  int is_full;
  /* One of these stands in every text that matches, in folded case; none where nothing is known. */
  int32_t literal_count;
  struct { uint8_t count, bytes[LITERAL_BYTES_MAX]; } literals[LITERALS_MAX];
};

/* Fills program, sets and groups of `pattern`; 0 with `error` filled. */
int pattern_parse(ct_pattern *pattern, ct_pattern_error *error);
/* Prepares the automaton; 0 where memory is short. */
int pattern_prepare(ct_pattern *pattern);
int pattern_is_word(UChar32 c);
#endif
