/*
 * The driver: which decoders look at a text, how what they find becomes the next text, and the way back. It knows no encoding.
 */
#include "engine/decode_inside.h"

static const struct {
  const char *name;
  decoder_fn *find; /* NULL: another row's function, or decode_hidden, finds it */
} decoders[] = {
#define X(id, name, find, help) {name, find},
#include "engine/decoders.def"
#undef X
};

enum {
  PIECES_FEW = 4096, /* up to this number pieces stay as they are; more are joined when they stand close together */
  JOIN_GAP = 64,
  SAMPLE = 160,    /* how much of a text is turned to see whether the rest is worth it */
  ODD_MARGIN = 32, /* how far around an odd block the decoders of letters and tokens look */
};

const char *decoder_name(enum decoder_id id)
{
  return decoders[id].name;
}

bool decode_init(struct decode *d)
{
  *d = (struct decode){.inside = aligned_alloc(_Alignof(struct decode_work), sizeof *d->inside)};
  if (!d->inside) return false;
  memset(d->inside, 0, sizeof *d->inside);
  text_model_init(&d->inside->model);
  turns_fill(&d->inside->model);
  alphabets_fill(&d->inside->alphabets);
  view_init(&d->inside->fold);
  return true;
}

static void free_texts(struct decode *d)
{
  for (size_t i = 0; i < d->n_texts; i++) {
    free((char *)(uintptr_t)d->texts[i].text.p);
    free(d->texts[i].segments);
  }
  d->n_texts = 0;
}

void decode_finish(struct decode *d)
{
  struct decode_work *w = d->inside;
  free_texts(d);
  free(d->texts);
  if (w) {
    free(w->odd.v);
    free(w->joints.v);
    free(w->slips.v);
    free(w->back);
    free(w->pieces);
    free(w->mixed);
    buf_finish(&w->out);
    buf_finish(&w->scratch);
    buf_finish(&w->turned);
    view_finish(&w->fold);
    look_alikes_free(w->look_alikes);
  }
  free(w);
  *d = (struct decode){0};
}

void decode_trim(struct decode *d)
{
  enum { KEEP = 1 << 20 };
  struct decode_work *w = d->inside;
  struct buf *const bufs[] = {&w->out, &w->scratch, &w->turned};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
    if (bufs[i]->cap > KEEP) buf_finish(bufs[i]);
  if (w->cap_pieces * sizeof *w->pieces > KEEP) {
    free(w->pieces);
    free(w->mixed);
    w->pieces = w->mixed = NULL;
    w->cap_pieces = w->cap_mixed = 0;
  }
  struct regions *const regions[] = {&w->odd, &w->joints, &w->slips};
  for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
    if (regions[i]->cap * sizeof *regions[i]->v <= KEEP) continue;
    free(regions[i]->v);
    *regions[i] = (struct regions){0};
  }
  free_texts(d);
}

size_t decode_budget(size_t n)
{
  size_t b = n > DECODE_CEILING / 4 ? DECODE_CEILING : n * 4;
  return b < DECODE_FLOOR ? DECODE_FLOOR : b;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static bool is_ascii(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] & 0x80) return false;
  return true;
}

/* What came out is seen as a reader sees it, like the text itself: the invisible out, full-width letters folded. What the invisible says
 * follows it, as a second layer. */
static void fold_piece(struct decode_work *w, struct piece *p)
{
  struct str raw = {w->out.p + p->at, w->out.n - p->at};
  if (is_ascii(raw)) return;
  struct view *v = &w->fold;
  buf_reset(&v->text);
  *v = (struct view){.text = v->text, .steps = v->steps, .cap_steps = v->cap_steps};
  if (!view_feed(v, raw.p, raw.n) || !view_end(v)) {
    w->failed = true;
    return;
  }
  if (v->invisible > 1 && p->n_layers == 1) {
    struct buf copy = {0};
    buf_put(&copy, raw);
    size_t at = w->out.n;
    enum decoder_id id = copy.failed ? DECODERS : reveal(w, buf_str(&copy));
    if (id != DECODERS) {
      buf_byte(&v->text, ' ');
      buf_put(&v->text, (struct str){w->out.p + at, w->out.n - at});
      p->layers[p->n_layers++] = (uint8_t)id;
    }
    w->failed |= copy.failed;
    buf_finish(&copy);
  }
  w->out.n = p->at;
  buf_put(&w->out, buf_str(&v->text));
}

