/* Folding and cleaning, character by character.
 *
 * Folding makes alike what looks alike: NFKD, without combining marks and default-ignorable characters; capitals that
 * look like a Latin letter by their UTS 39 skeleton, else lower case and then the skeleton; at last 0 and o, and 1, i, l
 * and | are one. Cleaning keeps a text readable: NFKC and case folding, without what is invisible or decorates. In
 * both, runs of blanks are one blank. */
#include <stdlib.h>
#include <string.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "text_internal.h"

static int is_dropped(UChar32 c) {
  int8_t type = u_charType(c);
  return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR || type == U_CONTROL_CHAR ||
         u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static int is_blank(UChar32 c) { return (c >= '\t' && c <= '\r') || u_isUWhiteSpace(c); }

/* Appends the last step for one character: ASCII look-alikes are united, everything else goes as it is. */
static void put(struct entry *to, UChar32 c) {
  uint8_t bytes[8];
  int32_t count = 0;
  if (c < 0x80) {
    if (c >= 'A' && c <= 'Z') c += 32;
    if (c == '0') c = 'o';
    if (c == '1' || c == 'i' || c == '|') c = 'l';
    if (c == 'm') bytes[count++] = 'r', c = 'n';
    bytes[count++] = (uint8_t)c;
  } else {
    U8_APPEND_UNSAFE(bytes, count, c);
  }
  if (to->count + count > CT_UNIT_BYTES) return;
  memcpy(to->bytes + to->count, bytes, (size_t)count);
  to->count = (uint8_t)(to->count + count);
}

/* One character in its compatibility decomposition, into `out` of UNITS; its length. */
static int32_t decomposed(const ct_text *text, UChar32 c, UChar *out) {
  UChar in[2];
  int32_t count = 0;
  UErrorCode status = U_ZERO_ERROR;
  U16_APPEND_UNSAFE(in, count, c);
  int32_t length = unorm2_normalize(text->decompose, in, count, out, UNITS, &status);
  if (U_FAILURE(status)) length = count, memcpy(out, in, sizeof in);
  return length;
}

/* The skeleton of one character, decomposed, into `out`; its length. */
static int32_t skeleton(const ct_text *text, UChar32 c, UChar *out) {
  UChar in[2], raw[UNITS];
  int32_t count = 0;
  UErrorCode status = U_ZERO_ERROR;
  U16_APPEND_UNSAFE(in, count, c);
  int32_t length = uspoof_getSkeleton(text->spoof, 0, in, count, raw, UNITS, &status);
  if (U_FAILURE(status)) length = count, memcpy(raw, in, sizeof in);
  status = U_ZERO_ERROR;
  int32_t result = unorm2_normalize(text->decompose, raw, length, out, UNITS, &status);
  if (U_FAILURE(status)) result = count, memcpy(out, in, sizeof in);
  return result;
}

static void put_skeleton(struct entry *to, const UChar *units, int32_t count) {
  for (int32_t at = 0; at < count;) {
    UChar32 c;
    U16_NEXT(units, at, count, c);
    if (!is_dropped(c)) put(to, c);
  }
}

static void fill_fold(const ct_text *text, UChar32 c, struct entry *to) {
  UChar parts[UNITS], seen[UNITS];
  to->count = 0;
  if (is_blank(c)) {
    to->bytes[to->count++] = ' ';
    return;
  }
  int32_t length = decomposed(text, c, parts);
  for (int32_t at = 0; at < length;) {
    UChar32 part;
    U16_NEXT(parts, at, length, part);
    if (is_dropped(part)) continue;
    if (part < 0x80) {
      put(to, part);
      continue;
    }
    int32_t seen_count = skeleton(text, part, seen);
    int is_ascii = seen_count > 0;
    for (int32_t unit = 0; unit < seen_count; unit++) is_ascii &= seen[unit] < 0x80;
    if (!is_ascii) seen_count = skeleton(text, u_foldCase(part, U_FOLD_CASE_DEFAULT), seen);
    put_skeleton(to, seen, seen_count);
  }
}

/* Marks that decorate letters of any script, and the points of Hebrew and Arabic. The marks of scripts that write
 * vowels with them, and the voicing marks of kana, are letters to their readers. */
static int is_decoration(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  if (!is_dropped(c)) return 0;
  if (u_charType(c) != U_NON_SPACING_MARK) return 1;
  if (c == 0x3099 || c == 0x309a) return 0;
  if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || (c >= 0x591 && c <= 0x5c7)) return 1;
  return uscript_getScript(c, &status) == USCRIPT_INHERITED;
}

