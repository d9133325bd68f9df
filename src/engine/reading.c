#include "engine/reading.h"
#include "engine/blocks.h"

enum {
  BACK = 640,      /* how far before its first sign a reading begins: a gate, what a check looks at on its left, a context word */
  SLEEP = 48,      /* after so many bytes without a sign, and with nothing undecided, it sleeps again */
  STRETCH = 128,   /* so many bytes are read before it is seen whether it may */
  SLACK = 4096,    /* bytes that may be kept for nothing */
  GATE_NEAR = 512, /* line ends and emphasis are signs only behind a gate */
  SLICE = 8192,    /* most bytes of a whole text that are worked on at once */
  SURE = 12,       /* so many bytes of text out of base64 are no chance */
  SURE_DIGITS = 16,
};

/* Told by their addresses from the names of decoders. */
static const char layer_names[READINGS][8] = {"escapes", "base64", "joined"};

/* ---- begin and end ------------------------------------------------------------------------------------------------ */

static void end_run(struct reading *r)
{
  r->n_digits = r->n_printed = 0;
  r->bits = 0;
  r->refused = r->first = false;
}

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
  end_run(r);
}

void reading_begin(struct reading_set *set, unsigned kinds, struct vdt_scanner *scanner, const struct vdt_policy *policy,
                   enum vdt_role role)
{
  set->kinds = kinds;
  set->scanner = scanner;
  set->policy = policy;
  set->role = role;
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

static bool make_ready(const struct reading_set *set, struct reading *r)
{
  const struct vdt_engine *e = set->scanner->engine;
  if (!r->ready && leaks_init(&r->leaks, e)) return false;
  r->ready = true;
  if (r->hs ? hs_reset_stream(r->hs, 0, NULL, NULL, NULL) != HS_SUCCESS : hs_open_stream(e->stream, 0, &r->hs) != HS_SUCCESS)
    return false;
  leaks_begin(&r->leaks, set->policy, set->role);
  r->leaks.scratch = set->scanner->regex_scratch;
  r->fresh = false;
  return true;
}

/* ---- bytes of the reading ------------------------------------------------------------------------------------------- */

static bool put(struct reading *r, char c, uint64_t start, uint64_t end)
{
  struct reading_place *grown = heap_grow(r->places, r->text.n, &r->cap_places, 256, sizeof *grown);
  if (!grown) return false;
  r->places = grown;
  r->places[r->text.n] = (struct reading_place){start, end};
  buf_byte(&r->text, c);
  r->len++;
  return !r->text.failed;
}

/* The bytes from next to `to`, each of which stands for itself. */
static bool put_plain(struct reading *r, const struct window *w, uint64_t to)
{
  uint64_t from = r->next;
  size_t n = (size_t)(to - from), had = r->text.n;
  if (r->cap_places < had + n) {
    size_t cap = (had + n) * 2;
    struct reading_place *grown = realloc(r->places, cap * sizeof *grown);
    if (!grown) return false;
    r->places = grown;
    r->cap_places = cap;
  }
  for (size_t i = 0; i < n; i++) r->places[had + i] = (struct reading_place){from + i, from + i + 1};
  buf_put(&r->text, (struct str){(const char *)w->p + (from - w->base), n});
  r->len += n;
  r->next = to;
  return !r->text.failed;
}

static bool is_printable(unsigned c)
{
  return c >= 0x20 && c < 0x7F;
}

static int hex(int c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at a view offset; -1 behind the end of the text; -2 where it has not arrived. */
static int at(const struct window *w, uint64_t i)
{
  return i < w->end ? w->p[i - w->base] : w->eof ? -1 : -2;
}

/* ---- escapes -------------------------------------------------------------------------------------------------------- */

/* Exactly n hexadecimal digits at i. -1: they are none, -2: they may become some. */
static int digits(const struct window *w, uint64_t i, unsigned n)
{
  int v = 0;
  for (unsigned k = 0; k < n; k++) {
    int c = at(w, i + k);
    if (c == -2) return -2;
    if (c < 0 || hex(c) < 0) return -1;
    v = v << 4 | hex(c);
  }
  return v;
}

/* &#103; or &#x67; at i; *length is that of the whole. */
static int entity(const struct window *w, uint64_t i, unsigned *length)
{
  int c = at(w, i + 1), v = 0;
  if (c != '#') return c == -2 ? -2 : -1;
  uint64_t k = i + 2;
  bool hexadecimal = at(w, k) == 'x' || at(w, k) == 'X';
  k += hexadecimal;
  for (; k < i + 10; k++) {
    c = at(w, k);
    int d = hexadecimal ? hex(c) : c >= '0' && c <= '9' ? c - '0' : -1;
    if (c == -2) return -2;
    if (c == ';' || c < 0 || d < 0) break;
    v = v * (hexadecimal ? 16 : 10) + d;
  }
  *length = (unsigned)(k + 1 - i);
  return c == ';' && v < 0x7F ? v : -1;
}

/* What is written at i, and in how many bytes; -1 when it is no escape, -2 when that is not known yet. */
static int escape(const struct window *w, uint64_t i, unsigned *length)
{
  int c = at(w, i), next = at(w, i + 1), v = -1;
  if (c == '%') {
    *length = 3;
    v = digits(w, i + 1, 2);
  } else if (c == '&') {
    v = entity(w, i, length);
  } else if (c == '\\' && (next == 'u' || next == 'U')) {
    *length = 6;
    v = digits(w, i + 2, 4);
  } else if (c == '\\' && next == 'x') {
    *length = 4;
    v = digits(w, i + 2, 2);
  } else if (c == '\\' && next == -2) {
    v = -2;
  }
  return v >= 0 && !is_printable((unsigned)v) ? -1 : v;
}

static bool is_escape_sign(int c)
{
  return c == '\\' || c == '%' || c == '&';
}

/* The first byte from i on that is one of the four, or the end. */
static uint64_t next_of(const struct window *w, uint64_t i, const char marks[4])
{
  unsigned char pad[BLOCK_BYTES];
  for (size_t n; i < w->end; i += n) {
    n = w->end - i < BLOCK_BYTES ? (size_t)(w->end - i) : BLOCK_BYTES;
    uint64_t hits = block_any(block_pad(w->p + (i - w->base), n, pad), marks);
    if (hits) return i + block_first(hits);
  }
  return w->end;
}

static bool read_escapes(struct reading *r, const struct window *w)
{
  while (r->next < w->end) {
    unsigned length = 1;
    if (!is_escape_sign(at(w, r->next))) {
      if (!put_plain(r, w, next_of(w, r->next, "\\%&&"))) return false;
      continue;
    }
    int v = escape(w, r->next, &length);
    if (v == -2) break;
    if (v >= 0 && r->next > r->sign) r->sign = r->next;
    if (v < 0) length = 1, v = at(w, r->next);
    if (!put(r, (char)v, r->next, r->next + length)) return false;
    r->next += length;
  }
  r->pending = r->next;
  return true;
}

/* ---- joined --------------------------------------------------------------------------------------------------------- */

static bool is_emphasis(int c)
{
  return c == '*' || c == '`';
}

/* Is a byte that begins a line, or follows what does, part of the line end? Blanks, the bar or arrow of a quotation. */
static bool is_margin(int c)
{
  return c == ' ' || c == '\t' || c == '>' || c == '|';
}

/* Line ends go with what begins the next line. An empty line stays. */
static bool read_joined(struct reading *r, const struct window *w)
{
  while (r->next < w->end) {
    int c = at(w, r->next);
    if (c == '\n' && r->line_begins) {
      if (!put_plain(r, w, r->next + 1)) return false;
    } else if (c == '\n' || c == '\r' || is_emphasis(c) || (r->line_begins && is_margin(c))) {
      r->line_begins |= c == '\n';
      r->next++;
    } else {
      r->line_begins = false;
      if (!put_plain(r, w, next_of(w, r->next, "\n\r*`"))) return false;
    }
  }
  r->pending = r->next;
  return true;
}

/* ---- base64 --------------------------------------------------------------------------------------------------------- */

/* Of ASCII; base64 and base64url. */
static const signed char digit_values[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1};

static int base64_digit(int c)
{
  return c >= 0 && c < 128 ? digit_values[c] : -1;
}

/* What text has. It begins with ASCII, or most words would have to wait; of a run that is known to be text anything is taken. */
static bool may_be_text(const struct reading *r, unsigned c)
{
  return r->n_printed >= SURE || is_printable(c) || c == '\n' || c == '\r' || c == '\t' || (c >= 0x80 && r->n_printed > 2);
}

/* Takes a run back that turned out to be no text, or too short. */
static void take_back(struct reading *r)
{
  size_t n = r->n_printed < r->text.n ? r->n_printed : r->text.n;
  r->text.n -= n;
  r->len -= n;
  r->n_printed = 0;
}

/* The bytes of 2, 3 or 4 digits. The first three digits of a run have left by the time that they can be known for some: every word begins so. They
 * hold hardly two bytes, which are a gate's. */
static bool decode_group(struct reading *r)
{
  unsigned bytes = r->n_digits - 1;
  uint32_t bits = r->bits << 6 * (4 - r->n_digits);
  for (unsigned i = 0; i < bytes; i++) {
    unsigned c = bits >> (16 - 8 * i) & 0xFF;
    if (!may_be_text(r, c)) {
      if (r->n_printed < SURE) take_back(r);
      r->refused = true;
      break;
    }
    uint64_t start = r->first ? r->digits_at[3 < r->n_digits ? 3 : r->n_digits - 1] : r->digits_at[i];
    uint64_t end = r->digits_at[i + 1] + 1;
    if (!put(r, (char)c, start, end > start ? end : start + 1)) return false;
    r->n_printed++;
  }
  r->n_digits = 0;
  r->bits = 0;
  r->first = false;
  return true;
}

/* The run has ended before view offset `end`. A line end closes it in the reading too. */
static bool close_run(struct reading *r, uint64_t end)
{
  bool ok = r->refused || r->n_digits < 2 || decode_group(r);
  if (r->n_printed && r->n_printed < SURE) take_back(r);
  if (ok && r->n_printed) ok = put(r, '\n', end, end);
  end_run(r);
  return ok;
}

/* Do these four digits decode to text? */
static bool begins_text(const struct reading *r, const unsigned char *p)
{
  int v = digit_values[p[0]] * (1 << 18) + digit_values[p[1]] * (1 << 12);
  if (!may_be_text(r, (unsigned)v >> 16)) return false;
  v += digit_values[p[2]] * (1 << 6) + digit_values[p[3]];
  return may_be_text(r, (unsigned)v >> 8 & 0xFF) && may_be_text(r, (unsigned)v & 0xFF);
}

/* The first byte from p on that is no digit. */
static const unsigned char *skip_digits(const unsigned char *p, const unsigned char *end)
{
  unsigned char pad[BLOCK_BYTES];
  for (size_t n; p < end; p += n) {
    n = end - p < BLOCK_BYTES ? (size_t)(end - p) : BLOCK_BYTES;
    unsigned run = block_leading(block_base64(block_pad(p, n, pad)));
    if (run < n) return p + run;
  }
  return end;
}

/* Where the first run of SURE_DIGITS digits begins, or one that the text ends in; the end when there is none. p is not inside of a run. */
static const unsigned char *long_run(const unsigned char *p, const unsigned char *end)
{
  unsigned char pad[BLOCK_BYTES];
  size_t run = 0; /* digits right before p */
  for (size_t n; p < end; p += n) {
    n = end - p < BLOCK_BYTES ? (size_t)(end - p) : BLOCK_BYTES;
    uint64_t digits = block_base64(block_pad(p, n, pad)), sixteens = block_sixteens(digits);
    if (run + block_leading(digits) >= SURE_DIGITS) return p - run;
    if (sixteens) return p + block_first(sixteens);
    size_t last = block_trailing(digits << (BLOCK_BYTES - n));
    run = last == n ? run + n : last;
  }
  return end - run;
}

/* Ordinary text is read here: words are too short, and most of those whose end has not come are refused by their first four letters. */
static void skip_words(struct reading *r, const struct window *w)
{
  const unsigned char *p = w->p + (r->next - w->base), *end = w->p + (w->end - w->base), *q;
  for (;; p = q) {
    if (r->refused) p = skip_digits(p, end);
    if (p == end) break;
    r->refused = false;
    p = long_run(p, end);
    q = skip_digits(p, end);
    bool ended = q < end || w->eof;
    if (ended && q - p < SURE_DIGITS) continue;
    if (q - p < 4 || begins_text(r, p)) break;
    r->refused = !ended || q == end;
  }
  r->next = w->base + (uint64_t)(p - w->p);
}

static bool read_base64(struct reading *r, const struct window *w)
{
  for (; r->next < w->end; r->next++) {
    if (!r->n_digits && !r->n_printed) skip_words(r, w);
    if (r->next == w->end) break;
    int c = at(w, r->next), d = base64_digit(c);
    bool runs = r->n_digits || r->n_printed || r->refused;
    if (d < 0 && (c == '\n' || c == '\r') && r->n_printed >= SURE && !r->refused) continue; /* wrapped */
    if (d < 0) {
      if (runs && !close_run(r, r->next)) return false;
      continue;
    }
    if (!runs) r->run = r->next, r->first = true;
    if (r->refused) continue;
    r->digits_at[r->n_digits++] = r->next;
    r->bits = r->bits << 6 | (uint32_t)d;
    if (r->n_digits == 4 && !decode_group(r)) return false;
  }
  if (w->eof && (r->n_digits || r->n_printed) && !close_run(r, w->end)) return false;
  r->pending = r->next;
  if (r->refused || !r->n_printed) return true;
  if (r->n_digits) r->pending = r->digits_at[0];
  if (r->n_printed < SURE) r->pending = r->run + 3;
  return true;
}

/* ---- signs ---------------------------------------------------------------------------------------------------------- */

/* Where the word that ends before i begins. */
static uint64_t word_start(const struct window *w, uint64_t i)
{
  uint64_t stop = i > w->base + GATE_NEAR ? i - GATE_NEAR : w->base;
  while (i > stop && w->p[i - 1 - w->base] > ' ') i--;
  return i;
}

/* The first break from i on that is a sign: one inside of a word that has a gate before it. */
static uint64_t next_break(const struct window *w, const struct leaks *main, uint64_t i)
{
  uint64_t gate = i > w->base + GATE_NEAR ? i - GATE_NEAR : w->base, k = 0;
  while ((gate = leaks_next_gate(main, gate + 1, w->end)) <= w->end) {
    if (w->p[gate - 1 - w->base] <= ' ') continue;
    for (k = k > gate ? k : gate; k < w->end && k < gate + GATE_NEAR;
         k++) { /* what an earlier gate was followed by is not read again */
      unsigned char c = w->p[k - w->base];
      if (k >= i && (is_emphasis(c) || c == '\n')) return k;
      if (c <= ' ') break;
    }
  }
  return w->end;
}

/* The first sign of an escape from i on, or the end. */
static uint64_t next_escape(const struct window *w, uint64_t i)
{
  unsigned length;
  while ((i = next_of(w, i, "\\%&&")) < w->end && escape(w, i, &length) == -1) i++;
  return i;
}

static void find_sign(struct reading *r, const struct window *w, const struct leaks *main)
{
  uint64_t i = r->next > w->base ? r->next : w->base;
  if (r->kind == READING_ESCAPES) i = next_escape(w, i);
  else i = main->any_gate ? next_break(w, main, i) : w->end;
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
  return r->kind == READING_BASE64 && !w->eof && r->n_printed < SURE ? r->len - r->n_printed : r->len;
}

static bool scan(struct reading_set *set, struct reading *r, const struct window *w)
{
  uint64_t end = looked_at(r, w);
  size_t n = (size_t)(end - r->scanned);
  if (r->fresh && (n == 0 || !make_ready(set, r))) return n == 0;
  if (n == 0 && r->leaks.n_pending == 0) return true;
  struct window mine = window_of(r, w->eof);
  struct delivery d = {.leaks = &r->leaks, .window = &mine};
  mine.end = end;
  const char *p = n ? r->text.p + (r->scanned - r->base) : NULL;
  r->scanned = end;
  if (n && hs_scan_stream(r->hs, p, (unsigned)n, 0, set->scanner->scratch, deliver, &d) != HS_SUCCESS) return false;
  deliver_rest(&d);
  leaks_try(&r->leaks, &mine);
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

/* Reads on, at most to the end of the window. */
static bool read_on(struct reading *r, const struct window *w)
{
  switch (r->kind) {
  case READING_ESCAPES: return read_escapes(r, w);
  case READING_JOINED: return read_joined(r, w);
  default: return read_base64(r, w);
  }
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
    if (!r->awake) find_sign(r, w, main);
    if (!r->awake) return true;
    struct window part = *w;
    uint64_t stop = (r->next > r->sign ? r->next : r->sign) + STRETCH;
    if (part.end > stop) part.end = stop, part.eof = false;
    if (!read_on(r, &part) || !scan(set, r, &part)) return false;
    if (is_idle(r) && r->next > r->sign + SLEEP) r->awake = false;
    if (r->next == w->end || (r->awake && r->next == before)) return true;
  }
}

static bool step(struct reading_set *set, struct reading *r, const struct window *w, const struct leaks *main)
{
  if (r->kind != READING_BASE64) return step_signs(set, r, w, main);
  if (!r->awake) wake(r, r->next);
  return read_on(r, w) && scan(set, r, w);
}

bool reading_step(struct reading_set *set, const struct window *w, const struct leaks *main)
{
  set->redacts = main->action[VDT_DET_CREDENTIAL] >= VDT_REDACT || main->action[VDT_DET_SENSITIVE] >= VDT_REDACT;
  for (unsigned k = 0; k < READINGS; k++)
    if (set->kinds >> k & 1 && !step(set, &set->of[k], w, main)) return false;
  return true;
}

bool reading_whole(struct reading_set *set, const struct window *w, struct leaks *main, struct vdt_arena *arena)
{
  struct window part = *w;
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
  if (found_end < w->end && is_emphasis(at(w, found_end))) return true;
  for (uint64_t i = c->end; i > c->start && r->places[i - 1 - r->base].start >= found_end; i--, n++) {
    int b = (unsigned char)r->text.p[i - 1 - r->base];
    numerals += b >= '0' && b <= '9';
    upper += b >= 'A' && b <= 'Z';
    lower += b >= 'a' && b <= 'z';
  }
  return n >= 10 && ((numerals && upper + lower) || (upper > 1 && lower > 1));
}

/* Lines are joined for keys only, and hardly where the key was there without. c: of the reading. */
static bool counts(const struct reading *r, const struct window *w, const struct leaks *main, const struct candidate *c,
                   const struct candidate *in_view)
{
  const struct rule *rule = &main->engine->rules.rules[c->rule];
  if (c->allowed) return false;
  if (r->kind != READING_JOINED) return true;
  if (rule->detector != VDT_DET_CREDENTIAL || rule->check->after_gate) return false;
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
  mask_text(as->mask, main->mask[rule->detector], rule, text);
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
