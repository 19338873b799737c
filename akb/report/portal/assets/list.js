// A list: filters with counters and chips, search, sort, and a table that holds no more rows than
// the screen shows.
const FILTERS = [
  "manager",
  "office",
  "sub_office",
  "adviser",
  "kind",
  "segment",
  "clv",
  "churn",
  "action",
  "status",
];
const ZERO_TOO = new Set(["status"]); // code 0 is a value there, not a lack of one
const codesOf = (name) => (name === "status" ? state.status : columns[name].all);
const valueText = (name, code) => {
  if (name === "status") return words.status[STATUS[code]];
  if (name === "clv" || name === "churn") return bandText(name, code);
  if (!code) return words.page.unknown;
  if (name === "kind" || name === "action") return words[name][named(name, code)];
  return named(name, code);
};
/** The values of a filter that customers have, in order. */
const valuesOf = (name) => {
  const found = new Set(codesOf(name));
  if (name === "status") STATUS.forEach((_, code) => found.add(code));
  return [...found]
    .sort((a, b) => (a || 999) - (b || 999) || a - b)
    .filter((code) => code || ZERO_TOO.has(name) || found.size > 1);
};
const useful = FILTERS.filter((name) => name === "status" || valuesOf(name).length > 1);

const LISTS = [...run.lists, "all"];
const rankOf = (list) => (list === "all" ? null : columns[`rank_${list}`].all);
const membersOf = (list) => {
  const rank = rankOf(list);
  if (!rank) return Uint32Array.from({ length: count }, (_, row) => row);
  const rows = [];
  for (let row = 0; row < count; row++) if (rank[row]) rows.push(row);
  return Uint32Array.from(rows).sort((a, b) => rank[a] - rank[b]);
};
const memberLists = new Map();
const members = (list) => {
  if (!memberLists.has(list)) memberLists.set(list, membersOf(list));
  return memberLists.get(list);
};

/** What is chosen: kept while one looks at a card and comes back. */
const chosen = {
  list: run.lists[0],
  filters: new Map(),
  text: "",
  sort: "rank",
  down: false,
  top: 0,
};
let shown = members(chosen.list);

let names = null;
const searchable = () =>
  (names ??= customers.map((name) => `${relations.get(name) ?? ""} ${name}`.toLowerCase()));

/** The rows of the list that pass every filter but one. */
const passing = (without = "") => {
  const tests = [];
  for (const [name, codes] of chosen.filters) {
    if (name === without || !codes.size) continue;
    const wanted = new Uint8Array(65536);
    for (const code of codes) wanted[code] = 1;
    tests.push([codesOf(name), wanted]);
  }
  const text = chosen.text.trim().toLowerCase(),
    texts = text ? searchable() : null;
  return members(chosen.list).filter((row) => {
    for (const [codes, wanted] of tests) if (!wanted[codes[row]]) return false;
    return !text || texts[row].includes(text);
  });
};

const SORTS = {
  rank: null,
  customer: (row) => row,
  action: (row) => columns.action.all[row] || 99,
  clv: (row) => -columns.clv.all[row],
  churn: (row) => -columns.churn.all[row],
  kind: (row) => columns.kind.all[row] || 99,
  manager: (row) => columns.manager.all[row] || 65535,
  office: (row) => columns.office.all[row] || 65535,
  before: (row) => columns.before.all[row] || 65535,
  status: (row) => state.status[row],
};
const select = () => {
  performance.mark("filter-begin");
  const rank = rankOf(chosen.list),
    key = SORTS[chosen.sort];
  let rows = passing();
  if (key) {
    const keys = new Float64Array(count);
    for (const row of rows) keys[row] = key(row);
    const way = chosen.down ? -1 : 1;
    rows = rows.sort((a, b) => way * (keys[a] - keys[b]) || (rank ? rank[a] - rank[b] : a - b));
  } else if (chosen.down) rows = rows.reverse();
  shown = rows;
};

const HEADS = [
  "customer",
  "action",
  "clv",
  "churn",
  "kind",
  "manager",
  "office",
  "before",
  "status",
];
const cellText = {
  action: (row) => {
    const action = named("action", columns.action.all[row]);
    const branch = named("branch_inside", columns.branch.all[row]);
    if (!action) return worded("stop_short", named("stop", columns.stop.all[row]));
    return words.action[action] + (branch ? `, ${say("page.discuss", { branch })}` : "");
  },
  clv: (row) => bandText("clv", columns.clv.all[row]),
  churn: (row) => bandText("churn", columns.churn.all[row]),
  kind: (row) => valueText("kind", columns.kind.all[row]),
  manager: (row) =>
    named("manager", columns.manager.all[row]) || named("adviser", columns.adviser.all[row]) || "–",
  office: (row) =>
    named("office", columns.office.all[row]) ||
    named("sub_office", columns.sub_office.all[row]) ||
    "–",
  before: (row) => (columns.before.all[row] ? dayText(after(columns.before.all[row])) : ""),
  status: (row) => (state.status[row] ? `✓ ${statusText(row)}` : statusText(row)),
};

