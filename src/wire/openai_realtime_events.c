/*
 * What the model sends in a Realtime session. Events carry the response that they belong to, and several responses may be under way. A
 * text comes in pieces (.delta), whole (.done), in its part, in its item (twice: in the response and in the conversation) and in
 * response.done; channel_whole() sets all of these to what left. Names are those of the preview and of the released API.
 *
 * A response that is cut is ended as the API does it (status "incomplete", reason "content_filter"), the upstream is told to cancel it, and
 * what still comes of it is dropped. Audio is not read; audio of a response whose transcript was masked goes no further.
 */
#include "wire/openai_realtime.h"

struct response {
  struct str id, raw; /* raw: the object of response.created */
  struct choice *choice;
  bool masked; /* a transcript was changed */
  struct response *next;
};

struct item {
  struct response *response;
  unsigned index, parts_done;
  bool done;
  struct str id, raw;
  struct item *next;
};

struct state {
  struct response *responses, **end_response;
  struct item *items, **end_item;
  unsigned n, made; /* responses; events of ours */
  bool preview;     /* events have the names of the preview */
};

static struct state *state_of(struct wire_response *r)
{
  struct state *s = r->state;
  if (s) return s;
  s = arena_zalloc(r->arena, 1, sizeof *s);
  if (!s) return NULL;
  s->end_response = &s->responses;
  s->end_item = &s->items;
  return r->state = s;
}

static struct str string(struct wire_response *r, uint32_t object, const char *name)
{
  struct str s = STR("");
  if (!json_string(&r->doc, wire_get(&r->doc, object, name), r->scratch, &s)) return STR("");
  return s.n ? s : STR("");
}

static struct str top(struct wire_response *r, const char *name)
{
  struct str s = STR("");
  return json_string(&r->doc, json_get(&r->doc, 0, name), r->scratch, &s) && s.n ? s : STR("");
}

static unsigned number(const struct json_doc *doc, const char *name)
{
  uint64_t n = 0;
  json_u64(doc, json_get(doc, 0, name), &n);
  return n < WIRE_MAX_PLACES ? (unsigned)n : WIRE_MAX_PLACES;
}

/* The response of this id, new when it was not seen yet. */
static struct response *response_find(struct wire_response *r, struct state *s, struct str id)
{
  for (struct response *p = s->responses; p; p = p->next)
    if (str_eq(p->id, id)) return p;
  struct response *p = s->n < WIRE_MAX_CHOICES ? arena_zalloc(r->arena, 1, sizeof *p) : NULL;
  if (!p || !(p->choice = choice_find(r, s->n))) return NULL;
  p->choice->finished = true; /* until it is said to begin */
  p->id = arena_dup(r->arena, id);
  if (!p->id.p) return NULL;
  s->n++;
  *s->end_response = p;
  s->end_response = &p->next;
  return p;
}

static const struct response *response_of(const struct state *s, const struct choice *c)
{
  const struct response *p = s->responses;
  while (p && p->choice != c) p = p->next;
  return p;
}

static struct item *item_at(const struct state *s, const struct choice *c, unsigned index)
{
  for (struct item *i = s->items; i; i = i->next)
    if (i->response->choice == c && i->index == index) return i;
  return NULL;
}

static struct item *item_called(const struct state *s, struct str id)
{
  for (struct item *i = s->items; i && id.n; i = i->next)
    if (str_eq(i->id, id)) return i;
  return NULL;
}

static int item_add(struct wire_response *r, struct state *s, struct response *p, unsigned index, uint32_t node)
{
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (item_at(s, p->choice, index)) return VDT_OK;
  struct item *i = arena_zalloc(r->arena, 1, sizeof *i);
  if (!i) return VDT_ENOMEM;
  *i = (struct item){
      p, index, 0, false, arena_dup(r->arena, string(r, node, "id")), arena_dup(r->arena, json_raw(&r->doc, node)), NULL};
  *s->end_item = i;
  s->end_item = &i->next;
  return i->raw.p && i->id.p ? VDT_OK : VDT_ENOMEM;
}

/* ---- events of our own ------------------------------------------------------------------------------------------ */

/* The texts in pieces: how their events are called in the released API and in the preview, which member has the whole text. */
static const struct {
  const char *names[2];
  unsigned kind;
  const char *member;
  bool part; /* it stands in a content part */
} texts[] = {
    {{"output_text", "text"}, REALTIME_TEXT, "text", true},
    {{"output_audio_transcript", "audio_transcript"}, REALTIME_TRANSCRIPT, "transcript", true},
    {{"function_call_arguments", "function_call_arguments"}, REALTIME_ARGUMENTS, "arguments", false},
    {{"mcp_call_arguments", "mcp_call_arguments"}, REALTIME_ARGUMENTS, "arguments", false},
};
enum { TEXTS = sizeof texts / sizeof *texts };

