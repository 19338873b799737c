// Where status and feedback are kept. The page knows a store by five things and nothing else, so
// that one over HTTP can
// take the place of the browser's:
//
//   load()            -> Promise of all events, the oldest first
//   save(events)      -> Promise; true where they will still be there tomorrow
//   subscribe(listen) -> calls listen() when somebody else has saved
//   pending()         -> Promise of how many events no file holds yet; a shared store has none
//   handed(events)    -> Promise; says that a file holds these
const browserStore = (name) => {
  const key = `akb.portal/1:${name}`;
  let memory = { events: [], handed: [] },
    lasting = true;
  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "null");
      if (kept && Array.isArray(kept.events) && Array.isArray(kept.handed)) memory = kept;
    } catch {
      lasting = false;
    }
    return memory;
  };
  const write = () => {
    try {
      localStorage.setItem(key, JSON.stringify(memory));
    } catch {
      lasting = false;
    }
    return lasting;
  };
  return {
    load: async () => read().events.slice(),
    save: async (events) => {
      read();
      memory.events.push(...events);
      return write();
    },
    subscribe: (listen) =>
      addEventListener("storage", (change) => {
        if (change.key === key) listen();
      }),
    pending: async () => {
      const handed = new Set(read().handed);
      return memory.events.filter((event) => !handed.has(identity(event))).length;
    },
    handed: async (events) => {
      read();
      memory.handed = [...new Set([...memory.handed, ...events.map(identity)])];
      return write();
    },
  };
};

const STORES = { browser: browserStore };
const store = STORES[run.store](run.run);

/** What follows from the events: per customer the latest status, and how much no file holds yet. */
const state = {
  events: [],
  status: new Uint8Array(count),
  latest: new Map(),
  mine: new Map(),
  pending: 0,
  lasting: true,
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
  for (const [row, event] of state.latest) state.status[row] = STATUS.indexOf(event.status);
};

const moment = () => new Date().toISOString().slice(0, 19) + "Z";
/** Save an event; false where somebody else changed this customer since `seen`, so that the later one can choose. */
const record = async (given, seen) => {
  const event = Object.fromEntries(FORM.columns.map((name) => [name, ""]));
  Object.assign(
    event,
    { schema: FORM.schema, run: run.run, recorded: moment(), by: adviserName() },
    given,
  );
  if (event.event === "status") {
    await refresh();
    const now = state.latest.get(placeOf.get(event.customer));
    if (now && seen !== identity(now)) return false;
  }
  state.lasting = await store.save([event]);
  await refresh();
  return true;
};

const NAME_KEY = "akb.portal/1:name";
let typedName = "";
const adviserName = () => {
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
