/* Bearer tokens of the control API, see auth.h. No token is written anywhere, and none is compared in a time that depends on it. */
#include "api/auth.h"
#include "api/links.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdlib.h>

enum { TOKEN_MAX = 505, SHA_HEX = crypto_hash_sha256_BYTES * 2, MAC = 32, KNOWN = 256, SOURCES = 256 };
enum { FREE_TRIES = 10, LONGEST_WAIT_S = 60, HASHES_BURST = 20, HASHES_PER_S = 10 };
static const uint64_t SECOND = 1000000, KNOWN_US = 300 * SECOND, FORGIVEN_US = 600 * SECOND;

struct known {
  unsigned char mac[MAC];
  uint64_t until_us; /* 0: free */
  char day[TOKEN_DAY + 1];
};

struct source {
  unsigned char mac[MAC];
  unsigned fails;
  uint64_t last_us, until_us;
};

struct auth {
  const char *state_dir;
  unsigned char key[crypto_generichash_KEYBYTES];
  struct known known[KNOWN];
  struct source sources[SOURCES];
  uint64_t hashes_us; /* when the bucket of slow hashes will be full again */
  struct sessions *sessions;
  struct oidc *oidc; /* or NULL */
  uint64_t session_s;
};

_Static_assert(sizeof(struct auth_grant) <= SESSION_OF_MAX, "a grant fits with its session");

static void hash_text(crypto_generichash_state *h, struct str text)
{
  if (text.n) crypto_generichash_update(h, (const unsigned char *)text.p, text.n);
  crypto_generichash_update(h, (const unsigned char *)"", 1);
}

/* Of whom identity providers may speak for: a session of one ends when any of that is not so any more. */
static void hash_providers(const struct oidc *oidc, unsigned char out[SESSION_TIE])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, NULL, 0, SESSION_TIE);
  const struct oidc_options *all = oidc ? oidc_options(oidc) : NULL;
  for (size_t i = 0; all && i < all->n; i++) {
    const struct oidc_provider *p = &all->providers[i];
    const char *const texts[] = {p->issuer, p->audience, p->keys, p->trust, p->role_claim, p->name_claim, p->sign_in.client};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) hash_text(&h, str_of(texts[k]));
    crypto_generichash_update(&h, (const unsigned char *)p->algorithms, sizeof p->algorithms);
    for (size_t k = 0; k < p->n_roles; k++) {
      crypto_generichash_update(&h, (const unsigned char *)&p->roles[k].role, sizeof p->roles[k].role);
      hash_text(&h, p->roles[k].value);
      hash_text(&h, p->roles[k].workspace);
    }
    hash_text(&h, STR("end of a provider"));
  }
  crypto_generichash_final(&h, out, SESSION_TIE);
}

struct auth *auth_new(const char *state_dir, const struct session_limits *sessions, int kept, struct oidc *oidc)
{
  unsigned char origin[SESSION_TIE];
  struct auth *a = calloc(1, sizeof *a);
  if (a) a->sessions = sessions_new(sessions, kept);
  if (!a || !a->sessions) {
    free(a);
    return NULL;
  }
  a->state_dir = state_dir;
  a->oidc = oidc;
  a->session_s = sessions->life_us / SECOND;
  memcpy(a->key, sessions_key(a->sessions), sizeof a->key);
  hash_providers(oidc, origin);
  sessions_of_origin(a->sessions, origin);
  return a;
}

struct session_pane *auth_panes(struct auth *a)
{
  return sessions_panes(a->sessions);
}

void auth_free(struct auth *a)
{
  if (!a) return;
  sessions_free(a->sessions);
  sodium_memzero(a, sizeof *a);
  free(a);
}

bool auth_sees_evidence(enum auth_role role)
{
  return role == AUTH_EVIDENCE || role == AUTH_ADMIN;
}

static void keyed(const struct auth *a, struct str x, struct str y, unsigned char out[MAC])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, a->key, sizeof a->key, MAC);
  if (x.n) crypto_generichash_update(&h, (const unsigned char *)x.p, x.n);
  crypto_generichash_update(&h, (const unsigned char *)"", 1);
  if (y.n) crypto_generichash_update(&h, (const unsigned char *)y.p, y.n);
  crypto_generichash_final(&h, out, MAC);
}