void piece_add_full(struct decode_work *w, struct piece p)
{
  struct piece *grown = heap_grow(w->pieces, w->n_pieces, &w->cap_pieces, 64, sizeof *grown);
  if (!grown) {
    w->failed = true;
    return;
  }
  w->pieces = grown;
  if (!p.same) fold_piece(w, &p);
  p.n = (uint32_t)(w->out.n - p.at);
  if (p.n) w->pieces[w->n_pieces++] = p;
}

void piece_trim(struct decode_work *w, size_t at)
{
  static const unsigned char lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  size_t i = w->out.n, back = 0;
  while (i > at && back < 3 && (w->out.p[i - 1] & 0xC0) == 0x80) i--, back++;
  if (i > at && lengths[(unsigned char)w->out.p[i - 1] >> 4] > back + 1) w->out.n = i - 1;
}

void piece_add(struct decode_work *w, enum decoder_id id, size_t start, size_t end, size_t at, bool same)
{
  piece_add_full(w, (struct piece){.start = (uint32_t)start,
                                   .end = (uint32_t)end,
                                   .at = (uint32_t)at,
                                   .layers = {(uint8_t)id},
                                   .n_layers = 1,
                                   .same = same});
}

bool piece_looks_right(struct decode_work *w, size_t at)
{
  if (w->out.n > at && text_is_plausible(&w->model, (struct str){w->out.p + at, w->out.n - at})) return true;
  w->out.n = at;
  return false;
}

bool piece_is_language(struct decode_work *w, size_t at)
{
  if (w->out.n > at && !w->out.failed && text_is_language(&w->model, (struct str){w->out.p + at, w->out.n - at})) return true;
  w->out.n = at;
  return false;
}

/* Encodings that mark what they encode go before ciphers, which are found again when the marks are gone. */
static unsigned rank(const struct piece *p)
{
  bool marked = p->layers[0] < DECODER_LEET || (p->n_layers > 1 && p->layers[1] < DECODER_LEET);
  return marked ? 0 : 1u + p->variant;
}

static int piece_order(const void *a, const void *b)
{
  const struct piece *x = a, *y = b;
  if (rank(x) != rank(y)) return rank(x) < rank(y) ? -1 : 1;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end > y->end ? -1 : 1;
  return x->layers[0] < y->layers[0] ? -1 : x->layers[0] > y->layers[0];
}

/* Of pieces in order, those that begin before the last one ended go. */
static size_t drop_overlaps(struct piece *p, size_t n)
{
  size_t kept = 0;
  uint32_t end = 0;
  for (size_t i = 0; i < n; i++) {
    if (kept && p[i].start < end) continue;
    end = p[i].end;
    p[kept++] = p[i];
  }
  return kept;
}

/* Both lists in one, in order, without those of b that touch one of a. False when out of memory. */
static bool mix(struct decode_work *w, const struct piece *a, size_t n_a, const struct piece *b, size_t n_b, size_t *n)
{
  if (n_a + n_b > w->cap_mixed) {
    struct piece *grown = realloc(w->mixed, (n_a + n_b) * sizeof *grown);
    if (!grown) return false;
    w->mixed = grown;
    w->cap_mixed = n_a + n_b;
  }
  size_t i = 0;
  *n = 0;
  for (size_t k = 0; k < n_b; k++) {
    while (i < n_a && a[i].end <= b[k].start) w->mixed[(*n)++] = a[i++];
    if (i == n_a || a[i].start >= b[k].end) w->mixed[(*n)++] = b[k];
  }
  while (i < n_a) w->mixed[(*n)++] = a[i++];
  return true;
}

/* ---- the next text ----------------------------------------------------------------------------------------------- */

struct builder {
  struct decode *d;
  struct buf text;
  struct segment *segments;
  size_t n, cap;
  bool failed;
};

static void build_segment(struct builder *b, struct segment s, struct str bytes)
{
  struct segment *grown = heap_grow(b->segments, b->n, &b->cap, 16, sizeof *grown);
  if (!grown) {
    b->failed = true;
    return;
  }
  b->segments = grown;
  s.at = (uint32_t)b->text.n;
  s.n = (uint32_t)bytes.n;
  b->segments[b->n++] = s;
  buf_put(&b->text, bytes);
}

