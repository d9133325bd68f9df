/* The statement as JSON: what programs read, and what GET /vedette/dataStatement answers. */
#include "base/quote.h"
#include "data/words.h"

static void put(struct buf *b, const char *name, struct str value)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}

static void put_time(struct buf *b, const char *name, uint64_t us)
{
  if (!us) return;
  buf_printf(b, ",\"%s\":\"", name);
  data_put_when(b, us);
  buf_byte(b, '"');
}

static void comma(struct buf *b, bool *first)
{
  if (!*first) buf_byte(b, ',');
  *first = false;
}

/* ---- workspaces --------------------------------------------------------------------------------------------------- */

static void put_deployments(struct buf *b, const struct data_workspace *w)
{
  BUF_LIT(b, ",\"deployments\":[");
  for (size_t i = 0; i < w->n_deployments; i++) {
    const struct data_deployment *d = &w->deployments[i];
    if (i) buf_byte(b, ',');
    BUF_LIT(b, "{\"name\":");
    json_quote(b, str_of(d->config->name));
    put(b, "policy", str_of(d->config->policy_name));
    put(b, "evidence", str_of(data_evidence_word(d)));
    buf_printf(b, ",\"promptEvidence\":%s,\"sharedWithPurview\":%s}", d->evidence ? "true" : "false",
               d->purview ? "true" : "false");
  }
  buf_byte(b, ']');
}

