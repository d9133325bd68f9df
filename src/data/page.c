/* What the page says, in which order. How it looks is text.c's and html.c's. */
#include "data/page.h"
#include "data/words.h"

struct page {
  const struct data_statement *s;
  const struct page_sink *sink;
  struct buf *out;
  struct buf value; /* of the pair that is being made */
};

/* Where members are put, and what the last one was of. */
struct members {
  struct buf *to;
  const char *of;
};

static void say(struct page *p, const char *name)
{
  if (p->value.n) p->sink->pair(p->out, name, buf_str(&p->value));
  p->out->failed |= p->value.failed;
  buf_reset(&p->value);
}

static void say_text(struct page *p, const char *name, const char *text)
{
  buf_put(&p->value, str_of(text));
  say(p, name);
}

static void add(struct page *p, struct str text)
{
  if (p->value.n) BUF_LIT(&p->value, ", ");
  buf_put(&p->value, text);
}

static void put_span(struct buf *b, uint64_t oldest, uint64_t newest)
{
  if (!oldest) return;
  BUF_LIT(b, ", oldest ");
  data_put_when(b, oldest);
  BUF_LIT(b, ", newest ");
  data_put_when(b, newest);
}

/* ---- head --------------------------------------------------------------------------------------------------------- */

static void put_head(struct page *p)
{
  const struct data_statement *s = p->s;
  const struct config *c = s->input->config;
  p->sink->section(p->out, "What this vedette stores, processes and sends",
                   "Made by machine, of the configuration that runs and of what is "
                   "stored now. vedette data verify holds the state folder against it.");
  data_put_when(&p->value, s->input->now_us);
  say(p, "made");
  buf_put(&p->value, s->state_dir);
  say(p, "state folder");
  buf_printf(
      &p->value,
      "%.*s, group %.*s; the gateway's workers run as %.*s. Who can act as one of these, or as root, can read what is not sealed",
      (int)s->owner.n, s->owner.p, (int)s->group.n, s->group.p, (int)s->gateway.n, s->gateway.p);
  say(p, "accounts");
  if (!c)
    say_text(p, "configuration",
             "not known: nothing runs here by vedette run, and none was named. Deployments and connections are missing below");
  else buf_printf(&p->value, "%s for clients, %s for operators", c->listen.gateway, c->listen.control), say(p, "listens on");
}