static bool continues(char c)
{
  return (c & 0xC0) == 0x80;
}

static void copy(struct builder *b, struct str in, size_t from, size_t to)
{
  while (from < to && continues(in.p[from])) from++;
  if (from >= to) return;
  build_segment(b, (struct segment){.start = (uint32_t)from, .end = (uint32_t)to, .same = true}, str_cut(in, from, to));
}

/* The words between two pieces; of a long stretch only its ends. */
static void copy_between(struct builder *b, struct str in, size_t from, size_t to)
{
  bool first = from == 0, last = to == in.n;
  size_t keep = (first || last) ? DECODE_CONTEXT : 2 * DECODE_CONTEXT;
  if (to - from <= keep) {
    copy(b, in, from, to);
    return;
  }
  if (!first) copy(b, in, from, from + DECODE_CONTEXT);
  if (!first && !last) {
    uint32_t gap = (uint32_t)(from + DECODE_CONTEXT);
    build_segment(b, (struct segment){.start = gap, .end = gap + 1}, STR("\n\n"));
  }
  if (!last) copy(b, in, to - DECODE_CONTEXT, to);
}

/* Many small pieces close together become one, so that memory stays within a part of the text. */
static bool joins(const struct builder *b, const struct piece *p, bool crowded)
{
  if (!crowded || b->n < 2) return false;
  const struct segment *last = &b->segments[b->n - 1];
  return last->n_layers == 1 && p->n_layers == 1 && last->layers[0] == p->layers[0] && p->start - last->end < JOIN_GAP &&
         last->hidden_end == 0 && p->hidden_end == 0;
}

static void join(struct builder *b, struct str in, const struct piece *p, struct str bytes)
{
  struct segment *last = &b->segments[b->n - 1];
  buf_put(&b->text, str_cut(in, last->end, p->start));
  buf_put(&b->text, bytes);
  last->n = (uint32_t)(b->text.n - last->at);
  last->end = p->end;
  last->same = false;
}

static void build(struct builder *b, const struct decode_work *w, const struct piece *p, size_t n)
{
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    struct str bytes = {w->out.p + p[i].at, p[i].n};
    if (joins(b, &p[i], n > PIECES_FEW)) {
      join(b, w->in, &p[i], bytes);
    } else {
      copy_between(b, w->in, at, p[i].start);
      build_segment(b,
                    (struct segment){.start = p[i].start,
                                     .end = p[i].end,
                                     .same = p[i].same,
                                     .n_layers = p[i].n_layers,
                                     .layers = {p[i].layers[0], p[i].layers[1]},
                                     .hidden_start = p[i].hidden_start,
                                     .hidden_end = p[i].hidden_end},
                    bytes);
    }
    at = p[i].end;
  }
  copy_between(b, w->in, at, w->in.n);
}

static unsigned deepest(const struct piece *p, size_t n)
{
  unsigned most = 0;
  for (size_t i = 0; i < n; i++)
    if (p[i].n_layers > most) most = p[i].n_layers;
  return most;
}

/* Makes a text of the pieces; false when out of memory. */
static bool add_text(struct decode *d, int parent, unsigned depth, const struct piece *p, size_t n)
{
  struct builder b = {.d = d};
  build(&b, d->inside, p, n);
  struct decoded *grown = heap_grow(d->texts, d->n_texts, &d->cap_texts, 8, sizeof *grown);
  if (grown) d->texts = grown;
  bool fits = b.text.n <= d->budget, ok = grown && !b.failed && !b.text.failed;
  if (!ok || !fits) {
    d->partial |= ok;
    buf_finish(&b.text);
    free(b.segments);
    return ok;
  }
  d->budget -= b.text.n;
  d->texts[d->n_texts++] = (struct decoded){
      .text = buf_str(&b.text), .parent = parent, .depth = depth + deepest(p, n), .segments = b.segments, .n_segments = b.n};
  return true;
}

