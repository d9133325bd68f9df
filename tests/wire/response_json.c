/* Whole JSON responses: untouched bytes, masked text, cut and blocked choices, annotations, what is said besides text.
 */
#include "hook.h"

#define CHAT(content)                                                                                                            \
  "{\"id\":\"c1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" content                          \
  "\"},\"finish_reason\":\"stop\"}]}"

static const struct {
  const char *name, *format;
  bool annotate;
  const char *in, *out; /* out NULL: byte for byte */
} cases[] = {
    {"clean text goes byte for byte", "openai-chat", false,
     " {\"choices\" : [ {\"message\":{\"content\":\"a\\u0062c\",\"x\":1.0e0} } ],\"y\":[1, 2]}\n", NULL},
    {"masked text, the rest untouched", "openai-chat", false,
     "{ \"a\":1,\"choices\":[{\"index\":0,\"message\":{\"content\":\"key \\\"XX\\\" \\u00e4\",\"z\":[ "
     "]},\"logprobs\":{\"content\":[]}}]}",
     "{ \"a\":1,\"choices\":[{\"index\":0,\"message\":{\"content\":\"key \\\"[X]\\\" \xc3\xa4\",\"z\":[ "
     "]},\"logprobs\":null}]}"},
    {"null content", "openai-chat", false, "{\"choices\":[{\"message\":{\"content\":null},\"logprobs\":{\"a\":1}}]}", NULL},
    {"cut keeps what came before", "openai-chat", false, CHAT("say CUT this"),
     "{\"id\":\"c1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"say "
     "\"},\"finish_reason\":\"content_filter\"}]}"},
    {"cut empties later texts", "openai-chat", false,
     "{\"choices\":[{\"message\":{\"content\":\"CUT\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{1}"
     "\"}},"
     "{\"custom\":{\"input\":\"i\"}}]}}]}",
     "{\"choices\":[{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
     ","
     "{\"custom\":{\"input\":\"\"}}]},\"finish_reason\":\"content_filter\"}]}"},
    {"block shows no text", "openai-chat", false,
     "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"X "
     "secret\",\"tool_calls\":[{\"function\":{\"arguments\":\"BLOCK\"}}]},"
     "\"logprobs\":{},\"finish_reason\":\"stop\",\"k\":1}]}",
     "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null},\"logprobs\":null,\"finish_"
     "reason\":"
     "\"content_filter\",\"k\":1}]}"},
    {"only the choice concerned", "openai-chat", false,
     "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"fine\"}},{\"index\":0,\"message\":{\"content\":\"BLOCK\"},"
     "\"finish_reason\":\"stop\"}]}",
     "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"fine\"}},{\"index\":0,\"message\":{\"role\":\"assistant\","
     "\"content\":null},"
     "\"finish_reason\":\"content_filter\"}]}"},
    {"content parts", "openai-chat", false,
     "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"aX\"},{\"type\":\"text\",\"text\":\"Xb\"}]"
     "}}]}",
     "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"[X]b\"}"
     "]}}]}"},
    {"calls with the same index are different texts", "openai-chat", false,
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"aX\"}},{\"index\":0,"
     "\"function\":"
     "{\"arguments\":\"b\"}}]}}]}",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"a[X]\"}},{\"index\":0,"
     "\"function\":"
     "{\"arguments\":\"b\"}}]}}]}"},
    {"legacy text", "openai-completions", false, "{\"choices\":[{\"text\":\"aXb\",\"logprobs\":{\"tokens\":[\"aXb\"]}}]}",
     "{\"choices\":[{\"text\":\"a[X]b\",\"logprobs\":null}]}"},
    {"legacy block", "openai-completions", false, "{\"choices\":[{\"text\":\"BLOCK\",\"finish_reason\":null}]}",
     "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"content_filter\"}]}"},
    {"annotations", "openai-chat", true, CHAT("hi"),
     "{\"id\":\"c1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"finish_"
     "reason\":\"stop\","
     "\"content_filter_results\":{\"custom_blocklists\":{\"filtered\":false,\"details\":[]},\"personally_identifiable_"
     "information\":"
     "{\"detected\":false,\"filtered\":false,\"redacted\":false}}}],\"prompt_filter_results\":[{\"prompt_index\":0,"
     "\"content_filter_results\":{\"indirect_attack\":{\"detected\":false,\"filtered\":false},\"jailbreak\":{"
     "\"detected\":true,"
     "\"filtered\":false}}}]}"},
    {"a rating of the prompt", "google", true, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]}}]}",
     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]}}],\"promptFeedback\":{\"safetyRatings\":[{\"category\":"
     "\"HARM_CATEGORY_JAILBREAK\",\"probability\":\"HIGH\",\"blocked\":false}]}}"},
    {"the upstream's rating stays", "google", true, "{\"candidates\":[],\"promptFeedback\":{}}",
     "{\"candidates\":[],\"promptFeedback\":{}}"},
    {"no rating of what has no candidates", "google", true, "{\"totalTokens\":4}", "{\"totalTokens\":4}"},
    {"the upstream's annotations stay", "openai-chat", true,
     "{\"prompt_filter_results\":[],\"choices\":[{\"message\":{\"content\":\"a\"},\"content_filter_results\":{}}]}", NULL},
};

