/* Passwords that stand beside a user's name, curl -u user:password, a machine's line in .netrc, or are piped into a command that asks for one. */
#include "detect/detect.h"

static bool value_byte(int c)
{
  return c > 0x20 && c < 0x7F && c != '"' && c != '\'' && c != '`' && c != '\\';
}

static uint64_t run(struct look *l, uint64_t i, unsigned max, int stop)
{
  uint64_t last = i + max;
  for (; i < last; i++) {
    if (stop) l->hold = i; /* a name before the password */
    int c = look_at(l, i);
    if (!value_byte(c) || c == stop) break;
  }
  return i;
}

static bool password_until(struct look *l, uint64_t from, int stop, struct found *out, const char *reason)
{
  l->hold = from;
  uint64_t end = from;
  while (end < from + 129 && value_byte(look_at(l, end)) && look_at(l, end) != stop) end++;
  struct str password = look_span(l, from, end);
  if (password.n < 6 || password.n > 128) return false;
  out->start = from;
  out->end = end;
  out->why = WHY_NAME | WHY_PAIR;
  out->reason = reason;
  return found_sure(out, password, out->confidence);
}

static bool password_at(struct look *l, uint64_t from, struct found *out, const char *reason)
{
  return password_until(l, from, 0, out, reason);
}

