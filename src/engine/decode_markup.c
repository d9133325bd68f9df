/*
 * Words cut by markup that a page does not show: comments ("ig<!-- -->nore") and elements within lines ("<b>i</b>gnore"). What is read is the text
 * without them, where several words are cut so close to each other; elements that part words in a page (paragraphs, cells) part them here.
 */
#include "engine/decode_inside.h"

enum {
  CUTS_MIN = 3,
  CUTS_NEAR = 256, /* bytes between two of them */
  TAG_MAX = 512,   /* bytes; a longer one is none */
};

/* Elements of HTML that do not part words. */
static bool is_inline(struct str name)
{
  static const struct str names[] = {STR("b"),      STR("i"),    STR("u"),    STR("s"),    STR("a"),   STR("em"),
                                     STR("strong"), STR("span"), STR("font"), STR("sub"),  STR("sup"), STR("wbr"),
                                     STR("small"),  STR("big"),  STR("code"), STR("mark"), STR("ins"), STR("del"),
                                     STR("abbr"),   STR("bdi"),  STR("tt"),   STR("var"),  STR("kbd")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_ieq(name, names[i])) return true;
  return false;
}

/* Bytes of the comment or the tag of such an element at i, where a '<' is; 0: there is none. */
static size_t markup_at(struct str s, size_t i)
{
  struct str rest = str_cut(s, i, s.n - i > TAG_MAX ? i + TAG_MAX : s.n);
  if (rest.n > 4 && memcmp(rest.p, "<!--", 4) == 0) {
    size_t end = str_find(str_cut(rest, 4, rest.n), STR("-->"));
    return end == (size_t)-1 ? 0 : end + 7;
  }
  size_t name = 1, end;
  if (name < rest.n && rest.p[name] == '/') name++;
  for (end = name; end < rest.n && is_letter((unsigned char)rest.p[end]);) end++;
  if (!is_inline(str_cut(rest, name, end))) return 0;
  const char *close = memchr(rest.p + end, '>', rest.n - end);
  bool whole = close && (rest.p[end] == '>' || rest.p[end] == '/' || is_blank((unsigned char)rest.p[end]));
  return whole ? (size_t)(close - rest.p) + 1 : 0;
}

/* Where a row of them ends that begins at i. */
static size_t skip_markup(struct str s, size_t i)
{
  for (size_t n; i < s.n && s.p[i] == '<' && (n = markup_at(s, i)) > 0; i += n) continue;
  return i;
}

/* The next '<' from i on at which markup stands within a word; *end: where the markup ends. s.n: there is none. */
static size_t next_cut(struct str s, size_t i, size_t *end)
{
  while (i < s.n) {
    const char *p = memchr(s.p + i, '<', s.n - i);
    if (!p) return s.n;
    i = (size_t)(p - s.p);
    *end = skip_markup(s, i);
    if (*end > i && i && is_word_byte(s.p[i - 1]) && *end < s.n && is_word_byte(s.p[*end])) return i;
    i = *end > i ? *end : i + 1;
  }
  return s.n;
}

/* [from, to), which ends no markup in the middle, without any. */
static void put_without(struct decode_work *w, size_t from, size_t to)
{
  struct str s = w->in;
  while (from < to) {
    size_t next = s.p[from] == '<' ? skip_markup(s, from) : from;
    if (next == from) buf_byte(&w->out, s.p[next++]);
    from = next;
  }
}

void decode_markup(struct decode_work *w)
{
  struct str s = w->in;
  size_t end = 0, last = 0;
  if (w->leaks || !s.n || !memchr(s.p, '<', s.n)) return;
  w->work += 2 * s.n;
  for (size_t i = next_cut(s, 0, &end); i < s.n;) {
    size_t cuts = 0, start = i, at = w->out.n, behind = end;
    for (; i < s.n && i < behind + CUTS_NEAR; i = next_cut(s, end, &end)) {
      cuts++;
      behind = end;
    }
    while (start > last && is_word_byte(s.p[start - 1])) start--;
    while (behind < s.n && (is_word_byte(s.p[behind]) || s.p[behind] == '<')) {
      size_t next = s.p[behind] == '<' ? skip_markup(s, behind) : behind + 1;
      if (next == behind) break;
      behind = next;
    }
    last = behind;
    if (cuts < CUTS_MIN) continue;
    put_without(w, start, behind);
    if (piece_is_language(w, at)) piece_add(w, DECODER_MARKUP, start, behind, at, false);
  }
}
