// The runbook page: values typed above go into every command at once, commands can be copied, the outline follows.

import { putOnClipboard } from "./clipboard.js";
import { quote, refusal } from "./fill.js";

const CONTEXT_KEY = "sre-kb-no-context";
const TOLD_FOR_MS = 4000;

const article = document.querySelector("[data-runbook]");
const bar = document.querySelector("[data-blanks]");
const fields = bar ? [...bar.querySelectorAll("[data-blank-field]")] : [];
const blanks = [...article.querySelectorAll(".blank")];
const contextSwitch = bar?.querySelector("[data-context-switch]") ?? null;

function fillBlank(blank, value) {
  const pasted = quote(value, blank.dataset.quoting);
  blank.textContent = pasted ?? blank.dataset.spelling;
  blank.classList.toggle("filled", pasted !== null);
  blank.classList.toggle("refused", pasted === null && value !== "");
  blank.title = pasted === null && value !== "" ? "This value cannot stand here safely; edit the command by hand" : "";
}

function judgeField(field) {
  const reason = refusal(field.value.trim());
  const frame = field.closest(".field");
  const whyNot = frame.querySelector("[data-why-not]");
  whyNot.textContent = reason ? `Not filled in: ${reason}.` : "";
  whyNot.hidden = reason === "";
  frame.classList.toggle("bad", reason !== "");
  frame.classList.toggle("open", field.value.trim() === "");
  field.setAttribute("aria-invalid", String(reason !== ""));
}

function tellHowFar() {
  const open = fields.filter((field) => !field.value.trim() || refusal(field.value.trim())).length;
  bar.querySelector("[data-blanks-told]").textContent =
    open === 0 ? "All filled in." : `${open} of ${fields.length} still open.`;
}

function fillAll() {
  const values = new Map(fields.map((field) => [field.name, field.value.trim()]));
  for (const blank of blanks) fillBlank(blank, values.get(blank.dataset.name) ?? "");
  fields.forEach(judgeField);
  tellHowFar();
}

// A click on a blank leads to its field; Enter there leads back to the command.
let cameFrom = null;
function goToField(blank) {
  const field = fields.find((candidate) => candidate.name === blank.dataset.name);
  if (!field) return;
  cameFrom = blank.closest(".command");
  field.focus({ preventScroll: true });
  field.select();
  bar.scrollIntoView({ block: "center" });
}

function onFieldKey(event) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  keepInAddress(event.target);
  const next = fields[fields.indexOf(event.target) + 1];
  if (cameFrom) {
    cameFrom.querySelector("[data-copy]").focus({ preventScroll: true });
    cameFrom.scrollIntoView({ block: "center" });
  } else if (next) next.focus();
  cameFrom = null;
}

function keepInAddress(field) {
  const url = new URL(location.href);
  if (field.value.trim()) url.searchParams.set(field.name, field.value.trim());
  else url.searchParams.delete(field.name);
  history.replaceState(history.state, "", url);
}

function showContext(isWanted) {
  for (const added of article.querySelectorAll(".added")) added.hidden = !isWanted;
}

function textToCopy(block) {
  const code = block.querySelector("code").cloneNode(true);
  for (const hidden of code.querySelectorAll("[hidden]")) hidden.remove();
  return code;
}

function tell(block, text, isWarning) {
  const told = block.querySelector(".told");
  told.textContent = text;
  told.classList.toggle("warn", isWarning);
}

function disarm(block) {
  const button = block.querySelector("[data-copy]");
  delete block.dataset.warned;
  button.textContent = "Copy";
  button.classList.remove("warn");
  tell(block, "", false);
}

async function copy(block) {
  const button = block.querySelector("[data-copy]");
  const code = textToCopy(block);
  const open = [...new Set([...code.querySelectorAll(".blank:not(.filled)")].map((blank) => blank.dataset.name))];
  if (open.length > 0 && !block.dataset.warned) {
    block.dataset.warned = "yes";
    button.textContent = "Copy anyway";
    button.classList.add("warn");
    tell(block, `Still open: ${open.join(", ")}`, true);
    return;
  }
  clearTimeout(Number(block.dataset.timer));
  try {
    await putOnClipboard(code.textContent);
    disarm(block);
    tell(block, open.length ? `Copied with open blanks: ${open.join(", ")}` : "Copied", open.length > 0);
    report("copy");
  } catch {
    disarm(block);
    tell(block, "The browser does not let this page copy; select the text instead", true);
  }
  block.dataset.timer = setTimeout(() => disarm(block), TOLD_FOR_MS);
}

