/* vedette alerts types: the catalogue of analyse/alerts.def, for a terminal, as JSON Lines, or as the table of docs/alerts.md. */
#include "analyse/alert.h"
#include "api/arm.h"
#include "cli/alerts.h"
#include "cli/table.h"

/* The items of a '|' list with a separator between them. */
static void put_joined(struct buf *b, const char *list, const char *separator)
{
  for (const char *p = list; *p; p++) buf_put(b, *p == '|' ? str_of(separator) : (struct str){p, 1});
}

static const struct table_column columns[] = {{"", 13, 4, false, false}, {"", 56, 4, false, false}, {"", 20, 4, false, false}};

static void put_line(struct table *t, struct buf *b, const struct alert_info *info)
{
  table_cell(t, b, str_of(vdt_severity_name(info->severity)));
  table_cell(t, b, str_of(info->type));
  table_cell(t, b, str_of(info->title));
}

static void put_words(struct buf *b, const char *title, const char *list)
{
  if (!*list) return;
  buf_printf(b, "%s: ", title);
  put_joined(b, list, ", ");
  BUF_LIT(b, ". ");
}

static void put_markdown(struct buf *b, const struct alert_info *info)
{
  buf_printf(b, "### `%s`\n\n**%s** (%s)\n\n%s\n\n", info->type, info->title, vdt_severity_name(info->severity),
             info->description);
  put_words(b, "ATT&CK tactics", info->tactics);
  put_words(b, "Techniques", info->techniques);
  put_words(b, "ATLAS", info->atlas);
  put_words(b, "OWASP", info->owasp);
  if (info->agent < ALERT_TYPES) buf_printf(b, "At an agent: `%s`. ", alert_info(info->agent)->type);
  if (b->n && b->p[b->n - 1] == ' ') b->n--;
  if (b->n && b->p[b->n - 1] != '\n') BUF_LIT(b, "\n\n");
  BUF_LIT(b, "- ");
  put_joined(b, info->remediation, "\n- ");
  BUF_LIT(b, "\n\n");
}

int alerts_types(const char *only, bool json, bool table, bool markdown)
{
  struct buf b = {0};
  struct table t;
  bool as_table = !markdown && cli_as_table(table, json);
  unsigned shown = 0;
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  for (unsigned i = 0; i < ALERT_TYPES; i++) {
    const struct alert_info *info = alert_info((enum alert_type)i);
    if (only && !str_eq(str_of(info->type), str_of(only))) continue;
    shown++;
    if (markdown) put_markdown(&b, info);
    else if (as_table) put_line(&t, &b, info);
    else arm_put_type(&b, (enum alert_type)i), buf_byte(&b, '\n');
  }
  if (only && !shown) {
    buf_finish(&b);
    return cli_usage("alerts", "--type: there is no such type; `vedette alerts types` lists them");
  }
  return cli_flush(&b) ? 0 : 1;
}
