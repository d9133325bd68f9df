/*
 * Hosts that pretend to be somebody else's: letters of other scripts, digits for letters, a known name in front of another's domain, or
 * with "login" at its side.
 *
 * Who owns a domain is its registrable part: the last two labels, or three under co.uk and the like. That needs no list of suffixes, and
 * errs only towards silence.
 */
#include "detect/link.h"

enum { LABEL_MAX = 63, POINTS_MAX = 63 };

static const struct {
  struct str name, theirs;
} brands[] = {
#define X(name, theirs) {STR(name), STR(theirs)},
#include "detect/brands.def"
#undef X
};
enum { BRANDS = sizeof brands / sizeof *brands };

static const struct str lures[] = {STR("login"),        STR("signin"),   STR("secure"),  STR("security"), STR("verify"),
                                   STR("account"),      STR("accounts"), STR("support"), STR("update"),   STR("auth"),
                                   STR("wallet"),       STR("billing"),  STR("confirm"), STR("alert"),    STR("service"),
                                   STR("unlock"),       STR("recovery"), STR("refund"),  STR("helpdesk"), STR("password"),
                                   STR("verification"), STR("online"),   STR("payment"), STR("payments")};
enum { LURES = sizeof lures / sizeof *lures };

/* ---- labels ------------------------------------------------------------------------------------------------------ */

/* Where the registrable part begins. */
static size_t registrable(struct str host)
{
  static const struct str seconds[] = {STR("co"), STR("com"), STR("net"), STR("org"), STR("gov"), STR("edu"), STR("ac")};
  size_t dots[3] = {0}, n = 0;
  for (size_t i = host.n; i > 0 && n < 3; i--)
    if (host.p[i - 1] == '.') dots[n++] = i;
  if (n < 2) return 0;
  struct str second = str_cut(host, dots[1], dots[0] - 1);
  bool country = host.n - dots[0] == 2;
  for (size_t i = 0; country && i < sizeof seconds / sizeof *seconds; i++)
    if (str_ieq(second, seconds[i])) return n == 3 ? dots[2] : 0;
  return dots[1];
}

static struct str first_label(struct str s)
{
  const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
  return dot ? str_cut(s, 0, (size_t)(dot - s.p)) : s;
}

/* ---- code points ------------------------------------------------------------------------------------------------- */

struct points {
  uint32_t v[POINTS_MAX];
  size_t n;
};

static bool add(struct points *p, size_t at, uint32_t c)
{
  if (p->n == POINTS_MAX || at > p->n) return false;
  memmove(&p->v[at + 1], &p->v[at], (p->n - at) * sizeof *p->v);
  p->v[at] = c;
  p->n++;
  return true;
}

/* RFC 3492, with the parameters of IDNA. */
static uint32_t adapt(uint32_t delta, uint32_t n, bool first)
{
  uint32_t k = 0;
  delta = first ? delta / 700 : delta / 2;
  for (delta += delta / n; delta > 455; k += 36) delta /= 35;
  return k + 36 * delta / (delta + 38);
}

