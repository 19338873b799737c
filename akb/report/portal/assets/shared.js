// The page on one shared state, over HTTP: the other side of `browser.js`.
const block = (id) => {
  if (id === "akb-run")
    return { ...given.run, person: given.person.name, relations: given.relations };
  if (id === "akb-columns") return given.columns;
  return JSON.parse(document.getElementById(id).textContent);
};
const leave = () => {
  keepToken("");
  location.reload();
};
const otherButton = () =>
  make("button", { type: "button", id: "leave", onclick: leave }, words.served.leave);

const RETRY = [400, 1200];
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const openStore = () => {
  const known = new Map(); // id -> event, in the order in which the book got them
  let last = 0,
    said = "",
    newer = false;
  const brand = document.querySelector(".brand");
  for (const text of [run.client, run.scope, say("page.as_of", { day: dayText(asOf) })]) {
    if (!text) continue;
    const part = document.createElement("span");
    part.textContent = text;
    brand.append(part, " ");
  }
  const eventOf = ([id, ...cells]) => ({
    id,
    ...Object.fromEntries(FORM.columns.map((name, place) => [name, cells[place]])),
  });
  const heard = (status) => {
    if (status === 401) leave(); // taken back meanwhile
    said = { 0: words.served.away, 429: words.served.busy }[status] ?? "";
    if (status >= 500) said = words.served.away;
  };
  const trouble = () =>
    said ||
    (newer ? words.served.newer : "") ||
    (given.relations === null ? words.served.unjoined : "");
  let shown = trouble(); // what the reader was last told
  /** Ask for what was recorded since the last time; true where there is anything. */
  const pull = async () => {
    const answer = await ask(`api/events?after=${last}`);
    heard(answer.status);
    if (answer.status !== 200) return false;
    newer = answer.content.run !== run.run;
    last = answer.content.last;
    let news = false;
    for (const row of answer.content.events) {
      news ||= !known.has(row[0]);
      known.set(row[0], eventOf(row));
    }
    return news;
  };
  /** Two questions at once would hear the same twice, in any order. */
  let asking = Promise.resolve(false);
  const inTurn = () => (asking = asking.then(pull, pull));
  return {
    load: async () => {
      await inTurn();
      return [...known.values()];
    },
    save: async ([event], now) => {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const key = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      let answer = { status: 0 };
      for (const pause of [0, ...RETRY]) {
        await wait(pause);
        answer = await ask("api/events", { key, before: now?.id ?? "", event });
        if (answer.status) break; // without an answer it may be kept or not: the same key asks again
      }
      heard(answer.status);
      if (answer.status === 201) return "kept";
      if (answer.status === 409) return "changed";
      if (answer.status === 404) return words.served.elsewhere;
      if (said) shown = said; // so that it is taken back when the server answers again
      return said || fill(words.served.refused, { why: answer.content?.error ?? "" });
    },
    subscribe: (listen) => {
      const look = async () => {
        const news = await inTurn();
        if (!news && shown === trouble()) return;
        shown = trouble();
        listen();
      };
      const again = async () => {
        await look();
        setTimeout(again, run.poll * 1000 * (document.hidden ? 10 : 1));
      };
      setTimeout(again, run.poll * 1000);
      document.addEventListener("visibilitychange", () => document.hidden || look());
    },
    pending: async () => 0,
    handed: async () => {},
    trouble,
  };
};
