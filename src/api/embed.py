"""embed.py IN OUT: a JSON file as a C file that gives its text, without blanks that say nothing."""
import json, sys

text = json.dumps(json.load(open(sys.argv[1], encoding="utf-8")), separators=(",", ":"), ensure_ascii=True)
rows = [text[i:i + 100] for i in range(0, len(text), 100)]
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write('#include "api/openapi.h"\n\nstatic const char text[] = {\n')
    for row in rows:
        f.write("  " + ",".join(str(ord(c)) for c in row) + ",\n")
    f.write("};\n\nstruct str openapi_text(void)\n{\n  return (struct str){text, sizeof text};\n}\n")
