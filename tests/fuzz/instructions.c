/* Instructions and answers of any bytes: however an answer is cut, the same is found at the same place; all of the instructions are a leak of them. */
#include "gateway/instructions.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
  enum instructions_found what;
  uint64_t start, end;
};

static size_t read_all(const struct instructions *i, struct str answer, size_t step, struct seen out[4])
{
  struct leak_reader r = {0};
  size_t found = 0;
  for (size_t at = 0; at < answer.n || at == 0;) {
    size_t n = step < answer.n - at ? step : answer.n - at, used = 0;
    bool last = at + n == answer.n;
    struct str in = str_cut(answer, at, at + n);
    uint64_t start = 0;
    for (enum instructions_found f; (f = leak_read(&r, i, in, last, &used, &start)) != INSTRUCTIONS_NOTHING;) {
      assert(found < 2 && used <= in.n && start < r.at);
      out[found++] = (struct seen){f, start, r.at};
      in = str_cut(in, used, in.n);
    }
    at += n;
    if (last) break;
  }
  assert(r.at == answer.n);
  leak_reader_finish(&r);
  return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const unsigned char key[32] = {1, 2, 3};
  if (size < 2) return 0;
  struct str all = {(const char *)data + 1, size - 1};
  const char *cut = memchr(all.p, 0xFF, all.n);
  struct str told = str_cut(all, 0, cut ? (size_t)(cut - all.p) : all.n);
  struct str answer = cut ? str_cut(all, told.n + 1, all.n) : told;
  struct instructions i;
  struct seen whole[4], pieces[4];
  instructions_init(&i, key);
  bool ok = instructions_add(&i, told);
  instructions_settle(&i);
  if (data[0] & 1) instructions_canary(&i, key, STR("gpt-4o"));
  if (ok && answer.n) {
    size_t n = read_all(&i, answer, answer.n, whole);
    assert(read_all(&i, answer, 1 + data[0] % 17, pieces) == n);
    for (size_t k = 0; k < n; k++)
      assert(whole[k].what == pieces[k].what && whole[k].start == pieces[k].start && whole[k].end == pieces[k].end);
    if (!cut && i.n >= INSTRUCTIONS_LEAST) assert(n == 1 && whole[0].what == INSTRUCTIONS_REPEATED);
    instructions_forget(&i, told);
    assert(i.n == 0);
  }
  instructions_finish(&i);
  return 0;
}
