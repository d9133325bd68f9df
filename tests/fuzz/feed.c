/* Feeds of any text in every format: what is read opens as a block, and the same text reads to the same. And blocks of any bytes. */
#include "base/arena.h"
#include "intel/feed.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_once(struct str text, enum feed_format format, struct intel_section *s, struct feed_report *r)
{
  struct vdt_error err = {0};
  struct feed_reading how = {"fuzz", format, text.n && text.p[0] == 'c' ? STR("ioc") : STR(""), UINT64_C(1700000000000000)};
  int rc = feed_read(&how, text, s, r, &err);
  assert(!rc || err.text[0]);
  return rc;
}

static void as_feed(struct str text, enum feed_format format)
{
  struct intel_section a = {.name = "a"}, b = {.name = "a"};
  struct feed_report ra, rb;
  struct buf one = {0}, two = {0};
  struct vdt_intel *intel;
  const struct intel_section *pa = &a, *pb = &b;
  int rc = read_once(text, format, &a, &ra);
  assert(read_once(text, format, &b, &rb) == rc && memcmp(&ra, &rb, sizeof ra) == 0);
  if (!rc) {
    intel_write(&pa, 1, &one);
    intel_write(&pb, 1, &two);
    assert(str_eq(buf_str(&one), buf_str(&two)));
    assert(intel_open(one.p, one.n, NULL, &intel) == VDT_OK);
    intel_drop(intel);
  }
  buf_finish(&one);
  buf_finish(&two);
  intel_section_finish(&a);
  intel_section_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size};
  struct indicator i;
  struct intel_match m;
  struct vdt_intel *intel = NULL;
  for (unsigned f = 0; f < FEED_FORMATS; f++) as_feed(text, (enum feed_format)f);
  if (indicator_parse(text, &i) && i.kind != INDICATOR_ADDRESS) assert(i.text.n <= INDICATOR_MAX);
  uint64_t *block = malloc(size + 8);
  if (block) memcpy(block, data, size);
  if (block && intel_open(block, size, NULL, &intel) == VDT_OK) {
    intel_has_host(intel, 7, text, &m);
    intel_has_url(intel, 7, text, text, &m);
    intel_drop(intel);
  }
  free(block);
  return 0;
}
