// Which page is shown follows the address, so that the browser's back button works.
const menu = () => {
  const here = location.hash || "#dashboard",
    card = here.startsWith("#customer/");
  const link = (href, text, n) =>
    make(
      "a",
      {
        href,
        "aria-current": href === here || (card && href === `#list/${chosen.list}`) ? "page" : null,
      },
      text,
      n === undefined ? "" : make("span", { class: "n" }, number.format(n)),
    );
  document
    .getElementById("menu")
    .replaceChildren(
      link("#dashboard", words.page.dashboard),
      ...LISTS.map((list) => link(`#list/${list}`, words.list[list], members(list).length)),
    );
};

const route = () => {
  notice(state.lasting ? "" : words.dash.unsaved);
  const [page, which] = location.hash.slice(1).split("/");
  if (page === "list" && LISTS.includes(which)) showList(which);
  else if (page === "customer" && Number(which) < count && /^\d+$/.test(which))
    showCard(Number(which));
  else showDashboard();
  menu();
};

addEventListener("hashchange", () => {
  route();
  scrollTo(0, 0);
  document.getElementById("main").focus({ preventScroll: true });
});
addEventListener("beforeunload", (leaving) => {
  if (state.pending) leaving.preventDefault();
});
narrow.addEventListener("change", () => {
  if (table.box?.isConnected) {
    chosen.top = 0;
    update();
  }
});
store.subscribe(() =>
  refresh().then(() => {
    if (!document.querySelector("form")) route(); // nobody's half-written note is lost: a card says so when it is saved
  }),
);
refresh().then(() => {
  route();
  document.documentElement.dataset.ready = String(count);
  performance.measure("ready");
});
