/* What an application gives away or lets happen: its instructions repeated in an answer, its canary, calls of tools that policy denies. */
#include "rig.h"
#include <ctype.h>
#include <sodium.h>

#define SYSTEM                                                                                                                   \
  "You are Marta, the assistant of the Blue Heron lending desk. Never quote an interest rate above nine percent. When a "        \
  "customer asks for a "                                                                                                         \
  "refund, offer a voucher first and mention the manager only when they insist twice. Internal code for urgent cases is amber "  \
  "seven. Do not "                                                                                                               \
  "discuss competitors, the merger, or the layoffs of last spring. Answer in the language of the customer and sign as the "      \
  "Heron team."
#define PIECE                                                                                                                    \
  "Never quote an interest rate above nine percent. When a customer asks for a refund, offer a voucher first and mention the "   \
  "manager only "                                                                                                                \
  "when they insist twice."
#define ASK(user) "{\"messages\":[{\"role\":\"system\",\"content\":\"" SYSTEM "\"},{\"role\":\"user\",\"content\":\"" user "\"}]}"

/* ---- instructions ------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name, *body, *up;
  bool leaks;
} answers[] = {
    {"a piece of them, word by word", ASK("hi"), ANSWER("Sure: " PIECE " That is all."), true},
    {"in capitals, with other marks between the words", ASK("hi"),
     ANSWER("NEVER * quote * an interest-rate ABOVE nine percent; when a customer asks: for a REFUND, offer a voucher (first) "
            "and mention the manager "
            "only when they insist twice"),
     true},
    {"all of them", ASK("hi"), ANSWER(SYSTEM), true},
    {"one sentence of them", ASK("hi"), ANSWER("I never quote an interest rate above nine percent. Sorry."), false},
    {"their words in another order", ASK("hi"),
     ANSWER("percent nine above rate interest an quote never twice insist they when only manager the mention and first voucher a "
            "offer refund a for "
            "asks customer a when"),
     false},
    {"what the user wrote himself", ASK("Translate: " PIECE), ANSWER(PIECE), false},
    {"an answer of its own", ASK("hi"), ANSWER("Hello, how can I help you with your loan today? We answer in every language."),
     false},
    {"instructions of another request", USER("hi"), ANSWER(PIECE), false},
    {"descriptions of tools are none",
     "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"" SYSTEM
     "\"}}],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
     ANSWER(SYSTEM), false},
    {"instructions too short to be told apart",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant that answers questions about "
     "bread.\"},{\"role\":\"user\",\"content\":\"hi\"}]}",
     ANSWER("You are a helpful assistant that answers questions about bread."), false},
};

static void repeats(void)
{
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    struct talk t = {.deployment = "m", .body = str_of(answers[i].body), .up = str_of(answers[i].up)};
    CASE_BEGIN();
    rig_run(&t);
    const struct record_finding *f = rig_finding(&t, "instructions-repeated");
    CHECK_INT(f != NULL, answers[i].leaks);
    if (f) CHECK_STR(f->alert, "AI.Vedette_InstructionLeakage");
    CHECK_INT(t.record.verdict, answers[i].leaks ? RECORD_VERDICT_DETECTED : RECORD_VERDICT_ALLOW);
    CHECK(str_eq(OUT(&t), t.up));
    rig_end(&t);
    CASE_END("%s", answers[i].name);
  }
}

/* However the stream comes, the same is found and the same leaves. */
static void cut_anywhere(void)
{
  static const char up[] = SAY("Well. Never quote an int") SAY("erest rate above nine percent. When a cust")
      SAY("omer asks for a refund, offer a voucher first ")
          SAY("and mention the manager only when they insist twice. Internal code for urgent cases is amber seven. And more.")
              STOP DONE;
  struct buf first = {0};
  uint64_t start = 0, end = 0;
  for (uint64_t cuts = 0; cuts < 40; cuts++) {
    struct talk t = {
        .deployment = "hush", .body = str_of(ASK("hi")), .up = str_of(up), .up_type = "text/event-stream", .cuts = cuts};
    CASE_BEGIN();
    if (cuts == 2) t.cut_at = 300;
    rig_run(&t);
    const struct record_finding *f = rig_finding(&t, "instructions-repeated");
    CHECK(f != NULL);
    if (f && cuts == 0) start = f->start, end = f->end, buf_put(&first, OUT(&t));
    if (f) CHECK(f->start == start && f->end == end);
    CHECK(str_eq(OUT(&t), buf_str(&first)));
    CHECK(rig_has(OUT(&t), "content_filter") && !rig_has(OUT(&t), "amber"));
    CHECK_INT(t.record.verdict, RECORD_VERDICT_CUT);
    rig_end(&t);
    if (test_failed || cuts == 39) CASE_END("a stream is cut at the same place however it comes (%d ways)", (int)cuts + 1);
    if (test_failed) break;
  }
  buf_finish(&first);
}

