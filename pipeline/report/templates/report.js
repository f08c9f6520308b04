"use strict";
document.documentElement.classList.add("js");

// reasons: closed until asked for, open on paper
const reasons = document.querySelectorAll("details"), all = document.querySelector(".all");
const open = state => reasons.forEach(reason => { reason.open = state; });
open(false);
all.hidden = false;
all.addEventListener("click", () => open(true));
addEventListener("beforeprint", () => open(true));
addEventListener("hashchange", () => {
  const at = location.hash;
  if (at) document.querySelector(`${at} details, ${at} + details, ${at} + p + details`)?.setAttribute("open", "");
});

// tables: a click on a heading sorts up, then down, then as printed
const number = text => parseFloat(text.replace(/[,%−]/g, c => (c === "−" ? "-" : "")));
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0], printed = [...body.rows];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort || "none"];
      heads.forEach(other => other.removeAttribute("aria-sort"));
      let rows = printed;
      if (next !== "none") {
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
        rows = [...printed].sort((a, b) => {
          const [s, t] = [key(a), key(b)], [x, y] = [number(s), number(t)];
          if (isNaN(x) !== isNaN(y)) return isNaN(x) - isNaN(y);  // what is no number comes last
          return sign * (isNaN(x) ? s.localeCompare(t) : x - y);
        });
      }
      body.append(...rows);
    });
  });
}

// wide tables on a phone: one data set at a time
document.querySelectorAll(".grouped table").forEach(table => {
  const [groups, heads] = table.tHead.rows, of = [...groups.cells].flatMap((cell, i) => Array(cell.colSpan).fill(i));
  const label = document.createElement("label"), select = document.createElement("select");
  [...groups.cells].forEach((cell, i) => i && select.add(new Option(cell.textContent, i)));
  const choose = () => {
    [...groups.cells].forEach((cell, i) => cell.classList.toggle("other", i > 0 && i !== +select.value));
    for (const row of [heads, ...table.tBodies[0].rows])
      [...row.cells].forEach((cell, i) => cell.classList.toggle("other", of[i] > 0 && of[i] !== +select.value));
  };
  label.className = "choose";
  label.append("show: ", select);
  select.addEventListener("change", choose);
  if (select.length > 1) table.before(label);
  choose();
});

// figures: a click enlarges, a second one shows every pixel
const dialog = document.querySelector("dialog"), large = dialog.querySelector("img");
for (const link of document.querySelectorAll("a.enlarge"))
  link.addEventListener("click", event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const small = link.querySelector("img");
    [large.src, large.alt, large.className] = [small.src, small.alt, ""];
    dialog.querySelector("a").href = link.href;
    dialog.showModal();
  });
large.addEventListener("click", () => large.classList.toggle("natural"));
dialog.addEventListener("click", event => event.target === dialog && dialog.close());

// pictures: the chosen one over PRN, up to the divider
for (const figure of document.querySelectorAll(".comparison")) {
  const box = figure.querySelector(".panes"), panes = [...box.querySelectorAll(".pane")];
  const select = figure.querySelector("select"), routes = figure.querySelector("input[type=checkbox]");
  const range = document.createElement("input");
  Object.assign(range, { type: "range", min: 0, max: 100, value: 50 });
  const move = () => {
    box.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} % ${select.selectedOptions[0].text}`);
  };
  const choose = () => {
    for (const pane of panes) {
      pane.classList.toggle("over", pane.dataset.name === select.value);
      pane.classList.toggle("under", pane.dataset.name === "prn");
    }
    range.setAttribute("aria-label", `Divider between ${select.selectedOptions[0].text} and PRN`);
    move();
  };
  range.addEventListener("input", move);
  select.addEventListener("change", choose);
  routes.addEventListener("change", () => box.classList.toggle("routed", routes.checked));
  box.append(range);
  choose();
}
