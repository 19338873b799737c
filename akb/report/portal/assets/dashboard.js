// The first page: what there is to do, how far it is, and the way in and out for what was recorded.
const progressOf = (rows) => {
  const tally = { all: rows.length, done: 0, busy: 0, soon: 0 };
  for (const row of rows) {
    const code = state.status[row];
    if (isDone(code)) tally.done++;
    else if (code) tally.busy++;
    if (!isDone(code) && columns.before.all[row] && columns.before.all[row] <= horizon())
      tally.soon++;
  }
  return tally;
};
/** In days after X: two weeks from today. */
const horizon = () => Math.max(14, Math.ceil((Date.now() - asOf.getTime()) / DAY) + 14);

const tile = (value, label, id) =>
  make("div", {}, make("dt", {}, label), make("dd", { id }, number.format(value)));
const bar = (done, busy, all) => {
  const picture = draw("svg", {
    viewBox: "0 0 100 8",
    class: "bar",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const share = (value) => (all ? (100 * value) / all : 0);
  picture.append(
    draw("rect", { x: 0, y: 0, width: 100, height: 8, class: "ground" }),
    draw("rect", { x: 0, y: 0, width: share(done), height: 8, class: "done" }),
    draw("rect", { x: share(done), y: 0, width: share(busy), height: 8, class: "busy" }),
  );
  return picture;
};

const lines = (label, rows) =>
  make(
    "table",
    { class: "small" },
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        make("th", { scope: "col" }, label),
        ...["customers", "handled", "open"].map((name) =>
          make("th", { scope: "col", class: "number" }, words.dash[name]),
        ),
        make(
          "th",
          { scope: "col", class: "progress" },
          make("span", { class: "hidden" }, words.dash.progress),
        ),
      ),
    ),
    make(
      "tbody",
      {},
      ...rows.map(([head, tally]) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, head),
          make(
            "td",
            { class: "number", "data-label": words.dash.customers },
            number.format(tally.all),
          ),
          make(
            "td",
            { class: "number", "data-label": words.dash.handled },
            number.format(tally.done),
          ),
          make(
            "td",
            { class: "number", "data-label": words.dash.open },
            number.format(tally.all - tally.done),
          ),
          make("td", { class: "progress" }, bar(tally.done, tally.busy, tally.all)),
        ),
      ),
    ),
  );

let grouping = null;
const groupTable = () => {
  const units = ["office", "manager", "sub_office", "adviser"].filter(
    (name) => valuesOf(name).length > 1,
  );
  if (!units.length) return "";
  if (!units.includes(grouping)) grouping = units[0];
  const groups = new Map();
  for (const row of members(run.lists[0])) {
    const code = columns[grouping].all[row];
    if (!groups.has(code)) groups.set(code, []);
    groups.get(code).push(row);
  }
  const rows = [...groups]
    .map(([code, mine]) => [valueText(grouping, code), progressOf(mine)])
    .sort((a, b) => b[1].all - a[1].all);
  const pick = make(
    "select",
    {
      id: "grouping",
      "aria-label": words.dash.scope,
      onchange: () => {
        grouping = pick.value;
        showDashboard();
        document.getElementById("grouping").focus();
      },
    },
    ...units.map((name) =>
      make("option", { value: name, selected: name === grouping }, words.filter[name]),
    ),
  );
  return make(
    "section",
    { class: "part" },
    make("h2", {}, say("dash.by", { what: words.filter[grouping].toLowerCase() })),
    pick,
    lines(words.filter[grouping], rows),
  );
};

const today = () => isoDay(new Date());
const doExport = async () => {
  const events = state.events.slice();
  const file = `akb-feedback-${run.run}-${today()}.csv`;
  handOver(file, csvOf(events));
  await store.handed(events);
  await refresh();
  route();
  notice(say("dash.exported", { n: number.format(events.length), file }));
};
const doImport = () =>
  chooseFile(async (text, file) => {
    const read = eventsOf(text, file);
    if (read.problem) return notice(say("dash.refused", { why: read.problem }));
    const known = new Set(state.events.map(identity)),
      fresh = [];
    for (const event of read.events) {
      const mark = identity(event);
      if (!known.has(mark)) {
        known.add(mark);
        fresh.push(event);
      }
    }
    await store.save(fresh);
    await store.handed(read.events);
    await refresh();
    route();
    return notice(
      say("dash.imported", {
        n: number.format(fresh.length),
        known: number.format(read.events.length - fresh.length),
      }),
    );
  });
