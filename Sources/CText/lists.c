/* Lists: exact look-up by hash; words and phrases by a trie over characters, walked from each place where a word may
 * begin, so that a question costs what the text is long, not the list. */
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

#include "text_internal.h"

enum { DEPTH_MAX = 64, ENTRY_BYTES_MAX = 512, LIST_BYTES_MAX = 64 << 20, ROOT_PLAIN = 1, ROOT_SIGNS, ROOT_BARE, ROOTS, FILTER_BITS = 1 << 17 };

struct edge {
  uint64_t key; /* node << 21 | character; 0 is free */
  uint32_t child;
};

struct item {
  uint32_t start, count;             /* as it was added, in the list's bytes */
  uint32_t plain_start, plain_count; /* words of the clean form, joined by blanks */
  uint32_t next;                     /* number + 1 of the next entry with the same letters */
  uint8_t run_count;
  uint8_t runs[DEPTH_MAX]; /* how often each letter stands there in a row */
};

struct ct_list {
  ct_text *text;
  int kind, has_signs;
  /* Which words entries begin with, and which three letters: nearly always enough to know that none begins here. */
  uint64_t first_words[FILTER_BITS / 64], first_letters[FILTER_BITS / 64];
  uint64_t first_units, second_units[UNITS]; /* low bits of the first letter; by these, of the second */
  uint8_t *bytes;
  size_t byte_count, byte_capacity;
  struct item *items;
  size_t count, capacity;
  uint32_t *exact; /* number + 1 by hash */
  size_t exact_capacity;
  struct edge *edges;
  size_t edge_count, edge_capacity;
  uint32_t node_count, node_capacity;
  uint32_t *ends; /* by node: number + 1 of the first entry that ends there */
  uint8_t scratch[OUT_BYTES];
};

static uint64_t hash_bytes(const uint8_t *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t at = 0; at < count; at++) hash = (hash ^ bytes[at]) * 0x100000001b3;
  return hash ^ hash >> 29;
}

static int is_marked(const uint64_t *filter, uint64_t hash) {
  hash &= FILTER_BITS - 1;
  return filter[hash / 64] >> (hash % 64) & 1;
}

static void mark(uint64_t *filter, uint64_t hash) {
  hash &= FILTER_BITS - 1;
  filter[hash / 64] |= (uint64_t)1 << (hash % 64);
}

static uint64_t hash_letters(UChar32 first, UChar32 second, UChar32 third) {
  uint64_t key = ((uint64_t)first * 0x110000 + (uint64_t)second) * 0x9e3779b97f4a7c15 + (uint64_t)third;
  return key * 0xff51afd7ed558ccd >> 40;
}

static size_t slot_of(uint64_t key, size_t capacity) {
  key *= 0x9e3779b97f4a7c15;
  return (size_t)(key >> 32) & (capacity - 1);
}

/* Letters that digits and signs stand for, after folding (0 and o, 1 and l are one there). */
static UChar32 leet(UChar32 c) {
  switch (c) {
    case '3': case 0x20ac: return 'e';
    case '4': case '@': return 'a';
    case '5': case '$': return 's';
    case '7': case '+': return 't';
    case '8': return 'b';
    case '9': return 'g';
    case '!': case 0xa1: return 'l';
    case 0xa2: return 'c';
    default: return c;
  }
}

void text_open_units(ct_text *text) {
  for (UChar32 c = 0; c < 128; c++) {
    const struct entry *entry = &text->fold.ascii[c];
    struct ascii_unit *unit = &text->ascii[c];
    unit->is_sign = text_class(c) == CLASS_GAP;
    unit->looks_like_letter = unit->is_sign && leet(c) != c;
    unit->is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    unit->kind = entry->count == 0 ? UNIT_NOTHING : UNIT_OTHER;
    text->plain_units[c].kind = text->plain_units[c + 128].kind = UNIT_OTHER;
    int is_m = entry->count == 2 && memcmp(entry->bytes, "rn", 2) == 0; /* as put_letter has it */
    if (entry->count != 1 && !is_m) continue;
    UChar32 letter = is_m ? 'm' : leet(entry->bytes[0]);
    unit->letter = (uint8_t)letter;
    if (letter < 128) unit->kind = entry->bytes[0] == ' ' ? UNIT_BLANK : UNIT_LETTER;
    if (unit->kind == UNIT_LETTER && !unit->is_sign) {
      text->plain_units[c] = (struct unit){letter, UNIT_LETTER, unit->is_letter ? UNIT_IS_LETTER : 0, 0, 0};
    }
  }
}

