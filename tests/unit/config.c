/* vedette.yaml: what is accepted, what the defaults are, and one case for each thing that can be wrong with its message. */
#include "engine/config.h"
#include "base/arena.h"
#include "tests/test.h"

static struct config *config;
static struct vdt_error error;

static int parse(const char *yaml)
{
  config_free(config);
  config = NULL;
  error = (struct vdt_error){0};
  return config_parse(str_of(yaml), "vedette.yaml", &config, &error);
}

#define SMALL "workspaces: [{name: weu}]\ndeployments: [{name: gpt, workspace: weu, upstream: simulated}]\n"

static void small_file_gets_every_default(void)
{
  CHECK_INT(parse(SMALL), VDT_OK);
  if (!config) return;
  CHECK_STR(str_of(config->state_dir), "./state");
  CHECK(config->rules_dir == NULL);
  CHECK_STR(str_of(config->listen.gateway), "127.0.0.1:8080");
  CHECK_STR(str_of(config->listen.control), "127.0.0.1:8090");
  CHECK(config->listen.gateway_tls.certificate == NULL);
  CHECK_INT(config->limits.max_request_body, 16 << 20);
  CHECK_INT(config->limits.json_depth, 64);
  CHECK_STR(str_of(config->workspaces[0].region), "westeurope");
  CHECK_INT(config->workspaces[0].retention.alerts, 90 * 86400);
  CHECK_INT(config->workspaces[0].prompt_evidence, CONFIG_EVIDENCE_OFF);
  CHECK(config->deployments[0].workspace == &config->workspaces[0]);
  CHECK(config->deployments[0].policy == &config->policies[0]);
  CHECK(!config->deployments[0].prompt_evidence);
  CHECK_INT(config->deployments[0].upstream.scheme, CONFIG_SIMULATED);
}

static void same_policy(const struct vdt_policy *p)
{
  struct vdt_policy want;
  vdt_policy_default(&want);
  CHECK_INT(p->jailbreak.action, want.jailbreak.action);
  CHECK(p->jailbreak.block_at == want.jailbreak.block_at && p->jailbreak.detect_at == want.jailbreak.detect_at);
  CHECK_INT(p->indirect.action, want.indirect.action);
  CHECK(p->indirect.block_at == want.indirect.block_at && p->indirect.detect_at == want.indirect.detect_at);
  CHECK_INT(p->credential.prompt, want.credential.prompt);
  CHECK_INT(p->credential.response, want.credential.response);
  CHECK_INT(p->credential.minimum_confidence, want.credential.minimum_confidence);
  CHECK_INT(p->sensitive.prompt, want.sensitive.prompt);
  CHECK_INT(p->sensitive.response, want.sensitive.response);
  CHECK_INT(p->sensitive.minimum_confidence, want.sensitive.minimum_confidence);
  CHECK_INT(p->fail_closed, want.fail_closed);
  CHECK_INT(p->annotate, want.annotate);
  const struct vdt_opinion_policy *o = &p->second_opinion, *w = &want.second_opinion;
  CHECK_STR(str_of(o->shield), w->shield);
  CHECK(o->from == w->from && o->below == w->below);
  CHECK_INT(o->deadline_ms, w->deadline_ms);
  CHECK_INT(o->per_minute, w->per_minute);
  CHECK_INT(o->on_failure, w->on_failure);
}

static void named_policy_is_the_librarys_default(void)
{
  CHECK_INT(parse("workspaces: [{name: w}]\ndeployments: [{name: d, workspace: w, upstream: simulated, policy: x}]\npolicies: "
                  "[{name: x}]\n"),
            VDT_OK);
  if (config) same_policy(&config->policies[0]);
}

static void file_without_policies_has_the_standard_one(void)
{
  CHECK_INT(parse(SMALL), VDT_OK);
  if (!config) return;
  CHECK_INT(config->n_policies, 1);
  CHECK_STR(str_of(config->policies[0].name), "standard");
  same_policy(&config->policies[0]);
}

static void the_default_file_protects_two_deployments(void)
{
  CHECK_INT(parse(config_default().p), VDT_OK);
  if (!config) return;
  const struct config_deployment *a = config_find(config, STR("gpt-4o")), *b = config_find(config, STR("no-evidence"));
  CHECK(a && a->prompt_evidence && a->upstream.scheme == CONFIG_SIMULATED);
  CHECK(b && !b->prompt_evidence);
  CHECK(!config_find(config, STR("gpt-4")));
  same_policy(&config->policies[0]);
}

