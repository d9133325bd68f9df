/* Inside of the SQLite store: what the files of the audit log share. Whoever includes it writes or reads entries within a transaction. */
#ifndef STORE_SQLITE_AUDIT_H
#define STORE_SQLITE_AUDIT_H
#include "store/sqlite.h"
#include <sodium.h>

enum { AUDIT_HEX = 2 * STORE_AUDIT_HASH + 1 };

/* What an entry is hashed from. The texts belong to whoever filled it in. */
struct audit_entry {
  uint64_t id, time_us;
  struct str texts[4]; /* who, what, target, detail */
};
/* The last entry that has expired: nothing stands before the one behind it, and its hash is what that one was chained to. */
struct audit_cut {
  uint64_t id; /* 0: none was ever cut */
  unsigned char hash[STORE_AUDIT_HASH];
  bool sealed; /* by whoever has the key */
};

/* Reads the key, or makes it where no log has begun. ESTATE: it is missing or another, and this log has begun: another key would make its entries
 * unprovable without a word. */
int audit_need_key(struct sqlite_store *s, bool begun, struct vdt_error *err);
/* Every hash begins with what it is for: none can stand in another's place. The key is there. */
void audit_begin_hash(const struct sqlite_store *s, crypto_generichash_state *h, struct str purpose);
void audit_take_number(crypto_generichash_state *h, uint64_t v);
void audit_take_text(crypto_generichash_state *h, struct str text);
void audit_end_hash(crypto_generichash_state *h, char hex[AUDIT_HEX]);
void audit_hash_entry(const struct sqlite_store *s, const struct audit_entry *e, const unsigned char before[STORE_AUDIT_HASH],
                      unsigned char out[STORE_AUDIT_HASH]);
/* Of the log's last entry. */
void audit_seal(const struct sqlite_store *s, uint64_t id, const unsigned char hash[STORE_AUDIT_HASH], char hex[AUDIT_HEX]);
/* The last entry; *id 0: there is none, and the hash is zeros. */
int audit_read_last(struct sqlite_store *s, uint64_t *id, unsigned char hash[STORE_AUDIT_HASH], struct vdt_error *err);
/* Whatever stands there in place of a hash counts as one, so that verifying goes on behind it. */
void audit_read_hash(sqlite3_stmt *q, int at, unsigned char hash[STORE_AUDIT_HASH]);
/* A row of AUDIT_ALL, whose texts are valid until the next step. */
void audit_read_entry(sqlite3_stmt *q, struct audit_entry *e, unsigned char hash[STORE_AUDIT_HASH]);
int audit_read_cut(struct sqlite_store *s, struct audit_cut *c, struct vdt_error *err);
#endif