/* ---- what is remembered ------------------------------------------------------------------------------------------ */

/* All are compared, so that the time says nothing about which. */
static struct known *find_known(struct auth *a, const unsigned char mac[MAC], uint64_t now)
{
  struct known *found = NULL;
  for (size_t i = 0; i < KNOWN; i++)
    if (sodium_memcmp(a->known[i].mac, mac, MAC) == 0 && a->known[i].until_us > now) found = &a->known[i];
  return found;
}

static struct known *remember(struct auth *a, const unsigned char mac[MAC], uint64_t now)
{
  struct known *k = &a->known[0];
  for (size_t i = 1; i < KNOWN; i++)
    if (a->known[i].until_us < k->until_us) k = &a->known[i];
  *k = (struct known){.until_us = now + KNOWN_US};
  memcpy(k->mac, mac, MAC);
  return k;
}

/* ---- who is slowed ----------------------------------------------------------------------------------------------- */

/* A network of IPv6 is one source: who has one address of it has all. */
static void source_mac(const struct auth *a, struct str address, unsigned char out[MAC])
{
  char text[INET6_ADDRSTRLEN];
  unsigned char six[16];
  struct str s = address;
  if (address.n < sizeof text) {
    snprintf(text, sizeof text, "%.*s", (int)address.n, address.n ? address.p : "");
    if (inet_pton(AF_INET6, text, six) == 1) s = (struct str){(const char *)six, 8};
  }
  keyed(a, s, STR("source"), out);
}

static struct source *find_source(struct auth *a, const unsigned char mac[MAC], uint64_t now)
{
  for (size_t i = 0; i < SOURCES; i++)
    if (a->sources[i].fails && memcmp(a->sources[i].mac, mac, MAC) == 0) {
      if (now - a->sources[i].last_us > FORGIVEN_US) a->sources[i].fails = 0;
      return &a->sources[i];
    }
  return NULL;
}

static unsigned wait_of(const struct source *s, uint64_t now)
{
  return s && s->until_us > now ? (unsigned)((s->until_us - now + SECOND - 1) / SECOND) : 0;
}

static void count_failure(struct auth *a, const unsigned char mac[MAC], uint64_t now)
{
  struct source *s = find_source(a, mac, now);
  if (!s) {
    s = &a->sources[0];
    for (size_t i = 1; i < SOURCES; i++)
      if (a->sources[i].last_us < s->last_us) s = &a->sources[i];
    *s = (struct source){0};
    memcpy(s->mac, mac, MAC);
  }
  unsigned wait = 0;
  if (++s->fails >= FREE_TRIES) {
    unsigned over = s->fails - FREE_TRIES;
    wait = over < 6 ? 1u << over : LONGEST_WAIT_S;
  }
  s->last_us = now;
  s->until_us = now + wait * SECOND;
}

