/* Pseudonyms: what the model sees, what the client gets back, what the next request does with them, what the record says. */
#include "rig.h"
#include "base/json.h"
#include "gateway/pseudonyms.h"

#define OTHER_KEY "tok_a1b2c3d4e5f6g7h8i9j0"
/* The same value in a JSON string, and in a JSON string within one. */
#define ODD      "say<a \"b\"\nand c\\>"
#define ODD_JSON "say<a \\\"b\\\"\\nand c\\\\>"

enum { CORE = 23 };

/* The name in a text: the gate of the token and the core. */
static void name_in(struct str text, const char *gate, char out[64])
{
  char begin[32];
  snprintf(begin, sizeof begin, "%svdt", gate);
  size_t at = str_find(text, str_of(begin)), n = strlen(gate) + CORE;
  CHECK(at != (size_t)-1 && at + n <= text.n);
  out[0] = 0;
  if (at != (size_t)-1 && at + n <= text.n) snprintf(out, 64, "%.*s", (int)n, text.p + at);
}

/* The name of KEY, as a request of this deployment gets it. */
static void ask_name(const char *body, const char *gate, char out[64])
{
  struct talk t = {.deployment = "names", .body = str_of(body)};
  rig_request(&t);
  CHECK(t.next == EXCHANGE_FORWARD && t.changed);
  name_in(t.forwarded, gate, out);
  rig_finish(&t, RECORD_COMPLETE);
  rig_end(&t);
}

/* What the record says about the one kind. */
static const struct record_pseudonym *row(const struct talk *t)
{
  static const struct record_pseudonym none;
  CHECK_INT(t->record.n_pseudonyms, 1);
  return t->record.n_pseudonyms ? &t->record.pseudonyms[0] : &none;
}

/* The text with the name wherever @ stands. */
static const char *with_name(const char *text, const char *name)
{
  static char out[4][4096];
  static unsigned turn;
  char *to = out[turn++ % 4], *end = to;
  for (; *text; text++)
    if (*text == '@') end += snprintf(end, 64, "%s", name);
    else *end++ = *text;
  *end = 0;
  return to;
}

static size_t count(struct str s, const char *needle)
{
  size_t n = 0, at;
  while ((at = str_find(s, str_of(needle))) != (size_t)-1) {
    s = str_cut(s, at + 1, s.n);
    n++;
  }
  return n;
}

static void the_model_sees_a_name_that_is_always_the_same(void)
{
  char name[64], again[64], other[64], want[512];
  struct talk t = {.deployment = "names", .body = STR(USER("my key is " KEY ", I said " KEY))};
  ask_name(USER("use " KEY), "tok_", name);
  ask_name(USER("Once more: (" KEY ")"), "tok_", again);
  ask_name(USER("use " OTHER_KEY), "tok_", other);
  CHECK_STR(str_of(again), name);
  CHECK(strcmp(name, other) != 0);
  rig_request(&t);
  snprintf(want, sizeof want, USER("my key is %s, I said %s"), name, name);
  CHECK_STR(t.forwarded, want);
  rig_finish(&t, RECORD_COMPLETE);
  CHECK_INT(t.record.n_pseudonyms, 1);
  CHECK_STR(row(&t)->kind, "test-token");
  CHECK_INT(row(&t)->masked, 2);
  CHECK_INT(row(&t)->restored, 0);
  CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
  CHECK(!rig_has(LINE(&t), KEY_BODY) && !rig_has(LINE(&t), name));
  rig_end(&t);
}

/* Another key of the installation gives other names. */
static void names_depend_on_the_key(void)
{
  char name[64], other[64];
  ask_name(USER("use " KEY), "tok_", name);
  rig_image.key[0] ^= 1;
  ask_name(USER("use " KEY), "tok_", other);
  rig_image.key[0] ^= 1;
  CHECK(strcmp(name, other) != 0);
}

/* One request, and an answer with the name of KEY for each @. */
static void converse(struct talk *t, const char *deployment, const char *request, const char *answer)
{
  char name[64];
  ask_name(USER("use " KEY), "tok_", name);
  *t = (struct talk){.deployment = deployment, .body = str_of(request), .up = str_of(with_name(answer, name))};
  rig_run(t);
}

static void a_whole_answer_gets_the_value_back(void)
{
  struct talk t;
  converse(&t, "names", USER("use " KEY), ANSWER("I used @, see @."));
  CHECK_STR(OUT(&t), ANSWER("I used " KEY ", see " KEY "."));
  CHECK_INT(row(&t)->masked, 1);
  CHECK_INT(row(&t)->restored, 2);
  CHECK(!rig_has(LINE(&t), KEY_BODY));
  CHECK_INT(t.record.n_findings, 1); /* that of the request */
  rig_end(&t);
}