/* An event id that nobody else has: that of the event that is being read, and a number. */
static void begin(struct wire_response *r, const char *type, struct buf *out)
{
  struct state *s = state_of(r);
  struct buf id = {0};
  buf_put(&id, top(r, "event_id"));
  buf_printf(&id, "_v%u", s->made++);
  buf_printf(out, "{\"type\":\"%s\",\"event_id\":", type);
  json_quote(out, id.n ? buf_str(&id) : STR(""));
  out->failed |= id.failed;
  buf_finish(&id);
}

static void put_string(struct buf *out, const char *before, struct str s)
{
  buf_put(out, str_of(before));
  json_quote(out, s.n ? s : STR(""));
}

/* "response.NAME.WHAT" with the place of the channel, open for its text. */
static void begin_text(struct wire_response *r, const struct choice *c, const struct channel *ch, const char *what,
                       struct buf *out)
{
  const struct state *s = state_of(r);
  const struct item *i = item_at(s, c, ch->at[0]);
  const struct response *p = response_of(s, c);
  char type[64];
  size_t t = ch->kind < TEXTS ? ch->kind : 0;
  if (ch->kind == REALTIME_ARGUMENTS && i && str_find(i->raw, STR("\"mcp_call\"")) != (size_t)-1) t++;
  snprintf(type, sizeof type, "response.%s.%s", texts[t].names[s->preview], what);
  begin(r, type, out);
  put_string(out, ",\"response_id\":", p ? p->id : STR(""));
  put_string(out, ",\"item_id\":", i ? i->id : STR(""));
  buf_printf(out, ",\"output_index\":%u", ch->at[0]);
  if (texts[t].part) buf_printf(out, ",\"content_index\":%u", ch->at[1]);
  buf_printf(out, ",\"%s\":", strcmp(what, "done") == 0 ? texts[t].member : "delta");
}

void realtime_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  if (!state_of(r)) {
    out->failed = true;
    return;
  }
  begin_text(r, c, ch, "delta", out);
  json_quote(out, text);
  BUF_LIT(out, "}\n");
}

static const struct channel *part_at(const struct choice *c, unsigned item, unsigned place)
{
  const struct channel *found = NULL;
  for (const struct channel *ch = c->channels; ch; ch = ch->next)
    if (ch->kind <= REALTIME_TRANSCRIPT && ch->at[0] == item && ch->at[1] == place) found = ch;
  return found;
}

static void put_part(const struct state *s, const struct channel *ch, struct buf *out)
{
  bool text = ch->kind == REALTIME_TEXT;
  const char *type = text ? (s->preview ? "text" : "output_text") : (s->preview ? "audio" : "output_audio");
  buf_printf(out, "{\"type\":\"%s\",\"%s\":", type, text ? "text" : "transcript");
  json_quote(out, channel_left(ch));
  BUF_LIT(out, "}");
}

/* The item as far as it left. */
static void put_item(struct wire_response *r, const struct choice *c, const struct item *i, struct buf *out)
{
  static const char *const without[] = {"status", "content", "arguments", "output", NULL};
  const struct channel *ch, *arguments = NULL;
  for (ch = c->channels; ch; ch = ch->next)
    if (ch->kind == REALTIME_ARGUMENTS && ch->at[0] == i->index) arguments = ch;
  BUF_LIT(out, "{");
  responses_put_members(r, i->raw, without, out);
  if (arguments) {
    put_string(out, "\"arguments\":", channel_left(arguments));
    BUF_LIT(out, ",");
  } else {
    BUF_LIT(out, "\"content\":[");
    for (unsigned p = 0; (ch = part_at(c, i->index, p)); p++) {
      if (p) BUF_LIT(out, ",");
      put_part(state_of(r), ch, out);
    }
    BUF_LIT(out, "],");
  }
  buf_printf(out, "\"status\":\"%s\"}", i->done ? "completed" : "incomplete");
}