// What became of a search helps the next one; failing to say so harms nobody.
function report(kind) {
  if (!article.dataset.events) return;
  let anchor = location.hash.slice(1);
  try { anchor = decodeURIComponent(anchor); } catch { /* not ours: as it stands */ }
  const body = JSON.stringify({ kind, runbook_id: article.dataset.runbook, anchor: anchor.slice(0, 300) });
  fetch(article.dataset.events, { method: "POST", headers: { "Content-Type": "application/json" }, body, keepalive: true })
    .catch(() => undefined);
}

// A vote with a kind counts as what became of the search, too; one without says something of the runbook alone.
function vote(button) {
  if (button.dataset.voteKind) report(button.dataset.voteKind);
  else {
    const body = JSON.stringify({ target: article.dataset.runbook, case: article.dataset.searchId, verdict: button.dataset.verdict });
    fetch(article.dataset.feedback, { method: "PUT", headers: { "Content-Type": "application/json" }, body, keepalive: true })
      .catch(() => undefined);
  }
  const frame = button.closest("[data-vote]");
  frame.querySelector("[data-vote-told]").textContent = "Thank you; searches learn from it.";
  for (const other of frame.querySelectorAll("button")) other.hidden = true;
}

function followOutline() {
  const links = new Map([...document.querySelectorAll("[data-outline] a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const headings = [...article.querySelectorAll(":is(h1, h2, h3, h4, h5, h6)[id]")].filter((heading) => links.has(heading.id));
  if (headings.length === 0) return;
  let waiting = false;
  const follow = () => {
    waiting = false;
    const isAtEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const line = isAtEnd ? innerHeight : innerHeight * 0.28;
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top <= line);
    const target = headings.find((heading) => heading.matches(":target") && passed.includes(heading));
    const current = (isAtEnd ? target : undefined) ?? passed.at(-1) ?? headings[0];
    for (const [anchor, link] of links) {
      if (anchor === current.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(follow); } }, { passive: true });
  follow();
}

// Checklists can be ticked off; the ticks live as long as the tab.
function keepTicks() {
  const boxes = [...article.querySelectorAll("[data-prose] input[type=checkbox]")];
  const key = `sre-kb-ticks:${article.dataset.runbook}`;
  let ticked = {};
  try { ticked = JSON.parse(sessionStorage.getItem(key)) ?? {}; } catch { /* blocked: ticks last until reload */ }
  boxes.forEach((box, number) => {
    box.disabled = false;
    box.checked = ticked[number] ?? box.checked;
    box.setAttribute("aria-label", box.closest("li")?.textContent.trim().slice(0, 120) || "Done");
    box.addEventListener("change", () => {
      ticked[number] = box.checked;
      try { sessionStorage.setItem(key, JSON.stringify(ticked)); } catch { /* as above */ }
    });
  });
}

function back(event) {
  if (!article.dataset.searchId || history.length < 2) return;
  event.preventDefault();
  history.back();
}

for (const field of fields) {
  field.addEventListener("input", fillAll);
  field.addEventListener("change", () => keepInAddress(field));
  field.addEventListener("keydown", onFieldKey);
}
bar?.addEventListener("submit", (event) => event.preventDefault());
bar?.querySelector("[data-blanks-clear]").addEventListener("click", () => {
  for (const field of fields) { field.value = ""; keepInAddress(field); }
  fillAll();
  fields[0].focus();
});
if (contextSwitch) {
  try { contextSwitch.checked = localStorage.getItem(CONTEXT_KEY) === null; } catch { /* blocked: on */ }
  showContext(contextSwitch.checked);
  contextSwitch.addEventListener("change", () => {
    showContext(contextSwitch.checked);
    try {
      if (contextSwitch.checked) localStorage.removeItem(CONTEXT_KEY);
      else localStorage.setItem(CONTEXT_KEY, "yes");
    } catch { /* blocked: holds for this page */ }
  });
}
article.addEventListener("click", (event) => {
  const block = event.target.closest("[data-copy]")?.closest(".command");
  if (block) copy(block);
  const blank = event.target.closest(".blank");
  if (blank && getSelection().isCollapsed) goToField(blank);
  const voted = event.target.closest("[data-vote] button");
  if (voted) vote(voted);
});
article.querySelector("[data-back]").addEventListener("click", back);
article.querySelector("[data-print]").addEventListener("click", () => print());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, textarea, select")) event.target.blur();
  else article.querySelector("[data-back]").click();
});
if (matchMedia("(max-width: 56rem)").matches) document.querySelector("[data-outline]")?.removeAttribute("open");
if (fields.length) fillAll();
keepTicks();
followOutline();
report("view");