ct_list *ct_list_create(ct_text *text, int kind) {
  ct_list *list = calloc(1, sizeof *list);
  if (!list) return NULL;
  list->text = text;
  list->kind = kind;
  list->node_count = ROOTS;
  return list;
}

void ct_list_destroy(ct_list *list) {
  if (!list) return;
  free(list->bytes);
  free(list->items);
  free(list->exact);
  free(list->edges);
  free(list->ends);
  free(list);
}

size_t ct_list_count(const ct_list *list) { return list->count; }

ct_slice ct_list_entry(const ct_list *list, int64_t number) {
  const struct item *item = &list->items[number];
  return (ct_slice){list->bytes + item->start, item->count};
}

/* Room for `wanted` elements of `size` bytes; 0 where there is none. New memory is zero. */
static int grow(void **block, size_t *capacity, size_t wanted, size_t size) {
  if (wanted <= *capacity) return 1;
  size_t larger = *capacity ? *capacity * 2 : 64;
  while (larger < wanted) larger *= 2;
  uint8_t *moved = realloc(*block, larger * size);
  if (!moved) return 0;
  memset(moved + *capacity * size, 0, (larger - *capacity) * size);
  *block = moved;
  *capacity = larger;
  return 1;
}

static int keep_bytes(ct_list *list, const uint8_t *bytes, size_t count, uint32_t *start) {
  if (list->byte_count + count > LIST_BYTES_MAX) return 0;
  if (!grow((void **)&list->bytes, &list->byte_capacity, list->byte_count + count + 1, 1)) return 0;
  memcpy(list->bytes + list->byte_count, bytes, count);
  *start = (uint32_t)list->byte_count;
  list->byte_count += count;
  return 1;
}

static uint32_t child_of(const ct_list *list, uint32_t node, UChar32 c) {
  if (list->edge_capacity == 0) return 0;
  uint64_t key = (uint64_t)node << 21 | (uint64_t)c;
  for (size_t slot = slot_of(key, list->edge_capacity);; slot = (slot + 1) & (list->edge_capacity - 1)) {
    if (list->edges[slot].key == key) return list->edges[slot].child;
    if (list->edges[slot].key == 0) return 0;
  }
}

static void put_edge(struct edge *edges, size_t capacity, struct edge edge) {
  size_t slot = slot_of(edge.key, capacity);
  while (edges[slot].key != 0) slot = (slot + 1) & (capacity - 1);
  edges[slot] = edge;
}

/* The child, made where there is none; 0 where memory is short. */
static uint32_t make_child(ct_list *list, uint32_t node, UChar32 c) {
  uint32_t child = child_of(list, node, c);
  if (child) return child;
  if (list->edge_count * 5 >= list->edge_capacity * 3) {
    size_t capacity = list->edge_capacity ? list->edge_capacity * 2 : 256;
    struct edge *edges = calloc(capacity, sizeof *edges);
    if (!edges) return 0;
    for (size_t at = 0; at < list->edge_capacity; at++) {
      if (list->edges[at].key) put_edge(edges, capacity, list->edges[at]);
    }
    free(list->edges);
    list->edges = edges;
    list->edge_capacity = capacity;
  }
  size_t nodes = list->node_capacity;
  if (!grow((void **)&list->ends, &nodes, list->node_count + 1, sizeof *list->ends)) return 0;
  list->node_capacity = (uint32_t)nodes;
  put_edge(list->edges, list->edge_capacity, (struct edge){(uint64_t)node << 21 | (uint64_t)c, list->node_count});
  list->edge_count++;
  return list->node_count++;
}

static uint32_t end_at(const ct_list *list, uint32_t node) { return node < list->node_capacity ? list->ends[node] : 0; }

