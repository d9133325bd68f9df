/*
 * One thread's scratch space, and how hits get from Vectorscan to the detectors: the part that whole texts and streams share.
 */
#ifndef ENGINE_SCANNER_H
#define ENGINE_SCANNER_H
#include "engine/decode.h"
#include "engine/leaks.h"
#include "engine/score.h"
#include "engine/view.h"

enum { SCANNER_GROUP = 64 };

struct vdt_scanner {
  const struct vdt_engine *engine;
  hs_scratch_t *scratch;
  hs_scratch_t *regex_scratch; /* NULL: no rule has an expression. Checks run inside a scan, which has the other one */
  struct leaks leaks;          /* of vdt_scan; a stream has its own */
  struct view view;
  struct decode decode;         /* of vdt_scan */
  struct reading_set *readings; /* of vdt_scan */
  struct model_reader *reader;  /* NULL: the engine has no model */
  struct hit
      group[SCANNER_GROUP]; /* of the delivery at work: emptying it for each would cost more than the scan of a few bytes */
  struct score_hit *scores;
  size_t n_scores, cap_scores;
};

/* Where one call of Vectorscan delivers its hits. */
struct delivery {
  struct leaks *leaks;
  struct vdt_scanner *scanner; /* gathers score hits; NULL: there are none */
  bool want_document;          /* score rules of which role */
  const struct window *window;
  struct hit *group; /* of the scanner: hits that end at one place, handled in the order of their patterns */
  size_t n_group;
  bool failed;
};

/* Match callbacks of Vectorscan; context is a struct delivery. For words and gates, and for phrases, which are numbered from 0. */
int deliver(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context);
int deliver_phrase(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context);
/* Delivers the last group. */
void deliver_rest(struct delivery *d);

/* Fills in a public finding from a settled candidate; the view holds its text. orig: the original span. */
void finding_fill(struct vdt_finding *f, const struct vdt_engine *e, const struct candidate *c, struct str matched,
                  enum vdt_role role, uint64_t start, uint64_t end);
/* What is said of a candidate that was read otherwise than it stands. */
void finding_read_as(struct vdt_finding *f, const struct candidate *c);
/* The alert type that a detector's finding raises in a role, "" for none. */
const char *finding_alert(enum vdt_detector_id detector, enum vdt_role role, enum vdt_action action);
/* What stands in the place of a secret that is redacted. Never anything that means something in JSON, HTML or a shell's quotes. A pseudonym
 * (pseudonym.h) is made later, when the span is known; until then a label. */
void mask_text(char out[VDT_REDACTED_MAX], enum vdt_mask_style style, const struct rule *rule, struct str matched);
/* What may be shown of a secret: what its kind shows anyway (the gate), and its last four characters when it is long. */
void mask(char out[VDT_REDACTED_MAX], const struct rule *rule, struct str matched);
#endif
