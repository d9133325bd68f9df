/* From a request body to what the simulated model is to do: the last user message's text, and the directives in it. */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H
#include "base/json.h"

enum directive {
#define X(name, id, argument, help) DO_##id,
#include "sim/directives.def"
#undef X
};

struct step {
  enum directive what; /* only those that say or call something */
  struct str text;
  uint64_t n;
};

enum { SCRIPT_STEPS = 32, SCRIPT_CHOICES = 8, SCRIPT_WORDS = 200000 };

/* Which format the request is in. */
enum dialect {
  DIALECT_CHAT,
  DIALECT_COMPLETIONS,
  DIALECT_RESPONSES,
  DIALECT_ANTHROPIC,
  DIALECT_OLLAMA_CHAT,
  DIALECT_OLLAMA_GENERATE,
  DIALECT_GOOGLE,
};

struct script {
  /* what was asked for */
  enum dialect dialect;
  bool stream, include_usage;
  struct str model, user, first_tool;
  struct str instructions; /* system and developer messages, joined by blanks */
  unsigned choices;
  uint64_t seed;          /* of the body: equal bodies get equal answers */
  uint64_t prompt_tokens; /* about a quarter of the body's bytes */
  struct json_doc doc;
  uint32_t tools; /* node of the array, or 0 */

  /* what the directives say */
  struct step steps[SCRIPT_STEPS];
  size_t n_steps;
  struct str said;         /* the user's text without directives */
  struct str azure_filter; /* category, or empty */
  struct str azure_annotate;
  unsigned chunk, slow_ms, status;
  uint64_t cut_seed;
  long break_after; /* -1: never */
  bool cut, gzip, logprobs, filter_completion;
};

/* path_model: the deployment that the URL names, or empty. On failure err says what is wrong with the body. */
int script_read(struct vdt_arena *arena, struct str body, struct str path_model, enum dialect dialect, struct script *out,
                struct vdt_error *err);
/* The tool of that name is among the request's tools. */
bool script_has_tool(const struct script *s, struct str name);
#endif
