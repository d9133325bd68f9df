/*
 * Does an answer repeat the instructions that its own request gave? And does it hold the canary that was planted in them?
 *
 * Instructions are taken as runs of INSTRUCTIONS_GRAM words, small letters, whatever stands between the words; of each run only a keyed hash is
 * kept, for the life of one interaction. Runs that stand in what the user wrote too say nothing. An answer is read byte by byte, so that how it
 * is cut changes nothing. It has leaked when it holds a quarter of the runs, at least INSTRUCTIONS_LEAST and at most
 * INSTRUCTIONS_MOST of them, in whatever order: a sentence that instructions ask for word by word is no leak, a page of them is.
 *
 * Scripts without blanks are read character by character. What is translated, encoded or told in other words is not seen; the canary is, also
 * in the encodings that a model writes when it is asked for one (enum canary_form_id).
 */
#ifndef GATEWAY_INSTRUCTIONS_H
#define GATEWAY_INSTRUCTIONS_H
#include "base/str.h"
#include "vedette/vedette.h"

enum { INSTRUCTIONS_GRAM = 8, INSTRUCTIONS_LEAST = 5, INSTRUCTIONS_MOST = 60, INSTRUCTIONS_GRAMS_MAX = 65536, CANARY_LEN = 24 };

/* The ways in which a canary is looked for: as it is, backwards, in rot13, in hexadecimal digits, and in base64 at the three places of a text in
 * groups of three bytes. */
enum canary_form_id { CANARY_PLAIN, CANARY_BACKWARDS, CANARY_ROT13, CANARY_HEX, CANARY_BASE64, CANARY_FORMS = CANARY_BASE64 + 3 };
struct canary_form {
  char text[2 * CANARY_LEN + 1]; /* small letters where case does not matter */
  unsigned n;
};

struct instructions {
  uint64_t seed;
  uint64_t *grams; /* an open table, 0: free */
  size_t room, n;
  size_t needed;               /* so many of them in an answer are a leak */
  char canary[CANARY_LEN + 1]; /* "" when none was planted */
  struct canary_form forms[CANARY_FORMS];
};

/* The words of a text, one byte after the other. */
struct gram_reader {
  uint64_t word, run, last[INSTRUCTIONS_GRAM]; /* hashes of the word at hand, of the last words together, and of each */
  uint64_t n_words;
  unsigned left; /* bytes of the character at hand that are still to come */
  bool in_word;
};

/* key: of this installation. Adds the runs of a system text; false when out of memory. */
void instructions_init(struct instructions *i, const unsigned char key[32]);
bool instructions_add(struct instructions *i, struct str text);
/* Takes away what the user says too. */
void instructions_forget(struct instructions *i, struct str text);
/* To be called when all texts are in. */
void instructions_settle(struct instructions *i);
void instructions_finish(struct instructions *i);
/* The canary of a deployment: the same every time, another for each installation. */
void instructions_canary(struct instructions *i, const unsigned char key[32], struct str deployment);

enum instructions_found { INSTRUCTIONS_NOTHING, INSTRUCTIONS_REPEATED, INSTRUCTIONS_CANARY };

/* An answer on its way out, one for each of its texts. */
struct leak_reader {
  struct gram_reader grams;
  uint64_t *hit; /* a bit for each place of the table, or NULL: out of memory, or nothing yet */
  size_t n_hit;
  uint64_t at, run_start; /* bytes read; where the run of known words at hand began */
  unsigned quiet;         /* words since the last known run */
  struct {
    unsigned n; /* characters of it that have just been read */
    uint64_t start;
  } canary[CANARY_FORMS];
  uint64_t canary_start; /* of the one that was found */
  bool told, told_canary;
};
void leak_reader_finish(struct leak_reader *r);
/* Reads in[0..*n) where *n says how far it came: to the end, or behind the byte that made it sure; *start is where in the text that began. last: nothing
 * follows. Each is found once. */
enum instructions_found leak_read(struct leak_reader *r, const struct instructions *i, struct str in, bool last, size_t *n,
                                  uint64_t *start);
#endif