/* What is compared when a value is looked up whole. Valid until the next call. */
static ct_slice normalise(ct_list *list, ct_slice value) {
  if (list->kind == CT_WORDS) {
    size_t limit = value.count < ENTRY_BYTES_MAX ? value.count : ENTRY_BYTES_MAX + 1;
    return (ct_slice){list->scratch, text_transform(list->text, &list->text->fold, (ct_slice){value.bytes, limit},
                                                    list->scratch, sizeof list->scratch)};
  }
  if (list->kind == CT_NAMES) return value;
  if (value.count > 2 && memcmp(value.bytes, "*.", 2) == 0) value.bytes += 2, value.count -= 2;
  while (value.count > 0 && value.bytes[0] == '.') value.bytes++, value.count--;
  ct_slice host = ct_host(value);
  if (host.count > 4 && (host.bytes[0] | 32) == 'w' && (host.bytes[1] | 32) == 'w' && (host.bytes[2] | 32) == 'w' &&
      host.bytes[3] == '.') {
    host.bytes += 4, host.count -= 4;
  }
  for (size_t at = 0; at < host.count; at++) {
    uint8_t byte = host.bytes[at];
    list->scratch[at] = byte >= 'A' && byte <= 'Z' ? byte | 32 : byte;
  }
  return (ct_slice){list->scratch, host.count};
}

/* Slot of the entry with this normalised form, or the free slot where it belongs. Entries keep that form behind their own
 * (plain_start) unless they are words, whose plain form is the clean one. */
static size_t exact_slot(const ct_list *list, ct_slice value) {
  size_t slot = slot_of(hash_bytes(value.bytes, value.count), list->exact_capacity);
  for (;; slot = (slot + 1) & (list->exact_capacity - 1)) {
    uint32_t number = list->exact[slot];
    if (number == 0) return slot;
    const struct item *item = &list->items[number - 1];
    const uint8_t *kept = list->bytes + item->start + item->count; /* the normalised form follows the entry */
    size_t count = item->plain_start - item->start - item->count;
    if (count == value.count && memcmp(kept, value.bytes, count) == 0) return slot;
  }
}

static int grow_exact(ct_list *list) {
  if ((list->count + 1) * 2 <= list->exact_capacity) return 1;
  size_t capacity = list->exact_capacity ? list->exact_capacity * 2 : 256;
  uint32_t *exact = calloc(capacity, sizeof *exact);
  if (!exact) return 0;
  uint32_t *old = list->exact;
  size_t old_capacity = list->exact_capacity;
  list->exact = exact;
  list->exact_capacity = capacity;
  for (size_t at = 0; at < old_capacity; at++) {
    if (!old[at]) continue;
    const struct item *item = &list->items[old[at] - 1];
    ct_slice form = {list->bytes + item->start + item->count, item->plain_start - item->start - item->count};
    exact[exact_slot(list, form)] = old[at];
  }
  free(old);
  return 1;
}

/* The words of a clean text joined by single blanks, into `out`, which has room for `source`. */
static size_t join_words(ct_slice source, uint8_t *out) {
  size_t at = 0, written = 0;
  ct_slice word;
  while (ct_next_word(source, &at, &word)) {
    if (written > 0) out[written++] = ' ';
    memcpy(out + written, word.bytes, word.count);
    written += word.count;
  }
  return written;
}

/* ---- From a text to units ---- */

/* Appends a letter; r and n, which fold to what m folds to, are m again. */
static size_t put_letter(struct unit *units, size_t count, struct unit unit) {
  if (unit.c == 'n' && count > 0 && units[count - 1].c == 'r' && units[count - 1].kind == UNIT_LETTER) {
    units[count - 1].c = 'm';
    units[count - 1].to = unit.to;
    units[count - 1].flags = (uint8_t)((units[count - 1].flags & ~UNIT_ENDS) | (unit.flags & (UNIT_ENDS | UNIT_IS_LETTER)));
    return count;
  }
  units[count] = unit;
  return count + 1;
}

/* Appends what is no letter; the letter before it ends a word. */
static size_t put_between(struct unit *units, size_t count, struct unit unit) {
  if (count > 0 && units[count - 1].kind == UNIT_LETTER) units[count - 1].flags |= UNIT_ENDS;
  units[count] = unit;
  return count + 1;
}

