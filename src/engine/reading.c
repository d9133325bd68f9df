#include "engine/reading_inside.h"

enum {
  BACK = 640,    /* how far before its first sign a reading begins: a gate, what a check looks at on its left, a context word */
  SLEEP = 48,    /* after so many bytes without a sign, and with nothing undecided, it sleeps again */
  STRETCH = 128, /* so many bytes are read before it is seen whether it may */
  SLACK = 4096,  /* bytes that may be kept for nothing */
  SLICE = 8192,  /* most bytes of a whole text that are worked on at once */
};

/* Told by their addresses from the names of decoders. */
static const char layer_names[READINGS][8] = {"escapes", "base64", "joined"};

/* ---- begin and end ------------------------------------------------------------------------------------------------ */

void reading_init(struct reading_set *set, unsigned kinds, struct vdt_scanner *scanner, const struct vdt_policy *policy,
                  enum vdt_role role)
{
  *set = (struct reading_set){0};
  reading_begin(set, kinds, scanner, policy, role);
}

/* What a reading has for its work is kept; what it has read is forgotten. */
static void begin(struct reading *r, enum reading_kind kind)
{
  r->kind = kind;
  r->awake = r->fresh = r->line_begins = false;
  buf_reset(&r->text);
  r->base = r->len = r->scanned = r->next = r->pending = r->sign = r->woken = 0;
  r->leaks.n_pending = r->leaks.n_candidates = 0;
  reading_end_run(r);
}

void reading_begin(struct reading_set *set, unsigned kinds, struct vdt_scanner *scanner, const struct vdt_policy *policy,
                   enum vdt_role role)
{
  set->kinds = kinds;
  set->scanner = scanner;
  set->policy = policy;
  set->role = role;
  set->whole = false;
  for (unsigned k = 0; k < READINGS; k++) begin(&set->of[k], (enum reading_kind)k);
}

void reading_finish(struct reading_set *set)
{
  for (unsigned k = 0; k < READINGS; k++) {
    struct reading *r = &set->of[k];
    if (r->hs) hs_close_stream(r->hs, NULL, NULL, NULL);
    leaks_finish(&r->leaks);
    buf_finish(&r->text);
    free(r->places);
    r->places = NULL;
    r->hs = NULL;
  }
}

void reading_trim(struct reading_set *set)
{
  enum { KEEP_PLACES = 1 << 14 };
  for (unsigned k = 0; k < READINGS; k++) {
    struct reading *r = &set->of[k];
    if (r->cap_places <= KEEP_PLACES) continue;
    buf_finish(&r->text);
    free(r->places);
    r->places = NULL;
    r->cap_places = 0;
  }
}

/* Begins to read at a view offset. What looks for leaks is made ready when there is something to look at. */
static void wake(struct reading *r, uint64_t from)
{
  buf_reset(&r->text);
  r->base = r->len = r->scanned = 0;
  r->next = r->pending = from;
  r->line_begins = false;
  r->awake = r->fresh = true;
}

/* What a joined reading is to see. */
struct keys_of {
  const struct reading *r;
  const struct leaks *main;
};

/* Does this gate stand in the view as well, in one piece? Behind no other does a break wake the reading: that it happens to be awake must not make
 * a finding, or findings would depend on how the text was cut. */
static bool stands_in_view(const void *keys_of, uint64_t gate, uint64_t gate_end)
{
  const struct keys_of *k = keys_of;
  uint64_t start = k->r->places[gate - k->r->base].start, end = k->r->places[gate_end - 1 - k->r->base].end;
  return end - start == gate_end - gate && leaks_next_gate(k->main, end, end) == end;
}

/* Is something gone between this byte of the reading and the one before? */
static bool is_broken(const void *keys_of, uint64_t i)
{
  const struct reading *r = ((const struct keys_of *)keys_of)->r;
  return i > r->base && i < r->len && r->places[i - r->base].start != r->places[i - 1 - r->base].end;
}

static bool make_ready(const struct reading_set *set, struct reading *r)
{
  const struct vdt_engine *e = set->scanner->engine;
  if (!r->ready && leaks_init(&r->leaks, e)) return false;
  r->ready = true;
  if (!e->literals.complete && (r->hs ? hs_reset_stream(r->hs, 0, NULL, NULL, NULL) : hs_open_stream(e->stream, 0, &r->hs)))
    return false;
  leaks_begin(&r->leaks, set->policy, set->role);
  r->leaks.scratch = set->scanner->regex_scratch;
  r->fresh = false;
  return true;
}

/* ---- signs --------------------------------------------------------------------------------------------------------- */

/* Where the word that ends before i begins. */
static uint64_t word_start(const struct window *w, uint64_t i)
{
  uint64_t stop = i > w->base + READING_GATE_NEAR ? i - READING_GATE_NEAR : w->base;
  while (i > stop && w->p[i - 1 - w->base] > ' ') i--;
  return i;
}