static int digit(char c)
{
  return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' : c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

static bool punycode(struct str s, struct points *out)
{
  size_t at = 0;
  uint32_t c = 128, bias = 72, i = 0;
  for (size_t k = s.n; k > 0; k--)
    if (s.p[k - 1] == '-') {
      for (size_t b = 0; b + 1 < k; b++)
        if (!add(out, out->n, (unsigned char)s.p[b])) return false;
      at = k;
      break;
    }
  while (at < s.n) {
    uint32_t old = i, weight = 1;
    for (uint32_t k = 36;; k += 36) {
      int d = at < s.n ? digit(s.p[at++]) : -1;
      if (d < 0 || (uint64_t)d * weight > UINT32_MAX - i) return false;
      i += (uint32_t)d * weight;
      uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if ((uint32_t)d < t) break;
      if ((uint64_t)weight * (36 - t) > UINT32_MAX) return false;
      weight *= 36 - t;
    }
    uint32_t n = (uint32_t)out->n + 1;
    bias = adapt(i - old, n, old == 0);
    if (i / n > 0x10FFFF - c) return false;
    c += i / n;
    i %= n;
    if (!add(out, i++, c)) return false;
  }
  return true;
}

static bool points_of(struct str label, struct points *out)
{
  out->n = 0;
  if (label.n > 4 && str_ieq(str_cut(label, 0, 4), STR("xn--"))) return punycode(str_cut(label, 4, label.n), out);
  for (size_t i = 0; i < label.n;) {
    unsigned char b = (unsigned char)label.p[i];
    size_t n = b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? b : b & (0x3Fu >> (n - 1));
    if (i + n > label.n) return false;
    for (size_t k = 1; k < n; k++) c = c << 6 | ((unsigned char)label.p[i + k] & 0x3F);
    if (!add(out, out->n, c)) return false;
    i += n;
  }
  return true;
}

/* The ASCII letter that a letter of another script, or one with a mark, looks like; 0: none. */
static char looks(uint32_t c)
{
  static const struct {
    uint32_t c;
    char as;
  } table[] = {{0x430, 'a'}, {0x432, 'b'}, {0x435, 'e'}, {0x43A, 'k'}, {0x43C, 'm'}, {0x43D, 'h'}, {0x43E, 'o'}, {0x440, 'p'},
               {0x441, 'c'}, {0x442, 't'}, {0x443, 'y'}, {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'}, {0x457, 'i'}, {0x458, 'j'},
               {0x501, 'd'}, {0x51B, 'q'}, {0x51D, 'w'}, {0x4BB, 'h'}, {0x4CF, 'l'}, {0x3B1, 'a'}, {0x3BF, 'o'}, {0x3C1, 'p'},
               {0x3BD, 'v'}, {0x3B9, 'i'}, {0x3BA, 'k'}, {0x3C4, 't'}, {0x3C5, 'u'}, {0x3C9, 'w'}, {0x3B5, 'e'}, {0x261, 'g'},
               {0x131, 'i'}, {0x251, 'a'}, {0x142, 'l'}, {0x111, 'd'}, {0x127, 'h'}, {0x180, 'b'}, {0x273, 'n'}, {0x1D0F, 'o'},
               {0x585, 'o'}, {0x578, 'n'}, {0x57D, 'u'}, {0x581, 'g'}, {0x563, 'q'}};
  static const char latin1[] = "aaaaaaaceeeeiiiidnooooo.ouuuuy.yaaaaaaaceeeeiiiidnooooo.ouuuuy.y";
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? (char)(c + 32) : (char)c;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].c == c) return table[i].as;
  if (c >= 0xC0 && c <= 0xFF) return latin1[c - 0xC0] == '.' ? 0 : latin1[c - 0xC0];
  static const char extended[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkk.lllllllllln"
                                 "nnnnnnnnnoooooooorrrrrrsssssssstttttttuuuuuuuuuuuuwwyyyzzzzzz.";
  if (c >= 0x100 && c < 0x100 + sizeof extended - 1) return extended[c - 0x100] == '.' ? 0 : extended[c - 0x100];
  if (c >= 0x1E00 && c <= 0x1EFF)
    return c >= 0x1EA0 && c <= 0x1EB7 ? 'a' : c >= 0x1EB8 && c <= 0x1EC7 ? 'e' : c >= 0x1ECC && c <= 0x1EE3 ? 'o' : 0;
  return 0;
}

static bool is_cyrillic_or_greek(uint32_t c)
{
  return (c >= 0x370 && c <= 0x58F) || c == 0x51B || c == 0x51D;
}

struct skeleton {
  char text[LABEL_MAX + 1];
  size_t n;
  bool foreign, mixed, changed; /* letters that are not ASCII; of two scripts; digits for letters and the like */
};

static char undigit(char c)
{
  switch (c) {
  case '0': return 'o';
  case '1': return 'l';
  case '3': return 'e';
  case '4': return 'a';
  case '5': return 's';
  case '7': return 't';
  case '8': return 'b';
  default: return c;
  }
}

/* "rn" is m and "vv" is w, to hasty eyes. */
static void join_strokes(struct skeleton *s)
{
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    bool m = i + 1 < s->n && s->text[i] == 'r' && s->text[i + 1] == 'n',
         w = i + 1 < s->n && s->text[i] == 'v' && s->text[i + 1] == 'v';
    s->text[n++] = m ? 'm' : w ? 'w' : s->text[i];
    s->changed |= m || w;
    i += m || w;
  }
  s->n = n;
}

static bool skeleton_of(struct str label, struct skeleton *out)
{
  struct points p;
  bool ascii = false, other = false;
  *out = (struct skeleton){0};
  if (!points_of(label, &p) || p.n > LABEL_MAX) return false;
  for (size_t i = 0; i < p.n; i++) {
    char c = looks(p.v[i]), d = undigit(c);
    if (!c) return false;
    out->foreign |= p.v[i] >= 0x80;
    ascii |= c >= 'a' && c <= 'z' && p.v[i] < 0x80;
    other |= is_cyrillic_or_greek(p.v[i]);
    out->changed |= d != c;
    out->text[out->n++] = d;
  }
  out->mixed = ascii && other;
  join_strokes(out);
  return true;
}

/* ---- judgement --------------------------------------------------------------------------------------------------- */

static bool is_word_of(struct str list, struct str word)
{
  for (size_t i = 0; i < list.n;) {
    const char *blank = memchr(list.p + i, ' ', list.n - i);
    size_t end = blank ? (size_t)(blank - list.p) : list.n;
    if (str_ieq(str_cut(list, i, end), word)) return true;
    i = end + 1;
  }
  return false;
}

