#include "gateway/purview.h"
#include "base/error.h"
#include "engine/bind.h"
#include "engine/decode_text.h"
#include "gateway/media_type.h"
#include "gateway/shield.h"
#include <sodium.h>

enum { TEXT_MAX = 1024, NODES_MAX = 1 << 18 };

bool purview_wants(const struct exchange *x, struct str path)
{
  return x->image->config->data_security.enabled && purview_is_path(path);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

void purview_refuse(struct exchange *x, enum purview_error e, const char *message)
{
  x->answered = true;
  x->answer_status = purview_error_status(e);
  buf_reset(&x->answer);
  purview_error_body(e, str_of(message), &x->answer);
}

static enum exchange_next refused(struct exchange *x, enum purview_error e, const char *message)
{
  struct record *r = &x->record;
  r->request.inspected = VDT_NONE;
  r->request.not_inspected = r->failure = exchange_keep(x, str_of(message), TEXT_MAX);
  purview_refuse(x, e, message);
  return EXCHANGE_ANSWER;
}

/* A duplicate member's name is the client's: it goes back to it, and not into the record. */
static enum exchange_next unreadable(struct exchange *x, int rc, const struct vdt_error *err)
{
  const char *why = rc != VDT_EDUPKEY && err->text[0] ? err->text : vdt_strerror(rc);
  return refused(x, purview_error_of(rc), why);
}

static enum exchange_next out_of_memory(struct exchange *x)
{
  return refused(x, PURVIEW_BUSY, vdt_strerror(VDT_ENOMEM));
}

/* ---- head ------------------------------------------------------------------------------------------------------- */

/* For the record: without the user, who has a member of their own there. */
static struct str path_of(const struct purview_call *c, bool known)
{
  static const struct str paths[][2] = {{STR("/v1.0/me/dataSecurityAndGovernance/protectionScopes/compute"),
                                         STR("/v1.0/users/{id}/dataSecurityAndGovernance/protectionScopes/compute")},
                                        {STR("/v1.0/me/dataSecurityAndGovernance/processContent"),
                                         STR("/v1.0/users/{id}/dataSecurityAndGovernance/processContent")},
                                        {STR("/v1.0/me/dataSecurityAndGovernance/activities/contentActivities"),
                                         STR("/v1.0/users/{id}/dataSecurityAndGovernance/activities/contentActivities")}};
  return known ? paths[c->operation][c->user.n > 0] : STR("/v1.0/users/{id}/dataSecurityAndGovernance");
}

static const char *route_message(enum purview_error e)
{
  if (e == PURVIEW_BAD_METHOD) return "This operation is called with POST.";
  return "There is no such operation here; protectionScopes/compute, processContent and activities/contentActivities are.";
}

enum exchange_next purview_head(struct exchange *x, const struct exchange_head *head)
{
  const struct config_content_safety *c = &x->image->config->data_security;
  enum purview_error e = purview_route(head->method, head->path, head->query, &x->purview);
  x->purview_call = true;
  x->record.path = path_of(&x->purview, e != PURVIEW_NOT_FOUND);
  if (x->purview.user.n) x->record.end_user = exchange_keep(x, x->purview.user, TEXT_MAX);
  x->purview.user = x->record.end_user; /* the head is gone when the body comes */
  x->if_none_match = exchange_keep(x, head->if_none_match, TEXT_MAX);
  if (x->image->purview_calls && !shield_take(x->image->purview_calls, x->start_us, c->per_10_seconds, &x->retry_after))
    return refused(x, PURVIEW_TOO_MANY, "More calls than this gateway answers in ten seconds. Please try again later.");
  x->retry_after = 0;
  if (e != PURVIEW_ERRORS) return refused(x, e, route_message(e));
  if (!is_json(head->content_type)) return refused(x, PURVIEW_BAD_TYPE, "Content-Type: expected application/json in UTF-8");
  x->request_coding = coding_of(head->content_encoding);
  if (x->request_coding == CODING_IDENTITY || x->request_coding == CODING_GZIP) return EXCHANGE_READ_BODY;
  return refused(x, PURVIEW_BAD_TYPE, "Content-Encoding: expected identity or gzip");
}

/* ---- the tag of what holds -------------------------------------------------------------------------------------- */

static void feed(crypto_generichash_state *h, const void *p, size_t n)
{
  crypto_generichash_update(h, (const unsigned char *)&n, sizeof n);
  if (n) crypto_generichash_update(h, p, n);
}

static void feed_text(crypto_generichash_state *h, const char *text)
{
  feed(h, text, str_of(text).n);
}

static void feed_score(crypto_generichash_state *h, const struct vdt_score_policy *p)
{
  feed(h, &p->action, sizeof p->action);
  feed(h, &p->block_at, sizeof p->block_at);
  feed(h, &p->detect_at, sizeof p->detect_at);
}

static void feed_who(crypto_generichash_state *h, const struct config_who *who, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    feed_text(h, who[i].end_user);
    feed_text(h, who[i].application);
    feed_text(h, who[i].tenant);
  }
  feed(h, &n, sizeof n);
}

