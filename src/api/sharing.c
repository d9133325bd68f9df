/* Audit records of AI interactions: RecordType 328, ConnectedAIAppInteraction; our own members stand in "Vedette". */
#include "api/sharing.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void sharing_open(struct sharing *s, const char *state_dir, struct str workspace)
{
  *s = (struct sharing){0};
  snprintf(s->folder, sizeof s->folder, "%s/workspaces/%.*s/sharing", state_dir, (int)workspace.n, workspace.p);
}

void sharing_close(struct sharing *s)
{
  buf_finish(&s->lines);
}

void sharing_drop(struct sharing *s)
{
  buf_reset(&s->lines);
  s->lines.failed = false;
}

/* ---- one record -------------------------------------------------------------------------------------------------- */

static void put(struct buf *b, const char *name, struct str value)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}

static bool has_attack(const struct record *r, struct str detector)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (str_eq(r->findings[i].detector, detector) && !str_eq(r->findings[i].action, STR("allow"))) return true;
  return false;
}

/* How often each kind was found, told at its first finding. */
static void put_kinds(struct buf *b, const struct record *r, const char *name, struct str detector)
{
  bool first = true;
  buf_printf(b, ",\"%s\":[", name);
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct record_finding *f = &r->findings[i];
    unsigned count = 0, before = 0;
    if (!str_eq(f->detector, detector)) continue;
    for (size_t k = 0; k < r->n_findings; k++) {
      const struct record_finding *g = &r->findings[k];
      bool same = str_eq(g->detector, detector) && str_eq(g->rule, f->rule) && str_eq(g->direction, f->direction);
      count += same;
      before += same && k < i;
    }
    if (before) continue;
    buf_printf(b, "%s{\"Direction\":\"%.*s\",\"Count\":%u", first ? "" : ",", (int)f->direction.n, f->direction.p, count);
    put(b, "Kind", f->rule);
    put(b, "Action", f->action);
    buf_byte(b, '}');
    first = false;
  }
  BUF_LIT(b, "]");
}

static void put_messages(struct buf *b, const struct record *r)
{
  buf_printf(b,
             "\"MessageIds\":[\"%s-p\",\"%s-r\"],\"Messages\":[{\"Id\":\"%s-p\",\"Size\":%llu,\"isPrompt\":true,"
             "\"JailbreakDetected\":%s},{\"Id\":\"%s-r\",\"Size\":%llu,\"isPrompt\":false}]",
             r->id, r->id, r->id, (unsigned long long)r->request.bytes, has_attack(r, STR("jailbreak")) ? "true" : "false", r->id,
             (unsigned long long)r->response.bytes);
}

static void put_event(struct buf *b, const struct record *r)
{
  BUF_LIT(b, ",\"CopilotEventData\":{");
  put_messages(b, r);
  put(b, "AppHost", r->application);
  put(b, "ThreadId", STR(""));
  BUF_LIT(b, ",\"Contexts\":[],\"AccessedResources\":[],\"ModelTransparencyDetails\":[{\"ModelProviderName\":\"\"");
  put(b, "ModelName", r->model.n ? r->model : r->deployment);
  BUF_LIT(b, "}]}");
}

static void put_own(struct buf *b, const struct record *r)
{
  buf_printf(b, ",\"Vedette\":{\"Verdict\":\"%s\"", record_verdict_name(r->verdict));
  put(b, "Deployment", r->deployment);
  put(b, "Workspace", r->workspace);
  buf_printf(b, ",\"IndirectAttackDetected\":%s", has_attack(r, STR("indirect")) ? "true" : "false");
  put_kinds(b, r, "SensitiveInformation", STR("sensitive"));
  put_kinds(b, r, "Credentials", STR("credential"));
  buf_byte(b, '}');
}

void sharing_add(struct sharing *s, const struct record *r)
{
  struct buf *b = &s->lines;
  char time[CLOCK_TEXT];
  clock_format(r->time_us, time);
  buf_printf(b,
             "{\"CreationTime\":\"%.19s\",\"Id\":\"%.8s-%.4s-%.4s-%.4s-%.12s\",\"RecordType\":328,"
             "\"Operation\":\"ConnectedAIAppInteraction\",\"Workload\":\"ConnectedAIApp\",\"UserType\":0,\"Version\":1",
             time, r->id, r->id + 8, r->id + 12, r->id + 16, r->id + 20);
  put(b, "OrganizationId", r->end_user_tenant);
  put(b, "UserKey", r->end_user.n ? r->end_user : r->key_id);
  put(b, "UserId", r->end_user);
  put(b, "ClientIP", r->source_ip.n ? r->source_ip : r->client_ip);
  put_event(b, r);
  put_own(b, r);
  BUF_LIT(b, "}\n");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool append(int fd, struct str text)
{
  for (size_t at = 0; at < text.n;) {
    ssize_t n = write(fd, text.p + at, text.n - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += (size_t)n;
  }
  return true;
}

/* What a full disk cut short is taken back: a reader never meets half a line with another behind it. */
static bool append_whole(const char *path, struct str text)
{
  struct stat st;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return false;
  bool ok = fstat(fd, &st) == 0 && append(fd, text);
  int reason = errno;
  if (!ok && ftruncate(fd, st.st_size) != 0) reason = errno;
  close(fd);
  errno = reason;
  return ok;
}

int sharing_write(struct sharing *s, uint64_t now_us, struct vdt_error *err)
{
  char path[4096 + 32], day[CLOCK_TEXT];
  if (s->lines.failed) return error_set(err, VDT_ENOMEM, "out of memory");
  if (!s->lines.n) return VDT_OK;
  clock_format(now_us, day);
  snprintf(path, sizeof path, "%s/%.10s.jsonl", s->folder, day);
  if ((mkdir(s->folder, 0750) && errno != EEXIST) || !append_whole(path, buf_str(&s->lines)))
    return error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  sharing_drop(s);
  return VDT_OK;
}
