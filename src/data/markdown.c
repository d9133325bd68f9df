/* The tables of this folder as docs/data-statement.md has them. */
#include "data/verify.h"
#include "data/words.h"

static void put_classes(struct buf *b)
{
  BUF_LIT(b, "| class | holds | concerns | how long | through the API by | protected |\n|---|---|---|---|---|---|\n");
  for (unsigned i = 0; i < DATA_CLASSES; i++) {
    const struct data_class *c = &data_classes[i];
    buf_printf(b, "| %s (`%s`) | %s | %s | ", c->title, c->name, c->holds, data_scope_word(c->scope));
    data_put_retention(b, c, NULL);
    buf_printf(b, " | %s | %s |\n", data_role_of(c), c->protection);
  }
}

static void put_places(struct buf *b)
{
  static const char *const types[] = {"file", "folder", "socket"};
  BUF_LIT(b, "\n| in the state folder | class | is | at most | owner |\n|---|---|---|---|---|\n");
  for (size_t i = 0; i < data_n_places; i++) {
    const struct data_place *p = &data_places[i];
    buf_printf(b, "| `%s` | `%s` | %s: %s | %04o | %s |\n", p->pattern, data_classes[p->class].name, types[p->type], p->what,
               p->mode, p->owner == DATA_OWNER ? "who runs vedette" : "the gateway's account");
  }
}

void data_put_markdown(struct buf *b)
{
  put_classes(b);
  put_places(b);
  BUF_LIT(b, "\n| connection | why | sends |\n|---|---|---|\n");
  for (unsigned i = 0; i < DATA_CONNECTIONS; i++) {
    const struct data_connection_info *c = &data_connection_kinds[i];
    buf_printf(b, "| `%s` | %s | %s |\n", c->name, c->why, c->sends);
  }
  BUF_LIT(b, "\n| fault | means | what to do |\n|---|---|---|\n");
  for (unsigned i = 0; i < DATA_FAULTS; i++)
    buf_printf(b, "| `%s` | %s | %s |\n", data_fault_name((enum data_fault)i), data_fault_text((enum data_fault)i),
               data_fault_todo((enum data_fault)i));
  BUF_LIT(b, "\n| not kept | because |\n|---|---|\n");
  for (size_t i = 0; i < data_n_absent; i++) buf_printf(b, "| %s | %s |\n", data_absent[i].what, data_absent[i].why);
}
