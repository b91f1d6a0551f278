"""The timeline at its limits: very many chunks, numbers that are none, and what comes from other nodes."""

from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from wan_motion_chunks.tests.browser.scripts import OPEN_SHORT, SEE, SHOW, TYPE


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_the_timeline_of_very_many_chunks_is_a_summary_and_that_of_no_number_is_none(page, vue):
    page.evaluate(SHOW, vue)
    page.evaluate(OPEN_SHORT)
    timeline = page.locator(".wan-motion-timeline")
    head, bars, seams = (timeline.locator(part) for part in (".head", ".chunk", ".seam"))
    for values, expected, drawn in (
        ({"length": 17 + 8 * 299}, "2409 frames, 301.1 s, 300 chunks", (300, 299)),
        ({"length": 17 + 8 * 300}, "2417 frames, 302.1 s, 301 chunks", (151, 0)),
        ({"length": 90_000.0}, "90000 frames, 11250.0 s, 11249 chunks", (297, 0)),
        ({"length": 90_000.0, "length_unit": "seconds", "fps": 1000}, "no plan", (0, 0)),
    ):
        for name, value in ({"fps": 8, "length_unit": "frames"} | values).items():
            page.evaluate(TYPE, ["WanMotionLongVideo", name, value])
        assert head.text_content().startswith(expected)
        assert (bars.count(), seams.count()) == drawn
    assert bars.count() == 0
    # A widget keeps to its limits what is typed; what a file says it takes as it is.
    for value in ("1e999", "-1e999", "NaN", "'9'", "null"):
        page.evaluate(
            f"""() => {{
                const node = window.app.graph.nodes.find((each) => each.type === "WanMotionLongVideo");
                for (const name of ["length", "chunk_frames"]) {{
                    const widget = node.widgets.find((each) => each.name === name);
                    widget.value = {value};
                    widget.callback(widget.value);
                }}
            }}"""
        )
        assert head.text_content().startswith(("no plan", "the plan depends"))
        assert bars.count() == 0


def test_the_timeline_after_a_run_of_very_many_chunks_shows_the_seams_that_stand_out(page):
    page.evaluate(OPEN_SHORT)
    page.evaluate(
        """() => {
            const node = window.app.graph.nodes.find((each) => each.type === "WanMotionLongVideo");
            const seams = Array.from({ length: 20 }, (_, at) => 100 * Math.floor(at / 2) + 50 + (at % 2));
            const every = Array.from({ length: 250 }, (_, at) => 4 * at);
            const told = [...new Set([...every, ...seams])].sort((a, b) => a - b);
            const chunks = told.map((index) => ({
                index, start: 8 * index, stop: 8 * index + 17, seam: 8 * index + 9, prompt: null,
                words: `words ${index + 1}`,
                ...(index === 0 ? { score: null, grade: null } : index % 100 === 50 ? { score: 3, grade: "obvious" }
                    : index % 100 === 51 ? { score: 1.5, grade: "visible" } : { score: 0.5, grade: "looks uncut" }),
            }));
            const shown = { total: 8009, fps: 8, count: 1000, step: 4, chunks, seams, summary: "SUMMARY" };
            node.onExecuted({ wan_motion_timeline: [shown] });
        }"""
    )
    timeline = page.locator(".wan-motion-timeline")
    assert timeline.locator(".head").text_content() == "8009 frames, 1001.1 s, 1000 chunks"
    words = timeline.locator(".words")
    assert words.text_content().startswith("SUMMARY ")
    assert timeline.locator(".chunk").count() == 250
    seams = timeline.locator(".seam")
    assert [seams.nth(index).get_attribute("class") for index in range(20)] == ["seam obvious", "seam visible"] * 10
    assert seams.count() == 20
    seams.nth(2).focus()
    page.keyboard.press("Enter")
    assert words.text_content() == "seam before frame 1209: obvious, score 3.00. words 151"