/* With `signs`, signs that look like letters are letters; else they are gaps as other signs are. */
static size_t make_units(ct_text *text, ct_slice source, int signs, struct unit *units, int *has_signs) {
  size_t count = 0;
  *has_signs = 0;
  int32_t at = 0, end = (int32_t)(source.count < CT_TEXT_BYTES_MAX ? source.count : CT_TEXT_BYTES_MAX);
  int before = CLASS_GAP;
  while (at < end && count + CT_UNIT_BYTES < OUT_BYTES) {
    int32_t from = at;
    UChar32 c = source.bytes[at];
    struct entry spare;
    const struct entry *entry = NULL;
    const struct ascii_unit *ascii = c < 0x80 ? &text->ascii[c] : NULL;
    int class, is_sign, is_letter, looks_like_letter;
    UChar32 letter;
    struct unit unit = {' ', UNIT_BLANK, 0, (uint16_t)from, (uint16_t)(at + 1)};
    const struct unit *plain = &text->plain_units[source.bytes[at]];
    if (plain->kind == UNIT_LETTER) { /* what most texts are made of, a word at a time */
      int starts = before == CLASS_GAP || before == CLASS_SINGLE;
      if (before == CLASS_SINGLE && count > 0) units[count - 1].flags |= UNIT_ENDS;
      before = CLASS_JOINED;
      unit = *plain;
      unit.flags |= starts ? UNIT_STARTS : 0;
      unit.from = (uint16_t)at;
      unit.to = (uint16_t)++at;
      count = put_letter(units, count, unit);
      for (; at < end && count < OUT_BYTES; at++) {
        plain = &text->plain_units[source.bytes[at]];
        if (plain->kind != UNIT_LETTER) break;
        struct unit *next = &units[count++];
        next->c = plain->c;
        next->kind = UNIT_LETTER;
        next->flags = plain->flags;
        next->from = (uint16_t)at;
        next->to = (uint16_t)(at + 1);
        if (plain->c == 'n') count = put_letter(units, count - 1, *next);
      }
      continue;
    }
    if (ascii && ascii->kind != UNIT_OTHER) {
      at++;
      if (ascii->kind == UNIT_NOTHING) continue;
      if (ascii->kind == UNIT_BLANK) {
        before = CLASS_GAP;
        count = put_between(units, count, unit);
        continue;
      }
      is_sign = ascii->is_sign;
      letter = ascii->letter;
      is_letter = ascii->is_letter;
      class = is_sign ? CLASS_GAP : CLASS_JOINED;
      looks_like_letter = ascii->looks_like_letter;
    } else {
      U8_NEXT(source.bytes, at, end, c);
      unit.to = (uint16_t)at;
      entry = text_entry(text, &text->fold, c < 0 ? 0xfffd : c, &spare);
      if (entry->count == 0) continue;
      if (entry->count == 1 && entry->bytes[0] == ' ') {
        before = CLASS_GAP;
        count = put_between(units, count, unit);
        continue;
      }
      class = c < 0 ? CLASS_GAP : entry->class;
      letter = entry->single;
      is_letter = entry->is_letter;
      is_sign = class == CLASS_GAP;
      looks_like_letter = is_sign && leet(c) != c;
    }
    if (looks_like_letter) {
      *has_signs = 1;
      if (signs) class = CLASS_JOINED;
    }
    if (class == CLASS_MARK) class = before == CLASS_GAP ? CLASS_GAP : before;
    if (class == CLASS_GAP) {
      unit.kind = UNIT_GAP;
      before = CLASS_GAP;
      count = put_between(units, count, unit);
      continue;
    }
    int starts = before == CLASS_GAP || before == CLASS_SINGLE || class == CLASS_SINGLE;
    if (count > 0 && starts && before != CLASS_GAP) units[count - 1].flags |= UNIT_ENDS;
    before = class;
    unit.kind = UNIT_LETTER;
    unit.flags = (uint8_t)((starts ? UNIT_STARTS : 0) | (is_letter ? UNIT_IS_LETTER : 0) | (is_sign ? UNIT_IS_SIGN : 0));
    if (letter) {
      unit.c = leet(letter);
      count = put_letter(units, count, unit);
      continue;
    }
    for (int32_t part = 0; part < entry->count;) {
      U8_NEXT(entry->bytes, part, entry->count, letter);
      unit.c = leet(letter);
      count = put_letter(units, count, unit);
      unit.flags &= (uint8_t)~UNIT_STARTS;
    }
  }
  if (count > 0 && units[count - 1].kind == UNIT_LETTER) units[count - 1].flags |= UNIT_ENDS;
  /* Signs around a word may be letters or not: `$pam!` has an s and no l. */
  for (size_t unit = 1; signs && unit < count; unit++) {
    int after_sign = units[unit - 1].flags & UNIT_IS_SIGN && units[unit - 1].flags & UNIT_STARTS;
    if (after_sign && units[unit].kind == UNIT_LETTER) units[unit].flags |= UNIT_STARTS;
  }
  for (size_t unit = count; signs && unit-- > 1;) {
    int before_sign = units[unit].flags & UNIT_IS_SIGN && units[unit].flags & UNIT_ENDS;
    if (before_sign && units[unit - 1].kind == UNIT_LETTER) units[unit - 1].flags |= UNIT_ENDS;
  }
  return count;
}

