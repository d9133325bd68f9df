/* Records for tests: one with every member set, one with as little as possible. */
#ifndef TESTS_RECORD_SAMPLE_H
#define TESTS_RECORD_SAMPLE_H
#include "record/record.h"

#define SAMPLE_HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* As long as a token is at least; nothing opens it. */
#define SAMPLE_TOKEN                                                                                                             \
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                                   \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct record_pseudonym sample_pseudonyms[] = {{STR("github-pat"), 3, 1, 2}, {STR("email"), 0, 1, 0}};

static struct record_finding sample_findings[] = {{.direction = STR("response"),
                                                   .part = STR("choices[0].message.content"),
                                                   .role = STR("response"),
                                                   .detector = STR("credential"),
                                                   .rule = STR("github-pat"),
                                                   .title = STR("GitHub personal access token"),
                                                   .alert = STR("AI.Azure_CredentialTheftAttempt"),
                                                   .severity = STR("Medium"),
                                                   .action = STR("redact"),
                                                   .reason = STR("prefix, length and check sum"),
                                                   .redacted = STR("ghp_****3f2a"),
                                                   .type = STR("GitHub Personal Access Token"),
                                                   .type_id = STR("00000000-0000-0000-0000-000000000001"),
                                                   .policy = STR("no-tokens"),
                                                   .source = STR("vedette"),
                                                   .sealed = STR(SAMPLE_TOKEN),
                                                   .evidence = STR("The deploy key is ghp_****3f2a"),
                                                   .layers = STR("base64, rot13"),
                                                   .decoded = STR("the key ghp_****3f2a"),
                                                   .confidence = 99,
                                                   .start = 18,
                                                   .end = 58},
                                                  {.direction = STR("request"),
                                                   .part = STR("messages[1].content"),
                                                   .role = STR("prompt"),
                                                   .detector = STR("jailbreak"),
                                                   .rule = STR("override"),
                                                   .severity = STR("Medium"),
                                                   .action = STR("detect"),
                                                   .source = STR("upstream"),
                                                   .confidence = 80}};

static inline struct record sample_full(void)
{
  return (struct record){.id = "00112233445566778899aabbccddeeff",
                         .time_us = UINT64_C(1764085575123456),
                         .duration_us = 2000000,
                         .first_byte_us = 300000,
                         .inspect_us = 45,
                         .workspace = STR("weu"),
                         .deployment = STR("gpt-4o"),
                         .policy = STR("standard"),
                         .resource_id = STR("/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ai/providers/"
                                            "Microsoft.CognitiveServices/accounts/contoso"),
                         .format = STR("openai-chat"),
                         .method = STR("POST"),
                         .path = STR("/v1/chat/completions"),
                         .model = STR("gpt-4o-2024-11-20"),
                         .stream = true,
                         .status = 200,
                         .application = STR("shop"),
                         .end_user = STR("u-1"),
                         .end_user_tenant = STR("t-1"),
                         .source_ip = STR("203.0.113.7"),
                         .client_ip = STR("198.51.100.2"),
                         .user_agent = STR("test/1"),
                         .key_id = STR("0123456789abcdef"),
                         .auth = STR("token"),
                         .prompt_id = STR("fedcba9876543210"),
                         .label = STR("Confidential"),
                         .label_priority = 3,
                         .tools = STR("get_weather, send_mail"),
                         .tool_calls = 3,
                         .agent = true,
                         .request = {1234, 3, VDT_PARTIAL, STR("messages[0].content[1]: image"), STR(SAMPLE_TOKEN), 70},
                         .response = {999, 1, VDT_FULL, {0}, STR(SAMPLE_TOKEN), 0},
                         .upstream = STR("https://contoso.openai.azure.com"),
                         .sent_bytes = 1500,
                         .received_bytes = 1200,
                         .prompt_tokens = 10,
                         .completion_tokens = 20,
                         .total_tokens = 30,
                         .finish_reason = STR("stop"),
                         .outcome = RECORD_UPSTREAM_ABORTED,
                         .verdict = RECORD_VERDICT_REDACTED,
                         .failed_open = true,
                         .failed_closed = true,
                         .failure = STR("over the limit"),
                         .revision = 1,
                         .opinion = {.shield = STR("azure"),
                                     .kind = STR("prompt-shields"),
                                     .waited = true,
                                     .score = 62,
                                     .texts = 2,
                                     .cut = 1,
                                     .left_out = 3,
                                     .remembered = 1,
                                     .outcome = RECORD_OPINION_ATTACK,
                                     .decision = STR("block"),
                                     .status = 200,
                                     .us = 91000,
                                     .bytes = 4711,
                                     .sha256 = STR(SAMPLE_HASH)},
                         .evidence_lost = STR("no-key"),
                         .pseudonyms = sample_pseudonyms,
                         .n_pseudonyms = 2,
                         .findings = sample_findings,
                         .n_findings = 2};
}

static inline struct record_egress sample_egress(void)
{
  return (struct record_egress){.id = "00112233445566778899aabbccddeeff",
                                .time_us = UINT64_C(1764085575123456),
                                .workspace = STR("weu"),
                                .deployment = STR("gpt-4o"),
                                .shield = STR("azure"),
                                .kind = STR("prompt-shields"),
                                .destination = STR("https://contoso.cognitiveservices.azure.com"),
                                .score = 62,
                                .texts = 2,
                                .bytes = 4711,
                                .sha256 = STR(SAMPLE_HASH)};
}

static inline struct record sample_small(void)
{
  return (struct record){.id = "ffeeddccbbaa99887766554433221100",
                         .time_us = UINT64_C(1764085575000000),
                         .outcome = RECORD_CLIENT_ABORTED,
                         .verdict = RECORD_VERDICT_NOT_INSPECTED,
                         .request = {.inspected = VDT_NONE},
                         .response = {.inspected = VDT_NONE}};
}
#endif
