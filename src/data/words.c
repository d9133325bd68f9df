/* What classes say in words: how long, who, which members, for which deployments, where. */
#include "base/clock.h"
#include "data/words.h"
#include "record/fields.h"
#include <unistd.h>

/* ---- members ------------------------------------------------------------------------------------------------------ */

struct members {
  void (*member)(void *ctx, const char *of, const char *name);
  void *ctx;
  bool text;
};

static void tell(const struct members *m, const struct fields *f, const char *of)
{
  for (size_t i = 0; i < f->n; i++)
    if (m->text || (f->rows[i].kind != EVIDENCE && f->rows[i].kind != SEALED)) m->member(m->ctx, of, f->rows[i].name);
}

void data_each_member(enum data_lines lines, void (*member)(void *ctx, const char *of, const char *name), void *ctx)
{
  struct members m = {member, ctx, lines != DATA_LINES_PLAIN};
  if (lines == DATA_LINES_NOTHING) return;
  tell(&m, &record_fields, "");
  tell(&m, &side_fields, "request.");
  tell(&m, &side_fields, "response.");
  tell(&m, &finding_fields, "findings[].");
  tell(&m, &opinion_fields, "second_opinion.");
  tell(&m, &pseudonym_fields, "pseudonyms[].");
  if (lines == DATA_LINES_JOURNAL) tell(&m, &egress_fields, "egress line: ");
}

/* ---- how long ----------------------------------------------------------------------------------------------------- */

static const enum store_class keeps[] = {[DATA_KEEP_RECORDS] = STORE_RECORDS,
                                         [DATA_KEEP_ALERTS] = STORE_ALERTS,
                                         [DATA_KEEP_EVIDENCE] = STORE_EVIDENCE,
                                         [DATA_KEEP_AUDIT] = STORE_AUDIT};

static const char *setting_of(enum data_retention r)
{
  return store_class_info(keeps[r])->name;
}

/* What the store goes by; what the configuration says where there is no store yet. */
uint64_t data_retention_s(enum data_retention r, const struct data_workspace *w)
{
  if (!w || r > DATA_KEEP_AUDIT) return 0;
  if (w->store) return w->keeps.of[keeps[r]].effective;
  if (!w->config) return 0;
  const struct config_retention *c = &w->config->retention;
  const uint64_t said[] = {[DATA_KEEP_RECORDS] = c->records,
                           [DATA_KEEP_ALERTS] = c->alerts,
                           [DATA_KEEP_EVIDENCE] = c->evidence,
                           [DATA_KEEP_AUDIT] = c->audit};
  return said[r];
}

void data_put_retention(struct buf *b, const struct data_class *c, const struct data_workspace *w)
{
  static const char *const words[] = {[DATA_KEEP_FOREVER] = "kept",
                                      [DATA_KEEP_COLLECTED] = "until collected and no longer written to, at most an hour later",
                                      [DATA_KEEP_FORGOTTEN] = "until others need the room, or the file is removed",
                                      [DATA_KEEP_OPERATOR] = "until you remove the files",
                                      [DATA_KEEP_EXPIRY] = "until revoked",
                                      [DATA_KEEP_REPLACED] = "until the feed says something else",
                                      [DATA_KEEP_RESTART] = "until the next start or stop",
                                      [DATA_KEEP_REQUEST] = "as long as it is handled, minutes at most"};
  uint64_t s = data_retention_s(c->retention, w);
  if (c->retention > DATA_KEEP_AUDIT) {
    buf_put(b, str_of(words[c->retention]));
  } else if (!s) {
    buf_printf(b, "as retention.%s of the workspace says", setting_of(c->retention));
  } else {
    if (s == STORE_FOREVER) BUF_LIT(b, "kept");
    else if (s % 86400 == 0) buf_printf(b, "%llu days", (unsigned long long)(s / 86400));
    else buf_printf(b, "%llu seconds", (unsigned long long)s);
    buf_printf(b, " (retention.%s)", setting_of(c->retention));
  }
}

/* ---- who ---------------------------------------------------------------------------------------------------------- */

static bool reaches(struct str workspaces, struct str workspace)
{
  if (str_eq(workspaces, STR("*"))) return true;
  while (workspaces.n) {
    const char *comma = memchr(workspaces.p, ',', workspaces.n);
    size_t n = comma ? (size_t)(comma - workspaces.p) : workspaces.n;
    if (str_eq(str_cut(workspaces, 0, n), workspace)) return true;
    workspaces = str_cut(workspaces, comma ? n + 1 : n, workspaces.n);
  }
  return false;
}

