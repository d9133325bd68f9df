/*
 * Indicators: what a threat-intelligence feed names. An address, a network or a range of them; a domain with all below it; one URL.
 *
 * Feeds write them in many ways: defanged ("hxxp://evil[.]example"), as lines of a hosts file, as filters of an ad blocker. All of these are
 * read here. No I/O.
 */
#ifndef INTEL_INDICATOR_H
#define INTEL_INDICATOR_H
#include "base/network.h"
#include "base/str.h"

enum indicator_kind { INDICATOR_ADDRESS, INDICATOR_DOMAIN, INDICATOR_URL };

enum { INDICATOR_MAX = 2048 };

struct indicator {
  enum indicator_kind kind;
  struct address low, high;  /* of ADDRESS, both inclusive; IPv4 as ::ffff:a.b.c.d */
  struct str text;           /* of the others: small letters, a URL without scheme, user and fragment ("host/path?query") */
  char bytes[INDICATOR_MAX]; /* holds text */
};

/* One indicator, blanks around it aside. False when it is none: out is then not to be used. */
bool indicator_parse(struct str s, struct indicator *out);
/* Is it a host name of at least two labels with a top-level domain of letters (or xn--)? Bytes >= 0x80 count as letters. */
bool indicator_is_domain(struct str host);
#endif
