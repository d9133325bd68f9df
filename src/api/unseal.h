/*
 * Opening sealed evidence for somebody who may read it. The private keys of a workspace are fetched for each reading and wiped behind it
 * (api/key_source.h). Whoever calls this writes the reading into the audit log first.
 */
#ifndef API_UNSEAL_H
#define API_UNSEAL_H
#include "api/key_source.h"
#include "store/store.h"

enum unseal_closed {
  UNSEAL_OPEN, /* nothing was sealed, or it is open now */
#define X(id, code, status, help) UNSEAL_##id,
#include "api/closed.def"
#undef X
  UNSEAL_REASONS
};
/* "EvidenceKeyMissing"; the HTTP status; a sentence for people. Of OPEN: "", 200, "". */
const char *unseal_code(enum unseal_closed why);
unsigned unseal_status(enum unseal_closed why);
const char *unseal_help(enum unseal_closed why);
/* The reason of that code; OPEN for any other text. */
enum unseal_closed unseal_find(const char *code);

/* Where keys come from. */
struct unseal_source {
  const char *workspace, *source; /* source: as key_source_read() takes it; NULL workspace: any */
};
struct unseal {
  const char *state;
  const struct unseal_source *sources; /* a workspace without one: its key is in the state folder */
  size_t n;
};

/* The keys of one workspace while something is read. */
struct unseal_keys {
  struct str workspace;
  struct seal_private *keys; /* or NULL: then why says it */
  enum unseal_closed why;    /* of all that is sealed, when there are no keys */
  struct vdt_error err;      /* the reason in words; never a key */
};
void unseal_begin(const struct unseal *u, struct str workspace, struct unseal_keys *out);
/* Wipes them. */
void unseal_end(struct unseal_keys *k);

/* Opens the rows of an alert: segment and decoded are filled, closed and closed_key say why where they are not. */
void unseal_alert(const struct unseal_keys *k, struct alert *a, struct vdt_arena *arena);
/* The same for rows by themselves. What the first that stays closed is closed for; OPEN when all are open. key: its id, or "". */
enum unseal_closed unseal_rows(const struct unseal_keys *k, struct alert_evidence *rows, size_t n, struct vdt_arena *arena,
                               char key[SEAL_KEY_ID + 1]);
/* The alerts of any workspaces of the list; those without sealed rows ask for no key. */
void unseal_alerts(const struct unseal *u, struct alert *list, size_t n, struct vdt_arena *arena);
/* The whole text of the request (side 0) or response (1) of an interaction, packed: part, role, text, and so on. */
enum unseal_closed unseal_text(const struct unseal_keys *k, struct str interaction, unsigned side, const struct store_text *t,
                               struct vdt_arena *arena, struct str *packed, char key[SEAL_KEY_ID + 1]);
/* Appends what unseal_text() opened as the elements of a JSON array: objects of part, role and text. */
void unseal_put_parts(struct str packed, struct buf *b);
#endif
