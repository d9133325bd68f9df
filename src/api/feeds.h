/*
 * feeds: threat intelligence from files and HTTPS addresses to <state>/spool/intel, which the gateway's workers map, and to the collector.
 *
 * A thread of its own reads, so that a slow server keeps no record waiting. It looks at files every second and at addresses when they are due. What a
 * feed said last is kept in <state>/feeds/NAME: a feed that is broken, gone or unreachable keeps its old content, over restarts too, and
 * <state>/feeds/status.json and the metrics say why and how old it is.
 */
#ifndef API_FEEDS_H
#define API_FEEDS_H
#include "intel/feed.h"

struct feeds_source {
  const char *name;
  enum intel_kind kind;
  enum feed_format format;
  const char *column;            /* or NULL */
  const char *source;            /* a path, or "https://..." */
  const char *header_env;        /* environment variable with a whole header line that authorises, or NULL */
  unsigned refresh, stale_after; /* seconds */
};

struct feeds_options {
  const struct feeds_source *sources;
  size_t n;
  bool built_in;
  const char *trust; /* PEM file of certificates, or NULL: the system's */
};

/* What is known of a feed now. */
struct feeds_status {
  const char *name;
  enum intel_kind kind;
  uint64_t entries, ignored, unreadable;
  uint64_t loaded_us; /* Unix time of what it says; 0: it never said anything */
  uint64_t tried_us;
  bool stale, failed;
  char error[320]; /* of the last try, or "" */
};

struct feeds;
/* Everything is borrowed. The built-in list and what is kept of the feeds is there when this returns. EIO, ENOMEM. */
int feeds_start(const char *state_dir, const struct feeds_options *options, struct feeds **out, struct vdt_error *err);
void feeds_stop(struct feeds *f);
/* Brings *intel up to date for the caller's thread. */
void feeds_take(struct feeds *f, struct vdt_intel **intel);
/* A request for a feed: where it went, whether a server of the feed had led there, and bytes, heads included. */
struct feeds_transfer {
  char name[256], destination[320];
  bool redirected, posted; /* posted: a form went there (fetch_form) */
  uint64_t time_us, sent, received;
};
/* Hands each request since the last call to take(), oldest first, until it returns false: that one and those behind it are kept. */
void feeds_take_transfers(struct feeds *f, bool (*take)(void *ctx, const struct feeds_transfer *t), void *ctx);
/* Feed i; false behind the last. */
bool feeds_status_at(struct feeds *f, size_t i, struct feeds_status *out);

/* fetch.c: GET over HTTPS, redirects too; the secret header goes to the first server only. moved() is told each request that was made. *etag is what the server said last time, and is replaced. *unchanged: the server says so, and body is empty.
 * EIO with words, ETOOBIG. */
struct fetch_limits {
  size_t bytes;
  unsigned seconds;   /* for each request */
  unsigned redirects; /* most steps on */
};
int fetch(const struct feeds_source *source, const char *trust, const struct fetch_limits *limits, char etag[256],
          struct buf *body, bool *unchanged, void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx,
          struct vdt_error *err);
/* POST of a form over HTTPS, without redirects. user: a name and a secret that authorise, as Basic; NULL: none. *status: what the server answered, 0 when it did
 * not; body is its, whatever that says. moved() as above. EIO with words, ETOOBIG. */
struct fetch_user {
  const char *name, *secret; /* encoded already */
};
int fetch_form(const struct feeds_source *source, const char *trust, const struct fetch_limits *limits, struct str form,
               const struct fetch_user *user, struct buf *body, long *status,
               void (*moved)(void *ctx, const struct feeds_transfer *t), void *ctx, struct vdt_error *err);
#endif
