/*
 * The data-security API of Microsoft Graph as its clients speak it: which content is to be put before it (protectionScopes/compute), what may be done
 * with a content (processContent), and what was done (activities/contentActivities). Text in, text out; nothing is judged here.
 *
 * Members are those of the public reference of Graph v1.0. Those that we do not know are passed over; those that we read must have their type.
 */
#ifndef WIRE_PURVIEW_H
#define WIRE_PURVIEW_H
#include "base/buf.h"
#include "base/json.h"

enum { PURVIEW_LOCATIONS = 100, PURVIEW_LABELS = 64, PURVIEW_ETAG = 36 };

enum purview_error {
#define X(name, status, code) PURVIEW_##name,
#include "wire/purview_errors.def"
#undef X
  PURVIEW_ERRORS
};

unsigned purview_error_status(enum purview_error e);
const char *purview_error_code(enum purview_error e);
/* The error for one of our own codes (vdt_code). */
enum purview_error purview_error_of(int code);
void purview_error_body(enum purview_error e, struct str message, struct buf *out);

enum purview_activity {
#define X(id, name, role, answer) PURVIEW_##id,
#include "wire/purview_activities.def"
#undef X
  PURVIEW_ACTIVITIES
};
enum vdt_role purview_role(enum purview_activity a);
bool purview_is_answer(enum purview_activity a);

enum purview_operation { PURVIEW_SCOPES, PURVIEW_PROCESS, PURVIEW_ACTIVITY };
struct purview_call {
  enum purview_operation operation;
  struct str user; /* of the path; empty: me */
  bool details;    /* vedette-details=true */
};

/* Below /v1.0 or /beta: me or users/{id}, then dataSecurityAndGovernance? All of that is the API's. */
bool purview_is_path(struct str path);
/* Which operation is it? PURVIEW_ERRORS: one of ours. */
enum purview_error purview_route(struct str method, struct str path, struct str query, struct purview_call *out);

/* ---- questions ------------------------------------------------------------------------------------------------------ */

/* On failure ESYNTAX and the like of json_parse, EINVAL for a wrong shape, ETOOBIG for more than a limit; err->text says what, quoting nothing. */

struct purview_entry {
  struct str text;
  bool binary;    /* its bytes are not read */
  bool truncated; /* there is more of it that is not here */
};

struct purview_content {
  enum purview_activity activity;
  struct purview_entry *entries;
  size_t n_entries;
  struct str application; /* protectedAppMetadata.name, else integratedAppMetadata.name */
  struct str location;    /* protectedAppMetadata.applicationLocation.value */
  struct str address;     /* deviceMetadata.ipAddress */
  struct str labels[PURVIEW_LABELS];
  size_t n_labels; /* of accessedResources; more than LABELS are passed over */
};
int purview_read_content(struct vdt_arena *arena, struct str body, const struct json_limits *limits, size_t max_entries,
                         struct purview_content *out, struct vdt_error *err);

struct purview_location {
  struct str type, value;
};
struct purview_scopes {
  bool wanted[PURVIEW_ACTIVITIES]; /* all, when none is named */
  struct purview_location locations[PURVIEW_LOCATIONS];
  size_t n_locations;
  struct str application; /* integratedAppMetadata.name */
};
int purview_read_scopes(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct purview_scopes *out,
                        struct vdt_error *err);

struct purview_done {
  struct json_doc doc;
  struct str id, user, scope; /* as the body says, or empty */
  uint32_t metadata;          /* node */
  struct str application;
  size_t n_entries;
};
int purview_read_done(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct purview_done *out,
                      struct vdt_error *err);

/* ---- answers -------------------------------------------------------------------------------------------------------- */

/* What is to be done with content of an activity: nothing, tell it afterwards, or ask before. */
enum purview_mode { PURVIEW_IGNORE, PURVIEW_OFFLINE, PURVIEW_INLINE };
/* The scopes of one location; first: no comma before it. Returns whether it wrote any. */
bool purview_write_scope(const struct purview_location *l, const enum purview_mode modes[PURVIEW_ACTIVITIES], bool first,
                         struct buf *out);

/* The answer up to the processing errors. */
void purview_write_actions(bool modified, bool restricted, struct buf *out);
/* One of them: entry i was not read, and why. */
void purview_write_unread(size_t i, const char *why, bool first, struct buf *out);
/* A finding in entry i, for those who ask for details. */
void purview_write_finding(size_t i, const struct vdt_finding *f, bool first, struct buf *out);

/* What was done, without content. id: of ours, where the body has none. */
void purview_write_done(const struct purview_done *d, struct str id, struct str user, struct buf *out);

/* Does a header If-None-Match name this tag? "*" names any. */
bool purview_matches(struct str if_none_match, struct str etag);
#endif
