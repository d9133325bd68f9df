/* From a text to windows, and from windows to a verdict (model.h). */
#include "model/memory.h"
#include "model/weights.h"
#include <stdlib.h>

struct model {
  struct weights weights;
  struct vocabulary *vocabulary;
  encoder_run *run;
};

/* A score from which on further windows could change nothing that anybody acts on; and one below which a text is let go when its most
 * suspicious windows, a quarter of all and at least FEW, stay below it: those after them never held an attack that was found
 * (model/EXPERIMENTS.md). */
static const double CERTAIN = 0.95, DOUBTFUL = 0.35;
enum { FEW = 2 };
/* "Empty." as the answer of a tool, "mot de passe" as a prompt: fewer tokens say nothing that could be judged, and training has no attack so short. */
static const size_t terse[ROLES] = {4, 5};

/* Padding: in a window that holds an attack and half a letter, the letter speaks as well. So paragraphs that begin in a window which was read
 * are read once more by themselves, if there is other text in it; but a paragraph without what is around it looks worse than it is: it
 * counts MARGIN less, and at most LIFT more than its window did. In documents this does harm: every second one is a list of orders to somebody
 * (model/EXPERIMENTS.md has the figures for all of it). */
static const double LIFT = 3.0, MARGIN = 0.5;
enum { BRIEF = 10 /* tokens; a shorter one is not read again */, PARAGRAPH_MAX = 8192 /* bytes of it that are looked at */ };

/* A window that the gate let pass. */
struct seen {
  size_t from, to; /* where tokenize() begins, and where the last token ends */
  struct foreseen f;
  float guess;  /* what its logit is foretold to be */
  double logit; /* once it is read */
};

struct model_reader {
  const struct model *model;
  struct encoder_scratch *scratch;
  struct memory *memory;
  struct token tokens[WINDOW_MAX], next[WINDOW_MAX];
  uint32_t ids[WINDOW_MAX];
  char spelt[WINDOW_MAX * PIECE_MAX];
  struct seen seen[READ_MAX];
  size_t again[AGAIN_MAX]; /* where the paragraphs begin that were read again */
  size_t n_again;
  size_t n_seen;
  bool more;    /* than there is room for */
  float unread; /* the largest guess of a window that is not read */
  struct reading reading;
};

static const struct {
  const char *name, *rule, *reason;
} categories[] = {
#define X(id, name, reason) {name, "model-" name, reason},
#include "model/categories.def"
#undef X
};

int model_new(const void *weights, size_t n, const char *path, struct model **out, struct vdt_error *err)
{
  struct model *m = calloc(1, sizeof *m);
  if (!m) return error_set(err, VDT_ENOMEM, "out of memory");
  m->run = encoder_path(path);
  int rc =
      m->run ? weights_read(weights, n, &m->weights, err) : error_set(err, VDT_ENOTFOUND, "no encoder path \"%s\" here", path);
  if (!rc) rc = vocabulary_new(m->weights.pieces, &m->vocabulary, err);
  if (!rc && vocabulary_size(m->vocabulary) > m->weights.encoder.vocabulary)
    rc = error_set(err, VDT_ERULE, "weights file: more pieces than embeddings");
  if (!rc && m->weights.encoder.categories != sizeof categories / sizeof *categories)
    rc = error_set(err, VDT_ERULE, "weights file: %u categories, and this program knows %zu", m->weights.encoder.categories,
                   sizeof categories / sizeof *categories);
  if (rc) model_free(m);
  else *out = m;
  return rc;
}

void model_free(struct model *m)
{
  if (!m) return;
  vocabulary_free(m->vocabulary);
  weights_finish(&m->weights);
  free(m);
}

const char *model_name(const struct model *m)
{
  return m->weights.name;
}

uint32_t model_version(const struct model *m)
{
  return m->weights.version;
}

struct model_reader *model_reader_new(const struct model *m)
{
  struct model_reader *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->model = m;
  r->scratch = encoder_scratch_new(&m->weights.encoder);
  r->memory = memory_new();
  if (r->scratch && r->memory) return r;
  model_reader_free(r);
  return NULL;
}

