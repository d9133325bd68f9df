/* How much comes: the same prompt again and again, and hours that bring more than the same hours did before. */
#include "analyse/behaviour_inside.h"
#include <math.h>

/* ---- repeats ----------------------------------------------------------------------------------------------------- */

/* Hexadecimal digits as a number: the record's keyed hash. */
static uint64_t number_of(struct str hex)
{
  uint64_t v = 0;
  for (size_t i = 0; i < hex.n && i < 16; i++) {
    char c = hex.p[i];
    v = v << 4 | (uint64_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
  }
  return v;
}

/* The sketch's estimate after one more: never too low, and too high only by what shares all four places. */
static uint32_t count_up(struct deployment *d, uint64_t prompt)
{
  uint32_t least = UINT32_MAX, at[ROWS];
  for (unsigned i = 0; i < ROWS; i++) {
    at[i] = (uint32_t)(prompt >> 16 * i) % COLUMNS;
    if (d->counts[i][at[i]] < least) least = d->counts[i][at[i]];
  }
  for (unsigned i = 0; i < ROWS; i++)
    if (d->counts[i][at[i]] == least) d->counts[i][at[i]]++;
  return least + 1;
}

static bool is_usual(const struct deployment *d, uint64_t prompt)
{
  for (unsigned i = 0; i < USUAL; i++)
    if (d->usual_prompts[i] == prompt) return true;
  return false;
}

static void make_usual(struct deployment *d, uint64_t prompt)
{
  unsigned i = 0;
  while (i < USUAL && d->usual_prompts[i]) i++;
  if (i < USUAL) d->usual_prompts[i] = prompt;
}

void look_at_repeats(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s)
{
  const struct behaviour_limits *l = &b->limits;
  if (has_passed(d->window, minute, l->repeats_window)) {
    memset(d->counts, 0, sizeof d->counts);
    d->window = minute;
    d->in_window = 0;
    d->told_prompt = 0;
  }
  d->in_window++;
  uint64_t prompt = number_of(r->prompt_id);
  if (!prompt) return;
  uint32_t count = count_up(d, prompt);
  if (count < l->repeats || (uint64_t)count * 100 < (uint64_t)d->in_window * l->repeats_percent) return;
  if (d->told_prompt == prompt || is_usual(d, prompt)) return;
  if (!has_passed(d->first, minute, l->repeats_learning)) {
    make_usual(d, prompt);
    return;
  }
  d->told_prompt = prompt;
  behaviour_show(s, ALERT_WALLET_REPEATS, "recurring-requests", 85, "%u identical requests within %u minutes", count,
                 (unsigned)(l->repeats_window / 60));
}

/* ---- volume ------------------------------------------------------------------------------------------------------ */

static void learn_hour(struct deployment *d)
{
  static const float NEW = 0.3f;
  struct usual *u = &d->week[d->hour % HOURS];
  float share = u->weeks ? NEW : 1;
  u->requests += share * ((float)d->requests - u->requests);
  u->tokens += share * ((float)d->tokens - u->tokens);
  u->weeks++;
}

/* Hours without a request are hours of the week too. */
static void close_hours(struct deployment *d, uint32_t hour)
{
  for (uint32_t i = 0; d->hour < hour && i < HOURS; i++) {
    learn_hour(d);
    d->hour++;
    d->requests = d->tokens = 0;
  }
  d->hour = hour;
  d->requests = d->tokens = 0;
  d->told_volume = false;
}

/* The most that is usual around this hour: the hours of the week beside it, and the same hour of the other days, count too. */
static struct usual expected(const struct deployment *d)
{
  struct usual most = {0};
  for (unsigned day = 0; day < 7; day++)
    for (unsigned beside = 0; beside < 3; beside++) {
      const struct usual *u = &d->week[(d->hour + HOURS + day * 24 + beside - 1) % HOURS];
      if (u->requests > most.requests) most.requests = u->requests;
      if (u->tokens > most.tokens) most.tokens = u->tokens;
    }
  return most;
}

/* What is usual, times a factor, and six standard deviations of a count. */
static double bound(double usual, uint32_t times, uint32_t least)
{
  double most = usual * times + 6 * sqrt(usual);
  return most > least ? most : least;
}

void look_at_volume(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s)
{
  const struct behaviour_limits *l = &b->limits;
  uint32_t hour = minute / 60;
  if (hour > d->hour) close_hours(d, hour);
  struct usual u = expected(d);
  double requests = bound((double)u.requests, l->volume_times, l->volume_requests),
         tokens = bound((double)u.tokens, l->volume_times, l->volume_tokens);
  d->requests++;
  d->tokens += (double)r->total_tokens;
  bool unusual = has_passed(d->first, minute, l->volume_learning) && (d->requests > requests || d->tokens > tokens);
  if (unusual && !d->told_volume)
    behaviour_show(s, r->agent ? ALERT_AGENT_WALLET_VOLUME : ALERT_WALLET_VOLUME, "volume-anomaly", 75,
                   "%.0f requests and %.0f tokens in this hour; at most %.0f and %.0f were usual around it", d->requests,
                   d->tokens, (double)u.requests, (double)u.tokens);
  d->told_volume |= unusual;
  /* An attack does not teach what is usual. */
  if (unusual && d->requests > requests) d->requests = requests;
  if (unusual && d->tokens > tokens) d->tokens = tokens;
}
