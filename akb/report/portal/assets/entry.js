// The way in of a served page: a token, what it may show, and questions to the server. The token is
// in this tab alone (sessionStorage), goes in a header that no other page can send, and never in a
// cookie or an address.
const entryWords = JSON.parse(document.getElementById("akb-words").textContent).served;
const TOKEN_KEY = "akb.serve/1:token";
let token = "";
const keepToken = (given) => {
  token = given;
  try {
    if (given) sessionStorage.setItem(TOKEN_KEY, given);
    else sessionStorage.removeItem(TOKEN_KEY);
  } catch {
    /* kept as long as the page is open */
  }
};

/** The answer of the server, as {status, content}; status 0 where there was none. */
const ask = async (path, given) => {
  try {
    const response = await fetch(path, {
      method: given ? "POST" : "GET",
      headers: {
        Authorization: `Bearer ${token}`,
        ...(given ? { "Content-Type": "application/json" } : {}),
      },
      body: given ? JSON.stringify(given) : undefined,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(60000),
    });
    const content = await response.json().catch(() => null);
    return { status: content ? response.status : 0, content };
  } catch {
    return { status: 0, content: null };
  }
};

let given = null; // what the page shows, as the server gave it

const showEntry = (said) => {
  const place = document.getElementById("view"),
    form = document.createElement("form"),
    field = document.createElement("div"),
    buttons = document.createElement("div"),
    title = document.createElement("h1"),
    label = document.createElement("label"),
    input = document.createElement("input"),
    text = document.createElement("p"),
    button = document.createElement("button"),
    wrong = document.createElement("p");
  title.textContent = entryWords.title;
  label.textContent = entryWords.token;
  label.htmlFor = "token";
  Object.assign(input, { id: "token", type: "password", autocomplete: "off", spellcheck: false });
  text.textContent = entryWords.token_text;
  text.className = "note";
  button.textContent = entryWords.enter;
  button.className = "main";
  Object.assign(wrong, { className: "stop", textContent: said, hidden: !said });
  wrong.setAttribute("role", "alert");
  form.id = "entry";
  field.className = "field";
  field.append(label, input, text);
  buttons.className = "buttons";
  buttons.append(button);
  form.append(field, wrong, buttons);
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    keepToken(input.value.trim());
    enter();
  });
  place.replaceChildren(title, form);
  input.focus();
};

const enter = async () => {
  if (!/^[\x21-\x7e]+$/.test(token)) return showEntry(token ? entryWords.wrong : "");
  const loading = document.createElement("p");
  loading.textContent = entryWords.loading;
  document.getElementById("view").replaceChildren(loading);
  const answer = await ask("api/portal");
  if (answer.status !== 200) {
    if (answer.status === 401) keepToken("");
    return showEntry(
      { 401: entryWords.wrong, 429: entryWords.busy }[answer.status] ?? entryWords.unreached,
    );
  }
  given = answer.content;
  return start();
};
const begin = () => {
  try {
    token = sessionStorage.getItem(TOKEN_KEY) ?? "";
  } catch {
    /* asked for again */
  }
  enter();
};
