/* The JSON reader: what it takes, what it refuses and where, its limits, and that it never disagrees with jansson. */
/* Some names are jansson's too: it gets others here. */
#define JSON_OBJECT J_OBJECT
#define JSON_ARRAY  J_ARRAY
#define JSON_STRING J_STRING
#define JSON_TRUE   J_TRUE
#define JSON_FALSE  J_FALSE
#define JSON_NULL   J_NULL
#define json_string j_string
#include <stdbool.h>
#include <jansson.h>
static bool oracle_type(const json_t *value, char type)
{
  static const char types[] = {[J_OBJECT] = 'o',  [J_ARRAY] = 'a', [J_STRING] = 's', [JSON_INTEGER] = '0',
                               [JSON_REAL] = '0', [J_TRUE] = 't',  [J_FALSE] = 'f',  [J_NULL] = 'n'};
  return value && types[json_typeof(value)] == type;
}
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#undef json_string
#include "base/json.h"
#include "base/numbers.h"
#include "../test.h"
#include <time.h>

static struct vdt_arena *arena;

static int parse(struct str text, struct json_doc *doc, struct vdt_error *err)
{
  vdt_arena_reset(arena);
  return json_parse(arena, text, NULL, doc, err);
}

static const struct {
  const char *text;
  int code;
  const char *error; /* beginning of the error's text */
} texts[] = {
    {"{}", VDT_OK, ""},
    {" [ ] ", VDT_OK, ""},
    {"0", VDT_OK, ""},
    {"-0.5e+10", VDT_OK, ""},
    {"\"\\ud83d\\ude00\"", VDT_OK, ""},
    {"\"\x7f\"", VDT_OK, ""},
    {"[1,\"a\",null,true,false,{\"a\":[{}]}]", VDT_OK, ""},
    {"{\"a\":1,\"b\":1,\"\":1,\"A\":1}", VDT_OK, ""},
    {"", VDT_ESYNTAX, "byte 0 (line 1, column 1): the text ends"},
    {"[1,\n 2,]", VDT_ESYNTAX, "byte 7 (line 2, column 4): expected a value"},
    {"[1 2]", VDT_ESYNTAX, "byte 3 (line 1, column 4): expected , or ]"},
    {"[,1]", VDT_ESYNTAX, "byte 1"},
    {"{\"a\":1,}", VDT_ESYNTAX, "byte 7 (line 1, column 8): expected a member name"},
    {"{\"a\" 1}", VDT_ESYNTAX, "byte 5 (line 1, column 6): expected a colon"},
    {"{\"a\":1]", VDT_ESYNTAX, "byte 6 (line 1, column 7): expected , or }"},
    {"{a:1}", VDT_ESYNTAX, "byte 1"},
    {"[", VDT_ESYNTAX, "byte 1"},
    {"[1", VDT_ESYNTAX, "byte 2"},
    {"]", VDT_ESYNTAX, "byte 0"},
    {"1 2", VDT_ESYNTAX, "byte 2 (line 1, column 3): bytes after the value"},
    {"01", VDT_ESYNTAX, "byte 0 (line 1, column 1): malformed number"},
    {"1.", VDT_ESYNTAX, "byte 0"},
    {"-", VDT_ESYNTAX, "byte 0"},
    {"1e", VDT_ESYNTAX, "byte 0"},
    {"+1", VDT_ESYNTAX, "byte 0"},
    {".5", VDT_ESYNTAX, "byte 0"},
    {"NaN", VDT_ESYNTAX, "byte 0"},
    {"nul", VDT_ESYNTAX, "byte 0"},
    {"True", VDT_ESYNTAX, "byte 0"},
    {"\xef\xbb\xbf{}", VDT_ESYNTAX, "byte 0 (line 1, column 1): byte order mark"},
    {"\"abc", VDT_ESYNTAX, "byte 0 (line 1, column 1): string without end"},
    {"\"a\tb\"", VDT_ESYNTAX, "byte 2 (line 1, column 3): control character"},
    {"\"\\x41\"", VDT_ESYNTAX, "byte 1 (line 1, column 2): invalid escape"},
    {"\"\\u12g4\"", VDT_ESYNTAX, "byte 1"},
    {"\"\\ud800\"", VDT_EUTF8, "byte 1 (line 1, column 2): half of a surrogate pair"},
    {"\"\\udc00\"", VDT_EUTF8, "byte 1"},
    {"\"\\ud800\\u0041\"", VDT_EUTF8, "byte 1"},
    {"\"\\ud800x\"", VDT_EUTF8, "byte 1"},
    {"\"12345678\xff\"", VDT_EUTF8, "byte 9 (line 1, column 10): not valid UTF-8"},
    {"\"\xc0\x80\"", VDT_EUTF8, "byte 1"},
    {"\"\xe0\x80\x80\"", VDT_EUTF8, "byte 1"},
    {"\"\xed\xa0\x80\"", VDT_EUTF8, "byte 1"},
    {"\"\xf4\x90\x80\x80\"", VDT_EUTF8, "byte 1"},
    {"\"\xf0\x9f\x98\"", VDT_EUTF8, "byte 1"},
    {"{\"a\":1,\"a\":2}", VDT_EDUPKEY, "byte 7 (line 1, column 8): duplicate member name a"},
    {"{\"role\":1,\"\\u0072ole\":2}", VDT_EDUPKEY, "byte 10 (line 1, column 11): duplicate member name role"},
    {"[{\"x\":{\"\\u0001\":1,\"\\u0001\":2}}]", VDT_EDUPKEY, "byte 18"},
};

