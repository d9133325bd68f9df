#include "api/audit_record.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"

/* ---- one record -------------------------------------------------------------------------------------------------- */

static void put(struct buf *b, const char *name, struct str value)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}

static bool has_attack(const struct record *r, struct str detector)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (str_eq(r->findings[i].detector, detector) && !str_eq(r->findings[i].action, STR("allow"))) return true;
  return false;
}

/* How often each kind was found, told at its first finding. */
static void put_kinds(struct buf *b, const struct record *r, const char *name, struct str detector)
{
  bool first = true;
  buf_printf(b, ",\"%s\":[", name);
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct record_finding *f = &r->findings[i];
    unsigned count = 0, before = 0;
    if (!str_eq(f->detector, detector)) continue;
    for (size_t k = 0; k < r->n_findings; k++) {
      const struct record_finding *g = &r->findings[k];
      bool same = str_eq(g->detector, detector) && str_eq(g->rule, f->rule) && str_eq(g->direction, f->direction);
      count += same;
      before += same && k < i;
    }
    if (before) continue;
    buf_printf(b, "%s{\"Direction\":\"%.*s\",\"Count\":%u", first ? "" : ",", (int)f->direction.n, f->direction.p, count);
    put(b, "Kind", f->rule);
    put(b, "Action", f->action);
    if (f->type.n) put(b, "Type", f->type);
    if (f->type_id.n) put(b, "TypeId", f->type_id);
    if (f->policy.n) put(b, "Policy", f->policy);
    buf_byte(b, '}');
    first = false;
  }
  BUF_LIT(b, "]");
}

static void put_messages(struct buf *b, const struct record *r)
{
  buf_printf(b,
             "\"MessageIds\":[\"%s-p\",\"%s-r\"],\"Messages\":[{\"Id\":\"%s-p\",\"Size\":%llu,\"isPrompt\":true,"
             "\"JailbreakDetected\":%s},{\"Id\":\"%s-r\",\"Size\":%llu,\"isPrompt\":false}]",
             r->id, r->id, r->id, (unsigned long long)r->request.bytes, has_attack(r, STR("jailbreak")) ? "true" : "false", r->id,
             (unsigned long long)r->response.bytes);
}

/* Documents and tool results in which an injection was found; a place is named once. */
static void put_resources(struct buf *b, const struct record *r)
{
  bool any = false;
  BUF_LIT(b, ",\"AccessedResources\":[");
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct record_finding *f = &r->findings[i];
    bool named = !str_eq(f->detector, STR("indirect")) || str_eq(f->action, STR("allow"));
    for (size_t k = 0; k < i && !named; k++)
      named = str_eq(r->findings[k].detector, f->detector) && str_eq(r->findings[k].part, f->part) &&
              !str_eq(r->findings[k].action, STR("allow"));
    if (named) continue;
    buf_printf(b, "%s{\"Type\":\"Document\",\"Action\":\"Read\",\"Status\":\"%s\",\"XPIADetected\":true", any ? "," : "",
               str_eq(f->action, STR("block")) ? "Failure" : "Success");
    put(b, "Id", f->part);
    put(b, "Name", f->part);
    buf_byte(b, '}');
    any = true;
  }
  buf_byte(b, ']');
}

/* Tools that the model called. */
static void put_plugins(struct buf *b, const struct record *r)
{
  BUF_LIT(b, ",\"AISystemPlugin\":[");
  for (size_t at = 0; at < r->tools.n;) {
    struct str rest = str_cut(r->tools, at, r->tools.n);
    size_t comma = str_find(rest, STR(", ")), n = comma == (size_t)-1 ? rest.n : comma;
    buf_printf(b, "%s{\"Version\":\"\"", at ? "," : "");
    put(b, "Id", str_cut(rest, 0, n));
    put(b, "Name", str_cut(rest, 0, n));
    buf_byte(b, '}');
    at += n + 2;
  }
  buf_byte(b, ']');
}

static void put_event(struct buf *b, const struct record *r)
{
  BUF_LIT(b, ",\"CopilotEventData\":{");
  put_messages(b, r);
  put(b, "AppHost", r->application);
  put(b, "ThreadId", STR(""));
  BUF_LIT(b, ",\"Contexts\":[]");
  put_resources(b, r);
  put_plugins(b, r);
  BUF_LIT(b, ",\"ModelTransparencyDetails\":[{\"ModelProviderName\":\"\"");
  put(b, "ModelName", r->model.n ? r->model : r->deployment);
  BUF_LIT(b, "}]}");
}

