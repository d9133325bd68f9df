/* The rows of settings.def and the kinds of value, shared by the reader, the printer and the help. */
#ifndef ENGINE_SETTING_H
#define ENGINE_SETTING_H
#include "base/arena.h"
#include "base/quote.h"
#include "engine/config.h"

enum scope {
  NONE,
  ROOT,
  LISTEN,
  TLS,
  LIMITS,
  WORKSPACE,
  RETENTION,
  DEPLOYMENT,
  POLICY,
  SCORE,
  CREDENTIAL,
  SENSITIVE,
  OPINION,
  SHIELD,
  HIDDEN,
  SAFETY,
  BLOCKLIST,
  PHRASE,
  USED_LIST,
  RULE_FILE,
  CONTEXT,
  PROXY,
  URLS,
  INTEL,
  INSTRUCTIONS,
  TOOLS,
  TOOL_NAME,
  FEED,
  RECON,
  LEAK_KIND,
  ALLOWED,
  BEHAVIOUR,
  CONTROL,
  HOST,
  DATA_API,
  SENSITIVITY,
  DATA_KIND,
  DATA_POLICY,
  WHO,
  OIDC,
  OIDC_ROLE,
  SIGN_IN,
  SCOPES
};

enum kind {
  KIND_MAP,
  KIND_LIST,
#define K(name, type, chars, set, put) KIND_##name,
#include "engine/kinds.def"
#undef K
};

struct setting {
  enum scope scope;
  const char *key;
  enum kind kind;
  enum scope of;
  size_t offset;       /* of the member in the structure of its scope; a LIST's count follows its pointer */
  const char *initial; /* NULL: required, "": may be left out */
  double low, high;
  const char *help;
};

struct value_kind {
  const char *type;           /* for errors and documentation: "expected TYPE" */
  const char *const *choices; /* NULL-terminated, or NULL */
  /* Reads the text into the member; false when it is not of this kind, or out of memory (then *oom is set). */
  bool (*set)(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom);
  /* Writes the member as YAML; nothing when it is absent. */
  void (*put)(const struct setting *s, const void *member, struct buf *out);
};

extern const struct setting settings[];
extern const size_t n_settings;
extern const size_t scope_size[SCOPES];

const struct value_kind *setting_kind(const struct setting *s);
/* "" or "1KiB to 1GiB", as a user writes the values. */
void setting_bounds(const struct setting *s, struct buf *out);
#endif
