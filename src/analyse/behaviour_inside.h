/* What the files of behaviour share. */
#ifndef ANALYSE_BEHAVIOUR_INSIDE_H
#define ANALYSE_BEHAVIOUR_INSIDE_H
#include "analyse/alert.h"
#include "analyse/behaviour.h"

enum { AGENTS = 4, NETS = 8, COUNTRIES = 3, WAYS = 8, ROWS = 4, COLUMNS = 1024, HOURS = 168, USUAL = 32, TOOLS = 128, DATA = 64 };

/* A principal of a deployment. Hashes of 16 bits suffice: a chance meeting of two hides one change in 65,000. */
struct principal {
  uint64_t key;         /* 0: free */
  uint32_t first, last; /* minutes since 1970 */
  uint32_t requests;
  uint32_t jailbreaks_since; /* minute in which the window began */
  uint32_t probes_since;     /* the same for questions that explore */
  uint16_t jailbreaks, probes;
  uint16_t agents[AGENTS], nets[NETS]; /* user agents and networks that were seen; 0: free */
  uint16_t auths;                      /* kinds of credential that were seen: bits */
  uint16_t countries[COUNTRIES];       /* where a database of countries is configured */
};
_Static_assert(sizeof(struct principal) == 64, "base/behaviours.def says 64 bytes");

/* Buckets of WAYS: a full one forgets the principal not seen for longest. */
struct principals {
  struct principal *all;
  uint64_t buckets, limit; /* powers of two */
  uint64_t used;
};

/* What an hour of the week brings. */
struct usual {
  float requests, tokens;
  uint32_t weeks; /* 0: not seen yet */
};

struct deployment {
  uint64_t key;                               /* 0: free */
  uint32_t first, window;                     /* minutes: when it was first seen, when the window of repeats began */
  uint32_t in_window, hour;                   /* hour: since 1970 */
  uint32_t counts[ROWS][COLUMNS];             /* count-min sketch of prompts in the window */
  uint64_t usual_prompts[USUAL], told_prompt; /* told_prompt: the last that raised an alert in this window */
  double requests, tokens;                    /* of this hour */
  bool told_volume;
  struct usual week[HOURS];
  uint32_t tools_first, tool_interactions, most_calls; /* minute of the first call; interactions with calls; the most in one */
  uint32_t tools[TOOLS], data[DATA];                   /* hashes of tools by application, of kinds of data in answers; 0: free */
};

struct behaviour {
  struct behaviour_limits limits;
  struct principals principals;
  struct deployment *deployments;
  uint32_t n_deployments, cap_deployments;
};

/* Words of a finding to come. */
struct shown {
  struct vdt_arena *arena;
  struct record_finding *out;
  size_t n;
  bool failed;
};
void behaviour_show(struct shown *s, enum alert_type type, const char *rule, unsigned confidence, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* So many seconds have passed between the two minutes; none have when a record comes late. */
static inline bool has_passed(uint32_t from, uint32_t minute, uint64_t seconds)
{
  return minute >= from && (minute - from) * UINT64_C(60) >= seconds;
}

uint64_t behaviour_hash(struct str a, struct str b, struct str c);
/* The principal of a record in its deployment, or NULL: it has none. *is_new: it was not known. */
struct principal *principal_of(struct principals *p, const struct record *r, uint32_t minute, bool *is_new);
/* One that is known, or NULL. */
struct principal *principal_find(const struct principals *p, uint64_t key);
/* One that was saved. */
void principal_put(struct principals *p, const struct principal *saved);
/* Room for so many, as far as there is memory. */
void principals_reserve(struct principals *p, uint64_t n);
bool principals_init(struct principals *p, uint32_t limit);

void look_at_access(const struct behaviour *b, struct principal *p, bool is_new, const struct record *r, uint32_t minute,
                    struct shown *s);
void look_at_volume(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s);
void look_at_tools(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s);
void look_at_data(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s);
void look_at_repeats(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s);
#endif
