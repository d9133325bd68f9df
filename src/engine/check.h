/*
 * Checks: what decides after a gate has fired.
 *
 * A check sees the text through a cursor that knows what has arrived. Reading a byte that has not arrived marks the
 * cursor as starved, and then whatever the check returns is thrown away and it is asked again, with more text. So a
 * check is a plain function of the whole text, written as if all of it were there, and is split-invariant by construction: it
 * cannot answer before the bytes that its answer depends on have arrived.
 *
 * A check reads left of its gate as far as CHECK_CONTEXT bytes and right as far as VDT_HOLD_MAX; beyond that it reads "nothing".
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H
#include "engine/rule.h"

enum { CHECK_LEFT = RULE_LEFT_MAX, CHECK_CONTEXT = 384 /* what is read as context reaches further back */ };

/* A text that is read without what breaks keys, line ends and emphasis (reading.h). */
struct joints {
  bool (*whole_gate)(const void *of, uint64_t gate, uint64_t gate_end); /* was this gate one? */
  bool (*broken)(const void *of, uint64_t i);                           /* is something gone right before the byte at i? */
  const void *of;
};

/* All offsets are of the view (normalised text), counted from the beginning of the whole text. */
struct look {
  const unsigned char *p; /* bytes [base, end) */
  uint64_t base, end;
  bool eof;                /* end is the end of the whole text */
  bool starved;            /* set by look_at */
  uint64_t gate, gate_end; /* the bytes that fired; for a pattern gate, gate is gate_end - 1 */
  bool context;            /* one of the rule's words stands within RULE_CONTEXT bytes before the gate */
  uint64_t context_end;    /* where the latest of them ends */
  uint64_t hold;           /* the check may raise it, before it reads on: no finding of this gate can begin before hold. Starts
                                 at the run of left bytes before the gate. Text from here on is held back while the check is starved. */
  void *scratch;           /* for regular expressions, or NULL */
  const struct vdt_intel *intel; /* known bad addresses, or NULL */
  const struct joints *joints;   /* NULL: the text is read as it stands */
  uint64_t kept; /* what the check noted when it was asked last; 0 at first. It must be the same however the text was cut */
  unsigned kept_state;
  bool again;    /* set with a finding: ask once more, from what is kept, for what stands behind it */
  uint64_t seen; /* the check may set it: gates of this rule that end at or before it need not be looked at (a pattern
                                 fires at each digit of a run that one look has judged) */
};

/* The byte at offset i, or -1 when there is none there or it is out of reach. */
static inline int look_at(struct look *l, uint64_t i)
{
  if (i < l->base || i + CHECK_CONTEXT < l->gate || i >= l->gate_end + VDT_HOLD_MAX) return -1;
  if (i < l->end) return l->p[i - l->base];
  if (!l->eof) l->starved = true;
  return -1;
}

/* Is a line end gone before the byte at i, which has been read? It may begin what follows a key as well as go on with it. */
static inline bool look_broken(const struct look *l, uint64_t i)
{
  return l->joints && l->joints->broken(l->joints->of, i);
}

/* What a finding rests on, as bits WHY_FORMAT, WHY_CHECKSUM and so on. */
enum why {
#define X(id, name, help) WHY_BIT_##id,
#include "engine/reasons.def"
#undef X
#define X(id, name, help) WHY_##id = 1 << WHY_BIT_##id,
#include "engine/reasons.def"
#undef X
};

/* What a check found. reason: static text that says which tests were passed. why: the same as bits. */
struct found {
  uint64_t start, end;
  unsigned confidence, why;
  const char *reason;
  bool silent; /* masked, and no finding of its own: another one says it (an id whose secret follows) */
};

/* True and *out filled in when there is a finding. *out begins as {gate, gate_end, rule->confidence, 0, NULL}. */
typedef bool check_fn(const struct rule *rule, struct look *look, struct found *out);

struct check {
  const char *name; /* in rule files */
  check_fn *fn;
  const char *help; /* one line: which parameters it reads */
  bool after_gate;  /* its findings begin after the gate (a keyword before a value): the gate itself is never held back */
};

/* All checks, from detect/checks.def; ends with a NULL name. Defined in src/detect. */
extern const struct check checks[];

/* Helpers that checks share; all through look_at, so starving works. */
/* End of the run of bytes of set that begins at i, at most max bytes long. */
uint64_t look_run(struct look *l, uint64_t i, const struct charset *set, uint64_t max);
/* Start of the run of bytes of set that ends before i, at most max long. */
uint64_t look_run_left(struct look *l, uint64_t i, const struct charset *set, uint64_t max);
/* True when the bytes at i are the literal. */
bool look_literal(struct look *l, uint64_t i, struct str literal, bool nocase);
/* Bytes [from, to) that have been read without starving: a borrowed str. Empty when starved. */
struct str look_span(struct look *l, uint64_t from, uint64_t to);
/* Letter, digit or underscore, or any byte >= 0x80. */
bool byte_is_word(int byte);
/* Whether c is part of the word that follows it. The letter of a line end or tab in JSON is not: arguments of tools are JSON in a text. */
bool byte_joins(int c, int before);
/* Does a character written as \u00e4 or \xe4 end at `end`, of which n bytes before it can be read? What stands behind it is glued to it
 * only in how it is written. */
bool escape_ends(const unsigned char *end, size_t n);
/* Shannon entropy in bits per byte. */
double entropy(struct str s);
#endif