static void end_item(struct wire_response *r, const struct choice *c, const struct item *i, struct buf *out)
{
  const struct channel *ch;
  for (unsigned p = i->parts_done; (ch = part_at(c, i->index, p)); p++) {
    begin_text(r, c, ch, "done", out);
    json_quote(out, channel_left(ch));
    BUF_LIT(out, "}\n");
    begin(r, "response.content_part.done", out);
    put_string(out, ",\"response_id\":", i->response->id);
    put_string(out, ",\"item_id\":", i->id);
    buf_printf(out, ",\"output_index\":%u,\"content_index\":%u,\"part\":", i->index, p);
    put_part(state_of(r), ch, out);
    BUF_LIT(out, "}\n");
  }
  begin(r, "response.output_item.done", out);
  put_string(out, ",\"response_id\":", i->response->id);
  buf_printf(out, ",\"output_index\":%u,\"item\":", i->index);
  put_item(r, c, i, out);
  BUF_LIT(out, "}\n");
}

void realtime_ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  static const char *const without[] = {"status", "status_details", "output", NULL};
  const struct state *s = state_of(r);
  const struct response *p = s ? response_of(s, c) : NULL;
  bool first = true;
  if (!p) {
    out->failed |= !s;
    return;
  }
  for (const struct item *i = s->items; i; i = i->next)
    if (i->response == p && !i->done) end_item(r, c, i, out);
  begin(r, "response.done", out);
  BUF_LIT(out, ",\"response\":{");
  if (p->raw.n) responses_put_members(r, p->raw, without, out);
  else put_string(out, "\"object\":\"realtime.response\",\"id\":", p->id), BUF_LIT(out, ",");
  BUF_LIT(out, "\"output\":[");
  for (const struct item *i = s->items; i; i = i->next) {
    if (i->response != p) continue;
    if (!first) BUF_LIT(out, ",");
    first = false;
    put_item(r, c, i, out);
  }
  BUF_LIT(out, "],\"status\":\"incomplete\",\"status_details\":{\"type\":\"incomplete\",\"reason\":\"content_filter\"}}}\n");
  if (c->finished) return;
  put_string(&r->reply, "{\"type\":\"response.cancel\",\"response_id\":", p->id);
  BUF_LIT(&r->reply, "}\n");
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool is_event(struct str type, const char *name, const char *what)
{
  char text[64];
  int n = snprintf(text, sizeof text, "response.%s.%s", name, what);
  return str_eq(type, (struct str){text, (size_t)n});
}

