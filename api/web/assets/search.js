// The search page: answers arrive through htmx while one types; this adds the keys, the announcement for screen readers,
// the address that can be shared, and the recent searches, which never leave this browser.

const LONGEST_IN_ADDRESS = 600; // characters; longer texts are pasted alerts and go in the body of a POST
const ANNOUNCE_AFTER_MS = 700; // so that a screen reader hears the answer, not every step on the way
const ADVICE_AFTER_MS = 450;
const RECENT_KEY = "sre-kb-recent";
const RECENT_MAX = 8;
const DRAFT_KEY = "sre-kb-query";

const form = document.querySelector("[data-search]");
const box = form.querySelector("[data-search-box]");
const results = document.querySelector("[data-results]");
const announcer = document.querySelector("[data-announce]");
const filters = [...form.querySelectorAll("select")];
const clearFilters = form.querySelector("[data-clear-filters]");

const store = {
  read(kind, key, otherwise) {
    try { return JSON.parse(kind.getItem(key)) ?? otherwise; } catch { return otherwise; }
  },
  write(kind, key, value) {
    try { kind.setItem(key, JSON.stringify(value)); } catch { /* full or blocked: nothing is lost but comfort */ }
  },
};

const links = () => [...results.querySelectorAll("[data-hit-link]")];
const isPasted = (text) => text.includes("\n") || text.length > 160;

