"""The timeline as an editor: chunks fill in, play, and are made again, told something else, chosen, stopped."""

import re

import pytest
from wan_motion_chunks.tests.browser.editor import ORIGINS, PROMPT, WIDGETS
from wan_motion_chunks.tests.browser.scripts import LINK_LENGTH, TYPE

SAVE = """() => {
    const saved = JSON.stringify(window.app.graph.serialize());
    window.sessionStorage.setItem("wanMotionSaved", saved);
}"""
OPEN_SAVED = """async () => {
    const saved = JSON.parse(window.sessionStorage.getItem("wanMotionSaved"));
    await window.app.loadGraphData(saved, true, true, "again");
}"""
OPEN_COPY = """async () => {
    const saved = JSON.parse(window.sessionStorage.getItem("wanMotionSaved"));
    await window.app.loadGraphData({ ...saved, id: crypto.randomUUID() }, true, true, "copy");
}"""
ONE_MADE = """() => {
    const root = document.querySelector(".wan-motion-timeline");
    const origins = [...root.querySelectorAll(".chunk")].map((bar) => bar.classList[1]);
    return origins.filter((each) => each === "made").length === 1 && [root.querySelector(".now").textContent, origins];
}"""


def test_chunks_fill_in_while_the_video_is_made_and_play_then(editor):
    page = editor.page
    page.evaluate(TYPE, ["WanMotionLongVideo", "steps", 12])  # so that there is time to look
    assert editor.root.locator(".disk").text_content()
    editor.queue()
    words, origins = page.wait_for_function(ONE_MADE, timeout=60_000).json_value()
    assert origins == ["made", "making", "planned"]
    assert re.fullmatch(r"\D+2\D+3, \d+ s \w+", words)
    still = editor.chunks.first.locator("img")
    assert still.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 64
    page.evaluate(
        """() => {
            window.wanMotionPlayed = [];
            const note = ({ target }) => window.wanMotionPlayed.push(new URL(target.src).searchParams.get("filename"));
            document.addEventListener("play", note, true);
        }"""
    )
    editor.press("video so far")
    editor.wait_until(["made"] * 3)
    page.wait_for_function("() => window.wanMotionPlayed.length === 3", timeout=30_000)
    assert [name[:10] for name in page.evaluate("() => window.wanMotionPlayed")] == [f"chunk_000{n}" for n in (1, 2, 3)]
    editor.pick(2)
    film = editor.root.locator("video")
    page.wait_for_function("() => document.querySelector('.wan-motion-timeline video').currentTime > 0")
    assert film.evaluate("(video) => [video.muted, video.loop, video.controls]") == [True, True, True]
    assert film.evaluate("(video) => video.duration") == pytest.approx(12 / 16, abs=0.02)
    node = page.evaluate("() => String(window.app.graph.nodes.find((each) => each.type === 'WanMotionLongVideo').id)")
    seen = page.evaluate("() => window.wanMotionSeen")
    assert {each["nodeId"] for each in seen} == {node}
    assert [re.findall(r"\d+", each["text"])[:2] for each in seen] == [["1", "3"], ["2", "3"], ["3", "3"]]
    assert "$$node-text-preview" not in page.evaluate(WIDGETS, "WanMotionLongVideo")


def test_a_chunk_is_made_again_alone_or_with_all_behind_it_and_a_take_is_chosen(editor):
    editor.kept_run()
    editor.pick(2)
    editor.press("redo with another seed")
    editor.wait_until(["kept", "made", "made"])
    assert editor.widgets("vary_from", "variation", "keep_later", "use_takes") == [2, 1, False, ""]
    assert editor.takes() == [1, 2, 2]
    assert "chunk_0002_take_02" in editor.root.locator("video").get_attribute("src")
    takes = editor.root.locator("select option").all_text_contents()
    assert ["(in use)" in words for words in takes] == [False, True]
    editor.press("redo only this one")
    editor.wait_until(["kept", "made", "chosen"])
    assert editor.widgets("vary_from", "variation", "keep_later", "use_takes") == [2, 2, True, "2: 2, 3: 2"]
    assert editor.takes() == [1, 3, 2]
    editor.pick(2)
    editor.root.locator("select").select_option("1")
    assert "chunk_0002_take_01" in editor.root.locator("video").get_attribute("src")
    editor.press("use take")
    editor.wait_until(["kept", "chosen", "kept"])
    assert editor.widgets("vary_from", "keep_later", "use_takes") == [0, False, "2: 1"]
    assert editor.takes() == [1, 1, 1]


def test_a_chunk_is_told_something_else_from_there_on(editor):
    editor.kept_run()
    editor.pick(2)
    prompt = editor.root.locator("textarea")
    assert prompt.input_value() == PROMPT
    prompt.fill("it moves up\nand turns blue")
    editor.press("use this prompt")
    editor.wait_until(["kept", "made", "made"])
    told = f"0s: {PROMPT}\n1.063s: it moves up and turns blue"
    assert editor.widgets("prompt", of="WanMotionLongVideo") == [told]
    editor.pick(3)
    assert prompt.input_value() == "it moves up and turns blue"


def test_a_video_is_stopped_at_a_chunk_and_goes_on(editor):
    editor.page.evaluate(TYPE, ["WanMotionLongVideo", "steps", 150])  # so that there is time to stop
    editor.pick(1)
    editor.press("stop here")
    editor.wait_until(["made", "planned", "planned"])
    assert editor.widgets("stop_after") == [1]
    editor.press("go on")
    assert editor.widgets("stop_after") == [0]
    editor.page.wait_for_function("() => document.querySelector('.wan-motion-timeline .making')")
    editor.press("stop here")
    editor.page.wait_for_function("() => !document.querySelector('.wan-motion-timeline .making')", timeout=60_000)
    editor.page.keyboard.press("Escape")
    origins = editor.chunks.evaluate_all(ORIGINS)
    assert "planned" in origins
    left = origins.count("planned")
    editor.press("go on")
    editor.wait_until(["kept"] * (3 - left) + ["made"] * left)
    assert editor.takes() == [1, 1, 1]


def test_after_a_reload_the_timeline_shows_what_it_did_unless_the_plan_was_changed_since(editor):
    editor.page.evaluate(TYPE, ["WanMotionLongVideo", "length", 17])
    editor.queue()
    editor.wait_until(["made"])
    shown = editor.chunks.first.get_attribute("title")
    editor.page.evaluate(SAVE)
    editor.reload()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.wait_for_function("() => document.querySelector('.wan-motion-timeline .made')")
    assert editor.chunks.first.get_attribute("title") == shown

    editor.hold_answers()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.evaluate(LINK_LENGTH)
    editor.let_answers_through()
    assert editor.chunks.count() == 0

    editor.hold_answers()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.evaluate(OPEN_COPY)
    editor.let_answers_through()
    assert editor.chunks.evaluate_all(ORIGINS) == ["planned"]