static void takes_and_refuses(void)
{
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct json_doc doc;
    struct vdt_error err = {0};
    CASE_BEGIN();
    CHECK_INT(json_parse_sparse(arena, str_of(texts[i].text), NULL, &doc, &err), texts[i].code);
    CHECK(strncmp(err.text, texts[i].error, strlen(texts[i].error)) == 0);
    CHECK_INT(parse(str_of(texts[i].text), &doc, &err), texts[i].code);
    CHECK(strncmp(err.text, texts[i].error, strlen(texts[i].error)) == 0);
    if (test_failed) printf("# %s\n", err.text);
    CASE_END("json text %zu: %s", i, texts[i].code ? texts[i].error : "taken");
  }
}

/* n times `open`, then n times `close`. */
static struct str nested(struct buf *b, const char *open, const char *close, unsigned n)
{
  buf_reset(b);
  for (unsigned i = 0; i < n; i++) buf_put(b, str_of(open));
  for (unsigned i = 0; i < n; i++) buf_put(b, str_of(close));
  return buf_str(b);
}

static void depth_one_below_at_and_above(void)
{
  struct json_limits limits = {64, 1000};
  struct buf b = {0};
  struct json_doc doc;
  struct vdt_error err;
  CHECK_INT(json_parse(arena, nested(&b, "[", "]", 63), &limits, &doc, &err), VDT_OK);
  CHECK_INT(json_parse(arena, nested(&b, "[", "]", 64), &limits, &doc, &err), VDT_OK);
  CHECK_INT(json_parse(arena, nested(&b, "[", "]", 65), &limits, &doc, &err), VDT_EDEPTH);
  CHECK_INT(json_parse(arena, nested(&b, "[", "", 1000000), &limits, &doc, &err), VDT_EDEPTH);
  buf_finish(&b);
}

static void nodes_one_below_at_and_above(void)
{
  struct json_limits limits = {64, 1000};
  struct json_doc doc;
  struct vdt_error err;
  for (unsigned values = 999; values <= 1001; values++) {
    struct buf b = {0};
    BUF_LIT(&b, "[0");
    for (unsigned i = 2; i < values; i++) BUF_LIT(&b, ",0");
    BUF_LIT(&b, "]");
    CHECK_INT(json_parse(arena, buf_str(&b), &limits, &doc, &err), values <= 1000 ? VDT_OK : VDT_ETOOBIG);
    if (values <= 1000) CHECK_INT(doc.n, values);
    buf_finish(&b);
  }
}

