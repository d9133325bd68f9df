/* What the checks share. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H
#include "engine/check.h"

/* Is a value that stands where a secret would stand a stand-in for one: "<your key>", "${TOKEN}", "xxxx", "changeme", "EXAMPLE",
 * a sequence, few different characters? Documentation is full of them. */
bool is_placeholder(struct str value);
/* Has a word of a dictionary kind (test, example, sample, dummy ...) in it? */
bool has_placeholder_word(struct str value);
/* Is a value an expression or a name rather than a secret? quote: the quote it stood in, 0 for none. */
bool is_expression(struct str value, int quote);
/* Could its letters be words of a language? */
bool reads_like_words(struct str s);

/* A policy that asks for as little confidence as this hears of stand-ins and published samples too. */
enum { CONFIDENCE_PLACEHOLDER = 20, CONFIDENCE_SAMPLE = 30 };
/* Finishes a finding: confidence, unless the value is a stand-in or a sample. Returns true. */
bool found_sure(struct found *out, struct str value, unsigned confidence);

/* shape.c: does a value of 16 to 256 bytes look generated, and how? */
enum value_shape { SHAPE_NONE, SHAPE_UUID, SHAPE_HEX, SHAPE_RANDOM };
enum value_shape shape_of(struct str s);
bool looks_like_uuid(struct str s);
/* Letters in capitals and small ones that no name or word would have so; 10 bytes and more. */
bool cases_fall_at_random(struct str s);
/* How often neighbours are of different kinds (digit, upper, lower), but for a capital that begins a word. */
unsigned class_changes(struct str s);

/* grammar.c: how a name and its value are joined. TIGHT: without blanks, as in shells; ARGUMENT: ("name", "value"); ELEMENT:
 * <name>value</name>; OPTION: --name value; BELOW: on a line of its own; BESIDE: with nothing but a blank between. */
enum operator_kind {
  OPERATOR_NONE,
  OPERATOR_SIGN,
  OPERATOR_TIGHT,
  OPERATOR_ARGUMENT,
  OPERATOR_ELEMENT,
  OPERATOR_VERB,
  OPERATOR_OPTION,
  OPERATOR_BELOW,
  OPERATOR_BESIDE
};
/* The rest of a name: "_KEY", "Token", "-secret"; with blanks, further words. At most 40 bytes. */
uint64_t skip_name(struct look *l, uint64_t i, bool blanks);
/* Where the value begins, and in which quote (0: none). Raises l->hold to it. */
enum operator_kind skip_operator(struct look *l, uint64_t name_end, uint64_t *value, int *quote);
enum operator_kind skip_is(struct look *l, uint64_t i, uint64_t *value, int *quote);
/* Whether a word for a password begins at i, in some language. */
bool names_a_password(struct look *l, uint64_t i);
enum operator_kind skip_option(struct look *l, uint64_t name_end, uint64_t *value, int *quote);
enum operator_kind skip_setter(struct look *l, uint64_t name_end, uint64_t *value, int *quote);
enum operator_kind skip_blank(struct look *l, uint64_t name_end, uint64_t *value);
/* The value up to its quote or to a byte that ends it; longer than max when there is no end in reach. */
struct str value_at(struct look *l, uint64_t i, enum operator_kind kind, int quote, unsigned max);
/* The value without quotes that ends the line of its setting and has bytes in it that end one elsewhere: PASSWORD=a;b{c. Empty when there is
 * none, or it looks like an expression. */
struct str line_value(struct look *l, uint64_t i, enum operator_kind kind, unsigned max);
bool quote_closes(struct look *l, uint64_t i, int quote);
/* A bracket of one kind closes one of another: nobody writes an expression so. */
bool brackets_clash(struct str s);
bool element_closes(struct look *l, uint64_t i);

/* coins.c: Base58Check (the last 4 bytes are a double SHA-256 of the rest), Bech32 and Bech32m (data behind the "1"). */
bool base58_checks(struct str s);
/* Base58Check in Ripple's alphabet: a version's byte and a payload of so many bytes; the seeds that begin with sEd. */
bool ripple_checks(struct str s, unsigned version, size_t payload);
bool ripple_seed_checks(struct str s);
/* 40 hexadecimal digits: their capitals (EIP-55), unless all letters are of one case. */
bool ethereum_checks(struct str hex);
bool monero_checks(struct str s);
/* kind: 'G' for an address of Stellar, 'S' for a seed. */
bool stellar_checks(struct str s, char kind);
bool bech32_checks(struct str hrp, struct str data);

/* Is the word among those of the rule's variant? */
bool variant_has(const struct rule *r, struct str word);

/* CRC-32 (IEEE 802.3), as in zip and gzip. */
uint32_t crc32_of(struct str s);
/* Decodes base64 or base64url, padding optional; at most max bytes. The number of bytes, or -1. */
int base64_decode(struct str s, unsigned char *out, int max);
/* sums.c: of digits (and a last X for MOD 11-2), whole. */
bool sum_luhn(struct str s);
bool sum_mod11_2(struct str s);
bool sum_mod11_10(struct str s);
bool sum_verhoeff(struct str s);
/* identifier.c: has a number without separators the shape and checksum of that row of identifiers.def? */
bool identifier_valid(struct str name, struct str number);
/* card.c: the brand of a card's number, in words. */
const char *card_brand(struct str number);
/* Luhn's sum of decimal digits is 0 modulo 10 (ISO/IEC 7812-1). */
bool luhn(const unsigned char *digits, unsigned n);

#define X(name, fn, after_gate, help) check_fn fn;
#include "detect/checks.def"
#undef X
#endif
