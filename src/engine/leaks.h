/*
 * leaks: from hits of gates to findings, for text that arrives in any number of pieces.
 *
 * A hit becomes pending; its check is asked again as text arrives until it has not starved. What a check found is a candidate.
 * Candidates are settled only when nothing undecided can begin before their end, in clusters of overlapping ones, strongest
 * first. Two boundaries follow from what is undecided:
 *
 *   settled   no candidate that is still unknown can begin before it: everything that ends before it may be settled
 *   free      the same, counting only rules whose findings must not leave: text before it may be released
 *
 * Undecided are the pending hits and the live prefixes: an end of the text that may yet become a gate.
 */
#ifndef ENGINE_LEAKS_H
#define ENGINE_LEAKS_H
#include "engine/check.h"
#include "engine/engine.h"

struct pending {
  uint32_t rule;
  bool context;
  uint64_t gate, gate_end, context_end;
  uint64_t hold, tried; /* tried: length of the text at the last try, 0 before the first */
  uint64_t kept;        /* of the check (check.h) */
  unsigned kept_state;
};

/* How a candidate was written when a reading of the stream found it (reading.h); what may be shown of it. */
struct read_as {
  const char *layer;
  char redacted[VDT_REDACTED_MAX], mask[VDT_REDACTED_MAX];
};

/* View offsets of which is known whether a gate ends there: more than a stream works on at once and a reading looks back. */
enum { LEAKS_SEEN = 16384 };

struct candidate {
  uint32_t rule;
  unsigned confidence, why;
  enum vdt_action action;
  const char *reason;
  const char *policy;       /* the policy about data whose action it is, or NULL */
  uint64_t start, end;      /* view offsets */
  uint64_t reach;           /* how far it and those before it in its cluster go; set when it is settled */
  uint64_t gate_end;        /* of the gate that it was found behind */
  const struct read_as *as; /* NULL: as it stands */
  bool allowed;             /* policy says that this value is none */
  bool lost;                /* overlaps a stronger one; its bytes are still masked when its action says so */
};

/* The text known so far: bytes [base, end) of the view. */
struct window {
  const unsigned char *p;
  uint64_t base, end;
  bool eof;
};

struct leaks {
  const struct vdt_engine *engine;
  enum vdt_action action[VDT_DETECTORS]; /* the strongest of the detector's rules */
  unsigned acting, holding;              /* bits: detectors that do anything, that hold text back */
  const uint8_t *by_rule;                /* action of each rule; NULL: that of its detector */
  const uint8_t *policy_by_rule;         /* place of its policy about data in policies, or NULL */
  const char *const *policies;
  enum vdt_mask_style mask[VDT_DETECTORS];
  const uint8_t *mask_by_rule; /* the same of each rule, or NULL */
  const unsigned char *pseudonym_key;
  const struct vdt_allow *allow;
  const struct vdt_intel *intel;
  unsigned minimum[VDT_DETECTORS];
  uint64_t *named;    /* per rule that numbers wake, where its latest named finding ends; 0 for none */
  uint64_t *word_end; /* per word group, where its latest word ends; 0 for none */
  uint64_t *seen;     /* per rule */
  uint32_t *taken;    /* per rule: how many of its findings have been counted */
  uint32_t *blocked;  /* per rule: the round in which an earlier gate of it starved; rounds are not counted by text */
  uint32_t round;
  bool any_named, any_word, any_seen, any_taken; /* has anything been written there since leaks_begin()? */
  struct pending *pending;
  size_t n_pending, cap_pending;
  struct candidate *candidates; /* ordered by start, then end */
  size_t n_candidates, cap_candidates;
  uint64_t *gates;  /* by view offset modulo n_gates: a gate of credentials that may be written over lines ends there */
  uint64_t n_gates; /* bits; a power of two */
  bool any_gate;
  const struct joints
      *joints;   /* only rules of credentials whose findings begin with their gate are asked, behind a gate that was one before;
                                * borrowed, while hits are delivered. NULL: all rules */
  bool lists;    /* a number that goes on a list of its kind counts as named: not in readings, which begin anywhere */
  void *scratch; /* of regular expressions, or NULL; borrowed */
  bool failed;
};

int leaks_init(struct leaks *l, const struct vdt_engine *engine);
void leaks_finish(struct leaks *l);
/* Begins a text. */
void leaks_begin(struct leaks *l, const struct vdt_policy *policy, enum vdt_role role);
/* What stands in the place of what a rule found. */
enum vdt_mask_style leaks_mask(const struct leaks *l, const struct rule *rule);
/* Is any leak detector on? One that looks for secrets? */
bool leaks_active(const struct leaks *l);
bool leaks_see_secrets(const struct leaks *l);
/* A hit of a word or gate pattern, in order of (end, pattern). The window holds the text up to its end at least. */
void leaks_hit(struct leaks *l, const struct window *w, const struct hit *hit);
/* Finds the numbers that begin in bytes [from, w->end) of the window. */
void leaks_numbers(struct leaks *l, const struct window *w, uint64_t from);
/* Adds a candidate that something else has found. */
void leaks_add(struct leaks *l, const struct candidate *c);
/* Makes room to know the gates of a whole text of n bytes that is scanned at once; call it before leaks_begin(). False when out of memory. Others
 * are known LEAKS_SEEN bytes back. */
bool leaks_expect_all(struct leaks *l, uint64_t n);
/* Forgets gates that ended LEAKS_SEEN bytes ago: call it before the bytes [from, to) are scanned, at most SEEN / 2 of them. */
void leaks_expect(struct leaks *l, uint64_t from, uint64_t to);
/* Where the first gate ends that ends in [from, to]; to + 1: none does. */
uint64_t leaks_next_gate(const struct leaks *l, uint64_t from, uint64_t to);
/* Asks pending checks again. */
void leaks_try(struct leaks *l, const struct window *w);
/* The two boundaries; both are w->end when nothing is undecided. waiting: the caller has something of its own to settle. Unless it, or a
 * candidate, waits for *settled, that is not worked out, and w->base. */
void leaks_boundaries(const struct leaks *l, const struct window *w, bool waiting, uint64_t *settled, uint64_t *free_until);
/* The number of candidates at the front that can be settled: whole clusters that end at or before `settled`. Marks the lost ones. */
size_t leaks_settle(struct leaks *l, uint64_t settled);
/* Who names the mask of one of the first n candidates, which are settled: itself, or the one that it lost to, or that one to another. */
const struct candidate *leaks_namer(const struct leaks *l, const struct candidate *c, size_t n);
/* The severity of the rule's next finding, in order of the text: of sensitive data the tenth of a kind in one text is a step higher, and so is
 * each after it; the hundredth another step. Counts it. */
enum vdt_severity leaks_count(struct leaks *l, uint32_t rule);
/* Forgets the first n candidates. */
void leaks_drop(struct leaks *l, size_t n);
/* The lowest view offset that is still needed: pending gates, candidates. */
uint64_t leaks_needs(const struct leaks *l, uint64_t end);
#endif
