/*
 * Strict JSON with byte offsets; the promises are in json.h. This file only reads and quotes: it never changes a text
 * and knows no format.
 *
 * The reader has no recursion: an open container keeps the index of its parent in `next` until it is closed. Member
 * names are compared when an object closes, sorted when there are many, so that an object with a million members costs
 * what its bytes cost.
 */
#include "base/json.h"
#include "base/error.h"
#include "base/numbers.h"

enum { NO_PARENT = -1, FEW_MEMBERS = 12 };

struct parser {
  const char *p;
  size_t n, i; /* text and place */
  struct json_node *nodes;
  uint32_t used, cap, open; /* open: innermost container */
  unsigned depth;
  uint32_t key_start, key_end; /* name of the member whose value comes next */
  bool key_escaped;
  bool sparse; /* numbers in arrays get no node */
  bool passed; /* such a number stands before the place */
  struct json_limits limits;
  struct vdt_arena *arena;
  struct vdt_error *err;
};

/* ---- errors ---- */

static int fail_at(struct parser *s, size_t at, int code, const char *what, struct str name)
{
  unsigned line = 1;
  size_t line_start = 0;
  for (size_t i = 0; i < at && i < s->n; i++) {
    if (s->p[i] != '\n') continue;
    line++;
    line_start = i + 1;
  }
  return error_at(s->err, code, NULL, line, "byte %zu (line %u, column %zu): %s%.*s", at, line, at - line_start + 1, what,
                  (int)name.n, name.n ? name.p : "");
}

static int fail(struct parser *s, int code, const char *what)
{
  return fail_at(s, s->i, code, what, STR(""));
}

/* ---- characters ---- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Nonzero when some byte of x is below n (n <= 0x80). Exact as a yes/no answer. */
static uint64_t some_below(uint64_t x, uint64_t n)
{
  return (x - EACH(n)) & ~x & EACH(0x80);
}

/* How many bytes at p need neither escaping nor a closer look: 0x20..0x7e without quote and backslash. Eight at a time,
 * because most of a body is this. */
static size_t plain_run(const char *p, size_t n)
{
  size_t i = 0;
  for (; n - i >= 8; i += 8) {
    uint64_t x;
    memcpy(&x, p + i, 8);
    if ((x & EACH(0x80)) | some_below(x, 0x20) | some_below(x ^ EACH('"'), 1) | some_below(x ^ EACH('\\'), 1) |
        some_below(x ^ EACH(0x7f), 1))
      break;
  }
  for (; i < n; i++) {
    unsigned char c = (unsigned char)p[i];
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') break;
  }
  return i;
}

static bool tail(unsigned char c)
{
  return (c & 0xc0) == 0x80;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode table 3-7), 0 when there is none. */
static size_t utf8_len(const char *text, size_t n)
{
  const unsigned char *p = (const unsigned char *)text;
  if (n == 0) return 0;
  if (p[0] < 0x80) return 1;
  if (p[0] < 0xc2 || n < 2 || !tail(p[1])) return 0;
  if (p[0] < 0xe0) return 2;
  if (n < 3 || !tail(p[2])) return 0;
  if (p[0] < 0xf0) return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
  if (n < 4 || !tail(p[3]) || p[0] > 0xf4) return 0;
  return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *p, size_t n)
{
  int v = 0;
  if (n < 4) return -1;
  for (size_t i = 0; i < 4; i++) {
    char c = p[i];
    int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (d < 0) return -1;
    v = v * 16 + d;
  }
  return v;
}

static size_t put_utf8(char *out, unsigned c)
{
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)(lead[n] | c);
  return n;
}

/* Decodes the escape at p (a backslash) into out, at most 4 bytes. Returns the bytes read and sets *made; 0 when it is
 * no valid escape, with *half set for half a surrogate pair. */