static void behaviour_has_the_detectors_own_defaults(void)
{
  CHECK_INT(parse(SMALL), VDT_OK);
  for (size_t i = 0; config && behaviour_limit_name(i); i++)
    if (behaviour_limit_get(&config->behaviour, i) != behaviour_limit_get(&behaviour_standard, i))
      CHECK_STR(str_of(behaviour_limit_name(i)), "has one default as it is written and another as a number");
}

/* The same bounds hold for the configuration and for serve's own options. */
static void behaviour_is_bounded(void)
{
  struct behaviour_limits l = behaviour_standard;
  CHECK_INT(parse("behaviour: {repeats: 2, repeats_window: 60s, volume_learning: 0s, access_learning: 0d, jailbreaks: 65535, "
                  "volume_tokens: 4294967295}\n" SMALL),
            VDT_OK);
  if (!config) return;
  CHECK_INT(config->behaviour.repeats, 2);
  CHECK_INT(config->behaviour.repeats_window, 60);
  CHECK_INT(config->behaviour.volume_learning, 0);
  CHECK_INT(config->behaviour.jailbreaks, 65535);
  CHECK_INT(config->behaviour.volume_tokens, 4294967295u);
  CHECK_INT(config->behaviour.repeats_learning, 86400);
  CHECK(behaviour_limit_set(&l, 0, 2) && !behaviour_limit_set(&l, 0, 1) && l.repeats == 2);
  CHECK(behaviour_limit_set(&l, 2, 60) && !behaviour_limit_set(&l, 2, 59) && l.repeats_window == 60);
  CHECK(behaviour_limit_set(&l, 2, 604800) && !behaviour_limit_set(&l, 2, 604801));
}

static void what_is_printed_reads_back_the_same(void)
{
  CHECK_INT(
      parse("state_dir: \"/var/lib/a b\"\nlisten: {gateway: '[::1]:443', control: 'unix:/run/c.sock', gateway_tls: {certificate: "
            "/c.pem, key: /k.pem}}\n"
            "client_context: {trusted_proxies: [{network: 10.0.0.0/8}, {network: '::1'}], end_user_header: X-User}\n"
            "behaviour: {repeats: 7, access_learning: 36h}\n"
            "control: {hosts: [{name: soc.example}], session: 30m, break_glass: off, oidc: [{issuer: 'https://i.example/v2.0', "
            "audience: 'api://x', "
            "keys_url: 'https://i.example/keys', sign_in: {client_id: 'a b', client_secret_env: S, authorize_url: "
            "'https://i.example/a?x=y', "
            "token_url: 'https://i.example/t', redirect_url: 'https://soc.example/portal/', sends_iss: on}, "
            "algorithms: 'ES256,RS256', role_claim: realm_access.roles, roles: [{value: 'A, "
            "B', role: "
            "evidence-reader}, {value: C, role: administrator, workspace: b}]}]}\n"
            "limits: {max_request_body: 1536KiB, max_parts: 7}\nworkspaces:\n- {name: a, prompt_evidence: on, retention: "
            "{alerts: 36h}}\n- {name: b, resource_group: 'rg(1)', "
            "subscription_id: 01234567-89ab-cdef-0123-456789abcdef}\ndeployments:\n- {name: x.y-z_1, workspace: b, "
            "prompt_evidence: on, upstream: 'https://h.example:8443/base/', policy: p, "
            "api_key_env: KEY_1, forward_user_context: on, read_timeout: 90s, resource_id: "
            "/subscriptions/s/providers/p}\npolicies:\n- name: p\n  jailbreak: {action: detect, block_at: 1, detect_at: .5}\n"
            "  credential: {response: cut, prompt: block}\n  on_failure: closed\n  annotate: true\n"
            "  second_opinion: {shield: judge, from: 0.25, below: .75, deadline: 1500ms, per_minute: 7, on_failure: block}\n"
            "shields:\n- {name: azure, kind: prompt-shields, endpoint: 'https://h.example/x', key_env: KEY_2}\n"
            "- {name: judge, kind: openai-chat, endpoint: 'http://127.0.0.1:8000/v1', model: 'org/m-1:latest'}\n"),
      VDT_OK);
  if (!config) return;
  struct buf first = {0}, second = {0};
  config_print(config, &first);
  buf_byte(&first, 0);
  CHECK_INT(parse(first.p), VDT_OK);
  if (config) config_print(config, &second);
  CHECK(first.n > 500);
  CHECK_STR(buf_str(&second), first.p);
  CHECK(strstr(first.p, "read_timeout: 90s\n") && strstr(first.p, "max_request_body: 1536KiB\n") &&
        strstr(first.p, "alerts: 36h\n"));
  CHECK(strstr(first.p, "- network: \"10.0.0.0/8\"\n") && strstr(first.p, "- network: \"::1\"\n") &&
        strstr(first.p, "end_user_header: \"X-User\"\n"));
  CHECK(strstr(first.p, "- name: \"soc.example\"\n") && strstr(first.p, "session: 30m\n") &&
        strstr(first.p, "session_idle: 1h\n") && strstr(first.p, "break_glass: off\n") &&
        strstr(first.p, "break_glass_for: 15m\n"));
  CHECK(strstr(first.p, "algorithms: \"ES256,RS256\"\n") && strstr(first.p, "role: evidence-reader\n") &&
        strstr(first.p, "role: administrator\n") && strstr(first.p, "value: \"A, B\"\n") && strstr(first.p, "clock_skew: 1m\n"));
  CHECK(strstr(first.p, "client_id: \"a b\"\n") && strstr(first.p, "redirect_url: \"https://soc.example/portal/\"\n") &&
        strstr(first.p, "scopes: \"openid profile\"\n") && strstr(first.p, "sends_iss: on\n"));
  CHECK(strstr(first.p, "repeats: 7\n") && strstr(first.p, "access_learning: 36h\n"));
  CHECK(strstr(first.p, "deadline: 1500ms\n") && strstr(first.p, "model: \"org/m-1:latest\"\n"));
  buf_finish(&first);
  buf_finish(&second);
}