/* The units of a text, which stay valid until another text is asked about. */
static const struct prepared_units *to_units(ct_text *text, ct_slice source, int signs) {
  struct prepared_units *kept = &text->units[signs];
  if (source.count > CT_TEXT_BYTES_MAX) source.count = CT_TEXT_BYTES_MAX;
  if (kept->is_valid && kept->source_count == source.count && memcmp(kept->source, source.bytes, source.count) == 0) {
    return kept;
  }
  memcpy(kept->source, source.bytes, source.count);
  kept->source_count = source.count;
  kept->is_valid = 1;
  kept->count = make_units(text, source, signs, kept->units, &kept->has_signs);
  return kept;
}

/* ---- Adding ---- */

static int add_plain(ct_list *list, uint32_t root, ct_slice form, uint32_t number) {
  uint32_t node = root;
  int32_t at = 0, end = (int32_t)form.count;
  while (at < end) {
    UChar32 c;
    U8_NEXT(form.bytes, at, end, c);
    node = make_child(list, node, c < 0 ? 0xfffd : c);
    if (!node) return -1;
  }
  if (node != root && !list->ends[node]) list->ends[node] = number;
  return 1;
}

/* The entry's letters, each once, into the trie of bare letters; entries too long for it are found undisguised only. */
static int add_bare(ct_list *list, ct_slice entry, uint32_t number) {
  struct item *item = &list->items[number - 1];
  const struct prepared_units *units = to_units(list->text, entry, 0);
  uint32_t node = ROOT_BARE;
  UChar32 last = 0, first[3] = {0};
  int letters = 0;
  for (size_t at = 0; at < units->count; at++) {
    struct unit unit = units->units[at];
    if (unit.kind == UNIT_GAP) continue;
    if (unit.kind == UNIT_LETTER) letters++;
    if (unit.c == last) {
      if (item->runs[item->run_count - 1] < 255) item->runs[item->run_count - 1]++;
      continue;
    }
    if (item->run_count == DEPTH_MAX) return 1;
    node = make_child(list, node, unit.c);
    if (!node) return -1;
    if (item->run_count == 0) list->first_units |= (uint64_t)1 << (unit.c & 63);
    if (item->run_count == 1) list->second_units[first[0] & 63] |= (uint64_t)1 << (unit.c & 63);
    if (item->run_count < 3) first[item->run_count] = unit.c;
    item->runs[item->run_count++] = 1;
    last = unit.c;
    if (item->run_count == 3) mark(list->first_letters, hash_letters(first[0], first[1], first[2]));
  }
  if (letters < 2) return 1;
  uint32_t *link = &list->ends[node];
  while (*link) link = &list->items[*link - 1].next;
  *link = number;
  return 1;
}

/* Whether an entry means its signs: `#tag`, `$$$`, `c++`, an emoji; not `e-mail`, `don't`, `u.s.`. */
static int has_own_signs(ct_slice form) {
  int32_t at = 0, end = (int32_t)form.count;
  int words = 0;
  while (at < end) {
    UChar32 c;
    U8_NEXT(form.bytes, at, end, c);
    if (c < 0) return 1;
    int class = text_class(c);
    words |= class != CLASS_GAP;
    if (class == CLASS_GAP && !(c < 0x80 && strchr(" .,'-/:;\"_()", (int)c))) return 1;
  }
  return !words;
}

