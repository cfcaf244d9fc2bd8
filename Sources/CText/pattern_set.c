/* Many patterns, one look: the literals that must stand in every match are searched together (Aho and Corasick), in the
 * text's folded case. A pattern none of whose literals is there cannot match. */
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "pattern_internal.h"
#include "text_internal.h"

struct output {
  uint32_t pattern, next; /* number + 1 of the next output of the node */
};

struct ct_patterns {
  ct_pattern **patterns;
  size_t count, capacity;
  uint8_t classes[256]; /* 0: a byte of no literal */
  int32_t class_count;
  int32_t *next; /* node × class */
  uint32_t *outputs_of, *shorter; /* node → output + 1; node → node with a shorter literal */
  struct output *outputs;
  uint32_t node_count, output_count;
  uint32_t *seen; /* node → text in which it was met */
  uint64_t *candidates, *always; /* those of which no literal is known can always match */
  uint32_t text_number;
  int has_text;
  size_t text_count;
  uint8_t text[CT_TEXT_BYTES_MAX];
};

ct_patterns *ct_patterns_create(void) { return calloc(1, sizeof(ct_patterns)); }

void ct_patterns_destroy(ct_patterns *patterns) {
  if (!patterns) return;
  for (size_t at = 0; at < patterns->count; at++) ct_pattern_destroy(patterns->patterns[at]);
  free(patterns->patterns);
  free(patterns->next);
  free(patterns->outputs_of);
  free(patterns->shorter);
  free(patterns->outputs);
  free(patterns->seen);
  free(patterns->candidates);
  free(patterns->always);
  free(patterns);
}

int64_t ct_patterns_add(ct_patterns *patterns, ct_pattern *pattern) {
  if (patterns->count == patterns->capacity) {
    size_t capacity = patterns->capacity ? patterns->capacity * 2 : 16;
    ct_pattern **moved = realloc(patterns->patterns, capacity * sizeof *moved);
    if (!moved) {
      ct_pattern_destroy(pattern);
      return -1;
    }
    patterns->patterns = moved;
    patterns->capacity = capacity;
  }
  patterns->patterns[patterns->count] = pattern;
  return (int64_t)patterns->count++;
}

size_t ct_patterns_count(const ct_patterns *patterns) { return patterns->count; }
ct_pattern *ct_patterns_at(const ct_patterns *patterns, int64_t number) { return patterns->patterns[number]; }

/* Puts the literals of one pattern into the trie. */
static void add_literals(ct_patterns *patterns, size_t number) {
  const ct_pattern *pattern = patterns->patterns[number];
  for (int32_t at = 0; at < pattern->literal_count; at++) {
    uint32_t node = 0;
    for (int byte = 0; byte < pattern->literals[at].count; byte++) {
      int32_t *next = &patterns->next[node * (uint32_t)patterns->class_count + patterns->classes[pattern->literals[at].bytes[byte]]];
      if (!*next) *next = (int32_t)patterns->node_count++;
      node = (uint32_t)*next;
    }
    patterns->outputs[patterns->output_count] = (struct output){(uint32_t)number, patterns->outputs_of[node]};
    patterns->outputs_of[node] = ++patterns->output_count;
  }
}

/* Makes of the trie an automaton that never goes back in the text. */
static int link_nodes(ct_patterns *patterns) {
  uint32_t classes = (uint32_t)patterns->class_count, head = 0, tail = 0;
  uint32_t *queue = malloc(patterns->node_count * sizeof *queue), *failure = calloc(patterns->node_count, sizeof *failure);
  if (!queue || !failure) return free(queue), free(failure), 0;
  for (uint32_t class = 0; class < classes; class++) {
    if (patterns->next[class]) queue[tail++] = (uint32_t)patterns->next[class];
  }
  while (head < tail) {
    uint32_t node = queue[head++], back = failure[node];
    patterns->shorter[node] = patterns->outputs_of[back] ? back : patterns->shorter[back];
    for (uint32_t class = 0; class < classes; class++) {
      int32_t *next = &patterns->next[node * classes + class], other = patterns->next[back * classes + class];
      if (!*next) {
        *next = other;
      } else {
        failure[*next] = (uint32_t)other;
        queue[tail++] = (uint32_t)*next;
      }
    }
  }
  free(queue);
  free(failure);
  return 1;
}