/* Everything but numbers of arrays has its node, with the count and the place that it has otherwise. */
static void numbers_without_nodes(void)
{
  struct json_doc doc;
  struct vdt_error err;
  struct str text = STR("{\"data\":[1,-2.5e3, 4 ,\"a\",5,[6,7],{\"n\":8},9],\"after\":10}");
  CHECK_INT(json_parse_sparse(arena, text, &(struct json_limits){64, 8}, &doc, &err), VDT_OK);
  uint32_t data = json_get(&doc, 0, "data"), a = json_first(&doc, data), inner = json_next(&doc, data, a),
           object = json_next(&doc, data, inner);
  CHECK_INT(doc.n, 7);
  CHECK_INT(doc.nodes[data].count, 3);
  CHECK_STR(json_raw(&doc, a), "\"a\"");
  CHECK_STR(json_raw(&doc, inner), "[6,7]");
  CHECK_INT(json_first(&doc, inner), 0);
  CHECK_STR(json_raw(&doc, json_get(&doc, object, "n")), "8");
  CHECK_INT(json_next(&doc, data, object), 0);
  CHECK_STR(json_raw(&doc, json_get(&doc, 0, "after")), "10");
}

static void small_arena_is_an_ordinary_error(void)
{
  struct vdt_arena *small = vdt_arena_new(1000);
  struct json_doc doc;
  struct vdt_error err;
  struct buf b = {0};
  CHECK_INT(json_parse(small, nested(&b, "[", "]", 60), NULL, &doc, &err), VDT_ENOMEM);
  buf_finish(&b);
  vdt_arena_free(small);
}

static void finds_values_where_they_stand(void)
{
  struct json_doc doc;
  struct vdt_error err;
  struct str s, text = STR("{\"a\":[1,{\"b\":\"x\\ny\"}], \"\\u0063\" : 17,\"d\":-1}");
  uint64_t v = 0;
  CHECK_INT(parse(text, &doc, &err), VDT_OK);
  uint32_t a = json_get(&doc, 0, "a"), c = json_get(&doc, 0, "c");
  CHECK_STR(json_raw(&doc, a), "[1,{\"b\":\"x\\ny\"}]");
  CHECK_INT(json_next(&doc, 0, a), c);
  CHECK(json_u64(&doc, c, &v) && v == 17);
  CHECK(!json_u64(&doc, json_get(&doc, 0, "d"), &v));
  uint32_t object = json_next(&doc, a, json_first(&doc, a));
  CHECK_INT(json_next(&doc, a, object), 0);
  uint32_t b = json_get(&doc, object, "b");
  CHECK(json_string(&doc, b, arena, &s));
  CHECK_STR(s, "x\ny");
  CHECK(json_string_is(&doc, b, "x\ny") && !json_string_is(&doc, b, "x\n") && !json_string_is(&doc, b, "x\nyz"));
  CHECK(json_key(&doc, c, arena, &s));
  CHECK_STR(s, "c");
  CHECK_INT(json_get(&doc, 0, "b"), 0);
  CHECK_INT(json_get(&doc, a, "b"), 0);
}

static void quotes(void)
{
  struct buf b = {0};
  json_quote(&b, STR("plain text, long enough \"\\\n\x01\x7f\0\xff\xe2\x80\xa8 \xc3\xa4\xf0\x9f\x98\x80"));
  CHECK_STR(buf_str(&b), "\"plain text, long enough \\\"\\\\\\n\\u0001\\u007f\\u0000\xef\xbf\xbd\\u2028 \xc3\xa4"
                         "\xf0\x9f\x98\x80\"");
  buf_finish(&b);
}

/* ---- against jansson ---- */

static uint64_t rng = 88172645463325252u;

static unsigned below(unsigned n)
{
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  return (unsigned)(rng >> 33) % n;
}

static bool same(const struct json_doc *doc, uint32_t node, json_t *want);

static bool same_object(const struct json_doc *doc, uint32_t node, json_t *want)
{
  if (doc->nodes[node].count != json_object_size(want)) return false;
  for (uint32_t i = json_first(doc, node); i; i = json_next(doc, node, i)) {
    struct str key;
    if (!json_key(doc, i, arena, &key)) return false;
    json_t *member = NULL;
    const char *name;
    json_t *value;
    json_object_foreach(want, name, value) if (str_eq(key, str_of(name))) member = value;
    if (!member || !same(doc, i, member)) return false;
  }
  return true;
}

