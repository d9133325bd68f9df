/*
 * The query of a request, and an unknown path: text that some servers read as a prompt ("/ask?q=..."). Values with more than one word become
 * parts of the request; what is one word is a setting, a cursor or the client's own key, and is not looked at.
 */
#include "gateway/exchange_inside.h"
#include "wire/path.h"

enum { PARTS = 16 };

static int hex(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As forms write it: plus signs are blanks. */
static struct str decoded(struct exchange *x, struct str raw)
{
  char *out = raw.n ? arena_alloc(x->arena, raw.n) : NULL;
  size_t n = 0;
  for (size_t i = 0; out && i < raw.n; i++) {
    int high = raw.p[i] == '%' && i + 2 < raw.n ? hex(raw.p[i + 1]) : -1, low = high >= 0 ? hex(raw.p[i + 2]) : -1;
    if (low >= 0) i += 2;
    out[n++] = (char)(low >= 0 ? high << 4 | low : raw.p[i] == '+' ? ' ' : raw.p[i]);
  }
  return (struct str){out, n};
}

/* A value that was encoded twice shows its percent signs. */
static bool has_words(struct str s)
{
  static const char blanks[] = " \n\t\r%";
  for (size_t i = 0; i < s.n; i++)
    if (memchr(blanks, s.p[i], sizeof blanks - 1) || (unsigned char)s.p[i] >= 0x80) return true;
  return false;
}

static struct str take(struct str *rest, char end)
{
  const char *p = rest->n ? memchr(rest->p, end, rest->n) : NULL;
  size_t n = p ? (size_t)(p - rest->p) : rest->n;
  struct str one = str_cut(*rest, 0, n);
  *rest = p ? str_cut(*rest, n + 1, rest->n) : (struct str){0};
  return one;
}

/* name: of a parameter, or empty. */
static bool add(struct exchange *x, struct str text, struct str where, struct str name)
{
  struct path path = {.n = 0};
  path_member(&path, where);
  if (name.n) path_member(&path, name);
  struct str origin = arena_dup(x->arena, path_str(&path));
  if (!x->query) x->query = arena_zalloc(x->arena, PARTS, sizeof *x->query);
  if (!x->query || !origin.p) return false;
  x->query[x->n_query++] = (struct wire_part){.role = VDT_PROMPT, .text = text, .origin = origin};
  return true;
}

bool exchange_keep_query(struct exchange *x, struct str query)
{
  if (!query.n || !(memchr(query.p, '%', query.n) || memchr(query.p, '+', query.n))) return true;
  while (query.n) {
    bool last = x->n_query + 4 > PARTS; /* the rest is one text then */
    struct str value = take(&query, last ? '\0' : '&'), name = decoded(x, take(&value, '='));
    value = decoded(x, value);
    if (has_words(name) && !add(x, name, STR("query"), STR(""))) return false;
    if (has_words(value) && !add(x, value, STR("query"), name)) return false;
  }
  return true;
}

bool exchange_keep_path(struct exchange *x, struct str path)
{
  while (path.n) {
    bool last = x->n_query + 2 > PARTS;
    struct str one = take(&path, last ? '\0' : '/'), kept = {0};
    if (!has_words(one)) continue;
    kept = arena_dup(x->arena, one);
    if (!kept.p || !add(x, kept, STR("path"), STR(""))) return false;
  }
  return true;
}

bool exchange_add_query(struct exchange *x, struct vdt_arena *scratch, struct wire_request *q)
{
  if (!x->n_query) return true;
  struct wire_part *parts = arena_zalloc(scratch, q->n_parts + x->n_query, sizeof *parts);
  if (!parts) return false;
  if (q->n_parts) memcpy(parts, q->parts, q->n_parts * sizeof *parts);
  memcpy(parts + q->n_parts, x->query, x->n_query * sizeof *parts);
  q->parts = parts;
  q->n_parts += x->n_query;
  return true;
}
