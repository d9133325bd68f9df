#include "engine/pseudonym.h"
#include "engine/check.h"
#include <sodium.h>

enum {
  ID = 13,
  TAG = 7,
  MARK = 3,
  CORE = MARK + ID + TAG,
  HASH = 24,
  CARD = 16,
  SHOWN_MAX = 12,  /* longest gate that a name begins with */
  BESIDE_MAX = 16, /* fewer bytes beside names than this are no secret of their own */
};
static const char mark[] = "vdt", domain[] = "@pseudonym.invalid";

/* ---- the core --------------------------------------------------------------------------------------------------- */

/* what: one letter for each use of the key, so that no two of them ever hash the same. */
static void keyed(const unsigned char *key, const char *what, struct str s, unsigned char out[HASH])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, key, VDT_PSEUDONYM_KEY, HASH);
  crypto_generichash_update(&h, (const unsigned char *)"pseudonym:", 10);
  crypto_generichash_update(&h, (const unsigned char *)what, 1);
  if (s.n) crypto_generichash_update(&h, (const unsigned char *)s.p, s.n);
  crypto_generichash_final(&h, out, HASH);
}

/* n characters of five bits each. */
static void spell(const unsigned char *hash, char *out, size_t n)
{
  static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  for (size_t i = 0; i < n; i++) {
    size_t bit = 5 * i;
    unsigned two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
    out[i] = alphabet[two >> (11 - bit % 8) & 31];
  }
}

static void put_tag(const unsigned char *key, const char *id, char out[TAG])
{
  unsigned char hash[HASH];
  keyed(key, "t", (struct str){id, ID}, hash);
  spell(hash, out, TAG);
}

static void put_core(const unsigned char *key, struct str value, char out[CORE])
{
  unsigned char hash[HASH];
  keyed(key, "v", value, hash);
  memcpy(out, mark, MARK);
  spell(hash, out + MARK, ID);
  put_tag(key, out + MARK, out + MARK + ID);
}

/* Offset of the next core of ours at or after `from`, or -1. */
static size_t find_core(const unsigned char *key, struct str s, size_t from)
{
  for (size_t i = from; i + CORE <= s.n; i++) {
    size_t next = str_find(str_cut(s, i, s.n), (struct str){mark, MARK});
    char tag[TAG];
    if (next == (size_t)-1 || (i += next) + CORE > s.n) break;
    put_tag(key, s.p + i + MARK, tag);
    if (memcmp(tag, s.p + i + MARK + ID, TAG) == 0) return i;
  }
  return (size_t)-1;
}

/* ---- forms ------------------------------------------------------------------------------------------------------ */

static bool is_plain(struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    bool word = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z');
    if (!word && (i == 0 || !strchr("_-.", s.p[i]))) return false;
  }
  return s.n > 0;
}

/* The gate that the value begins with, where it may be shown. */
static struct str gate_of(const struct rule *rule, struct str value)
{
  for (unsigned g = 0; g < rule->n_gates; g++) {
    struct str gate = rule->gates[g];
    if (gate.n <= SHOWN_MAX && gate.n * 2 < value.n && is_plain(gate) && str_starts(value, gate)) return gate;
  }
  return (struct str){"", 0};
}

/* 16 digits: 99, 13 of the hash, and one that is wrong. */
static void put_card(const unsigned char *key, struct str value, char *out)
{
  unsigned char hash[HASH];
  unsigned sum = 0;
  keyed(key, "c", value, hash);
  out[0] = out[1] = '9';
  for (size_t i = 2; i < CARD - 1; i++) out[i] = (char)('0' + hash[i] % 10);
  for (size_t i = 0; i < CARD - 1; i++) {
    unsigned d = (unsigned)(out[i] - '0') * (i % 2 ? 1 : 2);
    sum += d > 9 ? d - 9 : d;
  }
  out[CARD - 1] = (char)('0' + (10 - sum % 10 + 5) % 10);
  out[CARD] = 0;
}

void pseudonym_make(const unsigned char key[VDT_PSEUDONYM_KEY], const struct rule *rule, struct str value,
                    char out[VDT_REDACTED_MAX])
{
  const char *check = rule->check ? rule->check->name : "";
  struct str gate = gate_of(rule, value);
  size_t n = 0;
  if (strcmp(check, "identifier") == 0 && str_eq(rule->variant, STR("card"))) {
    put_card(key, value, out);
    return;
  }
  bool address = strcmp(check, "email") == 0;
  if (gate.n) memcpy(out, gate.p, n = gate.n);
  put_core(key, value, out + n);
  snprintf(out + n + CORE, VDT_REDACTED_MAX - n - CORE, "%s", address && !gate.n ? domain : "");
}

void pseudonym_rename(const unsigned char key[VDT_PSEUDONYM_KEY], struct str value, char name[VDT_REDACTED_MAX])
{
  size_t core = find_core(key, str_of(name), 0);
  if (core == (size_t)-1) put_card(key, value, name);
  else put_core(key, value, name + core);
}

/* ---- knowing them ----------------------------------------------------------------------------------------------- */

static bool ends_with(struct str s, struct str end)
{
  return s.n >= end.n && str_eq(str_cut(s, s.n - end.n, s.n), end);
}

/* How many bytes at the end of what stands before a core may belong to the name. */
static size_t prefix_of(const struct rules *all, struct str before)
{
  size_t best = 0;
  for (unsigned i = 0; i < all->n && before.n; i++) {
    const struct rule *r = &all->rules[i];
    for (unsigned g = 0; g < r->n_gates; g++)
      if (r->gates[g].n <= SHOWN_MAX && r->gates[g].n > best && ends_with(before, r->gates[g])) best = r->gates[g].n;
  }
  return best;
}

bool pseudonym_is(const unsigned char key[VDT_PSEUDONYM_KEY], const struct rules *all, struct str found)
{
  size_t at = find_core(key, found, 0), done = 0, beside = 0;
  if (at == (size_t)-1) return false;
  for (; at != (size_t)-1; at = find_core(key, found, done)) {
    struct str before = str_cut(found, done, at);
    beside += before.n - prefix_of(all, before);
    done = at + CORE;
    if (str_starts(str_cut(found, done, found.n), STR("@pseudonym.invalid"))) done += sizeof domain - 1;
  }
  return beside + (found.n - done) < BESIDE_MAX;
}
