// The card of one customer: what to do and why, what is held and lacking, what comes, and what
// was recorded.
const part = (name, ...inside) =>
  make(
    "section",
    { class: `part is-${name}`, "aria-labelledby": `part-${name}` },
    make("h2", { id: `part-${name}` }, words.card[name]),
    ...inside,
  );
const facts = (rows) =>
  make(
    "dl",
    { class: "facts" },
    ...rows
      .filter(([, text]) => text)
      .flatMap(([label, text]) => [make("dt", {}, label), make("dd", {}, text)]),
  );

const todo = (row) => {
  const action = named("action", columns.action.all[row]),
    stop = named("stop", columns.stop.all[row]);
  const level = named("level", columns.level.all[row]),
    who = named("done_by", columns.done_by.all[row]);
  const ends = columns.announced.all[row];
  return part(
    "what",
    stop
      ? make("p", { class: "stop" }, words.stop[stop], ends ? ` (${dayText(after(ends))})` : "")
      : "",
    make("p", { class: "action" }, action ? words.action[action] : words.action.leave_alone),
    make("h3", {}, words.card.why),
    make("p", { class: "why" }, whyText(row)),
    facts([
      [words.card.discuss, named("branch", columns.branch.all[row])],
      [words.card.contact, named("contact", columns.contact.all[row])],
      [words.card.who, [who, worded("level", level)].filter(Boolean).join(", ")],
      [words.card.before, columns.before.all[row] ? dayText(after(columns.before.all[row])) : ""],
    ]),
  );
};

const policiesOf = (row) => {
  const packed = columns.held.get(row),
    days = columns.held_day.get(row),
    out = [];
  for (let i = 0; i < days.length; i++)
    out.push({
      branch: packed[3 * i],
      count: packed[3 * i + 1],
      since: 1900 + packed[3 * i + 2],
      days: days[i] >> 1,
      ends: days[i] & 1,
    });
  return out;
};

const held = (row) => {
  const rows = policiesOf(row),
    more = columns.policies.all[row] - rows.reduce((sum, each) => sum + each.count, 0);
  return part(
    "held",
    make("p", { class: "note" }, say("card.held_count", { n: columns.policies.all[row] })),
    make(
      "ul",
      { class: "plain" },
      ...rows.map((each) =>
        make(
          "li",
          {},
          make("b", {}, (each.count > 1 ? `${each.count} × ` : "") + named("branch", each.branch)),
          " ",
          make(
            "span",
            { class: "note" },
            [
              say("card.since", { year: each.since }),
              each.days
                ? say(each.ends ? "card.ends" : "card.renews", { day: dayText(after(each.days)) })
                : "",
            ]
              .filter(Boolean)
              .join(", "),
          ),
        ),
      ),
      more > 0 ? make("li", {}, `+ ${more}`) : "",
    ),
  );
};

const missingPart = (row) => {
  const packed = columns.missing.get(row),
    items = [];
  for (let i = 0; i < packed.length; i += 2)
    items.push(
      make(
        "li",
        {},
        make("b", {}, named("branch", packed[i])),
        " ",
        make("span", { class: "note" }, say("card.missing_share", { n: packed[i + 1] })),
      ),
    );
  return part(
    "missing",
    ...(items.length
      ? [
          make("p", { class: "note" }, words.card.missing_text),
          make("ul", { class: "plain" }, ...items),
        ]
      : [make("p", { class: "note" }, words.card.missing_none)]),
  );
};

const calendar = (row) => {
  const rows = policiesOf(row).filter((each) => each.days && !each.ends && each.days <= 366),
    months = [];
  for (let ahead = 0; ahead <= 12; ahead++) {
    const place = asOf.getUTCMonth() + ahead,
      year = asOf.getUTCFullYear() + Math.floor(place / 12);
    months.push({
      key: `${year}-${place % 12}`,
      text: words.months.short[place % 12],
      year,
      branches: [],
    });
  }
  for (const each of rows) {
    const day = after(each.days),
      found = months.find((month) => month.key === `${day.getUTCFullYear()}-${day.getUTCMonth()}`);
    found?.branches.push((each.count > 1 ? `${each.count} × ` : "") + named("branch", each.branch));
  }
  const cells = months.filter((month, ahead) => ahead || month.branches.length).slice(0, 12);
  return part(
    "calendar",
    make("p", { class: "note" }, rows.length ? words.card.calendar_text : words.card.calendar_none),
    rows.length
      ? make(
          "ol",
          { class: "calendar" },
          ...cells.map((month) =>
            make(
              "li",
              { class: month.branches.length ? "on" : "" },
              make(
                "span",
                { class: "month" },
                month.text,
                make("span", { class: "hidden" }, ` ${month.year}`),
              ),
              make("span", {}, month.branches.join(", ")),
            ),
          ),
        )
      : "",
  );
};