static struct vdt_arena *arena;

struct run {
  struct hook hook;
  struct wire_response *r;
  struct buf out;
};

static void start(struct run *run, const char *format, bool annotate, size_t max_body)
{
  struct wire_response_options opt = {.mode = WIRE_JSON, .annotate = annotate, .max_body = max_body};
  opt.shield.jailbreak_detected = true;
  *run = (struct run){0};
  struct wire_hooks hooks = hook_of(&run->hook);
  CHECK_INT(wire_response_new(wire_format_by_name(str_of(format)), arena, &opt, &hooks, &run->r), VDT_OK);
}

static void stop(struct run *run)
{
  wire_response_free(run->r);
  hook_finish(&run->hook);
  buf_finish(&run->out);
}

static int send(struct run *run, struct str in)
{
  int rc = wire_response_feed(run->r, in, &run->out);
  return rc ? rc : wire_response_finish(run->r, false, &run->out);
}

static void bodies(void)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct run run;
    CASE_BEGIN();
    start(&run, cases[i].format, cases[i].annotate, 1 << 20);
    CHECK_INT(send(&run, str_of(cases[i].in)), VDT_OK);
    CHECK_STR(buf_str(&run.out), cases[i].out ? cases[i].out : cases[i].in);
    CASE_END("json: %s", cases[i].name);
    stop(&run);
  }
}

static void says_what_it_is(void)
{
  struct run run;
  start(&run, "openai-chat", false, 1 << 20);
  CHECK_INT(send(&run, STR("{\"id\":\"c1\",\"model\":\"gpt\",\"choices\":[{\"message\":{\"content\":\"a\",\"audio\":{}},\"finish_"
                           "reason\":"
                           "\"content_filter\",\"content_filter_results\":{\"indirect_attack\":{\"detected\":true,\"filtered\":"
                           "true}}}],"
                           "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7},\"prompt_annotations\":[{"
                           "\"content_filter_results\":{\"jailbreak\":{\"detected\":true,\"filtered\":false}}}]}")),
            VDT_OK);
  const struct wire_response_info *info = wire_response_info(run.r);
  CHECK_STR(info->id, "c1");
  CHECK_STR(info->model, "gpt");
  CHECK_STR(str_of(info->finish_reason), "content_filter");
  CHECK(info->prompt_tokens == 3 && info->completion_tokens == 4 && info->total_tokens == 7);
  CHECK(info->upstream.jailbreak_detected && !info->upstream.jailbreak_filtered);
  CHECK(info->upstream.indirect_detected && info->upstream.indirect_filtered && info->upstream.completion_filtered);
  CHECK_INT(info->inspected, VDT_PARTIAL);
  CHECK_STR(str_of(info->not_inspected), "choices[0]: audio");
  CHECK_STR(buf_str(&run.hook.seen), "choices[0].message.content=a|;");
  stop(&run);
}

static const struct {
  const char *name, *body;
  size_t max;
  int code;
} unreadable[] = {
    {"no JSON", "<html>", 100, VDT_ESYNTAX},
    {"half a body", "{\"choices\":[{\"message\":{\"content\":\"a", 100, VDT_ESYNTAX},
    {"no choices", "{\"object\":\"list\"}", 100, VDT_ESYNTAX},
    {"not an object", "[]", 100, VDT_ESYNTAX},
    {"a choice that is none", "{\"choices\":[1]}", 100, VDT_ESYNTAX},
    {"an index that is none", "{\"choices\":[{\"index\":-1}]}", 100, VDT_ESYNTAX},
    {"an index too large", "{\"choices\":[{\"index\":2048}]}", 100, VDT_ETOOBIG},
    {"two readings", "{\"choices\":[],\"choices\":[]}", 100, VDT_EDUPKEY},
    {"one byte too many", "{\"choices\":[] }", 14, VDT_ETOOBIG},
};

