/* Who comes, and how: principals, their user agents and networks, and those who try jailbreaks again and again. */
#include "analyse/behaviour_inside.h"
#include <arpa/inet.h>

bool principals_init(struct principals *p, uint32_t limit)
{
  uint64_t most = 2;
  while (most * WAYS < 2 * (uint64_t)limit) most *= 2; /* at half full a bucket hardly ever overflows */
  *p = (struct principals){.buckets = 2, .limit = most};
  p->all = calloc(p->buckets * WAYS, sizeof *p->all);
  return p->all != NULL;
}

static struct principal *bucket_of(const struct principals *p, uint64_t key)
{
  return p->all + (key & (p->buckets - 1)) * WAYS;
}

static struct principal *oldest(struct principal *bucket)
{
  struct principal *place = bucket;
  for (unsigned i = 1; i < WAYS; i++)
    if (place->key && (!bucket[i].key || bucket[i].last < place->last)) place = &bucket[i];
  return place;
}

/* Doubles the buckets, in place, so that there never is a second table: each splits in two by the next bit of the key. false: there are as many as
 * may be. */
static bool grow(struct principals *p)
{
  uint64_t half = p->buckets * WAYS;
  struct principal *all = p->buckets * 2 > p->limit ? NULL : realloc(p->all, 2 * half * sizeof *all);
  if (!all) return false;
  memset(all + half, 0, half * sizeof *all);
  for (uint64_t i = 0; i < half; i++) {
    if (!all[i].key || !(all[i].key & p->buckets)) continue;
    *oldest(all + half + i / WAYS * WAYS) = all[i];
    all[i].key = 0;
  }
  p->all = all;
  p->buckets *= 2;
  return true;
}

void principals_reserve(struct principals *p, uint64_t n)
{
  while (p->buckets * WAYS < 2 * n && grow(p)) continue;
}

static struct principal *find(struct principals *p, uint64_t key, uint32_t minute, bool *is_new)
{
  struct principal *bucket = bucket_of(p, key);
  for (unsigned i = 0; i < WAYS; i++)
    if (bucket[i].key == key) return &bucket[i];
  struct principal *place = oldest(bucket);
  while (place->key && grow(p)) place = oldest(bucket_of(p, key));
  p->used += place->key == 0;
  *place = (struct principal){.key = key, .first = minute, .last = minute};
  *is_new = true;
  return place;
}

struct principal *principal_find(const struct principals *p, uint64_t key)
{
  struct principal *bucket = bucket_of(p, key);
  for (unsigned i = 0; i < WAYS; i++)
    if (key && bucket[i].key == key) return &bucket[i];
  return NULL;
}

void principal_put(struct principals *p, const struct principal *saved)
{
  bool is_new;
  if (saved->key) *find(p, saved->key, saved->last, &is_new) = *saved;
}

struct principal *principal_of(struct principals *p, const struct record *r, uint32_t minute, bool *is_new)
{
  struct str who = r->end_user.n ? r->end_user : r->key_id;
  *is_new = false;
  if (!who.n) return NULL;
  uint64_t key = behaviour_hash(r->workspace, r->deployment, who);
  struct principal *found = find(p, key, minute, is_new);
  if (minute > found->last) found->last = minute;
  return found;
}

/* The product's name without its version: "openai-python/1.61" is the same after an update. */
static struct str family_of(struct str agent)
{
  size_t n = 0;
  while (n < agent.n && agent.p[n] != '/' && agent.p[n] != ' ') n++;
  return str_cut(agent, 0, n);
}

/* The first 16 bits of an IPv4 address, 32 of an IPv6 one: what a provider gives out together. */
static struct str network_of(struct str ip, unsigned char bytes[4])
{
  char text[INET6_ADDRSTRLEN];
  unsigned char address[16];
  if (ip.n == 0 || ip.n >= sizeof text) return (struct str){0};
  memcpy(text, ip.p, ip.n);
  text[ip.n] = 0;
  size_t n = inet_pton(AF_INET, text, address) == 1 ? 2 : inet_pton(AF_INET6, text, address) == 1 ? 4 : 0;
  memcpy(bytes, address, n);
  return (struct str){(const char *)bytes, n};
}

static uint16_t short_hash(struct str s)
{
  uint16_t h = (uint16_t)behaviour_hash(s, STR(""), STR(""));
  return s.n == 0 ? 0 : h ? h : 1;
}

/* True when the value is new among those seen, and there is still room to say so: who comes from everywhere is at home everywhere. */
static bool learn(uint16_t *seen, unsigned n, uint16_t value)
{
  unsigned i = 0;
  while (i < n && seen[i] && seen[i] != value) i++;
  if (value == 0 || i == n || seen[i] == value) return false;
  seen[i] = value;
  return i + 1 < n;
}

static bool has_jailbreak(const struct record *r)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (str_eq(r->findings[i].detector, STR("jailbreak")) && !str_eq(r->findings[i].action, STR("allow"))) return true;
  return false;
}

