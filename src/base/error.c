#include "base/error.h"
#include <stdarg.h>

static const struct {
  int code, http;
  const char *text;
} rows[] = {
#define X(name, value, text, http) {VDT_##name, http, text},
#include "vedette/errors.def"
#undef X
};

const char *vdt_strerror(int code)
{
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].code == code) return rows[i].text;
  return "unknown error";
}

int vdt_http_status(int code)
{
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].code == code) return rows[i].http;
  return 500;
}

__attribute__((format(printf, 5, 0))) static int set(struct vdt_error *err, int code, const char *file, unsigned line,
                                                     const char *fmt, va_list ap)
{
  if (!err) return code;
  *err = (struct vdt_error){.code = code, .line = line};
  if (file) snprintf(err->file, sizeof err->file, "%s", file);
  vsnprintf(err->text, sizeof err->text, fmt, ap);
  return code;
}

int error_set(struct vdt_error *err, int code, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  set(err, code, NULL, 0, fmt, ap);
  va_end(ap);
  return code;
}

int error_at(struct vdt_error *err, int code, const char *file, unsigned line, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  set(err, code, file, line, fmt, ap);
  va_end(ap);
  return code;
}
