/*
 * text:analyze of our Content Safety API: which phrases of the named blocklists stand in a text. Categories of harm are not what vedette
 * judges, so categoriesAnalysis is always empty: it says nothing about the text.
 */
#include "base/error.h"
#include "gateway/shield.h"
#include <sodium.h>

enum { NODES_MAX = 1 << 16 };

/* All phrases of the configuration, as load_blocklists numbers them. */
struct phrases {
  size_t n;
  struct str *text;
  size_t *list;
  bool *written;
  enum vdt_action *actions; /* of each list: DETECT when it is asked for */
};

static bool gather(const struct config *c, struct vdt_arena *arena, struct phrases *out)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n_blocklists; i++) n += c->blocklists[i].n_items + c->blocklists[i].n_lines;
  *out = (struct phrases){.text = arena_zalloc(arena, n + 1, sizeof *out->text),
                          .list = arena_zalloc(arena, n + 1, sizeof *out->list),
                          .written = arena_zalloc(arena, n + 1, sizeof *out->written),
                          .actions = arena_zalloc(arena, c->n_blocklists + 1, sizeof *out->actions)};
  if (!out->text || !out->list || !out->written || !out->actions) return false;
  for (size_t i = 0; i < c->n_blocklists; i++) {
    const struct config_blocklist *b = &c->blocklists[i];
    for (size_t k = 0; k < b->n_items + b->n_lines; k++, out->n++) {
      out->text[out->n] = str_of(k < b->n_items ? b->items[k].text : b->lines[k - b->n_items].text);
      out->list[out->n] = i;
    }
  }
  return true;
}

/* Which of the lists count. ENOTFOUND when a name is that of no list. */
static int want(const struct config *c, const struct shield_analysis *a, struct phrases *p, struct vdt_error *err)
{
  for (size_t i = 0; i < a->n_lists; i++) {
    size_t at = 0;
    while (at < c->n_blocklists && !str_eq(str_of(c->blocklists[at].name), a->lists[i])) at++;
    if (at == c->n_blocklists) return error_set(err, VDT_ENOTFOUND, "blocklistNames[%zu]: there is no such blocklist", i);
    p->actions[at] = VDT_DETECT;
  }
  return VDT_OK;
}

/* The same for the same phrase in the same list, after a reload too. */
static void item_id(struct str list, struct str text, char out[37])
{
  unsigned char h[16];
  crypto_generichash(h, sizeof h, (const unsigned char *)text.p, text.n, NULL, 0);
  for (size_t i = 0; i < list.n; i++) h[i % sizeof h] ^= (unsigned char)list.p[i];
  snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1], h[2], h[3], h[4], h[5],
           h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14], h[15]);
}

/* The phrases in the text, and in what it decodes to: nothing else is looked for. */
static int find(struct exchange *x, struct vdt_arena *scratch, const struct phrases *p, struct str text, struct vdt_result *out)
{
  struct vdt_policy policy;
  vdt_policy_default(&policy);
  policy.jailbreak.action = policy.indirect.action = policy.hidden_text.action = VDT_ALLOW;
  policy.credential.prompt = policy.sensitive.prompt = policy.malicious_url.prompt = VDT_ALLOW;
  policy.reconnaissance.action = VDT_ALLOW;
  policy.phrases = (struct vdt_phrases){x->image->blocklist, p->actions};
  return vdt_scan(x->scanner, scratch, &policy, VDT_PROMPT, text.p, text.n, out);
}

/* Each phrase once, wherever it stands. */
static bool put_matches(struct exchange *x, struct phrases *p, const struct vdt_result *r)
{
  struct finding_origin o = {.role = VDT_PROMPT, .part = STR("text")};
  bool first = true;
  for (size_t i = 0; i < r->n_findings; i++) {
    size_t k = r->findings[i].item;
    const char *name = x->image->config->blocklists[p->list[k]].name;
    char id[37];
    if (p->written[k]) continue;
    p->written[k] = true;
    item_id(str_of(name), p->text[k], id);
    shield_write_match(str_of(name), str_of(id), p->text[k], first, &x->answer);
    first = false;
    if (!exchange_add_finding(x, &o, &r->findings[i])) return false;
  }
  return true;
}

enum exchange_next shield_analyze(struct exchange *x, struct vdt_arena *scratch, struct str text)
{
  struct shield_analysis a;
  struct vdt_result found = {0};
  struct vdt_error err = {0};
  struct phrases p;
  struct json_limits limits = {x->image->config->limits.json_depth, NODES_MAX};
  int rc = shield_read_analysis(scratch, text, &limits, &a, &err);
  if (!rc && !gather(x->image->config, scratch, &p)) rc = VDT_ENOMEM;
  if (!rc) rc = want(x->image->config, &a, &p, &err);
  if (!rc && x->image->blocklist) rc = find(x, scratch, &p, a.text, &found);
  if (rc) return shield_refused(x, shield_error_of(rc), rc != VDT_EDUPKEY && err.text[0] ? err.text : vdt_strerror(rc));
  BUF_LIT(&x->answer, "{\"blocklistsMatch\":[");
  bool written = put_matches(x, &p, &found);
  BUF_LIT(&x->answer, "],\"categoriesAnalysis\":[]}");
  if (!written || x->answer.failed) return shield_refused(x, SHIELD_BUSY, vdt_strerror(VDT_ENOMEM));
  x->record.request.parts = 1;
  if (found.inspected != VDT_FULL) x->record.request.inspected = VDT_PARTIAL;
  x->request_read = x->answered = true;
  x->answer_status = 200;
  return EXCHANGE_ANSWER;
}
