#include "api/unseal.h"
#include "api/answer.h"
#include "base/quote.h"
#include "record/seal.h"

static const struct {
  const char *code;
  unsigned status;
  const char *help;
} reasons[] = {
    {"", 200, ""},
#define X(id, code, status, help) {code, status, help},
#include "api/closed.def"
#undef X
};

const char *unseal_code(enum unseal_closed why)
{
  return reasons[why].code;
}

unsigned unseal_status(enum unseal_closed why)
{
  return reasons[why].status;
}

const char *unseal_help(enum unseal_closed why)
{
  return reasons[why].help;
}

enum unseal_closed unseal_find(const char *code)
{
  for (unsigned i = 1; i < UNSEAL_REASONS; i++)
    if (strcmp(reasons[i].code, code) == 0) return (enum unseal_closed)i;
  return UNSEAL_OPEN;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static const char *source_of(const struct unseal *u, struct str workspace)
{
  for (size_t i = 0; i < u->n; i++)
    if (!u->sources[i].workspace || str_eq(str_of(u->sources[i].workspace), workspace)) return u->sources[i].source;
  return NULL;
}

void unseal_begin(const struct unseal *u, struct str workspace, struct unseal_keys *out)
{
  *out = (struct unseal_keys){.workspace = workspace};
  int rc = key_source_read(source_of(u, workspace), u->state, workspace, &out->keys, &out->err);
  out->why = rc == VDT_ENOTFOUND ? UNSEAL_KEY_MISSING : rc ? UNSEAL_KEY_FAILED : UNSEAL_OPEN;
}

void unseal_end(struct unseal_keys *k)
{
  seal_private_free(k->keys);
  k->keys = NULL;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static enum unseal_closed why_not(int rc)
{
  switch (rc) {
  case VDT_OK: return UNSEAL_OPEN;
  case VDT_ENOTFOUND: return UNSEAL_KEY_MISSING;
  case VDT_ESTATE: return UNSEAL_EXPIRED;
  case VDT_ENOMEM: return UNSEAL_KEY_FAILED;
  default: return UNSEAL_DAMAGED;
  }
}

static enum unseal_closed open_token(const struct unseal_keys *k, struct str token, const struct seal_place *place,
                                     struct vdt_arena *arena, struct str *text, char key[SEAL_KEY_ID + 1])
{
  struct sealed sealed;
  int rc = sealed_read(token, arena, &sealed, NULL);
  if (rc) return why_not(rc);
  snprintf(key, SEAL_KEY_ID + 1, "%s", sealed.key);
  return k->why ? k->why : why_not(seal_open(k->keys, place, &sealed, arena, text, NULL));
}

/* "12-40". Whoever has the public key can have sealed it: what is not within the segment is not believed. */
static void read_span(struct alert_evidence *e, struct str span)
{
  const char *dash = memchr(span.p, '-', span.n);
  uint64_t from, to;
  size_t n = dash ? (size_t)(dash - span.p) : 0;
  if (!dash || !str_u64(str_cut(span, 0, n), &from) || !str_u64(str_cut(span, n + 1, span.n), &to)) return;
  if (from >= to || to > e->segment.n) return;
  e->span_from = (uint32_t)from;
  e->span_to = (uint32_t)to;
}

static enum unseal_closed open_row(const struct unseal_keys *k, struct alert_evidence *e, struct vdt_arena *arena,
                                   char key[SEAL_KEY_ID + 1])
{
  struct str both, segment, decoded, span;
  struct seal_place place = {k->workspace, {e->interaction, RECORD_ID_LEN}, SEAL_FINDING, e->rule};
  key[0] = 0;
  if (!e->sealed.n) return e->shredded ? UNSEAL_EXPIRED : UNSEAL_OPEN;
  enum unseal_closed why = open_token(k, e->sealed, &place, arena, &both, key);
  if (why) return why;
  if (!seal_unpack(&both, &segment) || !seal_unpack(&both, &decoded)) return UNSEAL_DAMAGED;
  e->segment = segment;
  e->decoded = decoded;
  if (seal_unpack(&both, &span)) read_span(e, span);
  return UNSEAL_OPEN;
}

enum unseal_closed unseal_rows(const struct unseal_keys *k, struct alert_evidence *rows, size_t n, struct vdt_arena *arena,
                               char key[SEAL_KEY_ID + 1])
{
  enum unseal_closed first = UNSEAL_OPEN;
  char of[SEAL_KEY_ID + 1];
  key[0] = 0;
  for (size_t i = 0; i < n; i++) {
    enum unseal_closed why = open_row(k, &rows[i], arena, of);
    if (!why || first) continue;
    first = why;
    memcpy(key, of, sizeof of);
  }
  return first;
}

void unseal_alert(const struct unseal_keys *k, struct alert *a, struct vdt_arena *arena)
{
  a->closed = unseal_code(unseal_rows(k, a->evidence, a->n_evidence, arena, a->closed_key));
}

static bool is_sealed(const struct alert *a)
{
  for (size_t i = 0; i < a->n_evidence; i++)
    if (a->evidence[i].sealed.n || a->evidence[i].shredded) return true;
  return false;
}

void unseal_alerts(const struct unseal *u, struct alert *list, size_t n, struct vdt_arena *arena)
{
  for (size_t i = 0; i < n; i++) {
    struct unseal_keys k;
    if (!is_sealed(&list[i]) || list[i].closed) continue;
    unseal_begin(u, list[i].workspace, &k);
    for (size_t j = i; j < n; j++)
      if (is_sealed(&list[j]) && str_eq(list[j].workspace, k.workspace)) unseal_alert(&k, &list[j], arena);
    unseal_end(&k);
  }
}

enum unseal_closed unseal_text(const struct unseal_keys *k, struct str interaction, unsigned side, const struct store_text *t,
                               struct vdt_arena *arena, struct str *packed, char key[SEAL_KEY_ID + 1])
{
  struct seal_place place = {k->workspace, interaction, side ? SEAL_RESPONSE : SEAL_REQUEST, STR("")};
  key[0] = 0;
  *packed = (struct str){0};
  if (!t->sealed.n) return t->shredded ? UNSEAL_EXPIRED : UNSEAL_OPEN;
  return open_token(k, t->sealed, &place, arena, packed, key);
}

void unseal_put_parts(struct str packed, struct buf *b)
{
  struct str part, role, text;
  for (size_t i = 0; seal_unpack(&packed, &part) && seal_unpack(&packed, &role) && seal_unpack(&packed, &text); i++) {
    buf_put(b, i ? STR(",{\"part\":") : STR("{\"part\":"));
    json_quote(b, part);
    api_put_member(b, "role", role);
    api_put_member(b, "text", text);
    buf_byte(b, '}');
  }
}
