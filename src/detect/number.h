/* Numbers taken apart: groups of digits and letters, what of them fits a row of identifiers.def, and the names that stand near. */
#ifndef DETECT_NUMBER_H
#define DETECT_NUMBER_H
#include "detect/detect.h"

enum {
  NUMBER_MAX = 40,     /* most digits and letters of a number */
  NUMBER_LEAST = 7,    /* fewest */
  NUMBER_DIGITS = 4,   /* fewest digits */
  NUMBER_GROUPS = 24,  /* most groups */
  NUMBER_LETTERS = 6,  /* most capital letters before the first digit, and of a group of letters */
  NUMBER_FITS = 48,    /* most rules that may want one run */
  NUMBER_CONTEXT = 300 /* how far a name counts, before and after, in bytes of the view */
};

/* A run of digits and letters, with what stands before it. */
struct group {
  uint64_t start, end;
  int separator; /* between it and the one before; 0 for the first */
  bool digits;   /* has a digit */
};

struct run {
  struct group g[NUMBER_GROUPS];
  unsigned n;
};

/* Takes apart what begins at `start`: groups joined by one blank, hyphen, dot or slash, or two of a kind. */
void run_read(struct look *l, uint64_t start, struct run *out);
/* Digits and letters of groups [a, b], letters as capitals; 0 when they are too many. */
size_t run_compact(struct look *l, const struct run *r, unsigned a, unsigned b, char out[NUMBER_MAX]);
/* May a number begin with group a and end with group b? Not when it is a part of something longer. */
bool run_apart(struct look *l, const struct run *r, unsigned a, unsigned b);

/* Are its groups joined by different signs? */
bool run_is_mixed(const struct run *r, unsigned a, unsigned b);
/* By dots and by blanks, as in a list of versions? */
bool run_is_listed(const struct run *r, unsigned a, unsigned b);

/* How the groups of a number stand to what its row says. */
enum layout { LAYOUT_NONE, LAYOUT_OTHER, LAYOUT_PLAIN, LAYOUT_USUAL }; /* NONE: it is written otherwise */
struct identifier;
enum layout run_layout(const struct identifier *id, const struct run *r, unsigned a, unsigned b);

/* Has what begins at the first digit enough digits soon? */
bool number_is_worth(struct look *l, uint64_t gate);

/* A row of identifiers.def, or NULL. */
const struct identifier *identifier_find(struct str name);
/* Bit n: its numbers may have n characters. */
uint64_t identifier_lengths(const struct identifier *id);
/* Has it the shape and the checksum? s: digits and capital letters alone. */
bool identifier_holds(const struct identifier *id, struct str s);
/* Has it a checksum? */
bool identifier_has_sum(const struct identifier *id);
/* Are its numbers nothing but digits? */
bool identifier_is_digits(const struct identifier *id);
/* Is it one that its issuer publishes? */
bool identifier_is_sample(const struct identifier *id, struct str s);
/* What to say of it: the brand of a card. NULL: what is said of all. */
const char *identifier_says(const struct identifier *id, struct str s);

/* number_words.c: the names of rules and what speaks against a number. */
struct number_words;
const struct number_words *number_words_new(const struct rules *rules, const uint32_t *which, unsigned n,
                                            struct vdt_arena *arena);
/* One rule that wants the number, and how near its name is. */
struct wanted {
  uint32_t rule;
  const struct identifier *id;
  unsigned a, b; /* groups */
  enum layout layout;
  uint32_t before, after; /* distance of the nearest name; NOT_NEAR */
  uint32_t length;        /* of that name: of two at one place the longer says more */
};
enum { NOT_NEAR = 1 << 20 };
/* Fills in `before`. *against: distance of the nearest word that says it is something else, on the same line. */
void number_words_before(const struct number_words *w, struct look *l, uint64_t start, struct wanted *wanted, unsigned n,
                         uint32_t *against);
/* Fills in `after`. Starves when what follows has not come. */
void number_words_after(const struct number_words *w, struct look *l, uint64_t end, struct wanted *wanted, unsigned n);
#endif
