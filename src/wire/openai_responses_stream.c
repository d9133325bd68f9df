/*
 * The events of the Responses API: typed, numbered, and wordy. A text comes in pieces (.delta), again whole when it ends (.done), again in
 * its part, in its item, and in the response object at the end; channel_whole() sets all of these to what left.
 *
 * Events of ours shift the numbers of those behind them. After a cut the items that are open are ended as the API does it, and
 * response.incomplete ends the stream, with the response object of response.created and the items as far as they left.
 */
#include "wire/openai_responses.h"

struct item {
  unsigned index;
  bool done;
  unsigned parts_done; /* content parts that have ended */
  struct str raw;      /* as it was added */
  struct item *next;
};

struct state {
  struct str response; /* the object of response.created */
  uint64_t next;       /* the number of the next event that leaves */
  uint64_t added;      /* events of ours so far */
  struct item *items, **end;
};

static struct state *state_of(struct wire_response *r)
{
  struct state *s = r->state;
  if (s) return s;
  s = arena_zalloc(r->arena, 1, sizeof *s);
  if (s) s->end = &s->items;
  return r->state = s;
}

static struct item *item_find(const struct state *s, unsigned index)
{
  for (struct item *i = s->items; i; i = i->next)
    if (i->index == index) return i;
  return NULL;
}

static int item_add(struct wire_response *r, struct state *s, unsigned index, uint32_t node)
{
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (item_find(s, index)) return VDT_OK;
  struct item *i = arena_zalloc(r->arena, 1, sizeof *i);
  if (!i) return VDT_ENOMEM;
  i->index = index;
  i->raw = arena_dup(r->arena, json_raw(&r->doc, node));
  *s->end = i;
  s->end = &i->next;
  return i->raw.p ? VDT_OK : VDT_ENOMEM;
}

/* ---- events of our own ------------------------------------------------------------------------------------------ */

/* The deltas: how they are called, what their whole text is called, which index they have. */
static const struct {
  const char *name;
  unsigned kind;
  const char *member, *index;
} texts[] = {
    {"output_text", RESPONSES_TEXT, "text", "content_index"},
    {"refusal", RESPONSES_REFUSAL, "refusal", "content_index"},
    {"function_call_arguments", RESPONSES_ARGUMENTS, "arguments", NULL},
    {"mcp_call_arguments", RESPONSES_ARGUMENTS, "arguments", NULL},
    {"custom_tool_call_input", RESPONSES_INPUT, "input", NULL},
    {"code_interpreter_call_code", RESPONSES_CODE, "code", NULL},
    {"reasoning_text", RESPONSES_REASONING, "text", "content_index"},
    {"reasoning_summary_text", RESPONSES_SUMMARY, "text", "summary_index"},
};
enum { TEXTS = sizeof texts / sizeof *texts };

static bool parse(struct wire_response *r, struct str raw, struct json_doc *doc)
{
  return raw.n && json_parse(r->scratch, raw, &r->opt.limits, doc, NULL) == VDT_OK;
}

static bool item_is(struct wire_response *r, const struct item *i, const char *type)
{
  struct json_doc doc;
  return i && parse(r, i->raw, &doc) && json_string_is(&doc, json_get(&doc, 0, "type"), type);
}

/* The row for a channel: the arguments of MCP calls have events of their own. */
static size_t row_of(struct wire_response *r, const struct channel *ch)
{
  for (size_t t = 0; t < TEXTS; t++) {
    if (texts[t].kind != ch->kind) continue;
    return ch->kind == RESPONSES_ARGUMENTS && item_is(r, item_find(state_of(r), ch->at[0]), "mcp_call") ? t + 1 : t;
  }
  return 0;
}

static void put_item_id(struct wire_response *r, const struct item *i, struct buf *out)
{
  struct json_doc doc;
  uint32_t id = i && parse(r, i->raw, &doc) ? json_get(&doc, 0, "id") : 0;
  buf_put(out, id ? json_raw(&doc, id) : STR("\"\""));
}

