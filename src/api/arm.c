#include "api/arm.h"
#include "base/clock.h"
#include "base/quote.h"
#include <sodium.h>

void arm_put_time(struct buf *b, uint64_t us)
{
  char text[CLOCK_TEXT];
  clock_format(us, text);
  buf_printf(b, "\"%.26s0Z\"", text);
}

static void member(struct buf *b, const char *name, struct str value)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}

static void time_member(struct buf *b, const char *name, uint64_t us)
{
  buf_printf(b, ",\"%s\":", name);
  arm_put_time(b, us);
}

/* Items of a '|' list: all (0), those with a dot (1) or without (-1). */
static void list_member(struct buf *b, const char *name, const char *list, int dotted)
{
  bool first = true;
  buf_printf(b, ",\"%s\":[", name);
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, "|");
    bool dot = memchr(p, '.', n) != NULL;
    if (dotted == 0 || (dotted > 0) == dot) {
      if (!first) buf_byte(b, ',');
      json_quote(b, (struct str){p, n});
      first = false;
    }
    p += n + (p[n] == '|');
  }
  buf_byte(b, ']');
}

/* A '|' list in one string: "PrivilegeEscalation, DefenseEvasion" */
static void joined_member(struct buf *b, const char *name, const char *list)
{
  buf_printf(b, ",\"%s\":\"", name);
  for (const char *p = list; *p; p++) buf_put(b, *p == '|' ? STR(", ") : (struct str){p, 1});
  buf_byte(b, '"');
}

/* ARM has no word for Reconnaissance; its own for what comes before an attack is PreAttack. extendedProperties has ATT&CK's. */
static void put_intent(struct buf *b, const char *tactics)
{
  BUF_LIT(b, ",\"intent\":\"");
  for (const char *p = tactics; *p;) {
    size_t n = strcspn(p, "|");
    struct str tactic = {p, n};
    if (p != tactics) BUF_LIT(b, ", ");
    buf_put(b, str_eq(tactic, STR("Reconnaissance")) ? STR("PreAttack") : tactic);
    p += n + (p[n] == '|');
  }
  buf_put(b, *tactics ? STR("\"") : STR("Unknown\""));
}

void arm_put_id(struct buf *b, const struct alert *a)
{
  json_escape(b, STR("/subscriptions/"));
  json_escape(b, a->subscription);
  json_escape(b, STR("/resourceGroups/"));
  json_escape(b, a->resource_group);
  json_escape(b, STR("/providers/Microsoft.Security/locations/"));
  json_escape(b, a->region);
  json_escape(b, STR("/alerts/"));
  json_escape(b, (struct str){a->name, ALERT_NAME_LEN});
}

static void put_resources(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, ",\"resourceIdentifiers\":[");
  if (a->resource_id.n) {
    BUF_LIT(b, "{\"type\":\"AzureResource\",\"azureResourceId\":");
    json_quote(b, a->resource_id);
    BUF_LIT(b, "},");
  }
  BUF_LIT(b, "{\"type\":\"LogAnalytics\"");
  member(b, "workspaceId", a->workspace);
  member(b, "workspaceSubscriptionId", a->subscription);
  member(b, "workspaceResourceGroup", a->resource_group);
  BUF_LIT(b, "}]");
}

struct entity_value {
  const char *type, *property;
  struct str value;
};

/* Rows of one type are one entity; it is there when its first property is. */
static void put_entities(struct buf *b, const struct alert *a)
{
  const struct entity_value rows[] = {
#define X(type, property, value) {type, property, value},
#include "analyse/entities.def"
#undef X
  };
  const char *open = "";
  bool there = false;
  BUF_LIT(b, ",\"entities\":[");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(open, rows[i].type) != 0) {
      if (there) buf_put(b, STR("},"));
      open = rows[i].type;
      there = rows[i].value.n > 0;
      if (there) buf_printf(b, "{\"type\":\"%s\"", open);
    }
    if (there && rows[i].value.n) member(b, rows[i].property, rows[i].value);
  }
  if (there) buf_byte(b, '}');
  else if (b->n && b->p[b->n - 1] == ',') b->n--;
  buf_byte(b, ']');
}

