/* Stand-ins for secrets. Without this filter every tenth placeholder in documentation would be reported as a leak. */
#include "detect/detect.h"

/* By their first byte, since every value is searched for all of them at each of its bytes. A row ends with an empty word. */
static const struct str words[128][4] = {
    ['*'] = {STR("****")},
    ['.'] = {STR("...")},
    ['0'] = {STR("00000000")},
    ['_'] = {STR("_here")},
    ['c'] = {STR("changeme"), STR("change_me"), STR("change-me")},
    ['d'] = {STR("dummy")},
    ['e'] = {STR("example")},
    ['f'] = {STR("fake")},
    ['g'] = {STR("goes-here"), STR("getenv")},
    ['i'] = {STR("insert")},
    ['m'] = {STR("mysecret"), STR("my_secret"), STR("my-secret")},
    ['n'] = {STR("not-a-real"), STR("not_a_real"), STR("not-used")},
    ['o'] = {STR("os.environ")},
    ['p'] = {STR("placeholder"), STR("process.env")},
    ['r'] = {STR("redacted"), STR("replace"), STR("removed")},
    ['s'] = {STR("sample"), STR("secret_key")},
    ['t'] = {STR("todo")},
    ['u'] = {STR("undefined")},
    ['x'] = {STR("xxxx")},
    ['y'] = {STR("your")},
};

/* Stand-ins only as a whole value: they are also parts of real ones. */
static const struct str whole[] = {
    STR("password"), STR("passwd"),   STR("secret"),     STR("token"),     STR("null"),        STR("none"),
    STR("true"),     STR("false"),    STR("test"),       STR("string"),    STR("value"),       STR("admin"),
    STR("user"),     STR("username"), STR("pass"),       STR("pwd"),       STR("testing"),     STR("test123"),
    STR("foobar"),   STR("required"), STR("optional"),   STR("default"),   STR("hidden"),      STR("masked"),
    STR("apikey"),   STR("api_key"),  STR("mypassword"), STR("mypass"),    STR("parola"),      STR("contrasena"),
    STR("passwort"), STR("kennwort"), STR("motdepasse"), STR("senha"),     STR("haslo"),       STR("wachtwoord"),
    STR("heslo"),    STR("sifre"),    STR("hunter2"),    STR("letmein"),   STR("supersecret"), STR("password123"),
    STR("root"),     STR("guest"),    STR("postgres"),   STR("anonymous"), STR("changeit"),    STR("abc123"),
    STR("abcd1234"), STR("test1234"), STR("pass1234"),   STR("user1234"),
};

/* Samples that vendors publish in their documentation. */
static const struct str published[] = {
    STR("AKIAIOSFODNN7EXAMPLE"),
    STR("AKIAI44QH8DHBEXAMPLE"),
    STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    STR("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="),
    STR("4eC39HqLyjWDarjtT1zdp7dc"),
    STR("SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"),
    STR("eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI"),
    STR("dXNlcjpwYXNzd29yZA"), /* user:password */
    STR("dXNlcm5hbWU6cGFzc3dvcmQ"),
};

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Four letters in capitals and small ones as they fall ("FaKe") come about by chance in one of a few thousand keys. */
static bool is_written(struct str s)
{
  unsigned up = 0;
  for (size_t i = 0; i < s.n; i++) up += s.p[i] >= 'A' && s.p[i] <= 'Z';
  return s.n > 4 || up == 0 || up == s.n || (up == 1 && s.p[0] >= 'A' && s.p[0] <= 'Z');
}

static bool begins_with(struct str s, struct str word)
{
  size_t k = 0;
  while (k < word.n && k < s.n && lower(s.p[k]) == word.p[k]) k++;
  return k == word.n && is_written(str_cut(s, 0, k));
}

bool has_placeholder_word(struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    unsigned char first = (unsigned char)lower(s.p[i]);
    for (const struct str *w = first < 128 ? words[first] : words[0]; w->n; w++)
      if (begins_with(str_cut(s, i, s.n), *w)) return true;
  }
  return false;
}