static int read_text(struct wire_response *r, struct response *p, size_t row, bool whole)
{
  const struct json_doc *doc = &r->doc;
  struct text_effect effect = {0};
  struct text_ref ref = {texts[row].kind,
                         {number(doc, "output_index"), texts[row].part ? number(doc, "content_index") : 0},
                         json_get(doc, 0, whole ? texts[row].member : "delta")};
  if (ref.at[0] >= WIRE_MAX_PLACES || ref.at[1] >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (!json_is(doc, ref.node, JSON_STRING)) return VDT_ESYNTAX;
  int rc = whole ? channel_whole(r, p->choice, &ref, &effect) : channel_read(r, p->choice, &ref, false, &effect);
  if (!rc && effect.changed && ref.kind == REALTIME_TRANSCRIPT) p->masked |= response_masked(r, p->choice);
  return rc;
}

static int read_part(struct wire_response *r, struct response *p, uint32_t part, unsigned item, unsigned place)
{
  uint32_t text = json_get(&r->doc, part, "text"), transcript = json_get(&r->doc, part, "transcript");
  uint32_t audio = json_get(&r->doc, part, "audio");
  struct text_effect effect = {0};
  int rc = VDT_OK;
  if (item >= WIRE_MAX_PLACES || place >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (json_is(&r->doc, text, JSON_STRING))
    rc = channel_whole(r, p->choice, &(struct text_ref){REALTIME_TEXT, {item, place}, text}, &effect);
  if (!rc && json_is(&r->doc, transcript, JSON_STRING))
    rc = channel_whole(r, p->choice, &(struct text_ref){REALTIME_TRANSCRIPT, {item, place}, transcript}, &effect);
  if (json_is(&r->doc, audio, JSON_STRING)) response_not_inspected(r, "audio");
  return rc;
}

/* All texts of an item that a model made. */
static int read_item(struct wire_response *r, struct response *p, uint32_t node, unsigned index)
{
  static const char *const others[] = {"output", "error", "tools"};
  uint32_t content = json_get(&r->doc, node, "content"), arguments = json_get(&r->doc, node, "arguments");
  struct text_effect effect = {0};
  struct text_ref other = {REALTIME_OTHER, {index, 0}, 0};
  unsigned place = 0;
  int rc = VDT_OK;
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  for (uint32_t c = json_is(&r->doc, content, JSON_ARRAY) ? json_first(&r->doc, content) : 0; c && !rc;
       c = json_next(&r->doc, content, c))
    if (json_is(&r->doc, c, JSON_OBJECT)) rc = read_part(r, p, c, index, place++);
  if (!rc && json_is(&r->doc, arguments, JSON_STRING))
    rc = channel_whole(r, p->choice, &(struct text_ref){REALTIME_ARGUMENTS, {index}, arguments}, &effect);
  for (size_t i = 0; i < sizeof others / sizeof *others && !rc; i++)
    rc = channel_strings(r, p->choice, &other, 1, json_get(&r->doc, node, others[i]), &effect);
  return rc;
}

static int read_item_event(struct wire_response *r, struct state *s, struct response *p, bool done)
{
  uint32_t node = json_get(&r->doc, 0, "item");
  unsigned index = number(&r->doc, "output_index");
  if (!json_is(&r->doc, node, JSON_OBJECT)) return VDT_ESYNTAX;
  int rc = item_add(r, s, p, index, node);
  if (!rc) rc = read_item(r, p, node, index);
  struct item *i = item_at(s, p->choice, index);
  if (!rc && done && i && !p->choice->cut) i->done = true;
  return rc;
}

static int read_part_event(struct wire_response *r, struct state *s, struct response *p, bool done)
{
  uint32_t part = json_get(&r->doc, 0, "part");
  unsigned index = number(&r->doc, "output_index"), place = number(&r->doc, "content_index");
  if (!json_is(&r->doc, part, JSON_OBJECT)) return VDT_ESYNTAX;
  int rc = read_part(r, p, part, index, place);
  struct item *i = item_at(s, p->choice, index);
  if (!rc && done && !p->choice->cut && i && i->parts_done <= place) i->parts_done = place + 1;
  return rc;
}

static void keep_usage(struct wire_response *r, uint32_t response)
{
  uint32_t usage = json_get(&r->doc, response, "usage");
  uint64_t in = 0, out = 0, all = 0;
  json_u64(&r->doc, wire_get(&r->doc, usage, "input_tokens"), &in);
  json_u64(&r->doc, wire_get(&r->doc, usage, "output_tokens"), &out);
  json_u64(&r->doc, wire_get(&r->doc, usage, "total_tokens"), &all);
  r->info.prompt_tokens += in;
  r->info.completion_tokens += out;
  r->info.total_tokens += all;
}

static int read_done(struct wire_response *r, struct response *p, uint32_t response)
{
  uint32_t output = json_get(&r->doc, response, "output"), details = json_get(&r->doc, response, "status_details");
  unsigned index = 0;
  int rc = p->choice->cut ? VDT_OK : choice_flush(r, p->choice);
  for (uint32_t i = json_is(&r->doc, output, JSON_ARRAY) ? json_first(&r->doc, output) : 0; i && !rc;
       i = json_next(&r->doc, output, i))
    if (json_is(&r->doc, i, JSON_OBJECT)) rc = read_item(r, p, i, index++);
  if (rc) return rc;
  keep_usage(r, response);
  p->choice->finished = r->ended = true;
  struct str reason = string(r, details, "reason");
  if (!p->choice->cut) response_finish_reason(r, reason.n ? reason : string(r, response, "status"));
  return VDT_OK;
}

/* response.created and response.done carry the object; created remembers it for an end of ours. */
static int read_response(struct wire_response *r, struct response *p, bool done)
{
  uint32_t response = json_get(&r->doc, 0, "response");
  if (!json_is(&r->doc, response, JSON_OBJECT)) return VDT_ESYNTAX;
  if (done) return read_done(r, p, response);
  if (!p->raw.n) p->raw = arena_dup(r->arena, json_raw(&r->doc, response));
  p->choice->finished = false;
  p->choice->cut |= r->stop_next;
  r->stop_next = false;
  return p->raw.p ? VDT_OK : VDT_ENOMEM;
}

static int read_other(struct wire_response *r, struct response *p)
{
  static const char *const ids[] = {"type", "event_id", "response_id", "item_id", "call_id", "previous_item_id", "name"};
  struct text_ref ref = {REALTIME_OTHER, {WIRE_MAX_PLACES - 1, 0}, 0};
  struct text_effect effect = {0};
  int rc = VDT_OK;
  if (json_is(&r->doc, json_get(&r->doc, 0, "delta"), JSON_STRING)) response_not_inspected(r, "delta of an unknown kind");
  for (uint32_t m = json_first(&r->doc, 0); m && !rc; m = json_next(&r->doc, 0, m)) {
    struct str name;
    bool id = false;
    if (!json_key(&r->doc, m, r->scratch, &name)) return VDT_ENOMEM;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) id |= str_eq(name, str_of(ids[i]));
    if (!id) rc = channel_strings(r, p->choice, &ref, 1, m, &effect);
  }
  return rc;
}

/* An event of one response. *piece: it carries a piece of a text, and goes out even where that is the last one. */
static int read_event(struct wire_response *r, struct state *s, struct response *p, struct str type, bool *piece)
{
  for (size_t t = 0; t < 2 * TEXTS; t++) {
    const char *name = texts[t / 2].names[t % 2];
    *piece = is_event(type, name, "delta");
    if (!*piece && !is_event(type, name, "done")) continue;
    if (texts[t / 2].part) s->preview = t % 2;
    return read_text(r, p, t / 2, !*piece);
  }
  if (is_event(type, "output_item", "added")) return read_item_event(r, s, p, false);
  if (is_event(type, "output_item", "done")) return read_item_event(r, s, p, true);
  if (is_event(type, "content_part", "added")) return read_part_event(r, s, p, false);
  if (is_event(type, "content_part", "done")) return read_part_event(r, s, p, true);
  if (str_eq(type, STR("response.created"))) return read_response(r, p, false);
  if (str_eq(type, STR("response.done"))) return read_response(r, p, true);
  if (str_find(type, STR("audio.delta")) != (size_t)-1) {
    response_not_inspected(r, "audio");
    r->drop = p->masked;
    return VDT_OK;
  }
  return read_other(r, p);
}

/* The response that an event speaks of. */
static struct response *subject(struct wire_response *r, struct state *s)
{
  uint32_t response = json_get(&r->doc, 0, "response");
  struct str id = response ? string(r, response, "id") : top(r, "response_id");
  const struct item *i = id.n ? NULL : item_called(s, top(r, "item_id"));
  return i ? i->response : response_find(r, s, id);
}

static int read_response_event(struct wire_response *r, struct state *s, struct str type)
{
  struct response *p = subject(r, s);
  bool piece = false;
  if (!p) return VDT_ENOMEM;
  bool before = p->choice->cut;
  int rc = read_event(r, s, p, type, &piece);
  if (rc || !p->choice->cut) return rc;
  bool created = str_eq(type, STR("response.created"));
  r->drop = before || (!piece && !created);
  if (before) return VDT_OK;
  response_finish_reason(r, STR("content_filter"));
  realtime_ended(r, p->choice, &r->after);
  return VDT_OK;
}

/* An item of the conversation: what the model said is set to what left; what the client said was read when it sent it. */
static int read_conversation_item(struct wire_response *r, struct state *s)
{
  uint32_t node = json_get(&r->doc, 0, "item"), role = wire_get(&r->doc, node, "role");
  if (!json_is(&r->doc, node, JSON_OBJECT)) return VDT_OK;
  bool theirs = json_string_is(&r->doc, role, "user") || json_string_is(&r->doc, role, "system") ||
                json_string_is(&r->doc, json_get(&r->doc, node, "type"), "function_call_output");
  if (theirs) return VDT_OK;
  const struct item *i = item_called(s, string(r, node, "id"));
  struct response *p = i ? i->response : response_find(r, s, STR(""));
  if (!p) return VDT_ENOMEM;
  int rc = read_item(r, p, node, i ? i->index : 0);
  r->drop = p->choice->cut && i;
  return rc;
}

static bool has_no_text(struct str type)
{
  static const struct str starts[] = {STR("session."),
                                      STR("transcription_session."),
                                      STR("rate_limits."),
                                      STR("input_audio_buffer."),
                                      STR("output_audio_buffer."),
                                      STR("conversation."),
                                      STR("error"),
                                      STR("response.cancel")};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (str_starts(type, starts[i])) return true;
  return false;
}

int realtime_answer(struct wire_response *r)
{
  struct state *s = state_of(r);
  struct str type = s ? top(r, "type") : STR("");
  if (!s) return VDT_ENOMEM;
  if (!type.n) return VDT_ESYNTAX;
  if (str_starts(type, STR("session."))) r->ways = realtime_ways(&r->doc, json_get(&r->doc, 0, "session"));
  if (str_starts(type, STR("conversation.item.")) && json_get(&r->doc, 0, "item")) return read_conversation_item(r, s);
  if (str_eq(type, STR("conversation.item.input_audio_transcription.completed"))) {
    r->heard = top(r, "transcript");
    return VDT_OK;
  }
  return has_no_text(type) ? VDT_OK : read_response_event(r, s, type);
}
