/*
 * Whole conversations. Byte 0 chooses deployment and kind of answer, byte 1 how the answer is cut, byte 2 the upstream's status and coding;
 * the rest is the request's body up to the first 0xFF, then the answer. With bit 6 of byte 0 the answer is text, one delta a line, and the
 * harness makes the events. In one piece and in many, the same leaves and the same is recorded, and every record is valid.
 */
#include "tests/exchange/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const deployments[] = {"kept", "cut", "block", "strict", "watch", "notes", "names", NULL};

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

static struct talk begin(const uint8_t *data, struct str request, struct str answer)
{
  static const unsigned statuses[] = {200, 200, 400, 500};
  struct talk t = {.deployment = deployments[data[0] & 7], .body = request.n ? request : STR(USER("hi")), .up = answer};
  t.up_type = data[0] & 0x48 ? "text/event-stream" : "application/json";
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

static void check(bool ok)
{
  if (!ok) abort();
}

static void compare(const uint8_t *data, struct str request, struct str answer)
{
  struct talk whole = begin(data, request, answer), cut = whole;
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
  rig_end(&whole);
  rig_end(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (!rig_engine) rig_load();
  if (size < 3 || size > 65536) return 0;
  struct str rest = {(const char *)data + 3, size - 3}, request = rest, answer = STR("");
  const char *mark = rest.n ? memchr(rest.p, 0xFF, rest.n) : NULL;
  struct buf events = {0};
  if (mark) {
    request = str_cut(rest, 0, (size_t)(mark - rest.p));
    answer = str_cut(rest, request.n + 1, rest.n);
  }
  if (data[0] & 0x40) {
    make_events(&events, mark ? answer : rest);
    if (!mark) request = STR("");
    answer = buf_str(&events);
  }
  compare(data, request, answer);
  buf_finish(&events);
  return 0;
}