static unsigned different(struct str s)
{
  bool seen[256] = {false};
  unsigned n = 0;
  for (size_t i = 0; i < s.n; i++) {
    n += !seen[(unsigned char)s.p[i]];
    seen[(unsigned char)s.p[i]] = true;
  }
  return n;
}

/* The longest stretch in which each byte differs from the one before by step. */
static size_t longest_run(struct str s, int step)
{
  size_t best = 1, run = 1;
  for (size_t i = 1; i < s.n; i++) {
    run = s.p[i] - s.p[i - 1] == step ? run + 1 : 1;
    if (run > best) best = run;
  }
  return best;
}

/* How many bytes lie in stretches of five and more that count up: 1234567890abcdef1234567890abcdef. */
static size_t counted_up(struct str s)
{
  size_t total = 0, run = 1;
  for (size_t i = 1; i <= s.n; i++) {
    if (i < s.n && s.p[i] - s.p[i - 1] == 1) {
      run++;
      continue;
    }
    if (run >= 5) total += run;
    run = 1;
  }
  return total;
}

/* ${NAME} or {{ name }}, wherever it stands: a template's hole. */
static bool has_hole(struct str s)
{
  for (size_t i = 0; i + 2 < s.n; i++) {
    if (s.p[i + 1] != '{' || (s.p[i] != '$' && s.p[i] != '{')) continue;
    size_t k = i + 2;
    while (k < s.n && (byte_is_word((unsigned char)s.p[k]) || s.p[k] == '.' || s.p[k] == ' ')) k++;
    bool twice = k + 1 < s.n && s.p[k + 1] == '}';
    if (k > i + 2 && k < s.n && s.p[k] == '}' && (s.p[i] == '$' || twice)) return true;
  }
  return false;
}

/* $6$, $2b$, $argon2id$: how crypt(3) and its kin begin a hash. */
static bool begins_as_hash(struct str s)
{
  size_t i = 1;
  while (i < s.n && i < 12 && byte_is_word((unsigned char)s.p[i])) i++;
  return s.n >= 20 && s.p[0] == '$' && i > 1 && s.p[i] == '$';
}

static bool is_reference(struct str s)
{
  char a = s.p[0], z = s.p[s.n - 1];
  if (begins_as_hash(s)) return false;
  if (a == '$' || a == '<' || a == '{' || a == '%' || a == '[' || (a == '*' && z == '*')) return true;
  return has_hole(s) || (s.n > 3 && memcmp(s.p + s.n - 3, "...", 3) == 0);
}

/* The sample itself, more around it, or its beginning. */
static bool is_published(struct str s)
{
  for (size_t i = 0; i < sizeof published / sizeof *published; i++)
    if (str_find(s, published[i]) != (size_t)-1 || (s.n >= 12 && str_find(published[i], s) != (size_t)-1)) return true;
  return false;
}

bool found_sure(struct found *out, struct str value, unsigned confidence)
{
  bool sample = is_published(value), stand_in = sample || is_placeholder(value);
  out->confidence = sample ? CONFIDENCE_SAMPLE : stand_in ? CONFIDENCE_PLACEHOLDER : confidence;
  if (sample) out->reason = "a sample that its vendor publishes";
  else if (stand_in) out->reason = "a stand-in for a secret";
  if (stand_in) out->why |= sample ? WHY_SAMPLE : WHY_PLACEHOLDER;
  return true;
}

bool is_placeholder(struct str s)
{
  if (s.n == 0 || is_reference(s) || (has_placeholder_word(s) && !begins_as_hash(s)) || is_published(s)) return true;
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
    if (str_ieq(s, whole[i])) return true;
  size_t rising = longest_run(s, 1);
  if (rising >= 4 && rising * 2 > s.n) return true;
  if (rising >= 5 && counted_up(s) * 2 >= s.n) return true;
  /* Zeros in what a key encodes are a run of one character too, but a short part of it. */
  size_t equal = longest_run(s, 0);
  return (s.n >= 8 && different(s) <= 4) || (equal >= 6 && equal * 4 >= s.n) || (rising >= 8 && rising * 3 >= s.n) ||
         longest_run(s, -1) >= 8;
}
