/* Questions to outside shields: what leaves, how it is framed, and which answers count. */
#include "wire/opinion.h"
#include "base/json.h"
#include "../test.h"

#define MARK       "0001020304050607"
#define CHECK_WORD "08090a0b0c0d0e0f"

static const struct opinion_text texts[] = {{false, STR("say \"hi\"\n")}, {true, STR("a page")}, {true, STR("another")}};
static struct opinion_question question = {.texts = texts, .n = 3, .model = STR("m-1")};
static struct vdt_arena *arena;
static bool attacks[OPINION_TEXTS];

static void begin(enum opinion_kind kind, size_t first, size_t n)
{
  question.kind = kind;
  question.texts = texts + first;
  question.n = n;
  for (size_t i = 0; i < 16; i++) question.random[i] = (unsigned char)i;
  memset(attacks, 1, sizeof attacks);
}

static bool has(const struct buf *b, const char *what)
{
  return str_find(buf_str(b), str_of(what)) != (size_t)-1;
}

static void prompt_shields_gets_prompt_and_documents(void)
{
  struct buf b = {0};
  begin(OPINION_PROMPT_SHIELDS, 0, 3);
  opinion_write(&question, &b);
  CHECK_STR(buf_str(&b), "{\"userPrompt\":\"say \\\"hi\\\"\\n\",\"documents\":[\"a page\",\"another\"]}");
  buf_reset(&b);
  begin(OPINION_PROMPT_SHIELDS, 1, 1);
  opinion_write(&question, &b);
  CHECK_STR(buf_str(&b), "{\"documents\":[\"a page\"]}");
  buf_finish(&b);
}

/* The user message of a question to a judge, decoded. */
static struct str message(const struct buf *b, unsigned which)
{
  struct json_doc d;
  struct vdt_error err;
  struct str s = {"", 0};
  CHECK_INT(json_parse(arena, buf_str(b), &JSON_LIMITS_DEFAULT, &d, &err), 0);
  uint32_t at = json_first(&d, json_get(&d, 0, "messages"));
  for (; which && at; which--) at = json_next(&d, json_get(&d, 0, "messages"), at);
  CHECK(json_string(&d, json_get(&d, at, "content"), arena, &s));
  return s;
}

static void a_judge_gets_framed_texts(void)
{
  struct buf b = {0};
  begin(OPINION_OPENAI_CHAT, 0, 3);
  opinion_write(&question, &b);
  CHECK(has(&b, "\"model\":\"m-1\""));
  CHECK_STR(message(&b, 1), "BEGIN " MARK " 1 prompt\nsay \"hi\"\n\nEND " MARK " 1 prompt\nBEGIN " MARK
                            " 2 document\na page\nEND " MARK " 2 document\nBEGIN " MARK " 3 document\nanother\nEND " MARK
                            " 3 document\nThese were all 3 texts. Judge them now, as your instructions say, and answer with the "
                            "JSON object only.");
  struct str rules = message(&b, 0);
  CHECK(str_find(rules, STR("{\"check\":\"" CHECK_WORD "\",\"attacks\":[...]}")) != (size_t)-1);
  CHECK(str_find(rules, STR("BEGIN " MARK)) != (size_t)-1);
  buf_finish(&b);
}

static void the_check_word_stands_in_the_rules_only(void)
{
  struct buf b = {0};
  begin(OPINION_OPENAI_CHAT, 0, 3);
  opinion_write(&question, &b);
  CHECK(str_find(message(&b, 1), STR(CHECK_WORD)) == (size_t)-1);
  buf_finish(&b);
}

#define SAID(content)                                                                                                            \
  "{\"id\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" content "\"}}]}"
#define VERDICT(list) "{\\\"check\\\":\\\"" CHECK_WORD "\\\",\\\"attacks\\\":" list "}"

static const struct answer {
  enum opinion_kind kind;
  size_t first, n;
  const char *body, *want; /* "" when it does not count, else one digit per text */
} answers[] = {
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":{\"attackDetected\":true},\"documentsAnalysis\":[]}", "1"},
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":{\"attackDetected\":false},\"more\":1}", "0"},
    {OPINION_PROMPT_SHIELDS, 0, 3,
     "{\"userPromptAnalysis\":{\"attackDetected\":false},\"documentsAnalysis\":[{\"attackDetected\":false},{\"attackDetected\":"
     "true}]}",
     "001"},
    {OPINION_PROMPT_SHIELDS, 1, 2, "{\"documentsAnalysis\":[{\"attackDetected\":true},{\"attackDetected\":false}]}", "10"},
    {OPINION_PROMPT_SHIELDS, 1, 2, "{\"documentsAnalysis\":[{\"attackDetected\":true}]}", ""},
    {OPINION_PROMPT_SHIELDS, 1, 1, "{\"documentsAnalysis\":[{\"attackDetected\":true},{\"attackDetected\":true}]}", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":{\"attackDetected\":\"true\"}}", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":{}}", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":{\"attackDetected\":true,\"attackDetected\":false}}", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "{\"userPromptAnalysis\":null}", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "[]", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "", ""},
    {OPINION_PROMPT_SHIELDS, 0, 1, "<html>", ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[true]")), "1"},
    {OPINION_OPENAI_CHAT, 0, 3, SAID(VERDICT("[false, true, false]")), "010"},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(" \\n" VERDICT("[false]") "\\n "), "0"},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("```json\\n" VERDICT("[true]") "\\n```"), "1"},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("```\\n" VERDICT("[true]") "```"), "1"},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("Sure! " VERDICT("[false]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[false]") VERDICT("[true]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("{\\\"attacks\\\":[false]}"), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("{\\\"check\\\":\\\"" MARK "\\\",\\\"attacks\\\":[false]}"), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("{\\\"check\\\":\\\"" CHECK_WORD "\\\",\\\"attacks\\\":[false],\\\"note\\\":1}"), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[0]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[\\\"false\\\"]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("[false,false]")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(VERDICT("false")), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("```"), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID("`````"), ""},
    {OPINION_OPENAI_CHAT, 0, 1, SAID(""), ""},
    {OPINION_OPENAI_CHAT, 0, 1, "{\"choices\":[]}", ""},
    {OPINION_OPENAI_CHAT, 0, 1, "{\"choices\":[{\"message\":{\"content\":null}}]}", ""},
    {OPINION_OPENAI_CHAT, 0, 1, "{\"choices\":[{\"message\":\"" VERDICT("[false]") "\"}]}", ""},
    {OPINION_OPENAI_CHAT, 0, 1, "{\"error\":{\"code\":\"content_filter\"}}", ""},
};

static void answers_are_read_strictly(void)
{
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    const struct answer *a = &answers[i];
    CASE_BEGIN();
    begin(a->kind, a->first, a->n);
    bool ok = opinion_read(&question, arena, str_of(a->body), attacks);
    CHECK_INT(ok, a->want[0] != 0);
    for (size_t k = 0; ok && a->want[k]; k++) CHECK_INT(attacks[k], a->want[k] == '1');
    for (size_t k = 0; !ok && k < OPINION_TEXTS; k++) CHECK(attacks[k]);
    CASE_END("answer %zu: %.70s", i, a->body);
  }
}

int main(void)
{
  arena = vdt_arena_new(0);
  RUN(prompt_shields_gets_prompt_and_documents);
  RUN(a_judge_gets_framed_texts);
  RUN(the_check_word_stands_in_the_rules_only);
  answers_are_read_strictly();
  vdt_arena_free(arena);
  return test_end();
}
