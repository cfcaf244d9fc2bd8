#ifndef TEXT_INTERNAL_H
#define TEXT_INTERNAL_H

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>

#include "CText.h"

enum { PAGE_ENTRIES = 256, PAGES = 0x110000 / PAGE_ENTRIES, UNITS = 64 };
enum { OUT_BYTES = CT_TEXT_BYTES_MAX * 2 + CT_UNIT_BYTES + 1, SHINGLES_MAX = CT_SIMILAR_BYTES_MAX + 2 };

/* What one character becomes, and what it is. */
enum { ENTRY_EMPTY = 0xff };
struct entry {
  uint8_t count; /* ENTRY_EMPTY: not filled yet */
  uint8_t bytes[CT_UNIT_BYTES];
  uint8_t class, is_letter;
  UChar32 single; /* the one character it becomes; 0 where it becomes none or several */
};

/* Fills an entry. */
typedef void (*filler)(const ct_text *text, UChar32 c, struct entry *to);

/* What a byte of a text becomes by itself: one or two bytes (PAIR_PLAIN), a blank, nothing; PAIR_END: it is no ASCII. */
enum { PAIR_PLAIN = 0, PAIR_BLANK, PAIR_NOTHING, PAIR_END };
struct pair {
  uint8_t bytes[2], count, kind;
};

/* ASCII in full, other characters by pages that are filled when first met. */
struct table {
  filler fill;
  struct entry *pages[PAGES];
  struct entry ascii[128];
  struct pair pairs[256];
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
  struct unit plain_units[256]; /* of ASCII characters that are letters or digits; of other bytes the kind is UNIT_OTHER */
  struct prepared_units units[2]; /* with signs for signs, with signs for letters */
};

/* Classes of characters: what stands between words; what joins to words; what is a word by itself, in scripts written
 * without blanks; marks, which go with the character before. */
enum { CLASS_GAP = 0, CLASS_JOINED, CLASS_SINGLE, CLASS_MARK };
int text_class(UChar32 c);
/* Works out what `c` becomes; `spare` is used where memory is short. */
const struct entry *text_new_entry(ct_text *text, struct table *table, UChar32 c, struct entry *spare);
/* What `c` becomes. */
static inline const struct entry *text_entry(ct_text *text, struct table *table, UChar32 c, struct entry *spare) {
  const struct entry *page = table->pages[c / PAGE_ENTRIES];
  if (!page || page[c % PAGE_ENTRIES].count == ENTRY_EMPTY) return text_new_entry(text, table, c, spare);
  return &page[c % PAGE_ENTRIES];
}
/* Once the table of folded characters is open. */
void text_open_units(ct_text *text);
/* Transforms by `table`, with blanks joined. */
size_t text_transform(ct_text *text, struct table *table, ct_slice source, uint8_t *out, size_t capacity);
#endif
