/*
 * The gate of the decoders: one pass over a text, 64 bytes at a time, that says where it may hide something. Most blocks of most texts are looked
 * at here and nowhere else, so what the other decoders can be told by a block is told by this one.
 *
 * Bits of a block are read by one of several functions (gate_bits.c), the best that the processor has; they all say the same.
 */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H
#include "base/str.h"
#include "engine/blocks.h"

enum { BLOCK = 64 };

enum sign {
  SIGN_ODD =
      1, /* letter pairs that no language has, capitals inside words, digits before letters, a long number, a very long word */
  SIGN_ODD_BEFORE = 16, /* the same about the second half of the block before and the first of this one */
  SIGN_SPACED = 2,      /* many single letters */
  SIGN_EIGHTS = 32,     /* groups of eight hexadecimal digits */
  SIGN_LISTS = 4,       /* pairs of hexadecimal digits with something between them */
  SIGN_MARKS = 8,       /* two bytes that may begin a mark (enum mark_kind) */
  SIGN_HIGH = 64,       /* a byte that is not ASCII */
  SIGN_NUMBERS = 256,   /* many numbers close together */
  SIGN_JOINTS = 512,    /* many signs between letters, or capitals within words; a very long word, or many short ones */
  SIGN_SLIPS = 2048,    /* letter pairs that are rare, here and in the block before */
  SIGN_DIGITS = 1024,   /* sixteen hexadecimal digits or more in a row */
  SIGN_BACKWARDS = 128, /* text written backwards: a capital that ends a word, a full stop or a comma that begins one */
};

struct text_model;

/* What one block is, a bit for each byte unless it is said. Bits behind its n bytes are 0. */
struct gate_bits {
  uint64_t letters, hex, capitals, blanks, lines;
  uint64_t stops;  /* commas and full stops */
  uint64_t uu;     /* may be the first byte of a line of uuencode: '!' to '`' */
  uint64_t marks;  /* the byte before and this one may begin a mark */
  uint64_t nato;   /* letters: a word of the spelling alphabet may begin here */
  unsigned odd[2]; /* how odd the pairs are that end in each half, marks left out */
  unsigned n_letters;
  bool high; /* some byte is not ASCII */
};

/* Tables of 128 bytes, which some processors look up 64 times at once, fastest where they do not lie across cache lines. */
struct gate_tables {
  _Alignas(64) uint8_t letter[128]; /* 1..26, or 0 */
  uint8_t lead[128], follow[128];   /* a mark begins where the two have a bit in common */
  uint8_t odd[7][128];              /* by four letters, then the letter after them: how odd the pair is, whatever its case */
  uint8_t nato[2][64]; /* by the lower five bits of the first letter: the second one, and 32 on the third; the other spelling */
};

/* Reads a block: p[-1] to p[BLOCK + 1] can be read, n of p's bytes are the block's, and what is behind those is 0 when they are fewer. */
typedef void gate_reader(const struct text_model *m, const char *p, size_t n, struct gate_bits *out);
/* The best reader of this processor, or the one of that name ("avx512vbmi", "portable"); NULL when the processor cannot, or there is none. */
gate_reader *gate_path(const char *name);
/* Fills m->tables from the rest of the model. */
void gate_tables_fill(struct text_model *m);

/* Letters of a block, words that begin in it, its blanks and line ends, how odd its pairs are, its bytes. */
struct tally {
  unsigned letters, words, blanks, odd, n;
};

/* The gate, between blocks. */
struct gate {
  unsigned signs, half;    /* of all blocks so far; how odd the second half of the last one was */
  struct gate_bits now;    /* the last block */
  uint64_t uu;             /* one bit for each byte of the last block: may a line of uuencode begin there, after a line feed? */
  uint64_t backwards;      /* the same: is there a sign of text written backwards? */
  uint64_t humps;          /* the same: capitals behind a small letter */
  struct tally last;       /* of the last block */
  unsigned tail;           /* letters at its end */
  bool any;                /* some block was read */
  bool solid;              /* nothing in the last block is blank */
  bool line, blank, small; /* the last byte was a line feed, a blank, a small letter */
  bool capital;            /* or a capital behind a small letter */
};
/* Reads s[at, at + n), n at most BLOCK, which follows what the gate has read before; returns its signs. Begin with {0}, and
 * end with an empty block: patterns at the end of a block are seen with the next one. */
unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n);
#endif
