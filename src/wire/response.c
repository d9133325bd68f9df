/*
 * A response as a whole: bytes in, events or one body out.
 *
 * An event is worked on completely before any of its bytes leave, so that an event that cannot be read leaves nothing
 * behind; it stays in the buffer for a caller that fails open. All memory but the arena's is bounded by one event or
 * body of at most max_body bytes.
 */
#include "wire/response.h"

int wire_response_new(const struct wire_format *format, struct vdt_arena *arena, const struct wire_response_options *opt,
                      const struct wire_hooks *hooks, struct wire_response **out)
{
  struct wire_response *r = calloc(1, sizeof *r);
  if (!r) return VDT_ENOMEM;
  /* Nodes take up to fourteen times the bytes of the densest JSON; an ordinary body takes a fraction. */
  size_t room = opt->max_body > SIZE_MAX / 16 ? SIZE_MAX : opt->max_body * 16;
  *r = (struct wire_response){.format = format, .arena = arena, .opt = *opt, .hooks = *hooks};
  if (r->opt.limits.depth == 0) r->opt.limits = JSON_LIMITS_DEFAULT;
  r->end = &r->choices;
  r->scratch = vdt_arena_new(room < ((size_t)64 << 20) ? 0 : room);
  if (!r->scratch) {
    free(r);
    return VDT_ENOMEM;
  }
  *out = r;
  return VDT_OK;
}

void wire_response_free(struct wire_response *r)
{
  if (!r) return;
  for (struct choice *c = r->choices; c; c = c->next) {
    for (struct channel *ch = c->channels; ch; ch = ch->next) {
      buf_finish(&ch->in);
      buf_finish(&ch->out);
    }
  }
  sse_finish(&r->sse);
  buf_finish(&r->body);
  edits_finish(&r->edits);
  buf_finish(&r->before);
  buf_finish(&r->after);
  buf_finish(&r->json);
  buf_finish(&r->head);
  buf_finish(&r->reply);
  vdt_arena_free(r->scratch);
  free(r);
}

const struct wire_response_info *wire_response_info(const struct wire_response *r)
{
  return &r->info;
}

/* ---- events ---- */

int response_flush(struct wire_response *r)
{
  for (struct choice *c = r->choices; c; c = c->next) {
    if (c->cut) continue;
    int rc = choice_flush(r, c);
    if (rc) return rc;
    if (!c->cut) continue;
    r->format->ended(r, c, &r->before);
    if (c->index == 0) response_finish_reason(r, STR("content_filter"));
  }
  return VDT_OK;
}

static int write_event(struct wire_response *r, const struct sse_event *event, struct buf *out)
{
  buf_put(out, buf_str(&r->before));
  if (r->drop) return VDT_OK;
  if (r->edits.n == 0) {
    buf_put(out, event->raw);
    return VDT_OK;
  }
  buf_reset(&r->json);
  if (!edits_apply(&r->edits, event->data, &r->json)) return VDT_ENOMEM;
  if (r->opt.mode == WIRE_LINES) {
    buf_put(out, buf_str(&r->json));
    BUF_LIT(out, "\n");
  } else {
    sse_rewrite(event, buf_str(&r->json), out);
  }
  return VDT_OK;
}

/* ---- calls of tools ---- */

/* However formats wrap it, a call is an object with its name beside its arguments. */
static bool is_call(const struct json_doc *d, uint32_t o)
{
  static const char *const arguments[] = {"arguments", "input", "args"};
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
    if (json_get(d, o, arguments[i])) return true;
  return false;
}

/* A stream that may not go on: everything open ends. */
static int end_all(struct wire_response *r)
{
  for (struct choice *c = r->choices; c; c = c->next) {
    if (c->finished || c->cut) continue;
    int rc = choice_flush(r, c);
    if (rc) return rc;
    c->cut = true;
    r->format->ended(r, c, &r->before);
  }
  response_finish_reason(r, STR("content_filter"));
  r->drop = r->withheld = true;
  return VDT_OK;
}

/* *stopped: nothing of the event is to be read. */
static int read_calls(struct wire_response *r, struct str text, bool *stopped)
{
  const struct json_doc *d = &r->doc;
  bool stop = false;
  *stopped = false;
  if (!r->hooks.tool || str_find(text, STR("\"name\"")) == (size_t)-1) return VDT_OK;
  for (uint32_t o = 0; o < d->n; o++) {
    struct str name;
    uint32_t node = d->nodes[o].type == JSON_OBJECT ? json_get(d, o, "name") : 0;
    if (!json_is(d, node, JSON_STRING) || !is_call(d, o)) continue;
    if (!json_string(d, node, r->scratch, &name)) return VDT_ENOMEM;
    int rc = r->hooks.tool(r->hooks.ctx, name, &stop);
    if (rc) return rc;
    *stopped |= stop;
  }
  *stopped &= response_streams(r);
  if (!*stopped) return VDT_OK;
  struct choice *first = r->choices ? r->choices : choice_find(r, 0);
  return first ? end_all(r) : VDT_ENOMEM;
}

