/*
 * decode: what a text says once its encodings are taken off.
 *
 * Given the view of a whole text (and the text itself, for what the view leaves out), this yields further texts, each of which is to be
 * judged like the first. One of them holds everything that was decoded at one level, in place, with the words around it: so an attack is
 * found that is spread over several encoded words, and one that is half encoded. Long stretches in which nothing was encoded are
 * left out (two line ends stand for them). Decoded texts are decoded in turn.
 *
 * Two texts come from one where it can be read in two ways: letters written backwards, whole or word by word.
 *
 * What is decoded must look like text (decode_text.h), so that hashes, keys and pictures give nothing. Bounds: DECODE_DEPTH layers,
 * decode_budget() bytes, and work linear in the input: every decoder reads a text from left to right, and nothing twice.
 */
#ifndef ENGINE_DECODE_H
#define ENGINE_DECODE_H
#include "engine/view.h"

enum {
  DECODE_DEPTH = 4,
  DECODE_FLOOR = 64 << 10, /* a short text may be decoded into this much */
  DECODE_CEILING = 16 << 20,
  DECODE_CONTEXT = 512,      /* bytes kept on either side of what was decoded: more than a rule or a context word reaches */
  DECODE_LAYERS = 8,         /* different layers that one finding can name */
  DECODE_TEXT_MAX = 1 << 28, /* of a longer view nothing is decoded */
};

enum decoder_id {
#define X(id, name, find, help) DECODER_##id,
#include "engine/decoders.def"
#undef X
  DECODERS
};

/* A stretch of a decoded text and what it stands for in its parent, [start, end). */
struct segment {
  uint32_t at, n;
  uint32_t start, end;
  bool same;        /* byte i stands for byte i; else the whole for the whole */
  uint8_t n_layers; /* 0: copied */
  uint8_t layers[2];
  uint32_t hidden_start, hidden_end; /* of invisible characters: where they stand in the original text; [start, end) is empty */
};

struct decoded {
  struct str text;
  int parent; /* index of the text that it was decoded from, -1: the view */
  unsigned depth;
  struct segment *segments; /* all of the text, in order */
  size_t n_segments;
};

/* A stretch of a decoded text in the original text, and the layers between them, outermost first. */
struct decode_span {
  uint64_t start, end;
  bool decoded; /* part of it was decoded at the text's own level: it has not been seen in the parent */
  unsigned n_layers;
  const char *layers[DECODE_LAYERS];
};

struct decode_work;

struct decode {
  struct decoded *texts; /* parents before children */
  size_t n_texts, cap_texts;
  bool partial;  /* the budget ended before the encodings did */
  uint64_t work; /* bytes looked at, for the test that work is linear */
  size_t budget; /* what is left of it */
  bool leaks;    /* set by who looks for secrets and data alone: what hides words and nothing else is let be */
  size_t limit;  /* the whole of it; 0: decode_budget() of the text. For tests */
  struct decode_work *inside;
};

/* False when out of memory. */
bool decode_init(struct decode *d);
void decode_finish(struct decode *d);
/* Bytes that a text of n bytes may be decoded into, all decoded texts together: four times n, within FLOOR and CEILING. */
size_t decode_budget(size_t n);
/* Fills d->texts; what they hold is good until the next call. original: the text that v is the view of; view: the view's bytes (v->text,
 * or original itself where all is ASCII). False when out of memory. */
bool decode_run(struct decode *d, struct str original, const struct view *v, struct str view);
/* Gives back what a large text needed; the texts are gone. */
void decode_trim(struct decode *d);
/* Where [start, end) of text i comes from; end > start. */
void decode_origin(const struct decode *d, const struct view *v, size_t i, uint64_t start, uint64_t end, struct decode_span *out);
/* Does some decoded text say all that text i (-1: the view; n bytes) says, most of it decoded, at once or layer by layer? Then that is how it is
 * meant to be read, and who judges language need not look at the letters of the encoding. */
bool decode_supersedes(const struct decode *d, int i, size_t n);
/* Is this segment of invisible characters? */
bool segment_is_hidden(const struct segment *s);
const char *decoder_name(enum decoder_id id);
#endif
