#include "intel/intel.h"
#include <sodium.h>

static const char MAGIC[8] = "VDTINTL1";

struct head {
  char magic[8];
  unsigned char hash[32]; /* of all that follows the head */
  uint64_t sections;
};

struct entry {
  char name[INTEL_NAME_MAX + 1];
  uint64_t kind, loaded_us;
  uint64_t ranges_at, n_ranges, names_at, n_names; /* places count from the beginning of the block */
};

struct vdt_intel {
  const unsigned char *block;
  size_t n;
  void (*release)(const void *block, size_t n);
  const struct entry *entries;
  uint64_t n_entries;
  unsigned users;
};

const char *intel_kind_name(enum intel_kind kind)
{
  static const char *const names[] = {
#define X(id, name, help) name,
#include "intel/kinds.def"
#undef X
  };
  return names[kind];
}

/* A hash is not secret: an entry can be made to look like another only by who can make 2^32 names and wants his own to be found. */
static uint64_t hash_name(struct str s)
{
  static const unsigned char key[crypto_shorthash_KEYBYTES] = "vedette intel 1";
  unsigned char h[crypto_shorthash_BYTES];
  uint64_t v;
  crypto_shorthash(h, (const unsigned char *)s.p, s.n, key);
  memcpy(&v, h, sizeof v);
  return v;
}

/* ---- sections --------------------------------------------------------------------------------------------------- */

int intel_add(struct intel_section *s, const struct indicator *i)
{
  if (intel_entries(s) >= INTEL_ENTRIES_MAX) return VDT_ETOOBIG;
  if (i->kind == INDICATOR_ADDRESS) {
    struct intel_range *grown = heap_grow(s->ranges, s->n_ranges, &s->cap_ranges, 64, sizeof *grown);
    if (!grown) return VDT_ENOMEM;
    s->ranges = grown;
    s->ranges[s->n_ranges++] = (struct intel_range){i->low, i->high};
    return VDT_OK;
  }
  uint64_t *grown = heap_grow(s->names, s->n_names, &s->cap_names, 64, sizeof *grown);
  if (!grown) return VDT_ENOMEM;
  s->names = grown;
  s->names[s->n_names++] = hash_name(i->text);
  return VDT_OK;
}

size_t intel_entries(const struct intel_section *s)
{
  return s->n_ranges + s->n_names;
}

void intel_section_finish(struct intel_section *s)
{
  free(s->ranges);
  free(s->names);
  s->ranges = NULL;
  s->names = NULL;
  s->n_ranges = s->cap_ranges = s->n_names = s->cap_names = 0;
}

static int by_low(const void *a, const void *b)
{
  return memcmp(a, b, sizeof(struct intel_range));
}

static int by_value(const void *a, const void *b)
{
  uint64_t x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return x < y ? -1 : x > y;
}

void intel_settle(struct intel_section *s)
{
  size_t kept = 0;
  if (s->n_ranges) qsort(s->ranges, s->n_ranges, sizeof *s->ranges, by_low);
  for (size_t i = 0; i < s->n_ranges; i++) {
    struct intel_range *last = kept ? &s->ranges[kept - 1] : NULL;
    if (!last || memcmp(&s->ranges[i].low, &last->high, sizeof last->high) > 0) s->ranges[kept++] = s->ranges[i];
    else if (memcmp(&s->ranges[i].high, &last->high, sizeof last->high) > 0) last->high = s->ranges[i].high;
  }
  s->n_ranges = kept;
  kept = 0;
  if (s->n_names) qsort(s->names, s->n_names, sizeof *s->names, by_value);
  for (size_t i = 0; i < s->n_names; i++)
    if (!kept || s->names[kept - 1] != s->names[i]) s->names[kept++] = s->names[i];
  s->n_names = kept;
}

/* ---- the block -------------------------------------------------------------------------------------------------- */

static void hash_block(const unsigned char *block, size_t n, unsigned char out[32])
{
  crypto_generichash(out, 32, block + sizeof(struct head), n - sizeof(struct head), NULL, 0);
}

