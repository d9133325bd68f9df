/*
 * POST /vedette/scan: what would be found in a text, and what each deployment would do about it.
 *
 * For readers: it shows nothing that is kept and changes nothing. The text is stored nowhere: it is in the request's memory and in the work, both
 * wiped when they are done with, and in no log, error, metric or entry of the audit.
 */
#include "api/answer.h"
#include "api/worker.h"
#include <sodium.h>
#include <stdlib.h>

enum { TEXT_MAX = 32768, NAME_MAX_BYTES = 256, TEXTS = 6 };

struct scan {
  struct work work;
  struct workbench_text text;
  struct buf memory; /* the texts, one behind the other */
  struct worker_view view;
};

static void drop(struct work *w)
{
  struct scan *s = (struct scan *)w;
  if (s->memory.p) sodium_memzero(s->memory.p, s->memory.cap);
  buf_finish(&s->memory);
  buf_finish(&w->response.body);
  worker_view_finish(&s->view);
  free(s);
}

static void run(struct work *w, const struct workbench *bench)
{
  struct scan *s = (struct scan *)w;
  struct vdt_error err = {0};
  int rc = bench->scan(bench->ctx, &s->text, &w->response.body, &err);
  w->response.status = 200;
  w->response.type = API_JSON;
  if (!rc && !w->response.body.failed) return;
  if (rc == VDT_ENOTFOUND) api_error(&w->response, 404, "DeploymentNotFound", "There is no deployment of that name here.");
  else worker_failed(&w->response, "scan", &err);
}

static bool keep_text(struct scan *s, const struct workbench_text *t)
{
  const struct str from[TEXTS] = {t->text, t->as, t->deployment, t->user, t->application, t->tenant};
  struct str *to[TEXTS] = {&s->text.text, &s->text.as, &s->text.deployment, &s->text.user, &s->text.application, &s->text.tenant};
  size_t n = 1;
  for (size_t i = 0; i < TEXTS; i++) n += from[i].n;
  if (!buf_reserve(&s->memory, n)) return false;
  for (size_t i = 0; i < TEXTS; i++) {
    size_t at = s->memory.n;
    buf_put(&s->memory, from[i]);
    *to[i] = str_cut(buf_str(&s->memory), at, s->memory.n);
  }
  s->text.view = s->view.view;
  return !s->memory.failed;
}

static bool read_scan(struct api *api, const struct api_request *r, struct api_response *response, struct workbench_text *t)
{
  const struct {
    const char *name;
    size_t max;
    struct str *to;
  } members[TEXTS] = {{"text", TEXT_MAX, &t->text},
                      {"as", 16, &t->as},
                      {"deployment", NAME_MAX_BYTES, &t->deployment},
                      {"user", NAME_MAX_BYTES, &t->user},
                      {"application", NAME_MAX_BYTES, &t->application},
                      {"tenant", NAME_MAX_BYTES, &t->tenant}};
  struct json_doc doc;
  if (!api_body(api, r, response, &doc)) return false;
  for (size_t i = 0; i < TEXTS; i++)
    if (!api_text(api, response, &doc, 0, members[i].name, members[i].max, members[i].to)) return false;
  bool known = str_eq(t->as, STR("prompt")) || str_eq(t->as, STR("document")) || str_eq(t->as, STR("response"));
  if (!t->as.n) t->as = STR("prompt");
  else if (!known) api_error(response, 400, "InvalidRequestContent", "as is to be prompt, document or response.");
  if (!t->text.n) api_error(response, 400, "InvalidRequestContent", "text is to be a text of 1 to %d bytes.", TEXT_MAX);
  return (known || str_eq(t->as, STR("prompt"))) && t->text.n;
}

void api_portal_scan(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct workbench_text t = {0};
  if (!read_scan(api, r, response, &t)) return;
  struct scan *s = api->worker ? calloc(1, sizeof *s) : NULL;
  if (s) s->work = (struct work){.run = run, .drop = drop};
  bool kept = s && worker_view_make(api, &s->view) && keep_text(s, &t);
  sodium_memzero((char *)(uintptr_t)t.text.p, t.text.n); /* in the body, or decoded in the arena */
  if (kept) {
    response->work = &s->work;
    return;
  }
  if (s) drop(&s->work);
  api_error(response, 503, "ServiceUnavailable", api->worker ? "Out of memory." : "There is no engine here.");
}
