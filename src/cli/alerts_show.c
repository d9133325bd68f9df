/* vedette alerts show: one alert for people. Everything in it was written by others. */
#include "api/arm.h"
#include "api/unseal.h"
#include "base/clock.h"
#include "record/seal.h"
#include "cli/alerts.h"

static void put_safe_line(struct buf *b, const char *title, struct str value)
{
  if (!value.n) return;
  buf_printf(b, "  %-18s ", title);
  cli_safe(b, value);
  buf_byte(b, '\n');
}

static void put_items(struct buf *b, const char *list, const char *before, const char *after)
{
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, "|");
    buf_printf(b, "%s%.*s%s", before, (int)n, p, after);
    p += n + (p[n] == '|');
  }
}

/* The alerts of an incident. */
static void put_members(struct buf *b, const struct alert *a)
{
  if (a->n_members) BUF_LIT(b, "\nAlerts\n");
  for (size_t i = 0; i < a->n_members; i++) {
    const struct alert_member *m = &a->members[i];
    char time[CLOCK_TEXT];
    clock_format(m->start_us, time);
    buf_printf(b, "  %.10s %.8s  %.*s  %s, %s: %s\n", time, time + 11, (int)(m->name.n > 28 ? 8 : 0), m->name.p + 20,
               vdt_severity_name(m->severity), alert_status_name(m->status), alert_info(m->type)->title);
  }
}

static void put_lists(struct buf *b, const struct alert *a)
{
  static const struct {
    enum alert_list list;
    const char *head, *before;
  } rows[] = {{ALERT_TACTICS, "\nTactics\n", "  "},
              {ALERT_TECHNIQUES, "Techniques\n", "  ATT&CK "},
              {ALERT_ATLAS, "", "  ATLAS "},
              {ALERT_OWASP, "", "  OWASP "}};
  struct buf scratch = {0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    buf_put(b, str_of(rows[i].head));
    put_items(b, alert_list(a, rows[i].list, &scratch), rows[i].before, "\n");
  }
  buf_finish(&scratch);
}

static void put_what(struct buf *b, const struct alert *a)
{
  const struct alert_info *info = alert_info(a->type);
  char first[CLOCK_TEXT], last[CLOCK_TEXT];
  clock_format(a->start_us, first);
  clock_format(a->end_us, last);
  buf_printf(b, "%s\n%s, %s, %s\n%.*s\n\n%s\n\n", info->title, vdt_severity_name(a->severity), alert_status_name(a->status),
             info->type, ALERT_NAME_LEN, a->name, info->description);
  buf_printf(b, "It happened %llu time%s at deployment ", (unsigned long long)a->count, a->count == 1 ? "" : "s");
  cli_safe(b, a->x.deployment);
  buf_printf(b, ", first on %.10s at %.8s", first, first + 11);
  if (a->end_us != a->start_us) buf_printf(b, " and last on %.10s at %.8s", last, last + 11);
  buf_printf(b, " (UTC). The confidence is %u of 100.", a->confidence);
  if (a->x.found.n) {
    BUF_LIT(b, " Found: ");
    cli_safe(b, a->x.found);
    BUF_LIT(b, ".");
  }
  BUF_LIT(b, "\n");
  put_members(b, a);
  put_lists(b, a);
}

static void put_who(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, "\nWho and where\n");
  put_safe_line(b, "Workspace", a->workspace);
  put_safe_line(b, "Incident", a->incident);
  put_safe_line(b, "Suppressed by", a->suppressed);
  put_safe_line(b, "Classification", a->classification);
  put_safe_line(b, "Resource", a->resource_id);
#define X(member, name, title, combine) put_safe_line(b, title, a->x.member);
#include "analyse/extended.def"
#undef X
}

