/* Which format speaks where, and the error bodies that we write ourselves. */
#include "wire/response.h"

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

bool wire_is_answer(const struct wire_format *format, const struct json_doc *doc)
{
  if (format->is_answer) return format->is_answer(doc);
  for (size_t i = 0; i < 3 && format->members[i]; i++)
    if (json_get(doc, 0, format->members[i])) return true;
  return false;
}

/* The names of where formats put the arguments of calls. */
bool wire_is_call(struct str origin)
{
  static const struct str names[] = {STR(".arguments"),    STR(".input"),       STR("tool_calls["),
                                     STR("function_call"), STR("functionCall"), STR("toolUse")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_find(origin, names[i]) != (size_t)-1) return true;
  return false;
}

bool wire_is_session(const struct wire_format *format)
{
  return format && format->sessions;
}

enum wire_mode wire_stream_mode(const struct wire_format *format)
{
  return format->framing == FRAMING_LINES ? WIRE_LINES : WIRE_SSE;
}

bool wire_is_unknown(const struct wire_format *format)
{
  return format && format->unknown;
}

const struct wire_format *wire_unknown(void)
{
  return &wire_generic;
}

/* ---- routing ---- */

/* Bytes up to the next slash, or to what follows the wildcard in the pattern. */
static size_t segment(struct str path, char until)
{
  size_t n = 0;
  while (n < path.n && path.p[n] != '/' && (!until || path.p[n] != until)) n++;
  return n;
}

static bool matches(const char *pattern, struct str path, struct str *deployment)
{
  *deployment = STR("");
  for (; *pattern; pattern++) {
    size_t n = 1;
    if (*pattern == '*' || *pattern == '?') n = segment(path, pattern[1]);
    else if (!path.n || path.p[0] != *pattern) return false;
    if (n == 0) return false;
    if (*pattern == '*') *deployment = str_cut(path, 0, n);
    path = str_cut(path, n, path.n);
  }
  return path.n == 0;
}

static bool speaks_on(const struct wire_format *format, struct str path, struct str *deployment)
{
  for (const char *const *p = format->paths; *p; p++)
    if (matches(*p, path, deployment)) return true;
  return false;
}

const struct wire_format *wire_route(struct str method, struct str path, struct str *deployment)
{
  *deployment = STR("");
  if (!str_eq(method, STR("POST"))) return NULL;
  for (size_t i = 0; i < FORMATS; i++)
    if (speaks_on(formats[i], path, deployment)) return formats[i];
  *deployment = STR("");
  return NULL;
}

const struct wire_format *wire_route_session(struct str path)
{
  for (size_t i = 0; i < FORMATS; i++)
    for (const char *const *p = formats[i]->sessions; p && *p; p++)
      if (str_eq(path, str_of(*p))) return formats[i];
  return NULL;
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
    {VDT_ESTATE, "invalid_state"},
    {VDT_EUPSTREAM, "upstream_unavailable"},
};

const char *wire_error_name(int code)
{
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].code == code) return names[i].name;
  return "internal_error";
}

void wire_error_body(const struct wire_format *format, int code, struct str message, struct buf *out)
{
  (format ? format->error : openai_error)(code, wire_error_name(code), message, out);
}

/* Why a prompt was stopped. Which phrase of which list it was is not said here: annotations name the list. */
static const char *blocked_because(const struct wire_shield *s)
{
  if (s->jailbreak_filtered || s->indirect_filtered) return ": it looks like an attack on the model's instructions";
  for (size_t i = 0; i < s->lists.n; i++)
    if (s->lists.v[i].filtered) return ": it holds a phrase of a blocklist";
  return "";
}

void wire_blocked_message(const struct wire_shield *shield, struct buf *out)
{
  BUF_LIT(out, "The prompt was stopped by the content policy of this deployment");
  buf_put(out, str_of(blocked_because(shield)));
  BUF_LIT(out, ". Please change the prompt and try again.");
}

void wire_blocked_body(const struct wire_format *format, const struct wire_shield *shield, struct buf *out)
{
  struct buf message = {0};
  wire_blocked_message(shield, &message);
  if (message.failed) out->failed = true;
  else (format ? format->blocked : openai_blocked)(shield, buf_str(&message), out);
  buf_finish(&message);
}
