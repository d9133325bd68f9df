/* A URL in a text, taken apart, for the checks of rules/links.yaml. Everything is read through the cursor: see engine/check.h. */
#ifndef DETECT_LINK_H
#define DETECT_LINK_H
#include "base/network.h"
#include "detect/detect.h"

enum { LINK_AUTHORITY_MAX = 320, LINK_REST_MAX = 2048 };

/* The gate is the scheme with its "://". */
struct link {
  uint64_t host_start, host_end; /* without user, port and brackets */
  struct str user;               /* before "@", or empty */
  struct str host;               /* as it stands, without a dot at its end */
  struct str rest;               /* path, query and fragment, or empty */
  bool is_address, odd;          /* odd: an address that is not written as addresses are */
  struct address address;
};
/* False when there is no host, or when it is longer than any. */
bool link_at(struct look *l, struct link *out);
/* An address of the Internet, as against one of a home network or of documentation. */
bool link_is_public(const struct address *a);
/* A page where people type what they should not, or a program that they would run. */
bool link_lures(struct str rest);

/* lookalike.c: whom the host pretends to be; 0: nobody. Returns the confidence, and why. */
unsigned looks_like(struct str host, struct str rest, const char **why);
/* exfil.c: does it carry text away? In an image it needs less to say so. */
unsigned carries_data(struct str rest, bool image, bool collector, const char **why);
#endif
