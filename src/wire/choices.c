/*
 * The family of OpenAI's `choices`: Chat Completions, legacy Completions and everything that speaks like them.
 *
 * Rules: when text of a choice changes, its logprobs of the same event go (tokens would tell what is held back). After a cut nothing of
 * the choice leaves: later texts of the event are emptied, later events lose the choice.
 */
#include "wire/annotate.h"
#include "wire/response.h"
#include "wire/verdict.h"

#define CONTENT_FILTER "\"finish_reason\":\"content_filter\""

/* ---- chunks of our own ---- */

static void chunk_begin(struct wire_response *r, const struct choice *c, struct buf *out)
{
  BUF_LIT(out, "data: {");
  if (r->head.n) buf_put(out, buf_str(&r->head));
  else buf_printf(out, "\"id\":\"\",\"object\":\"%s\",\"created\":0,\"model\":\"\"", r->format->choices->object);
  buf_printf(out, ",\"choices\":[{\"index\":%u,", c->index);
}

void choices_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  const struct choices_chunk *chunk = &r->format->choices->chunks[ch->kind];
  chunk_begin(r, c, out);
  buf_put(out, str_of(chunk->begin));
  if (chunk->tool) buf_printf(out, "%u%s", ch->at[1], chunk->tool);
  json_quote(out, text);
  buf_put(out, str_of(chunk->end));
  BUF_LIT(out, ",\"logprobs\":null,\"finish_reason\":null}]}\n\n");
}

static void put_annotation(struct wire_response *r, const struct choice *c, struct buf *out)
{
  struct wire_choice_shield shield = {0};
  if (r->hooks.choice_shield) r->hooks.choice_shield(r->hooks.ctx, c->index, &shield);
  annotate_choice(&shield, out);
}

void choices_ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  chunk_begin(r, c, out);
  buf_put(out, str_of(r->format->choices->ended));
  BUF_LIT(out, ",\"logprobs\":null," CONTENT_FILTER);
  if (r->opt.annotate) {
    BUF_LIT(out, ",");
    put_annotation(r, c, out);
  }
  BUF_LIT(out, "}]}\n\n");
}

/* ---- edits of a choice ---- */

static int drop_logprobs(struct wire_response *r, uint32_t choice)
{
  uint32_t node = json_get(&r->doc, choice, "logprobs");
  return !node || json_is(&r->doc, node, JSON_NULL) ? VDT_OK : response_replace(r, node, STR("null"));
}

static int add_annotation(struct wire_response *r, const struct choice *c, uint32_t node)
{
  struct buf text = {0};
  if (!r->opt.annotate || json_get(&r->doc, node, "content_filter_results")) return VDT_OK;
  put_annotation(r, c, &text);
  bool ok = !text.failed && edits_add_member(&r->edits, &r->doc, node, buf_str(&text));
  buf_finish(&text);
  return ok ? VDT_OK : VDT_ENOMEM;
}

static void note_finish(struct wire_response *r, const struct choice *c, struct str reason)
{
  if (c->index == 0) response_finish_reason(r, reason);
}

/* ---- reading ---- */