static void blocks(void)
{
  struct talk t = {.deployment = "hush-block", .body = str_of(ASK("hi")), .up = STR(ANSWER("Sure: " PIECE))};
  CASE_BEGIN();
  rig_run(&t);
  CHECK(!rig_has(OUT(&t), "voucher") && rig_has(OUT(&t), "content_filter"));
  CHECK_INT(t.record.verdict, RECORD_VERDICT_BLOCKED);
  rig_end(&t);
  CASE_END("a whole answer is blocked");
}

/* ---- the canary -------------------------------------------------------------------------------------------------- */

/* What stands behind "mentioned: " in the forwarded body. */
static struct str canary_of(struct str forwarded)
{
  size_t at = str_find(forwarded, STR("mentioned: "));
  return at == (size_t)-1 ? STR("") : str_cut(forwarded, at + 11, at + 11 + 24);
}

static void plants(void)
{
  struct talk t = {.deployment = "mark", .body = str_of(ASK("hi")), .up = STR(ANSWER("hello"))}, again = t, other = t, none = t;
  CASE_BEGIN();
  other.deployment = "hush";
  none.body = STR(USER("hi"));
  rig_run(&t);
  rig_run(&again);
  rig_run(&other);
  rig_run(&none);
  struct str mark = canary_of(t.forwarded);
  CHECK_INT(mark.n, 24);
  CHECK(t.changed && rig_has(t.forwarded, "as the Heron team.\\n\\n[Internal mark"));
  CHECK(str_eq(mark, canary_of(again.forwarded)));
  CHECK(!str_eq(mark, canary_of(other.forwarded)));
  CHECK(!none.changed);
  CHECK_INT(t.record.n_findings, 0);
  rig_end(&t);
  rig_end(&again);
  rig_end(&other);
  rig_end(&none);
  CASE_END("a canary is planted in instructions, another for each deployment, and not where there are none");
}

/* The mark as a model writes it when it is asked for another form. */
static void disguise(unsigned how, const char *mark, char *out, size_t room)
{
  static const char *const before[] = {"", "a", "it", "key", "the words before it: "};
  char text[128];
  size_t n = strlen(mark);
  if (how < 5) {
    int len = snprintf(text, sizeof text, "%s%s and what follows", before[how], mark);
    sodium_bin2base64(out, room, (const unsigned char *)text, (size_t)len, sodium_base64_VARIANT_ORIGINAL);
  } else if (how == 5) {
    for (size_t i = 0; i < n; i++) out[i] = mark[n - 1 - i];
    out[n] = 0;
  } else if (how == 6) {
    for (size_t i = 0; i <= n; i++) out[i] = mark[i] < 'a' ? mark[i] : mark[i] < 'n' ? mark[i] + 13 : mark[i] - 13;
  } else {
    sodium_bin2hex(out, room, (const unsigned char *)mark, n);
    for (size_t i = 0; out[i]; i++) out[i] = (char)toupper((unsigned char)out[i]);
  }
}

