/*
 * Readings: other ways to read a stream, for secrets that are written so that the plain text does not show them.
 *
 *   escapes   \u0067 \x67 %67 &#103; &#x67; stand for the byte that they name (printable ASCII only)
 *   base64    stretches that decode to text, wrapped over lines too
 *   joined    emphasis (* `) and line ends (LF, CR LF, CR) inside of what may be a key, behind its gate, are not there
 *
 * A reading turns the view into another text, byte by byte, knows for each of its bytes which of the view stand for it, and looks for leaks in it
 * like the stream does in the view. What it finds counts where at least one byte was written otherwise: the rest the stream sees itself. It sleeps
 * until the view has a sign of it; then it goes back as far as a rule looks, so that it sees what the stream saw.
 */
#ifndef ENGINE_READING_H
#define ENGINE_READING_H
#include "engine/leaks.h"
#include "engine/scanner.h"

enum reading_kind { READING_ESCAPES, READING_BASE64, READING_JOINED, READINGS };

/* The bytes of the view that a byte of the reading stands for. */
struct reading_place {
  uint64_t start, end;
};

struct reading {
  enum reading_kind kind;
  bool ready, awake, fresh; /* fresh: nothing has been looked at since it woke */
  struct leaks leaks;
  hs_stream_t *hs;
  struct buf text; /* from offset base on */
  struct reading_place *places;
  size_t cap_places;
  uint64_t base, len, scanned;
  uint64_t next; /* view offset of the first byte that has not been read */
  uint64_t
      pending; /* view offset of the first byte that has been read and may still mean something else; `next` when there is none */
  uint64_t sign;  /* view offset of the latest sign */
  uint64_t woken; /* of the one that it woke for: what ends before it was judged when it was read first */
  /* base64 */
  unsigned n_digits, n_printed;
  uint32_t bits;
  bool refused, first; /* first: no group of the run is decoded yet */
  uint64_t run, digits_at[4];
  /* joined */
  bool line_begins;
};

struct reading_set {
  unsigned kinds; /* bits */
  bool redacts;
  bool whole; /* the text is whole: nothing leaves before all is seen */
  struct vdt_scanner *scanner;
  const struct vdt_policy *policy; /* the stream's copy */
  enum vdt_role role;
  struct reading of[READINGS];
};

void reading_init(struct reading_set *set, unsigned kinds, struct vdt_scanner *scanner, const struct vdt_policy *policy,
                  enum vdt_role role);
/* Begins another text with a set that has been read with, whose memory it keeps. */
void reading_begin(struct reading_set *set, unsigned kinds, struct vdt_scanner *scanner, const struct vdt_policy *policy,
                   enum vdt_role role);
/* Gives back what a large text needed. */
void reading_trim(struct reading_set *set);
void reading_finish(struct reading_set *set);
/* The same for a whole text which main has seen; collects as well. */
bool reading_whole(struct reading_set *set, const struct window *w, struct leaks *main, struct vdt_arena *arena);
/* Reads what is new in the view. main: the stream's own leaks, which have seen it. False when out of memory. */
bool reading_step(struct reading_set *set, const struct window *w, const struct leaks *main);
/* Lowers the boundaries of the view. waiting as in leaks_boundaries(). */
void reading_boundaries(const struct reading_set *set, const struct window *w, bool waiting, uint64_t *settled,
                        uint64_t *free_until);
/* Moves what was found into main, as candidates of the view with read_as in the arena. False when out of memory. */
bool reading_collect(struct reading_set *set, const struct window *w, struct leaks *main, struct vdt_arena *arena);
/* Is this name, by its address, the layer of a reading? */
bool reading_is_layer(const char *layer);
/* The lowest view offset that is still needed. */
uint64_t reading_needs(const struct reading_set *set, uint64_t end);
#endif
