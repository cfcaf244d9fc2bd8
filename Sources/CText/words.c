/* Words, emoji and likeness of texts. */
#define _GNU_SOURCE
#include <string.h>
#include <unicode/utf8.h>

#include "text_internal.h"

int text_class(UChar32 c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ? CLASS_JOINED : CLASS_GAP;
  if (!u_isalnum(c)) return U_GET_GC_MASK(c) & U_GC_M_MASK ? CLASS_MARK : CLASS_GAP;
  if (c < 0xe00) return CLASS_JOINED;
  /* UAX 14: Han and kana break anywhere; Thai, Lao, Khmer and Burmese need a dictionary. */
  switch (u_getIntPropertyValue(c, UCHAR_LINE_BREAK)) {
    case U_LB_IDEOGRAPHIC: case U_LB_COMPLEX_CONTEXT: case U_LB_CONDITIONAL_JAPANESE_STARTER: case U_LB_NONSTARTER:
      return CLASS_SINGLE;
    default: return CLASS_JOINED;
  }
}

int ct_is_boundary(ct_slice source, size_t at) {
  const uint8_t *text = source.bytes;
  int32_t position = (int32_t)at, end = (int32_t)source.count;
  UChar32 before = -1, after = -1;
  if (position < end) U8_NEXT(text, position, end, after);
  int follows = after < 0 ? CLASS_GAP : text_class(after);
  if (follows == CLASS_GAP || follows == CLASS_SINGLE) return 1;
  position = (int32_t)at;
  if (position > 0) U8_PREV(text, 0, position, before);
  int leads = before < 0 ? CLASS_GAP : text_class(before);
  if (follows == CLASS_MARK) return leads == CLASS_GAP;
  return leads == CLASS_GAP || leads == CLASS_SINGLE;
}

int ct_next_word(ct_slice source, size_t *at, ct_slice *word) {
  int32_t position = (int32_t)*at, end = (int32_t)source.count, start = -1;
  int first = CLASS_GAP;
  while (position < end) {
    int32_t next = position;
    UChar32 c = source.bytes[next];
    int class;
    if (c < 0x80) {
      next++;
      class = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    } else {
      U8_NEXT(source.bytes, next, end, c);
      class = c < 0 ? CLASS_GAP : text_class(c);
    }
    if (start < 0) {
      if (class == CLASS_JOINED || class == CLASS_SINGLE) start = position, first = class;
    } else if (class != CLASS_MARK && (class != CLASS_JOINED || first == CLASS_SINGLE)) {
      break;
    }
    position = next;
  }
  *at = (size_t)position;
  if (start < 0) return 0;
  *word = (ct_slice){source.bytes + start, (size_t)(position - start)};
  return 1;
}

int64_t ct_count(ct_text *text, ct_slice source, ct_slice word, int64_t most) {
  if (word.count > CT_TEXT_BYTES_MAX) return 0;
  size_t word_count = text_transform(text, &text->fold, word, text->word, sizeof text->word);
  ct_slice folded = ct_fold(text, source);
  const uint8_t *hit = word_count ? memmem(folded.bytes, folded.count, text->word, word_count) : NULL;
  if (!hit) return 0;
  /* From the first hit on by Knuth, Morris and Pratt: looking again and again would cost the square for texts made of
   * near-matches. */
  int32_t *failure = text->failure;
  size_t matched = 0;
  failure[0] = 0;
  for (size_t at = 1; at < word_count; at++) {
    while (matched > 0 && text->word[at] != text->word[matched]) matched = (size_t)failure[matched - 1];
    if (text->word[at] == text->word[matched]) matched++;
    failure[at] = (int32_t)matched;
  }
  int64_t found = 0;
  matched = 0;
  for (size_t at = (size_t)(hit - folded.bytes); at < folded.count && found < most; at++) {
    while (matched > 0 && folded.bytes[at] != text->word[matched]) matched = (size_t)failure[matched - 1];
    if (folded.bytes[at] == text->word[matched]) matched++;
    if (matched < word_count) continue;
    matched = (size_t)failure[matched - 1];
    if (!ct_is_boundary(folded, at + 1)) continue;
    if (!ct_is_boundary(folded, at + 1 - word_count)) continue;
    found++;
    matched = 0;
  }
  return found;
}

static UChar32 peek(ct_slice source, int32_t at, int32_t *next) {
  UChar32 c = -1;
  *next = at;
  if (at < (int32_t)source.count) U8_NEXT(source.bytes, *next, (int32_t)source.count, c);
  return c;
}

