// What the page knows of every customer: columns of small numbers, unpacked once.
const run = block("akb-run"),
  words = block("akb-words");

const bytesOf = (text) => {
  const raw = atob(text),
    out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
};

const KIND = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };
const numbersOf = (text, kind) => new KIND[kind](bytesOf(text).buffer);

/** A column as `get(row)`: a number, or the numbers of a row. */
const column = (packed) => {
  if (packed.t === "text") return { all: packed.d, get: (row) => packed.d[row] };
  const all = numbersOf(packed.d, packed.t);
  if (!packed.n)
    return packed.w === 1
      ? { all, get: (row) => all[row] }
      : { all, get: (row) => all.subarray(row * packed.w, (row + 1) * packed.w) };
  const counts = bytesOf(packed.n),
    begin = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) begin[i + 1] = begin[i] + counts[i];
  return { all, get: (row) => all.subarray(begin[row], begin[row + 1]) };
};

const columns = Object.fromEntries(
  Object.entries(block("akb-columns")).map(([name, packed]) => [name, column(packed)]),
);
const customers = columns.customer.all,
  count = customers.length;
const placeOf = new Map(customers.map((name, row) => [name, row]));
const asOf = new Date(run.as_of + "T00:00:00Z");

/** A text with its {places} filled in. */
const fill = (text, values = {}) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
const say = (key, values) => {
  const [table, name] = key.split(".");
  return fill(words[table][name], values);
};
/** What code (from 1) of a dictionary stands for; "" for nothing. */
const named = (name, code) => (code ? run.names[name][code - 1] : "");
const worded = (table, key) => (key ? (words[table][key] ?? key) : "");

const DAY = 86400000;
const after = (days) => new Date(asOf.getTime() + days * DAY);
const dayText = (date) =>
  `${date.getUTCDate()} ${words.months.short[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
const isoDay = (date) => date.toISOString().slice(0, 10);
const number = new Intl.NumberFormat(run.language === "nl" ? "nl-NL" : "en-GB");
const euro = (code) => `€ ${number.format(amount(code))}`;
/** An amount of `amount_codes`: exponent x 100 + digits. */
const amount = (code) => (code % 100) * 10 ** Math.floor(code / 100);

const monthText = (code) => {
  const ahead = code - run.month_zero,
    place = asOf.getUTCFullYear() * 12 + asOf.getUTCMonth() + ahead;
  const name = words.months.names[((place % 12) + 12) % 12];
  return Math.abs(ahead) >= 11 ? `${name} ${Math.floor(place / 12)}` : name;
};

const clauseText = (template, first, second) => {
  const name = run.templates[template],
    slots = run.slots[template];
  if (name === "reason") return run.names.reason[first];
  const values = {};
  [first, second].forEach((value, place) => {
    const slot = slots[place];
    if (slot === "branch") values.branch = run.names.branch_inside[value];
    else if (slot === "month") values.month = monthText(value);
    else if (slot) values[slot] = value;
  });
  return say(`why.${name}`, values);
};

/** Why now, in one sentence: the same as on the advisers' sheets. */
const whyText = (row) => {
  const packed = columns.why.get(row),
    parts = [];
  for (let i = 0; i < packed.length; i += 3)
    parts.push(clauseText(packed[i], packed[i + 1], packed[i + 2]));
  const sentence = (parts.length ? parts : [words.why.alone]).join(words.why_join.joint);
  return sentence.charAt(0).toUpperCase() + sentence.slice(1) + ".";
};

/** Relation numbers, from a file or for who may see them: in memory alone, gone with the page. */
const relations = new Map(Object.entries(run.relations ?? {}));
const shownName = (row) => relations.get(customers[row]) ?? customers[row];