static void feed_data_policy(crypto_generichash_state *h, const struct config_data_policy *p, size_t n_rules)
{
  const unsigned actions[] = {p->policy.prompt, p->policy.response, p->policy.document, p->policy.tool_call};
  feed_text(h, p->policy.name);
  feed(h, actions, sizeof actions);
  feed(h, p->policy.rules, n_rules);
  feed_who(h, p->who, p->n_who);
  feed_who(h, p->except, p->n_except);
}

/* May it hold for this user, in whatever application? */
static bool concerns(const struct config_data_policy *p, struct str user)
{
  bool any = p->n_who == 0;
  for (size_t i = 0; i < p->n_who; i++) any |= !p->who[i].end_user || data_pattern_matches(str_of(p->who[i].end_user), user);
  return any;
}

/* What can be decided for this user: another tag, as soon as that changes. The same for all workers, and after a restart. */
static bool make_etag(struct exchange *x)
{
  const struct config *c = x->image->config;
  const struct vdt_policy *p = c->data_security.policy;
  crypto_generichash_state h;
  unsigned char hash[crypto_generichash_BYTES_MIN];
  struct vdt_bound *b;
  if (bind_new(x->image->engine, x->arena, p, &b)) return false;
  size_t n_rules = x->image->engine->rules.n;
  crypto_generichash_init(&h, x->image->key, sizeof x->image->key, sizeof hash);
  feed_score(&h, &p->jailbreak);
  feed_score(&h, &p->indirect);
  feed_score(&h, &p->reconnaissance);
  feed(&h, &p->hidden_text.action, sizeof p->hidden_text.action);
  feed(&h, &p->fail_closed, sizeof p->fail_closed);
  for (unsigned d = 0; d < BIND_DIRECTIONS; d++) feed(&h, b->action[d], n_rules);
  for (size_t i = 0; i < c->n_data_policies; i++)
    if (concerns(&c->data_policies[i], x->record.end_user)) feed_data_policy(&h, &c->data_policies[i], n_rules);
  crypto_generichash_final(&h, hash, sizeof hash);
  x->etag[0] = '"';
  sodium_bin2hex(x->etag + 1, sizeof x->etag - 1, hash, sizeof hash);
  x->etag[1 + 2 * sizeof hash] = '"';
  x->etag[2 + 2 * sizeof hash] = 0;
  return true;
}

/* ---- protectionScopes/compute ----------------------------------------------------------------------------------- */

static enum vdt_action more(enum vdt_action a, enum vdt_action b)
{
  return a > b ? a : b;
}

/* The most that a policy does about a text of this role. */
static enum vdt_action strongest(const struct vdt_policy *p, const struct vdt_bound *b, enum vdt_role role)
{
  enum vdt_action most = VDT_ALLOW;
  for (unsigned d = 0; d < VDT_DETECTORS; d++) most = more(most, (enum vdt_action)b->strongest[role][d]);
  if (role == VDT_RESPONSE) return most;
  most = more(most, p->hidden_text.action);
  if (role == VDT_DOCUMENT) return more(most, p->indirect.action);
  return more(more(most, p->jailbreak.action), p->reconnaissance.action);
}

static bool find_modes(struct exchange *x, struct vdt_arena *scratch, const struct purview_scopes *s, struct str location,
                       enum purview_mode modes[PURVIEW_ACTIVITIES])
{
  struct vdt_policy tight;
  struct vdt_bound *b;
  if (!exchange_tighten(x, scratch, location, &tight) || bind_new(x->image->engine, scratch, &tight, &b)) return false;
  for (unsigned i = 0; i < PURVIEW_ACTIVITIES; i++) {
    enum vdt_action most = strongest(&tight, b, purview_role((enum purview_activity)i));
    modes[i] = !s->wanted[i] || most == VDT_ALLOW ? PURVIEW_IGNORE : most >= VDT_REDACT ? PURVIEW_INLINE : PURVIEW_OFFLINE;
  }
  return true;
}

