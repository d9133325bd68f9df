/*
 * Encodings that turn bytes into one long word: base64, base32, base16, base85, uuencode.
 *
 * A word is tried as it stands and, when it gives nothing, turned round and with its letters turned (ROT13, Atbash): letters of an encoded
 * word are no language, so the decoder of those ciphers cannot see that they were turned. Only what looks like text is kept.
 */
#include "engine/decode_inside.h"

enum { TOKEN_MIN = 8, TURNED_MIN = 24, WRAP_MIN = 32, PART_MIN = 16, PROBE = 48 };

/* Values of digits, one more than they are worth; 0 for what is none. */
#define IN(c, from, to, value) ((c) >= (from) && (c) <= (to) ? (c) - (from) + (value) + 1 : 0)
#define D64(c)                                                                                                                   \
  (IN(c, 'A', 'Z', 0) + IN(c, 'a', 'z', 26) + IN(c, '0', '9', 52) + ((c) == '+' || (c) == '-' ? 63 : 0) +                        \
   ((c) == '/' || (c) == '_' ? 64 : 0))
#define D32(c)     (IN(c, 'A', 'Z', 0) + IN(c, 'a', 'z', 0) + IN(c, '2', '7', 26))
#define D16(c)     (IN(c, '0', '9', 0) + IN(c, 'A', 'F', 10) + IN(c, 'a', 'f', 10))
#define FOUR(D, c) D(c), D((c) + 1), D((c) + 2), D((c) + 3)
#define ROW(D, c)  FOUR(D, c), FOUR(D, (c) + 4), FOUR(D, (c) + 8), FOUR(D, (c) + 12)
#define TABLE(D)                                                                                                                 \
  {                                                                                                                              \
    ROW(D, 0x00), ROW(D, 0x10), ROW(D, 0x20), ROW(D, 0x30), ROW(D, 0x40), ROW(D, 0x50), ROW(D, 0x60), ROW(D, 0x70)               \
  }

struct base {
  enum decoder_id id;
  unsigned bits, group; /* digits to a whole group of bytes */
  uint8_t digits[256];
};

static const struct base bases[] = {
    {DECODER_HEX, 4, 2, TABLE(D16)}, {DECODER_BASE32, 5, 8, TABLE(D32)}, {DECODER_BASE64, 6, 4, TABLE(D64)}};

/* Digits to at most `most` bytes; *n: how many. False at a byte that is no digit. Line breaks were taken out before. */
static bool unpack(char *out, size_t most, size_t *n, struct str s, const struct base *b)
{
  uint32_t acc = 0;
  unsigned have = 0;
  *n = 0;
  for (size_t i = 0; i < s.n && *n < most; i++) {
    unsigned v = b->digits[(unsigned char)s.p[i]];
    if (!v) return false;
    acc = acc << b->bits | (v - 1);
    have += b->bits;
    if (have < 8) continue;
    have -= 8;
    out[(*n)++] = (char)(acc >> have);
  }
  return true;
}

static bool unpack_all(struct buf *out, struct str s, const struct base *b)
{
  size_t n;
  if (!buf_reserve(out, s.n) || !unpack(out->p + out->n, s.n, &n, s, b)) return false;
  out->n += n;
  return true;
}

/* UTF-16 of ASCII, as some shells take it: every second byte is zero. */
static void narrow(struct buf *b, size_t at)
{
  size_t n = b->n - at;
  if (n < 8 || n % 2) return;
  for (size_t i = at + 1; i < b->n; i += 2)
    if (b->p[i]) return;
  for (size_t i = 0; i < n / 2; i++) b->p[at + i] = b->p[at + 2 * i];
  b->n = at + n / 2;
}

/* A number of digits that no encoder leaves. */
static bool odd_length(const struct base *b, size_t n)
{
  size_t rest = n % b->group;
  return b->bits == 4 ? rest == 1 : b->bits == 6 ? rest == 1 : rest == 1 || rest == 3 || rest == 6;
}

