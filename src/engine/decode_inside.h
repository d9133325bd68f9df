/* What the decoders share: the text at hand, and how they say what they have decoded. Private to decode*.c. */
#ifndef ENGINE_DECODE_INSIDE_H
#define ENGINE_DECODE_INSIDE_H
#include "engine/blocks.h"
#include "engine/decode.h"
#include "engine/decode_text.h"

struct look_alikes;                           /* of decode_confusables.c; made when first needed */
void look_alikes_free(struct look_alikes *l); /* accepts NULL */

/* Values of bytes as digits of base85, in three alphabets; of letters that were turned, too. */
struct alphabets {
  uint8_t value[3][256], rot13[3][256], atbash[3][256];
};
void alphabets_fill(struct alphabets *a);
/* Sets m->turned from the rest. */
void turns_fill(struct text_model *m);

struct region {
  uint32_t start, end;
};

struct regions {
  struct region *v;
  size_t n, cap;
};

enum { VARIANT_LAST = 2 };

/* Something decoded: bytes [at, at + n) of out, for [start, end) of the text. */
struct piece {
  uint32_t start, end, at, n;
  uint8_t layers[2], n_layers,
      variant; /* variant 1: the second way to read it; VARIANT_LAST: what is read whole, whatever is found in it */
  bool same;
  uint32_t hidden_start, hidden_end;
};

/* One text in the works. */
struct decode_work {
  struct text_model model;
  struct alphabets alphabets;
  struct str in;
  unsigned signs;           /* SIGN_*: what the gate saw anywhere */
  size_t first[MARK_KINDS]; /* where each kind of mark first begins; SIZE_MAX: nowhere */
  size_t first_list;        /* where pairs or eights of digits first stand in a list, or a little before; SIZE_MAX: nowhere */
  size_t first_number;      /* the same of many numbers close together */
  size_t first_uu;          /* the first line that may be one of uuencode; SIZE_MAX: there is none */
  bool spelled;             /* words of the spelling alphabet stand close together */
  struct regions odd;       /* where it does not look like language; ordered, apart */
  struct regions joints;    /* where words may be joined or cut (SIGN_JOINTS); likewise, but none in answers */
  struct regions slips;     /* where words may be misspelt or in Pig Latin; likewise */
  struct region *back;      /* lines that are written backwards; ordered, apart */
  size_t n_back, cap_back, back_seen;   /* so far they have been looked for */
  size_t stretch_seen;                  /* the same around words that are backwards */
  bool leaks;                           /* of struct decode */
  bool decoded;                         /* the text was decoded: nothing need make it odd to be looked at */
  size_t letters, n_blocks, odd_blocks; /* of the whole text */
  struct buf out, scratch, turned;
  struct piece *pieces, *mixed;
  size_t n_pieces, cap_pieces, cap_mixed;
  struct view fold;
  struct look_alikes *look_alikes;
  uint64_t work;
  bool failed;
};

/* Adds out[at..] as a piece; same: it has the length of [start, end) and stands for it byte by byte. */
void piece_add(struct decode_work *w, enum decoder_id id, size_t start, size_t end, size_t at, bool same);
/* The same with an inner layer, or with a second reading. */
void piece_add_full(struct decode_work *w, struct piece p);
/* Does out[at..] look like text? Else it is taken away. */
bool piece_looks_right(struct decode_work *w, size_t at);

/* The same, but it must be language; or language or words of letters that none are, as ciphers make them. */
bool piece_is_language(struct decode_work *w, size_t at);
bool piece_has_words(struct decode_work *w, size_t at);

/* A character may be cut at the end of out[at..]: takes away what there is of it. */
void piece_trim(struct decode_work *w, size_t at);

/* Each looks for one encoding, or one family, in all of w->in. */
typedef void decoder_fn(struct decode_work *w);
decoder_fn decode_controls, decode_escapes, decode_numbers, decode_bits, decode_joined, decode_markup, decode_slips,
    decode_pig_latin, decode_caesar, decode_upside_down, decode_percent, decode_entities, decode_quoted, decode_uu, decode_hex,
    decode_binary, decode_tokens, decode_base85, decode_morse, decode_braille, decode_nato, decode_spaced, decode_leet,
    decode_ciphers, decode_confusables;

/* Words that are run together in [from, to), which has no blank: adds them as pieces, or returns false. */
bool part_words(struct decode_work *w, size_t from, size_t to);
/* Words with blanks in them in [from, to), which begins with a word: adds pieces. */
void mend_words(struct decode_work *w, size_t from, size_t to);

/* Does a word of the spelling alphabet begin at i? */
bool nato_at(struct str s, size_t i);

/* Where a list of numbers may have begun of which the gate has seen enough in the block at i or, lagging, before it. */
size_t number_start(struct str s, size_t i);

/* May a line of uuencode begin at i? */
bool uu_may_begin(struct str s, size_t i);

