#include "record/seal.h"
#include "base/error.h"
#include <assert.h>
#include <sodium.h>

enum {
  CHAIN = 32,
  AT_DAY = 1,
  AT_KEY = AT_DAY + 4,
  AT_WRAPPED = AT_KEY + SEAL_KEY_ID / 2,
  AT_STEP = AT_WRAPPED + SEAL_WRAPPED,
  AT_NONCE = AT_STEP + 2,
  BODY_HEAD = 2 + SEAL_NONCE,
  BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};
_Static_assert(SEAL_WRAPPED == CHAIN + crypto_box_SEALBYTES, "a wrapped root");
_Static_assert(SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   SEAL_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES && CHAIN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "XChaCha20-Poly1305");
_Static_assert(AT_NONCE + SEAL_NONCE == SEAL_HEAD, "the head of a token");

uint32_t seal_day(uint64_t unix_us)
{
  return (uint32_t)(unix_us / UINT64_C(86400000000));
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void put32(unsigned char *p, uint32_t v)
{
  for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t get32(const unsigned char *p)
{
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void root_id(const unsigned char wrapped[SEAL_WRAPPED], unsigned char id[SEAL_ROOT_ID])
{
  crypto_generichash(id, SEAL_ROOT_ID, wrapped, SEAL_WRAPPED, (const unsigned char *)"vedette root", 12);
}

/* ---- the chain -------------------------------------------------------------------------------------------------- */

static void take(crypto_generichash_state *h, struct str s)
{
  unsigned char n[4];
  put32(n, (uint32_t)s.n);
  crypto_generichash_update(h, n, sizeof n);
  if (s.n) crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

/* Its beginning. What a root is for is in it: one of another day, key or workspace gives other keys. */
static void begin_chain(unsigned char chain[CHAIN], const unsigned char root[CHAIN], uint32_t day, const char *key,
                        struct str workspace)
{
  crypto_generichash_state h;
  unsigned char n[4];
  put32(n, day);
  crypto_generichash_init(&h, root, CHAIN, CHAIN);
  take(&h, STR("vedette evidence 1"));
  take(&h, (struct str){(const char *)n, sizeof n});
  take(&h, str_of(key));
  take(&h, workspace);
  crypto_generichash_final(&h, chain, CHAIN);
  sodium_memzero(&h, sizeof h);
}

/* The key of this step, and the chain one step on. */
static void step_chain(unsigned char chain[CHAIN], unsigned char key[CHAIN])
{
  unsigned char both[2 * CHAIN];
  crypto_generichash(both, sizeof both, (const unsigned char *)"step", 4, chain, CHAIN);
  memcpy(chain, both, CHAIN);
  memcpy(key, both + CHAIN, CHAIN);
  sodium_memzero(both, sizeof both);
}

/* What a text is bound to. */
struct bound {
  unsigned char bytes[512];
  size_t n;
};

static void bind(struct bound *b, struct str s)
{
  assert(b->n + 4 + s.n <= sizeof b->bytes);
  put32(b->bytes + b->n, (uint32_t)s.n);
  if (s.n) memcpy(b->bytes + b->n + 4, s.p, s.n);
  b->n += 4 + s.n;
}

/* Rules have names of ours or of the configuration; a longer one is bound by its beginning. */
static struct str at_most(struct str s, size_t max)
{
  return s.n > max ? str_cut(s, 0, max) : s;
}

static void bind_all(struct bound *b, const struct seal_place *p, uint32_t day, const char *key,
                     const unsigned char id[SEAL_ROOT_ID], const unsigned char step[2])
{
  unsigned char head[7] = {SEAL_VERSION};
  char kind = (char)p->kind;
  put32(head + 1, day);
  memcpy(head + 5, step, 2);
  b->n = 0;
  bind(b, STR("vedette evidence 1"));
  bind(b, (struct str){(const char *)head, sizeof head});
  bind(b, str_of(key));
  bind(b, (struct str){(const char *)id, SEAL_ROOT_ID});
  bind(b, (struct str){&kind, 1});
  bind(b, at_most(p->workspace, SEAL_WORKSPACE_MAX));
  bind(b, at_most(p->interaction, 64));
  bind(b, at_most(p->rule, 192));
}

/* ---- sealing ---------------------------------------------------------------------------------------------------- */

/* A data key, and the chain that comes from it. */
struct root {
  bool ready;
  uint32_t day;
  unsigned char wrapped[SEAL_WRAPPED], id[SEAL_ROOT_ID], chain[CHAIN];
};

struct sealer {
  struct seal_public to;
  char workspace[SEAL_WORKSPACE_MAX + 1];
  unsigned step; /* of now */
  struct root now, next;
};

struct sealer *sealer_new(struct str workspace, const struct seal_public *to)
{
  struct sealer *s = sodium_init() < 0 || workspace.n > SEAL_WORKSPACE_MAX ? NULL : sodium_malloc(sizeof *s);
  if (!s) return NULL;
  sodium_memzero(s, sizeof *s);
  s->to = *to;
  memcpy(s->workspace, workspace.p, workspace.n);
  return s;
}

void sealer_free(struct sealer *s)
{
  if (s) sodium_free(s); /* wipes it */
}

static bool is_of(const struct root *r, uint32_t day)
{
  return r->ready && r->day == day;
}

/* Takes as long as ten texts or more: two operations on the curve. */
static int make_root(const struct sealer *s, uint32_t day, struct root *out)
{
  unsigned char root[CHAIN];
  randombytes_buf(root, sizeof root);
  int failed = crypto_box_seal(out->wrapped, root, sizeof root, s->to.key);
  if (!failed) begin_chain(out->chain, root, day, s->to.id, str_of(s->workspace));
  sodium_memzero(root, sizeof root);
  out->ready = !failed;
  if (failed) return VDT_EIO; /* a public key that is none */
  root_id(out->wrapped, out->id);
  out->day = day;
  return VDT_OK;
}

static int begin_root(struct sealer *s, uint32_t day)
{
  int rc = VDT_OK;
  s->step = 0;
  if (is_of(&s->next, day)) s->now = s->next;
  else rc = make_root(s, day, &s->now);
  sodium_memzero(&s->next, sizeof s->next);
  return rc;
}

bool sealer_wants(const struct sealer *s, uint64_t now_us)
{
  uint32_t day = seal_day(now_us);
  return s && !is_of(&s->next, day) && (!is_of(&s->now, day) || s->step >= SEAL_STEPS / 2);
}

void sealer_prepare(struct sealer *s, uint64_t now_us)
{
  if (sealer_wants(s, now_us)) (void)make_root(s, seal_day(now_us), &s->next); /* seal() tries it again, and says so */
}

static void put_head(const struct sealer *s, unsigned char *p)
{
  size_t n;
  p[0] = SEAL_VERSION;
  put32(p + AT_DAY, s->now.day);
  sodium_hex2bin(p + AT_KEY, SEAL_KEY_ID / 2, s->to.id, SEAL_KEY_ID, NULL, &n, NULL);
  memcpy(p + AT_WRAPPED, s->now.wrapped, SEAL_WRAPPED);
  p[AT_STEP] = (unsigned char)(s->step >> 8);
  p[AT_STEP + 1] = (unsigned char)s->step;
  randombytes_buf(p + AT_NONCE, SEAL_NONCE);
}

static void put_base64(struct buf *out, const unsigned char *p, size_t n)
{
  size_t size = sodium_base64_encoded_len(n, BASE64); /* with its NUL */
  if (!buf_reserve(out, size)) return;
  sodium_bin2base64(out->p + out->n, size, p, n, BASE64);
  out->n += size - 1;
}

int seal(struct sealer *s, uint64_t now_us, const struct seal_place *place, struct str text, struct buf *token)
{
  struct seal_place p = *place;
  struct bound bound;
  unsigned char key[CHAIN], small[2048], *raw = small;
  size_t n = SEAL_HEAD + text.n + SEAL_TAG;
  uint32_t day = seal_day(now_us);
  if (text.n > SEAL_TEXT_MAX) return VDT_ETOOBIG;
  if (n > sizeof small && !(raw = malloc(n))) return VDT_ENOMEM;
  int rc = is_of(&s->now, day) && s->step < SEAL_STEPS ? VDT_OK : begin_root(s, day);
  if (!rc) {
    p.workspace = str_of(s->workspace);
    put_head(s, raw);
    bind_all(&bound, &p, day, s->to.id, s->now.id, raw + AT_STEP);
    step_chain(s->now.chain, key);
    s->step++;
    crypto_aead_xchacha20poly1305_ietf_encrypt(raw + SEAL_HEAD, NULL, (const unsigned char *)(text.n ? text.p : ""), text.n,
                                               bound.bytes, bound.n, NULL, raw + AT_NONCE, key);
    sodium_memzero(key, sizeof key);
    put_base64(token, raw, n);
    if (token->failed) rc = VDT_ENOMEM;
  }
  if (raw != small) free(raw);
  return rc;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

bool sealed_looks_right(struct str t)
{
  if (t.n < SEAL_TOKEN_MIN || t.n > SEAL_TOKEN_MAX) return false;
  for (size_t i = 0; i < t.n; i++) {
    char c = t.p[i];
    bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!ok) return false;
  }
  return true;
}

int sealed_read(struct str token, struct vdt_arena *arena, struct sealed *out, struct vdt_error *err)
{
  size_t n = 0;
  if (!sealed_looks_right(token)) return error_set(err, VDT_ESYNTAX, "not a sealed text");
  unsigned char *raw = arena_alloc(arena, token.n);
  if (!raw) return error_set(err, VDT_ENOMEM, "out of memory");
  if (sodium_base642bin(raw, token.n, token.p, token.n, NULL, &n, NULL, BASE64) || n < SEAL_HEAD + SEAL_TAG)
    return error_set(err, VDT_ESYNTAX, "not a sealed text");
  if (raw[0] != SEAL_VERSION) return error_set(err, VDT_ESYNTAX, "sealed in a way that this version does not know (%u)", raw[0]);
  if ((raw[AT_STEP] << 8 | raw[AT_STEP + 1]) >= SEAL_STEPS) return error_set(err, VDT_ESYNTAX, "not a sealed text");
  *out = (struct sealed){.day = get32(raw + AT_DAY)};
  sodium_bin2hex(out->key, sizeof out->key, raw + AT_KEY, SEAL_KEY_ID / 2);
  out->wrapped = (struct str){(const char *)raw + AT_WRAPPED, SEAL_WRAPPED};
  out->body = (struct str){(const char *)raw + AT_STEP, n - AT_STEP};
  root_id(raw + AT_WRAPPED, out->root_id);
  return VDT_OK;
}

void sealed_write(const struct sealed *s, struct buf *token)
{
  size_t n = AT_STEP + s->body.n, ignored;
  unsigned char *raw = s->wrapped.n == SEAL_WRAPPED ? malloc(n) : NULL;
  if (!raw) {
    token->failed = true;
    return;
  }
  raw[0] = SEAL_VERSION;
  put32(raw + AT_DAY, s->day);
  sodium_hex2bin(raw + AT_KEY, SEAL_KEY_ID / 2, s->key, SEAL_KEY_ID, NULL, &ignored, NULL);
  memcpy(raw + AT_WRAPPED, s->wrapped.p, SEAL_WRAPPED);
  memcpy(raw + AT_STEP, s->body.p, s->body.n);
  put_base64(token, raw, n);
  free(raw);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static int open_root(const struct seal_private *keys, const struct sealed *s, unsigned char root[CHAIN], struct vdt_error *err)
{
  size_t i = 0;
  while (keys && i < keys->n && strcmp(keys->keys[i].public.id, s->key) != 0) i++;
  if (!keys || i == keys->n) return error_set(err, VDT_ENOTFOUND, "the private key %s is needed, and is not there", s->key);
  if (crypto_box_seal_open(root, (const unsigned char *)s->wrapped.p, SEAL_WRAPPED, keys->keys[i].public.key, keys->keys[i].key))
    return error_set(err, VDT_EAUTH, "the data key is damaged, or not sealed to key %s", s->key);
  return VDT_OK;
}

static int decrypt(const unsigned char root[CHAIN], const struct seal_place *place, const struct sealed *s, unsigned char *out)
{
  unsigned char chain[CHAIN], key[CHAIN];
  const unsigned char *body = (const unsigned char *)s->body.p;
  unsigned step = (unsigned)(body[0] << 8 | body[1]);
  struct bound bound;
  begin_chain(chain, root, s->day, s->key, place->workspace);
  for (unsigned i = 0; i <= step; i++) step_chain(chain, key);
  bind_all(&bound, place, s->day, s->key, s->root_id, body);
  int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, body + BODY_HEAD, s->body.n - BODY_HEAD, bound.bytes,
                                                      bound.n, body + 2, key);
  sodium_memzero(chain, sizeof chain);
  sodium_memzero(key, sizeof key);
  return rc;
}

int seal_open(const struct seal_private *keys, const struct seal_place *place, const struct sealed *s, struct vdt_arena *arena,
              struct str *text, struct vdt_error *err)
{
  unsigned char root[CHAIN];
  const unsigned char *body = (const unsigned char *)s->body.p;
  if (s->wrapped.n != SEAL_WRAPPED) return error_set(err, VDT_ESTATE, "its data key was deleted when its time was over");
  if (s->body.n < BODY_HEAD + SEAL_TAG || (body[0] << 8 | body[1]) >= SEAL_STEPS || place->workspace.n > SEAL_WORKSPACE_MAX)
    return error_set(err, VDT_EAUTH, "it is damaged");
  size_t n = s->body.n - BODY_HEAD - SEAL_TAG;
  unsigned char *out = arena_alloc(arena, n + 1);
  if (!out) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = open_root(keys, s, root, err);
  if (!rc && decrypt(root, place, s, out)) rc = error_set(err, VDT_EAUTH, "it is damaged, or from another place");
  sodium_memzero(root, sizeof root);
  out[n] = 0;
  if (!rc) *text = (struct str){(const char *)out, n};
  return rc;
}

/* ---- several texts in one --------------------------------------------------------------------------------------- */

void seal_pack(struct buf *b, struct str text)
{
  unsigned char n[4];
  put32(n, (uint32_t)text.n);
  buf_put(b, (struct str){(const char *)n, sizeof n});
  buf_put(b, text);
}

bool seal_unpack(struct str *packed, struct str *text)
{
  if (packed->n < 4) return false;
  size_t n = get32((const unsigned char *)packed->p);
  if (n > packed->n - 4) return false;
  *text = str_cut(*packed, 4, 4 + n);
  *packed = str_cut(*packed, 4 + n, packed->n);
  return true;
}
