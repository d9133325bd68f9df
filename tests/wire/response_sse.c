/*
 * Streamed responses: each case is a stream and what the client gets. Every case runs again with its bytes cut in every
 * place, byte by byte, and at random: what leaves may not change.
 */
#include "hook.h"

#define HEAD        "\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
#define CHUNK(rest) "data: {" HEAD "\"choices\":[{\"index\":0," rest "}]}\n\n"
#define SAY(text)   CHUNK("\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null")
#define STOP        CHUNK("\"delta\":{},\"finish_reason\":\"stop\"")
#define DONE        "data: [DONE]\n\n"
/* What we add. */
#define OURS(rest)    CHUNK(rest ",\"logprobs\":null,\"finish_reason\":null")
#define FILTERED      CHUNK("\"delta\":{},\"logprobs\":null,\"finish_reason\":\"content_filter\"")
#define CHOICES(x)    "data: {" HEAD "\"choices\":[" x "]}\n\n"
#define ONE(i, text)  "{\"index\":" i ",\"delta\":{\"content\":\"" text "\"}}"
#define CALL(i, text) CHUNK("\"delta\":{\"tool_calls\":[{\"index\":" i ",\"function\":{\"arguments\":\"" text "\"}}]}")
#define SHIELD                                                                                                                   \
  "{\"indirect_attack\":{\"detected\":false,\"filtered\":false},\"jailbreak\":{\"detected\":true,\"filtered\":false}}"
#define CHOICE_SHIELD                                                                                                            \
  "\"content_filter_results\":{\"custom_blocklists\":{\"filtered\":false,\"details\":[{\"id\":\"vedette-credential\","           \
  "\"filtered\":"                                                                                                                \
  "false,\"redacted\":true}]},\"personally_identifiable_information\":{\"detected\":false,\"filtered\":false,"                   \
  "\"redacted\":false}}"

