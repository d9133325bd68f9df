/*
 * What the files of vedette scan share: the state of a run, what one line has given, and the two ways to scan.
 */
#ifndef CLI_SCAN_INSIDE_H
#define CLI_SCAN_INSIDE_H
#include "cli/scan_release.h"
#include "engine/config.h"

struct scan {
  struct vdt_engine *engine;
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  struct vdt_policy policy;
  struct config *config; /* or NULL */
  struct vdt_blocklist *blocklist;
  struct vdt_intel *intel;
  const struct config_deployment *deployment; /* whose blocklists are looked for; NULL: none */
  enum vdt_role role;
  const struct wire_format *format; /* NULL: plain texts */
  bool raw, stats, show_secrets, explain, redact;
  unsigned char key[VDT_PSEUDONYM_KEY]; /* of pseudonyms */
  const char *key_file;                 /* or NULL */
  struct buf out;
  unsigned detectors; /* a bit for each that is on */
  uint64_t line, bytes, bad;
};

/* What all parts of one line have given. */
struct total {
  double jailbreak, indirect;
  bool detected, any;
  enum vdt_inspected inspected;
  struct buf findings, explanations;
  struct buf passed_over; /* of --explain: what is seen and does not count */
  struct buf released;    /* of --redact: a JSON value */
};

/* scan.c: a text or a part of a payload. part: where it stands, or empty. */
int scan_into(struct scan *s, struct total *t, enum vdt_role role, struct str text, struct str part, struct vdt_result *out);
void scan_add(struct total *t, const struct vdt_result *r);
void scan_add_finding(struct scan *s, struct total *t, const struct vdt_finding *f, struct str text, struct str part);
static inline struct release release_of(struct scan *s)
{
  return (struct release){s->scanner, s->arena, &s->policy};
}

/* scan_payload.c: a request, an answer, or {"request": ..., "response": ...} of s->format. */
int scan_payload(struct scan *s, const struct json_doc *doc, struct total *t, struct vdt_error *err);
#endif