/* Values are strings, numbers too: that is what ARM says. */
static void put_extended(struct buf *b, const struct alert *a, bool withheld)
{
  buf_printf(b, ",\"extendedProperties\":{\"count\":\"%llu\",\"confidence\":\"%u\"", (unsigned long long)a->count, a->confidence);
  buf_printf(b, ",\"evidenceTotal\":\"%llu\",\"evidenceKept\":\"%zu\"", (unsigned long long)a->evidence_total, a->n_evidence);
#define X(field, name, title, combine)                                                                                           \
  if (a->x.field.n) member(b, name, a->x.field);
#include "analyse/extended.def"
#undef X
  member(b, "workspace", a->workspace);
  if (withheld) member(b, "evidenceWithheld", STR("true"));
  if (a->closed && *a->closed) member(b, "evidenceClosed", str_of(a->closed));
  if (a->closed && *a->closed && a->closed_key[0]) member(b, "evidenceKeyId", str_of(a->closed_key));
  if (a->principal.n) member(b, "principal", a->principal);
  if (a->incident.n) member(b, "incident", a->incident);
  if (a->suppressed.n) member(b, "suppressedBy", a->suppressed);
  if (a->classification.n) member(b, "classification", a->classification);
  struct buf scratch = {0};
  joined_member(b, "tactics", alert_list(a, ALERT_TACTICS, &scratch));
  joined_member(b, "atlasTechniques", alert_list(a, ALERT_ATLAS, &scratch));
  joined_member(b, "owaspLlm", alert_list(a, ALERT_OWASP, &scratch));
  buf_finish(&scratch);
  buf_byte(b, '}');
}

/* The alerts of an incident, in the place where other alerts have what was found. */
static void put_members(struct buf *b, const struct alert *a)
{
  if (!a->n_members) return;
  BUF_LIT(b, ",\"supportingEvidence\":{\"type\":\"tabularEvidences\",\"title\":\"Alerts of this incident\",\"columns\":[\"Time\","
             "\"Alert\",\"Type\",\"Severity\",\"Status\"],\"rows\":[");
  for (size_t i = 0; i < a->n_members; i++) {
    const struct alert_member *m = &a->members[i];
    buf_put(b, i ? STR(",[") : STR("["));
    arm_put_time(b, m->start_us);
    buf_byte(b, ',');
    json_quote(b, m->name);
    buf_printf(b, ",\"%s\",\"%s\",\"%s\"]", alert_info(m->type)->type, vdt_severity_name(m->severity),
               alert_status_name(m->status));
  }
  BUF_LIT(b, "]}");
}

/* Which columns some row fills. */
struct columns {
  bool segments, layers, decoded;
  bool sealed; /* some row has text, open or not */
};

static void put_cell(struct buf *b, bool wanted, struct str text)
{
  if (!wanted) return;
  buf_byte(b, ',');
  json_quote(b, text);
}

static void put_row(struct buf *b, const struct alert_evidence *e, const struct columns *c)
{
  buf_byte(b, '[');
  arm_put_time(b, e->time_us);
  const struct str cells[] = {{e->interaction, strlen(e->interaction)}, e->part, e->rule, e->title, e->reason, e->redacted};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) put_cell(b, true, cells[i]);
  buf_printf(b, ",\"%u\"", e->confidence);
  put_cell(b, c->segments, e->segment);
  put_cell(b, c->layers, e->layers);
  put_cell(b, c->decoded, e->decoded);
  buf_byte(b, ']');
}

static struct columns columns_of(const struct alert *a)
{
  struct columns c = {0};
  for (size_t i = 0; i < a->n_evidence; i++) {
    c.segments |= a->evidence[i].segment.n > 0;
    c.sealed |= a->evidence[i].sealed.n > 0;
    c.layers |= a->evidence[i].layers.n > 0;
    c.decoded |= a->evidence[i].decoded.n > 0;
  }
  return c;
}

static void put_evidence(struct buf *b, const struct alert *a, bool evidence)
{
  struct columns c = columns_of(a);
  if (!a->n_evidence) return;
  c.segments &= evidence;
  c.decoded &= evidence;
  BUF_LIT(
      b,
      ",\"supportingEvidence\":{\"type\":\"tabularEvidences\",\"title\":\"What was found\",\"columns\":[\"Time\",\"Interaction\","
      "\"Part\",\"Rule\",\"Found\",\"Reason\",\"Masked\",\"Confidence\"");
  if (c.segments) buf_printf(b, ",\"%s\"", alert_info(a->type)->column);
  if (c.layers) BUF_LIT(b, ",\"Layers\"");
  if (c.decoded) BUF_LIT(b, ",\"Decoded\"");
  BUF_LIT(b, "],\"rows\":[");
  for (size_t i = 0; i < a->n_evidence; i++) {
    if (i) buf_byte(b, ',');
    put_row(b, &a->evidence[i], &c);
  }
  BUF_LIT(b, "]}");
}