/* One word reads the same both ways. */
static void drop_twin(struct decode *d, int parent)
{
  if (d->n_texts < 2) return;
  struct decoded *a = &d->texts[d->n_texts - 2], *b = a + 1;
  if (a->parent != parent || b->parent != parent || !str_eq(a->text, b->text)) return;
  d->budget += b->text.n;
  free((char *)(uintptr_t)b->text.p);
  free(b->segments);
  d->n_texts--;
}

/* The first text has the marked encodings and the ciphers, the others those and what can be read in a second way, or a third. */
static bool add_texts(struct decode *d, int parent, unsigned depth)
{
  enum { GROUPS = 2 + VARIANT_LAST };
  struct decode_work *w = d->inside;
  qsort(w->pieces, w->n_pieces, sizeof *w->pieces, piece_order);
  struct piece *group[GROUPS];
  size_t n[GROUPS], mixed;
  for (size_t i = 0, r = 0; r < GROUPS; r++) {
    group[r] = w->pieces + i;
    for (n[r] = 0; i < w->n_pieces && rank(&w->pieces[i]) == r; i++) n[r]++;
    n[r] = drop_overlaps(group[r], n[r]);
  }
  for (size_t r = 1; r < GROUPS; r++) {
    if (!n[r] && (r > 1 || !n[0])) continue;
    if (!mix(w, group[0], n[0], group[r], n[r], &mixed) || !add_text(d, parent, depth, w->mixed, mixed)) return false;
    if (r > 1) drop_twin(d, parent);
  }
  return true;
}

/* ---- one text ---------------------------------------------------------------------------------------------------- */

/* Adds [start, end) with a margin on either side; they come in order. */
static void add_region(struct decode_work *w, struct regions *to, size_t start, size_t end)
{
  start = start > ODD_MARGIN ? start - ODD_MARGIN : 0;
  end = end + ODD_MARGIN < w->in.n ? end + ODD_MARGIN : w->in.n;
  struct region *last = to->n ? &to->v[to->n - 1] : NULL;
  if (last && start <= last->end) {
    last->end = (uint32_t)end;
    return;
  }
  struct region *grown = heap_grow(to->v, to->n, &to->cap, 64, sizeof *grown);
  if (!grown) {
    w->failed = true;
    return;
  }
  to->v = grown;
  to->v[to->n++] = (struct region){(uint32_t)start, (uint32_t)end};
}

/* Five words of the spelling alphabet take more than two LANEs, so one word of each lane is looked at, the first. starts: of words; nato: that may
 * be of it. */
static bool spells(struct str s, size_t block, uint64_t starts, uint64_t nato, size_t *latest)
{
  enum { LANE = 16, NEAR = 3 * LANE };
  bool near = false;
  if (!(starts & nato)) return false;
  for (unsigned i = 0; i < BLOCK; i += LANE) {
    uint64_t lane = starts & UINT64_C(0xffff) << i, first = lane & (~lane + 1);
    if (!(first & nato)) continue;
    size_t at = block + (size_t)__builtin_ctzll(first);
    if (!nato_at(s, at)) continue;
    near |= *latest && at + 1 - *latest <= NEAR;
    *latest = at + 1;
  }
  return near;
}

/* Where marks begin, for kinds not seen before; marks: of the second byte of each. */
static void note_marks(struct decode_work *w, size_t at, uint64_t marks)
{
  for (; marks; marks &= marks - 1) {
    size_t i = at + (size_t)__builtin_ctzll(marks) - 1;
    enum mark_kind kind = mark_begins((unsigned char)w->in.p[i], (unsigned char)w->in.p[i + 1]);
    if (w->first[kind] == SIZE_MAX) w->first[kind] = i;
  }
}

/* Lines of a block that may be of uuencode, as far as the gate sees. */
static void note_uu(struct decode_work *w, size_t at, uint64_t lines)
{
  for (; lines && w->first_uu == SIZE_MAX; lines &= lines - 1) {
    size_t i = at + (size_t)__builtin_ctzll(lines);
    if (i < w->in.n && uu_may_begin(w->in, i)) w->first_uu = i;
  }
}

