#ifndef TEXT_INTERNAL_H
#define TEXT_INTERNAL_H

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>

#include "CText.h"

enum { PAGE_ENTRIES = 256, PAGES = 0x110000 / PAGE_ENTRIES, UNITS = 64 };
enum { OUT_BYTES = CT_TEXT_BYTES_MAX * 2 + CT_UNIT_BYTES + 1, SHINGLES_MAX = CT_SIMILAR_BYTES_MAX + 2 };

/* What one character becomes. */
struct entry {
  uint8_t count; /* 0xff: not filled yet */
  uint8_t bytes[CT_UNIT_BYTES];
};

/* Fills an entry. */
typedef void (*filler)(const ct_text *text, UChar32 c, struct entry *to);

/* What an ASCII character becomes: at most two bytes, or a blank. */
enum { BLANK_PAIR = 3 };
struct pair {
  uint8_t count, bytes[2];
};

/* ASCII in full, other characters by pages that are filled when first met. */
struct table {
  filler fill;
  struct entry *pages[PAGES];
  struct entry ascii[128];
  struct pair pairs[128];
};

/* A text and what it became. The next call with equal bytes gets it again: rules ask the same of one text. */
struct prepared {
  int is_valid;
  size_t source_count, count;
  uint8_t source[CT_TEXT_BYTES_MAX];
  uint8_t bytes[OUT_BYTES];
};

/* One character of a text on the way to a trie (lists.c). */
enum { UNIT_BLANK = 0, UNIT_GAP, UNIT_LETTER };
enum { UNIT_STARTS = 1, UNIT_ENDS = 2, UNIT_IS_LETTER = 4, UNIT_IS_SIGN = 8 };
struct unit {
  UChar32 c;
  uint8_t kind, flags;
  uint16_t from, to; /* in the source */
};

/* What an ASCII character becomes as a unit; `kind` UNIT_OTHER: as any other character, UNIT_NOTHING: it goes. */
enum { UNIT_OTHER = 3, UNIT_NOTHING };
struct ascii_unit {
  uint8_t kind, letter, is_letter, is_sign, looks_like_letter;
};

/* The units of a text; every list is asked about the same one. */
struct prepared_units {
  int is_valid, has_signs;
  size_t source_count, count;
  uint8_t source[CT_TEXT_BYTES_MAX];
  struct unit units[OUT_BYTES];
};

/* A host and where its registrable part begins (hosts.c). */
enum { KNOWN_HOSTS = 1024, KNOWN_HOST_BYTES = 62 };
struct known_host {
  uint8_t count, offset;
  uint8_t bytes[KNOWN_HOST_BYTES];
};

struct ct_text {
  const UNormalizer2 *decompose, *compose;
  USpoofChecker *spoof;
  struct table fold, clean;
  struct prepared folded, cleaned;
  uint8_t word[OUT_BYTES];
  int32_t failure[OUT_BYTES];
  uint32_t shingles[2][SHINGLES_MAX];
  uint32_t sorted[SHINGLES_MAX];
  struct machine *machine; /* of the patterns; NULL before the first */
  ct_patterns *patterns;
  struct known_host hosts[KNOWN_HOSTS];
  struct ascii_unit ascii[128];
  uint8_t plain_letters[256]; /* the letter of an ASCII character that is no sign; else 0 */
  struct prepared_units units[2]; /* with signs for signs, with signs for letters */
};

/* Classes of characters: what stands between words; what joins to words; what is a word by itself, in scripts written
 * without blanks; marks, which go with the character before. */
enum { CLASS_GAP = 0, CLASS_JOINED, CLASS_SINGLE, CLASS_MARK };
int text_class(UChar32 c);
/* What `c` becomes; `spare` is used where memory is short. */
const struct entry *text_entry(ct_text *text, struct table *table, UChar32 c, struct entry *spare);
/* Once the table of folded characters is open. */
void text_open_units(ct_text *text);
/* Transforms by `table`, with blanks joined. */
size_t text_transform(ct_text *text, struct table *table, ct_slice source, uint8_t *out, size_t capacity);
#endif
