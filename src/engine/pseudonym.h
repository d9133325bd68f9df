/*
 * Pseudonyms: names that stand for values on their way to a model.
 *
 * A name is made from the value and a key alone, so the same value has the same name in every request, and nothing has to be remembered: who
 * has the values at hand (clients send the whole conversation again) can make the names again. It shows what its kind shows anyway:
 *
 *   ghp_vdt3k9m...                the prefix of the kind and the core
 *   vdt3k9m...                    the core alone, where the kind has no prefix; a word such as "password" would say that a secret follows
 *   vdt3k9m...@pseudonym.invalid  an address that nobody has (RFC 2606)
 *   99...                         16 digits of no card brand, which fail Luhn's check
 *
 * The core is "vdt", 13 characters from a keyed hash of the value (65 bits), and 7 from a keyed hash of those (35 bits): so a name is
 * known for one of ours wherever it turns up, and is no secret. Nothing in a name means anything in JSON, HTML, SQL or a shell.
 */
#ifndef ENGINE_PSEUDONYM_H
#define ENGINE_PSEUDONYM_H
#include "engine/engine.h"

/* The name of a value that this rule found. */
void pseudonym_make(const unsigned char key[VDT_PSEUDONYM_KEY], const struct rule *rule, struct str value,
                    char out[VDT_REDACTED_MAX]);
/* Makes a name that of another value, in the same form. */
void pseudonym_rename(const unsigned char key[VDT_PSEUDONYM_KEY], struct str value, char name[VDT_REDACTED_MAX]);
/* Is what a rule found nothing but a name made with this key, or hardly more (a user's name before it)? Numbers in the form of cards do
 * not tell. all: the rules, whose prefixes names have. */
bool pseudonym_is(const unsigned char key[VDT_PSEUDONYM_KEY], const struct rules *all, struct str found);
#endif