void model_reader_free(struct model_reader *r)
{
  if (!r) return;
  encoder_scratch_free(r->scratch);
  memory_free(r->memory);
  free(r);
}

static size_t to_ids(struct model_reader *r, size_t n, bool document)
{
  r->ids[0] = document ? TOKEN_DOCUMENT : TOKEN_PROMPT;
  for (size_t i = 0; i < n; i++) r->ids[i + 1] = r->tokens[i].id;
  return n + 1;
}

/* Keeps the READ_MAX windows with the largest guesses. */
static void keep(struct model_reader *r, struct seen s)
{
  if (r->n_seen < READ_MAX) {
    r->seen[r->n_seen++] = s;
    return;
  }
  size_t least = 0;
  for (size_t i = 1; i < READ_MAX; i++)
    if (r->seen[i].guess < r->seen[least].guess) least = i;
  r->more = true;
  if (s.guess > r->seen[least].guess) r->seen[least] = s;
}

/* Whether a window is to be read, by what tables know of it: those of tokens first, and letters of what they let pass. */
static bool is_suspicious(struct model_reader *r, size_t n_ids, bool document, struct seen *s)
{
  const struct weights *w = &r->model->weights;
  s->f = gate_foresee(&w->gate[document], r->ids, n_ids);
  s->guess = gate_logit(s->f, s->f.guess);
  bool passes = s->guess >= w->gate[document].pass;
  if (!passes || document) return passes;
  size_t n = vocabulary_spell(r->model->vocabulary, r->ids + 1, n_ids - 1, r->spelt);
  s->f = gate_add(s->f, w->letters.share, letters_say(&w->letters, r->spelt, n));
  s->guess = gate_logit(s->f, s->f.guess);
  return s->guess >= w->letters.pass;
}

static void look(struct model_reader *r, size_t from, size_t n, bool document, struct model_verdict *out)
{
  struct seen s = {.from = from, .to = r->tokens[n - 1].end};
  out->windows++;
  if (is_suspicious(r, to_ids(r, n, document), document, &s)) keep(r, s);
  else if (s.guess > r->unread) r->unread = s.guess;
}

/* All windows past the gate. A window begins where the token before it ended, and the last one ends with the text. */
static void look_through(struct model_reader *r, struct str text, bool document, struct model_verdict *out)
{
  const struct vocabulary *v = r->model->vocabulary;
  size_t body = r->model->weights.encoder.window - 1, stride = r->model->weights.stride, at = 0, from = 0;
  size_t n = tokenize(v, text, 0, r->tokens, body, &at);
  if (n < terse[document]) return;
  if (n) look(r, from, n, document, out);
  while (n == body) {
    size_t more = tokenize(v, text, at, r->next, stride, &at);
    if (!more) return;
    from = r->tokens[more - 1].end;
    memmove(r->tokens, r->tokens + more, (body - more) * sizeof *r->tokens);
    memcpy(r->tokens + body - more, r->next, more * sizeof *r->tokens);
    look(r, from, n, document, out);
  }
}

/* The runs of tokens that brought much, at most SPANS_MAX, strongest first. */
static void find_spans(const struct model_reader *r, size_t n, struct model_verdict *out)
{
  enum { GAP = 2 };
  const float *brought = r->reading.brought + 1;
  float most = 0, all = 0;
  for (size_t i = 0; i < n; i++) {
    if (brought[i] > most) most = brought[i];
    if (brought[i] > 0) all += brought[i];
  }
  out->n_spans = 0;
  for (size_t i = 0; i < n && most > 0; i++) {
    if (brought[i] < most / 4) continue;
    float sum = 0;
    size_t last = i;
    for (size_t k = i; k < n && k <= last + GAP; k++) {
      if (brought[k] >= most / 4) last = k;
    }
    for (size_t k = i; k <= last; k++) sum += brought[k] > 0 ? brought[k] : 0;
    while (last + 1 < n && r->tokens[last].end == r->tokens[i].start) last++; /* a line end alone has no bytes to show */
    struct model_span s = {r->tokens[i].start, r->tokens[last].end, sum / all};
    size_t place = out->n_spans;
    while (place > 0 && out->spans[place - 1].share < s.share) place--;
    if (place < SPANS_MAX) {
      if (out->n_spans < SPANS_MAX) out->n_spans++;
      memmove(out->spans + place + 1, out->spans + place, (out->n_spans - place - 1) * sizeof s);
      out->spans[place] = s;
    }
    i = last;
  }
}