static void put_workspaces(struct buf *b, const struct data_statement *s)
{
  BUF_LIT(b, ",\"workspaces\":[");
  for (size_t i = 0; i < s->n_workspaces; i++) {
    const struct data_workspace *w = &s->workspaces[i];
    if (i) buf_byte(b, ',');
    BUF_LIT(b, "{\"name\":");
    json_quote(b, w->name);
    put(b, "region", w->region);
    put(b, "engine", w->engine);
    buf_printf(b, ",\"configured\":%s,\"legalHolds\":%zu", w->config ? "true" : "false", w->n_holds);
    put(b, "evidenceKey", str_of(data_key_word(s, w)));
    put_deployments(b, w);
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

static void put_columns(struct buf *b, const struct store_table *t)
{
  BUF_LIT(b, "{\"table\":");
  json_quote(b, t->name);
  BUF_LIT(b, ",\"columns\":[");
  for (size_t i = 0; i < t->n_columns; i++) {
    if (i) buf_byte(b, ',');
    json_quote(b, t->columns[i]);
  }
  BUF_LIT(b, "]}");
}

static void put_member(void *ctx, const char *of, const char *name)
{
  struct buf *b = ctx;
  if (b->n && b->p[b->n - 1] == '"') buf_byte(b, ',');
  buf_printf(b, "\"%s%s\"", of, name);
}

static void put_fields(struct buf *b, const struct data_statement *s, const struct data_class *c)
{
  bool first = true;
  BUF_LIT(b, ",\"tables\":[");
  for (size_t i = 0; i < s->n_schema; i++) {
    if (!data_class_has(c, s->schema[i].name)) continue;
    comma(b, &first);
    put_columns(b, &s->schema[i]);
  }
  BUF_LIT(b, "],\"members\":[");
  data_each_member(c->lines, put_member, b);
  buf_byte(b, ']');
}

static void put_readers(struct buf *b, const struct data_statement *s, const struct data_class *c)
{
  bool first = true;
  buf_printf(b, ",\"readers\":{\"role\":\"%s\",\"tokens\":[", data_role_of(c));
  for (size_t i = 0; i < s->input->n_readers; i++) {
    const struct data_reader *r = &s->input->readers[i];
    if (!data_may_read(c, r, NULL)) continue;
    comma(b, &first);
    BUF_LIT(b, "{\"name\":");
    json_quote(b, r->name);
    put(b, "role", r->role);
    put(b, "workspaces", r->workspaces);
    buf_byte(b, '}');
  }
  buf_printf(b, "],\"breakGlass\":%s}", data_has_glass(c, s->input->config) ? "true" : "false");
}

static void put_where(struct buf *b, const struct data_statement *s, const struct data_workspace *w, const struct data_class *c)
{
  struct buf scratch = {0};
  bool first = true;
  size_t at = 0;
  BUF_LIT(b, ",\"where\":[");
  for (struct str path; (path = data_place_path(s, w, c, &at, &scratch)).n;) {
    comma(b, &first);
    json_quote(b, path);
  }
  buf_byte(b, ']');
  b->failed |= scratch.failed;
  buf_finish(&scratch);
}

static void put_rows(struct buf *b, const struct data_workspace *w, const struct data_class *c)
{
  bool first = true;
  BUF_LIT(b, ",\"rows\":[");
  for (size_t i = 0; i < w->n_tables; i++) {
    const struct store_table *t = &w->tables[i];
    if (!data_class_has(c, t->name)) continue;
    comma(b, &first);
    BUF_LIT(b, "{\"table\":");
    json_quote(b, t->name);
    buf_printf(b, ",\"rows\":%llu", (unsigned long long)t->rows);
    put_time(b, "oldest", t->oldest_us);
    put_time(b, "newest", t->newest_us);
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

static void put_texts(struct buf *b, const struct data_workspace *w)
{
  BUF_LIT(b, ",\"texts\":[");
  for (size_t i = 0; i < w->n_texts; i++) {
    if (i) buf_byte(b, ',');
    BUF_LIT(b, "{\"deployment\":");
    json_quote(b, w->texts[i].deployment);
    buf_printf(b, ",\"rows\":%llu,\"notSealed\":%llu", (unsigned long long)w->texts[i].rows,
               (unsigned long long)w->texts[i].open);
    put_time(b, "oldest", w->texts[i].oldest_us);
    put_time(b, "newest", w->texts[i].newest_us);
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

static void put_files(struct buf *b, const struct data_found *f)
{
  buf_printf(b, ",\"files\":{\"files\":%llu,\"bytes\":%llu", (unsigned long long)f->items, (unsigned long long)f->bytes);
  put_time(b, "oldest", f->oldest_us);
  put_time(b, "newest", f->newest_us);
  buf_byte(b, '}');
}

static void put_concerned(struct buf *b, const struct data_workspace *w, const struct data_class *c)
{
  bool first = true;
  BUF_LIT(b, ",\"deployments\":[");
  for (size_t i = 0; i < w->n_deployments; i++) {
    if (!data_concerns(c, &w->deployments[i])) continue;
    comma(b, &first);
    json_quote(b, str_of(w->deployments[i].config->name));
  }
  buf_byte(b, ']');
}

static void put_retention(struct buf *b, const struct data_class *c, const struct data_workspace *w)
{
  struct buf text = {0};
  data_put_retention(&text, c, w);
  put(b, "kept", buf_str(&text));
  b->failed |= text.failed;
  buf_finish(&text);
  uint64_t seconds = data_retention_s(c->retention, w);
  if (seconds && seconds != STORE_FOREVER) buf_printf(b, ",\"keptSeconds\":%llu", (unsigned long long)seconds);
}

static void put_in_workspace(struct buf *b, const struct data_statement *s, const struct data_workspace *w,
                             const struct data_class *c)
{
  BUF_LIT(b, "{\"workspace\":");
  json_quote(b, w->name);
  put(b, "region", w->region);
  put_where(b, s, w, c);
  put_concerned(b, w, c);
  put_retention(b, c, w);
  put_rows(b, w, c);
  if (c == &data_classes[DATA_EVIDENCE]) put_texts(b, w);
  put_files(b, &w->files[c - data_classes]);
  buf_byte(b, '}');
}

static void put_class(struct buf *b, const struct data_statement *s, const struct data_class *c)
{
  bool first = true;
  buf_printf(b, "{\"class\":\"%s\"", c->name);
  put(b, "title", str_of(c->title));
  put(b, "holds", str_of(c->holds));
  put(b, "concerns", str_of(data_scope_word(c->scope)));
  put(b, "protection", str_of(c->protection));
  put_readers(b, s, c);
  put_fields(b, s, c);
  BUF_LIT(b, ",\"stores\":[");
  for (size_t i = 0; data_in_workspace(c) && i < s->n_workspaces; i++) {
    comma(b, &first);
    put_in_workspace(b, s, &s->workspaces[i], c);
  }
  buf_byte(b, ']');
  put_where(b, s, NULL, c);
  put_retention(b, c, NULL);
  put_files(b, &s->files[c - data_classes]);
  buf_byte(b, '}');
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

static void put_connections(struct buf *b, const struct data_statement *s)
{
  BUF_LIT(b, ",\"connections\":[");
  for (size_t i = 0; i < s->n_connections; i++) {
    const struct data_connection *c = &s->connections[i];
    buf_printf(b, "%s{\"kind\":\"%s\"", i ? "," : "", data_connection_kinds[c->kind].name);
    put(b, "name", c->name);
    put(b, "destination", c->destination);
    put(b, "why", str_of(data_connection_kinds[c->kind].why));
    put(b, "sends", str_of(data_connection_kinds[c->kind].sends));
    put(b, "usedBy", c->used);
    buf_printf(b, ",\"leavesTheMachine\":%s}", c->leaves ? "true" : "false");
  }
  buf_byte(b, ']');
}

static void put_sent(struct buf *b, const struct data_statement *s)
{
  bool first = true;
  BUF_LIT(b, ",\"sent\":[");
  for (size_t i = 0; i < s->n_workspaces; i++)
    for (size_t k = 0; k < s->workspaces[i].n_transfers; k++) {
      const struct store_transfer *t = &s->workspaces[i].transfers[k];
      comma(b, &first);
      BUF_LIT(b, "{\"day\":");
      json_quote(b, t->day);
      put(b, "workspace", s->workspaces[i].name);
      put(b, "kind", t->kind);
      put(b, "name", t->name);
      put(b, "destination", t->destination);
      buf_printf(b, ",\"count\":%llu,\"sentBytes\":%llu,\"receivedBytes\":%llu}", (unsigned long long)t->count,
                 (unsigned long long)t->sent, (unsigned long long)t->received);
    }
  buf_byte(b, ']');
}

static void put_removed(struct buf *b, const struct data_statement *s)
{
  bool first = true;
  BUF_LIT(b, ",\"removed\":[");
  for (size_t i = 0; i < s->n_workspaces; i++)
    for (size_t k = 0; k < s->workspaces[i].n_removals; k++) {
      const struct store_removal *r = &s->workspaces[i].removals[k];
      comma(b, &first);
      BUF_LIT(b, "{\"day\":");
      json_quote(b, r->day);
      put(b, "workspace", s->workspaces[i].name);
      put(b, "class", r->class);
      put(b, "cause", r->cause);
      buf_printf(b, ",\"rows\":%llu}", (unsigned long long)r->rows);
    }
  buf_byte(b, ']');
}

static void put_absent(struct buf *b)
{
  BUF_LIT(b, ",\"notKept\":[");
  for (size_t i = 0; i < data_n_absent; i++) {
    buf_printf(b, "%s{\"what\":", i ? "," : "");
    json_quote(b, str_of(data_absent[i].what));
    put(b, "why", str_of(data_absent[i].why));
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

void data_put_json(const struct data_statement *s, struct buf *b)
{
  const struct config *c = s->input->config;
  BUF_LIT(b, "{\"version\":1");
  put_time(b, "made", s->input->now_us);
  put(b, "program", STR("vedette " VEDETTE_VERSION));
  put(b, "stateFolder", s->state_dir);
  put(b, "owner", s->owner);
  put(b, "group", s->group);
  put(b, "gatewayAccount", s->gateway);
  buf_printf(b, ",\"configurationKnown\":%s", c ? "true" : "false");
  if (c) {
    BUF_LIT(b, ",\"listens\":[");
    json_quote(b, str_of(c->listen.gateway));
    buf_byte(b, ',');
    json_quote(b, str_of(c->listen.control));
    buf_byte(b, ']');
  }
  put_workspaces(b, s);
  BUF_LIT(b, ",\"data\":[");
  for (unsigned i = 0; i < DATA_CLASSES; i++) {
    if (i) buf_byte(b, ',');
    put_class(b, s, &data_classes[i]);
  }
  buf_byte(b, ']');
  put_connections(b, s);
  put_sent(b, s);
  put_removed(b, s);
  put_absent(b);
  BUF_LIT(b, "}\n");
}
