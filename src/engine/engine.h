/*
 * The engine's inside: rules compiled to what finds them. The phrases of score rules are Vectorscan databases for whole texts, since prompts and
 * documents arrive whole: two, because they take seconds to compile, which two threads share, and a search for half of them costs half. The gates
 * of leak rules and their context words are looked for by literals.h, in whole texts and in streams; where it does not know some of them, by two
 * databases in its place, which report the same hits under the same numbers.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H
#include "engine/beginnings.h"
#include "engine/compiled.h"
#include "engine/literals.h"
#include "engine/numbers.h"
#include "engine/rule.h"
#include "model/model.h"
#include <hs.h>

enum { ENGINE_HALVES = 2 };

enum pattern_kind { PATTERN_WORD, PATTERN_GATE, PATTERN_SCORE };

/* One expression of the databases. Several rules may share a literal; several groups a word. */
struct pattern {
  enum pattern_kind kind;
  bool nocase;
  bool literal; /* text is the literal; else a Vectorscan pattern */
  struct str text;
  uint32_t *owners; /* rules, or word groups */
  uint32_t n_owners;
  uint32_t before; /* the literal before with the same hash, counted from 1; 0: none */
};

/* A rule with left bytes, which the end of a text may belong to. */
struct left {
  uint32_t rule;
  struct charset heads; /* bytes of its gate literals but the last: a text that ends otherwise does not end within one */
};

enum { LEFTS_SKIPS = 4 };

/* What a byte says about the first 64 of a detector's rules with left bytes, one bit each. */
struct lefts {
  struct left *v;
  uint32_t n;
  uint64_t left[256], first[256], head[256]; /* is it one of its left bytes, may the finding begin with it, is it in heads? */
  uint64_t within[RULE_LEFT_MAX + 2];        /* by a number of bytes: may so many be left bytes? */
  struct skips {
    unsigned skip;
    uint64_t rules; /* of them, those with this left_skip */
  } skips[LEFTS_SKIPS];
};

struct vdt_engine {
  struct vdt_arena *arena;
  struct rules rules;
  struct pattern *patterns;               /* words first, then gates, then scores: hits at one place are handled in this order */
  uint32_t n_patterns, n_stream, n_first; /* all, words and gates, these and the first half of the scores */
  hs_database_t *phrases[ENGINE_HALVES];  /* of score rules; NULL: there are none in that half */
  hs_database_t *gates, *stream; /* the first n_stream patterns, for whole texts and for streams; NULL: literals are complete */
  unsigned char key[COMPILED_HASH]; /* of what they were compiled from */
  char name[VDT_KEPT_NAME + 1];     /* of it, empty when there was nothing to compile */
  bool is_new;                      /* compiled, not taken from what an earlier engine was compiled to */
  struct beginnings beginnings;     /* what the end of a text may be the beginning of */
  struct lefts lefts[VDT_DETECTORS];
  struct literals literals;      /* the first n_stream patterns */
  const struct numbers *numbers; /* what numbers in a text wake */
  struct model *model;           /* or NULL: rules alone */
  const void *weights;
  size_t n_weights;
  void (*release)(const void *weights, size_t n);
};

struct hit {
  uint32_t pattern;
  uint64_t start, end; /* start: only of score patterns */
};

#endif
