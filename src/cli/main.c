/* vedette: finds the command and calls it. Everything else is in the command's own file. */
#include "cli/cli.h"
#include "cli/man.h"
#include <fcntl.h>

struct command {
  const char *name;
  int (*fn)(int argc, char **argv);
  const char *line, *usage, *help;
};

/* Weak, so that a build that leaves a command out still links: its row is then skipped. */
#define X(name, fn, line, usage, help) int fn(int argc, char **argv) __attribute__((weak));
#include "cli/commands.def"
#undef X

static const struct command commands[] = {
#define X(name, fn, line, usage, help) {name, fn, line, usage, help},
#include "cli/commands.def"
#undef X
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
  for (size_t i = 0; i < COMMANDS; i++)
    if (commands[i].fn && strcmp(commands[i].name, name) == 0) return &commands[i];
  return NULL;
}

static int unknown(const char *name)
{
  const char *best = NULL;
  unsigned least = strlen(name) < 6 ? (unsigned)strlen(name) / 2 + 1 : 4; /* of a short word any other would be near */
  for (size_t i = 0; i < COMMANDS; i++) {
    unsigned d = str_distance(str_of(name), str_of(commands[i].name));
    if (commands[i].fn && d < least) {
      least = d;
      best = commands[i].name;
    }
  }
  fprintf(stderr, "vedette: unknown command \"");
  cli_print_safe(stderr, str_of(name));
  if (best) fprintf(stderr, "\"; did you mean \"%s\"?\n", best);
  else fprintf(stderr, "\"; `vedette --help` lists them\n");
  return CLI_USAGE;
}

static int help_all(FILE *f)
{
  fprintf(f, "vedette: threat protection for AI workloads, on your own machines\n\nUsage: vedette COMMAND [OPTIONS]\n\n");
  for (size_t i = 0; i < COMMANDS; i++)
    if (commands[i].fn) fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].line);
  fprintf(f, "\n`vedette help COMMAND` teaches a command with examples. `vedette help --man` is the man page,\n`vedette help "
             "--man | man -l -` to read it. `vedette --version` says which this is.\n");
  return f == stdout ? 0 : CLI_USAGE;
}

static int help_one(const char *name)
{
  const struct command *c = find(name);
  if (!c) return unknown(name);
  printf("vedette %s: %s\n\nUsage: %s\n\n%s", c->name, c->line, c->usage, c->help);
  return 0;
}

static int help_man(void)
{
  struct man_command linked[COMMANDS];
  size_t n = 0;
  for (size_t i = 0; i < COMMANDS; i++)
    if (commands[i].fn)
      linked[n++] = (struct man_command){commands[i].name, commands[i].line, commands[i].usage, commands[i].help};
  return man_print(stdout, VEDETTE_VERSION, linked, n);
}

static bool asks_for_help(int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
  return false;
}

static int help(const char *word)
{
  if (!word || strcmp(word, "help") == 0) return help_all(stdout);
  return strcmp(word, "--man") == 0 ? help_man() : help_one(word);
}

static int version(void)
{
  printf("vedette %s\n", VEDETTE_VERSION);
  return 0;
}

static int dispatch(int argc, char **argv)
{
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) return version();
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return help_all(stdout);
  if (strcmp(name, "help") == 0) return help(argc > 2 ? argv[2] : NULL);
  const struct command *c = find(name);
  if (!c) return unknown(name);
  if (asks_for_help(argc - 1, argv + 1)) return help_one(name);
  return c->fn(argc - 1, argv + 1);
}

/* A stream that was closed (`>&-`) would give its number to the next file that is opened, and what is said would be written into that. */
static void fill_streams(void)
{
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* reading and writing fail as before */
}

int main(int argc, char **argv)
{
  fill_streams();
  if (argc < 2) return help_all(stderr);
  char *name = argv[1]; /* commands move their arguments */
  return cli_end(find(name) ? name : "help", dispatch(argc, argv));
}
