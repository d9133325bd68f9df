/*
 * Reading evidence leaves a trace, and only then is it opened: before alerts with evidence are answered, the audit log of their workspace gets an entry of who reads which
 * alerts. One entry per request and workspace, however many alerts are in the answer. Never what the evidence says. When the entry cannot be
 * written, the evidence is not given out.
 */
#include "api/answer.h"
#include "base/clock.h"

enum { PATH_MAX_BYTES = 512 };

/* The alerts with evidence of one workspace, in the order of the answer. */
struct reading {
  const struct alert *first, *last;
  size_t n;
};

static struct reading readings_of(const struct store *s, const struct alert *list, size_t n)
{
  struct reading r = {0};
  for (size_t i = 0; i < n; i++) {
    if (!list[i].n_evidence || !str_eq(list[i].workspace, s->place.workspace)) continue;
    if (!r.first) r.first = &list[i];
    r.last = &list[i];
    r.n++;
  }
  return r;
}

static int note(struct store *s, const struct api_request *r, const struct reading *reading)
{
  char detail[160];
  struct store_audit a = {.time_us = clock_unix_us(),
                          .who = str_of(r->who),
                          .what = r->glass ? STR("evidence read by break-glass") : STR("evidence read")};
  int n;
  if (reading->n == 1) {
    a.target = (struct str){reading->first->name, ALERT_NAME_LEN};
    n = snprintf(detail, sizeof detail, "1 alert");
  } else {
    a.target = r->path.n > PATH_MAX_BYTES ? str_cut(r->path, 0, PATH_MAX_BYTES) : r->path;
    n = snprintf(detail, sizeof detail, "%zu alerts with evidence, from %.*s to %.*s", reading->n, ALERT_NAME_LEN,
                 reading->first->name, ALERT_NAME_LEN, reading->last->name);
  }
  a.detail = (struct str){detail, (size_t)n};
  return s->ops->put_audit(s, &a, NULL);
}

int api_note_reading(struct api *api, const struct api_request *r, const struct alert *list, size_t n)
{
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < api->n_stores; i++) {
    struct reading reading = readings_of(api->stores[i], list, n);
    if (reading.n) rc = note(api->stores[i], r, &reading);
  }
  return rc;
}

int api_read_evidence(struct api *api, const struct api_request *r, struct alert *list, size_t n)
{
  int rc = api_note_reading(api, r, list, n);
  if (!rc) unseal_alerts(&api->unseal, list, n, api->arena);
  return rc;
}