static size_t unescape(const char *p, size_t n, char *out, size_t *made, bool *half)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  *half = false;
  *made = 1;
  if (n < 2) return 0;
  if (p[1] != 'u') {
    const char *at = memchr(names, p[1], sizeof names - 1);
    if (!at) return 0;
    out[0] = values[at - names];
    return 2;
  }
  int c = hex4(p + 2, n - 2);
  if (c < 0) return 0;
  if (c < 0xd800 || c > 0xdfff) {
    *made = put_utf8(out, (unsigned)c);
    return 6;
  }
  int low = c <= 0xdbff && n >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, n - 8) : -1;
  *half = low < 0xdc00 || low > 0xdfff;
  if (*half) return 0;
  *made = put_utf8(out, 0x10000 + (((unsigned)c & 0x3ff) << 10) + ((unsigned)low & 0x3ff));
  return 12;
}

/* ---- values ---- */

/* What plain_run() stopped at, inside a string. */
static int special(struct parser *s, bool *escaped)
{
  unsigned char c = (unsigned char)s->p[s->i];
  char out[4];
  size_t made, step;
  bool half = false;
  if (c == '\\') {
    *escaped = true;
    step = unescape(s->p + s->i, s->n - s->i, out, &made, &half);
    if (half) return fail(s, VDT_EUTF8, "half of a surrogate pair");
    if (!step) return fail(s, VDT_ESYNTAX, "invalid escape");
  } else if (c < 0x20) {
    return fail(s, VDT_ESYNTAX, "control character in a string");
  } else {
    step = utf8_len(s->p + s->i, s->n - s->i);
    if (!step) return fail(s, VDT_EUTF8, "not valid UTF-8");
  }
  s->i += step;
  return VDT_OK;
}

/* At the opening quote; ends after the closing one. */
static int read_string(struct parser *s, bool *escaped)
{
  size_t start = s->i++;
  *escaped = false;
  for (;;) {
    s->i += plain_run(s->p + s->i, s->n - s->i);
    if (s->i == s->n) return fail_at(s, start, VDT_ESYNTAX, "string without end", STR(""));
    if (s->p[s->i] == '"') break;
    int rc = special(s, escaped);
    if (rc) return rc;
  }
  s->i++;
  return VDT_OK;
}

/* How many of the eight bytes at p are digits before one that is none. */
static size_t digits_of_eight(const char *p)
{
  const uint64_t zeros = 0x3030303030303030, past_nine = 0x7676767676767676, tops = 0x8080808080808080;
  uint64_t eight;
  memcpy(&eight, p, sizeof eight);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
  eight = __builtin_bswap64(eight);
#endif
  eight ^=
      zeros; /* a digit is 0 to 9 now; what is not has its top bit, or gets it below: no sum carries before the first of them */
  uint64_t others = ((eight + past_nine) | eight) & tops;
  return others ? (size_t)__builtin_ctzll(others) / 8 : 8;
}

static size_t skip_digits(struct parser *s)
{
  size_t from = s->i, some = 8;
  while (some == 8 && s->n - s->i >= 8) {
    some = digits_of_eight(s->p + s->i);
    s->i += some;
  }
  if (some < 8) return s->i - from;
  while (s->i < s->n && s->p[s->i] >= '0' && s->p[s->i] <= '9') s->i++;
  return s->i - from;
}

static bool skip_char(struct parser *s, char one, char other)
{
  bool hit = s->i < s->n && (s->p[s->i] == one || s->p[s->i] == other);
  s->i += hit;
  return hit;
}

static int read_number(struct parser *s)
{
  size_t start = s->i;
  skip_char(s, '-', '-');
  bool zero = s->i < s->n && s->p[s->i] == '0';
  size_t digits = skip_digits(s);
  bool ok = digits > 0 && !(zero && digits > 1);
  if (ok && skip_char(s, '.', '.')) ok = skip_digits(s) > 0;
  if (ok && skip_char(s, 'e', 'E')) {
    skip_char(s, '+', '-');
    ok = skip_digits(s) > 0;
  }
  return ok ? VDT_OK : fail_at(s, start, VDT_ESYNTAX, "malformed number", STR(""));
}