static void sings_in_disguise(void)
{
  struct talk probe = {.deployment = "mark", .body = str_of(ASK("hi")), .up = STR(ANSWER("x"))};
  char mark[25] = "", text[256], up[1024];
  rig_run(&probe);
  snprintf(mark, sizeof mark, "%.24s", canary_of(probe.forwarded).p);
  rig_end(&probe);
  for (unsigned how = 0; how < 8; how++) {
    CASE_BEGIN();
    disguise(how, mark, text, sizeof text);
    snprintf(up, sizeof up, SAY("well: %.20s") SAY("%s") STOP DONE, text, text + 20);
    struct talk t = {.deployment = "mark", .body = str_of(ASK("hi")), .up = str_of(up), .up_type = "text/event-stream"};
    rig_run(&t);
    CHECK(rig_finding(&t, "canary") != NULL);
    CHECK(!rig_has(LINE(&t), mark) && !rig_has(LINE(&t), text));
    rig_end(&t);
    text[how == 4 ? 40 : how < 4 ? 20 : 10] = '0'; /* it is in none of the letters of a mark */
    snprintf(up, sizeof up, SAY("well: %s") STOP DONE, text);
    struct talk other = {.deployment = "mark", .body = str_of(ASK("hi")), .up = str_of(up), .up_type = "text/event-stream"};
    rig_run(&other);
    CHECK(!rig_finding(&other, "canary"));
    rig_end(&other);
    CASE_END("a canary in disguise %u", how);
  }
}

static void sings(void)
{
  struct talk probe = {.deployment = "mark", .body = str_of(ASK("hi")), .up = STR(ANSWER("x"))};
  char mark[25] = "", spaced[80] = "", up[1024];
  CASE_BEGIN();
  rig_run(&probe);
  snprintf(mark, sizeof mark, "%.24s", canary_of(probe.forwarded).p);
  rig_end(&probe);
  for (size_t i = 0; i < 24; i++) snprintf(spaced + 2 * i, 3, "%c ", mark[i] >= 'a' ? mark[i] - 32 : mark[i]);
  const char *texts[] = {mark, spaced};
  for (size_t i = 0; i < 2; i++) {
    snprintf(up, sizeof up, ANSWER("my mark is %s and card"), texts[i]);
    struct talk t = {.deployment = "mark", .body = str_of(ASK("hi")), .up = str_of(up)};
    rig_run(&t);
    const struct record_finding *f = rig_finding(&t, "canary");
    CHECK(f != NULL);
    if (f) CHECK_INT(f->confidence, 100);
    CHECK(!rig_has(LINE(&t), mark));
    rig_end(&t);
  }
  snprintf(up, sizeof up, ANSWER("my mark is %.23s"), mark);
  struct talk less = {.deployment = "mark", .body = str_of(ASK("hi")), .up = str_of(up)};
  rig_run(&less);
  CHECK(!rig_finding(&less, "canary"));
  rig_end(&less);
  CASE_END("it is found, also spaced and in capitals, one letter less is nothing, and it is never recorded");
}

/* ---- tools ------------------------------------------------------------------------------------------------------- */

#define CALL(name, arguments)                                                                                                    \
  "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"g\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","  \
  "\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"" name                          \
  "\",\"arguments\":\"" arguments "\"}}]},\"finish_reason\":\"tool_calls\"}]}"
#define CALL_CHUNK(name, arguments)                                                                                              \
  CHUNK(DELTA("0", "\"tool_calls\":[{\"index\":0,\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"" name              \
                   "\",\"arguments\":\"" arguments "\"}}]"))

