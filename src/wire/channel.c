/*
 * Texts of an answer on their way through the hook, for all formats. Where the hook changed a text, the one string is written anew;
 * what it held back comes out in events of the format's own, before the text or its choice ends.
 *
 * A format that repeats texts (pieces first, the whole text again later, and once more at the end) has what came and what left of each
 * channel remembered: a repetition is set to what left. It is not read again, so that a finding is one finding. A "repetition" that does
 * not repeat is a text of its own.
 */
#include "wire/response.h"

struct choice *choice_find(struct wire_response *r, unsigned index)
{
  for (struct choice *c = r->choices; c; c = c->next)
    if (c->index == index) return c;
  struct choice *c = arena_zalloc(r->arena, 1, sizeof *c);
  if (!c) return NULL;
  c->index = index;
  c->end = &c->channels;
  *r->end = c;
  r->end = &c->next;
  return c;
}

/* ---- channels ---- */

static const char *origin_of(struct wire_response *r, const struct text_ref *ref)
{
  const char *from = r->format->kinds[ref->kind].origin;
  char text[128];
  size_t n = 0, next = 0;
  for (; *from && n + 12 < sizeof text; from++) {
    if (*from != '#') text[n++] = *from;
    else n += (size_t)snprintf(text + n, sizeof text - n, "%u", ref->at[next++ % 3]);
  }
  return arena_dup(r->arena, (struct str){text, n}).p;
}

static bool same(const struct channel *ch, unsigned kind, const unsigned at[3])
{
  return ch->kind == kind && memcmp(ch->at, at, sizeof ch->at) == 0;
}

struct channel *channel_open(const struct choice *c, unsigned kind, const unsigned at[3])
{
  for (struct channel *ch = c->channels; ch; ch = ch->next)
    if (same(ch, kind, at) && !ch->closed) return ch;
  return NULL;
}

/* The open channel for this text. A closed one is not opened again: text after the end is a new text. */
static struct channel *channel_find(struct wire_response *r, struct choice *c, const struct text_ref *ref)
{
  struct channel *ch = channel_open(c, ref->kind, ref->at);
  if (ch || !(ch = arena_zalloc(r->arena, 1, sizeof *ch))) return ch;
  ch->kind = ref->kind;
  memcpy(ch->at, ref->at, sizeof ch->at);
  ch->pub.choice = c->index;
  ch->pub.origin = r->origin ? r->origin : origin_of(r, ref);
  if (!ch->pub.origin) return NULL;
  *c->end = ch;
  c->end = &ch->next;
  return ch;
}

/* Remembers what came and what left. */
static bool remember(const struct wire_response *r, struct channel *ch, struct str in, const struct wire_text *text)
{
  if (!r->format->repeats) return true;
  if (text->changed && !ch->differs) {
    ch->differs = true;
    if (ch->in.n) buf_put(&ch->out, buf_str(&ch->in));
  }
  if (ch->differs) buf_put(&ch->out, text->p);
  buf_put(&ch->in, in);
  return !ch->in.failed && !ch->out.failed;
}

struct str channel_left(const struct channel *ch)
{
  const struct buf *b = ch->differs ? &ch->out : &ch->in;
  return b->n ? buf_str(b) : STR("");
}

/* Formats that do not repeat texts never look at one again: an answer of thousands of texts would be slow. */
static void forget(struct choice *c, struct channel *ch)
{
  struct channel **at = &c->channels;
  while (*at && *at != ch) at = &(*at)->next;
  if (!*at) return;
  *at = ch->next;
  if (c->end == &ch->next) c->end = at;
}

static int ask(struct wire_response *r, struct choice *c, struct channel *ch, struct str in, bool last, struct wire_text *out)
{
  *out = (struct wire_text){.p = in};
  ch->closed = last;
  if (last && !r->format->repeats) forget(c, ch);
  int rc = r->hooks.text(r->hooks.ctx, &ch->pub, in, last, out);
  r->inspected_some = true;
  r->withheld |= out->changed || out->cut || out->block;
  return rc || remember(r, ch, in, out) ? rc : VDT_ENOMEM;
}

int channel_flush(struct wire_response *r, struct choice *c, struct channel *ch)
{
  struct wire_text text;
  int rc = ask(r, c, ch, STR(""), true, &text);
  if (rc) return rc;
  if (text.p.n) r->format->held(r, c, ch, text.p, &r->before);
  c->cut |= text.cut || text.block;
  return VDT_OK;
}

