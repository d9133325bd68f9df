/* A configuration of any bytes is refused with a reason, or accepted; what is accepted prints to something that reads back the same. */
#include "engine/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf printed(const struct config *c)
{
  struct buf b = {0};
  config_print(c, &b);
  if (b.failed) abort();
  return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct config *first = NULL, *second = NULL;
  struct vdt_error err = {0};
  int rc = config_parse((struct str){(const char *)data, size}, "fuzz.yaml", &first, &err);
  if (rc) {
    if (err.code != rc || !err.text[0]) abort();
    return 0;
  }
  struct buf a = printed(first);
  if (config_parse(buf_str(&a), "printed.yaml", &second, &err)) abort();
  struct buf b = printed(second);
  if (!str_eq(buf_str(&a), buf_str(&b))) abort();
  buf_finish(&a);
  buf_finish(&b);
  config_free(first);
  config_free(second);
  return 0;
}
