/*
 * beginnings: which gate literals may a text end in the middle of? A stream asks after every feed, so it costs one look at the last bytes and
 * not one at each literal. Proper beginnings of all literals lie in one hash table, by a hash that is computed from the end of the text
 * backwards. A collision of hashes would hold text back a little longer and change no finding.
 */
#ifndef ENGINE_BEGINNINGS_H
#define ENGINE_BEGINNINGS_H
#include "base/arena.h"
#include "engine/rule.h"

struct beginning {
  uint64_t hash; /* 0: an empty place */
  uint32_t what; /* bits of beginning_bit() */
};

enum { BEGINNINGS_SOME = 1 << 17 };

struct beginnings {
  struct beginning *places;
  uint64_t mask;
  uint64_t some[BEGINNINGS_SOME /
                64];           /* by the upper bits of the hash: is there a beginning? Small enough to be at hand at every feed */
  uint64_t pairs[65536 / 64];  /* first two bytes of a literal, as a bit set */
  uint64_t inside[65536 / 64]; /* two neighbours anywhere in a literal, and three by their hash: others end the search */
  uint64_t triples[65536 / 64];
  uint64_t firsts[256 / 64]; /* first bytes */
};

/* Literals of a detector's gates: those that need a boundary before them, and those that do not. */
static inline uint32_t beginning_bit(enum vdt_detector_id detector, bool bound)
{
  return 1u << (2 * (unsigned)detector + bound);
}

/* The literals of gates without left bytes whose findings begin with the gate. False: no memory. */
bool beginnings_init(struct beginnings *b, struct vdt_arena *arena, const struct rules *rules);
/* Sets live[detector] to the largest n, at most `most`, for which the n bytes before end are the beginning of one of its literals, and leaves
 * it where there is none. before: the byte before the last `most` bytes, or -1. wanted: one bit per detector. */
void beginnings_find(const struct beginnings *b, const unsigned char *end, size_t most, int before, unsigned wanted,
                     size_t live[VDT_DETECTORS]);
#endif
