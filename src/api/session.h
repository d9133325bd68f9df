/*
 * Sessions of people at the portal: a cookie in place of a token, for a bounded time. They live in memory and end with the process. What the cookie
 * says is kept as a keyed hash only, so that a dump of the table opens nothing; who it is for is decided by who asks (auth.h). For one thread.
 */
#ifndef API_SESSION_H
#define API_SESSION_H
#include "base/str.h"

enum { SESSION_TEXT = 64, SESSION_TIE = 32, SESSIONS_EACH = 16, SESSIONS_MAX = 256 };

struct session_limits {
  uint64_t life_us, idle_us; /* from its beginning; since its last use */
};

struct session {
  unsigned char mac[SESSION_TIE]; /* of the cookie */
  unsigned char tie[SESSION_TIE]; /* what it was begun with: with that it ends */
  uint64_t began_us, used_us;     /* monotonic; began 0: free */
  void *of;                       /* the caller's, freed with the session; or NULL */
};

struct sessions;
/* NULL: out of memory. */
struct sessions *sessions_new(const struct session_limits *limits);
/* Accepts NULL. */
void sessions_free(struct sessions *s);
/* Begins one and writes what its cookie says, with a NUL. Takes the place of the longest unused of the same tie, when that has SESSIONS_EACH, or of all. of: from
 * malloc, or NULL; taken over. */
struct session *sessions_begin(struct sessions *s, const unsigned char tie[SESSION_TIE], void *of, uint64_t now_us,
                               char out[SESSION_TEXT + 1]);
/* The session of that cookie, as used now; NULL when there is none any more. The time says nothing about others'. */
struct session *sessions_find(struct sessions *s, struct str cookie, uint64_t now_us);
void session_end(struct session *session);
/* When it ends if it is not used again, and in any case; monotonic. */
uint64_t session_ends(const struct sessions *s, const struct session *session);
/* What requests that change something must repeat, in hexadecimal digits. It cannot be told from the cookie, nor the cookie from it. */
void sessions_csrf(const struct sessions *s, struct str cookie, char out[SESSION_TEXT + 1]);
#endif
