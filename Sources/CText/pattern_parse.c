/* From the text of a pattern to a program. The language: that of Perl and RE2 without what needs more than linear time
 * (back references, looking around). Sets of characters are ICU's. */
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uset.h>
#include <unicode/utf8.h>

#include "pattern_internal.h"

enum { DEPTH_MAX = 30, REPEAT_MAX = 1000, PROGRAM_MAX = 5000, EMITTED_MAX = 50000, SETS_MAX = 1000 };
enum { FLAG_CASE = 1, FLAG_DOT_ALL = 2, FLAG_LINES = 4 };
enum { NODE_EMPTY = 0, NODE_CHAR, NODE_SET, NODE_ASSERT, NODE_GROUP, NODE_REPEAT, NODE_CAT, NODE_ALT };

#define WORD_SET "[[:L:][:M:][:N:]_]"

struct node {
  uint8_t type, is_lazy;
  int32_t value;     /* character, set, assertion, group, least repeats */
  int32_t most;      /* repeats, -1 without end */
  UChar32 folded;    /* what every character of it folds to; -1 where that differs */
  int32_t child, next;
};

struct parser {
  ct_pattern *pattern;
  const uint8_t *source;
  int32_t at, end;
  int flags, depth;
  int32_t emitted; /* nodes, for those that leave no instruction */
  struct node *nodes;
  int32_t node_count, node_capacity;
  ct_pattern_error *error;
};

/* Notes what is wrong at `at`; the first word counts. Always -1. */
static int32_t fail(struct parser *parser, int32_t at, const char *what, const char *attempt) {
  if (parser->error->what) return -1;
  *parser->error = (ct_pattern_error){(size_t)at + 1, what, attempt};
  return -1;
}

static int32_t no_memory(struct parser *parser) { return fail(parser, parser->at, "there is not enough memory", ""); }

static int32_t new_node(struct parser *parser, int type, int32_t value) {
  if (parser->node_count == parser->node_capacity) return no_memory(parser);
  parser->nodes[parser->node_count] = (struct node){.type = (uint8_t)type, .value = value, .folded = -1, .child = -1, .next = -1};
  return parser->node_count++;
}

