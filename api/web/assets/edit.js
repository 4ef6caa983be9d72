// The edit page: nobody leaves it with unsaved text by accident.

const form = document.querySelector("[data-editor]");
const box = form.querySelector("textarea");
let isSaving = false;

form.addEventListener("submit", () => { isSaving = true; });
addEventListener("beforeunload", (event) => {
  if (!isSaving && box.value !== box.defaultValue) event.preventDefault();
});
box.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && (event.key === "s" || event.key === "Enter")) {
    event.preventDefault();
    form.requestSubmit();
  }
});