static void begin(struct wire_response *r, const char *type, struct buf *out)
{
  struct state *s = state_of(r);
  buf_printf(out, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%llu", type, type, (unsigned long long)s->next);
  s->next++;
  s->added++;
}

/* "response.NAME.delta" or .done with the place of the channel. */
static void begin_text(struct wire_response *r, const struct channel *ch, const char *what, struct buf *out)
{
  char type[64];
  size_t t = row_of(r, ch);
  snprintf(type, sizeof type, "response.%s.%s", texts[t].name, what);
  begin(r, type, out);
  BUF_LIT(out, ",\"item_id\":");
  put_item_id(r, item_find(state_of(r), ch->at[0]), out);
  buf_printf(out, ",\"output_index\":%u,", ch->at[0]);
  if (texts[t].index) buf_printf(out, "\"%s\":%u,", texts[t].index, ch->at[1]);
  if (ch->kind == RESPONSES_TEXT) BUF_LIT(out, "\"logprobs\":[],");
  buf_printf(out, "\"%s\":", strcmp(what, "done") == 0 ? texts[t].member : "delta");
}

void responses_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  (void)c;
  if (!state_of(r)) {
    out->failed = true;
    return;
  }
  begin_text(r, ch, "delta", out);
  json_quote(out, text);
  BUF_LIT(out, "}\n\n");
}

/* ---- what is sent after a cut ----------------------------------------------------------------------------------- */

void responses_put_members(struct wire_response *r, struct str raw, const char *const *without, struct buf *out)
{
  struct json_doc doc;
  if (!parse(r, raw, &doc)) return;
  for (uint32_t m = json_first(&doc, 0); m; m = json_next(&doc, 0, m)) {
    struct str name = str_cut(doc.text, doc.nodes[m].key_start, doc.nodes[m].key_end);
    const char *const *w = without;
    while (*w && !(name.n == strlen(*w) + 2 && memcmp(name.p + 1, *w, name.n - 2) == 0)) w++;
    if (*w) continue;
    buf_put(out, name);
    BUF_LIT(out, ":");
    buf_put(out, json_raw(&doc, m));
    BUF_LIT(out, ",");
  }
}

static const struct channel *text_at(const struct choice *c, unsigned kind, unsigned item, unsigned place)
{
  const struct channel *found = NULL;
  for (const struct channel *ch = c->channels; ch; ch = ch->next)
    if (ch->kind == kind && ch->at[0] == item && ch->at[1] == place) found = ch;
  return found;
}

static void put_part(const struct channel *ch, struct buf *out)
{
  static const char *const types[] = {[RESPONSES_TEXT] = "output_text\",\"annotations\":[],\"logprobs\":[],\"text",
                                      [RESPONSES_REFUSAL] = "refusal\",\"refusal",
                                      [RESPONSES_REASONING] = "reasoning_text\",\"text",
                                      [RESPONSES_SUMMARY] = "summary_text\",\"text"};
  buf_printf(out, "{\"type\":\"%s\":", types[ch->kind]);
  json_quote(out, channel_left(ch));
  BUF_LIT(out, "}");
}

static const struct channel *part_at(const struct choice *c, unsigned item, unsigned place)
{
  static const unsigned kinds[] = {RESPONSES_TEXT, RESPONSES_REFUSAL, RESPONSES_REASONING};
  const struct channel *ch = NULL;
  for (size_t k = 0; k < 3 && !ch; k++) ch = text_at(c, kinds[k], item, place);
  return ch;
}

static void put_parts(const struct choice *c, unsigned item, bool summary, struct buf *out)
{
  const struct channel *ch;
  for (unsigned i = 0; (ch = summary ? text_at(c, RESPONSES_SUMMARY, item, i) : part_at(c, item, i)); i++) {
    if (i) BUF_LIT(out, ",");
    put_part(ch, out);
  }
}

static void put_text(const struct choice *c, unsigned kind, unsigned item, const char *name, struct buf *out)
{
  const struct channel *ch = text_at(c, kind, item, 0);
  buf_printf(out, "\"%s\":", name);
  json_quote(out, ch ? channel_left(ch) : STR(""));
  BUF_LIT(out, ",");
}