def test_the_timeline_follows_a_stack_and_an_end_picture_as_far_as_it_can_know_them(page):
    page.evaluate(OPEN_SHORT)
    head, bars = page.locator(".wan-motion-timeline .head"), page.locator(".wan-motion-timeline .chunk")
    page.evaluate(TYPE, ["WanMotionLongVideo", "length", 50])
    assert bars.count() == 6
    width = "(bar) => Number.parseFloat(bar.style.width)"
    assert bars.nth(4).evaluate(width) == pytest.approx(100 * 16 / 50)
    page.evaluate(
        """() => {
            const { graph } = window.app;
            const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
            const made = ["WanMotionPromptStack", "WanMotionPromptStack", "LoadImage"].map((type) => {
                const each = window.LiteGraph.createNode(type);
                graph.add(each);
                return each;
            });
            const [first, second, picture] = made;
            first.connect(0, second, second.findInputSlot("prompt_stack"));
            second.connect(0, node, node.findInputSlot("prompt_stack"));
            window.wanMotionMade = { node, first, second, picture };
        }"""
    )
    assert bars.count() == 6
    change = "(code) => new Function('{ node, first, second, picture }', code)(window.wanMotionMade)"
    page.evaluate(change, "picture.connect(0, first, first.findInputSlot('end_image'))")
    assert bars.nth(4).evaluate(width) == pytest.approx(100 * 12 / 50)  # the last needs frames to lead to its picture
    page.evaluate(change, "first.disconnectInput(first.findInputSlot('end_image'))")
    assert bars.nth(4).evaluate(width) == pytest.approx(100 * 16 / 50)
    page.evaluate(change, "picture.connect(0, node, node.findInputSlot('end_image'))")
    assert bars.nth(4).evaluate(width) == pytest.approx(100 * 12 / 50)
    page.evaluate(
        change,
        "const own = first.widgets.find((each) => each.name === 'chunk_frames'); own.value = 33; own.callback(33)",
    )
    assert head.text_content() == "the plan depends on what is connected; it is shown after a run"
    page.evaluate(
        change, "const own = first.widgets.find((each) => each.name === 'chunk_frames'); own.value = 0; own.callback(0)"
    )
    assert bars.count() == 6
    page.evaluate(change, "picture.connect(0, second, second.findInputSlot('start_image'))")
    assert head.text_content() == "the plan depends on what is connected; it is shown after a run"
    assert bars.count() == 0
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_prompts_are_on_the_timeline_before_a_run(page):
    page.evaluate(OPEN_SHORT)
    page.evaluate(
        """() => {
            const node = window.app.graph.nodes.find((each) => each.type === "WanMotionLongVideo");
            node.disconnectInput(node.findInputSlot("prompt"));
        }"""
    )
    bars, words = page.locator(".wan-motion-timeline .chunk"), page.locator(".wan-motion-timeline .now")
    told = {
        "left // 9: up\n1.5s: right": [1, 1, 2, 2, 2],
        "1: left\n3 over 2: right": [1, 1, 2, 2, 2],
        "0: left\n4: right": [1, 1, 1, 1, 2],
        "[1] left\n[2] right\n[3-4] up": [1, 2, 3, 3, 3],
        "16:9 left\n80s style": [None] * 5,
    }
    for text, numbers in told.items():
        page.evaluate(TYPE, ["WanMotionLongVideo", "prompt", text])
        expected = [f"{at}" if number is None else f"{at} (prompt {number})" for at, number in enumerate(numbers, 1)]
        assert bars.all_text_contents() == expected
        assert words.text_content() == ""
    page.evaluate(TYPE, ["WanMotionLongVideo", "prompt", "1: left\nright"])
    assert bars.all_text_contents() == ["1", "2", "3", "4", "5"]
    assert "2" in words.text_content()
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_an_encoded_prompt_of_options_stands_for_the_text(page):
    page.evaluate(OPEN_SHORT)
    page.evaluate(
        """() => {
            const { graph } = window.app;
            const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
            node.disconnectInput(node.findInputSlot("prompt"));
            const [options, encode] = ["WanMotionOptions", "CLIPTextEncode"].map((type) => {
                const each = window.LiteGraph.createNode(type);
                graph.add(each);
                return each;
            });
            options.connect(0, node, node.findInputSlot("options"));
            window.wanMotionMade = { options, encode };
        }"""
    )
    bars = page.locator(".wan-motion-timeline .chunk")
    page.evaluate(TYPE, ["WanMotionLongVideo", "prompt", "1: left\n3: right"])
    assert bars.all_text_contents()[2] == "3 (prompt 2)"
    change = "(code) => new Function('{ options, encode }', code)(window.wanMotionMade)"
    page.evaluate(change, "encode.connect(0, options, options.findInputSlot('positive'))")
    assert bars.all_text_contents() == ["1", "2", "3", "4", "5"]
    page.evaluate(change, "options.disconnectInput(options.findInputSlot('positive'))")
    assert bars.all_text_contents()[2] == "3 (prompt 2)"
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_a_size_that_follows_a_picture_is_planned_and_its_disk_is_told_as_far_as_it_is_known(page):
    page.evaluate(OPEN_SHORT)
    bars, disk = page.locator(".wan-motion-timeline .chunk"), page.locator(".wan-motion-timeline .disk")
    for width, height, told in ((64, 64, True), (0, 64, False), (0, 0, True)):
        page.evaluate(TYPE, ["WanMotionLongVideo", "width", width])
        page.evaluate(TYPE, ["WanMotionLongVideo", "height", height])
        assert bars.count() == 5
        assert bool(disk.text_content()) == told
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


