/* Passwords that stand beside a user's name: curl -u user:password, a machine's line in .netrc. */
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

static bool password_at(struct look *l, uint64_t from, struct found *out, const char *reason)
{
  l->hold = from;
  uint64_t end = run(l, from, 129, 0);
  struct str password = look_span(l, from, end);
  if (password.n < 6 || password.n > 128 || is_placeholder(password)) return false;
  out->start = from;
  out->end = end;
  out->reason = reason;
  return true;
}

bool check_userpass(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  if (!l->context) return false;
  uint64_t i = l->gate_end;
  while (i < l->gate_end + 4 && (look_at(l, i) == ' ' || look_at(l, i) == '=')) i++;
  int quote = look_at(l, i);
  if (quote == '"' || quote == '\'') i++;
  uint64_t colon = run(l, i, 64, ':');
  if (colon == i || look_at(l, colon) != ':' || look_at(l, colon + 1) == '/') return false; /* no URL */
  return password_at(l, colon + 1, out, "user:password as an option of a command");
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

/* login NAME password: read leftwards from the gate. */
bool check_netrc(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t name_end = left_while(l, l->gate, true), name = left_while(l, name_end, false), word = left_while(l, name, true);
  if (name == name_end || word == name || word < 5 || !look_literal(l, word - 5, STR("login"), false)) return false;
  return password_at(l, l->gate_end, out, "a machine's login and password");
}
