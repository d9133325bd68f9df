/*
 * Answers of outside shields. Byte 0 chooses the kind and the texts, the rest is the answer; with bit 7 it is what a judge says, and the harness
 * wraps it. What counts as an answer says something about every text and nothing about others; what counts for one check word counts for no other.
 */
#include "base/quote.h"
#include "wire/opinion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct opinion_text texts[] = {{false, STR("p")}, {true, STR("a")}, {true, STR("b")},
                                            {true, STR("c")},  {true, STR("d")}, {true, STR("e")}};

static bool reads(struct opinion_question *q, unsigned char seed, struct str answer, bool attacks[OPINION_TEXTS])
{
  struct vdt_arena *arena = vdt_arena_new(0);
  memset(q->random, seed, sizeof q->random);
  bool ok = opinion_read(q, arena, answer, attacks);
  vdt_arena_free(arena);
  return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bool attacks[OPINION_TEXTS], other[OPINION_TEXTS];
  if (size < 1) return 0;
  bool judge = data[0] & 1, document = data[0] & 2;
  struct opinion_question q = {.kind = judge ? OPINION_OPENAI_CHAT : OPINION_PROMPT_SHIELDS, .texts = texts + document};
  q.n = 1 + (data[0] >> 2 & 7) % (OPINION_TEXTS - document);
  struct str answer = {(const char *)data + 1, size - 1};
  struct buf wrapped = {0};
  if (judge && data[0] & 0x80) {
    BUF_LIT(&wrapped, "{\"choices\":[{\"message\":{\"content\":");
    json_quote(&wrapped, answer);
    BUF_LIT(&wrapped, "}}]}");
    answer = buf_str(&wrapped);
  }
  memset(attacks, 2, sizeof attacks);
  bool ok = reads(&q, 0x11, answer, attacks), again = reads(&q, 0x22, answer, other);
  unsigned char first;
  memcpy(&first, attacks, 1);
  if (!ok && first != 2) abort();
  for (size_t i = q.n; ok && i < OPINION_TEXTS; i++)
    if (attacks[i]) abort();
  if (judge ? ok && again : ok != again) abort();
  buf_finish(&wrapped);
  return 0;
}
