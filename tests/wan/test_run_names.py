"""Names of runs, of all languages and of those who mean no good, and what messages say of them."""

import contextlib
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.wan.kept import files, run, start
from wan_motion_chunks.wan.runs.files import RunError, check_name
from wan_motion_chunks.wan.runs.load import load_run

REFUSED = [
    "",
    " ",
    "..",
    "../run",
    "a/b",
    "a\\b",
    "/etc",
    "C:run",
    ".hidden",
    "dot.",
    "a\0b",
    "a\nb",
    "CON",
    "lpt1.x",
    "a" * 121,
    "trailing ",
    "~root/x",
    "~",
    "%2e%2e",
    "ä" * 61,
    "con .x",
    "con  . x",
    "Nul",
    "aux.tar.gz",
    "COM\xb9",
    "com\xb2.x",
    "LPT\xb3",
    "lpt\xb3 .x",
    "a\ud800",
    "\udcff",
    "a\u200bb",
    "a\u200db",
    "a\ufeff",
    "a\u202etxt.exe",
    "a\u2066b",
    "a\xadb",
    "a\u034fb",
    "a\u115f",
    "a\u3164",
    "\u3164",
    "a\uffa0b",
    "a\ufe0f",
    "a\U000e0100",
    "\u0301a",
    "a\u2028b",
    "a\xa0b",
    "a\x7f",
    "a\x85b",
    "a\uff0fb",
    "a\u2044b",
    "a*b",
    "a?b",
    "a|b",
    'a"b',
    "<a>",
    "a:b",
    "a$b",
    "x" * 1_000_000,
]
WORKS = [
    "my-video",
    "\u0412\u0438\u0434\u0435\u043e 3",
    "\u52d5\u753b_(2)",
    "a" * 120,
    "shot.v2",
    "ä" * 60,
    "\u0939\u093f\u0928\u094d\u0926\u0940",  # Hindi, half of it marks
    "\u0e44\u0e17\u0e22\u0e1b\u0e35\u0e48",  # Thai
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",  # Hebrew with points
    "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",  # Arabic with vowels
    "Vie\u0323\u0302t",
    "\ud55c\uad6d\uc5b4",
    "confetti",
    "com10",
    "com",
    "console.x",
    "a. .b",
    "x2\xb2",
]


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name[:20]))
def test_a_name_that_could_leave_the_folder_or_look_like_another_is_refused(tmp_path, name):
    with pytest.raises(RunError, match=r"^run_name: ") as caught:
        run(tmp_path, name=name)
    assert not list(tmp_path.iterdir())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 800
    with pytest.raises(RunError):
        load_run(tmp_path, name)


@pytest.mark.parametrize("name", [None, 7, 1.5, True, b"run", ["run"], {"run": 1}], ids=str)
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(RunError, match=f"^run_name: .*got {type(name).__name__}"):
        check_name(name)


@pytest.mark.parametrize("name", WORKS)
def test_names_of_all_languages_are_one_folder_however_they_are_typed(tmp_path, name):
    for form in ("NFD", "NFC"):
        typed = unicodedata.normalize(form, name)
        assert check_name(typed) == unicodedata.normalize("NFC", name)
        _, made, store, _ = run(tmp_path, start(17), name=typed)
        assert made == ([0] if form == "NFD" else [])
        assert len(load_run(tmp_path, typed).kept) == 1
    assert [path.name for path in tmp_path.iterdir()] == [check_name(name)]
    assert len(files(tmp_path, check_name(name))) == 1
    assert json.loads((store.folder / "run.json").read_text(encoding="utf-8"))["run"] == check_name(name)


@given(st.text(st.characters(codec=None), max_size=140))
def test_a_name_is_refused_or_one_plain_folder(name):
    with contextlib.suppress(RunError):
        check_plain(check_name(name))


def check_plain(found):
    assert check_name(found) == check_name(unicodedata.normalize("NFD", found)) == found
    assert len(found.encode()) <= 120
    assert not set(found) & set('/\\:*?"<>|~')
    assert found.isprintable()
    stem = found.partition(".")[0].rstrip(" ").upper()
    assert not re.fullmatch("CON|PRN|AUX|NUL|(COM|LPT)[1-9\xb9\xb2\xb3]", stem)
    assert found == found.strip(" .")