static enum exchange_next compute(struct exchange *x, struct vdt_arena *scratch, struct str body,
                                  const struct json_limits *limits)
{
  static const struct purview_location none;
  enum purview_mode modes[PURVIEW_ACTIVITIES];
  struct purview_scopes s;
  struct vdt_error err = {0};
  bool first = true;
  int rc = purview_read_scopes(scratch, body, limits, &s, &err);
  if (rc) return unreadable(x, rc, &err);
  if (s.application.n) x->record.application = exchange_keep(x, s.application, TEXT_MAX);
  BUF_LIT(&x->answer, "{\"value\":[");
  for (size_t i = 0; i < s.n_locations || (i == 0 && s.n_locations == 0); i++) {
    const struct purview_location *l = s.n_locations ? &s.locations[i] : &none;
    if (!find_modes(x, scratch, &s, l->value, modes)) return out_of_memory(x);
    first &= !purview_write_scope(l, modes, first, &x->answer);
  }
  BUF_LIT(&x->answer, "]}");
  x->record.request.inspected = VDT_NONE;
  x->record.request.not_inspected = STR("a question about scopes, without content");
  x->answer_status = 200;
  return EXCHANGE_ANSWER;
}

/* ---- processContent --------------------------------------------------------------------------------------------- */

/* One call: what was read so far, and what of it goes into the answer beside the decision. */
struct processing {
  const struct purview_content *content;
  struct vdt_policy policy;
  struct buf unread, findings;
  bool closed; /* something was not read, and policy refuses what is not */
};

static void note_unread(struct exchange *x, struct processing *p, size_t i, const char *why)
{
  struct record_side *side = &x->record.request;
  purview_write_unread(i, why, p->unread.n == 0, &p->unread);
  side->inspected = VDT_PARTIAL;
  if (!side->not_inspected.n) side->not_inspected = str_of(why);
  p->closed |= p->policy.fail_closed;
}

