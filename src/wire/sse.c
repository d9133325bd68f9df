/* text/event-stream, and JSON lines: whole events with their raw bytes. Knows nothing of what the data means. */
#include "wire/wire.h"

static const struct str bom = {"\xef\xbb\xbf", 3};

void sse_finish(struct sse *s)
{
  buf_finish(&s->pending);
  *s = (struct sse){0};
}

bool sse_feed(struct sse *s, struct str in)
{
  buf_drop(&s->pending, s->taken);
  s->line -= s->taken;
  s->scanned -= s->taken;
  s->taken = 0;
  buf_put(&s->pending, in);
  return !s->pending.failed;
}

struct str sse_rest(const struct sse *s)
{
  return s->pending.n ? str_cut(buf_str(&s->pending), s->taken, s->pending.n) : STR("");
}

/* Takes one line off *rest, without its end. A last line may have no end. */
static struct str take_line(struct str *rest)
{
  size_t n = 0;
  while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r') n++;
  struct str line = {rest->p, n};
  if (n < rest->n) n += rest->p[n] == '\r' && n + 1 < rest->n && rest->p[n + 1] == '\n' ? 2 : 1;
  *rest = str_cut(*rest, n, rest->n);
  return line;
}

/* The value of the line when its field is `name`. */
static bool field(struct str line, struct str name, struct str *value)
{
  if (!str_starts(line, name)) return false;
  *value = str_cut(line, name.n, line.n);
  if (value->n == 0) return true;
  if (value->p[0] != ':') return false;
  size_t skip = value->n > 1 && value->p[1] == ' ' ? 2 : 1;
  *value = str_cut(*value, skip, value->n);
  return true;
}

/* The data lines of the event joined with LF: they are never longer than the event. */
static bool join(struct str lines, struct vdt_arena *arena, struct str *out)
{
  char *p = arena_alloc(arena, lines.n);
  size_t n = 0;
  struct str value;
  if (!p) return false;
  while (lines.n) {
    if (!field(take_line(&lines), STR("data"), &value)) continue;
    if (value.n) memcpy(p + n, value.p, value.n);
    n += value.n;
    p[n++] = '\n';
  }
  *out = (struct str){p, n - 1};
  return true;
}

static bool read_event(struct str raw, struct str lines, struct vdt_arena *arena, struct sse_event *out)
{
  struct str rest = lines, value;
  unsigned n_data = 0;
  *out = (struct sse_event){.raw = raw};
  while (rest.n) {
    struct str line = take_line(&rest);
    if (field(line, STR("data"), &value)) {
      out->data = value;
      n_data++;
    } else if (field(line, STR("event"), &value)) {
      out->event = value;
    }
  }
  out->has_data = n_data > 0;
  return n_data < 2 || join(lines, arena, &out->data);
}

/* Finds the end of the line that begins at s->line. A CR that stands last may be half of a CRLF: wait for the next
 * byte, so that raw bytes do not depend on how the input was cut. */
static bool line_end(struct sse *s, size_t *content, size_t *next)
{
  if (s->scanned == s->pending.n) return false;
  const char *p = s->pending.p, *from = p + s->scanned;
  size_t n = s->pending.n - s->scanned;
  const char *lf = memchr(from, '\n', n);
  size_t before = lf ? (size_t)(lf - from) : n;
  const char *cr = before ? memchr(from, '\r', before) : NULL;
  const char *end = cr ? cr : lf;
  s->scanned = end ? (size_t)(end - p) : s->pending.n;
  if (!end || (cr && s->scanned + 1 == s->pending.n)) return false;
  *content = s->scanned;
  *next = s->scanned + (cr && cr[1] == '\n' ? 2 : 1);
  return true;
}

bool sse_next(struct sse *s, struct vdt_arena *arena, struct sse_event *out)
{
  size_t content, next;
  while (line_end(s, &content, &next)) {
    struct str raw = {s->pending.p + s->taken, next - s->taken};
    size_t skip = !s->started && str_starts(raw, bom) ? bom.n : 0;
    bool blank = content == s->line || content == s->taken + skip;
    s->line = s->scanned = next;
    if (!blank) continue;
    if (!read_event(raw, str_cut(raw, skip, raw.n), arena, out)) {
      s->pending.failed = true;
      return false;
    }
    s->taken = next;
    s->started = true;
    return true;
  }
  return false;
}

bool lines_next(struct sse *s, struct sse_event *out)
{
  if (s->scanned == s->pending.n) return false;
  const char *p = s->pending.p, *end = memchr(p + s->scanned, '\n', s->pending.n - s->scanned);
  if (!end) {
    s->scanned = s->pending.n;
    return false;
  }
  size_t next = (size_t)(end - p) + 1, n = next - 1;
  struct str line = {p + s->taken, n - s->taken};
  while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t')) line.n--;
  *out = (struct sse_event){.raw = {p + s->taken, next - s->taken}, .data = line, .has_data = line.n > 0};
  s->taken = s->line = s->scanned = next;
  s->started = true;
  return true;
}

static void put_data(struct str data, struct buf *out)
{
  do {
    const char *lf = data.n ? memchr(data.p, '\n', data.n) : NULL;
    size_t n = lf ? (size_t)(lf - data.p) : data.n;
    BUF_LIT(out, "data: ");
    buf_put(out, str_cut(data, 0, n));
    BUF_LIT(out, "\n");
    data = str_cut(data, lf ? n + 1 : n, data.n);
  } while (data.n);
}

void sse_rewrite(const struct sse_event *event, struct str data, struct buf *out)
{
  struct str rest = event->raw, value;
  bool written = false;
  if (str_starts(rest, bom)) rest = str_cut(rest, bom.n, rest.n);
  while (rest.n) {
    struct str line = take_line(&rest);
    if (!field(line, STR("data"), &value)) {
      buf_put(out, line);
      BUF_LIT(out, "\n");
    } else if (!written) {
      put_data(data, out);
      written = true;
    }
  }
}
