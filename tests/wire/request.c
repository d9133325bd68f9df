/* What a request says: routing, parts with their roles, settings, the end user, and what is refused. */
#include "wire/wire.h"
#include "../test.h"

static struct vdt_arena *arena;

#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A95 A40 A40 "aaaaaaaaaaaaaaa"

/* ---- routing ---- */

static const struct {
  const char *method, *path, *format, *deployment; /* format NULL: goes through uninspected */
} routes[] = {
    {"POST", "/openai/deployments/gpt-4o/chat/completions", "openai-chat", "gpt-4o"},
    {"POST", "/openai/deployments/a%2Fb/chat/completions", "openai-chat", "a%2Fb"},
    {"POST", "/openai/deployments/gpt-4o/completions", "openai-completions", "gpt-4o"},
    {"POST", "/openai/v1/chat/completions", "openai-chat", ""},
    {"POST", "/openai/v1/completions", "openai-completions", ""},
    {"POST", "/v1/chat/completions", "openai-chat", ""},
    {"POST", "/v1/completions", "openai-completions", ""},
    {"POST", "/models/chat/completions", "openai-chat", ""},
    {"POST", "/v1/responses", "openai-responses", ""},
    {"POST", "/openai/responses", "openai-responses", ""},
    {"POST", "/v1/responses/resp_1/cancel", NULL, ""},
    {"GET", "/v1/chat/completions", NULL, ""},
    {"post", "/v1/chat/completions", NULL, ""},
    {"POST", "/v1/chat/completions/", NULL, ""},
    {"POST", "/v1/embeddings", "openai-embeddings", ""},
    {"POST", "/v1/messages", "anthropic", ""},
    {"POST", "/api/chat", "ollama", ""},
    {"POST", "/v1beta/models/gemini-pro:generateContent", "google", "gemini-pro"},
    {"POST", "/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent", "google", "g"},
    {"POST", "/v1/projects/p/q/locations/l/publishers/google/models/g:streamGenerateContent", NULL, ""},
    {"POST", "/v1beta/models/:generateContent", NULL, ""},
    {"POST", "/v1beta/models/a/b:generateContent", NULL, ""},
    {"POST", "/openai/deployments//chat/completions", NULL, ""},
    {"POST", "/openai/deployments/gpt-4o", NULL, ""},
    {"POST", "/openai/deployments/", NULL, ""},
    {"POST", "/openai/deployments/x/y/chat/completions", NULL, ""},
    {"POST", "/openai/chat/completions", NULL, ""},
    {"POST", "", NULL, ""},
};

static void routing(void)
{
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    struct str deployment;
    CASE_BEGIN();
    const struct wire_format *f = wire_route(str_of(routes[i].method), str_of(routes[i].path), &deployment);
    CHECK_STR(f ? str_of(wire_format_name(f)) : STR("none"), routes[i].format ? routes[i].format : "none");
    CHECK_STR(deployment, routes[i].deployment);
    CASE_END("route %s %s", routes[i].method, routes[i].path);
  }
}

static void formats_have_names(void)
{
  size_t n = 0;
  for (; wire_format_at(n); n++) CHECK(wire_format_by_name(str_of(wire_format_name(wire_format_at(n)))) == wire_format_at(n));
  CHECK(n > 2);
  CHECK(!wire_format_by_name(STR("openai")));
}

/* ---- parts ---- */

