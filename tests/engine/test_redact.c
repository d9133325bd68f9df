/*
 * Redaction, as a property: wherever a key stands, however it is written and however the text is cut, none of it leaves, and everything else
 * leaves as it came. Ten thousand rounds through streams, and the same texts whole, with the masks that vdt_scan() gives.
 */
#include "engine/check.h"
#include "rig.h"

enum { ROUNDS = TEST_SANITIZED ? 2000 : 10000, MAX_KEYS = 512 };

struct key {
  const struct rule *rule;
  struct str text;
};
static struct key keys[MAX_KEYS];
static size_t n_keys;

enum writing {
  PLAIN,
  ZERO_WIDTH,
  FULL_WIDTH,
  UNICODE_ESCAPES,
  SOME_ESCAPES,
  PERCENT,
  ENTITIES,
  EMPHASIS,
  LINES,
  BASE64,
  BASE64_LINES,
  WRITINGS
};
static const char *const writing_names[WRITINGS] = {"plain",        "zero-width",       "full-width digits", "all \\u escapes",
                                                    "some escapes", "percent",          "entities",          "emphasis",
                                                    "line breaks",  "base64 of a file", "base64 over lines"};

static const char *const before[] = {"",
                                     "Sure, here it is: ",
                                     "Der Schl\xC3\xBCssel:\n",
                                     "{\"text\": \"",
                                     "see `https://e.org/a%20b?c=d` and ",
                                     "50% of \\n users say ",
                                     "\xF0\x9F\x94\x91 ",
                                     "# Title\n\n* one\n* two ",
                                     "a & b &amp; c: ",
                                     "here is the key\n"};
static const char *const after[] = {"", " and more words.", "\n\nThat is all.\n", "\"}", " \xE2\x82\xAC 5", " is it; 100% sure",
                                    ")"};

/* A key with a percent sign of its own cannot be told from one that was written with escapes. */
static bool has_escape(struct str key)
{
  for (size_t i = 0; i < key.n; i++)
    if (strchr("%&\\", key.p[i])) return true;
  return false;
}

/* The keys that the examples of token rules show, where one stands alone and is found whole. */
static void gather_keys(void)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  policy.sensitive.response = VDT_ALLOW;
  struct vdt_arena *arena = vdt_arena_new(0);
  for (unsigned i = 0; i < rig_engine->rules.n && n_keys < MAX_KEYS; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    struct vdt_result found, alone;
    if (rule_is_score(r) || r->detector != VDT_DET_CREDENTIAL || strcmp(r->check->name, "token") != 0) continue;
    if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, r->match[0].p, r->match[0].n, &found)) abort();
    for (size_t k = 0; k < found.n_findings; k++) {
      struct str key = str_cut(r->match[0], found.findings[k].start, found.findings[k].end);
      if (strcmp(found.findings[k].rule, r->id) != 0 || key.n < 20 || has_escape(key) || found.findings[k].confidence < 65)
        continue;
      if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, key.p, key.n, &alone)) abort();
      if (alone.n_findings == 1 && alone.findings[0].start == 0 && alone.findings[0].end == key.n &&
          strcmp(alone.findings[0].rule, r->id) == 0)
        keys[n_keys++] = (struct key){r, key};
    }
  }
  vdt_arena_free(arena);
}

static void base64(struct buf *out, struct str s, size_t line)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = 0;
  for (size_t i = 0; i < s.n; i += 3) {
    unsigned char c[3] = {(unsigned char)s.p[i], (unsigned char)(i + 1 < s.n ? s.p[i + 1] : 0),
                          (unsigned char)(i + 2 < s.n ? s.p[i + 2] : 0)};
    unsigned v = (unsigned)c[0] << 16 | (unsigned)c[1] << 8 | c[2];
    for (unsigned k = 0; k < 4; k++, n++) {
      if (line && n && n % line == 0) buf_byte(out, '\n');
      buf_byte(out, i + k > s.n ? '=' : digits[v >> (18 - 6 * k) & 63]);
    }
  }
}

static size_t gate_length(const struct key *k)
{
  size_t n = 0;
  for (unsigned g = 0; g < k->rule->n_gates; g++)
    if (str_starts(k->text, k->rule->gates[g]) && k->rule->gates[g].n > n) n = k->rule->gates[g].n;
  return n;
}