LABELS = """() => {
    const root = document.querySelector(".wan-motion-timeline");
    const box = (each) => (({ left, right, top, bottom }) => [left, right, top, bottom])(each.getBoundingClientRect());
    return {
        labels: [...root.querySelectorAll(".chunk span")].map(box),
        bars: [...root.querySelectorAll(".chunk")].map(box),
        seams: [...root.querySelectorAll(".seam")].map(box),
        track: box(root.querySelector(".track")),
        wide: root.querySelector(".lane").scrollWidth,
    };
}"""


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_a_hundred_chunks_are_readable_and_the_chosen_one_is_scrolled_to(page, vue):
    page.evaluate(SHOW, vue)
    page.evaluate(OPEN_SHORT)
    page.evaluate(TYPE, ["WanMotionLongVideo", "length", 17 + 8 * 99])
    page.wait_for_timeout(300)
    found = page.evaluate(LABELS)
    assert len(found["labels"]) == 100
    for label, bar in zip(found["labels"], found["bars"], strict=True):
        assert bar[0] <= label[0] < label[1] <= bar[1]
    bars = found["bars"]
    for row in (bars[::2], bars[1::2]):
        assert all(bar[1] <= after[0] + 1 for bar, after in pairwise(row))
    rows = {(bar[2], bar[3]) for bar in bars}
    assert all(seam[3] <= top or seam[2] >= bottom for seam in found["seams"][:4] for top, bottom in rows)
    assert found["wide"] > 4 * (found["track"][1] - found["track"][0])
    page.locator(".wan-motion-timeline .chunk").nth(99).focus()
    last, track = page.evaluate(LABELS)["bars"][99], found["track"]
    assert track[0] <= last[0] < last[1] <= track[1] + 1


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_what_strangers_wrote_is_text_and_files_come_from_the_hosts_own_folders(page, vue):
    page.evaluate(SHOW, vue)
    page.evaluate(OPEN_SHORT)
    page.evaluate(SEE)
    page.wait_for_timeout(300)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/view" in request.url else None)
    markup = "<img src=x onerror=alert(1)>\"'&amp;../"
    page.evaluate(
        """(markup) => {
            const file = (name) => ({ filename: name, subfolder: `../${markup}`, type: "output" });
            const chunk = { index: 0, start: 0, stop: 17, seam: 0, prompt: null, score: 3, origin: "made" };
            const takes = [{ number: 1 }, { number: markup, seed: markup, variation: 0, grade: markup }];
            Object.assign(chunk, { take: 1, takes, grade: markup, words: markup });
            Object.assign(chunk, { film: file(`../${markup}.mp4`), still: file("a.jpg") });
            const plan = { total: 17, fps: 16, source: 0, count: 1, step: 1, chunks: [chunk], seams: [0], made: 1 };
            const shown = { ...plan, prompts: [markup], run: markup, pinned: [], summary: markup };
            const node = window.app.graph.nodes.find((each) => each.type === "WanMotionLongVideo");
            node.onExecuted({ wan_motion_timeline: [shown] });
        }""",
        markup,
    )
    timeline = page.locator(".wan-motion-timeline")
    assert timeline.locator(".words").text_content().startswith(markup)
    timeline.locator(".chunk").press("Enter")
    page.wait_for_timeout(500)
    assert markup in timeline.locator(".words").text_content()
    assert timeline.locator("textarea").input_value() == markup
    assert timeline.locator("option").nth(1).text_content() == f"take {markup}: seed {markup}: {markup}"
    assert timeline.locator("img[src=x]").count() == 0
    assert asked
    for url in asked:
        found = parse_qs(urlsplit(url).query)
        assert set(found) == {"filename", "subfolder", "type"}
        assert found["subfolder"] == [f"../{markup}"]  # which the host refuses: it is not below its folder
