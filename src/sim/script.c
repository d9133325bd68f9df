/* Reads a request for the simulated model. Directives are the only language it knows; everything else is small talk. */
#include "sim/script.h"
#include "base/error.h"

static const struct {
  struct str name;
  enum directive what;
} directives[] = {
#define X(name, id, argument, help) {STR(name), DO_##id},
#include "sim/directives.def"
#undef X
};

static uint64_t hash(struct str s)
{
  uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
  for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
  return h;
}

static struct str trim(struct str s)
{
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t')) s = str_cut(s, 1, s.n);
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\t')) s.n--;
  return s;
}

/* ---- directives ------------------------------------------------------------------------------------------------- */

static uint64_t number(struct str s, uint64_t otherwise, uint64_t most)
{
  uint64_t v;
  if (!str_u64(s, &v)) return otherwise;
  return v < most ? v : most;
}

static void obey(struct script *s, enum directive what, struct str arg)
{
  switch (what) {
  case DO_CHUNK: s->chunk = (unsigned)number(arg, 12, 1 << 20); break;
  case DO_SLOW: s->slow_ms = (unsigned)number(arg, 100, 60000); break;
  case DO_STATUS: s->status = (unsigned)number(arg, 500, 599); break;
  case DO_BREAK: s->break_after = (long)number(arg, 1, 1000000); break;
  case DO_CUT:
    s->cut = true;
    s->cut_seed = number(arg, 1, UINT64_MAX - 1);
    break;
  case DO_GZIP: s->gzip = true; break;
  case DO_LOGPROBS: s->logprobs = true; break;
  case DO_FILTER_COMPLETION: s->filter_completion = true; break;
  case DO_AZURE_FILTER: s->azure_filter = arg.n ? arg : STR("jailbreak"); break;
  case DO_AZURE_ANNOTATE: s->azure_annotate = arg.n ? arg : STR("jailbreak"); break;
  case DO_JUDGE: break; /* it is the judge who looks for it */
  case DO_LEAK:
  case DO_LEAK_IN_TOOL:
  case DO_SAY:
  case DO_ECHO:
  case DO_INSTRUCTIONS:
  case DO_LONG:
  case DO_TOOL:
    if (s->n_steps < SCRIPT_STEPS) s->steps[s->n_steps++] = (struct step){what, arg, number(arg, 100, SCRIPT_WORDS)};
    break;
  }
}

/* "name argument" between the brackets. false: no directive, its text stays what it is. */
static bool take(struct script *s, struct str inside)
{
  size_t end = 0;
  while (end < inside.n && inside.p[end] != ' ' && inside.p[end] != '\n') end++;
  for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
    if (!str_eq(str_cut(inside, 0, end), directives[i].name)) continue;
    obey(s, directives[i].what, trim(str_cut(inside, end, inside.n)));
    return true;
  }
  return false;
}

/* Where the directive closes whose inside begins at from: brackets within its argument come in pairs, or stand right before the end. */
static size_t closing(struct str text, size_t from)
{
  unsigned depth = 1;
  for (size_t i = from; i + 1 < text.n; i++) {
    struct str two = str_cut(text, i, i + 2);
    if (str_eq(two, STR("[["))) {
      depth++;
      i++;
    } else if (str_eq(two, STR("]]")) && --depth > 0) {
      i++;
    } else if (depth == 0) {
      while (i + 2 < text.n && text.p[i + 2] == ']') i++;
      return i;
    }
  }
  return (size_t)-1;
}

static bool read_directives(struct vdt_arena *arena, struct script *s)
{
  struct str text = s->user;
  char *rest = arena_alloc(arena, text.n + 1);
  if (!rest) return false;
  size_t n = 0, i = 0;
  while (i < text.n) {
    size_t end = str_starts(str_cut(text, i, text.n), STR("[[")) ? closing(text, i + 2) : (size_t)-1;
    if (end != (size_t)-1 && take(s, str_cut(text, i + 2, end))) i = end + 2;
    else rest[n++] = text.p[i++];
  }
  s->said = trim((struct str){rest, n});
  return true;
}

/* ---- the body --------------------------------------------------------------------------------------------------- */

/* A string, or the last text of a list of content parts. */
static bool text_of(struct vdt_arena *arena, const struct json_doc *doc, uint32_t content, struct str *out)
{
  if (!content) return true;
  if (json_is(doc, content, JSON_STRING)) return json_string(doc, content, arena, out);
  for (uint32_t i = json_first(doc, content); i; i = json_next(doc, content, i)) {
    uint32_t text = json_is(doc, i, JSON_OBJECT) ? json_get(doc, i, "text") : i;
    if (json_is(doc, text, JSON_STRING) && !json_string(doc, text, arena, out)) return false;
  }
  return true;
}

/* Content parts of Google stand beside the role. */
static uint32_t content_of(const struct json_doc *d, uint32_t message)
{
  uint32_t content = json_get(d, message, "content");
  return content ? content : json_get(d, message, "parts");
}

/* The last message of the user in an array of messages. */
static bool last_message(struct vdt_arena *arena, struct script *s, uint32_t messages)
{
  const struct json_doc *d = &s->doc;
  uint32_t last = 0;
  for (uint32_t i = json_first(d, messages); i; i = json_next(d, messages, i)) {
    uint32_t role = json_is(d, i, JSON_OBJECT) ? json_get(d, i, "role") : 0;
    if (json_string_is(d, role, "user") || (!role && s->dialect == DIALECT_GOOGLE)) last = i;
  }
  return !last || text_of(arena, d, content_of(d, last), &s->user);
}

