// Forms that people fill in during an incident: sent with Ctrl + Enter, never left with unsent text by accident, and
// with as many lines for actions as somebody needs.

const form = document.querySelector("[data-typed-form]");
const rows = form.querySelector("[data-own-rows]");
let isTouched = false;
let isSending = false;

function addRow() {
  const last = rows.lastElementChild;
  const number = Math.max(...[...form.querySelectorAll("[name^=text-]")].map((field) => Number(field.name.slice(5)))) + 1;
  const row = last.cloneNode(true);
  for (const field of row.querySelectorAll("input")) {
    field.name = field.name.replace(/\d+$/, number);
    if (field.id) field.id = field.id.replace(/\d+$/, number);
    if (field.type === "radio") field.checked = false;
    else field.value = "";
  }
  for (const label of row.querySelectorAll("label[for]")) label.htmlFor = label.htmlFor.replace(/\d+$/, number);
  rows.append(row);
  row.querySelector("input").focus();
}

form.addEventListener("submit", () => { isSending = true; });
form.addEventListener("input", () => { isTouched = true; });
addEventListener("beforeunload", (event) => { if (isTouched && !isSending) event.preventDefault(); });
addEventListener("pageshow", () => { isSending = false; });
form.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button.primary"));
  }
});
// A chosen outcome can be taken back: a second click, or Backspace.
form.addEventListener("pointerdown", (event) => {
  const choice = event.target.closest(".tried label")?.querySelector("input");
  if (choice?.checked) choice.dataset.again = "yes";
});
form.addEventListener("click", (event) => {
  if (event.target.matches("[data-add-row]")) addRow();
  if (event.target.matches(".tried input[type=radio]") && event.target.dataset.again) {
    event.target.checked = false;
    delete event.target.dataset.again;
  }
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Backspace" && event.target.matches(".tried input[type=radio]")) event.target.checked = false;
});