void intel_write(const struct intel_section *const *sections, size_t n, struct buf *out)
{
  struct head head = {.sections = n};
  size_t begin = out->n;
  uint64_t at = sizeof head + n * sizeof(struct entry);
  memcpy(head.magic, MAGIC, sizeof MAGIC);
  buf_put(out, (struct str){(const char *)&head, sizeof head});
  for (size_t i = 0; i < n; i++) {
    const struct intel_section *s = sections[i];
    struct entry e = {.kind = s->kind, .loaded_us = s->loaded_us, .n_ranges = s->n_ranges, .n_names = s->n_names};
    snprintf(e.name, sizeof e.name, "%s", s->name);
    e.ranges_at = at;
    e.names_at = at + s->n_ranges * sizeof *s->ranges;
    at = e.names_at + s->n_names * sizeof *s->names;
    buf_put(out, (struct str){(const char *)&e, sizeof e});
  }
  for (size_t i = 0; i < n; i++) {
    if (sections[i]->n_ranges)
      buf_put(out, (struct str){(const char *)sections[i]->ranges, sections[i]->n_ranges * sizeof *sections[i]->ranges});
    if (sections[i]->n_names)
      buf_put(out, (struct str){(const char *)sections[i]->names, sections[i]->n_names * sizeof *sections[i]->names});
  }
  if (out->failed) return;
  hash_block((const unsigned char *)out->p + begin, out->n - begin, head.hash);
  memcpy(out->p + begin, &head, sizeof head);
}

/* Does an array of n elements lie within the block, at an even place? */
static bool lies_within(uint64_t at, uint64_t n, uint64_t size, uint64_t block)
{
  return at % 8 == 0 && at <= block && n <= (block - at) / size;
}

static bool entry_is_sound(const struct entry *e, uint64_t n)
{
  return memchr(e->name, 0, sizeof e->name) && e->kind < INTEL_KINDS &&
         lies_within(e->ranges_at, e->n_ranges, sizeof(struct intel_range), n) &&
         lies_within(e->names_at, e->n_names, sizeof(uint64_t), n);
}

static bool is_sound(const unsigned char *block, size_t n)
{
  struct head head;
  unsigned char hash[32];
  if (n < sizeof head) return false;
  memcpy(&head, block, sizeof head);
  if (memcmp(head.magic, MAGIC, sizeof MAGIC) != 0 || head.sections > INTEL_SECTIONS_MAX ||
      !lies_within(sizeof head, head.sections, sizeof(struct entry), n))
    return false;
  hash_block(block, n, hash);
  if (memcmp(hash, head.hash, sizeof hash) != 0) return false;
  const struct entry *entries = (const struct entry *)(block + sizeof head);
  for (uint64_t i = 0; i < head.sections; i++)
    if (!entry_is_sound(&entries[i], n)) return false;
  return true;
}

int intel_open(const void *block, size_t n, void (*release)(const void *block, size_t n), struct vdt_intel **out)
{
  bool sound = (uintptr_t)block % 8 == 0 && is_sound(block, n);
  struct vdt_intel *t = sound ? calloc(1, sizeof *t) : NULL;
  if (!t) {
    if (release) release(block, n);
    return sound ? VDT_ENOMEM : VDT_ESYNTAX;
  }
  struct head head;
  memcpy(&head, block, sizeof head);
  *t = (struct vdt_intel){.block = block, .n = n, .release = release, .users = 1};
  t->entries = (const struct entry *)(t->block + sizeof head);
  t->n_entries = head.sections;
  *out = t;
  return VDT_OK;
}

struct vdt_intel *intel_keep(struct vdt_intel *intel)
{
  if (intel) intel->users++;
  return intel;
}

void intel_drop(struct vdt_intel *intel)
{
  if (!intel || --intel->users) return;
  if (intel->release) intel->release(intel->block, intel->n);
  free(intel);
}

bool intel_info(const struct vdt_intel *intel, size_t i, struct intel_info *out)
{
  if (!intel || i >= intel->n_entries) return false;
  const struct entry *e = &intel->entries[i];
  *out = (struct intel_info){e->name, (enum intel_kind)e->kind, e->loaded_us, e->n_ranges, e->n_names};
  return true;
}

/* ---- questions -------------------------------------------------------------------------------------------------- */

static bool in_ranges(const struct vdt_intel *t, const struct entry *e, const struct address *a)
{
  const struct intel_range *r = (const struct intel_range *)(t->block + e->ranges_at);
  uint64_t lo = 0, hi = e->n_ranges;
  while (lo < hi) {
    uint64_t mid = lo + (hi - lo) / 2;
    if (memcmp(a, &r[mid].low, sizeof *a) < 0) hi = mid;
    else if (memcmp(a, &r[mid].high, sizeof *a) > 0) lo = mid + 1;
    else return true;
  }
  return false;
}

