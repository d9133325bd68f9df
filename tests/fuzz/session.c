/*
 * Whole Realtime sessions. Byte 0 chooses the deployment and how the bytes are cut; each line of the rest is a message: 'c' and 'u' before
 * it say whose, 'd' is a text that the harness makes a delta of, 'p' a text that it makes the user's item of, 'r' raw bytes of the client.
 *
 * However the bytes are cut, the same arrives at both sides and the same is recorded; what arrives are whole frames; and of the pieces of an
 * answer nothing that policy masks is left.
 */
#include "base/websocket.h"
#include "gateway/session.h"
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

static const char *const deployments[] = {"kept", "cut", "block", "strict", "watch", "notes", "m", "ask"};

static void check(bool ok)
{
  if (!ok) abort();
}

struct stage {
  struct exchange *first;
  struct session *s;
  struct websocket in[2];
  struct buf got[2], records, deltas;
  size_t step;
  unsigned char next;
};

static const unsigned char *hook_random(void *ctx)
{
  static unsigned char random[16];
  random[0] = ++((struct stage *)ctx)->next;
  return random;
}

static bool hook_record(void *ctx, struct buf *line)
{
  struct stage *t = ctx;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct record r;
  check(!line->failed && record_read(arena, buf_str(line), &r, &(struct vdt_error){0}) == VDT_OK);
  rig_write(&r, &t->records);
  vdt_arena_free(arena);
  buf_finish(line);
  return true;
}

static uint64_t hook_now(void *ctx)
{
  (void)ctx;
  return 2000000;
}

static void begin(struct stage *t, const char *deployment, size_t step)
{
  static const unsigned char random[16] = {0xcd, 1};
  struct session_hooks hooks = {t, hook_random, hook_record, hook_now, NULL};
  char query[64];
  *t = (struct stage){.step = step};
  snprintf(query, sizeof query, "model=%s", deployment);
  struct exchange_head head = {
      .method = STR("GET"), .path = STR("/v1/realtime"), .query = str_of(query), .upgrade = STR("websocket")};
  t->first = exchange_new(&rig_image, rig_scanner, random, 1000000);
  check(exchange_request_head(t->first, &head) == EXCHANGE_FORWARD && exchange_session_open(t->first));
  t->s = session_new(t->first, &hooks);
  t->in[SESSION_CLIENT] = (struct websocket){.max = 1 << 22};
  t->in[SESSION_UPSTREAM] = (struct websocket){.masked = true, .max = 1 << 22};
}

/* The pieces of the answer that the harness made, as the client puts them together. */
static void keep_delta(struct stage *t, struct str event)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct json_doc doc;
  struct str text;
  if (json_parse(arena, event, NULL, &doc, NULL) == VDT_OK &&
      json_string_is(&doc, json_get(&doc, 0, "type"), "response.output_text.delta") &&
      json_string_is(&doc, json_get(&doc, 0, "response_id"), "fuzz") &&
      json_string(&doc, json_get(&doc, 0, "delta"), arena, &text))
    buf_put(&t->deltas, text);
  vdt_arena_free(arena);
}

static void receive(struct stage *t, enum session_side side)
{
  struct buf *out = session_out(t->s, side);
  struct ws_message m;
  struct str in = out->n ? buf_str(out) : STR("");
  while (websocket_next(&t->in[side], &in, &m)) {
    buf_printf(&t->got[side], "%d:", (int)m.kind);
    buf_put(&t->got[side], m.data);
    BUF_LIT(&t->got[side], "\n");
    if (side == SESSION_CLIENT && m.kind == WS_TEXT) keep_delta(t, m.data);
  }
  check(t->in[side].error == 0 && (in.n == 0 || t->in[side].closed));
  buf_reset(out);
}

static void feed(struct stage *t, enum session_side from, struct str bytes)
{
  size_t step = t->step ? t->step : bytes.n + 1;
  for (size_t at = 0; at < bytes.n; at += step)
    session_feed(t->s, from, str_cut(bytes, at, bytes.n - at < step ? bytes.n : at + step));
  receive(t, SESSION_CLIENT);
  receive(t, SESSION_UPSTREAM);
}