static const struct {
  const char *name, *format;
  unsigned n;
  bool annotate;
  const char *in, *out; /* out NULL: byte for byte */
} cases[] = {
    {"clean", "openai-chat", 1, false, CHUNK("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}") SAY("a\\u0062") STOP DONE,
     NULL},
    {"held back and released", "openai-chat", 1, false, SAY("aC") SAY("Ub") STOP DONE, SAY("a") SAY("CUb") STOP DONE},
    {"masked across events", "openai-chat", 1, false, SAY("aX") SAY("X") SAY("Xb") STOP DONE,
     SAY("a") SAY("") SAY("[X]b") STOP DONE},
    {"what was held leaves before the finish", "openai-chat", 1, false, SAY("aX") STOP DONE,
     SAY("a") OURS("\"delta\":{\"content\":\"[X]\"}") STOP DONE},
    {"content in the finish event", "openai-chat", 1, false,
     SAY("aX") CHUNK("\"delta\":{\"content\":\"X\"},\"finish_reason\":\"length\"") DONE,
     SAY("a") CHUNK("\"delta\":{\"content\":\"[X]\"},\"finish_reason\":\"length\"") DONE},
    {"an empty finish_reason ends nothing", "openai-chat", 1, false,
     CHUNK("\"delta\":{\"content\":\"X\"},\"finish_reason\":\"\"") SAY("Xa") STOP DONE,
     CHUNK("\"delta\":{\"content\":\"\"},\"finish_reason\":\"\"") SAY("[X]a") STOP DONE},
    {"no finish, only done", "openai-chat", 1, false, SAY("aX") DONE, SAY("a") OURS("\"delta\":{\"content\":\"[X]\"}") DONE},
    {"no finish, no done", "openai-chat", 1, false, SAY("aX"), SAY("a") OURS("\"delta\":{\"content\":\"[X]\"}")},
    {"logprobs go with changed text", "openai-chat", 1, false,
     CHUNK("\"delta\":{\"content\":\"X \"},\"logprobs\":{\"content\":[1]}")
         CHUNK("\"delta\":{\"content\":\"b\"},\"logprobs\":{\"content\":[2]}"),
     CHUNK("\"delta\":{\"content\":\"[X] \"},\"logprobs\":null")
         CHUNK("\"delta\":{\"content\":\"b\"},\"logprobs\":{\"content\":[2]}")},
    {"cut", "openai-chat", 1, false, SAY("ab") SAY("cCUT") SAY("d") STOP DONE, SAY("ab") SAY("c") FILTERED DONE},
    {"cut across events", "openai-chat", 1, false, SAY("abC") SAY("UTd") SAY("e") STOP DONE, SAY("ab") SAY("") FILTERED DONE},
    {"cut in the finish event", "openai-chat", 1, false,
     CHUNK("\"delta\":{\"content\":\"aCUT\"},\"finish_reason\":\"stop\"") DONE,
     CHUNK("\"delta\":{\"content\":\"a\"},\"finish_reason\":\"content_filter\"") DONE},
    {"block ends a stream like cut", "openai-chat", 1, false, SAY("aBLOCK") SAY("b"), SAY("a") FILTERED DONE},
    {"one of two choices cut", "openai-chat", 2, false,
     CHOICES(ONE("0", "aCUT")) CHOICES(ONE("1", "b")) CHOICES(ONE("0", "c") "," ONE("1", "d"))
         CHOICES(ONE("1", "e") "," ONE("0", "f")) CHOICES(ONE("0", "g"))
             CHOICES("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") DONE,
     CHOICES(ONE("0", "a")) FILTERED CHOICES(ONE("1", "b")) CHOICES(ONE("1", "d")) CHOICES(ONE("1", "e"))
         CHOICES("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") DONE},
    {"both choices cut end the stream", "openai-chat", 2, false,
     CHOICES(ONE("0", "CUT")) CHOICES(ONE("0", "z")) CHOICES(ONE("1", "CUT")) CHOICES(ONE("1", "z")) DONE,
     CHOICES(ONE("0", "")) FILTERED CHOICES(ONE("1", ""))
         CHOICES("{\"index\":1,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"content_filter\"}") DONE},
    {"usage survives a choice that is gone", "openai-chat", 2, false,
     CHOICES(ONE("0", "CUT")) "data: {" HEAD "\"choices\":[" ONE("0", "z") "],\"usage\":{\"total_tokens\":9}}\n\n" DONE,
     CHOICES(ONE("0", "")) FILTERED "data: {" HEAD "\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n" DONE},
    {"choices do not mix", "openai-chat", 2, false,
     CHOICES(ONE("0", "C") "," ONE("1", "UT")) CHOICES(ONE("1", "X") "," ONE("0", "a"))
         CHOICES("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"},"
                 "{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") DONE,
     CHOICES(ONE("0", "") "," ONE("1", "UT")) CHOICES(ONE("1", "") "," ONE("0", "Ca"))
         CHOICES("{\"index\":1,\"delta\":{\"content\":\"[X]\"},"
                 "\"logprobs\":null,\"finish_reason\":null}")
             CHOICES("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{},\"finish_"
                     "reason\":\"stop\"}") DONE},
    {"tool calls are channels", "openai-chat", 1, false, CALL("0", "{X") CALL("1", "UTX") CALL("0", "}") STOP DONE,
     CALL("0", "{") CALL("1", "UT") CALL("0", "[X]}")
         OURS("\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"[X]\"}}]}") STOP DONE},
    {"custom tools, refusals, reasoning, functions", "openai-chat", 1, false,
     CHUNK("\"delta\":{\"tool_calls\":[{\"index\":0,\"custom\":{\"input\":\"1X\"}}],\"refusal\":\"2X\",\"reasoning_"
           "content\":\"3X\",\"reasoning\":\"4X\","
           "\"function_call\":{\"arguments\":\"5X\"}}") STOP DONE,
     CHUNK("\"delta\":{\"tool_calls\":[{\"index\":0,\"custom\":{\"input\":\"1\"}}],\"refusal\":\"2\",\"reasoning_"
           "content\":\"3\",\"reasoning\":\"4\","
           "\"function_call\":{\"arguments\":\"5\"}}")
         OURS("\"delta\":{\"tool_calls\":[{\"index\":0,\"custom\":{\"input\":\"[X]\"}}]}") OURS("\"delta\":{\"refusal\":\"[X]\"}")
             OURS("\"delta\":{\"reasoning_content\":\"[X]\"}") OURS("\"delta\":{\"reasoning\":\"[X]\"}")
                 OURS("\"delta\":{\"function_call\":{\"arguments\":\"[X]\"}}") STOP DONE},
    {"legacy completions", "openai-completions", 1, false,
     "data: "
     "{\"id\":\"t1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"m\",\"choices\":[{\"text\":\"aX\","
     "\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n" DONE,
     "data: "
     "{\"id\":\"t1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"m\",\"choices\":[{\"text\":\"a\","
     "\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n"
     "data: "
     "{\"id\":\"t1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":"
     "\"[X]\",\"logprobs\":null,\"finish_reason\":null}]}\n\n" DONE},
    {"annotated", "openai-chat", 1, true, SAY("X ") STOP DONE,
     "data: "
     "{\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,"
     "\"content_filter_results\":" SHIELD "}],\"choices\":[],\"usage\":null}\n\n" SAY("[X] ")
         CHUNK("\"delta\":{},\"finish_reason\":\"stop\"," CHOICE_SHIELD) DONE},
    {"annotated and cut", "openai-chat", 1, true, "data: {\"prompt_filter_results\":[],\"choices\":[]}\n\n" SAY("CUT"),
     "data: {\"prompt_filter_results\":[],\"choices\":[]}\n\n" SAY("")
         CHUNK("\"delta\":{},\"logprobs\":null,\"finish_reason\":\"content_filter\"," CHOICE_SHIELD) DONE},
    {"the upstream's annotations stay", "openai-chat", 1, true,
     "data: {\"prompt_annotations\":[],\"choices\":[]}\n\n" CHUNK(
         "\"delta\":{},\"finish_reason\":\"stop\",\"content_filter_results\":{}") DONE,
     NULL},
    {"comments, fields, empty lines, byte order mark", "openai-chat", 1, false,
     "\xef\xbb\xbf: hello\n\n\n\nevent: message\nid: 3\nretry: 10\n" SAY("a") ": ping\n\ndata\n\ndata:\n\n" STOP DONE, NULL},
    {"several data lines", "openai-chat", 1, false,
     "event: x\ndata: {\ndata: \"choices\":[{\ndata:\"delta\":{\"content\":\"X.\"}\ndata:  }]}\nid: 4\n\n" DONE,
     "event: x\ndata: {\ndata: \"choices\":[{\ndata: \"delta\":{\"content\":\"[X].\"}\ndata:  }]}\nid: 4\n\n" DONE},
    {"CRLF and CR line ends", "openai-chat", 1, false,
     "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: "
     "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\r\r: c\r\r\ndata: [DONE]\r\n\r\n",
     NULL},
    {"an event without its blank line", "openai-chat", 1, false, SAY("a") "data: [DONE]\n", SAY("a") DONE},
    {"an error event passes", "openai-chat", 1, false, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n", NULL},
    {"nothing follows [DONE]", "openai-chat", 1, false, DONE SAY("X"), DONE},
    {"text after the finish is a new text", "openai-chat", 1, false, SAY("a") STOP SAY("X") DONE,
     SAY("a") STOP SAY("") OURS("\"delta\":{\"content\":\"[X]\"}") DONE},
};