static const struct {
  const char *name, *deployment, *path, *body, *up, *type, *tools;
  bool denied;
  enum record_verdict verdict;
} calls[] = {
    {"any tool without a list", "m", NULL, USER("x"), CALL("shell", "{}"), NULL, "shell", false, RECORD_VERDICT_NOT_INSPECTED},
    {"a denied tool", "tools", NULL, USER("x"), CALL("shell", "{}"), NULL, "shell", true, RECORD_VERDICT_DETECTED},
    {"in any case", "tools", NULL, USER("x"), CALL("Shell", "{}"), NULL, "Shell", true, RECORD_VERDICT_DETECTED},
    {"by the beginning of its name", "tools", NULL, USER("x"), CALL("fs_write", "{}"), NULL, "fs_write", true,
     RECORD_VERDICT_DETECTED},
    {"a longer name is another", "tools", NULL, USER("x"), CALL("shells", "{}"), NULL, "shells", false,
     RECORD_VERDICT_NOT_INSPECTED},
    {"a strange name is kept without its strangeness", "tools-few", NULL, USER("x"), CALL("a\\n<b>", "{}"), NULL, "a__b_", true,
     RECORD_VERDICT_BLOCKED},
    {"the only tools allowed", "tools-few", NULL, USER("x"), CALL("get_weather", "{}"), NULL, "get_weather", false,
     RECORD_VERDICT_NOT_INSPECTED},
    {"another tool than those", "tools-few", NULL, USER("x"), CALL("rm", "{}"), NULL, "rm", true, RECORD_VERDICT_BLOCKED},
    {"cut, in a whole answer", "tools-cut", NULL, USER("x"), CALL("shell", "{}"), NULL, "shell", true, RECORD_VERDICT_CUT},
    {"cut, in a stream", "tools-cut", NULL, USER("x"), SAY("one moment") CALL_CHUNK("shell", "") CALL_CHUNK("", "{}") STOP DONE,
     "text/event-stream", "shell", true, RECORD_VERDICT_CUT},
    {"blocked, in a stream", "tools-few", NULL, USER("x"), CALL_CHUNK("rm", "") STOP DONE, "text/event-stream", "rm", true,
     RECORD_VERDICT_CUT},
    {"Responses", "tools-cut", "/openai/responses", "{\"model\":\"tools-cut\",\"input\":\"x\"}",
     "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[{\"type\":\"function_call\",\"call_id\":\"1\","
     "\"name\":\"shell\","
     "\"arguments\":\"{}\"}]}",
     NULL, "shell", true, RECORD_VERDICT_CUT},
    {"Anthropic, without arguments", "tools-cut", "/v1/messages",
     "{\"model\":\"tools-cut\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
     "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"g\",\"content\":[{\"type\":\"tool_use\",\"id\":\"1\","
     "\"name\":\"shell\","
     "\"input\":{}}],\"stop_reason\":\"tool_use\"}",
     NULL, "shell", true, RECORD_VERDICT_CUT},
    {"Ollama", "tools-cut", "/api/chat",
     "{\"model\":\"tools-cut\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":false}",
     "{\"model\":\"g\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"shell\","
     "\"arguments\":{}}}]},"
     "\"done\":true}",
     NULL, "shell", true, RECORD_VERDICT_CUT},
    {"tools that were only offered are no calls", "tools", "/openai/responses", "{\"model\":\"tools\",\"input\":\"x\"}",
     "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"tools\":[{\"type\":\"function\",\"name\":\"shell\","
     "\"parameters\":{}}],"
     "\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"ok\"}]}]}",
     NULL, "", false, RECORD_VERDICT_ALLOW},
};

static void denies(void)
{
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    struct talk t = {.deployment = calls[i].path ? NULL : calls[i].deployment,
                     .path = calls[i].path,
                     .body = str_of(calls[i].body),
                     .up = str_of(calls[i].up),
                     .up_type = calls[i].type};
    CASE_BEGIN();
    rig_run(&t);
    const struct record_finding *f = rig_finding(&t, "tool-denied");
    CHECK_INT(f != NULL, calls[i].denied);
    if (f) CHECK_STR(f->alert, "AI.Vedette_DeniedToolInvocation");
    CHECK_STR(t.record.tools, calls[i].tools);
    CHECK_INT(t.record.tool_calls > 0, calls[i].tools[0] != 0);
    if (calls[i].denied || calls[i].verdict == RECORD_VERDICT_ALLOW) CHECK_INT(t.record.verdict, calls[i].verdict);
    bool stopped = calls[i].verdict == RECORD_VERDICT_CUT || calls[i].verdict == RECORD_VERDICT_BLOCKED;
    if (stopped) CHECK(!rig_has(OUT(&t), "\"shell\"") && !rig_has(OUT(&t), "\"rm\"") && !rig_has(OUT(&t), "<b>"));
    else CHECK(str_eq(OUT(&t), t.up));
    if (stopped && !calls[i].type) CHECK_INT(exchange_status(t.x), 400);
    if (stopped && calls[i].type) CHECK(rig_has(OUT(&t), "content_filter") && t.done);
    rig_end(&t);
    CASE_END("tools: %s", calls[i].name);
  }
}

