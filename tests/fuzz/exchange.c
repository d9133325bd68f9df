/*
 * Whole conversations in every format. Byte 0 chooses deployment and kind of answer, byte 1 how the answer is cut, byte 2 the upstream's
 * status and coding and, in its upper half, the format; the rest is the request's body up to the first 0xFF, then the answer. With bit 6 of
 * byte 0 the answer is text, one delta a line, and the harness makes the events; with bit 7 the request is text too.
 *
 * In one piece and in many, the same leaves and the same is recorded, and every record is valid. What was inspected is what is sent: a
 * request leaves byte for byte or with nothing but its secrets changed, its text is among the parts that were read, and what a client reads
 * of an answer has none of the secrets that policy masks.
 */
#include "formats.h"
#include "tests/exchange/rig.h"

/* Not within the first input, whose time is limited. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  rig_load();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const deployments[] = {"kept", "cut", "block", "strict", "tools-cut", "notes", "m", "hush"};

#define check(ok) check_at(ok, __LINE__)
static void check_at(bool ok, int line)
{
  if (ok) return;
  fprintf(stderr, "tests/fuzz/exchange.c:%d: does not hold\n", line);
  abort();
}

/* A line of text becomes a delta of choice 0 or 1, as content or as arguments of a tool. */
static void put_event(struct buf *b, struct str line)
{
  char kind = line.n ? line.p[0] : 'a';
  buf_printf(b, "data: {\"id\":\"c\",\"choices\":[{\"index\":%d,\"delta\":{", kind & 1);
  buf_put(b, kind & 2 ? STR("\"content\":") : STR("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"));
  json_quote(b, line);
  buf_put(b, kind & 2 ? STR("}}]}\n\n") : STR("}}]}}]}\n\n"));
}

static void make_events(struct buf *b, struct str text)
{
  while (text.n) {
    const char *end = memchr(text.p, '\n', text.n);
    size_t n = end ? (size_t)(end - text.p) : text.n;
    put_event(b, str_cut(text, 0, n));
    text = str_cut(text, end ? n + 1 : n, text.n);
  }
  BUF_LIT(b, DONE);
}

static const struct carrier *carrier_of(const uint8_t *data)
{
  return &carriers[(data[2] >> 4) % CARRIERS];
}

static struct talk begin(const uint8_t *data, const char *path, struct str request, struct str answer)
{
  static const unsigned statuses[] = {200, 200, 400, 500};
  const struct carrier *c = carrier_of(data);
  struct talk t = {.path = path, .body = request.n ? request : STR(USER("hi")), .up = answer};
  t.up_type = data[0] & 0x48 ? (c->type ? c->type : "text/event-stream") : "application/json";
  t.truncated = data[0] & 0x10;
  t.coding = data[0] & 0x20 ? "gzip" : NULL;
  t.status = data[0] & 0x40 ? 200 : statuses[data[2] & 3];
  t.up_coding = data[2] & 4 ? "gzip" : data[2] & 8 ? "deflate" : NULL;
  if (data[0] & 0x40) t.up_coding = NULL;
  return t;
}

/* All of a record but how much was received: after a cut that depends on the pieces. */
static struct str told(const struct talk *t)
{
  struct str response = str_cut(LINE(t), str_find(LINE(t), STR("\"response\":{")), t->line.n);
  return str_cut(response, str_find(response, STR("\"parts\":")), response.n);
}

/* ---- requests ---- */

static bool has_part(const struct wire_request *q, struct str text)
{
  if (!text.n || str_find(text, STR("<documents>")) != (size_t)-1) return true; /* it is divided */
  for (size_t i = 0; i < q->n_parts; i++)
    if (!q->parts[i].skipped && str_eq(q->parts[i].text, text)) return true;
  return false;
}

/* What json_quote makes of bytes that are no UTF-8 is another text. */
static bool is_ascii(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] > 0x7e || ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n')) return false;
  return true;
}

static void check_request(const uint8_t *data, const struct talk *t, struct str text)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct wire_request before, after;
  const struct wire_format *f = wire_format_by_name(str_of(carrier_of(data)->format));
  bool readable =
      wire_request_parse(f, arena, t->body, &(struct json_limits){16, 1 << 20}, &before, &(struct vdt_error){0}) == VDT_OK;
  bool setting = wire_is_unknown(f) && text.n <= 16 && !memchr(text.p, ' ', text.n) && !memchr(text.p, '\n', text.n);
  if (data[0] & 0x80 && is_ascii(text) && !setting) check(readable && has_part(&before, text));
  if (t->next == EXCHANGE_FORWARD && !t->coding && t->record.request.inspected == VDT_FULL && readable) {
    check(wire_request_parse(f, arena, t->forwarded, &(struct json_limits){16, 1 << 20}, &after, &(struct vdt_error){0}) ==
          VDT_OK);
    check(after.n_parts == before.n_parts && (t->changed || str_eq(t->forwarded, t->body)));
    for (size_t i = 0; i < after.n_parts && !t->changed; i++) check(str_eq(after.parts[i].text, before.parts[i].text));
  }
  vdt_arena_free(arena);
}

