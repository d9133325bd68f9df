/*
 * Streams with the shipped rules: the input's first bytes choose a policy and the cuts, the rest is the text. Whole and cut, the
 * released bytes and the findings are the same.
 */
#include "tests/engine/rig.h"

/* Findings that needed no decoding: others the stream and vdt_scan() find each in its own way. */
static size_t plain(const struct vdt_finding *f, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) kept += f[i].n_layers == 0;
  return kept;
}

/* Not within the first input, whose time is limited. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  rig_load();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const enum vdt_action actions[] = {VDT_DETECT, VDT_REDACT, VDT_REDACT, VDT_CUT};
  if (size < 2 || size > 65536) return 0;
  struct vdt_policy policy = rig_policy(actions[data[0] & 3]);
  if (data[0] & 8) {
    policy.pseudonym_key = (const unsigned char *)"a key for pseudonyms of 32 bytes";
    policy.credential.mask = policy.sensitive.mask = VDT_MASK_PSEUDONYM;
  }
  if (data[0] & 4) policy.sensitive.response = VDT_DETECT;
  struct str text = {(const char *)data + 2, size - 2};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf a = {0}, b = {0};
  struct vdt_finding *af, *bf;
  size_t an = rig_stream(&policy, arena, text, text.n + 1, &a, &af);
  size_t bn = rig_stream(&policy, arena, text, 1 + data[1] % 37, &b, &bf);
  if (an != bn || !str_eq(buf_str(&a), buf_str(&b))) abort();
  for (size_t i = 0; i < an; i++)
    if (af[i].rule != bf[i].rule || af[i].start != bf[i].start || af[i].end != bf[i].end) abort();
  struct vdt_result whole;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &whole)) abort();
  if (actions[data[0] & 3] != VDT_CUT && plain(whole.findings, whole.n_findings) != plain(af, an)) abort();
  buf_finish(&a);
  buf_finish(&b);
  vdt_arena_free(arena);
  return 0;
}
