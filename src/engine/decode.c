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
  ODD_MARGIN = 96, /* how far around an odd block the decoders of letters and tokens look */
};

const char *decoder_name(enum decoder_id id)
{
  return decoders[id].name;
}

bool decode_init(struct decode *d)
{
  *d = (struct decode){.inside = calloc(1, sizeof *d->inside)};
  if (!d->inside) return false;
  text_model_init(&d->inside->model);
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
    free(w->odd);
    free(w->pieces);
    buf_finish(&w->out);
    buf_finish(&w->scratch);
    view_finish(&w->fold);
  }
  free(w);
  *d = (struct decode){0};
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

/* What came out is seen as a reader sees it, like the text itself: the invisible out, full-width letters folded. */
static void fold_piece(struct decode_work *w, size_t at)
{
  struct str raw = {w->out.p + at, w->out.n - at};
  if (is_ascii(raw)) return;
  struct view *v = &w->fold;
  buf_reset(&v->text);
  *v = (struct view){.text = v->text, .steps = v->steps, .cap_steps = v->cap_steps};
  if (!view_feed(v, raw.p, raw.n) || !view_end(v)) {
    w->failed = true;
    return;
  }
  w->out.n = at;
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
  if (!p.same) fold_piece(w, p.at);
  p.n = (uint32_t)(w->out.n - p.at);
  if (p.n) w->pieces[w->n_pieces++] = p;
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
  if (text_is_plausible(&w->model, (struct str){w->out.p + at, w->out.n - at})) return true;
  w->out.n = at;
  return false;
}

static int piece_order(const void *a, const void *b)
{
  const struct piece *x = a, *y = b;
  if (x->variant != y->variant) return x->variant < y->variant ? -1 : 1;
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

/* The first reading: all pieces of variant 0. The second: those of variant 1, and the first ones' that do not touch them. */
static bool add_texts(struct decode *d, int parent, unsigned depth)
{
  struct decode_work *w = d->inside;
  qsort(w->pieces, w->n_pieces, sizeof *w->pieces, piece_order);
  size_t first = 0;
  while (first < w->n_pieces && w->pieces[first].variant == 0) first++;
  size_t second = w->n_pieces - first;
  if (first) {
    first = drop_overlaps(w->pieces, first);
    if (!add_text(d, parent, depth, w->pieces, first)) return false;
  }
  if (!second) return true;
  struct piece *rest = w->pieces + (w->n_pieces - second);
  second = drop_overlaps(rest, second);
  return add_text(d, parent, depth, rest, second);
}

/* ---- one text ---------------------------------------------------------------------------------------------------- */

static void add_odd(struct decode_work *w, size_t start, size_t end)
{
  start = start > ODD_MARGIN ? start - ODD_MARGIN : 0;
  end = end + ODD_MARGIN < w->in.n ? end + ODD_MARGIN : w->in.n;
  struct region *last = w->n_odd ? &w->odd[w->n_odd - 1] : NULL;
  if (last && start <= last->end) {
    last->end = (uint32_t)end;
    return;
  }
  struct region *grown = heap_grow(w->odd, w->n_odd, &w->cap_odd, 64, sizeof *grown);
  if (!grown) {
    w->failed = true;
    return;
  }
  w->odd = grown;
  w->odd[w->n_odd++] = (struct region){(uint32_t)start, (uint32_t)end};
}

static void look(struct decode_work *w)
{
  struct gate g = {0};
  w->n_odd = 0;
  for (size_t i = 0; i < w->in.n; i += BLOCK) {
    size_t end = i + BLOCK < w->in.n ? i + BLOCK : w->in.n;
    if (gate_block(&w->model, &g, str_cut(w->in, i, end)) & SIGN_ODD) add_odd(w, i, end);
  }
  w->signs = g.signs;
  w->work += w->in.n;
}

/* Runs all decoders over a text and adds what they give. */
static bool decode_one(struct decode *d, int parent, unsigned depth, struct str text, struct str original, const struct view *v)
{
  struct decode_work *w = d->inside;
  w->in = text;
  w->n_pieces = 0;
  buf_reset(&w->out);
  look(w);
  if (v && v->invisible > 1) decode_hidden(w, original, v);
  for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
    if (decoders[i].find) decoders[i].find(w);
  d->work = w->work;
  if (w->failed || w->out.failed || w->scratch.failed) return false;
  size_t kept = 0;
  for (size_t i = 0; i < w->n_pieces; i++)
    if (depth + w->pieces[i].n_layers <= DECODE_DEPTH) w->pieces[kept++] = w->pieces[i];
  w->n_pieces = kept;
  return kept == 0 || add_texts(d, parent, depth);
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
  d->budget = decode_budget(view.n);
  if (!decode_one(d, -1, 0, view, original, v)) return false;
  for (size_t i = 0; i < d->n_texts; i++) {
    struct decoded t = d->texts[i];
    if (t.depth < DECODE_DEPTH && !decode_one(d, (int)i, t.depth, t.text, t.text, NULL)) return false;
  }
  return true;
}

/* ---- the way back ------------------------------------------------------------------------------------------------ */

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
    for (unsigned k = 0; k < t->segments[i].n_layers; k++)
      add_layer(out, layers, &n, decoders[t->segments[i].layers[k]].name);
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
}