int ct_list_add(ct_list *list, ct_slice entry) {
  if (entry.count > ENTRY_BYTES_MAX) return 0;
  if (!grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items)) return -1;
  if (!grow_exact(list)) return -1;
  struct item *item = &list->items[list->count];
  memset(item, 0, sizeof *item);
  uint32_t ignored;
  ct_slice form = normalise(list, entry);
  if (form.count == 0) return 0;
  size_t slot = exact_slot(list, form);
  if (list->exact[slot]) return 1; /* there already */
  size_t byte_count = list->byte_count;
  if (!keep_bytes(list, entry.bytes, entry.count, &item->start)) return -1;
  item->count = (uint32_t)entry.count;
  if (!keep_bytes(list, form.bytes, form.count, &ignored)) return -1;
  item->plain_start = (uint32_t)list->byte_count;
  uint32_t number = (uint32_t)list->count + 1;
  if (list->kind == CT_WORDS) {
    uint8_t words[ENTRY_BYTES_MAX * 16];
    int has_signs = has_own_signs(form);
    size_t count = has_signs ? 0 : join_words(form, words);
    if (add_plain(list, has_signs ? ROOT_SIGNS : ROOT_PLAIN, has_signs ? form : (ct_slice){words, count}, number) < 0) {
      return -1;
    }
    if (has_signs) list->has_signs = 1;
    size_t at = 0;
    ct_slice first;
    if (!has_signs && ct_next_word((ct_slice){words, count}, &at, &first)) {
      mark(list->first_words, hash_bytes(first.bytes, first.count));
    }
    count = join_words(ct_clean(list->text, entry), words);
    if (!keep_bytes(list, words, count, &ignored)) return -1;
    item->plain_count = (uint32_t)count;
    if (!has_signs && add_bare(list, entry, number) < 0) return -1;
  }
  if (list->byte_count == byte_count) return 0;
  list->exact[slot] = number;
  list->count++;
  return 1;
}

/* ---- Asking ---- */

int64_t ct_list_find(ct_list *list, ct_slice value) {
  if (list->count == 0 || value.count > CT_TEXT_BYTES_MAX) return -1;
  ct_slice form = normalise(list, value);
  if (form.count == 0) return -1;
  return (int64_t)list->exact[exact_slot(list, form)] - 1;
}

int64_t ct_list_domain(ct_list *list, ct_slice host) {
  if (list->count == 0 || list->kind != CT_DOMAINS || host.count > CT_TEXT_BYTES_MAX) return -1;
  ct_slice form = normalise(list, host);
  while (form.count > 0) {
    int64_t found = (int64_t)list->exact[exact_slot(list, form)] - 1;
    if (found >= 0) return found;
    const uint8_t *dot = memchr(form.bytes, '.', form.count);
    if (!dot) return -1;
    form.count -= (size_t)(dot - form.bytes) + 1;
    form.bytes = dot + 1;
  }
  return -1;
}

/* The longest entry whose words stand at `start` of a folded text, by number + 1. */
static uint32_t plain_at(const ct_list *list, ct_slice text, size_t start, int64_t *steps) {
  uint32_t node = ROOT_PLAIN, best = 0;
  size_t at = start;
  ct_slice word;
  while (ct_next_word(text, &at, &word)) {
    if (node != ROOT_PLAIN) {
      node = child_of(list, node, ' ');
      if (!node) return best;
    }
    int32_t in = 0, end = (int32_t)word.count;
    while (in < end) {
      UChar32 c;
      U8_NEXT(word.bytes, in, end, c);
      ++*steps;
      node = child_of(list, node, c < 0 ? 0xfffd : c);
      if (!node) return best;
    }
    if (end_at(list, node)) best = end_at(list, node);
  }
  return best;
}

