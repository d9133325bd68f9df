/*
 * Malicious addresses. Five looks at one URL, each a rule of its own (rules/links.yaml): feeds know it; its host pretends to be somebody
 * else's; its host is a bare address; what looks like its host is a user's name; it carries data away. Two at a host without a scheme, which
 * most programs that show text make a link of: feeds know it, or it pretends.
 *
 * A finding is the scheme and host, or the host alone where a user's name stands between them: a mask over it leaves no working address, and a
 * password or key elsewhere in the URL stays the finding of its own rule.
 */
#include "detect/link.h"
#include "intel/intel.h"

enum { ENDS_URL = 1, ENDS_AUTHORITY = 2 };
static const uint8_t ends[256] = {
    [0 ... 0x20] = ENDS_URL, ['"'] = ENDS_URL,       ['\''] = ENDS_URL,      ['<'] = ENDS_URL,       ['>'] = ENDS_URL,
    ['`'] = ENDS_URL,        ['\\'] = ENDS_URL,      ['|'] = ENDS_URL,       [')'] = ENDS_URL,       [0x7F] = ENDS_URL,
    ['/'] = ENDS_AUTHORITY,  ['?'] = ENDS_AUTHORITY, ['#'] = ENDS_AUTHORITY, [','] = ENDS_AUTHORITY, [';'] = ENDS_AUTHORITY};

/* Bytes that have arrived are read as they lie: links may follow each other without an end, and each is read to the end of all. */
static uint64_t run(struct look *l, uint64_t i, unsigned max, bool authority)
{
  uint64_t most = i + max, stop = most < l->end ? most : l->end;
  unsigned end = authority ? ENDS_URL | ENDS_AUTHORITY : ENDS_URL;
  while (i < stop && !(ends[l->p[i - l->base]] & end)) i++;
  if (i == l->end && i < most) look_at(l, i); /* it may go on */
  return i;
}

/* ---- hosts that are addresses ------------------------------------------------------------------------------------ */

/* A part as inet_aton(3) reads it: decimal, octal with a leading 0, hexadecimal with 0x. *plain: decimal as people write it. */
static bool number(struct str s, uint64_t *out, bool *plain)
{
  unsigned base = 10;
  size_t i = 0;
  if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 32) == 'x') base = 16, i = 2;
  else if (s.n > 1 && s.p[0] == '0') base = 8, i = 1;
  *plain &= base == 10;
  *out = 0;
  if (i == s.n) return false;
  for (; i < s.n; i++) {
    char c = (char)(s.p[i] | 32);
    unsigned v = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
    if (s.p[i] < '0' || v >= base || *out > UINT32_MAX) return false;
    *out = *out * base + v;
  }
  return *out <= UINT32_MAX;
}

/* One to four parts; the last fills what is left. */
static bool take_ipv4(struct str host, struct link *out)
{
  uint64_t parts[4], value = 0;
  bool plain = true;
  size_t n = 0;
  for (size_t i = 0; i <= host.n; n++) {
    const char *dot = i < host.n ? memchr(host.p + i, '.', host.n - i) : NULL;
    size_t end = dot ? (size_t)(dot - host.p) : host.n;
    if (n == 4 || !number(str_cut(host, i, end), &parts[n], &plain)) return false;
    i = end + 1;
  }
  for (size_t i = 0; i + 1 < n; i++) {
    if (parts[i] > 255) return false;
    value |= parts[i] << (24 - 8 * i);
  }
  if (parts[n - 1] >> (8 * (5 - n))) return false;
  value |= parts[n - 1];
  out->odd = !plain || n != 4;
  out->address = (struct address){.bytes = {[10] = 0xff, [11] = 0xff}};
  for (size_t i = 0; i < 4; i++) out->address.bytes[12 + i] = (uint8_t)(value >> (24 - 8 * i));
  return true;
}

bool link_is_public(const struct address *a)
{
  static const char *const inside[] = {"0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
                                       "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
                                       "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/127",         "fc00::/7",
                                       "fe80::/10",       "2001:db8::/32",  "ff00::/8"};
  struct network n;
  for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
    if (network_parse(str_of(inside[i]), &n) && network_has(&n, a)) return false;
  return true;
}

/* ---- the parts --------------------------------------------------------------------------------------------------- */