static double calibrated(const struct weights *w, bool document, double logit)
{
  const struct knot *k = w->knots[document];
  if (!(logit > k[0].logit)) return k[0].score;
  for (uint32_t i = 1; i < w->n_knots; i++)
    if (logit < k[i].logit)
      return k[i - 1].score + (k[i].score - k[i - 1].score) * (logit - k[i - 1].logit) / ((double)k[i].logit - k[i - 1].logit);
  return k[w->n_knots - 1].score;
}

/* The least logit that scores as much. */
static double logit_of(const struct weights *w, bool document, double score)
{
  const struct knot *k = w->knots[document];
  uint32_t i = 0;
  while (i + 1 < w->n_knots && (double)k[i].score < score) i++;
  return k[i].logit;
}

double model_join(const struct model *m, bool document, double logit, double rules)
{
  return calibrated(&m->weights, document, logit + (double)m->weights.rules[document] * rules);
}

/* Takes over what the encoder has just said, if it counts for more than what it said before. */
static void take(const struct model_reader *r, size_t n, double logit, struct model_verdict *out)
{
  if (!(logit > out->logit)) return;
  out->logit = logit;
  if (r->reading.left) return;
  out->category = categories[r->reading.category].name;
  out->rule = categories[r->reading.category].rule;
  out->reason = categories[r->reading.category].reason;
  find_spans(r, n, out);
}

/* The logit of the n_ids tokens of a window of which so much is foreseen. At the exit the encoder says what it thinks so far. */
static double encode(struct model_reader *r, size_t n_ids, struct foreseen f, bool document)
{
  const struct weights *w = &r->model->weights;
  r->model->run(&w->encoder, r->scratch, r->ids, n_ids, gate_wanted(f, w->leave[document]), &r->reading);
  return (double)gate_logit(f, r->reading.logit);
}

static void read_window(struct model_reader *r, struct str text, struct seen *s, bool document, struct model_verdict *out)
{
  size_t end, n = tokenize(r->model->vocabulary, text, s->from, r->tokens, r->model->weights.encoder.window - 1, &end);
  s->logit = encode(r, to_ids(r, n, document), s->f, document);
  out->read++;
  take(r, n, s->logit, out);
}

static bool blank(char c)
{
  return (unsigned char)c <= ' ';
}

/* Whether a paragraph ends at i: with the text, or before an empty line. *next: where the next one begins. */
static bool paragraph_ends(struct str text, size_t i, size_t *next)
{
  size_t lines = 0;
  for (*next = i; *next < text.n && blank(text.p[*next]); ++*next) lines += text.p[*next] == '\n';
  return *next == text.n || lines > 1;
}

/* Reads the paragraph again, unless it has been, or the gate lets it go. limit: what it may count at most. */
static void read_paragraph(struct model_reader *r, struct str text, size_t from, size_t to, double limit,
                           struct model_verdict *out)
{
  const struct model *m = r->model;
  for (size_t i = 0; i < r->n_again; i++)
    if (r->again[i] == from) return;
  size_t end, n = tokenize(m->vocabulary, str_cut(text, from, to), 0, r->tokens, m->weights.encoder.window - 1, &end);
  if (n < BRIEF) return;
  size_t n_ids = to_ids(r, n, false);
  struct seen s;
  if (!is_suspicious(r, n_ids, false, &s)) return;
  for (size_t i = 0; i < n; i++) {
    r->tokens[i].start += (uint32_t)from;
    r->tokens[i].end += (uint32_t)from;
  }
  r->again[r->n_again++] = from;
  out->again++;
  double logit = encode(r, n_ids, s.f, false) - MARGIN;
  take(r, n, logit < limit ? logit : limit, out);
}

