/* The requests of a drill: Chat Completions as any client of Azure OpenAI sends them. */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/drill.h"
#include "sim/leaks.h"
#include <stdlib.h>

unsigned drill_times(const struct drill *d, const struct drill_step *s)
{
  const struct behaviour_limits *b = &d->config->behaviour;
  switch (s->times) {
  case DRILL_REPEATS: return b->repeats;
  case DRILL_VOLUME: return b->volume_requests + 1;
  case DRILL_ACCESS: return b->access_requests;
  case DRILL_JAILBREAKS: return b->jailbreaks;
  case DRILL_TOOLS: return b->tools_interactions;
  default: return s->times > 0 ? (unsigned)s->times : 1;
  }
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

/* Tag characters: each ASCII character has one that no screen shows. */
static void put_hidden(struct buf *out, struct str text)
{
  for (size_t i = 0; i < text.n; i++) {
    unsigned c = 0xe0000u + (unsigned char)text.p[i];
    const char bytes[] = {(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 63)), (char)(0x80 | (c >> 6 & 63)),
                          (char)(0x80 | (c & 63))};
    buf_put(out, (struct str){bytes, sizeof bytes});
  }
}

/* In halves, so that the prompt itself holds no secret that a policy would mask or stop. */
static void put_pieces(struct buf *out, struct str kind, uint64_t seed)
{
  struct buf secret = {0};
  leak_secret(kind, seed, &secret);
  for (size_t i = 0; i < secret.n; i++) {
    if (i == secret.n / 2) buf_byte(out, ' ');
    if (secret.p[i] != ' ') buf_byte(out, secret.p[i]);
  }
  buf_finish(&secret);
}

static void put_name(struct buf *out, struct str name, const struct drill *d, const struct drill_step *s, unsigned n)
{
  size_t colon = str_find(name, STR(":"));
  struct str value = colon == (size_t)-1 ? (struct str){0} : str_cut(name, colon + 1, name.n);
  if (str_eq(name, STR("run"))) buf_put(out, str_of(d->run));
  else if (str_eq(name, STR("n"))) buf_printf(out, "%s-%u", d->run, n);
  else if (str_eq(name, STR("tool"))) buf_put(out, str_of(d->denied));
  else if (str_eq(name, STR("notes"))) buf_put(out, str_of(s->notes));
  else if (str_starts(name, STR("pieces:"))) put_pieces(out, value, strtoull(d->run, NULL, 16));
  else if (str_starts(name, STR("hidden:"))) put_hidden(out, value);
}

/* Names in braces are replaced; braces that hold a quote are JSON and stay. */
static void put_text(struct buf *out, const char *text, const struct drill *d, const struct drill_step *s, unsigned n)
{
  for (const char *p = text; *p; p++) {
    const char *end = *p == '{' ? strchr(p, '}') : NULL;
    if (!end || end == p + 1 || memchr(p, '"', (size_t)(end - p))) {
      buf_byte(out, *p);
      continue;
    }
    put_name(out, (struct str){p + 1, (size_t)(end - p) - 1}, d, s, n);
    p = end;
  }
}

/* ---- bodies ----------------------------------------------------------------------------------------------------- */

static void put_message(struct buf *out, const char *role, const char *text, const struct drill *d, const struct drill_step *s,
                        unsigned n)
{
  struct buf content = {0};
  put_text(&content, text, d, s, n);
  buf_printf(out, "%s{\"role\":\"%s\",\"content\":", out->p[out->n - 1] == '[' ? "" : ",", role);
  json_quote(out, buf_str(&content));
  if (strcmp(role, "tool") == 0) BUF_LIT(out, ",\"tool_call_id\":\"call_1\"");
  buf_byte(out, '}');
  out->failed |= content.failed;
  buf_finish(&content);
}

static void put_messages(struct buf *out, const struct drill *d, const struct drill_step *s, unsigned n)
{
  if (s->notes) put_message(out, "system", s->notes, d, s, n);
  if (s->history) {
    put_message(out, "user", "Hello.", d, s, n);
    put_message(out, "assistant", s->history, d, s, n);
  }
  put_message(out, "user", s->prompt, d, s, n);
  if (!s->result) return;
  BUF_LIT(out, ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":"
               "{\"name\":\"fetch\",\"arguments\":\"{}\"}}]}");
  put_message(out, "tool", s->result, d, s, n);
}

static void put_body(struct buf *out, const struct drill *d, const struct drill_step *s, const char *user, unsigned n)
{
  BUF_LIT(out, "{\"messages\":[");
  put_messages(out, d, s, n);
  BUF_LIT(out, "],");
  if (s->tools)
    buf_printf(out,
               "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"%s\",\"description\":\"Fetches a page.\","
               "\"parameters\":{\"type\":\"object\",\"properties\":{\"page\":{\"type\":\"string\"}}}}}],",
               s->denied ? d->denied : "fetch");
  buf_printf(out, "\"user_security_context\":{\"application_name\":\"vedette-drill\",\"end_user_id\":\"%s\"", user);
  if (s->source_ip) buf_printf(out, ",\"source_ip\":\"%s\"", s->source_ip);
  BUF_LIT(out, "}}");
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static int note(struct drill *d, struct drill_outcome *out, struct vdt_error *err)
{
  struct str id = web_header(&d->answer, "x-vedette-interaction"), verdict = web_header(&d->answer, "x-vedette-verdict");
  if (id.n != RECORD_ID_LEN)
    return error_set(err, VDT_EIO, "status %u, and no x-vedette-interaction: what answers there is no gateway of vedette",
                     d->answer.status);
  if (out->n_ids < DRILL_IDS_MAX) out->n_ids++;
  memcpy(out->ids[out->requests % DRILL_IDS_MAX], id.p, RECORD_ID_LEN);
  out->requests++;
  out->status = d->answer.status;
  snprintf(out->verdict, sizeof out->verdict, "%.*s", (int)verdict.n, verdict.n ? verdict.p : "");
  return VDT_OK;
}

static int send_step(struct drill *d, const struct drill_step *s, struct drill_outcome *out, struct vdt_error *err)
{
  struct buf body = {0}, agent = {0}, path = {0};
  int rc = VDT_OK;
  buf_printf(&agent, "User-Agent: %s%c", s->user_agent ? s->user_agent : "vedette-drill/" VEDETTE_VERSION, 0);
  buf_printf(&path, "/openai/deployments/%s/chat/completions?api-version=2024-10-21%c", d->deployment, 0);
  const char *const headers[] = {agent.p, d->key, NULL};
  for (unsigned i = 0, times = drill_times(d, s); !rc && i < times; i++) {
    buf_reset(&body);
    put_body(&body, d, s, out->user, i);
    rc = body.failed || agent.failed || path.failed
             ? error_set(err, VDT_ENOMEM, "out of memory")
             : web_call(d->gateway, "POST", path.p, headers, buf_str(&body), &d->answer, err);
    out->end_us = clock_mono_us();
    if (!rc) rc = note(d, out, err);
  }
  buf_finish(&body);
  buf_finish(&agent);
  buf_finish(&path);
  return rc;
}

int drill_send(struct drill *d, const struct drill_case *c, struct drill_outcome *out, struct vdt_error *err)
{
  int rc = VDT_OK;
  out->came = ALERT_TYPES;
  snprintf(out->user, sizeof out->user, "vedette-drill-%s-%u", d->run, (unsigned)c->alert);
  for (size_t i = 0; !rc && i < DRILL_STEPS && c->steps[i].prompt; i++) rc = send_step(d, &c->steps[i], out, err);
  return rc;
}