/* Most words that are no encoding are seen to be none by their first bytes; every second one may be zero. how: as if the word were turned. */
static bool may_begin(const struct base *b, struct str token, enum decoder_id how)
{
  const char *p = how == DECODER_REVERSED ? token.p + token.n - 1 : token.p;
  ptrdiff_t step = how == DECODER_REVERSED ? -1 : 1;
  bool letters = how == DECODER_ROT13 || how == DECODER_ATBASH, text = true, zero = false;
  uint32_t acc = 0;
  unsigned have = 0, n = 0;
  for (size_t i = 0; i < token.n && n < 8; i++, p += step) {
    unsigned v = b->digits[(unsigned char)(letters ? turn_letter(*p, how) : *p)];
    if (!v) return false;
    acc = acc << b->bits | (v - 1);
    have += b->bits;
    if (have < 8) continue;
    have -= 8;
    char c = (char)(acc >> have);
    if (n == 1) zero = !c;
    text &= n ? text_may_go_on(&c, 1) : text_may_begin((struct str){&c, 1});
    if (!text && !zero && n) return false;
    n++;
  }
  return text || zero;
}

/* Decodes into out, leaving it only when it looks like text. The first bytes are tried alone, so that a key costs little. */
static bool try_base(struct decode_work *w, const struct base *b, struct str token)
{
  size_t at = w->out.n;
  if (odd_length(b, token.n)) token.n--;
  if (!may_begin(b, token, b->id)) return false;
  struct str probe = token.n > PROBE * 2 ? str_cut(token, 0, PROBE) : token;
  w->work += token.n;
  for (unsigned pass = 0; pass < 2; pass++) {
    struct str part = pass ? token : probe;
    w->out.n = at;
    if (!unpack_all(&w->out, part, b)) break;
    narrow(&w->out, at);
    if (!pass && probe.n < token.n) piece_trim(w, at);
    if (!piece_looks_right(w, at)) break;
    if (probe.n == token.n || pass) return true;
  }
  w->out.n = at;
  return false;
}

/* Eight characters of base64 have both cases, as good as always; base16 of text has digits; base32 has one case. */
static bool may_be(const struct base *b, unsigned kinds)
{
  bool both = kinds & IS_UPPER && kinds & IS_LOWER;
  return b->id == DECODER_BASE64 ? both : b->id == DECODER_BASE32 ? !both : (kinds & IS_DIGIT) != 0;
}

static const struct base *try_bases(struct decode_work *w, struct str token, unsigned kinds)
{
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    if (may_be(&bases[i], kinds) && try_base(w, &bases[i], token)) return &bases[i];
  return NULL;
}

/* May the token be of one of the bases when it is turned? */
static bool may_be_turned(struct str token, enum decoder_id how, unsigned kinds)
{
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    if (may_be(&bases[i], kinds) && may_begin(&bases[i], token, how)) return true;
  return false;
}

/* The token turned; of a long one the beginning first, which for one that is turned round is its end. */
static const struct base *try_turned(struct decode_work *w, struct str token, enum decoder_id how, unsigned kinds)
{
  size_t at = w->out.n;
  const struct base *b = NULL;
  struct str part = token;
  if (token.n > 2 * PROBE) part = how == DECODER_REVERSED ? str_cut(token, token.n - PROBE, token.n) : str_cut(token, 0, PROBE);
  for (unsigned pass = part.n == token.n; pass < 2; pass++) {
    w->out.n = at;
    buf_reset(&w->scratch);
    put_turned(&w->scratch, pass ? token : part, how);
    b = try_bases(w, buf_str(&w->scratch), kinds);
    if (!b) return NULL;
  }
  return b;
}

/* bytes: the token without line breaks; it stands at [start, end). */
static bool take_token(struct decode_work *w, struct str bytes, size_t start, size_t end)
{
  unsigned kinds = kinds_of(bytes);
  bool mixed = (kinds & IS_UPPER && kinds & IS_LOWER) || kinds & IS_DIGIT;
  static const enum decoder_id turns[] = {DECODER_ROT13, DECODER_ATBASH, DECODER_REVERSED};
  size_t at = w->out.n;
  const struct base *b = try_bases(w, bytes, kinds);
  if (b) {
    piece_add(w, b->id, start, end, at, false);
    return true;
  }
  for (size_t i = 0; i < 3 && mixed && bytes.n >= TURNED_MIN; i++) {
    b = may_be_turned(bytes, turns[i], kinds) ? try_turned(w, bytes, turns[i], kinds) : NULL;
    if (!b) continue;
    struct piece p = {.start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)at, .n_layers = 2};
    p.layers[0] = (uint8_t)turns[i];
    p.layers[1] = (uint8_t)b->id;
    piece_add_full(w, p);
    return true;
  }
  return false;
}