/* The item as far as it left. */
static void put_item(struct wire_response *r, const struct choice *c, const struct item *i, struct buf *out)
{
  static const char *const without[] = {"status", "content", "summary", "arguments", "input", "code",
                                        "output", "outputs", "results", "action",    "error", NULL};
  bool reasoning = item_is(r, i, "reasoning");
  BUF_LIT(out, "{");
  responses_put_members(r, i->raw, without, out);
  if (item_is(r, i, "function_call") || item_is(r, i, "mcp_call")) put_text(c, RESPONSES_ARGUMENTS, i->index, "arguments", out);
  if (item_is(r, i, "custom_tool_call")) put_text(c, RESPONSES_INPUT, i->index, "input", out);
  if (item_is(r, i, "code_interpreter_call")) put_text(c, RESPONSES_CODE, i->index, "code", out);
  if (reasoning) {
    BUF_LIT(out, "\"summary\":[");
    put_parts(c, i->index, true, out);
    BUF_LIT(out, "],");
  }
  if (reasoning || item_is(r, i, "message")) {
    BUF_LIT(out, "\"content\":[");
    put_parts(c, i->index, false, out);
    BUF_LIT(out, "],");
  }
  buf_printf(out, "\"status\":\"%s\"}", i->done ? "completed" : "incomplete");
}

/* The parts of an open item that have not ended. */
static void end_parts(struct wire_response *r, const struct choice *c, const struct item *i, struct buf *out)
{
  const struct channel *ch;
  for (unsigned p = i->parts_done; (ch = part_at(c, i->index, p)); p++) {
    begin_text(r, ch, "done", out);
    json_quote(out, channel_left(ch));
    BUF_LIT(out, "}\n\n");
    begin(r, "response.content_part.done", out);
    BUF_LIT(out, ",\"item_id\":");
    put_item_id(r, i, out);
    buf_printf(out, ",\"output_index\":%u,\"content_index\":%u,\"part\":", i->index, p);
    put_part(ch, out);
    BUF_LIT(out, "}\n\n");
  }
}

static void end_item(struct wire_response *r, const struct choice *c, const struct item *i, struct buf *out)
{
  end_parts(r, c, i, out);
  begin(r, "response.output_item.done", out);
  buf_printf(out, ",\"output_index\":%u,\"item\":", i->index);
  put_item(r, c, i, out);
  BUF_LIT(out, "}\n\n");
}

void responses_ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  static const char *const without[] = {"status", "incomplete_details", "output", "content_filters", NULL};
  struct state *s = state_of(r);
  if (!s) {
    out->failed = true;
    return;
  }
  for (const struct item *i = s->items; i; i = i->next)
    if (!i->done) end_item(r, c, i, out);
  begin(r, "response.incomplete", out);
  BUF_LIT(out, ",\"response\":{");
  responses_put_members(r, s->response, without, out);
  if (!s->response.n) BUF_LIT(out, "\"id\":\"\",\"object\":\"response\",");
  BUF_LIT(out, "\"output\":[");
  for (const struct item *i = s->items; i; i = i->next) {
    if (i != s->items) BUF_LIT(out, ",");
    put_item(r, c, i, out);
  }
  BUF_LIT(out, "],");
  if (r->opt.annotate) {
    responses_annotation(r, out);
    BUF_LIT(out, ",");
  }
  BUF_LIT(out, "\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n");
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static unsigned number(const struct json_doc *doc, const char *name)
{
  uint64_t n = 0;
  json_u64(doc, json_get(doc, 0, name), &n);
  return n < WIRE_MAX_PLACES ? (unsigned)n : WIRE_MAX_PLACES;
}

/* Whether the type is "response." name "." what. */
static bool is_event(struct str type, const char *name, const char *what)
{
  char text[64];
  int n = snprintf(text, sizeof text, "response.%s.%s", name, what);
  return str_eq(type, (struct str){text, (size_t)n});
}

