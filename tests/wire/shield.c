/* The Content Safety API's words: what is a question, what is refused, how answers and errors look. */
#include "../test.h"
#include "wire/shield.h"

#define CASE(cond, name)                                                                                                         \
  do {                                                                                                                           \
    CASE_BEGIN();                                                                                                                \
    CHECK(cond);                                                                                                                 \
    CASE_END("%s", name);                                                                                                        \
  } while (0)

static struct vdt_arena *arena;
static struct vdt_error err;
static struct shield_question q;

static int rd(const char *body)
{
  vdt_arena_reset(arena);
  err = (struct vdt_error){0};
  return shield_read(arena, str_of(body), &JSON_LIMITS_DEFAULT, &q, &err);
}

static void routes(void)
{
  struct shield_call call;
  struct str path = STR("/contentsafety/text:shieldPrompt"), post = STR("POST");
  CASE(shield_is_path(path) && !shield_is_path(STR("/contentsafety")) && !shield_is_path(STR("/v1/chat/completions")), "paths");
  CASE(shield_route(post, path, STR("api-version=2024-09-01"), &call) == SHIELD_ERRORS && !call.details, "the operation");
  CASE(shield_route(post, path, STR("x=1&vedette-details=true&api-version=2024-09-01"), &call) == SHIELD_ERRORS && call.details,
       "details");
  CASE(shield_route(post, path, STR("api-version=2024-09-01&vedette-details=1"), &call) == SHIELD_ERRORS && !call.details,
       "only true is true");
  CASE(shield_route(post, path, STR(""), &call) == SHIELD_NO_VERSION, "no version");
  CASE(shield_route(post, path, STR("api-version="), &call) == SHIELD_NO_VERSION, "an empty version");
  CASE(shield_route(post, path, STR("xapi-version=2024-09-01"), &call) == SHIELD_NO_VERSION, "another parameter");
  CASE(shield_route(post, path, STR("api-version=2024-09-011"), &call) == SHIELD_BAD_VERSION, "an unknown version");
  CASE(shield_route(STR("GET"), path, STR("api-version=2024-09-01"), &call) == SHIELD_BAD_METHOD, "GET");
  CASE(shield_route(post, STR("/contentsafety/"), STR("api-version=2024-09-01"), &call) == SHIELD_NOT_FOUND, "no operation");
}

static void questions(void)
{
  CASE(!rd("{\"userPrompt\":\"a\\u00e9\",\"documents\":[\"b\",\"\"]}") && q.n == 3 && q.has_prompt && q.has_documents,
       "a whole one");
  CASE(str_eq(q.texts[0].text, STR("a\xC3\xA9")) && !q.texts[0].document, "the prompt, its escapes taken off");
  CASE(q.texts[2].document && str_eq(str_of(q.texts[2].part), STR("documents[1]")) && q.texts[2].text.n == 0,
       "an empty document");
  CASE(!rd("{\"documents\":[\"b\"]}") && q.n == 1 && !q.has_prompt && q.texts[0].document, "no prompt");
  CASE(!rd("{\"userPrompt\":null,\"documents\":[]}") && q.n == 0 && q.has_documents, "null is absent");
  CASE(rd("{}") == VDT_EINVAL && rd("[]") == VDT_EINVAL && rd("7") == VDT_EINVAL, "nothing to judge");
  CASE(rd("{\"userPrompt\":{}}") == VDT_EINVAL && rd("{\"documents\":\"x\"}") == VDT_EINVAL, "wrong types");
  CASE(rd("{\"documents\":[\"a\",null]}") == VDT_EINVAL && strstr(err.text, "documents[1]"), "the message names the document");
  CASE(rd("{\"documents\":[\"\",\"\",\"\",\"\",\"\",\"\"]}") == VDT_EINVAL, "six documents");
  CASE(rd("{\"userPrompt\":\"a\",\"userPrompt\":\"b\"}") == VDT_EDUPKEY, "a member twice");
}

static void answers(void)
{
  struct vdt_finding f = {.detector = VDT_DET_JAILBREAK,
                          .rule = "r",
                          .title = "t\"",
                          .reason = "role-play",
                          .confidence = 97,
                          .start = 2,
                          .end = 5,
                          .severity = VDT_MEDIUM,
                          .decoded = "x",
                          .n_layers = 1,
                          .layers = {"base64"}};
  struct shield_verdict v[SHIELD_TEXTS] = {{.attack = true, .result = {.jailbreak = 0.97, .findings = &f, .n_findings = 1}}};
  struct buf b = {0};
  rd("{\"userPrompt\":\"a\",\"documents\":[\"b\"]}");
  shield_write(&q, v, false, &b);
  CASE(str_eq(buf_str(&b),
              STR("{\"userPromptAnalysis\":{\"attackDetected\":true},\"documentsAnalysis\":[{\"attackDetected\":false}]}")),
       "plain");
  buf_reset(&b);
  shield_write(&q, v, true, &b);
  CASE(str_eq(buf_str(&b), STR("{\"userPromptAnalysis\":{\"attackDetected\":true,\"scores\":{\"jailbreak\":0.97},\"findings\":[{"
                               "\"detector\":\"jailbreak\","
                               "\"kind\":\"r\",\"title\":\"t\\\"\",\"severity\":\"Medium\",\"confidence\":0.97,\"start\":2,"
                               "\"end\":5,\"reason\":\"role-play\","
                               "\"decoded\":\"x\",\"layers\":[\"base64\"]}],"
                               "\"explanation\":{\"rules\":0,\"model\":0,\"logit\":0.000,\"category\":\"\",\"windows\":0,"
                               "\"read\":0,\"spans\":[]},\"inspected\":\"full\"},\"documentsAnalysis\":[{"
                               "\"attackDetected\":false,"
                               "\"scores\":{\"indirect\":0},\"findings\":[],"
                               "\"explanation\":{\"rules\":0,\"model\":0,\"logit\":0.000,\"category\":\"\",\"windows\":0,"
                               "\"read\":0,\"spans\":[]},\"inspected\":\"full\"}]}")),
       "with details");
  buf_reset(&b);
  shield_error_body(SHIELD_TOO_MANY, STR("a \"b\""), &b);
  CASE(str_eq(buf_str(&b), STR("{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"a \\\"b\\\"\"}}")), "an error");
  CASE(shield_error_status(SHIELD_TOO_MANY) == 429 && shield_error_of(VDT_ENOMEM) == SHIELD_BUSY &&
           shield_error_of(VDT_ESYNTAX) == SHIELD_BAD_BODY,
       "statuses");
  buf_finish(&b);
}

int main(void)
{
  arena = vdt_arena_new(0);
  routes();
  questions();
  answers();
  vdt_arena_free(arena);
  return test_end();
}
