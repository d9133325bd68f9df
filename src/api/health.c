#include "api/health.h"
#include "api/answer.h"
#include "api/arm.h"
#include "base/clock.h"
#include "base/quote.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SAYS = 240, LATE_S = 60, SHARE_LEAST = 20 };
static const uint64_t MIB = 1 << 20, DAY_S = 86400;

enum state { OK, ATTENTION, BAD, OFF };
static const char *const states[] = {"ok", "attention", "bad", "off"};

/* ---- looking ---------------------------------------------------------------------------------------------------- */

enum { WRITERS_MAX = 256 };

/* Processes that write journals; each counts once, however many workspaces it writes for. */
struct writers {
  unsigned long pids[WRITERS_MAX];
  size_t n;
};

/* "journal-PID-START.jsonl", and the process is there. */
static void take_writer(struct writers *w, const char *name)
{
  char *end;
  if (strncmp(name, "journal-", 8) != 0) return;
  unsigned long pid = strtoul(name + 8, &end, 10);
  if (*end != '-' || pid <= 1 || pid >= 1u << 30 || (kill((pid_t)pid, 0) != 0 && errno != EPERM)) return;
  for (size_t i = 0; i < w->n; i++)
    if (w->pids[i] == pid) return;
  if (w->n < WRITERS_MAX) w->pids[w->n++] = pid;
}

static void take_writers(struct writers *w, const char *path)
{
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));) take_writer(w, e->d_name);
  if (d) closedir(d);
}

static uint64_t count_writers(const struct api *api)
{
  char path[4300];
  struct writers w = {.n = 0};
  snprintf(path, sizeof path, "%s/spool", api->state_dir);
  take_writers(&w, path);
  for (size_t i = 0; i < api->n_stores; i++) {
    struct str name = api->stores[i]->place.workspace;
    snprintf(path, sizeof path, "%s/spool/workspaces/%.*s", api->state_dir, (int)name.n, name.p);
    take_writers(&w, path);
  }
  return w.n;
}

static uint64_t size_of(const char *state_dir, struct str workspace, const char *suffix)
{
  char path[4096];
  struct stat st;
  snprintf(path, sizeof path, "%s/workspaces/%.*s/vedette.db%s", state_dir, (int)workspace.n, workspace.p, suffix);
  return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void look_at_disk(struct api *api, struct health *h)
{
  struct statvfs v;
  for (size_t i = 0; i < api->n_stores; i++)
    h->store_bytes += size_of(api->state_dir, api->stores[i]->place.workspace, "") +
                      size_of(api->state_dir, api->stores[i]->place.workspace, "-wal");
  if (statvfs(api->state_dir, &v) != 0) return;
  h->free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
  h->disk_bytes = (uint64_t)v.f_blocks * v.f_frsize;
}

static void look_at_feeds(struct api *api, struct health *h)
{
  struct feeds_status s;
  struct geo_info g;
  for (size_t i = 0; api->feeds && feeds_status_at(api->feeds, i, &s); i++) {
    uint64_t age = s.loaded_us && h->now_us > s.loaded_us ? (h->now_us - s.loaded_us) / 1000000 : 0;
    h->feeds++;
    h->feeds_stale += s.stale;
    h->feeds_failed += s.failed;
    if (age > h->feed_age_s) h->feed_age_s = age;
  }
  for (size_t i = 0; api->geo && geo_info(api->geo, i, &g); i++) {
    h->databases++;
    h->databases_missing += g.built == 0;
  }
}

static int look_at_audit(struct api *api, struct health *h)
{
  char path[4096];
  struct store_audit *a;
  struct store_audit_query q = {.limit = 1};
  size_t n;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->list_audit(api->stores[i], &q, api->arena, &a, &n, NULL);
    if (rc) return rc;
    if (!n || a->time_us < h->audit_us) continue;
    h->audit_us = a->time_us;
    h->audit_last = a->id;
    for (size_t k = 0; k < 8; k++) snprintf(h->audit_head + 2 * k, 3, "%02x", a->hash[k]);
  }
  snprintf(path, sizeof path, "%s/audit.key", api->state_dir);
  h->audit_key = !h->audit_last || access(path, F_OK) == 0;
  return VDT_OK;
}

/* Opened for a time, or once. */
static int look_at_glass(struct api *api, struct health *h)
{
  struct store_audit *a;
  struct store_audit_query q = {.since_us = h->now_us - DAY_S * 1000000, .what = STR("break-glass o"), .limit = 100};
  size_t n;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->list_audit(api->stores[i], &q, api->arena, &a, &n, NULL);
    if (rc) return rc;
    if (n > h->glass) h->glass = n;
  }
  return VDT_OK;
}

