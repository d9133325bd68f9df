/* E-mail addresses: a gate on @, then both ways by hand; one pattern for all of it would slow the whole database down. */
#include "detect/detect.h"

static bool domain_byte(int c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

static bool letter(int c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Labels and dots up to where an address ends; 0 when it is no domain with a top-level domain of letters. */
static uint64_t domain_end(struct look *l, uint64_t i)
{
  uint64_t end = 0, label = i;
  for (unsigned n = 0; n < 253; n++, i++) {
    int c = look_at(l, i);
    if (domain_byte(c)) continue;
    bool letters = i - label >= 2 && letter(look_at(l, label)) && letter(look_at(l, i - 1));
    if (end && letters) end = i;
    else if (end) end = 0;
    if (c != '.' || i == label || !domain_byte(look_at(l, i + 1))) return end;
    label = i + 1;
    end = i;
  }
  return 0;
}

static bool reserved(struct str domain)
{
  static const struct str names[] = {STR("example.com"), STR("example.org"), STR("example.net"), STR("localhost"),
                                     STR("domain.com"),  STR("email.com"),   STR("test.com")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (domain.n >= names[i].n && str_ieq(str_cut(domain, domain.n - names[i].n, domain.n), names[i])) return true;
  return false;
}

bool check_email(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max);
  while (start < l->gate && !byte_is_word(look_at(l, start))) start++;
  if (start == l->gate || look_at(l, l->gate - 1) == '.') return false;
  uint64_t end = domain_end(l, l->gate_end);
  if (!end || end - l->gate_end < 4) return false;
  if (reserved(look_span(l, l->gate_end, end))) out->confidence = 30;
  out->start = start;
  out->end = end;
  out->reason = out->confidence == 30 ? "an address in a domain reserved for examples" : "local part, @ and domain";
  return true;
}
