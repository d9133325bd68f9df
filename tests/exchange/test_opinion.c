/* Second opinions: when a shield is asked, what leaves, and what its answer, or none, does to the request and its record. */
#include "rig.h"
#include "gateway/opinion.h"
#include "gateway/opinion_memory.h"
#include <stdatomic.h>

#define YES "{\"userPromptAnalysis\":{\"attackDetected\":true},\"documentsAnalysis\":[]}"
#define NO  "{\"userPromptAnalysis\":{\"attackDetected\":false},\"documentsAnalysis\":[]}"

static struct talk talk;

static void ask(const char *deployment, const char *body)
{
  talk = (struct talk){.deployment = deployment, .body = str_of(body), .up = STR(ANSWER("fine"))};
  rig_request(&talk);
}

/* The shield answers (status 0: it does not, for the reason), then the conversation goes on to its end. */
static void answer(unsigned status, const char *body, enum record_opinion_outcome reason)
{
  struct buf line = {0};
  exchange_asking(talk.x, 2000000, &line);
  CHECK(record_is_egress(buf_str(&line)));
  buf_finish(&line);
  enum exchange_next next =
      status ? exchange_opinion_answer(talk.x, status, str_of(body), 2090000) : exchange_opinion_none(talk.x, reason, 2090000);
  if (talk.next == EXCHANGE_ASK) talk.next = next;
}

static void finish(void)
{
  if (talk.next == EXCHANGE_FORWARD) rig_respond(&talk);
  rig_finish(&talk, RECORD_COMPLETE);
}

static const struct record_opinion *opinion(void)
{
  return &talk.record.opinion;
}

/* ---- when ------------------------------------------------------------------------------------------------------- */

static void a_sure_request_asks_nobody(void)
{
  static const char *const bodies[] = {USER("hello"), USER(JAILBREAK), USER("a key " KEY)};
  for (size_t i = 0; i < 3; i++) {
    ask("ask", bodies[i]);
    CHECK(talk.next != EXCHANGE_ASK && !exchange_question(talk.x));
    finish();
    CHECK(!opinion()->shield.n);
    rig_end(&talk);
  }
}

static void a_policy_without_a_shield_asks_nobody(void)
{
  ask("m", USER(UNSURE));
  CHECK_INT(talk.next, EXCHANGE_FORWARD);
  CHECK(!exchange_question(talk.x));
  finish();
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_DETECTED);
  rig_end(&talk);
}

static void what_blocks_anyway_is_not_asked_about(void)
{
  ask("ask", "{\"messages\":[{\"role\":\"user\",\"content\":\"" UNSURE "\"},{\"role\":\"assistant\",\"content\":\"no\"},"
             "{\"role\":\"user\",\"content\":\"" JAILBREAK "\"}]}");
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  CHECK(!exchange_question(talk.x));
  finish();
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK(rig_finding(&talk, "test-unsure") && !opinion()->shield.n);
  rig_end(&talk);
}

/* ---- what leaves ------------------------------------------------------------------------------------------------ */

static void only_the_unsure_text_leaves(void)
{
  ask("ask",
      "{\"messages\":[{\"role\":\"system\",\"content\":\"system words\"},{\"role\":\"user\",\"content\":\"earlier words\"},"
      "{\"role\":\"user\",\"content\":\"" UNSURE "\"},{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"tool words\"}]}");
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK_INT(talk.next, EXCHANGE_ASK);
  CHECK(q && q->wait);
  if (!q) return;
  CHECK_STR(q->body, "{\"userPrompt\":\"" UNSURE "\",\"documents\":[]}");
  CHECK_STR(q->path, "/base/contentsafety/text:shieldPrompt");
  CHECK_STR(q->query, "api-version=2024-09-01");
  CHECK_STR(str_of(q->shield->name), "azure");
  answer(200, NO, 0);
  finish();
  rig_end(&talk);
}

static void prompt_and_documents_go_in_one_question(void)
{
  ask("ask", "{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"" UNSURE_PAGE
             "\"},{\"role\":\"user\",\"content\":\"" UNSURE "\"}]}");
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q != NULL);
  if (!q) return;
  CHECK_STR(q->body, "{\"userPrompt\":\"" UNSURE "\",\"documents\":[\"" UNSURE_PAGE "\"]}");
  answer(200, "{\"userPromptAnalysis\":{\"attackDetected\":false},\"documentsAnalysis\":[{\"attackDetected\":true}]}", 0);
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  finish();
  CHECK_STR(rig_finding(&talk, "second-opinion")->detector, "indirect");
  CHECK_STR(rig_finding(&talk, "test-unsure")->action, "allow");
  CHECK_INT(opinion()->texts, 2);
  rig_end(&talk);
}