/* parts: one line per part, "role|origin|text" or "role|origin|-skipped". */
static const struct {
  const char *name, *format, *body, *parts;
} bodies[] = {
    {"roles decide", "openai-chat",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"developer\",\"content\":\"d\"},"
     "{\"role\":\"user\",\"content\":\"u\",\"name\":\"bob\"},{\"role\":\"assistant\",\"content\":\"a\"},"
     "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"t\"},{\"role\":\"function\",\"name\":\"f\",\"content\":"
     "\"f\"},"
     "{\"role\":\"wizard\",\"content\":\"w\"},{\"content\":\"none\"}]}",
     "system|messages[0].content|s\nsystem|messages[1].content|d\nprompt|messages[2].content|u\n"
     "response|messages[3].content|a\ndocument|messages[4].content|t\ndocument|messages[5].content|f\n"
     "prompt|messages[6].content|w\nprompt|messages[7].content|none\n"},
    {"escapes are decoded", "openai-chat", "{\"messages\":[{\"role\":\"\\u0075ser\",\"content\":\"a\\n\\u00e4\"}]}",
     "prompt|messages[0].content|a\n\xc3\xa4\n"},
    {"null and empty content need no part", "openai-chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":null}]}", ""},
    {"content parts", "openai-chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image_url\","
     "\"image_url\":"
     "{\"url\":\"data:\"}},{\"type\":\"input_audio\",\"input_audio\":{}},{\"type\":\"file\",\"file\":{}},"
     "{\"type\":\"refusal\",\"refusal\":\"r\"},{\"type\":\"new\",\"text\":\"n\"},{\"type\":\"newer\"},\"bare\",7,"
     "{\"type\":\"image_url\",\"text\":\"hidden\"}]}]}",
     "prompt|messages[0].content[0].text|t\nprompt|messages[0].content[1]|-image\nprompt|messages[0].content[2]|-"
     "audio\n"
     "prompt|messages[0].content[3]|-file\nprompt|messages[0].content[4].refusal|r\n"
     "prompt|messages[0].content[5].text|n\nprompt|messages[0].content[6]|-unknown content part\n"
     "prompt|messages[0].content[7]|bare\nprompt|messages[0].content[8]|-unknown content part\n"
     "prompt|messages[0].content[9].text|hidden\nprompt|messages[0].content[9]|-image\n"},
    {"assistant history", "openai-chat",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\",\"tool_calls\":[{\"id\":\"c\","
     "\"type\":"
     "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"custom\":{\"name\":\"g\",\"input\":\"in\"}}],"
     "\"function_call\":{\"name\":\"f\",\"arguments\":\"old\"}}]}",
     "response|messages[0].refusal|no\nresponse|messages[0].tool_calls[0].function.arguments|{}\n"
     "response|messages[0].tool_calls[1].custom.input|in\nresponse|messages[0].function_call.arguments|old\n"},
    {"unknown members are read", "openai-chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"c\",\"extra\":\"x\",\"deep\":{\"a\":[\"y\",1]}},"
     "{\"role\":\"assistant\",\"reasoning_content\":\"z\"}]}",
     "prompt|messages[0].content|c\nprompt|messages[0].other|x\nprompt|messages[0].other|y\n"
     "response|messages[1].other|z\n"},
    {"tools", "openai-chat",
     "{\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"does\","
     "\"parameters\":"
     "{\"type\":\"object\",\"properties\":{\"p\":{\"type\":\"string\",\"description\":\"param\"}}}}}],"
     "\"functions\":[{\"description\":\"old\"}]}",
     "system|tools[0].description|does\nsystem|tools[0].description|param\nsystem|functions[0].description|old\n"},
    {"books are a document, a setting in them is none", "openai-chat",
     "{\"messages\":[],\"metadata\":{\"version\":\"v3\",\"topic\":\"a lost parcel\",\"key\":\"words of a key here\"}}",
     "document|metadata|a lost parcel\nwords of a key here\n"},
    {"the end user's name is a setting up to 96 bytes without a blank", "openai-chat", "{\"messages\":[],\"user\":\"" A95 "a\"}",
     ""},
    {"a longer one is text", "openai-chat", "{\"messages\":[],\"user\":\"" A95 "aa\"}", "prompt|user|" A95 "aa\n"},
    {"one with a blank is text", "openai-chat", "{\"messages\":[],\"user\":\"a b\"}", "prompt|user|a b\n"},
    {"the end user's context in it is none: names of 48 bytes", "openai-chat",
     "{\"messages\":[],\"user\":\"{\\\"application_name\\\":\\\"" A40 " abcdefg\\\"}\"}", ""},
    {"a context with a name of 49 bytes is text", "openai-chat",
     "{\"messages\":[],\"user\":\"{\\\"application_name\\\":\\\"" A40 " abcdefgh\\\"}\"}",
     "prompt|user|{\"application_name\":\"" A40 " abcdefgh\"}\n"},
    {"a model that is a sentence is text", "anthropic", "{\"model\":\"a b\",\"messages\":[]}", "prompt|model|a b\n"},
    {"documents in user text", "openai-chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"before \\\"\\\"\\\" <documents>one</documents> \\\"\\\"\\\" mid "
     "\\\"\\\"\\\"<documents>two</documents>\\\"\\\"\\\" after\"}]}",
     "prompt|messages[0].content|before \ndocument|messages[0].content#documents|one\nprompt|messages[0].content#2| "
     "mid \n"
     "document|messages[0].content#documents2|two\nprompt|messages[0].content#3| after\n"},
    {"a document mark without its partner is text", "openai-chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"a \\\"\\\"\\\" <documents> b\"},{\"role\":\"user\",\"content\":"
     "\"<documents>c</documents>\"}]}",
     "prompt|messages[0].content|a \"\"\" <documents> b\nprompt|messages[1].content|<documents>c</documents>\n"},
    {"documents only in user text", "openai-chat",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"\\\"\\\"\\\" <documents>d</documents> \\\"\\\"\\\"\"}]}",
     "system|messages[0].content|\"\"\" <documents>d</documents> \"\"\"\n"},
    {"documents beside messages", "openai-chat", "{\"messages\":[],\"documents\":[{\"text\":\"d\"},\"e\"]}",
     "document|documents|d\ndocument|documents|e\n"},
    {"a predicted answer is read", "openai-chat", "{\"messages\":[],\"prediction\":{\"type\":\"content\",\"content\":\"p\"}}",
     "prompt|prediction.content|p\n"},
    {"legacy prompt and suffix", "openai-completions", "{\"prompt\":\"p\",\"suffix\":\"s\"}",
     "prompt|prompt|p\nprompt|suffix|s\n"},
    {"several legacy prompts", "openai-completions", "{\"prompt\":[\"p\",\"q\",[1,2]]}",
     "prompt|prompt[0]|p\nprompt|prompt[1]|q\nprompt|prompt[2]|-token ids\n"},
    {"token ids", "openai-completions", "{\"prompt\":[1,2,3]}", "prompt|prompt|-token ids\n"},
    {"no prompt", "openai-completions", "{}", ""},
};

