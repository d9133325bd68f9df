/* The public keys that evidence is sealed to. */
#include "base/error.h"
#include "base/file.h"
#include "gateway/load.h"
#include <limits.h>
#include <unistd.h>

static bool find(const struct config *c, const struct config_workspace *w, const char *state, char path[PATH_MAX])
{
  if (w->evidence_public_key) return load_resolve(w->evidence_public_key, c->path, path, PATH_MAX);
  int n = snprintf(path, PATH_MAX, "%s/keys/%s.pub", state, w->name);
  return n > 0 && n < PATH_MAX;
}

int load_public_key(const struct config *config, const struct config_workspace *w, const char *state, struct seal_public *out,
                    bool *found, struct vdt_error *err)
{
  char path[PATH_MAX];
  struct buf text = {0};
  *found = false;
  if (!find(config, w, state, path)) return error_at(err, VDT_ECONFIG, w->name, 0, "the path of its public key is too long");
  if (!w->evidence_public_key && access(path, F_OK)) return VDT_OK;
  int rc = file_read(path, SEAL_KEY_FILE_MAX, &text, err);
  if (!rc) rc = seal_public_read(buf_str(&text), path, str_of(w->name), out, err);
  buf_finish(&text);
  *found = !rc;
  return rc;
}