static void look(struct decode_work *w)
{
  enum { BEFORE = 32 }; /* what the gate sees at a block may have begun so many bytes before it */
  struct gate g = {0};
  for (unsigned k = 0; k < MARK_KINDS; k++) w->first[k] = SIZE_MAX;
  w->first_list = w->first_number = SIZE_MAX;
  w->n_back = w->back_seen = w->stretch_seen = 0;
  w->first_uu = w->in.n && uu_may_begin(w->in, 0) ? 0 : SIZE_MAX;
  size_t nato = 0;
  w->odd.n = w->joints.n = w->slips.n = w->letters = w->n_blocks = w->odd_blocks = 0;
  w->spelled = false;
  for (size_t i = 0; i < w->in.n; i += BLOCK) {
    size_t end = i + BLOCK < w->in.n ? i + BLOCK : w->in.n;
    uint64_t before = g.now.letters >> 63;
    unsigned signs = gate_block(&w->model, &g, w->in, i, end - i);
    if (signs & (SIGN_ODD | SIGN_ODD_BEFORE))
      add_region(w, &w->odd, signs & SIGN_ODD_BEFORE && i ? i - BLOCK / 2 : i, signs & SIGN_ODD ? end : i + BLOCK / 2);
    note_marks(w, i, g.now.marks);
    if (g.uu) note_uu(w, i, g.uu);
    if (w->decoded) note_backwards(w, i);
    for (uint64_t b = g.backwards; b; b &= b - 1) note_backwards(w, i + (size_t)__builtin_ctzll(b));
    if (signs & (SIGN_LISTS | SIGN_EIGHTS) && w->first_list == SIZE_MAX) w->first_list = i > BEFORE ? i - BEFORE : 0;
    if (signs & SIGN_JOINTS && !w->leaks) add_region(w, &w->joints, i, end);
    if (signs & SIGN_SLIPS && !w->leaks) add_region(w, &w->slips, i > BLOCK ? i - BLOCK : 0, end);
    if (signs & SIGN_NUMBERS && w->first_number == SIZE_MAX) w->first_number = number_start(w->in, i);
    w->letters += g.now.n_letters;
    w->odd_blocks += signs & SIGN_ODD ? 1 : 0;
    w->n_blocks++;
    if (!w->spelled) w->spelled = spells(w->in, i, g.now.letters & ~(g.now.letters << 1 | before), g.now.nato, &nato);
  }
  unsigned last = gate_block(&w->model, &g, w->in, w->in.n, 0);
  if (last & (SIGN_LISTS | SIGN_EIGHTS) && w->first_list == SIZE_MAX) w->first_list = w->in.n > BEFORE ? w->in.n - BEFORE : 0;
  if (last & SIGN_NUMBERS && w->first_number == SIZE_MAX) w->first_number = number_start(w->in, w->in.n);
  if (g.backwards & 1 && w->in.n) note_backwards(w, w->in.n - 1);
  w->signs = g.signs;
  w->work += w->in.n;
}

static void find_pieces(struct decode_work *w, bool ciphers)
{
  look(w);
  for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
    if (decoders[i].find && (ciphers || i <= DECODER_LEET)) decoders[i].find(w);
}

/* Does little in the text look like language? Signs, digits and blanks are most of its ASCII, or its letters are odd. */
static bool is_strange(const struct decode_work *w)
{
  if (w->odd_blocks * 2 >= w->n_blocks) return true;
  if (w->letters * 5 >= w->in.n * 2) return false;
  size_t ascii = 0;
  for (size_t i = 0; i < w->in.n; i++) ascii += !(w->in.p[i] & 0x80);
  return w->letters * 5 < ascii * 2 && ascii * 4 > w->in.n * 3;
}

/* Was something found turned, so that the rest of the text may be turned too? */
static bool any_turned(const struct decode_work *w)
{
  for (size_t i = 0; i < w->n_pieces; i++)
    if (w->pieces[i].layers[0] >= DECODER_ROT13 && w->pieces[i].layers[0] <= DECODER_REVERSED_WORDS && w->pieces[i].n_layers > 1)
      return true;
  return false;
}

static size_t covered(const struct decode_work *w)
{
  size_t n = 0;
  for (size_t i = 0; i < w->n_pieces; i++)
    if (w->pieces[i].variant < VARIANT_LAST) n += w->pieces[i].end - w->pieces[i].start;
  return n;
}

/* The beginning of a text, not cut within a mark. */
static struct str sample(struct str text)
{
  size_t n = SAMPLE;
  if (text.n <= SAMPLE) return text;
  while (n > SAMPLE / 2 && (is_letter((unsigned char)text.p[n - 1]) || is_digit((unsigned char)text.p[n - 1]))) n--;
  return str_cut(text, 0, n > SAMPLE / 2 ? n : SAMPLE);
}

