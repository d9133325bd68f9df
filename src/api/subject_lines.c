/* A person's data as JSON Lines, and what of it is still in journals. */
#include "api/answer.h"
#include "api/arm.h"
#include "api/baseline.h"
#include "api/subject.h"
#include "api/unseal.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "record/seal.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- export ------------------------------------------------------------------------------------------------------ */

struct output {
  const struct subject *s;
  struct store *store;
  bool evidence;
  struct unseal_keys keys_of; /* where evidence is wanted */
  bool (*put)(void *ctx, struct str line);
  void *ctx;
  struct behaviour *behaviour;
  uint64_t *keys; /* told already */
  size_t n_keys, cap_keys;
  struct vdt_arena *arena;
  struct buf line;
  struct vdt_error *err;
};

static int give(struct output *o)
{
  BUF_LIT(&o->line, "}\n");
  if (o->line.failed) return error_set(o->err, VDT_ENOMEM, "out of memory");
  bool ok = o->put(o->ctx, buf_str(&o->line));
  buf_reset(&o->line);
  return ok ? VDT_OK : error_set(o->err, VDT_EIO, "cannot be written");
}

static void begin(struct output *o, const char *kind)
{
  buf_printf(&o->line, "{\"kind\":\"%s\"", kind);
  api_put_member(&o->line, "workspace", o->store->place.workspace);
}

static void put_time(struct buf *b, const char *name, uint64_t us)
{
  buf_printf(b, ",\"%s\":", name);
  arm_put_time(b, us);
}

static int put_evidence(struct output *o, struct alert_evidence *e)
{
  char key[SEAL_KEY_ID + 1];
  enum unseal_closed why = o->evidence ? unseal_rows(&o->keys_of, e, 1, o->arena, key) : UNSEAL_OPEN;
  const struct {
    const char *name;
    struct str value;
  } texts[] = {{"interaction", str_of(e->interaction)},
               {"part", e->part},
               {"role", e->role},
               {"rule", e->rule},
               {"title", e->title},
               {"reason", e->reason},
               {"found", e->redacted},
               {"source", e->source},
               {"layers", e->layers},
               {"segment", e->segment},
               {"decoded", e->decoded}};
  enum { OPEN = 9 };
  begin(o, "evidence");
  put_time(&o->line, "time", e->time_us);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (texts[i].value.n && (i < OPEN || o->evidence)) api_put_member(&o->line, texts[i].name, texts[i].value);
  if (!o->evidence && !e->sealed.n && (e->segment.n || e->decoded.n)) BUF_LIT(&o->line, ",\"textWithheld\":true");
  if (!o->evidence && e->sealed.n) BUF_LIT(&o->line, ",\"textWithheld\":true");
  if (why) api_put_member(&o->line, "closed", str_of(unseal_code(why)));
  return give(o);
}

/* The whole texts of an interaction, where they were kept. */
static int put_texts(struct output *o, struct str interaction)
{
  struct store_text t[2];
  int rc = o->store->ops->get_texts(o->store, interaction, o->arena, t, o->err);
  for (unsigned side = 0; !rc && side < 2; side++) {
    struct str packed = {0};
    char key[SEAL_KEY_ID + 1];
    if (!t[side].sealed.n && !t[side].shredded) continue;
    begin(o, "text");
    api_put_member(&o->line, "interaction", interaction);
    api_put_member(&o->line, "side", side ? STR("response") : STR("request"));
    buf_printf(&o->line, ",\"leftOut\":%llu", (unsigned long long)t[side].cut);
    enum unseal_closed why =
        o->evidence ? unseal_text(&o->keys_of, interaction, side, &t[side], o->arena, &packed, key) : UNSEAL_OPEN;
    if (!o->evidence) BUF_LIT(&o->line, ",\"textWithheld\":true");
    else if (why) api_put_member(&o->line, "closed", str_of(unseal_code(why)));
    else {
      BUF_LIT(&o->line, ",\"parts\":[");
      unseal_put_parts(packed, &o->line);
      buf_byte(&o->line, ']');
    }
    rc = give(o);
  }
  return rc;
}

/* Once for each deployment of theirs. */
static int put_behaviour(struct output *o, const struct record *r)
{
  struct behaviour_known known;
  uint64_t key = behaviour_key(r->workspace, r->deployment, r->end_user), *p;
  for (size_t i = 0; i < o->n_keys; i++)
    if (o->keys[i] == key) return VDT_OK;
  if (!(p = heap_grow(o->keys, o->n_keys, &o->cap_keys, 16, sizeof *p))) return error_set(o->err, VDT_ENOMEM, "out of memory");
  o->keys = p;
  o->keys[o->n_keys++] = key;
  if (!o->behaviour || !behaviour_find(o->behaviour, key, &known)) return VDT_OK;
  begin(o, "behaviour");
  api_put_member(&o->line, "deployment", r->deployment);
  put_time(&o->line, "first", known.first_us);
  put_time(&o->line, "last", known.last_us);
  buf_printf(&o->line, ",\"requests\":%llu", (unsigned long long)known.requests);
  return give(o);
}

static int put_record(void *ctx, struct str json, const struct record *r)
{
  struct output *o = ctx;
  struct alert_evidence *rows;
  size_t n = 0;
  vdt_arena_reset(o->arena);
  begin(o, "record");
  BUF_LIT(&o->line, ",\"record\":");
  buf_put(&o->line, json);
  int rc = give(o);
  if (!rc) rc = o->store->ops->list_evidence(o->store, (struct str){r->id, RECORD_ID_LEN}, o->arena, &rows, &n, o->err);
  for (size_t i = 0; !rc && i < n; i++) rc = put_evidence(o, &rows[i]);
  if (!rc) rc = put_texts(o, (struct str){r->id, RECORD_ID_LEN});
  return rc ? rc : put_behaviour(o, r);
}

