/* Texts that are compared: folding, words, emoji, likeness; on ICU 72 (macros renamed by version, UTF-16 interfaces).
 * Everything is linear in its input, which is cut at CT_TEXT_BYTES_MAX, and gives the same result on every run.
 * ICU: unorm2.h (NFKC/NFKD), uspoof.h (UTS 39 skeleton), uchar.h (properties). */
#ifndef CTEXT_H
#define CTEXT_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of UTF-8, valid or not, that somebody else owns. */
typedef struct {
  const uint8_t *bytes;
  size_t count;
} ct_slice;

enum {
  CT_TEXT_BYTES_MAX = 16384, /* what is looked at of a text */
  CT_UNIT_BYTES = 15,        /* what one character may become */
  CT_SIMILAR_BYTES_MAX = 4096 /* what is compared of a folded text */
};

/* Tables and buffers. NULL where ICU or memory fails. One thread at a time. */
typedef struct ct_text ct_text;
ct_text *ct_text_create(void);
void ct_text_destroy(ct_text *text);

/* Folded: what looks alike becomes alike. For comparing, not for reading. Every character is folded by itself, so equal
 * characters fold alike wherever they stand. Valid until the next call. */
ct_slice ct_fold(ct_text *text, ct_slice source);
/* Clean: NFKC, case folded, without invisible characters, accents and other marks that only decorate, blanks joined.
 * Valid until the next call. */
ct_slice ct_clean(ct_text *text, ct_slice source);

/* The next word of `source` from `*at` on, which moves behind it; 0 at the end. A word is a run of letters and digits of
 * any script; in scripts written without blanks every character is one. */
int ct_next_word(ct_slice source, size_t *at, ct_slice *word);
/* Whether a word may begin or end at `at` of `source`. */
int ct_is_boundary(ct_slice source, size_t at);
/* How often `word` stands in `source` as a word of its own, both folded, at most `most` times. */
int64_t ct_count(ct_text *text, ct_slice source, ct_slice word, int64_t most);
/* The next emoji sequence (UTS 51) of `source` from `*at` on, which moves behind it; 0 at the end. */
int ct_next_emoji(ct_slice source, size_t *at, ct_slice *emoji);
/* From 0 (nothing in common) to 1 (the same letters): Dice's coefficient of all runs of three bytes, folded. */
double ct_similarity(ct_text *text, ct_slice left, ct_slice right);

/* The host of an address, with or without scheme, as it stands there: without user name, port, path and final dot;
 * empty where there is none. */
ct_slice ct_host(ct_slice address);
/* The registrable domain of a host in lower case (public suffix list, as built into libpsl): a part of `host`, empty where
 * there is none. */
ct_slice ct_registrable(ct_slice host);
/* Whether `host` lies below a suffix of the public suffix list that is not a private one. */
int ct_is_known_host(ct_slice host);
#endif
