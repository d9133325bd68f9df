/* The workbench's view of rules: detectors in sum, and rules page by page, with what the stores know of them. Pure: rules in, JSON out. */
#include "base/clock.h"
#include "base/quote.h"
#include "cli/workbench_show.h"
#include "engine/check.h"

static void put_text(struct buf *b, const char *name, struct str text)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, text);
}

static void put_texts(struct buf *b, const char *name, const struct str *texts, unsigned n)
{
  buf_printf(b, ",\"%s\":[", name);
  for (unsigned i = 0; i < n; i++) {
    if (i) buf_byte(b, ',');
    json_quote(b, texts[i]);
  }
  buf_byte(b, ']');
}

/* ---- hits ------------------------------------------------------------------------------------------------------- */

struct hits {
  uint64_t n, last_us;
};

/* Several stores may have some. */
static struct hits hits_of(const struct workbench_rules *q, const char *rule)
{
  struct hits h = {0};
  for (size_t i = 0; i < q->n_hits; i++) {
    if (!str_eq(q->hits[i].rule, str_of(rule))) continue;
    h.n += q->hits[i].n;
    if (q->hits[i].last_us > h.last_us) h.last_us = q->hits[i].last_us;
  }
  return h;
}

/* ---- detectors -------------------------------------------------------------------------------------------------- */

static void put_roles(struct buf *b, unsigned roles)
{
  bool any = false;
  BUF_LIT(b, ",\"reads\":[");
  for (unsigned r = VDT_SYSTEM; r <= VDT_RESPONSE; r++) {
    if (!(roles >> r & 1)) continue;
    buf_printf(b, "%s\"%s\"", any ? "," : "", vdt_role_name((enum vdt_role)r));
    any = true;
  }
  buf_byte(b, ']');
}

int workbench_put_summary(const struct rules *rules, const struct workbench_rules *q, struct buf *out)
{
  static const struct {
    const char *title;
    unsigned roles;
  } detectors[] = {
#define X(id, name, title, roles) {title, roles},
#include "vedette/detectors.def"
#undef X
  };
  buf_printf(out, "\"rules\":%u,\"detectors\":[", rules->n);
  for (unsigned d = 0; d < VDT_DETECTORS; d++) {
    unsigned n = 0;
    uint64_t hits = 0;
    for (unsigned i = 0; i < rules->n; i++) {
      if (rules->rules[i].detector != (enum vdt_detector_id)d) continue;
      n++;
      hits += hits_of(q, rules->rules[i].id).n;
    }
    buf_printf(out, "%s{\"name\":\"%s\"", d ? "," : "", vdt_detector_name((enum vdt_detector_id)d));
    put_text(out, "title", str_of(detectors[d].title));
    put_roles(out, detectors[d].roles);
    buf_printf(out, ",\"rules\":%u,\"hits\":%llu}", n, (unsigned long long)hits);
  }
  buf_byte(out, ']');
  return VDT_OK;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static bool has(struct str hay, struct str needle)
{
  for (size_t i = 0; i + needle.n <= hay.n; i++)
    if (str_ieq(str_cut(hay, i, i + needle.n), needle)) return true;
  return false;
}

static bool is_wanted(const struct rule *r, const struct workbench_rules *q)
{
  const struct str in[] = {str_of(r->id), str_of(r->title), str_of(r->file), r->category};
  if (q->detector.n && !str_eq(q->detector, str_of(vdt_detector_name(r->detector)))) return false;
  for (size_t i = 0; q->word.n && i < sizeof in / sizeof *in; i++)
    if (in[i].n && has(in[i], q->word)) return true;
  return !q->word.n;
}

static void put_rule(struct buf *b, const struct rule *r, const struct workbench_rules *q)
{
  struct hits h = hits_of(q, r->id);
  char time[CLOCK_TEXT];
  BUF_LIT(b, "{\"id\":");
  json_quote(b, str_of(r->id));
  put_text(b, "title", str_of(r->title));
  buf_printf(b, ",\"detector\":\"%s\",\"severity\":\"%s\"", vdt_detector_name(r->detector), vdt_severity_name(r->severity));
  if (rule_is_score(r)) buf_printf(b, ",\"weight\":%g", r->weight);
  else buf_printf(b, ",\"confidence\":%u", r->confidence);
  put_text(b, "category", r->category);
  put_text(b, "pattern", r->pattern.n ? r->pattern : r->regex);
  put_texts(b, "gates", r->gates, r->n_gates);
  put_text(b, "check", str_of(r->check ? r->check->help : ""));
  put_text(b, "remediation", str_of(r->remediation));
  put_text(b, "purview", str_of(r->purview));
  put_text(b, "file", str_of(r->file));
  buf_printf(b, ",\"line\":%u", r->line);
  put_texts(b, "match", r->match, r->n_match);
  put_texts(b, "clean", r->clean, r->n_clean);
  buf_printf(b, ",\"hits\":%llu", (unsigned long long)h.n);
  if (h.n) {
    clock_format(h.last_us, time);
    put_text(b, "lastHit", str_of(time));
  }
  buf_byte(b, '}');
}

int workbench_put_rules(const struct rules *rules, const struct workbench_rules *q, struct buf *out)
{
  size_t seen = 0, shown = 0;
  BUF_LIT(out, "\"value\":[");
  for (unsigned i = 0; i < rules->n; i++) {
    if (!is_wanted(&rules->rules[i], q)) continue;
    if (seen++ < q->skip || shown == q->top) continue;
    if (shown++) buf_byte(out, ',');
    put_rule(out, &rules->rules[i], q);
  }
  buf_printf(out, "],\"total\":%zu", seen);
  if (seen > q->skip + shown) buf_printf(out, ",\"next\":\"%zu\"", q->skip + shown);
  return VDT_OK;
}
