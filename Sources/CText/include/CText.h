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
/* The patterns that rules made with these tables, which own them. */
struct ct_patterns *ct_text_patterns(ct_text *text);

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

/* A list of words, domains or other names, made once and asked often: no question costs more for a longer list. Entries
 * are numbered in the order they were added. */
enum { CT_WORDS = 0, CT_DOMAINS, CT_NAMES };
typedef struct ct_list ct_list;
/* NULL where memory is short. `text` must outlive it. */
ct_list *ct_list_create(ct_text *text, int kind);
void ct_list_destroy(ct_list *list);
/* 1, 0 where nothing of the entry is left after normalising, -1 where memory is short. */
int ct_list_add(ct_list *list, ct_slice entry);
size_t ct_list_count(const ct_list *list);
/* The entry as it was added. */
ct_slice ct_list_entry(const ct_list *list, int64_t number);
/* The number of the entry that equals `value` after the kind's normalisation; -1 where there is none. */
int64_t ct_list_find(ct_list *list, ct_slice value);
/* The entry that is `host` or a domain above it. */
int64_t ct_list_domain(ct_list *list, ct_slice host);
/* The first entry that stands in `source` as a word or phrase, the longest of those that begin at one place. `*work` is
 * how many steps may be taken, and then how many were; -2 where they did not suffice. */
int64_t ct_list_word(ct_list *list, ct_slice source, int64_t *work);
/* The same behind disguises: look-alikes, digits and signs for letters, signs between letters, repeated letters.
 * `hides` says whether it was one; with `only_disguised` entries that stand there plainly are passed over. */
int64_t ct_list_censored(ct_list *list, ct_slice source, int only_disguised, int *is_disguised, int64_t *work);

/* A regular expression, matched in time linear in the text: a set of states is moved over it (Thompson), as far as
 * possible by a table made on the way. Characters are Unicode's; `\w`, `\d`, `\s` and `\b` too. */
typedef struct ct_pattern ct_pattern;
typedef struct {
  size_t position; /* byte of the pattern, from 1 */
  const char *what, *attempt;
} ct_pattern_error;
enum { CT_PATTERN_BYTES_MAX = 4096, CT_PATTERN_GROUPS_MAX = 10 };
/* NULL with `error` filled. */
ct_pattern *ct_pattern_create(ct_text *text, ct_slice source, int ignore_case, ct_pattern_error *error);
void ct_pattern_destroy(ct_pattern *pattern);
/* Instructions of its program, a measure of its size; groups, with the whole match as the first. */
int32_t ct_pattern_size(const ct_pattern *pattern);
int32_t ct_pattern_groups(const ct_pattern *pattern);
/* Whether literals are known of which one stands in every match. */
int ct_pattern_has_literals(const ct_pattern *pattern);
ct_slice ct_pattern_source(const ct_pattern *pattern);
/* Whether it stands in `source`: 1 or 0; -1 where `*work` steps did not suffice. `*work` is then how many were taken,
 * which depends on pattern and text alone. */
int ct_pattern_match(ct_pattern *pattern, ct_slice source, int64_t *work);
/* The leftmost match from byte `from` on, as a backtracking engine would choose it: places of its groups, begin and end
 * each, -1 where a group took no part. */
int ct_pattern_find(ct_pattern *pattern, ct_slice source, size_t from, int32_t places[2 * CT_PATTERN_GROUPS_MAX],
                    int64_t *work);
/* Begin and end of the leftmost match of a pattern that `ct_pattern_match` has found in `source`. */
int ct_pattern_bounds(ct_pattern *pattern, ct_slice source, int32_t bounds[2], int64_t *work);

/* Patterns that are asked about the same texts: one look at a text says which of them can match at all. */
typedef struct ct_patterns ct_patterns;
ct_patterns *ct_patterns_create(void);
void ct_patterns_destroy(ct_patterns *patterns);
/* Takes the pattern over, also where it fails. Its number, -1 where memory is short. */
int64_t ct_patterns_add(ct_patterns *patterns, ct_pattern *pattern);
size_t ct_patterns_count(const ct_patterns *patterns);
ct_pattern *ct_patterns_at(const ct_patterns *patterns, int64_t number);
/* To be called after the last `add`; 0 where memory is short. */
int ct_patterns_seal(ct_patterns *patterns);
/* The first pattern from `number` on that can match `source`; -1 past the last. Texts are looked at once, until another
 * comes. */
int64_t ct_patterns_next(ct_patterns *patterns, int64_t number, ct_slice source);

/* The host of an address, with or without scheme, as it stands there: without user name, port, path and final dot;
 * empty where there is none. */
ct_slice ct_host(ct_slice address);
/* The registrable domain of a host in lower case (public suffix list, as built into libpsl): a part of `host`, empty where
 * there is none. */
ct_slice ct_registrable(ct_text *text, ct_slice host);
/* Whether `host` lies below a suffix of the public suffix list that is not a private one. */
int ct_is_known_host(ct_slice host);
#endif