int pattern_is_word(UChar32 c) {
  return c == '_' || (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

static UChar32 folded_of(UChar32 c) { return u_foldCase(c, U_FOLD_CASE_DEFAULT); }

/* ---- Sets ---- */

static USet *set_of(const char *pattern) {
  UChar wide[64];
  UErrorCode status = U_ZERO_ERROR;
  int32_t count = 0;
  for (; pattern[count] && count < 64; count++) wide[count] = (UChar)pattern[count];
  USet *set = uset_openPattern(wide, count, &status);
  return U_FAILURE(status) ? NULL : set;
}

/* A node for the characters of `set`, which is closed here. */
static int32_t set_node(struct parser *parser, USet *set) {
  ct_pattern *pattern = parser->pattern;
  int32_t items = uset_getItemCount(set), count = 0;
  struct range *ranges = malloc(((size_t)items + 1) * sizeof *ranges);
  for (int32_t item = 0; ranges && item < items; item++) {
    UErrorCode status = U_ZERO_ERROR;
    UChar32 first, last;
    if (uset_getItem(set, item, &first, &last, NULL, 0, &status) == 0 && U_SUCCESS(status)) {
      ranges[count++] = (struct range){first, last};
    }
  }
  uset_close(set);
  if (!ranges) return no_memory(parser);
  if (count == 1 && ranges[0].first == ranges[0].last) {
    UChar32 c = ranges[0].first;
    free(ranges);
    int32_t node = new_node(parser, NODE_CHAR, c);
    if (node >= 0) parser->nodes[node].folded = folded_of(c);
    return node;
  }
  UChar32 folded = count > 0 && count < 8 ? folded_of(ranges[0].first) : -1;
  for (int32_t at = 0; at < count && folded >= 0; at++) {
    if (ranges[at].last - ranges[at].first > 4) folded = -1;
    for (UChar32 c = ranges[at].first; c <= ranges[at].last && folded >= 0; c++) {
      if (folded_of(c) != folded) folded = -1;
    }
  }
  int32_t number = 0;
  for (; number < pattern->set_count; number++) {
    const struct set *other = &pattern->sets[number];
    if (other->count == count && memcmp(other->ranges, ranges, (size_t)count * sizeof *ranges) == 0) break;
  }
  if (number < pattern->set_count) {
    free(ranges);
  } else {
    struct set *moved = number < SETS_MAX ? realloc(pattern->sets, ((size_t)number + 1) * sizeof *moved) : NULL;
    if (!moved) {
      free(ranges);
      return fail(parser, parser->at, "the pattern has too many sets of characters", "two patterns");
    }
    pattern->sets = moved;
    pattern->sets[pattern->set_count++] = (struct set){ranges, count};
  }
  int32_t node = new_node(parser, NODE_SET, number);
  if (node >= 0) parser->nodes[node].folded = folded;
  return node;
}

static void close_over(const struct parser *parser, USet *set) {
  if (!(parser->flags & FLAG_CASE)) return;
  uset_closeOver(set, USET_CASE_INSENSITIVE);
  uset_removeAllStrings(set);
}

static int32_t char_node(struct parser *parser, UChar32 c) {
  USet *set = uset_openEmpty();
  if (!set) return no_memory(parser);
  uset_add(set, c);
  close_over(parser, set);
  return set_node(parser, set);
}

static UChar32 next_char(struct parser *parser) {
  UChar32 c;
  U8_NEXT(parser->source, parser->at, parser->end, c);
  return c;
}

static int peek(const struct parser *parser) { return parser->at < parser->end ? parser->source[parser->at] : -1; }

static int take(struct parser *parser, char byte) {
  if (peek(parser) != (uint8_t)byte) return 0;
  parser->at++;
  return 1;
}

static int hex_value(int byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  return (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10 : -1;
}

/* \xHH, \x{…}, \uHHHH behind the letter; -1 where it is none. */
static UChar32 hex_escape(struct parser *parser, int digits) {
  int is_braced = take(parser, '{'), count = 0;
  UChar32 c = 0;
  while (count < (is_braced ? 6 : digits) && hex_value(peek(parser)) >= 0) {
    c = c << 4 | hex_value(parser->source[parser->at++]);
    count++;
  }
  if (count == 0 || (!is_braced && count < digits) || (is_braced && !take(parser, '}'))) return -1;
  return c <= 0x10ffff && !U_IS_SURROGATE(c) ? c : -1;
}

/* \p{…}, \P{…}, \pL behind the letter. */
static USet *property(struct parser *parser, int32_t start, int is_negated) {
  char name[48] = "[:";
  size_t count = 2;
  int is_braced = take(parser, '{');
  if (is_braced && take(parser, '^')) is_negated = !is_negated;
  while (peek(parser) >= 0 && count < sizeof name - 4 && (is_braced ? peek(parser) != '}' : count < 3)) {
    name[count++] = (char)parser->source[parser->at++];
  }
  if ((is_braced && !take(parser, '}')) || count == 2) name[2] = '?', count = 3;
  memcpy(name + count, ":]", 3);
  USet *set = strpbrk(name + 2, "[\\&") ? NULL : set_of(name);
  if (!set) {
    fail(parser, start, "there is no such property", "\\p{L} for letters, \\p{Han}, \\p{Cyrillic}, \\p{Emoji}");
    return NULL;
  }
  if (is_negated) uset_complement(set);
  return set;
}

/* The set of \d \w \s \p and their opposites, or NULL where `letter` is none of them. */
static USet *class_escape(struct parser *parser, int32_t start, int letter) {
  USet *set = NULL;
  switch (letter | 32) {
    case 'd': set = set_of("[:Nd:]"); break;
    case 'w': set = set_of(WORD_SET); break;
    case 's': set = set_of("[:White_Space:]"); break;
    case 'p': return property(parser, start, letter == 'P');
    default: return NULL;
  }
  if (set && letter < 'a') uset_complement(set);
  return set;
}

/* A character behind a backslash; -1 with the error noted. */
static UChar32 char_escape(struct parser *parser, int32_t start) {
  if (parser->at >= parser->end) {
    return fail(parser, start, "a backslash stands at the end", "\\\\ for the sign itself");
  }
  UChar32 c = next_char(parser);
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return '\a';
    case 'e': return 0x1b;
    case '0': return 0;
    case 'x': case 'u': {
      UChar32 value = hex_escape(parser, c == 'x' ? 2 : 4);
      return value >= 0 ? value : fail(parser, start, "this is no character", "\\x41, \\u00e9 or \\x{1f600}");
    }
    default: break;
  }
  if (c >= '1' && c <= '9') {
    return fail(parser, start, "a group cannot be referred to: that needs more than linear time", "compare two captures");
  }
  if (c < 0 || (c < 0x80 && u_isalnum(c))) return fail(parser, start, "there is no such escape", "\\\\ for a backslash");
  return c;
}

/* [:alpha:] in a set, behind `[`; 0 where it is none. */
static int posix_class(struct parser *parser, USet *set) {
  const uint8_t *bytes = parser->source + parser->at;
  int32_t count = 0, left = parser->end - parser->at;
  if (left < 4 || bytes[0] != ':') return 0;
  while (count < left && count < 20 && bytes[count] != ']') count++;
  if (count == left || count < 3 || bytes[count - 1] != ':') return 0;
  char name[32] = "[";
  memcpy(name + 1, bytes, (size_t)count);
  memcpy(name + 1 + count, "]", 2);
  USet *found = set_of(name);
  if (!found) return fail(parser, parser->at, "there is no such class", "[:alpha:], [:digit:], [:punct:]"), 1;
  uset_addAll(set, found);
  uset_close(found);
  parser->at += count + 1;
  return 1;
}

/* One item of a set: a class, a character or a range. */
static int set_item(struct parser *parser, USet *set) {
  int32_t start = parser->at;
  UChar32 bounds[2] = {0, 0};
  for (int side = 0; side < 2; side++) {
    if (side == 0 && take(parser, '[')) {
      if (posix_class(parser, set)) return parser->error->what == NULL;
      bounds[0] = '[';
    } else if (take(parser, '\\')) {
      int letter = peek(parser);
      USet *class = NULL;
      if (side == 0 && letter > 0 && strchr("dDwWsSpP", letter)) {
        parser->at++;
        class = class_escape(parser, start, letter);
        if (!class) return no_memory(parser), 0;
        uset_addAll(set, class);
        uset_close(class);
        return 1;
      }
      if (letter == 'b') parser->at++, bounds[side] = '\b';
      else bounds[side] = char_escape(parser, parser->at - 1);
    } else {
      bounds[side] = next_char(parser);
    }
    if (parser->error->what) return 0;
    int is_range = peek(parser) == '-' && parser->at + 1 < parser->end && parser->source[parser->at + 1] != ']';
    if (side == 0 && !is_range) {
      uset_add(set, bounds[0]);
      return 1;
    }
    if (side == 0) parser->at++;
  }
  if (bounds[1] < bounds[0]) return fail(parser, start, "the range runs backwards", "[a-z]; a hyphen itself stands last"), 0;
  uset_addRange(set, bounds[0], bounds[1]);
  return 1;
}

static int32_t parse_set(struct parser *parser) {
  int32_t start = parser->at - 1;
  int is_negated = take(parser, '^'), is_first = 1;
  USet *set = uset_openEmpty();
  if (!set) return no_memory(parser);
  while (peek(parser) != ']' || is_first) {
    if (parser->at >= parser->end) fail(parser, start, "this [ is not closed", "\\[ for the sign itself");
    if (parser->error->what || !set_item(parser, set)) {
      uset_close(set);
      return -1;
    }
    is_first = 0;
  }
  parser->at++;
  close_over(parser, set);
  if (is_negated) uset_complement(set);
  return set_node(parser, set);
}

/* ---- Structure ---- */

static int32_t parse_alternatives(struct parser *parser);

/* Flags behind `(?`: 1 where they end in `:`, 0 where they end in `)`, -1 where something is wrong. */
static int parse_flags(struct parser *parser, int32_t start) {
  int is_on = 1;
  for (;;) {
    int byte = peek(parser);
    parser->at++;
    int flag = byte == 'i' ? FLAG_CASE : byte == 's' ? FLAG_DOT_ALL : byte == 'm' ? FLAG_LINES : 0;
    if (flag) {
      parser->flags = is_on ? parser->flags | flag : parser->flags & ~flag;
    } else if (byte == '-' && is_on) {
      is_on = 0;
    } else if (byte == ':' || byte == ')') {
      return byte == ':';
    } else if (byte == '=' || byte == '!' || byte == '<' || byte == '>') {
      return fail(parser, start, "looking around and atomic groups need more than linear time", "two patterns joined by `and`");
    } else {
      return fail(parser, start, "there is no such group", "(?: … ) groups, (?i) ignores case");
    }
  }
}

static int32_t parse_group(struct parser *parser) {
  int32_t start = parser->at - 1;
  int flags = parser->flags, is_captured = 1;
  if (++parser->depth > DEPTH_MAX) return fail(parser, start, "groups are nested deeper than 30", "two patterns");
  if (take(parser, '?')) {
    int is_named = parser->at + 2 < parser->end &&
                   ((parser->source[parser->at] == 'P' && parser->source[parser->at + 1] == '<') ||
                    (parser->source[parser->at] == '<' && pattern_is_word(parser->source[parser->at + 1])));
    if (is_named) { /* a name is for people: captures are counted */
      while (parser->at < parser->end && parser->source[parser->at] != '>') parser->at++;
      parser->at++;
    } else {
      is_captured = 0;
      int kind = parse_flags(parser, start);
      if (kind < 0) return -1;
      if (kind == 0) { /* up to the end of the group around */
        parser->depth--;
        return new_node(parser, NODE_EMPTY, 0);
      }
    }
  }
  int32_t group = 0;
  if (is_captured) {
    if (parser->pattern->groups == GROUPS_MAX) {
      return fail(parser, start, "there are more than 9 groups that capture", "(?: … ) captures nothing");
    }
    group = parser->pattern->groups++;
  }
  int32_t child = parse_alternatives(parser);
  if (child < 0) return -1;
  if (!take(parser, ')')) return fail(parser, start, "this ( is not closed", "\\( for the sign itself");
  parser->depth--;
  parser->flags = flags;
  if (!is_captured) return child;
  int32_t node = new_node(parser, NODE_GROUP, group);
  if (node >= 0) parser->nodes[node].child = child;
  return node;
}

static int32_t parse_escape(struct parser *parser) {
  int32_t start = parser->at - 1;
  int letter = peek(parser);
  static const char assertions[] = "bBAzZ";
  static const int kinds[] = {AT_WORD, AT_NO_WORD, AT_START, AT_END, AT_END};
  const char *found = letter > 0 ? strchr(assertions, letter) : NULL;
  if (found) {
    parser->at++;
    if (letter == 'b' || letter == 'B') { /* the set is there to tell words from gaps */
      USet *words = set_of(WORD_SET);
      if (!words || set_node(parser, words) < 0) return no_memory(parser);
    }
    return new_node(parser, NODE_ASSERT, kinds[found - assertions]);
  }
  if (letter > 0 && strchr("dDwWsSpP", letter)) {
    parser->at++;
    USet *set = class_escape(parser, start, letter);
    return set ? set_node(parser, set) : no_memory(parser);
  }
  UChar32 c = char_escape(parser, start);
  return c < 0 ? -1 : char_node(parser, c);
}

static int32_t parse_atom(struct parser *parser) {
  int32_t start = parser->at;
  UChar32 c = next_char(parser);
  switch (c) {
    case '(': return parse_group(parser);
    case '[': return parse_set(parser);
    case '\\': return parse_escape(parser);
    case '^': return new_node(parser, NODE_ASSERT, parser->flags & FLAG_LINES ? AT_LINE_START : AT_START);
    case '$': return new_node(parser, NODE_ASSERT, parser->flags & FLAG_LINES ? AT_LINE_END : AT_END);
    case '.': {
      USet *set = uset_open(0, 0x10ffff);
      if (!set) return no_memory(parser);
      if (!(parser->flags & FLAG_DOT_ALL)) uset_remove(set, '\n');
      return set_node(parser, set);
    }
    case '*': case '+': case '?':
      return fail(parser, start, "there is nothing to repeat", "a backslash before it for the sign itself");
    case '\b':
      return fail(parser, start, "a backspace stands here", "re[[\\bword\\b]]: between [[ and ]] Lua keeps backslashes");
    default: break;
  }
  if (c < 0) return fail(parser, start, "this is not UTF-8", "save the file as UTF-8");
  return char_node(parser, c);
}

/* {n}, {n,}, {n,m}; 0 where the brace is only a sign. */
static int parse_braces(struct parser *parser, int32_t *least, int32_t *most) {
  int32_t start = parser->at, values[2] = {0, -1};
  parser->at++;
  for (int side = 0; side < 2; side++) {
    int digits = 0;
    int64_t value = 0;
    while (peek(parser) >= '0' && peek(parser) <= '9') {
      if (value < 100000) value = value * 10 + (peek(parser) - '0');
      parser->at++, digits++;
    }
    if (digits > 0) values[side] = (int32_t)value;
    if (side == 0 && digits == 0) break;
    if (take(parser, '}')) {
      *least = values[0];
      *most = side == 0 ? values[0] : values[1];
      if (*most > REPEAT_MAX || *least > REPEAT_MAX) {
        fail(parser, start, "a part cannot be repeated more than 1000 times", "* or + for any number");
      } else if (*most >= 0 && *most < *least) {
        fail(parser, start, "the numbers run backwards", "{2,5}");
      }
      return 1;
    }
    if (side == 1 || !take(parser, ',')) break;
  }
  parser->at = start;
  return 0;
}

static int32_t parse_repeated(struct parser *parser) {
  int32_t atom = parse_atom(parser);
  for (int times = 0; atom >= 0; times++) {
    int32_t least = 0, most = -1, start = parser->at;
    int byte = peek(parser);
    if (byte == '+') least = 1;
    if (byte == '?') most = 1;
    if (byte == '*' || byte == '+' || byte == '?') parser->at++;
    else if (byte != '{' || !parse_braces(parser, &least, &most)) break;
    if (parser->error->what) return -1;
    if (times > 0) return fail(parser, start, "a repeated part is repeated again", "(?: … ) around the first");
    int32_t node = new_node(parser, NODE_REPEAT, least);
    if (node < 0) return -1;
    parser->nodes[node].most = most;
    parser->nodes[node].child = atom;
    parser->nodes[node].is_lazy = (uint8_t)take(parser, '?');
    if (peek(parser) == '+') return fail(parser, parser->at, "possessive repeats do not exist here", "without the second +");
    atom = node;
  }
  return atom;
}

static int32_t parse_sequence(struct parser *parser) {
  int32_t first = -1, last = -1, count = 0;
  while (parser->at < parser->end && peek(parser) != '|' && peek(parser) != ')') {
    int32_t node = parse_repeated(parser);
    if (node < 0) return -1;
    if (first < 0) first = node;
    else parser->nodes[last].next = node;
    last = node;
    count++;
  }
  if (count == 0) return new_node(parser, NODE_EMPTY, 0);
  if (count == 1) return first;
  int32_t node = new_node(parser, NODE_CAT, 0);
  if (node >= 0) parser->nodes[node].child = first;
  return node;
}

static int32_t parse_alternatives(struct parser *parser) {
  int32_t first = parse_sequence(parser), last = first;
  if (first < 0 || peek(parser) != '|') return first;
  while (take(parser, '|')) {
    int32_t node = parse_sequence(parser);
    if (node < 0) return -1;
    parser->nodes[last].next = node;
    last = node;
  }
  int32_t node = new_node(parser, NODE_ALT, 0);
  if (node >= 0) parser->nodes[node].child = first;
  return node;
}

/* ---- From nodes to a program ---- */

static int32_t put(struct parser *parser, int op, int32_t x, int32_t y) {
  ct_pattern *pattern = parser->pattern;
  if (pattern->count == PROGRAM_MAX) {
    return fail(parser, 0, "the pattern is too large", "smaller numbers in {n,m}; a list for many words");
  }
  pattern->program[pattern->count] = (struct instruction){(uint8_t)op, 0, x, y};
  return pattern->count++;
}

static int emit(struct parser *parser, int32_t number);

/* A SPLIT whose ways are `into` (first, where greedy) and `out`. */
static void set_split(ct_pattern *pattern, int32_t at, int32_t into, int32_t out, int is_lazy) {
  pattern->program[at].x = is_lazy ? out : into;
  pattern->program[at].y = is_lazy ? into : out;
}

static int emit_repeat(struct parser *parser, const struct node *node) {
  ct_pattern *pattern = parser->pattern;
  int32_t loop = pattern->count;
  for (int32_t time = 0; time < node->value; time++) {
    loop = pattern->count;
    if (!emit(parser, node->child)) return 0;
  }
  if (node->most < 0) {
    int32_t split = put(parser, OP_SPLIT, 0, 0);
    if (split < 0) return 0;
    if (node->value == 0) {
      if (!emit(parser, node->child) || put(parser, OP_JUMP, split, 0) < 0) return 0;
      set_split(pattern, split, split + 1, pattern->count, node->is_lazy);
    } else {
      set_split(pattern, split, loop, pattern->count, node->is_lazy);
    }
    return 1;
  }
  int32_t first = -1; /* splits wait for their way out in a chain through y */
  for (int32_t time = node->value; time < node->most; time++) {
    int32_t split = put(parser, OP_SPLIT, 0, first);
    if (split < 0 || !emit(parser, node->child)) return 0;
    first = split;
  }
  while (first >= 0) {
    int32_t before = pattern->program[first].y;
    set_split(pattern, first, first + 1, pattern->count, node->is_lazy);
    first = before;
  }
  return 1;
}

static int emit_alternatives(struct parser *parser, const struct node *node) {
  ct_pattern *pattern = parser->pattern;
  int32_t jumps = -1;
  for (int32_t child = node->child; child >= 0; child = parser->nodes[child].next) {
    int is_last = parser->nodes[child].next < 0;
    int32_t split = is_last ? 0 : put(parser, OP_SPLIT, 0, 0);
    if (split < 0 || !emit(parser, child)) return 0;
    if (is_last) break;
    jumps = put(parser, OP_JUMP, jumps, 0);
    if (jumps < 0) return 0;
    set_split(pattern, split, split + 1, pattern->count, 0);
  }
  while (jumps >= 0) {
    int32_t before = pattern->program[jumps].x;
    pattern->program[jumps].x = pattern->count;
    jumps = before;
  }
  return 1;
}

static int emit(struct parser *parser, int32_t number) {
  const struct node *node = &parser->nodes[number];
  int32_t at;
  if (++parser->emitted > EMITTED_MAX) return fail(parser, 0, "the pattern is too large", "smaller numbers in {n,m}"), 0;
  switch (node->type) {
    case NODE_CHAR: return put(parser, OP_CHAR, node->value, 0) >= 0;
    case NODE_SET: return put(parser, OP_SET, node->value, 0) >= 0;
    case NODE_ASSERT:
      at = put(parser, OP_ASSERT, 0, 0);
      if (at >= 0) parser->pattern->program[at].assertion = (uint8_t)node->value;
      parser->pattern->has_assertions = 1;
      return at >= 0;
    case NODE_GROUP:
      return put(parser, OP_SAVE, 2 * node->value, 0) >= 0 && emit(parser, node->child) &&
             put(parser, OP_SAVE, 2 * node->value + 1, 0) >= 0;
    case NODE_REPEAT: return emit_repeat(parser, node);
    case NODE_CAT:
      for (int32_t child = node->child; child >= 0; child = parser->nodes[child].next) {
        if (!emit(parser, child)) return 0;
      }
      return 1;
    case NODE_ALT: return emit_alternatives(parser, node);
    default: return 1;
  }
}

/* ---- What every match contains ---- */

struct need {
  int is_exact; /* the part is always this text: literal 0 */
  int32_t count;
  struct { uint8_t count, bytes[LITERAL_BYTES_MAX]; } literals[LITERALS_MAX];
};

static size_t shortest(const struct need *need) {
  size_t least = need->count ? LITERAL_BYTES_MAX : 0;
  for (int32_t at = 0; at < need->count; at++) {
    if (need->literals[at].count < least) least = need->literals[at].count;
  }
  return least;
}

static void keep_better(struct need *best, const struct need *other) {
  if (shortest(other) > shortest(best)) *best = *other;
  best->is_exact = 0;
}

static void find_need(const struct parser *parser, int32_t number, struct need *out);

static void need_of_sequence(const struct parser *parser, const struct node *node, struct need *out) {
  struct need *run = calloc(2, sizeof *run), *part = run + 1;
  int is_exact = 1;
  memset(out, 0, sizeof *out);
  if (!run) return;
  run->count = 1;
  for (int32_t child = node->child; child >= 0; child = parser->nodes[child].next) {
    find_need(parser, child, part);
    int joins = part->is_exact && run->literals[0].count + part->literals[0].count <= LITERAL_BYTES_MAX;
    if (!joins) {
      keep_better(out, run);
      run->literals[0].count = 0;
      is_exact = 0;
      if (!part->is_exact) keep_better(out, part);
    }
    if (part->is_exact) {
      memcpy(run->literals[0].bytes + run->literals[0].count, part->literals[0].bytes, part->literals[0].count);
      run->literals[0].count = (uint8_t)(run->literals[0].count + part->literals[0].count);
    }
  }
  if (is_exact) *out = *run, out->is_exact = 1;
  else keep_better(out, run);
  free(run);
}

static void need_of_alternatives(const struct parser *parser, const struct node *node, struct need *out) {
  struct need *part = calloc(1, sizeof *part);
  memset(out, 0, sizeof *out);
  for (int32_t child = node->child; part && child >= 0; child = parser->nodes[child].next) {
    find_need(parser, child, part);
    if (part->count == 0 || out->count + part->count > LITERALS_MAX) {
      out->count = 0;
      break;
    }
    memcpy(out->literals + out->count, part->literals, (size_t)part->count * sizeof part->literals[0]);
    out->count += part->count;
  }
  free(part);
}

static void find_need(const struct parser *parser, int32_t number, struct need *out) {
  const struct node *node = &parser->nodes[number];
  switch (node->type) {
    case NODE_CHAR: case NODE_SET:
      memset(out, 0, sizeof *out);
      if (node->folded < 0) return;
      int32_t count = 0;
      U8_APPEND_UNSAFE(out->literals[0].bytes, count, node->folded);
      out->literals[0].count = (uint8_t)count;
      out->count = out->is_exact = 1;
      return;
    case NODE_GROUP: find_need(parser, node->child, out); return;
    case NODE_REPEAT:
      memset(out, 0, sizeof *out);
      if (node->value > 0) find_need(parser, node->child, out);
      out->is_exact = out->is_exact && node->value == 1 && node->most == 1;
      return;
    case NODE_CAT: need_of_sequence(parser, node, out); return;
    case NODE_ALT: need_of_alternatives(parser, node, out); return;
    default:
      memset(out, 0, sizeof *out);
      out->count = out->is_exact = 1;
  }
}

/* Literals of one byte are in every text. */
static void keep_need(struct parser *parser, int32_t root) {
  ct_pattern *pattern = parser->pattern;
  struct need *need = malloc(sizeof *need);
  if (!need) return;
  find_need(parser, root, need);
  if (shortest(need) >= 2) {
    pattern->literal_count = need->count;
    for (int32_t at = 0; at < need->count; at++) {
      pattern->literals[at].count = need->literals[at].count;
      memcpy(pattern->literals[at].bytes, need->literals[at].bytes, need->literals[at].count);
    }
  }
  free(need);
}

int pattern_parse(ct_pattern *pattern, ct_pattern_error *error) {
  struct parser parser = {.pattern = pattern, .source = pattern->source, .end = (int32_t)pattern->source_count,
                          .flags = pattern->ignore_case ? FLAG_CASE : 0, .error = error};
  parser.node_capacity = parser.end * 2 + 16;
  parser.nodes = malloc((size_t)parser.node_capacity * sizeof *parser.nodes);
  pattern->program = malloc(PROGRAM_MAX * sizeof *pattern->program);
  pattern->groups = 1;
  if (!parser.nodes || !pattern->program) {
    no_memory(&parser);
    free(parser.nodes);
    return 0;
  }
  int32_t root = parse_alternatives(&parser);
  if (root >= 0 && parser.at < parser.end) fail(&parser, parser.at, "this ) closes nothing", "\\) for the sign itself");
  if (!error->what) {
    int is_done = put(&parser, OP_SAVE, 0, 0) >= 0 && emit(&parser, root) && put(&parser, OP_SAVE, 1, 0) >= 0 &&
                  put(&parser, OP_MATCH, 0, 0) >= 0;
    if (is_done) keep_need(&parser, root);
  }
  free(parser.nodes);
  if (error->what) return 0;
  struct instruction *fitted = realloc(pattern->program, (size_t)pattern->count * sizeof *fitted);
  if (fitted) pattern->program = fitted;
  return 1;
}