static void upstreams_are_taken_apart(void)
{
  CHECK_INT(
      parse("workspaces: [{name: w}]\ndeployments:\n- {name: a, workspace: w, upstream: 'https://contoso.openai.azure.com'}\n"
            "- {name: b, workspace: w, upstream: 'http://[fe80::1]:8000/v/1/'}\n- {name: c, workspace: w, upstream: "
            "'unix:./m.sock'}\n"),
      VDT_OK);
  if (!config) return;
  const struct config_url *a = &config->deployments[0].upstream, *b = &config->deployments[1].upstream,
                          *c = &config->deployments[2].upstream;
  CHECK(a->scheme == CONFIG_HTTPS && a->port == 443 && !strcmp(a->host, "contoso.openai.azure.com") && !*a->path);
  CHECK(b->scheme == CONFIG_HTTP && b->port == 8000 && !strcmp(b->host, "fe80::1") && !strcmp(b->path, "/v/1"));
  CHECK(c->scheme == CONFIG_UNIX && !strcmp(c->host, "./m.sock"));
  CHECK_STR(str_of(c->text), "unix:./m.sock");
}

/* ---- one case per mistake --------------------------------------------------------------------------------------- */

#define WS  "workspaces: [{name: weu}]\n"
#define DEP "deployments: [{name: gpt, workspace: weu, upstream: simulated}]\n"

#define OIDC(more) WS DEP "control:\n  oidc:\n  - {issuer: i, audience: a, " more "}\n"
#define ROLE_A     "roles: [{value: v, role: reader}]"
#define SIGN_IN(more)                                                                                                            \
  OIDC("keys_file: f, " ROLE_A ", sign_in: {client_id: c, authorize_url: 'https://i/a', token_url: 'https://i/t', " more "}")
#define PORTAL_URL                                                                                                               \
  "redirect_url: expected an address that ends with /portal/: https://HOST, or http:// of localhost or 127.0.0.1, without "      \
  "user, "                                                                                                                       \
  "query or fragment"
#define SCOPES_WANTED "scopes: expected words with one blank between them, openid among them, at most 255 bytes"