bool data_may_read(const struct data_class *c, const struct data_reader *r, const struct data_workspace *w)
{
  if (c->readers == DATA_READ_NOBODY || (c->readers == DATA_READ_EVIDENCE && !r->evidence)) return false;
  return !w || reaches(r->workspaces, w->name);
}

bool data_has_glass(const struct data_class *c, const struct config *config)
{
  return c->readers == DATA_READ_EVIDENCE && (!config || config->control.break_glass);
}

const char *data_role_of(const struct data_class *c)
{
  return c->readers == DATA_READ_NOBODY ? "none" : c->readers == DATA_READ_READER ? "reader" : "evidence-reader";
}

/* ---- for which deployments ---------------------------------------------------------------------------------------- */

bool data_concerns(const struct data_class *c, const struct data_deployment *d)
{
  switch (c->scope) {
  case DATA_SCOPE_ALL: return true;
  case DATA_SCOPE_EVIDENCE: return d->evidence;
  case DATA_SCOPE_PURVIEW: return d->purview;
  case DATA_SCOPE_NONE: break;
  }
  return false;
}

const char *data_scope_word(enum data_scope scope)
{
  static const char *const words[] = {"every deployment", "text only where prompt evidence is on",
                                      "where sharing with Purview is switched on", "no deployment in particular"};
  return words[scope];
}

const char *data_evidence_word(const struct data_deployment *d)
{
  if (!d->evidence) return "off";
  return d->config->evidence == CONFIG_EVIDENCE_FULL ? "full" : "segments";
}

static bool has_key(const struct data_statement *s, const struct data_workspace *w, const char *kind)
{
  char path[4200];
  snprintf(path, sizeof path, "%.*s/keys/%.*s.%s", (int)s->state_dir.n, s->state_dir.p, (int)w->name.n, w->name.p, kind);
  return access(path, F_OK) == 0;
}

const char *data_key_word(const struct data_statement *s, const struct data_workspace *w)
{
  const char *from = w->config ? w->config->evidence_private_key : NULL;
  bool public = has_key(s, w, "pub") || (w->config && w->config->evidence_public_key);
  if (!public) return "none: no text is kept";
  if (has_key(s, w, "key")) return "the private key is in the state folder: who can read that can read the evidence";
  if (!from) return "the private key is not in the state folder: the control process opens nothing";
  if (strcmp(from, "none") == 0) return "the private key is elsewhere: the control process cannot get it";
  if (strncmp(from, "command:", 8) == 0) return "the control process gets the private key by a command when evidence is read";
  if (strncmp(from, "env:", 4) == 0) return "the control process has the private key in its environment";
  return "the control process reads the private key from a file outside of the state folder when evidence is read";
}

/* ---- where -------------------------------------------------------------------------------------------------------- */

/* The classes whose tables are in the store have its file, too. */
static bool is_there(const struct data_class *c, const struct data_place *p)
{
  return &data_classes[p->class] == c || (c->tables[0] && p->class == DATA_RECORDS);
}

bool data_in_workspace(const struct data_class *c)
{
  for (size_t i = 0; i < data_n_places; i++)
    if (is_there(c, &data_places[i]) && strstr(data_places[i].pattern, "{workspace}")) return true;
  return false;
}

struct str data_place_path(const struct data_statement *s, const struct data_workspace *w, const struct data_class *c, size_t *at,
                           struct buf *scratch)
{
  for (; *at < data_n_places; ++*at) {
    const struct data_place *p = &data_places[*at];
    const char *variable = strstr(p->pattern, "{workspace}");
    if (p->type != DATA_FILE || !is_there(c, p) || (variable != NULL) != (w != NULL)) continue;
    buf_reset(scratch);
    buf_put(scratch, s->state_dir);
    if (!variable) buf_printf(scratch, "/%s", p->pattern);
    else buf_printf(scratch, "/workspaces/%.*s%s", (int)w->name.n, w->name.p, variable + 11);
    ++*at;
    return buf_str(scratch);
  }
  return (struct str){0};
}

/* ---- found -------------------------------------------------------------------------------------------------------- */

const struct store_table *data_table_of(const struct data_workspace *w, const char *name, size_t n)
{
  for (size_t i = 0; w && i < w->n_tables; i++)
    if (str_eq(w->tables[i].name, (struct str){name, n})) return &w->tables[i];
  return NULL;
}

void data_put_when(struct buf *b, uint64_t us)
{
  char text[CLOCK_TEXT];
  clock_format(us, text);
  buf_printf(b, "%.19sZ", text);
}