static int read_word(struct parser *s, struct str word)
{
  if (!str_starts((struct str){s->p + s->i, s->n - s->i}, word)) return fail(s, VDT_ESYNTAX, "expected a value");
  s->i += word.n;
  return VDT_OK;
}

/* ---- member names ---- */

struct name {
  struct str text;
  uint32_t node;
};

/* By length first: most names differ in it, and no byte is looked at. */
static int name_order(const void *a, const void *b)
{
  const struct name *x = a, *y = b;
  if (x->text.n != y->text.n) return x->text.n < y->text.n ? -1 : 1;
  int order = x->text.n ? memcmp(x->text.p, y->text.p, x->text.n) : 0;
  return order ? order : x->node < y->node ? -1 : 1;
}

static int duplicate(struct parser *s, const struct name *name)
{
  char shown[40];
  size_t n = 0;
  while (n < name->text.n && n < sizeof shown && name->text.p[n] >= 0x20 && name->text.p[n] < 0x7f) {
    shown[n] = name->text.p[n];
    n++;
  }
  return fail_at(s, s->nodes[name->node].key_start, VDT_EDUPKEY, "duplicate member name ", (struct str){shown, n});
}

static int check_few(struct parser *s, const struct name *names, size_t n)
{
  for (size_t i = 1; i < n; i++)
    for (size_t j = 0; j < i; j++)
      if (str_eq(names[i].text, names[j].text)) return duplicate(s, &names[i]);
  return VDT_OK;
}

static int check_many(struct parser *s, struct name *names, size_t n)
{
  qsort(names, n, sizeof *names, name_order);
  for (size_t i = 1; i < n; i++)
    if (str_eq(names[i].text, names[i - 1].text)) return duplicate(s, &names[i]);
  return VDT_OK;
}

/* The members of a closed object must have different names, escapes decoded. */
static int check_names(struct parser *s, uint32_t object)
{
  struct json_doc doc = {{s->p, s->n}, s->nodes, s->used};
  struct name few[FEW_MEMBERS], *names = few;
  size_t n = 0, count = s->nodes[object].count;
  if (count < 2) return VDT_OK;
  if (count > FEW_MEMBERS && !(names = malloc(count * sizeof *names))) return fail(s, VDT_ENOMEM, "out of memory");
  int rc = VDT_OK;
  for (uint32_t i = json_first(&doc, object); i && !rc; i = json_next(&doc, object, i)) {
    names[n].node = i;
    if (!json_key(&doc, i, s->arena, &names[n++].text)) rc = fail(s, VDT_ENOMEM, "out of memory");
  }
  if (!rc) rc = count > FEW_MEMBERS ? check_many(s, names, n) : check_few(s, names, n);
  if (names != few) free(names);
  return rc;
}

/* ---- containers ---- */

static void skip_blanks(struct parser *s)
{
  while (s->i < s->n && (s->p[s->i] == ' ' || s->p[s->i] == '\n' || s->p[s->i] == '\t' || s->p[s->i] == '\r')) s->i++;
}

static int grow_nodes(struct parser *s)
{
  uint64_t cap = s->cap ? (uint64_t)s->cap * 2 : s->n / 32 + 16;
  if (cap > s->limits.nodes) cap = s->limits.nodes;
  if (s->used >= cap) return fail(s, VDT_ETOOBIG, "too many values");
  struct json_node *nodes = arena_alloc(s->arena, (size_t)cap * sizeof *nodes);
  if (!nodes) return fail(s, VDT_ENOMEM, "out of memory");
  if (s->used) memcpy(nodes, s->nodes, s->used * sizeof *nodes);
  s->nodes = nodes;
  s->cap = (uint32_t)cap;
  return VDT_OK;
}