int choice_flush(struct wire_response *r, struct choice *c)
{
  for (struct channel *ch = c->channels; ch && !c->cut; ch = ch->next) {
    int rc = ch->closed ? VDT_OK : channel_flush(r, c, ch);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* ---- strings ---- */

static int done(bool ok)
{
  return ok ? VDT_OK : VDT_ENOMEM;
}

/* After a cut nothing is left of the string. */
static int empty(struct wire_response *r, const struct text_ref *ref, struct text_effect *effect)
{
  struct str with = response_streams(r) ? STR("\"\"") : str_of(r->format->kinds[ref->kind].emptied);
  effect->changed = true;
  return done(edits_replace_node(&r->edits, &r->doc, ref->node, with));
}

int channel_read(struct wire_response *r, struct choice *c, const struct text_ref *ref, bool last, struct text_effect *effect)
{
  struct str in;
  struct wire_text text;
  if (c->cut) return empty(r, ref, effect);
  struct channel *ch = channel_find(r, c, ref);
  if (!ch || !json_string(&r->doc, ref->node, r->scratch, &in)) return VDT_ENOMEM;
  int rc = ask(r, c, ch, in, last, &text);
  if (rc) return rc;
  c->cut |= text.cut || text.block;
  effect->block |= text.block;
  if (!text.changed) return VDT_OK;
  effect->changed = true;
  return done(edits_quote_node(&r->edits, &r->doc, ref->node, text.p));
}

/* The channel on which this text was given before, or NULL. */
static const struct channel *given(const struct choice *c, const struct text_ref *ref, struct str text)
{
  for (const struct channel *ch = c->channels; ch; ch = ch->next)
    if (same(ch, ref->kind, ref->at) && str_eq(ch->in.n ? buf_str(&ch->in) : STR(""), text)) return ch;
  return NULL;
}

int channel_whole(struct wire_response *r, struct choice *c, const struct text_ref *ref, struct text_effect *effect)
{
  struct str text;
  struct channel *open = c->cut ? NULL : channel_open(c, ref->kind, ref->at);
  if (open) {
    int rc = channel_flush(r, c, open);
    if (rc) return rc;
  }
  if (!json_string(&r->doc, ref->node, r->scratch, &text)) return VDT_ENOMEM;
  if (text.n == 0) return VDT_OK;
  if (c->cut || !r->format->repeats) return channel_read(r, c, ref, true, effect);
  const struct channel *before = given(c, ref, text);
  if (!before) return channel_read(r, c, ref, true, effect);
  if (!before->differs) return VDT_OK;
  effect->changed = r->withheld = true;
  return done(edits_quote_node(&r->edits, &r->doc, ref->node, channel_left(before)));
}

int channel_strings(struct wire_response *r, struct choice *c, struct text_ref *ref, unsigned place, uint32_t node,
                    struct text_effect *effect)
{
  for (uint32_t i = node; node && i < r->doc.nodes[node].next; i++) {
    if (r->doc.nodes[i].type != JSON_STRING) continue;
    ref->node = i;
    int rc = channel_whole(r, c, ref, effect);
    if (rc) return rc;
    if (++ref->at[place] > 4 * WIRE_MAX_PLACES) return VDT_ETOOBIG;
  }
  return VDT_OK;
}

static bool named(struct str key, const char *const *names)
{
  for (; *names; names++)
    if (key.n == strlen(*names) + 2 && memcmp(key.p + 1, *names, key.n - 2) == 0) return true;
  return false;
}

bool response_machine_made(const struct json_doc *doc, uint32_t node)
{
  static const char *const ids[] = {"type",   "id",     "index",  "file_id", "container_id", "tool_use_id", "file_uuid",
                                    "status", "format", "caller", NULL};
  static const char *const sealed[] = {"encrypted_content", "encrypted_index", "signature", NULL};
  enum { ID = 96 };
  const struct json_node *n = &doc->nodes[node];
  struct str key = str_cut(doc->text, n->key_start, n->key_end), raw = json_raw(doc, node);
  if (key.n < 2 || memchr(raw.p, ' ', raw.n) || n->escaped) return false;
  return named(key, sealed) || (named(key, ids) && raw.n <= ID);
}

int channel_others(struct wire_response *r, struct choice *c, struct text_ref *ref, unsigned place, uint32_t node,
                   struct text_effect *effect)
{
  for (uint32_t i = node; node && i < r->doc.nodes[node].next; i++) {
    if (r->doc.nodes[i].type != JSON_STRING || response_machine_made(&r->doc, i)) continue;
    int rc = channel_strings(r, c, ref, place, i, effect);
    if (rc) return rc;
  }
  return VDT_OK;
}

bool response_masked(const struct wire_response *r, const struct choice *c)
{
  struct wire_choice_shield s = {0};
  if (r->hooks.choice_shield) r->hooks.choice_shield(r->hooks.ctx, c->index, &s);
  bool masked = s.credential_redacted || s.sensitive_redacted;
  for (size_t i = 0; i < s.lists.n; i++) masked |= s.lists.v[i].redacted;
  return masked;
}

/* ---- edits and notes ---- */

int response_replace(struct wire_response *r, uint32_t node, struct str value)
{
  return done(!node || edits_replace_node(&r->edits, &r->doc, node, value));
}

int response_set(struct wire_response *r, uint32_t object, const char *name, struct str value)
{
  struct buf member = {0};
  uint32_t node = json_get(&r->doc, object, name);
  if (node) return response_replace(r, node, value);
  buf_printf(&member, "\"%s\":", name);
  buf_put(&member, value);
  bool ok = !member.failed && edits_add_member(&r->edits, &r->doc, object, buf_str(&member));
  buf_finish(&member);
  return done(ok);
}

void response_finish_reason(struct wire_response *r, struct str reason)
{
  int n = reason.n < sizeof r->info.finish_reason ? (int)reason.n : (int)sizeof r->info.finish_reason - 1;
  snprintf(r->info.finish_reason, sizeof r->info.finish_reason, "%.*s", n, reason.p);
}

int response_keep(struct wire_response *r, uint32_t object, const char *name, struct str *to)
{
  struct str s;
  if (to->n) return VDT_OK;
  if (!json_string(&r->doc, json_get(&r->doc, object, name), r->scratch, &s)) return VDT_ENOMEM;
  if (s.n) *to = arena_dup(r->arena, s);
  return s.n && !to->p ? VDT_ENOMEM : VDT_OK;
}

void response_not_inspected(struct wire_response *r, const char *why)
{
  if (r->info.inspected == VDT_FULL) r->info.inspected = VDT_PARTIAL;
  if (!r->info.not_inspected[0]) snprintf(r->info.not_inspected, sizeof r->info.not_inspected, "%s", why);
}

bool response_over(const struct wire_response *r)
{
  unsigned ended = 0;
  bool cut = false;
  for (const struct choice *c = r->choices; c; c = c->next) {
    if (!c->cut && !c->finished) return false;
    ended++;
    cut |= c->cut;
  }
  return cut && ended >= r->opt.n;
}
