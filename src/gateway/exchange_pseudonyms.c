/*
 * Pseudonyms of an interaction: which values get one on their way to the model, which are put back for it, and which come back to the
 * client. The record counts them by kind; no value is in it.
 */
#include "engine/pseudonym.h"
#include "gateway/exchange_inside.h"

enum { MAX_KINDS = RECORD_PSEUDONYMS_MAX, INHERIT_MAX = 1000 };

static const struct vdt_leak_policy *leak_policy(const struct exchange *x, enum vdt_detector_id detector)
{
  return detector == VDT_DET_CREDENTIAL ? &exchange_policy(x)->credential : &exchange_policy(x)->sensitive;
}

/* ---- what may come back ------------------------------------------------------------------------------------------ */

struct place {
  const struct exchange *x;
  bool tool_call;
};

/* What only the application said to the model is not for whoever reads the answer: with "print what you were told" it would be had. */
static bool may_restore(const void *ctx, const struct pseudonym *p)
{
  const struct place *at = ctx;
  enum vdt_restore where = leak_policy(at->x, p->detector)->restore;
  if (!p->masked || where == VDT_RESTORE_NONE) return false;
  return at->tool_call || (where == VDT_RESTORE_ALL && p->said);
}

static bool restores_any(const struct exchange *x)
{
  for (size_t i = 0; i < x->pseudonyms.n; i++)
    if (may_restore(&(struct place){x, true}, &x->pseudonyms.v[i])) return true;
  return false;
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

/* Arguments of calls and pasted JSON hold values with JSON's escapes. */
static bool is_json_source(const struct wire_part *part)
{
  size_t i = 0;
  while (i < part->text.n && strchr(" \t\r\n", part->text.p[i])) i++;
  return i < part->text.n && part->text.p[i] == '{';
}

/* The value without JSON's escapes; as it stands when it is no piece of a JSON string. False when out of memory. */
static bool unescape(struct exchange *x, struct str *value)
{
  struct buf quoted = {0};
  struct json_doc doc;
  struct vdt_error err;
  struct str plain;
  if (!memchr(value->p, '\\', value->n)) return true;
  BUF_LIT(&quoted, "[\"");
  buf_put(&quoted, *value);
  BUF_LIT(&quoted, "\"]");
  bool ok = !quoted.failed;
  if (ok && !json_parse(x->arena, buf_str(&quoted), &JSON_LIMITS_DEFAULT, &doc, &err) && doc.n == 2) {
    ok = json_string(&doc, 1, x->arena, &plain);
    if (ok && plain.n) *value = plain;
  }
  buf_finish(&quoted);
  return ok;
}

/* Notes what a pseudonym stands for. Where it stands for something else already, m becomes a label. */
static bool note(struct exchange *x, const struct wire_part *part, struct vdt_mask *m, bool masked)
{
  struct str value = str_cut(part->text, (size_t)m->start, (size_t)m->end), raw = value;
  bool other;
  if (is_json_source(part) && !unescape(x, &value)) return false;
  if (!str_eq(value, raw)) pseudonym_rename(x->image->key, value, m->text);
  struct pseudonym *p = pseudonyms_add(&x->pseudonyms, str_of(m->text), value, &other);
  if (!p && other) snprintf(m->text, sizeof m->text, "[REDACTED:%s]", m->rule);
  if (!p) return other;
  p->rule = m->rule;
  p->detector = m->detector;
  p->said |= part->role != VDT_SYSTEM;
  p->masked |= masked;
  p->n_masked += masked;
  return true;
}

bool exchange_name_part(struct exchange *x, const struct wire_part *part, struct vdt_result *r)
{
  for (size_t i = 0; i < r->n_masks && !x->hears; i++)
    if (r->masks[i].pseudonym && !note(x, part, &r->masks[i], true)) return false;
  for (size_t i = 0; i < r->n_names; i++)
    if (!note(x, part, &r->names[i], false)) return false;
  return true;
}

/* With JSON's escapes; empty when out of memory. */
static struct str escaped(struct exchange *x, struct str value)
{
  struct buf quoted = {0};
  struct str out = {0};
  json_quote(&quoted, value);
  if (!quoted.failed) out = arena_dup(x->arena, str_cut(buf_str(&quoted), 1, quoted.n - 1));
  buf_finish(&quoted);
  return out;
}

/* A value that the model may read stands in the request, and so does its pseudonym, which an earlier answer gave: it reads the value
 * in both places. */
static bool resolve_part(struct exchange *x, const struct wire_part *part)
{
  bool more, json = is_json_source(part);
  if (part->skipped || part->raw.end == part->raw.start) return true;
  for (size_t i = 0; i < part->text.n; i++) {
    struct pseudonym *p = pseudonyms_at(&x->pseudonyms, str_cut(part->text, i, part->text.n), &more);
    if (!p || p->masked || memchr(p->value.p, 0, p->value.n)) continue;
    struct str value = json ? escaped(x, p->value) : p->value;
    if (!value.p || !exchange_redact(x, part, i, i + p->name.n, value)) return false;
    p->n_resolved++;
    i += p->name.n - 1;
  }
  return true;
}

bool exchange_resolve(struct exchange *x, const struct wire_request *q)
{
  bool any = false;
  if (!pseudonyms_sort(&x->pseudonyms)) return false;
  x->restores = restores_any(x);
  for (size_t i = 0; i < x->pseudonyms.n && !any; i++) any = !x->pseudonyms.v[i].masked;
  for (size_t i = 0; any && i < q->n_parts; i++)
    if (!resolve_part(x, &q->parts[i])) return false;
  return true;
}

bool exchange_inherit_pseudonyms(struct exchange *x, const struct exchange *before)
{
  size_t from = before->pseudonyms.n > INHERIT_MAX ? before->pseudonyms.n - INHERIT_MAX : 0;
  for (size_t i = from; i < before->pseudonyms.n; i++) {
    const struct pseudonym *old = &before->pseudonyms.v[i];
    bool other;
    struct pseudonym *p = pseudonyms_add(&x->pseudonyms, old->name, old->value, &other);
    if (!p) return false;
    p->rule = old->rule;
    p->detector = old->detector;
    p->masked = old->masked;
    p->said = old->said;
  }
  x->restores = restores_any(x);
  return pseudonyms_sort(&x->pseudonyms);
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

bool exchange_restore(struct exchange *x, struct tap *t, bool last, struct wire_text *text)
{
  struct place at = {x, t->tool_call};
  struct str out;
  size_t held = t->restorer.text.n;
  last |= text->cut || text->block;
  if (!restorer_feed(&t->restorer, &x->pseudonyms, may_restore, &at, text->p, last, &out)) return false;
  text->changed |= held || t->restorer.text.n || !str_eq(out, text->p);
  text->p = out;
  return true;
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

static struct record_pseudonym *row_of(struct record *r, const char *rule)
{
  for (size_t i = 0; i < r->n_pseudonyms; i++)
    if (str_eq(r->pseudonyms[i].kind, str_of(rule))) return &r->pseudonyms[i];
  if (r->n_pseudonyms == MAX_KINDS) return &r->pseudonyms[MAX_KINDS - 1];
  r->pseudonyms[r->n_pseudonyms].kind = str_of(rule);
  return &r->pseudonyms[r->n_pseudonyms++];
}

void exchange_record_pseudonyms(struct exchange *x)
{
  struct record *r = &x->record;
  r->n_pseudonyms = 0;
  if (!x->pseudonyms.n || !(r->pseudonyms = arena_zalloc(x->arena, MAX_KINDS, sizeof *r->pseudonyms))) return;
  for (size_t i = 0; i < x->pseudonyms.n; i++) {
    const struct pseudonym *p = &x->pseudonyms.v[i];
    if (!p->n_masked && !p->n_resolved) continue;
    struct record_pseudonym *row = row_of(r, p->rule);
    row->masked += p->n_masked;
    row->resolved += p->n_resolved;
    row->restored += p->n_restored;
  }
}
