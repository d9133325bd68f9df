/*
 * The SQLite store: sealed evidence. The data key of a token goes to a table of its own, so that deleting a day's keys makes all unreadable that was
 * sealed with them. What a token says is not trusted here: it is only taken apart, and opened by who has the private key.
 */
#include "base/error.h"
#include "record/seal.h"
#include "store/sqlite.h"

void sqlite_bind_blob(sqlite3_stmt *q, int at, struct str s)
{
  sqlite3_bind_blob64(q, at, s.n ? s.p : "", s.n, SQLITE_STATIC);
}

static struct str blob(sqlite3_stmt *q, int at)
{
  const char *p = sqlite3_column_blob(q, at);
  return p ? (struct str){p, (size_t)sqlite3_column_bytes(q, at)} : (struct str){0};
}

static int put_data_key(struct sqlite_store *s, const struct sealed *sealed, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_DATA_KEY_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_blob(q, 1, (struct str){(const char *)sealed->root_id, SEAL_ROOT_ID});
  sqlite_bind_u64(q, 2, sealed->day);
  sqlite_bind_str(q, 3, str_of(sealed->key));
  sqlite_bind_blob(q, 4, sealed->wrapped);
  return sqlite_run(s, q, err);
}

int sqlite_put_sealed(struct sqlite_store *s, struct str token, struct vdt_arena *arena, struct str *data_key, struct str *body,
                      struct vdt_error *err)
{
  struct sealed sealed;
  *data_key = *body = (struct str){0};
  if (!token.n) return VDT_OK;
  int rc = sealed_read(token, arena, &sealed, err);
  if (rc)
    return rc == VDT_ENOMEM ? rc : VDT_OK; /* no token, or one of a newer version: the finding is worth keeping without it */
  *data_key = arena_dup(arena, (struct str){(const char *)sealed.root_id, SEAL_ROOT_ID});
  *body = sealed.body;
  return data_key->p ? put_data_key(s, &sealed, err) : error_set(err, VDT_ENOMEM, "out of memory");
}

struct str sqlite_sealed(sqlite3_stmt *q, int at, struct vdt_arena *arena, bool *shredded, bool *failed)
{
  struct sealed sealed = {.day = (uint32_t)sqlite_u64(q, at + 2)};
  struct str id = blob(q, at), key = {(const char *)sqlite3_column_text(q, at + 3), (size_t)sqlite3_column_bytes(q, at + 3)};
  struct buf token = {0};
  *shredded = false;
  if (id.n != SEAL_ROOT_ID) return (struct str){0};
  sealed.wrapped = blob(q, at + 4);
  sealed.body = blob(q, at + 1);
  *shredded = sealed.wrapped.n != SEAL_WRAPPED || key.n != SEAL_KEY_ID;
  if (*shredded) return (struct str){0};
  memcpy(sealed.key, key.p, SEAL_KEY_ID);
  sealed_write(&sealed, &token);
  struct str out = token.failed ? (struct str){0} : arena_dup(arena, buf_str(&token));
  *failed |= !out.p;
  buf_finish(&token);
  return out;
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

int sqlite_put_texts(struct sqlite_store *s, const struct alert *event, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (unsigned side = 0; !rc && side < 2; side++) {
    struct str data_key, body;
    if (!event->text[side].n) continue;
    if ((rc = sqlite_put_sealed(s, event->text[side], s->arena, &data_key, &body, err))) return rc;
    sqlite3_stmt *q = body.n ? sqlite_statement(s, SQL_TEXT_PUT, &rc, err) : NULL;
    if (!q) continue;
    sqlite_bind_str(q, 1, event->x.last_interaction);
    sqlite_bind_u64(q, 2, side);
    sqlite_bind_u64(q, 3, event->start_us);
    sqlite_bind_u64(q, 4, event->text_cut[side]);
    sqlite_bind_blob(q, 5, data_key);
    sqlite_bind_blob(q, 6, body);
    rc = sqlite_run(s, q, err);
  }
  return rc;
}

int sqlite_get_texts(struct store *base, struct str interaction, struct vdt_arena *arena, struct store_text out[2],
                     struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code = SQLITE_DONE;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TEXT_GET, &rc, err);
  out[0] = out[1] = (struct store_text){0};
  if (!q) return rc;
  sqlite_bind_str(q, 1, interaction);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_text *t = &out[sqlite_u64(q, 0) % 2];
    t->cut = sqlite_u64(q, 1);
    t->sealed = sqlite_sealed(q, 2, arena, &t->shredded, &failed);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

/* ---- shredding -------------------------------------------------------------------------------------------------- */

int sqlite_drop_evidence_keys(struct store *base, uint32_t before_day, uint64_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  *n = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TEXT_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, (uint64_t)before_day * UINT64_C(86400000000));
  if ((rc = sqlite_run(s, q, err))) return rc;
  if (!(q = sqlite_statement(s, SQL_DATA_KEY_DROP, &rc, err))) return rc;
  sqlite_bind_u64(q, 1, before_day);
  if ((rc = sqlite_run(s, q, err))) return rc;
  *n = (uint64_t)sqlite3_changes(s->db);
  return VDT_OK;
}

int sqlite_list_data_keys(struct store *base, struct vdt_arena *arena, struct store_data_keys **out, size_t *n,
                          struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code = SQLITE_DONE;
  bool failed = false;
  size_t cap = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_DATA_KEY_LIST, &rc, err);
  *out = NULL;
  *n = 0;
  if (!q) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_data_keys *grown = arena_grow(arena, *out, *n, &cap, 4, sizeof *grown);
    if ((failed = !grown)) break;
    *out = grown;
    grown[(*n)++] = (struct store_data_keys){sqlite_str(q, 0, arena, &failed), sqlite_u64(q, 1), (uint32_t)sqlite_u64(q, 2),
                                             (uint32_t)sqlite_u64(q, 3)};
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}
