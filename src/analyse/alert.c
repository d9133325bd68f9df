#include "analyse/alert.h"
#include <sodium.h>

static const struct alert_info infos[] = {
#define X(id, type, title, description, severity, tactics, techniques, atlas, owasp, agent, stage, column, remediation)          \
  {type,  title, description, VDT_##severity, tactics,       techniques,                                                         \
   atlas, owasp, column,      remediation,    ALERT_##agent, STAGE_##stage},
#include "analyse/alerts.def"
#undef X
};

const char *const alert_classifications[] = {"Undetermined", "TruePositive", "BenignPositive", "FalsePositive"};
static const char *const status_names[] = {"Active", "InProgress", "Resolved", "Dismissed"};

const struct alert_info *alert_info(enum alert_type type)
{
  return &infos[type];
}

static const char *list_of(enum alert_type type, enum alert_list which)
{
  const struct alert_info *i = &infos[type];
  const char *const lists[] = {i->tactics, i->techniques, i->atlas, i->owasp};
  return lists[which];
}

static bool list_has(struct str list, struct str item)
{
  for (size_t at = 0; at + item.n <= list.n; at++) {
    bool begins = at == 0 || list.p[at - 1] == '|', ends = at + item.n == list.n || list.p[at + item.n] == '|';
    if (begins && ends && str_eq(str_cut(list, at, at + item.n), item)) return true;
  }
  return false;
}

static void add_items(struct buf *out, const char *list)
{
  for (const char *p = list; *p;) {
    struct str item = {p, strcspn(p, "|")};
    if (!list_has(buf_str(out), item)) {
      if (out->n) buf_byte(out, '|');
      buf_put(out, item);
    }
    p += item.n + (p[item.n] == '|');
  }
}

const char *alert_list(const struct alert *a, enum alert_list which, struct buf *scratch)
{
  if (a->type != ALERT_INCIDENT) return list_of(a->type, which);
  buf_reset(scratch);
  for (size_t i = 0; i < a->n_members; i++) add_items(scratch, list_of(a->members[i].type, which));
  buf_byte(scratch, 0);
  return scratch->failed ? "" : scratch->p;
}

enum alert_type alert_type_find(struct str name)
{
  unsigned i = 0;
  while (i < ALERT_TYPES && !str_eq(name, str_of(infos[i].type))) i++;
  return (enum alert_type)i;
}

enum alert_type alert_variant(enum alert_type type, bool agent)
{
  return agent && infos[type].agent < ALERT_TYPES ? infos[type].agent : type;
}

const char *alert_status_name(enum alert_status status)
{
  return status_names[status];
}

enum alert_status alert_status_find(struct str name)
{
  unsigned i = 0;
  while (i < ALERT_STATUSES && !str_ieq(name, str_of(status_names[i]))) i++;
  return (enum alert_status)i;
}

/* ---- names and places ------------------------------------------------------------------------------------------- */

/* Azure's form: the ticks (100 ns since the year 1) left until the end of the year 9999, and a GUID. The GUID is a hash of what
 * began the alert, so that the same record always begins the same alert. */
void alert_ticks(uint64_t time_us, char out[ALERT_TICKS_LEN + 1])
{
  static const uint64_t last_tick = UINT64_C(3155378975999999999), epoch = UINT64_C(621355968000000000);
  uint64_t ticks = time_us < UINT64_C(253402300800000000) ? last_tick - (epoch + time_us * 10) : 0;
  snprintf(out, ALERT_TICKS_LEN + 1, "%019llu", (unsigned long long)ticks);
}

void alert_make_name(struct str interaction, uint64_t time_us, enum alert_type which, struct str workspace,
                     char out[ALERT_NAME_LEN + 1])
{
  const char *type = infos[which].type;
  char ticks[ALERT_TICKS_LEN + 1];
  unsigned char g[16];
  crypto_generichash_state h;
  crypto_generichash_init(&h, NULL, 0, sizeof g);
  crypto_generichash_update(&h, (const unsigned char *)(interaction.n ? interaction.p : ""), interaction.n);
  crypto_generichash_update(&h, (const unsigned char *)type, strlen(type) + 1);
  crypto_generichash_update(&h, (const unsigned char *)workspace.p, workspace.n);
  crypto_generichash_final(&h, g, sizeof g);
  g[6] = (unsigned char)((g[6] & 0x0f) | 0x80);
  g[8] = (unsigned char)((g[8] & 0x3f) | 0x80);
  alert_ticks(time_us, ticks);
  snprintf(out, ALERT_NAME_LEN + 1, "%s_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", ticks, g[0], g[1],
           g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

/* The segment of the path that follows `key`, or empty. ARM paths do not mind case. */
static struct str segment_after(struct str path, struct str key)
{
  bool next = false;
  for (size_t i = 0; i < path.n;) {
    const char *slash = memchr(path.p + i, '/', path.n - i);
    size_t end = slash ? (size_t)(slash - path.p) : path.n;
    struct str s = str_cut(path, i, end);
    if (next) return s;
    next = str_ieq(s, key);
    i = end + 1;
  }
  return (struct str){0};
}

struct str alert_subscription(const struct record *r, const struct alert_place *place)
{
  struct str sub = segment_after(r->resource_id, STR("subscriptions"));
  if (sub.n && segment_after(r->resource_id, STR("resourceGroups")).n) return sub;
  return place->subscription.n ? place->subscription : STR("00000000-0000-0000-0000-000000000000");
}

static void set_place(const struct record *r, const struct alert_place *place, struct alert *a)
{
  struct str sub = segment_after(r->resource_id, STR("subscriptions")),
             group = segment_after(r->resource_id, STR("resourceGroups"));
  a->subscription = alert_subscription(r, place);
  if (sub.n && group.n) {
    a->resource_id = r->resource_id;
    a->resource_group = group;
  } else {
    a->resource_group = place->resource_group.n ? place->resource_group : STR("vedette");
  }
  a->region = place->region;
  a->workspace = place->workspace;
}

static bool set_principal(const struct record *r, struct vdt_arena *arena, struct alert *a)
{
  const char *kind = r->end_user.n ? "user" : r->key_id.n ? "key" : "ip";
  struct str who = r->end_user.n ? r->end_user : r->key_id.n ? r->key_id : r->client_ip;
  if (!who.n) return true;
  /* No printf: the value may hold any bytes. */
  char *p = arena_alloc(arena, who.n + 5);
  if (!p) return false;
  size_t n = strlen(kind);
  memcpy(p, kind, n);
  p[n] = ':';
  memcpy(p + n + 1, who.p, who.n);
  a->principal = (struct str){p, n + 1 + who.n};
  return true;
}

/* ---- sets of words ---------------------------------------------------------------------------------------------- */

/* A word may have a comma itself: titles do. */
static bool set_has(struct str set, struct str word)
{
  for (size_t i = 0; i + word.n <= set.n;) {
    struct str rest = str_cut(set, i, set.n);
    if (str_starts(rest, word) && (rest.n == word.n || str_starts(str_cut(rest, word.n, rest.n), STR(", ")))) return true;
    size_t at = str_find(rest, STR(", "));
    if (at == (size_t)-1) return false;
    i += at + 2;
  }
  return false;
}

/* Adds word to a list separated by ", "; a list that is full stays as it is. */
static bool set_add(struct str *set, struct str word, struct vdt_arena *arena)
{
  if (!word.n || set_has(*set, word) || set->n + word.n + 2 > ALERT_TEXT_MAX) return true;
  size_t n = set->n ? set->n + 2 : 0;
  char *p = arena_alloc(arena, n + word.n);
  if (!p) return false;
  if (n) {
    memcpy(p, set->p, set->n);
    memcpy(p + set->n, ", ", 2);
  }
  memcpy(p + n, word.p, word.n);
  *set = (struct str){p, n + word.n};
  return true;
}

static bool set_add_all(struct str *set, struct str more, struct vdt_arena *arena)
{
  for (size_t i = 0; i < more.n;) {
    size_t at = str_find(str_cut(more, i, more.n), STR(", "));
    size_t end = at == (size_t)-1 ? more.n : i + at;
    if (!set_add(set, str_cut(more, i, end), arena)) return false;
    i = end + 2;
  }
  return true;
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static bool is_jailbreak(enum alert_type t)
{
  return t == ALERT_JAILBREAK_BLOCKED || t == ALERT_JAILBREAK_DETECTED || t == ALERT_AGENT_JAILBREAK_BLOCKED ||
         t == ALERT_AGENT_JAILBREAK_DETECTED;
}

/* The whole attempt was blocked as soon as one of its findings blocked the interaction. */
static bool jailbreak_blocked(const struct record *r)
{
  if (r->verdict != RECORD_VERDICT_BLOCKED) return false;
  for (size_t i = 0; i < r->n_findings; i++)
    if (is_jailbreak(alert_type_find(r->findings[i].alert)) && str_eq(r->findings[i].action, STR("block"))) return true;
  return false;
}

/* Alerts about how much a deployment was used altogether: the one whose record made it sure is not who they are about. */
static bool is_of_deployment(enum alert_type t)
{
  return t == ALERT_WALLET_VOLUME || t == ALERT_AGENT_WALLET_VOLUME;
}

static void forget_who(struct alert *a)
{
  a->principal = a->x.application = a->x.end_user = a->x.tenant = a->x.source_ip = (struct str){0};
  a->x.client_ip = a->x.key_id = a->x.user_agent = a->x.country = a->x.network = (struct str){0};
}

static bool set_label(struct alert *a, const struct record *r, struct vdt_arena *arena)
{
  if (!r->label.n) return true;
  a->x.label = r->label;
  a->x.label_priority = str_of(arena_printf(arena, "%u", r->label_priority));
  return a->x.label_priority.n > 0;
}

static struct alert *event_of(enum alert_type type, const struct record *r, const struct alert_place *place, uint64_t now_us,
                              struct vdt_arena *arena, struct alert *out, size_t *n)
{
  for (size_t i = 0; i < *n; i++)
    if (out[i].type == type) return &out[i];
  struct alert *a = &out[*n];
  *a = (struct alert){.type = type, .count = 1, .start_us = r->time_us, .end_us = r->time_us, .generated_us = now_us};
  a->evidence = arena_zalloc(arena, ALERT_EVIDENCE_MAX, sizeof *a->evidence);
  if (!a->evidence || !set_principal(r, arena, a)) return NULL;
  set_place(r, place, a);
  a->severity = infos[type].severity;
  alert_make_name((struct str){r->id, RECORD_ID_LEN}, r->time_us, type, place->workspace, a->name);
  a->x = (struct alert_extended){.application = r->application,
                                 .end_user = r->end_user,
                                 .tenant = r->end_user_tenant,
                                 .source_ip = r->source_ip,
                                 .client_ip = r->client_ip,
                                 .key_id = r->key_id,
                                 .user_agent = r->user_agent,
                                 .country = r->country,
                                 .network = r->network,
                                 .deployment = r->deployment,
                                 .model = r->model,
                                 .policy = r->policy,
                                 .first_interaction = {r->id, RECORD_ID_LEN},
                                 .last_interaction = {r->id, RECORD_ID_LEN}};
  a->text[0] = r->request.text;
  a->text[1] = r->response.text;
  a->text_cut[0] = r->request.text_cut;
  a->text_cut[1] = r->response.text_cut;
  if (is_of_deployment(type)) forget_who(a);
  if (!set_label(a, r, arena)) return NULL;
  ++*n;
  return a;
}

static void add_evidence(struct alert *a, const struct record *r, const struct record_finding *f)
{
  a->evidence_total++;
  if (a->n_evidence == ALERT_EVIDENCE_MAX) return;
  struct alert_evidence *e = &a->evidence[a->n_evidence++];
  *e = (struct alert_evidence){.time_us = r->time_us,
                               .part = f->part,
                               .role = f->role,
                               .rule = f->rule,
                               .title = f->title,
                               .reason = f->reason,
                               .redacted = f->redacted,
                               .segment = f->evidence,
                               .sealed = f->sealed,
                               .source = f->source,
                               .layers = f->layers,
                               .decoded = f->decoded,
                               .confidence = f->confidence};
  memcpy(e->interaction, r->id, sizeof e->interaction);
}

/* Keys and data have a severity by kind (rules/): that of the worst one counts, and not that of the type. */
static void take_severity(struct alert *a, const struct record_finding *f)
{
  static const enum vdt_severity all[] = {VDT_INFORMATIONAL, VDT_LOW, VDT_MEDIUM, VDT_HIGH};
  bool by_kind = str_eq(f->detector, STR("credential")) || str_eq(f->detector, STR("sensitive"));
  for (size_t i = 0; by_kind && i < sizeof all / sizeof *all; i++) {
    if (!str_eq(f->severity, str_of(vdt_severity_name(all[i])))) continue;
    if (a->evidence_total == 0 || all[i] > a->severity) a->severity = all[i];
  }
}

static bool add_finding(struct alert *a, const struct record *r, const struct record_finding *f, struct vdt_arena *arena)
{
  struct str kind = {0};
  if (is_jailbreak(a->type)) kind = str_eq(f->detector, STR("indirect")) ? STR("indirect") : STR("direct");
  if (f->confidence > a->confidence) a->confidence = f->confidence;
  take_severity(a, f);
  add_evidence(a, r, f);
  return set_add(&a->x.detector, f->detector, arena) && set_add(&a->x.rules, f->rule, arena) &&
         set_add(&a->x.found, f->title, arena) && set_add(&a->x.action, f->action, arena) &&
         set_add(&a->x.source, f->source, arena) && set_add(&a->x.attack_kind, kind, arena) &&
         set_add(&a->x.data_policy, f->policy, arena);
}

int alert_events(const struct record *r, const struct alert_place *place, uint64_t now_us, struct vdt_arena *arena,
                 struct alert out[ALERT_TYPES], size_t *n)
{
  bool blocked = jailbreak_blocked(r);
  *n = 0;
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct record_finding *f = &r->findings[i];
    enum alert_type type = alert_type_find(f->alert);
    if (type == ALERT_TYPES || str_eq(f->action, STR("allow"))) continue;
    if (is_jailbreak(type)) type = blocked ? ALERT_JAILBREAK_BLOCKED : ALERT_JAILBREAK_DETECTED;
    struct alert *a = event_of(alert_variant(type, r->agent), r, place, now_us, arena, out, n);
    if (!a || !add_finding(a, r, f, arena)) return VDT_ENOMEM;
  }
  return VDT_OK;
}

int alert_signal(const struct alert_signal *signal, const struct record *r, const struct alert_place *place, uint64_t now_us,
                 struct vdt_arena *arena, struct alert out[ALERT_TYPES], size_t *n)
{
  struct record_finding f = {.part = signal->part,
                             .role = signal->role,
                             .detector = signal->detector,
                             .rule = signal->rule,
                             .title = signal->title,
                             .action = STR("detect"),
                             .reason = signal->reason,
                             .source = STR("vedette"),
                             .evidence = signal->segment,
                             .confidence = signal->confidence};
  struct alert *a = event_of(alert_variant(signal->type, r->agent), r, place, now_us, arena, out, n);
  if (!a) return VDT_ENOMEM;
  return add_finding(a, r, &f, arena) ? VDT_OK : VDT_ENOMEM;
}

/* ---- repeats ---------------------------------------------------------------------------------------------------- */

bool alert_takes(const struct alert *alert, uint64_t time_us, uint64_t window_us)
{
  bool open = alert->status == ALERT_ACTIVE || alert->status == ALERT_IN_PROGRESS ||
              (alert->status == ALERT_DISMISSED && alert->suppressed.n);
  bool after = time_us <= alert->end_us || time_us - alert->end_us <= window_us;
  bool before = time_us >= alert->start_us || alert->start_us - time_us <= window_us;
  return open && after && before;
}

/* How texts of repeats combine; `newer` says that the event is later than all before it. */
static bool combine_FIRST(struct str *have, struct str event, bool newer, struct vdt_arena *arena)
{
  (void)newer;
  (void)arena;
  if (!have->n) *have = event;
  return true;
}

static bool combine_LAST(struct str *have, struct str event, bool newer, struct vdt_arena *arena)
{
  (void)arena;
  if (event.n && (newer || !have->n)) *have = event;
  return true;
}

static bool combine_SET(struct str *have, struct str event, bool newer, struct vdt_arena *arena)
{
  (void)newer;
  return set_add_all(have, event, arena);
}

static bool combine_HIGHEST(struct str *have, struct str event, bool higher, struct vdt_arena *arena)
{
  (void)arena;
  if (higher) *have = event;
  return true;
}

static uint64_t priority_of(const struct alert *a)
{
  uint64_t priority = 0;
  return a->x.label_priority.n && str_u64(a->x.label_priority, &priority) ? priority : 0;
}

/* What the third argument of combine_ is. */
#define WHEN_FIRST   newer
#define WHEN_LAST    newer
#define WHEN_SET     newer
#define WHEN_HIGHEST higher

int alert_extend(struct alert *alert, const struct alert *event, struct vdt_arena *arena, size_t *evidence_n)
{
  bool newer = event->end_us >= alert->end_us, higher = priority_of(event) > priority_of(alert), ok = true;
#define X(member, name, title, combine) ok = ok && combine_##combine(&alert->x.member, event->x.member, WHEN_##combine, arena);
#include "analyse/extended.def"
#undef X
  if (event->start_us < alert->start_us) {
    alert->start_us = event->start_us;
    alert->x.first_interaction = event->x.first_interaction;
  }
  if (newer) alert->end_us = event->end_us;
  if (event->confidence > alert->confidence) alert->confidence = event->confidence;
  if (event->severity > alert->severity) alert->severity = event->severity;
  size_t room = alert->evidence_total < ALERT_EVIDENCE_MAX ? ALERT_EVIDENCE_MAX - (size_t)alert->evidence_total : 0;
  *evidence_n = event->n_evidence < room ? event->n_evidence : room;
  alert->count += event->count;
  alert->evidence_total += event->evidence_total;
  return ok ? VDT_OK : VDT_ENOMEM;
}