static const struct wrong {
  unsigned line;
  const char *message, *yaml;
} wrongs[] = {
    {1, "the file is empty; `vedette config default` prints one to start from", ""},
    {1, "the file: expected keys and values", "[]"},
    {3, "not YAML: did not find expected ',' or '}'", "listen: {a: b\nc"},
    {4, "a second document in one file", WS DEP "---\na: b\n"},
    {4, "name: expected a host's name: letters, digits, \".\", \"-\", at most 253",
     WS DEP "control:\n  hosts: [{name: 'a:80'}]\n"},
    {4, "name: expected a host's name: letters, digits, \".\", \"-\", at most 253", WS DEP "control:\n  hosts: [{name: -a}]\n"},
    {4, "session: expected a duration such as 30d, 12h, 5m or 10s, from 1m to 31d", WS DEP "control:\n  session: 59s\n"},
    {5, "oidc: expected either keys_file or keys_url for \"i\"", OIDC(ROLE_A)},
    {5, "oidc: expected either keys_file or keys_url for \"i\"", OIDC("keys_file: f, keys_url: 'https://h/k', " ROLE_A)},
    {5, "oidc: the key \"roles\" is missing", OIDC("keys_file: f")},
    {5, "roles: expected 1 to 16 entries", OIDC("keys_file: f, roles: []")},
    {5, "role: expected reader, evidence-reader, operator or administrator; did you mean \"reader\"?",
     OIDC("keys_file: f, roles: [{value: v, role: root}]")},
    {5, "oidc: there is no workspace \"wue\"; did you mean \"weu\"?",
     OIDC("keys_file: f, roles: [{value: v, role: reader, workspace: wue}]")},
    {5, "algorithms: expected one or more of RS256, ES256 and EdDSA, with commas",
     OIDC("keys_file: f, algorithms: HS256, " ROLE_A)},
    {5, "algorithms: expected one or more of RS256, ES256 and EdDSA, with commas",
     OIDC("keys_file: f, algorithms: 'RS256,', " ROLE_A)},
    {5, "algorithms: expected one or more of RS256, ES256 and EdDSA, with commas",
     OIDC("keys_file: f, algorithms: none, " ROLE_A)},
    {5, "sign_in: the key \"client_id\" is missing", OIDC("keys_file: f, " ROLE_A ", sign_in: {title: t}")},
    {5, "sign_in: the key \"authorize_url\" is missing", OIDC("keys_file: f, " ROLE_A ", sign_in: {client_id: c}")},
    {5, "sign_in: the key \"redirect_url\" is missing", SIGN_IN("")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'http://soc.example/portal/'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'https://soc.example/portal'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'https://soc.example/portal//'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'https://soc.example/x/portal/'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'https://a@soc.example/portal/'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'https://soc.example/portal/?a'")},
    {5, PORTAL_URL, SIGN_IN("redirect_url: 'unix:/portal/'")},
    {5, SCOPES_WANTED, SIGN_IN("redirect_url: 'https://h/portal/', scopes: profile")},
    {5, SCOPES_WANTED, SIGN_IN("redirect_url: 'https://h/portal/', scopes: 'openid  profile'")},
    {5, SCOPES_WANTED, SIGN_IN("redirect_url: 'https://h/portal/', scopes: 'openidx'")},
    {5, "keys_url: expected an https:// address without blanks, quotes or backslashes, at most 2,048 bytes",
     OIDC("keys_url: 'http://h/k', " ROLE_A)},
    {5, "clock_skew: expected a duration such as 30d, 12h, 5m or 10s, from 0d to 5m",
     OIDC("keys_file: f, clock_skew: 301s, " ROLE_A)},
    {6, "the issuer \"i\" stands twice",
     OIDC("keys_file: f, " ROLE_A) "  - {issuer: i, audience: b, keys_file: f, " ROLE_A "}\n"},
    {2, "the key \"workspace\" is unknown here; did you mean \"workspaces\"?", "state_dir: x\nworkspace: []\n"},
    {3, "the key \"jailbrake\" is unknown here; did you mean \"jailbreak\"?", "policies:\n- name: x\n  jailbrake: {}\n" WS DEP},
    {1, "the key \"gatewy\" is unknown here; did you mean \"gateway\"?", "listen: {gatewy: 127.0.0.1:1}\n" WS DEP},
    {3, "the key \"state_dir\" stands twice; first in line 1", "state_dir: a\n" WS "state_dir: b\n" DEP},
    {1, "the file: the key \"workspaces\" is missing", "state_dir: a\n" DEP},
    {2, "deployments: the key \"upstream\" is missing", WS "deployments: [{name: a, workspace: weu}]\n"},
    {2, "deployments: expected a list", WS "deployments: {name: a}\n"},
    {2, "deployments: expected 1 to 4096 entries", WS "deployments: []\n"},
    {3, "deployments: expected keys and values", WS "deployments:\n- gpt\n"},
    {1, "state_dir: expected one value, a path without control characters, quotes, \"\\\", \"$\", \";\", \"{\" or \"}\"",
     "state_dir: [a]\n" WS DEP},
    {1, "state_dir: expected a path without control characters, quotes, \"\\\", \"$\", \";\", \"{\" or \"}\"",
     "state_dir: \"a;b\"\n" WS DEP},
    {1, "state_dir: expected a path without control characters, quotes, \"\\\", \"$\", \";\", \"{\" or \"}\"",
     "state_dir: \"a\\nb\"\n" WS DEP},
    {1, "listen: expected keys and values", "listen: 8080\n" WS DEP},
    {1, "gateway: expected HOST:PORT, [IPV6]:PORT or unix:PATH", "listen: {gateway: 8080}\n" WS DEP},
    {1, "gateway: expected HOST:PORT, [IPV6]:PORT or unix:PATH", "listen: {gateway: '127.0.0.1:70000'}\n" WS DEP},
    {1, "gateway: expected HOST:PORT, [IPV6]:PORT or unix:PATH", "listen: {gateway: '::1:80'}\n" WS DEP},
    {1, "control: the same address as gateway", "listen: {control: 127.0.0.1:8080}\n" WS DEP},
    {1, "control_tls: certificate and key go together; key is missing", "listen: {control_tls: {certificate: a}}\n" WS DEP},
    {1, "max_request_body: expected a size such as 16MiB, from 1KiB to 1GiB", "limits: {max_request_body: 2GiB}\n" WS DEP},
    {1, "max_request_body: expected a size such as 16MiB, from 1KiB to 1GiB", "limits: {max_request_body: 16MB}\n" WS DEP},
    {1, "json_depth: expected a whole number, from 4 to 512", "limits: {json_depth: 3}\n" WS DEP},
    {1, "json_depth: expected a whole number, from 4 to 512", "limits: {json_depth: -8}\n" WS DEP},
    {1, "name: expected a name: letters, digits, \".\", \"_\", \"-\", at most 64", "workspaces: [{name: ../x}]\n" DEP},
    {1, "store: expected sqlite; did you mean \"sqlite\"?", "workspaces: [{name: weu, store: sqlight}]\n" DEP},
    {1, "prompt_evidence: expected off, segments or full; on is segments; did you mean \"segments\"?",
     "workspaces: [{name: weu, prompt_evidence: segment}]\n" DEP},
    {1, "prompt_evidence: expected off, segments or full; on is segments; did you mean \"off\"?",
     "workspaces: [{name: weu, prompt_evidence: inherit}]\n" DEP},
    {1,
     "evidence_private_key: expected file:PATH, env:NAME, command:PROGRAM ARGUMENT..., or none; printable, without quotes, at "
     "most 1,024 bytes",
     "workspaces: [{name: weu, evidence_private_key: /etc/key}]\n" DEP},
    {1,
     "evidence_private_key: expected file:PATH, env:NAME, command:PROGRAM ARGUMENT..., or none; printable, without quotes, at "
     "most 1,024 bytes",
     "workspaces: [{name: weu, evidence_private_key: 'env:'}]\n" DEP},
    {1,
     "evidence_private_key: expected file:PATH, env:NAME, command:PROGRAM ARGUMENT..., or none; printable, without quotes, at "
     "most 1,024 bytes",
     "workspaces: [{name: weu, evidence_private_key: 'file:a\"b'}]\n" DEP},
    {1, "subscription_id: expected a UUID", "workspaces: [{name: weu, subscription_id: 42}]\n" DEP},
    {1, "alerts: expected forever, or a duration such as 30d or 12h, from 1h to 4383d",
     "workspaces: [{name: weu, retention: {alerts: 90}}]\n" DEP},
    {1, "audit: expected forever, or a duration such as 30d or 12h, from 1h to 4383d",
     "workspaces: [{name: weu, retention: {audit: 4384d}}]\n" DEP},
    {1, "records: expected forever, or a duration such as 30d or 12h, from 1h to 4383d",
     "workspaces: [{name: weu, retention: {records: 3599s}}]\n" DEP},
    {2, "upstream: it is in eastus, and the workspace \"weu\" is in westeurope",
     WS "deployments: [{name: a, workspace: weu, upstream: 'https://eastus.api.cognitive.microsoft.com'}]\n"},
    {2, "upstream: it is in swedencentral, and the workspace \"weu\" is in westeurope",
     WS "deployments: [{name: a, workspace: weu, upstream: 'https://phi.swedencentral.models.ai.azure.com'}]\n"},
    {4, "resource_id: the same resource is in westeurope by the deployment \"a\"",
     "workspaces: [{name: weu}, {name: eus, region: eastus}]\ndeployments:\n- {name: a, workspace: weu, upstream: simulated, "
     "resource_id: "
     "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/x}\n- "
     "{name: b, workspace: eus, "
     "upstream: simulated, resource_id: "
     "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts/X}\n"},
    {1, "the workspace \"weu\" stands twice; first in line 1", "workspaces: [{name: weu}, {name: weu}]\n" DEP},
    {4, "the deployment \"a\" stands twice; first in line 3",
     WS "deployments:\n- {name: a, workspace: weu, upstream: simulated}\n- {name: a, workspace: weu, upstream: simulated}\n"},
    {2, "there is no workspace \"wei\"; did you mean \"weu\"?",
     WS "deployments: [{name: a, workspace: wei, upstream: simulated}]\n"},
    {4, "there is no policy \"standart\"; did you mean \"standard\"?",
     WS "deployments:\n- name: a\n  policy: standart\n  workspace: weu\n  upstream: simulated\n"},
    {5, "the label \"A\" stands twice", WS DEP "labels:\n- {name: A, priority: 2}\n- {name: a, priority: 1}\n"},
    {5, "priority: \"a\" has the same", WS DEP "labels:\n- {name: a, priority: 2}\n- {name: b, priority: 2}\n"},
    {3, "priority: expected a whole number, from 1 to 10000", WS DEP "labels: [{name: a, priority: 0}]\n"},
    {3, "labels: the key \"priority\" is missing", WS DEP "labels: [{name: a}]\n"},
    {2, "there is no label \"secrt\"; did you mean \"Secret\"?",
     WS "deployments: [{name: a, workspace: weu, upstream: simulated, label: secrt}]\nlabels: [{name: Secret, priority: 1}]\n"},
    {3, "data_policies: the key \"kinds\" is missing", WS DEP "data_policies: [{name: a}]\n"},
    {3, "kinds: expected 1 to 256 entries", WS DEP "data_policies: [{name: a, kinds: []}]\n"},
    {4, "who: an entry describes nobody; expected end_user, application or tenant",
     WS DEP "data_policies:\n- {name: a, kinds: [{kind: x}], who: [{}]}\n"},
    {4, "the key \"user\" is unknown here; did you mean \"end_user\"?",
     WS DEP "data_policies:\n- {name: a, kinds: [{kind: x}], who: [{user: x}]}\n"},
    {4, "prompt: expected allow, detect, redact or block; did you mean \"block\"?",
     WS DEP "data_policies:\n- {name: a, kinds: [{kind: x}], prompt: blok}\n"},
    {5, "the data policy \"a\" stands twice; first in line 4",
     WS DEP "data_policies:\n- {name: a, kinds: [{kind: x}]}\n- {name: a, kinds: [{kind: x}]}\n"},
    {3, "the policy \"x\" stands twice; first in line 3", WS DEP "policies: [{name: x}, {name: x}]\n"},
    {5, "action: expected allow, detect or block; did you mean \"block\"?",
     WS DEP "policies:\n- name: standard\n  jailbreak: {action: blok}\n"},
    {5, "prompt: expected allow, detect, redact or block; did you mean \"redact\"?",
     WS DEP "policies:\n- name: standard\n  credential: {prompt: redcat}\n"},
    {5, "response: expected allow, detect, redact, cut or block; did you mean \"redact\"?",
     WS DEP "policies:\n- name: standard\n  credential: {response: redacted}\n"},
    {5, "block_at: expected a number, from 0 to 1", WS DEP "policies:\n- name: standard\n  jailbreak: {block_at: 1.5}\n"},
    {5, "block_at: expected a number, from 0 to 1", WS DEP "policies:\n- name: standard\n  jailbreak: {block_at: nan}\n"},
    {5, "jailbreak: detect_at (0.97) is greater than block_at (0.95)",
     WS DEP "policies:\n- name: standard\n  jailbreak: {detect_at: 0.97}\n"},
    {5, "on_failure: expected open or closed; did you mean \"closed\"?",
     WS DEP "policies:\n- name: standard\n  on_failure: close\n"},
    {5, "annotate: expected true or false; did you mean \"true\"?", WS DEP "policies:\n- name: standard\n  annotate: tru\n"},
    {3, "second_opinion: there is no shield \"azur\"; did you mean \"azure\"?",
     WS DEP
     "policies: [{name: standard, second_opinion: {shield: azur}}]\nshields: [{name: azure, kind: prompt-shields, endpoint: "
     "'https://h'}]\n"},
    {3, "second_opinion: there is no shield \"x\"; did you mean \"none\"?",
     WS DEP "policies: [{name: standard, second_opinion: {shield: x}}]\n"},
    {4, "second_opinion: the key \"shield\" is missing", WS DEP "policies:\n- {name: standard, second_opinion: {from: 0.5}}\n"},
    {4, "second_opinion: from (0.9) is not less than below (0.5)",
     WS DEP "shields: [{name: a, kind: prompt-shields, endpoint: simulated}]\npolicies: [{name: standard, second_opinion: "
            "{shield: a, from: "
            "0.9, below: 0.5}}]\n"},
    {4, "deadline: expected a time such as 800ms or 2s, from 10ms to 60s",
     WS DEP "policies:\n- {name: standard, second_opinion: {shield: none, deadline: 5}}\n"},
    {4, "deadline: expected a time such as 800ms or 2s, from 10ms to 60s",
     WS DEP "policies:\n- {name: standard, second_opinion: {shield: none, deadline: 61s}}\n"},
    {4, "on_failure: expected keep, block or allow; did you mean \"block\"?",
     WS DEP "policies:\n- {name: standard, second_opinion: {shield: none, on_failure: blok}}\n"},
    {3, "kind: expected prompt-shields or openai-chat; did you mean \"openai-chat\"?",
     WS DEP "shields: [{name: a, kind: openai-chatt, endpoint: simulated}]\n"},
    {3, "openai-chat: the key \"model\" is missing", WS DEP "shields: [{name: a, kind: openai-chat, endpoint: simulated}]\n"},
    {3, "model: prompt-shields has none", WS DEP "shields: [{name: a, kind: prompt-shields, endpoint: simulated, model: m}]\n"},
    {3, "name: \"none\" stands for no shield", WS DEP "shields: [{name: none, kind: prompt-shields, endpoint: simulated}]\n"},
    {5, "the shield \"a\" stands twice; first in line 4",
     WS DEP "shields:\n- {name: a, kind: prompt-shields, endpoint: simulated}\n- {name: a, kind: prompt-shields, endpoint: "
            "simulated}\n"},
    {3, "model: expected a model's name: letters, digits, \".\", \"_\", \"-\", \":\", \"/\", \"@\", at most 128",
     WS DEP "shields: [{name: a, kind: openai-chat, endpoint: simulated, model: 'a\"b'}]\n"},
    {1,
     "end_user_header: expected the name of a header: letters, digits, \"-\", \"_\", at most 64, and none that holds a "
     "credential",
     "client_context: {end_user_header: 'Authorization'}\n" WS DEP},
    {1,
     "end_user_header: expected the name of a header: letters, digits, \"-\", \"_\", at most 64, and none that holds a "
     "credential",
     "client_context: {end_user_header: 'x-api-key'}\n" WS DEP},
    {1,
     "end_user_header: expected the name of a header: letters, digits, \"-\", \"_\", at most 64, and none that holds a "
     "credential",
     "client_context: {end_user_header: 'Cookie'}\n" WS DEP},
    {1,
     "end_user_header: expected the name of a header: letters, digits, \"-\", \"_\", at most 64, and none that holds a "
     "credential",
     "client_context: {end_user_header: 'x y'}\n" WS DEP},
    {1,
     "end_user_header: expected the name of a header: letters, digits, \"-\", \"_\", at most 64, and none that holds a "
     "credential",
     "client_context: {end_user_header: 'a:b'}\n" WS DEP},
    {1, "network: expected an address or a network such as 10.0.0.0/8",
     "client_context: {trusted_proxies: [{network: 10.0.0.0/33}]}\n" WS DEP},
    {1, "network: expected an address or a network such as 10.0.0.0/8",
     "client_context: {trusted_proxies: [{network: any}]}\n" WS DEP},
    {1, "trusted_proxies: expected 1 to 64 entries", "client_context: {trusted_proxies: []}\n" WS DEP},
    {1, "repeats: expected a whole number, from 2 to 1000000000", "behaviour: {repeats: 1}\n" WS DEP},
    {1, "repeats_window: expected a duration such as 30d, 12h, 5m or 10s, from 1m to 7d",
     "behaviour: {repeats_window: 59s}\n" WS DEP},
    {1, "the key \"repeat\" is unknown here; did you mean \"repeats\"?", "behaviour: {repeat: 5}\n" WS DEP},
    {2, "api_key_env: expected the name of an environment variable: A-Z, 0-9, \"_\"",
     WS "deployments: [{name: a, workspace: weu, upstream: simulated, api_key_env: sk-key}]\n"},
};

static void bad_upstreams(void)
{
  static const char *const urls[] = {"",
                                     "ftp://h",
                                     "https://",
                                     "https://user:pw@h",
                                     "https://h:0",
                                     "https://h:65536",
                                     "https://h/?a=b",
                                     "https://h/#f",
                                     "https://h/../x",
                                     "https://h/a b",
                                     "https://h;x",
                                     "http://[::1",
                                     "http://[g]",
                                     "unix:",
                                     "unix:/a:b",
                                     "simulate",
                                     "https://-h",
                                     "HTTPS://h"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    char yaml[256];
    CASE_BEGIN();
    snprintf(yaml, sizeof yaml, WS "deployments:\n- name: a\n  workspace: weu\n  upstream: \"%s\"\n", urls[i]);
    CHECK_INT(parse(yaml), VDT_ECONFIG);
    CHECK_INT(error.line, 5);
    CHECK_STR(
        str_of(error.text),
        "upstream: expected simulated, or http://, https:// or unix: followed by host or path, without user, query or fragment");
    CASE_END("no upstream: \"%s\"", urls[i]);
  }
}

static void mistakes(void)
{
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
    CASE_BEGIN();
    CHECK_INT(parse(wrongs[i].yaml), VDT_ECONFIG);
    CHECK_INT(error.line, wrongs[i].line);
    CHECK_STR(str_of(error.file), "vedette.yaml");
    CHECK_STR(str_of(error.text), wrongs[i].message);
    CASE_END("line %u: %s", wrongs[i].line, wrongs[i].message);
  }
}

