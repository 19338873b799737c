// The page as a file: its data stands in it, and what is recorded stays in the browser until it is
// exported. Another side may take the place of this one (`shared.js` does, over HTTP); the page
// knows it by three names and nothing else:
//
//   block(id)         -> what stands in a block of data: akb-run, akb-words, akb-columns
//   otherButton()     -> the button beside that of the export
//   openStore(run)    -> where status and feedback are kept:
//     load()            -> Promise of all events, the oldest first
//     save(events, now) -> Promise of "kept", of "changed" where the customer's last status is no
//                          longer `now`, or of a sentence that says why nothing was kept
//     subscribe(listen) -> calls listen() when somebody else has saved
//     pending()         -> Promise of how many events no file holds yet; a shared store has none
//     handed(events)    -> Promise; says that a file holds these
//     trouble()         -> what the reader must know of it; "" for nothing
const block = (id) => JSON.parse(document.getElementById(id).textContent);
const otherButton = () =>
  make("button", { type: "button", id: "import", onclick: doImport }, words.dash.import);

const openStore = (name) => {
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
  };
  return {
    load: async () => read().events.slice(),
    save: async (events) => {
      read();
      memory.events.push(...events);
      write();
      return "kept";
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
      write();
    },
    trouble: () => (lasting ? "" : words.dash.unsaved),
  };
};
