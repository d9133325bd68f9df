/* Records are written as the schema says, read back as they were, and refused when anything is wrong. With --samples it prints lines for
 * tests/record/schema.test. */
#include "sample.h"
#include "../test.h"
#include "record/fields.h"

static struct vdt_arena *arena;
static struct buf line;

static const char *written(const struct record *r)
{
  buf_reset(&line);
  record_write(r, &line);
  CHECK(!line.failed && line.n && line.p[line.n - 1] == '\n');
  CHECK(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
  return line.p;
}

static void read_back_and_written_again_is_the_same_line(void)
{
  struct record samples[] = {sample_full(), sample_small()}, got;
  for (size_t i = 0; i < 2; i++) {
    struct vdt_error err = {0};
    written(&samples[i]);
    struct str first = arena_dup(arena, buf_str(&line));
    CHECK_INT(record_read(arena, first, &got, &err), VDT_OK);
    CHECK_STR(str_of(err.text), "");
    written(&got);
    CHECK(str_eq(first, buf_str(&line)));
  }
}

static void what_is_empty_is_left_out(void)
{
  struct record r = sample_small();
  written(&r);
  for (size_t i = 0; i < record_fields.n; i++) {
    char name[64];
    snprintf(name, sizeof name, "\"%s\":", record_fields.rows[i].name);
    CHECK((str_find(buf_str(&line), str_of(name)) != (size_t)-1) == record_fields.rows[i].required);
  }
}

static void any_bytes_come_back_as_data(void)
{
  struct record r = sample_full(), got;
  char all[256];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  r.user_agent = r.model = r.end_user = (struct str){all, sizeof all};
  r.path = STR("/\"},\n{\"version\":1}\n");
  written(&r);
  CHECK_INT(record_read(arena, buf_str(&line), &got, NULL), VDT_OK);
  CHECK_STR(got.path, "/\"},\n{\"version\":1}\n");
  CHECK(str_eq(str_cut(got.model, 0, 128), (struct str){all, 128}));
}

static void long_text_is_cut_at_a_character(void)
{
  static char text[5000];
  struct record r = sample_full(), got;
  for (size_t i = 0; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa9", 2);
  r.user_agent = (struct str){text + 1, sizeof text - 1};
  sample_findings[0].evidence = (struct str){text, sizeof text};
  written(&r);
  CHECK_INT(record_read(arena, buf_str(&line), &got, NULL), VDT_OK);
  CHECK_INT(got.findings[0].evidence.n, RECORD_EVIDENCE_MAX);
  CHECK(str_find(got.findings[0].evidence, STR("\xef\xbf\xbd")) == (size_t)-1);
  sample_findings[0].evidence = STR("short");
}

static void line_never_passes_its_limit(void)
{
  enum { N = 8000 };
  struct record r = sample_full(), got;
  struct record_finding *many = calloc(N, sizeof *many);
  for (size_t i = 0; i < N; i++) many[i] = sample_findings[0];
  r.findings = many;
  r.n_findings = N;
  written(&r);
  CHECK(line.n <= RECORD_LINE_MAX && line.n > RECORD_LINE_MAX / 2);
  CHECK(str_find(buf_str(&line), STR(",\"findings_dropped\":")) != (size_t)-1);
  CHECK_INT(record_read(arena, buf_str(&line), &got, NULL), VDT_OK);
  CHECK(got.n_findings < N && got.n_findings > 1000);
  free(many);
}

#define HEAD "{\"version\":1,\"id\":\"00112233445566778899aabbccddeeff\",\"time\":\"2026-11-25T17:00:00.123456Z\",\"status\":200,"
#define SIDES                                                                                                                    \
  "\"request\":{\"bytes\":1,\"parts\":1,\"inspected\":\"full\"},\"response\":{\"bytes\":1,\"parts\":1,\"inspected\":\"full\"},"
#define TAIL "\"outcome\":\"complete\",\"verdict\":\"allow\"}"

#define FINDING(layers)                                                                                                          \
  "\"findings\":[{\"direction\":\"request\",\"role\":\"prompt\",\"detector\":\"jailbreak\",\"rule\":\"r\",\"severity\":\"Low\"," \
  "\"action\":\"detect\",\"source\":\"vedette\",\"confidence\":1,\"start\":0,\"end\":1,\"layers\":" layers "}],"

static void egress_is_a_line_of_its_own(void)
{
  struct record_egress e = sample_egress(), got;
  struct record r;
  struct vdt_error err = {0};
  buf_reset(&line);
  record_write_egress(&e, &line);
  struct str first = arena_dup(arena, buf_str(&line));
  CHECK(record_is_egress(first));
  CHECK(record_read(arena, first, &r, &err) != VDT_OK);
  CHECK_INT(record_read_egress(arena, first, &got, &err), VDT_OK);
  buf_reset(&line);
  record_write_egress(&got, &line);
  CHECK(str_eq(first, buf_str(&line)));
  written(&(struct record){0});
  CHECK(!record_is_egress(buf_str(&line)));
  CHECK(record_read_egress(arena, buf_str(&line), &got, &err) != VDT_OK);
  CHECK(record_read_egress(arena, STR("{\"version\":1,\"egress\":\"00112233445566778899aabbccddeeff\"}"), &got, &err) != VDT_OK);
}

static void refuses(const char *name, const char *text, const char *says)
{
  struct record got;
  struct vdt_error err = {0};
  CASE_BEGIN();
  CHECK(record_read(arena, str_of(text), &got, &err) != VDT_OK);
  CHECK(str_find(str_of(err.text), str_of(says)) != (size_t)-1);
  if (test_failed) printf("# said: %s\n", err.text);
  CASE_END("refuses %s", name);
}

static void refusals(void)
{
  struct record got;
  CASE_BEGIN();
  CHECK_INT(record_read(arena, str_of(HEAD SIDES TAIL), &got, NULL), VDT_OK);
  CHECK_INT(
      record_read(arena, STR(HEAD SIDES FINDING("[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"base64-2\"]") TAIL), &got, NULL),
      VDT_OK);
  CASE_END("takes the line that the refused ones are made from");
  refuses("layers that are no list", HEAD SIDES FINDING("\"base64\"") TAIL, "layers: expected a list");
  refuses("no layers", HEAD SIDES FINDING("[]") TAIL, "layers: expected a list");
  refuses("nine layers", HEAD SIDES FINDING("[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]") TAIL,
          "layers: expected a list");
  refuses("a layer that is no name", HEAD SIDES FINDING("[\"a, b\"]") TAIL, "layers: expected names");
  refuses("a layer that is a number", HEAD SIDES FINDING("[1]") TAIL, "layers: expected strings");
  refuses("an unknown member", HEAD SIDES "\"prompt\":\"x\"," TAIL, "unknown member \"prompt\"");
  refuses("an unknown member's control characters", HEAD SIDES "\"a\\u001b[2J\":1," TAIL, "unknown member \"a?[2J\"");
  refuses("an unknown member of a side", HEAD "\"request\":{\"bytes\":1,\"x\":1}," TAIL, "unknown member \"x\"");
  refuses("a missing side", HEAD "\"request\":{\"bytes\":1,\"parts\":1,\"inspected\":\"full\"}," TAIL, "response: missing");
  refuses("a missing version",
          "{\"id\":\"00112233445566778899aabbccddeeff\",\"time\":\"2026-11-25T17:00:00.123456Z\",\"status\":200," SIDES TAIL,
          "version");
  refuses(
      "another version",
      "{\"version\":2,\"id\":\"00112233445566778899aabbccddeeff\",\"time\":\"2026-11-25T17:00:00.123456Z\",\"status\":200," SIDES
          TAIL,
      "version");
  refuses("a short id", "{\"version\":1,\"id\":\"0011\"}", "id: expected");
  refuses("an id in capitals", "{\"version\":1,\"id\":\"00112233445566778899AABBCCDDEEFF\"}", "id: expected");
  refuses("a time that is none", "{\"version\":1,\"time\":\"yesterday\"}", "time: expected");
  refuses("a status that is text", "{\"version\":1,\"status\":\"200\"}", "status: expected");
  refuses("a negative number", "{\"version\":1,\"duration_us\":-1}", "duration_us: expected");
  refuses("a fraction", "{\"version\":1,\"duration_us\":1.5}", "duration_us: expected");
  refuses("an unknown verdict", HEAD SIDES "\"outcome\":\"complete\",\"verdict\":\"maybe\"}", "verdict: expected");
  refuses("an unknown outcome of a second opinion",
          HEAD SIDES "\"second_opinion\":{\"shield\":\"s\",\"kind\":\"k\",\"outcome\":\"maybe\"}," TAIL, "outcome: expected");
  refuses("a second opinion with too little", HEAD SIDES "\"second_opinion\":{\"shield\":\"s\"}," TAIL, "kind: missing");
  refuses("pseudonyms that are no array", HEAD SIDES "\"pseudonyms\":{}," TAIL, "pseudonyms: expected");
  refuses("no pseudonym", HEAD SIDES "\"pseudonyms\":[]," TAIL, "pseudonyms: expected");
  refuses("pseudonyms without a kind", HEAD SIDES "\"pseudonyms\":[{\"masked\":1}]," TAIL, "kind: missing");
  refuses("pseudonyms with their values", HEAD SIDES "\"pseudonyms\":[{\"kind\":\"k\",\"value\":\"v\"}]," TAIL, "unknown member");
  refuses("findings that are no array", HEAD SIDES "\"findings\":{}," TAIL, "findings: expected");
  refuses("an empty finding", HEAD SIDES "\"findings\":[{}]," TAIL, "missing");
  refuses("a duplicate member", HEAD SIDES "\"status\":1," TAIL, "duplicate");
  refuses("two records on a line", HEAD SIDES TAIL HEAD SIDES TAIL, "byte");
  refuses("a torn line", HEAD SIDES, "byte");
  refuses("an empty line", "", "byte");
  refuses("an array", "[]", "object");
}

int main(int argc, char **argv)
{
  arena = vdt_arena_new((size_t)1 << 30);
  if (argc > 1 && strcmp(argv[1], "--samples") == 0) {
    struct record samples[] = {sample_full(), sample_small()};
    for (size_t i = 0; i < 2; i++) fputs((written(&samples[i]), buf_byte(&line, 0), line.p), stdout);
    struct record_egress e = sample_egress();
    buf_reset(&line);
    record_write_egress(&e, &line);
    fputs((buf_byte(&line, 0), line.p), stdout);
    return 0;
  }
  RUN(read_back_and_written_again_is_the_same_line);
  RUN(what_is_empty_is_left_out);
  RUN(any_bytes_come_back_as_data);
  RUN(long_text_is_cut_at_a_character);
  RUN(line_never_passes_its_limit);
  RUN(egress_is_a_line_of_its_own);
  refusals();
  buf_finish(&line);
  vdt_arena_free(arena);
  return test_end();
}