static void every_setting_is_described(void)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct config_setting s;
  size_t n = 0;
  for (; config_setting_at(n, arena, &s); n++) CHECK(s.path[0] && s.help[0] && s.type[0]);
  CHECK(n > 50);
  CHECK(!config_setting_at(n + 1, arena, &s));
  vdt_arena_free(arena);
}

static void names_of_the_public_enumerations(void)
{
  CHECK_STR(str_of(vdt_action_name(VDT_CUT)), "cut");
  CHECK_STR(str_of(vdt_role_name(VDT_DOCUMENT)), "document");
  CHECK_STR(str_of(vdt_severity_name(VDT_HIGH)), "High");
  CHECK_STR(str_of(vdt_detector_name(VDT_DET_CREDENTIAL)), "credential");
  CHECK_STR(str_of(vdt_detector_name(VDT_DETECTORS)), "unknown");
}

int main(void)
{
  RUN(small_file_gets_every_default);
  RUN(named_policy_is_the_librarys_default);
  RUN(file_without_policies_has_the_standard_one);
  RUN(the_default_file_protects_two_deployments);
  RUN(behaviour_has_the_detectors_own_defaults);
  RUN(behaviour_is_bounded);
  RUN(what_is_printed_reads_back_the_same);
  RUN(upstreams_are_taken_apart);
  mistakes();
  bad_upstreams();
  RUN(every_setting_is_described);
  RUN(names_of_the_public_enumerations);
  config_free(config);
  return test_end();
}