static void secrets_are_masked(void)
{
  ask("ask", USER(UNSURE " with " KEY " and " NUMBER));
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q && rig_has(q->body, UNSURE));
  CHECK(q && !rig_has(q->body, KEY_BODY) && !rig_has(q->body, "58203164"));
  answer(200, NO, 0);
  finish();
  CHECK(!rig_has(LINE(&talk), KEY_BODY));
  rig_end(&talk);
}

/* A body with the text behind and before so many fillers of four bytes. */
static char *long_body(size_t before, const char *text, size_t after)
{
  size_t cap = 4 * (before + after) + 512, n = 0;
  char *p = malloc(cap);
  if (!p) exit(1);
  n += (size_t)snprintf(p, cap, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
  for (size_t i = 0; i < before; i++, n += 4) memcpy(p + n, "l\xc3\xa9 ", 4);
  n += (size_t)snprintf(p + n, cap - n, "%s ", text);
  for (size_t i = 0; i < after; i++, n += 4) memcpy(p + n, "l\xc3\xa9 ", 4);
  snprintf(p + n, cap - n, "\"}]}");
  return p;
}

static void a_long_text_goes_in_part_and_is_not_acquitted(void)
{
  char *body = long_body(5000, UNSURE, 5000);
  ask("ask", body);
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q && q->body.n > 9000 && q->body.n < 10100 && rig_has(q->body, UNSURE));
  CHECK(q && !rig_has(q->body, "\xef\xbf\xbd"));
  answer(200, NO, 0);
  CHECK_INT(talk.next, EXCHANGE_FORWARD);
  finish();
  CHECK_INT(opinion()->cut, 1);
  CHECK_STR(opinion()->decision, "keep");
  CHECK_STR(rig_finding(&talk, "test-unsure")->action, "detect");
  rig_end(&talk);
  ask("ask", body);
  answer(200, YES, 0);
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  finish();
  rig_end(&talk);
  free(body);
}

static void a_secret_at_the_cut_is_masked_whole(void)
{
  for (size_t shift = 0; shift < 12; shift++) {
    char text[200];
    snprintf(text, sizeof text, "%s %s", KEY, "");
    char *body = long_body(1250, text, 1240 + shift), *more = long_body(0, UNSURE, 2600);
    /* The key stands near where a window of 10,000 bytes around the unsure words begins. */
    struct buf joined = {0};
    buf_put(&joined, str_cut(str_of(body), 0, strlen(body) - 4));
    buf_put(&joined, str_cut(str_of(more), str_find(str_of(more), STR(UNSURE)), strlen(more)));
    buf_byte(&joined, 0);
    ask("ask", joined.p);
    const struct exchange_question *q = exchange_question(talk.x);
    CHECK(q != NULL);
    for (size_t i = 0; q && i + 6 <= sizeof KEY_BODY - 1; i++)
      CHECK(str_find(q->body, str_cut(STR(KEY_BODY), i, i + 6)) == (size_t)-1);
    answer(200, NO, 0);
    finish();
    rig_end(&talk);
    buf_finish(&joined);
    free(body);
    free(more);
  }
}

static void more_than_a_question_holds_is_left_out(void)
{
  struct buf b = {0};
  BUF_LIT(&b, "{\"messages\":[");
  for (int i = 0; i < 8; i++)
    buf_printf(&b, "{\"role\":\"tool\",\"tool_call_id\":\"t%d\",\"content\":\"" UNSURE_PAGE " %d\"},", i, i);
  BUF_LIT(&b, "{\"role\":\"user\",\"content\":\"hi\"}]}");
  buf_byte(&b, 0);
  ask("ask", b.p);
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q && rig_has(q->body, UNSURE_PAGE " 7") && !rig_has(q->body, UNSURE_PAGE " 2"));
  answer(200,
         "{\"documentsAnalysis\":[{\"attackDetected\":false},{\"attackDetected\":false},{\"attackDetected\":false},"
         "{\"attackDetected\":false},{\"attackDetected\":false}]}",
         0);
  CHECK_INT(talk.next, EXCHANGE_FORWARD);
  finish();
  CHECK_INT(opinion()->texts, 5);
  CHECK_INT(opinion()->left_out, 3);
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_DETECTED);
  rig_end(&talk);
  buf_finish(&b);
}

