/* Thin shims over ICU 72 (macros renamed by version, UTF-16 interfaces) for text that is compared, not read.
 * ICU: unorm2.h (NFKC/NFKD), uspoof.h (UTS 39 skeleton), uchar.h (properties). */
#ifndef CTEXT_H
#define CTEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct ct_folder ct_folder;

/* NULL where ICU or memory fails. One thread at a time. */
ct_folder *ct_folder_create(void);
void ct_folder_destroy(ct_folder *folder);

/* Folds `count` bytes of UTF-8 into `out` (at least 2 × count + CT_FOLD_SLACK bytes, else the text is cut at
 * `capacity`) and returns the length. Every character is folded by itself, so equal characters fold alike wherever
 * they stand. */
enum { CT_FOLD_SLACK = 16, CT_FOLD_UNIT = 15 };
size_t ct_fold(ct_folder *folder, const uint8_t *text, size_t count, uint8_t *out, size_t capacity);

/* Whether the character that starts (or, with `before`, ends) at `at` is a letter or a digit. */
int ct_is_word(const uint8_t *text, size_t count, size_t at, int before);

/* Where `word` stands in `text` first, -1 where it does not: glibc's memmem, linear in the worst case. */
ptrdiff_t ct_find(const uint8_t *text, size_t count, const uint8_t *word, size_t word_count);
#endif