/* How many bytes of the text can be decoded when it is turned. */
static size_t try_turn(struct decode_work *w, struct str text, enum decoder_id how)
{
  buf_reset(&w->turned);
  put_turned(&w->turned, text, how);
  w->in = buf_str(&w->turned);
  w->n_pieces = 0;
  buf_reset(&w->out);
  find_pieces(w, false);
  return covered(w);
}

/* The whole text turned, as a text of its own. */
static bool add_turned(struct decode *d, int parent, unsigned depth, struct str text, enum decoder_id how)
{
  struct decode_work *w = d->inside;
  buf_reset(&w->out);
  put_turned(&w->out, text, how);
  struct piece whole = {
      .end = (uint32_t)text.n, .n = (uint32_t)text.n, .layers = {(uint8_t)how}, .n_layers = 1, .same = how < DECODER_REVERSED};
  return !w->out.failed && add_text(d, parent, depth, &whole, 1);
}

/* A cipher of letters over another encoding shows in no letter pair. So a text that is no language is turned blindly, and kept when most of
 * it can be decoded then, and more than straight on: as a text of its own, whose pieces the next round finds again. */
static bool turn_blindly(struct decode *d, int parent, unsigned depth, struct str text, size_t straight)
{
  static const enum decoder_id turns[] = {DECODER_ROT13, DECODER_ATBASH, DECODER_REVERSED, DECODER_REVERSED_WORDS};
  enum { ALL = sizeof turns / sizeof *turns, BACKWARDS = 2 };
  struct decode_work *w = d->inside;
  size_t got[ALL], least = straight > text.n / 4 * 3 ? straight : text.n / 4 * 3, best = 0;
  for (size_t i = 0; i < ALL; i++) {
    got[i] = try_turn(w, sample(text), turns[i]);
    if (text.n > SAMPLE) got[i] = got[i] > SAMPLE / 2 ? try_turn(w, text, turns[i]) : 0;
    if (w->turned.failed) return false;
    if (got[i] > got[best]) best = i;
  }
  w->in = text;
  /* What is read backwards may be meant word by word: letters of the encoding do not tell. */
  for (size_t i = 0; i < ALL; i++)
    if (got[i] > least && (i == best || (i >= BACKWARDS && best >= BACKWARDS)) && !add_turned(d, parent, depth, text, turns[i]))
      return false;
  return true;
}

/* Runs all decoders over a text and adds what they give. */
static bool decode_one(struct decode *d, int parent, unsigned depth, struct str text, struct str original, const struct view *v)
{
  struct decode_work *w = d->inside;
  w->in = text;
  w->n_pieces = 0;
  w->leaks = d->leaks;
  w->decoded = depth > 0;
  buf_reset(&w->out);
  find_pieces(w, true);
  if (v && v->invisible > 1) decode_hidden(w, original, v);
  bool ok = !w->failed, strange = depth + 2 <= DECODE_DEPTH && (covered(w) * 10 < text.n * 9 || any_turned(w)) && is_strange(w);
  size_t straight = covered(w), kept = 0;
  for (size_t i = 0; i < w->n_pieces; i++)
    if (depth + w->pieces[i].n_layers <= DECODE_DEPTH) w->pieces[kept++] = w->pieces[i];
  w->n_pieces = kept;
  if (ok && !w->out.failed && kept) ok = add_texts(d, parent, depth);
  if (ok && strange) ok = turn_blindly(d, parent, depth, text, straight);
  d->work = w->work;
  return ok && !w->failed && !w->out.failed && !w->scratch.failed;
}

bool decode_run(struct decode *d, struct str original, const struct view *v, struct str view)
{
  struct decode_work *w = d->inside;
  free_texts(d);
  d->partial = false;
  d->work = 0;
  w->work = 0;
  w->failed = w->out.failed = w->scratch.failed = false;
  if (view.n > DECODE_TEXT_MAX) {
    d->partial = true;
    return true;
  }
  d->budget = d->limit ? d->limit : decode_budget(view.n);
  if (!decode_one(d, -1, 0, view, original, v)) return false;
  for (size_t i = 0; i < d->n_texts; i++) {
    struct decoded t = d->texts[i];
    if (t.depth < DECODE_DEPTH && !decode_one(d, (int)i, t.depth, t.text, t.text, NULL)) return false;
  }
  return true;
}