const whereText = (row) =>
  [named("office", columns.office.all[row]), named("sub_office", columns.sub_office.all[row])]
    .filter(Boolean)
    .join(" · ");
/** What a cell has no room for. */
const TITLES = { action: cellText.action, office: whereText };

const narrow = matchMedia("(max-width: 760px)");
const table = { box: null, body: null, above: null, below: null, first: -1, last: -1 };
const rowHeight = () => (narrow.matches ? 148 : 44);

const rowOf = (row, place) => {
  const rank = rankOf(chosen.list),
    title = rank ? say("page.rank", { n: rank[row] }) : null;
  const cells = HEADS.map((name) =>
    name === "customer"
      ? make("th", { scope: "row", title, class: "customer" }, ...nameParts(row, 10))
      : make(
          "td",
          { class: name, "data-label": words.head[name], title: TITLES[name]?.(row) ?? null },
          cellText[name](row),
        ),
  );
  const open = make(
    "a",
    { href: `#customer/${row}`, "aria-label": `${words.page.details} ${shownName(row)}` },
    words.page.details,
  );
  return make(
    "tr",
    { "aria-rowindex": place + 2 },
    ...cells,
    make("td", { class: "details" }, open),
  );
};

/** Put the rows into the table that its window shows, and as much air as the others would take. */
const paint = (always = false) => {
  const height = rowHeight(),
    seen = Math.ceil(table.box.clientHeight / height) + 12;
  const first = Math.max(
    0,
    Math.min(Math.floor(table.box.scrollTop / height) - 6, shown.length - seen),
  );
  const last = Math.min(shown.length, first + seen);
  if (!always && first === table.first && last === table.last) return;
  table.first = first;
  table.last = last;
  const rows = [];
  for (let place = first; place < last; place++) rows.push(rowOf(shown[place], place));
  table.body.replaceChildren(table.above, ...rows, table.below);
  for (const [air, size] of [
    [table.above, first],
    [table.below, shown.length - last],
  ]) {
    air.hidden = !size;
    air.firstChild.style.height = `${size * height}px`;
  }
};

const air = () =>
  make(
    "tr",
    { class: "air", "aria-hidden": "true", hidden: true },
    make("td", { colSpan: HEADS.length + 1 }),
  );

/** Choose the rows anew and show them. */
const update = () => {
  select();
  document.getElementById("rows").textContent = say("page.rows", {
    n: number.format(shown.length),
    all: number.format(members(chosen.list).length),
  });
  document.getElementById("empty").hidden = shown.length > 0;
  table.box.querySelector("table").setAttribute("aria-rowcount", shown.length + 1);
  for (const head of table.box.querySelectorAll("th[data-sort]")) {
    const mine = head.dataset.sort === chosen.sort;
    head.setAttribute("aria-sort", mine ? (chosen.down ? "descending" : "ascending") : "none");
  }
  table.box.scrollTop = chosen.top;
  paint(true);
  chips();
  performance.measure("filter", "filter-begin");
};

const chips = () => {
  const all = [...chosen.filters].flatMap(([name, codes]) =>
    [...codes].map((code) => [name, code]),
  );
  const place = document.getElementById("chips");
  place.replaceChildren(
    ...all.map(([name, code]) => {
      const text = `${words.filter[name]}: ${valueText(name, code)}`;
      return make(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-label": say("page.remove", { what: text }),
          onclick: () => {
            toggle(name, code);
            place.querySelector("button")?.focus();
          },
        },
        text,
        make("span", { "aria-hidden": "true" }, " ×"),
      );
    }),
    all.length
      ? make(
          "button",
          {
            type: "button",
            class: "plain",
            id: "clear",
            onclick: () => {
              chosen.filters.clear();
              chosen.top = 0;
              marks();
              update();
            },
          },
          words.page.clear,
        )
      : "",
  );
};

const toggle = (name, code) => {
  const codes = chosen.filters.get(name) ?? new Set();
  if (!codes.delete(code)) codes.add(code);
  if (codes.size) chosen.filters.set(name, codes);
  else chosen.filters.delete(name);
  chosen.top = 0;
  marks();
  update();
};

