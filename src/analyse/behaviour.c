/* The whole of it: tables, one record through all detectors, save and load. */
#include "analyse/behaviour.h"
#include "analyse/behaviour_inside.h"
#include <sodium.h>
#include <stdarg.h>

uint64_t behaviour_hash(struct str a, struct str b, struct str c)
{
  const struct str parts[] = {a, b, c};
  unsigned char hash[crypto_generichash_BYTES_MIN];
  crypto_generichash_state h;
  uint64_t v;
  crypto_generichash_init(&h, NULL, 0, sizeof hash);
  for (size_t i = 0; i < 3; i++) {
    uint64_t n = parts[i].n;
    crypto_generichash_update(&h, (const unsigned char *)&n, sizeof n);
    crypto_generichash_update(&h, (const unsigned char *)parts[i].p, parts[i].n);
  }
  crypto_generichash_final(&h, hash, sizeof hash);
  memcpy(&v, hash, sizeof v);
  return v ? v : 1;
}

void behaviour_show(struct shown *s, enum alert_type type, const char *rule, unsigned confidence, const char *format, ...)
{
  char text[256];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  struct str reason = arena_dup(s->arena, (struct str){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1});
  s->failed |= !reason.p;
  if (s->n == BEHAVIOUR_FINDINGS) return;
  const struct alert_info *info = alert_info(type);
  s->out[s->n++] = (struct record_finding){.direction = STR("request"),
                                           .role = STR("prompt"),
                                           .detector = STR("behaviour"),
                                           .rule = str_of(rule),
                                           .title = str_of(info->title),
                                           .alert = str_of(info->type),
                                           .severity = str_of(vdt_severity_name(info->severity)),
                                           .action = STR("detect"),
                                           .reason = reason,
                                           .source = STR("vedette"),
                                           .confidence = confidence};
}

struct behaviour *behaviour_new(const struct behaviour_limits *limits)
{
  struct behaviour *b = calloc(1, sizeof *b);
  if (!b) return NULL;
  b->limits = *limits;
  if (principals_init(&b->principals, limits->principals)) return b;
  behaviour_free(b);
  return NULL;
}

void behaviour_free(struct behaviour *b)
{
  if (!b) return;
  free(b->principals.all);
  free(b->deployments);
  free(b);
}

static struct deployment *add_deployment(struct behaviour *b)
{
  if (b->n_deployments == b->limits.deployments) return NULL;
  if (b->n_deployments == b->cap_deployments) {
    uint32_t cap = b->cap_deployments ? b->cap_deployments * 2 : 4;
    struct deployment *more = realloc(b->deployments, cap * sizeof *more);
    if (!more) return NULL;
    b->deployments = more;
    b->cap_deployments = cap;
  }
  return &b->deployments[b->n_deployments++];
}

/* NULL: more deployments than are watched. Names come from the configuration, so there are few. */
static struct deployment *deployment_of(struct behaviour *b, const struct record *r, uint32_t minute)
{
  uint64_t key = behaviour_hash(r->workspace, r->deployment, STR(""));
  for (uint32_t i = 0; i < b->n_deployments; i++)
    if (b->deployments[i].key == key) return &b->deployments[i];
  struct deployment *d = add_deployment(b);
  if (d) *d = (struct deployment){.key = key, .first = minute, .window = minute, .hour = minute / 60};
  return d;
}

int behaviour_observe(struct behaviour *b, const struct record *r, struct vdt_arena *arena,
                      struct record_finding out[BEHAVIOUR_FINDINGS], size_t *n)
{
  struct shown s = {.arena = arena, .out = out};
  uint32_t minute = (uint32_t)(r->time_us / 60000000);
  bool is_new;
  *n = 0;
  if (!r->deployment.n) return VDT_OK;
  struct deployment *d = deployment_of(b, r, minute);
  struct principal *p = principal_of(&b->principals, r, minute, &is_new);
  /* A record that comes late counts for now. */
  uint32_t at = p && minute < p->first ? p->first : minute;
  look_at_access(b, p, is_new, r, at, &s);
  if (d) {
    at = minute < d->first ? d->first : minute;
    look_at_repeats(b, d, r, at, &s);
    look_at_volume(b, d, r, at, &s);
    look_at_tools(b, d, r, at, &s);
    look_at_data(b, d, r, at, &s);
  }
  if (s.failed) return VDT_ENOMEM;
  *n = s.n;
  return VDT_OK;
}

