/* fields.def as tables: the writer and the reader walk the same rows, and the data statement names them. Only for record/ and data/. */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H
#include "record/record.h"

/* LAYERS: a text of names joined by ", " that is an array of them in the line. SEALED: a token of record/seal.h. PSEUDONYMS: an array of objects; the member is the pointer,
 * and its number follows it. */
enum field_kind { TEXT, WORD, EVIDENCE, SEALED, LAYERS, ID, TIME, U64, UINT, BOOL, ENUM, SIDE, OPINION, PSEUDONYMS };

/* The words that a WORD (kept as text) or an ENUM (kept as its number) may be. */
struct words {
  const char *const *names;
  unsigned n;
};

struct field {
  const char *name;
  enum field_kind kind;
  size_t at; /* offset in its struct */
  const struct words *words;
  bool required;
};

struct fields {
  const struct field *rows;
  size_t n;
};

/* The longest text of a record, in bytes; longer ones are cut at a character. */
enum { RECORD_TEXT_MAX = 1024 };
/* An array of LAYERS has at most so many names, of at most so many bytes: small letters, digits, hyphens. */
enum { RECORD_LAYERS_MAX = 8, RECORD_LAYER_LEN = 32 };

extern const struct fields record_fields, side_fields, finding_fields, opinion_fields, pseudonym_fields, egress_fields;
#endif