static void a_judge_is_asked_with_our_prompt(void)
{
  ask("ask-judge", USER(UNSURE));
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q && rig_has(q->body, "You are the judge") && rig_has(q->body, UNSURE) && rig_has(q->body, "\"model\":\"m-1\""));
  CHECK(q && str_eq(q->path, STR("/v1/chat/completions")) && q->query.n == 0);
  answer(200, "{\"choices\":[{\"message\":{\"content\":\"{\\\"attacks\\\":[false]}\"}}]}", 0);
  finish();
  CHECK_INT(opinion()->outcome, RECORD_OPINION_UNREADABLE);
  rig_end(&talk);
}

/* ---- what comes of it: policies that block ---------------------------------------------------------------------- */

static void an_attack_is_blocked(void)
{
  ask("ask", USER(UNSURE));
  answer(200, YES, 0);
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  CHECK_INT(exchange_answer(talk.x).status, 400);
  CHECK(rig_has(exchange_answer(talk.x).body, "\"jailbreak\":{\"detected\":true,\"filtered\":true}"));
  finish();
  const struct record_finding *f = rig_finding(&talk, "second-opinion");
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK(f != NULL);
  if (!f) return;
  CHECK_STR(f->source, "shield");
  CHECK_STR(f->action, "block");
  CHECK_STR(f->alert, "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt");
  CHECK(rig_has(f->evidence, UNSURE));
  CHECK_INT(opinion()->outcome, RECORD_OPINION_ATTACK);
  CHECK_STR(opinion()->decision, "block");
  CHECK_INT(opinion()->score, 70);
  CHECK_INT(opinion()->us, 90000);
  CHECK_INT(opinion()->status, 200);
  CHECK(opinion()->waited && opinion()->sha256.n == 64 && opinion()->bytes == sizeof "{'userPrompt':'','documents':[]}" - 1 + 14);
  rig_end(&talk);
}

static void a_clean_text_passes_and_raises_nothing(void)
{
  ask("ask", USER(UNSURE));
  answer(200, NO, 0);
  CHECK_INT(talk.next, EXCHANGE_FORWARD);
  finish();
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_ALLOW);
  CHECK_STR(rig_finding(&talk, "test-unsure")->action, "allow");
  CHECK_INT(rig_finding(&talk, "test-unsure")->alert.n, 0);
  CHECK_INT(opinion()->outcome, RECORD_OPINION_CLEAN);
  rig_end(&talk);
}

static const struct none {
  const char *deployment;
  unsigned status; /* 0: reason */
  const char *body;
  enum record_opinion_outcome reason, outcome;
  enum exchange_next next;
  enum record_verdict verdict;
  const char *decision;
} nones[] = {
    {"ask", 0, "", RECORD_OPINION_TIMEOUT, RECORD_OPINION_TIMEOUT, EXCHANGE_FORWARD, RECORD_VERDICT_DETECTED, "keep"},
    {"ask-strict", 0, "", RECORD_OPINION_TIMEOUT, RECORD_OPINION_TIMEOUT, EXCHANGE_ANSWER, RECORD_VERDICT_BLOCKED, "block"},
    {"ask-easy", 0, "", RECORD_OPINION_TIMEOUT, RECORD_OPINION_TIMEOUT, EXCHANGE_FORWARD, RECORD_VERDICT_ALLOW, "allow"},
    {"ask", 0, "", RECORD_OPINION_UNREACHABLE, RECORD_OPINION_UNREACHABLE, EXCHANGE_FORWARD, RECORD_VERDICT_DETECTED, "keep"},
    {"ask-strict", 500, "{}", 0, RECORD_OPINION_STATUS, EXCHANGE_ANSWER, RECORD_VERDICT_BLOCKED, "block"},
    {"ask-strict", 200, "<html>", 0, RECORD_OPINION_UNREADABLE, EXCHANGE_ANSWER, RECORD_VERDICT_BLOCKED, "block"},
    {"ask-easy", 429, YES, 0, RECORD_OPINION_STATUS, EXCHANGE_FORWARD, RECORD_VERDICT_ALLOW, "allow"},
    {"ask-strict", 0, "", RECORD_OPINION_OVER_BUDGET, RECORD_OPINION_OVER_BUDGET, EXCHANGE_FORWARD, RECORD_VERDICT_DETECTED,
     "keep"},
    {"ask-easy", 0, "", RECORD_OPINION_OVER_BUDGET, RECORD_OPINION_OVER_BUDGET, EXCHANGE_FORWARD, RECORD_VERDICT_DETECTED,
     "keep"},
    {"ask-strict", 0, "", RECORD_OPINION_UNRECORDED, RECORD_OPINION_UNRECORDED, EXCHANGE_ANSWER, RECORD_VERDICT_BLOCKED, "block"},
};