const nbp = (row) => {
  const packed = columns.nbp.get(row),
    euros = columns.nbp_euro.get(row),
    lines = [];
  for (let i = 0; i < euros.length; i++) {
    const [branch, chance, effect] = packed.subarray(3 * i, 3 * i + 3),
      money = euros[i];
    lines.push(
      make(
        "tr",
        {},
        make("th", { scope: "row" }, named("branch", branch)),
        make("td", { "data-label": words.card.chance }, bandText("chance", chance)),
        make(
          "td",
          { "data-label": words.card.commission },
          money === run.unknown - 1 ? words.card.ban : money === run.unknown ? "–" : euro(money),
        ),
        make("td", { "data-label": words.card.effect }, effect ? bandText("effect", effect) : "–"),
      ),
    );
  }
  const why = run.withheld.next_best_policy;
  if (!lines.length)
    return part(
      "nbp",
      make("p", { class: "note" }, why ? say("page.withheld", { why }) : words.card.nbp_none),
    );
  const heads = ["policy", "chance", "commission", "effect"].map((name) =>
    make("th", { scope: "col" }, words.card[name]),
  );
  return part(
    "nbp",
    make(
      "table",
      { class: "small" },
      make("thead", {}, make("tr", {}, ...heads)),
      make("tbody", {}, ...lines),
    ),
    make("p", { class: "note" }, words.card.chance_text, " ", words.card.effect_text),
  );
};

const worth = (row) => {
  const codes = columns.worth.get(row),
    known = [...codes].map((code) => (code === run.unknown ? null : amount(code)));
  const largest = Math.max(...known.filter((value) => value !== null), 0);
  if (!largest) return part("worth", make("p", { class: "note" }, words.card.worth_none));
  const width = 560,
    height = 190,
    base = 150,
    step = width / codes.length,
    year = asOf.getUTCFullYear();
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "worth", role: "img" });
  const parts = [];
  known.forEach((value, place) => {
    const ahead = place - run.past,
      label = String(year + ahead),
      middle = step * place + step / 2;
    const mark = ahead > 0 ? words.card.worth_predicted : words.card.worth_counted;
    const text = draw("text", { x: middle, y: base + 18, class: "axis" });
    text.append(label);
    picture.append(text);
    if (value === null) return;
    const tall = Math.round((value / largest) * 120);
    picture.append(
      draw("rect", {
        x: step * place + 8,
        y: base - tall,
        width: step - 16,
        height: tall,
        class: ahead > 0 ? "predicted" : "counted",
      }),
    );
    const top = draw("text", { x: middle, y: base - tall - 6, class: "value" });
    top.append(number.format(value));
    picture.append(top);
    parts.push(`${label}: € ${number.format(value)} (${mark})`);
  });
  picture.append(draw("line", { x1: 0, x2: width, y1: base, y2: base, class: "axis" }));
  picture.setAttribute("aria-label", parts.join("; "));
  return part("worth", make("p", { class: "note" }, words.card.worth_text), picture);
};

/** A text with what is left of its characters. */
const noteField = (id, label, hint) => {
  const left = make("span", { class: "note", id: `${id}-left`, "aria-live": "polite" });
  const field = make("textarea", {
    id,
    rows: "3",
    "aria-describedby": `${id}-hint ${id}-left`,
    placeholder: hint,
  });
  const count = () => {
    const signs = [...field.value];
    if (signs.length > FORM.note) field.value = signs.slice(0, FORM.note).join("");
    left.textContent = say("card.left", { n: FORM.note - Math.min(signs.length, FORM.note) });
  };
  field.addEventListener("input", count);
  count();
  return [
    field,
    make(
      "div",
      { class: "field" },
      make("label", { for: id }, label),
      field,
      make("span", { class: "note", id: `${id}-hint` }, words.card.note_text, " "),
      left,
    ),
  ];
};

/** What a form does when it is sent: once at a time, for a second click may come before an answer. */
const once = (work) => {
  let busy = false;
  return async (submit) => {
    submit.preventDefault();
    if (busy) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  };
};

/** The status that the one at the form has seen. */
let seen = "";
const someoneElse = (now) =>
  say("dash.seen", { status: [words.status[now.status], now.by].filter(Boolean).join(", ") });