uint64_t behaviour_key(struct str workspace, struct str deployment, struct str who)
{
  return behaviour_hash(workspace, deployment, who);
}

bool behaviour_find(const struct behaviour *b, uint64_t key, struct behaviour_known *out)
{
  const struct principal *p = principal_find(&b->principals, key);
  if (p) *out = (struct behaviour_known){p->first * UINT64_C(60000000), p->last * UINT64_C(60000000), p->requests};
  return p != NULL;
}

bool behaviour_forget(struct behaviour *b, uint64_t key)
{
  struct principal *p = principal_find(&b->principals, key);
  if (!p) return false;
  *p = (struct principal){0};
  b->principals.used--;
  return true;
}

size_t behaviour_memory(const struct behaviour *b)
{
  return sizeof *b + b->principals.buckets * WAYS * sizeof(struct principal) + b->cap_deployments * sizeof(struct deployment);
}

/* ---- save and load ----------------------------------------------------------------------------------------------- */

struct saved_head {
  char magic[8];
  uint32_t principal_size, deployment_size;
  uint64_t principals, deployments;
  unsigned char hash[crypto_generichash_BYTES]; /* of all that follows */
};

static const char MAGIC[8] = "VDTBEHA1";

/* All that follows the head. */
static bool put_body(const struct behaviour *b, bool (*put)(void *ctx, struct str piece), void *ctx)
{
  bool ok = true;
  for (uint64_t i = 0; ok && i < b->principals.buckets * WAYS; i++)
    if (b->principals.all[i].key) ok = put(ctx, (struct str){(const char *)&b->principals.all[i], sizeof(struct principal)});
  size_t n = b->n_deployments * sizeof *b->deployments;
  return ok && (n == 0 || put(ctx, (struct str){(const char *)b->deployments, n}));
}

static bool put_hash(void *h, struct str piece)
{
  return crypto_generichash_update(h, (const unsigned char *)piece.p, piece.n) == 0;
}

bool behaviour_save(const struct behaviour *b, bool (*put)(void *ctx, struct str piece), void *ctx)
{
  crypto_generichash_state h;
  struct saved_head head = {.principal_size = sizeof(struct principal),
                            .deployment_size = sizeof(struct deployment),
                            .principals = b->principals.used,
                            .deployments = b->n_deployments};
  memcpy(head.magic, MAGIC, sizeof MAGIC);
  crypto_generichash_init(&h, NULL, 0, sizeof head.hash);
  put_body(b, put_hash, &h);
  crypto_generichash_final(&h, head.hash, sizeof head.hash);
  return put(ctx, (struct str){(const char *)&head, sizeof head}) && put_body(b, put, ctx);
}

static bool is_whole(struct str saved, struct saved_head *head)
{
  unsigned char hash[crypto_generichash_BYTES];
  if (saved.n < sizeof *head) return false;
  memcpy(head, saved.p, sizeof *head);
  if (memcmp(head->magic, MAGIC, sizeof MAGIC) != 0 || head->principal_size != sizeof(struct principal) ||
      head->deployment_size != sizeof(struct deployment) || head->principals > UINT32_MAX || head->deployments > UINT32_MAX)
    return false;
  if (saved.n - sizeof *head != head->principals * sizeof(struct principal) + head->deployments * sizeof(struct deployment))
    return false;
  crypto_generichash(hash, sizeof hash, (const unsigned char *)saved.p + sizeof *head, saved.n - sizeof *head, NULL, 0);
  return sodium_memcmp(hash, head->hash, sizeof hash) == 0;
}

int behaviour_load(struct behaviour *b, struct str saved)
{
  struct saved_head head;
  if (!is_whole(saved, &head)) return VDT_ESYNTAX;
  principals_reserve(&b->principals, head.principals);
  const char *at = saved.p + sizeof head;
  for (uint64_t i = 0; i < head.principals; i++, at += sizeof(struct principal)) {
    struct principal p;
    memcpy(&p, at, sizeof p);
    principal_put(&b->principals, &p);
  }
  for (uint64_t i = 0; i < head.deployments; i++, at += sizeof(struct deployment)) {
    struct deployment *d = add_deployment(b);
    if (d) memcpy(d, at, sizeof *d);
  }
  return VDT_OK;
}