/* Alerts of the same principal at the same deployment belong together. */
static void put_correlation(struct buf *b, const struct alert *a)
{
  unsigned char hash[16];
  const struct str parts[] = {a->workspace, a->x.deployment, a->principal};
  crypto_generichash_state h;
  crypto_generichash_init(&h, NULL, 0, sizeof hash);
  for (size_t i = 0; i < 3; i++) {
    unsigned char n[8];
    for (int k = 0; k < 8; k++) n[k] = (unsigned char)((uint64_t)parts[i].n >> (8 * k));
    crypto_generichash_update(&h, n, sizeof n);
    crypto_generichash_update(&h, (const unsigned char *)(parts[i].n ? parts[i].p : ""), parts[i].n);
  }
  crypto_generichash_final(&h, hash, sizeof hash);
  BUF_LIT(b, ",\"correlationKey\":\"");
  for (size_t i = 0; i < sizeof hash; i++) buf_printf(b, "%02x", hash[i]);
  buf_byte(b, '"');
}

static struct str compromised(const struct alert *a)
{
  struct str id = a->resource_id;
  const char *slash = id.n ? memrchr(id.p, '/', id.n) : NULL;
  return slash ? str_cut(id, (size_t)(slash - id.p) + 1, id.n) : a->x.deployment;
}

/* What was raised on request says so where people look first. */
static void put_title(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, ",\"alertDisplayName\":\"");
  if (str_eq(a->x.source, STR("simulated"))) BUF_LIT(b, "[SAMPLE ALERT] ");
  json_escape(b, str_of(alert_info(a->type)->title));
  buf_byte(b, '"');
}

static void put_properties(struct buf *b, const struct alert *a, bool evidence)
{
  const struct alert_info *info = alert_info(a->type);
  BUF_LIT(b, "{\"version\":\"" ARM_ALERTS_VERSION "\"");
  member(b, "alertType", str_of(info->type));
  member(b, "systemAlertId", (struct str){a->name, ALERT_NAME_LEN});
  member(b, "productComponentName", STR("AI"));
  put_title(b, a);
  member(b, "description", str_of(info->description));
  member(b, "severity", str_of(vdt_severity_name(a->severity)));
  struct buf scratch = {0};
  put_intent(b, alert_list(a, ALERT_TACTICS, &scratch));
  time_member(b, "startTimeUtc", a->start_us);
  time_member(b, "endTimeUtc", a->end_us);
  time_member(b, "timeGeneratedUtc", a->generated_us);
  time_member(b, "processingEndTimeUtc", a->generated_us);
  put_resources(b, a);
  list_member(b, "remediationSteps", info->remediation, 0);
  member(b, "vendorName", STR("vedette"));
  member(b, "productName", STR("vedette"));
  member(b, "status", str_of(alert_status_name(a->status)));
  put_entities(b, a);
  buf_put(b, a->type == ALERT_INCIDENT ? STR(",\"isIncident\":true") : STR(",\"isIncident\":false"));
  put_correlation(b, a);
  member(b, "compromisedEntity", compromised(a));
  const char *techniques = alert_list(a, ALERT_TECHNIQUES, &scratch);
  list_member(b, "techniques", techniques, -1);
  list_member(b, "subTechniques", techniques, 1);
  buf_finish(&scratch);
  struct columns c = columns_of(a);
  put_extended(b, a, !evidence && (c.segments || c.decoded || c.sealed));
  if (a->type == ALERT_INCIDENT) put_members(b, a);
  else put_evidence(b, a, evidence);
  buf_byte(b, '}');
}

void arm_put_alert(struct buf *b, const struct alert *a, bool evidence)
{
  BUF_LIT(b, "{\"id\":\"");
  arm_put_id(b, a);
  BUF_LIT(b, "\"");
  member(b, "name", (struct str){a->name, ALERT_NAME_LEN});
  BUF_LIT(b, ",\"type\":\"Microsoft.Security/Locations/alerts\",\"properties\":");
  put_properties(b, a, evidence);
  buf_byte(b, '}');
}
