/* Redactions of a request: raw bytes of a decoded span, whatever escapes stand in and around it; nothing else changes. */
#include "../test.h"
#include "wire/wire.h"

/* Redacts [start, end) of the decoded string that begins at the first quote of `body`. */
static struct str redacted(struct buf *out, const char *body, size_t start, size_t end)
{
  const char *quote = strchr(body, '"');
  size_t from = (size_t)(quote - body), to = from + 1;
  while (body[to] != '"') to += body[to] == '\\' ? 2 : 1;
  struct wire_redaction r = {{from, to + 1}, start, end, "[x\"]", false};
  buf_reset(out);
  CHECK(wire_redact(str_of(body), &r, 1, (struct wire_span){0}, out));
  return buf_str(out);
}

static void escapes(void)
{
  struct buf b = {0};
  CHECK_STR(redacted(&b, "[\"abcdef\"]", 2, 4), "[\"ab[x\\\"]ef\"]");
  CHECK_STR(redacted(&b, "[\"\\n\\u0067h\\\"p\"]", 1, 3), "[\"\\n[x\\\"]\\\"p\"]");
  CHECK_STR(redacted(&b, "[\"\\ud83d\\udd11key\\u00e9!\"]", 4, 9), "[\"\\ud83d\\udd11[x\\\"]!\"]");
  CHECK_STR(redacted(&b, "[\"\xF0\x9F\x94\x91key\"]", 4, 7), "[\"\xF0\x9F\x94\x91[x\\\"]\"]");
  CHECK_STR(redacted(&b, "[\"all\", \"all\"]", 0, 3), "[\"[x\\\"]\", \"all\"]");
  buf_finish(&b);
}

/* A span that begins or ends inside a character takes the whole character. */
static void characters_are_whole(void)
{
  struct buf b = {0};
  CHECK_STR(redacted(&b, "[\"a\\u20acb\"]", 2, 3), "[\"a[x\\\"]b\"]");
  CHECK_STR(redacted(&b,
                     "[\"a\xE2\x82\xAC"
                     "b\"]",
                     2, 3),
            "[\"a[x\\\"]b\"]");
  buf_finish(&b);
}

static void several_and_a_member_that_goes(void)
{
  static const char body[] = "{\"a\":\"one two three\",\"gone\":\"four\",\"b\":\"five\"}";
  struct wire_redaction v[] = {
      {{39, 45}, 0, 4, "5", false}, {{28, 34}, 0, 2, "?", false}, {{5, 20}, 8, 13, "3", false}, {{5, 20}, 0, 3, "1", false}};
  struct buf b = {0};
  CHECK(wire_redact(str_of(body), v, 4, (struct wire_span){21, 35}, &b));
  CHECK_STR(buf_str(&b), "{\"a\":\"1 two 3\",\"b\":\"5\"}");
  buf_finish(&b);
}

int main(void)
{
  RUN(escapes);
  RUN(characters_are_whole);
  RUN(several_and_a_member_that_goes);
  return test_end();
}