/* Behind one emoji without joiners that starts at `at`; `at` where none does (UTS 51, ED-13 to ED-16). */
static int32_t emoji_element(ct_slice source, int32_t at) {
  int32_t next, after;
  UChar32 c = peek(source, at, &next), follow = peek(source, next, &after);
  if (c < 0) return at;
  if (c >= 0x1f1e6 && c <= 0x1f1ff) return follow >= 0x1f1e6 && follow <= 0x1f1ff ? after : at;
  if (c < 0x80) {
    if (!((c >= '0' && c <= '9') || c == '#' || c == '*')) return at;
    if (follow == 0xfe0f) follow = peek(source, after, &after);
    return follow == 0x20e3 ? after : at;
  }
  int shown = u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION);
  if (!shown && !u_hasBinaryProperty(c, UCHAR_EMOJI)) return at;
  int is_modifier = follow >= 0x1f3fb && follow <= 0x1f3ff && u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER_BASE);
  if (follow == 0xfe0f || is_modifier) {
    shown = 1;
    next = after;
    if (follow == 0xfe0f) follow = peek(source, next, &after);
    if (!is_modifier && follow == 0x20e3) next = after;
  }
  if (!shown) return at;
  /* Tags, which spell the flags of regions. */
  for (c = peek(source, next, &after); c >= 0xe0020 && c <= 0xe007f; c = peek(source, next, &after)) next = after;
  return next;
}

/* Whether an emoji may begin with this byte: all are in U+0000-00BF, U+2000-3FFF and above U+FFFF. */
static int may_begin_emoji(uint8_t byte) {
  return byte < 0xc0 || byte == 0xc2 || byte == 0xe2 || byte == 0xe3 || byte >= 0xf0;
}

int ct_next_emoji(ct_slice source, size_t *at, ct_slice *emoji) {
  int32_t position = (int32_t)*at, end = (int32_t)source.count;
  while (position < end) {
    /* ASCII begins one only where U+FE0F or U+20E3 follows. */
    if (source.bytes[position] < 0x80 && (position + 1 >= end || source.bytes[position + 1] < 0xe2)) {
      position++;
      for (uint64_t eight; end - position >= 8; position += 7) { /* what follows the eighth is not known yet */
        memcpy(&eight, source.bytes + position, sizeof eight);
        if (eight & 0x8080808080808080) break;
      }
      continue;
    }
    int32_t next = position, joined;
    if (may_begin_emoji(source.bytes[position])) next = emoji_element(source, position);
    if (next == position) {
      U8_FWD_1(source.bytes, position, end);
      continue;
    }
    while (peek(source, next, &joined) == 0x200d) {
      int32_t element = emoji_element(source, joined);
      /* Signs such as the heart need no U+FE0F behind a joiner. */
      if (element == joined && u_hasBinaryProperty(peek(source, joined, &element), UCHAR_EXTENDED_PICTOGRAPHIC) == 0) break;
      next = element;
    }
    *emoji = (ct_slice){source.bytes + position, (size_t)(next - position)};
    *at = (size_t)next;
    return 1;
  }
  *at = source.count;
  return 0;
}

/* Sorts values of 24 bits by three passes of eight. */
static void sort_shingles(uint32_t *values, uint32_t *spare, size_t count) {
  for (int pass = 0; pass < 3; pass++) {
    uint32_t starts[257] = {0};
    int shift = pass * 8;
    for (size_t at = 0; at < count; at++) starts[(values[at] >> shift & 255) + 1]++;
    for (int at = 1; at <= 256; at++) starts[at] += starts[at - 1];
    for (size_t at = 0; at < count; at++) spare[starts[values[at] >> shift & 255]++] = values[at];
    memcpy(values, spare, count * sizeof *values);
  }
}

/* Runs of three bytes, with a blank before and behind the text, sorted. A run fits 24 bits: nothing is hashed. */
static size_t shingles_of(ct_text *text, ct_slice source, uint32_t *out) {
  ct_slice folded = ct_fold(text, source);
  if (folded.count > CT_SIMILAR_BYTES_MAX) folded.count = CT_SIMILAR_BYTES_MAX;
  if (folded.count == 0) return 0;
  uint32_t run = ' ';
  size_t count = 0;
  for (size_t at = 0; at <= folded.count; at++) {
    run = (run << 8 | (at < folded.count ? folded.bytes[at] : ' ')) & 0xffffff;
    if (at > 0) out[count++] = run;
  }
  sort_shingles(out, text->sorted, count);
  return count;
}

double ct_similarity(ct_text *text, ct_slice left, ct_slice right) {
  uint32_t *a = text->shingles[0], *b = text->shingles[1];
  size_t a_count = shingles_of(text, left, a), b_count = shingles_of(text, right, b), shared = 0;
  if (a_count + b_count == 0) return 1;
  for (size_t i = 0, j = 0; i < a_count && j < b_count;) {
    if (a[i] == b[j]) shared++, i++, j++;
    else if (a[i] < b[j]) i++;
    else j++;
  }
  return 2.0 * (double)shared / (double)(a_count + b_count);
}
