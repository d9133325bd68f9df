/* Reading a token, see jws.h. */
#include "api/jws.h"
#include "base/error.h"
#include <sodium.h>

enum { HEADER_DEPTH = 4, CLAIMS_DEPTH = 16, HEADER_NODES = 256, CLAIMS_NODES = 4096 };

static const char *const names[] = {
#define X(id, name, help) name,
#include "api/jws_algorithms.def"
#undef X
};

enum jws_algorithm jws_algorithm(struct str name)
{
  unsigned i = 0;
  while (i < JWS_ALGORITHMS && !str_eq(name, str_of(names[i]))) i++;
  return (enum jws_algorithm)i;
}

const char *jws_algorithm_name(enum jws_algorithm a)
{
  return names[a];
}

/* To the byte: no padding, no blanks, no bits beyond the end. */
static bool decode(struct vdt_arena *arena, struct str text, struct str *out)
{
  size_t n = 0, room = text.n / 4 * 3 + 3;
  unsigned char *bytes = arena_alloc(arena, room);
  bool ok = bytes && text.n &&
            sodium_base642bin(bytes, room, text.p, text.n, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
  *out = (struct str){(const char *)bytes, ok ? n : 0};
  return ok;
}

/* Three parts, of which none is empty. */
static bool split(struct str token, struct str parts[3])
{
  struct str rest = token;
  for (int i = 0; i < 3; i++) {
    const char *dot = rest.n ? memchr(rest.p, '.', rest.n) : NULL;
    if (!rest.n || !dot == (i < 2)) return false;
    parts[i] = str_cut(rest, 0, dot ? (size_t)(dot - rest.p) : rest.n);
    rest = str_cut(rest, dot ? parts[i].n + 1 : rest.n, rest.n);
  }
  return parts[0].n && parts[1].n && parts[2].n;
}

/* A token of another purpose that the provider signs too is none of ours. */
static bool type_ok(const struct json_doc *d)
{
  uint32_t typ = json_get(d, 0, "typ");
  struct str s = typ ? json_raw(d, typ) : (struct str){0};
  return !typ || str_ieq(s, STR("\"JWT\"")) || str_ieq(s, STR("\"at+jwt\"")) || str_ieq(s, STR("\"application/at+jwt\""));
}

static int read_header(struct vdt_arena *arena, const struct json_doc *d, struct jws *out, struct vdt_error *err)
{
  struct str name;
  uint32_t alg = json_get(d, 0, "alg"), kid = json_get(d, 0, "kid");
  if (d->nodes[0].type != JSON_OBJECT) return error_set(err, VDT_EINVAL, "its head is no object");
  if (!json_is(d, alg, JSON_STRING) || !json_string(d, alg, arena, &name))
    return error_set(err, VDT_EINVAL, "it names no algorithm");
  out->algorithm = jws_algorithm(name);
  if (out->algorithm == JWS_ALGORITHMS) return error_set(err, VDT_EINVAL, "its algorithm is none that is believed");
  if (json_get(d, 0, "crit") || json_get(d, 0, "b64") || json_get(d, 0, "zip") || json_get(d, 0, "enc"))
    return error_set(err, VDT_EINVAL, "its head has a member that changes how it is read");
  if (!type_ok(d)) return error_set(err, VDT_EINVAL, "it is for another purpose");
  if (!json_string(d, kid, arena, &out->key_id)) return error_set(err, VDT_ENOMEM, "out of memory");
  if (kid && (!json_is(d, kid, JSON_STRING) || out->key_id.n == 0 || out->key_id.n > JWS_KEY_ID_MAX))
    return error_set(err, VDT_EINVAL, "the name of its key is none");
  return VDT_OK;
}

int jws_parse(struct vdt_arena *arena, struct str token, struct jws *out, struct vdt_error *err)
{
  struct str parts[3], header, claims;
  struct json_doc head;
  *out = (struct jws){0};
  if (token.n > JWS_MAX) return error_set(err, VDT_EINVAL, "it has more than %d bytes", JWS_MAX);
  if (!split(token, parts)) return error_set(err, VDT_EINVAL, "it has not three parts");
  if (!decode(arena, parts[0], &header) || !decode(arena, parts[1], &claims) || !decode(arena, parts[2], &out->signature))
    return error_set(err, VDT_EINVAL, "a part is not base64url");
  out->content = str_cut(token, 0, parts[0].n + 1 + parts[1].n);
  if (json_parse(arena, header, &(struct json_limits){HEADER_DEPTH, HEADER_NODES}, &head, NULL))
    return error_set(err, VDT_EINVAL, "its head is not JSON");
  int rc = read_header(arena, &head, out, err);
  if (rc) return rc;
  if (json_parse(arena, claims, &(struct json_limits){CLAIMS_DEPTH, CLAIMS_NODES}, &out->claims, NULL) ||
      out->claims.nodes[0].type != JSON_OBJECT)
    return error_set(err, VDT_EINVAL, "its claims are no JSON object");
  return VDT_OK;
}