/* ---- the way back ------------------------------------------------------------------------------------------------ */

bool decode_supersedes(const struct decode *d, int i, size_t n)
{
  for (size_t k = (size_t)(i + 1); k < d->n_texts; k++) { /* what was decoded from a text stands behind it */
    const struct decoded *t = &d->texts[k];
    size_t covered = 0, decoded = 0;
    if (t->parent != i) continue;
    for (size_t s = 0; s < t->n_segments; s++) {
      size_t length = t->segments[s].end - t->segments[s].start;
      covered += length;
      if (t->segments[s].n_layers && t->segments[s].layers[0] != DECODER_SLIPS)
        decoded += length; /* of which a word may be wrong */
    }
    if (covered < n) continue; /* a stretch was left out */
    if (decoded * 2 >= n || decode_supersedes(d, (int)k, t->text.n)) return true;
  }
  return false;
}

bool segment_is_hidden(const struct segment *s)
{
  return s->n_layers && s->layers[s->n_layers - 1] <= DECODER_ZERO_WIDTH;
}

/* The segment that holds offset. */
static size_t segment_at(const struct decoded *t, uint64_t offset)
{
  size_t lo = 0, hi = t->n_segments;
  while (hi - lo > 1) {
    size_t mid = (lo + hi) / 2;
    if (t->segments[mid].at <= offset) lo = mid;
    else hi = mid;
  }
  return lo;
}

static void add_layer(struct decode_span *out, const char **layers, unsigned *n, const char *name)
{
  for (unsigned i = 0; i < *n; i++)
    if (layers[i] == name) return;
  if (*n + out->n_layers < DECODE_LAYERS) layers[(*n)++] = name;
}

/* Puts the layers of segments [from, to] in front of those found so far: outer ones come first. */
static void prepend_layers(const struct decoded *t, size_t from, size_t to, struct decode_span *out)
{
  const char *layers[DECODE_LAYERS];
  unsigned n = 0;
  for (size_t i = from; i <= to; i++)
    for (unsigned k = 0; k < t->segments[i].n_layers; k++) add_layer(out, layers, &n, decoders[t->segments[i].layers[k]].name);
  memmove(out->layers + n, out->layers, out->n_layers * sizeof *out->layers);
  memcpy(out->layers, layers, n * sizeof *layers);
  out->n_layers += n;
}

/* Invisible characters stand in the original text only. */
static void widen(const struct decoded *t, size_t from, size_t to, uint64_t *start, uint64_t *end)
{
  for (size_t i = from; i <= to; i++) {
    const struct segment *s = &t->segments[i];
    if (!s->hidden_end) continue;
    if (s->hidden_start < *start) *start = s->hidden_start;
    if (s->hidden_end > *end) *end = s->hidden_end;
  }
}

void decode_origin(const struct decode *d, const struct view *v, size_t i, uint64_t start, uint64_t end, struct decode_span *out)
{
  uint64_t hidden_start = UINT64_MAX, hidden_end = 0;
  *out = (struct decode_span){0};
  for (int at = (int)i; at >= 0; at = d->texts[at].parent) {
    const struct decoded *t = &d->texts[at];
    size_t from = segment_at(t, start), to = end > start ? segment_at(t, end - 1) : from;
    const struct segment *a = &t->segments[from], *b = &t->segments[to];
    prepend_layers(t, from, to, out);
    if (at == (int)i) out->decoded = out->n_layers > 0;
    if (t->parent < 0) widen(t, from, to, &hidden_start, &hidden_end);
    start = a->same ? a->start + (start - a->at) : a->start;
    end = b->same ? b->start + (end - b->at) : b->end;
  }
  out->start = end > start ? view_start(v, start) : hidden_start;
  out->end = end > start ? view_stop(v, end) : hidden_end;
  if (hidden_start < out->start) out->start = hidden_start;
  if (hidden_end > out->end) out->end = hidden_end;
  if (out->start > out->end) out->start = out->end = view_start(v, start); /* of nothing */
}