static void fill_clean(const ct_text *text, UChar32 c, struct entry *to) {
  UChar parts[UNITS], kept[UNITS], folded[UNITS];
  int32_t kept_count = 0;
  UErrorCode status = U_ZERO_ERROR;
  to->count = 0;
  if (is_blank(c)) {
    to->bytes[to->count++] = ' ';
    return;
  }
  int32_t length = decomposed(text, c, parts);
  for (int32_t at = 0; at < length;) {
    UChar32 part;
    U16_NEXT(parts, at, length, part);
    if (is_blank(part)) part = ' ';
    if (!is_decoration(part)) U16_APPEND_UNSAFE(kept, kept_count, part);
  }
  int32_t folded_count = u_strFoldCase(folded, UNITS, kept, kept_count, U_FOLD_CASE_DEFAULT, &status);
  if (U_FAILURE(status)) folded_count = kept_count, memcpy(folded, kept, sizeof folded);
  status = U_ZERO_ERROR;
  int32_t composed = unorm2_normalize(text->compose, folded, folded_count, parts, UNITS, &status);
  if (U_FAILURE(status)) composed = folded_count, memcpy(parts, folded, sizeof parts);
  for (int32_t at = 0; at < composed;) {
    UChar32 part;
    uint8_t bytes[8];
    int32_t written = 0;
    U16_NEXT(parts, at, composed, part);
    U8_APPEND_UNSAFE(bytes, written, part);
    if (to->count + written > CT_UNIT_BYTES) return;
    memcpy(to->bytes + to->count, bytes, (size_t)written);
    to->count = (uint8_t)(to->count + written);
  }
}

static void open_table(const ct_text *text, struct table *table, filler fill) {
  table->fill = fill;
  for (UChar32 c = 0; c < 128; c++) {
    const struct entry *entry = &table->ascii[c];
    fill(text, c, &table->ascii[c]);
    int is_blank = entry->count == 1 && entry->bytes[0] == ' ';
    uint8_t kind = entry->count == 0 ? PAIR_NOTHING : is_blank ? PAIR_BLANK : PAIR_PLAIN;
    table->pairs[c] = (struct pair){{entry->bytes[0], entry->bytes[1]}, entry->count, kind};
    table->pairs[c + 128].kind = PAIR_END;
  }
}

ct_text *ct_text_create(void) {
  UErrorCode status = U_ZERO_ERROR;
  ct_text *text = calloc(1, sizeof *text);
  if (!text) return NULL;
  text->decompose = unorm2_getNFKDInstance(&status);
  text->compose = unorm2_getNFCInstance(&status);
  text->spoof = uspoof_open(&status);
  text->patterns = ct_patterns_create();
  if (U_FAILURE(status) || !text->patterns) {
    ct_text_destroy(text);
    return NULL;
  }
  open_table(text, &text->fold, fill_fold);
  open_table(text, &text->clean, fill_clean);
  text_open_units(text);
  return text;
}

void ct_text_destroy(ct_text *text) {
  if (!text) return;
  if (text->spoof) uspoof_close(text->spoof);
  free(text->machine);
  ct_patterns_destroy(text->patterns);
  for (int page = 0; page < PAGES; page++) free(text->fold.pages[page]), free(text->clean.pages[page]);
  free(text);
}

const struct entry *text_new_entry(ct_text *text, struct table *table, UChar32 c, struct entry *spare) {
  struct entry **page = &table->pages[c / PAGE_ENTRIES], *entry = spare;
  if (!*page) {
    *page = malloc(PAGE_ENTRIES * sizeof **page);
    if (*page) memset(*page, ENTRY_EMPTY, PAGE_ENTRIES * sizeof **page);
  }
  if (*page) entry = &(*page)[c % PAGE_ENTRIES];
  table->fill(text, c, entry);
  entry->class = (uint8_t)text_class(c);
  entry->is_letter = (uint8_t)u_isalpha(c);
  int32_t at = 0;
  entry->single = 0;
  if (entry->count > 0) U8_NEXT(entry->bytes, at, entry->count, entry->single);
  if (at < entry->count || entry->single < 0) entry->single = 0;
  return entry;
}