/* Parses the JSON text and works through it; results in r->before, r->edits, r->after, r->drop. */
static int read_json(struct wire_response *r, struct str text)
{
  edits_reset(&r->edits);
  r->drop = false;
  int rc = (r->format->numbers ? json_parse_sparse : json_parse)(r->scratch, text, &r->opt.limits, &r->doc, NULL);
  if (rc) return rc;
  uint8_t type = r->doc.nodes[0].type;
  if (type != JSON_OBJECT && !(type == JSON_ARRAY && r->format->arrays) && !r->format->unknown) return VDT_ESYNTAX;
  bool stopped;
  rc = read_calls(r, text, &stopped);
  if (!rc && !stopped) rc = r->format->answer(r);
  if (!rc && (r->before.failed || r->after.failed || r->head.failed)) rc = VDT_ENOMEM;
  return rc;
}

static void say_goodbye(const struct wire_response *r, struct buf *out)
{
  buf_put(out, str_of(r->format->goodbye));
}

/* One event: all of it goes to out, or nothing. */
static int read_event(struct wire_response *r, const struct sse_event *event, struct buf *out)
{
  int rc = VDT_OK;
  buf_reset(&r->before);
  buf_reset(&r->after);
  edits_reset(&r->edits);
  r->drop = r->withheld = false;
  if (event->raw.n > r->opt.max_body) return VDT_ETOOBIG;
  bool over = str_eq(event->data, STR("[DONE]"));
  r->event = event->event;
  if (over) rc = response_flush(r);
  else if (event->data.n) rc = read_json(r, event->data);
  size_t n = out->n;
  if (!rc) rc = write_event(r, event, out);
  if (rc) {
    out->n = n;
    return rc;
  }
  buf_put(out, buf_str(&r->after));
  r->info.done = over || response_over(r);
  if (r->info.done && !over) say_goodbye(r, out);
  return VDT_OK;
}

/* The events that are complete. */
static int drain(struct wire_response *r, struct buf *out)
{
  struct sse_event event;
  while (!r->info.done) {
    vdt_arena_reset(r->scratch);
    if (!(r->opt.mode == WIRE_LINES ? lines_next(&r->sse, &event) : sse_next(&r->sse, r->scratch, &event))) break;
    int rc = read_event(r, &event, out);
    if (!rc) continue;
    r->sse.taken -= event.raw.n; /* keep it for fail_open */
    return rc;
  }
  if (r->sse.pending.failed) return VDT_ENOMEM;
  return !r->info.done && sse_rest(&r->sse).n > r->opt.max_body ? VDT_ETOOBIG : VDT_OK;
}

/* ---- messages ---- */

static struct str lines_of(const struct buf *b)
{
  return b->n ? buf_str(b) : STR("");
}

bool wire_response_is_open(const struct wire_response *r)
{
  for (const struct choice *c = r->choices; c; c = c->next)
    if (!c->finished) return true;
  return false;
}

static int give(struct wire_response *r, struct str event, struct wire_message *out)
{
  *out = (struct wire_message){lines_of(&r->before),
                               lines_of(&r->after),
                               event,
                               lines_of(&r->reply),
                               r->heard,
                               r->ended && !wire_response_is_open(r),
                               r->ways,
                               false};
  return r->reply.failed ? VDT_ENOMEM : VDT_OK;
}

static void begin_message(struct wire_response *r)
{
  vdt_arena_reset(r->scratch);
  buf_reset(&r->before);
  buf_reset(&r->after);
  buf_reset(&r->reply);
  buf_reset(&r->json);
  edits_reset(&r->edits);
  r->heard = r->event = STR("");
  r->ways = WIRE_WAYS_UNSAID;
  r->drop = r->withheld = r->ended = false;
}

int wire_response_message(struct wire_response *r, struct str text, struct wire_message *out)
{
  begin_message(r);
  int rc = text.n > r->opt.max_body ? VDT_ETOOBIG : read_json(r, text);
  if (!rc && !r->drop && r->edits.n && !edits_apply(&r->edits, text, &r->json)) rc = VDT_ENOMEM;
  if (!rc) rc = give(r, r->drop ? STR("") : r->edits.n ? buf_str(&r->json) : text, out);
  if (!rc) return VDT_OK;
  *out = (struct wire_message){.withheld = r->withheld};
  response_not_inspected(r, vdt_strerror(rc));
  return rc;
}

