/* Listing and reading alerts, and what the process says about itself. */
#include "api/answer.h"
#include "api/arm.h"
#include "api/glass.h"
#include "base/clock.h"

void api_healthz(struct api *api, const struct api_request *request, struct api_response *response)
{
  (void)api;
  (void)request;
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"status\":\"ok\"}");
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

/* The page's alerts of one store are merged into those of the others: both are ordered by name. */
static size_t merge(struct alert *page, size_t n, const struct alert *more, size_t m, struct alert *scratch)
{
  size_t i = 0, j = 0, k = 0;
  while (k < API_PAGE + 1 && (i < n || j < m)) {
    bool first = j == m || (i < n && memcmp(page[i].name, more[j].name, ALERT_NAME_LEN) <= 0);
    scratch[k++] = first ? page[i++] : more[j++];
  }
  memcpy(page, scratch, k * sizeof *page);
  return k;
}

static int gather(struct api *api, const struct api_request *r, struct alert **out, size_t *n)
{
  struct store_query q = STORE_QUERY_ALL;
  q.subscription = r->sub;
  q.resource_group = r->rg;
  q.after = r->skip_token;
  q.limit = API_PAGE + 1;
  struct alert *page = arena_zalloc(api->arena, API_PAGE + 1, sizeof *page),
               *scratch = arena_zalloc(api->arena, API_PAGE + 1, sizeof *page);
  if (!page || !scratch) return VDT_ENOMEM;
  for (size_t i = 0; i < api->n_stores; i++) {
    struct alert *more;
    size_t m;
    if (!api_in_location(api->stores[i], r)) continue;
    int rc = api->stores[i]->ops->list(api->stores[i], &q, api->arena, &more, &m, NULL);
    if (rc) return rc;
    *n = merge(page, *n, more, m, scratch);
  }
  *out = page;
  return VDT_OK;
}

static bool token_ok(struct str token)
{
  for (size_t i = 0; i < token.n; i++)
    if (!token.p[i] || !memchr("0123456789abcdef-_", token.p[i], 18)) return false;
  return token.n == 0 || token.n == ALERT_NAME_LEN;
}

void api_alerts_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct alert *page = NULL;
  size_t n = 0;
  if (!token_ok(r->skip_token)) {
    api_error(response, 400, "InvalidSkipToken", "$skipToken is not one that this list gave.");
    return;
  }
  int rc = gather(api, r, &page, &n);
  if (!rc && r->evidence) rc = api_read_evidence(api, r, page, n < API_PAGE ? n : API_PAGE);
  if (rc) {
    api_store_failed(response, rc, "AlertNotFound");
    return;
  }
  struct buf *b = &response->body;
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < n && i < API_PAGE; i++) {
    if (i) buf_byte(b, ',');
    arm_put_alert(b, &page[i], r->evidence);
  }
  buf_byte(b, ']');
  if (n > API_PAGE) api_put_next_link(b, r, (struct str){page[API_PAGE - 1].name, ALERT_NAME_LEN});
  buf_byte(b, '}');
}

void api_alerts_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store *store;
  struct alert a;
  int rc = api_find_alert(api, r, &store, &a);
  if (!rc && r->evidence) rc = api_read_evidence(api, r, &a, 1);
  response->type = API_JSON;
  if (rc) api_store_failed(response, rc, "AlertNotFound");
  else arm_put_alert(&response->body, &a, r->evidence);
}

/* ---- metrics ---------------------------------------------------------------------------------------------------- */

static void put_metric(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
  buf_printf(b, "# HELP vedette_%s %s\n# TYPE vedette_%s %s\nvedette_%s %llu\n", name, help, name, type, name,
             (unsigned long long)value);
}

static int put_alert_counts(struct api *api, struct buf *b)
{
  BUF_LIT(b, "# HELP vedette_alerts Alerts in the store.\n# TYPE vedette_alerts gauge\n");
  for (size_t i = 0; i < api->n_stores; i++) {
    struct store_counts counts;
    int rc = api->stores[i]->ops->count(api->stores[i], &counts, NULL);
    if (rc) return rc;
    struct str w = api->stores[i]->place.workspace;
    for (unsigned t = 0; t < ALERT_TYPES; t++)
      for (unsigned s = 0; s < ALERT_STATUSES; s++)
        buf_printf(b, "vedette_alerts{workspace=\"%.*s\",type=\"%s\",status=\"%s\"} %llu\n", (int)w.n, w.p,
                   alert_info((enum alert_type)t)->type, alert_status_name((enum alert_status)s),
                   (unsigned long long)counts.alerts[t][s]);
  }
  return VDT_OK;
}

static void put_feed_metric(struct api *api, struct buf *b, const char *name, const char *help,
                            uint64_t (*value)(const struct feeds_status *s))
{
  struct feeds_status s;
  buf_printf(b, "# HELP vedette_%s %s\n# TYPE vedette_%s gauge\n", name, help, name);
  for (size_t i = 0; feeds_status_at(api->feeds, i, &s); i++)
    buf_printf(b, "vedette_%s{feed=\"%s\",kind=\"%s\"} %llu\n", name, s.name, intel_kind_name(s.kind),
               (unsigned long long)value(&s));
}

static uint64_t feed_entries(const struct feeds_status *s)
{
  return s->entries;
}

static uint64_t feed_age(const struct feeds_status *s)
{
  uint64_t now = clock_unix_us();
  return s->loaded_us && now > s->loaded_us ? (now - s->loaded_us) / 1000000 : 0;
}

