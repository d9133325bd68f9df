#include "api/query.h"
#include "base/clock.h"
#include "base/quote.h"

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidQueryParameter", "%s", what);
  return false;
}

/* What a caller has written is not repeated: the sentence lists what there is. */
static bool say_names(struct api_response *response, const char *const *names)
{
  char text[400] = "";
  size_t n = 0;
  for (size_t i = 0; names[i] && n < sizeof text - 40; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "", names[i]);
  api_error(response, 400, "InvalidQueryParameter", "A query parameter is not one of this list: %s.", text);
  return false;
}

bool query_known(const struct api_request *r, const char *const *names, struct api_response *response)
{
  for (size_t i = 0; i < r->n_arguments; i++) {
    size_t k = 0;
    while (names[k] && !str_eq(r->arguments[i].name, str_of(names[k]))) k++;
    if (!names[k]) return say_names(response, names);
    if (r->arguments[i].value.n > QUERY_VALUE_MAX) return bad(response, "A query parameter has more than 4096 bytes.");
  }
  return true;
}

struct str query_text(const struct api_request *r, const char *name)
{
  for (size_t i = 0; i < r->n_arguments; i++)
    if (str_eq(r->arguments[i].name, str_of(name)) && r->arguments[i].value.n) return r->arguments[i].value;
  return (struct str){0};
}

bool query_list(struct api *api, const struct api_request *r, const char *name, struct api_response *response, struct str *out)
{
  struct buf b = {0};
  for (size_t i = 0; i < r->n_arguments; i++) {
    if (!str_eq(r->arguments[i].name, str_of(name)) || !r->arguments[i].value.n) continue;
    buf_byte(&b, b.n ? ',' : '[');
    json_quote(&b, r->arguments[i].value);
  }
  *out = (struct str){0};
  if (b.n) buf_byte(&b, ']');
  if (b.n && !b.failed) *out = arena_dup(api->arena, buf_str(&b));
  bool ok = !b.failed && (!b.n || out->p);
  buf_finish(&b);
  if (!ok) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  return ok;
}

bool query_allows(const struct api_request *r, const char *name, struct str value)
{
  bool there = false;
  for (size_t i = 0; i < r->n_arguments; i++) {
    if (!str_eq(r->arguments[i].name, str_of(name)) || !r->arguments[i].value.n) continue;
    if (str_eq(r->arguments[i].value, value)) return true;
    there = true;
  }
  return !there;
}

bool query_time(const struct api_request *r, const char *name, struct api_response *response, uint64_t *us)
{
  struct str text = query_text(r, name);
  *us = text.n ? clock_parse(text.p, text.n) : 0;
  if (!text.n || *us) return true;
  api_error(response, 400, "InvalidQueryParameter", "%s is to be a time like 2026-12-31T00:00:00Z.", name);
  return false;
}

bool query_number(const struct api_request *r, const char *name, uint64_t least, uint64_t most, struct api_response *response,
                  uint64_t *n)
{
  struct str text = query_text(r, name);
  uint64_t v;
  if (!text.n) return true;
  if (str_u64(text, &v) && v >= least && v <= most) {
    *n = v;
    return true;
  }
  api_error(response, 400, "InvalidQueryParameter", "%s is to be a number from %llu to %llu.", name, (unsigned long long)least,
            (unsigned long long)most);
  return false;
}
