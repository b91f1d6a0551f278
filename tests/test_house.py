"""The rules of the house that a linter does not know."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = [
    path
    for folder in ("blending", "motion", "nodes", "tiny", "wan")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.name.startswith("train")
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
WORDS = 3
"""English words that a test may look for in one text: names, numbers and what came say as much, in any wording."""


def imports(path):
    """Dotted names that a file imports, relative ones resolved within the pack: ``blending.seam``, and what it takes
    from there: ``blending.seam.judge``."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module or ""))
            yield from (module, *(f"{module}.{alias.name}" for alias in node.names))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_dependencies_run_one_way(path):
    folder = path.relative_to(ROOT).parts[0]
    below = {
        "nodes": {"wan", "motion", "blending", "tiny"},
        "wan": {"motion", "blending"},
        "blending": {"motion"},
        "tiny": {"tiny"},
    }
    allowed = below.get(folder, set()) | {folder}
    ours = {name.split(".")[0] for name in imports(path)} & {"nodes", "wan", "motion", "blending", "tiny", "farm"}
    assert ours <= allowed


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_code_runs_no_processes_and_opens_no_connections(path):
    banned = {"subprocess", "socket", "urllib", "requests", "http", "pickle", "marshal", "ctypes"}
    assert not {name.split(".")[0] for name in imports(path)} & banned
    assert "torch.load" not in path.read_text(encoding="utf-8")


def looked_for(function):
    """What a test looks for in texts: expressions in ``match=``, before ``in`` and in ``startswith`` and the like, and
    the columns of ``parametrize`` that come to stand there."""
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found.append(node.left)
        elif isinstance(node, ast.Call):
            found += [given.value for given in node.keywords if given.arg == "match"]
            if getattr(node.func, "attr", "") in ("count", "endswith", "findall", "match", "search", "startswith"):
                found += node.args[:1]
    names = {node.id for each in found for node in ast.walk(each) if isinstance(node, ast.Name)}
    for decorator in function.decorator_list:
        if ast.unparse(decorator).startswith("pytest.mark.parametrize(") and isinstance(decorator.args[1], ast.List):
            columns = ast.literal_eval(decorator.args[0])
            for row in decorator.args[1].elts if isinstance(columns, tuple) else ():
                found += [
                    value for name, value in zip(columns, getattr(row, "elts", ()), strict=False) if name in names
                ]
    return found


def english(expression):
    """The words in a text of a test's source; input_names, files, numbers and the ``got`` of a value are none."""
    texts = [node.value for node in ast.walk(expression) if isinstance(node, ast.Constant)]
    text = "0".join(text for text in texts if isinstance(text, str))
    return re.findall(r"(?<![\w/.'-])(?!got\b)[A-Za-z]{2,}(?![\w/'-]|\.\w)", text)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_looks_for_sentences(path):
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            wordy = [ast.unparse(each) for each in looked_for(function) if len(english(each)) > WORDS]
            assert not wordy, function.name


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_imports_from_another(path):
    tests = {".".join(each.relative_to(ROOT).with_suffix("").parts) for each in TESTS if each.name.startswith("test_")}
    tests |= {".".join((*each.relative_to(ROOT).parts[:-1], "conftest")) for each in TESTS}
    assert not {name.removeprefix("wan_motion_chunks.") for name in imports(path)} & tests


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(ROOT.glob("*/**/*.py")) if ".venv" not in path.parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_file_is_longer_than_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_the_core_imports_without_comfyui_and_without_anything_heavy():
    code = (
        "import sys; sys.path.insert(0, 'tools'); import run; run.load_pack(); "
        "assert 'torch' not in sys.modules; "
        "import wan_motion_chunks.wan, wan_motion_chunks.blending, wan_motion_chunks.motion; "
        "assert not any(name.split('.')[0] in ('comfy', 'folder_paths', 'nodes') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
