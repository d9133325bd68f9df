/*
 * Rules: the data that detection is made of. rules/<name>.yaml holds them, docs/rules.md explains the format, and every rule
 * carries its own examples, which the tests run.
 *
 * A leak rule (credential, sensitive) has a gate, a cheap literal or short pattern that the multi-pattern database finds, and a
 * check, a hand-written verifier that decides. A score rule (jailbreak, indirect) has a pattern and a weight.
 */
#ifndef ENGINE_RULE_H
#define ENGINE_RULE_H
#include "base/arena.h"
#include "base/str.h"
#include "vedette/vedette.h"

enum {
  RULE_GATE_MAX = 40,     /* bytes of a literal gate */
  RULE_PATTERN_MAX = 64,  /* widest match of a gate pattern */
  RULE_REGEX_MAX = 1024,  /* widest match of a user's regular expression */
  RULE_GROUPS_MAX = 1024, /* different lists of context words */
  RULE_NAME_MAX = 96,     /* bytes of the name of a number */
  RULE_LEFT_MAX = 256,    /* most left bytes */
  RULE_CONTEXT = 300,     /* how far before a gate a context word counts, in bytes of the view */
};

/* A set of bytes. */
struct charset {
  uint64_t bits[4];
};
static inline bool charset_has(const struct charset *c, int byte)
{
  return byte >= 0 && (c->bits[byte >> 6] >> (byte & 63) & 1);
}
static inline void charset_add(struct charset *c, unsigned char byte)
{
  c->bits[byte >> 6] |= (uint64_t)1 << (byte & 63);
}
/* From a name ("digit upper lower alpha alnum base62 base64 base64url hex hex-lower word local-part host b32") or a list of characters
 * and a-z ranges behind "=" ("=A-Z2-7"). False when it is neither. */
bool charset_parse(struct str spec, struct charset *out);

struct check;

/* A checksum over the letters and digits of a body; rows in detect/sums.def. */
struct checksum {
  const char *name;
  bool (*fn)(struct str body);
  const char *help;
};
/* Ends with a NULL name. Defined in src/detect. */
extern const struct checksum checksums[];

struct rule {
  const char *id, *title, *file, *remediation;
  unsigned line;
  enum vdt_detector_id detector;
  enum vdt_severity severity;
  unsigned confidence; /* what the check reports when it is satisfied; it may report more or less */

  /* gates; exactly one of the two kinds */
  struct str *gates; /* literals */
  unsigned n_gates;
  struct str pattern; /* or a Vectorscan pattern */
  bool nocase;        /* literals match in any case; patterns always do */
  bool bound;         /* the byte before the gate may not be a letter, digit or underscore; default true */

  /* what stands left of the gate and belongs to the finding, when any does: at most left_max bytes of left, beginning with a
   * byte of left_first (default: left). A stream holds such bytes back before the gate is seen, but for the
   * first left_skip of a run: a word shorter than that is never held, and a key whose mark stands in its middle is found from there on. */
  struct charset left, left_first;
  unsigned left_max, left_skip;

  /* parameters of checks */
  const struct check *check;
  struct charset chars;
  unsigned min, max;  /* length of the body after the gate */
  double entropy;     /* least Shannon entropy of the body, bits per byte; 0 for none */
  struct str mark;    /* must occur inside the body */
  struct str tail;    /* must end the body */
  struct str variant; /* free for the check: "github" for a CRC variant, a brand, ... */
  struct str regex;   /* of check regex */
  unsigned regex_width;
  void *regex_database;            /* compiled; owned by the engine */
  const struct checksum *checksum; /* of check regex, or NULL */
  int words;                       /* index of its context-word group, -1 for none */

  /* rules that numbers wake (numbers.h) */
  struct str *names; /* what the number is called, lower case */
  unsigned n_names;
  unsigned near;  /* how far a name counts, in bytes before or after */
  unsigned alone; /* confidence without a name; 0: it is none */

  const char *purview, *purview_id; /* the sensitive information type of Microsoft Purview that it is, or NULL */

  /* score rules */
  double weight; /* 0..1 */
  struct str category;
  bool in_prompt, in_document; /* which scores it feeds */

  struct str *match, *clean; /* examples */
  unsigned n_match, n_clean;
};

/* A score rule has a pattern and a weight; any other has a gate and a check. */
static inline bool rule_is_score(const struct rule *r)
{
  return r->detector == VDT_DET_JAILBREAK || r->detector == VDT_DET_INDIRECT || r->detector == VDT_DET_RECON;
}

/* Is it woken by numbers? Its check has no gate. */
static inline bool rule_is_number(const struct rule *r)
{
  return r->check && r->n_gates == 0 && r->pattern.n == 0;
}

struct word_group {
  struct str *words;
  unsigned n;
};

struct rules {
  struct rule *rules;
  unsigned n;
  struct word_group *groups; /* context words; rules with equal lists share one */
  unsigned n_groups;
};

/* Parses rule files into the arena. ERULE names file, line and what is wrong, with the nearest valid key or name. */
int rules_parse(struct vdt_arena *arena, const struct vdt_source *files, size_t n, struct rules *out, struct vdt_error *err);
#endif