static void list_parts(const struct wire_request *q, struct buf *out)
{
  for (size_t i = 0; i < q->n_parts; i++) {
    const struct wire_part *p = &q->parts[i];
    buf_printf(out, "%s|%.*s|%s%.*s\n", (const char *[]){"system", "prompt", "document", "response"}[p->role], (int)p->origin.n,
               p->origin.p, p->skipped ? "-" : "", p->skipped ? (int)strlen(p->skipped) : (int)p->text.n,
               p->skipped ? p->skipped : p->text.p);
  }
}

static void parts(void)
{
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    struct wire_request q;
    struct vdt_error err = {0};
    struct buf got = {0};
    CASE_BEGIN();
    vdt_arena_reset(arena);
    CHECK_INT(wire_request_parse(wire_format_by_name(str_of(bodies[i].format)), arena, str_of(bodies[i].body), NULL, &q, &err),
              VDT_OK);
    list_parts(&q, &got);
    CHECK_STR(buf_str(&got), bodies[i].parts);
    CASE_END("parts: %s", bodies[i].name);
    buf_finish(&got);
  }
}

/* ---- refused ---- */

static const struct {
  const char *body, *error;
  int code;
} refused[] = {
    {"[]", "body: expected an object", VDT_ESYNTAX},
    {"{}", "messages: expected an array", VDT_ESYNTAX},
    {"{\"messages\":{}}", "messages: expected an array", VDT_ESYNTAX},
    {"{\"messages\":[{},1]}", "messages[1]: expected an object", VDT_ESYNTAX},
    {"{\"messages\":[{\"content\":1}]}", "messages[0].content: expected a string, null or an array", VDT_ESYNTAX},
    {"{\"messages\":[],\"model\":1}", "model: expected a string", VDT_ESYNTAX},
    {"{\"messages\":[],\"stream\":\"yes\"}", "stream: expected true or false", VDT_ESYNTAX},
    {"{\"messages\":[],\"n\":0}", "n: expected an integer from 1 to 128", VDT_ESYNTAX},
    {"{\"messages\":[],\"n\":129}", "n: expected an integer from 1 to 128", VDT_ESYNTAX},
    {"{\"messages\":[],\"n\":1.5}", "n: expected an integer from 1 to 128", VDT_ESYNTAX},
    {"{\"messages\":[],\"messages\":[{}]}", "byte 15 (line 1, column 16): duplicate member name messages", VDT_EDUPKEY},
    {"{\"messages\":[],\"Messages\":[]}", "messages: member name in other letters", VDT_ESYNTAX},
    {"{\"messages\":[{\"content\":\"a\",\"CONTENT\":\"b\"}]}", "content: member name in other letters", VDT_ESYNTAX},
    {"{\"messages\":[{\"content\":[{\"text\":\"a\",\"Text\":\"b\"}]}]}", "text: member name in other letters", VDT_ESYNTAX},
    {"{\"messages\":[}", "byte 13 (line 1, column 14): expected a value", VDT_ESYNTAX},
};

