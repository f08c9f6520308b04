"""report.html as a reader meets it, in a real browser: one file, offline, on a phone, by keyboard, on paper."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import Browser, find
from tests.made_report import make

COMMITTED = sorted((Path(__file__).parents[1] / "reports").glob("*/report.html"))
CSS = Path(__file__).parents[1] / "pipeline" / "report" / "templates" / "report.css"
LARGEST = {"embedded": 3, "paper": 6}  # MB

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium here: install chromium or google-chrome, "
                                "or playwright's, to check report.html in a browser")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(find(), tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made")) / "report.html"


@pytest.fixture(params=[None, *COMMITTED], ids=["made", *(path.parent.name for path in COMMITTED)])
def page(request, made):
    return request.param or made


def test_one_file_loads_without_errors_and_without_a_network(browser, page):
    browser.open(page)
    seen = {event["method"] for event in browser.events if "method" in event}
    assert not seen & {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]
    assert asked[0] == page.resolve().as_uri() and all(url.startswith("data:") for url in asked[1:])
    assert page.stat().st_size < 1e6 * LARGEST.get(page.parent.name, 1)
    assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth || i.closest('dialog'))")
    assert browser.run("[...document.images].every(i => i.alt || i.closest('dialog'))")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(browser, page, width):
    browser.open(page, width, 844)
    assert browser.run("document.documentElement.scrollWidth") == width
    hidden = ("[...document.querySelectorAll('main :is(p, h2, h3, figure, .wide, .panes, .chip)')].filter(e => "
              "e.getBoundingClientRect().right > innerWidth && !e.closest('.wide')).map(e => e.outerHTML.slice(0, 90))")
    assert browser.run(hidden) == []


def test_a_phone_shows_one_data_set_of_table_i_at_a_time(browser, page):
    browser.open(page, 390, 844)
    shown = "[...document.querySelectorAll('.grouped .group')].filter(e => e.offsetWidth && e.innerText).map(e => e.innerText)"
    first, tables = browser.run(shown), browser.run("document.querySelectorAll('.grouped').length")
    assert len(first) == tables and len(set(first[:3])) == 1
    if browser.run("document.querySelectorAll('.choose').length"):
        browser.run("{ const s = document.querySelector('.choose select'); s.selectedIndex = 1; "
                    "s.dispatchEvent(new Event('change')) }")
        assert browser.run(shown)[0] != first[0]
    browser.open(page, 1280, 844)
    assert len(browser.run(shown)) >= len(first)


@pytest.mark.parametrize("width", [390, 360])
def test_a_phone_shows_all_columns_of_a_data_set_of_table_i(browser, page, width):
    browser.open(page, width, 844)
    browser.run(f"document.querySelector('style').textContent = {json.dumps(CSS.read_text(encoding='utf-8'))}")
    cut = ("[...document.querySelectorAll('.grouped')].filter(e => e.scrollWidth > e.clientWidth)"
           ".map(e => [e.getAttribute('aria-labelledby'), e.scrollWidth, e.clientWidth])")
    choose = ("document.querySelectorAll('.choose select').forEach(s => "
              "{{ s.selectedIndex = {}; s.dispatchEvent(new Event('change')) }})")
    for chosen in range(browser.run("document.querySelectorAll('.choose:first-child option').length") or 1):
        browser.run(choose.format(chosen))
        assert browser.run(cut) == []


def test_no_table_is_cut_at_a_desktop_nor_scrolls_inside_the_page(browser, made):
    browser.open(made, 1280, 844)
    cut = ("[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1 || "
           "e.scrollHeight > e.clientHeight + 1).map(e => e.getAttribute('aria-labelledby'))")
    assert browser.run(cut) == []


def test_departures_and_verdicts_are_what_a_reader_sees_first(browser, page, tmp_path):
    browser.open(page)
    below = "document.querySelector({!r}).getBoundingClientRect().bottom"
    assert browser.run(below.format(".departures")) < browser.run(below.format(".tally")) < 900
    browser.screenshot(tmp_path / "top.png")
    with Image.open(tmp_path / "top.png") as image:
        assert image.size == (1280, 900) and len(np.unique(np.asarray(image.convert("L")))) > 50


def test_a_heading_sorts_by_number_up_then_down_then_as_printed(browser, made):
    browser.open(made)
    order = "[...document.querySelectorAll('#table-i-4 + .wide tbody tr')].map(r => r.cells[{}].innerText)"
    printed = browser.run(order.format(0))
    browser.run("document.querySelectorAll('#table-i-4 + .wide thead button')[1].focus()")
    found = []
    for state in ("ascending", "descending", None):
        browser.press("Enter", 13, "\r")
        assert browser.run("document.activeElement.closest('th').getAttribute('aria-sort')") == state
        found.append(browser.run(order.format(1)))
    up, down, _ = ([text.strip("=▼") for text in texts] for texts in found)
    assert up == ["9.50", "26.00", "26.40", "26.60", "–"] and down == ["26.60", "26.40", "26.00", "9.50", "–"]
    assert browser.run(order.format(0)) == printed


def test_the_reasons_open_by_key_and_all_at_once(browser, made):
    browser.open(made)
    count = "document.querySelectorAll('details[open]').length"
    assert browser.run(count) == 0
    browser.run("document.querySelector('summary').focus()")
    browser.press("Enter", 13, "\r")
    assert browser.run(count) == 1
    browser.run("document.querySelector('.all').click()")
    assert browser.run(count) == 8


def test_the_divider_follows_mouse_and_keys_and_shows_what_is_chosen(browser, made):
    browser.open(made)
    browser.run("document.querySelector('.panes').scrollIntoView({block: 'center'})")
    x, y, width, height = browser.run("(r => [r.x, r.y, r.width, r.height])"
                                      "(document.querySelector('.panes').getBoundingClientRect())")
    clip = "getComputedStyle(document.querySelector('.over')).clipPath"
    assert "50%" in browser.run(clip) and browser.run("document.querySelector('.over').dataset.name") == "bicubic"
    browser.drag((x + width / 2, y + height / 2), (x + width / 4, y + height / 2))
    at = int(browser.run("document.querySelector('.panes input').value"))
    assert 22 <= at <= 28 and f"{100 - at}%" in browser.run(clip)
    browser.press("ArrowRight", 39)
    assert f"{100 - at - 1}%" in browser.run(clip)
    browser.run("(s => { s.value = 'hr'; s.dispatchEvent(new Event('change')) })(document.querySelector('.comparison select'))")
    assert browser.run("document.querySelector('.over').dataset.name") == "hr"
    assert "HR" in browser.run("document.querySelector('.panes input').getAttribute('aria-label')")


def test_the_route_of_each_patch_lies_over_its_pixels(browser, made):
    browser.open(made)
    browser.run("document.querySelector('.panes').scrollIntoView({block: 'center'})")
    shown = "getComputedStyle(document.querySelector('.routes')).visibility"
    assert browser.run(shown) == "hidden"
    browser.run("document.querySelector('.controls input').click()")
    assert browser.run(shown) == "visible"
    x, y, width, height = browser.run("(r => [r.x, r.y, r.width, r.height])"
                                      "(document.querySelector('.panes').getBoundingClientRect())")
    at = "document.elementFromPoint({}, {}).textContent"
    assert browser.run(at.format(x + width / 4, y + height / 4)) == "mild: P = 5.0"
    assert browser.run(at.format(x + 3 * width / 4, y + height / 4)) == "moderate: P = 20.0"


def test_a_figure_enlarges_and_escape_closes_it(browser, made):
    browser.open(made, 390, 844)
    browser.run("document.querySelector('a.enlarge').focus()")
    browser.press("Enter", 13, "\r")
    assert browser.run("document.querySelector('dialog').open")
    assert browser.run("document.querySelector('dialog img').getBoundingClientRect().right") <= 390
    browser.run("document.querySelector('dialog img').click()")
    assert browser.run("document.querySelector('dialog img').getBoundingClientRect().width") == 1400
    browser.press("Escape", 27)
    assert not browser.run("document.querySelector('dialog').open")


CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } };
  return [...document.querySelectorAll('body :not(.tag, option, title)')].filter(e => !e.closest('dialog, .panes, script') &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className || e.tagName]; }).sort((a, b) => a[0] - b[0])[0];
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(browser, made, dark):
    browser.open(made, dark=dark)
    page = [int(v) for v in re.findall(r"\d+", browser.run("getComputedStyle(document.body).backgroundColor"))]
    assert (max(page) < 60) == dark
    contrast, where = browser.run(CONTRAST)
    assert contrast >= 4.5, f"{where}: WCAG 2 asks for 4.5:1"


def test_without_its_script_the_page_has_all_tables_and_pictures(browser, made):
    browser.open(made, script=False)
    assert browser.run("document.querySelectorAll('tbody tr').length") >= 35
    boxes = browser.run("[...document.querySelectorAll('.pane, .routes')].map(e => e.checkVisibility({visibilityProperty: true}) "
                        "&& e.getBoundingClientRect().width)")
    assert len(boxes) == 4 and min(boxes) > 100
    assert not browser.run("document.querySelector('.controls').checkVisibility()")
    assert browser.run("document.querySelectorAll('details[open]').length") == 8


def test_prints_all_pictures_side_by_side_and_no_controls(browser, made):
    browser.open(made)
    pages = len(re.findall(rb"/Type\s*/Page\b", browser.pdf()))
    assert 2 <= pages <= 12
    browser.call("Emulation.setEmulatedMedia", media="print")
    boxes = browser.run("[...document.querySelectorAll('.pane')].map(e => e.getBoundingClientRect().x)")
    assert len(set(boxes)) == 3
    assert browser.run("document.querySelectorAll('details[open]').length") == 8
    assert not browser.run("[...document.querySelectorAll('nav, .controls')].some(e => e.checkVisibility())")
    browser.call("Emulation.setEmulatedMedia", media="")
