/*
 * Captured conversations: tests/wire/conversations/FORMAT/NAME.KIND is what came, NAME.KIND.out what has to leave (none: the same bytes).
 * KIND is request (then .out lists the parts), json, sse or lines. Answers run through the hook of hook.h, whole and cut in every place.
 *
 * What was inspected is what leaves: no X is left where the hook saw none, and what left, read again, holds the texts that the hook let go.
 * NAME.KIND.seen, where there is one, says how much of the answer was read, and each text as it left.
 *
 * A new format brings its folder. VEDETTE_CAPTURE=1 writes what leaves to the .out files, and what is there of .seen anew: read
 * them before you believe them.
 */
#include "hook.h"
#include <dirent.h>
#include <unistd.h>

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

/* One text as it left, or as it is read again. */
struct said {
  char origin[128];
  struct buf text;
  struct said *next;
};

struct listener {
  struct hook hook;
  bool deaf; /* changes nothing */
  struct said *all, **end;
};

static struct said *said_on(const struct listener *l, const char *origin)
{
  for (struct said *s = l->all; s; s = s->next)
    if (strcmp(s->origin, origin) == 0) return s;
  return NULL;
}

static struct said *say_on(struct listener *l, const char *origin)
{
  struct said *s = said_on(l, origin);
  if (s) return s;
  s = calloc(1, sizeof *s);
  if (!s) abort();
  snprintf(s->origin, sizeof s->origin, "%s", origin);
  *l->end = s;
  l->end = &s->next;
  return s;
}

static int listen_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct listener *l = ctx;
  if (l->deaf) *out = (struct wire_text){.p = in};
  else hook_text(&l->hook, channel, in, last, out);
  if (out->p.n) buf_put(&say_on(l, channel->origin)->text, out->p);
  return VDT_OK;
}

static void listen_shield(void *ctx, unsigned choice, struct wire_choice_shield *out)
{
  (void)choice;
  out->credential_redacted = ((struct listener *)ctx)->hook.masked;
}

static void listener_finish(struct listener *l)
{
  while (l->all) {
    struct said *s = l->all;
    l->all = s->next;
    buf_finish(&s->text);
    free(s);
  }
  hook_finish(&l->hook);
}

static void put_seen(const struct listener *l, const struct wire_response_info *info, struct buf *out)
{
  static const char *const inspected[] = {[VDT_FULL] = "full", [VDT_PARTIAL] = "partial", [VDT_NONE] = "none"};
  buf_printf(out, "%s|%s|%s\n", inspected[info->inspected], info->not_inspected, info->finish_reason);
  for (const struct said *s = l->all; s; s = s->next) {
    buf_printf(out, "%s=", s->origin);
    buf_put(out, buf_str(&s->text));
    BUF_LIT(out, "\n");
  }
}

struct way {
  enum wire_mode mode;
  size_t cut, step; /* in two pieces cut at `cut`, or in pieces of `step` bytes */
};

static void run_answer(const struct wire_format *format, struct way way, struct str in, struct listener *l, struct buf *out,
                       struct buf *seen)
{
  struct wire_response_options opt = {.mode = way.mode, .annotate = false, .max_body = 1 << 20, .n = 1};
  struct wire_hooks hooks = {.ctx = l, .text = listen_text, .choice_shield = listen_shield};
  struct wire_response *r;
  struct vdt_arena *own = vdt_arena_new(0);
  l->end = &l->all;
  CHECK_INT(wire_response_new(format, own, &opt, &hooks, &r), VDT_OK);
  for (size_t at = 0, n; at < in.n && !wire_response_info(r)->done; at += n) {
    n = way.step ? way.step : at < way.cut ? way.cut : in.n;
    if (n > in.n - at) n = in.n - at;
    feed(r, in, at, at + n, out);
  }
  CHECK_INT(wire_response_finish(r, false, out), VDT_OK);
  put_seen(l, wire_response_info(r), seen);
  wire_response_free(r);
  vdt_arena_free(own);
}

