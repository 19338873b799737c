// akb.feedback/1, as akb/store/feedback.py has it: what one side writes the other reads, and both
// refuse the same.
const FORM = run.feedback;
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029]/;
const marked = (text) => (/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const unmarked = (text) => (/^'+[=+\-@\t\r]/.test(text) ? text.slice(1) : text);
const lengthOf = (text) => [...text].length;
const oneLine = (text) => text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ").trim();

/** The cells of a CSV with `;` or `,`; null where its quotes do not match. */
const cellsOf = (text) => {
  const head = text.slice(0, text.indexOf("\n") < 0 ? text.length : text.indexOf("\n"));
  const separator = head.split(";").length >= head.split(",").length ? ";" : ",";
  const rows = [];
  let row = [],
    cell = "",
    quoted = false,
    closed = false,
    at = 0;
  const endCell = () => {
    row.push(cell);
    cell = "";
    closed = false;
  };
  for (; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else {
        quoted = false;
        closed = true;
      }
    } else if (sign === separator) endCell();
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at++;
      endCell();
      rows.push(row);
      row = [];
    } else if (closed) return null;
    else if (sign === '"' && cell === "") quoted = true;
    else cell += sign;
  }
  if (quoted) return null;
  if (cell !== "" || row.length) {
    endCell();
    rows.push(row);
  }
  return rows;
};

const csvOf = (events) => {
  const cell = (text) => (/[;"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const line = (cells) => cells.map((text) => cell(text)).join(";") + "\r\n";
  return (
    "\ufeff" +
    line(FORM.columns) +
    events.map((event) => line(FORM.columns.map((name) => marked(event[name] ?? "")))).join("")
  );
};

const realDay = (text) => {
  const found = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$/.exec(text);
  const iso = found
    ? `${found[3]}-${found[2].padStart(2, "0")}-${found[1].padStart(2, "0")}`
    : text;
  if (!/^\d{4}-\d\d-\d\d$/.test(iso)) return null;
  const day = new Date(iso + "T00:00:00Z");
  return !Number.isNaN(day.getTime()) && isoDay(day) === iso ? iso : null;
};

const CHOICES = {
  schema: [FORM.schema],
  event: ["status", "feedback"],
  status: FORM.statuses,
  mode: FORM.modes,
  type: FORM.types,
};
const NEEDED = ["schema", "run", "customer", "recorded", "event"];
const LONGEST = { customer: 64, by: FORM.by, note: FORM.note };
const PATTERN = {
  run: /^R-[0-9a-f]{12}$/,
  list: /^[a-z_]{0,40}$/,
  recorded: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
};

/** What is wrong with an event, as [column, words]; null for nothing. */
const fault = (event) => {
  for (const name of FORM.columns) {
    const text = event[name];
    if (text === "") {
      if (NEEDED.includes(name)) return [name, words.problem.empty];
    } else if (CHOICES[name] && !CHOICES[name].includes(text)) return [name, words.problem.choice];
    else if (LONGEST[name] && lengthOf(text) > LONGEST[name])
      return [name, say("problem.long", { n: LONGEST[name] })];
    else if ((PATTERN[name] && !PATTERN[name].test(text)) || CONTROL.test(text))
      return [name, words.problem.pattern];
    else if (name === "recorded" && Number.isNaN(Date.parse(text)))
      return [name, words.problem.pattern];
    else if (name === "date" && !realDay(text)) return [name, words.problem.pattern];
  }
  if (event.event === "status" && (!event.status || event.type))
    return ["status", words.problem.event];
  if (event.event === "feedback" && (!event.type || event.status))
    return ["type", words.problem.event];
  if (event.run !== run.run) return ["run", say("problem.run", { run: run.run })];
  return null;
};

/** The events of a file, or {problem}: taken whole or not at all. */
const eventsOf = (text, file) => {
  const rows = cellsOf(text.replace(/^\ufeff/, ""));
  if (!rows) return { problem: say("problem.csv", { file }) };
  const head = rows[0] ?? [];
  const lacking = FORM.columns.find((name) => !head.includes(name));
  if (lacking) return { problem: say("problem.head", { file, column: lacking }) };
  if (head.join("\n") !== FORM.columns.join("\n"))
    return { problem: say("problem.order", { file }) };
  const problems = [],
    events = [];
  rows.slice(1).forEach((cells, place) => {
    const at = place + 2;
    if (!cells.some((cell) => cell)) return;
    if (cells.length !== FORM.columns.length) {
      problems.push(
        say("problem.cells", { file, row: at, n: cells.length, all: FORM.columns.length }),
      );
      return;
    }
    const event = Object.fromEntries(
      FORM.columns.map((name, i) => [name, unmarked(cells[i].trim()).trim()]),
    );
    const wrong = fault(event);
    if (wrong)
      problems.push(say("problem.cell", { file, row: at, column: wrong[0], what: wrong[1] }));
    else {
      if (event.date) event.date = realDay(event.date);
      events.push(event);
    }
  });
  if (!problems.length) return { events };
  return {
    problem:
      problems[0] + (problems.length > 1 ? say("problem.more", { n: problems.length - 1 }) : ""),
  };
};

/** What makes two events the same. */
const identity = (event) => FORM.columns.map((name) => event[name] ?? "").join("\u0001");
