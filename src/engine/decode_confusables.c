/*
 * Letters that look like others: of another script (Cyrillic, Greek, Cherokee ...) or of a style that NFKC does not fold (small capitals,
 * white letters on black). What looks like what comes from ICU: the skeletons of its spoof checker, and the names of characters.
 *
 * A word is read as Latin only if all of it looks Latin and it is a mixture: letters of another script beside ASCII ones; or other letters
 * throughout, in a text whose letters are mostly ASCII. A word of Cyrillic with some Latin letters is read as Cyrillic. So plain text of any
 * script stays as it is.
 */
#include "engine/decode_inside.h"
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>

enum { TABLE_SIZE = 0x20000, KNOWN = 0x8000, LETTER = 0x4000, LATIN = 0x2000, CYRILLIC = 0x1000, LOOKS = 0x7f };

/* What is known of each code point so far: flags, and the ASCII letter or digit that it looks like. Filled as texts need it. */
struct look_alikes {
  USpoofChecker *checker;
  uint16_t cyrillic[128]; /* the Cyrillic letter that an ASCII one looks like */
  uint16_t table[TABLE_SIZE];
};

/* One ASCII letter or digit, perhaps with marks: "a", "e" and an acute. "rn" is how skeletons write m. */
static unsigned by_skeleton(const struct look_alikes *l, int32_t c)
{
  UErrorCode status = U_ZERO_ERROR;
  UChar in[2], out[16];
  int32_t n_in = 0;
  U16_APPEND_UNSAFE(in, n_in, c);
  int32_t n = uspoof_getSkeleton(l->checker, 0, in, n_in, out, 16, &status);
  if (U_FAILURE(status) || n < 1 || n > 16) return 0;
  if (n == 2 && out[0] == 'r' && out[1] == 'n') return 'm';
  for (int32_t i = 1; i < n; i++)
    if (out[i] < 0x300 || out[i] > 0x36F) return 0;
  unsigned char a = out[0] < 0x80 ? (unsigned char)out[0] : 0;
  return is_letter(a) ? a | 32u : is_digit(a) ? a : 0;
}

/* "LATIN LETTER SMALL CAPITAL G", "NEGATIVE SQUARED LATIN CAPITAL LETTER A", "REGIONAL INDICATOR SYMBOL LETTER B": the last word. */
static unsigned by_name(int32_t c)
{
  UErrorCode status = U_ZERO_ERROR;
  char name[96];
  int32_t n = u_charName(c, U_UNICODE_CHAR_NAME, name, sizeof name, &status);
  if (U_FAILURE(status) || n < 10 || name[n - 2] != ' ' || !is_letter((unsigned char)name[n - 1])) return 0;
  struct str s = {name, (size_t)n};
  bool style = str_find(s, STR("SMALL CAPITAL")) != (size_t)-1 || str_starts(s, STR("NEGATIVE ")) ||
               str_starts(s, STR("REGIONAL INDICATOR "));
  return style ? (unsigned char)name[n - 1] | 32u : 0;
}

static unsigned facts(struct look_alikes *l, int32_t c)
{
  if (c < 0x80 || c >= TABLE_SIZE) return 0;
  if (l->table[c]) return l->table[c];
  UErrorCode status = U_ZERO_ERROR;
  UScriptCode script = uscript_getScript(c, &status);
  unsigned looks = by_skeleton(l, c), f = KNOWN;
  if (!looks) looks = by_name(c);
  if (looks || u_isalpha(c)) f |= LETTER;
  if (script == USCRIPT_LATIN || script == USCRIPT_COMMON) f |= LATIN;
  if (script == USCRIPT_CYRILLIC) f |= CYRILLIC;
  l->table[c] = (uint16_t)(f | looks);
  return l->table[c];
}

static struct look_alikes *look_alikes_new(void)
{
  UErrorCode status = U_ZERO_ERROR;
  struct look_alikes *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  l->checker = uspoof_open(&status);
  if (U_FAILURE(status)) {
    free(l);
    return NULL;
  }
  for (int32_t c = 0x430; c <= 0x456; c++) {
    unsigned looks = facts(l, c) & LOOKS;
    if (is_letter((unsigned char)looks) && !l->cyrillic[looks]) l->cyrillic[looks] = (uint16_t)c;
  }
  return l;
}

