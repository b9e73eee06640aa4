// What the head of every page needs: the switch between light and dark, and its menu.
// Without this file the system decides about light and dark, and menus close by their own button.
const root = document.documentElement;
root.dataset.script = "";

function isDark() {
  const chosen = root.dataset.theme;
  if (chosen) return chosen === "dark";
  if (document.body.classList.contains("body--dark")) return true;
  if (document.body.classList.contains("body--light")) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function choose(theme) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  root.dataset.theme = theme;
  if (window.Quasar) window.Quasar.Dark.set(theme === "dark");
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-switch]")) choose(isDark() ? "light" : "dark");
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