static void refusals(void)
{
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    struct wire_request q;
    struct vdt_error err = {0};
    CASE_BEGIN();
    CHECK_INT(wire_request_parse(wire_format_by_name(STR("openai-chat")), arena, str_of(refused[i].body), NULL, &q, &err),
              refused[i].code);
    CHECK_STR(str_of(err.text), refused[i].error);
    CASE_END("refused: %s", refused[i].error);
  }
}

/* ---- settings and the end user ---- */

static int parse(const char *body, struct wire_request *q)
{
  return wire_request_parse(wire_format_by_name(STR("openai-chat")), arena, str_of(body), NULL, q, NULL);
}

static void settings(void)
{
  struct wire_request q;
  CHECK_INT(parse("{\"model\":\"gpt\\u002d4o\",\"stream\":true,\"n\":128,\"tools\":[{}],\"messages\":[]}", &q), VDT_OK);
  CHECK_STR(q.model, "gpt-4o");
  CHECK(q.stream && q.has_tools && q.n == 128);
  CHECK_INT(parse("{\"model\":null,\"stream\":null,\"n\":null,\"messages\":[]}", &q), VDT_OK);
  CHECK(!q.stream && !q.has_tools && q.n == 1 && q.model.n == 0);
}

static const struct {
  const char *name, *body, *rest; /* rest: the body without the context; NULL when nothing goes */
} users[] = {
    {"first member",
     "{\"user_security_context\":{\"application_name\":\"app\",\"end_user_id\":\"u\",\"end_user_tenant_id\":"
     "\"t\",\"source_ip\":\"1.2.3.4\"} , \"messages\":[]}",
     "{\"messages\":[]}"},
    {"last member",
     "{\"messages\":[] , \"user_security_context\":{\"applicationName\":\"app\",\"endUserId\":\"u\","
     "\"endUserTenantId\":\"t\",\"sourceIp\":\"1.2.3.4\"}}",
     "{\"messages\":[]}"},
    {"between",
     "{\"messages\":[],\"UserSecurityContext\":{\"ApplicationName\":\"app\",\"EndUserId\":\"u\","
     "\"EndUserTenantId\":\"t\",\"SourceIp\":\"1.2.3.4\"},\"n\":1}",
     "{\"messages\":[],\"n\":1}"},
    {"JSON text in user",
     "{\"messages\":[],\"user\":\"{\\\"EndUserTenantId\\\":\\\"t\\\",\\\"EndUserId\\\":\\\"u\\\","
     "\\\"SourceIp\\\":\\\"1.2.3.4\\\",\\\"ApplicationName\\\":\\\"app\\\"}\"}",
     NULL},
};

