/*
 * Makes secrets at run time, so that none ever stands in the source: a seed goes in, text of the right shape comes out.
 *
 * Shapes and checksums follow what the issuers publish: GitHub and npm tokens end with the base-62 CRC-32 of their 30 random
 * characters, cards satisfy Luhn's check, IBANs ISO 7064 mod 97.
 */
#include "sim/leaks.h"
#include <zlib.h>

static const char BASE62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char DIGITS[] = "0123456789";

/* splitmix64: small, well mixed, the same everywhere. */
static uint64_t next(uint64_t *seed)
{
  uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void put_random(struct buf *out, uint64_t *seed, const char *alphabet, size_t n)
{
  size_t size = strlen(alphabet);
  for (size_t i = 0; i < n; i++) buf_byte(out, alphabet[next(seed) % size]);
}

static void put_base64(struct buf *out, const char *alphabet, struct str in, bool pad)
{
  for (size_t i = 0; i < in.n; i += 3) {
    uint32_t v = 0;
    size_t have = in.n - i < 3 ? in.n - i : 3;
    for (size_t k = 0; k < 3; k++) v = v << 8 | (k < have ? (unsigned char)in.p[i + k] : 0u);
    for (size_t k = 0; k < 4; k++) {
      if (k <= have) buf_byte(out, alphabet[v >> (18 - 6 * k) & 63]);
      else if (pad) buf_byte(out, '=');
    }
  }
}

/* ---- credentials ------------------------------------------------------------------------------------------------ */

static void put_with_crc(struct buf *out, uint64_t seed, struct str prefix)
{
  buf_put(out, prefix);
  size_t from = out->n;
  put_random(out, &seed, BASE62, 30);
  if (out->failed) return;
  uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)out->p + from, 30);
  char check[6];
  for (int i = 5; i >= 0; i--, crc /= 62) check[i] = BASE62[crc % 62];
  buf_put(out, (struct str){check, sizeof check});
}

static void make_github(struct buf *out, uint64_t seed)
{
  put_with_crc(out, seed, STR("ghp_"));
}

static void make_npm(struct buf *out, uint64_t seed)
{
  put_with_crc(out, seed, STR("npm_"));
}

static void make_aws(struct buf *out, uint64_t seed)
{
  BUF_LIT(out, "aws_access_key_id=AKIA");
  put_random(out, &seed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
  BUF_LIT(out, " aws_secret_access_key=");
  put_random(out, &seed, BASE64, 40);
}

static void make_openai(struct buf *out, uint64_t seed)
{
  BUF_LIT(out, "sk-proj-");
  put_random(out, &seed, BASE62, 74);
  BUF_LIT(out, "T3Blbk"
               "FJ");
  put_random(out, &seed, BASE62, 74);
}

static void make_azure_storage(struct buf *out, uint64_t seed)
{
  BUF_LIT(out, "DefaultEndpointsProtocol=https;AccountName=prodstore;AccountKey=");
  put_random(out, &seed, BASE64, 76);
  BUF_LIT(out, "+ASt");
  put_random(out, &seed, BASE64, 5);
  put_random(out, &seed, "AQgw", 1);
  BUF_LIT(out, "==;EndpointSuffix=core.windows.net");
}

/* The frame of a PKCS #8 RSA key around random bytes. */
static void make_pem(struct buf *out, uint64_t seed)
{
  static const unsigned char frame[] = {0x30, 0x82, 0x04, 0xbd, 0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
                                        0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04, 0x82, 0x04, 0xa7};
  struct buf der = {0}, text = {0};
  buf_put(&der, (struct str){(const char *)frame, sizeof frame});
  while (der.n < 1217 && !der.failed) buf_byte(&der, (char)(next(&seed) & 0xff));
  put_base64(&text, BASE64, buf_str(&der), true);
  BUF_LIT(out, "-----BEGIN PRIVATE "
               "KEY-----\n");
  for (size_t i = 0; i < text.n; i += 64) {
    buf_put(out, str_cut(buf_str(&text), i, i + 64 < text.n ? i + 64 : text.n));
    BUF_LIT(out, "\n");
  }
  BUF_LIT(out, "-----END PRIVATE "
               "KEY-----");
  buf_finish(&der);
  buf_finish(&text);
}

static void make_jwt(struct buf *out, uint64_t seed)
{
  struct buf payload = {0};
  put_base64(out, BASE64URL, STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), false);
  buf_printf(&payload, "{\"sub\":\"%08x\",\"name\":\"svc-build\",\"iat\":17%08u}", (unsigned)(next(&seed) & 0xffffffffu),
             (unsigned)(next(&seed) % 90000000));
  BUF_LIT(out, ".");
  put_base64(out, BASE64URL, buf_str(&payload), false);
  BUF_LIT(out, ".");
  put_random(out, &seed, BASE64URL, 42);
  put_random(out, &seed, "AEIMQUYcgkosw048", 1);
  buf_finish(&payload);
}

