/*
 * Captured conversations: tests/wire/conversations/FORMAT/NAME.KIND is what came, NAME.KIND.out what has to leave (none: the same bytes).
 * KIND is request (then .out lists the parts), json, sse or lines. Answers run through the hook of hook.h, whole and cut in every place.
 *
 * A new format brings its folder. VEDETTE_CAPTURE=1 writes what leaves to the .out files: read them before you believe them.
 */
#include "hook.h"
#include <dirent.h>

static struct vdt_arena *arena;

static bool read_file(const char *path, struct buf *out)
{
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  for (int c; (c = fgetc(f)) != EOF;) buf_byte(out, (char)c);
  fclose(f);
  return true;
}

static void write_file(const char *path, struct str text)
{
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(text.p, 1, text.n, f) != text.n) abort();
  fclose(f);
}

/* ---- requests ---- */

static void list_parts(const struct wire_request *q, struct buf *out)
{
  static const char *const roles[] = {"system", "prompt", "document", "response"};
  buf_printf(out, "model|%.*s|%s\n", (int)q->model.n, q->model.n ? q->model.p : "", q->stream ? "stream" : "");
  for (size_t i = 0; i < q->n_parts; i++) {
    const struct wire_part *p = &q->parts[i];
    buf_printf(out, "%s|%.*s|%s", roles[p->role], (int)p->origin.n, p->origin.p, p->skipped ? "-" : "");
    buf_put(out, p->skipped ? str_of(p->skipped) : p->text);
    BUF_LIT(out, "\n");
  }
}

static void run_request(const struct wire_format *format, struct str in, struct buf *out)
{
  struct wire_request q;
  struct vdt_error err = {0};
  vdt_arena_reset(arena);
  if (wire_request_parse(format, arena, in, NULL, &q, &err)) buf_printf(out, "refused: %s\n", err.text);
  else list_parts(&q, out);
}

/* ---- answers ---- */

static void feed(struct wire_response *r, struct str in, size_t from, size_t to, struct buf *out)
{
  CHECK_INT(wire_response_feed(r, str_cut(in, from, to), out), VDT_OK);
}

/* In two pieces cut at `cut`, or in pieces of `step` bytes. */
static void run_answer(const struct wire_format *format, enum wire_mode mode, struct str in, size_t cut, size_t step,
                       struct buf *out)
{
  struct hook hook = {0};
  struct wire_response_options opt = {.mode = mode, .annotate = false, .max_body = 1 << 20, .n = 1};
  struct wire_hooks hooks = hook_of(&hook);
  struct wire_response *r;
  struct vdt_arena *own = vdt_arena_new(0);
  CHECK_INT(wire_response_new(format, own, &opt, &hooks, &r), VDT_OK);
  for (size_t at = 0, n; at < in.n && !wire_response_info(r)->done; at += n) {
    n = step ? step : at < cut ? cut : in.n;
    if (n > in.n - at) n = in.n - at;
    feed(r, in, at, at + n, out);
  }
  CHECK_INT(wire_response_finish(r, false, out), VDT_OK);
  wire_response_free(r);
  vdt_arena_free(own);
  hook_finish(&hook);
}

static void cut_anywhere(const struct wire_format *format, enum wire_mode mode, struct str in, struct str expected)
{
  size_t stride = in.n > 4000 ? in.n / 2000 : 1;
  for (size_t cut = 0; cut <= in.n + 3 && !test_failed; cut += cut < 3 ? 1 : stride) {
    struct buf out = {0};
    run_answer(format, mode, in, cut < 3 ? 0 : cut - 3, cut < 3 ? cut + 1 : 0, &out);
    CHECK(str_eq(out.n ? buf_str(&out) : STR(""), expected));
    buf_finish(&out);
  }
}

/* ---- files ---- */

static bool is_kind(const char *name, const char *kind)
{
  const char *dot = strrchr(name, '.');
  return dot && strcmp(dot + 1, kind) == 0;
}

static void run_file(const struct wire_format *format, const char *folder, const char *name)
{
  char path[1024], path_out[1032];
  struct buf in = {0}, out = {0}, expected = {0};
  bool request = is_kind(name, "request");
  enum wire_mode mode = is_kind(name, "json") ? WIRE_JSON : is_kind(name, "sse") ? WIRE_SSE : WIRE_LINES;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  snprintf(path_out, sizeof path_out, "%s.out", path);
  CASE_BEGIN();
  CHECK(read_file(path, &in));
  if (request) run_request(format, buf_str(&in), &out);
  else run_answer(format, mode, buf_str(&in), 0, 0, &out);
  if (getenv("VEDETTE_CAPTURE") && !(!request && str_eq(buf_str(&out), buf_str(&in)))) write_file(path_out, buf_str(&out));
  bool other = read_file(path_out, &expected);
  CHECK(other || !request);
  struct str want = other ? buf_str(&expected) : buf_str(&in);
  CHECK(str_eq(out.n ? buf_str(&out) : STR(""), want));
  if (test_failed) printf("# got: %.*s\n", (int)(out.n < 4000 ? out.n : 4000), out.n ? out.p : "");
  if (!request) cut_anywhere(format, mode, buf_str(&in), want);
  CASE_END("%s: %s", wire_format_name(format), name);
  buf_finish(&in);
  buf_finish(&out);
  buf_finish(&expected);
}

static int wanted(const struct dirent *e)
{
  return is_kind(e->d_name, "request") || is_kind(e->d_name, "json") || is_kind(e->d_name, "sse") || is_kind(e->d_name, "lines");
}

static void run_folder(const struct wire_format *format)
{
  char folder[400];
  struct dirent **files;
  bool request = false, answer = false;
  snprintf(folder, sizeof folder, "%s/tests/wire/conversations/%s",
           getenv("VEDETTE_SRC") ? getenv("VEDETTE_SRC") : VEDETTE_SOURCE, wire_format_name(format));
  int n = scandir(folder, &files, wanted, alphasort);
  for (int i = 0; i < n; i++) {
    request |= is_kind(files[i]->d_name, "request");
    answer |= !is_kind(files[i]->d_name, "request");
    run_file(format, folder, files[i]->d_name);
    free(files[i]);
  }
  if (n >= 0) free(files);
  CASE_BEGIN();
  CHECK(request && answer);
  CASE_END("%s has conversations", wire_format_name(format));
}

int main(void)
{
  arena = vdt_arena_new(0);
  for (size_t i = 0; wire_format_at(i); i++) run_folder(wire_format_at(i));
  vdt_arena_free(arena);
  return test_end();
}
