/* Lines of a journal: whatever is read is written and read again to the same; nothing is read that the writer could not write. */
#include "record/record.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct record r, again;
  struct vdt_error err = {0};
  struct buf one = {0}, two = {0};
  if (a && record_read(a, (struct str){(const char *)data, size}, &r, &err) == VDT_OK) {
    record_write(&r, &one);
    assert(one.n <= RECORD_LINE_MAX && one.p[one.n - 1] == '\n' && memchr(one.p, '\n', one.n) == one.p + one.n - 1);
    assert(record_read(a, buf_str(&one), &again, &err) == VDT_OK);
    record_write(&again, &two);
    assert(str_eq(buf_str(&one), buf_str(&two)));
  }
  struct record_egress e, e2;
  buf_reset(&one);
  buf_reset(&two);
  if (a && record_read_egress(a, (struct str){(const char *)data, size}, &e, &err) == VDT_OK) {
    record_write_egress(&e, &one);
    assert(record_is_egress(buf_str(&one)) && record_read_egress(a, buf_str(&one), &e2, &err) == VDT_OK);
    record_write_egress(&e2, &two);
    assert(str_eq(buf_str(&one), buf_str(&two)));
  }
  buf_finish(&one);
  buf_finish(&two);
  vdt_arena_free(a);
  return 0;
}