static void cut_anywhere(const struct wire_format *format, enum wire_mode mode, struct str in, struct str expected,
                         struct str expected_seen)
{
  size_t stride = (in.n > 4000 ? in.n / 2000 : 1) * (TEST_SANITIZED ? 7 : 1);
  for (size_t cut = 0; cut <= in.n + 3 && !test_failed; cut += cut < 3 ? 1 : stride) {
    struct listener l = {0};
    struct buf out = {0}, seen = {0};
    run_answer(format, (struct way){mode, cut < 3 ? 0 : cut - 3, cut < 3 ? cut + 1 : 0}, in, &l, &out, &seen);
    CHECK(str_eq(out.n ? buf_str(&out) : STR(""), expected));
    CHECK(str_eq(buf_str(&seen), expected_seen));
    listener_finish(&l);
    buf_finish(&out);
    buf_finish(&seen);
  }
}

/* Every text that left was let go by the hook, and nothing else left as text: not even where a format has no place for it. */
static void check_what_left(const struct wire_format *format, enum wire_mode mode, const struct listener *first, struct str left)
{
  struct listener again = {.deaf = true};
  struct buf out = {0}, seen = {0};
  CHECK(str_find(left, STR("XX")) == (size_t)-1);
  run_answer(format, (struct way){mode, 0, 0}, left, &again, &out, &seen);
  CHECK(str_eq(out.n ? buf_str(&out) : STR(""), left));
  for (const struct said *s = again.all; s; s = s->next) {
    struct str text = buf_str(&s->text);
    const struct said *let = said_on(first, s->origin);
    if (str_eq(text, STR("{}")) || (let && str_eq(buf_str(&let->text), text))) continue; /* {}: emptied after a cut */
    test_failed = true;
    printf("# only in what left: %s=%.*s\n", s->origin, (int)text.n, text.p);
  }
  listener_finish(&again);
  buf_finish(&out);
  buf_finish(&seen);
}

/* ---- files ---- */

static bool is_kind(const char *name, const char *kind)
{
  const char *dot = strrchr(name, '.');
  return dot && strcmp(dot + 1, kind) == 0;
}

/* Compares with the file beside it, or writes that. False when there is none. */
static bool compare(const char *path, const char *suffix, struct str got, bool write)
{
  char at[1040];
  struct buf expected = {0};
  snprintf(at, sizeof at, "%s%s", path, suffix);
  bool there = access(at, R_OK) == 0;
  if (getenv("VEDETTE_CAPTURE") && (there || write)) write_file(at, got);
  there = read_file(at, &expected);
  if (there) CHECK(str_eq(got, expected.n ? buf_str(&expected) : STR("")));
  if (there && test_failed) printf("# %s: %.*s\n", suffix, (int)(got.n < 4000 ? got.n : 4000), got.p);
  buf_finish(&expected);
  return there;
}

static void check_request(const struct wire_format *format, const char *path, struct str in)
{
  struct buf out = {0};
  run_request(format, in, &out);
  CHECK(compare(path, ".out", buf_str(&out), true));
  buf_finish(&out);
}

static void check_answer(const struct wire_format *format, const char *path, enum wire_mode mode, struct str in)
{
  struct listener l = {0};
  struct buf out = {0}, seen = {0};
  run_answer(format, (struct way){mode, 0, 0}, in, &l, &out, &seen);
  struct str left = out.n ? buf_str(&out) : STR("");
  if (!compare(path, ".out", left, !str_eq(left, in))) CHECK(str_eq(left, in));
  compare(path, ".seen", buf_str(&seen), false);
  check_what_left(format, mode, &l, left);
  cut_anywhere(format, mode, in, left, buf_str(&seen));
  listener_finish(&l);
  buf_finish(&out);
  buf_finish(&seen);
}

static void run_file(const struct wire_format *format, const char *folder, const char *name)
{
  char path[1024];
  struct buf in = {0};
  enum wire_mode mode = is_kind(name, "json") ? WIRE_JSON : is_kind(name, "sse") ? WIRE_SSE : WIRE_LINES;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  CASE_BEGIN();
  CHECK(read_file(path, &in));
  if (is_kind(name, "request")) check_request(format, path, buf_str(&in));
  else check_answer(format, path, mode, buf_str(&in));
  CASE_END("%s: %s", wire_format_name(format), name);
  buf_finish(&in);
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
