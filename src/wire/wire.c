/* Which format speaks where, and the error bodies that we write ourselves. */
#include "wire/format.h"

static const struct wire_format *const formats[] = {
#define X(id) &wire_##id,
#include "wire/formats.def"
#undef X
};

enum { FORMATS = sizeof formats / sizeof *formats };

const struct wire_format *wire_format_at(size_t i)
{
  return i < FORMATS ? formats[i] : NULL;
}

const char *wire_format_name(const struct wire_format *format)
{
  return format->name;
}

const struct wire_format *wire_format_by_name(struct str name)
{
  for (size_t i = 0; i < FORMATS; i++)
    if (str_eq(name, str_of(formats[i]->name))) return formats[i];
  return NULL;
}

static const struct wire_format *by_path(struct str path)
{
  for (size_t i = 0; i < FORMATS; i++)
    if (str_eq(path, str_of(formats[i]->path))) return formats[i];
  return NULL;
}

/* path after `prefix`. */
static bool strip(struct str path, struct str prefix, struct str *rest)
{
  if (!str_starts(path, prefix)) return false;
  *rest = str_cut(path, prefix.n, path.n);
  return true;
}

const struct wire_format *wire_route(struct str method, struct str path, struct str *deployment)
{
  struct str rest;
  *deployment = STR("");
  if (!str_eq(method, STR("POST"))) return NULL;
  if (strip(path, STR("/openai/v1/"), &rest) || strip(path, STR("/v1/"), &rest)) return by_path(rest);
  if (!strip(path, STR("/openai/deployments/"), &rest)) return NULL;
  const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
  if (!slash || slash == rest.p) return NULL;
  size_t n = (size_t)(slash - rest.p);
  const struct wire_format *format = by_path(str_cut(rest, n + 1, rest.n));
  if (format) *deployment = str_cut(rest, 0, n);
  return format;
}

/* ---- error bodies ---- */

/* What an error is called in `code`; the rest is "internal_error". */
static const struct {
  int code;
  const char *name;
} names[] = {
    {VDT_ENOMEM, "overloaded"},
    {VDT_ESYNTAX, "invalid_json"},
    {VDT_EDEPTH, "nesting_too_deep"},
    {VDT_EDUPKEY, "duplicate_member"},
    {VDT_EUTF8, "invalid_utf8"},
    {VDT_ETOOBIG, "request_too_large"},
    {VDT_ETYPE, "unsupported_content_type"},
    {VDT_ECODING, "unsupported_content_coding"},
    {VDT_ENOTFOUND, "DeploymentNotFound"},
    {VDT_EAUTH, "invalid_api_key"},
    {VDT_EUPSTREAM, "upstream_unavailable"},
};

void wire_error_body(const struct wire_format *format, int code, struct str message, struct buf *out)
{
  (void)format; /* one family so far */
  const char *name = "internal_error";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].code == code) name = names[i].name;
  BUF_LIT(out, "{\"error\":{\"message\":");
  json_quote(out, message);
  buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
             vdt_http_status(code) < 500 ? "invalid_request_error" : "server_error", name);
}

/* Why a prompt was stopped. Which phrase of which list it was is not said here: annotations name the list. */
static const char *blocked_because(const struct wire_shield *s)
{
  if (s->jailbreak_filtered || s->indirect_filtered) return ": it looks like an attack on the model's instructions";
  for (size_t i = 0; i < s->lists.n; i++)
    if (s->lists.v[i].filtered) return ": it holds a phrase of a blocklist";
  return "";
}

void wire_blocked_body(const struct wire_format *format, const struct wire_shield *shield, struct buf *out)
{
  (void)format;
  BUF_LIT(out, "{\"error\":{\"message\":\"The prompt was stopped by the content policy of this deployment");
  buf_put(out, str_of(blocked_because(shield)));
  BUF_LIT(out, ". Please change the prompt and try again.\",\"type\":null,"
               "\"param\":\"prompt\",\"code\":\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
               "\"ResponsibleAIPolicyViolation\",\"content_filter_result\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}}}");
}
