// Small forms below a lesson. Each is the form of a plain page, fetched when it is asked for, so
// that a classroom in which nobody writes anything carries none of them.

export async function fillIn(box, address, { sent, failed }) {
  try {
    const answer = await fetch(address, { headers: { "X-Part": "form" } });
    if (!answer.ok) throw new Error(answer.statusText);
    put(box, await answer.text(), { sent, failed });
    box.querySelector("input, textarea")?.focus({ preventScroll: true });
  } catch {
    location.assign(address);
  }
}

function put(box, html, hears) {
  box.innerHTML = html;
  box.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    send(box, event.target, hears);
  });
}

// What was typed stays where it is until the server has it.
async function send(box, form, hears) {
  const button = form.querySelector("button:not([type])");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", headers: { "X-Part": "form" }, body });
    if (!answer.ok && answer.status !== 409) throw new Error(answer.statusText);
    put(box, await answer.text(), hears);
    box.scrollIntoView({ block: "nearest" });
    if (answer.ok) hears.sent();
  } catch {
    hears.failed();
  } finally {
    button.ariaBusy = null;
  }
}