static bool is_break(int c)
{
  return c == '\n' || c == '\r' || reading_is_emphasis(c);
}

/* Is it known that nothing but emphasis follows in the line of i, and nothing in the next? A key does not go on behind that. */
static bool is_last_line(const struct window *w, uint64_t i)
{
  while (reading_is_emphasis(reading_at(w, i)) || reading_at(w, i) == '\r') i++;
  if (reading_at(w, i) != '\n') return false;
  i++;
  while (i < w->end && (w->p[i - w->base] == ' ' || w->p[i - w->base] == '\t' || w->p[i - w->base] == '\r')) i++;
  return reading_at(w, i) == '\n' || reading_at(w, i) == -1;
}

/* The first break from i on that is a sign: one inside of a word that has a gate before it. whole: what has not arrived need not be waited for, so
 * what follows the break is seen too. */
static uint64_t next_break(const struct window *w, const struct leaks *main, uint64_t i, bool whole)
{
  uint64_t near = i > w->base + READING_GATE_NEAR ? i - READING_GATE_NEAR : w->base, k = 0;
  if (leaks_next_gate(main, near + 1, w->end) > w->end) return w->end;
  uint64_t gate = word_start(w, i); /* what is behind an earlier one has ended before i */
  if (gate > w->base) gate--;
  while ((gate = leaks_next_gate(main, gate + 1, w->end)) <= w->end) {
    if (w->p[gate - 1 - w->base] <= ' ') continue;
    for (k = k > gate ? k : gate; k < w->end && k < gate + READING_GATE_NEAR;
         k++) { /* what an earlier gate was followed by is not read again */
      unsigned char c = w->p[k - w->base];
      if (k >= i && is_break(c) && !(whole && is_last_line(w, k))) return k;
      if (c <= ' ') break;
    }
  }
  return w->end;
}

static void find_sign(const struct reading_set *set, struct reading *r, const struct window *w, const struct leaks *main)
{
  uint64_t i = r->next > w->base ? r->next : w->base;
  if (r->kind == READING_ESCAPES) i = reading_next_escape(w, i);
  else i = main->any_gate ? next_break(w, main, i, set->whole) : w->end;
  r->next = r->pending = i;
  if (i == w->end) return;
  uint64_t from = r->kind == READING_JOINED ? word_start(w, i) : i;
  r->sign = r->woken = i;
  wake(r, from > w->base + BACK ? from - BACK : w->base);
}

/* ---- steps ---------------------------------------------------------------------------------------------------------- */

static struct window window_of(const struct reading *r, bool eof)
{
  const char *p = r->text.p ? r->text.p : "";
  return (struct window){(const unsigned char *)p, r->base, r->len, eof};
}

/* Decoded bytes of a run that may yet be taken back are not looked at. */
static uint64_t looked_at(const struct reading *r, const struct window *w)
{
  return r->kind == READING_BASE64 && !w->eof && r->n_printed < READING_SURE ? r->len - r->n_printed : r->len;
}

static bool scan(struct reading_set *set, struct reading *r, const struct window *w, const struct leaks *main)
{
  uint64_t end = looked_at(r, w);
  size_t n = (size_t)(end - r->scanned);
  if (r->fresh && (n == 0 || !make_ready(set, r))) return n == 0;
  if (n == 0 && r->leaks.n_pending == 0) return true;
  struct window mine = window_of(r, w->eof);
  struct delivery d = {.leaks = &r->leaks, .window = &mine, .group = set->scanner->group};
  struct keys_of keys = {r, main};
  struct joints joints = {stands_in_view, is_broken, &keys};
  r->leaks.joints = r->kind == READING_JOINED ? &joints : NULL; /* of what else it finds nothing counts */
  mine.end = end;
  const char *p = n ? r->text.p + (r->scanned - r->base) : NULL;
  r->scanned = end;
  const struct literals *literals = &set->scanner->engine->literals;
  if (literals->complete) literals_find(literals, mine.p, end - n - r->base, end - r->base, r->base, deliver, &d);
  else if (n && hs_scan_stream(r->hs, p, (unsigned)n, 0, set->scanner->scratch, deliver, &d) != HS_SUCCESS) return false;
  deliver_rest(&d);
  leaks_numbers(&r->leaks, &mine, end - n);
  leaks_try(&r->leaks, &mine);
  r->leaks.joints = NULL;
  return !r->leaks.failed;
}

static void forget(struct reading *r)
{
  uint64_t need = leaks_needs(&r->leaks, r->scanned);
  if (need < BACK + SLACK + r->base) return;
  size_t n = (size_t)(need - BACK - r->base);
  buf_drop(&r->text, n);
  memmove(r->places, r->places + n, r->text.n * sizeof *r->places);
  r->base += n;
}

