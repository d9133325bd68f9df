/*
 * The data statement: what is kept, where, how long, who may read it, what leaves, what was found and what is not kept; and the proof of it.
 *
 * Everything in it comes from the tables of this folder, the configuration that runs, the schema and the stores as they are now: there is no second list.
 * It names deployments, tokens and destinations, and no users; it never shows content. Reading changes nothing.
 */
#ifndef DATA_DATA_H
#define DATA_DATA_H
#include "engine/config.h"
#include "store/store.h"
#include <sys/stat.h>

enum data_class_id {
#define X(id, name, title, tables, lines, scope, retention, readers, holds, protection) DATA_##id,
#include "data/classes.def"
#undef X
  DATA_CLASSES
};

enum data_lines { DATA_LINES_NOTHING, DATA_LINES_RECORDS, DATA_LINES_PLAIN, DATA_LINES_JOURNAL };
enum data_scope { DATA_SCOPE_ALL, DATA_SCOPE_EVIDENCE, DATA_SCOPE_PURVIEW, DATA_SCOPE_NONE };
enum data_retention {
  DATA_KEEP_RECORDS, /* these four: as the workspace says */
  DATA_KEEP_ALERTS,
  DATA_KEEP_EVIDENCE,
  DATA_KEEP_AUDIT,
  DATA_KEEP_FOREVER,
  DATA_KEEP_COLLECTED,
  DATA_KEEP_FORGOTTEN,
  DATA_KEEP_OPERATOR,
  DATA_KEEP_EXPIRY,
  DATA_KEEP_REPLACED,
  DATA_KEEP_RESTART,
  DATA_KEEP_REQUEST
};
enum data_readers { DATA_READ_NOBODY, DATA_READ_READER, DATA_READ_EVIDENCE };

struct data_class {
  const char *name, *title, *tables, *holds, *protection;
  enum data_lines lines;
  enum data_scope scope;
  enum data_retention retention;
  enum data_readers readers;
};
extern const struct data_class data_classes[DATA_CLASSES];

enum data_type { DATA_FILE, DATA_DIR, DATA_SOCKET };
enum data_owner { DATA_OWNER, DATA_GATEWAY };
struct data_place {
  enum data_class_id class;
  const char *pattern;
  enum data_type type;
  unsigned mode;
  enum data_owner owner;
  const char *what;
};
extern const struct data_place data_places[];
extern const size_t data_n_places;

enum data_connection_kind {
#define X(id, name, why, sends) DATA_##id,
#include "data/connections.def"
#undef X
  DATA_CONNECTIONS
};
struct data_connection_info {
  const char *name, *why, *sends;
};
extern const struct data_connection_info data_connection_kinds[DATA_CONNECTIONS];

struct data_absent {
  const char *what, *why;
};
extern const struct data_absent data_absent[];
extern const size_t data_n_absent;

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

/* A token of the control API. */
struct data_reader {
  struct str name, role, workspaces; /* workspaces: "*", or names with commas */
  bool evidence;                     /* may read evidence */
};

struct data_input {
  const char *state_dir;
  const struct config *config; /* or NULL: not known */
  struct store **stores;       /* what is not of their workspaces is left out */
  size_t n_stores;
  bool all; /* the workspaces of the configuration that have no store yet are in it too */
  const struct data_reader *readers;
  size_t n_readers;
  uint64_t now_us;
};

/* ---- what is known ----------------------------------------------------------------------------------------------- */

/* Items of a table, or files. */
struct data_found {
  struct str name; /* of the table; empty: files */
  uint64_t items, bytes, oldest_us, newest_us;
};

struct data_deployment {
  const struct config_deployment *config;
  bool evidence; /* as configured, or as a plan has switched it */
  bool purview;
};

struct data_workspace {
  struct str name, region, engine;
  const struct config_workspace *config; /* or NULL: of no configuration any more, or that is not known */
  struct store *store;                   /* or NULL */
  struct store_keeps keeps;              /* of the store */
  size_t n_holds;                        /* legal holds */
  struct data_deployment *deployments;
  size_t n_deployments;
  struct store_table *tables;
  size_t n_tables;
  struct store_texts *texts;
  size_t n_texts;
  struct store_transfer *transfers;
  size_t n_transfers;
  struct store_removal *removals;
  size_t n_removals;
  struct data_found files[DATA_CLASSES]; /* in its folder */
};

struct data_connection {
  enum data_connection_kind kind;
  struct str name, destination;
  struct str used; /* the deployments or policies, with ", " */
  bool leaves;     /* this machine */
};

struct data_statement {
  const struct data_input *input;
  struct str state_dir; /* absolute */
  struct str owner, group, gateway;
  struct data_workspace *workspaces;
  size_t n_workspaces;
  struct data_connection *connections;
  size_t n_connections;
  struct store_table *schema;
  size_t n_schema;
  struct data_found files[DATA_CLASSES]; /* outside of the folders of workspaces */
};

/* Strings are in the arena or borrowed of the input. EIO, ENOMEM. */
int data_gather(const struct data_input *input, struct vdt_arena *arena, struct data_statement *out, struct vdt_error *err);
void data_put_json(const struct data_statement *s, struct buf *out);
/* For a terminal. */
void data_put_text(const struct data_statement *s, struct buf *out);
/* A page that needs nothing else: no script, no style or image of elsewhere. */
void data_put_html(const struct data_statement *s, struct buf *out);
/* Every table of this folder as those of docs/data-statement.md. */
void data_put_markdown(struct buf *out);

/* The configuration that `vedette run` keeps in the state folder; *out is NULL when there is none. */
int data_running_config(const char *state_dir, struct config **out, struct vdt_error *err);
enum { DATA_CONFIG_MAX = 4 << 20 };

/* ---- parts of it that tests and other files of this folder use ---------------------------------------------------- */

/* The row of places.def that a path below the state folder matches, or NULL: one of its type when there is one. *workspace is what stands for
 * {workspace}. */
const struct data_place *data_place_of(const char *path, mode_t mode, struct str *workspace);
/* Of the type that the row says. */
bool data_place_is(const struct data_place *p, mode_t mode);
/* One thing in a state folder. */
struct data_item {
  const char *path;               /* below the state folder */
  const struct stat *st;          /* of itself, not of what a link leads to */
  const struct data_place *place; /* or NULL: no row names it */
  struct str workspace;           /* whose folder it is in, or empty */
  bool passing;                   /* PATH.PID of a file that is being replaced, or PATH.new */
};
/* Calls item() for everything below the folder, folders before what is in them. What goes away meanwhile is passed over. EIO when the folder itself
 * cannot be read. */
int data_walk(const char *state_dir, void (*item)(void *ctx, const struct data_item *item), void *ctx, struct vdt_error *err);
/* Words of what a class says: how long, for a workspace or (NULL) anywhere. */
void data_put_retention(struct buf *b, const struct data_class *c, const struct data_workspace *w);
/* Whether a table is one of the class. */
bool data_class_has(const struct data_class *c, struct str table);
/* Calls member() for each member of the lines of a class: "findings[].rule" is member("findings[].", "rule"). */
void data_each_member(enum data_lines lines, void (*member)(void *ctx, const char *of, const char *name), void *ctx);
#endif
