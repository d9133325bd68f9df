/* What a case raised, as the control API tells it: the newest alerts are read until one of the case's interactions is in them. */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/drill.h"
#include <time.h>

enum { LOOK_NS = 2000000 };

static bool is_of_case(const struct json_doc *doc, uint32_t extended, const char *member, struct vdt_arena *arena,
                       const struct drill_outcome *out)
{
  struct str id;
  if (!json_string(doc, json_get(doc, extended, member), arena, &id) || id.n != RECORD_ID_LEN) return false;
  for (unsigned i = 0; i < out->n_ids; i++)
    if (memcmp(out->ids[i], id.p, RECORD_ID_LEN) == 0) return true;
  return false;
}

static void take_alert(const struct json_doc *doc, uint32_t alert, struct vdt_arena *arena, struct drill_outcome *out)
{
  struct str type;
  uint32_t properties = json_get(doc, alert, "properties"), extended = json_get(doc, properties, "extendedProperties");
  if (!json_string(doc, json_get(doc, properties, "alertType"), arena, &type)) return;
  if (is_of_case(doc, extended, "firstInteraction", arena, out) || is_of_case(doc, extended, "lastInteraction", arena, out)) {
    enum alert_type t = alert_type_find(type);
    if (t < ALERT_TYPES) out->also[t] = true;
  }
}

static int look_once(struct drill *d, const char *path, const char *const *headers, struct drill_outcome *out,
                     struct vdt_error *err)
{
  struct json_doc doc;
  int rc = web_call(d->control, "GET", path, headers, (struct str){0}, &d->answer, err);
  if (rc) return rc;
  if (d->answer.status != 200)
    return error_set(err, VDT_EIO, "the control API answers %u%s", d->answer.status,
                     d->answer.status == 401 ? ": the token is not one that it knows" : "");
  vdt_arena_reset(d->arena);
  rc = json_parse(d->arena, buf_str(&d->answer.body), &JSON_LIMITS_DEFAULT, &doc, err);
  if (rc) return error_set(err, VDT_EIO, "what the control API answers is no JSON");
  uint32_t list = json_get(&doc, 0, "value");
  for (uint32_t i = json_first(&doc, list); i; i = json_next(&doc, list, i)) take_alert(&doc, i, d->arena, out);
  return VDT_OK;
}

static enum alert_type wanted(const struct drill_case *c, const struct drill_outcome *out)
{
  if (out->also[c->alert]) return c->alert;
  return c->instead < ALERT_TYPES && out->also[c->instead] ? c->instead : ALERT_TYPES;
}

int drill_look(struct drill *d, const struct drill_case *c, uint64_t patience_us, struct drill_outcome *out,
               struct vdt_error *err)
{
  const struct timespec tick = {0, LOOK_NS};
  const char *const headers[] = {d->token, NULL};
  struct buf path = {0};
  int rc = VDT_OK;
  buf_printf(&path, "/subscriptions/%s/providers/Microsoft.Security/alerts?api-version=2022-01-01&vedette-evidence=false%c",
             d->subscription, 0);
  if (path.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  while (!rc && out->came == ALERT_TYPES) {
    rc = look_once(d, path.p, headers, out, err);
    out->came = wanted(c, out);
    out->us = clock_mono_us() - out->end_us;
    if (out->us > patience_us) break;
    if (out->came == ALERT_TYPES) nanosleep(&tick, NULL);
  }
  buf_finish(&path);
  return rc;
}