int wire_response_stop(struct wire_response *r, struct wire_message *out)
{
  begin_message(r);
  r->doc.n = 0;
  r->stop_next = true;
  for (struct choice *c = r->choices; c; c = c->next) {
    if (c->finished || c->cut) continue;
    int rc = choice_flush(r, c);
    if (rc) return rc;
    c->cut = true;
    r->stop_next = false;
    r->format->ended(r, c, &r->before);
  }
  response_finish_reason(r, STR("content_filter"));
  return give(r, STR(""), out);
}

/* ---- bytes ---- */

static int feed(struct wire_response *r, struct str in, struct buf *out)
{
  if (response_streams(r)) return sse_feed(&r->sse, in) ? drain(r, out) : VDT_ENOMEM;
  buf_put(&r->body, in);
  if (r->body.failed) return VDT_ENOMEM;
  return r->body.n > r->opt.max_body ? VDT_ETOOBIG : VDT_OK;
}

/* Remembers an error, so that nothing follows it but fail_open. */
static int stop(struct wire_response *r, int rc, const struct buf *out)
{
  if (!rc && out->failed) rc = VDT_ENOMEM;
  r->failed = rc;
  return rc;
}

int wire_response_feed(struct wire_response *r, struct str in, struct buf *out)
{
  if (r->info.done) return VDT_OK;
  if (r->passing) {
    buf_put(out, in);
    return out->failed ? VDT_ENOMEM : VDT_OK;
  }
  if (r->failed) return r->failed;
  return stop(r, feed(r, in, out), out);
}

static int finish_events(struct wire_response *r, bool truncated, struct buf *out)
{
  if (sse_rest(&r->sse).n) {
    /* An event without its blank line. When the upstream broke off, half an event is nothing a client could use. */
    int rc = sse_feed(&r->sse, r->opt.mode == WIRE_LINES ? STR("\n") : STR("\n\n")) ? drain(r, out) : VDT_ENOMEM;
    if (rc && !(truncated && rc == VDT_ESYNTAX)) return rc;
  }
  if (r->info.done) return VDT_OK;
  buf_reset(&r->before);
  int rc = response_flush(r);
  if (!rc) buf_put(out, buf_str(&r->before));
  if (!rc && response_over(r)) {
    say_goodbye(r, out);
    r->info.done = true;
  }
  return rc;
}

static int finish_body(struct wire_response *r, struct buf *out)
{
  int rc = read_json(r, r->body.n ? buf_str(&r->body) : STR(""));
  if (rc) return rc;
  size_t n = out->n;
  if (edits_apply(&r->edits, buf_str(&r->body), out)) return VDT_OK;
  out->n = n;
  return VDT_ENOMEM;
}

int wire_response_finish(struct wire_response *r, bool truncated, struct buf *out)
{
  if (r->info.done || r->passing) return VDT_OK;
  if (r->failed) return r->failed;
  return stop(r, response_streams(r) ? finish_events(r, truncated, out) : finish_body(r, out), out);
}

static const char *why_failed(int code)
{
  return code == VDT_ETOOBIG ? "response larger than max_body" : code ? vdt_strerror(code) : "stopped by the gateway";
}

/* Raw bytes of a body that the hook wanted changed may not leave. */
static void fail_open_body(struct wire_response *r, struct buf *out)
{
  r->info.done = r->withheld;
  if (r->withheld) wire_error_body(r->format, VDT_EUPSTREAM, STR("the model's answer could not be inspected"), out);
  else buf_put(out, buf_str(&r->body));
}

/* What was cut stays cut: bytes that nobody reads could carry on where it ended. */
static void fail_open_events(struct wire_response *r, struct buf *out)
{
  bool closed = r->withheld;
  buf_reset(&r->before);
  if (response_flush(r) == VDT_OK) buf_put(out, buf_str(&r->before));
  for (struct choice *c = r->choices; c; c = c->next) closed |= c->cut;
  r->info.done = closed;
  if (closed) say_goodbye(r, out);
  else buf_put(out, sse_rest(&r->sse));
}

void wire_response_fail_open(struct wire_response *r, struct buf *out)
{
  if (r->info.done || r->passing) return;
  r->passing = true;
  response_not_inspected(r, why_failed(r->failed));
  if (!r->inspected_some) r->info.inspected = VDT_NONE;
  if (r->opt.mode == WIRE_JSON) fail_open_body(r, out);
  else fail_open_events(r, out);
}
