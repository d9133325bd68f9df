#include "wire/path.h"
#include <stdio.h>

static bool is_word(struct str name)
{
  for (size_t i = 0; i < name.n; i++) {
    char c = name.p[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-')) return false;
  }
  return name.n > 0 && name.n <= PATH_NAME;
}

static void push(struct path *p, struct str step)
{
  if (p->n + step.n >= PATH_BYTES) return;
  memcpy(p->text + p->n, step.p, step.n);
  p->n += step.n;
}

size_t path_member(struct path *p, struct str name)
{
  size_t before = p->n;
  if (p->n && p->text[p->n - 1] != '.') push(p, STR("."));
  push(p, is_word(name) ? name : STR("*"));
  return before;
}

size_t path_element(struct path *p, unsigned i)
{
  char step[16];
  size_t before = p->n;
  push(p, (struct str){step, (size_t)snprintf(step, sizeof step, "[%u]", i)});
  return before;
}
