/* What the files of `vedette drill` share: drill.c (which cases, what came of them), drill_past.c (which cannot come
 * now), drill_send.c (requests), drill_look.c (alerts). */
#ifndef CLI_DRILL_H
#define CLI_DRILL_H
#include "analyse/alert.h"
#include "cli/cli.h"
#include "cli/web.h"
#include "engine/config.h"

/* How often, where a parameter of the behaviour detectors says it. */
enum {
  DRILL_REPEATS = -1,
  DRILL_VOLUME = -2,
  DRILL_ACCESS = -3,
  DRILL_JAILBREAKS = -4,
  DRILL_TOOLS = -5,
  DRILL_STEPS = 3,
  DRILL_IDS_MAX = 4096
};

struct drill_step {
  const char *prompt;
  const char *notes;      /* system text; or NULL, like all that follow */
  const char *history;    /* an answer from before, between two prompts */
  const char *result;     /* of a tool that the model called */
  const char *user_agent; /* NULL: our own */
  const char *source_ip;  /* as the application says it */
  bool tools;             /* the request offers a tool */
  bool denied;            /* that is one that the deployment's policy denies; {tool} is its name */
  int times;              /* 0: once */
};

/* What is told once: then there is nothing to raise again. */
enum drill_once { DRILL_NOTHING, DRILL_ONCE_AN_HOUR, DRILL_ONCE_A_KIND, DRILL_NEW_USER };

struct drill_case {
  enum alert_type alert, instead; /* instead: ALERT_TYPES when nothing may come in its place */
  const char *learning;           /* the setting that says for how long no such alert comes; NULL: it always can */
  enum drill_once once;
  const char *what, *unless; /* unless: what may keep the alert from coming; or the reason of a case without steps */
  struct drill_step steps[DRILL_STEPS];
};

struct drill {
  const char *deployment, *key, *subscription, *token;
  struct config *config;
  struct vdt_arena *arena;
  struct web *gateway, *control;
  struct web_answer answer;
  char run[17];     /* a word of this drill */
  char denied[140]; /* name of a tool that the policy denies, or "" */
  bool asked_past;
  uint64_t first_day_s; /* when the day of the deployment's first request began; 0: there was none */
};

/* What came of a case. */
struct drill_outcome {
  char user[64];
  char ids[DRILL_IDS_MAX][RECORD_ID_LEN];
  unsigned n_ids; /* of the requests that were sent, the last DRILL_IDS_MAX of them */
  unsigned requests, status;
  char verdict[32];     /* of the last one */
  uint64_t end_us;      /* monotonic: when the last answer had ended */
  enum alert_type came; /* ALERT_TYPES: none that was meant */
  uint64_t us;          /* from then until the alert was in the API */
  bool also[ALERT_TYPES];
};

/* why: the reason why the alert cannot come now, whatever is sent; or "". EIO with words when the API cannot be read. */
int drill_past(struct drill *d, const struct drill_case *c, char *why, size_t n, struct vdt_error *err);
/* How many requests a step is. */
unsigned drill_times(const struct drill *d, const struct drill_step *s);
/* Sends a case. EIO with words when the gateway does not answer, or is none. */
int drill_send(struct drill *d, const struct drill_case *c, struct drill_outcome *out, struct vdt_error *err);
/* Looks into the API until the alert is there, or for so long. EIO with words when the API cannot be read. */
int drill_look(struct drill *d, const struct drill_case *c, uint64_t patience_us, struct drill_outcome *out,
               struct vdt_error *err);
#endif