static void put_own(struct buf *b, const struct record *r)
{
  buf_printf(b, ",\"Vedette\":{\"Verdict\":\"%s\"", record_verdict_name(r->verdict));
  put(b, "Deployment", r->deployment);
  put(b, "Workspace", r->workspace);
  buf_printf(b, ",\"IndirectAttackDetected\":%s", has_attack(r, STR("indirect")) ? "true" : "false");
  if (r->label.n) put(b, "SensitivityLabel", r->label);
  put_kinds(b, r, "SensitiveInformation", STR("sensitive"));
  put_kinds(b, r, "Credentials", STR("credential"));
  buf_byte(b, '}');
}

void audit_record_put(struct buf *b, const struct record *r)
{
  char time[CLOCK_TEXT];
  clock_format(r->time_us, time);
  buf_printf(b,
             "{\"CreationTime\":\"%.19s\",\"Id\":\"%.8s-%.4s-%.4s-%.4s-%.12s\",\"RecordType\":328,"
             "\"Operation\":\"ConnectedAIAppInteraction\",\"Workload\":\"ConnectedAIApp\",\"UserType\":0,\"Version\":1,"
             "\"CopilotLogVersion\":\"1.0.0.0\"",
             time, r->id, r->id + 8, r->id + 12, r->id + 16, r->id + 20);
  put(b, "OrganizationId", r->end_user_tenant);
  put(b, "UserKey", r->end_user.n ? r->end_user : r->key_id);
  put(b, "UserId", r->end_user);
  put(b, "ClientIP", r->source_ip.n ? r->source_ip : r->client_ip);
  if (r->agent) {
    put(b, "AgentId", r->deployment);
    put(b, "AgentName", r->deployment);
  }
  put_event(b, r);
  put_own(b, r);
  BUF_LIT(b, "}\n");
}

/* ---- many of them ----------------------------------------------------------------------------------------------- */

/* The next records of a store. */
struct source {
  struct str *json;
  size_t n, at;
  struct record head; /* json[at], read; while at < n */
};

static int read_head(struct source *s, struct vdt_arena *arena, struct vdt_error *err)
{
  if (s->at == s->n) return VDT_OK;
  int rc = record_read(arena, s->json[s->at], &s->head, err);
  return rc && rc != VDT_ENOMEM ? VDT_EINVAL : rc;
}

static struct source *oldest(struct source *s, size_t n)
{
  struct source *best = NULL;
  for (size_t i = 0; i < n; i++) {
    if (s[i].at == s[i].n) continue;
    const struct record *a = &s[i].head, *b = best ? &best->head : NULL;
    if (!b || a->time_us < b->time_us || (a->time_us == b->time_us && memcmp(a->id, b->id, RECORD_ID_LEN) < 0)) best = &s[i];
  }
  return best;
}

static bool wanted(const struct audit_record_query *q, const struct record *r)
{
  return (!q->user.n || str_eq(q->user, r->end_user)) && (!q->application.n || str_eq(q->application, r->application));
}

int audit_records_put(struct store *const *stores, size_t n_stores, const struct audit_record_query *q, struct store_place *at,
                      size_t limit, struct vdt_arena *arena, struct buf *b, size_t *n, bool *more, struct vdt_error *err)
{
  struct source *sources = arena_zalloc(arena, n_stores + 1, sizeof *sources), *next;
  int rc = sources ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  *n = 0;
  for (size_t i = 0; !rc && i < n_stores; i++) {
    struct store_place place = *at;
    rc = stores[i]->ops->list_records(stores[i], &place, limit + 1, arena, &sources[i].json, &sources[i].n, err);
    if (!rc) rc = read_head(&sources[i], arena, err);
  }
  for (size_t k = 0; !rc && k < limit && (next = oldest(sources, n_stores)); k++) {
    if (q->to_us && next->head.time_us >= q->to_us) break;
    at->time_us = next->head.time_us;
    memcpy(at->id, next->head.id, sizeof at->id);
    if (wanted(q, &next->head)) audit_record_put(b, &next->head), ++*n;
    next->at++;
    rc = read_head(next, arena, err);
  }
  if (rc) return rc;
  next = oldest(sources, n_stores);
  *more = next && (!q->to_us || next->head.time_us < q->to_us);
  return VDT_OK;
}