static void put_character(struct buf *out, enum writing w, char c, bool first, uint64_t dice)
{
  bool digit = c >= '0' && c <= '9', pick = dice % 3 == 0;
  if (w == ZERO_WIDTH && pick && !first) buf_printf(out, "\xE2\x80\x8B%c", c);
  else if (w == FULL_WIDTH && digit) buf_printf(out, "\xEF\xBC%c", 0x90 + (c - '0'));
  else if (w == UNICODE_ESCAPES) buf_printf(out, "\\u%04x", (unsigned char)c);
  else if (w == SOME_ESCAPES && pick) buf_printf(out, dice & 8 ? "\\u%04X" : "\\x%02x", (unsigned char)c);
  else if (w == PERCENT && pick) buf_printf(out, "%%%02X", (unsigned char)c);
  else if (w == ENTITIES && pick) buf_printf(out, dice & 8 ? "&#%u;" : "&#x%x;", (unsigned char)c);
  else buf_byte(out, c);
}

/* Two breaks inside the key, behind its gate. Where a key may be of any length, what is left of it on the next line has to look like one: a rest of
 * a few letters cannot be told from a word. */
static void put_broken(struct buf *out, enum writing w, const struct key *k, uint64_t *seed)
{
  static const char *const broken_by[2][2] = {{"**", "`"}, {"\n", "\r\n"}};
  size_t gate = gate_length(k), rest = w == LINES ? 13 : 1, room = k->text.n - gate - 1 - rest,
         a = gate + 1 + rig_random(seed) % room, b = gate + 1 + rig_random(seed) % room;
  for (size_t i = 0; i < k->text.n; i++) {
    if (i == a || i == b) buf_put(out, str_of(broken_by[w == LINES][rig_random(seed) & 1]));
    buf_byte(out, k->text.p[i]);
  }
}

static void put_key(struct buf *out, enum writing w, const struct key *k, uint64_t *seed)
{
  if (w == EMPHASIS || w == LINES) {
    put_broken(out, w, k, seed);
  } else if (w == BASE64 || w == BASE64_LINES) {
    struct buf file = {0};
    buf_printf(&file, "[host]\nname = web%u\nkey = %.*s\nport = 80\n", (unsigned)(rig_random(seed) % 1000), (int)k->text.n,
               k->text.p);
    base64(out, buf_str(&file), w == BASE64 ? 0 : 76);
    buf_finish(&file);
  } else {
    for (size_t i = 0; i < k->text.n; i++) put_character(out, w, k->text.p[i], i == 0, rig_random(seed) >> 16);
  }
}

static void stream(struct str text, uint64_t *seed, struct buf *out)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_stream *s;
  struct vdt_release r;
  policy.sensitive.response = VDT_ALLOW;
  policy.credential.minimum_confidence = 65;
  if (vdt_stream_new(rig_scanner, arena, &policy, VDT_RESPONSE, &s)) abort();
  size_t widest = 1 + rig_random(seed) % 40;
  for (size_t at = 0; at < text.n;) {
    size_t n = 1 + rig_random(seed) % widest;
    if (n > text.n - at) n = text.n - at;
    if (vdt_stream_feed(s, text.p + at, n, &r)) abort();
    buf_put(out, (struct str){r.p, r.n});
    at += n;
  }
  if (vdt_stream_finish(s, &r)) abort();
  buf_put(out, (struct str){r.p, r.n});
  vdt_stream_free(s);
  vdt_arena_free(arena);
}

static void whole(struct str text, struct buf *out)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  size_t at = 0;
  policy.sensitive.response = VDT_ALLOW;
  policy.credential.minimum_confidence = 65;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  for (size_t i = 0; i < r.n_masks; i++) {
    buf_put(out, str_cut(text, at, (size_t)r.masks[i].start));
    buf_put(out, str_of(r.masks[i].text));
    at = (size_t)r.masks[i].end;
  }
  buf_put(out, str_cut(text, at, text.n));
  vdt_arena_free(arena);
}

static bool ends_with(struct str s, struct str tail)
{
  return s.n >= tail.n && str_eq(str_cut(s, s.n - tail.n, s.n), tail);
}

