/*
 * What a deployment has seen before a drill, as the control API tells it, and so which alerts cannot come now: those about what is usual need that
 * something is usual. Where it cannot be said, the case is tried: an alert that stays away is never excused by a guess.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/drill.h"
#include <stdlib.h>

enum { PAST_DAYS = 399, DAY_S = 86400 };

static int ask(struct drill *d, const struct buf *path, struct json_doc *doc, struct vdt_error *err)
{
  const char *const headers[] = {d->token, NULL};
  if (path->failed) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = web_call(d->control, "GET", path->p, headers, (struct str){0}, &d->answer, err);
  if (rc) return rc;
  if (d->answer.status != 200)
    return error_set(err, VDT_EIO, "the control API answers %u%s", d->answer.status,
                     d->answer.status == 401 ? ": the token is not one that it knows" : "");
  vdt_arena_reset(d->arena);
  rc = json_parse(d->arena, buf_str(&d->answer.body), &JSON_LIMITS_DEFAULT, doc, err);
  return rc ? error_set(err, VDT_EIO, "what the control API answers is no JSON") : VDT_OK;
}

static void put_encoded(struct buf *b, const char *name)
{
  for (; *name; name++) {
    bool plain = (*name >= '0' && *name <= '9') || ((*name | 32) >= 'a' && (*name | 32) <= 'z') || strchr("-_.", *name);
    if (plain) buf_byte(b, *name);
    else buf_printf(b, "%%%02X", (unsigned char)*name);
  }
}

/* ---- since when ---------------------------------------------------------------------------------------------------- */

/* The place of the first number that is not 0, or -1. */
static long first_of(const struct json_doc *doc, uint32_t points)
{
  uint64_t n;
  long at = 0;
  for (uint32_t i = json_first(doc, points); i; i = json_next(doc, points, i), at++)
    if (json_u64(doc, i, &n) && n) return at;
  return -1;
}

static uint64_t number_at(const struct json_doc *doc, uint32_t list, long at)
{
  uint64_t n = 0;
  for (uint32_t i = json_first(doc, list); i; i = json_next(doc, list, i))
    if (at-- == 0) return json_u64(doc, i, &n) ? n : 0;
  return 0;
}

/* The day of the deployment's first request: its beginning. Among very many deployments it may have no line of its own; then it is as old as it can be. */
static uint64_t first_day(struct drill *d, const struct json_doc *doc)
{
  struct str name;
  uint32_t list = json_get(doc, 0, "deployments");
  for (uint32_t i = json_first(doc, list); i; i = json_next(doc, list, i)) {
    if (json_is(doc, json_get(doc, i, "others"), JSON_TRUE)) return 1;
    if (!json_string(doc, json_get(doc, i, "deployment"), d->arena, &name) || !str_eq(name, str_of(d->deployment))) continue;
    long at = first_of(doc, json_get(doc, i, "requests"));
    return at < 0 ? 0 : number_at(doc, json_get(doc, 0, "times"), at);
  }
  return json_is(doc, list, JSON_ARRAY) ? 0 : 1;
}

static int ask_first_day(struct drill *d, struct vdt_error *err)
{
  char from[CLOCK_TEXT];
  struct json_doc doc;
  struct buf path = {0};
  clock_format(clock_unix_us() - PAST_DAYS * DAY_S * UINT64_C(1000000), from);
  buf_printf(&path, "/vedette/overview?step=%d&from=%s%c", DAY_S, from, 0);
  int rc = ask(d, &path, &doc, err);
  if (!rc) d->first_day_s = first_day(d, &doc);
  buf_finish(&path);
  return rc;
}

/* ---- what is told once --------------------------------------------------------------------------------------------- */

/* The kind of data is the one that the case makes up. */
static struct str kind_of(const struct drill_case *c)
{
  static const char mark[] = "{pieces:";
  const char *at = strstr(c->steps[0].prompt, mark);
  at = at ? at + sizeof mark - 1 : "";
  return (struct str){at, strcspn(at, "}")};
}