const statusForm = (row) => {
  const before = state.latest.get(row);
  seen = before ? identity(before) : "";
  const status = make(
    "select",
    { id: "status" },
    ...STATUS.map((key) =>
      make(
        "option",
        { value: key, selected: key === STATUS[state.status[row]] },
        words.status[key],
      ),
    ),
  );
  const day = make("input", { type: "date", id: "date", value: isoDay(new Date()) });
  const modes = FORM.modes.map((mode) =>
    make(
      "label",
      { class: "radio" },
      make("input", {
        type: "radio",
        name: "mode",
        value: mode,
        checked: mode === (before?.mode || FORM.modes[0]),
      }),
      words.mode[mode],
    ),
  );
  const [note, field] = noteField("note", words.card.note, "");
  const save = once(async () => {
    const given = {
      customer: customers[row],
      list: chosen.list,
      event: "status",
      status: status.value,
      date: day.value,
      mode: form.querySelector("[name=mode]:checked")?.value ?? "",
      note: oneLine(note.value),
    };
    const how = await record(given, seen);
    if (how === "kept") {
      showCard(row);
      notice(store.trouble() || words.card.saved);
      document.getElementById("status").focus();
    } else if (how !== "changed") notice(how);
    else {
      const now = state.latest.get(row);
      seen = identity(now);
      freshenCard();
      notice(someoneElse(now));
    }
  });
  const form = make(
    "form",
    { id: "status-form", onsubmit: save },
    make("div", { class: "field" }, make("label", { for: "status" }, words.card.status), status),
    make("div", { class: "field" }, make("label", { for: "date" }, words.card.date), day),
    make(
      "fieldset",
      { class: "field" },
      make("legend", {}, words.card.mode),
      ...modes,
      make("p", { class: "note" }, words.card.mode_text),
    ),
    field,
    make(
      "div",
      { class: "buttons" },
      make("button", { type: "submit", class: "main" }, words.page.save),
      make(
        "button",
        { type: "button", id: "give-feedback", onclick: () => openFeedback(row) },
        words.card.feedback,
      ),
    ),
  );
  return part("status", form, make("div", { id: "card-history" }, historyOf(row)));
};

const eventText = (event) =>
  [
    event.event === "status" ? words.status[event.status] : words.type[event.type],
    event.date ? dayText(new Date(event.date + "T00:00:00Z")) : "",
    worded("mode", event.mode),
    event.note,
    event.by || words.card.no_name,
  ]
    .filter(Boolean)
    .join(" · ");
const historyOf = (row) => {
  const events = (state.mine.get(row) ?? []).slice().reverse();
  return events.length
    ? make(
        "div",
        {},
        make("h3", {}, words.card.history),
        make(
          "ul",
          { class: "plain", id: "history" },
          ...events.map((event) => make("li", {}, eventText(event))),
        ),
      )
    : "";
};

const openFeedback = (row) => {
  const [note, field] = noteField("feedback-note", words.card.note, words.card.feedback_note);
  const wrong = make("p", { class: "stop", role: "alert", hidden: true }, words.card.feedback_pick);
  const types = FORM.types.map((type) =>
    make(
      "label",
      { class: "radio" },
      make("input", { type: "radio", name: "type", value: type }),
      words.type[type],
    ),
  );
  const save = once(async () => {
    const type = modal.querySelector("[name=type]:checked")?.value;
    wrong.textContent = words.card.feedback_pick;
    wrong.hidden = Boolean(type);
    if (!type) return;
    const how = await record({
      customer: customers[row],
      list: chosen.list,
      event: "feedback",
      type,
      note: oneLine(note.value),
    });
    if (how !== "kept") {
      wrong.textContent = how;
      wrong.hidden = false;
      return;
    }
    modal.close();
    showCard(row);
    notice(store.trouble() || words.card.saved);
    document.getElementById("give-feedback").focus();
  });
  modal.replaceChildren(
    make(
      "form",
      { id: "feedback-form", onsubmit: save },
      make("h2", { id: "modal-title" }, words.card.feedback_title),
      make("p", {}, words.card.feedback_intro),
      make("fieldset", { class: "field" }, make("legend", {}, words.card.feedback_type), ...types),
      wrong,
      field,
      make(
        "div",
        { class: "buttons" },
        make("button", { type: "submit", class: "main" }, words.card.feedback),
        make("button", { type: "button", onclick: () => modal.close() }, words.page.close),
      ),
    ),
  );
  modal.showModal();
};

const headOf = (row) =>
  facts([
    [words.head.clv, cellText.clv(row)],
    [words.head.churn, cellText.churn(row)],
    [words.card.segment, named("segment", columns.segment.all[row])],
    [words.card.service, named("service", columns.service.all[row])],
    [words.head.status, cellText.status(row)],
  ]);

/** Show on an open card what others recorded, and return what its reader must know of it; the form
 * stays as it is. */
const freshenCard = () => {
  const row = Number(location.hash.split("/")[1]),
    now = state.latest.get(row);
  document.getElementById("card-head").replaceChildren(headOf(row));
  document.getElementById("card-history").replaceChildren(historyOf(row));
  return now && identity(now) !== seen ? someoneElse(now) : "";
};

const showCard = (row) => {
  view.replaceChildren(
    make(
      "p",
      { class: "crumbs" },
      make(
        "a",
        { href: `#list/${chosen.list}` },
        `← ${words.page.back}: ${words.list[chosen.list]}`,
      ),
    ),
    make("h1", {}, ...nameParts(row)),
    make(
      "p",
      { class: "note who" },
      [
        valueText("kind", columns.kind.all[row]),
        whereText(row),
        named("manager", columns.manager.all[row]),
        named("adviser", columns.adviser.all[row]),
      ]
        .filter((text) => text && text !== "–")
        .join(" · "),
    ),
    make("div", { id: "card-head" }, headOf(row)),
    make(
      "div",
      { class: "card" },
      make("div", {}, todo(row), nbp(row), held(row), calendar(row), missingPart(row), worth(row)),
      statusForm(row),
    ),
  );
};