static int look_at_plans(struct api *api, struct health *h)
{
  struct store_plan *plans;
  size_t n;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->list_plans(api->stores[i], (struct str){0}, api->arena, &plans, &n, NULL);
    if (rc) return rc;
    for (size_t k = 0; k < n; k++) h->sharing += plans[k].purview == STORE_ON;
  }
  return VDT_OK;
}

int health_look(struct api *api, struct health *h)
{
  h->now_us = clock_unix_us();
  h->stats = api->stats;
  h->engine = api->engine;
  h->writers = count_writers(api);
  look_at_disk(api, h);
  look_at_feeds(api, h);
  int rc = look_at_audit(api, h);
  if (!rc) rc = look_at_glass(api, h);
  return rc ? rc : look_at_plans(api, h);
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static uint64_t since_s(const struct health *h, uint64_t us)
{
  return us && h->now_us > us ? (h->now_us - us) / 1000000 : 0;
}

static unsigned long long ull(uint64_t v)
{
  return (unsigned long long)v;
}

/* Two of a thing: "2 feeds". */
static void count(char out[40], uint64_t n, const char *what)
{
  snprintf(out, 40, "%llu %s%s", ull(n), what, n == 1 ? "" : "s");
}

static enum state part_GATEWAY(const struct health *h, char says[SAYS])
{
  char processes[40];
  uint64_t at = atomic_load(&h->stats->stored_us);
  snprintf(processes, sizeof processes, "%llu process%s", ull(h->writers), h->writers == 1 ? "" : "es");
  if (!h->writers) snprintf(says, SAYS, "No process writes records now: nothing has been sent yet, or the gateway is down.");
  else if (!at) snprintf(says, SAYS, "Records are written by %s; none has come since the control process started.", processes);
  else snprintf(says, SAYS, "Records are written by %s; the last was stored %llu s ago.", processes, ull(since_s(h, at)));
  return h->writers ? OK : ATTENTION;
}

static enum state part_COLLECT(const struct health *h, char says[SAYS])
{
  uint64_t lag = atomic_load(&h->stats->lag_us), errors = atomic_load(&h->stats->store_errors);
  snprintf(says, SAYS,
           "%llu records since the start, the last %llu ms after its end; %llu batches refused, %llu lines not readable.",
           ull(atomic_load(&h->stats->records)), ull(lag / 1000), ull(errors), ull(atomic_load(&h->stats->rejected)));
  return errors ? BAD : lag > LATE_S * UINT64_C(1000000) ? ATTENTION : OK;
}

static bool is_full(const struct health *h)
{
  return h->disk_bytes && (h->free_bytes < 1024 * MIB || h->free_bytes < h->disk_bytes / 20);
}

static enum state part_STORE(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu MiB in the databases, %llu MiB free on their disk.", ull(h->store_bytes / MIB),
           ull(h->free_bytes / MIB));
  return is_full(h) ? BAD : OK;
}

static enum state part_FEEDS(const struct health *h, char says[SAYS])
{
  char feeds[40];
  count(feeds, h->feeds, "feed");
  if (h->feeds)
    snprintf(says, SAYS, "%s, the oldest content %llu h old; %llu old, %llu not readable.", feeds, ull(h->feed_age_s / 3600),
             ull(h->feeds_stale), ull(h->feeds_failed));
  else snprintf(says, SAYS, "No feed is configured; the built-in list is used.");
  return h->feeds_stale || h->feeds_failed ? ATTENTION : h->feeds ? OK : OFF;
}

static enum state part_EXPORTS(const struct health *h, char says[SAYS])
{
  char subscriptions[40];
  count(subscriptions, h->sharing, "subscription");
  if (h->sharing) snprintf(says, SAYS, "Audit records without text are written for %s.", subscriptions);
  else snprintf(says, SAYS, "Switched off; nothing is written for others.");
  return h->sharing ? OK : OFF;
}

static enum state part_ENGINE(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%s", h->engine ? h->engine : "This process has no engine: texts cannot be tried here.");
  return h->engine ? OK : OFF;
}

static enum state part_AUDIT(const struct health *h, char says[SAYS])
{
  if (!h->audit_last) snprintf(says, SAYS, "Nothing has been written to it yet.");
  else
    snprintf(says, SAYS, "%sEntry %llu, %llu h ago, hash %s…; vedette audit verify checks the chain.",
             h->audit_key ? "" : "The key is missing. ", ull(h->audit_last), ull(since_s(h, h->audit_us) / 3600), h->audit_head);
  return h->audit_key ? OK : BAD;
}

static enum state part_DATABASES(const struct health *h, char says[SAYS])
{
  if (h->databases) snprintf(says, SAYS, "%llu configured, %llu not open.", ull(h->databases), ull(h->databases_missing));
  else snprintf(says, SAYS, "None is configured: alerts have no country and network.");
  return h->databases_missing ? ATTENTION : h->databases ? OK : OFF;
}

