/* Made-up secrets and personal data that pass the checks of their kinds (CRC, Luhn, mod 97), always the same for the same seed. */
#ifndef SIM_LEAKS_H
#define SIM_LEAKS_H
#include "base/buf.h"

/* Appends the secret alone, or the sentence around it. false when the kind is unknown. */
bool leak_secret(struct str kind, uint64_t seed, struct buf *out);
bool leak_sentence(struct str kind, uint64_t seed, struct buf *out);
/* The kind whose phrase stands first in text, or an empty str. */
struct str leak_asked_for(struct str text);
/* i-th kind, NULL behind the last. */
const char *leak_kind(size_t i);
#endif
