/* Private keys in PEM (RFC 7468) and OpenPGP armour, whole or with their line ends escaped. */
#include "detect/detect.h"

static const struct str private_labels[] = {
    STR("PRIVATE KEY-----"),           STR("RSA PRIVATE KEY-----"),
    STR("EC PRIVATE KEY-----"),        STR("DSA PRIVATE KEY-----"),
    STR("OPENSSH PRIVATE KEY-----"),   STR("ENCRYPTED PRIVATE KEY-----"),
    STR("PGP PRIVATE KEY BLOCK-----"), STR("SSH2 ENCRYPTED PRIVATE KEY-----"),
};

static uint64_t after_label(struct look *l, uint64_t i)
{
  for (size_t k = 0; k < sizeof private_labels / sizeof *private_labels; k++)
    if (look_literal(l, i, private_labels[k], false)) return i + private_labels[k].n;
  return 0;
}

/* Counts base64 bytes up to the next run of dashes; 0 when something stands there that no key holds. */
static uint64_t body(struct look *l, uint64_t i, unsigned *base64)
{
  for (;; i++) {
    int c = look_at(l, i);
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter || c == '+' || c == '/' || c == '=') (*base64)++;
    else if (c == '-' && look_at(l, i + 1) == '-') return i;
    else if (c != '\n' && c != '\r' && c != ' ' && c != '\t' && c != '\\' && c != ':' && c != ',' && c != '-' && c != '.' &&
             c != '(' && c != ')' && c != '"')
      return 0;
  }
}

bool check_pem(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  unsigned base64 = 0;
  uint64_t begin = after_label(l, l->gate_end), end = begin ? body(l, begin, &base64) : 0;
  if (!end || base64 < 64 || !look_literal(l, end, STR("-----END "), false)) return false;
  uint64_t last = after_label(l, end + 9);
  if (!last || entropy(look_span(l, begin, end)) < 3.5) return false;
  out->end = last;
  out->reason = "a private key from BEGIN to END";
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