static void without_an_answer(void)
{
  for (size_t i = 0; i < sizeof nones / sizeof *nones; i++) {
    const struct none *n = &nones[i];
    CASE_BEGIN();
    ask(n->deployment, USER(UNSURE));
    answer(n->status, n->body, n->reason);
    CHECK_INT(talk.next, n->next);
    finish();
    CHECK_INT(opinion()->outcome, n->outcome);
    CHECK_INT(talk.record.verdict, n->verdict);
    CHECK_STR(opinion()->decision, n->decision);
    CHECK((rig_finding(&talk, "second-opinion-missing") != NULL) == (n->next == EXCHANGE_ANSWER));
    CHECK(n->outcome != RECORD_OPINION_UNRECORDED || (!opinion()->bytes && !opinion()->sha256.n));
    rig_end(&talk);
    CASE_END("%s: %s, then %s", n->deployment, record_opinion_name(n->outcome), n->decision);
  }
}

static void only_the_first_answer_counts(void)
{
  ask("ask", USER(UNSURE));
  answer(0, "", RECORD_OPINION_TIMEOUT);
  CHECK_INT(exchange_opinion_answer(talk.x, 200, STR(YES), 3000000), EXCHANGE_FORWARD);
  finish();
  CHECK_INT(opinion()->outcome, RECORD_OPINION_TIMEOUT);
  rig_end(&talk);
}

/* ---- policies that only detect ---------------------------------------------------------------------------------- */

static void revised(struct record *r)
{
  struct buf line = {0};
  struct vdt_error err = {0};
  CHECK(exchange_revise(talk.x, &line));
  CHECK_INT(record_read(talk.arena, arena_dup(talk.arena, buf_str(&line)), r, &err), VDT_OK);
  CHECK_STR(str_of(err.text), "");
  buf_reset(&line);
  CHECK(!exchange_revise(talk.x, &line));
  buf_finish(&line);
}

static void nobody_waits_and_a_late_answer_revises(void)
{
  struct record r;
  ask("ask-later", USER(UNSURE));
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK_INT(talk.next, EXCHANGE_FORWARD);
  CHECK(q && !q->wait);
  finish();
  CHECK_INT(opinion()->outcome, RECORD_OPINION_PENDING);
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_DETECTED);
  answer(200, NO, 0);
  revised(&r);
  CHECK_INT(r.revision, 1);
  CHECK_INT(r.verdict, RECORD_VERDICT_ALLOW);
  CHECK_INT(r.opinion.outcome, RECORD_OPINION_CLEAN);
  CHECK_INT(r.duration_us, talk.record.duration_us);
  CHECK(str_eq((struct str){r.id, 32}, (struct str){talk.record.id, 32}));
  rig_end(&talk);
}

static void a_late_attack_is_detected_not_blocked(void)
{
  struct record r;
  ask("ask-later", USER(UNSURE));
  finish();
  answer(200, YES, 0);
  revised(&r);
  CHECK_INT(r.verdict, RECORD_VERDICT_DETECTED);
  CHECK_STR(r.opinion.decision, "detect");
  CHECK_STR(r.findings[r.n_findings - 1].alert, "AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt");
  rig_end(&talk);
}

static void an_answer_before_the_record_needs_no_revision(void)
{
  struct buf line = {0};
  ask("ask-later", USER(UNSURE));
  answer(200, NO, 0);
  finish();
  CHECK_INT(opinion()->outcome, RECORD_OPINION_CLEAN);
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_ALLOW);
  CHECK(!exchange_revise(talk.x, &line));
  rig_end(&talk);
}

/* ---- what shields said before ----------------------------------------------------------------------------------- */

