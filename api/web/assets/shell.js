// What every page has: the theme switch, the list of keys, and the keys that work everywhere.

const THEMES = ["system", "light", "dark"];
const root = document.documentElement;

const chosenTheme = () => root.dataset.theme ?? "system";

function showTheme(button) {
  const theme = chosenTheme();
  const label = theme === "system" ? "Theme: as the system" : `Theme: ${theme}`;
  button.setAttribute("aria-label", label);
  button.title = label;
}

function switchTheme(button) {
  const next = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length];
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem("sre-kb-theme");
    else localStorage.setItem("sre-kb-theme", next);
  } catch { /* storage is blocked: the choice holds for this page */ }
  showTheme(button);
}

const isTyping = (element) => element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const keys = document.querySelector("[data-keys]");
  if (keys.open || isTyping(event.target)) return;
  if (event.key === "/") {
    const box = [...document.querySelectorAll("[data-search-box]")].find((field) => field.checkVisibility());
    if (box) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  } else if (event.key === "?") {
    event.preventDefault();
    keys.showModal();
  }
}

// On a phone the pages' names scroll; the present one must be in sight.
const present = document.querySelector(".bar nav [aria-current]");
if (present) present.parentElement.scrollLeft = present.offsetLeft - present.parentElement.clientWidth / 2 + present.offsetWidth / 2;

const themeButton = document.querySelector("[data-theme-switch]");
showTheme(themeButton);
themeButton.addEventListener("click", () => switchTheme(themeButton));
document.querySelector("[data-keys-open]").addEventListener("click", () => document.querySelector("[data-keys]").showModal());
document.addEventListener("keydown", onKey);