static int add_node(struct parser *s, enum json_type type)
{
  if (s->used == s->cap) {
    int rc = grow_nodes(s);
    if (rc) return rc;
  }
  uint32_t at = (uint32_t)s->i;
  s->nodes[s->used] = (struct json_node){at, at, s->key_start, s->key_end, s->used + 1, 0, (uint8_t)type, false, s->key_escaped};
  s->used++;
  if (s->open != (uint32_t)NO_PARENT) s->nodes[s->open].count++;
  s->key_start = s->key_end = 0;
  s->key_escaped = false;
  return VDT_OK;
}

static int open_container(struct parser *s, enum json_type type)
{
  if (s->depth == s->limits.depth) return fail(s, VDT_EDEPTH, "nesting too deep");
  int rc = add_node(s, type);
  if (rc) return rc;
  s->nodes[s->used - 1].next = s->open;
  s->open = s->used - 1;
  s->depth++;
  s->i++;
  return VDT_OK;
}

static int close_container(struct parser *s)
{
  uint32_t closed = s->open;
  s->i++;
  s->open = s->nodes[closed].next;
  s->depth--;
  s->nodes[closed].next = s->used;
  s->nodes[closed].end = (uint32_t)s->i;
  return s->nodes[closed].type == JSON_OBJECT ? check_names(s, closed) : VDT_OK;
}

/* A scalar with its node. */
static int read_scalar(struct parser *s, enum json_type type)
{
  static const struct str words[] = {[JSON_NULL] = {"null", 4}, [JSON_FALSE] = {"false", 5}, [JSON_TRUE] = {"true", 4}};
  bool escaped = false;
  int rc = add_node(s, type);
  if (rc) return rc;
  if (type == JSON_STRING) rc = read_string(s, &escaped);
  else if (type == JSON_NUMBER) rc = read_number(s);
  else rc = read_word(s, words[type]);
  s->nodes[s->used - 1].end = (uint32_t)s->i;
  s->nodes[s->used - 1].escaped = escaped;
  return rc;
}

/* Numbers of an array: as many as can be taken at once, up to the comma behind them; else up to the last that another number follows
 * at once, and that one. */
static int pass_numbers(struct parser *s)
{
  s->passed = true;
  size_t run = numbers_run(s->p + s->i, s->n - s->i);
  if (run) {
    s->i += run - 1;
    return VDT_OK;
  }
  for (;;) {
    int rc = read_number(s);
    if (rc) return rc;
    size_t next = s->i + 1;
    if (next >= s->n || s->p[s->i] != ',') return VDT_OK;
    if (s->p[next] != '-' && (s->p[next] < '0' || s->p[next] > '9')) return VDT_OK;
    s->i = next;
  }
}

static bool in_array(const struct parser *s)
{
  return s->open != (uint32_t)NO_PARENT && s->nodes[s->open].type == JSON_ARRAY;
}

/* A whole scalar, or the opening of a container. */
static int begin_value(struct parser *s)
{
  skip_blanks(s);
  if (s->i == s->n) return fail(s, VDT_ESYNTAX, "the text ends where a value is expected");
  switch (s->p[s->i]) {
  case '{': return open_container(s, JSON_OBJECT);
  case '[': return open_container(s, JSON_ARRAY);
  case '"': return read_scalar(s, JSON_STRING);
  case 'n': return read_scalar(s, JSON_NULL);
  case 't': return read_scalar(s, JSON_TRUE);
  case 'f': return read_scalar(s, JSON_FALSE);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9': return s->sparse && in_array(s) ? pass_numbers(s) : read_scalar(s, JSON_NUMBER);
  default: return fail(s, VDT_ESYNTAX, "expected a value");
  }
}

