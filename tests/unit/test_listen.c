/* Listeners: what they are told and when, who is let in at the limits, and who is sent away. Connections are counters here. */
#include "api/listen.h"
#include "base/clock.h"
#include "tests/test.h"
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

static const uint64_t SECOND = 1000000;
static _Atomic uint64_t counts[2];
static struct store stores[2] = {{.changed = &counts[0]}, {.changed = &counts[1]}};
static struct store *all[] = {&stores[0], &stores[1]};
static struct auth *auth;
static struct listeners *ls;
static _Atomic unsigned rests, wakes;
static char said[LISTEN_TEXT];

static void on_rest(void *ctx)
{
  (void)ctx;
  rests++;
}

static void on_wake(void *ctx)
{
  (void)ctx;
  wakes++;
}

static void begin(void)
{
  counts[0] = counts[1] = 0;
  rests = wakes = 0;
  CHECK_INT(listeners_new(auth, &ls, NULL), VDT_OK);
}

static struct listener *come(struct store **reach, size_t n, unsigned char who, const char *last, unsigned *status)
{
  struct auth_grant grant = {.tie = {who}};
  struct api api = {.stores = reach, .n_stores = n};
  struct api_request r = {.grant = &grant, .last_event = str_of(last)};
  struct api_response response = {0};
  struct listener *l = listener_new(ls, &api, &r, &response);
  *status = response.status;
  buf_finish(&response.body);
  return l;
}

static enum listen_next next(struct listener *l, uint64_t now_us)
{
  const struct listen_rest how = {on_rest, on_wake, NULL};
  size_t n = 0;
  enum listen_next what = listener_next(l, now_us, &how, said, &n);
  said[n] = 0;
  return what;
}

static bool until(_Atomic unsigned *n, unsigned want)
{
  for (int i = 0; i < 500 && *n < want; i++) usleep(10000);
  return *n == want;
}

static void a_change_is_told_once_with_an_id(void)
{
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  begin();
  struct listener *l = come(all, 2, 1, NULL, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK_STR(str_of(said), "retry: 3000\n: listening\n\n");
  CHECK_INT(next(l, now), LISTEN_REST);
  CHECK_INT(rests, 1);
  counts[1]++;
  CHECK(until(&wakes, 1));
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK(strncmp(said, "id: ", 4) == 0 && strstr(said, "-1\nevent: alerts\ndata: changed\n\n"));
  CHECK_INT(next(l, now), LISTEN_REST);
  listener_free(l);
  CHECK_INT(listeners_count(ls), 0);
  listeners_free(ls);
}

static void another_workspace_wakes_nobody(void)
{
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  begin();
  struct listener *l = come(all, 1, 1, NULL, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK_INT(next(l, now), LISTEN_REST);
  counts[1]++;
  usleep(3 * LISTEN_TICK_MS * 1000);
  CHECK_INT(wakes, 0);
  counts[0]++;
  CHECK(until(&wakes, 1));
  listener_free(l);
  listeners_free(ls);
}

static void a_heart_beats_and_a_life_ends(void)
{
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  begin();
  struct listener *l = come(all, 2, 1, NULL, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK_INT(next(l, now + LISTEN_BEAT_S * SECOND - 1), LISTEN_REST);
  CHECK_INT(next(l, now + LISTEN_BEAT_S * SECOND), LISTEN_SAY);
  CHECK_STR(str_of(said), ": still here\n\n");
  CHECK_INT(next(l, now + (LISTEN_LIFE_S - 5) * SECOND), LISTEN_SAY);
  CHECK_INT(next(l, now + (LISTEN_LIFE_S + 20) * SECOND), LISTEN_END);
  listener_free(l);
  listeners_free(ls);
}

static void who_comes_back_is_told_what_was_missed(void)
{
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  char id[64] = "";
  begin();
  struct listener *l = come(all, 2, 1, NULL, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  counts[0]++;
  CHECK_INT(next(l, now), LISTEN_SAY);
  sscanf(said, "id: %63[^\n]", id);
  listener_free(l);
  l = come(all, 2, 1, id, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK_INT(next(l, now), LISTEN_REST);
  listener_free(l);
  counts[0]++;
  static const char *const others[] = {NULL, "0000000000000000-1", "nonsense", "-", ""};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    l = come(all, 2, 1, i ? others[i] : id, &status);
    CHECK_INT(next(l, now), LISTEN_SAY);
    CHECK_INT(next(l, now), i + 1 == sizeof others / sizeof *others ? LISTEN_REST : LISTEN_SAY);
    listener_free(l);
  }
  listeners_free(ls);
}

static void of_one_token_the_oldest_goes(void)
{
  struct listener *l[LISTENERS_EACH + 1];
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  begin();
  for (int i = 0; i <= LISTENERS_EACH; i++) {
    if (i == LISTENERS_EACH) CHECK_INT(next(l[0], now), LISTEN_SAY);
    CHECK((l[i] = come(all, 2, 7, NULL, &status)) != NULL);
  }
  CHECK_INT(next(l[0], now), LISTEN_END);
  CHECK_INT(next(l[1], now), LISTEN_SAY);
  for (int i = 0; i <= LISTENERS_EACH; i++) listener_free(l[i]);
  listeners_free(ls);
}

static void so_many_listen_and_no_more(void)
{
  struct listener *l[LISTENERS_MAX];
  unsigned status;
  begin();
  for (int i = 0; i < LISTENERS_MAX; i++)
    CHECK((l[i] = come(all, 2, (unsigned char)(1 + i / LISTENERS_EACH), NULL, &status)) != NULL);
  CHECK(come(all, 2, 99, NULL, &status) == NULL);
  CHECK_INT(status, 503);
  listener_free(l[5]);
  CHECK((l[5] = come(all, 2, 99, NULL, &status)) != NULL);
  for (int i = 0; i < LISTENERS_MAX; i++) listener_free(l[i]);
  CHECK_INT(listeners_count(ls), 0);
  listeners_free(ls);
}

static void at_the_end_everybody_goes_and_nobody_comes(void)
{
  unsigned status;
  uint64_t now = clock_mono_us() + SECOND; /* behind its coming */
  begin();
  struct listener *l = come(all, 2, 1, NULL, &status);
  CHECK_INT(next(l, now), LISTEN_SAY);
  CHECK_INT(next(l, now), LISTEN_REST);
  listeners_hang_up(ls);
  CHECK_INT(wakes, 1);
  CHECK_INT(next(l, now), LISTEN_END);
  CHECK(come(all, 2, 1, NULL, &status) == NULL);
  listener_free(l);
  listeners_free(ls);
  listeners_free(NULL);
  listeners_hang_up(NULL);
  listener_free(NULL);
}

int main(void)
{
  if (sodium_init() < 0) return 1;
  auth = auth_new("/nonexistent", &(struct session_limits){3600 * SECOND, 3600 * SECOND}, -1, NULL);
  if (!auth) return 1;
  RUN(a_change_is_told_once_with_an_id);
  RUN(another_workspace_wakes_nobody);
  RUN(a_heart_beats_and_a_life_ends);
  RUN(who_comes_back_is_told_what_was_missed);
  RUN(of_one_token_the_oldest_goes);
  RUN(so_many_listen_and_no_more);
  RUN(at_the_end_everybody_goes_and_nobody_comes);
  auth_free(auth);
  return test_end();
}