static void make_slack(struct buf *out, uint64_t seed)
{
  BUF_LIT(out, "xoxb-");
  put_random(out, &seed, "123456789", 12);
  BUF_LIT(out, "-");
  put_random(out, &seed, "123456789", 12);
  BUF_LIT(out, "-");
  put_random(out, &seed, BASE62, 24);
}

static void make_stripe(struct buf *out, uint64_t seed)
{
  BUF_LIT(out, "sk_"
               "live_");
  put_random(out, &seed, BASE62, 24);
}

/* ---- persons and payments --------------------------------------------------------------------------------------- */

static void make_card(struct buf *out, uint64_t seed)
{
  char digits[17] = "4539";
  unsigned sum = 0;
  for (size_t i = 4; i < 15; i++) digits[i] = DIGITS[next(&seed) % 10];
  for (size_t i = 0; i < 15; i++) {
    unsigned d = (unsigned)(digits[i] - '0') * (i % 2 == 0 ? 2 : 1);
    sum += d > 9 ? d - 9 : d;
  }
  digits[15] = DIGITS[(10 - sum % 10) % 10];
  buf_printf(out, "%.4s %.4s %.4s %.4s", digits, digits + 4, digits + 8, digits + 12);
}

/* Check digits: 98 minus the remainder of BBAN, "DE" as 1314 and "00" by 97. */
static void make_iban(struct buf *out, uint64_t seed)
{
  char bban[19] = {0};
  unsigned rest = 0;
  static const char tail[] = "131400";
  for (size_t i = 0; i < 18; i++) bban[i] = i ? DIGITS[next(&seed) % 10] : '5';
  for (size_t i = 0; i < 18; i++) rest = (rest * 10 + (unsigned)(bban[i] - '0')) % 97;
  for (size_t i = 0; i < 6; i++) rest = (rest * 10 + (unsigned)(tail[i] - '0')) % 97;
  buf_printf(out, "DE%02u %.4s %.4s %.4s %.4s %.2s", 98 - rest, bban, bban + 4, bban + 8, bban + 12, bban + 16);
}

static void make_ssn(struct buf *out, uint64_t seed)
{
  unsigned area = 101 + (unsigned)(next(&seed) % 560), group = 11 + (unsigned)(next(&seed) % 85);
  buf_printf(out, "%03u-%02u-%04u", area, group, 1234 + (unsigned)(next(&seed) % 8000));
}

static void make_email(struct buf *out, uint64_t seed)
{
  static const char *const first[] = {"ada", "grace", "edsger", "barbara", "tony", "frances", "ken", "radia"};
  static const char *const last[] = {"moreau", "lindqvist", "okafor", "tanaka", "novak", "silva", "keller", "haddad"};
  const char *a = first[next(&seed) % 8], *b = last[next(&seed) % 8];
  buf_printf(out, "%s.%s%u@fabrikam-retail.com", a, b, (unsigned)(next(&seed) % 90 + 10));
}

/* A name that nobody has (RFC 2606); vedette's built-in list of bad addresses names it, for trials. */
static void make_url(struct buf *out, uint64_t seed)
{
  buf_printf(out, "https://phishing.vedette.example/%08x", (unsigned)(seed & 0xffffffff));
}

static void make_phone(struct buf *out, uint64_t seed)
{
  unsigned exchange = 220 + (unsigned)(next(&seed) % 300);
  buf_printf(out, "+1 425-%03u-%04u", exchange, (unsigned)(next(&seed) % 9000) + 1000);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const struct leak {
  const char *kind;
  void (*make)(struct buf *out, uint64_t seed);
  const char *phrase, *before, *after;
} leaks[] = {
#define X(kind, make, phrase, before, after) {kind, make, phrase, before, after},
#include "sim/leaks.def"
#undef X
};
enum { LEAKS = sizeof leaks / sizeof *leaks };

static const struct leak *find(struct str kind)
{
  for (size_t i = 0; i < LEAKS; i++)
    if (str_eq(kind, str_of(leaks[i].kind))) return &leaks[i];
  return NULL;
}

bool leak_secret(struct str kind, uint64_t seed, struct buf *out)
{
  const struct leak *l = find(kind);
  if (l) l->make(out, seed);
  return l != NULL;
}

bool leak_sentence(struct str kind, uint64_t seed, struct buf *out)
{
  const struct leak *l = find(kind);
  if (!l) return false;
  buf_put(out, str_of(l->before));
  l->make(out, seed);
  buf_put(out, str_of(l->after));
  return true;
}

static bool has_phrase(struct str text, struct str phrase)
{
  for (size_t i = 0; phrase.n && i + phrase.n <= text.n; i++)
    if (str_ieq(str_cut(text, i, i + phrase.n), phrase)) return true;
  return false;
}

struct str leak_asked_for(struct str text)
{
  for (size_t i = 0; i < LEAKS; i++)
    if (has_phrase(text, str_of(leaks[i].phrase))) return str_of(leaks[i].kind);
  return (struct str){"", 0};
}

const char *leak_kind(size_t i)
{
  return i < LEAKS ? leaks[i].kind : NULL;
}