static int read_name(struct parser *s)
{
  skip_blanks(s);
  if (s->i == s->n || s->p[s->i] != '"') return fail(s, VDT_ESYNTAX, "expected a member name");
  size_t start = s->i;
  int rc = read_string(s, &s->key_escaped);
  if (rc) return rc;
  s->key_start = (uint32_t)start;
  s->key_end = (uint32_t)s->i;
  skip_blanks(s);
  if (s->i == s->n || s->p[s->i] != ':') return fail(s, VDT_ESYNTAX, "expected a colon");
  s->i++;
  return VDT_OK;
}

/* Goes to the next value: through commas, names and closing brackets. *done when the root is complete. */
static int advance(struct parser *s, bool *done)
{
  for (;;) {
    if (s->open == (uint32_t)NO_PARENT) {
      *done = true;
      return VDT_OK;
    }
    bool object = s->nodes[s->open].type == JSON_OBJECT;
    bool fresh = s->nodes[s->open].count == 0 && !s->passed;
    skip_blanks(s);
    char c = s->i < s->n ? s->p[s->i] : '\0';
    if (c == (object ? '}' : ']')) {
      int rc = close_container(s);
      if (rc) return rc;
      continue;
    }
    if (!fresh && c != ',') return fail(s, VDT_ESYNTAX, object ? "expected , or }" : "expected , or ]");
    if (!fresh) s->i++;
    s->passed = false;
    return object ? read_name(s) : VDT_OK;
  }
}

static int read_document(struct parser *s)
{
  bool done = false;
  if (str_starts((struct str){s->p, s->n}, STR("\xef\xbb\xbf"))) return fail(s, VDT_ESYNTAX, "byte order mark");
  while (!done) {
    int rc = begin_value(s);
    if (!rc) rc = advance(s, &done);
    if (rc) return rc;
  }
  skip_blanks(s);
  return s->i == s->n ? VDT_OK : fail(s, VDT_ESYNTAX, "bytes after the value");
}

static int parse(struct vdt_arena *arena, struct str text, const struct json_limits *limits, bool sparse, struct json_doc *out,
                 struct vdt_error *err)
{
  struct parser s = {
      .p = text.n ? text.p : "", .n = text.n, .open = (uint32_t)NO_PARENT, .sparse = sparse, .arena = arena, .err = err};
  s.limits = limits ? *limits : JSON_LIMITS_DEFAULT;
  if (text.n >= UINT32_MAX) return fail(&s, VDT_ETOOBIG, "the text is larger than 4 GiB");
  int rc = read_document(&s);
  if (rc) return rc;
  *out = (struct json_doc){text, s.nodes, s.used};
  return VDT_OK;
}

int json_parse(struct vdt_arena *arena, struct str text, const struct json_limits *limits, struct json_doc *out,
               struct vdt_error *err)
{
  return parse(arena, text, limits, false, out, err);
}

int json_parse_sparse(struct vdt_arena *arena, struct str text, const struct json_limits *limits, struct json_doc *out,
                      struct vdt_error *err)
{
  return parse(arena, text, limits, true, out, err);
}

/* ---- reading the result ---- */

static struct str inner(const struct json_doc *doc, uint32_t start, uint32_t end)
{
  return (struct str){doc->text.p + start + 1, end - start - 2};
}

/* The text between quotes, known to be valid, decoded into the arena: never longer than it was. */
static bool decode(struct str raw, struct vdt_arena *arena, struct str *out)
{
  char *p = arena_alloc(arena, raw.n + 1);
  size_t n = 0, made;
  bool half;
  if (!p) return false;
  for (size_t i = 0; i < raw.n;) {
    const char *backslash = memchr(raw.p + i, '\\', raw.n - i);
    size_t run = backslash ? (size_t)(backslash - (raw.p + i)) : raw.n - i;
    memcpy(p + n, raw.p + i, run);
    n += run;
    i += run;
    if (i == raw.n) break;
    i += unescape(raw.p + i, raw.n - i, p + n, &made, &half);
    n += made;
  }
  *out = (struct str){p, n};
  return true;
}

