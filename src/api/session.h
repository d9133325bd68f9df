/*
 * Sessions of people at the portal: a cookie in place of a token, for a bounded time. They live in memory only. What the cookie says is kept as a keyed
 * hash, so that a dump of the table opens nothing; who it is for is decided by who asks (auth.h). For one thread.
 *
 * The memory can be a file without a name (memfd) that `vedette run` holds for the time in which the control process is started again: then sessions
 * outlive a reload of the configuration and a crash, and end with `vedette run`. It never has a place on a disk, and is left out of core dumps. What
 * stands open for a time is kept beside them, as long as they are (glass.h).
 */
#ifndef API_SESSION_H
#define API_SESSION_H
#include "base/str.h"

enum { SESSION_TEXT = 64, SESSION_TIE = 32, SESSIONS_EACH = 16, SESSIONS_MAX = 256, SESSION_OF_MAX = 4608, SESSION_PANES = 64 };

struct session_limits {
  uint64_t life_us, idle_us; /* from its beginning; since its last use */
};

struct session {
  unsigned char mac[SESSION_TIE]; /* of the cookie */
  unsigned char tie[SESSION_TIE]; /* what it was begun with: with that it ends */
  uint64_t began_us, used_us;     /* monotonic; began 0: free */
  bool has_of;                    /* the caller's bytes are kept with it */
};

/* What is open for whoever has this tie. */
struct session_pane {
  unsigned char tie[SESSION_TIE];
  uint64_t until_us, ends_us; /* monotonic, 0: free; the same as Unix time */
};

struct sessions;
/* fd: a file in memory that keeps them, which is made as large as it has to be and whose sessions go on, or -1. NULL: out of memory, or the file cannot be
 * used. */
struct sessions *sessions_new(const struct session_limits *limits, int fd);
/* Ends them, unless the file keeps them. Accepts NULL. */
void sessions_free(struct sessions *s);
/* Random, and the same for as long as the sessions: what ties are made with. */
const unsigned char *sessions_key(const struct sessions *s);
/* SESSION_PANES of them. */
struct session_pane *sessions_panes(struct sessions *s);
/* Sessions that something is kept with, and that were begun under another origin (a hash of whatever it depends on), end, and all that is open closes. */
void sessions_of_origin(struct sessions *s, const unsigned char origin[SESSION_TIE]);
/* Begins one and writes what its cookie says, with a NUL. Takes the place of the longest unused of the same tie, when that has SESSIONS_EACH, or of all.
 * of: n bytes that are kept with it, at most SESSION_OF_MAX, or NULL. */
struct session *sessions_begin(struct sessions *s, const unsigned char tie[SESSION_TIE], const void *of, size_t n,
                               uint64_t now_us, char out[SESSION_TEXT + 1]);
/* The bytes that are kept with it, or NULL. */
const void *session_of(const struct sessions *s, const struct session *session);
/* The session of that cookie, as used now; NULL when there is none any more. The time says nothing about others'. */
struct session *sessions_find(struct sessions *s, struct str cookie, uint64_t now_us);
/* The same, without counting as a use. */
struct session *sessions_peek(struct sessions *s, struct str cookie, uint64_t now_us);
void session_end(struct sessions *s, struct session *session);
/* When it ends if it is not used again, and in any case; monotonic. */
uint64_t session_ends(const struct sessions *s, const struct session *session);
/* What requests that change something must repeat, in hexadecimal digits. It cannot be told from the cookie, nor the cookie from it. */
void sessions_csrf(const struct sessions *s, struct str cookie, char out[SESSION_TEXT + 1]);
#endif
