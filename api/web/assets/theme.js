// Runs before the first paint, so that the chosen theme never flashes. Everything else is in modules.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("sre-kb-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* storage is blocked: the system's theme it is */ }
})();