static bool same(const struct json_doc *doc, uint32_t node, json_t *want)
{
  struct str s;
  switch ((enum json_type)doc->nodes[node].type) {
  case JSON_NULL: return oracle_type(want, 'n');
  case JSON_FALSE: return oracle_type(want, 'f');
  case JSON_TRUE: return oracle_type(want, 't');
  case JSON_NUMBER: return oracle_type(want, '0');
  case JSON_STRING:
    return oracle_type(want, 's') && json_string(doc, node, arena, &s) &&
           str_eq(s, (struct str){json_string_value(want), json_string_length(want)});
  case JSON_OBJECT: return oracle_type(want, 'o') && same_object(doc, node, want);
  case JSON_ARRAY: {
    size_t k = 0;
    for (uint32_t i = json_first(doc, node); i; i = json_next(doc, node, i))
      if (!same(doc, i, json_array_get(want, k++))) return false;
    return oracle_type(want, 'a') && k == json_array_size(want);
  }
  }
  return false;
}

static void mutate(char *p, size_t n)
{
  static const char pool[] = "{}[]\":,\\u0d8c1e.-+tn \n\x80\xe2\xff";
  for (unsigned k = below(4); k > 0; k--) p[below((unsigned)n)] = pool[below(sizeof pool - 1)];
}

/* Mutated texts: whatever we take, jansson takes and reads the same; whatever we refuse, it refuses too, or it is one
 * of the things that we refuse on purpose. */