/* What a client joins from the stream's deltas. */
static void join(struct str events, const char *member, struct buf *out)
{
  struct sse s = {0};
  struct sse_event e;
  struct vdt_arena *arena = vdt_arena_new(0);
  CHECK(sse_feed(&s, events));
  while (sse_next(&s, arena, &e)) {
    struct json_doc doc;
    struct str text;
    if (!e.has_data || str_eq(e.data, STR("[DONE]"))) continue;
    CHECK_INT(json_parse(arena, e.data, &JSON_LIMITS_DEFAULT, &doc, NULL), 0);
    for (uint32_t i = 1; i < doc.n; i++) {
      if (!json_key(&doc, i, arena, &text) || !str_eq(text, str_of(member))) continue;
      CHECK(json_string(&doc, i, arena, &text));
      buf_put(out, text);
    }
  }
  sse_finish(&s);
  vdt_arena_free(arena);
}

static void a_stream_gets_the_value_back_wherever_the_name_is_cut(void)
{
  char name[64], up[2048];
  ask_name(USER("use " KEY), "tok_", name);
  for (int cut = 0; cut <= 27; cut++) {
    struct buf said = {0};
    snprintf(up, sizeof up, SAY("I used %.*s") SAY("%s today, to %.3s") STOP DONE, cut, name, name + cut, name);
    struct talk t = {.deployment = "names",
                     .body = STR(USER("use " KEY)),
                     .up = str_of(up),
                     .up_type = "text/event-stream",
                     .cuts = (uint64_t)(cut % 5 ? cut : 1)};
    rig_run(&t);
    join(OUT(&t), "content", &said);
    CHECK_STR(buf_str(&said), "I used " KEY " today, to tok");
    CHECK_INT(row(&t)->restored, 1);
    buf_finish(&said);
    rig_end(&t);
  }
}

#define CALL(args)                                                                                                               \
  "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\","  \
  "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"" args "\"}}]},\"finish_reason\":\"tool_calls\"}]}"

/* A value with quotes, a line end and a backslash, in text and in the arguments of a call. */
static void what_comes_back_into_json_has_its_escapes(void)
{
  char name[64], up[2048], want[2048];
  ask_name(USER("use " ODD_JSON), "", name);
  snprintf(up, sizeof up, CALL("{\\\"p\\\":\\\"%s\\\"}"), name);
  snprintf(want, sizeof want, CALL("{\\\"p\\\":\\\"%s\\\"}"), "say<a \\\\\\\"b\\\\\\\"\\\\nand c\\\\\\\\>");
  struct talk t = {.deployment = "names", .body = STR(USER("use " ODD_JSON)), .up = str_of(up)};
  rig_run(&t);
  CHECK_STR(OUT(&t), want);
  rig_end(&t);
  snprintf(up, sizeof up, ANSWER("it is %s"), name);
  t = (struct talk){.deployment = "names", .body = STR(USER("use " ODD_JSON)), .up = str_of(up)};
  rig_run(&t);
  CHECK_STR(OUT(&t), ANSWER("it is " ODD_JSON));
  rig_end(&t);
  snprintf(up, sizeof up, ANSWER("{\\\"p\\\": \\\"%s\\\"}"), name); /* structured output */
  snprintf(want, sizeof want, ANSWER("{\\\"p\\\": \\\"%s\\\"}"), "say<a \\\\\\\"b\\\\\\\"\\\\nand c\\\\\\\\>");
  t = (struct talk){.deployment = "names", .body = STR(USER("use " ODD_JSON)), .up = str_of(up)};
  rig_run(&t);
  CHECK_STR(OUT(&t), want);
  rig_end(&t);
}

/* In the history the arguments of a call are JSON source; the value in them has the name that it has in plain text. */
static void the_history_has_the_same_names(void)
{
  char name[64];
  ask_name(USER("use " ODD_JSON), "", name);
  struct talk t = {
      .deployment = "names",
      .body = STR("{\"messages\":[{\"role\":\"user\",\"content\":\"use " ODD_JSON
                  "\"},{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":"
                  "\"f\",\"arguments\":\"{\\\"p\\\":\\\"say<a \\\\\\\"b\\\\\\\"\\\\nand c\\\\\\\\>\\\"}\"}}]}]}")};
  rig_request(&t);
  CHECK_INT(count(t.forwarded, name), 2);
  CHECK(!rig_has(t.forwarded, "say<"));
  rig_finish(&t, RECORD_COMPLETE);
  rig_end(&t);
}

