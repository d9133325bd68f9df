/* Responses: what is masked, cut, blocked, annotated; what the upstream's filter says; what happens when something cannot be read. */
#include "rig.h"
#include "gateway/inflate.h"

#define JSON_ASKED   "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define STREAM_ASKED "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}"

static struct talk json(const char *deployment, struct str up)
{
  return (struct talk){.deployment = deployment, .body = STR(JSON_ASKED), .up = up};
}

static struct talk sse(const char *deployment, struct str up)
{
  return (struct talk){
      .deployment = deployment, .body = STR(STREAM_ASKED), .up = up, .up_type = "text/event-stream; charset=utf-8"};
}

/* ---- actions ---------------------------------------------------------------------------------------------------- */

static void clean_answers_pass_byte_for_byte(void)
{
  struct talk t = json("kept", STR(ANSWER("hello there")));
  rig_run(&t);
  CHECK_INT(t.mode, EXCHANGE_WHOLE);
  CHECK_STR(OUT(&t), ANSWER("hello there"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_ALLOW);
  CHECK_INT(t.record.status, 200);
  CHECK_INT(t.record.total_tokens, 7);
  CHECK_INT(t.record.response.parts, 1);
  CHECK_INT(t.record.response.bytes, t.up.n);
  CHECK_STR(t.record.finish_reason, "stop");
  CHECK_STR(t.record.model, "g");
  CHECK(!t.record.stream && !rig_has(LINE(&t), "hello"));
  rig_end(&t);
  t = sse("kept", STR(SAY("hel") SAY("lo") STOP DONE));
  rig_run(&t);
  CHECK_INT(t.mode, EXCHANGE_STREAM);
  CHECK_STR(OUT(&t), SAY("hel") SAY("lo") STOP DONE);
  CHECK(t.record.stream && !rig_has(LINE(&t), "hel"));
  rig_end(&t);
}

static void a_leaked_key_is_masked_in_json(void)
{
  struct talk t = json("kept", STR(ANSWER("use " KEY ", ok")));
  rig_run(&t);
  CHECK_STR(OUT(&t), ANSWER("use [REDACTED:test-token], ok"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
  const struct record_finding *f = rig_finding(&t, "test-token");
  CHECK(f != NULL);
  if (f) {
    CHECK_STR(f->alert, "AI.Azure_CredentialTheftAttempt");
    CHECK_STR(f->direction, "response");
    CHECK_STR(f->role, "response");
    CHECK_STR(f->part, "choices[0].message.content");
    CHECK_STR(f->action, "redact");
    CHECK_STR(f->source, "vedette");
    CHECK_INT(f->start, 4);
    CHECK_INT(f->end, 28);
    CHECK(rig_has(f->evidence, "use ") && f->redacted.n > 0 && rig_has(f->evidence, "*"));
  }
  CHECK(!rig_has(LINE(&t), "Zr4Lw1Xv7N"));
  rig_end(&t);
}

static void sensitive_data_is_noted_or_masked(void)
{
  struct talk t = json("m", STR(ANSWER("it is " NUMBER ".")));
  rig_run(&t);
  CHECK_STR(OUT(&t), ANSWER("it is " NUMBER "."));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_DETECTED);
  CHECK_STR(t.record.findings[0].alert, "AI.Azure_DataLeakInModelResponse.Sensitive");
  CHECK(!rig_has(LINE(&t), "it is") && !rig_has(LINE(&t), "5820"));
  rig_end(&t);
  t = json("strict", STR(ANSWER("it is " NUMBER ".")));
  rig_run(&t);
  CHECK_STR(OUT(&t), ANSWER("it is [REDACTED:test-number]."));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
  rig_end(&t);
}

static void block_shows_nothing_of_a_json_answer(void)
{
  struct talk t = json("block", STR(ANSWER("use " KEY ", ok")));
  rig_run(&t);
  CHECK(!rig_has(OUT(&t), "use") && rig_has(OUT(&t), "\"finish_reason\":\"content_filter\""));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK_STR(t.record.finish_reason, "content_filter");
  CHECK_INT(exchange_verdict(t.x), RECORD_VERDICT_BLOCKED);
  rig_end(&t);
}

static void cut_ends_a_stream(void)
{
  static const char *const deployments[] = {"cut", "block"};
  for (int i = 0; i < 2; i++) {
    struct talk t = sse(deployments[i], STR(SAY("use ") SAY(KEY) SAY(" ok") STOP DONE));
    rig_run(&t);
    CHECK(t.done);
    CHECK(rig_has(OUT(&t), "use ") && !rig_has(OUT(&t), "tok") && !rig_has(OUT(&t), " ok"));
    CHECK(rig_has(OUT(&t), "\"finish_reason\":\"content_filter\"") && rig_has(OUT(&t), DONE));
    CHECK_INT(t.record.verdict, RECORD_VERDICT_CUT);
    CHECK_INT(t.record.outcome, RECORD_COMPLETE);
    CHECK_STR(t.record.findings[0].alert, "AI.Azure_CredentialTheftAttempt");
    rig_end(&t);
  }
}

static void the_header_of_a_stream_tells_what_the_request_gave(void)
{
  struct talk t = sse("watch", STR(""));
  t.body = STR(USER(JAILBREAK));
  rig_request(&t);
  exchange_response_head(t.x, 200, STR("text/event-stream"), STR(""));
  CHECK_INT(exchange_verdict(t.x), RECORD_VERDICT_DETECTED);
  rig_finish(&t, RECORD_CLIENT_ABORTED);
  CHECK_INT(t.record.outcome, RECORD_CLIENT_ABORTED);
  rig_end(&t);
}

static void annotations_are_added(void)
{
  struct talk t = json("notes", STR(ANSWER("use " KEY)));
  rig_run(&t);
  CHECK(rig_has(OUT(&t), "\"prompt_filter_results\":[{\"prompt_index\":0") &&
        rig_has(OUT(&t), "\"jailbreak\":{\"detected\":false"));
  CHECK(rig_has(OUT(&t), "{\"id\":\"vedette-credential\",\"filtered\":false,\"redacted\":true}"));
  rig_end(&t);
  t = sse("notes", STR(SAY("x") STOP DONE));
  rig_run(&t);
  CHECK(str_find(OUT(&t), STR("prompt_filter_results")) < str_find(OUT(&t), STR("\"content\":\"x\"")));
  rig_end(&t);
}

/* ---- blocklists ------------------------------------------------------------------------------------------------- */

static void a_phrase_is_masked_in_json(void)
{
  struct talk t = json("notes", STR(ANSWER("see the BLUE heron, green hill")));
  rig_run(&t);
  CHECK(rig_has(OUT(&t), "\"content\":\"see the [REDACTED:birds], green hill\""));
  CHECK(rig_has(OUT(&t), "\"custom_blocklists\":{\"filtered\":false,\"details\":[{\"id\":\"birds\",\"filtered\":false,"
                         "\"redacted\":true},{\"id\":\"hills\",\"filtered\":false,\"redacted\":false}]}"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
  const struct record_finding *f = rig_finding(&t, "birds");
  CHECK(f && !rig_has(LINE(&t), "eron"));
  if (f) {
    CHECK_STR(f->detector, "blocklist");
    CHECK_STR(f->action, "redact");
    CHECK_INT(f->start, 8);
    CHECK_INT(f->end, 18);
    CHECK_INT(f->alert.n, 0);
  }
  CHECK_INT(t.record.n_findings, 2);
  rig_end(&t);
}

/* However the events and the bytes are cut. */
static void a_phrase_over_events_is_masked(void)
{
  for (uint64_t cuts = 0; cuts < 12; cuts++) {
    struct talk t = sse("notes", STR(SAY("a bl") SAY("ue") SAY(" her") SAY("on,") SAY(" blue") SAY(" sky") STOP DONE));
    t.cuts = cuts == 2 ? 99 : cuts;
    rig_run(&t);
    CHECK(rig_has(OUT(&t), "[REDACTED:birds],") && !rig_has(OUT(&t), "her"));
    CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
    CHECK_INT(t.record.n_findings, 1);
    rig_end(&t);
  }
}

static void a_phrase_cuts_a_stream(void)
{
  struct talk t = sse("notes", STR(SAY("cross the r") SAY("ed li") SAY("ne ") SAY("now") STOP DONE));
  rig_run(&t);
  CHECK(t.done && rig_has(OUT(&t), "cross the ") && !rig_has(OUT(&t), "ed li") && !rig_has(OUT(&t), "now"));
  CHECK(rig_has(OUT(&t), "\"finish_reason\":\"content_filter\""));
  CHECK(rig_has(OUT(&t), "\"custom_blocklists\":{\"filtered\":true,\"details\":[{\"id\":\"lines\",\"filtered\":true,"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_CUT);
  rig_end(&t);
}

static void a_phrase_blocks_an_answer(void)
{
  struct talk t = json("block-lists", STR(ANSWER("see the blue heron")));
  rig_run(&t);
  CHECK(!rig_has(OUT(&t), "see") && rig_has(OUT(&t), "\"finish_reason\":\"content_filter\""));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_BLOCKED);
  rig_end(&t);
  t = sse("block-lists", STR(SAY("the blue heron") STOP DONE));
  rig_run(&t);
  CHECK(rig_has(OUT(&t), "the ") && !rig_has(OUT(&t), "heron"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_CUT);
  rig_end(&t);
}

/* ---- several texts ---------------------------------------------------------------------------------------------- */

static void choices_are_texts_of_their_own(void)
{
  struct talk t =
      sse("kept", STR(CHUNK(DELTA("0", "\"content\":\"a tok_q8Zr4Lw1\"")) CHUNK(DELTA("1", "\"content\":\"b " KEY "\""))
                          CHUNK(DELTA("0", "\"content\":\"Xv7Np2Kd9Jb3\""))
                              CHUNK("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") STOP DONE));
  t.body = STR("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\"n\":2}");
  rig_run(&t);
  CHECK_INT(t.record.n_findings, 2);
  CHECK_INT(t.record.response.parts, 2);
  CHECK(!rig_has(OUT(&t), "q8Zr") && !rig_has(OUT(&t), "9Jb3") && !rig_has(OUT(&t), "tok_"));
  rig_end(&t);
}

#define CALL(args) CHUNK(DELTA("0", "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"" args "\"}}]"))

/* The arguments, joined, are JSON. */
static void joined_arguments(struct str out, struct buf *joined)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct sse s = {0};
  struct sse_event e;
  sse_feed(&s, out);
  while (sse_next(&s, arena, &e)) {
    struct json_doc d;
    struct str text;
    if (str_eq(e.data, STR("[DONE]")) || json_parse(arena, e.data, NULL, &d, NULL)) continue;
    uint32_t delta = json_get(&d, json_first(&d, json_get(&d, 0, "choices")), "delta"), calls = json_get(&d, delta, "tool_calls");
    uint32_t function = calls ? json_get(&d, json_first(&d, calls), "function") : 0;
    if (function && json_string(&d, json_get(&d, function, "arguments"), arena, &text)) buf_put(joined, text);
  }
  sse_finish(&s);
  vdt_arena_free(arena);
}

static void tool_arguments_still_parse(void)
{
  struct buf joined = {0};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct json_doc doc;
  struct talk t = sse("kept", STR(CALL("{\\\"key\\\": \\\"tok_q8Z") CALL("r4Lw1Xv7Np2Kd9Jb3\\\", ") CALL("\\\"n\\\": 1}")
                                      CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}") DONE));
  rig_run(&t);
  joined_arguments(OUT(&t), &joined);
  CHECK_STR(buf_str(&joined), "{\"key\": \"[REDACTED:test-token]\", \"n\": 1}");
  CHECK_INT(json_parse(arena, buf_str(&joined), NULL, &doc, NULL), 0);
  CHECK_STR(t.record.findings[0].part, "choices[0].message.tool_calls[0].function.arguments");
  CHECK(!rig_has(OUT(&t), "q8Z"));
  buf_finish(&joined);
  vdt_arena_free(arena);
  rig_end(&t);
}

/* ---- cuts ------------------------------------------------------------------------------------------------------- */

static const struct str streams[] = {
    STR(SAY("the key: " KEY " and more") STOP DONE),
    STR(SAY("the key: tok_") SAY("q8Zr4Lw1Xv7Np2Kd9Jb") SAY("3") SAY(" and " NUMBER) STOP DONE),
    STR(CHUNK(DELTA("0", "\"content\":\"a t\"")) CHUNK(DELTA("1", "\"content\":\"tok_q8Zr4Lw1X\"")) CHUNK(
        DELTA("0", "\"content\":\"ok_q8Zr4Lw1Xv7Np2Kd9Jb3\"") "," DELTA("1", "\"content\":\"v7Np2Kd9Jb3 \\u00e9\"")) STOP DONE),
    STR(CALL("{\\\"k\\\":\\\"tok_q8Zr4Lw1Xv") CALL("7Np2Kd9Jb3\\\"}") SAY("tok_ nothing \\ud83d\\ude00 " NUMBER) DONE),
    STR(": comment\r\n\r\n" SAY("no end tok_q8Zr4Lw1Xv7Np2")),
};

/* Four bytes in a row of the first n of the key's body. */
static bool shows(struct str text, size_t n)
{
  for (size_t i = 0; i + 4 <= n; i++)
    if (str_find(text, str_cut(STR(KEY_BODY), i, i + 4)) != (size_t)-1) return true;
  return false;
}

static bool shows_key(struct str out)
{
  return shows(out, sizeof KEY_BODY - 1);
}

/* The masked form in a record has the last four, so that a person can tell keys apart. */
static bool records_key(struct str line)
{
  return shows(line, sizeof KEY_BODY - 2);
}

/* All of a record but how much was received: after a cut that depends on the pieces. */
static struct str told(const struct talk *t)
{
  struct str response = str_cut(LINE(t), str_find(LINE(t), STR("\"response\":{")), t->line.n);
  return str_cut(response, str_find(response, STR("\"parts\":")), response.n);
}

static void compare(const char *deployment, struct str up, uint64_t cuts, size_t at, const struct talk *want, bool secret)
{
  struct talk t = sse(deployment, up);
  t.cuts = cuts;
  t.cut_at = at;
  rig_run(&t);
  bool same = str_eq(OUT(&t), OUT(want)) && str_eq(told(&t), told(want)) && t.done == want->done;
  if (!test_failed && (!same || (secret && shows_key(OUT(&t))) || records_key(LINE(&t)))) {
    printf("# %s, cuts %u at %u: %.*s\n# %.*s", deployment, (unsigned)cuts, (unsigned)at, (int)t.out.n, t.out.p, (int)t.line.n,
           t.line.p);
    test_failed = true;
  }
  rig_end(&t);
}

static void however_a_stream_is_cut_the_same_leaves(void)
{
  static const char *const deployments[] = {"kept", "cut", "strict", "watch", "notes"};
  enum { CUT_EVERY = TEST_SANITIZED ? 5 : 1 }; /* another fifth of the places for each deployment */
  for (size_t d = 0; d < 5; d++)
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
      struct talk want = sse(deployments[d], streams[i]);
      bool secret = d != 3 && i != 4;
      rig_run(&want);
      CHECK(i == 4 || want.record.n_findings > 0);
      for (size_t at = 1 + d % CUT_EVERY; at < streams[i].n; at += CUT_EVERY)
        compare(deployments[d], streams[i], 2, at, &want, secret);
      compare(deployments[d], streams[i], 1, 0, &want, secret);
      for (uint64_t seed = 3; seed < 40; seed++) compare(deployments[d], streams[i], seed, 0, &want, secret);
      rig_end(&want);
    }
}

static void json_comes_in_pieces_too(void)
{
  struct talk want = json("kept", STR(ANSWER("use " KEY ", ok")));
  rig_run(&want);
  for (uint64_t seed = 1; seed < 20; seed++) {
    struct talk t = json("kept", want.up);
    t.cuts = seed;
    t.cut_at = 30;
    rig_run(&t);
    CHECK(str_eq(OUT(&t), OUT(&want)) && str_eq(LINE(&t), LINE(&want)));
    rig_end(&t);
  }
  rig_end(&want);
}

/* ---- the upstream's filter -------------------------------------------------------------------------------------- */

#define REFUSAL(result)                                                                                                          \
  "{\"error\":{\"code\":\"content_filter\",\"message\":\"no\",\"status\":400,\"innererror\":{\"content_filter_result\":{" result \
  "}}}}"

static void an_upstreams_refusal_counts_as_blocked(void)
{
  struct talk t = json("m", STR(REFUSAL("\"jailbreak\":{\"detected\":true,\"filtered\":true}")));
  t.status = 400;
  rig_run(&t);
  CHECK_STR(OUT(&t), REFUSAL("\"jailbreak\":{\"detected\":true,\"filtered\":true}"));
  CHECK_INT(t.record.status, 400);
  CHECK_INT(t.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK_INT(t.record.outcome, RECORD_COMPLETE);
  CHECK_INT(t.record.n_findings, 1);
  const struct record_finding *f = rig_finding(&t, "upstream-jailbreak");
  CHECK(f != NULL);
  if (f) {
    CHECK_STR(f->source, "upstream");
    CHECK_STR(f->alert, "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt");
    CHECK_STR(f->action, "block");
    CHECK_STR(f->direction, "request");
  }
  rig_end(&t);
  t = json("m", STR(REFUSAL("\"hate\":{\"filtered\":true}")));
  t.status = 400;
  rig_run(&t);
  CHECK_INT(t.record.verdict, RECORD_VERDICT_BLOCKED);
  CHECK_INT(t.record.n_findings, 0);
  rig_end(&t);
}

static void an_upstreams_annotation_is_a_detection(void)
{
  struct talk t = json(
      "m",
      STR("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"prompt_filter_results\":[{"
          "\"content_filter_results\":{\"jailbreak\":{\"detected\":true,\"filtered\":false}}}]}"));
  rig_run(&t);
  CHECK(str_eq(OUT(&t), t.up));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_DETECTED);
  CHECK_INT(t.record.n_findings, 1);
  CHECK_STR(t.record.findings[0].alert, "AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt");
  CHECK_STR(t.record.findings[0].source, "upstream");
  rig_end(&t);
}

static void other_errors_pass_unchanged(void)
{
  static const struct str bodies[] = {STR("{\"error\": {\"message\": \"ill\", \"code\": \"500\"}}"), STR("{ no json"), STR("{}")};
  for (size_t i = 0; i < 3; i++) {
    struct talk t = json("strict", bodies[i]);
    t.status = 500;
    t.cuts = 1;
    rig_run(&t);
    CHECK(str_eq(OUT(&t), bodies[i]));
    CHECK_INT(t.record.status, 500);
    CHECK_INT(t.record.verdict, RECORD_VERDICT_ALLOW);
    CHECK(!t.record.failed_open);
    rig_end(&t);
  }
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static void what_is_no_text_fails_as_told(void)
{
  struct talk t = json("m", STR("\xff\x00 sound"));
  t.up_type = "audio/mpeg";
  rig_run(&t);
  CHECK_INT(t.mode, EXCHANGE_PASS_BODY);
  CHECK(str_eq(OUT(&t), t.up));
  CHECK_INT(t.record.response.inspected, VDT_NONE);
  CHECK(t.record.failed_open);
  rig_end(&t);
  t = json("strict", STR("sound"));
  t.up_type = "audio/mpeg";
  rig_run(&t);
  CHECK_INT(t.mode, EXCHANGE_REFUSE);
  CHECK_INT(exchange_answer(t.x).status, 502);
  CHECK_INT(t.record.status, 502);
  CHECK_INT(t.record.outcome, RECORD_REFUSED);
  CHECK(t.record.failed_closed);
  rig_end(&t);
  t = json("m", STR("xx"));
  t.up_coding = "br";
  rig_run(&t);
  CHECK_STR(OUT(&t), "xx");
  CHECK_STR(t.record.response.not_inspected, "content coding");
  rig_end(&t);
}

static void malformed_json_fails_as_told(void)
{
  struct talk t = json("m", STR("{\"choices\": [ " KEY));
  rig_run(&t);
  CHECK(str_eq(OUT(&t), t.up));
  CHECK_INT(t.record.status, 200);
  CHECK(t.record.failed_open && t.record.failure.n > 0);
  CHECK_INT(t.record.response.inspected, VDT_NONE);
  rig_end(&t);
  t = json("strict", STR("{\"choices\": [ " KEY));
  rig_run(&t);
  CHECK(!rig_has(OUT(&t), "choices") && rig_has(OUT(&t), "\"error\""));
  CHECK_INT(exchange_status(t.x), 502);
  CHECK(t.record.failed_closed);
  CHECK_INT(t.record.outcome, RECORD_REFUSED);
  rig_end(&t);
}

static void a_malformed_event_fails_as_told(void)
{
  struct talk t = sse("m", STR(SAY("a") "data: {oops}\n\n" SAY("b") STOP DONE));
  rig_run(&t);
  CHECK(str_eq(OUT(&t), t.up));
  CHECK(t.record.failed_open && !t.done);
  CHECK_INT(t.record.response.inspected, VDT_PARTIAL);
  rig_end(&t);
  t = sse("strict", STR(SAY("a") "data: {oops}\n\n" SAY("b") STOP DONE));
  rig_run(&t);
  CHECK_STR(OUT(&t), SAY("a"));
  CHECK(t.record.failed_closed && t.done);
  CHECK_INT(t.record.response.inspected, VDT_PARTIAL);
  rig_end(&t);
}

static void a_body_over_the_limit_fails_as_told(void)
{
  struct buf b = {0};
  BUF_LIT(&b, "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"");
  for (int i = 0; i < 300 * 1024; i++) buf_byte(&b, 'a');
  BUF_LIT(&b, "\"}}]}");
  struct talk t = json("m", buf_str(&b));
  t.cuts = 2;
  t.cut_at = 280 * 1024;
  rig_run(&t);
  CHECK(str_eq(OUT(&t), t.up));
  CHECK(t.record.failed_open);
  rig_end(&t);
  t = json("strict", buf_str(&b));
  t.cuts = 2;
  t.cut_at = 280 * 1024;
  rig_run(&t);
  CHECK(t.out.n < 1000);
  CHECK_INT(t.record.status, 502);
  rig_end(&t);
  buf_finish(&b);
}

static void a_broken_off_answer_is_no_answer(void)
{
  struct talk t = json("m", STR("{\"choices\": ["));
  t.truncated = true;
  rig_run(&t);
  CHECK_INT(exchange_status(t.x), 502);
  CHECK(rig_has(OUT(&t), "\"error\"") && !rig_has(OUT(&t), "choices"));
  CHECK_INT(t.record.outcome, RECORD_UPSTREAM_ABORTED);
  CHECK(!t.record.failed_open);
  rig_end(&t);
  t = sse("m", STR(SAY("a") "data: {\"cho"));
  t.truncated = true;
  rig_run(&t);
  CHECK_STR(OUT(&t), SAY("a"));
  CHECK_INT(t.record.outcome, RECORD_UPSTREAM_ABORTED);
  rig_end(&t);
}

static void a_failed_request_lets_no_broken_answer_through(void)
{
  struct talk t = json("m", STR("{\"choices\": ["));
  struct exchange_head head = {
      .method = STR("POST"), .path = STR("/openai/deployments/m/chat/completions"), .content_type = STR("application/json")};
  t.x = exchange_new(&rig_image, rig_scanner, (const unsigned char *)"0123456789abcdef", 1);
  exchange_request_head(t.x, &head);
  CHECK_INT(exchange_request_unreadable(t.x, VDT_EIO, "gone"), EXCHANGE_FORWARD);
  t.truncated = true;
  rig_respond(&t);
  CHECK_INT(exchange_status(t.x), 502);
  rig_finish(&t, RECORD_UPSTREAM_ABORTED);
  CHECK(t.record.failed_open);
  rig_end(&t);
}

/* ---- codings ---------------------------------------------------------------------------------------------------- */

static void gzip_of(struct buf *out, struct str text)
{
  buf_reset(out);
  CHECK(gzip_whole(text, out));
}

static void gzip_is_taken_off(void)
{
  struct buf coded = {0}, two = {0};
  gzip_of(&coded, STR(ANSWER("use " KEY)));
  for (uint64_t cuts = 0; cuts < 6; cuts++) {
    struct talk t = json("kept", buf_str(&coded));
    t.up_coding = "gzip";
    t.cuts = cuts;
    t.cut_at = 5;
    rig_run(&t);
    CHECK_STR(OUT(&t), ANSWER("use [REDACTED:test-token]"));
    rig_end(&t);
  }
  /* Two members are one text. */
  gzip_of(&two, STR(SAY("use tok_q8Zr4Lw1X")));
  gzip_of(&coded, STR(SAY("v7Np2Kd9Jb3") STOP DONE));
  buf_put(&two, buf_str(&coded));
  struct talk t = sse("kept", buf_str(&two));
  t.up_coding = "gzip";
  t.cuts = 1;
  rig_run(&t);
  CHECK(rig_has(OUT(&t), "use ") && rig_has(OUT(&t), "REDACTED") && !shows_key(OUT(&t)) && rig_has(OUT(&t), DONE));
  rig_end(&t);
  buf_finish(&coded);
  buf_finish(&two);
}

static void deflate_comes_in_two_ways(void)
{
  struct str text = STR(ANSWER("fine"));
  for (int bare = 0; bare < 2; bare++) {
    unsigned char coded[512];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)text.p,
                  .avail_in = (unsigned)text.n,
                  .next_out = coded,
                  .avail_out = sizeof coded};
    deflateInit2(&z, 6, Z_DEFLATED, bare ? -15 : 15, 8, Z_DEFAULT_STRATEGY);
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    for (uint64_t cuts = 0; cuts < 2; cuts++) {
      struct talk t = json("m", (struct str){(char *)coded, z.total_out});
      t.up_coding = "deflate";
      t.cuts = cuts;
      rig_run(&t);
      CHECK(str_eq(OUT(&t), text));
      rig_end(&t);
    }
  }
}

static void broken_codings_are_no_answer(void)
{
  struct buf coded = {0};
  gzip_of(&coded, STR(ANSWER("a text that is long enough to be cut somewhere in its middle")));
  for (int i = 0; i < 3; i++) {
    struct talk t = json(i == 2 ? "strict" : "m", buf_str(&coded));
    t.up_coding = "gzip";
    if (i == 0) t.up.n -= 20;                             /* cut short */
    if (i == 1) coded.p[30] = (char)(coded.p[30] ^ 0x55); /* broken from here on */
    rig_run(&t);
    CHECK_INT(t.record.status, 502);
    CHECK(rig_has(OUT(&t), "\"error\"") && t.record.failure.n > 0);
    rig_end(&t);
  }
  buf_finish(&coded);
}

static void a_bomb_is_stopped(void)
{
  struct buf zeros = {0}, coded = {0};
  for (int i = 0; i < 16 << 20; i++) buf_byte(&zeros, ' ');
  gzip_of(&coded, buf_str(&zeros));
  struct talk t = sse("m", buf_str(&coded));
  t.up_coding = "gzip";
  t.cuts = 2;
  t.cut_at = 100;
  rig_run(&t);
  CHECK(t.record.response.bytes < 4 << 20);
  CHECK(t.record.failure.n > 0);
  rig_end(&t);
  buf_finish(&zeros);
  buf_finish(&coded);
}

/* ---- evidence --------------------------------------------------------------------------------------------------- */

static void evidence_of_one_secret_shows_no_other(void)
{
  struct talk t = sse("kept", STR(SAY("first " NUMBER " then " KEY " then ") SAY(KEY " end") STOP DONE));
  rig_run(&t);
  CHECK_INT(t.record.n_findings, 3);
  for (size_t i = 0; i < t.record.n_findings; i++) {
    CHECK(t.record.findings[i].evidence.n > 0 && rig_has(t.record.findings[i].evidence, "first "));
    CHECK(!rig_has(t.record.findings[i].evidence, "582031"));
  }
  CHECK(!records_key(LINE(&t)));
  rig_end(&t);
  t = sse("m", STR(SAY("zanzibar " KEY) STOP DONE));
  rig_run(&t);
  CHECK_INT(t.record.n_findings, 1);
  CHECK(!rig_has(LINE(&t), "zanzibar") && !rig_has(LINE(&t), "evidence") && !rig_has(LINE(&t), "tok_"));
  rig_end(&t);
}

static void evidence_is_there_late_in_a_long_stream(void)
{
  struct buf b = {0};
  for (int i = 0; i < 3000; i++) BUF_LIT(&b, SAY("words and words and words "));
  BUF_LIT(&b, SAY("late " KEY) STOP DONE);
  struct talk t = sse("kept", buf_str(&b));
  rig_run(&t);
  CHECK_INT(t.record.n_findings, 1);
  CHECK(rig_has(t.record.findings[0].evidence, "words late ") && t.record.findings[0].evidence.n < 200);
  rig_end(&t);
  buf_finish(&b);
}

int main(void)
{
  rig_load();
  RUN(clean_answers_pass_byte_for_byte);
  RUN(a_leaked_key_is_masked_in_json);
  RUN(sensitive_data_is_noted_or_masked);
  RUN(block_shows_nothing_of_a_json_answer);
  RUN(cut_ends_a_stream);
  RUN(the_header_of_a_stream_tells_what_the_request_gave);
  RUN(annotations_are_added);
  RUN(a_phrase_is_masked_in_json);
  RUN(a_phrase_over_events_is_masked);
  RUN(a_phrase_cuts_a_stream);
  RUN(a_phrase_blocks_an_answer);
  RUN(choices_are_texts_of_their_own);
  RUN(tool_arguments_still_parse);
  RUN(however_a_stream_is_cut_the_same_leaves);
  RUN(json_comes_in_pieces_too);
  RUN(an_upstreams_refusal_counts_as_blocked);
  RUN(an_upstreams_annotation_is_a_detection);
  RUN(other_errors_pass_unchanged);
  RUN(what_is_no_text_fails_as_told);
  RUN(malformed_json_fails_as_told);
  RUN(a_malformed_event_fails_as_told);
  RUN(a_body_over_the_limit_fails_as_told);
  RUN(a_broken_off_answer_is_no_answer);
  RUN(a_failed_request_lets_no_broken_answer_through);
  RUN(gzip_is_taken_off);
  RUN(deflate_comes_in_two_ways);
  RUN(broken_codings_are_no_answer);
  RUN(a_bomb_is_stopped);
  RUN(evidence_of_one_secret_shows_no_other);
  RUN(evidence_is_there_late_in_a_long_stream);
  rig_unload();
  return test_end();
}