/* ---- answers ---- */

/* What a client puts together of each channel. */
struct seen {
  struct buf text;
  struct seen *next;
};

static int collect(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct seen **all = ctx, *s = channel->user;
  (void)last;
  if (!s) {
    s = channel->user = calloc(1, sizeof *s);
    check(s != NULL);
    s->next = *all;
    *all = s;
  }
  buf_put(&s->text, in);
  *out = (struct wire_text){.p = in};
  return VDT_OK;
}

/* No secret that policy masks, cuts or blocks is left in it. */
static void check_text(const struct talk *t, struct str text)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy policy = *exchange_deployment(t->x)->policy;
  struct vdt_result r;
  check(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r) == VDT_OK);
  for (size_t i = 0; i < r.n_findings; i++) check(r.findings[i].action < VDT_REDACT || r.findings[i].n_layers);
  vdt_arena_free(arena);
}

static void check_answer(const uint8_t *data, const struct talk *t)
{
  const struct wire_format *f = wire_format_by_name(str_of(carrier_of(data)->format));
  struct seen *all = NULL;
  struct wire_hooks hooks = {.ctx = &all, .text = collect};
  struct wire_response_options opt = {.mode = wire_stream_mode(f), .max_body = 1 << 20};
  struct wire_response *r;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf again = {0};
  check(wire_response_new(f, arena, &opt, &hooks, &r) == VDT_OK);
  check(wire_response_feed(r, OUT(t), &again) == VDT_OK && wire_response_finish(r, t->truncated, &again) == VDT_OK);
  wire_response_free(r);
  while (all) {
    struct seen *s = all;
    all = s->next;
    if (s->text.n) check_text(t, buf_str(&s->text));
    buf_finish(&s->text);
    free(s);
  }
  buf_finish(&again);
  vdt_arena_free(arena);
}

static void compare(const uint8_t *data, const char *path, struct str request, struct str text, struct str answer)
{
  struct talk whole = begin(data, path, request, answer), cut = whole;
  rig_run(&whole);
  cut.cuts = data[1] == 2 ? 1 : 1 + data[1];
  rig_run(&cut);
  check(!test_failed);
  /* A broken coding is found sooner in small pieces: what was plain before it may have left by then. */
  if (!whole.up_coding) {
    check(str_eq(OUT(&whole), OUT(&cut)));
    check(str_eq(told(&whole), told(&cut)));
    check(whole.done == cut.done && exchange_status(whole.x) == exchange_status(cut.x));
  }
  check_request(data, &whole, text);
  bool made = data[0] & 0x40 && carrier_of(data)->first;
  if (made && whole.next == EXCHANGE_FORWARD && !whole.record.failed_open && exchange_deployment(whole.x))
    check_answer(data, &whole);
  rig_end(&whole);
  rig_end(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 3 || size > 65536) return 0;
  struct str rest = {(const char *)data + 3, size - 3}, request = rest, answer = STR(""), text;
  const struct carrier *c = carrier_of(data);
  const char *mark = rest.n ? memchr(rest.p, 0xFF, rest.n) : NULL;
  struct buf events = {0}, body = {0}, path = {0};
  if (mark) {
    request = str_cut(rest, 0, (size_t)(mark - rest.p));
    answer = str_cut(rest, request.n + 1, rest.n);
  }
  if (data[0] & 0x40 && !mark) {
    answer = rest;
    request = STR("");
  }
  text = request;
  if (data[0] & 0x40 && c->first) {
    if (c == carriers) make_events(&events, answer);
    else carry_stream(c, answer, &events);
    answer = buf_str(&events);
  }
  if (data[0] & 0x80 || c != carriers) carry_request(c, deployments[data[0] & 7], data[0] & 0x80 ? text : STR("hi"), &body);
  if (data[0] & 0x80 || (c != carriers && !request.n)) request = buf_str(&body);
  carry(&path, c->path, deployments[data[0] & 7]);
  buf_byte(&path, 0);
  compare(data, path.p, request, text, answer);
  buf_finish(&events);
  buf_finish(&body);
  buf_finish(&path);
  return 0;
}
