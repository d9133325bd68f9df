/*
 * What the files of `vedette replay` share: replay.c (lines, summary), replay_judge.c (what today's rules say), replay_record.c (records),
 * replay_diff.c (what is different).
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H
#include "analyse/alert.h"
#include "analyse/behaviour.h"
#include "api/unseal.h"
#include "base/json.h"
#include "gateway/exchange.h"
#include "gateway/load.h"
#include "record/record.h"
#include "store/store.h"

enum { REPLAY_FOUND_MAX = 512 };

/* One thing that was found, or is found now. Texts are borrowed. */
struct replay_found {
  struct str detector, kind, alert, severity, reason;
  enum vdt_action action;
};

/* What is said about a line. */
struct replay_side {
  enum record_verdict verdict;
  struct replay_found found[REPLAY_FOUND_MAX];
  size_t n;
  /* Of before, when the line says no findings: the verdict alone is compared. coarse: "detected" stands for whatever was done about it. */
  bool verdict_only, coarse;
};

struct replay {
  struct config *config;
  struct vdt_engine *engine;
  struct vdt_scanner *scanner;
  struct vdt_blocklist *blocklist;
  struct vdt_arena *arena; /* of the line */
  struct image image;
  const struct wire_format *format;           /* or NULL: as the line looks */
  const struct config_deployment *deployment; /* when the line names none of the configuration */
  struct behaviour *behaviour;
  const char *how;          /* what the line was judged by: "text", "exchange", "evidence", "policy" */
  struct str id;            /* of the line, as JSON; or empty */
  const struct record *who; /* the line, where it is a record of ours; else NULL */
  struct unseal unseal;
  const char *key; /* where the private keys of evidence are, or NULL: in the state folder, if one is read */
  struct unseal_source key_source;
  char keys_of[SEAL_WORKSPACE_MAX + 1]; /* the workspace whose keys these are */
  struct unseal_keys keys;
};

/* Adds a finding; one that is allowed is none, and more than REPLAY_FOUND_MAX are left out. */
void replay_add(struct replay_side *side, const struct replay_found *f);
/* The verdict that the findings make. */
enum record_verdict replay_verdict(const struct replay_side *side);
/* The action of that name, ALLOW for others. */
enum vdt_action replay_action(struct str name);
/* The policy of the deployment with all that a scan needs, and for a record with the policies about data that hold for whom it is of. */
struct vdt_policy replay_policy(const struct replay *r, const struct config_deployment *d, enum vdt_role role);

/* A text with its role. */
int replay_text(struct replay *r, const struct json_doc *doc, struct replay_side *now, struct vdt_error *err);
/* A request, an answer, or both, as the gateway would have handled them. before: what the answer itself says. */
int replay_exchange(struct replay *r, const struct json_doc *doc, struct replay_side *before, struct replay_side *now,
                    struct vdt_error *err);
/* A record of ours; its evidence comes from the store, if one is given. *behaviour: findings of the behaviour detectors, in the arena. */
int replay_record(struct replay *r, struct store *store, struct str line, struct replay_side *before, struct replay_side *now,
                  struct record_finding behaviour[BEHAVIOUR_FINDINGS], size_t *n, struct vdt_error *err);
/* The keys of evidence of the workspace, or NULL when there are none. */
struct unseal_keys *replay_keys(struct replay *r, struct str workspace);
/* What a line says in its members verdict and findings: those of `vedette scan`, or the verdict that the gateway gave. *said: it says something. */
int replay_read_before(struct replay *r, const struct json_doc *doc, struct replay_side *before, bool *said,
                       struct vdt_error *err);

/* How they differ. */
enum replay_change { REPLAY_SAME, REPLAY_STRICTER, REPLAY_LOOSER, REPLAY_OTHER, REPLAY_CHANGES };
const char *replay_change_name(enum replay_change change);
enum replay_change replay_compare(const struct replay_side *before, const struct replay_side *now);
/* {"verdict": ..., "findings": [...]} */
void replay_put_side(struct buf *b, const struct replay_side *side);
/* "added": [...], "removed": [...], "changed": [...] */
void replay_put_difference(struct buf *b, const struct replay_side *before, const struct replay_side *now);
#endif
