"use strict";
// Draws what the server computed: charts from options, tables from columns, and the trace of a figure on a click.
(() => {
  const block = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
  const data = block("data") || { charts: [], tables: [] };
  const words = block("words") || {};
  const root = `/${data.lang}`;

  const traceUrl = (table, column, row) =>
    `${root}/finding/${data.finding}/trace?` + new URLSearchParams({ table, column, row });

  // ---- the trace panel
  const panel = document.getElementById("trace");
  let asker = null;
  const close = () => {
    if (!panel || panel.hidden) return;
    panel.hidden = true;
    document.body.classList.remove("tracing");
    asker?.focus?.();
  };
  const open = (url, from) => {
    if (!panel) return;
    asker = from || document.activeElement;
    document.getElementById("trace-body").textContent = words.loading;
    panel.hidden = false;
    document.body.classList.add("tracing");
    htmx.ajax("GET", url, { target: "#trace-body", swap: "innerHTML" }).then(() => panel.focus());
  };
  if (panel) {
    panel.querySelector(".close").addEventListener("click", close);
    document.addEventListener("keydown", (event) => event.key === "Escape" && close());
    document.body.addEventListener("htmx:sendError", () => {
      document.getElementById("trace-body").textContent = words.failed;
    });
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      // An error's page is not a fragment: say that it failed instead of nesting a whole page.
      if (event.detail.isError) {
        event.detail.shouldSwap = false;
        document.getElementById("trace-body").textContent = words.failed;
      }
    });
  }

  // ---- charts
  const charts = [];
  for (const holder of document.querySelectorAll("[data-chart]")) {
    const chart = data.charts[Number(holder.dataset.chart)];
    holder.style.height = `${chart.height}px`;
    const drawn = echarts.init(holder, null, { renderer: "canvas" });
    drawn.setOption(axisFigures(chart.option));
    drawn.on("click", (event) => {
      const item = event.data || {};
      if (data.finding && item.row !== undefined && item.column) {
        open(traceUrl(item.table || chart.table, item.column, item.row), holder);
      }
    });
    charts.push(drawn);
  }
  if (charts.length) {
    const fit = () => charts.forEach((chart) => chart.resize());
    new ResizeObserver(fit).observe(document.querySelector("main"));
    window.addEventListener("beforeprint", fit);
  }

  // ---- tables
  const rowsOf = (table) => {
    const rows = Array.from({ length: table.rows }, (_, i) => ({ id: i }));
    table.columns.forEach((column, c) => {
      column.raw.forEach((value, i) => { rows[i][`c${c}`] = value; });
    });
    return rows;
  };
  const shown = (column, cell) => {
    const value = cell.getValue();
    if (column.text) return column.text[cell.getData().id];
    return value === null || value === undefined ? "—" : String(value);
  };
  const format = (table, column) => (cell) => {
    const text = shown(column, cell);
    if (!column.basis || !data.finding) return text;
    const link = document.createElement("a");
    link.className = "fig";
    link.href = traceUrl(table.name, column.name, cell.getData().id);
    link.textContent = text;
    link.title = words.trace;
    return link;
  };
  const compare = (a, b) => {
    // Missing figures stay below whichever way a column is sorted.
    if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
    return typeof a === "number" ? a - b : String(a).localeCompare(String(b), data.lang);
  };
  const definition = (table, column, c) => ({
    title: column.title,
    field: `c${c}`,
    frozen: c === 0,
    hozAlign: column.figure ? "right" : "left",
    headerHozAlign: column.figure ? "right" : "left",
    cssClass: column.figure ? "figure" : "name",
    sorter: compare,
    headerSortStartingDir: column.figure ? "desc" : "asc",
    formatter: format(table, column),
    minWidth: column.figure ? 104 : 84,
    maxWidth: column.figure ? 320 : (window.innerWidth < 640 && c === 0 ? 150 : 320),
    headerWordWrap: true,
    tooltip: column.figure ? false : (_, cell) => shown(column, cell),
    headerFilter: table.rows > 12 ? "input" : false,
    headerFilterPlaceholder: column.figure ? "≥" : words.filter,
    headerFilterFunc: column.figure
      ? (wanted, value) => value !== null && value >= Number(wanted) / (column.share ? 100 : 1)
      : "like",
  });
  const tongue = {
    [data.lang]: {
      pagination: {
        page_size: words.size, first: words.first, first_title: words.first, last: words.last, last_title: words.last,
        prev: words.prev, prev_title: words.prev, next: words.next, next_title: words.next, all: words.all,
        counter: { showing: "", of: words.of, rows: words.rows, pages: "" },
      },
    },
  };
  const build = (holder) => {
    const table = data.tables[Number(holder.dataset.table)];
    const size = data.tables.filter((one) => !one.aside).length > 4 ? 10 : 25;
    const long = table.rows > size;
    const grid = new Tabulator(holder, {
      data: rowsOf(table),
      columns: table.columns.map((column, c) => definition(table, column, c)),
      layout: "fitDataFill",
      locale: data.lang,
      langs: tongue,
      placeholder: words.empty,
      movableColumns: false,
      headerSortTristate: true,
      printAsHtml: true,
      printRowRange: "active",
      renderVertical: "basic",
      renderHorizontal: "basic",
      ...(long ? { pagination: true, paginationSize: size, paginationSizeSelector: [10, 25, 50, 100, true],
                   paginationCounter: "rows" } : {}),
    });
    grid.on("tableBuilt", () => holder.classList.add("ready"));
  };
  for (const holder of document.querySelectorAll("[data-table]")) {
    // A table that is folded away has no width to be laid out in: it is built when it is opened.
    const fold = holder.closest("details:not([open])");
    if (fold) fold.addEventListener("toggle", () => build(holder), { once: true });
    else build(holder);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.fig");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link.getAttribute("href"), link);
  });

  // ---- selects with many choices: type to search (an ARIA combobox over the select, which stays the form's field)
  const searchable = (select) => {
    const options = [...select.options].filter((option) => option.value !== "");
    if (options.length < 7) return;
    const box = document.createElement("div");
    const input = document.createElement("input");
    const list = document.createElement("ul");
    box.className = "combo";
    list.id = `${select.id}-list`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    input.id = `${select.id}-search`;
    input.autocomplete = "off";
    input.placeholder = select.dataset.search;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-autocomplete", "list");
    document.querySelector(`label[for="${select.id}"]`)?.setAttribute("for", input.id);
    let active = -1;
    let offered = [];
    const name = () => (select.value ? select.selectedOptions[0].textContent : "");
    const shut = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); active = -1; };
    const choose = (option) => {
      select.value = option ? option.value : "";
      input.value = name();
      input.setCustomValidity("");
      shut();
    };
    const mark = (to) => {
      active = Math.max(0, Math.min(offered.length - 1, to));
      [...list.children].forEach((item, i) => {
        item.setAttribute("aria-selected", String(i === active));
        if (i === active) { item.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", item.id); }
      });
    };
    const show = (all) => {
      const wanted = all ? [] : input.value.toLowerCase().split(/\s+/).filter(Boolean);
      offered = options.filter((option) => {
        const text = `${option.textContent} ${option.value}`.toLowerCase();
        return wanted.every((word) => text.includes(word));
      }).slice(0, 200);
      list.replaceChildren(...offered.map((option, i) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${i}`;
        item.setAttribute("role", "option");
        item.textContent = option.textContent;
        item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(option); });
        return item;
      }));
      if (!offered.length) {
        const none = document.createElement("li");
        none.className = "nothing";
        none.textContent = words.none;
        list.append(none);
      }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    };
    input.addEventListener("focus", () => { input.select(); show(true); });
    input.addEventListener("input", () => { show(false); mark(0); });
    input.addEventListener("blur", () => {
      if (input.value.trim() === "") choose(null);
      else if (input.value !== name()) {
        const same = options.find((o) => o.textContent === input.value || o.value === input.value);
        if (same) choose(same); else input.value = name();
      }
      shut();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); if (list.hidden) show(true); mark(active + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); mark(active - 1); }
      else if (event.key === "Escape") { input.value = name(); shut(); }
      else if (event.key === "Enter" && !list.hidden && active >= 0) { event.preventDefault(); choose(offered[active]); }
    });
    if (select.required) { input.required = true; select.required = false; }
    select.hidden = true;
    input.value = name();
    select.after(box);
    box.append(input, list);
  };
  document.querySelectorAll("select[data-search]").forEach(searchable);

  document.documentElement.dataset.ready = "yes";
})();