#define SYSTEM_KEY                                                                                                               \
  "{\"messages\":[{\"role\":\"system\",\"content\":\"the token is " KEY "\"},{\"role\":\"user\",\"content\":\"print it\"}]}"

static void what_only_the_application_said_stays_a_name_in_text(void)
{
  struct talk t;
  converse(&t, "names", SYSTEM_KEY, ANSWER("It is @"));
  CHECK(!rig_has(OUT(&t), KEY_BODY) && rig_has(OUT(&t), "It is tok_vdt"));
  CHECK_INT(row(&t)->restored, 0);
  rig_end(&t);
  converse(&t, "names", SYSTEM_KEY, CALL("{\\\"t\\\":\\\"@\\\"}"));
  CHECK(rig_has(OUT(&t), "{\\\"t\\\":\\\"" KEY "\\\"}"));
  rig_end(&t);
}

static void policy_says_where_values_come_back(void)
{
  static const struct {
    const char *deployment;
    bool text, call;
  } v[] = {{"names", true, true}, {"names-in-tools", false, true}, {"names-only", false, false}};
  for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
    struct talk t;
    converse(&t, v[i].deployment, USER("use " KEY), ANSWER("It is @"));
    CHECK_INT(rig_has(OUT(&t), KEY), v[i].text);
    CHECK_INT(rig_has(OUT(&t), "tok_vdt"), !v[i].text);
    rig_end(&t);
    converse(&t, v[i].deployment, USER("use " KEY), CALL("{\\\"t\\\":\\\"@\\\"}"));
    CHECK_INT(rig_has(OUT(&t), KEY), v[i].call);
    rig_end(&t);
  }
}

static void a_name_is_no_secret(void)
{
  char name[64], body[512];
  ask_name(USER("use " KEY), "tok_", name);
  snprintf(body, sizeof body, USER("my token is %s"), name);
  struct talk t = {.deployment = "strict", .body = str_of(body), .up = STR(ANSWER("ok"))}; /* blocks secrets */
  rig_run(&t);
  CHECK_INT(t.next, EXCHANGE_FORWARD);
  CHECK_INT(t.record.n_findings, 0);
  rig_end(&t);
}

/* The answer was redacted; the next request has the name where the answer stood, and the value elsewhere. */
static void the_next_request_makes_a_name_the_value_again(void)
{
  char name[64];
  struct talk t = {.deployment = "names-in-answers", .body = STR(USER("use " KEY)), .up = STR(ANSWER("I use " KEY))};
  rig_run(&t);
  CHECK(!t.changed); /* policy: detect in prompts */
  name_in(OUT(&t), "tok_", name);
  CHECK(!rig_has(OUT(&t), KEY_BODY));
  rig_end(&t);
  static const char form[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"use " KEY
                             "\"},{\"role\":\"assistant\",\"content\":\"I use @\"},{\"role\":\"user\",\"content\":\"@?\"}]}";
  const char *want = with_name(form, KEY);
  t = (struct talk){.deployment = "names-in-answers", .body = str_of(with_name(form, name)), .up = STR(ANSWER("yes"))};
  rig_run(&t);
  CHECK_STR(t.forwarded, want);
  CHECK_INT(row(&t)->resolved, 2);
  CHECK_INT(row(&t)->masked, 0);
  rig_end(&t);
}

/* Of a value that is not in the request nothing is known: its name stays what it is. */
static void a_name_without_its_value_stays(void)
{
  char name[64], body[512];
  ask_name(USER("use " KEY), "tok_", name);
  snprintf(body, sizeof body, USER("what is %s, and " OTHER_KEY), name);
  struct talk t = {.deployment = "names-in-answers", .body = str_of(body), .up = STR(ANSWER("no idea"))};
  rig_run(&t);
  CHECK(!t.changed);
  rig_end(&t);
}

static void what_was_held_back_leaves_when_the_answer_is_cut(void)
{
  char name[64], up[1024];
  struct buf said = {0};
  ask_name(USER("use " KEY), "tok_", name);
  snprintf(up, sizeof up, SAY("%s and to") SAY(" " OTHER_KEY " more") STOP DONE, name);
  struct talk t = {
      .deployment = "names-and-cut", .body = STR(USER("use " KEY)), .up = str_of(up), .up_type = "text/event-stream"};
  rig_run(&t);
  join(OUT(&t), "content", &said);
  CHECK_STR(buf_str(&said), KEY " and to ");
  CHECK(t.done);
  buf_finish(&said);
  rig_end(&t);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* Two values never share a name: the second is refused, and its place gets a label. */
static void a_name_stands_for_one_value(void)
{
  struct pseudonyms t = {.arena = vdt_arena_new(0)};
  bool other = true;
  struct pseudonym *p = pseudonyms_add(&t, STR("name"), STR("value"), &other);
  CHECK(p && !other);
  CHECK(pseudonyms_add(&t, STR("name"), STR("value"), &other) == p && !other);
  CHECK(pseudonyms_add(&t, STR("name"), STR("another"), &other) == NULL && other);
  CHECK_INT(t.n, 1);
  vdt_arena_free(t.arena);
}

static void many_names_are_found(void)
{
  enum { MANY = 3000 };
  struct pseudonyms t = {.arena = vdt_arena_new(0)};
  char name[32], value[32];
  bool other, more;
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "n%05d", i * 7919 % 99991);
    snprintf(value, sizeof value, "v%d", i);
    CHECK(pseudonyms_add(&t, str_of(name), str_of(value), &other) != NULL);
  }
  CHECK(pseudonyms_at(&t, str_of(name), &more) == NULL); /* not sorted yet */
  CHECK(pseudonyms_sort(&t));
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "n%05d and more", i * 7919 % 99991);
    snprintf(value, sizeof value, "v%d", i);
    struct pseudonym *p = pseudonyms_at(&t, str_of(name), &more);
    CHECK(p && str_eq(p->value, str_of(value)));
    CHECK(pseudonyms_at(&t, str_cut(str_of(name), 0, 5), &more) == NULL && more);
  }
  CHECK(pseudonyms_at(&t, STR("n99999"), &more) == NULL && !more);
  CHECK(pseudonyms_at(&t, STR(""), &more) == NULL && !more);
  vdt_arena_free(t.arena);
}

