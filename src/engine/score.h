/*
 * The seam for score detectors (jailbreak, indirect): something that reads a whole view with the rules that hit it and says how
 * likely it is an attack, and which spans say so. Rules with weights come first; a trained model is a second implementation.
 */
#ifndef ENGINE_SCORE_H
#define ENGINE_SCORE_H
#include "engine/rule.h"

struct score_hit {
  const struct rule *rule;
  uint64_t start, end; /* view offsets */
};

/* hits: every match of the score rules that feed this score (in_prompt for jailbreak, in_document for indirect), ordered by
 * start. view: the whole normalised text. Sets keep[i] for the hits that carry the score and returns it, 0..1. Deterministic. */
double score_rules(struct str view, const struct score_hit *hits, size_t n, bool *keep);
#endif
