/*
 * One choice of an answer. Text goes through the hook; where the hook changed it, the one string is written anew. What
 * the hook held back comes out in chunks of our own, before the choice ends.
 *
 * Rules: when text of a choice changes, its logprobs of the same event go (tokens would tell what is held back). After
 * a cut nothing of the choice leaves: later texts of the event are emptied, later events lose the choice.
 */
#include "wire/annotate.h"
#include "wire/response.h"

#define CONTENT_FILTER "\"finish_reason\":\"content_filter\""

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

static const char *origin_of(struct wire_response *r, unsigned choice, const struct text_kind *kind, unsigned tool)
{
  if (!kind->origin_tool) return arena_printf(r->arena, "choices[%u].%s", choice, kind->origin);
  return arena_printf(r->arena, "choices[%u].%s%u%s", choice, kind->origin, tool, kind->origin_tool);
}

/* The open channel for this kind of text. A closed one is not opened again: text after the end is a new text. */
static struct channel *channel_find(struct wire_response *r, struct choice *c, const struct text_ref *ref)
{
  for (struct channel *ch = c->channels; ch; ch = ch->next)
    if (ch->kind == ref->kind && ch->tool == ref->tool && !ch->closed) return ch;
  struct channel *ch = arena_zalloc(r->arena, 1, sizeof *ch);
  if (!ch) return NULL;
  ch->kind = ref->kind;
  ch->tool = ref->tool;
  ch->pub.choice = c->index;
  ch->pub.origin = origin_of(r, c->index, &r->format->kinds[ref->kind], ref->tool);
  if (!ch->pub.origin) return NULL;
  *c->end = ch;
  c->end = &ch->next;
  return ch;
}

static int ask(struct wire_response *r, struct channel *ch, struct str in, bool last, struct wire_text *out)
{
  *out = (struct wire_text){.p = in};
  ch->closed = last;
  int rc = r->hooks.text(r->hooks.ctx, &ch->pub, in, last, out);
  r->inspected_some = true;
  r->withheld |= out->changed || out->cut || out->block;
  return rc;
}

/* ---- chunks of our own ---- */

static void chunk_begin(struct wire_response *r, const struct choice *c, struct buf *out)
{
  BUF_LIT(out, "data: {");
  if (r->head.n) buf_put(out, buf_str(&r->head));
  else buf_printf(out, "\"id\":\"\",\"object\":\"%s\",\"created\":0,\"model\":\"\"", r->format->chunk_object);
  buf_printf(out, ",\"choices\":[{\"index\":%u,", c->index);
}

static void text_chunk(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text)
{
  const struct text_kind *kind = &r->format->kinds[ch->kind];
  chunk_begin(r, c, &r->before);
  buf_put(&r->before, str_of(kind->chunk));
  if (kind->chunk_tool) buf_printf(&r->before, "%u%s", ch->tool, kind->chunk_tool);
  json_quote(&r->before, text);
  buf_put(&r->before, str_of(kind->chunk_end));
  BUF_LIT(&r->before, ",\"logprobs\":null,\"finish_reason\":null}]}\n\n");
}

static void put_annotation(struct wire_response *r, const struct choice *c, struct buf *out)
{
  struct wire_choice_shield shield = {0};
  if (r->hooks.choice_shield) r->hooks.choice_shield(r->hooks.ctx, c->index, &shield);
  annotate_choice(&shield, out);
}

void choice_end_chunk(struct wire_response *r, const struct choice *c, struct buf *out)
{
  chunk_begin(r, c, out);
  buf_put(out, str_of(r->format->ended));
  BUF_LIT(out, ",\"logprobs\":null," CONTENT_FILTER);
  if (r->opt.annotate) {
    BUF_LIT(out, ",");
    put_annotation(r, c, out);
  }
  BUF_LIT(out, "}]}\n\n");
}