/* ---- other formats ---------------------------------------------------------------------------------------------- */

#define EVENT(json) "data: " json "\n\n"

/* @ is the name in the answer, and the value in what is to come out. */
static const struct {
  const char *path, *body, *type, *up;
} formats[] = {
    {"/v1/responses", "{\"model\":\"names\",\"input\":\"use " KEY "\"}", "text/event-stream",
     EVENT("{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"output\":[]}}") EVENT(
         "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"i\",\"content\":[]}"
         "}") EVENT("{\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"I use @.\"}")
         EVENT("{\"type\":\"response.output_text.done\",\"output_index\":0,\"content_index\":0,\"text\":\"I use @.\"}")
             EVENT("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"type\":\"message\",\"content\":[{"
                   "\"type\":\"output_text\",\"text\":\"I use @.\"}]}]}}")},
    {"/v1/messages", "{\"model\":\"names\",\"messages\":[{\"role\":\"user\",\"content\":\"use " KEY "\"}]}", "text/event-stream",
     EVENT("{\"type\":\"message_start\",\"message\":{\"content\":[]}}") EVENT(
         "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\","
         "\"input\":{}}}") EVENT("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\","
                                 "\"partial_json\":\"{\\\"k\\\":"
                                 "\\\"@\\\"}\"}}") EVENT("{\"type\":\"content_block_stop\",\"index\":0}")
         EVENT("{\"type\":\"message_stop\"}")},
    {"/v1/messages", "{\"model\":\"names\",\"messages\":[{\"role\":\"user\",\"content\":\"use " KEY "\"}]}", "application/json",
     "{\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"k\":\"@\"}},{\"type\":\"text\",\"text\":\"@"
     "\"}]}"},
    {"/api/generate", "{\"model\":\"names\",\"prompt\":\"use " KEY "\"}", "application/x-ndjson",
     "{\"response\":\"I use @.\",\"done\":false}\n{\"response\":\"\",\"done\":true}\n"},
    {"/v1beta/models/names:generateContent", "{\"contents\":[{\"parts\":[{\"text\":\"use " KEY "\"}]}]}", "application/json",
     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"I use "
     "@\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"k\":\"@\"}}}]},"
     "\"finishReason\":\"STOP\"}]}"},
    {"/v1/completions", "{\"model\":\"names\",\"prompt\":\"use " KEY "\"}", "application/json",
     "{\"choices\":[{\"index\":0,\"text\":\"I use @.\",\"finish_reason\":\"stop\"}]}"},
};

static void other_formats(void)
{
  char name[64];
  ask_name(USER("use " KEY), "tok_", name);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    CASE_BEGIN();
    struct talk t = {.path = formats[i].path,
                     .body = str_of(formats[i].body),
                     .up_type = formats[i].type,
                     .up = str_of(with_name(formats[i].up, name))};
    rig_run(&t);
    CHECK(t.changed && !rig_has(t.forwarded, KEY) && rig_has(t.forwarded, name));
    CHECK_STR(OUT(&t), with_name(formats[i].up, KEY));
    CHECK(row(&t)->restored > 0);
    rig_end(&t);
    CASE_END("%s, %s", formats[i].path, formats[i].type);
  }
}