enum { CASES = sizeof cases / sizeof *cases };

static uint64_t rng = 88172645463325252u;

static size_t below(size_t n)
{
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  return (size_t)(rng >> 33) % n;
}

struct run {
  struct hook hook;
  struct wire_response *r;
  struct vdt_arena *arena;
  struct buf out;
};

static void start(struct run *run, const char *format, unsigned n, bool annotate, size_t max_body)
{
  struct wire_response_options opt = {.mode = WIRE_SSE, .annotate = annotate, .max_body = max_body, .n = n};
  opt.shield.jailbreak_detected = true;
  *run = (struct run){.arena = vdt_arena_new(0)};
  run->hook.shield.credential_detected = run->hook.shield.credential_redacted = true;
  struct wire_hooks hooks = hook_of(&run->hook);
  CHECK_INT(wire_response_new(wire_format_by_name(str_of(format)), run->arena, &opt, &hooks, &run->r), VDT_OK);
}

static void stop(struct run *run)
{
  wire_response_free(run->r);
  vdt_arena_free(run->arena);
  hook_finish(&run->hook);
  buf_finish(&run->out);
}

static void feed(struct run *run, struct str in)
{
  CHECK_INT(wire_response_feed(run->r, in, &run->out), VDT_OK);
}

static void streams(void)
{
  for (size_t i = 0; i < CASES; i++) {
    struct run run;
    CASE_BEGIN();
    start(&run, cases[i].format, cases[i].n, cases[i].annotate, 1 << 20);
    feed(&run, str_of(cases[i].in));
    CHECK_INT(wire_response_finish(run.r, false, &run.out), VDT_OK);
    CHECK_STR(buf_str(&run.out), cases[i].out ? cases[i].out : cases[i].in);
    CHECK_INT(wire_response_info(run.r)->inspected, VDT_FULL);
    CASE_END("stream: %s", cases[i].name);
    stop(&run);
  }
}

