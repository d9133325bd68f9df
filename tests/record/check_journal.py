#!/usr/bin/env python3
"""check_journal.py DIR...: validates every line of every journal below the folders against the schema. Prints what is wrong, never a value."""
import json, os, sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA, EGRESS = (json.load(open(os.path.join(HERE, "../../src/record", f"{name}.schema.json"))) for name in ("interaction", "egress"))


def problems(data, validator):
    try:
        value = json.loads(data)
    except ValueError as e:
        return [f"no JSON: {e.__class__.__name__}"]
    return [f"{'/'.join(map(str, e.absolute_path)) or 'record'}: breaks {e.validator!r}" for e in validator[isinstance(value, dict) and "egress" in value].iter_errors(value)]


def main(dirs):
    validator = [jsonschema.Draft202012Validator(s) for s in (SCHEMA, EGRESS)]
    for s in (SCHEMA, EGRESS):
        jsonschema.Draft202012Validator.check_schema(s)
    lines = bad = 0
    for top in dirs:
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                if not (name.startswith("journal-") and name.endswith(".jsonl")):
                    continue
                with open(os.path.join(folder, name), "rb") as f:
                    for number, data in enumerate(f, 1):
                        lines += 1
                        for p in problems(data, validator):
                            bad += 1
                            print(f"{os.path.join(folder, name)}:{number}: {p}")
    print(f"{lines} records, {bad} problems")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
