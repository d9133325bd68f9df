/*
 * Memory runs out: each allocation of a conversation fails once, and once from there on. Nothing crashes, nothing leaks from the heap, a
 * blocked prompt is not forwarded, and what policy masks leaves only when the record says that inspection failed open.
 */
#include "base/websocket.h"
#include "gateway/session.h"
#include "rig.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static unsigned long calls, fail_at; /* fail_at 0: none fails */
static bool fail_on;                 /* and all after it */

static bool fails(void)
{
  calls++;
  return fail_at && (fail_on ? calls >= fail_at : calls == fail_at);
}

void *__wrap_malloc(size_t n)
{
  return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
  return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
  return fails() ? NULL : __real_realloc(p, n);
}

/* Like rig_run, but whatever fails is an answer too. */
struct outcome {
  bool made, forwarded, broken, opened, went_up;
  unsigned status;
  struct buf out, line;
};

static void respond(struct exchange *x, const struct talk *t, struct outcome *o)
{
  bool done = false;
  enum exchange_mode mode =
      exchange_response_head(x, 200, str_of(t->up_type ? t->up_type : "application/json"), str_of(t->up_coding));
  for (size_t at = 0; mode != EXCHANGE_REFUSE && at < t->up.n && !done && !o->broken; at += 50)
    o->broken = exchange_response_feed(x, str_cut(t->up, at, t->up.n - at < 50 ? t->up.n : at + 50), &o->out, &done) != 0;
  if (mode != EXCHANGE_REFUSE && !done && !o->broken) o->broken = exchange_response_finish(x, false, &o->out) != 0;
}

static void converse(const struct talk *t, struct outcome *o)
{
  static const unsigned char random[16] = {1};
  char path[128];
  snprintf(path, sizeof path, "/openai/deployments/%s/chat/completions", t->deployment);
  struct exchange_head head = {.method = STR("POST"),
                               .path = str_of(t->path ? t->path : path),
                               .content_type = STR("application/json"),
                               .api_key = STR("k")};
  struct exchange *x = exchange_new(&rig_image, rig_scanner, random, 1);
  o->made = x != NULL;
  if (!x) return;
  enum exchange_next next = exchange_request_head(x, &head);
  if (next == EXCHANGE_READ_BODY) next = exchange_request_body(x, t->body);
  if (next == EXCHANGE_ASK) {
    struct buf asking = {0};
    exchange_asking(x, 5, &asking);
    buf_finish(&asking);
    next = exchange_opinion_answer(x, 200, STR("{\"userPromptAnalysis\":{\"attackDetected\":true}}"), 6);
  }
  o->forwarded = next == EXCHANGE_FORWARD;
  if (next == EXCHANGE_ANSWER) buf_put(&o->out, exchange_answer(x).body);
  bool changed;
  o->went_up = o->forwarded && rig_has(exchange_forward_body(x, &changed), KEY_BODY);
  if (o->forwarded) respond(x, t, o);
  o->status = exchange_status(x);
  exchange_record(x, RECORD_COMPLETE, 9, &o->line);
  exchange_free(x);
}

/* What must not be: the key in the answer; a prompt that is forwarded; the key in what goes upstream; a decision that content may go. */
enum wrong { ANSWERED, FORWARDED, SENT, ALLOWED };

static bool is_wrong(enum wrong wrong, const struct outcome *o, struct str out)
{
  switch (wrong) {
  case FORWARDED: return o->forwarded;
  case SENT: return o->went_up;
  case ALLOWED: return o->made && !o->out.failed && o->status < 400 && !rig_has(out, "\"restrictAccess\"");
  case ANSWERED: break;
  }
  return rig_has(out, KEY_BODY);
}