/* An entry that means its signs at `start`, by number + 1. A word at its end must end there. */
static uint32_t signs_at(const ct_list *list, ct_slice text, size_t start, int64_t *steps) {
  uint32_t node = ROOT_SIGNS, best = 0;
  int32_t at = (int32_t)start, end = (int32_t)text.count;
  while (at < end) {
    UChar32 c;
    U8_NEXT(text.bytes, at, end, c);
    ++*steps;
    node = child_of(list, node, c < 0 ? 0xfffd : c);
    if (!node) return best;
    if (end_at(list, node) && ct_is_boundary(text, (size_t)at)) best = end_at(list, node);
  }
  return best;
}

int64_t ct_list_word(ct_list *list, ct_slice source, int64_t *work) {
  int64_t most = *work, steps = 0;
  ct_slice folded = ct_fold(list->text, source), word;
  size_t at = 0, from = 0;
  *work = 0;
  if (list->kind != CT_WORDS) return -1;
  for (int more = 1; more;) {
    more = ct_next_word(folded, &at, &word);
    size_t start = more ? (size_t)(word.bytes - folded.bytes) : folded.count;
    /* What stands between this word and the one before, and the word itself. */
    for (; list->has_signs && from < folded.count && from <= start; from++) {
      if ((folded.bytes[from] & 0xc0) == 0x80 || folded.bytes[from] == ' ') continue;
      uint32_t found = signs_at(list, folded, from, &steps);
      if (found) return *work = steps, (int64_t)found - 1;
    }
    int begins = more && is_marked(list->first_words, hash_bytes(word.bytes, word.count));
    uint32_t found = begins ? plain_at(list, folded, start, &steps) : 0;
    if (from < at) from = at;
    *work = ++steps;
    if (found) return (int64_t)found - 1;
    if (steps > most) return -2;
  }
  return -1;
}

/* ---- Disguises ---- */

/* Letters that words of Latin alphabets seldom double: two of them are a disguise, of others it takes three. */
static int is_stretched(UChar32 c, int run) {
  return run >= 3 || (run == 2 && c < 0x80 && strchr("ahijkquvwxy", (int)c) != NULL);
}

struct walk {
  uint32_t node, before; /* the node without the last letter */
  int depth, letters;
  UChar32 letter[DEPTH_MAX];
  int run[DEPTH_MAX];
};

static uint32_t fitting(const ct_list *list, const struct walk *walk, uint32_t node, int depth) {
  uint32_t best = 0;
  int best_length = 0;
  for (uint32_t number = end_at(list, node); number; number = list->items[number - 1].next) {
    const struct item *item = &list->items[number - 1];
    int fits = item->run_count == depth, length = 0;
    for (int at = 0; fits && at < depth; at++) {
      int run = walk->run[at], wanted = item->runs[at];
      fits = run == wanted || (run > wanted && is_stretched(walk->letter[at], run));
      length += wanted;
    }
    if (fits && length > best_length) best = number, best_length = length;
  }
  return best;
}

/* Whether `shown` is the entry as anybody would write it, perhaps with a plural's s. */
static int is_plain(ct_list *list, ct_slice shown, const struct item *item) {
  size_t count = text_transform(list->text, &list->text->clean, shown, list->scratch, sizeof list->scratch);
  uint8_t joined[CT_UNIT_BYTES * 4 * DEPTH_MAX];
  if (count * 2 > sizeof joined) return 0;
  count = join_words((ct_slice){list->scratch, count}, joined);
  const uint8_t *plain = list->bytes + item->plain_start;
  if (count == item->plain_count + 1 && joined[count - 1] == 's') count--;
  return count == item->plain_count && memcmp(joined, plain, count) == 0;
}

/* One more letter. 0 where no entry goes on like this. */
static int step(const ct_list *list, struct walk *walk, UChar32 c) {
  if (walk->depth > 0 && walk->letter[walk->depth - 1] == c && c != ' ') {
    walk->run[walk->depth - 1]++;
    return 1;
  }
  if (walk->depth == DEPTH_MAX) return 0;
  if (walk->depth == 2 && !is_marked(list->first_letters, hash_letters(walk->letter[0], walk->letter[1], c))) return 0;
  uint32_t next = child_of(list, walk->node, c);
  /* A plural's s may follow what no entry goes on with. */
  if (!next && !(c == 's' && end_at(list, walk->node))) return 0;
  walk->before = walk->node;
  walk->node = next;
  walk->letter[walk->depth] = c;
  walk->run[walk->depth++] = 1;
  return 1;
}

