/* The worker: works in their order, one at a time; so many wait and no more; it rests when nothing comes; what waits at the end is answered. */
#include "../test.h"
#include "api/worker.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: the work that runs does not end */
static _Atomic unsigned rests, done;
static unsigned order[64];
static _Atomic unsigned ran;

struct item {
  struct work work;
  unsigned number;
};

static void run(struct work *w, const struct workbench *bench)
{
  (void)bench;
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  order[ran++] = ((struct item *)w)->number;
  w->response.status = 200;
}

static void drop(struct work *w)
{
  buf_finish(&w->response.body);
}

static void is_done(void *ctx)
{
  (void)ctx;
  done++;
}

static void rest(void *ctx)
{
  (void)ctx;
  rests++;
}

static const struct workbench bench = {.rest = rest};

static struct worker *begin(unsigned rest_ms, struct item items[64])
{
  struct worker *w = NULL;
  rests = done = ran = 0;
  for (unsigned i = 0; i < 64; i++) items[i] = (struct item){.work = {.run = run, .drop = drop, .done = is_done}, .number = i};
  CHECK_INT(worker_new(&bench, rest_ms, &w, NULL), VDT_OK);
  return w;
}

static void until(_Atomic unsigned *n, unsigned want)
{
  for (int i = 0; i < 20000 && *n < want; i++) usleep(1000);
}

static void works_come_in_their_order(void)
{
  static struct item items[64];
  struct worker *w = begin(60000, items);
  for (unsigned i = 0; i < WORKER_WAITING; i++) CHECK(worker_give(w, &items[i].work));
  until(&done, WORKER_WAITING);
  CHECK_INT(done, WORKER_WAITING);
  for (unsigned i = 0; i < WORKER_WAITING; i++) CHECK_INT(order[i], i);
  CHECK_INT(rests, 0);
  worker_free(w);
  CHECK_INT(rests, 1);
}

static void so_many_wait_and_no_more(void)
{
  static struct item items[64];
  struct worker *w = begin(60000, items);
  unsigned taken = 0;
  pthread_mutex_lock(&gate);
  CHECK(worker_give(w, &items[0].work));
  /* The first is taken out of those that wait at some time: then there is room for one more. */
  for (int tries = 0; tries < 20000 && taken < WORKER_WAITING; tries++) {
    if (worker_give(w, &items[1 + taken].work)) taken++;
    else usleep(1000);
  }
  CHECK_INT(taken, WORKER_WAITING);
  CHECK(!worker_give(w, &items[40].work));
  pthread_mutex_unlock(&gate);
  until(&done, 1 + WORKER_WAITING);
  CHECK_INT(done, 1 + WORKER_WAITING);
  CHECK(worker_give(w, &items[41].work));
  until(&done, 2 + WORKER_WAITING);
  worker_free(w);
}

static void it_rests_once_when_nothing_comes(void)
{
  static struct item items[64];
  struct worker *w = begin(20, items);
  usleep(100000);
  CHECK_INT(rests, 0); /* nothing was loaded yet */
  CHECK(worker_give(w, &items[0].work));
  until(&rests, 1);
  CHECK_INT(rests, 1);
  usleep(100000);
  CHECK_INT(rests, 1);
  CHECK(worker_give(w, &items[1].work));
  until(&rests, 2);
  CHECK_INT(rests, 2);
  worker_free(w);
}

static void what_waits_at_the_end_is_answered(void)
{
  static struct item items[64];
  struct worker *w = begin(60000, items);
  pthread_mutex_lock(&gate);
  for (unsigned i = 0; i < 4; i++) CHECK(worker_give(w, &items[i].work));
  pthread_mutex_unlock(&gate);
  worker_stop(w);
  CHECK_INT(done, 4);
  for (unsigned i = 0; i < 4; i++) {
    CHECK(items[i].work.response.status == 200 || items[i].work.response.status == 503);
    drop(&items[i].work);
  }
  CHECK(!worker_give(w, &items[5].work));
  worker_free(w);
  worker_free(NULL);
  worker_stop(NULL);
}

int main(void)
{
  RUN(works_come_in_their_order);
  RUN(so_many_wait_and_no_more);
  RUN(it_rests_once_when_nothing_comes);
  RUN(what_waits_at_the_end_is_answered);
  return test_end();
}