static void put_workspace(struct page *p, const struct data_workspace *w)
{
  p->sink->item(p->out, w->name);
  buf_put(&p->value, w->region);
  say(p, "region");
  buf_put(&p->value, w->engine);
  if (!w->config && p->s->input->config) BUF_LIT(&p->value, "; the configuration has no such workspace any more");
  say(p, "engine");
  if (w->n_holds) buf_printf(&p->value, "%zu: what they are about stays, however old", w->n_holds);
  say(p, "legal holds");
  say_text(p, "evidence key", data_key_word(p->s, w));
  for (size_t i = 0; i < w->n_deployments; i++) {
    const struct data_deployment *d = &w->deployments[i];
    add(p, str_of(d->config->name));
    buf_printf(&p->value, " (prompt evidence %s%s)", data_evidence_word(d), d->purview ? ", shared with Purview" : "");
  }
  say(p, "deployments");
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

/* With what they are of said once: "findings[]: direction, part". */
static void put_member(void *ctx, const char *of, const char *name)
{
  struct members *m = ctx;
  bool same = m->of && strcmp(m->of, of) == 0;
  if (same) buf_printf(m->to, ", %s", name);
  else if (*of)
    buf_printf(m->to, "%s%.*s: %s", m->of ? "; " : "", (int)(strlen(of) - (of[strlen(of) - 1] == ' ' ? 2 : 1)), of, name);
  else buf_printf(m->to, "%s", name);
  m->of = of;
}

static void put_fields(struct page *p, const struct data_class *c)
{
  for (size_t i = 0; i < p->s->n_schema; i++) {
    const struct store_table *t = &p->s->schema[i];
    if (!data_class_has(c, t->name)) continue;
    buf_printf(&p->value, "%s%.*s (", p->value.n ? "; " : "", (int)t->name.n, t->name.p);
    for (size_t k = 0; k < t->n_columns; k++)
      buf_printf(&p->value, "%s%.*s", k ? ", " : "", (int)t->columns[k].n, t->columns[k].p);
    buf_byte(&p->value, ')');
  }
  say(p, "tables");
  data_each_member(c->lines, put_member, &(struct members){.to = &p->value});
  say(p, "members of lines");
}

static void put_readers(struct page *p, const struct data_class *c)
{
  size_t n = 0;
  if (c->readers == DATA_READ_NOBODY) {
    say_text(p, "may be read by", "nobody through the control API");
    return;
  }
  buf_printf(&p->value, "tokens with the role %s%s: ", data_role_of(c),
             c->readers == DATA_READ_READER ? " or more" : " or administrator");
  for (size_t i = 0; i < p->s->input->n_readers; i++) {
    const struct data_reader *r = &p->s->input->readers[i];
    if (!data_may_read(c, r, NULL)) continue;
    buf_printf(&p->value, "%s%.*s", n++ ? ", " : "", (int)r->name.n, r->name.p);
    if (!str_eq(r->workspaces, STR("*"))) buf_printf(&p->value, " (%.*s only)", (int)r->workspaces.n, r->workspaces.p);
  }
  if (!n) BUF_LIT(&p->value, "there are none");
  if (data_has_glass(c, p->s->input->config))
    BUF_LIT(&p->value, "; operators by break-glass, with a reason that is in the audit log");
  say(p, "may be read by");
}

static void put_where(struct page *p, const struct data_workspace *w, const struct data_class *c)
{
  struct buf scratch = {0};
  size_t at = 0;
  for (struct str path; (path = data_place_path(p->s, w, c, &at, &scratch)).n;) add(p, path);
  p->out->failed |= scratch.failed;
  buf_finish(&scratch);
  say(p, "where");
}

static void put_rows(struct page *p, const struct data_workspace *w, const struct data_class *c)
{
  for (size_t i = 0; i < w->n_tables; i++) {
    const struct store_table *t = &w->tables[i];
    if (!data_class_has(c, t->name)) continue;
    buf_printf(&p->value, "%s%.*s: %llu rows", p->value.n ? "; " : "", (int)t->name.n, t->name.p, (unsigned long long)t->rows);
    put_span(&p->value, t->oldest_us, t->newest_us);
  }
  say(p, "found now");
  for (size_t i = 0; c == &data_classes[DATA_EVIDENCE] && i < w->n_texts; i++) {
    const struct store_texts *t = &w->texts[i];
    buf_printf(&p->value, "%s%.*s: %llu rows", p->value.n ? "; " : "", (int)t->deployment.n, t->deployment.p,
               (unsigned long long)t->rows);
    put_span(&p->value, t->oldest_us, t->newest_us);
    if (t->open) buf_printf(&p->value, "; %llu of them not sealed, of an earlier version", (unsigned long long)t->open);
  }
  say(p, "with text now");
}

static void put_files(struct page *p, const struct data_found *f)
{
  if (!f->items) return;
  buf_printf(&p->value, "%llu, %llu bytes", (unsigned long long)f->items, (unsigned long long)f->bytes);
  put_span(&p->value, f->oldest_us, f->newest_us);
  say(p, "files now");
}

static void put_in_workspace(struct page *p, const struct data_workspace *w, const struct data_class *c)
{
  p->sink->part(p->out, w->name);
  buf_put(&p->value, w->region);
  say(p, "region");
  put_where(p, w, c);
  for (size_t i = 0; i < w->n_deployments; i++)
    if (data_concerns(c, &w->deployments[i])) add(p, str_of(w->deployments[i].config->name));
  say(p, "for");
  data_put_retention(&p->value, c, w);
  say(p, "how long");
  put_rows(p, w, c);
  put_files(p, &w->files[c - data_classes]);
}

static void put_class(struct page *p, const struct data_class *c)
{
  p->sink->item(p->out, str_of(c->title));
  say_text(p, "holds", c->holds);
  say_text(p, "concerns", data_scope_word(c->scope));
  say_text(p, "protected", c->protection);
  put_readers(p, c);
  put_fields(p, c);
  if (data_in_workspace(c)) {
    for (size_t i = 0; i < p->s->n_workspaces; i++) put_in_workspace(p, &p->s->workspaces[i], c);
    return;
  }
  put_where(p, NULL, c);
  data_put_retention(&p->value, c, NULL);
  say(p, "how long");
  put_files(p, &p->s->files[c - data_classes]);
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

static void put_connection(struct page *p, const struct data_connection *c)
{
  buf_printf(&p->value, "%s %.*s", data_connection_kinds[c->kind].name, (int)c->name.n, c->name.p);
  struct buf title = p->value;
  p->value = (struct buf){0};
  p->sink->item(p->out, buf_str(&title));
  p->out->failed |= title.failed;
  buf_finish(&title);
  buf_put(&p->value, c->destination);
  if (!c->leaves) BUF_LIT(&p->value, " (on this machine)");
  say(p, "to");
  say_text(p, "why", data_connection_kinds[c->kind].why);
  say_text(p, "sends", data_connection_kinds[c->kind].sends);
  buf_put(&p->value, c->used);
  say(p, "for");
}

static void put_transfer(struct page *p, const struct store_transfer *t)
{
  char name[32];
  snprintf(name, sizeof name, "%.*s", (int)(t->day.n < 10 ? t->day.n : 10), t->day.p);
  buf_printf(&p->value, "%.*s %.*s to %.*s: %llu times, %llu bytes sent, %llu received", (int)t->kind.n, t->kind.p,
             (int)t->name.n, t->name.p, (int)t->destination.n, t->destination.p, (unsigned long long)t->count,
             (unsigned long long)t->sent, (unsigned long long)t->received);
  say(p, name);
}

static void put_sent(struct page *p)
{
  bool any = false;
  p->sink->section(p->out, "What was sent",
                   "Per day (UTC), workspace and destination, as the gateway and the control process counted it.");
  for (size_t i = 0; i < p->s->n_workspaces; i++) {
    const struct data_workspace *w = &p->s->workspaces[i];
    if (w->n_transfers) p->sink->item(p->out, w->name);
    for (size_t k = 0; k < w->n_transfers; k++) put_transfer(p, &w->transfers[k]);
    any |= w->n_transfers > 0;
  }
  if (!any) say_text(p, "nothing", "no request, question or download is in the ledger");
}

static void put_removed(struct page *p)
{
  bool any = false;
  p->sink->section(p->out, "What was removed",
                   "Per day (UTC), workspace and class: rows that were old enough, and rows that somebody had purged.");
  for (size_t i = 0; i < p->s->n_workspaces; i++) {
    const struct data_workspace *w = &p->s->workspaces[i];
    if (w->n_removals) p->sink->item(p->out, w->name);
    for (size_t k = 0; k < w->n_removals; k++) {
      const struct store_removal *r = &w->removals[k];
      char name[32];
      snprintf(name, sizeof name, "%.*s", (int)(r->day.n < 10 ? r->day.n : 10), r->day.p);
      buf_printf(&p->value, "%.*s by %.*s: %llu rows", (int)r->class.n, r->class.p, (int)r->cause.n, r->cause.p,
                 (unsigned long long)r->rows);
      say(p, name);
    }
    any |= w->n_removals > 0;
  }
  if (!any) say_text(p, "nothing", "nothing has expired, and nothing was purged");
}

void page_write(const struct data_statement *s, const struct page_sink *sink, struct buf *out)
{
  struct page p = {.s = s, .sink = sink, .out = out};
  put_head(&p);
  sink->section(out, "Workspaces", "Each keeps its own data, in its own folder.");
  for (size_t i = 0; i < s->n_workspaces; i++) put_workspace(&p, &s->workspaces[i]);
  sink->section(out, "What is kept", "Every class of data, and where it is.");
  for (unsigned i = 0; i < DATA_CLASSES; i++) put_class(&p, &data_classes[i]);
  sink->section(out, "What connects elsewhere", "Connections that vedette opens; there are no others.");
  for (size_t i = 0; i < s->n_connections; i++) put_connection(&p, &s->connections[i]);
  if (!s->n_connections)
    say_text(&p, "none", s->input->config ? "there are no deployments" : "not known without the configuration");
  put_sent(&p);
  put_removed(&p);
  sink->section(out, "What is not kept", "");
  for (size_t i = 0; i < data_n_absent; i++) {
    sink->item(out, str_of(data_absent[i].what));
    say_text(&p, "because", data_absent[i].why);
  }
  buf_finish(&p.value);
}