static void frame(struct stage *t, enum session_side from, struct str text)
{
  struct buf b = {0};
  websocket_put(&b, WS_TEXT, text, from == SESSION_CLIENT ? (const unsigned char *)"\x5a\x01\xff\x80" : NULL);
  feed(t, from, buf_str(&b));
  buf_finish(&b);
}

static void made(struct stage *t, enum session_side from, const char *before, struct str text, const char *after)
{
  struct buf b = {0};
  buf_put(&b, str_of(before));
  json_quote(&b, text);
  buf_put(&b, str_of(after));
  frame(t, from, buf_str(&b));
  buf_finish(&b);
}

static void take_line(struct stage *t, struct str line)
{
  struct str text = line.n ? str_cut(line, 1, line.n) : STR("");
  switch (line.n ? line.p[0] : 0) {
  case 'c': frame(t, SESSION_CLIENT, text); break;
  case 'u': frame(t, SESSION_UPSTREAM, text); break;
  case 'r': feed(t, SESSION_CLIENT, text); break;
  case 'd':
    made(t, SESSION_UPSTREAM,
         "{\"type\":\"response.output_text.delta\",\"response_id\":\"fuzz\",\"output_index\":0,\"content_index\":0,\"delta\":",
         text, "}");
    break;
  case 'p':
    made(t, SESSION_CLIENT,
         "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_"
         "text\",\"text\":",
         text, "}]}}");
    break;
  default: break;
  }
}

static void play(struct stage *t, struct str script)
{
  frame(t, SESSION_UPSTREAM, STR("{\"type\":\"response.created\",\"response\":{\"id\":\"fuzz\",\"output\":[]}}"));
  while (script.n) {
    const char *end = memchr(script.p, '\n', script.n);
    size_t n = end ? (size_t)(end - script.p) : script.n;
    take_line(t, str_cut(script, 0, n));
    script = str_cut(script, end ? n + 1 : n, script.n);
  }
  frame(t, SESSION_UPSTREAM, STR("{\"type\":\"response.done\",\"response\":{\"id\":\"fuzz\",\"output\":[]}}"));
  session_end(t->s, RECORD_COMPLETE);
}

static void check_deltas(const struct stage *t)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy policy = *exchange_deployment(t->first)->policy;
  struct vdt_result r;
  struct str text = t->deltas.n ? buf_str(&t->deltas) : STR("");
  check(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r) == VDT_OK);
  for (size_t i = 0; i < r.n_findings; i++) check(r.findings[i].action < VDT_REDACT || r.findings[i].n_layers);
  vdt_arena_free(arena);
}

static void end(struct stage *t)
{
  session_free(t->s);
  exchange_free(t->first);
  for (int i = 0; i < 2; i++) {
    websocket_finish(&t->in[i]);
    buf_finish(&t->got[i]);
  }
  buf_finish(&t->records);
  buf_finish(&t->deltas);
}

static struct str got(const struct buf *b)
{
  return b->n ? buf_str(b) : STR("");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1 || size > 16384) return 0;
  struct str script = {(const char *)data + 1, size - 1};
  struct stage whole, cut;
  begin(&whole, deployments[data[0] & 7], 0);
  play(&whole, script);
  begin(&cut, deployments[data[0] & 7], 1 + (data[0] >> 3));
  play(&cut, script);
  check(!test_failed);
  for (int i = 0; i < 2; i++) check(str_eq(got(&whole.got[i]), got(&cut.got[i])));
  check(str_eq(got(&whole.records), got(&cut.records)));
  /* A message of the script may have begun the text itself, or one that cannot be read has passed. */
  if (str_find(script, STR("fuzz")) == (size_t)-1 && str_find(got(&whole.records), STR("\"failed_open\":true")) == (size_t)-1)
    check_deltas(&whole);
  end(&whole);
  end(&cut);
  return 0;
}