/* Any other event: all its strings, each for itself. A text in pieces that we do not know is not read as one. */
static int read_other(struct wire_response *r, struct choice *c, struct str type, struct text_effect *effect)
{
  struct text_ref ref = {RESPONSES_OTHER, {number(&r->doc, "output_index"), WIRE_MAX_PLACES}, 0};
  if (str_eq(type, STR("error"))) return choice_flush(r, c); /* clients stop there */
  if (str_find(type, STR("audio.delta")) != (size_t)-1 || str_find(type, STR("partial_image")) != (size_t)-1) {
    response_not_inspected(r, "audio or image");
    return VDT_OK;
  }
  if (json_is(&r->doc, json_get(&r->doc, 0, "delta"), JSON_STRING)) response_not_inspected(r, "delta of an unknown kind");
  int rc = VDT_OK;
  for (uint32_t m = json_first(&r->doc, 0); m && !rc; m = json_next(&r->doc, 0, m)) {
    struct str name;
    if (!json_key(&r->doc, m, r->scratch, &name)) return VDT_ENOMEM;
    bool id = str_eq(name, STR("type")) || str_eq(name, STR("item_id")) || str_eq(name, STR("event_id"));
    if (!id) rc = channel_others(r, c, &ref, 1, m, effect);
  }
  return rc;
}

