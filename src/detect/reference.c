/* Values that are no secret but a way to one: calls, members, environment variables, names, paths, addresses. Code is full of them. */
#include "detect/detect.h"

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_letter(char c)
{
  return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool has(struct str s, struct str word)
{
  for (size_t i = 0; i + word.n <= s.n; i++)
    if (str_ieq(str_cut(s, i, i + word.n), word)) return true;
  return false;
}

static bool starts_like_code(struct str s)
{
  static const struct str begins[] = {STR("process."), STR("os."),   STR("env."),     STR("env["),      STR("config."),
                                      STR("self."),    STR("this."), STR("secrets."), STR("settings."), STR("options."),
                                      STR("args."),    STR("arn:"),  STR("sm://"),    STR("data:"),     STR("vault:"),
                                      STR("ref+"),     STR("file:"), STR("op://"),    STR("~/")};
  for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
    if (s.n > begins[i].n && str_ieq(str_cut(s, 0, begins[i].n), begins[i])) return true;
  return s.p[0] == '/' || s.p[0] == '.' || s.p[0] == '&' || s.p[0] == '@';
}

static bool names_a_file(struct str s)
{
  static const struct str ends[] = {STR(".json"), STR(".yaml"), STR(".yml"), STR(".pem"), STR(".txt"), STR(".html")};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (s.n > ends[i].n && str_ieq(str_cut(s, s.n - ends[i].n, s.n), ends[i])) return true;
  return false;
}

/* A name that holds a secret's word itself: DATABASE_PASSWORD, max_tokens, my-api-key, #add-password. */
static bool names_a_secret(struct str s)
{
  static const struct str names[] = {STR("token"), STR("secret"), STR("credential"), STR("_key"),
                                     STR("-key"),  STR("apikey"), STR("passw")};
  bool plain = true, digit = false;
  for (size_t i = 0; i < s.n; i++) {
    plain &= is_letter(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '_' || s.p[i] == '-' || s.p[i] == '.' || s.p[i] == '/';
    digit |= is_digit(s.p[i]);
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (has(s, names[i])) return !digit || (plain && s.n < 32 && names[i].p[0] != 'p');
  return false;
}

/* a.b.c, A::b, a->b: words with hardly a digit, joined as programs join them. */
static bool is_member(struct str s)
{
  unsigned digits = 0, joints = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '.' || c == ':' || c == '>' || c == '/') joints += i > 0;
    else if (is_digit(c)) digits++;
    else if (!is_letter(c) && c != '_' && c != '-' && c != '!') return false;
  }
  return joints && digits * 10 <= s.n + 9 && reads_like_words(s);
}

/* Every second or third letter a vowel, as in words; keys have long runs without one. y counts as one. */
bool reads_like_words(struct str s)
{
  unsigned vowels = 0, letters = 0, run = 0, longest = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = lower(s.p[i]);
    if (!is_letter(c)) {
      run = 0;
      continue;
    }
    bool vowel = c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
    vowels += vowel;
    letters++;
    run = vowel ? 0 : run + 1;
    if (run > longest) longest = run;
  }
  return letters && vowels * 100 >= letters * 25 && longest < 5;
}

bool is_expression(struct str s, int quote)
{
  if (starts_like_code(s) || str_find(s, STR("://")) != (size_t)-1 || str_find(s, STR(".html")) != (size_t)-1 ||
      names_a_secret(s) || is_member(s) || names_a_file(s))
    return true;
  if (s.n > 2 && s.p[0] == '"' && s.p[1] == '.') return true; /* '".$name."' */
  if (quote == '"' || quote == '\'' || (quote && brackets_clash(s))) return false;
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] == '(' || s.p[i] == '[' || (s.p[i] == '-' && i + 1 < s.n && s.p[i + 1] == '>')) return true;
  return false;
}