/* Compares without memory. */
static bool inner_is(struct str raw, bool escaped, struct str want)
{
  if (!escaped) return str_eq(raw, want);
  size_t at = 0;
  for (size_t i = 0; i < raw.n;) {
    char c[4] = {raw.p[i]};
    size_t made = 1, step = 1;
    bool half;
    if (raw.p[i] == '\\') step = unescape(raw.p + i, raw.n - i, c, &made, &half);
    if (want.n - at < made || memcmp(want.p + at, c, made) != 0) return false;
    at += made;
    i += step;
  }
  return at == want.n;
}

uint32_t json_first(const struct json_doc *doc, uint32_t container)
{
  return container < doc->n && doc->nodes[container].count ? container + 1 : 0;
}

uint32_t json_next(const struct json_doc *doc, uint32_t container, uint32_t child)
{
  uint32_t next = doc->nodes[child].next;
  return next < doc->nodes[container].next ? next : 0;
}

uint32_t json_get(const struct json_doc *doc, uint32_t obj, const char *key)
{
  struct str want = str_of(key);
  if (obj >= doc->n || doc->nodes[obj].type != JSON_OBJECT) return 0;
  for (uint32_t i = json_first(doc, obj); i; i = json_next(doc, obj, i)) {
    const struct json_node *m = &doc->nodes[i];
    if (inner_is(inner(doc, m->key_start, m->key_end), m->key_escaped, want)) return i;
  }
  return 0;
}

bool json_string(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, struct str *out)
{
  *out = STR("");
  if (!json_is(doc, node, JSON_STRING)) return true;
  const struct json_node *s = &doc->nodes[node];
  *out = inner(doc, s->start, s->end);
  return !s->escaped || decode(*out, arena, out);
}

bool json_key(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, struct str *out)
{
  const struct json_node *m = &doc->nodes[node];
  *out = STR("");
  if (m->key_start == m->key_end) return true;
  *out = inner(doc, m->key_start, m->key_end);
  return !m->key_escaped || decode(*out, arena, out);
}

bool json_string_is(const struct json_doc *doc, uint32_t node, const char *text)
{
  if (!json_is(doc, node, JSON_STRING)) return false;
  const struct json_node *s = &doc->nodes[node];
  return inner_is(inner(doc, s->start, s->end), s->escaped, str_of(text));
}

bool json_u64(const struct json_doc *doc, uint32_t node, uint64_t *out)
{
  return json_is(doc, node, JSON_NUMBER) && str_u64(json_raw(doc, node), out);
}

/* ---- quoting ---- */

/* One character that plain_run() stopped at; returns the bytes it took. */
static size_t escape_one(struct buf *b, const char *p, size_t n)
{
  static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  unsigned char c = (unsigned char)p[0];
  const char *at = c ? memchr(names, c, sizeof names - 1) : NULL;
  if (at) {
    char out[2] = {'\\', letters[at - names]};
    buf_put(b, (struct str){out, 2});
    return 1;
  }
  if (c < 0x80) {
    buf_printf(b, "\\u%04x", c);
    return 1;
  }
  size_t len = utf8_len(p, n);
  if (len == 0) BUF_LIT(b, "\xef\xbf\xbd");
  else if (len == 3 && memcmp(p, "\xe2\x80\xa8", 3) == 0) BUF_LIT(b, "\\u2028");
  else if (len == 3 && memcmp(p, "\xe2\x80\xa9", 3) == 0) BUF_LIT(b, "\\u2029");
  else buf_put(b, (struct str){p, len});
  return len ? len : 1;
}

void json_escape(struct buf *b, struct str s)
{
  for (size_t i = 0; i < s.n;) {
    size_t run = plain_run(s.p + i, s.n - i);
    buf_put(b, str_cut(s, i, i + run));
    i += run;
    if (i < s.n) i += escape_one(b, s.p + i, s.n - i);
  }
}

void json_quote(struct buf *b, struct str s)
{
  buf_byte(b, '"');
  json_escape(b, s);
  buf_byte(b, '"');
}
