/* The policy that a deployment has when nothing else is said, and the names of the public enumerations. */
#include "vedette/vedette.h"

/* The same values stand as defaults in settings.def; tests/unit/config.c compares them. */
void vdt_policy_default(struct vdt_policy *out)
{
  const struct vdt_score_policy score = {VDT_BLOCK, 0.95, 0.60};
  *out = (struct vdt_policy){
      .name = "standard",
      .jailbreak = score,
      .indirect = score,
      .credential = {.prompt = VDT_DETECT, .response = VDT_REDACT, .minimum_confidence = 75},
      .sensitive = {.prompt = VDT_ALLOW, .response = VDT_DETECT, .minimum_confidence = 85},
      .malicious_url = {.prompt = VDT_DETECT, .response = VDT_DETECT, .minimum_confidence = 75},
      .reconnaissance = {VDT_DETECT, 0.95, 0.60},
      .instruction_leak = {VDT_DETECT, false},
      .tools = {.action = VDT_DETECT},
      .hidden_text = {VDT_DETECT},
      .second_opinion = {.shield = "none", .from = 0.40, .below = 0.95, .deadline_ms = 800, .per_minute = 60},
  };
}

#define PICK(names, i) ((size_t)(i) < sizeof(names) / sizeof *(names) ? (names)[i] : "unknown")

const char *vdt_action_name(enum vdt_action action)
{
  static const char *const names[] = {"allow", "detect", "redact", "cut", "block"};
  return PICK(names, action);
}

const char *vdt_role_name(enum vdt_role role)
{
  static const char *const names[] = {"system", "prompt", "document", "response"};
  return PICK(names, role);
}

const char *vdt_severity_name(enum vdt_severity s)
{
  static const char *const names[] = {"Informational", "Low", "Medium", "High"};
  return PICK(names, s);
}

const char *vdt_detector_name(enum vdt_detector_id det)
{
  static const char *const names[] = {
#define X(id, name, title, roles) name,
#include "vedette/detectors.def"
#undef X
  };
  return PICK(names, det);
}