/* ---- attention -------------------------------------------------------------------------------------------------- */

static bool is_large(uint64_t part, uint64_t whole)
{
  return part >= SHARE_LEAST && part * 20 >= whole;
}

static bool needs_AUDIT_KEY(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu entries can no longer be continued.", ull(h->audit_last));
  return !h->audit_key;
}

static bool needs_BREAK_GLASS(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu times within a day.", ull(h->glass));
  return h->glass > 0;
}

static bool needs_DISK(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu MiB are free.", ull(h->free_bytes / MIB), ull(h->disk_bytes / MIB));
  return is_full(h);
}

static bool needs_STORE_ERRORS(const struct health *h, char says[SAYS])
{
  uint64_t n = atomic_load(&h->stats->store_errors);
  snprintf(says, SAYS, "%llu batches were refused since the start.", ull(n));
  return n > 0;
}

static bool needs_LAG(const struct health *h, char says[SAYS])
{
  uint64_t lag = atomic_load(&h->stats->lag_us);
  snprintf(says, SAYS, "The last record was stored %llu s after its end.", ull(lag / 1000000));
  return lag > LATE_S * UINT64_C(1000000);
}

static bool needs_OPEN_HIGH(const struct health *h, char says[SAYS])
{
  char alerts[40];
  count(alerts, h->open_high, "alert");
  snprintf(says, SAYS, "%s.", alerts);
  return h->open_high > 0;
}

static bool needs_NOT_INSPECTED(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu requests in this time.", ull(h->not_inspected), ull(h->requests));
  return is_large(h->not_inspected, h->requests);
}

static bool needs_FAILED(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu requests in this time.", ull(h->failed), ull(h->requests));
  return is_large(h->failed, h->requests);
}

static bool needs_FEED_FAILED(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu feeds.", ull(h->feeds_failed), ull(h->feeds));
  return h->feeds_failed > 0;
}

static bool needs_FEED_STALE(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu feeds; the oldest content is %llu h old.", ull(h->feeds_stale), ull(h->feeds),
           ull(h->feed_age_s / 3600));
  return h->feeds_stale > 0;
}

static bool needs_SILENT(const struct health *h, char says[SAYS])
{
  uint64_t s = since_s(h, atomic_load(&h->stats->stored_us));
  snprintf(says, SAYS, "The last was stored %llu h ago.", ull(s / 3600));
  return s > DAY_S;
}

static bool needs_REJECTED(const struct health *h, char says[SAYS])
{
  uint64_t n = atomic_load(&h->stats->rejected);
  snprintf(says, SAYS, "%llu lines since the start.", ull(n));
  return n > 0;
}

static bool needs_UNKNOWN_WORKSPACE(const struct health *h, char says[SAYS])
{
  uint64_t n = atomic_load(&h->stats->unknown_workspace);
  snprintf(says, SAYS, "%llu records since the start.", ull(n));
  return n > 0;
}

static bool needs_DATABASE(const struct health *h, char says[SAYS])
{
  snprintf(says, SAYS, "%llu of %llu.", ull(h->databases_missing), ull(h->databases));
  return h->databases_missing > 0;
}

/* ---- answer ----------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *title;
  enum state (*look)(const struct health *h, char says[SAYS]);
} parts[] = {
#define X(id, name, title) {name, title, part_##id},
#include "api/parts.def"
#undef X
};

static const struct {
  const char *name;
  enum vdt_severity severity;
  const char *title, *todo;
  bool (*needs)(const struct health *h, char says[SAYS]);
} rules[] = {
#define X(id, name, severity, title, todo) {name, VDT_##severity, title, todo, needs_##id},
#include "api/attention.def"
#undef X
};

static void put_parts(struct buf *b, const struct health *h)
{
  BUF_LIT(b, ",\"health\":[");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char says[SAYS] = "";
    enum state state = parts[i].look(h, says);
    buf_printf(b, "%s{\"part\":\"%s\",\"title\":\"%s\",\"state\":\"%s\"", i ? "," : "", parts[i].name, parts[i].title,
               states[state]);
    api_put_member(b, "says", str_of(says));
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

void health_put(struct buf *b, const struct health *h)
{
  bool any = false;
  put_parts(b, h);
  BUF_LIT(b, ",\"attention\":[");
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    char says[SAYS] = "";
    if (!rules[i].needs(h, says)) continue;
    buf_printf(b, "%s{\"id\":\"%s\",\"severity\":\"%s\"", any ? "," : "", rules[i].name, vdt_severity_name(rules[i].severity));
    api_put_member(b, "title", str_of(rules[i].title));
    api_put_member(b, "says", str_of(says));
    api_put_member(b, "todo", str_of(rules[i].todo));
    buf_byte(b, '}');
    any = true;
  }
  buf_byte(b, ']');
}