/* A bucket, kept as the time at which it is full again. */
static bool may_hash(struct auth *a, uint64_t now)
{
  const uint64_t one = SECOND / HASHES_PER_S;
  uint64_t from = a->hashes_us > now ? a->hashes_us : now;
  if (from + one > now + HASHES_BURST * one) return false;
  a->hashes_us = from + one;
  return true;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* The line that the token names by its id, or, of an earlier version's, whose SHA-256 is its. */
static bool find_line(struct str file, struct str token, struct token_line *out)
{
  unsigned char h[crypto_hash_sha256_BYTES];
  char hex[SHA_HEX + 1];
  struct str id = token_id(token);
  struct token_line t;
  bool found = false;
  crypto_hash_sha256(h, (const unsigned char *)token.p, token.n);
  sodium_bin2hex(hex, sizeof hex, h, sizeof h);
  while (token_next(&file, &t)) {
    bool it = t.id.n ? id.n && str_eq(id, t.id) : sodium_memcmp(t.hash.p, hex, SHA_HEX) == 0;
    if (it && (!found || t.role > out->role)) *out = t;
    found |= it;
  }
  sodium_memzero(hex, sizeof hex);
  return found;
}

static bool verify(const struct token_line *t, struct str token)
{
  char hash[crypto_pwhash_STRBYTES] = {0};
  if (!t->id.n) return true;
  memcpy(hash, t->hash.p, t->hash.n);
  return crypto_pwhash_str_verify(hash, token.p, token.n) == 0;
}

static void put_grant(const struct auth *a, const struct token_line *t, struct auth_grant *out)
{
  out->role = t->role;
  snprintf(out->name, sizeof out->name, "%.*s", (int)t->name.n, t->name.p);
  snprintf(out->workspaces, sizeof out->workspaces, "%.*s", (int)t->workspaces.n, t->workspaces.p);
  keyed(a, t->hash, STR("tie"), out->tie);
}

static void used_today(struct auth *a, struct known *k, const struct token_line *t, const char today[TOKEN_DAY + 1])
{
  if (t->id.n && memcmp(k->day, today, sizeof k->day) != 0) tokens_used(a->state_dir, t->id, today);
  memcpy(k->day, today, sizeof k->day);
}

static enum auth_answer check_token(struct auth *a, struct str file, struct str token, struct str source, struct auth_grant *out)
{
  unsigned char mac[MAC], from[MAC];
  char today[TOKEN_DAY + 1];
  struct token_line t = {0};
  uint64_t now = clock_mono_us();
  token_day(clock_unix_us(), today);
  bool found = find_line(file, token, &t) && !token_expired(&t, today);
  keyed(a, token, t.hash, mac);
  struct known *k = found ? find_known(a, mac, now) : NULL;
  if (!k) {
    source_mac(a, source, from);
    out->wait_s = wait_of(find_source(a, from, now), now);
    if (!out->wait_s && found && t.id.n && !may_hash(a, now)) out->wait_s = 1;
    if (out->wait_s) return AUTH_SLOW;
    if (found && verify(&t, token)) k = remember(a, mac, now);
    else count_failure(a, from, now);
  }
  if (k) put_grant(a, &t, out), used_today(a, k, &t, today);
  return k ? AUTH_OK : AUTH_UNKNOWN;
}

void auth_grant_oidc(const struct auth *a, const struct oidc_grant *g, struct auth_grant *out)
{
  *out = (struct auth_grant){.role = g->role, .until_us = g->until_us};
  snprintf(out->name, sizeof out->name, "%s", g->name);
  snprintf(out->workspaces, sizeof out->workspaces, "%s", g->workspaces);
  keyed(a, (struct str){(const char *)g->subject, sizeof g->subject}, STR("subject"), out->tie);
}

unsigned auth_wait(struct auth *a, struct str source)
{
  unsigned char from[MAC];
  uint64_t now = clock_mono_us();
  source_mac(a, source, from);
  return wait_of(find_source(a, from, now), now);
}

void auth_failed(struct auth *a, struct str source)
{
  unsigned char from[MAC];
  source_mac(a, source, from);
  count_failure(a, from, clock_mono_us());
}

/* A signature cannot be guessed, and costs little: who shows a right one never waits. */
static enum auth_answer check_oidc(struct auth *a, struct str token, struct str source, struct auth_grant *out)
{
  struct oidc_grant g;
  if (oidc_check(a->oidc, token, clock_unix_us(), &g, NULL)) {
    out->wait_s = auth_wait(a, source);
    if (!out->wait_s) auth_failed(a, source);
    return out->wait_s ? AUTH_SLOW : AUTH_UNKNOWN;
  }
  auth_grant_oidc(a, &g, out);
  return AUTH_OK;
}

/* An empty one when it cannot be read: then nobody is let in. */
static void read_file(const struct auth *a, struct buf *file)
{
  if (tokens_read(a->state_dir, file, NULL)) buf_reset(file);
}

enum auth_answer auth_check_token(struct auth *a, struct str token, struct str source, struct auth_grant *out)
{
  struct buf file = {0};
  *out = (struct auth_grant){0};
  if (a->oidc && oidc_is_token(token)) return check_oidc(a, token, source, out);
  if (!token.n || token.n > TOKEN_MAX) return AUTH_UNKNOWN;
  read_file(a, &file);
  enum auth_answer answer = check_token(a, buf_str(&file), token, source, out);
  buf_finish(&file);
  return answer;
}

enum auth_answer auth_check(struct auth *a, struct str authorization, struct str source, struct auth_grant *out)
{
  *out = (struct auth_grant){0};
  if (authorization.n < 8 || !str_ieq(str_cut(authorization, 0, 7), STR("bearer "))) return AUTH_UNKNOWN;
  return auth_check_token(a, str_cut(authorization, 7, authorization.n), source, out);
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

/* The line with that id, or with that tie when id is empty, unless it has expired. */
static bool find_again(struct auth *a, struct str id, const unsigned char tie[SESSION_TIE], struct auth_grant *out)
{
  char today[TOKEN_DAY + 1];
  unsigned char its[SESSION_TIE];
  struct buf file = {0};
  struct token_line t;
  bool found = false;
  token_day(clock_unix_us(), today);
  read_file(a, &file);
  for (struct str text = buf_str(&file); !found && token_next(&text, &t);) {
    keyed(a, t.hash, STR("tie"), its);
    found = (id.n ? str_eq(t.id, id) : sodium_memcmp(its, tie, sizeof its) == 0) && !token_expired(&t, today);
    if (found) put_grant(a, &t, out);
    if (found && t.id.n && id.n) tokens_used(a->state_dir, t.id, today);
  }
  buf_finish(&file);
  return found;
}

enum auth_answer auth_check_link(struct auth *a, struct str secret, struct str source, struct auth_grant *out)
{
  unsigned char from[MAC];
  char id[TOKEN_ID + 1] = "";
  uint64_t now = clock_mono_us();
  *out = (struct auth_grant){0};
  source_mac(a, source, from);
  out->wait_s = wait_of(find_source(a, from, now), now);
  if (out->wait_s) return AUTH_SLOW;
  bool ok = secret.n == LINK_TEXT && links_take(a->state_dir, secret, id, NULL) == VDT_OK &&
            find_again(a, (struct str){id, TOKEN_ID}, out->tie, out);
  if (!ok) count_failure(a, from, now);
  return ok ? AUTH_OK : AUTH_UNKNOWN;
}

static uint64_t to_unix(uint64_t mono_us)
{
  return clock_unix_us() + (mono_us - clock_mono_us());
}

static void put_end(const struct auth *a, const struct session *s, struct auth_grant *out)
{
  out->ends_us = to_unix(session_ends(a->sessions, s));
  if (out->until_us && out->until_us < out->ends_us) out->ends_us = out->until_us;
}

/* What an identity provider's token said is kept with the session; what our own allows is in the file. */
static bool session_grant(struct auth *a, struct session *s, struct auth_grant *out)
{
  const void *kept = session_of(a->sessions, s);
  *out = (struct auth_grant){0};
  if (kept) memcpy(out, kept, sizeof *out);
  if (kept ? out->until_us > clock_unix_us() : find_again(a, (struct str){0}, s->tie, out)) return true;
  session_end(a->sessions, s);
  *out = (struct auth_grant){0};
  return false;
}

enum auth_answer auth_check_session(struct auth *a, struct str cookie, struct auth_grant *out)
{
  struct session *s = sessions_find(a->sessions, cookie, clock_mono_us());
  *out = (struct auth_grant){0};
  if (!s || !session_grant(a, s, out)) return AUTH_UNKNOWN;
  put_end(a, s, out);
  return AUTH_OK;
}

bool auth_session_holds(struct auth *a, struct str cookie)
{
  struct auth_grant grant;
  struct session *s = sessions_peek(a->sessions, cookie, clock_mono_us());
  return s && session_grant(a, s, &grant);
}

void auth_begin_session(struct auth *a, struct auth_grant *grant, char cookie[SESSION_TEXT + 1])
{
  const struct auth_grant *kept = grant->until_us ? grant : NULL;
  put_end(a, sessions_begin(a->sessions, grant->tie, kept, sizeof *kept, clock_mono_us(), cookie), grant);
}

void auth_end_session(struct auth *a, struct str cookie)
{
  struct session *s = sessions_find(a->sessions, cookie, clock_mono_us());
  if (s) session_end(a->sessions, s);
}

uint64_t auth_session_seconds(const struct auth *a)
{
  return a->session_s;
}

void auth_csrf(const struct auth *a, struct str cookie, char out[SESSION_TEXT + 1])
{
  sessions_csrf(a->sessions, cookie, out);
}
