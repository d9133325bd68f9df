/* One event or one body: finds its choices, reads what it says besides text, and adds annotations. */
#include "wire/annotate.h"
#include "wire/response.h"
#include "wire/verdict.h"

void turn_not_inspected(struct wire_response *r, const char *why)
{
  if (r->info.inspected == VDT_FULL) r->info.inspected = VDT_PARTIAL;
  if (!r->info.not_inspected[0]) snprintf(r->info.not_inspected, sizeof r->info.not_inspected, "%s", why);
}

/* ---- what it says about itself ---- */

static int keep(struct wire_response *r, const char *name, struct str *to)
{
  struct str s;
  if (to->n) return VDT_OK;
  if (!json_string(&r->doc, json_get(&r->doc, 0, name), r->scratch, &s)) return VDT_ENOMEM;
  if (s.n) *to = arena_dup(r->arena, s);
  return s.n && !to->p ? VDT_ENOMEM : VDT_OK;
}

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
  struct str id, object = str_of(r->format->chunk_object);
  if (!json_string(&r->doc, json_get(&r->doc, 0, "id"), r->scratch, &id) || id.n == 0) return;
  head_member(r, "id", STR("\"\""));
  buf_printf(&r->head, ",\"object\":\"%.*s\"", (int)object.n, object.p);
  head_member(r, "created", STR("0"));
  head_member(r, "model", STR("\"\""));
}

/* ---- annotations of the prompt ---- */

static bool put_prompt_annotation(struct wire_response *r)
{
  if (r->opt.mode == WIRE_SSE) {
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
  *gone = r->opt.mode == WIRE_SSE && c->cut;
  if (*gone) return VDT_OK;
  return r->opt.mode == WIRE_SSE ? choice_delta(r, c, node) : choice_message(r, c, node);
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

bool turn_over(const struct wire_response *r)
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

/* An event without choices: usage, annotations and errors are known; anything else is not read. */
static void read_other(struct wire_response *r)
{
  static const char *const known[] = {"choices", "usage", "prompt_filter_results", "prompt_annotations", "error"};
  uint32_t error = json_get(&r->doc, 0, "error");
  r->info.upstream.completion_filtered |= json_string_is(&r->doc, wire_get(&r->doc, error, "code"), "content_filter");
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (json_get(&r->doc, 0, known[i])) return;
  turn_not_inspected(r, "event without choices");
}

static int read_answer(struct wire_response *r)
{
  uint32_t choices = json_get(&r->doc, 0, "choices");
  int rc = keep(r, "model", &r->info.model);
  if (!rc) rc = keep(r, "id", &r->info.id);
  if (!rc) rc = prompt_annotation(r);
  keep_usage(r);
  if (rc) return rc;
  if (r->opt.mode == WIRE_SSE && (!choices || json_is(&r->doc, choices, JSON_NULL))) {
    read_other(r);
    return VDT_OK;
  }
  if (!json_is(&r->doc, choices, JSON_ARRAY)) return VDT_ESYNTAX;
  if (r->doc.nodes[choices].count) keep_head(r);
  return read_choices(r, choices);
}

int turn_read(struct wire_response *r, struct str text)
{
  edits_reset(&r->edits);
  r->drop = false;
  int rc = json_parse(r->scratch, text, &r->opt.limits, &r->doc, NULL);
  if (rc) return rc;
  if (r->doc.nodes[0].type != JSON_OBJECT) return VDT_ESYNTAX;
  rc = read_answer(r);
  if (!rc && (r->before.failed || r->after.failed || r->head.failed)) rc = VDT_ENOMEM;
  return rc;
}