/* The entry that ends with the letter the walk took last. */
static uint32_t entry_here(const ct_list *list, const struct walk *walk) {
  uint32_t found = walk->node ? fitting(list, walk, walk->node, walk->depth) : 0;
  int last = walk->depth - 1;
  if (!found && last >= 3 && walk->letter[last] == 's' && walk->run[last] == 1) {
    found = fitting(list, walk, walk->before, last);
  }
  return found;
}

/* The longest fitting entry from unit `start` on. With `spaced`, single letters with blanks between them are one word. */
static uint32_t bare_at(ct_list *list, ct_slice source, const struct prepared_units *units, size_t start, int spaced,
                        int only_disguised, int *is_disguised, int64_t *steps) {
  struct walk walk; /* most of it is written before it is read: letters and runs up to the depth */
  walk.node = ROOT_BARE;
  walk.depth = walk.letters = 0;
  uint32_t best = 0;
  int has_letter = 0, has_blank = 0;
  for (size_t at = start; at < units->count; at++) {
    const struct unit *unit = &units->units[at];
    ++*steps;
    if (unit->kind == UNIT_GAP) continue;
    if (unit->kind == UNIT_BLANK) {
      if (spaced) has_blank = 1;
      else if (walk.depth > 0 && walk.letter[walk.depth - 1] != ' ' && !step(list, &walk, ' ')) break;
      continue;
    }
    int is_single = (unit->flags & (UNIT_STARTS | UNIT_ENDS)) == (UNIT_STARTS | UNIT_ENDS);
    if (spaced && !is_single) break;
    if (!step(list, &walk, unit->c)) break;
    walk.letters++;
    has_letter |= unit->flags & UNIT_IS_LETTER;
    if (!(unit->flags & UNIT_ENDS) || !has_letter || (spaced && (walk.letters < 3 || !has_blank))) {
      if (!walk.node) break;
      continue;
    }
    uint32_t found = entry_here(list, &walk);
    if (found) {
      size_t from = units->units[start].from;
      ct_slice shown = {source.bytes + from, unit->to - from};
      int hides = spaced || !is_plain(list, shown, &list->items[found - 1]);
      if (hides || !only_disguised) best = found, *is_disguised = hides;
    }
    if (!walk.node) break;
  }
  return best;
}

/* Whether an entry may begin with the letters at `start`, by the first two of them. */
static int may_begin(const ct_list *list, const struct prepared_units *units, size_t start) {
  const struct unit *first = &units->units[start], *second = first + 1;
  if (!(list->first_units >> (first->c & 63) & 1)) return 0;
  if (first->flags & UNIT_ENDS || start + 1 == units->count || second->kind != UNIT_LETTER) return 1;
  /* A letter again is a longer run of it, and an s may be a plural's. */
  return second->c == first->c || second->c == 's' || list->second_units[first->c & 63] >> (second->c & 63) & 1;
}

int64_t ct_list_censored(ct_list *list, ct_slice source, int only_disguised, int *is_disguised, int64_t *work) {
  int64_t most = *work, steps = 0;
  *work = 0;
  *is_disguised = 0;
  if (list->kind != CT_WORDS) return -1;
  /* First as words, then with signs for letters: `wow!` is no disguise of `wowl`, but `sh!t` is one. */
  for (int signs = 0, has_signs = 1; signs <= has_signs; signs++) {
    const struct prepared_units *units = to_units(list->text, source, signs);
    has_signs = units->has_signs;
    steps += (int64_t)units->count;
    for (size_t start = 0; start < units->count; start++) {
      if (!(units->units[start].flags & UNIT_STARTS)) continue;
      if (!may_begin(list, units, start)) {
        steps++;
        continue;
      }
      int is_single = units->units[start].flags & UNIT_ENDS;
      uint32_t found = bare_at(list, source, units, start, 0, only_disguised, is_disguised, &steps);
      if (!found && is_single) {
        found = bare_at(list, source, units, start, 1, only_disguised, is_disguised, &steps);
      }
      *work = steps;
      if (found) return (int64_t)found - 1;
      if (steps > most) return -2;
    }
  }
  *work = steps;
  return -1;
}
