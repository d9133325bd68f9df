/*
 * vedette rules hash: makes the hashes under which a configuration allows exact values, and, the first time, the key that they are made with. The
 * values themselves are read and forgotten.
 */
#include "cli/rules.h"
#include "base/error.h"
#include "gateway/load.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <unistd.h>

/* The key of a configuration that names a file which is not there yet. */
static int make_key(const char *path, struct vdt_error *err)
{
  unsigned char key[VDT_ALLOW_KEY];
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return VDT_OK;
  if (fd < 0) return error_at(err, VDT_EIO, path, 0, "%s", strerror(errno));
  bool ok =
      getrandom(key, sizeof key, 0) == (ssize_t)sizeof key && write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0;
  close(fd);
  if (ok) return VDT_OK;
  unlink(path);
  return error_at(err, VDT_EIO, path, 0, "the key could not be written");
}

static int print_hashes(const unsigned char key[VDT_ALLOW_KEY])
{
  char *line = NULL, hash[VDT_ALLOW_HASH];
  size_t cap = 0;
  for (ssize_t n; (n = getline(&line, &cap, stdin)) >= 0;) {
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
    if (n == 0) continue;
    vdt_allow_hash(key, line, (size_t)n, hash);
    printf("  - {hash: \"%s\"}\n", hash);
  }
  if (line) explicit_bzero(line, cap);
  free(line);
  return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}

int rules_hash(const char *config_file)
{
  struct vdt_error err = {0};
  struct config *config = NULL;
  unsigned char key[VDT_ALLOW_KEY];
  char path[PATH_MAX];
  if (!config_file) return cli_usage("rules", "hash needs --config FILE: the key is in the file that its allowed_key names");
  int rc = load_config(config_file, &config, &err);
  if (!rc && !config->allowed_key)
    rc = error_at(&err, VDT_ECONFIG, config_file, 0, "add \"allowed_key: FILE\"; the file is made when it is not there");
  if (!rc && !load_resolve(config->allowed_key, config->path, path, sizeof path))
    rc = error_at(&err, VDT_ECONFIG, config_file, 0, "allowed_key: the path is too long");
  if (!rc) rc = make_key(path, &err);
  if (!rc) rc = load_allowed_key(config, key, &err);
  rc = rc ? rules_complain(&err) : print_hashes(key);
  explicit_bzero(key, sizeof key);
  config_free(config);
  return rc;
}