/* Where each dialect has what the user says. */
static const char *input_name(enum dialect dialect)
{
  static const char *const names[] = {
      [DIALECT_CHAT] = "messages",      [DIALECT_COMPLETIONS] = "prompt",   [DIALECT_RESPONSES] = "input",
      [DIALECT_ANTHROPIC] = "messages", [DIALECT_OLLAMA_CHAT] = "messages", [DIALECT_OLLAMA_GENERATE] = "prompt",
      [DIALECT_GOOGLE] = "contents"};
  return names[dialect];
}

static bool is_instruction(const struct json_doc *d, uint32_t message)
{
  uint32_t role = json_is(d, message, JSON_OBJECT) ? json_get(d, message, "role") : 0;
  return json_string_is(d, role, "system") || json_string_is(d, role, "developer");
}

/* Messages, or the member that a dialect has for it. */
static bool read_instructions(struct vdt_arena *arena, struct script *s)
{
  const struct json_doc *d = &s->doc;
  uint32_t input = json_get(d, 0, input_name(s->dialect)), member = json_get(d, 0, "instructions");
  if (!member) member = json_get(d, 0, "system");
  if (!text_of(arena, d, member, &s->instructions)) return false;
  if (!json_is(d, input, JSON_ARRAY)) return true;
  for (uint32_t i = json_first(d, input); i; i = json_next(d, input, i)) {
    struct str text = {0};
    if (!is_instruction(d, i)) continue;
    if (!text_of(arena, d, content_of(d, i), &text)) return false;
    const char *all = arena_printf(arena, "%.*s%s%.*s", (int)s->instructions.n, s->instructions.n ? s->instructions.p : "",
                                   s->instructions.n ? " " : "", (int)text.n, text.n ? text.p : "");
    if (!all) return false;
    s->instructions = str_of(all);
  }
  return true;
}

static bool read_user(struct vdt_arena *arena, struct script *s)
{
  uint32_t input = json_get(&s->doc, 0, input_name(s->dialect));
  bool plain = s->dialect == DIALECT_COMPLETIONS || s->dialect == DIALECT_OLLAMA_GENERATE || json_is(&s->doc, input, JSON_STRING);
  return plain ? text_of(arena, &s->doc, input, &s->user) : last_message(arena, s, input);
}

/* Tools have their name in an object of their kind, or at the top; Google has lists in a list. */
static uint32_t tool_name(const struct json_doc *d, uint32_t tool)
{
  uint32_t function = json_get(d, tool, "function");
  return json_get(d, function ? function : tool, "name");
}

static uint32_t tool_list(const struct script *s)
{
  uint32_t tools = json_get(&s->doc, 0, "tools");
  if (!json_is(&s->doc, tools, JSON_ARRAY)) return 0;
  uint32_t first = json_first(&s->doc, tools), inner = first ? json_get(&s->doc, first, "functionDeclarations") : 0;
  return inner ? inner : tools;
}

static bool is_ollama(enum dialect dialect)
{
  return dialect == DIALECT_OLLAMA_CHAT || dialect == DIALECT_OLLAMA_GENERATE;
}

static bool read_options(struct vdt_arena *arena, struct script *s, struct str path_model)
{
  const struct json_doc *d = &s->doc;
  uint64_t n;
  uint32_t stream = json_get(d, 0, "stream");
  if (!json_string(d, json_get(d, 0, "model"), arena, &s->model)) return false;
  if (s->model.n == 0) s->model = path_model.n ? path_model : STR("simulated");
  s->stream = json_is(d, stream, JSON_TRUE) || (is_ollama(s->dialect) && !json_is(d, stream, JSON_FALSE));
  s->include_usage = json_is(d, json_get(d, json_get(d, 0, "stream_options"), "include_usage"), JSON_TRUE);
  s->logprobs = json_is(d, json_get(d, 0, "logprobs"), s->dialect == DIALECT_CHAT ? JSON_TRUE : JSON_NUMBER);
  if (json_u64(d, json_get(d, 0, "n"), &n) && n > 0) s->choices = n < SCRIPT_CHOICES ? (unsigned)n : SCRIPT_CHOICES;
  if (s->dialect != DIALECT_COMPLETIONS) s->tools = tool_list(s);
  uint32_t first = s->tools ? json_first(d, s->tools) : 0;
  return json_string(d, first ? tool_name(d, first) : 0, arena, &s->first_tool);
}

int script_read(struct vdt_arena *arena, struct str body, struct str path_model, enum dialect dialect, struct script *out,
                struct vdt_error *err)
{
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  *out = (struct script){
      .dialect = dialect, .choices = 1, .chunk = 12, .break_after = -1, .seed = hash(body), .prompt_tokens = body.n / 4 + 1};
  int rc = json_parse(arena, body, &limits, &out->doc, err);
  if (rc) return rc;
  if (out->doc.nodes[0].type != JSON_OBJECT) return error_set(err, VDT_ESYNTAX, "the body is no object");
  const char *needed = input_name(dialect);
  uint32_t input = json_get(&out->doc, 0, needed);
  if (!json_is(&out->doc, input, JSON_ARRAY) && !json_is(&out->doc, input, JSON_STRING))
    return error_set(err, VDT_ESYNTAX, "'%s' is a required property", needed);
  if (!read_user(arena, out) || !read_instructions(arena, out) || !read_options(arena, out, path_model) ||
      !read_directives(arena, out))
    return error_set(err, VDT_ENOMEM, "out of memory");
  return VDT_OK;
}

bool script_has_tool(const struct script *s, struct str name)
{
  char text[128];
  if (!s->tools || name.n == 0 || name.n >= sizeof text) return false;
  snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
  for (uint32_t i = json_first(&s->doc, s->tools); i; i = json_next(&s->doc, s->tools, i))
    if (json_string_is(&s->doc, tool_name(&s->doc, i), text)) return true;
  return false;
}
