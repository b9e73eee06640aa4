// What makes the shop window quicker. Every page works without this file.
const WAIT = 250;
const TOAST = 4000;
const LATE = 20000;
const shelf = () => document.getElementById("shelf");

/* Toasts */

function toast(sentence, kind = "positive") {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  const words = document.createElement("span");
  words.textContent = sentence;
  box.append(words);
  if (kind !== "positive") box.append(closer(box));
  else setTimeout(() => leave(box), TOAST);
  document.querySelector(".toasts").append(box);
}

function closer(box) {
  const button = document.createElement("button");
  button.textContent = "Close";
  button.addEventListener("click", () => box.remove());
  return button;
}

function leave(box) {
  box.classList.add("leaving");
  setTimeout(() => box.remove(), 200);
}

for (const box of document.querySelectorAll("[data-toast]")) {
  if (box.dataset.toast === "positive") setTimeout(() => leave(box), TOAST);
  else box.append(closer(box));
}

/* Catalogue: search while typing, filters and pages without a reload, all kept in the address */

let asking = null;

function part(address, name) {
  asking?.abort();
  asking = new AbortController();
  const headers = { "X-Part": name };
  return fetch(address, { headers, signal: asking.signal }).then((answer) => {
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.text();
  });
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

async function show(address) {
  const old = shelf();
  old.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => skeleton(old), 400);
  try {
    const html = await part(address, "shelf");
    clearTimeout(slow);
    exchange(parsed(html).getElementById("shelf"));
  } catch (error) {
    clearTimeout(slow);
    if (error.name !== "AbortError") failed(address);
  }
}

// The filter that was pressed keeps the focus, and the count is spoken.
function exchange(fresh) {
  const pressed = document.activeElement?.closest("#shelf nav a")?.textContent;
  shelf().replaceWith(fresh);
  const again = [...fresh.querySelectorAll("nav a")].find((link) => link.textContent === pressed);
  again?.focus({ preventScroll: true });
  speak(fresh);
}

function speak(box) {
  const said = box.querySelector("[data-count]").textContent.trim() || box.querySelector("h2")?.textContent;
  document.querySelector("[data-spoken]").textContent = said ?? "";
}

function skeleton(box) {
  const grid = box.querySelector(".course-grid");
  if (!grid) return;
  const card = '<li class="card skeleton-card"><i class="skeleton"></i><i class="skeleton"></i><i class="skeleton"></i></li>';
  grid.innerHTML = card.repeat(6);
}

function failed(address) {
  const box = document.createElement("div");
  box.className = "empty";
  box.innerHTML = '<h2>The courses did not load</h2><p>Your filters are kept.</p><button class="button">Try again</button>';
  box.querySelector("button").addEventListener("click", () => show(address));
  const old = shelf();
  old.removeAttribute("aria-busy");
  old.replaceChildren(box);
}

// The address with one wish changed. It starts from where we are, not from what is still shown:
// the next filter may be pressed before the answer to the last one is there.
function wished(name, value) {
  const query = new URLSearchParams(location.search);
  query.delete("page");
  if (value) query.set(name, value);
  else query.delete(name);
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

function filter(link) {
  const name = link.closest("[data-filter]").dataset.filter;
  const address = wished(name, new URL(link.href).searchParams.get(name));
  history.pushState(null, "", address);
  show(address);
}

function liveSearch(form) {
  const input = form.elements.q;
  let timer;
  let typing = false;
  const go = (again) => {
    const address = wished("q", input.value.trim());
    if (again) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    show(address);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { go(typing); typing = true; }, WAIT);
  });
  input.addEventListener("blur", () => { typing = false; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    go(typing);
  });
  addEventListener("popstate", () => {
    input.value = new URLSearchParams(location.search).get("q") ?? "";
    show(location.pathname + location.search);
  });
}