/** The counter of every filter, and the boxes of the one that is open. */
const marks = () => {
  for (const part of document.querySelectorAll("details.filter")) {
    const name = part.dataset.name,
      codes = chosen.filters.get(name);
    part.querySelector("summary").textContent =
      `${words.filter[name]}${codes ? ` (${codes.size})` : ""}`;
    part.classList.toggle("on", Boolean(codes));
    if (part.open) boxes(part, name);
  }
};

const boxes = (part, name) => {
  const counted = new Map(),
    codes = codesOf(name),
    focused = document.activeElement?.dataset?.code;
  for (const row of passing(name)) counted.set(codes[row], (counted.get(codes[row]) ?? 0) + 1);
  part
    .querySelector(".choices")
    .replaceChildren(
      ...valuesOf(name).map((code) =>
        make(
          "label",
          {},
          make("input", {
            type: "checkbox",
            "data-code": String(code),
            checked: chosen.filters.get(name)?.has(code) ?? false,
            onchange: () => toggle(name, code),
          }),
          make("span", {}, valueText(name, code)),
          make("span", { class: "n" }, number.format(counted.get(code) ?? 0)),
        ),
      ),
    );
  if (focused !== undefined) part.querySelector(`[data-code="${focused}"]`)?.focus();
};

const filterOf = (name) => {
  const part = make(
    "details",
    { class: "filter", "data-name": name },
    make("summary", {}, words.filter[name]),
    make("div", { class: "choices", role: "group", "aria-label": words.filter[name] }),
  );
  part.addEventListener("toggle", () => {
    if (!part.open) return;
    for (const other of document.querySelectorAll("details.filter[open]"))
      if (other !== part) other.open = false;
    boxes(part, name);
  });
  part.addEventListener("keydown", (key) => {
    if (key.key !== "Escape" || !part.open) return;
    part.open = false;
    part.querySelector("summary").focus();
  });
  return part;
};
addEventListener("click", (click) => {
  for (const part of document.querySelectorAll("details.filter[open]"))
    if (!part.contains(click.target)) part.open = false;
});

const sortBy = (name) => {
  chosen.down = chosen.sort === name ? !chosen.down : false;
  chosen.sort = name;
  chosen.top = 0;
  document.getElementById("sort").value = name;
  update();
};

const showList = (list) => {
  if (chosen.list !== list) Object.assign(chosen, { list, sort: "rank", down: false, top: 0 });
  const heads = HEADS.map((name) =>
    make(
      "th",
      { scope: "col", class: name, "data-sort": name, "aria-sort": "none" },
      make("button", { type: "button", onclick: () => sortBy(name) }, words.head[name]),
    ),
  );
  const search = make("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    value: chosen.text,
    "aria-label": words.page.search_label,
    placeholder: words.page.search,
  });
  search.addEventListener("input", () => {
    chosen.text = search.value;
    chosen.top = 0;
    update();
  });
  const sort = make(
    "select",
    {
      id: "sort",
      "aria-label": words.head.sort,
      onchange: () => {
        chosen.sort = "?";
        sortBy(sort.value);
      },
    },
    ...Object.keys(SORTS).map((name) =>
      make("option", { value: name, selected: name === chosen.sort }, words.head[name]),
    ),
  );
  table.above = air();
  table.below = air();
  table.body = make("tbody");
  table.box = make(
    "div",
    { class: "rows", tabindex: "0", role: "region", "aria-label": words.list[list] },
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          { "aria-rowindex": "1" },
          ...heads,
          make(
            "th",
            { scope: "col", class: "details" },
            make("span", { class: "hidden" }, words.head.details),
          ),
        ),
      ),
      table.body,
    ),
  );
  table.box.addEventListener(
    "scroll",
    () => {
      chosen.top = table.box.scrollTop;
      requestAnimationFrame(() => paint());
    },
    { passive: true },
  );
  const why = run.withheld[list];
  view.replaceChildren(
    make("p", { class: "crumbs" }, words.page.lists, " → ", words.list[list]),
    make("h1", {}, words.list[list]),
    make("p", { class: "note" }, words.list_text[list]),
    why ? make("p", { class: "missing" }, say("page.withheld", { why })) : "",
    make("div", { class: "filters" }, ...useful.map(filterOf)),
    make("div", { id: "chips", class: "chips" }),
    make(
      "div",
      { class: "tools" },
      search,
      make("label", { class: "sort" }, words.head.sort, " ", sort),
      make("p", { id: "rows", class: "note", role: "status", "aria-live": "polite" }),
    ),
    table.box,
    make("p", { id: "empty", class: "note", hidden: true }, words.page.none),
  );
  marks();
  update();
};