/* A line of a wrapped token ends here and another follows, with nothing else in it; returns how many bytes to skip. */
static size_t wrapped(struct str s, size_t i, size_t line)
{
  size_t n = 0;
  if (line < WRAP_MIN) return 0;
  if (i + n < s.n && s.p[i + n] == '\r') n++;
  if (i + n >= s.n || s.p[i + n] != '\n') return 0;
  n++;
  while (n < 10 && i + n < s.n && (s.p[i + n] == ' ' || s.p[i + n] == '>')) n++;
  size_t k = i + n, most = i + n + line; /* no line is longer than the first */
  while (k < s.n && k <= most && byte_kinds[(unsigned char)s.p[k]] & IS_BASE64) k++;
  bool whole = k == s.n || s.p[k] == '\n' || s.p[k] == '\r' || s.p[k] == '=';
  return k > i + n && whole ? n : 0;
}

/* The token that begins at i, gathered in `lines` if it goes over several; *end: where it ends, padding included. */
static struct str gather(struct decode_work *w, size_t i, size_t *end, struct buf *lines)
{
  struct str s = w->in, token = {s.p + i, 0};
  size_t since = i;
  buf_reset(lines);
  for (size_t skip = 1; skip; since = i += skip) {
    while (i < s.n && byte_kinds[(unsigned char)s.p[i]] & IS_BASE64) i++;
    skip = i < s.n ? wrapped(s, i, i - since) : 0;
    if (!lines->n) token.n = i - since;
    if (skip || lines->n) buf_put(lines, str_cut(s, since, i));
  }
  if (lines->n) token = buf_str(lines);
  for (size_t pad = 0; pad < 6 && i < s.n && s.p[i] == '='; pad++) i++;
  *end = i;
  return token;
}

/* Padding stands in front of a token that was turned round. */
static size_t before(struct str s, size_t i)
{
  for (size_t pad = 0; pad < 6 && i && s.p[i - 1] == '='; pad++) i--;
  return i;
}

/* A path or a name made of several words: each is tried alone. */
static void take_parts(struct decode_work *w, struct str bytes, size_t start, size_t end)
{
  if (bytes.n != end - start) return;
  for (size_t i = 0; i < bytes.n;) {
    size_t k = i;
    while (k < bytes.n && (is_letter((unsigned char)bytes.p[k]) || is_digit((unsigned char)bytes.p[k]))) k++;
    if (k - i >= PART_MIN && k - i < bytes.n) take_token(w, str_cut(bytes, i, k), start + i, start + k);
    i = k + 1;
  }
}

/* The first run of at least TOKEN_MIN digits that begins in [i, end), which is no place within a run; end when there is none. The last
 * byte that a run must have is looked at first, so that most bytes of ordinary words are not looked at. */
static size_t next_token(struct str s, size_t i, size_t end)
{
  while (i < end && i + TOKEN_MIN <= s.n) {
    size_t k = i + TOKEN_MIN;
    while (k > i && byte_kinds[(unsigned char)s.p[k - 1]] & IS_BASE64) k--;
    if (k == i) return i;
    i = k;
  }
  return end;
}

static void take_region(struct decode_work *w, struct region r, struct buf *lines)
{
  struct str s = w->in;
  size_t i = r.start;
  while (i > 0 && byte_kinds[(unsigned char)s.p[i - 1]] & IS_BASE64 && i + 256 > r.start) i--;
  while ((i = next_token(s, i, r.end)) < r.end) {
    size_t stop;
    struct str token = gather(w, i, &stop, lines);
    bool taken = take_token(w, token, before(s, i), stop);
    if (!taken && lines->n) { /* what stands in the next line was none of it */
      for (stop = i; byte_kinds[(unsigned char)s.p[stop]] & IS_BASE64;) stop++;
      token = str_cut(s, i, stop);
      taken = take_token(w, token, before(s, i), stop);
    }
    if (!taken) {
      size_t bare = stop;
      while (bare > i && s.p[bare - 1] == '=') bare--;
      take_parts(w, token, i, bare);
    }
    w->work += stop - i;
    i = stop;
  }
}

void decode_tokens(struct decode_work *w)
{
  struct buf lines = {0};
  for (size_t i = 0; i < w->odd.n; i++) take_region(w, w->odd.v[i], &lines);
  w->failed |= lines.failed;
  buf_finish(&lines);
}