/* Nothing that it has read may become anything. */
static bool is_idle(const struct reading *r)
{
  return r->pending == r->next && (r->fresh || (r->leaks.n_pending == 0 && r->leaks.n_candidates == 0));
}

/* Two of the readings are awake for a stretch behind a sign. */
static bool step_signs(struct reading_set *set, struct reading *r, const struct window *w, const struct leaks *main)
{
  for (uint64_t before = r->next;; before = r->next) {
    if (!r->awake) find_sign(set, r, w, main);
    if (!r->awake) return true;
    struct window part = *w;
    uint64_t stop = (r->next > r->sign ? r->next : r->sign) + STRETCH;
    if (part.end > stop) part.end = stop, part.eof = false;
    if (!reading_read(r, &part) || !scan(set, r, &part, main)) return false;
    if (is_idle(r) && r->next > r->sign + SLEEP) r->awake = false;
    if (r->next == w->end || (r->awake && r->next == before)) return true;
  }
}

static bool step(struct reading_set *set, struct reading *r, const struct window *w, const struct leaks *main)
{
  if (r->kind != READING_BASE64) return step_signs(set, r, w, main);
  if (!r->awake) wake(r, r->next);
  return reading_read(r, w) && scan(set, r, w, main);
}

bool reading_step(struct reading_set *set, const struct window *w, const struct leaks *main)
{
  set->redacts = main->action[VDT_DET_CREDENTIAL] >= VDT_REDACT || main->action[VDT_DET_SENSITIVE] >= VDT_REDACT ||
                 main->action[VDT_DET_URL] >= VDT_REDACT;
  for (unsigned k = 0; k < READINGS; k++)
    if (set->kinds >> k & 1 && !step(set, &set->of[k], w, main)) return false;
  return true;
}

bool reading_whole(struct reading_set *set, const struct window *w, struct leaks *main, struct vdt_arena *arena)
{
  struct window part = *w;
  set->whole = true;
  for (part.end = w->base; part.end < w->end && !main->failed;) {
    part.end = w->end - part.end > SLICE ? part.end + SLICE : w->end;
    part.eof = part.end == w->end;
    if (!reading_step(set, &part, main) || !reading_collect(set, &part, main, arena)) return false;
  }
  return !main->failed;
}

/* ---- what follows from it --------------------------------------------------------------------------------------------- */

/* The view offset that an offset of the reading stands for. */
static uint64_t place(const struct reading *r, uint64_t offset)
{
  if (offset < r->base) offset = r->base;
  return offset < r->len ? r->places[offset - r->base].start : r->pending;
}

/* A stretch of base64 is over, and nothing of it is undecided. */
static bool has_ended(const struct reading *r)
{
  return r->kind == READING_BASE64 && !r->n_digits && !r->n_printed && r->leaks.n_pending == 0;
}

/* Lowers the boundaries to those of the reading's own leaks. */
static void leaks_of(const struct reading *r, const struct window *w, bool waiting, uint64_t *settled, uint64_t *free_until)
{
  struct window mine = window_of(r, w->eof);
  uint64_t s, f;
  mine.end = looked_at(r, w);
  leaks_boundaries(&r->leaks, &mine, waiting, &s, &f);
  if (s < mine.end && place(r, s) < *settled) *settled = place(r, s);
  if (f < mine.end && place(r, f) < *free_until) *free_until = place(r, f);
  if (r->leaks.n_candidates) { /* one that waits for the stream's own check; the first begins first */
    uint64_t at = place(r, r->leaks.candidates[0].start);
    if (at < *settled) *settled = at;
    if (at < *free_until) *free_until = at;
  }
}

void reading_boundaries(const struct reading_set *set, const struct window *w, bool waiting, uint64_t *settled,
                        uint64_t *free_until)
{
  for (unsigned k = 0; k < READINGS; k++) {
    const struct reading *r = &set->of[k];
    if (!r->awake) continue;
    uint64_t low = r->pending < w->end ? r->pending : w->end, s = low, f = low;
    if (!r->fresh && !has_ended(r)) leaks_of(r, w, waiting, &s, &f);
    if (s < *settled) *settled = s;
    if (set->redacts && f < *free_until) *free_until = f;
  }
}

/* Written as it reads: the stream sees it itself. */
static bool is_plain(const struct candidate *c, uint64_t start, uint64_t end)
{
  return end - start == c->end - c->start;
}

/* The candidate that the stream has found in what stands there, or NULL. */
static const struct candidate *known(const struct leaks *main, const struct candidate *c)
{
  for (size_t i = 0; i < main->n_candidates; i++) {
    const struct candidate *m = &main->candidates[i];
    if (m->rule == c->rule && m->start < c->end && c->start < m->end) return m;
  }
  return NULL;
}

/* Does a key of any length go on behind what was found of it? Directly behind emphasis it does; on the next line what follows has to look like
 * a key, and not like a word. */
