// Elements from code alone: texts are text nodes, so that nothing in the data is ever read as
// markup.
const make = (tag, given = {}, ...inside) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...inside.flat().filter((part) => part !== null && part !== undefined && part !== ""),
  );
  return element;
};

const SVG = "http://www.w3.org/2000/svg";
const draw = (tag, given = {}, ...inside) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};

const view = document.getElementById("view"),
  modal = document.getElementById("modal");
const notice = (text) => {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = !text;
};

/** Name of a customer: the short code of the report in full ink, the rest of it muted. */
const nameParts = (row, signs = 64) => {
  const name = shownName(row);
  return name === customers[row] && !run.named
    ? [make("b", {}, name.slice(0, 6)), make("span", { class: "rest" }, name.slice(6, signs))]
    : [make("b", {}, name)];
};

const bandText = (kind, code) => (code ? words.band[kind][code - 1] : words.page.unknown);
const statusText = (row) => words.status[STATUS[state.status[row]]];
const DONE = new Set(["stays", "sold", "not_interested", "expired"]);
const isDone = (code) => DONE.has(STATUS[code]);

/** Give a file to the person at the screen. */
const handOver = (name, content) => {
  const link = make("a", {
    href: URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" })),
    download: name,
  });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

const chooseFile = (take) => {
  const input = make("input", { type: "file", accept: ".csv,text/csv", hidden: true, id: "file" });
  input.addEventListener("change", async () => {
    if (input.files[0]) await take(await input.files[0].text(), input.files[0].name);
    input.remove();
  });
  document.getElementById("file")?.remove();
  document.body.append(input);
  input.click();
};