/* Bytes that are text after all, a file of it say, are read as what they are. */
static bool open_bytes(struct vdt_arena *scratch, struct str base64, struct str *text)
{
  size_t max = base64.n / 4 * 3 + 3, n = 0;
  unsigned char *out = arena_alloc(scratch, max);
  if (!out || sodium_base642bin(out, max, base64.p ? base64.p : "", base64.n, "\r\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL))
    return false;
  *text = (struct str){(const char *)out, n};
  return text_is_utf8(*text) && (!n || !memchr(out, 0, n));
}

static int judge(struct exchange *x, struct vdt_arena *scratch, struct processing *p, size_t i, struct str text)
{
  const struct purview_entry *e = &p->content->entries[i];
  enum vdt_role role = purview_role(p->content->activity);
  struct vdt_result r;
  char part[64];
  int rc = vdt_scan(x->scanner, scratch, &p->policy, role, text.n ? text.p : "", text.n, &r);
  if (rc) return rc;
  int n = snprintf(part, sizeof part, "contentEntries[%zu].content.data", i);
  struct finding_origin o = {.response = purview_is_answer(p->content->activity),
                             .role = role,
                             .part = exchange_keep(x, (struct str){part, (size_t)n}, sizeof part)};
  for (size_t k = 0; k < r.n_findings; k++) {
    if (!exchange_add_finding(x, &o, &r.findings[k])) return VDT_ENOMEM;
    if (x->purview.details) purview_write_finding(i, &r.findings[k], p->findings.n == 0, &p->findings);
  }
  if (r.inspected != VDT_FULL) note_unread(x, p, i, "too much to read, to decode or to list");
  if (e->truncated) note_unread(x, p, i, "the entry says that it is truncated");
  return VDT_OK;
}

static int judge_all(struct exchange *x, struct vdt_arena *scratch, struct processing *p)
{
  size_t read = 0;
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < p->content->n_entries; i++) {
    const struct purview_entry *e = &p->content->entries[i];
    struct str text = e->text;
    if (e->binary && !open_bytes(scratch, e->text, &text)) note_unread(x, p, i, "binary content that is no text is not read");
    else rc = judge(x, scratch, p, i, text), read++;
  }
  if (!read) x->record.request.inspected = VDT_NONE;
  return rc;
}

/* Whoever asks can only do it or not: what would be masked on its way through the gateway may not go as it is. */
static bool restricts(struct exchange *x, const struct processing *p)
{
  if (p->closed) x->record.failed_closed = true;
  else if (p->unread.n) x->record.failed_open = true;
  if (x->strongest >= VDT_REDACT || p->closed) x->strongest = VDT_BLOCK;
  return x->strongest == VDT_BLOCK;
}

static void write_decision(struct exchange *x, const struct processing *p)
{
  bool modified = x->if_none_match.n && !purview_matches(x->if_none_match, str_of(x->etag));
  struct buf *b = &x->answer;
  purview_write_actions(modified, restricts(x, p), b);
  buf_put(b, buf_str(&p->unread));
  buf_byte(b, ']');
  if (x->purview.details) {
    buf_printf(b, ",\"vedette\":{\"verdict\":\"%s\",\"label\":", record_verdict_name(exchange_verdict(x)));
    json_quote(b, x->record.label);
    BUF_LIT(b, ",\"findings\":[");
    buf_put(b, buf_str(&p->findings));
    BUF_LIT(b, "]}");
  }
  buf_byte(b, '}');
  b->failed |= p->unread.failed || p->findings.failed;
}

static void keep_content(struct exchange *x, const struct purview_content *c)
{
  struct record *r = &x->record;
  struct str name = c->application.n ? c->application : c->location;
  if (name.n) r->application = exchange_keep(x, name, TEXT_MAX);
  if (c->address.n && !r->source_ip.n) r->source_ip = exchange_keep(x, c->address, TEXT_MAX);
  for (size_t i = 0; i < c->n_labels; i++) exchange_say_label(x, c->labels[i]);
  r->request.parts = (unsigned)c->n_entries;
}

static enum exchange_next process(struct exchange *x, struct vdt_arena *scratch, struct str body,
                                  const struct json_limits *limits)
{
  struct purview_content c;
  struct vdt_error err = {0};
  struct processing p = {.content = &c};
  int rc = purview_read_content(scratch, body, limits, x->image->config->limits.max_parts, &c, &err);
  if (rc) return unreadable(x, rc, &err);
  keep_content(x, &c);
  if (!exchange_tighten(x, x->arena, c.location, &p.policy)) return out_of_memory(x);
  p.policy.intel = x->intel;
  p.policy.allow = x->image->config->deployments[0].allow;
  x->request_read = true;
  rc = judge_all(x, scratch, &p);
  if (!rc) write_decision(x, &p);
  buf_finish(&p.unread);
  buf_finish(&p.findings);
  if (rc) return refused(x, purview_error_of(rc), vdt_strerror(rc));
  x->answer_status = 200;
  return EXCHANGE_ANSWER;
}

/* ---- activities/contentActivities ------------------------------------------------------------------------------- */

static enum exchange_next take_activity(struct exchange *x, struct vdt_arena *scratch, struct str body,
                                        const struct json_limits *limits)
{
  struct purview_done d;
  struct vdt_error err = {0};
  char id[37];
  int rc = purview_read_done(scratch, body, limits, &d, &err);
  if (rc) return unreadable(x, rc, &err);
  struct record *r = &x->record;
  if (!r->end_user.n) r->end_user = exchange_keep(x, d.user, TEXT_MAX);
  if (d.application.n) r->application = exchange_keep(x, d.application, TEXT_MAX);
  r->request.parts = d.n_entries < UINT32_MAX ? (unsigned)d.n_entries : UINT32_MAX;
  r->request.inspected = VDT_NONE;
  r->request.not_inspected = STR("an activity that was told, without content");
  int n = snprintf(id, sizeof id, "%.8s-%.4s-%.4s-%.4s-%.12s", r->id, r->id + 8, r->id + 12, r->id + 16, r->id + 20);
  purview_write_done(&d, (struct str){id, (size_t)n}, r->end_user, &x->answer);
  x->answer_status = 201;
  return EXCHANGE_ANSWER;
}

enum exchange_next purview_body(struct exchange *x, struct vdt_arena *scratch, struct str text)
{
  struct json_limits limits = {x->image->config->limits.json_depth, NODES_MAX};
  enum exchange_next next;
  x->answered = true;
  if (x->purview.operation == PURVIEW_ACTIVITY) next = take_activity(x, scratch, text, &limits);
  else if (!make_etag(x)) next = out_of_memory(x);
  else if (x->purview.operation == PURVIEW_SCOPES) next = compute(x, scratch, text, &limits);
  else next = process(x, scratch, text, &limits);
  if (x->answer.failed) next = out_of_memory(x);
  if (x->answer_status >= 400) x->etag[0] = 0;
  return next;
}
