"""A digest of programs that is the same under every Python: python tests/code_digest.py FILE...

Of their tokens without comments, docstrings and layout; INDENT and DEDENT count as brackets do.
"""

import ast
import hashlib
import io
import sys
import tokenize
from pathlib import Path

LAYOUT = ("COMMENT", "NL", "NEWLINE", "ENCODING", "ENDMARKER")


def tokens(text):
    """The tokens of a program; an f-string is one, its source."""
    docs = {node.body[0].lineno for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(node, clean=False) is not None}
    lines, depth, start = text.splitlines(), 0, None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":  # Python 3.12 splits what 3.11 gives as one
            start, depth = (start or token.start), depth + 1
        elif kind == "FSTRING_END":
            depth -= 1
            if not depth:
                yield _between(lines, start, token.end)
                start = None
        elif depth:
            continue
        elif kind not in LAYOUT and not (kind == "STRING" and token.start[0] in docs):
            yield kind if kind in ("INDENT", "DEDENT") else token.string


def _between(lines, start, end):
    (a, i), (b, j) = start, end
    return lines[a - 1][i:j] if a == b else "\n".join([lines[a - 1][i:], *lines[a:b - 1], lines[b - 1][:j]])


def digest(paths):
    found = hashlib.sha256()
    for path in paths:
        found.update("\0".join(tokens(Path(path).read_text(encoding="utf-8"))).encode())
    return found.hexdigest()[:16]


if __name__ == "__main__":
    print(digest(sys.argv[1:]))