int ct_patterns_seal(ct_patterns *patterns) {
  size_t nodes = 1, outputs = 0;
  patterns->class_count = 1;
  for (size_t at = 0; at < patterns->count; at++) {
    const ct_pattern *pattern = patterns->patterns[at];
    for (int32_t literal = 0; literal < pattern->literal_count; literal++) {
      outputs++;
      nodes += pattern->literals[literal].count;
      for (int byte = 0; byte < pattern->literals[literal].count; byte++) {
        uint8_t *class = &patterns->classes[pattern->literals[literal].bytes[byte]];
        if (!*class) *class = (uint8_t)patterns->class_count++;
      }
    }
  }
  patterns->next = calloc(nodes * (size_t)patterns->class_count, sizeof *patterns->next);
  patterns->outputs_of = calloc(nodes, sizeof *patterns->outputs_of);
  patterns->shorter = calloc(nodes, sizeof *patterns->shorter);
  patterns->seen = calloc(nodes, sizeof *patterns->seen);
  patterns->outputs = calloc(outputs + 1, sizeof *patterns->outputs);
  patterns->candidates = calloc(patterns->count / 64 + 1, sizeof *patterns->candidates);
  patterns->always = calloc(patterns->count / 64 + 1, sizeof *patterns->always);
  if (!patterns->next || !patterns->outputs_of || !patterns->shorter || !patterns->seen || !patterns->outputs ||
      !patterns->candidates || !patterns->always) {
    return 0;
  }
  for (size_t at = 0; at < patterns->count; at++) {
    if (patterns->patterns[at]->literal_count == 0) patterns->always[at / 64] |= (uint64_t)1 << (at % 64);
  }
  patterns->node_count = 1;
  for (size_t at = 0; at < patterns->count; at++) add_literals(patterns, at);
  return link_nodes(patterns);
}

static uint32_t move(ct_patterns *patterns, uint32_t node, uint8_t byte) {
  node = (uint32_t)patterns->next[node * (uint32_t)patterns->class_count + patterns->classes[byte]];
  /* A node met before in this text brings nothing new, nor do the shorter ones behind it. */
  for (uint32_t at = node; at && patterns->seen[at] != patterns->text_number; at = patterns->shorter[at]) {
    patterns->seen[at] = patterns->text_number;
    for (uint32_t output = patterns->outputs_of[at]; output; output = patterns->outputs[output - 1].next) {
      uint32_t pattern = patterns->outputs[output - 1].pattern;
      patterns->candidates[pattern / 64] |= (uint64_t)1 << (pattern % 64);
    }
  }
  return node;
}

static void look_at(ct_patterns *patterns) {
  memcpy(patterns->candidates, patterns->always, (patterns->count / 64 + 1) * sizeof *patterns->candidates);
  if (++patterns->text_number == 0) {
    memset(patterns->seen, 0, patterns->node_count * sizeof *patterns->seen);
    patterns->text_number = 1;
  }
  uint32_t node = 0;
  int32_t at = 0, end = (int32_t)patterns->text_count;
  while (at < end) {
    uint8_t byte = patterns->text[at];
    if (byte < 0x80) {
      node = move(patterns, node, byte >= 'A' && byte <= 'Z' ? byte | 32 : byte);
      at++;
      continue;
    }
    UChar32 c;
    uint8_t folded[8];
    int32_t count = 0;
    U8_NEXT(patterns->text, at, end, c);
    c = u_foldCase(c < 0 ? 0xfffd : c, U_FOLD_CASE_DEFAULT);
    U8_APPEND_UNSAFE(folded, count, c);
    for (int32_t part = 0; part < count; part++) node = move(patterns, node, folded[part]);
  }
}

int64_t ct_patterns_next(ct_patterns *patterns, int64_t number, ct_slice source) {
  if (source.count > CT_TEXT_BYTES_MAX) source.count = CT_TEXT_BYTES_MAX;
  if (!patterns->has_text || patterns->text_count != source.count ||
      memcmp(patterns->text, source.bytes, source.count) != 0) {
    memcpy(patterns->text, source.bytes, source.count);
    patterns->text_count = source.count;
    patterns->has_text = 1;
    look_at(patterns);
  }
  for (size_t at = (size_t)number; at < patterns->count;) {
    uint64_t bits = patterns->candidates[at / 64] >> (at % 64);
    if (bits) {
      at += (size_t)__builtin_ctzll(bits);
      return at < patterns->count ? (int64_t)at : -1;
    }
    at = (at / 64 + 1) * 64;
  }
  return -1;
}
