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

enum { TEXT_MAX = 32768, DEPLOYMENT_MAX = 256 };

struct scan {
  struct work work;
  struct workbench_text text;
  struct buf memory; /* text, as and deployment, one behind the other */
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

static bool keep_text(struct scan *s, struct str text, struct str as, struct str deployment)
{
  if (!buf_reserve(&s->memory, text.n + as.n + deployment.n)) return false;
  buf_put(&s->memory, text);
  buf_put(&s->memory, as);
  buf_put(&s->memory, deployment);
  struct str all = buf_str(&s->memory);
  s->text.view = s->view.view;
  s->text.text = str_cut(all, 0, text.n);
  s->text.as = str_cut(all, text.n, text.n + as.n);
  s->text.deployment = str_cut(all, text.n + as.n, all.n);
  return !s->memory.failed;
}

static bool read_scan(struct api *api, const struct api_request *r, struct api_response *response, struct str *text,
                      struct str *as, struct str *deployment)
{
  struct json_doc doc;
  if (!api_body(api, r, response, &doc) || !api_text(api, response, &doc, 0, "text", TEXT_MAX, text) ||
      !api_text(api, response, &doc, 0, "as", 16, as) ||
      !api_text(api, response, &doc, 0, "deployment", DEPLOYMENT_MAX, deployment))
    return false;
  bool known = str_eq(*as, STR("prompt")) || str_eq(*as, STR("document")) || str_eq(*as, STR("response"));
  if (!as->n) *as = STR("prompt");
  else if (!known) api_error(response, 400, "InvalidRequestContent", "as is to be prompt, document or response.");
  if (!text->n) api_error(response, 400, "InvalidRequestContent", "text is to be a text of 1 to %d bytes.", TEXT_MAX);
  return (known || str_eq(*as, STR("prompt"))) && text->n;
}

void api_portal_scan(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct str text, as, deployment;
  if (!read_scan(api, r, response, &text, &as, &deployment)) return;
  struct scan *s = api->worker ? calloc(1, sizeof *s) : NULL;
  if (s) s->work = (struct work){.run = run, .drop = drop};
  bool kept = s && worker_view_make(api, &s->view) && keep_text(s, text, as, deployment);
  sodium_memzero((char *)(uintptr_t)text.p, text.n); /* in the body, or decoded in the arena */
  if (kept) {
    response->work = &s->work;
    return;
  }
  if (s) drop(&s->work);
  api_error(response, 503, "ServiceUnavailable", api->worker ? "Out of memory." : "There is no engine here.");
}
