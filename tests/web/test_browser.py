"""A real browser with the outside shut off: charts have ink, tables have rows, a click leads to the cell."""

import pytest

from tests.conftest import chromium
from tests.web.conftest import ASK
from tests.web.samples import CHARTS, gallery

pytestmark = [
    pytest.mark.browser,
    # Playwright's own loop and pipes are closed by its garbage collection, after the test.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ARGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
INK = """
holder => {
  const canvas = holder.querySelector('canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < pixels.length; i += 4) seen.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
  return seen.size;
}
"""


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, server):
    """Open an address; whatever the console or the network complains of fails the test."""
    faults: list[str] = []
    pages = []

    def go(path: str, width: int = 1440):
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        page.on("console", lambda m: faults.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("requestfailed", lambda r: faults.append(f"failed {r.url}"))
        page.on("request", lambda r: None if r.url.startswith((server, "data:")) else faults.append(f"outside {r.url}"))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
        )
        page.goto(server + path)
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        return page

    yield go
    for page in pages:
        page.close()
    assert faults == []


def query(lens: str) -> str:
    return "&".join(f"{k}={v}" for k, v in ASK[lens].items())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("lens", sorted(ASK))
def test_an_answer_is_drawn_listed_and_traced(visit, web, lens, lang):
    page = visit(f"/{lang}/ask/{lens}?{query(lens)}")
    finding = web.brain.ask(lens, **ASK[lens]).finding
    holders = page.query_selector_all("[data-chart]")
    assert len(holders) == len(finding.charts)
    for holder in holders:
        assert holder.evaluate(INK) > 20
    grids = page.query_selector_all("[data-table].ready")
    assert len(grids) == len(finding.tables)
    for grid, result in zip(grids, finding.tables.values(), strict=True):
        assert len(grid.query_selector_all(".tabulator-row")) == min(result.data.num_rows, 25)
    page.click("a.fig >> nth=0")
    page.wait_for_selector("#trace .origins .spot")
    assert page.inner_text("#trace .origins .place >> nth=0").startswith("sandbox")
    page.keyboard.press("Escape")
    assert page.is_hidden("#trace")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_chart_is_drawn_under_the_policy(visit, lang):
    page = visit(f"/{lang}/finding/{gallery().id}")
    holders = page.query_selector_all("[data-chart]")
    assert len(holders) == len(CHARTS)
    for holder in holders:
        assert holder.evaluate(INK) > 20
        holder.hover()
    assert page.query_selector_all("[data-chart] div[style*='position: absolute'] span") == []


def test_a_click_on_a_bar_traces_it(visit):
    page = visit(f"/zh/ask/structure?{query('structure')}")
    at = page.evaluate(
        """() => { const h = document.querySelectorAll('[data-chart]')[1];
            h.scrollIntoView();
            const [x, y] = echarts.getInstanceByDom(h).convertToPixel({seriesIndex: 0}, [0, 0]);
            const box = h.getBoundingClientRect(); return [box.left + x + 20, box.top + y]; }"""
    )
    page.mouse.click(*at)
    page.wait_for_selector("#trace .traced")
    assert page.inner_text("#trace .traced b")


def test_tables_sort_and_filter_with_missing_figures_below(visit):
    page = visit(f"/en/finding/{gallery().id}")
    column = ".tabulator-col[tabulator-field='c2']"
    page.click(f"[data-table='0'] {column} .tabulator-col-title")
    cells = page.query_selector_all("[data-table='0'] .tabulator-row .tabulator-cell[tabulator-field='c2']")
    assert [c.inner_text() for c in cells][:2] == ["707,889,674", "235,072,612"]
    assert cells[-1].inner_text() == "—"


def test_a_folded_table_is_laid_out_when_it_is_opened(visit):
    page = visit(f"/en/finding/{gallery().id}")
    fold = page.query_selector("details.aside")
    assert fold.query_selector(".tabulator-row") is None
    assert fold.query_selector(".lead").is_visible()
    fold.query_selector("summary").click()
    page.wait_for_selector("details.aside .grid.ready .tabulator-row")
    rows = gallery().tables["edges"].data.num_rows
    assert len(fold.query_selector_all(".tabulator-row")) == min(rows, 25)
    assert fold.query_selector(".tabulator-row").bounding_box()["width"] > 400
    fold.query_selector("summary").click()
    fold.query_selector("summary").click()
    assert len(fold.query_selector_all(".tabulator-tableholder")) == 1


def test_a_choice_is_found_by_typing_and_asked_by_keyboard(visit):
    page = visit("/zh/ask/indicators?indicator=rd_intensity")
    names = page.eval_on_selector_all("select[name=region] option", "all => all.map(o => [o.value, o.textContent])")
    value, name = names[-1]
    field = page.locator("[role=combobox]").last
    field.click()
    field.fill(name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert field.input_value() == name
    page.keyboard.press("Enter")
    page.wait_for_url(f"**region={value}*")
    assert page.query_selector(".headline")


@pytest.mark.parametrize(
    "path",
    ["/zh/", "/zh/ask/structure?table=sandbox-2025-8", f"/en/finding/{gallery().id}", "/zh/tables/io_cell"],
)
def test_nothing_runs_over_a_narrow_screen(browser, server, path):
    page = browser.new_page(viewport={"width": 420, "height": 900})
    page.goto(server + path)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.close()
