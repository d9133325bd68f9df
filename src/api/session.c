/* The table of sessions, see session.h. It decides nothing about roles, and writes nothing to a disk. */
#include "api/session.h"
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* As it lies in memory, which another process may take over: of this very form, or it begins anew. */
struct table {
  char form[16];
  uint64_t size;
  unsigned char key[crypto_generichash_KEYBYTES], origin[SESSION_TIE];
  struct session all[SESSIONS_MAX];
  struct session_pane panes[SESSION_PANES];
  unsigned char of[SESSIONS_MAX][SESSION_OF_MAX]; /* apart: looking for a cookie does not pass over it */
};
static const char form[16] = "vedette sess 2";

struct sessions {
  struct session_limits limits;
  struct table *table;
  bool kept; /* by a file that outlives us */
};

/* What may be in it of a process that was killed while it wrote is no session: the hash of the cookie comes last. */
static void prepare(struct table *t)
{
  if (memcmp(t->form, form, sizeof form) == 0 && t->size == sizeof *t) return;
  memset(t, 0, sizeof *t);
  randombytes_buf(t->key, sizeof t->key);
  t->size = sizeof *t;
  memcpy(t->form, form, sizeof form);
}

static struct table *map(int fd)
{
  if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || ftruncate(fd, sizeof(struct table)) != 0)) return NULL;
  int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void *p = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, flags, fd, 0);
  if (p == MAP_FAILED) return NULL;
  madvise(p, sizeof(struct table), MADV_DONTDUMP);
  return p;
}

struct sessions *sessions_new(const struct session_limits *limits, int fd)
{
  struct sessions *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  *s = (struct sessions){*limits, map(fd), fd >= 0};
  if (s->table) prepare(s->table);
  if (s->table) return s;
  free(s);
  return NULL;
}

const void *session_of(const struct sessions *s, const struct session *session)
{
  return session->has_of ? s->table->of[session - s->table->all] : NULL;
}

void session_end(struct sessions *s, struct session *session)
{
  if (session->has_of) sodium_memzero(s->table->of[session - s->table->all], SESSION_OF_MAX);
  sodium_memzero(session, sizeof *session);
}

void sessions_free(struct sessions *s)
{
  if (!s) return;
  if (!s->kept) sodium_memzero(s->table, sizeof *s->table);
  munmap(s->table, sizeof *s->table);
  free(s);
}

const unsigned char *sessions_key(const struct sessions *s)
{
  return s->table->key;
}

void sessions_of_origin(struct sessions *s, const unsigned char origin[SESSION_TIE])
{
  if (sodium_memcmp(s->table->origin, origin, SESSION_TIE) == 0) return;
  for (size_t i = 0; i < SESSIONS_MAX; i++)
    if (s->table->all[i].has_of) session_end(s, &s->table->all[i]);
  memset(s->table->panes, 0, sizeof s->table->panes);
  memcpy(s->table->origin, origin, SESSION_TIE);
}

struct session_pane *sessions_panes(struct sessions *s)
{
  return s->table->panes;
}

static void keyed(const struct sessions *s, struct str purpose, struct str cookie, unsigned char out[SESSION_TIE])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, s->table->key, sizeof s->table->key, SESSION_TIE);
  crypto_generichash_update(&h, (const unsigned char *)purpose.p, purpose.n);
  crypto_generichash_update(&h, (const unsigned char *)cookie.p, cookie.n);
  crypto_generichash_final(&h, out, SESSION_TIE);
}

static bool is_live(const struct sessions *s, const struct session *t, uint64_t now_us)
{
  return t->began_us && now_us - t->began_us < s->limits.life_us && now_us - t->used_us < s->limits.idle_us;
}

/* Free first, then the longest unused: of the same tie when that has its share, else of all. */
static struct session *room(struct sessions *s, const unsigned char tie[SESSION_TIE], uint64_t now_us)
{
  struct session *oldest = &s->table->all[0], *own = NULL, *unused = NULL;
  size_t n = 0;
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    struct session *t = &s->table->all[i];
    if (t->began_us && !is_live(s, t, now_us)) session_end(s, t);
    if (!t->began_us) unused = t;
    else if (t->used_us < oldest->used_us) oldest = t;
    if (!t->began_us || sodium_memcmp(t->tie, tie, SESSION_TIE) != 0) continue;
    n++;
    if (!own || t->used_us < own->used_us) own = t;
  }
  if (n >= SESSIONS_EACH) return own;
  return unused ? unused : oldest;
}

struct session *sessions_begin(struct sessions *s, const unsigned char tie[SESSION_TIE], const void *of, size_t n,
                               uint64_t now_us, char out[SESSION_TEXT + 1])
{
  unsigned char random[SESSION_TEXT / 2];
  struct session *t = room(s, tie, now_us);
  session_end(s, t);
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(out, SESSION_TEXT + 1, random, sizeof random);
  sodium_memzero(random, sizeof random);
  memcpy(t->tie, tie, SESSION_TIE);
  t->began_us = t->used_us = now_us ? now_us : 1;
  t->has_of = of && n <= SESSION_OF_MAX;
  if (t->has_of) memcpy(s->table->of[t - s->table->all], of, n);
  keyed(s, STR("cookie"), (struct str){out, SESSION_TEXT}, t->mac);
  return t;
}

/* All are compared. */
struct session *sessions_peek(struct sessions *s, struct str cookie, uint64_t now_us)
{
  unsigned char mac[SESSION_TIE];
  struct session *found = NULL;
  if (cookie.n != SESSION_TEXT) return NULL;
  keyed(s, STR("cookie"), cookie, mac);
  for (size_t i = 0; i < SESSIONS_MAX; i++)
    if (sodium_memcmp(s->table->all[i].mac, mac, SESSION_TIE) == 0 && s->table->all[i].began_us) found = &s->table->all[i];
  if (!found) return NULL;
  if (!is_live(s, found, now_us)) {
    session_end(s, found);
    return NULL;
  }
  return found;
}

struct session *sessions_find(struct sessions *s, struct str cookie, uint64_t now_us)
{
  struct session *found = sessions_peek(s, cookie, now_us);
  if (found) found->used_us = now_us;
  return found;
}

uint64_t session_ends(const struct sessions *s, const struct session *session)
{
  uint64_t life = session->began_us + s->limits.life_us, idle = session->used_us + s->limits.idle_us;
  return life < idle ? life : idle;
}

void sessions_csrf(const struct sessions *s, struct str cookie, char out[SESSION_TEXT + 1])
{
  unsigned char mac[SESSION_TIE];
  keyed(s, STR("csrf"), cookie, mac);
  sodium_bin2hex(out, SESSION_TEXT + 1, mac, sizeof mac);
}
