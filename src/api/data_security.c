/* Data security for AI interactions: what sensitive information was met by whom, and audit records. Numbers, names and kinds; no text. */
#include "api/answer.h"
#include "api/audit_record.h"
#include "api/use.h"
#include "base/clock.h"
#include "base/error.h"

/* An argument that there is not is more likely mistyped than meant for nothing: a filter that is not applied shows too much. */
static bool known_arguments(const struct api_request *r, const char *const *names, struct api_response *response)
{
  for (size_t i = 0; i < r->n_arguments; i++) {
    bool known = false;
    for (size_t k = 0; names[k]; k++) known |= str_ieq(r->arguments[i].name, str_of(names[k]));
    if (known) continue;
    api_error(response, 400, "InvalidQueryParameter", "There is no such query parameter here as the one at place %zu.", i + 1);
    return false;
  }
  return true;
}

void api_sensitive(struct api *api, const struct api_request *r, struct api_response *response)
{
  static const char *const names[] = {"from",        "to", "bucket", "by", "top", "workspace",
#define X(member, column, name, help) name,
#include "store/uses.def"
#undef X
                                      "api-version", NULL};
  struct use_words w = {.from = api_argument(r, "from"),
                        .to = api_argument(r, "to"),
                        .bucket = api_argument(r, "bucket"),
                        .by = api_argument(r, "by"),
                        .top = api_argument(r, "top")};
#define X(member, column, name, help) w.only.member = api_argument(r, name);
#include "store/uses.def"
#undef X
  struct use_question q;
  struct vdt_error err = {0};
  struct store **stores;
  size_t n;
  if (!known_arguments(r, names, response) || !api_stores_of(api, r, response, &stores, &n)) return;
  if (use_ask(&w, clock_unix_us(), &q, &err)) {
    api_error(response, 400, "InvalidQueryParameter", "%s", err.text);
    return;
  }
  response->type = API_JSON;
  int rc = use_put_json(stores, n, &q, api->arena, &response->body, NULL);
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
}

/* ---- audit records ---------------------------------------------------------------------------------------------- */

/* "TIME-ID", the place that a page ended at. */
static bool read_place(struct str token, struct store_place *at)
{
  const char *dash = token.n ? memchr(token.p, '-', token.n) : NULL;
  if (!token.n) return true;
  if (!dash || token.n - (size_t)(dash - token.p) != RECORD_ID_LEN + 1) return false;
  struct str time = {token.p, (size_t)(dash - token.p)};
  for (size_t i = 0; i < RECORD_ID_LEN; i++)
    if (!dash[1 + i] || !memchr("0123456789abcdef", dash[1 + i], 16)) return false;
  memcpy(at->id, dash + 1, RECORD_ID_LEN);
  return str_u64(time, &at->time_us);
}

static bool read_time(struct str text, uint64_t *out)
{
  *out = text.n ? clock_parse(text.p, text.n) : 0;
  return !text.n || *out;
}

static bool ask_records(const struct api_request *r, struct audit_record_query *q, struct store_place *at,
                        struct api_response *response)
{
  static const char *const names[] = {"from", "to", "user", "application", "workspace", "$skipToken", "api-version", NULL};
  uint64_t from;
  *q = (struct audit_record_query){.user = api_argument(r, "user"), .application = api_argument(r, "application")};
  *at = (struct store_place){0};
  if (!known_arguments(r, names, response)) return false;
  if (!read_time(api_argument(r, "from"), &from) || !read_time(api_argument(r, "to"), &q->to_us))
    api_error(response, 400, "InvalidQueryParameter", "from and to: expected a time such as 2026-11-25T15:46:15Z.");
  else if (at->time_us = from, !read_place(r->skip_token, at))
    api_error(response, 400, "InvalidSkipToken", "$skipToken is not one that this list gave.");
  else return true;
  return false;
}

/* Lines become the elements of a list. */
static void put_lines(struct buf *b, struct str lines)
{
  for (size_t i = 0; i + 1 < lines.n; i++) buf_byte(b, lines.p[i] == '\n' ? ',' : lines.p[i]);
}

void api_audit_records(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct audit_record_query q;
  struct store_place at;
  struct store **stores;
  struct buf lines = {0};
  size_t n, found;
  bool more = false;
  if (!ask_records(r, &q, &at, response) || !api_stores_of(api, r, response, &stores, &n)) return;
  int rc = audit_records_put(stores, n, &q, &at, API_PAGE, api->arena, &lines, &found, &more, NULL);
  if (rc || lines.failed) {
    api_store_failed(response, rc ? rc : VDT_ENOMEM, "ResourceNotFound");
    buf_finish(&lines);
    return;
  }
  char token[24 + RECORD_ID_LEN];
  snprintf(token, sizeof token, "%llu-%.*s", (unsigned long long)at.time_us, RECORD_ID_LEN, at.id);
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  put_lines(&response->body, buf_str(&lines));
  buf_byte(&response->body, ']');
  if (more) api_put_next_link(&response->body, r, str_of(token));
  buf_byte(&response->body, '}');
  buf_finish(&lines);
}
