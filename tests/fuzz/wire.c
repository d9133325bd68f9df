/*
 * Any bytes as a request and as a response. A response is fed in two ways through a hook that changes text and holds
 * some back: what leaves, the error, and what is said about it must be the same. Byte 0 chooses mode, annotations and limits, byte 1 the
 * format and how the input is cut.
 */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
  if (!ok) abort();
}

/* Small letters leave as capitals, a run of them at the end only when something follows; '!' cuts, '#' blocks. */
struct held {
  struct buf in, out;
  bool over;
  struct held *next;
};

static size_t decided(struct str s, bool last)
{
  size_t n = s.n;
  while (!last && n > 0 && s.p[n - 1] >= 'a' && s.p[n - 1] <= 'z') n--;
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] == '!' || s.p[i] == '#') return i;
  return n;
}

static int hook(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct held **all = ctx, *h = channel->user;
  if (!h) {
    h = channel->user = calloc(1, sizeof *h);
    check(h != NULL);
    h->next = *all;
    *all = h;
  }
  check(!h->over);
  buf_put(&h->in, in);
  buf_reset(&h->out);
  struct str held = h->in.n ? buf_str(&h->in) : STR("");
  size_t n = decided(held, last);
  out->cut = n < held.n && held.p[n] == '!';
  out->block = n < held.n && held.p[n] == '#';
  for (size_t i = 0; i < n; i++) buf_byte(&h->out, held.p[i] >= 'a' && held.p[i] <= 'z' ? (char)(held.p[i] - 32) : held.p[i]);
  buf_drop(&h->in, n);
  h->over = last || out->cut || out->block;
  out->p = h->out.n ? buf_str(&h->out) : STR("");
  out->changed = !str_eq(out->p, in);
  return VDT_OK;
}

static void release(struct held *all)
{
  while (all) {
    struct held *next = all->next;
    buf_finish(&all->in);
    buf_finish(&all->out);
    free(all);
    all = next;
  }
}

/* How a response ended. */
struct outcome {
  struct buf out;
  int rc;
  struct wire_response_info info;
};

static const struct wire_format *format_of(const uint8_t *data)
{
  size_t n = 0;
  while (wire_format_at(n)) n++;
  return wire_format_at((data[1] / 16 + (data[0] & 1)) % n);
}

static enum wire_mode mode_of(const uint8_t *data)
{
  return data[0] & 2 ? wire_stream_mode(format_of(data)) : WIRE_JSON;
}

static void run(const uint8_t *data, struct str in, size_t step, struct vdt_arena *arena, struct outcome *o)
{
  struct held *all = NULL;
  struct wire_hooks hooks = {.ctx = &all, .text = hook};
  struct wire_response_options opt = {.mode = mode_of(data), .annotate = data[0] & 4, .max_body = 1u << (data[0] >> 4)};
  struct wire_response *r;
  *o = (struct outcome){0};
  check(wire_response_new(format_of(data), arena, &opt, &hooks, &r) == VDT_OK);
  for (size_t at = 0; at < in.n && !o->rc; at += step)
    o->rc = wire_response_feed(r, str_cut(in, at, in.n - at < step ? in.n : at + step), &o->out);
  if (!o->rc) o->rc = wire_response_finish(r, data[0] & 8, &o->out);
  size_t before = o->out.n;
  if (o->rc) wire_response_fail_open(r, &o->out);
  o->out.n = before; /* how much of the input is unread depends on the pieces */
  o->info = *wire_response_info(r);
  wire_response_free(r);
  release(all);
}

/* Forms and lines: spans are in bounds, and plain ones are their text. */
static void spans(const struct wire_request *q, struct str in)
{
  for (size_t i = 0; i < q->n_parts; i++) {
    const struct wire_part *p = &q->parts[i];
    check(p->raw.start <= p->raw.end && p->raw.end <= in.n);
    if (p->plain) check(str_eq(p->text, str_cut(in, p->raw.start, p->raw.end)));
    else if (p->raw.end > p->raw.start) check(in.p[p->raw.start] == '"' && in.p[p->raw.end - 1] == '"');
  }
}

static void uploads(struct vdt_arena *arena, struct str in)
{
  struct wire_request q;
  struct vdt_error err;
  vdt_arena_reset(arena);
  if (wire_lines_parse(arena, in, &(struct json_limits){32, 4096}, &q, &err) == VDT_OK) spans(&q, in);
  vdt_arena_reset(arena);
  if (wire_form_parse(arena, STR("x"), in, &(struct json_limits){32, 4096}, &q, &err) == VDT_OK) spans(&q, in);
}

static void request(struct vdt_arena *arena, struct str in)
{
  struct wire_request q;
  struct vdt_error err;
  struct wire_upstream_verdict verdict;
  for (size_t i = 0; wire_format_at(i); i++) {
    vdt_arena_reset(arena);
    if (wire_request_parse(wire_format_at(i), arena, in, &(struct json_limits){32, 4096}, &q, &err)) continue;
    check(q.n >= 1 && q.security_context.start <= q.security_context.end && q.security_context.end <= in.n);
    struct buf rest = {0};
    struct json_doc doc;
    buf_put(&rest, str_cut(in, 0, q.security_context.start));
    buf_put(&rest, str_cut(in, q.security_context.end, in.n));
    check(json_parse(arena, buf_str(&rest), NULL, &doc, NULL) == VDT_OK);
    buf_finish(&rest);
  }
  wire_error_verdict(arena, in, &verdict);
  uploads(arena, in);
}

/* Every whole event that left is one that a client can read. */
static void readable(const uint8_t *data, struct vdt_arena *arena, const struct outcome *o)
{
  struct json_doc doc;
  if (mode_of(data) == WIRE_JSON) {
    check(o->rc || json_parse(arena, buf_str(&o->out), NULL, &doc, NULL) == VDT_OK);
    return;
  }
  struct sse s = {0};
  struct sse_event e;
  check(sse_feed(&s, o->out.n ? buf_str(&o->out) : STR("")) && sse_feed(&s, STR("\n\n")));
  while (mode_of(data) == WIRE_LINES ? lines_next(&s, &e) : sse_next(&s, arena, &e))
    check(!e.data.n || str_eq(e.data, STR("[DONE]")) || json_parse(arena, e.data, NULL, &doc, NULL) == VDT_OK);
  sse_finish(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2) return 0;
  struct str in = {(const char *)data + 2, size - 2};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct outcome a, b;
  request(arena, in);
  run(data, in, in.n + 1, arena, &a);
  run(data, in, 1 + data[1] % 16, arena, &b);
  check(a.rc == b.rc && str_eq(buf_str(&a.out), buf_str(&b.out)));
  check(strcmp(a.info.finish_reason, b.info.finish_reason) == 0 && a.info.total_tokens == b.info.total_tokens);
  check(a.info.done == b.info.done && a.info.inspected == b.info.inspected);
  readable(data, arena, &a);
  buf_finish(&a.out);
  buf_finish(&b.out);
  vdt_arena_free(arena);
  return 0;
}
