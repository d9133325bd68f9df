/*
 * One line of a journal, stored with the alerts that it raises or takes back. Nothing is committed here: a line and everything that follows from it are
 * part of its batch's transaction.
 */
#include "analyse/access.h"
#include "api/collect_inside.h"
#include "api/geo.h"
#include "base/clock.h"
#include "base/error.h"

static size_t find_store(struct collect *c, struct str workspace, struct batch *b)
{
  if (c->at->own) return c->at->store;
  for (size_t i = 0; i < c->n_stores; i++)
    if (str_eq(c->stores[i]->place.workspace, workspace)) return i;
  b->unknown_workspace++;
  return 0;
}

static int put_event(struct collect *c, struct store *s, const struct alert *event, struct batch *b, struct vdt_error *err)
{
  bool is_new, incident = false;
  int rc = s->ops->put_event(s, event, c->window_us, &is_new, err);
  if (!rc && is_new) rc = s->ops->relate(s, event, event->generated_us, &incident, err);
  if (rc) return rc;
  b->alerts_new += is_new;
  b->alerts_extended += !is_new;
  b->suppressed += event->suppressed.n > 0;
  b->incidents += incident;
  return VDT_OK;
}

/* Where it came from. */
static int look_at_access(struct collect *c, struct record *r)
{
  struct record_finding found[ACCESS_FINDINGS];
  size_t n;
  int rc = access_observe(c->intel, r, c->arena, found, &n);
  return rc ? rc : record_append(r, c->arena, found, n);
}

static int store_alerts(struct collect *c, size_t store, const struct record *r, struct batch *b, struct vdt_error *err)
{
  struct alert events[ALERT_TYPES];
  struct store *s = c->stores[store];
  struct record all = *r; /* and what it shows together with those before it */
  size_t n;
  uint64_t now = clock_unix_us();
  if (c->geo) geo_find(c->geo, all.source_ip.n ? all.source_ip : all.client_ip, c->arena, &all.country, &all.network);
  if (baseline_observe(&c->baselines[store], &all, c->arena) || look_at_access(c, &all) ||
      alert_events(&all, &s->place, now, c->arena, events, &n))
    return error_set(err, VDT_ENOMEM, "out of memory");
  settings_apply(&c->settings, events, &n, now);
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < n; i++) rc = put_event(c, s, &events[i], b, err);
  return rc;
}

static bool has_type(const struct alert *events, size_t n, enum alert_type type)
{
  for (size_t i = 0; i < n; i++)
    if (events[i].type == type) return true;
  return false;
}

/* Leaves of an event what a shield said: the rest was put when the record came. false: it said nothing. */
static bool keep_shields(struct alert *event)
{
  size_t n = 0;
  for (size_t i = 0; i < event->n_evidence; i++)
    if (str_eq(event->evidence[i].source, STR("shield"))) event->evidence[n++] = event->evidence[i];
  event->n_evidence = n;
  event->evidence_total = n;
  event->count = 0;
  return n > 0;
}

/* What the record raised and raises no more is withdrawn, what it raises now is put, what it goes on raising gets the word of the shield. */
static int move_alerts(struct collect *c, struct store *s, const struct record *old, const struct record *r, struct batch *b,
                       struct vdt_error *err)
{
  struct alert before[ALERT_TYPES], after[ALERT_TYPES];
  size_t n_before, n_after;
  uint64_t now = clock_unix_us();
  if (alert_events(old, &s->place, now, c->arena, before, &n_before) ||
      alert_events(r, &s->place, now, c->arena, after, &n_after))
    return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = VDT_OK;
  settings_apply(&c->settings, after, &n_after, now);
  for (size_t i = 0; !rc && i < n_before; i++) {
    if (has_type(after, n_after, before[i].type)) continue;
    rc = s->ops->withdraw_event(s, &before[i], c->window_us, STR("second opinion"), now, err);
    b->withdrawn++;
  }
  for (size_t i = 0; !rc && i < n_after; i++) {
    if (!has_type(before, n_before, after[i].type)) rc = put_event(c, s, &after[i], b, err);
    else if (keep_shields(&after[i])) rc = s->ops->amend_event(s, &after[i], c->window_us, err);
  }
  return rc;
}

/* What was purged since the interaction may have been of it: a late answer brings none of its texts back. */
static void forget_texts(struct record *r)
{
  for (size_t i = 0; i < r->n_findings; i++)
    r->findings[i].evidence = r->findings[i].decoded = r->findings[i].sealed = (struct str){0};
  r->request.text = r->response.text = (struct str){0};
}

/* A second opinion came after the record. Read twice it changes nothing: the stored record then has the revision already. *known false:
 * the record itself is not there, and this one stands for it, unless records were purged since the interaction: then it was one of those, or nobody
 * can tell, and what was to be gone stays gone. */
