"use strict";
// What every page has: light or dark, and tables that sort.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const turned = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    document.dispatchEvent(new Event("themechange"));
  };
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; turned(); });
  dark.addEventListener("change", turned);
  turned();

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell || cell.colSpan > 1) return null;
    const key = cell.dataset.sort;
    if (key === undefined) return cell.textContent.trim().toLowerCase();
    return key === "" ? null : Number(key);
  };
  const compared = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  // One listener for all tables, those too that come into the page later.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("th button[data-sorts]");
    if (!button) return;
    const head = button.closest("th");
    const column = head.cellIndex;
    const up = head.ariaSort ? head.ariaSort === "descending" : button.dataset.sorts === "up";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.ariaSort = up ? "ascending" : "descending";
    for (const body of head.closest("table").tBodies) {
      const rows = [...body.rows].filter((row) => !row.matches(".divider"));
      const keyed = rows.map((row) => [valueOf(row, column), row]);
      keyed.sort(([a], [b]) => (a === null) - (b === null) || (up ? compared(a, b) : compared(b, a)));
      body.append(...keyed.map(([, row]) => row));
    }
  });
})();
