/* What the checks share. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H
#include "engine/check.h"

/* Is a value that stands where a secret would stand a stand-in for one: "<your key>", "${TOKEN}", "xxxx", "changeme", "EXAMPLE",
 * a sequence, few different characters? Documentation is full of them. */
bool is_placeholder(struct str value);
/* Has a word of a dictionary kind (test, example, sample, dummy ...) in it? */
bool has_placeholder_word(struct str value);
/* CRC-32 (IEEE 802.3), as in zip and gzip. */
uint32_t crc32_of(struct str s);
/* Decodes base64 or base64url, padding optional; at most max bytes. The number of bytes, or -1. */
int base64_decode(struct str s, unsigned char *out, int max);
/* Luhn's sum of decimal digits is 0 modulo 10 (ISO/IEC 7812-1). */
bool luhn(const unsigned char *digits, unsigned n);

#define X(name, fn, after_gate, help) check_fn fn;
#include "detect/checks.def"
#undef X
#endif