static uint64_t feed_stale(const struct feeds_status *s)
{
  return s->stale;
}

static uint64_t feed_failed(const struct feeds_status *s)
{
  return s->failed;
}

static void put_databases(struct api *api, struct buf *b)
{
  struct geo_info g;
  if (!geo_info(api->geo, 0, &g)) return;
  BUF_LIT(b, "# HELP vedette_database_built_seconds When a database of addresses was built, Unix time; 0: it is not open.\n"
             "# TYPE vedette_database_built_seconds gauge\n");
  for (size_t i = 0; geo_info(api->geo, i, &g); i++)
    buf_printf(b, "vedette_database_built_seconds{database=\"%s\"} %llu\n", g.name, (unsigned long long)g.built);
}

static void put_feeds(struct api *api, struct buf *b)
{
  struct feeds_status s;
  if (!feeds_status_at(api->feeds, 0, &s)) return;
  put_feed_metric(api, b, "feed_entries", "Addresses and names that a threat-intelligence feed gives.", feed_entries);
  put_feed_metric(api, b, "feed_age_seconds", "How old that is; 0 also when it never said anything.", feed_age);
  put_feed_metric(api, b, "feed_stale", "1: older than its stale_after, or never read.", feed_stale);
  put_feed_metric(api, b, "feed_failed", "1: it could not be read the last time; what it said before stays.", feed_failed);
}

static void put_providers(struct api *api, struct buf *b)
{
  struct oidc_status s;
  uint64_t now = clock_unix_us();
  if (!oidc_status_at(api->oidc, 0, &s)) return;
  BUF_LIT(
      b, "# HELP vedette_oidc_keys Keys that tokens of an identity provider are held against.\n# TYPE vedette_oidc_keys gauge\n");
  for (size_t i = 0; oidc_status_at(api->oidc, i, &s); i++) {
    BUF_LIT(b, "vedette_oidc_keys{issuer=");
    json_quote(b, str_of(s.issuer));
    buf_printf(b, "} %zu\n", s.keys);
  }
  BUF_LIT(b, "# HELP vedette_oidc_keys_age_seconds When they were read last; 0 also when never.\n"
             "# TYPE vedette_oidc_keys_age_seconds gauge\n");
  for (size_t i = 0; oidc_status_at(api->oidc, i, &s); i++) {
    BUF_LIT(b, "vedette_oidc_keys_age_seconds{issuer=");
    json_quote(b, str_of(s.issuer));
    buf_printf(b, "} %llu\n", (unsigned long long)(s.loaded_us && now > s.loaded_us ? (now - s.loaded_us) / 1000000 : 0));
  }
}

void api_metrics(struct api *api, const struct api_request *request, struct api_response *response)
{
  struct buf *b = &response->body;
  const struct collect_stats *s = api->stats;
  (void)request;
  put_metric(b, "records_total", "counter", "Interactions stored since the start.", atomic_load(&s->records));
  put_metric(b, "evidence_lost_total", "counter",
             "Interactions whose evidence was not kept: there was no key to seal it to, or sealing failed.",
             atomic_load(&s->evidence_lost));
  put_metric(b, "records_duplicate_total", "counter", "Records read again after a restart.", atomic_load(&s->duplicates));
  put_metric(b, "alerts_new_total", "counter", "Alerts begun since the start.", atomic_load(&s->alerts_new));
  put_metric(b, "alerts_extended_total", "counter", "Repeats that extended an alert.", atomic_load(&s->alerts_extended));
  put_metric(b, "opinions_after_purge_total", "counter",
             "Second opinions that came when their record had been purged; not stored.", atomic_load(&s->after_purge));
  put_metric(b, "alert_events_withdrawn_total", "counter", "Events that a second opinion took back.", atomic_load(&s->withdrawn));
  put_metric(b, "alert_events_suppressed_total", "counter", "Events that a suppression rule dismissed.",
             atomic_load(&s->suppressed));
  put_metric(b, "incidents_total", "counter", "Incidents begun since the start.", atomic_load(&s->incidents));
  put_metric(b, "egress_total", "counter", "Questions that left for outside shields.", atomic_load(&s->egress));
  put_metric(b, "egress_bytes_total", "counter", "Bytes of them.", atomic_load(&s->egress_bytes));
  put_metric(b, "journal_rejected_total", "counter", "Journal lines that could not be read.", atomic_load(&s->rejected));
  put_metric(b, "journal_deleted_total", "counter", "Journals read to their end and deleted.", atomic_load(&s->journals_deleted));
  put_metric(b, "unknown_workspace_total", "counter", "Records of no known workspace.", atomic_load(&s->unknown_workspace));
  put_metric(b, "store_errors_total", "counter", "Batches that the store refused; they are tried again.",
             atomic_load(&s->store_errors));
  put_metric(b, "collect_lag_microseconds", "gauge", "From the end of the last interaction to its storing.",
             atomic_load(&s->lag_us));
  put_metric(b, "break_glass_total", "counter", "Times that evidence was opened by break-glass since the start.",
             api->glass ? api->glass->count : 0);
  put_metric(b, "break_glass_open", "gauge", "Callers who have it open now.", glass_open_now(api->glass));
  put_feeds(api, b);
  put_databases(api, b);
  put_providers(api, b);
  int rc = put_alert_counts(api, b);
  response->type = "text/plain; version=0.0.4; charset=utf-8";
  if (rc) api_store_failed(response, rc, "AlertNotFound");
}