static bool has_digit_and_letter(struct str s)
{
  bool digit = false, letter = false;
  for (size_t i = 0; i < s.n; i++) {
    digit |= s.p[i] >= '0' && s.p[i] <= '9';
    letter |= (s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z';
  }
  return digit && letter;
}

/* -u TOKEN: where a service takes its key for the user's name, and no password. */
static bool is_lone_key(struct look *l, uint64_t from, uint64_t colon, struct found *out)
{
  int after = look_at(l, colon + 1);
  struct str key = look_span(l, from, colon);
  if (after > ' ' && after != '"' && after != '\'') return false;
  if (key.n < 12 || !has_digit_and_letter(key) || is_expression(key, 0)) return false;
  out->start = from;
  out->end = colon;
  out->why = WHY_NAME | WHY_ENTROPY;
  out->reason = "a key in the place of a user's name, and no password";
  return found_sure(out, key, out->confidence);
}

/* user%password, user,password; "net user NAME PASSWORD /add", where only the option behind it says that it is no sentence. */
static bool joined_password(struct look *l, uint64_t at, int joint, struct found *out)
{
  static const char reason[] = "a user's name and a password as arguments of a command";
  if (look_at(l, at) != joint || !password_until(l, at + 1, joint == '/' ? '@' : 0, out, reason)) return false;
  if (joint == '/' && look_at(l, out->end) != '@') return false;
  struct str password = look_span(l, out->start, out->end);
  if (joint == ' ' && (look_at(l, out->end) != ' ' || look_at(l, out->end + 1) != '/')) return false;
  return has_digit_and_letter(password) && password.p[0] != '/';
}

/* net use Z: \\\\host\\share PASSWORD: behind the share. */
static uint64_t skip_share(struct look *l, uint64_t i)
{
  if (!look_literal(l, i, STR(" \\\\"), false)) return i;
  for (uint64_t stop = ++i + 128; i < stop && look_at(l, i) > ' ';) i++;
  return i;
}

/* The rule's mark: what joins user and password, ":" where it has none. */
bool check_userpass(const struct rule *r, struct look *l, struct found *out)
{
  if (r->words >= 0 && !l->context) return false;
  int joint = r->mark.n ? r->mark.p[0] : ':';
  uint64_t i = l->gate_end;
  while (i < l->gate_end + 4 && (look_at(l, i) == ' ' || look_at(l, i) == '=')) i++;
  int quote = look_at(l, i);
  if (quote == '"' || quote == '\'') i++;
  uint64_t colon = i;
  while (colon < i + 64 && value_byte(look_at(l, colon)) && look_at(l, colon) != joint) colon++;
  if (joint == ' ') colon = skip_share(l, colon);
  if (joint != ':') return joined_password(l, colon, joint, out);
  if (look_at(l, colon) == ':' && is_lone_key(l, i, colon, out)) return true;
  if (look_at(l, colon) == quote && look_at(l, colon + 1) == ':') colon++;    /* "user":"password" */
  if (look_at(l, colon) != ':' || look_at(l, colon + 1) == '/') return false; /* no URL */
  uint64_t from = colon + 1;
  if (look_at(l, from) == '"' || look_at(l, from) == '\'') from++;
  return password_at(l, from, out, "user:password as an option of a command");
}

/* mysql -pPASSWORD, sshpass -p PASSWORD: the option of one of the commands in words. Variant plain: it takes nothing but passwords, so
 * one without a digit is one too. */
bool check_option(const struct rule *r, struct look *l, struct found *out)
{
  if (!l->context || l->context_end + 120 < l->gate) return false;
  uint64_t from = l->gate_end;
  while (from < l->gate_end + 3 && (look_at(l, from) == ' ' || look_at(l, from) == '"' || look_at(l, from) == '\'')) from++;
  if (!password_at(l, from, out, "the option of a command that takes a password")) return false;
  struct str password = look_span(l, out->start, out->end);
  if (password.p[0] == '$' || password.p[0] == '%') return false;
  bool plain = variant_has(r, STR("plain")) && look_at(l, l->gate_end) != '-';
  return (plain || has_digit_and_letter(password)) && !is_expression(password, 0) && password.p[0] != '-' &&
         look_at(l, out->end) != ':';
}

static bool is_space(int c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint64_t left_while(struct look *l, uint64_t i, bool spaces)
{
  for (unsigned n = 0; n < 80 && i > 0; n++, i--) {
    int c = look_at(l, i - 1);
    if (c < 0 || is_space(c) != spaces) break;
  }
  return i;
}

/* login NAME password, machine HOST password: read leftwards from the gate. */
bool check_netrc(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t name_end = left_while(l, l->gate, true), name = left_while(l, name_end, false), word = left_while(l, name, true);
  if (name == name_end || word == name || word < 5) return false;
  bool login = look_literal(l, word - 5, STR("login"), false);
  if (!login && !(word >= 7 && look_literal(l, word - 7, STR("machine"), false))) return false;
  if (!password_at(l, l->gate_end, out, "a machine's login and password")) return false;
  return login || has_digit_and_letter(look_span(l, out->start, out->end)); /* "the machine requires password protection" */
}

static uint64_t skip_spaces(struct look *l, uint64_t i)
{
  for (unsigned n = 0; n < 16 && is_space(look_at(l, i)); n++) i++;
  return i;
}

/* login("user", "password"): the second of two texts in quotes. */
bool check_second_argument(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t first = skip_spaces(l, l->gate_end);
  int quote = look_at(l, first);
  if (quote != '"' && quote != '\'') return false;
  uint64_t first_end = run(l, first + 1, 128, quote), comma = skip_spaces(l, first_end + 1), second = skip_spaces(l, comma + 1);
  if (look_at(l, first_end) != quote || look_at(l, comma) != ',' || look_at(l, second) != quote) return false;
  l->hold = second + 1;
  uint64_t end = run(l, second + 1, 129, 0);
  struct str password = look_span(l, second + 1, end);
  if (look_at(l, end) != quote || password.n < 6 || password.n > 128 || is_expression(password, quote)) return false;
  out->start = second + 1;
  out->end = end;
  out->why = WHY_NAME | WHY_PAIR;
  out->reason = "a user's name and a password as arguments of a call";
  return found_sure(out, password, out->confidence);
}

/* The words before a pair in a sentence or a list: "the login is anna / hG72kfp0". Where the name begins. */
static uint64_t after_words(struct look *l, uint64_t i)
{
  static const struct str words[] = {STR(" is "), STR(" are "), STR(" ist "), STR(" es "), STR(" est "),
                                     STR(": "),   STR(" = "),   STR(" - "),   STR(":\n")};
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (look_literal(l, i, words[k], true)) return i + words[k].n;
  return 0;
}

static bool plain_byte(int c)
{
  return value_byte(c) && c != '/' && c != ',' && c != ';' && c != '|';
}

/* Two values joined by a slash, a bar or a colon after a word such as "credentials". */
bool check_login_pair(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t i = after_words(l, l->gate_end), name = i;
  if (!i) return false;
  for (; i < name + 64 && plain_byte(look_at(l, i)) && look_at(l, i) != ':'; i++) l->hold = i;
  uint64_t joint = i;
  while (joint < i + 2 && look_at(l, joint) == ' ') joint++;
  int c = look_at(l, joint);
  if (i == name || (c != '/' && c != '|' && c != ':') || look_at(l, joint + 1) == '/') return false;
  uint64_t from = joint + 1;
  while (from < joint + 3 && look_at(l, from) == ' ') from++;
  l->hold = from;
  uint64_t end = from;
  while (end < from + 129 && plain_byte(look_at(l, end))) end++;
  struct str password = look_span(l, from, end);
  while (password.n && (password.p[password.n - 1] == '.' || password.p[password.n - 1] == ')')) password.n--;
  if (password.n < 6 || password.n > 128 || !has_digit_and_letter(password) || is_expression(password, 0)) return false;
  out->start = from;
  out->end = from + password.n;
  out->why = WHY_NAME | WHY_PAIR;
  out->reason = "a user's name and a password after a word that announces them";
  return found_sure(out, password, out->confidence);
}

/* host:port:database:user:password, a line of .pgpass; the gate is ":5432:". */
bool check_pgpass(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t database = run(l, l->gate_end, 64, ':');
  if (database == l->gate_end || look_at(l, database) != ':') return false;
  uint64_t user = run(l, database + 1, 64, ':');
  if (user == database + 1 || look_at(l, user) != ':') return false;
  return password_at(l, user + 1, out, "a line of .pgpass: host, port, database, user, password");
}

/* Commands that read a secret from a pipe, by the beginning of what says so. pair: user:password; plain: nothing but passwords, so a word is one. */
static const struct reader {
  struct str name;
  bool pair, plain;
} readers[] = {{STR("chpasswd"), true, true},
               {STR("passwd"), false, true},
               {STR("smbpasswd"), false, true},
               {STR("vncpasswd"), false, true},
               {STR("htpasswd"), false, true},
               {STR("sudo -S"), false, true},
               {STR("kinit"), false, true},
               {STR("cryptsetup"), false, true},
               {STR("--password-stdin"), false, true},
               {STR("--passphrase-fd"), false, true},
               {STR("--with-token"), false, false},
               {STR("secret-tool store"), false, false},
               {STR("secret set"), false, false},
               {STR("secret put"), false, false},
               {STR("secret create"), false, false},
               {STR("secrets create"), false, false},
               {STR("secrets versions add"), false, false}};

/* The command behind the bar, in the rest of its line; NULL: none that reads a secret. */
static const struct reader *reader_behind(struct look *l, uint64_t i)
{
  enum { COMMAND_MAX = 100 };
  for (uint64_t stop = i + COMMAND_MAX; i < stop; i++) {
    int c = look_at(l, i);
    if (c < ' ' || c == ';' || c == '&') return NULL;
    if (c != ' ' && c != '|' && c != '/') continue;
    for (size_t k = 0; k < sizeof readers / sizeof *readers; k++)
      if (look_literal(l, i + 1, readers[k].name, false)) return &readers[k];
  }
  return NULL;
}

/* Where the bar stands behind a text that ends at i; 0: none. "\n" and what follows it in the text are another line. */
static uint64_t bar_behind(struct look *l, uint64_t i, int quote)
{
  if (quote && look_at(l, i) == '\\' && look_at(l, i + 1) == 'n')
    for (uint64_t stop = i + 160; i < stop && look_at(l, i) >= ' ' && look_at(l, i) != quote;) i++;
  if (quote && look_at(l, i++) != quote) return 0;
  while (look_at(l, i) == ' ' && i < l->gate_end + 400) i++;
  return look_at(l, i) == '|' && look_at(l, i + 1) != '|' ? i : 0;
}

/* echo 'user:password' | chpasswd, echo password | sudo -S id. */
bool check_piped(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t i = l->gate_end;
  while (look_at(l, i) == '-' && i < l->gate_end + 12) { /* -n, -e */
    while (i < l->gate_end + 12 && (look_at(l, i) == '-' || byte_is_word(look_at(l, i)))) i++;
    if (look_at(l, i++) != ' ') return false;
  }
  int quote = look_at(l, i) == '"' || look_at(l, i) == '\'' ? look_at(l, i) : 0;
  uint64_t from = i + (quote != 0), end = from;
  l->hold = from;
  while (end < from + 160 && value_byte(look_at(l, end)) && (quote || look_at(l, end) != '|')) end++;
  uint64_t bar = end > from ? bar_behind(l, end, quote) : 0;
  const struct reader *reader = bar ? reader_behind(l, bar) : NULL;
  if (!reader) return false;
  size_t colon = reader->pair ? str_find(look_span(l, from, end), STR(":")) : 0;
  if (colon == (size_t)-1) return false;
  from += reader->pair ? colon + 1 : 0;
  struct str password = look_span(l, from, end);
  if (password.n < 6 || password.n > 128 || is_expression(password, '"')) return false;
  if (!reader->plain && !has_digit_and_letter(password) && !is_placeholder(password)) return false;
  out->start = from;
  out->end = end;
  out->why = WHY_NAME | (reader->pair ? WHY_PAIR : 0u);
  out->reason = "what is piped into a command that reads a password";
  return found_sure(out, password, out->confidence);
}