static int ask_kind(struct drill *d, const struct drill_case *c, bool *known, struct vdt_error *err)
{
  uint64_t n = 0;
  char from[CLOCK_TEXT];
  struct json_doc doc;
  struct buf path = {0};
  struct str kind = kind_of(c);
  clock_format(clock_unix_us() - PAST_DAYS * DAY_S * UINT64_C(1000000), from);
  buf_printf(&path, "/vedette/sensitiveInformation?by=none&bucket=total&top=0&from=%s&kind=%.*s&deployment=", from, (int)kind.n,
             kind.p);
  put_encoded(&path, d->deployment);
  buf_byte(&path, 0);
  int rc = ask(d, &path, &doc, err);
  if (!rc) json_u64(&doc, json_get(&doc, json_get(&doc, 0, "total"), "inResponses"), &n);
  *known = n > 0;
  buf_finish(&path);
  return rc;
}

static bool is_volume(enum alert_type t)
{
  return t == ALERT_WALLET_VOLUME || t == ALERT_AGENT_WALLET_VOLUME;
}

/* An hour of the clock: "2026-11-25T15". */
static bool is_of_this_hour(struct str time)
{
  char now[CLOCK_TEXT];
  clock_format(clock_unix_us(), now);
  return time.n > 13 && memcmp(time.p, now, 13) == 0;
}

static int ask_volume(struct drill *d, bool *told, struct vdt_error *err)
{
  struct json_doc doc;
  struct buf path = {0};
  struct str type, end, name;
  *told = false;
  buf_printf(&path, "/subscriptions/%s/providers/Microsoft.Security/alerts?api-version=2022-01-01&vedette-evidence=false%c",
             d->subscription, 0);
  int rc = ask(d, &path, &doc, err);
  uint32_t list = rc ? 0 : json_get(&doc, 0, "value");
  for (uint32_t i = list ? json_first(&doc, list) : 0; i; i = json_next(&doc, list, i)) {
    uint32_t p = json_get(&doc, i, "properties"), x = json_get(&doc, p, "extendedProperties");
    if (json_string(&doc, json_get(&doc, p, "alertType"), d->arena, &type) && is_volume(alert_type_find(type)) &&
        json_string(&doc, json_get(&doc, p, "endTimeUtc"), d->arena, &end) && is_of_this_hour(end) &&
        json_string(&doc, json_get(&doc, x, "deployment"), d->arena, &name) && str_eq(name, str_of(d->deployment)))
      *told = true;
  }
  buf_finish(&path);
  return rc;
}

static int ask_once(struct drill *d, const struct drill_case *c, const char **why, struct vdt_error *err)
{
  bool so = false;
  int rc = VDT_OK;
  if (c->once == DRILL_ONCE_A_KIND) {
    rc = ask_kind(d, c, &so, err);
    if (so) *why = "answers of this deployment held this kind of data before";
  }
  if (c->once == DRILL_ONCE_AN_HOUR) {
    rc = ask_volume(d, &so, err);
    if (so) *why = "it was told in this hour, and is once an hour";
  }
  return rc;
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

static uint64_t learning_of(const struct drill *d, const struct drill_case *c, const char **name)
{
  for (size_t i = 0; (*name = behaviour_limit_name(i)) != NULL; i++)
    if (strcmp(*name, c->learning) == 0) return behaviour_limit_get(&d->config->behaviour, i);
  return 0;
}

/* Until that is over, or "". */
static int ask_learning(struct drill *d, const struct drill_case *c, char *why, size_t n, struct vdt_error *err)
{
  const char *name;
  uint64_t learning = learning_of(d, c, &name), now = clock_unix_us() / 1000000;
  double days = (double)learning / DAY_S;
  if (!learning) return VDT_OK;
  if (c->once == DRILL_NEW_USER) {
    snprintf(why, n, "a drill's users are new, and nobody is known before %.1f days (behaviour: %s)", days, c->learning);
    return VDT_OK;
  }
  int rc = d->asked_past ? VDT_OK : ask_first_day(d, err);
  d->asked_past = rc == VDT_OK;
  if (!rc && (!d->first_day_s || d->first_day_s + DAY_S + learning > now))
    snprintf(why, n, "what is usual is still learnt, for %.1f days from a deployment's first request (behaviour: %s)", days,
             c->learning);
  return rc;
}

int drill_past(struct drill *d, const struct drill_case *c, char *why, size_t n, struct vdt_error *err)
{
  const char *told = "";
  why[0] = 0;
  int rc = c->learning ? ask_learning(d, c, why, n, err) : VDT_OK;
  if (rc || why[0]) return rc;
  rc = ask_once(d, c, &told, err);
  snprintf(why, n, "%s", told);
  return rc;
}