static void never_disagrees_with_jansson(void)
{
  static const char *const seeds[] = {
      "{\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e4\\ud83d\\ude00\303\244\"}],\"n\":1.5e3}",
      "[[],{},[{}],null,false,-0.0,1e5,\"\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
      "{\"a\":{\"b\":{\"c\":[1,2,3,{\"d\":\"e\"}]}},\"f\":[true,null]}",
      "{\"a\":[0.25,-1,3e2,\"x\",7,[8,9],{\"b\":1},10]}",
  };
  unsigned taken = 0;
  for (unsigned i = 0; i < 60000 && !test_failed; i++) {
    char text[256];
    struct str seed = str_of(seeds[i % 4]);
    memcpy(text, seed.p, seed.n);
    mutate(text, seed.n);
    struct json_doc doc, sparse;
    struct vdt_error err;
    int rc = parse((struct str){text, seed.n}, &doc, &err);
    json_error_t why;
    json_t *want = json_loadb(text, seed.n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    enum json_error_code code = want ? json_error_unknown : json_error_code(&why);
    bool number = code == json_error_numeric_overflow, nul_key = code == json_error_null_byte_in_key;
    CHECK_INT(json_parse_sparse(arena, (struct str){text, seed.n}, NULL, &sparse, &err), rc);
    if (rc == VDT_OK) CHECK(number || nul_key || (want && same(&doc, 0, want)));
    else CHECK(!want);
    if (test_failed) printf("# %.*s: %s / %s\n", (int)seed.n, text, err.text, why.text);
    taken += rc == VDT_OK;
    json_decref(want);
  }
  CHECK(taken > 5000);
}

/* ---- long lists of numbers --------------------------------------------------------------------------------------- */

static void put_digits(struct buf *b, unsigned most)
{
  for (unsigned i = 0, n = 1 + below(most); i < n; i++) buf_byte(b, (char)('0' + below(10)));
}

static void put_blanks(struct buf *b, unsigned style)
{
  if (style == 1) buf_byte(b, ' ');
  if (style == 2)
    for (unsigned i = below(4); i > 0; i--) buf_byte(b, " \n\t\r"[below(4)]);
}

static void put_number(struct buf *b)
{
  if (below(2)) buf_byte(b, '-');
  if (below(2)) buf_byte(b, '0');
  else buf_byte(b, (char)('1' + below(9)));
  if (below(9) == 0) put_digits(b, 3); /* behind a zero it is none */
  if (below(4)) {
    buf_byte(b, '.');
    put_digits(b, below(30) ? 18 : 90);
  }
  if (below(6)) return;
  buf_byte(b, below(2) ? 'e' : 'E');
  if (below(2)) buf_byte(b, below(2) ? '-' : '+');
  put_digits(b, 2);
}

/* Lists of several blocks, one or two of their bytes often another: what is skipped at once is what the reader of single bytes takes. */
static void lists_as_byte_by_byte(void)
{
  static const char alphabet[] = "00189.-+eE, \n]\"x";
  unsigned taken = 0, refused = 0;
  for (unsigned i = 0; i < 40000 && !test_failed; i++) {
    struct buf b = {0};
    struct json_doc doc, sparse;
    struct vdt_error err, sparse_err;
    unsigned style = below(3);
    buf_byte(&b, '[');
    for (unsigned k = 0, n = 1 + below(40); k < n; k++) {
      if (k) buf_byte(&b, ',');
      put_blanks(&b, style);
      put_number(&b);
      put_blanks(&b, style == 2 ? 2 : 0);
    }
    BUF_LIT(&b, "]");
    for (unsigned k = below(3); k > 0; k--) b.p[below((unsigned)b.n)] = alphabet[below(sizeof alphabet - 1)];
    vdt_arena_reset(arena);
    int rc = parse(buf_str(&b), &doc, &err);
    CHECK_INT(json_parse_sparse(arena, buf_str(&b), NULL, &sparse, &sparse_err), rc);
    if (rc) CHECK_STR(str_of(sparse_err.text), err.text);
    if (test_failed) printf("# %.*s\n", (int)b.n, b.p);
    taken += rc == VDT_OK;
    refused += rc != VDT_OK;
    buf_finish(&b);
  }
  CHECK(taken > 2000 && refused > 2000);
}

/* What is meant to be skipped is, or the test above compares one reader with itself. */
static void lists_are_skipped(void)
{
#ifdef __SSE2__
  static const struct {
    const char *element;
    size_t took;
  } rows[] = {{"-0.012345,", 190},
              {"0.5 , ", 194},
              {"\n          1e-05,", 187},
              {"01,", 0},
              {"1.,", 0},
              {"-,", 0},
              {",", 0},
              {"1 1,", 0},
              {"1.2.3,", 0},
              {"1e2e3,", 0},
              {"1e2.5,", 0},
              {".5,", 0},
              {"+1,", 0},
              {"e1,", 0},
              {" ,", 0},
              {"1-1,", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf b = {0};
    while (b.n < 256) buf_put(&b, str_of(rows[i].element));
    size_t took = numbers_run(b.p, 256);
    if (rows[i].took) CHECK(took >= rows[i].took && took <= 256 && b.p[took - 1] == ',');
    else CHECK_INT(took, 0);
    if (test_failed) printf("# %s: %zu\n", rows[i].element, took);
    buf_finish(&b);
  }
#endif
}

/* ---- time ---- */

static double seconds_for(unsigned members, int *rc)
{
  struct buf b = {0};
  struct json_doc doc;
  struct vdt_error err;
  BUF_LIT(&b, "{");
  for (unsigned i = 0; i < members; i++) buf_printf(&b, "%s\"k%07u\":0", i ? "," : "", i * 7919u % members);
  BUF_LIT(&b, "}");
  struct timespec from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  *rc = parse(buf_str(&b), &doc, &err);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  buf_finish(&b);
  return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* 40 times the members cost far less than 1600 times the time. */
static void many_members_stay_cheap(void)
{
  int rc;
  double few = seconds_for(5000, &rc);
  CHECK_INT(rc, VDT_OK);
  double many = seconds_for(200000, &rc);
  CHECK_INT(rc, VDT_OK);
  CHECK(many < few * 400 + 0.2);
  printf("# 5,000 members %.4f s, 200,000 members %.4f s\n", few, many);
}

static void one_duplicate_among_many_is_found(void)
{
  struct buf b = {0};
  struct json_doc doc;
  struct vdt_error err;
  BUF_LIT(&b, "{");
  for (unsigned i = 0; i < 1000; i++) buf_printf(&b, "\"k%u\":0,", i);
  BUF_LIT(&b, "\"\\u006b500\":1}");
  CHECK_INT(parse(buf_str(&b), &doc, &err), VDT_EDUPKEY);
  CHECK(strstr(err.text, "duplicate member name k500") != NULL);
  buf_finish(&b);
}

int main(void)
{
  arena = vdt_arena_new(0);
  takes_and_refuses();
  RUN(depth_one_below_at_and_above);
  RUN(nodes_one_below_at_and_above);
  RUN(numbers_without_nodes);
  RUN(small_arena_is_an_ordinary_error);
  RUN(finds_values_where_they_stand);
  RUN(quotes);
  RUN(one_duplicate_among_many_is_found);
  RUN(never_disagrees_with_jansson);
  RUN(lists_as_byte_by_byte);
  RUN(lists_are_skipped);
  RUN(many_members_stay_cheap);
  vdt_arena_free(arena);
  return test_end();
}
