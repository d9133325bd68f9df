"""What the checks of the house share: TAP lines, the files of the repository, C functions by their place."""
import os, re, subprocess, sys

SRC = os.environ.get("VEDETTE_SRC") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("VEDETTE_BUILD") or os.path.join(SRC, "build-test")
os.chdir(SRC)
_count = _failed = 0


def check(name, problems):
    """One case; problems are lines that say what is wrong and where. None at all: it passes."""
    global _count, _failed
    _count += 1
    problems = list(problems)
    for p in problems[:60]:
        print("#", p)
    if len(problems) > 60:
        print(f"# and {len(problems) - 60} more")
    _failed += bool(problems)
    print(f"{'not ok' if problems else 'ok'} {_count} - {name}")


def skip(name, reason):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}")


def end():
    print(f"1..{_count}")
    sys.exit(_failed > 0)


def files(*suffixes, under=""):
    """Files that git knows, or would take if it were asked to add all, with one of the suffixes."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", under or "."], capture_output=True, text=True, check=True).stdout
    return sorted(f for f in set(out.split("\n")) if f and os.path.isfile(f) and (not suffixes or f.endswith(suffixes)))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def functions(path):
    """(name, line, lines) of each function: its brace stands alone in the first column, as .clang-format has it."""
    lines = read(path).split("\n")
    for i, line in enumerate(lines):
        if line != "{":
            continue
        head = ""
        j = i - 1
        while j >= 0 and lines[j] and not lines[j].startswith(("#", "}")) and not lines[j].endswith((";", "*/")):
            head = lines[j] + " " + head
            j -= 1
        name = re.search(r"(\w+)\(", head)
        try:
            last = lines.index("}", i)
        except ValueError:
            continue
        if name:
            yield name[1], i + 1, last - i - 1


def rows(path):
    """The rows of an X-macro table: the text behind the macro's name of each row, which begins in the first column."""
    text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
    for part in re.split(r"^(?=[A-Z_]+\()|^(?=#)", text, flags=re.M):
        m = re.match(r"[A-Z_]+\((.*)\)\s*\Z", part, flags=re.S)
        if m:
            yield m[1]
