// A list with filters: a changed filter takes effect at once.

const form = document.querySelector("[data-browse]");
form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) form.requestSubmit(); });