static bool in_names(const struct vdt_intel *t, const struct entry *e, uint64_t name)
{
  const uint64_t *v = (const uint64_t *)(t->block + e->names_at);
  uint64_t lo = 0, hi = e->n_names;
  while (lo < hi) {
    uint64_t mid = lo + (hi - lo) / 2;
    if (v[mid] == name) return true;
    if (v[mid] < name) lo = mid + 1;
    else hi = mid;
  }
  return false;
}

static bool found(const struct entry *e, struct intel_match *out)
{
  *out = (struct intel_match){e->name, (enum intel_kind)e->kind};
  return true;
}

bool intel_has_address(const struct vdt_intel *t, unsigned kinds, const struct address *a, struct intel_match *out)
{
  for (uint64_t i = 0; t && i < t->n_entries; i++)
    if (kinds >> t->entries[i].kind & 1 && in_ranges(t, &t->entries[i], a)) return found(&t->entries[i], out);
  return false;
}

static bool has_name(const struct vdt_intel *t, unsigned kinds, uint64_t name, struct intel_match *out)
{
  for (uint64_t i = 0; t && i < t->n_entries; i++)
    if (kinds >> t->entries[i].kind & 1 && in_names(t, &t->entries[i], name)) return found(&t->entries[i], out);
  return false;
}

static size_t lower(struct str s, char *out, size_t max)
{
  size_t n = s.n < max ? s.n : max;
  for (size_t i = 0; i < n; i++) out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
  return n;
}

bool intel_has_host(const struct vdt_intel *t, unsigned kinds, struct str host, struct intel_match *out)
{
  char small[256];
  if (!t || host.n == 0 || host.n > sizeof small) return false;
  struct str s = {small, lower(host, small, sizeof small)};
  if (s.p[s.n - 1] == '.') s.n--;
  while (s.n && memchr(s.p, '.', s.n)) {
    if (has_name(t, kinds, hash_name(s), out)) return true;
    s = str_cut(s, (size_t)((const char *)memchr(s.p, '.', s.n) - s.p) + 1, s.n);
  }
  return false;
}

bool intel_has_url(const struct vdt_intel *t, unsigned kinds, struct str host, struct str rest, struct intel_match *out)
{
  char text[INDICATOR_MAX];
  if (!t || host.n == 0 || rest.n < 2 || host.n + rest.n > sizeof text) return false;
  size_t n = lower(host, text, sizeof text);
  const char *hash = memchr(rest.p, '#', rest.n), *query;
  if (hash) rest.n = (size_t)(hash - rest.p);
  memcpy(text + n, rest.p, rest.n);
  if (has_name(t, kinds, hash_name((struct str){text, n + rest.n}), out)) return true;
  query = memchr(text + n, '?', rest.n);
  return query && has_name(t, kinds, hash_name((struct str){text, (size_t)(query - text)}), out);
}

/* ---- the built-in list ------------------------------------------------------------------------------------------ */

int intel_builtin_section(struct intel_section *out, enum intel_kind kind)
{
  static const struct {
    enum intel_kind kind;
    struct str text;
  } rows[] = {
#define X(id, text) {INTEL_##id, STR(text)},
#include "intel/builtin.def"
#undef X
  };
  struct indicator one;
  *out = (struct intel_section){.name = "built-in", .kind = kind};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].kind != kind || !indicator_parse(rows[i].text, &one)) continue;
    int rc = intel_add(out, &one);
    if (rc) return rc;
  }
  intel_settle(out);
  return VDT_OK;
}

static void release_heap(const void *block, size_t n)
{
  (void)n;
  free((void *)(uintptr_t)block);
}

struct vdt_intel *intel_builtin(void)
{
  struct intel_section s[INTEL_KINDS];
  const struct intel_section *all[INTEL_KINDS];
  struct vdt_intel *out = NULL;
  struct buf block = {0};
  bool ok = true;
  for (unsigned i = 0; i < INTEL_KINDS; i++) {
    ok &= intel_builtin_section(&s[i], (enum intel_kind)i) == VDT_OK;
    all[i] = &s[i];
  }
  intel_write(all, INTEL_KINDS, &block);
  for (unsigned i = 0; i < INTEL_KINDS; i++) intel_section_finish(&s[i]);
  if (!ok || block.failed) buf_finish(&block);
  else if (intel_open(block.p, block.n, release_heap, &out)) out = NULL;
  return out;
}