static void end_users(void)
{
  for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
    struct wire_request q;
    struct buf rest = {0};
    struct str body = str_of(users[i].body);
    CASE_BEGIN();
    CHECK_INT(parse(users[i].body, &q), VDT_OK);
    CHECK_STR(q.user.application_name, "app");
    CHECK_STR(q.user.end_user_id, "u");
    CHECK_STR(q.user.end_user_tenant_id, "t");
    CHECK_STR(q.user.source_ip, "1.2.3.4");
    buf_put(&rest, str_cut(body, 0, q.security_context.start));
    buf_put(&rest, str_cut(body, q.security_context.end, body.n));
    CHECK_STR(buf_str(&rest), users[i].rest ? users[i].rest : users[i].body);
    CASE_END("user_security_context: %s", users[i].name);
    buf_finish(&rest);
  }
}

static void the_only_member_leaves_an_empty_object(void)
{
  struct wire_request q;
  CHECK_INT(wire_request_parse(wire_format_by_name(STR("openai-completions")), arena, STR("{\"user_security_context\":null}"),
                               NULL, &q, NULL),
            VDT_OK);
  CHECK_INT(q.security_context.start, 1);
  CHECK_INT(q.security_context.end, 29);
}

static void a_list_of_prompts_has_more_choices(void)
{
  struct wire_request q;
  const struct wire_format *f = wire_format_by_name(STR("openai-completions"));
  CHECK_INT(wire_request_parse(f, arena, STR("{\"n\":3,\"prompt\":[\"a\",\"b\"]}"), NULL, &q, NULL), VDT_OK);
  CHECK_INT(q.n, 6);
  CHECK_INT(wire_request_parse(f, arena, STR("{\"n\":3,\"prompt\":[1,2]}"), NULL, &q, NULL), VDT_OK);
  CHECK_INT(q.n, 3);
}

/* However little memory there is, the answer is the whole request or ENOMEM. */
static void little_memory_loses_no_part(void)
{
  static const char body[] =
      "{\"model\":\"\\u0061\",\"user_security_context\":{\"end_user_id\":\"\\u0061\"},\"messages\":[{\"role\":\"user\","
      "\"content\":\"a \\\"\\\"\\\" <documents>x</documents> \\\"\\\"\\\" b\"},{\"content\":[{\"text\":\"\\n\"},{}]}],"
      "\"tools\":[{\"function\":{\"d\\u0065scription\":\"d\"}}]}";
  unsigned whole = 0;
  for (size_t limit = 16; limit < 6000; limit += 16) {
    struct vdt_arena *small = vdt_arena_new(limit);
    struct wire_request q;
    int rc = wire_request_parse(wire_format_by_name(STR("openai-chat")), small, str_of(body), NULL, &q, NULL);
    CHECK(rc == VDT_ENOMEM || (rc == VDT_OK && q.n_parts == 6));
    whole += rc == VDT_OK;
    vdt_arena_free(small);
  }
  CHECK(whole > 0);
}

int main(void)
{
  arena = vdt_arena_new(0);
  routing();
  RUN(formats_have_names);
  parts();
  refusals();
  RUN(settings);
  end_users();
  RUN(the_only_member_leaves_an_empty_object);
  RUN(a_list_of_prompts_has_more_choices);
  RUN(little_memory_loses_no_part);
  vdt_arena_free(arena);
  return test_end();
}