static void put_evidence(struct buf *b, const struct alert *a)
{
  buf_printf(b, "\nEvidence (%zu of %llu)\n", a->n_evidence, (unsigned long long)a->evidence_total);
  for (size_t i = 0; i < a->n_evidence; i++) {
    const struct alert_evidence *e = &a->evidence[i];
    char time[CLOCK_TEXT];
    clock_format(e->time_us, time);
    buf_printf(b, "  %.10s %.8s  ", time, time + 11);
    cli_safe(b, e->rule);
    BUF_LIT(b, " in ");
    cli_safe(b, e->part);
    buf_printf(b, ", confidence %u, interaction %s\n", e->confidence, e->interaction);
    const struct {
      const char *title;
      struct str text;
    } more[] = {
        {"why", e->reason}, {"masked", e->redacted}, {"segment", e->segment}, {"encoded in", e->layers}, {"decoded", e->decoded}};
    if (!e->segment.n && (e->sealed.n || e->shredded)) BUF_LIT(b, "    segment: closed\n");
    for (size_t m = 0; m < sizeof more / sizeof *more; m++) {
      if (!more[m].text.n) continue;
      buf_printf(b, "    %s: ", more[m].title);
      cli_safe(b, more[m].text);
      buf_byte(b, '\n');
    }
  }
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

static void put_side(struct buf *b, const char *title, struct str packed, uint64_t cut)
{
  struct str part, role, text;
  while (seal_unpack(&packed, &part) && seal_unpack(&packed, &role) && seal_unpack(&packed, &text)) {
    buf_printf(b, "    %s, ", title);
    cli_safe(b, part);
    BUF_LIT(b, ": ");
    cli_safe(b, text);
    buf_byte(b, '\n');
  }
  if (cut) buf_printf(b, "    %s: %llu bytes were left out\n", title, (unsigned long long)cut);
}

static void put_interaction(struct buf *b, const struct alerts *a, const struct unseal_keys *k, const char *interaction)
{
  struct store *s = stores_of(&a->stores, k->workspace);
  struct store_text t[2];
  struct str id = {interaction, RECORD_ID_LEN};
  if (!s || s->ops->get_texts(s, id, a->arena, t, NULL)) return;
  if (t[0].sealed.n || t[1].sealed.n || t[0].shredded || t[1].shredded) buf_printf(b, "  interaction %s\n", interaction);
  for (unsigned side = 0; side < 2; side++) {
    struct str packed;
    char key[SEAL_KEY_ID + 1];
    const char *title = side ? "response" : "request";
    enum unseal_closed why = unseal_text(k, id, side, &t[side], a->arena, &packed, key);
    if (why) buf_printf(b, "    %s: closed (%s)\n", title, unseal_code(why));
    else put_side(b, title, packed, t[side].sealed.n ? t[side].cut : 0);
  }
}

/* Of its interactions, each once. */
static void put_texts(struct buf *b, const struct alerts *a, const struct alert *alert)
{
  struct unseal_source source = {NULL, a->key};
  struct unseal unseal = {a->state, &source, a->key ? 1 : 0};
  struct unseal_keys k;
  struct buf texts = {0};
  unseal_begin(&unseal, alert->workspace, &k);
  for (size_t i = 0; i < alert->n_evidence; i++) {
    bool seen = false;
    for (size_t j = 0; j < i; j++) seen |= strcmp(alert->evidence[j].interaction, alert->evidence[i].interaction) == 0;
    if (!seen) put_interaction(&texts, a, &k, alert->evidence[i].interaction);
  }
  unseal_end(&k);
  if (texts.n) BUF_LIT(b, "\nWhole texts\n");
  buf_put(b, texts.n ? buf_str(&texts) : STR(""));
  buf_finish(&texts);
}

static void put_said(struct buf *b, const struct alert_change *c)
{
  if (c->classification.n) {
    BUF_LIT(b, ", ");
    cli_safe(b, c->classification);
  }
  if (!c->comment.n) return;
  BUF_LIT(b, ": ");
  cli_safe(b, c->comment);
}

static void put_history(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, "\nWhat to do\n");
  put_items(b, alert_info(a->type)->remediation, "  - ", "\n");
  BUF_LIT(b, "\nHistory\n");
  char time[CLOCK_TEXT];
  clock_format(a->generated_us, time);
  buf_printf(b, "  %.10s %.8s  raised\n", time, time + 11);
  for (size_t i = 0; i < a->n_history; i++) {
    const struct alert_change *c = &a->history[i];
    clock_format(c->time_us, time);
    buf_printf(b, "  %.10s %.8s  ", time, time + 11);
    if (c->from != c->to) buf_printf(b, "%s -> %s by ", alert_status_name(c->from), alert_status_name(c->to));
    else BUF_LIT(b, "a word by ");
    cli_safe(b, c->who);
    put_said(b, c);
    buf_byte(b, '\n');
  }
}

int alerts_show(const struct alerts *a, const struct alert *alert)
{
  struct buf b = {0};
  if (a->json) {
    arm_put_alert(&b, alert, true);
    buf_byte(&b, '\n');
  } else {
    put_what(&b, alert);
    put_who(&b, alert);
    if (alert->evidence_total) put_evidence(&b, alert);
    if (alert->n_evidence) put_texts(&b, a, alert);
    put_history(&b, alert);
  }
  return cli_flush(&b) ? 0 : 1;
}
