// What follows from what was recorded, wherever that is kept.
const store = openStore(run.run);

/** What follows from the events: per customer the latest status, and how much no file holds yet. */
const state = {
  events: [],
  status: new Uint8Array(count),
  latest: new Map(),
  mine: new Map(),
  pending: 0,
};
const STATUS = FORM.statuses;

const refresh = async () => {
  state.events = await store.load();
  state.pending = await store.pending();
  state.status.fill(0);
  state.latest.clear();
  state.mine.clear();
  for (const event of state.events) {
    const row = placeOf.get(event.customer);
    if (row === undefined) continue;
    if (!state.mine.has(row)) state.mine.set(row, []);
    state.mine.get(row).push(event);
    const before = state.latest.get(row);
    if (event.event === "status" && !(before && before.recorded > event.recorded))
      state.latest.set(row, event);
  }
  // what was finished in the run of another week is open again where this one lists it
  for (const [row, event] of state.latest)
    state.status[row] =
      event.run !== run.run && DONE.has(event.status) ? 0 : STATUS.indexOf(event.status);
};

const moment = () => new Date().toISOString().slice(0, 19) + "Z";
/** Save an event: "kept"; "changed" where somebody else changed this customer since `seen`, so that
 * the later one can choose; else a sentence that says why it was not kept. */
const record = async (given, seen) => {
  const event = Object.fromEntries(FORM.columns.map((name) => [name, ""]));
  Object.assign(
    event,
    { schema: FORM.schema, run: run.run, recorded: moment(), by: adviserName() },
    given,
  );
  await refresh();
  const now = state.latest.get(placeOf.get(event.customer));
  if (event.event === "status" && now && seen !== identity(now)) return "changed";
  const how = await store.save([event], now);
  await refresh();
  return how;
};

const NAME_KEY = "akb.portal/1:name";
let typedName = "";
const adviserName = () => {
  if (run.person) return run.person; // a shared store says who it is
  try {
    return oneLine(localStorage.getItem(NAME_KEY) ?? typedName).slice(0, FORM.by);
  } catch {
    return typedName;
  }
};
const keepName = (name) => {
  typedName = oneLine(name).slice(0, FORM.by);
  try {
    localStorage.setItem(NAME_KEY, typedName);
  } catch {
    /* kept as long as the page is open */
  }
};
