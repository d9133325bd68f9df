/*
 * Identifiers. An input of even length is a number: every row's shape and checksum reads it, and nothing breaks. One of odd length is a text: each number in
 * it is asked about whole and with the text cut at every place soon behind it; an answer that did not starve is the answer for the whole text,
 * lies within the text, and begins no earlier than where a stream holds back.
 */
#include "detect/number.h"
#include "tests/engine/rig.h"

static void one_number(const uint8_t *data, size_t size)
{
  static const char *const names[] = {
#define X(name, shapes, groups, weights, modulus, fn, help) name,
#include "detect/identifiers.def"
#undef X
  };
  static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  char text[NUMBER_MAX];
  size_t n = size < NUMBER_MAX ? size : NUMBER_MAX;
  for (size_t i = 0; i < n; i++) text[i] = letters[data[i] % (sizeof letters - 1)];
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    if (identifier_valid(str_of(names[k]), (struct str){text, n}) != identifier_valid(str_of(names[k]), (struct str){text, n}))
      abort();
  }
}

static bool ask(struct str text, size_t gate, size_t end, struct number_found *out, bool *starved)
{
  struct look l = {.p = (const unsigned char *)text.p, .end = end, .eof = end == text.n, .gate = gate, .gate_end = gate + 1};
  *out = (struct number_found){0};
  bool found = numbers_ask(rig_engine->numbers, &l, NULL, out);
  *starved = l.starved;
  return found;
}

static void one_text(struct str text)
{
  const unsigned char *p = (const unsigned char *)text.p;
  size_t step = 1 + text.n / 64;
  for (size_t gate = 0; (gate = numbers_gate(p, gate, text.n)) < text.n; gate++) {
    struct number_found whole, part;
    bool starved;
    bool found = ask(text, gate, text.n, &whole, &starved);
    if (starved) abort();
    if (found && (whole.found.end > text.n || whole.found.start < numbers_start(p, gate) || whole.found.start > gate)) abort();
    if (found && (whole.found.end <= gate || whole.rule >= rig_engine->rules.n || !whole.found.reason)) abort();
    for (size_t end = gate + 1; end < text.n; end += step) {
      bool again = ask(text, gate, end, &part, &starved);
      if (starved) continue;
      if (again != found) abort();
      if (found && (part.rule != whole.rule || part.found.start != whole.found.start || part.found.end != whole.found.end))
        abort();
    }
  }
}

/* The rules of sensitive data alone: all of them take long to compile. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  static const char *const files[] = {"sensitive.yaml", "sensitive-identifiers.yaml"};
  struct vdt_source src[2];
  struct vdt_error err;
  const char *root = getenv("VEDETTE_SRC");
  (void)argc, (void)argv;
  for (size_t i = 0; i < 2; i++) {
    char path[512];
    snprintf(path, sizeof path, "%s/rules/%s", root ? root : ".", files[i]);
    struct str text = rig_read(path);
    src[i] = (struct vdt_source){files[i], text.p, text.n};
  }
  if (vdt_engine_new(src, 2, &rig_engine, &err)) abort();
  for (size_t i = 0; i < 2; i++) free((char *)(uintptr_t)src[i].p);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0 || size > 4096) return 0;
  if (size % 2 == 0) one_number(data, size);
  else one_text((struct str){(const char *)data, size});
  return 0;
}
