/* Folding: what looks alike becomes alike.
 *
 * For each character: NFKD, without combining marks and default-ignorable characters; capitals that look like a
 * Latin letter by their UTS 39 skeleton, else lower case and then the skeleton; at last 0 and o, and 1, i, l and |
 * are one, and runs of blanks one blank. ASCII goes by a table; other characters by pages of a table that are
 * filled when first met. */
#define _GNU_SOURCE
#include "CText.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

enum { PAGE_ENTRIES = 256, PAGES = 0x110000 / PAGE_ENTRIES, UNITS = 64 };

struct entry {
  uint8_t count; /* 0xff: not filled yet */
  uint8_t bytes[CT_FOLD_UNIT];
};

struct ct_folder {
  const UNormalizer2 *decompose;
  USpoofChecker *spoof;
  struct entry *pages[PAGES];
  struct entry ascii[128];
};

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
  if (to->count + count > CT_FOLD_UNIT) return;
  memcpy(to->bytes + to->count, bytes, (size_t)count);
  to->count = (uint8_t)(to->count + count);
}

/* The skeleton of one character, decomposed, into `out`; its length. */
static int32_t skeleton(const ct_folder *folder, UChar32 c, UChar *out) {
  UChar in[2], raw[UNITS];
  int32_t count = 0;
  UErrorCode status = U_ZERO_ERROR;
  U16_APPEND_UNSAFE(in, count, c);
  int32_t length = uspoof_getSkeleton(folder->spoof, 0, in, count, raw, UNITS, &status);
  if (U_FAILURE(status)) length = count, memcpy(raw, in, sizeof in);
  status = U_ZERO_ERROR;
  int32_t result = unorm2_normalize(folder->decompose, raw, length, out, UNITS, &status);
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

static void fold_one(const ct_folder *folder, UChar32 c, struct entry *to) {
  UChar in[2], parts[UNITS], seen[UNITS];
  int32_t count = 0;
  UErrorCode status = U_ZERO_ERROR;
  to->count = 0;
  if (is_blank(c)) {
    to->bytes[to->count++] = ' ';
    return;
  }
  U16_APPEND_UNSAFE(in, count, c);
  int32_t length = unorm2_normalize(folder->decompose, in, count, parts, UNITS, &status);
  if (U_FAILURE(status)) length = count, memcpy(parts, in, sizeof in);
  for (int32_t at = 0; at < length;) {
    UChar32 part;
    U16_NEXT(parts, at, length, part);
    if (is_dropped(part)) continue;
    if (part < 0x80) {
      put(to, part);
      continue;
    }
    int32_t seen_count = skeleton(folder, part, seen);
    int is_ascii = seen_count > 0;
    for (int32_t unit = 0; unit < seen_count; unit++) is_ascii &= seen[unit] < 0x80;
    if (!is_ascii) seen_count = skeleton(folder, u_foldCase(part, U_FOLD_CASE_DEFAULT), seen);
    put_skeleton(to, seen, seen_count);
  }
}

ct_folder *ct_folder_create(void) {
  UErrorCode status = U_ZERO_ERROR;
  ct_folder *folder = calloc(1, sizeof *folder);
  if (!folder) return NULL;
  folder->decompose = unorm2_getNFKDInstance(&status);
  folder->spoof = uspoof_open(&status);
  if (U_FAILURE(status)) {
    ct_folder_destroy(folder);
    return NULL;
  }
  for (UChar32 c = 0; c < 128; c++) fold_one(folder, c, &folder->ascii[c]);
  return folder;
}

void ct_folder_destroy(ct_folder *folder) {
  if (!folder) return;
  if (folder->spoof) uspoof_close(folder->spoof);
  for (int page = 0; page < PAGES; page++) free(folder->pages[page]);
  free(folder);
}

static const struct entry *entry_of(ct_folder *folder, UChar32 c, struct entry *spare) {
  struct entry **page = &folder->pages[c / PAGE_ENTRIES];
  if (!*page) {
    *page = malloc(PAGE_ENTRIES * sizeof **page);
    if (!*page) {
      fold_one(folder, c, spare);
      return spare;
    }
    memset(*page, 0xff, PAGE_ENTRIES * sizeof **page);
  }
  struct entry *entry = &(*page)[c % PAGE_ENTRIES];
  if (entry->count == 0xff) fold_one(folder, c, entry);
  return entry;
}

size_t ct_fold(ct_folder *folder, const uint8_t *text, size_t count, uint8_t *out, size_t capacity) {
  size_t written = 0;
  int32_t at = 0, end = count > INT32_MAX ? INT32_MAX : (int32_t)count;
  int after_blank = 1;
  while (at < end) {
    struct entry spare;
    const struct entry *entry;
    if (text[at] < 0x80) {
      entry = &folder->ascii[text[at++]];
    } else {
      UChar32 c;
      U8_NEXT(text, at, end, c);
      entry = entry_of(folder, c < 0 ? 0xfffd : c, &spare);
    }
    if (entry->count == 1 && entry->bytes[0] == ' ') {
      if (after_blank) continue;
      after_blank = 1;
    } else if (entry->count > 0) {
      after_blank = 0;
    }
    if (written + entry->count > capacity) break;
    memcpy(out + written, entry->bytes, entry->count);
    written += entry->count;
  }
  if (written > 0 && out[written - 1] == ' ') written--;
  return written;
}

int ct_is_word(const uint8_t *text, size_t count, size_t at, int before) {
  int32_t position = (int32_t)at, end = (int32_t)count;
  UChar32 c;
  if (before) {
    if (position == 0) return 0;
    U8_PREV(text, 0, position, c);
  } else {
    if (position >= end) return 0;
    U8_NEXT(text, position, end, c);
  }
  return c >= 0 && u_isalnum(c);
}

ptrdiff_t ct_find(const uint8_t *text, size_t count, const uint8_t *word, size_t word_count) {
  const uint8_t *hit = memmem(text, count, word, word_count);
  return hit ? hit - text : -1;
}
