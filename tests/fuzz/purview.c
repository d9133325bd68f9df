/*
 * Calls of our data-security API. Byte 0 chooses the operation, the rest is path and query, a line feed, and the body. Whatever comes: no crash, what is
 * read keeps the limits, what is written is strict JSON again, and what was done is given back without any member called content.
 */
#include "wire/purview.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits limits = {32, 1 << 16};

static void check_json(struct vdt_arena *arena, const struct buf *b, bool no_content)
{
  struct json_doc doc;
  if (b->failed || json_parse(arena, buf_str(b), NULL, &doc, NULL)) abort();
  for (uint32_t i = 0; no_content && i < doc.n; i++)
    if (json_is(&doc, i, JSON_OBJECT) && json_get(&doc, i, "content")) abort();
}

static void take_route(struct str line)
{
  struct purview_call call;
  const char *mark = line.n ? memchr(line.p, '?', line.n) : NULL;
  size_t n = mark ? (size_t)(mark - line.p) : line.n;
  struct str path = str_cut(line, 0, n), query = str_cut(line, mark ? n + 1 : n, line.n);
  enum purview_error e = purview_route(STR("POST"), path, query, &call);
  if (e == PURVIEW_ERRORS && !purview_is_path(path)) abort();
}

static int process(struct vdt_arena *arena, struct str body, struct buf *b, struct vdt_error *err)
{
  struct purview_content c;
  int rc = purview_read_content(arena, body, &limits, 8, &c, err);
  if (rc) return rc;
  if (!c.n_entries || c.n_entries > 8 || c.n_labels > PURVIEW_LABELS || c.activity >= PURVIEW_ACTIVITIES) abort();
  purview_write_actions(false, true, b);
  for (size_t i = 0; i < c.n_entries; i++) purview_write_unread(i, "x", i == 0, b);
  BUF_LIT(b, "]}");
  return rc;
}

static int compute(struct vdt_arena *arena, struct str body, struct buf *b, struct vdt_error *err)
{
  static const enum purview_mode modes[] = {PURVIEW_INLINE, PURVIEW_OFFLINE, PURVIEW_INLINE, PURVIEW_OFFLINE};
  struct purview_scopes s;
  int rc = purview_read_scopes(arena, body, &limits, &s, err);
  if (rc) return rc;
  if (s.n_locations > PURVIEW_LOCATIONS) abort();
  BUF_LIT(b, "[");
  for (size_t i = 0; i < s.n_locations; i++) purview_write_scope(&s.locations[i], modes, i == 0, b);
  BUF_LIT(b, "]");
  return rc;
}

static int tell(struct vdt_arena *arena, struct str body, struct buf *b, struct vdt_error *err)
{
  struct purview_done d;
  int rc = purview_read_done(arena, body, &limits, &d, err);
  if (!rc) purview_write_done(&d, STR("id"), STR("u"), b);
  return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  struct str in = {(const char *)data + 1, size - 1};
  const char *end = in.n ? memchr(in.p, '\n', in.n) : NULL;
  size_t n = end ? (size_t)(end - in.p) : 0;
  struct str line = str_cut(in, 0, n), body = str_cut(in, end ? n + 1 : 0, in.n);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_error err = {0};
  struct buf b = {0};
  take_route(line);
  purview_matches(line, STR("\"tag\""));
  int rc = data[0] % 3 == 0   ? process(arena, body, &b, &err)
           : data[0] % 3 == 1 ? compute(arena, body, &b, &err)
                              : tell(arena, body, &b, &err);
  if (rc) {
    buf_reset(&b);
    purview_error_body(purview_error_of(rc), str_of(err.text), &b);
  }
  check_json(arena, &b, !rc && data[0] % 3 == 2);
  buf_finish(&b);
  vdt_arena_free(arena);
  return 0;
}