static int digit(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Is any piece of the key in what the base64 around a mask decodes to, at whichever of its four places it begins? */
static bool decodes_to_key(struct str middle, struct str key)
{
  for (size_t skip = 0; skip < 4; skip++) {
    struct buf plain = {0};
    unsigned bits = 0, have = 0;
    for (size_t i = skip; i < middle.n; i++) {
      int d = digit(middle.p[i]);
      if (d < 0 && middle.p[i] == '\n') continue;
      if (d < 0) {
        have = 0;
        buf_byte(&plain, 0);
        continue;
      }
      bits = bits << 6 | (unsigned)d;
      have += 6;
      if (have < 8) continue;
      have -= 8;
      buf_byte(&plain, (char)(bits >> have));
    }
    bool found = false;
    for (size_t i = 0; i + 6 <= key.n; i++) found |= plain.n && str_find(buf_str(&plain), str_cut(key, i, i + 6)) != (size_t)-1;
    buf_finish(&plain);
    if (found) return true;
  }
  return false;
}

/* What stands in the place of the key: one mask and nothing else; of an encoded file, nothing that the key could be read from. */
static bool is_masked(enum writing w, struct str middle, const struct key *k)
{
  size_t open = str_find(middle, STR("[REDACTED:"));
  if (open == (size_t)-1) return false;
  if (w == BASE64 || w == BASE64_LINES) return !decodes_to_key(middle, k->text);
  const char *close = memchr(middle.p, ']', middle.n);
  return open == 0 && close == middle.p + middle.n - 1;
}

struct tally {
  unsigned rounds, wrong;
  char first[700];
};

static void judge(struct tally *t, enum writing w, const struct key *k, struct str pre, struct str post, struct str text,
                  struct str out)
{
  t->rounds++;
  bool frame = str_starts(out, pre) && ends_with(out, post) && out.n >= pre.n + post.n;
  if (frame && is_masked(w, str_cut(out, pre.n, out.n - post.n), k)) return;
  if (t->wrong++ == 0)
    snprintf(t->first, sizeof t->first, "%s: %.*s -> %.*s", k->rule->id, text.n < 300 ? (int)text.n : 300, text.p,
             out.n < 300 ? (int)out.n : 300, out.p);
}

static void report(const char *how, struct tally *t)
{
  for (unsigned w = 0; w < WRITINGS; w++) {
    CASE_BEGIN();
    if (t[w].wrong) printf("# %u of %u wrong; first: %s\n", t[w].wrong, t[w].rounds, t[w].first);
    CHECK(t[w].rounds > 0 && t[w].wrong == 0);
    CASE_END("%s, %s: %u placements and cuts", how, writing_names[w], t[w].rounds);
  }
}

/* Keys broken in the middle, with an empty line behind the break or none: a whole text shows what a stream sees, whether the key goes on or not. */
static void breaks(void)
{
  static const struct {
    const char *text;
    bool empty;
  } kinds[] = {{"\r\n", false}, {"\r\n\r\n", true}, {"\n", false},       {"\n  ", false}, {"**\n", false},
               {"\n> ", false}, {"\n\n", true},     {"\n \t\r\n", true}, {"`\n\n", true}};
  uint64_t seed = 7;
  for (size_t b = 0; b < sizeof kinds / sizeof *kinds; b++) {
    unsigned joined = 0, differ = 0;
    CASE_BEGIN();
    for (size_t i = 0; i < n_keys; i++) {
      struct str key = keys[i].text, rest = str_cut(key, key.n - 14, key.n);
      struct buf text = {0}, out[2] = {{0}, {0}};
      if (key.n < gate_length(&keys[i]) + 16) continue;
      buf_printf(&text, "use %.*s%s%.*s here", (int)(key.n - 14), key.p, kinds[b].text, 14, rest.p);
      whole(buf_str(&text), &out[0]);
      stream(buf_str(&text), &seed, &out[1]);
      differ += !str_eq(buf_str(&out[0]), buf_str(&out[1]));
      joined += str_find(buf_str(&out[0]), rest) == (size_t)-1;
      for (unsigned k = 0; k < 2; k++) buf_finish(&out[k]);
      buf_finish(&text);
    }
    CHECK(differ == 0);
    CHECK(kinds[b].empty ? joined * 20 < n_keys : joined > n_keys / 2);
    CASE_END("break %zu%s: %u keys masked as one", b, kinds[b].empty ? ", an empty line behind it" : "", joined);
  }
}

int main(void)
{
  static struct tally streamed[WRITINGS], at_once[WRITINGS];
  uint64_t seed = 20261126;
  rig_load();
  gather_keys();
  printf("# %zu kinds of keys\n", n_keys);
  for (unsigned i = 0; i < ROUNDS; i++) {
    enum writing w = (enum writing)(i % WRITINGS);
    const struct key *k = &keys[rig_random(&seed) % n_keys];
    while (w == LINES && k->text.n < gate_length(k) + 16) k = &keys[rig_random(&seed) % n_keys];
    struct str pre = str_of(before[rig_random(&seed) % (sizeof before / sizeof *before)]),
               post = str_of(after[rig_random(&seed) % (sizeof after / sizeof *after)]);
    struct buf text = {0}, out = {0};
    buf_put(&text, pre);
    put_key(&text, w, k, &seed);
    buf_put(&text, post);
    stream(buf_str(&text), &seed, &out);
    judge(&streamed[w], w, k, pre, post, buf_str(&text), buf_str(&out));
    if (i % 4 == 0) {
      buf_reset(&out);
      whole(buf_str(&text), &out);
      judge(&at_once[w], w, k, pre, post, buf_str(&text), buf_str(&out));
    }
    buf_finish(&text);
    buf_finish(&out);
  }
  report("streamed", streamed);
  report("whole", at_once);
  breaks();
  rig_unload();
  return test_end();
}
