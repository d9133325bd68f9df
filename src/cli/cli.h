/*
 * cli: what the subcommands of `vedette` share. One file per subcommand, one row each in commands.def; main.c only dispatches.
 *
 * A command gets its own argv: argv[0] is its name. It returns the exit status: 0 done, 1 done in part or failed, 2 wrong usage or
 * configuration. Data goes to standard output, talk to standard error.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include "base/buf.h"
#include "base/str.h"

#define X(name, fn, line, usage, help) int fn(int argc, char **argv);
#include "cli/commands.def"
#undef X

enum { CLI_USAGE = 2 };

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_LIST };

/* One long option. `to` points at a bool, a const char *, an unsigned or a struct cli_list. */
struct cli_option {
  const char *name;
  enum cli_kind kind;
  void *to;
};

struct cli_list {
  const char *items[64];
  size_t n;
};

/* Reads --name VALUE and --name=VALUE wherever they stand and moves what is left to the front of argv[1..]; returns how many that
 * are, or -1 after it has said what is wrong. "--" ends the options. */
int cli_options(int argc, char **argv, const struct cli_option *options, size_t n);

/* "vedette NAME: text" on standard error; returns CLI_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct vdt_error;
/* "vedette NAME: FILE:LINE: text" on standard error, with what the error knows of it; returns 1. */
int cli_complain(const char *command, const struct vdt_error *err);

/* Writes it to standard output and finishes it; false when that failed, or when the buffer had. */
bool cli_flush(struct buf *b);

/* Appends text that others wrote for a terminal: control characters, escape sequences, characters that change the direction of
 * writing, and bytes that are not UTF-8 become \xNN or \u{...}. */
void cli_safe(struct buf *out, struct str text);
/* The same to a stream. */
void cli_print_safe(FILE *f, struct str text);

/* Colour is wanted: f is a terminal, NO_COLOR is unset or empty, TERM is not dumb. */
bool cli_colour(FILE *f);
/* A list is a table on a terminal and JSON Lines elsewhere, unless one of them was asked for. */
bool cli_as_table(bool table, bool json);
/* "90s", "15m", "12h", "7d" before now, or a time like 2026-11-25T15:46:15Z, or a day of it; Unix time in microseconds. */
bool cli_since(const char *text, uint64_t *out);
enum { CLI_WHO = 80 };
/* Whom histories and the audit log name for what a command changes: "cli:" and the system's account. */
void cli_who(char out[CLI_WHO]);
/* --state DIR, else $VEDETTE_STATE, else ./state. */
const char *cli_state(const char *given);
/* Says that the state folder lacks that file or folder of its own, or does not let us read it (error: the errno), and what to do about it; returns
 * CLI_USAGE. */
int cli_state_missing(const char *command, const char *state, const char *name, int error);
/* --key: NULL, or file:PATH, env:NAME or command:PROGRAM ARGUMENT...; else it says so. */
bool cli_key_source(const char *command, const char *source);
/* What the command printed is out: rc. Else, after saying so, not 0. A reader that has gone (`| head`) has what it wanted. */
int cli_end(const char *command, int rc);
#endif
