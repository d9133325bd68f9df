/* The table of beginnings (beginnings.h). */
#include "engine/beginnings.h"
#include "engine/check.h"

static unsigned char lower(unsigned char c)
{
  return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* Of c and the bytes after it, whose hash is given. */
static uint64_t extend(uint64_t hash, unsigned char c)
{
  hash = (hash ^ (c + 1u)) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 29;
}

static bool is_wanted(const struct rule *r)
{
  return !rule_is_score(r) && !r->left_max && !r->check->after_gate;
}

static unsigned pair_of(unsigned char first, unsigned char second)
{
  return (unsigned)first << 8 | second;
}

/* Of the three bytes from c on. */
static unsigned triple_of(unsigned char c, unsigned next_pair)
{
  return ((unsigned)c << 16 | next_pair) * 0x9E3779B1u >> 16;
}

static void set_bit(uint64_t *set, unsigned bit)
{
  set[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool has_bit(const uint64_t *set, unsigned bit)
{
  return set[bit / 64] >> bit % 64 & 1;
}

static unsigned some_of(uint64_t hash)
{
  return (unsigned)(hash >> 40) % BEGINNINGS_SOME;
}

static void put(struct beginnings *b, uint64_t hash, uint32_t what)
{
  uint64_t at = hash & b->mask;
  while (b->places[at].hash && b->places[at].hash != hash) at = (at + 1) & b->mask;
  set_bit(b->some, some_of(hash));
  b->places[at].hash = hash;
  b->places[at].what |= what;
}

static void add(struct beginnings *b, struct str literal, uint32_t what)
{
  for (size_t n = 1; n < literal.n; n++) {
    uint64_t hash = 0;
    for (size_t i = n; i-- > 0;) hash = extend(hash, lower((unsigned char)literal.p[i]));
    put(b, hash ? hash : 1, what);
  }
  for (size_t i = 0; i + 1 < literal.n; i++) {
    unsigned pair = pair_of(lower((unsigned char)literal.p[i]), lower((unsigned char)literal.p[i + 1]));
    if (i == 0) set_bit(b->firsts, pair >> 8);
    if (i == 0) set_bit(b->pairs, pair);
    set_bit(b->inside, pair);
    if (i > 0) set_bit(b->triples, triple_of(lower((unsigned char)literal.p[i - 1]), pair));
  }
}

bool beginnings_init(struct beginnings *b, struct vdt_arena *arena, const struct rules *rules)
{
  uint64_t bytes = 0, room = 64;
  for (uint32_t i = 0; i < rules->n; i++)
    for (unsigned g = 0; is_wanted(&rules->rules[i]) && g < rules->rules[i].n_gates; g++) bytes += rules->rules[i].gates[g].n;
  while (room < 2 * bytes) room *= 2;
  *b = (struct beginnings){.mask = room - 1, .places = arena_zalloc(arena, room, sizeof *b->places)};
  if (!b->places) return false;
  for (uint32_t i = 0; i < rules->n; i++) {
    const struct rule *r = &rules->rules[i];
    for (unsigned g = 0; is_wanted(r) && g < r->n_gates; g++) add(b, r->gates[g], beginning_bit(r->detector, r->bound));
  }
  return true;
}

static uint32_t look_up(const struct beginnings *b, uint64_t hash)
{
  if (!hash) hash = 1;
  if (!has_bit(b->some, some_of(hash))) return 0;
  uint64_t at = hash & b->mask;
  while (b->places[at].hash && b->places[at].hash != hash) at = (at + 1) & b->mask;
  return b->places[at].what;
}

void beginnings_find(const struct beginnings *b, const unsigned char *end, size_t most, int before, unsigned wanted,
                     size_t live[VDT_DETECTORS])
{
  uint64_t hash = 0;
  unsigned char next = 0;
  unsigned after = 0; /* the pair behind c */
  for (size_t n = 1; n <= most; n++) {
    unsigned char c = lower(*(end - n));
    unsigned pair = pair_of(c, next);
    if (n > 1 && !has_bit(b->inside, pair)) return;
    if (n > 2 && !has_bit(b->triples, triple_of(c, after))) return;
    after = pair;
    hash = extend(hash, c);
    bool may = n > 1 ? has_bit(b->pairs, pair) : has_bit(b->firsts, c);
    next = c;
    uint32_t what = may ? look_up(b, hash) : 0;
    if (!what) continue;
    /* Two bytes before: where they are not there, it may be a boundary. */
    bool boundary = n < most ? !byte_joins(*(end - n - 1), n + 1 < most ? *(end - n - 2) : '\\') : !byte_joins(before, '\\');
    boundary = boundary || escape_ends(end - n, most - n);
    for (unsigned left = wanted; left; left &= left - 1) {
      unsigned det = (unsigned)__builtin_ctz(left);
      if (what >> 2 * det & 1 || (boundary && what >> (2 * det + 1) & 1)) live[det] = n;
    }
  }
}