static void unreadable_bodies_pass_only_when_told(void)
{
  for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
    struct run run;
    CASE_BEGIN();
    start(&run, "openai-chat", false, unreadable[i].max);
    CHECK_INT(send(&run, str_of(unreadable[i].body)), unreadable[i].code);
    CHECK_INT(run.out.n, 0);
    wire_response_fail_open(run.r, &run.out);
    CHECK_INT(wire_response_finish(run.r, false, &run.out), VDT_OK);
    CHECK_STR(buf_str(&run.out), unreadable[i].body);
    CHECK_INT(wire_response_info(run.r)->inspected, VDT_NONE);
    CHECK(wire_response_info(run.r)->not_inspected[0]);
    CASE_END("unreadable: %s", unreadable[i].name);
    stop(&run);
  }
}

static void what_was_blocked_does_not_pass_when_the_rest_is_unreadable(void)
{
  struct run run;
  start(&run, "openai-chat", false, 1000);
  CHECK_INT(send(&run, STR("{\"choices\":[{\"message\":{\"content\":\"BLOCK secret\"}},7]}")), VDT_ESYNTAX);
  wire_response_fail_open(run.r, &run.out);
  CHECK(str_find(buf_str(&run.out), STR("secret")) == (size_t)-1);
  CHECK(str_find(buf_str(&run.out), STR("upstream_unavailable")) != (size_t)-1);
  stop(&run);
}

/* ---- bodies of our own, and of an upstream's filter ---- */

static void blocked_and_error_bodies(void)
{
  struct wire_shield shield = {.jailbreak_detected = true, .jailbreak_filtered = true};
  struct wire_upstream_verdict v;
  struct buf out = {0};
  struct json_doc doc;
  wire_blocked_body(NULL, &shield, &out);
  CHECK_INT(json_parse(arena, buf_str(&out), NULL, &doc, NULL), VDT_OK);
  uint32_t error = json_get(&doc, 0, "error");
  CHECK(json_string_is(&doc, json_get(&doc, error, "param"), "prompt"));
  CHECK(json_string_is(&doc, json_get(&doc, json_get(&doc, error, "innererror"), "code"), "ResponsibleAIPolicyViolation"));
  CHECK(wire_error_verdict(arena, buf_str(&out), &v));
  CHECK(v.jailbreak_detected && v.jailbreak_filtered && !v.indirect_detected);
  buf_reset(&out);
  wire_error_body(NULL, VDT_EUPSTREAM, STR("no \"answer\""), &out);
  CHECK_STR(buf_str(&out), "{\"error\":{\"message\":\"no \\\"answer\\\"\",\"type\":\"server_error\",\"param\":null,\"code\":"
                           "\"upstream_unavailable\"}}");
  buf_finish(&out);
}

static const struct {
  const char *body;
  bool is, jailbreak, filtered;
} refusals[] = {
    {"{\"error\":{\"code\":\"content_filter\",\"innererror\":{\"content_filter_result\":{\"jailbreak\":{\"detected\":"
     "true,"
     "\"filtered\":true}}}}}",
     true, true, true},
    {"{\"error\":{\"code\":\"content_filter\",\"inner_error\":{\"content_filter_results\":{\"jailbreak\":{\"detected\":"
     "true}}}}}",
     true, true, false},
    {"{\"error\":{\"code\":\"content_filter\",\"innererror\":{\"content_filter_result\":{\"hate\":{\"filtered\":true}}}"
     "}}",
     true, false, false},
    {"{\"error\":{\"code\":\"content_filter\",\"content_filters\":[{\"blocked\":true,\"content_filter_results\":{\"jailbreak\":{"
     "\"detected\":true,\"filtered\":true}}}]}}",
     true, true, true},
    {"{\"error\":{\"code\":\"content_filter\"}}", true, false, false},
    {"{\"error\":{\"code\":\"429\"}}", false, false, false},
    {"{\"error\":\"content_filter\"}", false, false, false},
    {"content_filter", false, false, false},
};

static void upstream_refusals(void)
{
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    struct wire_upstream_verdict v;
    CASE_BEGIN();
    CHECK_INT(wire_error_verdict(arena, str_of(refusals[i].body), &v), refusals[i].is);
    CHECK_INT(v.jailbreak_detected, refusals[i].jailbreak);
    CHECK_INT(v.jailbreak_filtered, refusals[i].filtered);
    CASE_END("upstream refusal %zu", i);
  }
}

int main(void)
{
  arena = vdt_arena_new(0);
  bodies();
  RUN(says_what_it_is);
  unreadable_bodies_pass_only_when_told();
  RUN(what_was_blocked_does_not_pass_when_the_rest_is_unreadable);
  RUN(blocked_and_error_bodies);
  upstream_refusals();
  vdt_arena_free(arena);
  return test_end();
}