/* user@host:port in [start, end). */
static bool take_authority(struct look *l, uint64_t start, uint64_t end, struct link *out)
{
  struct str all = look_span(l, start, end);
  size_t at = 0, stop;
  for (size_t i = 0; i < all.n; i++)
    if (all.p[i] == '@') at = i + 1;
  if (at) out->user = str_cut(all, 0, at - 1);
  if (at < all.n && all.p[at] == '[') {
    const char *close = memchr(all.p + at, ']', all.n - at);
    if (!close) return false;
    at++;
    stop = (size_t)(close - all.p);
    out->is_address = address_parse(str_cut(all, at, stop), &out->address);
    if (!out->is_address) return false;
  } else {
    const char *colon = at < all.n ? memchr(all.p + at, ':', all.n - at) : NULL;
    stop = colon ? (size_t)(colon - all.p) : all.n;
    while (stop > at && (all.p[stop - 1] == '.' || all.p[stop - 1] == '*' || all.p[stop - 1] == '!')) stop--;
  }
  out->host = str_cut(all, at, stop);
  out->host_start = start + at;
  out->host_end = start + stop;
  return out->host.n > 0 && out->host.n <= 253;
}

bool link_at(struct look *l, struct link *out)
{
  *out = (struct link){0};
  uint64_t end = run(l, l->gate_end, LINK_AUTHORITY_MAX, true);
  if (l->starved || end == l->gate_end || end - l->gate_end == LINK_AUTHORITY_MAX) return false;
  if (!take_authority(l, l->gate_end, end, out)) return false;
  int next = look_at(l, end);
  if (next == '/' || next == '?' || next == '#') out->rest = look_span(l, end, run(l, end, LINK_REST_MAX, false));
  if (l->starved) return false;
  if (!out->is_address) out->is_address = take_ipv4(out->host, out);
  return true;
}

static bool found_link(struct look *l, const struct link *k, unsigned confidence, const char *why, struct found *out)
{
  out->start = k->user.n ? k->host_start : l->gate;
  out->end = k->host_end;
  out->confidence = confidence;
  out->why = WHY_FORMAT;
  out->reason = why;
  return confidence > 0;
}

static bool has_word(struct str s, const struct str *words, size_t n)
{
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k + words[i].n <= s.n; k++)
      if ((s.p[k] | 32) == (words[i].p[0] | 32) && str_ieq(str_cut(s, k, k + words[i].n), words[i])) return true;
  return false;
}

bool link_lures(struct str rest)
{
  static const struct str words[] = {
      STR("login"),  STR("signin"),  STR("sign-in"), STR("verify"),  STR("account"), STR("password"), STR("wallet"),
      STR("secure"), STR("confirm"), STR("banking"), STR("invoice"), STR("webscr"),  STR(".exe"),     STR(".scr"),
      STR(".hta"),   STR(".ps1"),    STR(".vbs"),    STR(".apk"),    STR(".iso"),    STR(".msi"),     STR(".bat"),
      STR(".lnk"),   STR(".dll"),    STR(".elf"),    STR("payload"), STR(".jar")};
  return has_word(rest, words, sizeof words / sizeof *words);
}

/* ---- hosts without a scheme -------------------------------------------------------------------------------------- */

/* What can stand before or behind a host that is none: part of an address, of a path, of a name in a program. */
static bool belongs(int c)
{
  static const char marks[] = "@/\\_$&=%+~*";
  return c > 0 && memchr(marks, c, sizeof marks - 1);
}

/* A call, an element, or something that gets a value. */
static bool is_code(struct look *l, uint64_t i)
{
  int c = look_at(l, i);
  if (c == ' ') return look_at(l, i + 1) == '=';
  return c == '(' || c == '[' || c == '=';
}

/* The top-level domain is the gate, and the last label. A host may end a sentence. */
static bool ends_host(struct look *l, const struct charset *host)
{
  uint64_t i = l->gate_end;
  for (unsigned n = 0; n < 3 && look_at(l, i) == '.'; n++) i++;
  int c = look_at(l, i);
  if (charset_has(host, c)) return false;
  return c == '/' || !(belongs(c) || is_code(l, i));
}

static bool bare_host(const struct rule *r, struct look *l, struct link *out)
{
  *out = (struct link){0};
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max), end = l->gate_end;
  if (l->gate - start == r->left_max || !ends_host(l, &r->left)) return false;
  while (start < l->gate && (look_at(l, start) == '.' || look_at(l, start) == '-')) start++;
  if (start == l->gate || (start && belongs(look_at(l, start - 1)))) return false;
  if (look_at(l, end) == ':')
    for (end++; look_at(l, end) >= '0' && look_at(l, end) <= '9';) end++;
  int next = look_at(l, end);
  if (next == '/' || next == '?' || next == '#') out->rest = look_span(l, end, run(l, end, LINK_REST_MAX, false));
  if (l->starved) return false;
  out->host_start = start;
  out->host_end = l->gate_end;
  out->host = look_span(l, start, l->gate_end);
  return str_find(out->host, STR("..")) == (size_t)-1;
}