/* Feeds the case in pieces: from `cut` on when step is 0, pieces of step bytes, or random ones up to -step. */
static void in_pieces(size_t i, size_t cut, int step)
{
  struct run run;
  struct str in = str_of(cases[i].in);
  start(&run, cases[i].format, cases[i].n, cases[i].annotate, 1 << 20);
  for (size_t at = 0; at < in.n;) {
    size_t n = step > 0 ? (size_t)step : step < 0 ? below((size_t)-step) : at < cut ? cut : in.n;
    if (n > in.n - at) n = in.n - at;
    feed(&run, str_cut(in, at, at + n));
    at += n;
  }
  CHECK_INT(wire_response_finish(run.r, false, &run.out), VDT_OK);
  CHECK_STR(buf_str(&run.out), cases[i].out ? cases[i].out : cases[i].in);
  stop(&run);
}

static void cut_anywhere(void)
{
  for (size_t i = 0; i < CASES; i++) {
    CASE_BEGIN();
    for (size_t cut = 0; cut <= strlen(cases[i].in) && !test_failed; cut++) in_pieces(i, cut, 0);
    for (int step = 1; step < 4; step++) in_pieces(i, 0, step);
    for (int k = 0; k < 100 && !test_failed; k++) in_pieces(i, 0, -(int)(2 + below(60)));
    CASE_END("cut anywhere: %s", cases[i].name);
  }
}

static void events_leave_as_soon_as_they_are_whole(void)
{
  struct run run;
  start(&run, "openai-chat", 1, false, 1000);
  feed(&run, STR(SAY("a") "data: {\"choices\":"));
  CHECK_STR(buf_str(&run.out), SAY("a"));
  stop(&run);
}

static void says_what_it_is(void)
{
  struct run run;
  start(&run, "openai-chat", 1, false, 1000);
  feed(&run,
       STR("data: "
           "{\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[{\"content_filter_results\":{\"jailbreak\":{"
           "\"detected\":true,"
           "\"filtered\":true}}}],\"choices\":[]}\n\n" SAY("a") CHUNK(
               "\"delta\":{\"content\":\"b\"},\"finish_reason\":\"content_filter\"") "data: {" HEAD "\"choices\":[],\"usage\":{"
                                                                                     "\"prompt_tokens\":1,\"completion_"
                                                                                     "tokens\":2,\"total_tokens\":3}}"
                                                                                     "\n\n" DONE));
  const struct wire_response_info *info = wire_response_info(run.r);
  CHECK_STR(info->id, "c1");
  CHECK_STR(info->model, "m");
  CHECK_STR(str_of(info->finish_reason), "content_filter");
  CHECK(info->upstream.jailbreak_detected && info->upstream.jailbreak_filtered && info->upstream.completion_filtered);
  CHECK(info->prompt_tokens == 1 && info->completion_tokens == 2 && info->total_tokens == 3 && info->done);
  CHECK_STR(buf_str(&run.hook.seen), "choices[0].message.content=a;choices[0].message.content=b|;");
  stop(&run);
}

static void channels_have_names(void)
{
  struct run run;
  start(&run, "openai-chat", 1, false, 1000);
  feed(&run, STR(CALL("3", "a") CHUNK("\"delta\":{\"refusal\":\"r\"}") DONE));
  CHECK_STR(buf_str(&run.hook.seen), "choices[0].message.tool_calls[3].function.arguments=a;choices[0].message.refusal=r;"
                                     "choices[0].message.tool_calls[3].function.arguments=|;choices[0].message.refusal=|;");
  stop(&run);
}

static const struct {
  const char *event, *why;
} unread[] = {
    {CHUNK("\"delta\":{\"audio\":{\"data\":\"\"}}"), "choices[0]: audio"},
    {CHUNK("\"delta\":{\"images\":[]}"), "choices[0]: image"},
    {CHUNK("\"delta\":{\"poem\":\"p\"}"), "choices[0]: unknown member"},
    {CHUNK("\"message\":{\"content\":\"p\"}"), "choices[0]: unknown member"},
    {CHUNK("\"delta\":{\"content\":[{\"type\":\"image\"}]}"), "choices[0]: content part that is no text"},
    {CHUNK("\"delta\":{\"content\":7}"), "choices[0]: text that is no string"},
    {"data: {\"type\":\"response.output_text.delta\",\"delta\":\"p\"}\n\n", "event without choices"},
};

static void unread_parts_are_said(void)
{
  for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
    struct run run;
    CASE_BEGIN();
    start(&run, "openai-chat", 1, false, 1000);
    feed(&run, str_of(unread[i].event));
    CHECK_STR(buf_str(&run.out), unread[i].event);
    CHECK_INT(wire_response_info(run.r)->inspected, VDT_PARTIAL);
    CHECK_STR(str_of(wire_response_info(run.r)->not_inspected), unread[i].why);
    CASE_END("not inspected: %s", unread[i].why);
    stop(&run);
  }
}