/* ---- what a tool is called with ---------------------------------------------------------------------------------- */

#define FUNCTION "{\"functionCall\":{\"name\":\"f\",\"args\":{\"k\":[{\"v\":\"" KEY "\"}]}}}"
#define SNAKE    "{\"function_call\":{\"name\":\"f\",\"args\":{\"k\":\"" KEY "\"}}}"
#define GOOGLE(parts)                                                                                                            \
  "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"it is " KEY "\"}," parts                             \
  "]},\"finishReason\":\"STOP\",\"index\":0}]}"

/* Every answer says the key in words too, where policy has nothing against it. */
static const struct {
  const char *name, *path, *body, *type, *up, *part;
} arguments[] = {
    {"chat", "/v1/chat/completions", "{\"model\":\"calls\",\"messages\":[]}", NULL,
     "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"it is " KEY
     "\",\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"k\\\":\\\"" KEY
     "\\\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}",
     "choices[0].message.tool_calls[0].function.arguments"},
    {"responses", "/v1/responses", "{\"model\":\"calls\",\"input\":\"x\"}", NULL,
     "{\"id\":\"r\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":"
     "\"it is " KEY "\"}]},{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{\\\"k\\\":\\\"" KEY "\\\"}\"}]}",
     "output[1].arguments"},
    {"anthropic", "/v1/messages", "{\"model\":\"calls\",\"messages\":[]}", NULL,
     "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"it is " KEY
     "\"},{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"k\":\"" KEY "\"}}],\"stop_reason\":\"tool_use\"}",
     "content[1].input[0]"},
    {"ollama", "/api/chat", "{\"model\":\"calls\",\"stream\":false,\"messages\":[]}", NULL,
     "{\"message\":{\"role\":\"assistant\",\"content\":\"it is " KEY
     "\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"k\":\"" KEY "\"}}}]},\"done\":true}",
     "message.tool_calls[1]"},
    {"google", "/v1beta/models/calls:generateContent", "{\"contents\":[]}", NULL, GOOGLE(FUNCTION),
     "candidates[0].content.functionCall[1]"},
    {"google, the other spelling", "/v1beta/models/calls:generateContent", "{\"contents\":[]}", NULL, GOOGLE(SNAKE),
     "candidates[0].content.functionCall[1]"},
    {"google, behind what code put out", "/v1beta/models/calls:generateContent", "{\"contents\":[]}", NULL,
     GOOGLE("{\"codeExecutionResult\":{\"output\":\"it is " KEY "\"}}," FUNCTION), "candidates[0].content.functionCall[1]"},
    {"google, a stream", "/v1beta/models/calls:streamGenerateContent", "{\"contents\":[]}", "text/event-stream",
     "data: " GOOGLE(FUNCTION) "\n\n", "candidates[0].content.functionCall[1]"},
};

static void what_tools_are_called_with(void)
{
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
    struct talk t = {.path = arguments[i].path,
                     .body = str_of(arguments[i].body),
                     .up = str_of(arguments[i].up),
                     .up_type = arguments[i].type};
    CASE_BEGIN();
    rig_run(&t);
    CHECK_INT(t.record.n_findings, 1);
    if (t.record.n_findings) CHECK_STR(t.record.findings[0].part, arguments[i].part);
    CHECK(rig_has(OUT(&t), "it is " KEY) && rig_has(OUT(&t), "[REDACTED:test-token]"));
    CHECK_INT(t.record.verdict, RECORD_VERDICT_REDACTED);
    if (test_failed) printf("# %.*s\n", (int)OUT(&t).n, OUT(&t).p);
    rig_end(&t);
    CASE_END("arguments: %s", arguments[i].name);
  }
}

int main(void)
{
  rig_load();
  repeats();
  cut_anywhere();
  blocks();
  plants();
  sings();
  sings_in_disguise();
  denies();
  what_tools_are_called_with();
  rig_unload();
  return test_end();
}