const doRelations = () =>
  chooseFile(async (text) => {
    const rows = cellsOf(text.replace(/^\ufeff/, "")),
      head = rows?.[0] ?? [];
    const key = head.indexOf("customer"),
      relation = head.indexOf("relation");
    if (key < 0 || relation < 0) return notice(words.dash.relations_bad);
    const found = new Map();
    for (const cells of rows.slice(1)) {
      const name = cells[key];
      if (!placeOf.has(name)) continue;
      const label = unmarked(cells[relation] ?? "");
      found.set(name, found.has(name) ? `${found.get(name)} + ${label}` : label);
    }
    if (!found.size) return notice(words.dash.relations_other);
    relations.clear();
    for (const [name, label] of found) relations.set(name, label);
    names = null;
    route();
    return notice(say("dash.relations_on", { n: number.format(found.size) }));
  });

const showDashboard = () => {
  const list = members(run.lists[0]),
    tally = progressOf(list),
    soon = dayText(after(horizon()));
  const counted = new Map();
  for (const row of list) counted.set(state.status[row], (counted.get(state.status[row]) ?? 0) + 1);
  const name = make("input", {
    id: "name",
    type: "text",
    autocomplete: "off",
    maxlength: String(FORM.by),
    value: adviserName(),
  });
  name.addEventListener("change", () => {
    keepName(name.value);
    showDashboard();
  });
  const recent = state.events.slice(-8).reverse();
  const person = adviserName();
  view.replaceChildren(
    make("h1", {}, person ? say("dash.hello_name", { name: person }) : words.dash.hello),
    make(
      "dl",
      { class: "tiles" },
      tile(tally.all - tally.done - tally.busy, words.dash.todo, "tile-todo"),
      tile(tally.busy, words.dash.busy, "tile-busy"),
      tile(tally.done, words.dash.done, "tile-done"),
      tile(tally.soon, say("dash.soon", { day: soon }), "tile-soon"),
    ),
    make(
      "div",
      { class: "card" },
      make(
        "div",
        {},
        make(
          "section",
          { class: "part" },
          make("h2", {}, words.dash.progress),
          lines(
            words.dash.list,
            run.lists
              .filter((key) => members(key).length)
              .map((key) => [
                make("a", { href: `#list/${key}` }, words.list[key]),
                progressOf(members(key)),
              ]),
          ),
        ),
        groupTable(),
        make(
          "section",
          { class: "part" },
          make("h2", {}, words.dash.by_status),
          make(
            "ul",
            { class: "states" },
            ...STATUS.map((key, code) =>
              make(
                "li",
                {},
                make("span", {}, words.status[key]),
                make("b", {}, number.format(counted.get(code) ?? 0)),
              ),
            ),
          ),
        ),
      ),
      make(
        "div",
        {},
        make(
          "section",
          { class: "part" },
          make("h2", {}, words.dash.fresh),
          run.person
            ? ""
            : make("div", { class: "field" }, make("label", { for: "name" }, words.dash.name), name),
          make(
            "p",
            { id: "pending", class: state.pending ? "stop" : "note" },
            say("dash.count", {
              n: number.format(state.events.length),
              new: number.format(state.pending),
            }),
            state.pending ? ` ${words.dash.dirty}` : "",
          ),
          make(
            "div",
            { class: "buttons" },
            make(
              "button",
              {
                type: "button",
                id: "export",
                class: "main",
                disabled: !state.events.length,
                onclick: doExport,
              },
              words.dash.export,
            ),
            otherButton(),
          ),
        ),
        make(
          "section",
          { class: "part" },
          make("h2", {}, words.dash.recent),
          recent.length
            ? make(
                "ul",
                { class: "plain" },
                ...recent.map((event) =>
                  make(
                    "li",
                    {},
                    placeOf.has(event.customer)
                      ? make(
                          "a",
                          { href: `#customer/${placeOf.get(event.customer)}` },
                          shownName(placeOf.get(event.customer)),
                        )
                      : event.customer.slice(0, 6),
                    " ",
                    eventText(event),
                  ),
                ),
              )
            : make("p", { class: "note" }, words.dash.recent_none),
        ),
        run.named || run.person
          ? ""
          : make(
              "section",
              { class: "part" },
              make("h2", {}, words.dash.relations),
              make(
                "p",
                { class: "note" },
                relations.size
                  ? say("dash.relations_on", { n: number.format(relations.size) })
                  : words.dash.relations_text,
              ),
              make(
                "div",
                { class: "buttons" },
                make(
                  "button",
                  { type: "button", id: "relations", onclick: doRelations },
                  words.dash.relations,
                ),
              ),
            ),
      ),
    ),
  );
};
