/* Hosts of addresses, and the public suffix list as built into libpsl (libpsl.h). */
#include <libpsl.h>
#include <string.h>

#include "text_internal.h"

enum { HOST_BYTES_MAX = 253 };

static int is_letter_or_digit(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

/* Where the part behind `scheme://` begins; 0 where there is no scheme. */
static size_t scheme_end(ct_slice address) {
  size_t at = 0;
  while (at < address.count && at < 32 && (is_letter_or_digit(address.bytes[at]) || memchr("+-.", address.bytes[at], 3))) at++;
  int has = at > 0 && at + 3 <= address.count && memcmp(address.bytes + at, "://", 3) == 0;
  return has ? at + 3 : 0;
}

ct_slice ct_host(ct_slice address) {
  const uint8_t *bytes = address.bytes;
  size_t start = scheme_end(address), end = start;
  while (end < address.count && bytes[end] != '/' && bytes[end] != '?' && bytes[end] != '#' && bytes[end] > ' ') end++;
  for (size_t at = end; at > start; at--) {
    if (bytes[at - 1] != '@') continue;
    start = at;
    break;
  }
  if (start < end && bytes[start] == '[') { /* an IPv6 address */
    const uint8_t *close = memchr(bytes + start, ']', end - start);
    if (close) end = (size_t)(close - bytes) + 1;
  } else {
    const uint8_t *colon = memchr(bytes + start, ':', end - start);
    if (colon) end = (size_t)(colon - bytes);
  }
  while (end > start && bytes[end - 1] == '.') end--;
  if (end - start > HOST_BYTES_MAX) end = start;
  return (ct_slice){bytes + start, end - start};
}

/* A copy that ends in a zero byte; 0 where libpsl has no business with it: not a name, or an address of numbers. */
static int copy_host(ct_slice host, char *out) {
  if (host.count == 0 || host.count > HOST_BYTES_MAX || memchr(host.bytes, 0, host.count)) return 0;
  size_t last = host.count;
  while (last > 0 && host.bytes[last - 1] != '.') last--;
  int has_letter = 0;
  for (size_t at = last; at < host.count; at++) has_letter |= host.bytes[at] >= 0x80 || (host.bytes[at] | 32) >= 'a';
  if (!has_letter || host.bytes[0] == '[' || host.bytes[0] == '.') return 0;
  memcpy(out, host.bytes, host.count);
  out[host.count] = 0;
  return 1;
}

/* Where the registrable part begins; the host's length where there is none. */
static size_t registrable_offset(ct_slice host) {
  char copy[HOST_BYTES_MAX + 1];
  const char *found = copy_host(host, copy) ? psl_registrable_domain(psl_builtin(), copy) : NULL;
  return found ? (size_t)(found - copy) : host.count;
}

ct_slice ct_registrable(ct_text *text, ct_slice host) {
  size_t offset;
  if (host.count == 0 || host.count > KNOWN_HOST_BYTES) {
    offset = registrable_offset(host);
  } else {
    /* The same few sites are linked all day, and psl walks its list for several microseconds. */
    uint32_t hash = 2166136261;
    for (size_t at = 0; at < host.count; at++) hash = (hash ^ host.bytes[at]) * 16777619;
    struct known_host *known = &text->hosts[(hash ^ hash >> 16) % KNOWN_HOSTS];
    if (known->count != host.count || memcmp(known->bytes, host.bytes, host.count) != 0) {
      known->count = (uint8_t)host.count;
      known->offset = (uint8_t)registrable_offset(host);
      memcpy(known->bytes, host.bytes, host.count);
    }
    offset = known->offset;
  }
  return (ct_slice){host.bytes + offset, host.count - offset};
}

int ct_is_known_host(ct_slice host) {
  char copy[HOST_BYTES_MAX + 1];
  if (!copy_host(host, copy)) return 0;
  const char *dot = strrchr(copy, '.');
  if (!dot || dot == copy) return 0;
  /* The last label has to be on the list itself; names that are suffixes themselves (co.uk) are no hosts. */
  return psl_is_public_suffix2(psl_builtin(), dot + 1, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) &&
         !psl_is_public_suffix2(psl_builtin(), copy, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}