// The form says itself how it is sent; htmx reads the same attribute.
function fitForm() {
  form.method = box.value.length > LONGEST_IN_ADDRESS || box.value.includes("\n") ? "post" : "get";
  box.classList.toggle("pasted", isPasted(box.value));
  if (!CSS.supports("field-sizing", "content")) {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 3}px`;
  }
  for (const select of filters) select.classList.toggle("set", select.value !== "");
  clearFilters.hidden = filters.every((select) => select.value === "");
}

function showAddress() {
  const url = new URL(form.action);
  const query = box.value.trim();
  if (query && form.method === "get") url.searchParams.set("q", query);
  for (const select of filters) if (select.value) url.searchParams.set(select.name, select.value);
  history.replaceState(null, "", url);
  const title = query && !isPasted(query) ? query : "Search";
  document.title = `${title} · sre-kb`;
}

let announcing = 0;
function announce() {
  clearTimeout(announcing);
  const text = results.querySelector("[data-announcement]")?.dataset.announcement ?? "";
  announcing = setTimeout(() => { announcer.textContent = text; }, ANNOUNCE_AFTER_MS);
}

function remember() {
  const query = box.value.trim();
  if (!query || isPasted(query)) return;
  const recent = store.read(localStorage, RECENT_KEY, []).filter((other) => other !== query);
  store.write(localStorage, RECENT_KEY, [query, ...recent].slice(0, RECENT_MAX));
}

function showRecent() {
  const block = results.querySelector("[data-recent]");
  if (!block) return;
  const recent = store.read(localStorage, RECENT_KEY, []).filter((query) => typeof query === "string");
  block.querySelector("[data-recent-list]").replaceChildren(...recent.map((query) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const address = new URL(form.action);
    address.searchParams.set("q", query);
    link.href = address.href;
    link.textContent = query;
    item.append(link);
    return item;
  }));
  block.hidden = recent.length === 0;
}

// Enter may come before the hits do: once it means "to the first hit", twice "open it".
let entered = 0;
let sent = "";
let shown = "";

function goToFirst() {
  const first = links()[0];
  if (entered > 0) first?.focus();
  if (entered > 1) first?.click();
  entered = 0;
}

function onEnter() {
  remember();
  entered += 1;
  if (shown === box.value && results.ariaBusy !== "true") goToFirst();
  else if (entered === 1) form.requestSubmit();
}

function onBoxKey(event) {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    onEnter();
  } else if (event.key === "ArrowDown" && links().length) {
    const below = box.value.slice(box.selectionEnd);
    if (isPasted(box.value) ? below === "" : !below.includes("\n")) {
      event.preventDefault();
      links()[0].focus();
    }
  }
}

function onHitKey(event) {
  const all = links();
  const at = all.indexOf(document.activeElement);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) box.focus();
    else all[Math.min(next, all.length - 1)].focus();
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    all.at(event.key === "Home" ? 0 : -1).focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    box.focus();
  }
}

// What ended such incidents follows once somebody has stopped typing; it stands below the hits, so that nothing moves.
let advising = 0;
let adviceAsked = new AbortController();
function askForAdvice() {
  clearTimeout(advising);
  adviceAsked.abort();
  adviceAsked = new AbortController();
  const place = results.querySelector("[data-advice-place]");
  if (!place || "filled" in place.dataset) return;
  const { signal } = adviceAsked;
  const body = new URLSearchParams({ q: box.value });
  advising = setTimeout(async () => {
    try {
      const answer = await fetch(place.dataset.adviceUrl, { method: "POST", body, signal });
      if (!answer.ok) return;
      place.innerHTML = (await answer.text()).trim();
      const link = results.querySelector("[data-advice-link]");
      if (link && results.querySelector("[data-hits]")) link.hidden = place.childElementCount === 0;
    } catch { /* a newer text is on its way, or the server is away: the hits stand by themselves */ }
  }, ADVICE_AFTER_MS);
}

function afterSwap() {
  announce();
  askForAdvice();
  showRecent();
  showAddress();
  shown = sent;
  goToFirst();
}

function showFailure(text) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.dataset.state = "error";
  notice.textContent = text;
  results.replaceChildren(notice);
}

form.addEventListener("input", () => { entered = 0; fitForm(); }, { capture: true });
form.addEventListener("htmx:config:request", () => { sent = box.value; });
box.addEventListener("keydown", onBoxKey);
box.addEventListener("paste", () => setTimeout(() => { box.scrollTop = 0; })); // an alert's first lines say what it is
results.addEventListener("keydown", onHitKey);
results.addEventListener("click", (event) => {
  if (event.target.closest("[data-hit-link]")) remember();
  if (event.target.closest("[data-recent-clear]")) {
    store.write(localStorage, RECENT_KEY, []);
    showRecent();
  }
});
clearFilters.addEventListener("click", () => {
  for (const select of filters) select.value = "";
  fitForm();
  form.requestSubmit();
  box.focus();
});
form.addEventListener("htmx:before:request", () => { results.ariaBusy = "true"; });
form.addEventListener("htmx:finally:request", (event) => {
  if (event.detail.ctx.request.signal.aborted) return; // a newer request is on its way
  results.ariaBusy = "false";
});
// Overload and limits are answered before any page is: with a problem document, which says what to do.
form.addEventListener("htmx:after:request", (event) => {
  const { response, text } = event.detail.ctx;
  if ((response.headers.get("content-type") ?? "").startsWith("text/html")) return;
  event.preventDefault();
  let problem = {};
  try { problem = JSON.parse(text); } catch { /* no problem document either */ }
  showFailure([problem.title ?? `The server answered ${response.status}`, problem.detail, problem.advice].filter(Boolean).join(" "));
});
form.addEventListener("htmx:after:swap", () => { results.ariaBusy = "false"; afterSwap(); });
form.addEventListener("htmx:error", (event) => {
  const late = event.detail.ctx?.request.signal.reason === "timeout";
  showFailure(late ? "The server took too long to answer. Change the text or press Search to try again."
    : "The server cannot be reached. It may be restarting; change the text or press Search to try again.");
});

// Coming back from a runbook: a pasted alert is not in the address, so this tab remembers it.
addEventListener("pagehide", () => store.write(sessionStorage, DRAFT_KEY, { text: box.value }));
addEventListener("pageshow", (event) => {
  const came = performance.getEntriesByType("navigation")[0]?.type;
  const draft = store.read(sessionStorage, DRAFT_KEY, { text: "" });
  if (event.persisted || came !== "back_forward" || !draft.text || draft.text === box.defaultValue) return;
  box.value = draft.text;
  fitForm();
  form.requestSubmit();
});

if (links().length) shown = box.value;
fitForm();
showRecent();