static int store_revision(struct collect *c, struct store *s, struct record *r, struct batch *b, bool *known,
                          struct vdt_error *err)
{
  struct str json;
  struct record old;
  bool purged[STORE_CLASSES];
  int found = s->ops->get_record(s, (struct str){r->id, RECORD_ID_LEN}, c->arena, &json, err);
  *known = found != VDT_ENOTFOUND;
  if (found && *known) return found;
  int rc = s->ops->purged_since(s, r->time_us, purged, err);
  if (!rc && !*known && purged[STORE_RECORDS]) {
    b->after_purge++;
    *known = true;
    return VDT_OK;
  }
  if (!rc && (purged[STORE_ALERTS] || purged[STORE_EVIDENCE])) forget_texts(r);
  if (rc || !*known) return rc;
  if ((rc = record_read(c->arena, json, &old, err))) return rc == VDT_ENOMEM ? rc : VDT_EINVAL;
  b->duplicates += old.revision >= r->revision;
  if (old.revision >= r->revision) return VDT_OK;
  rc = s->ops->revise_record(s, r, err);
  return rc ? rc : move_alerts(c, s, &old, r, b, err);
}

/* Into the ledger, in the transaction of the line that says so. */
static int note_transfer(struct store *s, const char *kind, struct str name, struct str destination, uint64_t time_us,
                         uint64_t sent, uint64_t received, struct vdt_error *err)
{
  char day[CLOCK_TEXT];
  clock_format(time_us, day);
  struct store_transfer t = {{day, 10}, str_of(kind), name, destination, 1, sent, received};
  return s->ops->put_transfer(s, &t, err);
}

static int store_egress(struct collect *c, const struct record_egress *e, struct batch *b, struct vdt_error *err)
{
  size_t i = find_store(c, e->workspace, b);
  bool is_new = false;
  int rc = collect_begin(c, i, err);
  if (!rc) rc = c->stores[i]->ops->put_egress(c->stores[i], e, &is_new, err);
  b->egress += is_new;
  if (is_new) b->egress_bytes += e->bytes;
  if (rc || !is_new) return rc;
  return note_transfer(c->stores[i], "shield", e->shield, e->destination, e->time_us, e->bytes, 0, err);
}

static void share(struct collect *c, size_t store, const struct record *r)
{
  struct store_plan plan = settings_plan(&c->settings, alert_subscription(r, &c->stores[store]->place));
  if (plan.standard && plan.purview == STORE_ON) sharing_add(&c->sharing[store], r);
}

static int store_record(struct collect *c, struct record *r, struct batch *b, struct vdt_error *err)
{
  size_t i = find_store(c, r->workspace, b);
  bool is_new, known = false;
  int rc = collect_begin(c, i, err);
  if (!rc && r->revision) rc = store_revision(c, c->stores[i], r, b, &known, err);
  if (known) return rc;
  if (!rc) rc = c->stores[i]->ops->put_record(c->stores[i], r, &is_new, err);
  if (rc) return rc;
  b->records += is_new;
  b->duplicates += !is_new;
  b->evidence_lost += is_new && r->evidence_lost.n;
  uint64_t now = clock_unix_us(), end = r->time_us + r->duration_us;
  b->lag_us = now > end ? now - end : 0;
  if (is_new) share(c, i, r);
  if (is_new && r->upstream.n)
    rc = note_transfer(c->stores[i], "upstream", r->deployment, r->upstream, r->time_us, r->sent_bytes, r->received_bytes, err);
  if (rc) return rc;
  return is_new ? store_alerts(c, i, r, b, err) : VDT_OK;
}

void collect_reject(struct collect *c, struct spool_file *f, uint64_t at, struct str line, const char *why, struct batch *b)
{
  b->rejected++;
  if (at < f->rejected_to) return;
  fprintf(stderr, "vedette serve: %s:%llu: line skipped: %s\n", f->name, (unsigned long long)at, why);
  spool_reject(&c->at->spool, line);
  f->rejected_to = at + line.n;
}

/* What lies in the folder of a workspace and names another: it is stored in neither. */
static bool is_foreign(const struct collect *c, struct str workspace)
{
  return c->at->own && workspace.n && !str_eq(workspace, c->stores[c->at->store]->place.workspace);
}

/* EINVAL from the store: this batch holds something that it will never take. One by one, only that line is lost. */
int collect_line(struct collect *c, struct spool_file *f, uint64_t at, struct str line, struct batch *b, struct vdt_error *err)
{
  struct record r;
  struct record_egress e;
  struct vdt_error bad = {0};
  bool egress = record_is_egress(line);
  vdt_arena_reset(c->arena);
  int rc = egress ? record_read_egress(c->arena, line, &e, &bad) : record_read(c->arena, line, &r, &bad);
  if (rc) {
    collect_reject(c, f, at, line, bad.text, b);
    return VDT_OK;
  }
  if (is_foreign(c, egress ? e.workspace : r.workspace)) {
    collect_reject(c, f, at, line, "of another workspace than the folder that it is in", b);
    return VDT_OK;
  }
  rc = egress ? store_egress(c, &e, b, err) : store_record(c, &r, b, err);
  if (rc != VDT_EINVAL || !c->careful) return rc;
  collect_rollback(c);
  collect_reject(c, f, at, line, "the store refuses it", b);
  return collect_begin(c, c->at->store, err);
}
