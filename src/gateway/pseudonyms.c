#include "gateway/pseudonyms.h"
#include "base/json.h"

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* Names are keyed hashes: nobody can choose many that fall together. */
static size_t hash(struct str s)
{
  uint64_t h = str_hash(s);
  return (size_t)(h ^ h >> 32);
}

static size_t slot_of(const struct pseudonyms *t, struct str name)
{
  size_t i = hash(name) & (t->n_slots - 1);
  while (t->slots[i] && !str_eq(t->v[t->slots[i] - 1].name, name)) i = (i + 1) & (t->n_slots - 1);
  return i;
}

/* At most half of the slots are taken. */
static bool make_room(struct pseudonyms *t)
{
  if (2 * (t->n + 1) <= t->n_slots) return true;
  size_t n = t->n_slots ? 2 * t->n_slots : 64;
  uint32_t *slots = arena_zalloc(t->arena, n, sizeof *slots);
  if (!slots) return false;
  t->slots = slots;
  t->n_slots = n;
  for (size_t i = 0; i < t->n; i++) slots[slot_of(t, t->v[i].name)] = (uint32_t)i + 1;
  return true;
}

struct pseudonym *pseudonyms_add(struct pseudonyms *t, struct str name, struct str value, bool *other)
{
  *other = false;
  if (!make_room(t)) return NULL;
  size_t slot = slot_of(t, name);
  if (t->slots[slot]) {
    struct pseudonym *known = &t->v[t->slots[slot] - 1];
    *other = !str_eq(known->value, value);
    return *other ? NULL : known;
  }
  struct pseudonym *grown = arena_grow(t->arena, t->v, t->n, &t->cap, 8, sizeof *grown);
  if (!grown) return NULL;
  t->v = grown;
  grown[t->n] = (struct pseudonym){.name = arena_dup(t->arena, name), .value = arena_dup(t->arena, value)};
  if (!grown[t->n].name.p || !grown[t->n].value.p) return NULL;
  t->slots[slot] = (uint32_t)++t->n;
  t->sorted = NULL;
  return &grown[t->n - 1];
}

/* ---- looking in text -------------------------------------------------------------------------------------------- */

static int compare(struct str a, struct str b)
{
  int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
  return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *a, const void *b, void *v)
{
  const struct pseudonym *all = v;
  return compare(all[*(const uint32_t *)a].name, all[*(const uint32_t *)b].name);
}

bool pseudonyms_sort(struct pseudonyms *t)
{
  if (t->sorted || !t->n) return true;
  t->sorted = arena_zalloc(t->arena, t->n, sizeof *t->sorted);
  if (!t->sorted) return false;
  for (uint32_t i = 0; i < t->n; i++) {
    unsigned char c = (unsigned char)t->v[i].name.p[0];
    t->sorted[i] = i;
    t->first[c >> 6] |= UINT64_C(1) << (c & 63);
  }
  qsort_r(t->sorted, t->n, sizeof *t->sorted, by_name, t->v);
  return true;
}

struct pseudonym *pseudonyms_at(const struct pseudonyms *t, struct str text, bool *more)
{
  size_t low = 0, high = t->sorted ? t->n : 0;
  *more = false;
  if (!text.n || !(t->first[(unsigned char)text.p[0] >> 6] >> (text.p[0] & 63) & 1)) return NULL;
  while (low < high) { /* the first name that is greater than the text */
    size_t middle = (low + high) / 2;
    if (compare(t->v[t->sorted[middle]].name, text) <= 0) low = middle + 1;
    else high = middle;
  }
  struct pseudonym *before = low ? &t->v[t->sorted[low - 1]] : NULL;
  if (before && str_starts(text, before->name)) return before;
  *more = low < t->n && str_starts(t->v[t->sorted[low]].name, text);
  return NULL;
}

/* ---- restoring -------------------------------------------------------------------------------------------------- */

void restorer_finish(struct restorer *r)
{
  buf_finish(&r->text);
  buf_finish(&r->out);
}

/* An answer that begins with a brace is JSON, as structured output is. */
static void look_at_beginning(struct restorer *r, struct str in)
{
  size_t i = 0;
  while (i < in.n && strchr(" \t\r\n", in.p[i])) i++;
  if (r->begun || i == in.n) return;
  r->begun = true;
  if (in.p[i] == '{') r->json = true;
}

static void put_value(struct restorer *r, struct str value)
{
  size_t at = r->out.n;
  if (!r->json) {
    buf_put(&r->out, value);
    return;
  }
  json_quote(&r->out, value);
  if (r->out.failed) return;
  memmove(r->out.p + at, r->out.p + at + 1, r->out.n - at - 2); /* without its quotes */
  r->out.n -= 2;
}

bool restorer_feed(struct restorer *r, const struct pseudonyms *t, restore_fn *may, const void *ctx, struct str in, bool last,
                   struct str *out)
{
  size_t i = 0, done = 0;
  buf_reset(&r->out);
  buf_put(&r->text, in);
  look_at_beginning(r, in);
  if (r->text.failed) return false;
  for (struct str all = r->text.n ? buf_str(&r->text) : STR(""); i < all.n; i++) {
    bool more;
    struct pseudonym *p = pseudonyms_at(t, str_cut(all, i, all.n), &more);
    if (more && !last) break;
    if (!p || !may(ctx, p)) continue;
    buf_put(&r->out, str_cut(all, done, i));
    put_value(r, p->value);
    p->n_restored++;
    done = i + p->name.n;
    i = done - 1;
  }
  if (r->text.n) buf_put(&r->out, str_cut(buf_str(&r->text), done, i));
  buf_drop(&r->text, i);
  *out = r->out.n ? buf_str(&r->out) : STR("");
  return !r->out.failed;
}