static void an_answer_is_remembered_for_the_same_text(void)
{
  rig_image.memory = opinion_memory_new();
  ask("ask", USER(UNSURE));
  answer(200, YES, 0);
  finish();
  rig_end(&talk);
  ask("ask", "{\"messages\":[{\"role\":\"user\",\"content\":\"" UNSURE "\"},{\"role\":\"user\",\"content\":\"and more\"}]}");
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  CHECK(!exchange_question(talk.x));
  finish();
  CHECK_INT(talk.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK_INT(opinion()->outcome, RECORD_OPINION_ATTACK);
  CHECK(opinion()->remembered == 1 && opinion()->texts == 0 && opinion()->bytes == 0 && !opinion()->waited);
  rig_end(&talk);
  ask("ask-judge", USER(UNSURE)); /* another shield has said nothing yet */
  CHECK_INT(talk.next, EXCHANGE_ASK);
  answer(0, "", RECORD_OPINION_TIMEOUT);
  finish();
  rig_end(&talk);
  opinion_memory_free(rig_image.memory);
  rig_image.memory = NULL;
}

static void only_what_is_new_is_asked_about(void)
{
  rig_image.memory = opinion_memory_new();
  ask("ask", USER(UNSURE));
  answer(200, NO, 0);
  finish();
  rig_end(&talk);
  ask("ask", "{\"messages\":[{\"role\":\"user\",\"content\":\"" UNSURE
             "\"},{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"" UNSURE_PAGE "\"}]}");
  const struct exchange_question *q = exchange_question(talk.x);
  CHECK(q && str_eq(q->body, STR("{\"documents\":[\"" UNSURE_PAGE "\"]}")));
  answer(200, "{\"documentsAnalysis\":[{\"attackDetected\":true}]}", 0);
  CHECK_INT(talk.next, EXCHANGE_ANSWER);
  finish();
  CHECK_STR(rig_finding(&talk, "second-opinion")->detector, "indirect");
  CHECK_STR(rig_finding(&talk, "test-unsure")->action, "allow");
  CHECK(opinion()->remembered == 1 && opinion()->texts == 1);
  rig_end(&talk);
  opinion_memory_free(rig_image.memory);
  rig_image.memory = NULL;
}

static void failures_are_not_remembered(void)
{
  rig_image.memory = opinion_memory_new();
  for (int i = 0; i < 2; i++) {
    ask("ask", USER(UNSURE));
    CHECK_INT(talk.next, EXCHANGE_ASK);
    answer(200, i ? "{}" : "<html>", 0);
    finish();
    rig_end(&talk);
  }
  opinion_memory_free(rig_image.memory);
  rig_image.memory = NULL;
}

static void memory_ends_after_ten_minutes(void)
{
  struct opinion_memory *m = opinion_memory_new();
  const uint64_t now = UINT64_C(1764085575000000), minute = 60000000;
  bool attack = false;
  CHECK(!opinion_memory_find(m, STR("s"), false, STR("text"), now, &attack));
  opinion_memory_keep(m, STR("s"), false, STR("text"), now, true);
  CHECK(opinion_memory_find(m, STR("s"), false, STR("text"), now + 9 * minute, &attack) && attack);
  CHECK(!opinion_memory_find(m, STR("s"), false, STR("text"), now + 10 * minute, &attack));
  CHECK(!opinion_memory_find(m, STR("s"), false, STR("text"), now - 30 * minute, &attack));
  CHECK(!opinion_memory_find(m, STR("s"), true, STR("text"), now, &attack));
  CHECK(!opinion_memory_find(m, STR("t"), false, STR("text"), now, &attack));
  CHECK(!opinion_memory_find(m, STR("s"), false, STR("texts"), now, &attack));
  CHECK(!opinion_memory_find(NULL, STR("s"), false, STR("text"), now, &attack));
  opinion_memory_free(m);
}

/* ---- budget ----------------------------------------------------------------------------------------------------- */

static void a_minute_has_its_budget(void)
{
  _Atomic uint64_t cell = 0;
  for (int i = 0; i < 3; i++) CHECK(opinion_budget_take(&cell, 7, 3));
  CHECK(!opinion_budget_take(&cell, 7, 3));
  CHECK(opinion_budget_take(&cell, 8, 3));
  CHECK(!opinion_budget_take(&cell, 8, 0));
}

int main(void)
{
  rig_load();
  RUN(a_sure_request_asks_nobody);
  RUN(a_policy_without_a_shield_asks_nobody);
  RUN(what_blocks_anyway_is_not_asked_about);
  RUN(only_the_unsure_text_leaves);
  RUN(prompt_and_documents_go_in_one_question);
  RUN(secrets_are_masked);
  RUN(a_long_text_goes_in_part_and_is_not_acquitted);
  RUN(a_secret_at_the_cut_is_masked_whole);
  RUN(more_than_a_question_holds_is_left_out);
  RUN(a_judge_is_asked_with_our_prompt);
  RUN(an_attack_is_blocked);
  RUN(a_clean_text_passes_and_raises_nothing);
  without_an_answer();
  RUN(only_the_first_answer_counts);
  RUN(nobody_waits_and_a_late_answer_revises);
  RUN(a_late_attack_is_detected_not_blocked);
  RUN(an_answer_before_the_record_needs_no_revision);
  RUN(an_answer_is_remembered_for_the_same_text);
  RUN(only_what_is_new_is_asked_about);
  RUN(failures_are_not_remembered);
  RUN(memory_ends_after_ten_minutes);
  RUN(a_minute_has_its_budget);
  rig_unload();
  return test_end();
}
