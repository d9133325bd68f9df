/*
 * Feeds: the text of a threat-intelligence list becomes a section.
 *
 *   plain   one indicator a line; comments begin with "#", ";" or "//"; hosts files, ad blockers' filters and Tor's exit list are read too
 *   csv     RFC 4180 with a header; the column is named, or the first whose name says that it holds indicators
 *   stix    a STIX 2.1 bundle: patterns of indicators that compare ipv4-addr, ipv6-addr, domain-name and url values
 *
 * A list is somebody else's text and can be broken. What cannot be read is counted and its first place is told; when nothing can be read, or
 * more than a twentieth cannot, the list is refused, so that an error page in its place does not pass for an empty list. No I/O, no clock.
 */
#ifndef INTEL_FEED_H
#define INTEL_FEED_H
#include "intel/intel.h"

enum feed_format {
#define X(id, name, help) FEED_##id,
#include "intel/formats.def"
#undef X
  FEED_FORMATS
};

enum { FEED_BYTES_MAX = 128 << 20 };

struct feed_report {
  uint64_t taken;      /* indicators, each as often as it stands there */
  uint64_t ignored;    /* well-formed, and nothing for us: expired, revoked, of another kind */
  uint64_t unreadable; /* neither */
  unsigned first_line; /* where the first unreadable one stands: a line, or for stix the number of the object; 0: none */
};

struct feed_reading {
  const char *name; /* in errors, as their file */
  enum feed_format format;
  struct str column; /* csv: its name, or empty */
  uint64_t now_us;   /* to tell what has expired */
};

/* Adds to the section. On failure, and then the section is to be thrown away: ESYNTAX with file and line, EUTF8, ETOOBIG, ENOMEM. */
int feed_read(const struct feed_reading *how, struct str text, struct intel_section *out, struct feed_report *report,
              struct vdt_error *err);

/* ---- for the files of intel ---- */

struct feed {
  const struct feed_reading *how;
  struct intel_section *section;
  struct feed_report *report;
  struct vdt_error *err;
};
/* One cell or line that should be an indicator. */
int feed_take(struct feed *f, struct str text, unsigned line);
int feed_stix(struct feed *f, struct str text);
#endif