static void count_jailbreaks(const struct behaviour *b, struct principal *p, const struct record *r, uint32_t minute,
                             struct shown *s)
{
  if (!has_jailbreak(r)) return;
  if (has_passed(p->jailbreaks_since, minute, b->limits.jailbreaks_window)) {
    p->jailbreaks_since = minute;
    p->jailbreaks = 0;
  }
  if (p->jailbreaks < UINT16_MAX) p->jailbreaks++;
  if (p->jailbreaks == b->limits.jailbreaks)
    behaviour_show(s, ALERT_PERSISTENT_JAILBREAK, "persistent-jailbreak", 90,
                   "%u interactions with a jailbreak within %u minutes", (unsigned)p->jailbreaks,
                   (unsigned)(b->limits.jailbreaks_window / 60));
}

/* Questions that are curiosity one by one. One that raised the alert by itself is no such. */
static bool has_probe(const struct record *r)
{
  bool weak = false;
  for (size_t i = 0; i < r->n_findings; i++) {
    if (str_eq(r->findings[i].detector, STR("jailbreak")) && !str_eq(r->findings[i].action, STR("allow"))) return false;
    weak |= str_eq(r->findings[i].detector, STR("reconnaissance"));
  }
  return weak;
}

static void count_probes(const struct behaviour *b, struct principal *p, const struct record *r, uint32_t minute, struct shown *s)
{
  if (!has_probe(r)) return;
  if (has_passed(p->probes_since, minute, b->limits.probes_window)) {
    p->probes_since = minute;
    p->probes = 0;
  }
  if (p->probes < UINT16_MAX) p->probes++;
  if (p->probes == b->limits.probes)
    behaviour_show(s, ALERT_LLM_RECON, "exploring", 80,
                   "%u interactions with questions that explore the model within %llu minutes", (unsigned)p->probes,
                   (unsigned long long)b->limits.probes_window / 60);
}

static void look_at_agent(const struct record *r, struct shown *s)
{
  static const struct {
    struct str name;
    const char *what;
  } tools[] = {
#define X(name, what) {STR(name), what},
#include "analyse/agents.def"
#undef X
  };
  for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
    for (size_t k = 0; k + tools[i].name.n <= r->user_agent.n; k++)
      if (str_ieq(str_cut(r->user_agent, k, k + tools[i].name.n), tools[i].name)) {
        behaviour_show(s, r->agent ? ALERT_AGENT_USER_AGENT : ALERT_USER_AGENT, "suspicious-agent", 85,
                       "the user agent names %s, which %s", tools[i].name.p, tools[i].what);
        return;
      }
}

/* Its kind is new, and there was another before. */
static bool learn_auth(struct principal *p, struct str auth)
{
  uint16_t bit = !auth.n ? 1 : str_eq(auth, STR("key")) ? 2 : 4;
  bool is_new = p->auths && !(p->auths & bit);
  p->auths |= bit;
  return is_new;
}

/* One of them alone is a new laptop, a journey, or an application that was moved to another kind of login. */
static void tell_access(const struct principal *p, bool agent, bool net, bool auth, uint32_t minute, struct shown *s)
{
  static const char *const what[] = {"",
                                     "",
                                     "",
                                     "a user agent and a network",
                                     "",
                                     "a user agent and a kind of credential",
                                     "a network and a kind of credential",
                                     "a user agent, a network and a kind of credential"};
  unsigned which = (unsigned)agent | (unsigned)net << 1 | (unsigned)auth << 2;
  if (!what[which][0]) return;
  behaviour_show(s, ALERT_ACCESS_ANOMALY, "access-anomaly", which == 7 ? 85 : 75,
                 "%s that this principal never used in %u requests over %u days", what[which], p->requests,
                 (minute - p->first) / (24 * 60));
}

void look_at_access(const struct behaviour *b, struct principal *p, bool is_new, const struct record *r, uint32_t minute,
                    struct shown *s)
{
  unsigned char bytes[4];
  look_at_agent(r, s);
  if (!p) return;
  bool known = !is_new && has_passed(p->first, minute, b->limits.access_learning) && p->requests >= b->limits.access_requests;
  bool agent = learn(p->agents, AGENTS, short_hash(family_of(r->user_agent)));
  bool net = learn(p->nets, NETS, short_hash(network_of(r->source_ip.n ? r->source_ip : r->client_ip, bytes)));
  bool country = learn(p->countries, COUNTRIES, short_hash(r->country));
  bool auth = learn_auth(p, r->auth);
  if (p->requests < UINT32_MAX) p->requests++;
  if (known && country)
    behaviour_show(s, ALERT_ACCESS_ANOMALY, "new-country", 75,
                   "from %.*s, a country that this principal never came from in %u requests over %u days", (int)r->country.n,
                   r->country.p, p->requests, (minute - p->first) / (24 * 60));
  else if (known) tell_access(p, agent, net, auth, minute, s);
  count_jailbreaks(b, p, r, minute, s);
  count_probes(b, p, r, minute, s);
}