/* ---- anywhere, cut anywhere ------------------------------------------------------------------------------------- */

enum { ROUNDS = 4000 };

/* Words, names, beginnings of names and names with a wrong end, in any order; the text as the model says it and as the client is to see
 * it. */
static void compose(uint64_t *seed, char names[3][64], const char *const values[3], struct buf *said, struct buf *wanted)
{
  static const char *const words[] = {" ", "tok", "and ", "vdt", "g\xC3\xBCte ", "say", "vdt0", "."};
  for (unsigned i = 0, n = (unsigned)(rig_random(seed) % 8); i <= n; i++) {
    unsigned k = (unsigned)(rig_random(seed) % 3), how = (unsigned)(rig_random(seed) % 4);
    struct str name = str_of(names[k]), word = str_of(words[rig_random(seed) % (sizeof words / sizeof *words)]);
    if (how == 0) {
      buf_put(said, name);
      buf_put(wanted, str_of(values[k]));
      continue;
    }
    if (how == 1) word = str_cut(name, 0, rig_random(seed) % 20); /* a token of these tests has 20 */
    buf_put(said, word);
    buf_put(wanted, word);
    if (how == 3) continue;
    buf_put(said, STR("~"));
    buf_put(wanted, STR("~"));
  }
}

static void put_events(uint64_t *seed, struct str said, struct buf *up)
{
  for (size_t at = 0; at < said.n;) {
    size_t n = 1 + rig_random(seed) % 30;
    if (n > said.n - at) n = said.n - at;
    while (at + n < said.n && (said.p[at + n] & 0xC0) == 0x80) n++;
    BUF_LIT(up, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":");
    json_quote(up, str_cut(said, at, at + n));
    BUF_LIT(up, "},\"finish_reason\":null}]}\n\n");
    at += n;
  }
  BUF_LIT(up, STOP DONE);
}

static void values_come_back_anywhere_and_nothing_else_changes(void)
{
  static const char *const values[3] = {KEY, OTHER_KEY, ODD};
  char names[3][64];
  uint64_t seed = 20261126;
  unsigned wrong = 0;
  ask_name(USER("use " KEY), "tok_", names[0]);
  ask_name(USER("use " OTHER_KEY), "tok_", names[1]);
  ask_name(USER("use " ODD_JSON), "", names[2]);
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct buf said = {0}, wanted = {0}, up = {0}, got = {0};
    compose(&seed, names, values, &said, &wanted);
    put_events(&seed, buf_str(&said), &up);
    struct talk t = {.deployment = "names",
                     .body = STR(USER(KEY " " OTHER_KEY " " ODD_JSON)),
                     .up = buf_str(&up),
                     .up_type = "text/event-stream",
                     .cuts = 2 + i};
    t.cut_at = i % 97;
    rig_run(&t);
    join(OUT(&t), "content", &got);
    if (!str_eq(got.n ? buf_str(&got) : STR(""), wanted.n ? buf_str(&wanted) : STR("")) && !wrong++)
      printf("# round %u: %.*s\n# want %.*s\n", i, (int)got.n, got.p, (int)wanted.n, wanted.p);
    buf_finish(&said);
    buf_finish(&wanted);
    buf_finish(&up);
    buf_finish(&got);
    rig_end(&t);
  }
  CHECK_INT(wrong, 0);
}

int main(void)
{
  rig_load();
  RUN(the_model_sees_a_name_that_is_always_the_same);
  RUN(names_depend_on_the_key);
  RUN(a_whole_answer_gets_the_value_back);
  RUN(a_stream_gets_the_value_back_wherever_the_name_is_cut);
  RUN(what_comes_back_into_json_has_its_escapes);
  RUN(the_history_has_the_same_names);
  RUN(what_only_the_application_said_stays_a_name_in_text);
  RUN(policy_says_where_values_come_back);
  RUN(a_name_is_no_secret);
  RUN(the_next_request_makes_a_name_the_value_again);
  RUN(a_name_without_its_value_stays);
  RUN(a_name_stands_for_one_value);
  RUN(many_names_are_found);
  other_formats();
  RUN(what_was_held_back_leaves_when_the_answer_is_cut);
  RUN(values_come_back_anywhere_and_nothing_else_changes);
  rig_unload();
  return test_end();
}