static void judge(const struct talk *t, struct outcome *o, enum wrong wrong, unsigned long n)
{
  fail_at = 0;
  struct str line = o->line.n ? buf_str(&o->line) : STR(""), out = o->out.n ? buf_str(&o->out) : STR("");
  o->opened = rig_has(line, "\"failed_open\":true") || o->line.failed;
  bool ok = !rig_has(line, KEY_BODY);
  if (is_wrong(wrong, o, out)) ok &= o->opened && strcmp(t->deployment, "strict") != 0;
  if (!ok && !test_failed) printf("# allocation %lu: %.*s%.*s\n", n, (int)out.n, out.p, (int)line.n, line.p);
  if (!ok) test_failed = true;
  buf_finish(&o->out);
  buf_finish(&o->line);
}

static void try_all(const struct talk *t, enum wrong wrong)
{
  for (int on = 0; on < 2; on++) {
    unsigned long n = 0, last;
    do {
      struct outcome o = {0};
      n++;
      calls = 0;
      fail_at = n;
      fail_on = on;
      converse(t, &o);
      last = calls;
      judge(t, &o, wrong, n);
    } while (n <= last && n < 5000);
    CHECK(n > 10 && n < 5000);
  }
}

static const char *const deployments[] = {"kept", "strict", "block", "notes"};

static void json_answers(void)
{
  for (size_t d = 0; d < 4; d++)
    try_all(&(struct talk){.deployment = deployments[d], .body = STR(USER("hi")), .up = STR(ANSWER("use " KEY " and " NUMBER))},
            ANSWERED);
}

static void streams(void)
{
  for (size_t d = 0; d < 4; d++)
    try_all(&(struct talk){.deployment = deployments[d],
                           .body = STR(USER("hi")),
                           .up_type = "text/event-stream",
                           .up = STR(SAY("use tok_q8Zr4Lw1X") SAY("v7Np2Kd9Jb3") SAY(" and " NUMBER) STOP DONE)},
            ANSWERED);
}

#define HALF1       "use tok_q8Zr4Lw1X"
#define HALF2       "v7Np2Kd9Jb3"
#define EVENT(json) "data: " json "\n\n"

static const struct {
  const char *path, *body, *type, *up;
} formats[] = {
    {"/v1/responses", "{\"model\":\"strict\",\"input\":\"hi\"}", "text/event-stream",
     EVENT("{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"output\":[]}}") EVENT(
         "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"i\",\"content\":[]}"
         "}") EVENT("{\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"" HALF1 "\"}")
         EVENT("{\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"" HALF2 "\"}") EVENT(
             "{\"type\":\"response.output_text.done\",\"output_index\":0,\"content_index\":0,\"text\":\"" HALF1 HALF2 "\"}")
             EVENT("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"type\":\"message\",\"content\":[{"
                   "\"type\":\"output_text\",\"text\":\"" HALF1 HALF2 "\"}]}]}}")},
    {"/v1/messages", "{\"model\":\"strict\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", "text/event-stream",
     EVENT("{\"type\":\"message_start\",\"message\":{\"content\":[]}}")
         EVENT("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}")
             EVENT("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" HALF1 "\"}}")
                 EVENT("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" HALF2
                       "\"}}") EVENT("{\"type\":\"content_block_stop\",\"index\":0}") EVENT("{\"type\":\"message_stop\"}")},
    {"/api/generate", "{\"model\":\"strict\",\"prompt\":\"hi\"}", "application/x-ndjson",
     "{\"response\":\"" HALF1 "\",\"done\":false}\n{\"response\":\"" HALF2
     "\",\"done\":false}\n{\"response\":\"\",\"done\":true}\n"},
    {"/v1beta/models/strict:generateContent", "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]}", "application/json",
     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" HALF1 "\"},{\"text\":\"" HALF2
     "\"}]},\"finishReason\":\"STOP\"}]}"},
    {"/v1/threads/runs", "{\"model\":\"strict\",\"input\":\"a text of some length\"}", "application/json",
     "{\"data\":[\"" HALF1 HALF2 "\"]}"},
};

/* All on the deployment that fails closed: nothing may leave unmasked, whatever the record says. */
static void other_formats(void)
{
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    try_all(&(struct talk){.deployment = "strict",
                           .path = formats[i].path,
                           .body = str_of(formats[i].body),
                           .up_type = formats[i].type,
                           .up = str_of(formats[i].up)},
            ANSWERED);
}