/* Looks whether the line around i is written backwards: then it is one of w->back. */
void note_backwards(struct decode_work *w, size_t i);

/* Invisible characters of original, which lies under the view v. */
void decode_hidden(struct decode_work *w, struct str original, const struct view *v);
/* The same for decoded bytes: appends what they hide to out, and says by which scheme; DECODERS when they hide nothing. */
enum decoder_id reveal(struct decode_work *w, struct str raw);
/* Lines of original in which letters are overridden in their direction, as they are shown; one of decode_hidden. */
void decode_bidi(struct decode_work *w, struct str original, const struct view *v);

/* Appends s as another reading of its bytes: DECODER_ROT13, ATBASH, REVERSED or REVERSED_WORDS. */
void put_turned(struct buf *out, struct str s, enum decoder_id how);

/* Frequent words of languages in Latin letters (decode_lexicon.c): of ASCII letters, in whatever case; longer ones are not known. */
enum { LEXICON_WORD_MAX = 15 };
/* How rare a word is, in eighths of a bit, by the hash of its letters; 0: it is not known. */
unsigned lexicon_cost(uint32_t hash);
/* The most frequent word that a word may be meant for whose inner letters are in another order, or one of them is missing, too many or another;
 * nothing: there is none. */
struct str lexicon_near(struct str word);
/* The hash of one letter more (FNV-1a); begin with LEXICON_EMPTY. */
#define LEXICON_EMPTY UINT32_C(0x811c9dc5)
static inline uint32_t lexicon_hash(uint32_t hash, char letter)
{
  return (hash ^ (unsigned char)(letter | 32)) * UINT32_C(0x01000193);
}
static inline uint32_t lexicon_hash_of(struct str word)
{
  uint32_t hash = LEXICON_EMPTY;
  for (size_t i = 0; i < word.n; i++) hash = lexicon_hash(hash, word.p[i]);
  return hash;
}

/* A code point as UTF-8; U+FFFD for what is none. */
void put_utf8(struct buf *b, uint32_t c);

/* What a byte is, as bits: one load instead of comparisons, since decoders ask this of every byte that they look at. */
enum { IS_UPPER = 1, IS_LOWER = 2, IS_DIGIT = 4, IS_HEX = 8, IS_BASE64 = 16, IS_LEET = 32, IS_SIGN = 64 };
extern const uint8_t byte_kinds[256];

/* Kinds of all bytes together. */
static inline unsigned kinds_of(struct str s)
{
  unsigned kinds = 0;
  for (size_t i = 0; i < s.n; i++) kinds |= byte_kinds[(unsigned char)s.p[i]];
  return kinds;
}

/* The first byte from i on that is not ASCII, or the end. */
static inline size_t next_high(struct str s, size_t i)
{
  for (; i + BLOCK_BYTES <= s.n; i += BLOCK_BYTES) {
    uint64_t high = block_high((const unsigned char *)s.p + i);
    if (high) return i + block_first(high);
  }
  while (i < s.n && !(s.p[i] & 0x80)) i++;
  return i;
}

/* The character at i of UTF-8 that the view has made, and so is well-formed. */
static inline int32_t char_at(struct str s, size_t i, size_t *n)
{
  unsigned char c = (unsigned char)s.p[i];
  *n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  if (i + *n > s.n) *n = s.n - i;
  int32_t v = *n == 1 ? c : c & (0x3F >> (*n - 1));
  for (size_t k = 1; k < *n; k++) v = v << 6 | (s.p[i + k] & 0x3F);
  return v;
}

static inline int hex_value(unsigned char c)
{
  if (!(byte_kinds[c] & IS_HEX)) return -1;
  return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}
static inline bool is_blank(unsigned char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static inline bool is_letter(unsigned char c)
{
  return byte_kinds[c] & (IS_UPPER | IS_LOWER);
}
static inline bool is_digit(unsigned char c)
{
  return byte_kinds[c] & IS_DIGIT;
}

/* A letter, or a byte of a character that is not ASCII. */
static inline bool is_word_byte(char c)
{
  return is_letter((unsigned char)c) || c & 0x80;
}

/* The next letters in a row from *i on, before `to`; *i: behind them. Nothing: there are none. */
static inline struct str next_letters(struct str s, size_t *i, size_t to)
{
  while (*i < to && !is_letter((unsigned char)s.p[*i])) ++*i;
  size_t begin = *i;
  while (*i < to && is_letter((unsigned char)s.p[*i])) ++*i;
  return str_cut(s, begin, *i);
}

/* c by DECODER_ROT13 or ATBASH. */
static inline char turn_letter(char c, enum decoder_id how)
{
  if (!is_letter((unsigned char)c)) return c;
  int a = c & 32 ? 'a' : 'A', x = c - a;
  return (char)(a + (how == DECODER_ROT13 ? (x + 13) % 26 : 25 - x));
}
#endif