/* Where the paragraph that begins at i ends; *next: where the next one begins, 0 when that is too far away to look. */
static size_t paragraph_end(struct str text, size_t i, size_t *next)
{
  size_t most = text.n - i > PARAGRAPH_MAX ? i + PARAGRAPH_MAX : text.n, at = i;
  while (at < most) {
    if (!blank(text.p[at])) at++;
    else if (paragraph_ends(text, at, next)) return at;
    else at = *next;
  }
  *next = at < text.n ? 0 : text.n;
  return at;
}

/* The paragraphs that begin in a window, but for one that is all of it. */
static void read_paragraphs(struct model_reader *r, struct str text, const struct seen *s, struct model_verdict *out)
{
  size_t first, end, next = 0;
  bool begins = paragraph_ends(text, s->from, &first) || s->from == 0;
  for (size_t i = first; i < s->to && r->n_again < AGAIN_MAX; i = next) {
    end = paragraph_end(text, i, &next);
    if ((begins || i > first) && (i > first || end < s->to)) read_paragraph(r, text, i, end, s->logit + LIFT, out);
    if (!next) return;
  }
}

static int most_suspicious_first(const void *a, const void *b)
{
  const struct seen *x = a, *y = b;
  if (x->guess < y->guess || x->guess > y->guess) return x->guess < y->guess ? 1 : -1;
  return x->from < y->from ? -1 : x->from > y->from;
}

static int worst_first(const void *a, const void *b)
{
  const struct seen *x = a, *y = b;
  if (x->logit < y->logit || x->logit > y->logit) return x->logit < y->logit ? 1 : -1;
  return x->from < y->from ? -1 : x->from > y->from;
}

/* Paragraphs of the windows that were read, the worst window first, as long as they could matter. */
static void read_again(struct model_reader *r, struct str text, double certain, double doubtful, struct model_verdict *out)
{
  size_t n = out->read;
  r->n_again = 0;
  if (n) qsort(r->seen, n, sizeof *r->seen, worst_first);
  for (size_t i = 0; i < n && out->logit < certain; i++) {
    double most = r->seen[i].logit + LIFT;
    if (most <= out->logit || most < doubtful) break;
    read_paragraphs(r, text, &r->seen[i], out);
  }
}

static void judge(struct model_reader *r, struct str text, bool document, struct model_verdict *out)
{
  *out = (struct model_verdict){.category = "", .rule = "model", .reason = "", .logit = -1e30};
  r->n_seen = 0;
  r->more = false;
  r->unread = -1e30f;
  look_through(r, text, document, out);
  if (r->n_seen) qsort(r->seen, r->n_seen, sizeof *r->seen, most_suspicious_first);
  double certain = logit_of(&r->model->weights, document, CERTAIN), doubtful = logit_of(&r->model->weights, document, DOUBTFUL);
  size_t enough = out->windows / 4 > FEW ? out->windows / 4 : FEW;
  for (size_t i = 0; i < r->n_seen; i++) {
    if (out->read && (out->logit >= certain || (out->read >= enough && out->logit < doubtful))) break;
    read_window(r, text, &r->seen[i], document, out);
  }
  out->partial = r->more && out->read == READ_MAX;
  if (!document) read_again(r, text, certain, doubtful, out);
  if (!out->read || out->logit < (double)r->unread) out->logit = r->unread;
  out->score = out->windows ? calibrated(&r->model->weights, document, out->logit) : 0;
}

void model_judge(struct model_reader *r, struct str text, bool document, struct model_verdict *out)
{
  struct memory_key key = memory_key_of(text, document);
  const struct model_verdict *before = memory_find(r->memory, &key);
  if (before) {
    *out = *before;
    return;
  }
  judge(r, text, document, out);
  memory_put(r->memory, &key, out);
}