/* One channel is told that nothing follows. */
static int flush_channel(struct wire_response *r, struct choice *c, struct channel *ch)
{
  struct wire_text text;
  int rc = ask(r, ch, STR(""), true, &text);
  if (rc) return rc;
  if (text.p.n) text_chunk(r, c, ch, text.p);
  c->cut |= text.cut || text.block;
  return VDT_OK;
}

int choice_flush(struct wire_response *r, struct choice *c)
{
  for (struct channel *ch = c->channels; ch && !c->cut; ch = ch->next) {
    int rc = ch->closed ? VDT_OK : flush_channel(r, c, ch);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* ---- edits of a choice ---- */

static int done(bool ok)
{
  return ok ? VDT_OK : VDT_ENOMEM;
}

/* Sets a member of the choice, which may be missing. member is `"name":value`, value begins at `skip`. */
static int set_member(struct wire_response *r, uint32_t choice, const char *name, struct str member)
{
  uint32_t node = json_get(&r->doc, choice, name);
  if (!node) return done(edits_add_member(&r->edits, &r->doc, choice, member));
  return done(edits_replace_node(&r->edits, &r->doc, node, str_cut(member, strlen(name) + 3, member.n)));
}

static int drop_logprobs(struct wire_response *r, uint32_t choice)
{
  uint32_t node = json_get(&r->doc, choice, "logprobs");
  if (!node || json_is(&r->doc, node, JSON_NULL)) return VDT_OK;
  return done(edits_replace_node(&r->edits, &r->doc, node, STR("null")));
}

static int add_annotation(struct wire_response *r, const struct choice *c, uint32_t node)
{
  struct buf text = {0};
  if (!r->opt.annotate || json_get(&r->doc, node, "content_filter_results")) return VDT_OK;
  put_annotation(r, c, &text);
  bool ok = !text.failed && edits_add_member(&r->edits, &r->doc, node, buf_str(&text));
  buf_finish(&text);
  return done(ok);
}

static void note_finish(struct wire_response *r, const struct choice *c, struct str reason)
{
  if (c->index != 0) return;
  int n = reason.n < sizeof r->info.finish_reason ? (int)reason.n : (int)sizeof r->info.finish_reason - 1;
  snprintf(r->info.finish_reason, sizeof r->info.finish_reason, "%.*s", n, reason.p);
}

/* ---- reading ---- */

int texts_add(struct texts *t, unsigned kind, uint64_t tool, uint32_t node)
{
  if (!node || json_is(t->doc, node, JSON_NULL)) return VDT_OK;
  if (!json_is(t->doc, node, JSON_STRING)) {
    t->skipped = "text that is no string";
    return VDT_OK;
  }
  if (tool >= WIRE_MAX_TOOLS) return VDT_ETOOBIG;
  struct text_ref *refs = arena_grow(t->arena, t->refs, t->n, &t->cap, 4, sizeof *refs);
  if (!refs) return VDT_ENOMEM;
  t->refs = refs;
  t->refs[t->n++] = (struct text_ref){kind, (unsigned)tool, node};
  return VDT_OK;
}

static int find_texts(struct wire_response *r, struct choice *c, uint32_t node, bool delta, struct texts *t)
{
  *t = (struct texts){.doc = &r->doc, .arena = r->scratch};
  int rc = r->format->texts(t, node, delta);
  if (!rc && t->skipped) {
    char why[96];
    snprintf(why, sizeof why, "choices[%u]: %s", c->index, t->skipped);
    turn_not_inspected(r, why);
  }
  return rc;
}

/* No later text of the event belongs to the same channel. */
static bool last_of_channel(const struct texts *t, size_t i)
{
  for (size_t j = i + 1; j < t->n; j++)
    if (t->refs[j].kind == t->refs[i].kind && t->refs[j].tool == t->refs[i].tool) return false;
  return true;
}

/* One string. After a cut it is emptied; else the hook decides. */
static int read_text(struct wire_response *r, struct choice *c, const struct text_ref *ref, bool last, bool *changed, bool *block)
{
  struct str in;
  struct wire_text text;
  bool whole = r->opt.mode == WIRE_JSON;
  if (c->cut) {
    *changed = true;
    return done(
        edits_replace_node(&r->edits, &r->doc, ref->node, whole ? str_of(r->format->kinds[ref->kind].emptied) : STR("\"\"")));
  }
  struct channel *ch = channel_find(r, c, ref);
  if (!ch || !json_string(&r->doc, ref->node, r->scratch, &in)) return VDT_ENOMEM;
  int rc = ask(r, ch, in, last, &text);
  if (rc) return rc;
  c->cut |= text.cut || text.block;
  *block |= text.block;
  if (!text.changed) return VDT_OK;
  *changed = true;
  return done(edits_quote_node(&r->edits, &r->doc, ref->node, text.p));
}

static int read_texts(struct wire_response *r, struct choice *c, const struct texts *t, bool last, bool *changed, bool *block)
{
  for (size_t i = 0; i < t->n; i++) {
    int rc = read_text(r, c, &t->refs[i], last && last_of_channel(t, i), changed, block);
    if (rc) return rc;
  }
  return VDT_OK;
}

static bool among(const struct texts *t, const struct channel *ch)
{
  for (size_t i = 0; i < t->n; i++)
    if (t->refs[i].kind == ch->kind && t->refs[i].tool == ch->tool) return true;
  return false;
}

/* Before the event that ends the choice: channels that the event does not continue. */
static int flush_others(struct wire_response *r, struct choice *c, const struct texts *t)
{
  for (struct channel *ch = c->channels; ch && !c->cut; ch = ch->next) {
    int rc = ch->closed || among(t, ch) ? VDT_OK : flush_channel(r, c, ch);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int end_choice(struct wire_response *r, struct choice *c, uint32_t node, struct str reason)
{
  c->finished = true;
  note_finish(r, c, c->cut ? STR("content_filter") : reason);
  int rc = c->cut ? set_member(r, node, "finish_reason", STR(CONTENT_FILTER)) : VDT_OK;
  return rc ? rc : add_annotation(r, c, node);
}

/* The reason why the upstream ends the choice; some servers write an empty one while it goes on. */
static int read_reason(struct wire_response *r, uint32_t node, struct str *reason)
{
  return done(json_string(&r->doc, json_get(&r->doc, node, "finish_reason"), r->scratch, reason));
}

int choice_delta(struct wire_response *r, struct choice *c, uint32_t node)
{
  struct texts t;
  struct str reason = STR("");
  bool changed = false, block = false;
  int rc = find_texts(r, c, node, true, &t);
  if (!rc) rc = read_reason(r, node, &reason);
  bool ends = reason.n > 0;
  if (!rc && ends) rc = flush_others(r, c, &t);
  if (!rc) rc = read_texts(r, c, &t, ends, &changed, &block);
  if (!rc && (changed || c->cut)) rc = drop_logprobs(r, node);
  if (!rc && ends) return end_choice(r, c, node, reason);
  if (!rc && c->cut) {
    note_finish(r, c, STR("content_filter"));
    choice_end_chunk(r, c, &r->after);
  }
  return rc;
}

/* The member with all the text of the choice is replaced: no text is left, nor any edit of it. */
static int block_message(struct wire_response *r, uint32_t node, size_t edits_before)
{
  uint32_t message = json_get(&r->doc, node, r->format->blocked);
  r->edits.n = edits_before;
  return done(!message || edits_replace_node(&r->edits, &r->doc, message, str_of(r->format->blocked_value)));
}

int choice_message(struct wire_response *r, struct choice *c, uint32_t node)
{
  struct texts t;
  struct str reason = STR("");
  bool changed = false, block = false;
  size_t edits_before = r->edits.n;
  int rc = find_texts(r, c, node, false, &t);
  if (!rc) rc = read_reason(r, node, &reason);
  if (!rc) rc = read_texts(r, c, &t, true, &changed, &block);
  if (!rc && block) rc = block_message(r, node, edits_before);
  if (!rc && (changed || c->cut)) rc = drop_logprobs(r, node);
  return rc ? rc : end_choice(r, c, node, reason);
}
