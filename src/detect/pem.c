/* Private keys in PEM (RFC 7468) and OpenPGP armour, whole or with their line ends escaped. */
#include "detect/detect.h"

static const struct str private_labels[] = {
    STR("PRIVATE KEY-----"),           STR("RSA PRIVATE KEY-----"),
    STR("EC PRIVATE KEY-----"),        STR("DSA PRIVATE KEY-----"),
    STR("OPENSSH PRIVATE KEY-----"),   STR("ENCRYPTED PRIVATE KEY-----"),
    STR("PGP PRIVATE KEY BLOCK-----"), STR("SSH2 ENCRYPTED PRIVATE KEY-----"),
    STR("OpenVPN Static key V1-----"), STR("ANY PRIVATE KEY-----"),
};

static uint64_t after_label(struct look *l, uint64_t i)
{
  for (size_t k = 0; k < sizeof private_labels / sizeof *private_labels; k++)
    if (look_literal(l, i, private_labels[k], false)) return i + private_labels[k].n;
  return 0;
}

/* What stands between the lines of a key: blanks, escapes, headers of encrypted keys, and how a text quotes lines, joins strings or comments. */
static bool between_lines(int c)
{
  static const char bytes[] = "\n\r \t\\:,-.()\"'><#|*&;";
  return c > 0 && memchr(bytes, c, sizeof bytes - 1);
}

/* Counts base64 bytes up to the next run of dashes, or the end of the text; 0 when something stands there that no key holds. */
static uint64_t body(struct look *l, uint64_t i, unsigned *base64)
{
  for (;; i++) {
    int c = look_at(l, i);
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter || c == '+' || c == '/' || c == '=') (*base64)++;
    else if (c == '-' && look_at(l, i + 1) == '-') return i;
    else if (c < 0 && l->eof && i >= l->end) return i;
    else if (!between_lines(c)) return 0;
  }
}

/* The first bytes of the body: DER begins with a SEQUENCE (30 81, 30 82 or 30 and a short length), OpenSSH's with its name, OpenPGP's with
 * a packet tag. Headers of encrypted keys hide them. */
static bool begins_as_key(struct look *l, uint64_t begin, uint64_t end)
{
  char text[24];
  unsigned char head[20];
  size_t n = 0;
  for (uint64_t i = begin; i < end && n < sizeof text; i++) {
    int c = look_at(l, i);
    if (c == '\\' && (look_at(l, i + 1) == 'n' || look_at(l, i + 1) == 'r')) i++;
    else if (c == ':') n = 0; /* a header's name was no body */
    else if (c == '+' || c == '/' || c == '=' || (byte_is_word(c) && c != '_' && c < 0x80)) text[n++] = (char)c;
  }
  int have = base64_decode((struct str){text, n}, head, sizeof head);
  if (have < 15) return false;
  return (head[0] == 0x30 && (head[1] == 0x81 || head[1] == 0x82 || head[1] < 0x80)) || !memcmp(head, "openssh-key-v1", 14) ||
         (head[0] & 0xC0) == 0xC0 || (head[0] & 0xC0) == 0x80;
}

/* The text ends within the key, as an answer does that came to its most tokens. */
static bool is_cut_off(uint64_t end, struct found *out)
{
  out->end = end;
  out->confidence = 85;
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "a private key that the text ends in; its beginning decodes to one";
  return true;
}

bool check_pem(const struct rule *r, struct look *l, struct found *out)
{
  if (variant_has(r, STR("context")) && !l->context) return false;
  unsigned base64 = 0;
  uint64_t begin = after_label(l, l->gate_end), end = begin ? body(l, begin, &base64) : 0;
  if (!end || base64 < 64 || entropy(look_span(l, begin, end)) < 3.5) return false;
  bool parses = begins_as_key(l, begin, end);
  if (look_at(l, end) < 0 && !l->starved) return parses && is_cut_off(end, out);
  if (!look_literal(l, end, STR("-----END "), false)) return false;
  uint64_t last = after_label(l, end + 9);
  if (!last) return false;
  out->end = last;
  out->why = WHY_FORMAT | WHY_ENTROPY | (parses ? WHY_DECODED : 0);
  out->reason = parses ? "a private key from BEGIN to END; its beginning decodes to one" : "a private key from BEGIN to END";
  out->confidence = parses ? 95 : 85;
  return true;
}

/* PuTTY's key file: its header, and to the end of the line that holds the MAC. */
/* Where "Private-MAC:" ends, 0 when it does not follow. What has arrived is searched at once: a text may be full of beginnings. */
static uint64_t private_mac(struct look *l)
{
  enum { MAX = 12000 };
  static const struct str mark = STR("Private-MAC:");
  uint64_t stop = l->gate_end + MAX, have = l->end < stop + mark.n ? l->end : stop + mark.n, i = l->gate_end;
  if (have > i + mark.n) {
    size_t at = str_find((struct str){(const char *)l->p + (i - l->base), (size_t)(have - i)}, mark);
    if (at < MAX) return i + at + mark.n;
    i = have - mark.n;
  }
  for (int c; i < stop && (c = look_at(l, i)) >= 0; i++)
    if (c == 'P' && look_literal(l, i, mark, false)) return i + mark.n;
  return 0;
}

bool check_putty(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t mac = private_mac(l);
  if (!mac) return false;
  struct charset hex;
  charset_parse(STR("hex"), &hex);
  uint64_t from = look_at(l, mac) == ' ' ? mac + 1 : mac, end = look_run(l, from, &hex, 65);
  if (end - from < 40 || end - from > 64) return false;
  out->end = end;
  out->why = WHY_FORMAT;
  out->reason = "a private key file of PuTTY, to its MAC";
  return true;
}

/* The same, base64 once more: how Kubernetes secrets and environment variables hold keys. The gate is the code of "-----BEGIN". */
bool check_pem_base64(const struct rule *r, struct look *l, struct found *out)
{
  unsigned char head[48];
  uint64_t end = look_run(l, l->gate, &r->chars, 12000);
  if (end - l->gate < 128 || end - l->gate >= 12000) return false;
  int n = base64_decode(look_span(l, l->gate, l->gate + 64), head, sizeof head);
  struct str label = {(const char *)head, n > 0 ? (size_t)n : 0};
  if (str_find(label, STR("PRIVATE KEY")) == (size_t)-1) return false;
  while (end - l->gate < 12002 && look_at(l, end) == '=') end++;
  out->end = end;
  out->reason = "base64 that decodes to a private key in PEM";
  return true;
}