/* The domain really is somebody's of the table. */
static bool is_theirs(struct str own, struct str label)
{
  for (size_t i = 0; i < BRANDS; i++)
    if (str_ieq(label, brands[i].name) || is_word_of(brands[i].theirs, own)) return true;
  return false;
}

static bool is_lure(struct str s)
{
  for (size_t i = 0; i < LURES; i++)
    if (str_ieq(s, lures[i])) return true;
  return false;
}

/* Calls for each piece of a label between hyphens; whole: the name alone counts as much as with others. */
static bool has_token(struct str label, struct str token)
{
  for (size_t i = 0; i < label.n;) {
    const char *hyphen = memchr(label.p + i, '-', label.n - i);
    size_t end = hyphen ? (size_t)(hyphen - label.p) : label.n;
    if (str_ieq(str_cut(label, i, end), token)) return true;
    i = end + 1;
  }
  return false;
}

static bool has_lure_token(struct str label)
{
  for (size_t i = 0; i < LURES; i++)
    if (has_token(label, lures[i])) return true;
  return false;
}

/* "paypallogin", "securepaypal". */
static bool is_glued(struct str label, struct str name)
{
  if (label.n <= name.n) return false;
  return (str_ieq(str_cut(label, 0, name.n), name) && is_lure(str_cut(label, name.n, label.n))) ||
         (str_ieq(str_cut(label, label.n - name.n, label.n), name) && is_lure(str_cut(label, 0, label.n - name.n)));
}

/* The name stands in front of the domain, followed by what looks like its top-level domain: "paypal.com.evil.example", "paypal.com-id.example". own: the
 * first label of the domain. */
static bool in_front(struct str front, struct str own, struct str name, bool *with_top)
{
  static const struct str tops[] = {STR("com"), STR("net"), STR("org"), STR("de"), STR("co"), STR("me"), STR("ai")};
  for (size_t i = 0; i < front.n;) {
    struct str label = first_label(str_cut(front, i, front.n));
    i += label.n + 1;
    if (!str_ieq(label, name)) continue;
    struct str next = i < front.n ? first_label(str_cut(front, i, front.n)) : own;
    *with_top = false;
    for (size_t k = 0; k < sizeof tops / sizeof *tops; k++) {
      *with_top |= str_ieq(next, tops[k]);
      *with_top |= next.n > tops[k].n && next.p[tops[k].n] == '-' && str_ieq(str_cut(next, 0, tops[k].n), tops[k]);
    }
    return true;
  }
  return false;
}

/* "secure-amazon.evil.example" */
static bool front_lures(struct str front, struct str name)
{
  for (size_t i = 0; i < front.n;) {
    struct str label = first_label(str_cut(front, i, front.n));
    if (has_token(label, name) && has_lure_token(label)) return true;
    i += label.n + 1;
  }
  return false;
}

static unsigned judge_name(struct str front, struct str label, struct str name, struct str rest, const char **why)
{
  bool with_top = false;
  *why = "a known name with a word that lures, in somebody else's domain";
  if (has_token(label, name) && has_lure_token(label)) return 88;
  if (is_glued(label, name)) return 85;
  *why = "a known name in front of somebody else's domain";
  if (in_front(front, label, name, &with_top)) return with_top ? 92 : link_lures(rest) ? 78 : 40;
  if (front_lures(front, name)) return 78;
  *why = "one letter away from a known name";
  if (name.n >= 6 && label.n <= 63 && str_is_one_away(label, name) && !(label.n == name.n + 1 && (label.p[name.n] | 32) == 's'))
    return name.n >= 8 ? 76 : 70;
  return 0;
}

static unsigned judge_skeleton(struct str label, const struct skeleton *s, const char **why)
{
  struct str text = {s->text, s->n};
  for (size_t i = 0; i < BRANDS && (s->foreign || s->changed); i++) {
    struct str name = brands[i].name;
    if (!has_token(text, name) && !is_glued(text, name)) continue;
    if (has_token(label, name)) continue;
    *why = s->foreign ? "letters of another script spell a known name" : "digits or strokes for letters spell a known name";
    return s->foreign ? 95 : 92;
  }
  *why = "letters of two scripts in one name";
  return s->mixed ? 80 : 0;
}

unsigned looks_like(struct str host, struct str rest, const char **why)
{
  size_t own_at = registrable(host);
  struct str own = str_cut(host, own_at, host.n), label = first_label(own);
  struct str front = own_at ? str_cut(host, 0, own_at - 1) : STR("");
  struct skeleton s;
  unsigned best = 0;
  if (own.n == host.n && !memchr(host.p, '.', host.n)) return 0;
  if (is_theirs(own, label)) return 0;
  if (skeleton_of(label, &s)) best = judge_skeleton(label, &s, why);
  for (size_t i = 0; i < BRANDS && best < 80; i++) {
    const char *reason;
    unsigned sure = judge_name(front, label, brands[i].name, rest, &reason);
    if (sure > best) best = sure, *why = reason;
  }
  return best;
}
