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
  notice(store.trouble());
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
/** Show what others recorded, and leave alone what somebody is typing or choosing. */
const freshen = () => {
  let said = store.trouble();
  if (document.getElementById("status-form")) said ||= freshenCard();
  else if (table.box?.isConnected) {
    marks();
    update();
  } else if (!document.activeElement?.matches("#view input, #view select")) route();
  notice(said);
};
store.subscribe(() => refresh().then(freshen));
refresh().then(() => {
  route();
  document.documentElement.dataset.ready = String(count);
  performance.measure("ready");
});
