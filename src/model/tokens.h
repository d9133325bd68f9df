/*
 * From text to the numbers that the model reads. Cuts a normalised text (engine/view.h) into pieces of a vocabulary by longest match;
 * training uses this same code, so both see the same tokens.
 *
 * ASCII letters are read in lower case. White space is not kept: a word's first piece begins with a blank, and a run of white space
 * with a line end in it is one NEWLINE before that. A byte that begins no piece is a token of its own. What repeats itself with a
 * period of up to 12 tokens ("k k k", a rule of dashes, a line over and over) is told twice and then left out: it says nothing new, is
 * the cheapest padding that there is, and would drown in its window what stands beside it. Linear time: a piece has at most
 * PIECE_MAX bytes.
 */
#ifndef MODEL_TOKENS_H
#define MODEL_TOKENS_H
#include "base/error.h"
#include "base/str.h"

/* Token numbers 0..255+FIRST_BYTE are fixed; pieces follow. */
enum { TOKEN_PADDING, TOKEN_PROMPT, TOKEN_DOCUMENT, TOKEN_MASK, TOKEN_NEWLINE, FIRST_BYTE, FIRST_PIECE = FIRST_BYTE + 256 };
enum { PIECE_MAX = 64, PIECES_MAX = 1 << 17 };

struct token {
  uint32_t id;
  uint32_t start, end; /* bytes of the text; without the white space before it */
};

struct vocabulary;
/* pieces: one after the other, a byte of length and then the bytes; they must stay as long as the vocabulary. A piece is 1..PIECE_MAX bytes and there
 * once; ERULE says which is not. */
int vocabulary_new(struct str pieces, struct vocabulary **out, struct vdt_error *err);
void vocabulary_free(struct vocabulary *v);
/* How many token numbers there are. */
uint32_t vocabulary_size(const struct vocabulary *v);

/* Tokens of text from byte `from` on, at most max. Returns how many; *stop is where it stopped reading (text.n: all read). Begin at 0
 * or at a former *stop; what was told before that is not remembered, so a call tells repetitions anew. */
size_t tokenize(const struct vocabulary *v, struct str text, size_t from, struct token *out, size_t max, size_t *stop);
/* The text of tokens as they were read, in lower case, into out, which has room for n * PIECE_MAX bytes. Returns how many there are. */
size_t vocabulary_spell(const struct vocabulary *v, const uint32_t *ids, size_t n, char *out);
#endif
