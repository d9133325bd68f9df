/* What the simulated model says, before any format writes it. */
#include "sim/said.h"
#include "base/quote.h"
#include "sim/leaks.h"

static void put_long(struct buf *out, uint64_t words)
{
  static const char *const list[] = {"the",   "model",   "answers", "with",       "many", "plain", "words",
                                     "about", "nothing", "in",      "particular", "and",  "goes",  "on"};
  for (uint64_t i = 0; i < words; i++) {
    if (i) BUF_LIT(out, " ");
    buf_put(out, str_of(list[(i * 5 + i / 14) % 14]));
  }
  BUF_LIT(out, ".");
}

static void leak_in_tool(const struct script *s, struct str kind, uint64_t seed, struct said *said)
{
  struct call *c = &said->calls[said->n_calls];
  struct buf secret = {0};
  if (!s->first_tool.n) {
    BUF_LIT(&said->text, "No tool was given.");
  } else if (!leak_secret(kind, seed, &secret)) {
    BUF_LIT(&said->text, "I know no such kind of leak.");
  } else {
    said->n_calls++;
    c->name = s->first_tool;
    BUF_LIT(&c->arguments, "{\"value\": ");
    json_quote(&c->arguments, buf_str(&secret));
    BUF_LIT(&c->arguments, "}");
  }
  buf_finish(&secret);
}

static void call_tool(const struct script *s, struct str arg, struct said *said)
{
  size_t end = 0;
  while (end < arg.n && arg.p[end] != ' ' && arg.p[end] != '{') end++;
  struct str name = str_cut(arg, 0, end);
  if (!script_has_tool(s, name)) {
    BUF_LIT(&said->text, "I was given no tool of that name.");
    return;
  }
  struct call *c = &said->calls[said->n_calls++];
  while (end < arg.n && arg.p[end] == ' ') end++;
  c->name = name;
  buf_put(&c->arguments, end < arg.n ? str_cut(arg, end, arg.n) : STR("{}"));
}

static void say_step(const struct script *s, const struct step *step, uint64_t seed, struct said *said)
{
  struct buf *text = &said->text;
  if (text->n && step->what != DO_TOOL && step->what != DO_LEAK_IN_TOOL) BUF_LIT(text, " ");
  switch (step->what) {
  case DO_LEAK:
    if (!leak_sentence(step->text, seed, text)) BUF_LIT(text, "I know no such kind of leak.");
    break;
  case DO_LEAK_IN_TOOL: leak_in_tool(s, step->text, seed, said); break;
  case DO_TOOL: call_tool(s, step->text, said); break;
  case DO_SAY: buf_put(text, step->text); break;
  case DO_ECHO: buf_put(text, s->said); break;
  case DO_INSTRUCTIONS: buf_put(text, s->instructions); break;
  default: put_long(text, step->n); break;
  }
}

void say(const struct script *s, unsigned choice, struct said *said)
{
  *said = (struct said){0};
  uint64_t seed = s->seed + choice * 0x1000193u;
  for (size_t i = 0; i < s->n_steps; i++) say_step(s, &s->steps[i], seed + i, said);
  if (s->n_steps == 0 && !leak_sentence(leak_asked_for(s->user), seed, &said->text))
    BUF_LIT(&said->text, "I am the simulated model behind this deployment. Ask me for the deploy key, or for the card on file, "
                         "and see what reaches you.");
  if (s->filter_completion) said->text.n /= 2;
}

void said_finish(struct said *said)
{
  for (size_t i = 0; i < said->n_calls; i++) buf_finish(&said->calls[i].arguments);
  buf_finish(&said->text);
}

uint64_t tokens(size_t bytes)
{
  return bytes / 4 + (bytes > 0);
}

size_t piece(struct str text, size_t from, unsigned chunk)
{
  size_t end = from + (chunk ? chunk : 1);
  if (end >= text.n) return text.n - from;
  while (str_splits(text, end)) end++;
  return end - from;
}

void put_input(struct buf *b, const struct call *c)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)64 << 20);
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  struct str arguments = c->arguments.n ? buf_str(&c->arguments) : STR("{}");
  struct json_doc doc;
  bool object = arena && json_parse(arena, arguments, &limits, &doc, NULL) == VDT_OK && doc.nodes[0].type == JSON_OBJECT;
  if (object) {
    buf_put(b, arguments);
  } else {
    BUF_LIT(b, "{\"value\": ");
    json_quote(b, arguments);
    BUF_LIT(b, "}");
  }
  vdt_arena_free(arena);
}