void look_alikes_free(struct look_alikes *l)
{
  if (!l) return;
  uspoof_close(l->checker);
  free(l);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

struct mixture {
  size_t start, end;
  size_t ascii, style, other, cyrillic,
      strange; /* letters: ASCII; Latin styles; other scripts that look Latin; Cyrillic; those that do not look Latin */
};

/* Bytes that begin characters of scripts without look-alikes: Hebrew to Arabic, Indic and Thai, Han, Hangul. */
static bool stands_alone(unsigned char lead)
{
  return (lead >= 0xD7 && lead <= 0xE0) || (lead >= 0xE3 && lead <= 0xE9) || (lead >= 0xEB && lead <= 0xEE);
}

/* Counts the word around the character at i, which is not ASCII. */
static struct mixture take_mixture(struct look_alikes *l, struct str s, size_t i)
{
  struct mixture m = {.start = i, .end = i};
  size_t n;
  while (m.start > 0 && is_letter((unsigned char)s.p[m.start - 1])) m.start--;
  m.ascii = i - m.start;
  for (; m.end < s.n; m.end += n) {
    int32_t c = char_at(s, m.end, &n);
    unsigned f = facts(l, c);
    if (c < 0x80 ? !is_letter((unsigned char)c) : !(f & LETTER)) break;
    m.ascii += c < 0x80;
    m.cyrillic += f & CYRILLIC ? 1 : 0;
    if (c < 0x80) continue;
    if (!(f & LOOKS)) m.strange++;
    else if (f & LATIN) m.style++;
    else m.other++;
  }
  return m;
}

static void put_latin(struct decode_work *w, struct look_alikes *l, struct str s)
{
  size_t n;
  for (size_t i = 0; i < s.n; i += n) {
    int32_t c = char_at(s, i, &n);
    buf_byte(&w->out, c < 0x80 ? (char)c : (char)(facts(l, c) & LOOKS));
  }
}

static void put_cyrillic(struct decode_work *w, struct look_alikes *l, struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    unsigned looks = is_letter(c) ? l->cyrillic[c | 32] : 0;
    if (looks) put_utf8(&w->out, looks);
    else buf_byte(&w->out, s.p[i]);
  }
}

static bool all_look_cyrillic(const struct look_alikes *l, struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (is_letter((unsigned char)s.p[i]) && !l->cyrillic[(unsigned char)s.p[i] | 32]) return false;
  return true;
}

static void judge_word(struct decode_work *w, const struct mixture *m)
{
  struct look_alikes *l = w->look_alikes;
  struct str word = str_cut(w->in, m->start, m->end);
  size_t at = w->out.n, letters = m->ascii + m->style + m->other + m->strange;
  bool latin =
      m->strange == 0 && letters >= 2 &&
      ((m->other && m->ascii) || (m->other && w->letters * 3 > w->in.n) || (m->style > 2 && m->style * 3 >= letters * 2));
  bool cyrillic = !latin && m->ascii && m->cyrillic > m->ascii && all_look_cyrillic(l, word);
  if (latin) put_latin(w, l, word);
  else if (cyrillic) put_cyrillic(w, l, word);
  else return;
  piece_add(w, DECODER_CONFUSABLES, m->start, m->end, at, false);
}

void decode_confusables(struct decode_work *w)
{
  struct str s = w->in;
  if (!(w->signs & SIGN_HIGH)) return;
  for (size_t i = next_high(s, 0), n; i < s.n; i = next_high(s, i)) {
    while (i < s.n && stands_alone((unsigned char)s.p[i])) i += (unsigned char)s.p[i] < 0xE0 ? 2 : 3;
    if (i >= s.n || !(s.p[i] & 0x80)) continue;
    if (!w->look_alikes && !(w->look_alikes = look_alikes_new())) {
      w->failed = true;
      return;
    }
    struct mixture m = take_mixture(w->look_alikes, s, i);
    if (m.end > i) judge_word(w, &m);
    char_at(s, i, &n);
    w->work += m.end - m.start;
    i = m.end > i ? m.end : i + n;
  }
  w->work += s.n / 8;
}