static int put_alerts(struct output *o)
{
  struct store_query q = STORE_QUERY_ALL;
  char after[ALERT_NAME_LEN + 1];
  struct alert *list;
  size_t n = q.limit;
  int rc = VDT_OK;
  while (!rc && n == q.limit) {
    vdt_arena_reset(o->arena);
    rc = o->store->ops->list(o->store, &q, o->arena, &list, &n, o->err);
    for (size_t i = 0; !rc && i < n; i++) {
      if (!subject_of_alert(o->s, &list[i])) continue;
      if (o->evidence) unseal_alert(&o->keys_of, &list[i], o->arena);
      begin(o, "alert");
      BUF_LIT(&o->line, ",\"alert\":");
      arm_put_alert(&o->line, &list[i], o->evidence);
      rc = give(o);
    }
    if (!rc && n) memcpy(after, list[n - 1].name, sizeof after), q.after = (struct str){after, ALERT_NAME_LEN};
  }
  return rc;
}

/* As it was saved, at most a minute ago. */
static void load_behaviour(struct output *o)
{
  char path[4200];
  struct buf saved = {0};
  struct str name = o->store->place.workspace;
  snprintf(path, sizeof path, "%s/workspaces/%.*s/behaviour", o->s->state_dir, (int)name.n, name.p);
  o->behaviour = behaviour_new(&behaviour_standard);
  if (o->behaviour && (file_read(path, (size_t)512 << 20, &saved, NULL) || behaviour_load(o->behaviour, buf_str(&saved)))) {
    behaviour_free(o->behaviour);
    o->behaviour = NULL;
  }
  buf_finish(&saved);
}

static int note_export(const struct output *o)
{
  struct str detail = o->evidence ? STR("with the texts of evidence") : STR("without the texts of evidence");
  int rc = subject_note(o->s, o->store, "data of a user exported", detail, o->err);
  return rc || !o->evidence ? rc : subject_note(o->s, o->store, "evidence read", STR("export of a user's data"), o->err);
}

int subject_export(const struct subject *s, struct store *store, const struct unseal *unseal,
                   bool (*put)(void *ctx, struct str line), void *ctx, struct vdt_error *err)
{
  struct output o = {.s = s,
                     .store = store,
                     .evidence = unseal != NULL,
                     .put = put,
                     .ctx = ctx,
                     .err = err,
                     .arena = vdt_arena_new((size_t)256 << 20)};
  int rc = o.arena ? note_export(&o) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) load_behaviour(&o);
  if (!rc && unseal) unseal_begin(unseal, store->place.workspace, &o.keys_of);
  if (!rc) rc = subject_records(s, store, put_record, &o, err);
  if (!rc) rc = put_alerts(&o);
  if (unseal) unseal_end(&o.keys_of);
  behaviour_free(o.behaviour);
  vdt_arena_free(o.arena);
  buf_finish(&o.line);
  free(o.keys);
  return rc;
}

/* ---- journals ---------------------------------------------------------------------------------------------------- */

static int offset_of(const struct subject *s, const char *name, uint64_t *out, struct vdt_error *err)
{
  int rc = VDT_OK;
  *out = 0;
  for (size_t i = 0; !rc && i < s->n; i++) {
    uint64_t one;
    rc = s->stores[i]->ops->get_offset(s->stores[i], str_of(name), &one, err);
    if (!rc && one > *out) *out = one;
  }
  return rc;
}

static void count_lines(const struct subject *s, FILE *f, struct vdt_arena *arena, uint64_t *lines)
{
  char *text = NULL;
  size_t cap = 0;
  for (ssize_t n; (n = getline(&text, &cap, f)) > 0;) {
    struct record r;
    vdt_arena_reset(arena);
    if (record_read(arena, (struct str){text, (size_t)n}, &r, NULL) == VDT_OK && str_eq(r.end_user, s->user)) ++*lines;
  }
  free(text);
}

static int look_into(const struct subject *s, const char *folder, const char *name, struct vdt_arena *arena, uint64_t *lines,
                     struct vdt_error *err)
{
  char path[4500];
  uint64_t from;
  int rc = offset_of(s, name, &from, err);
  snprintf(path, sizeof path, "%s/%.255s", folder, name);
  FILE *f = rc ? NULL : fopen(path, "re");
  if (f && fseeko(f, (off_t)from, SEEK_SET) == 0) count_lines(s, f, arena, lines);
  if (f) fclose(f);
  return rc;
}

static int look_at_folder(const struct subject *s, const char *folder, struct vdt_arena *arena, uint64_t *lines,
                          struct vdt_error *err)
{
  int rc = VDT_OK;
  DIR *d = opendir(folder);
  for (struct dirent *e; !rc && d && (e = readdir(d));)
    if (str_starts(str_of(e->d_name), STR("journal-"))) rc = look_into(s, folder, e->d_name, arena, lines, err);
  if (d) closedir(d);
  return rc;
}

int subject_waiting(const struct subject *s, uint64_t *lines, struct vdt_error *err)
{
  char folder[4200];
  struct vdt_arena *arena = vdt_arena_new((size_t)64 << 20);
  *lines = 0;
  snprintf(folder, sizeof folder, "%s/spool", s->state_dir);
  int rc = arena ? look_at_folder(s, folder, arena, lines, err) : error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; !rc && i < s->n; i++) {
    struct str name = s->stores[i]->place.workspace;
    snprintf(folder, sizeof folder, "%s/spool/workspaces/%.*s", s->state_dir, (int)name.n, name.p);
    rc = look_at_folder(s, folder, arena, lines, err);
  }
  vdt_arena_free(arena);
  return rc;
}
