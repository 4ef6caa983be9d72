// Blocks of text with a button that copies them whole.

import { putOnClipboard } from "./clipboard.js";

const TOLD_FOR_MS = 4000;

async function copy(block) {
  const told = block.querySelector(".told");
  try {
    await putOnClipboard(block.querySelector("code").textContent);
    told.textContent = "Copied";
  } catch {
    told.textContent = "The browser does not let this page copy; select the text instead";
  }
  setTimeout(() => { told.textContent = ""; }, TOLD_FOR_MS);
}

document.addEventListener("click", (event) => {
  const block = event.target.closest("[data-copy]")?.closest("[data-copy-block]");
  if (block) copy(block);
});
