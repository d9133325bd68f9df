/* The table of sessions, see session.h. It decides nothing about roles, and writes nothing anywhere. */
#include "api/session.h"
#include <sodium.h>
#include <stdlib.h>

struct sessions {
  struct session_limits limits;
  unsigned char key[crypto_generichash_KEYBYTES];
  struct session table[SESSIONS_MAX];
};

struct sessions *sessions_new(const struct session_limits *limits)
{
  struct sessions *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->limits = *limits;
  randombytes_buf(s->key, sizeof s->key);
  return s;
}

void session_end(struct session *session)
{
  free(session->of);
  sodium_memzero(session, sizeof *session);
}

void sessions_free(struct sessions *s)
{
  if (!s) return;
  for (size_t i = 0; i < SESSIONS_MAX; i++) session_end(&s->table[i]);
  sodium_memzero(s, sizeof *s);
  free(s);
}

static void keyed(const struct sessions *s, struct str purpose, struct str cookie, unsigned char out[SESSION_TIE])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, s->key, sizeof s->key, SESSION_TIE);
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
  struct session *oldest = &s->table[0], *own = NULL, *unused = NULL;
  size_t n = 0;
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    struct session *t = &s->table[i];
    if (t->began_us && !is_live(s, t, now_us)) session_end(t);
    if (!t->began_us) unused = t;
    else if (t->used_us < oldest->used_us) oldest = t;
    if (!t->began_us || sodium_memcmp(t->tie, tie, SESSION_TIE) != 0) continue;
    n++;
    if (!own || t->used_us < own->used_us) own = t;
  }
  if (n >= SESSIONS_EACH) return own;
  return unused ? unused : oldest;
}

struct session *sessions_begin(struct sessions *s, const unsigned char tie[SESSION_TIE], void *of, uint64_t now_us,
                               char out[SESSION_TEXT + 1])
{
  unsigned char random[SESSION_TEXT / 2];
  struct session *t = room(s, tie, now_us);
  session_end(t);
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(out, SESSION_TEXT + 1, random, sizeof random);
  sodium_memzero(random, sizeof random);
  keyed(s, STR("cookie"), (struct str){out, SESSION_TEXT}, t->mac);
  memcpy(t->tie, tie, SESSION_TIE);
  t->began_us = t->used_us = now_us ? now_us : 1;
  t->of = of;
  return t;
}

/* All are compared. */
struct session *sessions_find(struct sessions *s, struct str cookie, uint64_t now_us)
{
  unsigned char mac[SESSION_TIE];
  struct session *found = NULL;
  if (cookie.n != SESSION_TEXT) return NULL;
  keyed(s, STR("cookie"), cookie, mac);
  for (size_t i = 0; i < SESSIONS_MAX; i++)
    if (sodium_memcmp(s->table[i].mac, mac, SESSION_TIE) == 0 && s->table[i].began_us) found = &s->table[i];
  if (!found) return NULL;
  if (!is_live(s, found, now_us)) {
    session_end(found);
    return NULL;
  }
  found->used_us = now_us;
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
