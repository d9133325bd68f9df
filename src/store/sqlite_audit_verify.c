/*
 * The SQLite store: holding an audit log against its hashes. It changes nothing, and says of a fault where it is and of which kind, never what an entry
 * says.
 */
#include "base/error.h"
#include "store/sqlite_audit.h"

static const struct {
  const char *name, *text;
} faults[] = {
#define X(fault, name, text) {name, text},
#include "store/audit_faults.def"
#undef X
};

const char *store_audit_fault_name(enum store_audit_fault fault)
{
  return faults[fault].name;
}

const char *store_audit_fault_text(enum store_audit_fault fault)
{
  return faults[fault].text;
}

static void report(struct store_audit_check *c, enum store_audit_fault fault, uint64_t id, uint64_t first)
{
  c->faults++;
  if (c->found) c->found(c->ctx, fault, id, first);
}

/* Every entry is held against the one that stands before it, as that one says it is: a fault shows where it is and nowhere else. */
static int verify_entries(struct sqlite_store *s, struct store_audit_check *c, struct vdt_error *err)
{
  struct audit_entry e;
  struct audit_cut cut;
  unsigned char before[STORE_AUDIT_HASH] = {0}, hash[STORE_AUDIT_HASH], want[STORE_AUDIT_HASH];
  uint64_t last = 0;
  int code, rc = audit_read_cut(s, &cut, err);
  if (rc) return rc;
  if (cut.sealed) {
    memcpy(before, cut.hash, STORE_AUDIT_HASH);
    last = cut.id;
    c->anchored = c->anchor && memcmp(cut.hash, c->anchor, STORE_AUDIT_HASH) == 0;
  }
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_ALL, &rc, err);
  if (!q) return rc;
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    audit_read_entry(q, &e, hash);
    audit_hash_entry(s, &e, before, want);
    bool gap = e.id > last + 1;
    if (sodium_memcmp(hash, want, STORE_AUDIT_HASH) != 0)
      report(c, gap ? STORE_AUDIT_MISSING : STORE_AUDIT_CHANGED, e.id, last + 1);
    else if (c->anchor && memcmp(hash, c->anchor, STORE_AUDIT_HASH) == 0) c->anchored = true;
    memcpy(before, hash, STORE_AUDIT_HASH);
    last = e.id;
    c->entries++;
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  memcpy(c->head, before, STORE_AUDIT_HASH);
  c->last = last;
  return rc;
}

static int verify_all(struct sqlite_store *s, struct store_audit_check *c, struct vdt_error *err)
{
  char have[2 * AUDIT_HEX], want[AUDIT_HEX];
  int rc = sqlite_get_meta(s, "audit_head", have, sizeof have, err);
  bool begun = have[0] != 0;
  uint64_t last;
  if (!rc) rc = audit_read_last(s, &last, c->head, err);
  if (!rc && !begun && !last) return VDT_OK; /* nothing was ever written: there is no key, and none is needed */
  if (!rc) rc = audit_need_key(s, true, err);
  if (!rc) rc = verify_entries(s, c, err);
  if (rc) return rc;
  audit_seal(s, c->last, c->head, want);
  if (strcmp(have, want) != 0) report(c, STORE_AUDIT_TAIL, c->last, c->last + 1);
  return VDT_OK;
}

/* One transaction that only reads: entries that are written meanwhile are not there for it. */
int sqlite_verify_audit(struct store *base, struct store_audit_check *check, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int code = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
  if (code != SQLITE_OK) return sqlite_error(s, code, err);
  check->entries = check->faults = check->last = 0;
  check->anchored = false;
  memset(check->head, 0, STORE_AUDIT_HASH);
  int rc = verify_all(s, check, err);
  base->ops->rollback(base);
  return rc;
}