async function loadMore(link) {
  link.setAttribute("aria-busy", "true");
  try {
    const next = parsed(await part(link.href, "more"));
    const fresh = [...next.querySelectorAll("[data-cards] > li")];
    document.querySelector("[data-cards]").append(...fresh);
    document.querySelector("[data-count]").textContent = next.querySelector("[data-count]").textContent;
    speak(shelf());
    history.replaceState(null, "", link.href);
    const follow = next.querySelector("[data-more]");
    if (follow) link.replaceWith(follow);
    else link.parentElement.remove();
    fresh[0]?.querySelector("a").focus({ preventScroll: true });
  } catch (error) {
    link.removeAttribute("aria-busy");
    if (error.name !== "AbortError") toast("More courses did not load. Try again.", "negative");
  }
}

/* Course page */

function frameOf(control) {
  const box = document.createElement("div");
  box.className = "video";
  const frame = document.createElement("iframe");
  frame.src = `${control.dataset.play}&autoplay=1`;
  frame.title = control.dataset.title;
  frame.allow = "autoplay; encrypted-media; picture-in-picture; fullscreen";
  box.append(frame);
  return box;
}

let playing = null;

function play(control) {
  playing?.();
  const box = frameOf(control);
  const row = control.parentElement;
  if (control.hasAttribute("data-below")) {
    control.after(box);
    row.classList.add("playing");
    playing = () => { box.remove(); row.classList.remove("playing"); };
  } else {
    control.replaceWith(box);
    playing = () => box.replaceWith(control);
  }
  box.firstChild.focus();
}

function expandAll(button) {
  const chapters = [...document.querySelectorAll(".outline details")];
  const open = chapters.some((chapter) => !chapter.open);
  for (const chapter of chapters) chapter.open = open;
  button.textContent = open ? "Collapse all" : "Expand all";
}

for (const button of document.querySelectorAll("[data-expand]")) button.hidden = false;

/* The way back from a payment: the server says when something changed, the page draws it */

function watchPayment(box) {
  const address = box.dataset.checkout;
  const isWaiting = () => document.querySelector("[data-checkout][data-waiting]");
  const status = () => document.querySelector("[data-checkout]").dataset.status;
  const redraw = async () => {
    const page = parsed(await (await fetch(location.href)).text());
    const fresh = page.querySelector("[data-checkout]");
    const old = document.querySelector("[data-checkout]");
    if (fresh && fresh.dataset.status !== status()) {
      old.replaceWith(fresh);
      document.title = page.title;
    }
  };
  const poll = async () => {
    if (!isWaiting()) return; // What comes after the payment, such as a refund, is told by the server.
    const answer = await fetch(`${address}/state`);
    if (answer.ok && (await answer.json()).status !== status()) await redraw();
  };
  const events = new EventSource(`${address}/events`);
  events.onmessage = (event) => { if (event.data !== status()) redraw().catch(() => {}); };
  setInterval(() => poll().catch(() => {}), 2000);
  setTimeout(() => {
    const words = document.querySelector("[data-late]");
    if (words) words.hidden = false;
  }, LATE);
}

/* Wiring */

document.addEventListener("click", (event) => {
  const control = event.target.closest("a, button");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (!control || !plain) return;
  if (control.dataset.play) { event.preventDefault(); play(control); }
  else if (control.hasAttribute("data-expand")) expandAll(control);
  else if (control.hasAttribute("data-more")) { event.preventDefault(); loadMore(control); }
  else if (control.closest("[data-filter]")) { event.preventDefault(); filter(control); }
});

document.addEventListener("keydown", (event) => {
  const search = document.querySelector("[data-finder] [name=q]");
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && search && !typing) { event.preventDefault(); search.focus(); }
});

document.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute("data-once")) return;
  const button = event.target.querySelector("button:not([type])");
  if (button.getAttribute("aria-busy") === "true") event.preventDefault();
  button.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-once] [aria-busy]")) button.removeAttribute("aria-busy");
});

const finder = document.querySelector("[data-finder]");
if (finder) liveSearch(finder);
const payment = document.querySelector("[data-checkout]");
if (payment) watchPayment(payment);
