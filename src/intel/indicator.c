#include "intel/indicator.h"

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static struct str trim(struct str s)
{
  while (s.n && (unsigned char)s.p[0] <= ' ') s = str_cut(s, 1, s.n);
  while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
  return s;
}

/* ---- how feeds write them --------------------------------------------------------------------------------------- */

/* "[.]" "(.)" "{.}" "[dot]" "[:]" at i: how many bytes, and for which. 0: none of them. */
static size_t fang(struct str s, size_t i, char *is)
{
  static const struct {
    struct str written;
    char is;
  } forms[] = {{STR("[.]"), '.'},   {STR("(.)"), '.'},   {STR("{.}"), '.'},
               {STR("[dot]"), '.'}, {STR("(dot)"), '.'}, {STR("[:]"), ':'}};
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
    if (s.n - i < forms[k].written.n || !str_ieq(str_cut(s, i, i + forms[k].written.n), forms[k].written)) continue;
    *is = forms[k].is;
    return forms[k].written.n;
  }
  return 0;
}

/* Into out->bytes, with the teeth back in. */
static bool refang(struct str s, struct indicator *out)
{
  size_t n = 0;
  for (size_t i = 0; i < s.n;) {
    char c = s.p[i];
    size_t skip = c == '[' || c == '(' || c == '{' ? fang(s, i, &c) : 0;
    if (n == sizeof out->bytes) return false;
    out->bytes[n++] = c;
    i += skip ? skip : 1;
  }
  out->text = (struct str){out->bytes, n};
  return n > 0;
}

/* Takes "||" and "^" of ad blockers away, and the address that a hosts file puts before a name. */
static struct str bare(struct str s)
{
  static const struct str sinks[] = {STR("0.0.0.0"), STR("127.0.0.1"), STR("::1"), STR("::")};
  if (str_starts(s, STR("||"))) {
    s = str_cut(s, 2, s.n);
    const char *end = memchr(s.p, '^', s.n);
    if (end) s.n = (size_t)(end - s.p);
  }
  for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++) {
    struct str k = sinks[i];
    if (str_starts(s, k) && s.n > k.n && (s.p[k.n] == ' ' || s.p[k.n] == '\t')) return trim(str_cut(s, k.n, s.n));
  }
  return s;
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

static void last_of(const struct network *n, struct address *out)
{
  *out = n->address;
  for (unsigned bit = n->bits; bit < 128; bit++) out->bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
}

static void first_of(const struct network *n, struct address *out)
{
  *out = n->address;
  for (unsigned bit = n->bits; bit < 128; bit++) out->bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static bool take_range(struct str s, struct indicator *out)
{
  const char *dash = memchr(s.p, '-', s.n);
  if (!dash) return false;
  struct str low = trim(str_cut(s, 0, (size_t)(dash - s.p))), high = trim(str_cut(s, (size_t)(dash - s.p) + 1, s.n));
  return address_parse(low, &out->low) && address_parse(high, &out->high) && memcmp(&out->low, &out->high, sizeof out->low) <= 0;
}

static bool take_address(struct str s, struct indicator *out)
{
  struct network n;
  out->kind = INDICATOR_ADDRESS;
  if (take_range(s, out)) return true;
  if (!network_parse(s, &n)) return false;
  first_of(&n, &out->low);
  last_of(&n, &out->high);
  return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool is_label_byte(unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c >= 0x80;
}

static bool is_top(struct str label)
{
  if (label.n < 2) return false;
  if (label.n > 4 && str_ieq(str_cut(label, 0, 4), STR("xn--"))) return true;
  for (size_t i = 0; i < label.n; i++)
    if ((label.p[i] >= '0' && label.p[i] <= '9') || label.p[i] == '-' || label.p[i] == '_') return false;
  return true;
}

bool indicator_is_domain(struct str host)
{
  size_t label = 0, labels = 0;
  if (host.n == 0 || host.n > 253) return false;
  for (size_t i = 0; i <= host.n; i++) {
    if (i < host.n && host.p[i] != '.') {
      if (!is_label_byte((unsigned char)host.p[i])) return false;
      continue;
    }
    if (i == label || i - label > 63) return false;
    labels++;
    if (i == host.n) break;
    label = i + 1;
  }
  return labels >= 2 && is_top(str_cut(host, label, host.n));
}

static bool take_domain(struct str s, struct indicator *out)
{
  if (str_starts(s, STR("*."))) s = str_cut(s, 2, s.n);
  if (s.n && s.p[0] == '.') s = str_cut(s, 1, s.n);
  if (s.n && s.p[s.n - 1] == '.') s.n--;
  if (!indicator_is_domain(s)) return false;
  for (size_t i = 0; i < s.n; i++) out->bytes[(size_t)(s.p - out->bytes) + i] = lower(s.p[i]);
  out->kind = INDICATOR_DOMAIN;
  out->text = s;
  return true;
}

/* The host of "user@host:port", without the rest. */
static struct str host_of(struct str authority)
{
  for (size_t i = authority.n; i > 0; i--)
    if (authority.p[i - 1] == '@') {
      authority = str_cut(authority, i, authority.n);
      break;
    }
  if (authority.n && authority.p[0] == '[') {
    const char *end = memchr(authority.p, ']', authority.n);
    return end ? str_cut(authority, 1, (size_t)(end - authority.p)) : (struct str){0};
  }
  const char *colon = authority.n ? memchr(authority.p, ':', authority.n) : NULL;
  return colon ? str_cut(authority, 0, (size_t)(colon - authority.p)) : authority;
}

/* What follows the host of a URL that names more than its host, to be put behind it. */
static bool take_url(struct str s, struct indicator *out)
{
  size_t scheme = str_find(s, STR("://")), end;
  if (scheme == (size_t)-1 || scheme == 0 || scheme > 10) return false;
  s = str_cut(s, scheme + 3, s.n);
  for (end = 0; end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#'; end++) continue;
  struct str host = host_of(str_cut(s, 0, end)), rest = str_cut(s, end, s.n);
  const char *hash = rest.n ? memchr(rest.p, '#', rest.n) : NULL;
  if (hash) rest.n = (size_t)(hash - rest.p);
  struct address a;
  bool address = address_parse(host, &a);
  if (!address && !indicator_is_domain(host)) return false;
  if (rest.n <= 1) return address ? take_address(host, out) : take_domain(host, out);
  for (size_t i = 0; i < host.n; i++) out->bytes[i] = lower(host.p[i]);
  if (rest.p[0] != '/') return false;
  memmove(out->bytes + host.n, rest.p, rest.n);
  out->kind = INDICATOR_URL;
  out->text = (struct str){out->bytes, host.n + rest.n};
  return true;
}

bool indicator_parse(struct str s, struct indicator *out)
{
  s = bare(trim(s));
  if (s.n == 0 || s.n > INDICATOR_MAX || !refang(s, out)) return false;
  struct str text = out->text;
  if (memchr(text.p, 0, text.n) || memchr(text.p, ' ', text.n)) return take_range(text, out);
  return take_url(text, out) || take_address(text, out) || take_domain(text, out);
}
