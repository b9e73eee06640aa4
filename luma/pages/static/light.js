// What NiceGUI needs of Quasar on a page without Quasar's widgets: a frame, dark mode and toasts.
window.Quasar = (() => {
  const MARK = `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentcolor" stroke-width="1.75"
    stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="9.5"/><path d="M12 7.5v5.5M12 16.5v.01"/></svg>`;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let follows = false;

  function paint(isDark) {
    document.body.classList.toggle("body--dark", isDark);
    document.body.classList.toggle("body--light", !isDark);
  }

  system.addEventListener("change", () => follows && paint(system.matches));

  const Dark = {
    set(dark) {
      follows = dark === "auto";
      paint(follows ? system.matches : dark);
    },
  };

  // Like Quasar's: returns what changes the toast when given options, and what ends it when not.
  function create(options) {
    const box = document.createElement("div");
    const sentence = document.createElement("span");
    const button = document.createElement("button");
    let timer;
    const leave = () => {
      clearTimeout(timer);
      box.remove();
      options.onDismiss?.();
    };
    const show = () => {
      clearTimeout(timer);
      box.className = `toast ${options.type ?? ""}`;
      sentence.textContent = options.message;
      button.textContent = options.closeBtn;
      button.hidden = !options.closeBtn;
      if (options.timeout) timer = setTimeout(leave, options.timeout);
    };
    button.type = "button";
    button.addEventListener("click", leave);
    box.innerHTML = MARK;
    box.append(sentence, button);
    show();
    corner().append(box);
    return (changed) => {
      if (!changed) return leave();
      options = changed;
      show();
    };
  }

  function corner() {
    const found = document.querySelector(".toasts");
    if (found) return found;
    const made = Object.assign(document.createElement("div"), { className: "toasts", role: "status" });
    document.body.append(made);
    return made;
  }

  function install(app) {
    for (const name of ["q-layout", "q-page-container", "q-page"]) {
      app.component(name, (_props, { slots }) => Vue.h("div", slots.default?.()));
    }
  }

  return { install, Dark, Notify: { create }, lang: { set() {} } };
})();