static int read_delta(struct wire_response *r, struct choice *c, size_t row, bool whole, struct text_effect *effect)
{
  const struct json_doc *doc = &r->doc;
  struct text_ref ref = {texts[row].kind,
                         {number(doc, "output_index"), texts[row].index ? number(doc, texts[row].index) : 0},
                         json_get(doc, 0, whole ? texts[row].member : "delta")};
  if (ref.at[0] >= WIRE_MAX_PLACES || ref.at[1] >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (!json_is(doc, ref.node, JSON_STRING)) return read_other(r, c, STR(""), effect);
  int rc = whole ? channel_whole(r, c, &ref, effect) : channel_read(r, c, &ref, false, effect);
  uint32_t logprobs = json_get(doc, 0, "logprobs");
  if (!rc && effect->changed && json_is(doc, logprobs, JSON_ARRAY)) rc = response_replace(r, logprobs, STR("[]"));
  return rc;
}

static int read_item_event(struct wire_response *r, struct choice *c, struct state *s, bool done, struct text_effect *effect)
{
  uint32_t node = json_get(&r->doc, 0, "item");
  unsigned index = number(&r->doc, "output_index");
  if (!json_is(&r->doc, node, JSON_OBJECT)) return VDT_ESYNTAX;
  int rc = item_add(r, s, index, node);
  if (!rc) rc = responses_item(r, c, node, index, effect);
  struct item *i = item_find(s, index);
  if (!rc && done && i && !c->cut) i->done = true;
  return rc;
}

static int read_part_event(struct wire_response *r, struct choice *c, struct state *s, bool summary, bool done,
                           struct text_effect *effect)
{
  uint32_t part = json_get(&r->doc, 0, "part");
  unsigned item = number(&r->doc, "output_index"), place = number(&r->doc, summary ? "summary_index" : "content_index");
  if (!json_is(&r->doc, part, JSON_OBJECT)) return VDT_ESYNTAX;
  int rc = responses_part(r, c, part, item, place, summary, effect);
  struct item *i = item_find(s, item);
  if (!rc && done && !summary && !c->cut && i && i->parts_done <= place) i->parts_done = place + 1;
  return rc;
}

/* An event with the response object; the last one of them ends the answer. */
static int read_lifecycle(struct wire_response *r, struct choice *c, struct state *s, bool last)
{
  uint32_t response = json_get(&r->doc, 0, "response");
  if (!json_is(&r->doc, response, JSON_OBJECT)) return VDT_ESYNTAX;
  if (!s->response.n && !last) {
    s->response = arena_dup(r->arena, json_raw(&r->doc, response));
    if (!s->response.p) return VDT_ENOMEM;
  }
  int rc = last ? choice_flush(r, c) : VDT_OK;
  if (!rc) rc = responses_whole(r, c, response);
  if (rc || !last || c->cut) return rc;
  struct str reason = STR("");
  uint32_t details = json_get(&r->doc, response, "incomplete_details");
  if (!json_string(&r->doc, wire_get(&r->doc, details, "reason"), r->scratch, &reason)) return VDT_ENOMEM;
  bool failed = json_string_is(&r->doc, json_get(&r->doc, response, "status"), "failed");
  response_finish_reason(r, reason.n ? reason : failed ? STR("failed") : STR("stop"));
  c->finished = true;
  if (!r->opt.annotate || json_get(&r->doc, response, "content_filters")) return VDT_OK;
  struct buf text = {0};
  responses_annotation(r, &text);
  bool ok = !text.failed && edits_add_member(&r->edits, &r->doc, response, buf_str(&text));
  buf_finish(&text);
  return ok ? VDT_OK : VDT_ENOMEM;
}

static int read_source_event(struct wire_response *r, struct choice *c, struct text_effect *effect)
{
  return responses_source(r, c, json_get(&r->doc, 0, "annotation"), number(&r->doc, "output_index"),
                          number(&r->doc, "content_index"), number(&r->doc, "annotation_index"), effect);
}

static int read_event(struct wire_response *r, struct choice *c, struct state *s, struct str type, bool *delta,
                      struct text_effect *effect)
{
  static const char *const lifecycle[] = {"created", "queued", "in_progress", "completed", "incomplete", "failed"};
  for (size_t t = 0; t < TEXTS; t++) {
    *delta = is_event(type, texts[t].name, "delta");
    if (*delta || is_event(type, texts[t].name, "done")) return read_delta(r, c, t, !*delta, effect);
  }
  for (size_t i = 0; i < sizeof lifecycle / sizeof *lifecycle; i++) {
    char name[32];
    int n = snprintf(name, sizeof name, "response.%s", lifecycle[i]);
    if (str_eq(type, (struct str){name, (size_t)n})) return read_lifecycle(r, c, s, i >= 3);
  }
  for (int done = 0; done < 2; done++) {
    const char *what = done ? "done" : "added";
    if (is_event(type, "output_item", what)) return read_item_event(r, c, s, done, effect);
    if (is_event(type, "content_part", what)) return read_part_event(r, c, s, false, done, effect);
    if (is_event(type, "reasoning_summary_part", what)) return read_part_event(r, c, s, true, done, effect);
  }
  if (is_event(type, "output_text", "annotation.added")) return read_source_event(r, c, effect);
  return read_other(r, c, type, effect);
}

/* Where events of ours went before it, the event's number moves on. */
static int renumber(struct wire_response *r, struct state *s)
{
  char text[24];
  uint32_t node = json_get(&r->doc, 0, "sequence_number");
  int n = snprintf(text, sizeof text, "%llu", (unsigned long long)s->next);
  if (!r->drop) s->next++;
  if (!node || !s->added || r->drop) return VDT_OK;
  return response_replace(r, node, (struct str){text, (size_t)n});
}

int responses_event(struct wire_response *r, struct choice *c)
{
  struct state *s = state_of(r);
  struct str type = r->event;
  struct text_effect effect = {0};
  bool delta = false;
  uint64_t at;
  if (!s || !json_string(&r->doc, json_get(&r->doc, 0, "type"), r->scratch, &type)) return VDT_ENOMEM;
  if (json_u64(&r->doc, json_get(&r->doc, 0, "sequence_number"), &at)) s->next = at + s->added;
  int rc = read_event(r, c, s, type.n ? type : r->event, &delta, &effect);
  if (rc) return rc;
  /* What repeats a text that was cut, or ends the answer, gives way to our own end. */
  r->drop = c->cut && !delta;
  rc = renumber(r, s);
  if (rc || !c->cut) return rc;
  response_finish_reason(r, STR("content_filter"));
  responses_ended(r, c, &r->after);
  return VDT_OK;
}