int texts_add(struct texts *t, unsigned kind, uint64_t tool, uint32_t node)
{
  if (!node || json_is(t->doc, node, JSON_NULL)) return VDT_OK;
  if (!json_is(t->doc, node, JSON_STRING)) {
    t->skipped = "text that is no string";
    return VDT_OK;
  }
  if (tool >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  struct text_ref *refs = arena_grow(t->arena, t->refs, t->n, &t->cap, 4, sizeof *refs);
  if (!refs) return VDT_ENOMEM;
  t->refs = refs;
  t->refs[t->n++] = (struct text_ref){kind, {t->choice, (unsigned)tool}, node};
  return VDT_OK;
}

int texts_others(struct texts *t, unsigned kind, uint32_t node)
{
  for (uint32_t i = node; i < t->doc->nodes[node].next; i++) {
    if (t->doc->nodes[i].type != JSON_STRING || response_machine_made(t->doc, i)) continue;
    int rc = texts_add(t, kind, t->others++, i);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int find_texts(struct wire_response *r, struct choice *c, uint32_t node, bool delta, struct texts *t)
{
  *t = (struct texts){.doc = &r->doc, .arena = r->scratch, .choice = c->index};
  int rc = r->format->choices->texts(t, node, delta);
  if (!rc && t->skipped) {
    char why[96];
    snprintf(why, sizeof why, "choices[%u]: %s", c->index, t->skipped);
    response_not_inspected(r, why);
  }
  return rc;
}

static bool same(const struct text_ref *a, const struct text_ref *b)
{
  return a->kind == b->kind && a->at[1] == b->at[1];
}

/* No later text of the event belongs to the same channel. */
static bool last_of_channel(const struct texts *t, size_t i)
{
  for (size_t j = i + 1; j < t->n; j++)
    if (same(&t->refs[j], &t->refs[i])) return false;
  return true;
}

int texts_read(struct wire_response *r, struct choice *c, const struct texts *t, bool last, struct text_effect *effect)
{
  for (size_t i = 0; i < t->n; i++) {
    bool whole = r->format->choices && r->format->choices->whole >> t->refs[i].kind & 1;
    int rc = channel_read(r, c, &t->refs[i], whole || (last && last_of_channel(t, i)), effect);
    if (rc) return rc;
  }
  return VDT_OK;
}

static bool among(const struct texts *t, const struct channel *ch)
{
  for (size_t i = 0; i < t->n; i++)
    if (t->refs[i].kind == ch->kind && t->refs[i].at[1] == ch->at[1]) return true;
  return false;
}

int texts_flush_others(struct wire_response *r, struct choice *c, const struct texts *t)
{
  for (struct channel *ch = c->channels; ch && !c->cut; ch = ch->next) {
    int rc = ch->closed || among(t, ch) ? VDT_OK : channel_flush(r, c, ch);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int end_choice(struct wire_response *r, struct choice *c, uint32_t node, struct str reason)
{
  c->finished = true;
  note_finish(r, c, c->cut ? STR("content_filter") : reason);
  int rc = c->cut ? response_set(r, node, "finish_reason", STR("\"content_filter\"")) : VDT_OK;
  return rc ? rc : add_annotation(r, c, node);
}

/* The reason why the upstream ends the choice; some servers write an empty one while it goes on. */
static int read_reason(struct wire_response *r, uint32_t node, struct str *reason)
{
  return json_string(&r->doc, json_get(&r->doc, node, "finish_reason"), r->scratch, reason) ? VDT_OK : VDT_ENOMEM;
}

/* What cannot be taken out of sound word by word: once something of its transcript was masked, or cut, none of it goes on. */
static int hush(struct wire_response *r, struct choice *c, const struct texts *t, const struct text_effect *effect)
{
  c->mute |= c->cut || (effect->changed && response_masked(r, c));
  return c->mute && t->sound ? response_replace(r, t->sound, STR("\"\"")) : VDT_OK;
}

static int choice_delta(struct wire_response *r, struct choice *c, uint32_t node)
{
  struct texts t;
  struct str reason = STR("");
  struct text_effect effect = {0};
  int rc = find_texts(r, c, node, true, &t);
  if (!rc) rc = read_reason(r, node, &reason);
  bool ends = reason.n > 0;
  if (!rc && ends) rc = texts_flush_others(r, c, &t);
  if (!rc) rc = texts_read(r, c, &t, ends, &effect);
  if (!rc && (effect.changed || c->cut)) rc = drop_logprobs(r, node);
  if (!rc) rc = hush(r, c, &t, &effect);
  if (!rc && ends) return end_choice(r, c, node, reason);
  if (!rc && c->cut) {
    note_finish(r, c, STR("content_filter"));
    choices_ended(r, c, &r->after);
  }
  return rc;
}

/* The member with all the text of the choice is replaced: no text is left, nor any edit of it. */
static int block_message(struct wire_response *r, uint32_t node, size_t edits_before)
{
  r->edits.n = edits_before;
  return response_replace(r, json_get(&r->doc, node, r->format->choices->blocked), str_of(r->format->choices->blocked_value));
}

static int choice_message(struct wire_response *r, struct choice *c, uint32_t node)
{
  struct texts t;
  struct str reason = STR("");
  struct text_effect effect = {0};
  size_t edits_before = r->edits.n;
  int rc = find_texts(r, c, node, false, &t);
  if (!rc) rc = read_reason(r, node, &reason);
  if (!rc) rc = texts_read(r, c, &t, true, &effect);
  if (!rc && !effect.block) rc = hush(r, c, &t, &effect);
  if (!rc && effect.block) rc = block_message(r, node, edits_before);
  if (!rc && (effect.changed || c->cut)) rc = drop_logprobs(r, node);
  return rc ? rc : end_choice(r, c, node, reason);
}

/* ---- what it says about itself ---- */

static void keep_usage(struct wire_response *r)
{
  uint32_t usage = json_get(&r->doc, 0, "usage");
  json_u64(&r->doc, wire_get(&r->doc, usage, "prompt_tokens"), &r->info.prompt_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "completion_tokens"), &r->info.completion_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "total_tokens"), &r->info.total_tokens);
}

static void head_member(struct wire_response *r, const char *name, struct str otherwise)
{
  uint32_t node = json_get(&r->doc, 0, name);
  buf_printf(&r->head, "%s\"%s\":", r->head.n ? "," : "", name);
  buf_put(&r->head, node ? json_raw(&r->doc, node) : otherwise);
}

/* The members of the first chunk with a choice, for chunks of our own. */
static void keep_head(struct wire_response *r)
{
  if (r->head.n) return;
  struct str id, object = str_of(r->format->choices->object);
  if (!json_string(&r->doc, json_get(&r->doc, 0, "id"), r->scratch, &id) || id.n == 0) return;
  head_member(r, "id", STR("\"\""));
  buf_printf(&r->head, ",\"object\":\"%.*s\"", (int)object.n, object.p);
  head_member(r, "created", STR("0"));
  head_member(r, "model", STR("\"\""));
}

/* ---- annotations of the prompt ---- */

static bool put_prompt_annotation(struct wire_response *r)
{
  if (response_streams(r)) {
    BUF_LIT(&r->before, "data: {\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",");
    annotate_prompt(&r->opt.shield, &r->before);
    BUF_LIT(&r->before, ",\"choices\":[],\"usage\":null}\n\n");
    return !r->before.failed;
  }
  struct buf text = {0};
  annotate_prompt(&r->opt.shield, &text);
  bool ok = !text.failed && edits_add_member(&r->edits, &r->doc, 0, buf_str(&text));
  buf_finish(&text);
  return ok;
}

static int prompt_annotation(struct wire_response *r)
{
  bool theirs = verdict_prompt(&r->doc, &r->info.upstream);
  if (r->prompt_annotated) return VDT_OK;
  r->prompt_annotated = true;
  return !r->opt.annotate || theirs || put_prompt_annotation(r) ? VDT_OK : VDT_ENOMEM;
}

/* ---- choices ---- */

static int read_choice(struct wire_response *r, uint32_t node, uint64_t place, bool *gone)
{
  uint64_t index = place;
  uint32_t at = json_is(&r->doc, node, JSON_OBJECT) ? json_get(&r->doc, node, "index") : 0;
  *gone = false;
  if (!json_is(&r->doc, node, JSON_OBJECT)) return VDT_ESYNTAX;
  if (at && !json_u64(&r->doc, at, &index)) return VDT_ESYNTAX;
  if (index >= WIRE_MAX_CHOICES) return VDT_ETOOBIG;
  struct choice *c = choice_find(r, (unsigned)index);
  if (!c) return VDT_ENOMEM;
  verdict_results(&r->doc, json_get(&r->doc, node, "content_filter_results"), &r->info.upstream);
  r->info.upstream.completion_filtered |= json_string_is(&r->doc, json_get(&r->doc, node, "finish_reason"), "content_filter");
  *gone = response_streams(r) && c->cut;
  if (*gone) return VDT_OK;
  return response_streams(r) ? choice_delta(r, c, node) : choice_message(r, c, node);
}

/* Takes the bytes from a choice that is gone to the next one; those after the last choice that stays go at once, with
 * the comma before them. */
static bool remove_gone(struct wire_response *r, uint32_t choices, const bool *gone, uint32_t last_kept)
{
  const struct json_node *nodes = r->doc.nodes;
  size_t i = 0;
  for (uint32_t c = json_first(&r->doc, choices); c; c = json_next(&r->doc, choices, c), i++) {
    uint32_t next = json_next(&r->doc, choices, c);
    if (c >= last_kept) break;
    if (gone[i] && !edits_replace(&r->edits, nodes[c].start, nodes[next].start, STR(""))) return false;
  }
  uint32_t from = last_kept ? nodes[last_kept].end : nodes[choices].start + 1;
  return edits_replace(&r->edits, from, nodes[choices].end - 1, STR(""));
}

static int read_choices(struct wire_response *r, uint32_t choices)
{
  bool gone[WIRE_MAX_CHOICES];
  uint32_t last_kept = 0, n_gone = 0;
  uint64_t i = 0;
  if (r->doc.nodes[choices].count > WIRE_MAX_CHOICES) return VDT_ETOOBIG;
  for (uint32_t c = json_first(&r->doc, choices); c; c = json_next(&r->doc, choices, c), i++) {
    int rc = read_choice(r, c, i, &gone[i]);
    if (rc) return rc;
    if (gone[i]) n_gone++;
    else last_kept = c;
  }
  if (!n_gone) return VDT_OK;
  r->drop = !last_kept && !json_is(&r->doc, json_get(&r->doc, 0, "usage"), JSON_OBJECT);
  return remove_gone(r, choices, gone, last_kept) ? VDT_OK : VDT_ENOMEM;
}

/* An event without choices: usage, annotations and errors are known; anything else is not read. Clients stop at an error. */
static int read_other(struct wire_response *r)
{
  static const char *const known[] = {"choices", "usage", "prompt_filter_results", "prompt_annotations", "error"};
  uint32_t error = json_get(&r->doc, 0, "error");
  r->info.upstream.completion_filtered |= json_string_is(&r->doc, wire_get(&r->doc, error, "code"), "content_filter");
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (json_get(&r->doc, 0, known[i])) return json_is(&r->doc, error, JSON_OBJECT) ? response_flush(r) : VDT_OK;
  response_not_inspected(r, "event without choices");
  return VDT_OK;
}

int choices_answer(struct wire_response *r)
{
  uint32_t choices = json_get(&r->doc, 0, "choices");
  int rc = response_keep(r, 0, "model", &r->info.model);
  if (!rc) rc = response_keep(r, 0, "id", &r->info.id);
  if (!rc) rc = prompt_annotation(r);
  keep_usage(r);
  if (rc) return rc;
  if (response_streams(r) && (!choices || json_is(&r->doc, choices, JSON_NULL))) return read_other(r);
  if (!json_is(&r->doc, choices, JSON_ARRAY)) return VDT_ESYNTAX;
  if (r->doc.nodes[choices].count) keep_head(r);
  return read_choices(r, choices);
}
