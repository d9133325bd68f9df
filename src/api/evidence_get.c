/*
 * GET {alert}/evidence: all that is kept of what an alert is about, opened: its findings, and whole prompts and answers where those are kept. Whoever may
 * not read evidence gets 403; whoever may, and cannot because a key is missing, gets an error that says which and what to do.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "base/clock.h"
#include "base/quote.h"
#include "record/seal.h"

/* What of it stays closed, the first reason. */
struct shut {
  enum unseal_closed why;
  char key[SEAL_KEY_ID + 1];
  size_t opened;
};

static void take(struct shut *s, enum unseal_closed why, const char *key, bool there)
{
  s->opened += there && !why;
  if (!why || s->why) return;
  s->why = why;
  snprintf(s->key, sizeof s->key, "%s", key);
}

static void put_finding(struct buf *b, const struct alert_evidence *e, enum unseal_closed why)
{
  BUF_LIT(b, "{\"time\":");
  arm_put_time(b, e->time_us);
  api_put_member(b, "interaction", (struct str){e->interaction, RECORD_ID_LEN});
  api_put_member(b, "part", e->part);
  api_put_member(b, "role", e->role);
  api_put_member(b, "rule", e->rule);
  api_put_member(b, "title", e->title);
  api_put_member(b, "text", e->segment);
  if (e->span_to) buf_printf(b, ",\"span\":[%u,%u]", e->span_from, e->span_to);
  if (e->decoded.n) api_put_member(b, "decoded", e->decoded);
  if (why) api_put_member(b, "closed", str_of(unseal_code(why)));
  buf_byte(b, '}');
}

static void put_findings(struct api *api, const struct unseal_keys *k, struct alert *a, struct buf *b, struct shut *shut)
{
  char key[SEAL_KEY_ID + 1];
  for (size_t i = 0; i < a->n_evidence; i++) {
    struct alert_evidence *e = &a->evidence[i];
    enum unseal_closed why = unseal_rows(k, e, 1, api->arena, key);
    take(shut, why, key, e->sealed.n > 0);
    if (i) buf_byte(b, ',');
    put_finding(b, e, why);
  }
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

static void put_side(struct api *api, const struct unseal_keys *k, struct str interaction, unsigned side,
                     const struct store_text *t, struct buf *b, struct shut *shut)
{
  struct str packed;
  char key[SEAL_KEY_ID + 1];
  enum unseal_closed why = unseal_text(k, interaction, side, t, api->arena, &packed, key);
  take(shut, why, key, t->sealed.n > 0);
  if (!t->sealed.n && !t->shredded) return;
  buf_printf(b, ",\"%s\":{\"leftOut\":%llu,\"parts\":[", side ? "response" : "request", (unsigned long long)t->cut);
  if (!why) unseal_put_parts(packed, b);
  BUF_LIT(b, "]");
  if (why) api_put_member(b, "closed", str_of(unseal_code(why)));
  buf_byte(b, '}');
}

/* Interactions of the alert, each once, in the order of its rows. */
static int put_texts(struct api *api, struct store *s, const struct unseal_keys *k, const struct alert *a, struct buf *b,
                     struct shut *shut)
{
  bool first = true;
  for (size_t i = 0; i < a->n_evidence; i++) {
    struct store_text t[2];
    struct str interaction = {a->evidence[i].interaction, RECORD_ID_LEN};
    bool seen = false;
    for (size_t j = 0; j < i; j++) seen |= strcmp(a->evidence[j].interaction, a->evidence[i].interaction) == 0;
    int rc = seen ? VDT_OK : s->ops->get_texts(s, interaction, api->arena, t, NULL);
    if (rc) return rc;
    if (seen || (!t[0].sealed.n && !t[1].sealed.n && !t[0].shredded && !t[1].shredded)) continue;
    buf_put(b, first ? STR("{\"interaction\":") : STR(",{\"interaction\":"));
    json_quote(b, interaction);
    for (unsigned side = 0; side < 2; side++) put_side(api, k, interaction, side, &t[side], b, shut);
    buf_byte(b, '}');
    first = false;
  }
  return VDT_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static void refuse(struct api_response *response, const struct unseal_keys *k, const struct shut *shut)
{
  const char *code = unseal_code(shut->why), *help = unseal_help(shut->why);
  if (shut->key[0])
    api_error(response, unseal_status(shut->why), code, "%s It is key %s of workspace %.*s.", help, shut->key,
              (int)k->workspace.n, k->workspace.p);
  else api_error(response, unseal_status(shut->why), code, "%s", help);
}

void api_evidence_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store *store;
  struct alert a;
  struct unseal_keys k;
  struct shut shut = {0};
  struct buf *b = &response->body;
  int rc = api_find_alert(api, r, &store, &a);
  if (!rc) rc = api_note_reading(api, r, &a, 1);
  if (rc) {
    api_store_failed(response, rc, "AlertNotFound");
    return;
  }
  unseal_begin(&api->unseal, a.workspace, &k);
  response->type = API_JSON;
  BUF_LIT(b, "{\"findings\":[");
  put_findings(api, &k, &a, b, &shut);
  BUF_LIT(b, "],\"texts\":[");
  rc = put_texts(api, store, &k, &a, b, &shut);
  BUF_LIT(b, "]}");
  unseal_end(&k);
  if (rc) api_store_failed(response, rc, "AlertNotFound");
  else if (shut.why && !shut.opened) refuse(response, &k, &shut);
}
