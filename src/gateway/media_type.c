#include "gateway/media_type.h"

static struct str trim(struct str s)
{
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = str_cut(s, 1, s.n);
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
  return s;
}

/* Splits at the first `at`; *rest is empty when there is none. */
static struct str split(struct str s, char at, struct str *rest)
{
  const char *p = s.n ? memchr(s.p, at, s.n) : NULL;
  size_t n = p ? (size_t)(p - s.p) : s.n;
  *rest = p ? str_cut(s, n + 1, s.n) : (struct str){0};
  return trim(str_cut(s, 0, n));
}

/* Another charset would be read as other text by a server that believes it. */
static bool is_utf8(struct str parameters)
{
  while (parameters.n) {
    struct str value, name = split(split(parameters, ';', &parameters), '=', &value);
    if (!str_ieq(name, STR("charset"))) continue;
    value = trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') value = str_cut(value, 1, value.n - 1);
    if (!str_ieq(value, STR("utf-8")) && !str_ieq(value, STR("utf8"))) return false;
  }
  return true;
}

bool has_plain_charset(struct str content_type)
{
  static const char *const others[] = {"us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"};
  struct str parameters, value;
  split(content_type, ';', &parameters);
  if (is_utf8(parameters)) return true;
  while (parameters.n) {
    if (!str_ieq(split(split(parameters, ';', &parameters), '=', &value), STR("charset"))) continue;
    value = trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') value = str_cut(value, 1, value.n - 1);
    bool known = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) known |= str_ieq(value, str_of(others[i]));
    if (!known && !str_ieq(value, STR("utf-8"))) return false;
  }
  return true;
}

bool is_json(struct str content_type)
{
  static const struct str suffix = {"+json", 5};
  struct str parameters, type = split(content_type, ';', &parameters);
  bool json = str_ieq(type, STR("application/json")) ||
              (type.n > suffix.n && memchr(type.p, '/', type.n) && str_ieq(str_cut(type, type.n - suffix.n, type.n), suffix));
  return json && is_utf8(parameters);
}

bool is_event_stream(struct str content_type)
{
  struct str parameters, type = split(content_type, ';', &parameters);
  return str_ieq(type, STR("text/event-stream")) && is_utf8(parameters);
}

bool is_json_lines(struct str content_type)
{
  static const char *const types[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                      "application/x-jsonlines"};
  struct str parameters, type = split(content_type, ';', &parameters);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (str_ieq(type, str_of(types[i]))) return is_utf8(parameters);
  return false;
}

bool is_form(struct str content_type, struct str *boundary)
{
  struct str parameters, type = split(content_type, ';', &parameters);
  *boundary = (struct str){0};
  if (!str_ieq(type, STR("multipart/form-data"))) return false;
  while (parameters.n) {
    struct str value, name = split(split(parameters, ';', &parameters), '=', &value);
    if (!str_ieq(name, STR("boundary"))) continue;
    value = trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') value = str_cut(value, 1, value.n - 1);
    if (boundary->n) *boundary = (struct str){0}; /* two of them are none */
    else *boundary = value;
  }
  return true;
}

bool is_bytes(struct str content_type)
{
  struct str parameters, type = split(content_type, ';', &parameters);
  return !type.n || str_ieq(type, STR("application/octet-stream")) || str_ieq(type, STR("binary/octet-stream")) ||
         str_ieq(type, STR("text/plain"));
}