static bool found_host(const struct link *k, unsigned confidence, const char *why, struct found *out)
{
  out->start = k->host_start;
  out->end = k->host_end;
  out->confidence = confidence;
  out->why = WHY_FORMAT;
  out->reason = why;
  return true;
}

bool check_host_listed(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  struct intel_match m;
  const unsigned kinds = 1u << INTEL_MALICIOUS;
  if (!l->intel || !bare_host(r, l, &k)) return false;
  if (!intel_has_host(l->intel, kinds, k.host, &m) && !intel_has_url(l->intel, kinds, k.host, k.rest, &m)) return false;
  return found_host(&k, r->confidence, "a threat-intelligence feed names it", out);
}

/* Without a scheme much has the form of a host that is none, so one letter that is another does not count. */
bool check_host_look_alike(const struct rule *r, struct look *l, struct found *out)
{
  enum { SURE = 80, LESS = 5 };
  struct link k;
  const char *why = NULL;
  if (!bare_host(r, l, &k)) return false;
  unsigned sure = looks_like(k.host, k.rest, &why);
  return sure >= SURE && found_host(&k, sure - LESS, why, out);
}

/* ---- the five checks --------------------------------------------------------------------------------------------- */

bool check_link_listed(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  struct intel_match m;
  const unsigned kinds = 1u << INTEL_MALICIOUS;
  if (!l->intel || !link_at(l, &k)) return false;
  bool listed = k.is_address ? intel_has_address(l->intel, kinds, &k.address, &m) : intel_has_host(l->intel, kinds, k.host, &m);
  if (!listed && !intel_has_url(l->intel, kinds, k.host, k.rest, &m)) return false;
  return found_link(l, &k, r->confidence, "a threat-intelligence feed names it", out);
}

bool check_link_look_alike(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  const char *why = NULL;
  (void)r;
  if (!link_at(l, &k) || k.is_address) return false;
  unsigned sure = looks_like(k.host, k.rest, &why);
  return sure && found_link(l, &k, sure, why, out);
}

bool check_link_address(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  if (!link_at(l, &k) || !k.is_address) return false;
  if (k.odd) return found_link(l, &k, r->confidence, "the host is an address, written so that it does not look like one", out);
  if (!link_is_public(&k.address)) return false;
  if (link_lures(k.rest)) return found_link(l, &k, 85, "a bare address where a program or a page for passwords is", out);
  return found_link(l, &k, 60, "the host is a bare address", out);
}

/* "https://bank.example@evil.example/": what stands before the @ is no host. */
bool check_link_userinfo(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  if (!link_at(l, &k) || !k.user.n) return false;
  const char *colon = memchr(k.user.p, ':', k.user.n);
  struct str name = colon ? str_cut(k.user, 0, (size_t)(colon - k.user.p)) : k.user;
  bool encoded = str_find(k.user, STR("%40")) != (size_t)-1 || str_find(k.user, STR("%2f")) != (size_t)-1;
  bool deceives = k.host.n && memchr(k.host.p, '.', k.host.n) &&
                  (encoded || str_starts(name, STR("www.")) || (memchr(name.p, '.', name.n) && !memchr(name.p, '@', name.n)));
  if (deceives) return found_link(l, &k, r->confidence, "a user's name before the host is made to look like the host", out);
  if (!colon) return false;
  return found_link(l, &k, 50, "a user's name and a password before the host", out);
}

/* Markdown's "![...](" or HTML's "src=" right before the URL: whoever shows the text opens it. */
static bool in_image(struct look *l)
{
  uint64_t i = l->gate;
  int c = i ? look_at(l, i - 1) : -1;
  if (c == '<') c = --i ? look_at(l, i - 1) : -1;
  if (c == '"' || c == '\'' || c == '=') {
    if (c != '=') i--;
    return i >= 4 && look_literal(l, i - 4, STR("src="), true);
  }
  if (c != '(' || i < 2 || look_at(l, i - 2) != ']') return false;
  for (unsigned n = 0; n < 128 && i >= n + 3; n++) {
    int b = look_at(l, i - 3 - n);
    if (b == '[') return i >= n + 4 && look_at(l, i - 4 - n) == '!';
    if (b < 0 || b == '\n') return false;
  }
  return false;
}

bool check_link_data(const struct rule *r, struct look *l, struct found *out)
{
  struct link k;
  struct intel_match m;
  const char *why = NULL;
  (void)r;
  if (!link_at(l, &k) || (k.is_address && !link_is_public(&k.address))) return false;
  bool collector = l->intel && intel_has_host(l->intel, 1u << INTEL_COLLECTOR, k.host, &m);
  unsigned sure = carries_data(k.rest, in_image(l), collector, &why);
  return sure && found_link(l, &k, sure, why, out);
}
