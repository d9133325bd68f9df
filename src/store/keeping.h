/* How long a store keeps what, what may not go, and what somebody wants to be gone. Part of store.h; only types and what works without a store. */
#ifndef STORE_KEEPING_H
#define STORE_KEEPING_H
#include "base/str.h"
#include "vedette/vedette.h"

enum store_class {
#define X(id, name, table, days, text) STORE_##id,
#include "store/classes.def"
#undef X
  STORE_CLASSES
};
struct store_class_info {
  const char *name, *table, *text;
  unsigned days;
};
const struct store_class_info *store_class_info(enum store_class c);
/* By its name or its table's, case aside; STORE_CLASSES when there is none. */
enum store_class store_class_find(struct str name);

/* Seconds; FOREVER: nothing expires. INHERIT says that something else decides. */
#define STORE_FOREVER UINT64_MAX
#define STORE_INHERIT 0
/* A time further ahead of now than this is a clock's mistake: it says nothing about age. */
#define STORE_TOMORROW_US (UINT64_C(86400) * 1000000)
enum { STORE_KEEP_MIN = 3600, STORE_KEEP_MAX = 4383 * 86400 };

/* "forever", or a number with s, m, h or d, within what a store keeps for; seconds. */
bool store_keep_read(struct str text, uint64_t *seconds);
/* The longest unit that says it without rest, or "forever". */
enum { STORE_KEEP_TEXT = 24 };
void store_keep_write(uint64_t seconds, char out[STORE_KEEP_TEXT]);
/* Who says how long a class is kept: what is set for the class itself counts before what is set for the workspace (the audit log apart), that before
 * the configuration, that before the default. */
enum store_origin { STORE_CONFIGURED, STORE_SET };
struct store_keep {
  uint64_t configured, set; /* INHERIT: nothing was said */
  uint64_t effective;
};
struct store_keeps {
  uint64_t workspace; /* set for the workspace as a whole, or INHERIT */
  struct store_keep of[STORE_CLASSES];
};

/* What may not go, whatever its age, and whoever asks: all that fits every criterion that is not empty. */
struct store_hold {
  struct str name;                        /* as store_hold_name_ok() wants it */
  struct str end_user, deployment, alert; /* alert: its name; an incident's holds its members */
  uint64_t since_us, until_us;            /* from (inclusive) to (exclusive); until 0: no end */
  struct str reason, who;
  uint64_t time_us; /* when it was set */
};

/* Letters, digits, '-', '_', '.', at most 63. */
bool store_hold_name_ok(struct str name);

/* What somebody wants to be gone. */
enum { STORE_PURGE_ID = 36 };
struct store_purge {
  char id[STORE_PURGE_ID + 1]; /* a GUID */
  enum store_class of;
  struct str filters; /* JSON: [{"column", "operator", "value"}]; all must hold; forgotten when it is done */
  struct str who;
  uint64_t requested_us, finished_us; /* finished 0: it is under way */
  uint64_t removed, held;             /* rows that went, and rows that legal holds kept */
};
/* A random GUID. */
void store_purge_new_id(char out[STORE_PURGE_ID + 1]);
/* ESYNTAX with what is wrong, in words for who asked: an unknown column, operator, kind of value, or no filter at all. */
int store_purge_check(enum store_class of, struct str filters, struct vdt_arena *arena, struct vdt_error *err);

/* One step of expiring: at most `limit` rows of one class. */
struct store_expiry {
  uint64_t now_us;
  unsigned limit;
  uint64_t removed[STORE_CLASSES]; /* added to */
  bool more;                       /* there may be more */
};
/* One step of scrubbing: `page` begins at 0. */
struct store_scrub {
  unsigned page;
  bool done;
  char expired[24], purged[24]; /* the store's: what was to be scrubbed when it began */
};
#endif
