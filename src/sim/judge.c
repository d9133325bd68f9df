#include "sim/judge.h"
#include "base/error.h"

enum { CHECK = 16, TEXTS = 64 };

static bool is_attack(struct str text)
{
  return str_find(text, STR("[[judge attack]]")) != (size_t)-1;
}

bool judge_is_asked(const struct script *s)
{
  return s->dialect == DIALECT_CHAT && str_eq(s->model, STR("judge"));
}

/* ---- our judge prompt ------------------------------------------------------------------------------------------- */

static struct str after(struct str text, struct str what)
{
  size_t at = str_find(text, what);
  return at == (size_t)-1 ? (struct str){"", 0} : str_cut(text, at + what.n, text.n);
}

static bool read_system(const struct script *s, struct vdt_arena *arena, struct str *out)
{
  const struct json_doc *d = &s->doc;
  uint32_t messages = json_get(d, 0, "messages");
  for (uint32_t i = json_first(d, messages); i; i = json_next(d, messages, i))
    if (json_string_is(d, json_get(d, i, "role"), "system")) return json_string(d, json_get(d, i, "content"), arena, out);
  return false;
}

/* The frames are those whose mark the first line has. */
static void put_verdicts(struct str text, struct buf *out)
{
  static const struct str begin = {"BEGIN ", 6};
  if (!str_starts(text, begin) || text.n < begin.n + CHECK) return;
  struct str mark = str_cut(text, begin.n, begin.n + CHECK);
  for (unsigned n = 0; n < TEXTS; n++) {
    char open[32 + CHECK], close[32 + CHECK];
    snprintf(open, sizeof open, "BEGIN %.*s ", CHECK, mark.p);
    snprintf(close, sizeof close, "\nEND %.*s ", CHECK, mark.p);
    struct str inside = after(text, str_of(open));
    size_t end = inside.n ? str_find(inside, str_of(close)) : (size_t)-1;
    if (end == (size_t)-1) return;
    buf_printf(out, "%s%s", n ? "," : "", is_attack(str_cut(inside, 0, end)) ? "true" : "false");
    text = str_cut(inside, end + 1, inside.n);
  }
}

bool judge_say(const struct script *s, struct vdt_arena *arena, struct buf *out)
{
  struct str rules;
  if (!read_system(s, arena, &rules)) return false;
  struct str check = after(rules, STR("{\"check\":\""));
  if (check.n < CHECK) return false;
  BUF_LIT(out, "{\"check\":\"");
  buf_put(out, str_cut(check, 0, CHECK));
  BUF_LIT(out, "\",\"attacks\":[");
  put_verdicts(s->user, out);
  BUF_LIT(out, "]}");
  return true;
}

/* ---- Prompt Shields --------------------------------------------------------------------------------------------- */

static void put_analysis(const struct json_doc *d, uint32_t text, struct vdt_arena *arena, struct buf *out)
{
  struct str s = {"", 0};
  if (!json_string(d, text, arena, &s)) out->failed = true;
  buf_printf(out, "{\"attackDetected\":%s}", !out->failed && is_attack(s) ? "true" : "false");
}

static void put_shield(const struct json_doc *d, struct vdt_arena *arena, struct buf *out)
{
  uint32_t prompt = json_get(d, 0, "userPrompt"), documents = json_get(d, 0, "documents");
  bool first = true;
  BUF_LIT(out, "{");
  if (json_is(d, prompt, JSON_STRING)) {
    BUF_LIT(out, "\"userPromptAnalysis\":");
    put_analysis(d, prompt, arena, out);
    BUF_LIT(out, ",");
  }
  BUF_LIT(out, "\"documentsAnalysis\":[");
  for (uint32_t i = json_first(d, documents); i; i = json_next(d, documents, i), first = false) {
    if (!first) BUF_LIT(out, ",");
    put_analysis(d, i, arena, out);
  }
  BUF_LIT(out, "]}");
}

void judge_shield(struct str body, struct reply *out)
{
  struct json_doc d;
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  struct vdt_error err = {0};
  struct vdt_arena *arena = vdt_arena_new((size_t)256 << 20);
  int rc = arena ? json_parse(arena, body, &limits, &d, &err) : error_set(&err, VDT_ENOMEM, "out of memory");
  if (rc) {
    reply_error(out, (unsigned)vdt_http_status(rc), "InvalidRequestBody", err.text);
  } else {
    out->status = 200;
    put_shield(&d, arena, &out->body);
  }
  vdt_arena_free(arena);
}