static bool goes_on(const struct reading *r, const struct window *w, const struct candidate *c, uint64_t found_end)
{
  unsigned n = 0, numerals = 0, upper = 0, lower = 0;
  if (found_end < w->end && reading_is_emphasis(reading_at(w, found_end))) return true;
  for (uint64_t i = c->end; i > c->start && r->places[i - 1 - r->base].start >= found_end; i--, n++) {
    int b = (unsigned char)r->text.p[i - 1 - r->base];
    numerals += b >= '0' && b <= '9';
    upper += b >= 'A' && b <= 'Z';
    lower += b >= 'a' && b <= 'z';
  }
  return n >= 10 && ((numerals && upper + lower) || (upper > 1 && lower > 1));
}

/* Does the first break behind its gate wake the reading (next_break)? Found behind others, and where an empty line follows, it would be only when
 * something else has woken it. */
static bool has_sign(const struct reading *r, const struct candidate *c)
{
  uint64_t i = c->gate_end - r->base, end = c->end - r->base, stop = i + READING_GATE_NEAR;
  if (c->gate_end <= r->base || (unsigned char)r->text.p[i - 1] <= ' ') return false;
  for (; i < end && i < stop; i++) {
    if (r->places[i].start != r->places[i - 1].end) return r->text.p[i] != '\n';
    if ((unsigned char)r->text.p[i] <= ' ') return false;
  }
  return false;
}

/* Lines are joined for keys only (leaks.joints), and hardly where the key was there without. c: of the reading. */
static bool counts(const struct reading *r, const struct window *w, const struct leaks *main, const struct candidate *c,
                   const struct candidate *in_view)
{
  if (c->allowed) return false;
  if (r->kind != READING_JOINED) return true;
  if (!has_sign(r, c)) return false;
  const struct candidate *whole = known(main, in_view);
  return !whole || (in_view->end > whole->end && goes_on(r, w, c, whole->end));
}

static bool move(const struct reading *r, const struct window *w, const struct candidate *c, struct leaks *main,
                 struct vdt_arena *arena)
{
  struct candidate out = *c;
  const struct rule *rule = &main->engine->rules.rules[c->rule];
  out.start = r->places[c->start - r->base].start;
  out.end = r->places[c->end - 1 - r->base].end;
  if (r->kind != READING_BASE64 && out.end <= r->woken) return true;
  if (is_plain(c, out.start, out.end) || !counts(r, w, main, c, &out)) return true;
  struct read_as *as = arena_zalloc(arena, 1, sizeof *as);
  if (!as) return false;
  struct str text = {r->text.p + (c->start - r->base), (size_t)(c->end - c->start)};
  as->layer = layer_names[r->kind];
  mask(as->redacted, rule, text);
  mask_text(as->mask, leaks_mask(main, rule), rule, text);
  out.as = as;
  leaks_add(main, &out);
  return !main->failed;
}

/* Lines are joined only where the plain text says nothing, so the stream's own check has the first word. */
static bool must_wait(const struct reading *r, const struct candidate *c, const struct leaks *main)
{
  uint64_t start = r->places[c->start - r->base].start, end = r->places[c->end - 1 - r->base].end;
  for (size_t i = 0; r->kind == READING_JOINED && i < main->n_pending; i++) {
    const struct pending *p = &main->pending[i];
    if (p->rule == c->rule && p->gate >= start && p->gate < end) return true;
  }
  return false;
}

static bool move_all(struct reading *r, const struct window *w, struct leaks *main, struct vdt_arena *arena)
{
  size_t kept = 0;
  for (size_t i = 0; i < r->leaks.n_candidates; i++) {
    struct candidate *c = &r->leaks.candidates[i];
    if (must_wait(r, c, main)) r->leaks.candidates[kept++] = *c;
    else if (!move(r, w, c, main, arena)) return false;
  }
  r->leaks.n_candidates = kept;
  return true;
}

bool reading_collect(struct reading_set *set, const struct window *w, struct leaks *main, struct vdt_arena *arena)
{
  for (unsigned k = 0; k < READINGS; k++) {
    struct reading *r = &set->of[k];
    if (!r->ready || !r->leaks.n_candidates) {
      if (r->ready && !r->fresh) forget(r);
      continue;
    }
    if (!move_all(r, w, main, arena)) return false;
    forget(r);
  }
  return true;
}

uint64_t reading_needs(const struct reading_set *set, uint64_t end)
{
  for (unsigned k = 0; k < READINGS; k++) {
    const struct reading *r = &set->of[k];
    if (r->awake && r->pending < end) end = r->pending;
  }
  return end;
}

bool reading_is_layer(const char *layer)
{
  for (unsigned k = 0; k < READINGS; k++)
    if (layer == layer_names[k]) return true;
  return false;
}