static void blocked_prompts(void)
{
  try_all(&(struct talk){.deployment = "strict", .body = STR(USER("hi " JAILBREAK)), .up = STR(ANSWER("fine"))}, FORWARDED);
  try_all(&(struct talk){.deployment = "kept", .body = STR(USER("hi " JAILBREAK)), .up = STR(ANSWER("fine"))}, FORWARDED);
}

/* Whatever fails on the way to a second opinion, its policy blocks. */
static void unsure_prompts(void)
{
  try_all(&(struct talk){.deployment = "ask-strict", .body = STR(USER(UNSURE " " KEY)), .up = STR(ANSWER("fine"))}, FORWARDED);
}

#define GUEST(text)                                                                                                              \
  STR("{\"model\":\"m\",\"user_security_context\":{\"end_user_id\":\"guest\"},\"messages\":[{\"role\":\"user\",\"content\":"     \
      "\"" text "\"}]}")

/* What holds on top of a policy does not get lost: neither for a prompt nor for the answer. */
static void policies_about_data(void)
{
  try_all(&(struct talk){.deployment = "m", .body = GUEST("use " KEY), .up = STR(ANSWER("fine"))}, FORWARDED);
  try_all(&(struct talk){.deployment = "watch", .body = GUEST("hi"), .up = STR(ANSWER("use " KEY))}, ANSWERED);
  try_all(&(struct talk){.deployment = "strict", .body = GUEST("hi"), .up = STR(ANSWER("use " KEY))}, ANSWERED);
}

/* Nobody is told that a content may go which was not judged to its end. */
static void decisions(void)
{
  static const char *const paths[] = {"/v1.0/users/guest/dataSecurityAndGovernance/processContent",
                                      "/beta/me/dataSecurityAndGovernance/processContent"};
  struct str body =
      STR("{\"contentToProcess\":{\"contentEntries\":[{\"content\":{\"@odata.type\":\"microsoft.graph.textContent\",\"data\":"
          "\"use " KEY
          " and \\u0041\"}}],\"activityMetadata\":{\"activity\":\"uploadText\"},\"protectedAppMetadata\":{\"name\":\"a\"}}}");
  for (size_t i = 0; i < 2; i++) try_all(&(struct talk){.deployment = "strict", .path = paths[i], .body = body}, ALLOWED);
}

/* ---- sessions ---- */

struct stage {
  struct buf records, got[2];
};

static const unsigned char *hook_random(void *ctx)
{
  static const unsigned char random[16] = {7};
  (void)ctx;
  return random;
}

static bool hook_record(void *ctx, struct buf *line)
{
  struct stage *t = ctx;
  fail_at = 0; /* what this test itself keeps does not fail */
  if (line->n) buf_put(&t->records, buf_str(line));
  if (line->failed) BUF_LIT(&t->records, "\"failed_open\":true");
  buf_finish(line);
  return true;
}

static uint64_t hook_now(void *ctx)
{
  (void)ctx;
  return 2;
}

static void add_frame(struct buf *b, bool masked, const char *text)
{
  websocket_put(b, WS_TEXT, str_of(text), masked ? (const unsigned char *)"abcd" : NULL);
}

static void take_out(struct session *s, struct stage *t, unsigned long at)
{
  fail_at = 0;
  for (int i = 0; i < 2; i++) {
    struct buf *out = session_out(s, (enum session_side)i);
    if (out->n) buf_put(&t->got[i], buf_str(out));
    out->n = 0;
  }
  fail_at = at;
}

