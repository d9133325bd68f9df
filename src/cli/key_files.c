#include "cli/key_files.h"
#include "api/key_source.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(const char *state, struct vdt_error *err)
{
  char path[PATH_MAX];
  int n = snprintf(path, sizeof path, "%s/keys", state);
  if (n < 0 || (size_t)n >= sizeof path) return error_set(err, VDT_EINVAL, "the path of the state folder is too long");
  if (mkdir(path, 0750) && errno != EEXIST) return error_at(err, VDT_EIO, path, 0, "cannot be made: %s", strerror(errno));
  return VDT_OK;
}

static const char *path_of(const char *state, struct str workspace, const char *file, bool private, char path[PATH_MAX])
{
  if (file) return file;
  return key_source_path(state, workspace, private, path, PATH_MAX) ? path : NULL;
}

/* Without a buffer of the stream's: it would be freed as it is, with the key in it. */
static bool write_unbuffered(void *ctx, FILE *f)
{
  const struct str *text = ctx;
  return setvbuf(f, NULL, _IONBF, 0) == 0 && fwrite(text->p, 1, text->n, f) == text->n;
}

static int put_private(const char *path, struct str text, struct vdt_error *err)
{
  if (strcmp(path, "-") != 0) return file_replace_with(path, 0600, write_unbuffered, &text, err);
  bool ok = write_unbuffered(&text, stdout) && fflush(stdout) == 0;
  return ok ? VDT_OK : error_set(err, VDT_EIO, "standard output: %s", strerror(errno));
}

static int put_public(const char *path, struct str workspace, const struct seal_public *key, struct vdt_error *err)
{
  struct buf text = {0};
  seal_public_write(workspace, key, &text);
  int rc = text.failed ? error_set(err, VDT_ENOMEM, "out of memory") : file_replace(path, buf_str(&text), 0644, err);
  buf_finish(&text);
  return rc;
}

int key_files_make(const char *state, struct str workspace, const char *private_file, const char *public_file, struct str before,
                   struct seal_public *out, struct vdt_error *err)
{
  char private_path[PATH_MAX], public_path[PATH_MAX];
  struct buf text = {0};
  private_file = path_of(state, workspace, private_file, true, private_path);
  public_file = path_of(state, workspace, public_file, false, public_path);
  if (!private_file || !public_file) return error_set(err, VDT_EINVAL, "the path of the state folder is too long");
  int rc = private_file == private_path || public_file == public_path ? make_folder(state, err) : VDT_OK;
  if (!rc && !buf_reserve(&text, before.n + 512)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  buf_put(&text, before);
  if (before.n && before.p[before.n - 1] != '\n') buf_byte(&text, '\n');
  if (!rc) rc = seal_key_make(workspace, &text, out, err);
  if (!rc) rc = put_private(private_file, buf_str(&text), err);
  if (!rc) rc = put_public(public_file, workspace, out, err);
  seal_text_finish(&text);
  return rc;
}

int key_files_public(const char *state, struct str workspace, const char *public_file, struct seal_public *out,
                     struct vdt_error *err)
{
  char path[PATH_MAX];
  struct buf text = {0};
  const char *file = path_of(state, workspace, public_file, false, path);
  if (!file) return error_set(err, VDT_EINVAL, "the path of the state folder is too long");
  if (access(file, F_OK))
    return error_at(err, VDT_ENOTFOUND, file, 0, "there is no key; `vedette keys new %.*s` makes one", (int)workspace.n,
                    workspace.p);
  int rc = file_read(file, SEAL_KEY_FILE_MAX, &text, err);
  if (!rc) rc = seal_public_read(buf_str(&text), file, workspace, out, err);
  buf_finish(&text);
  return rc;
}
