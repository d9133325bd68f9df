/* The man page, vedette(1), made of the tables that the program itself works with, so that it cannot say anything else. */
#include "cli/man.h"
#include "base/str.h"

struct row {
  const char *name, *text;
};

static const struct row environment[] = {
#define X(name, text) {name, text},
#include "cli/environment.def"
#undef X
};

/* The places of the data statement: file or folder, and what it is. */
static const struct row places[] = {
#define X(class, pattern, type, mode, owner, text) {pattern, text},
#include "data/places.def"
#undef X
};

static const struct row attention[] = {
#define X(id, name, severity, title, text) {title, text},
#include "api/attention.def"
#undef X
};

static const struct row signals[] = {
    {"SIGINT, SIGTERM", "vedette run: requests under way get three seconds to finish, then everything it started stops."},
    {"SIGHUP",
     "vedette run: reads configuration and rules again. What is wrong is said with file and line, and then the old ones stay in "
     "force; no request is lost either way."},
};

static const struct row statuses[] = {{"0", "Done."},
                                      {"1", "Done in part, failed, or found; each command says which."},
                                      {"2", "Wrong usage, or a configuration that is not right."}};

/* Text as roff has it: no escapes, no macros at the begin of a line, real hyphens. */
static void put(FILE *f, const char *text)
{
  bool begin = true;
  for (const char *p = text; *p; p++) {
    if (begin && (*p == '.' || *p == '\'')) fputs("\\&", f);
    if (*p == '\\') fputs("\\e", f);
    else if (*p == '-') fputs("\\-", f);
    else if (*p == '/') fputs("/\\:", f); /* a long path may go on in the next line */
    else if (*p == '\'') fputs("\\(aq", f);
    else if (*p == '`') fputs("\\(ga", f);
    else if (*p == '^') fputs("\\(ha", f);
    else if (*p == '~') fputs("\\(ti", f);
    else fputc(*p, f);
    begin = *p == '\n';
  }
}

static void put_rows(FILE *f, const struct row *rows, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    fputs(".TP\n.B ", f);
    put(f, rows[i].name);
    fputc('\n', f);
    put(f, rows[i].text);
    fputc('\n', f);
  }
}
#define PUT_ROWS(f, rows) put_rows(f, rows, sizeof(rows) / sizeof *(rows))

static void put_paragraph(FILE *f, const char *text)
{
  fputs(".PP\n", f);
  put(f, text);
  fputc('\n', f);
}

static void put_verbatim(FILE *f, const char *text)
{
  struct str s = str_of(text);
  fputs(".PP\n.nf\n", f);
  put(f, text);
  fputs(s.n && s.p[s.n - 1] == '\n' ? ".fi\n" : "\n.fi\n", f);
}

static void put_command(FILE *f, const struct man_command *c)
{
  fprintf(f, ".SS vedette ");
  put(f, c->name);
  fputc('\n', f);
  put_paragraph(f, c->line);
  put_verbatim(f, c->usage);
  put_verbatim(f, c->help);
}

int man_print(FILE *f, const char *version, const struct man_command *commands, size_t n)
{
  fprintf(f,
          ".TH VEDETTE 1 \"\" \"vedette %s\" \"vedette\"\n.ad l\n.nh\n.SH NAME\nvedette \\- threat protection for AI workloads\n",
          version);
  fputs(".SH SYNOPSIS\n.B vedette\n.I COMMAND\n.RI [ OPTIONS ]\n.SH DESCRIPTION\n", f);
  put(f, "vedette stands in front of model deployments, reads each prompt, document, tool call and answer, stops jailbreaks and "
         "leaks, and raises "
         "alerts. vedette run starts it all: a gateway (nginx with the vedette module), which needs nothing else to protect, and "
         "the control "
         "process, which turns the gateway's journals into alerts and answers the control API and the portal.\n");
  fputs(".SH WHEN SOMETHING IS WRONG\n", f);
  put(f, "The first look: does the gateway answer, does the control process, what do they say?\n");
  put_verbatim(
      f,
      "curl --unix-socket STATE/control.sock http://localhost/healthz\n"
      "tail STATE/logs/nginx.log STATE/logs/serve.log\n"
      "vedette config check vedette.yaml\n"
      "vedette data verify\n"
      "curl --unix-socket STATE/control.sock -H \"Authorization: Bearer $(cat STATE/admin.token)\" http://localhost/metrics\n");
  put_paragraph(f, "Each answer of the gateway carries x-vedette-interaction, the id of its record, and x-vedette-verdict, what "
                   "was decided. Logs hold "
                   "no prompt, answer, key or token. What the overview of the portal and of the control API names as needing "
                   "attention, and what to "
                   "do then:");
  PUT_ROWS(f, attention);
  fputs(".SH COMMANDS\n", f);
  for (size_t i = 0; i < n; i++) put_command(f, &commands[i]);
  fputs(".SH FILES\nBelow the state folder; a star stands for any name, {workspace} for the name of one.\n", f);
  PUT_ROWS(f, places);
  fputs(".SH ENVIRONMENT\n", f);
  PUT_ROWS(f, environment);
  fputs(".SH SIGNALS\n", f);
  PUT_ROWS(f, signals);
  fputs(".SH EXIT STATUS\n", f);
  PUT_ROWS(f, statuses);
  fputs(
      ".SH SEE ALSO\n.BR nginx (8)\n.PP\nThe folder docs of the source: architecture.md, configuration.md, gateway.md, api.md.\n",
      f);
  return ferror(f) ? 1 : 0;
}