static void hold_session(const char *deployment, const struct buf bytes[2], struct stage *t, unsigned long at)
{
  static const unsigned char random[16] = {1};
  char query[32];
  snprintf(query, sizeof query, "model=%s", deployment);
  struct exchange_head head = {.method = STR("GET"),
                               .path = STR("/v1/realtime"),
                               .query = str_of(query),
                               .upgrade = STR("websocket"),
                               .api_key = STR("k")};
  struct session_hooks hooks = {t, hook_random, hook_record, hook_now, NULL};
  fail_at = at;
  struct exchange *x = exchange_new(&rig_image, rig_scanner, random, 1);
  bool open = x && exchange_request_head(x, &head) == EXCHANGE_FORWARD && exchange_is_session(x) && exchange_session_open(x);
  struct session *s = open ? session_new(x, &hooks) : NULL;
  for (int i = 0; s && i < 2; i++) {
    session_feed(s, (enum session_side)i, buf_str(&bytes[i]));
    take_out(s, t, calls < at ? at : 0);
  }
  if (s) session_end(s, RECORD_COMPLETE);
  session_free(s);
  exchange_free(x);
  fail_at = 0;
}

/* The masks of what goes upstream hide it: it is read again. */
static bool went_up(const struct stage *t, const char *what)
{
  struct websocket w = {.masked = true, .max = 1 << 20};
  struct ws_message m;
  struct str in = t->got[SESSION_UPSTREAM].n ? buf_str(&t->got[SESSION_UPSTREAM]) : STR("");
  bool found = false;
  while (websocket_next(&w, &in, &m)) found |= rig_has(m.data, what);
  websocket_finish(&w);
  return found;
}

static void sessions(void)
{
  struct buf bytes[2] = {0};
  add_frame(&bytes[0], true,
            "{\"type\":\"conversation.item.create\",\"item\":{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
            "\"hi " JAILBREAK "\"}]}}");
  add_frame(&bytes[0], true, "{\"type\":\"response.create\"}");
  add_frame(&bytes[1], false, "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"output\":[]}}");
  add_frame(
      &bytes[1], false,
      "{\"type\":\"response.output_text.delta\",\"response_id\":\"r\",\"output_index\":0,\"content_index\":0,\"delta\":\"use " KEY
      ", \"}");
  add_frame(&bytes[1], false, "{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"output\":[]}}");
  for (size_t d = 0; d < 4; d++) {
    unsigned long n = 0, last;
    do {
      struct stage t = {0};
      n++;
      calls = 0;
      fail_on = false;
      hold_session(deployments[d], bytes, &t, n);
      last = calls;
      bool opened =
          rig_has(t.records.n ? buf_str(&t.records) : STR(""), "\"failed_open\":true") && strcmp(deployments[d], "strict");
      CHECK(opened || !went_up(&t, JAILBREAK));
      CHECK(opened || !rig_has(t.got[0].n ? buf_str(&t.got[0]) : STR(""), KEY_BODY));
      buf_finish(&t.records);
      buf_finish(&t.got[0]);
      buf_finish(&t.got[1]);
    } while (n <= last && n < 5000 && !test_failed);
    if (test_failed) printf("# %s, allocation %lu\n", deployments[d], n);
    CHECK(n > 10 && n < 5000);
  }
  buf_finish(&bytes[0]);
  buf_finish(&bytes[1]);
}

/* A value that has a name does not go upstream, and nothing else goes wrong on the way back. */
static void named_values(void)
{
  static char up[2048];
  struct talk first = {.deployment = "names", .body = STR(USER("use " KEY))};
  rig_request(&first);
  size_t at = str_find(first.forwarded, STR("tok_vdt"));
  CHECK(at != (size_t)-1);
  if (at == (size_t)-1) return;
  const char *name = first.forwarded.p + at;
  snprintf(up, sizeof up, SAY("use %.9s") SAY("%.18s") SAY(" again") STOP DONE, name, name + 9);
  rig_finish(&first, RECORD_COMPLETE);
  rig_end(&first);
  try_all(&(struct talk){.deployment = "names", .body = STR(USER("use " KEY)), .up_type = "text/event-stream", .up = str_of(up)},
          SENT);
}

int main(void)
{
  rig_load();
  RUN(json_answers);
  RUN(streams);
  RUN(other_formats);
  RUN(blocked_prompts);
  RUN(unsure_prompts);
  RUN(policies_about_data);
  RUN(decisions);
  RUN(sessions);
  RUN(named_values);
  rig_unload();
  return test_end();
}
