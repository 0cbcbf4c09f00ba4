document.documentElement.classList.add("has-script");
function sortBy(head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const column = head.cellIndex, body = head.closest("table").tBodies[0];
  const isNumber = head.dataset.sort === "number";
  const text = row => row.cells[column].textContent.trim().replace("\u2212", "-");
  const rank = row => isNumber ? parseFloat(text(row)) : text(row);
  const isEmpty = value => value === "" || Number.isNaN(value);
  const rows = [...body.rows].map(row => [rank(row), row]);
  rows.sort(([a], [b]) => {
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);  // empty cells stay at the end
    const order = isNumber ? a - b : a.localeCompare(b, undefined, {numeric: true});
    return up ? order : -order;
  });
  body.append(...rows.map(([, row]) => row));
}
for (const head of document.querySelectorAll("th[data-sort]")) {
  head.tabIndex = 0;
  head.addEventListener("click", () => sortBy(head));
  head.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sortBy(head); }
  });
}
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not(.unprinted):not([open])")];
  for (const one of unfolded) one.open = true;
});
addEventListener("afterprint", () => { for (const one of unfolded) one.open = false; });