static const struct {
  const char *name, *event;
  int code;
} unreadable[] = {
    {"no JSON", "data: hello\n\n", VDT_ESYNTAX},
    {"not an object", "data: []\n\n", VDT_ESYNTAX},
    {"choices that are none", "data: {\"choices\":{}}\n\n", VDT_ESYNTAX},
    {"two readings", "data: {\"choices\":[],\"choices\":[]}\n\n", VDT_EDUPKEY},
    {"a tool index too large", CALL("1024", "a"), VDT_ETOOBIG},
    {"an index that is none", "data: {\"choices\":[{\"index\":\"0\"}]}\n\n", VDT_ESYNTAX},
};

static void unreadable_events_pass_only_when_told(void)
{
  for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
    struct run run;
    CASE_BEGIN();
    start(&run, "openai-chat", 1, false, 1000);
    feed(&run, STR(SAY("aX")));
    CHECK_INT(wire_response_feed(run.r, str_of(unreadable[i].event), &run.out), unreadable[i].code);
    CHECK_INT(wire_response_feed(run.r, STR(SAY("b")), &run.out), unreadable[i].code);
    CHECK_STR(buf_str(&run.out), SAY("a"));
    wire_response_fail_open(run.r, &run.out);
    feed(&run, STR("more"));
    struct buf want = {0};
    buf_printf(&want, "%s%s%s", SAY("a") OURS("\"delta\":{\"content\":\"[X]\"}"), unreadable[i].event, "more");
    buf_byte(&want, '\0');
    CHECK_STR(buf_str(&run.out), want.p);
    CHECK_INT(wire_response_info(run.r)->inspected, VDT_PARTIAL);
    CASE_END("unreadable event: %s", unreadable[i].name);
    buf_finish(&want);
    stop(&run);
  }
}

static void largest_event_one_below_at_and_above(void)
{
  size_t n = strlen(SAY("abc"));
  for (size_t max = n - 1; max <= n + 1; max++) {
    struct run run;
    start(&run, "openai-chat", 1, false, max);
    CHECK_INT(wire_response_feed(run.r, STR(SAY("abc")), &run.out), max < n ? VDT_ETOOBIG : VDT_OK);
    stop(&run);
  }
}

static void what_was_cut_stays_cut(void)
{
  struct run run;
  start(&run, "openai-chat", 2, false, 1000);
  feed(&run, STR(SAY("CUT")));
  CHECK_INT(wire_response_feed(run.r, STR("data: {]\n\n"), &run.out), VDT_ESYNTAX);
  wire_response_fail_open(run.r, &run.out);
  feed(&run, STR("secret"));
  CHECK_STR(buf_str(&run.out), SAY("") FILTERED DONE);
  stop(&run);
}

static void half_an_event_at_a_broken_end_is_dropped(void)
{
  struct run run;
  start(&run, "openai-chat", 1, false, 1000);
  feed(&run, STR(SAY("aX") "data: {\"choices\":[{\"del"));
  CHECK_INT(wire_response_finish(run.r, true, &run.out), VDT_OK);
  CHECK_STR(buf_str(&run.out), SAY("a") OURS("\"delta\":{\"content\":\"[X]\"}"));
  stop(&run);
}

static int refuse(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  (void)ctx, (void)channel, (void)in, (void)last, (void)out;
  return VDT_EIO;
}

static void an_error_of_the_hook_ends_the_response(void)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct wire_response_options opt = {.mode = WIRE_SSE, .max_body = 1000};
  struct wire_response *r;
  struct buf out = {0};
  CHECK_INT(wire_response_new(wire_format_at(0), arena, &opt, &(struct wire_hooks){.text = refuse}, &r), VDT_OK);
  CHECK_INT(wire_response_feed(r, STR(SAY("a")), &out), VDT_EIO);
  CHECK_INT(wire_response_finish(r, false, &out), VDT_EIO);
  CHECK_INT(out.n, 0);
  wire_response_free(r);
  vdt_arena_free(arena);
}

int main(void)
{
  streams();
  cut_anywhere();
  RUN(events_leave_as_soon_as_they_are_whole);
  RUN(says_what_it_is);
  RUN(channels_have_names);
  unread_parts_are_said();
  unreadable_events_pass_only_when_told();
  RUN(largest_event_one_below_at_and_above);
  RUN(what_was_cut_stays_cut);
  RUN(an_error_of_the_hook_ends_the_response);
  RUN(half_an_event_at_a_broken_end_is_dropped);
  return test_end();
}