struct ct_patterns *ct_text_patterns(ct_text *text) { return text->patterns; }

/* Letters of Hangul that follow each other join to a syllable (Unicode, 3.12); `c` follows what ends at `end`. Returns the
 * syllable, or 0. */
static UChar32 join_hangul(const uint8_t *end, size_t written, UChar32 c) {
  if (c < 0x1161 || c > 0x11c2 || written < 3) return 0;
  UChar32 last = (end[-3] & 0x0f) << 12 | (end[-2] & 0x3f) << 6 | (end[-1] & 0x3f);
  if ((end[-3] & 0xf0) != 0xe0) return 0;
  if (c <= 0x1175) return last >= 0x1100 && last <= 0x1112 ? 0xac00 + ((last - 0x1100) * 21 + c - 0x1161) * 28 : 0;
  int is_open = last >= 0xac00 && last <= 0xd7a3 && (last - 0xac00) % 28 == 0;
  return is_open && c > 0x11a7 ? last + c - 0x11a7 : 0;
}

size_t text_transform(ct_text *text, struct table *table, ct_slice source, uint8_t *out, size_t capacity) {
  const uint8_t *from = source.bytes;
  size_t written = 0;
  int32_t at = 0, end = (int32_t)source.count;
  int after_blank = 1, is_clean = table == &text->clean;
  while (at < end) {
    struct entry spare;
    const struct entry *entry;
    if (from[at] < 0x80) {
      for (; written + 2 <= capacity && at < end; at++) { /* what most texts are made of */
        const struct pair *pair = &table->pairs[from[at]];
        if (pair->kind == PAIR_PLAIN) {
          memcpy(out + written, pair->bytes, 2);
          written += pair->count;
          after_blank = 0;
        } else if (pair->kind == PAIR_BLANK) {
          out[written] = ' ';
          written += !after_blank;
          after_blank = 1;
        } else if (pair->kind == PAIR_END) {
          break;
        }
      }
      if (at == end || from[at] >= 0x80) continue;
      entry = &table->ascii[from[at++]];
    } else {
      UChar32 c, joined;
      U8_NEXT(from, at, end, c);
      if (is_clean && (joined = join_hangul(out + written, written, c))) {
        written -= 3;
        c = joined;
      }
      entry = text_entry(text, table, c < 0 ? 0xfffd : c, &spare);
    }
    if (entry->count == 1 && entry->bytes[0] == ' ') {
      if (after_blank) continue;
      after_blank = 1;
    } else if (entry->count > 0) {
      after_blank = 0;
    }
    if (written + CT_UNIT_BYTES <= capacity) {
      memcpy(out + written, entry->bytes, CT_UNIT_BYTES); /* more than is wanted, but of one length */
    } else {
      if (written + entry->count > capacity) break;
      memcpy(out + written, entry->bytes, entry->count);
    }
    written += entry->count;
  }
  if (written > 0 && out[written - 1] == ' ') written--;
  return written;
}

/* The text up to the limit, not inside a character. */
static ct_slice cut(ct_slice source) {
  if (source.count <= CT_TEXT_BYTES_MAX) return source;
  size_t count = CT_TEXT_BYTES_MAX;
  for (int back = 0; back < 3 && (source.bytes[count] & 0xc0) == 0x80; back++) count--;
  return (ct_slice){source.bytes, count};
}

static ct_slice prepare(ct_text *text, struct table *table, struct prepared *kept, ct_slice source) {
  source = cut(source);
  int is_same = kept->is_valid && kept->source_count == source.count &&
                memcmp(kept->source, source.bytes, source.count) == 0;
  if (!is_same) {
    memcpy(kept->source, source.bytes, source.count);
    kept->source_count = source.count;
    kept->is_valid = 1;
    kept->count = text_transform(text, table, source, kept->bytes, sizeof kept->bytes);
  }
  return (ct_slice){kept->bytes, kept->count};
}

ct_slice ct_fold(ct_text *text, ct_slice source) { return prepare(text, &text->fold, &text->folded, source); }
ct_slice ct_clean(ct_text *text, ct_slice source) { return prepare(text, &text->clean, &text->cleaned, source); }
