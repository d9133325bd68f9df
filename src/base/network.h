/* Addresses and networks of the Internet: text to bytes and back to a yes or no. IPv4 counts as its IPv6 form (::ffff:a.b.c.d). No I/O. */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H
#include "base/str.h"

struct address {
  uint8_t bytes[16];
};
struct network {
  struct address address;
  unsigned bits; /* of 128 */
};

/* "192.0.2.1" or "2001:db8::1"; no port, no brackets, no zone. */
bool address_parse(struct str text, struct address *out);
/* The same with what a Forwarded or X-Forwarded-For header may add: blanks, quotes, brackets, a port. *bare is the address in it. */
bool address_find(struct str text, struct str *bare, struct address *out);
/* An address, or one with a length: "10.0.0.0/8". */
bool network_parse(struct str text, struct network *out);
bool network_has(const struct network *network, const struct address *address);
#endif
